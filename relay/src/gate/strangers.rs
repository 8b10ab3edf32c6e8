//! Tombstones of grants that the ledger doesn't know. Anybody can make such a grant's key and revoke it, so these have
//! bounds of their own: they stand only as long as the grant may still be included, and there are only so many at a
//! time. **A grant that the ledger knows is never held to these bounds.**

use std::collections::BTreeMap;
use suishen_core::sm::Digest;

/// Most of them at a time: 8 MiB of the tear file.
const MOST: usize = 16_384;

/// The objects of these tombstones, and until when each stands.
#[derive(Debug)]
pub struct Strangers {
    until: BTreeMap<Digest, u64>,
    most: usize,
}

impl Default for Strangers {
    fn default() -> Self {
        Self { until: BTreeMap::new(), most: MOST }
    }
}

impl Strangers {
    /// Room for one more, or for the same one again, which then stands longer; `false` when there is none.
    pub fn admit(&mut self, object: &Digest, until: u64) -> bool {
        if self.until.len() >= self.most && !self.until.contains_key(object) {
            return false;
        }
        self.remember(object, until);
        true
    }

    /// One that stands already, room or none.
    pub fn remember(&mut self, object: &Digest, until: u64) {
        let held = self.until.entry(*object).or_default();
        *held = until.max(*held);
    }

    /// Forgets those whose time is over; gives the ones that the ledger still doesn't know, whose tombstones may go.
    pub fn settle<E>(
        &mut self,
        now: u64,
        mut known: impl FnMut(&Digest) -> Result<bool, E>,
    ) -> Result<Vec<Digest>, E> {
        let over: Vec<Digest> =
            self.until.iter().filter(|(_, until)| **until <= now).map(|(object, _)| *object).collect();
        let mut gone = Vec::new();
        for object in &over {
            if !known(object)? {
                gone.push(*object);
            }
        }
        self.until.retain(|_, until| *until > now);
        Ok(gone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(n: u8) -> Digest {
        Digest::from_bytes([n; 32])
    }

    #[test]
    fn there_are_only_so_many_at_a_time_and_a_repeat_is_none_more() {
        let mut strangers = Strangers { most: 2, ..Strangers::default() };
        assert!(strangers.admit(&object(1), 10) && strangers.admit(&object(2), 20));
        assert!(!strangers.admit(&object(3), 20));
        assert!(strangers.admit(&object(1), 15), "the same again is acknowledged again");
        assert_eq!(strangers.settle(14, |_| Ok::<_, ()>(false)).unwrap(), []);
        assert_eq!(strangers.settle(15, |_| Ok::<_, ()>(false)).unwrap(), [object(1)]);
        assert!(strangers.admit(&object(3), 20));
    }

    #[test]
    fn what_the_ledger_knows_by_then_stays_torn() {
        let mut strangers = Strangers::default();
        assert!(strangers.admit(&object(1), 10) && strangers.admit(&object(2), 10));
        assert_eq!(strangers.settle(10, |o| Ok::<_, ()>(*o == object(1))).unwrap(), [object(2)]);
        assert_eq!(strangers.settle(99, |_| Ok::<_, ()>(false)).unwrap(), []);
    }
}
