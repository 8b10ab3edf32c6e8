//! Events that came and aren't in their place yet: they wait for those that they name, and to be believed.
//!
//! **A signature speaks for all that its device wrote before.** An event names its device's previous one by the hash of its
//! content, so whoever signs it vouches for that one, and through it for those before. Of events that can be placed
//! together only each device's last is verified: a wallet of 10,000 records costs a new device a few signatures. What is
//! vouched for by nobody is verified by itself, however many there are.

use super::{Event, EventError};
use crate::id::{BlobAddress, LedgerId};
use crate::sm::{Digest, PublicKey, Signed};
use std::collections::{BTreeMap, BTreeSet};

/// An event on its way to its place.
#[derive(Debug)]
pub(super) struct Arrival {
    /// Of the stored form that it came in.
    pub(super) address: BlobAddress,
    pub(super) event: Event,
    /// What it came signed with; none once that was verified.
    signed: Option<Signed<Event>>,
}

impl Arrival {
    pub(super) const fn new(address: BlobAddress, event: Event, signed: Signed<Event>) -> Self {
        Self { address, event, signed: Some(signed) }
    }

    fn is_signed(&self, ledger: &LedgerId) -> bool {
        let verified = |signed: &Signed<Event>| signed.verify_signature(&self.event.device, ledger).is_ok();
        self.signed.as_ref().is_none_or(verified)
    }
}

/// All of them, by the event's id.
#[derive(Debug, Default)]
pub(super) struct Arrivals {
    waiting: BTreeMap<Digest, Arrival>,
    /// Of those that wait, by one cause that each waits for.
    awaited: BTreeMap<Digest, Vec<Digest>>,
    /// Not yet looked at.
    new: Vec<Digest>,
}

impl Arrivals {
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Takes one more. A second copy of one that waits must hold by itself, and is then proof enough for both: the first may
    /// be another member's doing.
    pub(super) fn take(&mut self, id: Digest, arrival: Arrival, ledger: &LedgerId) -> Result<(), EventError> {
        let Some(waiting) = self.waiting.get_mut(&id) else {
            self.waiting.insert(id, arrival);
            self.new.push(id);
            return Ok(());
        };
        if !arrival.is_signed(ledger) {
            return Err(EventError::Signature);
        }
        waiting.signed = None;
        Ok(())
    }

    /// Goes on waiting for this cause.
    pub(super) fn wait(&mut self, id: Digest, arrival: Arrival, cause: Digest) {
        self.awaited.entry(cause).or_default().push(id);
        self.waiting.insert(id, arrival);
    }

    /// Those whose causes are all `placed` or among them, causes before effects.
    pub(super) fn ready(&mut self, placed: impl Fn(&Digest) -> bool) -> Vec<(Digest, Arrival)> {
        let (mut ready, mut ids) = (Vec::new(), BTreeSet::new());
        let mut open = core::mem::take(&mut self.new);
        while let Some(id) = open.pop() {
            let Some(arrival) = self.waiting.get(&id) else { continue };
            let missing = arrival.event.causes().find(|cause| !placed(cause) && !ids.contains(*cause));
            if let Some(cause) = missing {
                self.awaited.entry(*cause).or_default().push(id);
            } else if let Some(arrival) = self.waiting.remove(&id) {
                ids.insert(id);
                ready.push((id, arrival));
                open.extend(self.awaited.remove(&id).into_iter().flatten());
            }
        }
        ready
    }
}

/// Which of these, causes before effects, are their devices': signed, or vouched for by a later one that is.
pub(super) fn believed(ready: &[(Digest, Arrival)], ledger: &LedgerId) -> BTreeSet<Digest> {
    let mut vouched: BTreeSet<(PublicKey, Digest)> = BTreeSet::new();
    let mut believed = BTreeSet::new();
    for (id, arrival) in ready.iter().rev() {
        let device = arrival.event.device;
        if vouched.contains(&(device, *id)) || arrival.is_signed(ledger) {
            believed.insert(*id);
            vouched.extend(arrival.event.previous.map(|previous| (device, previous)));
        }
    }
    believed
}
