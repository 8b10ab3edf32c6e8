//! Unlock slots: ways to open the device key (PROTOCOL §3).
//!
//! **A slot whose parameters are below what we write is refused**, so that whoever can change the store
//! can't make a wallet open under a cheaper hash. A passkey's secret is the 32 bytes of its PRF extension; a
//! passphrase goes through Argon2id, 64 MiB, three passes, one lane.

use super::VaultError;
use crate::cbor;
use crate::id::VaultId;
use crate::sm::{Key32, Label, Random, aead};
use crate::text::nfkc;
use argon2::{Algorithm, Argon2, Params, Version};
use minicbor::{Decode, Encode};
use zeroize::Zeroizing;

const LABEL: Label = Label::new("unlock-slot");

/// Argon2id: KiB, passes, lanes that we write.
const MEMORY: u32 = 64 * 1024;
const PASSES: u32 = 3;
const LANES: u32 = 1;
/// The most that we follow: beyond it a tampered slot would stop the device.
const MOST_MEMORY: u32 = 1024 * 1024;
const MOST_PASSES: u32 = 16;

/// A way to open the wallet; what is public of it.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(flat)]
pub enum Slot {
    /// A passkey.
    #[n(0)]
    Passkey {
        /// The credential's id.
        #[cbor(n(0), with = "minicbor::bytes")]
        credential: Vec<u8>,
        /// What its PRF is asked with.
        #[cbor(n(1), with = "minicbor::bytes")]
        salt: [u8; 32],
        /// The device key.
        #[cbor(n(2), with = "minicbor::bytes")]
        sealed: Vec<u8>,
    },
    /// A passphrase.
    #[n(1)]
    Passphrase {
        /// For Argon2id.
        #[cbor(n(0), with = "minicbor::bytes")]
        salt: [u8; 16],
        /// KiB.
        #[n(1)]
        memory: u32,
        /// Passes.
        #[n(2)]
        passes: u32,
        /// Lanes.
        #[n(3)]
        lanes: u32,
        /// The device key.
        #[cbor(n(4), with = "minicbor::bytes")]
        sealed: Vec<u8>,
    },
}

impl core::fmt::Debug for Slot {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Passkey { .. } => "Slot::Passkey",
            Self::Passphrase { .. } => "Slot::Passphrase",
        })
    }
}

/// A fresh salt to ask a new passkey's PRF with.
pub fn new_prf_salt(random: &mut dyn Random) -> [u8; 32] {
    let mut salt = [0; 32];
    random.fill(&mut salt);
    salt
}

impl Slot {
    pub(super) fn passkey(
        credential: Vec<u8>,
        salt: [u8; 32],
        prf: &[u8; 32],
        device: &Key32,
        vault: &VaultId,
        random: &mut dyn Random,
    ) -> Self {
        let context = passkey_context(vault, &credential, &salt);
        let sealed = aead::seal(&Key32::from_bytes(*prf), LABEL, &context, device.as_bytes(), random);
        Self::Passkey { credential, salt, sealed }
    }

    pub(super) fn passphrase(text: &str, device: &Key32, vault: &VaultId, random: &mut dyn Random) -> Self {
        let mut salt = [0; 16];
        random.fill(&mut salt);
        let key = stretch(text, &salt, MEMORY, PASSES, LANES).expect("our own parameters are within bounds");
        let context = passphrase_context(vault, &salt, MEMORY, PASSES, LANES);
        let sealed = aead::seal(&key, LABEL, &context, device.as_bytes(), random);
        Self::Passphrase { salt, memory: MEMORY, passes: PASSES, lanes: LANES, sealed }
    }

    pub(super) fn open_passkey(
        &self,
        id: &[u8],
        prf: &[u8; 32],
        vault: &VaultId,
    ) -> Result<Key32, VaultError> {
        match self {
            Self::Passkey { credential, salt, sealed } if credential == id => {
                open(&Key32::from_bytes(*prf), &passkey_context(vault, credential, salt), sealed)
            }
            _ => Err(VaultError::NoSlot),
        }
    }

    pub(super) fn open_passphrase(&self, text: &str, vault: &VaultId) -> Result<Key32, VaultError> {
        let Self::Passphrase { salt, memory, passes, lanes, sealed } = self else {
            return Err(VaultError::NoSlot);
        };
        let key = stretch(text, salt, *memory, *passes, *lanes)?;
        open(&key, &passphrase_context(vault, salt, *memory, *passes, *lanes), sealed)
    }

    pub(super) fn is_passkey(&self, id: &[u8]) -> bool {
        matches!(self, Self::Passkey { credential, .. } if credential == id)
    }
}

fn open(key: &Key32, context: &[u8], sealed: &[u8]) -> Result<Key32, VaultError> {
    let bytes = aead::open(key, LABEL, context, sealed).map_err(|_| VaultError::WrongSecret)?;
    let bytes = Zeroizing::new(<[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| VaultError::Damaged)?);
    Ok(Key32::from_bytes(*bytes))
}

