//! What a device keeps of a vault beside its events: one value, written whole.
//!
//! Everything personal is encrypted under the device key, which is wrapped once per slot. In the clear are
//! the ledger, the vault's id, the epoch objects and the slots' parameters. **A checksum tells a damaged store
//! from a wrong passphrase**; against tampering stand the encryption and the signatures.

use super::wallet::Secrets;
use super::{Epoch, Slot, Vault, VaultError};
use crate::cbor;
use crate::id::{LedgerId, VaultId};
use crate::sm::{Digest, Key32, Label, Random, Signed, aead};
use minicbor::{Decode, Encode};
use zeroize::Zeroizing;

const VERSION: u8 = 1;
const SECRETS: Label = Label::new("device-secrets");

/// A secret that opens a wallet.
#[derive(Clone, Copy)]
pub enum Unlock<'a> {
    /// A passkey's PRF output.
    Passkey {
        /// The credential's id.
        credential: &'a [u8],
        /// 32 bytes.
        prf: &'a [u8; 32],
    },
    /// As typed.
    Passphrase(&'a str),
    /// The device key itself, opened by a key of the platform ("not protected yet").
    DeviceKey(&'a Key32),
}

impl core::fmt::Debug for Unlock<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Unlock([redacted])")
    }
}

/// A locked wallet: what was stored, read but not opened.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Locked {
    #[n(0)]
    version: u8,
    #[n(1)]
    pub(super) ledger: LedgerId,
    #[n(2)]
    pub(super) vault: VaultId,
    #[n(3)]
    pub(super) epochs: Vec<Signed<Epoch>>,
    #[cbor(n(4), with = "minicbor::bytes")]
    secrets: Vec<u8>,
    #[n(5)]
    pub(super) slots: Vec<Slot>,
    #[cbor(n(6), with = "minicbor::bytes")]
    pub(super) platform: Option<Vec<u8>>,
    #[n(7)]
    checksum: Digest,
}

impl Locked {
    /// Reads what [`Vault::to_bytes`] wrote.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, VaultError> {
        let version = (|| {
            let mut d = minicbor::Decoder::new(bytes);
            d.map().ok()?;
            d.u8().ok()?;
            d.u8().ok()
        })();
        if version.is_some_and(|version| version > VERSION) {
            return Err(VaultError::Newer);
        }
        let locked: Self = cbor::decode(bytes).map_err(|_| VaultError::Damaged)?;
        if locked.version == VERSION && locked.checksum == locked.sum() {
            Ok(locked)
        } else {
            Err(VaultError::Damaged)
        }
    }

    /// The bytes to store.
    pub fn to_bytes(&self) -> Vec<u8> {
        cbor::encode(self)
    }

    pub(super) fn new(
        ledger: LedgerId,
        vault: VaultId,
        epochs: Vec<Signed<Epoch>>,
        secrets: &Secrets,
        device: &Key32,
        random: &mut dyn Random,
    ) -> Self {
        let text = Zeroizing::new(cbor::encode(secrets));
        let secrets = aead::seal(device, SECRETS, vault.as_bytes(), &text, random);
        let mut locked = Self {
            version: VERSION,
            ledger,
            vault,
            epochs,
            secrets,
            slots: Vec::new(),
            platform: None,
            checksum: Digest::default(),
        };
        locked.seal();
        locked
    }

    /// Writes the secrets anew.
    pub(super) fn replace_secrets(&mut self, secrets: &Secrets, device: &Key32, random: &mut dyn Random) {
        let text = Zeroizing::new(cbor::encode(secrets));
        self.secrets = aead::seal(device, SECRETS, self.vault.as_bytes(), &text, random);
        self.seal();
    }

    /// After every change.
    pub(super) fn seal(&mut self) {
        self.checksum = self.sum();
    }

    /// The ways to open it; none means "not protected yet".
    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// The device key under a key of the platform, as the engine handed it in.
    pub fn platform(&self) -> Option<&[u8]> {
        self.platform.as_deref()
    }

    /// The vault, as a mailbox knows it.
    pub const fn id(&self) -> &VaultId {
        &self.vault
    }

    /// The ledger that this wallet belongs to.
    pub const fn ledger(&self) -> &LedgerId {
        &self.ledger
    }

    /// Opens the wallet. A wrong secret is [`VaultError::WrongSecret`], a broken store [`VaultError::Damaged`].
    pub fn open(self, unlock: Unlock<'_>) -> Result<Vault, VaultError> {
        let device = match unlock {
            Unlock::DeviceKey(key) => key.clone(),
            Unlock::Passkey { credential, prf } => {
                let slot = self.slots.iter().find(|slot| slot.is_passkey(credential));
                slot.ok_or(VaultError::NoSlot)?.open_passkey(credential, prf, &self.vault)?
            }
            Unlock::Passphrase(text) => self.try_passphrases(text)?,
        };
        let text = aead::open(&device, SECRETS, self.vault.as_bytes(), &self.secrets)
            .map_err(|_| VaultError::Damaged)?;
        let secrets: Secrets = cbor::decode(&text).map_err(|_| VaultError::Damaged)?;
        if secrets.recovery.vault() != self.vault {
            return Err(VaultError::Damaged);
        }
        Vault::opened(self, device, secrets)
    }

    fn try_passphrases(&self, text: &str) -> Result<Key32, VaultError> {
        let mut verdict = VaultError::NoSlot;
        for slot in &self.slots {
            match slot.open_passphrase(text, &self.vault) {
                Ok(device) => return Ok(device),
                Err(VaultError::NoSlot) => {}
                Err(error) => verdict = error,
            }
        }
        Err(verdict)
    }

    fn sum(&self) -> Digest {
        let blank = Self { checksum: Digest::default(), ..self.clone() };
        Digest::labelled(Label::new("stored-vault"), &[&cbor::encode(&blank)])
    }
}
