//! An open vault: the keys of this device, the log, and what can be done with both (PROTOCOL §3).
//!
//! Dropping it locks it: every secret in it wipes itself.

use super::event::{Body, Event, StoredEvent};
use super::keyring::{HeldKeys, Keyring};
use super::log::{Log, Roots};
use super::{
    BackupWriter, DeviceCertificate, DeviceRole, Epoch, EpochKeys, EventError, Locked, RecordIndex, Roster,
    RosterError, VaultError,
};
use crate::contract::{OpenHolder, SignedTransaction, Transaction};
use crate::id::{BlobAddress, HolderId, LedgerId, VaultId};
use crate::identity::{Entropy, RecoveryKeys, RecoveryPublic};
use crate::order;
use crate::sm::{Digest, Key32, Object, PublicKey, Random, SecretKey, Signed};
use core::fmt;
use minicbor::{Decode, Encode};
use std::collections::{BTreeMap, BTreeSet};

/// Events that may wait for the key of their epoch.
const MOST_UNREAD: usize = 4096;

/// What a device keeps secret.
#[derive(Encode, Decode)]
#[cbor(map)]
pub(super) struct Secrets {
    #[n(0)]
    pub(super) sign: SecretKey,
    #[n(1)]
    pub(super) seal: SecretKey,
    #[n(2)]
    pub(super) role: DeviceRole,
    #[n(3)]
    pub(super) recovery: RecoveryPublic,
    /// Handed to it when it was made, restored or admitted; all others come out of wraps.
    #[n(4)]
    pub(super) epochs: Vec<HeldKeys>,
    /// Until the phrase is written down.
    #[n(5)]
    pub(super) entropy: Option<Key32>,
    /// Its own certificate, its issuer's and so on; empty in a restored device until it has rejoined.
    #[n(6)]
    pub(super) pass: Vec<Signed<DeviceCertificate>>,
}

/// Where events come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// This device's own store, where every event was verified before it was written. They are authenticated
    /// by their encryption; signatures are not checked again, or 10,000 of them would hold up every unlocking.
    OwnStore,
    /// Anywhere else: a backup file, a mailbox, another device.
    Elsewhere,
}

/// What became of events that were loaded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoadReport {
    /// Taken, those that were there before included.
    pub taken: usize,
    /// Of these, how many wait for events that they name or for the keys of their epoch.
    pub waiting: usize,
    /// Of these, how many are epochs that are new: store [`Vault::to_bytes`].
    pub epochs: usize,
    /// Refused, and why.
    pub refused: Vec<(BlobAddress, EventError)>,
    /// Of an epoch whose key isn't here yet, so that nobody can say who wrote them: **not to be stored** until
    /// [`Vault::read_late`] gives them.
    pub unread: Vec<BlobAddress>,
}

impl LoadReport {
    /// Those of the loaded events that may be stored, beside [`Vault::read_late`]'s: what is stored counts as verified when the
    /// wallet is next opened.
    pub fn storable(&self, events: Vec<StoredEvent>) -> impl Iterator<Item = StoredEvent> + use<> {
        let refused = self.refused.iter().map(|(address, _)| address);
        let left: BTreeSet<BlobAddress> = order::set(refused.chain(&self.unread).copied());
        events.into_iter().filter(move |event| !left.contains(&event.address))
    }
}

/// An open vault.
pub struct Vault {
    pub(super) stored: Locked,
    pub(super) device: Key32,
    pub(super) secrets: Secrets,
    pub(super) keys: Keyring,
    pub(super) log: Log,
    /// Events of epochs whose keys aren't here (yet).
    unread: BTreeMap<BlobAddress, (StoredEvent, Origin)>,
    /// Of those, verified since and not yet handed out to be stored.
    late: Vec<StoredEvent>,
    /// Another person's wallet, in the care of the one of this device's owner.
    pub(super) in_care: bool,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vault({}, [redacted])", self.stored.vault)
    }
}

