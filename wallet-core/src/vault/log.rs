//! The set of events as a graph: each names its device's previous event and the newest of others that it knew.
//!
//! **Order comes from that graph, never from a clock.** An event's depth is one more than the greatest depth
//! among those it names; events are applied by (depth, id). Causes come before effects, ties are settled by
//! ids, so every device that holds the same set applies it in the same order, and a device whose clock is
//! years ahead wins nothing.

use super::devices::{Devices, Judgement, Known};
use super::roster::{Roster, RosterError};
use super::{Body, DeviceCertificate, DeviceRole, Epoch, Event, EventError, Head, index::RecordIndex};
use crate::id::{LedgerId, VaultId};
use crate::sm::{Digest, PublicKey, Signed};
use core::ops::Bound;
use std::collections::{BTreeMap, BTreeSet};

/// Where an event stands: after all that it names.
type Place = (u64, Digest);

/// Most accepted heads of one device.
const MOST_FORKS: usize = 4;

/// What the log checks devices against.
#[derive(Clone, Copy, Debug)]
pub(super) struct Roots {
    pub(super) ledger: LedgerId,
    pub(super) vault: VaultId,
    pub(super) root: PublicKey,
}

/// An event in its place.
#[derive(Debug)]
pub(super) struct Placed {
    pub(super) event: Event,
    /// Of its device at this event.
    pub(super) role: DeviceRole,
    /// Id of the certificate that its device began with.
    pub(super) certificate: Digest,
}

#[derive(Debug)]
pub(super) struct Log {
    roots: Roots,
    roster: Roster,
    events: BTreeMap<Place, Placed>,
    places: BTreeMap<Digest, Place>,
    /// Admissions by device.
    first: BTreeMap<PublicKey, BTreeSet<Digest>>,
    /// Events that nobody names yet.
    tips: BTreeSet<Digest>,
    waiting: BTreeMap<Digest, Event>,
    /// Of those that wait, by one cause that each waits for.
    awaited: BTreeMap<Digest, Vec<Digest>>,
    /// The newest event of each device.
    newest: BTreeMap<PublicKey, (u64, Digest)>,
    devices: Devices,
    judgement: Option<Judgement>,
    index: RecordIndex,
    applied: Option<Place>,
}

impl Log {
    pub(super) fn new(roots: Roots) -> Self {
        Self {
            roots,
            roster: Roster::new(roots.ledger, roots.vault),
            events: BTreeMap::new(),
            places: BTreeMap::new(),
            first: BTreeMap::new(),
            tips: BTreeSet::new(),
            waiting: BTreeMap::new(),
            awaited: BTreeMap::new(),
            newest: BTreeMap::new(),
            devices: Devices::default(),
            judgement: None,
            index: RecordIndex::default(),
            applied: None,
        }
    }

    /// Takes an epoch; whether it is new.
    pub(super) fn take_epoch(&mut self, epoch: &Signed<Epoch>) -> Result<bool, RosterError> {
        let new = self.roster.take(epoch)?;
        if new {
            self.judgement = None;
        }
        Ok(new)
    }

    /// Who belongs to the vault.
    pub(super) const fn roster(&self) -> &Roster {
        &self.roster
    }

    /// Takes an event whose signature has been checked. One whose causes are missing waits for them; one that
    /// was taken before changes nothing.
    pub(super) fn insert(&mut self, id: Digest, event: Event) -> Result<(), EventError> {
        if self.places.contains_key(&id) || self.waiting.contains_key(&id) {
            return Ok(());
        }
        if event.previous.is_some() != (event.sequence > 0) || !event.seen.is_sorted_by(|a, b| a < b) {
            return Err(EventError::Content);
        }
        if let Some(cause) = self.missing(&event) {
            self.awaited.entry(cause).or_default().push(id);
            self.waiting.insert(id, event);
        } else {
            self.place(id, event)?;
            self.place_waiting(id);
        }
        Ok(())
    }

    /// Events that wait for others.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// The fold, as of all that was placed: goes on from where it was, or anew when an event belongs before or
    /// it is judged otherwise who counts.
    pub(super) fn index(&mut self) -> &RecordIndex {
        self.judge();
        let Some(judgement) = &self.judgement else { return &self.index };
        let after = self.applied.map_or(Bound::Unbounded, Bound::Excluded);
        for (place, placed) in self.events.range((after, Bound::Unbounded)) {
            if judgement.accepts(&place.1, placed) {
                self.index.apply(&place.1, &placed.event, placed.role);
            }
            self.applied = Some(*place);
        }
        let roster = &self.roster;
        self.index
            .settle(|certificate| judgement.is_out(certificate).then(|| roster.last_vouched(certificate)));
        &self.index
    }

