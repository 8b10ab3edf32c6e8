//! A patient's vault: a log of signed, encrypted events and what unlocks it (PROTOCOL §3).
//!
//! Every change is an [`Event`]: signed by its device, chained to that device's previous one, encrypted under
//! the epoch's read key, padded, addressed by the SM3 of its ciphertext. The [`RecordIndex`] is a fold over
//! the set of events: **in whatever order they come, the index is the same.** A copy of a vault is a set of
//! events, so a mailbox, a backup file and another device are the same thing.
//!
//! A new vault is epoch 0 of the scheme: one device that manages, one epoch, wraps to it and to the recovery
//! key. Devices are admitted by one that manages ([`Vault::admit`]) or by the phrase; removing one starts a further
//! epoch. Epochs are members of the set of events too, the only ones in the clear; who belongs to the vault follows from
//! them alone ([`Roster`]), so that a mailbox can judge it.
//!
//! Sans-io: [`Vault`] gives bytes to store and takes bytes that were stored. Secrets are wiped when it is
//! dropped; that is what locking means.

mod admission;
mod backup;
#[cfg(test)]
mod backup_tests;
mod care;
mod devices;
mod epoch;
mod event;
mod groups;
mod index;
mod keyring;
mod log;
mod passphrase;
mod protect;
mod removal;
mod roster;
mod secrets;
mod slot;
mod stored;
#[cfg(test)]
mod tests;
mod wallet;

pub use admission::{Admission, DeviceRequest, NewDevice};
pub use backup::{BackupError, BackupReader, BackupSummary, BackupWriter, Item};
pub use epoch::{DeviceCertificate, DeviceRole, Earlier, Epoch, EpochKeys, Head, Wrap};
pub use event::{
    Answer, Body, ClaimAnswered, Contact, Event, GrantIssued, IdentityShown, ReadSeen, ReceiptSeen,
    RecordAdded, SlotSeen, Source, StoredEvent,
};
pub use groups::GroupsCopy;
pub use index::{Alarm, Device, Grant, Marks, Record, RecordIndex, Removal};
pub use keyring::HeldKeys;
pub use passphrase::{ENOUGH_BITS, strength, suggest};
pub use roster::{MOST_DEVICES, MOST_PASS, Member, Roster, RosterError};
pub use secrets::GrantSecrets;
pub use slot::{Slot, new_prf_salt};
pub use stored::{Locked, Unlock};
pub use wallet::{LoadReport, Origin, Vault};

/// Why a vault cannot do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// The secret of this slot isn't right. Says no more than that.
    #[error("this does not open the wallet: try again, or use the recovery phrase")]
    WrongSecret,
    /// What was stored isn't what was written.
    #[error(
        "the wallet's store on this device is damaged: restore it from a backup with the recovery phrase"
    )]
    Damaged,
    /// Written by a newer release.
    #[error("this wallet was written by a newer version: update the app")]
    Newer,
    /// Parameters below what we write, or absurdly high: not ours.
    #[error("the passphrase slot has been tampered with: restore the wallet from a backup")]
    SlotParameters,
    /// No slot of this kind or id.
    #[error("the wallet has no such way to open it")]
    NoSlot,
    /// The device key lies under a slot: nothing else may wrap it.
    #[error("the wallet is protected already")]
    Protected,
    /// Too easily guessed offline.
    #[error(
        "this passphrase is too easily guessed ({bits} bits of {ENOUGH_BITS}): make it longer, or take a generated one"
    )]
    Weak {
        /// The estimate.
        bits: u32,
    },
    /// Not protected yet.
    #[error("protect the wallet with a passkey or a passphrase first")]
    NotProtected,
    /// The device's role doesn't hold the key.
    #[error("this device may only look: use the wallet's main device")]
    Role,
    /// The phrase has been written down, or this device never had it.
    #[error("the recovery phrase is no longer on this device")]
    PhraseGone,
    /// The three words aren't right.
    #[error("these are not the words at these places: look at what you wrote down")]
    Words,
    /// The phrase is another wallet's.
    #[error("this recovery phrase belongs to another wallet")]
    OtherWallet,
    /// The log of this device hasn't been loaded, so its next event has no place.
    #[error("the wallet's events are not loaded")]
    Incomplete,
    /// No such grant, or not readable with this device's keys.
    #[error("the wallet does not hold the keys of this share")]
    NoGrant,
    /// This device is out.
    #[error("this device was removed from the wallet: use another of its devices, or the recovery phrase")]
    Removed,
    /// No such device, or it is out already.
    #[error("the wallet has no such device")]
    NoDevice,
    /// A device that admits itself, or one whose keys are known.
    #[error("this device belongs to the wallet already")]
    KnownDevice,
    /// As many as there may be.
    #[error("the wallet has as many devices as it can: remove one first")]
    TooManyDevices,
    /// What the other device sent is for other keys, or of another ledger.
    #[error("this admission is not for this device: begin again on both devices")]
    OtherDevice,
    /// What the other device sent doesn't hold.
    #[error("the admission does not hold: {0}")]
    Admission(RosterError),
}

/// Why an event is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// Its address isn't the SM3 of its bytes, or it isn't an event at all.
    #[error("not an event of a wallet")]
    Form,
    /// Of an epoch whose key isn't here. Such an event waits and isn't refused.
    #[error("an event of an epoch that this device has no key for")]
    Epoch,
    /// An epoch that doesn't hold.
    #[error(transparent)]
    Roster(RosterError),
    /// Doesn't open with the epoch's key: another vault's, or changed.
    #[error("an event that does not open with this wallet's key")]
    Open,
    /// Opens, and isn't an event: a device that has the key wrote something else.
    #[error("an event that opens and is none")]
    Content,
    /// Not signed by the device that it names.
    #[error("an event whose signature does not match")]
    Signature,
    /// The device isn't certified by the vault's root, or the event isn't its next one.
    #[error("an event of a device that was never admitted, or out of its order")]
    Device,
}

impl EventError {
    /// Whether bytes that this device itself stored have changed since. Anything else may have been taken in good faith
    /// while it waited, and was found out later.
    pub const fn is_damage(&self) -> bool {
        matches!(self, Self::Form | Self::Open)
    }
}
