//! The record index: what all events together say. The same set of events gives the same index, in whatever
//! order they came.
//!
//! Events are applied in the order of [`super::log`]: causes first, ties by id. Later ones win where only one
//! can hold (a name, a setting, hidden or not); what can only happen once is decided by the first.

use super::event::{
    Answer, Body, Contact, Event, GrantIssued, IdentityShown, ReadSeen, ReceiptSeen, RecordAdded,
};
use super::{DeviceCertificate, DeviceRole};
use crate::contract::{Claim, SignedTransaction, Slot};
use crate::id::{Commitment, GrantId};
use crate::sm::{Digest, PublicKey, Signed};
use std::collections::{BTreeMap, BTreeSet};

/// All that a vault knows, folded from its events.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RecordIndex {
    records: BTreeMap<Commitment, Record>,
    marks: BTreeMap<Commitment, Marks>,
    grants: BTreeMap<GrantId, Grant>,
    slots: BTreeMap<(Commitment, Slot), BTreeMap<u64, Claim>>,
    contacts: Vec<Contact>,
    identities: Vec<IdentityShown>,
    settings: BTreeMap<String, String>,
    devices: BTreeMap<PublicKey, Device>,
    removals: BTreeMap<PublicKey, u64>,
    holder: Option<SignedTransaction>,
    moves: Vec<SignedTransaction>,
    last_looked: Option<u64>,
    phrase_written: bool,
    backed_up: Option<u64>,
    sequences: BTreeMap<(PublicKey, u64), Digest>,
    alarms: BTreeSet<Alarm>,
}

/// A device that was admitted or certified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// As it was certified: keys, role, when.
    pub certificate: DeviceCertificate,
    /// The name that its owner gave it; none before it has written its first event.
    pub name: Option<String>,
    /// Whether it is out, by its own removal or that of the device that admitted it.
    pub removed: Option<Removal>,
    id: Digest,
}

/// That a device is out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Removal {
    /// When, as the device that did it knew the ledger's time; none when that device is out too.
    pub time: Option<u64>,
    /// The last epoch whose keys it got.
    pub reach: u32,
}

/// A record that is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// What opens and proves it.
    pub added: RecordAdded,
    /// When it was kept, as that device knew the ledger's time.
    pub kept: u64,
}

/// What the person put on a record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// Own tags.
    pub tags: BTreeSet<String>,
    /// Own name.
    pub name: Option<String>,
    /// Out of lists and bulk choices.
    pub hidden: bool,
}

/// A share, from its making on.
#[derive(Clone, Debug, PartialEq)]
pub struct Grant {
    /// As it was made.
    pub issued: GrantIssued,
    /// When, as that device knew the ledger's time.
    pub time: u64,
    /// The epoch under whose act key its secrets lie.
    pub epoch: u32,
    /// The device that made it, by its key to sign.
    pub by: PublicKey,
    /// Yes or no, to whom.
    pub answer: Option<Answer>,
    /// When it was taken back.
    pub revoked: Option<u64>,
    /// Redemptions by use number.
    pub reads: BTreeMap<u32, ReadSeen>,
    /// Receipts by use number.
    pub receipts: BTreeMap<u32, ReceiptSeen>,
    /// What an insurer said of a claim, in order.
    pub answers: BTreeMap<u32, crate::consent::Answer>,
}

/// What the person must be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Alarm {
    /// Two events of one device in one place: its keys are in two hands, or an old copy of it came back to life.
    Forked(PublicKey),
    /// A device wrote what its role doesn't allow; it wasn't applied.
    Overstepped(PublicKey),
}

impl RecordIndex {
    /// The records, by id.
    pub fn records(&self) -> impl Iterator<Item = &Record> {
        self.records.values()
    }

    /// One record.
    pub fn record(&self, record: &Commitment) -> Option<&Record> {
        self.records.get(record)
    }

    /// What the person put on a record.
    pub fn marks(&self, record: &Commitment) -> Marks {
        self.marks.get(record).cloned().unwrap_or_default()
    }

    /// All shares, by id.
    pub fn grants(&self) -> impl Iterator<Item = (&GrantId, &Grant)> {
        self.grants.iter()
    }

