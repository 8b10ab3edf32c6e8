//! An open vault: the keys of this device, the log, and what can be done with both (PROTOCOL §3).
//!
//! Dropping it locks it: every secret in it wipes itself.

use super::event::{Body, Event, GrantSecrets, StoredEvent};
use super::log::{Log, Roots};
use super::{
    BackupWriter, DeviceCertificate, DeviceRole, ENOUGH_BITS, Epoch, EpochKeys, EventError, Locked,
    RecordIndex, Slot, VaultError, passphrase,
};
use crate::contract::{OpenHolder, SignedTransaction, Transaction};
use crate::id::{BlobAddress, GrantId, HolderId, LedgerId, VaultId};
use crate::identity::{Entropy, RecoveryPublic};
use crate::sm::{Key32, Label, Random, SecretKey, Signed, SmError, aead};
use core::fmt;
use minicbor::{Decode, Encode};
use zeroize::Zeroizing;

const LOCAL: Label = Label::new("device-local");

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
    /// By epoch number.
    #[n(4)]
    pub(super) epochs: Vec<EpochKeys>,
    /// Until the phrase is written down.
    #[n(5)]
    pub(super) entropy: Option<Key32>,
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
    /// Of these, how many wait for events that they name.
    pub waiting: usize,
    /// Refused, and why.
    pub refused: Vec<(BlobAddress, EventError)>,
}