impl Vault {
    /// Makes a vault: epoch 0, its first device, the holder's opening. Store [`Vault::to_bytes`] and the events.
    ///
    /// It isn't protected yet: hand in [`Vault::device_key`] under a key of the platform with
    /// [`Vault::set_platform`], until there is a slot.
    pub fn create(
        ledger: LedgerId,
        name: &str,
        now: u64,
        random: &mut dyn Random,
    ) -> (Self, Vec<StoredEvent>) {
        let entropy = Entropy::generate(random);
        let keys = EpochKeys::generate(random);
        let (sign, seal) = (SecretKey::generate(random), SecretKey::generate(random));
        let recovery = entropy.keys();
        let certificate = DeviceCertificate {
            vault: recovery.public().vault(),
            sign: sign.public(),
            seal: seal.public(),
            role: DeviceRole::Manage,
            epoch: 0,
            time: now,
        };
        let pass = vec![Signed::new(&certificate, &recovery.vault_root, &ledger)];
        let epoch = Epoch::draft(&keys, 0, &pass, &recovery.public(), &ledger, random);
        let epoch = Signed::new(&epoch, &recovery.vault_root, &ledger);
        let epochs = vec![HeldKeys { epoch: epoch.id(), number: 0, keys: keys.clone() }];
        let entropy = Some(Key32::from_bytes(*entropy.as_bytes()));
        let secrets = Secrets {
            sign,
            seal,
            role: DeviceRole::Manage,
            recovery: recovery.public(),
            epochs,
            entropy,
            pass: pass.clone(),
        };
        let first = StoredEvent::of_epoch(&epoch);
        let vault = Self::begin(ledger, vec![epoch], secrets, random);
        let mut vault = vault.expect("our own first epoch is one");
        let admitted = Body::DeviceAdmitted(pass[0].clone(), name.to_owned());
        let opening = vault.opening(&keys, &recovery);
        let events = [admitted].into_iter().chain(opening.map(Body::HolderPrepared));
        let events: Vec<_> = events.map(|body| vault.write(body, now, random)).collect();
        (vault, [vec![first], events].concat())
    }

    /// `OpenHolder` with the keys of an epoch.
    fn opening(&self, keys: &EpochKeys, recovery: &RecoveryKeys) -> Option<SignedTransaction> {
        let (authority, manage) = (keys.authority()?.public(), keys.holder_manage()?.public());
        let open = OpenHolder { root: recovery.holder_root.public(), authority, manage };
        Some(SignedTransaction::new(&Transaction::OpenHolder(open), &recovery.holder_root, self.ledger()))
    }

    /// Brings a vault back on a new device, with the phrase and the epoch objects of a backup or mailbox, in any
    /// order. Load the events next; then [`Vault::rejoin`].
    pub fn restore(
        entropy: &Entropy,
        ledger: LedgerId,
        epochs: Vec<Signed<Epoch>>,
        random: &mut dyn Random,
    ) -> Result<Self, VaultError> {
        let recovery = entropy.keys();
        let mut roster = Roster::new(ledger, recovery.public().vault());
        for epoch in &epochs {
            // Any other that doesn't hold is nobody's loss.
            if roster.take(epoch) == Err(RosterError::OtherVault) {
                return Err(VaultError::OtherWallet);
            }
        }
        let opened = roster.taken().filter_map(|(id, epoch)| {
            // One that a hostile device didn't wrap to the phrase holds up nothing but its own events.
            let keys = epoch.open(&recovery.encryption, &ledger).ok()?;
            Some(HeldKeys { epoch: *id, number: epoch.number, keys })
        });
        let held = opened.collect();
        let secrets = Secrets {
            sign: SecretKey::generate(random),
            seal: SecretKey::generate(random),
            role: DeviceRole::Manage,
            recovery: recovery.public(),
            epochs: held,
            entropy: None,
            pass: Vec::new(),
        };
        Self::begin(ledger, epochs, secrets, random)
    }

    /// The first event of a restored device, once the events that it restores are loaded. Store [`Vault::to_bytes`]
    /// too.
    pub fn rejoin(
        &mut self,
        entropy: &Entropy,
        name: &str,
        now: u64,
        random: &mut dyn Random,
    ) -> Result<StoredEvent, VaultError> {
        let keys = entropy.keys();
        if keys.public() != self.secrets.recovery {
            return Err(VaultError::OtherWallet);
        }
        let certificate = DeviceCertificate {
            vault: self.stored.vault,
            sign: self.secrets.sign.public(),
            seal: self.secrets.seal.public(),
            role: self.secrets.role,
            epoch: self.log.roster().newest().unwrap_or_default(),
            time: now,
        };
        let certificate = Signed::new(&certificate, &keys.vault_root, &self.stored.ledger);
        self.open_by_phrase(&keys);
        self.secrets.pass = vec![certificate.clone()];
        self.rewrite(random);
        Ok(self.write(Body::DeviceAdmitted(certificate, name.to_owned()), now, random))
    }