    fn judge(&mut self) {
        if self.judgement.is_none() {
            let found = |id: &Digest| self.events.get(self.places.get(id)?);
            self.judgement = Some(Judgement::new(&self.devices, &self.roster, found));
            self.applied = None;
            self.index = RecordIndex::default();
        }
    }

    /// The devices that count, as far as their certificates are known here.
    pub(super) fn members(&mut self) -> Vec<&Known> {
        self.judge();
        let counts = |id: &Digest| self.judgement.as_ref().is_some_and(|judgement| !judgement.is_out(id));
        self.devices.all().filter(|(id, _)| counts(id)).map(|(_, known)| known).collect()
    }

    /// All devices whose certificates are known here, those that are out included.
    pub(super) fn certified(&self) -> Vec<&Known> {
        self.devices.all().map(|(_, known)| known).collect()
    }

    /// The last events of every device that count, ascending by device; of one whose keys are in several hands the
    /// first few.
    pub(super) fn heads(&mut self) -> Vec<Head> {
        self.judge();
        let Some(judgement) = &self.judgement else { return Vec::new() };
        let counting = self.events.iter().filter(|((_, id), placed)| judgement.accepts(id, placed));
        let mut heads = BTreeSet::new();
        for ((_, id), Placed { event, .. }) in counting {
            // Causes come first, so what is previous is there already.
            if let Some(previous) = event.previous {
                heads.remove(&(event.device, previous));
            }
            heads.insert((event.device, *id));
        }
        let heads: Vec<_> = heads.into_iter().map(|(device, event)| Head { device, event }).collect();
        let of_one = heads.chunk_by(|a, b| a.device == b.device);
        of_one.flat_map(|heads| heads.iter().take(MOST_FORKS)).cloned().collect()
    }

    /// What the next event of `device` must name: its sequence, its previous event, the others' newest that count. **One
    /// that doesn't count is named by nobody**: whoever hasn't got it would wait for it.
    pub(super) fn next(&mut self, device: &PublicKey) -> (u64, Option<Digest>, Vec<Digest>) {
        self.judge();
        let last = self.newest.get(device).copied();
        let previous = last.map(|(_, id)| id);
        let sequence = last.map_or(0, |(sequence, _)| sequence + 1);
        let seen = self.counting_tips().into_iter().filter(|tip| Some(*tip) != previous).collect();
        (sequence, previous, seen)
    }

    /// How many events of `device` there are in a row: the number of its next one.
    pub(super) fn sequence(&self, device: &PublicKey) -> u64 {
        self.newest.get(device).map_or(0, |(sequence, _)| sequence + 1)
    }

    /// The newest events that count.
    fn counting_tips(&self) -> BTreeSet<Digest> {
        let Some(judgement) = self.judgement.as_ref().filter(|judgement| judgement.is_anyone_out()) else {
            return self.tips.clone();
        };
        let mut tips = BTreeSet::new();
        let counting = self.events.iter().filter(|((_, id), placed)| judgement.accepts(id, placed));
        for ((_, id), Placed { event, .. }) in counting {
            for cause in event.previous.iter().chain(&event.seen) {
                tips.remove(cause);
            }
            tips.insert(*id);
        }
        tips
    }

    /// A cause of an event that isn't here yet.
    fn missing(&self, event: &Event) -> Option<Digest> {
        event.previous.iter().chain(&event.seen).find(|cause| !self.places.contains_key(cause)).copied()
    }

    fn found(&self, id: &Digest) -> Option<&Placed> {
        self.events.get(self.places.get(id)?)
    }

    fn place(&mut self, id: Digest, event: Event) -> Result<(), EventError> {
        let (role, certificate) = self.check_device(&event)?;
        let causes = event.previous.iter().chain(&event.seen);
        let depth = causes.filter_map(|cause| self.places.get(cause)).map(|(depth, _)| depth + 1).max();
        let place = (depth.unwrap_or(0), id);
        for cause in event.previous.iter().chain(&event.seen) {
            self.tips.remove(cause);
        }
        self.tips.insert(id);
        self.places.insert(id, place);
        if event.sequence == 0 {
            self.first.entry(event.device).or_default().insert(id);
        }
        let newest = self.newest.entry(event.device).or_insert((event.sequence, id));
        *newest = (*newest).max((event.sequence, id));
        self.learn_certified(&event, role, certificate);
        if self.judgement.as_ref().is_some_and(|judgement| judgement.missing.contains(&id)) {
            self.judgement = None;
        }
        self.events.insert(place, Placed { event, role, certificate });
        if self.applied.is_some_and(|applied| place < applied) {
            self.applied = None;
            self.index = RecordIndex::default();
        }
        Ok(())
    }

