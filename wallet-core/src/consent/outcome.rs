//! What became of an insurer's decisions: the grant's log alone says it, whatever a relay answered.
//!
//! **A decision is given up once it can't stand by the members' own word, and is looked for all the same**: whoever answers
//! for the ledger's time could let it stand afterwards.

use crate::{contract::Transaction, proof::log::AccessLog};

/// A decision that stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stood {
    /// Which of those that were asked for.
    pub which: usize,
    /// Its entry.
    pub entry: u64,
    /// The ledger's time in it.
    pub at: u64,
}

/// Those of these decisions that stand in a grant's log, in the ledger's order.
pub fn stood(log: &AccessLog, decisions: &[Transaction]) -> Vec<Stood> {
    let found = log.entries.iter().filter_map(|entry| {
        let which = decisions.iter().position(|decision| *decision == entry.transaction)?;
        Some(Stood { which, entry: entry.number, at: entry.now })
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::{CHAIN_START, GrantLeaf, Kind, RevokeGrant, Status};
    use crate::id::GrantId;
    use crate::proof::log::LogEntry;

    fn decision(number: u8) -> Transaction {
        Transaction::RevokeGrant(RevokeGrant { grant: GrantId::from_bytes([number; 32]) })
    }

    #[test]
    fn what_stands_is_found_in_the_ledgers_order_and_nothing_else_is() {
        let entry = |number, of| LogEntry { number, now: 100 + number, transaction: decision(of) };
        let leaf =
            GrantLeaf { kind: Kind::Claim, status: Status::Accepted, uses: 1, count: 3, chain: CHAIN_START };
        let log = AccessLog { leaf, entries: vec![entry(4, 9), entry(7, 2), entry(8, 1)] };
        let found = stood(&log, &[decision(1), decision(2), decision(3)]);
        let at = |which, entry| Stood { which, entry, at: 100 + entry };
        assert_eq!(found, [at(1, 7), at(0, 8)]);
        assert!(stood(&log, &[]).is_empty());
    }
}