/// An open vault.
pub struct Vault {
    stored: Locked,
    device: Key32,
    secrets: Secrets,
    log: Log,
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
        let seal = SecretKey::generate(random);
        let recovery = entropy.keys();
        let epoch = Epoch::first(&keys, &seal.public(), &recovery.public(), &ledger, random);
        let epoch = Signed::new(&epoch, &recovery.vault_root, &ledger);
        let mut vault = Self::admit(&entropy, ledger, seal, vec![epoch], vec![keys], random);
        let mut events = vec![vault.admission(&entropy, name, now, random)];
        if let (Ok(authority), Ok(manage)) = (vault.act_authority(), vault.holder_manage()) {
            let (root, authority, manage) =
                (recovery.holder_root.public(), authority.public(), manage.public());
            let open = Transaction::OpenHolder(OpenHolder { root, authority, manage });
            let open = SignedTransaction::new(&open, &recovery.holder_root, &ledger);
            events.extend(vault.append(Body::HolderPrepared(open), now, random));
        }
        vault.secrets.entropy = Some(Key32::from_bytes(*entropy.as_bytes()));
        vault.rewrite(random);
        (vault, events)
    }

    /// Brings a vault back on a new device, with the phrase and the epoch objects of a backup or mailbox. Load
    /// the events next; then [`Vault::rejoin`].
    pub fn restore(
        entropy: &Entropy,
        ledger: LedgerId,
        epochs: Vec<Signed<Epoch>>,
        random: &mut dyn Random,
    ) -> Result<Self, VaultError> {
        let recovery = entropy.keys();
        let mut keys = Vec::with_capacity(epochs.len());
        for (number, epoch) in epochs.iter().enumerate() {
            let epoch = Epoch::verify(epoch, &recovery.vault_root.public(), &ledger)
                .map_err(|_| VaultError::OtherWallet)?;
            if usize::try_from(epoch.number) != Ok(number) {
                return Err(VaultError::Damaged);
            }
            keys.push(epoch.open(&recovery.encryption, &ledger).map_err(|_| VaultError::Damaged)?);
        }
        if keys.is_empty() {
            return Err(VaultError::Damaged);
        }
        let seal = SecretKey::generate(random);
        Ok(Self::admit(entropy, ledger, seal, epochs, keys, random))
    }

    /// The first event of a restored device, once the events that it restores are loaded.
    pub fn rejoin(
        &mut self,
        entropy: &Entropy,
        name: &str,
        now: u64,
        random: &mut dyn Random,
    ) -> Result<StoredEvent, VaultError> {
        if entropy.keys().public() != self.secrets.recovery {
            return Err(VaultError::OtherWallet);
        }
        Ok(self.admission(entropy, name, now, random))
    }

    pub(super) fn opened(stored: Locked, device: Key32, secrets: Secrets) -> Self {
        let roots = Roots { ledger: stored.ledger, vault: stored.vault, root: secrets.recovery.vault_root };
        Self { stored, device, secrets, log: Log::new(roots) }
    }

    fn admit(
        entropy: &Entropy,
        ledger: LedgerId,
        seal: SecretKey,
        epochs: Vec<Signed<Epoch>>,
        keys: Vec<EpochKeys>,
        random: &mut dyn Random,
    ) -> Self {
        let recovery = entropy.keys().public();
        let sign = SecretKey::generate(random);
        let secrets = Secrets { sign, seal, role: DeviceRole::Manage, recovery, epochs: keys, entropy: None };
        let device = Key32::generate(random);
        let stored = Locked::new(ledger, recovery.vault(), epochs, &secrets, &device, random);
        Self::opened(stored, device, secrets)
    }

    fn admission(&mut self, entropy: &Entropy, name: &str, now: u64, random: &mut dyn Random) -> StoredEvent {
        let certificate = DeviceCertificate {
            vault: self.stored.vault,
            sign: self.secrets.sign.public(),
            seal: self.secrets.seal.public(),
            role: self.secrets.role,
            name: name.to_owned(),
            time: now,
        };
        let certificate = Signed::new(&certificate, &entropy.keys().vault_root, &self.stored.ledger);
        self.write(Body::DeviceAdmitted(certificate), now, random)
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
        if self.secrets.role < DeviceRole::Share && !body.is_a_viewers() {
            return Err(VaultError::Role);
        }
        if self.log.next(&self.secrets.sign.public()).0 == 0 {
            return Err(VaultError::Incomplete);
        }
        Ok(self.write(body, now, random))
    }

    fn write(&mut self, body: Body, now: u64, random: &mut dyn Random) -> StoredEvent {
        let device = self.secrets.sign.public();
        let (sequence, previous, seen) = self.log.next(&device);
        let (epoch, keys) = self.newest();
        let event = Event { device, sequence, previous, seen, epoch, time: now, body };
        let signed = Signed::new(&event, &self.secrets.sign, &self.stored.ledger);
        let stored = StoredEvent::seal(&signed, epoch, &keys.read, &self.stored.vault, random);
        self.log.insert(signed.id(), event).expect("our own event is this device's next one");
        stored
    }

    /// Takes events, in any order and as often as they come.
    pub fn load<'e>(
        &mut self,
        events: impl IntoIterator<Item = &'e StoredEvent>,
        origin: Origin,
    ) -> LoadReport {
        let mut report = LoadReport::default();
        for event in events {
            match self.take(event, origin) {
                Ok(()) => report.taken += 1,
                Err(error) => report.refused.push((event.address, error)),
            }
        }
        report.waiting = self.log.waiting();
        report
    }

    fn take(&mut self, stored: &StoredEvent, origin: Origin) -> Result<(), EventError> {
        let epochs = &self.secrets.epochs;
        let read = |epoch: u32| Some(&epochs.get(usize::try_from(epoch).ok()?)?.read);
        let signed = stored.open(&self.stored.vault, read)?;
        let event = signed.claimed().map_err(|_| EventError::Form)?;
        if origin == Origin::Elsewhere {
            signed.verify(&event.device, &self.stored.ledger).map_err(|_| EventError::Signature)?;
        }
        self.log.insert(signed.id(), event)
    }

    /// What all events together say.
    pub fn index(&mut self) -> &RecordIndex {
        self.log.index()
    }

    // ---- unlock slots ------------------------------------------------------------------------------------

    /// The bytes to store beside the events, after every change to slots, platform key or phrase.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.stored.to_bytes()
    }

    /// Locks: every secret is wiped, what was stored stays.
    #[must_use]
    pub fn lock(self) -> Locked {
        self.stored
    }

    /// The ways to open this wallet.
    pub fn slots(&self) -> &[Slot] {
        &self.stored.slots
    }

    /// Whether there is a passkey or passphrase. Before, nothing can be shared or leave this device.
    pub fn is_protected(&self) -> bool {
        !self.stored.slots.is_empty()
    }

    /// Adds a passphrase, if it is hard enough to guess. Takes a second.
    pub fn add_passphrase(&mut self, text: &str, random: &mut dyn Random) -> Result<(), VaultError> {
        let bits = passphrase::strength(text);
        if bits < ENOUGH_BITS {
            return Err(VaultError::Weak { bits });
        }
        let slot = Slot::passphrase(text, &self.device, &self.stored.vault, random);
        self.add_slot(slot);
        Ok(())
    }

    /// Adds a passkey: its id, the salt that its PRF was asked with, and the 32 bytes that it answered.
    pub fn add_passkey(
        &mut self,
        credential: Vec<u8>,
        salt: [u8; 32],
        prf: &[u8; 32],
        random: &mut dyn Random,
    ) {
        self.stored.slots.retain(|slot| !slot.is_passkey(&credential));
        let slot = Slot::passkey(credential, salt, prf, &self.device, &self.stored.vault, random);
        self.add_slot(slot);
    }

    /// The first slot replaces the platform's key: delete that too.
    fn add_slot(&mut self, slot: Slot) {
        self.stored.slots.push(slot);
        self.stored.platform = None;
        self.stored.seal();
    }

    /// Removes a slot, never the last.
    pub fn remove_slot(&mut self, at: usize) -> Result<(), VaultError> {
        if at >= self.stored.slots.len() {
            return Err(VaultError::NoSlot);
        }
        if self.stored.slots.len() == 1 {
            return Err(VaultError::LastSlot);
        }
        self.stored.slots.remove(at);
        self.stored.seal();
        Ok(())
    }

    /// The device key, for the platform to wrap while there is no slot.
    pub fn device_key(&self) -> Result<&Key32, VaultError> {
        if self.is_protected() { Err(VaultError::LastSlot) } else { Ok(&self.device) }
    }

    /// Keeps the device key as the platform wrapped it, while there is no slot.
    pub fn set_platform(&mut self, wrapped: Vec<u8>) {
        if !self.is_protected() {
            self.stored.platform = Some(wrapped);
            self.stored.seal();
        }
    }

    /// Encrypts something that concerns this device only: work in progress, shares that wait for a gate.
    pub fn seal_local(&self, name: &str, text: &[u8], random: &mut dyn Random) -> Vec<u8> {
        aead::seal(&self.device, LOCAL, name.as_bytes(), text, random)
    }

    /// Opens what [`Vault::seal_local`] made under the same name.
    pub fn open_local(&self, name: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SmError> {
        aead::open(&self.device, LOCAL, name.as_bytes(), sealed)
    }

    // ---- recovery ----------------------------------------------------------------------------------------

    /// The recovery secret, until it was written down.
    pub fn entropy(&self) -> Option<Entropy> {
        self.secrets.entropy.as_ref().map(|entropy| Entropy::from_bytes(*entropy.as_bytes()))
    }

    /// Checks the words at three places; when they are right the secret leaves this device for good: store
    /// [`Vault::to_bytes`] and the event.
    pub fn confirm_phrase(
        &mut self,
        words: &[(u8, &str)],
        now: u64,
        random: &mut dyn Random,
    ) -> Result<StoredEvent, VaultError> {
        let entropy = self.entropy().ok_or(VaultError::PhraseGone)?;
        if !entropy.has_words(words) {
            return Err(VaultError::Words);
        }
        let event = self.append(Body::PhraseWritten, now, random)?;
        self.secrets.entropy = None;
        self.rewrite(random);
        Ok(event)
    }

    fn rewrite(&mut self, random: &mut dyn Random) {
        self.stored.replace_secrets(&self.secrets, &self.device, random);
    }

    /// Begins a backup file, which only the recovery phrase opens; its first bytes go to `out`.
    pub fn backup(&self, random: &mut dyn Random, out: &mut Vec<u8>) -> BackupWriter {
        BackupWriter::new(&self.stored, &self.secrets.recovery.encryption, random, out)
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

    /// The key that moves the holder.
    pub fn holder_manage(&self) -> Result<SecretKey, VaultError> {
        self.newest().1.holder_manage().ok_or(VaultError::Role)
    }

    /// Encrypts a grant's keys for its event.
    pub fn seal_grant(
        &self,
        grant: &GrantId,
        secrets: &GrantSecrets,
        random: &mut dyn Random,
    ) -> Result<Vec<u8>, VaultError> {
        if !self.is_protected() {
            return Err(VaultError::NotProtected);
        }
        let act = self.newest().1.act.as_ref().ok_or(VaultError::Role)?;
        Ok(secrets.seal(grant, act, random))
    }

    /// The keys of a grant that this vault made.
    pub fn grant_secrets(&mut self, grant: &GrantId) -> Result<GrantSecrets, VaultError> {
        let sealed = self.log.index().grant(grant).ok_or(VaultError::NoGrant)?.issued.secrets.clone();
        let acts = self.secrets.epochs.iter().rev().filter_map(|keys| keys.act.as_ref());
        acts.into_iter().find_map(|act| GrantSecrets::open(&sealed, grant, act)).ok_or(VaultError::NoGrant)
    }

    fn newest(&self) -> (u32, &EpochKeys) {
        let last = self.secrets.epochs.len().checked_sub(1);
        let last = last.expect("a vault is made and restored with at least one epoch");
        (u32::try_from(last).unwrap_or(u32::MAX), &self.secrets.epochs[last])
    }
}
