//! The epoch keys that a device has: handed to it when it was admitted or restored, or out of its wraps.

use super::EpochKeys;
use crate::sm::{Digest, Key32};
use minicbor::{Decode, Encode};
use std::collections::BTreeMap;

/// The keys of one epoch.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct HeldKeys {
    /// The epoch's id.
    #[n(0)]
    pub epoch: Digest,
    /// Its number; events name their epoch by it, and two epochs may have the same.
    #[n(1)]
    pub number: u32,
    /// As far as the role reaches.
    #[n(2)]
    pub keys: EpochKeys,
}

/// All keys, by number and id.
#[derive(Debug, Default)]
pub(super) struct Keyring(BTreeMap<(u32, Digest), EpochKeys>);

impl Keyring {
    /// Adds keys; those of an epoch that is known stay.
    pub(super) fn add(&mut self, held: HeldKeys) {
        self.0.entry((held.number, held.epoch)).or_insert(held.keys);
    }

    pub(super) fn add_all(&mut self, held: impl IntoIterator<Item = HeldKeys>) {
        for held in held {
            self.add(held);
        }
    }

    /// The keys of this epoch.
    pub(super) fn get(&self, number: u32, epoch: &Digest) -> Option<&EpochKeys> {
        self.0.get(&(number, *epoch))
    }

    /// Whether the keys of this epoch are here.
    pub(super) fn has(&self, number: u32, epoch: &Digest) -> bool {
        self.0.contains_key(&(number, *epoch))
    }

    /// The read keys of epochs with this number.
    pub(super) fn read(&self, number: u32) -> Vec<&Key32> {
        let of_number = self.0.iter().filter(|((found, _), _)| *found == number);
        of_number.map(|(_, keys)| &keys.read).collect()
    }

    /// All keys, newest first.
    pub(super) fn newest_first(&self) -> impl Iterator<Item = &EpochKeys> {
        self.0.values().rev()
    }

    /// The keys to write under: those of the greatest among these epochs, or of the greatest of all when none of them
    /// is here. Of two with one number the one with the lesser id.
    pub(super) fn current(&self, tips: &[(Digest, u32)]) -> Option<(u32, Digest, &EpochKeys)> {
        let rank = |(number, id): &(u32, Digest)| (*number, core::cmp::Reverse(*id));
        let among = self.0.iter().filter(|((number, id), _)| tips.contains(&(*id, *number)));
        let best = among.max_by_key(|(place, _)| rank(place));
        let best = best.or_else(|| self.0.iter().max_by_key(|(place, _)| rank(place)));
        best.map(|((number, id), keys)| (*number, *id, keys))
    }

    /// All keys, as far as `role` reaches, to hand on.
    pub(super) fn for_role(&self, role: super::DeviceRole) -> Vec<HeldKeys> {
        let all = self.0.iter();
        all.map(|((number, epoch), keys)| HeldKeys {
            epoch: *epoch,
            number: *number,
            keys: keys.for_role(role),
        })
        .collect()
    }
}
