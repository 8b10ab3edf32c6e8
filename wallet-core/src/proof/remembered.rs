//! What a wallet, desk or auditor accepts after what it has seen: the one place where a fork, a rewind or a
//! stale answer is told from progress (PROTOCOL §8). Nothing here is ever forgotten: a lesser checkpoint or an
//! earlier time never replaces a greater one.

use super::checkpoint::{Checkpoint, VerifiedCheckpoint};
use super::tree::{Sm3, verify_consistency};
use crate::id::LedgerId;
use crate::sm::Digest;
use minicbor::{Decode, Encode};

/// A checkpoint older than that, seconds, is shown with its time.
pub const FRESH: u64 = 60;

/// The greatest that was ever verified; kept with the vault.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Remembered {
    #[n(0)]
    ledger: LedgerId,
    #[n(1)]
    size: u64,
    #[n(2)]
    tree: Digest,
    #[n(3)]
    map: Digest,
    #[n(4)]
    epoch: u64,
    /// Of the newest checkpoint.
    #[n(5)]
    checkpoint_time: u64,
    /// The greatest of any checkpoint or time statement.
    #[n(6)]
    greatest_time: u64,
}

/// Why what a relay showed must not be believed, and the person be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Alarm {
    /// Of another ledger than the one that this wallet lives on.
    #[error("this is another ledger than the one that this wallet knows")]
    OtherLedger,
    /// An old checkpoint, shown again: members vouched for more before.
    #[error("an old state of the ledger, of {shown}, was shown; {known} was seen before")]
    Stale {
        /// Its time.
        shown: u64,
        /// The time remembered.
        known: u64,
    },
    /// Members vouch now for fewer entries than before: the ledger was set back.
    #[error("the ledger was set back from {known} to {shown} entries")]
    Rewind {
        /// Its size.
        shown: u64,
        /// The size remembered.
        known: u64,
    },
    /// Roots that can't both be of one ledger, or no proof that they can.
    #[error("the ledger shown does not continue the one seen before ({known} entries)")]
    Fork {
        /// The size remembered.
        known: u64,
    },
    /// A verified time before the greatest verified one.
    #[error("the ledger's time went back from {known} to {shown}")]
    TimeWentBack {
        /// The time told.
        shown: u64,
        /// The greatest remembered.
        known: u64,
    },
}

/// How the newest checkpoint may be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// At most 60 s old by the ledger's time now.
    Current,
    /// "as of": later is not known.
    AsOf(u64),
}

impl Remembered {
    /// The first checkpoint, there being none to compare it with. Its tree must still be tied to the genesis
    /// object, by inclusion of entry 0.
    pub const fn first(verified: &VerifiedCheckpoint) -> Self {
        let Checkpoint { ledger, size, tree, map, epoch } = *verified.checkpoint();
        let time = verified.time();
        Self { ledger, size, tree, map, epoch, checkpoint_time: time, greatest_time: time }
    }

    /// The newest checkpoint.
    pub const fn checkpoint(&self) -> Checkpoint {
        Checkpoint { ledger: self.ledger, size: self.size, tree: self.tree, map: self.map, epoch: self.epoch }
    }

    /// The newest checkpoint's time.
    pub const fn checkpoint_time(&self) -> u64 {
        self.checkpoint_time
    }

    /// The greatest time ever verified.
    pub const fn greatest_time(&self) -> u64 {
        self.greatest_time
    }

    /// What to remember after a newer checkpoint, or why to raise an alarm. `consistency` is the proof from the
    /// size remembered to the new one; empty for the same size.
    pub fn accept(&self, new: &VerifiedCheckpoint, consistency: &[Digest]) -> Result<Self, Alarm> {
        let shown = new.checkpoint();
        if shown.ledger != self.ledger {
            return Err(Alarm::OtherLedger);
        }
        let older = new.time() < self.checkpoint_time;
        if shown.size < self.size {
            // Members who knew more once vouch for less at a later time; an earlier one is an old note replayed.
            return Err(if older {
                Alarm::Stale { shown: new.time(), known: self.checkpoint_time }
            } else {
                Alarm::Rewind { shown: shown.size, known: self.size }
            });
        }
        let fork = Alarm::Fork { known: self.size };
        verify_consistency::<Sm3>(self.size, shown.size, consistency, &self.tree, &shown.tree)
            .map_err(|_| fork)?;
        // State is a fold of the entries: the same entries with another state is a fork as well.
        if shown.size == self.size && (shown.map != self.map || shown.epoch != self.epoch) {
            return Err(fork);
        }
        if older || shown.epoch < self.epoch {
            return Err(Alarm::Stale { shown: new.time(), known: self.checkpoint_time });
        }
        let greatest_time = self.greatest_time.max(new.time());
        Ok(Self { greatest_time, ..Self::first(new) })
    }

    /// What to remember after the ledger's time was told (by [`super::time::ledger_time`]).
    pub fn accept_time(&self, time: u64) -> Result<Self, Alarm> {
        if time < self.greatest_time {
            return Err(Alarm::TimeWentBack { shown: time, known: self.greatest_time });
        }
        Ok(Self { greatest_time: time, ..self.clone() })
    }

