//! Devices and epochs (PROTOCOL §3): who holds which keys since when.
//!
//! **A mailbox sees epoch objects, so nothing in them names the holder**: its root's public key travels only
//! inside what is encrypted.

use crate::cbor;
use crate::id::{LedgerId, VaultId};
use crate::identity::RecoveryPublic;
use crate::sm::{Digest, Key32, Label, Object, PublicKey, Random, SecretKey, Signed, SmError, aead, sealed};
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

/// A device of a vault, admitted by the vault's root or by a device that manages. Object "device".
///
/// A mailbox sees it, so it carries no name: that travels in [`super::Body::DeviceAdmitted`].
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
    /// The newest epoch when it was admitted.
    #[n(4)]
    pub epoch: u32,
    /// When it was admitted. To be shown; decides nothing.
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
    /// The id of the device's certificate, for which the epoch vouches thereby; none for the recovery key.
    ///
    /// Not the key alone: whoever signed certificates once could make another one with a key of somebody else in it.
    #[n(2)]
    pub device: Option<Digest>,
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

/// An epoch: the one object that isn't encrypted under a read key. Object "epoch", signed by the vault's root or by a
/// device that manages. Its id is the SM3 of its payload ([`Signed::id`]).
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Epoch {
    /// The vault's root, whose hash is the vault's id.
    #[n(0)]
    pub root: PublicKey,
    /// 0 for a new vault, then one more than the greatest that it builds on.
    #[n(1)]
    pub number: u32,
    /// Ids of the epochs that it builds on, ascending: all newest that its signer knew. None in epoch 0.
    #[n(2)]
    pub previous: Vec<Digest>,
    /// To every device and to the recovery key.
    #[n(3)]
    pub wraps: Vec<Wrap>,
    /// Keys to sign of the devices that are out from now on, ascending.
    #[n(4)]
    pub removed: Vec<PublicKey>,
    /// The last accepted events of every device that ever was; none in epoch 0.
    #[n(5)]
    pub heads: Vec<Head>,
    /// The pass of the device that signs; empty when the root does.
    #[n(6)]
    pub pass: Vec<Signed<DeviceCertificate>>,
    /// The keys of the epochs that it builds on, under its own: whoever has the newest has all before.
    #[n(7)]
    pub earlier: Vec<Earlier>,
}

/// The keys of an earlier epoch, each encrypted under the same key of a later one.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Earlier {
    /// The earlier epoch's id.
    #[n(0)]
    pub epoch: Digest,
    /// Its read key.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub read: Vec<u8>,
    /// Its act key.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub act: Option<Vec<u8>>,
    /// Its manage key.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub manage: Option<Vec<u8>>,
}

impl Earlier {
    const READ: Label = Label::new("earlier-read");
    const ACT: Label = Label::new("earlier-act");
    const MANAGE: Label = Label::new("earlier-manage");

    /// Encrypts `keys` of `epoch` under those of the epoch that builds on it.
    pub(super) fn seal(epoch: &Digest, keys: &EpochKeys, under: &EpochKeys, random: &mut dyn Random) -> Self {
        let mut seal = |label, under: &Key32, key: &Key32| {
            aead::seal(under, label, epoch.as_bytes(), key.as_bytes(), &mut *random)
        };
        let both = |a: &Option<Key32>, b: &Option<Key32>| a.clone().zip(b.clone());
        Self {
            epoch: *epoch,
            read: seal(Self::READ, &under.read, &keys.read),
            act: both(&under.act, &keys.act).map(|(under, key)| seal(Self::ACT, &under, &key)),
            manage: both(&under.manage, &keys.manage).map(|(under, key)| seal(Self::MANAGE, &under, &key)),
        }
    }

    /// The earlier keys, as far as `under` reaches.
    pub(super) fn open(&self, under: &EpochKeys) -> Option<EpochKeys> {
        let open = |label, under: &Key32, sealed: &[u8]| {
            let key = aead::open(under, label, self.epoch.as_bytes(), sealed).ok()?;
            Some(Key32::from_bytes(*Zeroizing::new(<[u8; 32]>::try_from(key.as_slice()).ok()?)))
        };
        let further = |label, under: &Option<Key32>, sealed: &Option<Vec<u8>>| {
            under.as_ref().zip(sealed.as_ref()).and_then(|(under, sealed)| open(label, under, sealed))
        };
        Some(EpochKeys {
            read: open(Self::READ, &under.read, &self.read)?,
            act: further(Self::ACT, &under.act, &self.act),
            manage: further(Self::MANAGE, &under.manage, &self.manage),
        })
    }
}

impl Object for Epoch {
    const NAME: &'static str = "epoch";
}

impl Epoch {
    /// An epoch that builds on none yet, with its keys wrapped to these devices, by role, and to the recovery key.
    pub(super) fn draft(
        keys: &EpochKeys,
        number: u32,
        devices: &[Signed<DeviceCertificate>],
        recovery: &RecoveryPublic,
        ledger: &LedgerId,
        random: &mut dyn Random,
    ) -> Self {
        let object = object(&recovery.vault_root, number);
        let mut wrap = |to: PublicKey, keys: &EpochKeys, device| {
            let text = Zeroizing::new(cbor::encode(keys));
            Wrap { to, sealed: sealed::seal(&to, ledger, &object, WRAP, &text, &mut *random), device }
        };
        let mut wraps = Vec::with_capacity(devices.len() + 1);
        for signed in devices {
            if let Ok(device) = signed.claimed() {
                wraps.push(wrap(device.seal, &keys.for_role(device.role), Some(signed.id())));
            }
        }
        wraps.push(wrap(recovery.encryption, keys, None));
        let (previous, removed, heads, pass, earlier) = <_>::default();
        Self { root: recovery.vault_root, number, previous, wraps, removed, heads, pass, earlier }
    }

    /// Opens the wrap to this key.
    pub fn open(&self, key: &SecretKey, ledger: &LedgerId) -> Result<EpochKeys, SmError> {
        let to = key.public();
        let wrap = self.wraps.iter().find(|wrap| wrap.to == to).ok_or(SmError::Open)?;
        let text = sealed::open(key, ledger, &object(&self.root, self.number), WRAP, &wrap.sealed)?;
        cbor::decode(&text).map_err(|_| SmError::Open)
    }

    /// Whether it vouches for the certificate with this id.
    pub fn vouches(&self, certificate: &Digest) -> bool {
        self.wraps.iter().any(|wrap| wrap.device.as_ref() == Some(certificate))
    }
}

/// What a wrap is bound to: vault and epoch.
fn object(root: &PublicKey, number: u32) -> Digest {
    Digest::labelled(WRAP, &[root.as_bytes(), &number.to_be_bytes()])
}
