//! Devices and epochs (PROTOCOL §3): who holds which keys since when.
//!
//! **A mailbox sees epoch objects, so nothing in them names the holder**: its root's public key travels only
//! inside what is encrypted.

use crate::cbor;
use crate::id::{LedgerId, VaultId};
use crate::identity::RecoveryPublic;
use crate::sm::{Digest, Key32, Label, Object, PublicKey, Random, SecretKey, Signed, SmError, sealed};
use minicbor::{Decode, Encode};
use zeroize::Zeroizing;

const WRAP: Label = Label::new("epoch-wrap");

/// What a device may do. Each includes the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum DeviceRole {
    /// Look; write nothing but what it has seen.
    #[n(0)]
    View,
    /// Keep records, share them.
    #[n(1)]
    Share,
    /// Admit and remove devices, move the holder.
    #[n(2)]
    Manage,
}

/// A device of a vault, admitted by the vault's root. Object "device".
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct DeviceCertificate {
    /// The vault.
    #[n(0)]
    pub vault: VaultId,
    /// Signs the device's events.
    #[n(1)]
    pub sign: PublicKey,
    /// Epoch keys are sealed to it.
    #[n(2)]
    pub seal: PublicKey,
    /// What it may do.
    #[n(3)]
    pub role: DeviceRole,
    /// A name that its owner recognises.
    #[n(4)]
    pub name: String,
    /// When it was admitted.
    #[n(5)]
    pub time: u64,
}

impl Object for DeviceCertificate {
    const NAME: &'static str = "device";
}

/// The keys of an epoch, as far as a device's role reaches.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct EpochKeys {
    /// Content and events.
    #[n(0)]
    pub read: Key32,
    /// Holder authority, grant keys.
    #[n(1)]
    pub act: Option<Key32>,
    /// Moving the holder.
    #[n(2)]
    pub manage: Option<Key32>,
}

impl EpochKeys {
    /// Fresh keys, all three.
    pub fn generate(random: &mut dyn Random) -> Self {
        let [read, act, manage] = core::array::from_fn(|_| Key32::generate(&mut *random));
        Self { read, act: Some(act), manage: Some(manage) }
    }

    /// What a device of this role gets.
    #[must_use]
    pub fn for_role(&self, role: DeviceRole) -> Self {
        Self {
            read: self.read.clone(),
            act: self.act.clone().filter(|_| role >= DeviceRole::Share),
            manage: self.manage.clone().filter(|_| role >= DeviceRole::Manage),
        }
    }

    /// The key that speaks for the holder.
    pub fn authority(&self) -> Option<SecretKey> {
        let act = self.act.as_ref()?;
        Some(SecretKey::derive(act.as_bytes(), Label::new("holder-authority")))
    }

    /// The key that moves the holder.
    pub fn holder_manage(&self) -> Option<SecretKey> {
        let manage = self.manage.as_ref()?;
        Some(SecretKey::derive(manage.as_bytes(), Label::new("holder-manage")))
    }
}

/// Epoch keys, sealed to a device or to the recovery key.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Wrap {
    /// To whom.
    #[n(0)]
    pub to: PublicKey,
    /// The box.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub sealed: Vec<u8>,
}

/// The last event of a device that counts in later epochs.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Head {
    /// The device's key to sign.
    #[n(0)]
    pub device: PublicKey,
    /// Its last accepted event.
    #[n(1)]
    pub event: Digest,
}

/// An epoch: the one object that isn't encrypted under a read key. Object "epoch", signed by the vault's root.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Epoch {
    /// The vault's root, whose hash is the vault's id.
    #[n(0)]
    pub root: PublicKey,
    /// 0 for a new vault, then one more each time.
    #[n(1)]
    pub number: u32,
    /// To every device and to the recovery key.
    #[n(2)]
    pub wraps: Vec<Wrap>,
    /// The accepted heads of the epoch before; none in epoch 0.
    #[n(3)]
    pub heads: Vec<Head>,
}

impl Object for Epoch {
    const NAME: &'static str = "epoch";
}

impl Epoch {
    /// Epoch 0: keys wrapped to the first device and to the recovery key.
    pub(super) fn first(
        keys: &EpochKeys,
        device: &PublicKey,
        recovery: &RecoveryPublic,
        ledger: &LedgerId,
        random: &mut dyn Random,
    ) -> Self {
        let object = object(&recovery.vault_root, 0);
        let text = Zeroizing::new(cbor::encode(keys));
        let wraps = [*device, recovery.encryption]
            .map(|to| Wrap { to, sealed: sealed::seal(&to, ledger, &object, WRAP, &text, random) });
        Self { root: recovery.vault_root, number: 0, wraps: wraps.into(), heads: Vec::new() }
    }

    /// Verifies an epoch as one of this vault.
    pub fn verify(signed: &Signed<Self>, root: &PublicKey, ledger: &LedgerId) -> Result<Self, SmError> {
        let epoch = signed.verify(root, ledger)?;
        if epoch.root == *root { Ok(epoch) } else { Err(SmError::Signature) }
    }

    /// Opens the wrap to this key.
    pub fn open(&self, key: &SecretKey, ledger: &LedgerId) -> Result<EpochKeys, SmError> {
        let to = key.public();
        let wrap = self.wraps.iter().find(|wrap| wrap.to == to).ok_or(SmError::Open)?;
        let text = sealed::open(key, ledger, &object(&self.root, self.number), WRAP, &wrap.sealed)?;
        cbor::decode(&text).map_err(|_| SmError::Open)
    }
}

/// What a wrap is bound to: vault and epoch.
fn object(root: &PublicKey, number: u32) -> Digest {
    Digest::labelled(WRAP, &[root.as_bytes(), &number.to_be_bytes()])
}
