//! How a device joins a vault (PROTOCOL §3): it makes its keys, a device that manages certifies them and hands over the
//! epochs' keys sealed to it. How the two messages pass between the devices is not known here; **whoever hands on the
//! request vouches that it is the right device's.**

use super::event::{Body, StoredEvent};
use super::keyring::HeldKeys;
use super::wallet::Secrets;
use super::{
    DeviceCertificate, DeviceRole, Epoch, MOST_DEVICES, MOST_PASS, Roster, RosterError, Vault, VaultError,
};
use crate::cbor;
use crate::id::LedgerId;
use crate::identity::RecoveryPublic;
use crate::sm::{Digest, Label, PublicKey, Random, SecretKey, Signed, pad, sealed};
use minicbor::{Decode, Encode};
use zeroize::Zeroizing;

const LABEL: Label = Label::new("admission");

/// The keys of a device that wants to join. They stay on it.
pub struct NewDevice {
    sign: SecretKey,
    seal: SecretKey,
}

impl core::fmt::Debug for NewDevice {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("NewDevice([redacted])")
    }
}

impl NewDevice {
    /// Fresh keys.
    pub fn generate(random: &mut dyn Random) -> Self {
        Self { sign: SecretKey::generate(random), seal: SecretKey::generate(random) }
    }

    /// What the other device needs.
    pub fn request(&self) -> DeviceRequest {
        DeviceRequest { sign: self.sign.public(), seal: self.seal.public() }
    }
}

/// The public halves of a new device's keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct DeviceRequest {
    /// Will sign its events.
    #[n(0)]
    pub sign: PublicKey,
    /// Epoch keys are sealed to it.
    #[n(1)]
    pub seal: PublicKey,
}

/// What a device that joins gets from the one that admits it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Admission {
    /// The ledger that the vault belongs to.
    #[n(0)]
    pub ledger: LedgerId,
    /// All epochs.
    #[n(1)]
    pub epochs: Vec<Signed<Epoch>>,
    /// The new device's certificate, its issuer's and so on.
    #[n(2)]
    pub pass: Vec<Signed<DeviceCertificate>>,
    /// [`Handed`], padded, sealed to the new device.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub sealed: Vec<u8>,
}

impl Admission {
    /// The canonical bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        cbor::encode(self)
    }

    /// Reads canonical bytes. Nothing is verified but the form.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, VaultError> {
        cbor::decode(bytes).map_err(|_| VaultError::Admission(RosterError::Form))
    }
}

/// What only the new device may read.
#[derive(Encode, Decode)]
#[cbor(map)]
struct Handed {
    #[n(0)]
    recovery: RecoveryPublic,
    #[n(1)]
    epochs: Vec<HeldKeys>,
}

/// What the box is bound to: the certificate that it comes with.
fn object(certificate: &Signed<DeviceCertificate>) -> Digest {
    Digest::labelled(LABEL, &[certificate.id().as_bytes()])
}

impl Vault {
    /// Admits a device: what it gets, and the event that tells this vault's other devices of it. Store the event
    /// before the admission is handed out, so that no device has keys of which the others don't know.
    pub fn admit(
        &mut self,
        request: &DeviceRequest,
        role: DeviceRole,
        now: u64,
        random: &mut dyn Random,
    ) -> Result<(Admission, StoredEvent), VaultError> {
        if self.secrets.role < DeviceRole::Manage {
            return Err(VaultError::Role);
        }
        // A key that was removed once stays so: a device comes back with fresh ones.
        let theirs = |known: &DeviceCertificate| known.sign == request.sign || known.seal == request.seal;
        let known = self.log.certified().iter().any(|known| theirs(&known.certificate));
        if request.sign == request.seal || known {
            return Err(VaultError::KnownDevice);
        }
        if self.log.members().len() >= MOST_DEVICES {
            return Err(VaultError::TooManyDevices);
        }
        let issuers = self.short_pass();
        if issuers.len() >= MOST_PASS {
            return Err(VaultError::Admission(RosterError::Length));
        }
        let certificate = DeviceCertificate {
            vault: self.stored.vault,
            sign: request.sign,
            seal: request.seal,
            role,
            epoch: self.log.roster().newest().unwrap_or_default(),
            time: now,
        };
        let certificate = self.sign_as_device(&certificate);
        let event = self.append(Body::DeviceCertified(certificate.clone()), now, random)?;
        let handed = Handed { recovery: self.secrets.recovery, epochs: self.keys.for_role(role) };
        let text = pad::pad(&Zeroizing::new(cbor::encode(&handed)));
        let sealed =
            sealed::seal(&request.seal, &self.stored.ledger, &object(&certificate), LABEL, &text, random);
        let mut pass = vec![certificate];
        pass.extend(issuers);
        Ok((Admission { ledger: self.stored.ledger, epochs: self.epochs(), pass, sealed }, event))
    }