    /// The keys of epochs that came with the events.
    pub(super) fn open_by_phrase(&mut self, keys: &RecoveryKeys) {
        let new = self.log.roster().taken().filter(|(id, epoch)| !self.keys.has(epoch.number, id));
        let opened = new.filter_map(|(id, epoch)| {
            let keys = epoch.open(&keys.encryption, &self.stored.ledger).ok()?;
            Some(HeldKeys { epoch: *id, number: epoch.number, keys })
        });
        for held in opened.collect::<Vec<_>>() {
            self.secrets.epochs.push(held.clone());
            self.keys.add(held);
        }
        self.open_earlier();
        self.read_again(&mut LoadReport::default());
    }

    /// Events that could not be read when they were loaded, and were verified since: to be stored.
    pub fn read_late(&mut self) -> Vec<StoredEvent> {
        core::mem::take(&mut self.late)
    }

    /// A vault that is new on this device.
    pub(super) fn begin(
        ledger: LedgerId,
        epochs: Vec<Signed<Epoch>>,
        secrets: Secrets,
        random: &mut dyn Random,
    ) -> Result<Self, VaultError> {
        let device = Key32::generate(random);
        let stored = Locked::new(ledger, secrets.recovery.vault(), epochs, &secrets, &device, random);
        Self::opened(stored, device, secrets)
    }

    pub(super) fn opened(stored: Locked, device: Key32, secrets: Secrets) -> Result<Self, VaultError> {
        let roots = Roots { ledger: stored.ledger, vault: stored.vault, root: secrets.recovery.vault_root };
        let mut keys = Keyring::default();
        keys.add_all(secrets.epochs.iter().cloned());
        let (log, unread) = (Log::new(roots), BTreeMap::new());
        let mut vault = Self { stored, device, secrets, keys, log, unread, late: Vec::new(), in_care: false };
        for epoch in vault.stored.epochs.clone() {
            // One that doesn't hold is as good as none.
            let _ = vault.log.take_epoch(&epoch);
        }
        vault.open_wraps();
        if vault.log.roster().newest().is_none() || vault.current().is_none() {
            return Err(VaultError::Damaged);
        }
        Ok(vault)
    }

    // ---- events ------------------------------------------------------------------------------------------

    /// Adds an event of this device. Store what comes back before acting on it. `now` is the ledger's time as
    /// this device knows it.
    pub fn append(
        &mut self,
        body: Body,
        now: u64,
        random: &mut dyn Random,
    ) -> Result<StoredEvent, VaultError> {
        if self.secrets.role < body.needs() {
            return Err(VaultError::Role);
        }
        if self.log.sequence(&self.secrets.sign.public()) == 0 {
            return Err(VaultError::Incomplete);
        }
        if self.is_removed() {
            return Err(VaultError::Removed);
        }
        Ok(self.write(body, now, random))
    }

    pub(super) fn write(&mut self, body: Body, now: u64, random: &mut dyn Random) -> StoredEvent {
        let device = self.secrets.sign.public();
        let (sequence, previous, seen) = self.log.next(&device);
        let (epoch, keys) = self.newest();
        let event = Event { device, sequence, previous, seen, epoch, time: now, body };
        let signed = Signed::new(&event, &self.secrets.sign, &self.stored.ledger);
        let stored = StoredEvent::seal(&signed, epoch, &keys.read, &self.stored.vault, random);
        self.log.insert(signed.id(), event).expect("our own event is this device's next one");
        stored
    }