/// A slot's own parameters are bound into it.
fn passkey_context(vault: &VaultId, credential: &[u8], salt: &[u8; 32]) -> Vec<u8> {
    cbor::encode(&(
        vault,
        minicbor::bytes::ByteVec::from(credential.to_vec()),
        minicbor::bytes::ByteArray::from(*salt),
    ))
}

fn passphrase_context(vault: &VaultId, salt: &[u8; 16], memory: u32, passes: u32, lanes: u32) -> Vec<u8> {
    cbor::encode(&(vault, minicbor::bytes::ByteArray::from(*salt), memory, passes, lanes))
}

/// Argon2id over the passphrase in NFKC, so that every keyboard gives the same bytes.
fn stretch(text: &str, salt: &[u8; 16], memory: u32, passes: u32, lanes: u32) -> Result<Key32, VaultError> {
    let bounds = (MEMORY..=MOST_MEMORY).contains(&memory)
        && (PASSES..=MOST_PASSES).contains(&passes)
        && lanes == LANES;
    if !bounds {
        return Err(VaultError::SlotParameters);
    }
    argon2id(&nfkc(text), salt, memory, passes, lanes)
}

fn argon2id(text: &str, salt: &[u8], memory: u32, passes: u32, lanes: u32) -> Result<Key32, VaultError> {
    let parameters = Params::new(memory, passes, lanes, Some(32)).map_err(|_| VaultError::SlotParameters)?;
    let mut key = Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters)
        .hash_password_into(text.as_bytes(), salt, key.as_mut())
        .map_err(|_| VaultError::SlotParameters)?;
    Ok(Key32::from_bytes(*key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sm::seeded::Seeded;

    const VAULT: VaultId = VaultId::from_bytes([3; 32]);
    const TEXT: &str = "correct horse 电池 staple";

    fn slot() -> (Key32, Slot) {
        let device = Key32::from_bytes([9; 32]);
        let slot = Slot::passphrase(TEXT, &device, &VAULT, &mut Seeded::new(1));
        (device, slot)
    }

    #[test]
    fn a_passphrase_opens_from_any_keyboard_and_a_wrong_one_says_nothing() {
        let (device, slot) = slot();
        assert_eq!(slot.open_passphrase(TEXT, &VAULT), Ok(device.clone()));
        let wide = TEXT.replace('c', "ｃ").replace(' ', "　");
        assert_eq!(slot.open_passphrase(&wide, &VAULT), Ok(device));
        assert_eq!(slot.open_passphrase("correct horse", &VAULT), Err(VaultError::WrongSecret));
        assert_eq!(slot.open_passphrase(TEXT, &VaultId::from_bytes([4; 32])), Err(VaultError::WrongSecret));
    }

    #[test]
    fn lowered_or_absurd_parameters_are_refused_before_anything_is_computed() {
        let (_, Slot::Passphrase { salt, sealed, .. }) = slot() else { unreachable!("it is one") };
        for (memory, passes, lanes) in [
            (MEMORY - 1, PASSES, LANES),
            (8, 1, 1),
            (MEMORY, PASSES - 1, LANES),
            (MEMORY, PASSES, 2),
            (MEMORY, PASSES, 0),
            (MOST_MEMORY + 1, PASSES, LANES),
            (u32::MAX, u32::MAX, u32::MAX),
            (MEMORY, MOST_PASSES + 1, LANES),
        ] {
            let slot = Slot::Passphrase { salt, memory, passes, lanes, sealed: sealed.clone() };
            assert_eq!(slot.open_passphrase(TEXT, &VAULT), Err(VaultError::SlotParameters));
        }
    }

    #[test]
    fn a_passkeys_prf_opens_its_own_slot_only() {
        let device = Key32::from_bytes([9; 32]);
        let salt = new_prf_salt(&mut Seeded::new(2));
        let slot = Slot::passkey(vec![1, 2], salt, &[5; 32], &device, &VAULT, &mut Seeded::new(1));
        assert_eq!(slot.open_passkey(&[1, 2], &[5; 32], &VAULT), Ok(device));
        assert_eq!(slot.open_passkey(&[1, 2], &[6; 32], &VAULT), Err(VaultError::WrongSecret));
        assert_eq!(slot.open_passkey(&[1, 3], &[5; 32], &VAULT), Err(VaultError::NoSlot));
        assert_eq!(slot.open_passphrase("x", &VAULT), Err(VaultError::NoSlot));
    }

    /// phc-winner-argon2, test.c: version 0x13, t 2, m 2^16, p 1.
    #[test]
    fn argon2id_is_that_of_the_reference_program() {
        let key = argon2id("password", b"somesalt", 65_536, 2, 1).unwrap();
        let expected = "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7";
        assert_eq!(data_encoding::HEXLOWER.encode(key.as_bytes()), expected);
    }
}