    /// This device's pass with room for one certificate before it: cut where the epochs vouch for what is left.
    fn short_pass(&self) -> Vec<Signed<DeviceCertificate>> {
        let pass = self.pass();
        let enough = |length: &usize| self.log.roster().admits(&pass[..*length]).is_ok();
        let length = if pass.len() < MOST_PASS {
            pass.len()
        } else {
            (1..MOST_PASS).find(enough).unwrap_or(pass.len())
        };
        pass[..length].to_vec()
    }

    /// The vault on a device that was admitted. Verifies all of the admission; `ledger` is the one that this device
    /// knows. Load the events next, then [`Vault::enter`].
    pub fn join(
        device: NewDevice,
        admission: &Admission,
        ledger: LedgerId,
        random: &mut dyn Random,
    ) -> Result<Self, VaultError> {
        let own = admission.pass.first().ok_or(VaultError::Admission(RosterError::Length))?;
        let certificate = own.claimed().map_err(|_| VaultError::Admission(RosterError::Form))?;
        let request = device.request();
        if admission.ledger != ledger || certificate.sign != request.sign || certificate.seal != request.seal
        {
            return Err(VaultError::OtherDevice);
        }
        let mut roster = Roster::new(ledger, certificate.vault);
        for epoch in &admission.epochs {
            roster.take(epoch).map_err(VaultError::Admission)?;
        }
        let member = roster.admits(&admission.pass).map_err(VaultError::Admission)?;
        let form = VaultError::Admission(RosterError::Form);
        let text = sealed::open(&device.seal, &ledger, &object(own), LABEL, &admission.sealed)
            .map_err(|_| VaultError::OtherDevice)?;
        let text = pad::unpad(&text).map_err(|_| form.clone())?;
        let Handed { recovery, epochs } = cbor::decode(text).map_err(|_| form.clone())?;
        if recovery.vault() != certificate.vault {
            return Err(VaultError::Admission(RosterError::OtherVault));
        }
        let secrets = Secrets {
            sign: device.sign,
            seal: device.seal,
            role: member.role,
            recovery,
            epochs,
            entropy: None,
            pass: admission.pass.clone(),
        };
        Self::begin(ledger, admission.epochs.clone(), secrets, random)
            .map_err(|error| if error == VaultError::Damaged { form } else { error })
    }

    /// The first event of a device that joined, with a name that its owner recognises, once the events of the device
    /// that admitted it are loaded.
    pub fn enter(
        &mut self,
        name: &str,
        now: u64,
        random: &mut dyn Random,
    ) -> Result<StoredEvent, VaultError> {
        let own = self.secrets.pass.first().ok_or(VaultError::Incomplete)?.clone();
        if self.is_removed() {
            return Err(VaultError::Removed);
        }
        let issuer_known = self.log.members().iter().any(|known| known.signed.id() == own.id());
        if !issuer_known || self.log.sequence(&self.device()) > 0 {
            return Err(VaultError::Incomplete);
        }
        Ok(self.write(Body::DeviceAdmitted(own, name.to_owned()), now, random))
    }
}