    /// Takes events and epochs, in any order and as often as they come. What can't be read or placed yet waits.
    pub fn load<'e>(
        &mut self,
        events: impl IntoIterator<Item = &'e StoredEvent>,
        origin: Origin,
    ) -> LoadReport {
        let mut report = LoadReport::default();
        for stored in events {
            let taken = match stored.epoch() {
                Some(epoch) => self.take_epoch(stored, &epoch).map(|new| report.epochs += usize::from(new)),
                None => self.take(stored, origin).map(|read| {
                    if !read {
                        report.unread.push(stored.address);
                    }
                }),
            };
            match taken {
                Ok(()) => report.taken += 1,
                Err(error) => report.refused.push((stored.address, error)),
            }
        }
        if report.epochs > 0 {
            self.stored.seal();
            self.read_again(&mut report);
        }
        report.waiting = self.log.waiting() + self.log.roster().waiting() + self.unread.len();
        report
    }

    /// Tries what could not be read before.
    fn read_again(&mut self, report: &mut LoadReport) {
        for (address, (stored, origin)) in core::mem::take(&mut self.unread) {
            match self.take(&stored, origin) {
                Ok(true) => self.late.push(stored),
                Ok(false) => {}
                Err(error) => report.refused.push((address, error)),
            }
        }
    }

    /// Whether it could be read.
    fn take(&mut self, stored: &StoredEvent, origin: Origin) -> Result<bool, EventError> {
        let (signed, event) = match stored.open(&self.stored.vault, |number| self.keys.read(number)) {
            Err(EventError::Epoch) if self.unread.len() < MOST_UNREAD => {
                self.unread.insert(stored.address, (stored.clone(), origin));
                return Ok(false);
            }
            opened => opened?,
        };
        if origin == Origin::Elsewhere {
            let held = signed.verify_signature(&event.device, &self.stored.ledger);
            held.map_err(|_| EventError::Signature)?;
        }
        self.log.insert(signed.id(), event).map(|()| true)
    }

    fn take_epoch(&mut self, stored: &StoredEvent, epoch: &Signed<Epoch>) -> Result<bool, EventError> {
        if BlobAddress::of(&stored.bytes) != stored.address {
            return Err(EventError::Form);
        }
        self.know_epoch(epoch).map_err(EventError::Roster)
    }

    /// Takes an epoch and, where it is wrapped to this device, its keys.
    pub(super) fn know_epoch(&mut self, signed: &Signed<Epoch>) -> Result<bool, RosterError> {
        let new = self.log.take_epoch(signed)?;
        if new {
            self.open_wraps();
            self.stored.epochs = self.epochs();
        }
        Ok(new)
    }

    /// The keys of all epochs that hold and are wrapped to this device, and of those that they build on.
    fn open_wraps(&mut self) {
        let to = self.secrets.seal.public();
        for (id, epoch) in self.log.roster().taken() {
            let wrapped = epoch.wraps.iter().any(|wrap| wrap.to == to);
            if wrapped && !self.keys.has(epoch.number, id) {
                let keys = epoch.open(&self.secrets.seal, &self.stored.ledger).ok();
                let held = keys.map(|keys| HeldKeys { epoch: *id, number: epoch.number, keys });
                self.keys.add_all(held);
            }
        }
        self.open_earlier();
    }

    /// Goes back from the epochs whose keys are here to those that they build on.
    fn open_earlier(&mut self) {
        let roster = self.log.roster();
        // Greatest numbers first: what an epoch builds on has a lesser one.
        for epoch in roster.epochs().into_iter().rev() {
            let Some((id, epoch)) = roster.epoch(&epoch.id()).map(|found| (epoch.id(), found)) else {
                continue;
            };
            for earlier in epoch.earlier.iter().filter(|earlier| epoch.previous.contains(&earlier.epoch)) {
                let number = roster.epoch(&earlier.epoch).map_or(0, |found| found.number);
                let under = self.keys.get(epoch.number, &id);
                if let Some(keys) = under.filter(|_| !self.keys.has(number, &earlier.epoch)) {
                    let keys = earlier.open(keys);
                    let held = keys.map(|keys| HeldKeys { epoch: earlier.epoch, number, keys });
                    self.keys.add_all(held);
                }
            }
        }
    }

    /// What all events together say.
    pub fn index(&mut self) -> &RecordIndex {
        self.log.index()
    }

    pub(super) fn rewrite(&mut self, random: &mut dyn Random) {
        self.stored.replace_secrets(&self.secrets, &self.device, random);
    }

    /// Begins a backup file, which only the recovery phrase opens; its first bytes go to `out`.
    pub fn backup(&self, random: &mut dyn Random, out: &mut Vec<u8>) -> BackupWriter {
        BackupWriter::new(&self.stored, &self.secrets.recovery.encryption, random, out)
    }

    // ---- devices -----------------------------------------------------------------------------------------

    /// What this device shows to belong to the vault: its own certificate, its issuer's and so on, up to one that the
    /// root signed. Empty in a restored device before [`Vault::rejoin`].
    pub fn pass(&self) -> Vec<Signed<DeviceCertificate>> {
        self.secrets.pass.clone()
    }

    /// The key that signs this device's events: how [`RecordIndex::device`] knows it.
    pub fn device(&self) -> PublicKey {
        self.secrets.sign.public()
    }

    /// Signs an object with this device's key: proofs at a door.
    pub fn sign_as_device<T: Object>(&self, object: &T) -> Signed<T> {
        Signed::new(object, &self.secrets.sign, &self.stored.ledger)
    }

    /// Whether this very device is out, as far as its copy knows: it may be looked at and writes no more.
    pub fn is_removed(&self) -> bool {
        !self.secrets.pass.is_empty() && self.log.roster().admits(&self.secrets.pass).is_err()
    }

    /// Whether the device with this pass belongs to the vault, as far as this copy knows.
    pub fn admits(&self, pass: &[Signed<DeviceCertificate>]) -> bool {
        self.log.roster().admits(pass).is_ok()
    }

    /// The epochs, lowest numbers first: what a mailbox that knows nothing of this vault needs to admit its devices.
    pub fn epochs(&self) -> Vec<Signed<Epoch>> {
        self.log.roster().epochs().into_iter().cloned().collect()
    }

    // ---- keys --------------------------------------------------------------------------------------------

    /// The ledger.
    pub const fn ledger(&self) -> &LedgerId {
        &self.stored.ledger
    }

    /// The vault, as a mailbox knows it.
    pub const fn id(&self) -> &VaultId {
        &self.stored.vault
    }

    /// The holder, as the ledger knows it.
    pub fn holder(&self) -> HolderId {
        self.secrets.recovery.holder()
    }

    /// This device's role.
    pub const fn role(&self) -> DeviceRole {
        self.secrets.role
    }

    /// The key that speaks for the holder when sharing.
    pub fn authority(&self) -> Result<SecretKey, VaultError> {
        if self.is_protected() { self.act_authority() } else { Err(VaultError::NotProtected) }
    }

    fn act_authority(&self) -> Result<SecretKey, VaultError> {
        self.newest().1.authority().ok_or(VaultError::Role)
    }

    /// Whether the holder has moved on, on the ledger, to an authority that is of no epoch known here: whoever serves this vault
    /// keeps something back. A device that may only look can't tell.
    pub fn is_outrun(&self, authority: &PublicKey) -> bool {
        let mut known = self.keys.newest_first().filter_map(EpochKeys::authority);
        self.secrets.role >= DeviceRole::Share && !known.any(|known| known.public() == *authority)
    }

    /// The key that moves the holder.
    pub fn holder_manage(&self) -> Result<SecretKey, VaultError> {
        self.newest().1.holder_manage().ok_or(VaultError::Role)
    }

    /// The act key of the epoch that this device writes under.
    pub(super) fn act(&self) -> Result<&Key32, VaultError> {
        self.newest().1.act.as_ref().ok_or(VaultError::Role)
    }

    /// Every epoch's act key that this device has, the newest first.
    pub(super) fn acts(&self) -> impl Iterator<Item = &Key32> {
        self.keys.newest_first().filter_map(|keys| keys.act.as_ref())
    }

    /// Number, id and keys of the epoch that this device writes under.
    pub(super) fn current(&self) -> Option<(u32, Digest, &EpochKeys)> {
        self.keys.current(&self.log.roster().tips())
    }

    fn newest(&self) -> (u32, &EpochKeys) {
        let (number, _, keys) =
            self.current().expect("a vault is made, restored and joined with at least one epoch's keys");
        (number, keys)
    }
}