    /// How the newest checkpoint may be shown at the ledger's time `now`; `None` where nobody told it.
    pub fn freshness(&self, now: Option<u64>) -> Freshness {
        match now {
            Some(now) if now.saturating_sub(self.checkpoint_time) <= FRESH => Freshness::Current,
            _ => Freshness::AsOf(self.checkpoint_time),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::checkpoint::tests::{checkpoint, epoch, ledger, signed};
    use super::super::tree::{self, Edge, NodeSource, TreeHash};
    use super::*;
    use crate::cbor;
    use core::convert::Infallible;
    use std::collections::BTreeMap;

    struct Nodes(BTreeMap<(u8, u64), Digest>);
    impl NodeSource for Nodes {
        type Error = Infallible;
        fn node(&self, level: u8, index: u64) -> Result<Digest, Infallible> {
            Ok(self.0[&(level, index)])
        }
    }

    /// A ledger of `size` entries; those from `fork` on are another's.
    fn ledger_of(size: u64, fork: u64) -> (Nodes, Digest) {
        let (mut nodes, mut edge) = (BTreeMap::new(), Edge::new());
        for i in 0..size {
            let entry = [i.to_be_bytes(), u64::from(i >= fork).to_be_bytes()].concat();
            edge.append::<Sm3>(Sm3::leaf(&entry), |n| {
                nodes.insert((n.level, n.index), n.hash);
            });
        }
        (Nodes(nodes), edge.root::<Sm3>())
    }

    fn verified(size: u64, fork: u64, map: u8, time: u64) -> VerifiedCheckpoint {
        let mut body = checkpoint(size, map);
        body.tree = ledger_of(size, fork).1;
        signed(body, &[(1, time)]).verify(&ledger(), &epoch(1)).unwrap()
    }

    fn consistency(old: u64, new: u64, fork: u64) -> Vec<Digest> {
        tree::prove_consistency::<Sm3, _>(&ledger_of(new, fork).0, old, new).unwrap()
    }

    const HONEST: u64 = u64::MAX;

    #[test]
    fn a_longer_ledger_that_begins_with_the_known_one_is_accepted() {
        let known = Remembered::first(&verified(5, HONEST, 1, 100));
        let next = known.accept(&verified(9, HONEST, 2, 130), &consistency(5, 9, HONEST)).unwrap();
        assert_eq!((next.checkpoint().size, next.checkpoint_time(), next.greatest_time()), (9, 130, 130));
    }

    #[test]
    fn the_same_size_with_a_new_time_is_accepted() {
        let known = Remembered::first(&verified(5, HONEST, 1, 100));
        assert_eq!(known.accept(&verified(5, HONEST, 1, 130), &[]).unwrap().checkpoint_time(), 130);
    }

    #[test]
    fn malicious_relay_that_forks_the_ledger_is_an_alarm() {
        let known = Remembered::first(&verified(5, HONEST, 1, 100));
        let fork = Err(Alarm::Fork { known: 5 });
        assert_eq!(known.accept(&verified(9, 3, 2, 130), &consistency(5, 9, 3)), fork);
        assert_eq!(known.accept(&verified(9, HONEST, 2, 130), &[]), fork, "no proof");
        assert_eq!(known.accept(&verified(5, 3, 1, 130), &[]), fork, "same size, other entries");
        assert_eq!(known.accept(&verified(5, HONEST, 2, 130), &[]), fork, "same entries, other state");
    }

    #[test]
    fn malicious_relay_that_sets_the_ledger_back_is_an_alarm() {
        let known = Remembered::first(&verified(9, HONEST, 1, 100));
        let shorter = verified(5, HONEST, 1, 130);
        assert_eq!(known.accept(&shorter, &[]), Err(Alarm::Rewind { shown: 5, known: 9 }));
    }

    #[test]
    fn malicious_relay_that_shows_an_old_checkpoint_again_is_an_alarm() {
        let known = Remembered::first(&verified(9, HONEST, 1, 100));
        let stale = Err(Alarm::Stale { shown: 90, known: 100 });
        assert_eq!(known.accept(&verified(5, HONEST, 1, 90), &[]), stale);
        assert_eq!(known.accept(&verified(9, HONEST, 1, 90), &[]), stale);
    }

    #[test]
    fn malicious_relay_cannot_turn_time_back() {
        let known = Remembered::first(&verified(9, HONEST, 1, 100)).accept_time(150).unwrap();
        assert_eq!(known.accept_time(149), Err(Alarm::TimeWentBack { shown: 149, known: 150 }));
        let next = known.accept(&verified(9, HONEST, 1, 120), &[]).unwrap();
        assert_eq!(next.greatest_time(), 150, "a checkpoint may be older than a time told since");
    }

    #[test]
    fn what_is_older_than_a_minute_is_shown_with_its_time() {
        let known = Remembered::first(&verified(9, HONEST, 1, 100));
        assert_eq!(known.freshness(Some(160)), Freshness::Current);
        assert_eq!(known.freshness(Some(161)), Freshness::AsOf(100));
        assert_eq!(known.freshness(None), Freshness::AsOf(100));
    }

    #[test]
    fn it_is_remembered_across_a_restart() {
        let known = Remembered::first(&verified(9, HONEST, 1, 100));
        assert_eq!(cbor::decode::<Remembered>(&cbor::encode(&known)).unwrap(), known);
        let other = Checkpoint { ledger: LedgerId::from_bytes([8; 32]), ..known.checkpoint() };
        let shown = signed(other, &[(1, 200)]).verify(&other.ledger, &epoch(1)).unwrap();
        assert_eq!(known.accept(&shown, &[]), Err(Alarm::OtherLedger));
    }
}
