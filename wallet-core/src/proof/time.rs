//! The ledger's time now: a fresh nonce goes to the relays, each signs it with its clock, and the (f+1)-th
//! largest answer counts (PROTOCOL §8 "Fresh"). Afterwards a monotonic clock carries it on; the device's own
//! wall clock is never used.

use super::checkpoint::{nth_largest, threshold};
use crate::id::LedgerId;
use crate::sm::{Object, PublicKey, Signed};
use minicbor::{Decode, Encode};

/// A relay's word that its clock stands at `time`, for who asked with this nonce.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct TimeStatement {
    /// Chosen by who asks, never twice.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub nonce: [u8; 32],
    /// Unix seconds.
    #[n(1)]
    pub time: u64,
}

impl Object for TimeStatement {
    const NAME: &'static str = "time";
}

/// Why no time could be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// Fewer than t members answered this nonce under their time keys.
    #[error("{found} of the {needed} time statements that it takes")]
    Few {
        /// Statements that hold.
        found: usize,
        /// t.
        needed: usize,
    },
}

/// The ledger's time by the members' statements. What doesn't verify, or is a member's second, is left out.
pub fn ledger_time(
    statements: &[Signed<TimeStatement>],
    nonce: &[u8; 32],
    time_keys: &[PublicKey],
    ledger: &LedgerId,
) -> Result<u64, TimeError> {
    let told = |key: &PublicKey| {
        let statement = statements.iter().filter_map(|s| s.verify(key, ledger).ok());
        statement.filter(|s| s.nonce == *nonce).map(|s| s.time).next()
    };
    let times: Vec<u64> = time_keys.iter().filter_map(told).collect();
    let (found, needed) = (times.len(), threshold(time_keys.len()));
    let few = TimeError::Few { found, needed };
    if found < needed { Err(few) } else { nth_largest(times, time_keys.len()).ok_or(few) }
}

#[cfg(test)]
mod tests {
    use super::super::checkpoint::tests::{key, ledger};
    use super::*;

    fn statement(n: u8, nonce: [u8; 32], time: u64) -> Signed<TimeStatement> {
        Signed::new(&TimeStatement { nonce, time }, &key(n), &ledger())
    }

    fn keys(n: u8) -> Vec<PublicKey> {
        (1..=n).map(|i| key(i).public()).collect()
    }

    #[test]
    fn one_relay_tells_the_time_alone() {
        let told = [statement(1, [5; 32], 1000)];
        assert_eq!(ledger_time(&told, &[5; 32], &keys(1), &ledger()), Ok(1000));
    }

    #[test]
    fn an_answer_to_another_nonce_key_or_ledger_is_none() {
        let few = Err(TimeError::Few { found: 0, needed: 1 });
        let told = [statement(1, [5; 32], 1000)];
        assert_eq!(ledger_time(&told, &[6; 32], &keys(1), &ledger()), few);
        assert_eq!(ledger_time(&told, &[5; 32], &keys(1), &LedgerId::from_bytes([8; 32])), few);
        assert_eq!(ledger_time(&[statement(2, [5; 32], 1000)], &[5; 32], &keys(1), &ledger()), few);
        assert_eq!(ledger_time(&[], &[5; 32], &keys(1), &ledger()), few);
    }

    #[test]
    fn malicious_relay_of_four_moves_the_time_by_nothing_and_nobody_counts_twice() {
        let told = [(1, 100), (2, 101), (4, u64::MAX)].map(|(n, t)| statement(n, [5; 32], t));
        assert_eq!(ledger_time(&told, &[5; 32], &keys(4), &ledger()), Ok(101));
        let twice = [(1, 100), (4, 900), (4, 901)].map(|(n, t)| statement(n, [5; 32], t));
        let few = Err(TimeError::Few { found: 2, needed: 3 });
        assert_eq!(ledger_time(&twice, &[5; 32], &keys(4), &ledger()), few);
    }
}