    /// One share.
    pub fn grant(&self, grant: &GrantId) -> Option<&Grant> {
        self.grants.get(grant)
    }

    /// How a payer slot of a record's invoice stood each time that a device looked, in the ledger's order.
    pub fn slot(&self, record: &Commitment, slot: Slot) -> impl Iterator<Item = &Claim> {
        self.slots.get(&(*record, slot)).into_iter().flat_map(BTreeMap::values)
    }

    /// People to share with again.
    pub fn contacts(&self) -> &[Contact] {
        &self.contacts
    }

    /// The identity codes that were shown.
    pub fn identities(&self) -> &[IdentityShown] {
        &self.identities
    }

    /// A setting.
    pub fn setting(&self, name: &str) -> Option<&str> {
        self.settings.get(name).map(String::as_str)
    }

    /// Devices that were admitted or certified, those that were removed included; by key.
    pub fn devices(&self) -> impl Iterator<Item = &Device> {
        self.devices.values()
    }

    /// The device with this key to sign.
    pub fn device(&self, sign: &PublicKey) -> Option<&Device> {
        self.devices.get(sign)
    }

    /// The shares that a removed device can still act on, ended ones included: those whose keys it got. To be offered
    /// for revocation. None for a device that isn't removed.
    pub fn within_reach(&self, sign: &PublicKey) -> impl Iterator<Item = (&GrantId, &Grant)> {
        let device = self.devices.get(sign).filter(|device| device.certificate.role >= DeviceRole::Share);
        let reach = device.and_then(|device| Some(device.removed?.reach));
        self.grants.iter().filter(move |(_, grant)| reach.is_some_and(|reach| grant.epoch <= reach))
    }

    /// `MoveHolder` of each epoch that was started, in their order, to be sent.
    pub fn holder_moves(&self) -> &[SignedTransaction] {
        &self.moves
    }

    /// `OpenHolder`, to be sent before the first grant.
    pub const fn holder(&self) -> Option<&SignedTransaction> {
        self.holder.as_ref()
    }

    /// When the person last looked at the access log.
    pub const fn last_looked(&self) -> Option<u64> {
        self.last_looked
    }

    /// The phrase was written down and checked.
    pub const fn phrase_written(&self) -> bool {
        self.phrase_written
    }

    /// The newest backup file.
    pub const fn backed_up(&self) -> Option<u64> {
        self.backed_up
    }

    /// What the person must be told.
    pub fn alarms(&self) -> impl Iterator<Item = &Alarm> {
        self.alarms.iter()
    }

    /// Applies the next event in order. `role` is that of its device at its causal past.
    pub(super) fn apply(&mut self, id: &Digest, event: &Event, role: DeviceRole) {
        let first = *self.sequences.entry((event.device, event.sequence)).or_insert(*id);
        if first != *id {
            self.alarms.insert(Alarm::Forked(event.device));
        }
        if role < event.body.needs() {
            self.alarms.insert(Alarm::Overstepped(event.device));
            return;
        }
        match &event.body {
            Body::DeviceAdmitted(certificate, name) => self.admit(certificate, Some(name)),
            Body::DeviceCertified(certificate) => self.admit(certificate, None),
            Body::DeviceRemoved(device) => {
                self.removals.entry(*device).or_insert(event.time);
            }
            Body::HolderMoved(transaction) => self.moves.push(transaction.clone()),
            Body::HolderPrepared(transaction) => {
                self.holder.get_or_insert_with(|| transaction.clone());
            }
            Body::RecordAdded(added) => {
                let record = || Record { added: (**added).clone(), kept: event.time };
                self.records.entry(added.record).or_insert_with(record);
            }
            Body::Tagged(..)
            | Body::Untagged(..)
            | Body::Renamed(..)
            | Body::Hidden(_)
            | Body::Unhidden(_) => {
                self.mark(&event.body);
            }
            Body::GrantIssued(_) | Body::GrantAnswered(_) | Body::GrantRevoked(_) => self.share(event),
            Body::ReceiptSeen(seen) => {
                if let Some(grant) = self.grants.get_mut(&seen.grant) {
                    grant.receipts.entry(seen.number).or_insert_with(|| seen.clone());
                }
            }
            Body::ClaimAnswered(said) => {
                if let Some(grant) = self.grants.get_mut(&said.grant) {
                    let answer = said.answer.claimed().ok();
                    answer.map(|answer| grant.answers.entry(said.number).or_insert(answer));
                }
            }
            Body::SlotSeen(seen) => {
                let slot = self.slots.entry((seen.record, seen.claim.slot)).or_default();
                slot.insert(seen.claim.last_entry(), seen.claim.clone());
            }
            Body::ReadSeen(seen) => {
                if let Some(grant) = self.grants.get_mut(&seen.grant) {
                    grant.reads.entry(seen.number).or_insert_with(|| seen.clone());
                }
            }
            Body::ContactAdded(contact) => {
                self.contacts.retain(|known| known.chain.leaf().key() != contact.chain.leaf().key());
                self.contacts.push(contact.clone());
            }
            Body::IdentityShown(identity) => self.identities.push(identity.clone()),
            Body::SettingChanged(name, value) => {
                self.settings.insert(name.clone(), value.clone());
            }
            Body::LastLooked(time) => self.last_looked = Some(*time),
            Body::PhraseWritten => self.phrase_written = true,
            Body::BackedUp(time) => self.backed_up = Some(*time),
        }
    }