    /// A device begins with its admission and goes on one by one, in the role that it began with.
    fn check_device(&mut self, event: &Event) -> Result<(DeviceRole, Digest), EventError> {
        if let Some(previous) = &event.previous {
            let previous = self.found(previous).ok_or(EventError::Device)?;
            let follows = previous.event.device == event.device
                && previous.event.sequence.checked_add(1) == Some(event.sequence);
            let admits = matches!(event.body, Body::DeviceAdmitted(..));
            return if follows && !admits {
                Ok((previous.role, previous.certificate))
            } else {
                Err(EventError::Device)
            };
        }
        let Body::DeviceAdmitted(signed, _) = &event.body else { return Err(EventError::Device) };
        let certificate = signed.claimed().map_err(|_| EventError::Device)?;
        if certificate.sign != event.device || certificate.vault != self.roots.vault {
            return Err(EventError::Device);
        }
        let issuer = self.issuer(signed, event)?;
        if self.devices.learn(signed, &certificate, issuer) {
            self.judgement = None;
        }
        Ok((certificate.role, signed.id()))
    }

    /// Who signed a certificate: the root, or a device that was admitted to manage in the causal past of `event`.
    fn issuer(
        &self,
        signed: &Signed<DeviceCertificate>,
        event: &Event,
    ) -> Result<Option<Digest>, EventError> {
        let Roots { root, ledger, .. } = &self.roots;
        if signed.verify(root, ledger).is_ok() {
            return Ok(None);
        }
        let signers = self.first.iter().filter(|(device, _)| device.key_id() == signed.kid());
        let admissions = signers
            .filter(|(device, _)| signed.verify(device, ledger).is_ok())
            .flat_map(|(_, admissions)| admissions)
            .filter_map(|id| Some((id, self.found(id)?)))
            .filter(|(_, placed)| placed.role == DeviceRole::Manage);
        let known = admissions.filter(|(id, _)| self.has_in_past(event, id));
        known.map(|(_, placed)| Some(placed.certificate)).min().ok_or(EventError::Device)
    }

    /// Whether an event comes after another one that was placed.
    fn has_in_past(&self, event: &Event, earlier: &Digest) -> bool {
        let Some((depth, _)) = self.places.get(earlier) else { return false };
        let mut open: Vec<Digest> = event.previous.iter().chain(&event.seen).copied().collect();
        let mut looked_at = BTreeSet::new();
        while let Some(id) = open.pop() {
            if id == *earlier {
                return true;
            }
            let deeper = self.places.get(&id).is_some_and(|(found, _)| found > depth);
            if deeper && looked_at.insert(id) {
                let causes = self.found(&id).map(|placed| &placed.event);
                open.extend(causes.into_iter().flat_map(|e| e.previous.iter().chain(&e.seen)));
            }
        }
        false
    }

    /// A device that was certified is known from then on, whether it has written or not.
    fn learn_certified(&mut self, event: &Event, role: DeviceRole, issuer: Digest) {
        let Body::DeviceCertified(signed) = &event.body else { return };
        let Ok(certificate) = signed.verify(&event.device, &self.roots.ledger) else { return };
        let allowed = role == DeviceRole::Manage && certificate.vault == self.roots.vault;
        if allowed && self.devices.learn(signed, &certificate, Some(issuer)) {
            self.judgement = None;
        }
    }

    /// Places what waited for this event, then what waited for that.
    fn place_waiting(&mut self, placed: Digest) {
        let mut open = vec![placed];
        while let Some(cause) = open.pop() {
            for id in self.awaited.remove(&cause).unwrap_or_default() {
                let Some(event) = self.waiting.remove(&id) else { continue };
                if let Some(other) = self.missing(&event) {
                    self.awaited.entry(other).or_default().push(id);
                    self.waiting.insert(id, event);
                } else if self.place(id, event).is_ok() {
                    open.push(id);
                }
                // One that isn't its device's next is dropped; so is, in the end, all that names it.
            }
        }
    }
}
