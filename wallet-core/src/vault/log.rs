//! The set of events as a graph: each names its device's previous event and the newest of others that it knew.
//!
//! **Order comes from that graph, never from a clock.** An event's depth is one more than the greatest depth
//! among those it names; events are applied by (depth, id). Causes come before effects, ties are settled by
//! ids, so every device that holds the same set applies it in the same order, and a device whose clock is
//! years ahead wins nothing.

use super::{DeviceRole, Event, EventError, index::RecordIndex};
use crate::id::{LedgerId, VaultId};
use crate::sm::{Digest, PublicKey};
use core::ops::Bound;
use std::collections::{BTreeMap, BTreeSet};

/// Where an event stands: after all that it names.
type Place = (u64, Digest);

/// What the log checks devices against.
#[derive(Clone, Copy, Debug)]
pub(super) struct Roots {
    pub(super) ledger: LedgerId,
    pub(super) vault: VaultId,
    pub(super) root: PublicKey,
}

#[derive(Debug)]
pub(super) struct Log {
    roots: Roots,
    /// With the role of the device at that event.
    events: BTreeMap<Place, (Event, DeviceRole)>,
    places: BTreeMap<Digest, Place>,
    /// Events that nobody names yet.
    tips: BTreeSet<Digest>,
    waiting: BTreeMap<Digest, Event>,
    index: RecordIndex,
    applied: Option<Place>,
}

impl Log {
    pub(super) fn new(roots: Roots) -> Self {
        Self {
            roots,
            events: BTreeMap::new(),
            places: BTreeMap::new(),
            tips: BTreeSet::new(),
            waiting: BTreeMap::new(),
            index: RecordIndex::default(),
            applied: None,
        }
    }

    /// Takes an event whose signature has been checked. One whose causes are missing waits for them; one that
    /// was taken before changes nothing.
    pub(super) fn insert(&mut self, id: Digest, event: Event) -> Result<(), EventError> {
        if self.places.contains_key(&id) || self.waiting.contains_key(&id) {
            return Ok(());
        }
        if event.previous.is_some() != (event.sequence > 0) || !event.seen.is_sorted_by(|a, b| a < b) {
            return Err(EventError::Form);
        }
        if self.causes_known(&event) {
            self.place(id, event)?;
            self.place_waiting();
        } else {
            self.waiting.insert(id, event);
        }
        Ok(())
    }

    /// Events that wait for others.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// The fold, as of all that was placed: goes on from where it was, or anew when an event belongs before.
    pub(super) fn index(&mut self) -> &RecordIndex {
        let after = self.applied.map_or(Bound::Unbounded, Bound::Excluded);
        for (place, (event, role)) in self.events.range((after, Bound::Unbounded)) {
            self.index.apply(&place.1, event, *role);
            self.applied = Some(*place);
        }
        &self.index
    }

    /// What the next event of `device` must name: its sequence, its previous event, the others' newest.
    pub(super) fn next(&self, device: &PublicKey) -> (u64, Option<Digest>, Vec<Digest>) {
        let own = self.events.iter().filter(|(_, (event, _))| event.device == *device);
        let last = own.map(|((_, id), (event, _))| (event.sequence, *id)).max();
        let previous = last.map(|(_, id)| id);
        let sequence = last.map_or(0, |(sequence, _)| sequence + 1);
        let seen = self.tips.iter().copied().filter(|tip| Some(*tip) != previous).collect();
        (sequence, previous, seen)
    }

    fn causes_known(&self, event: &Event) -> bool {
        event.previous.iter().chain(&event.seen).all(|cause| self.places.contains_key(cause))
    }

    fn place(&mut self, id: Digest, event: Event) -> Result<(), EventError> {
        let role = self.check_device(&event)?;
        let causes = event.previous.iter().chain(&event.seen);
        let depth = causes.filter_map(|cause| self.places.get(cause)).map(|(depth, _)| depth + 1).max();
        let place = (depth.unwrap_or(0), id);
        for cause in event.previous.iter().chain(&event.seen) {
            self.tips.remove(cause);
        }
        self.tips.insert(id);
        self.places.insert(id, place);
        self.events.insert(place, (event, role));
        if self.applied.is_some_and(|applied| place < applied) {
            self.applied = None;
            self.index = RecordIndex::default();
        }
        Ok(())
    }

    /// A device begins with its admission by the vault's root and goes on one by one, in the role that it began with.
    fn check_device(&self, event: &Event) -> Result<DeviceRole, EventError> {
        if let Some(previous) = &event.previous {
            let place = self.places.get(previous).ok_or(EventError::Device)?;
            let (previous, role) = self.events.get(place).ok_or(EventError::Device)?;
            let follows =
                previous.device == event.device && previous.sequence.checked_add(1) == Some(event.sequence);
            let admits = matches!(event.body, super::Body::DeviceAdmitted(_));
            return if follows && !admits { Ok(*role) } else { Err(EventError::Device) };
        }
        let super::Body::DeviceAdmitted(certificate) = &event.body else { return Err(EventError::Device) };
        let certificate =
            certificate.verify(&self.roots.root, &self.roots.ledger).map_err(|_| EventError::Device)?;
        if certificate.sign != event.device || certificate.vault != self.roots.vault {
            return Err(EventError::Device);
        }
        Ok(certificate.role)
    }

    fn place_waiting(&mut self) {
        loop {
            let ready = self.waiting.iter().find(|(_, event)| self.causes_known(event)).map(|(id, _)| *id);
            let Some(event) = ready.and_then(|id| self.waiting.remove_entry(&id)) else { return };
            // One that isn't its device's next is dropped; so is, in the end, all that names it.
            let _ = self.place(event.0, event.1);
        }
    }
}