    fn admit(&mut self, signed: &Signed<DeviceCertificate>, name: Option<&String>) {
        let Ok(certificate) = signed.claimed() else { return };
        let (sign, name) = (certificate.sign, name.cloned());
        let device = Device { certificate, name, removed: None, id: signed.id() };
        if device.name.is_some() {
            self.devices.insert(sign, device);
        } else {
            self.devices.entry(sign).or_insert(device);
        }
    }

    /// Notes which devices are out. `out` gives, for the id of a certificate that is, the last epoch that vouched for it.
    pub(super) fn settle(&mut self, out: impl Fn(&Digest) -> Option<Option<u32>>) {
        for (sign, device) in &mut self.devices {
            let time = self.removals.get(sign).copied();
            let removal = |vouched: Option<u32>| {
                // Whoever admitted it handed it all keys up to then.
                Removal { time, reach: vouched.unwrap_or_default().max(device.certificate.epoch) }
            };
            device.removed = out(&device.id).map(removal);
        }
    }

    /// Marks stand apart from records: one that comes before its record isn't lost.
    fn mark(&mut self, body: &Body) {
        let mut marks = |record: &Commitment, change: &dyn Fn(&mut Marks)| {
            change(self.marks.entry(*record).or_default());
        };
        match body {
            Body::Tagged(record, tag) => marks(record, &|marks| {
                marks.tags.insert(tag.clone());
            }),
            Body::Untagged(record, tag) => marks(record, &|marks| {
                marks.tags.remove(tag);
            }),
            Body::Renamed(record, name) => {
                marks(record, &|marks| marks.name = Some(name.clone()).filter(|name| !name.is_empty()));
            }
            Body::Hidden(record) => marks(record, &|marks| marks.hidden = true),
            Body::Unhidden(record) => marks(record, &|marks| marks.hidden = false),
            _ => {}
        }
    }

    fn share(&mut self, event: &Event) {
        match &event.body {
            Body::GrantIssued(issued) => {
                let grant = || Grant {
                    issued: (**issued).clone(),
                    time: event.time,
                    epoch: event.epoch,
                    by: event.device,
                    answer: None,
                    revoked: None,
                    reads: BTreeMap::new(),
                    receipts: BTreeMap::new(),
                    answers: BTreeMap::new(),
                };
                self.grants.entry(issued.grant).or_insert_with(grant);
            }
            Body::GrantAnswered(answer) => {
                if let Some(grant) = self.grants.get_mut(&answer.grant) {
                    grant.answer.get_or_insert_with(|| answer.clone());
                }
            }
            Body::GrantRevoked(id) => {
                if let Some(grant) = self.grants.get_mut(id) {
                    grant.revoked.get_or_insert(event.time);
                }
            }
            _ => {}
        }
    }
}
