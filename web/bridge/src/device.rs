//! Several devices of one wallet: what keeps them the same, who belongs, and how one is added.

use super::Fault;
use serde::{Deserialize, Serialize};

/// Whether this device has what the others have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sync {
    /// With whom.
    pub with: Vec<Counterpart>,
    /// Changes that stand on this device only.
    pub waiting: u32,
    /// This device was removed from the wallet by another one: nothing new reaches it.
    pub removed: bool,
    /// The ledger knows of a change that no copy has told this device of: an alarm.
    pub kept_back: bool,
}

/// A mailbox or another device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counterpart {
    /// The mailbox's host, or the device's name.
    pub name: String,
    /// A relay's mailbox.
    pub mailbox: bool,
    /// How it stands.
    pub state: SyncState,
}

/// How this device stands with another copy of the wallet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SyncState {
    /// Not yet begun: the wallet isn't protected, and leaves this browser only encrypted under a key of its own.
    Off,
    /// Connecting, or comparing; of a known number of events and contents when `total` isn't 0.
    Busy {
        /// Done so far.
        done: u64,
        /// Of how many.
        total: u64,
    },
    /// Both have the same.
    Level {
        /// Since this ledger time.
        since: u64,
    },
    /// Not reached.
    Away {
        /// When both last had the same, ledger time.
        last: Option<u64>,
    },
    /// It says no.
    Refused(Fault),
}

/// A device of the wallet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// Its id.
    pub device: String,
    /// A name that its owner recognises.
    pub name: String,
    /// What it may do.
    pub role: DeviceRole,
    /// This very device.
    pub this: bool,
    /// Another person's, who helps.
    pub person: bool,
    /// When it was admitted, ledger time.
    pub since: u64,
    /// When it was removed, ledger time.
    pub removed: Option<u64>,
}

/// What a device may do; each includes the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum DeviceRole {
    /// Look.
    View,
    /// Keep and share records.
    Share,
    /// Admit and remove devices.
    Manage,
}

/// What the two people, or the one with two devices, see while a device is added.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Pairing {
    /// On the old device: a device of this name asks to be added, and shows this code too.
    Asked {
        /// As it calls itself.
        name: String,
        /// Six digits.
        code: String,
    },
    /// On the new device: the link for the old one to scan. Secret.
    Show {
        /// The link.
        link: String,
    },
    /// On the new device: the old one must show the same code.
    Compare {
        /// Six digits.
        code: String,
        /// Asked here too, because this device was scanned: [`super::PatientRequest::AnswerOwner`].
        asks: bool,
    },
    /// The other side has gone, or said no.
    Ended,
    /// On the old device: the new one was admitted and then went, before it had everything.
    Unfinished,
}
