//! Another person's wallet on this device, beside its owner's: a helper's browser holds both, and opens and locks both at
//! once.
//!
//! A wallet in care has no lock of its own: its device key lies under the device key of the owner's wallet, its keeper. **It
//! is as well protected as its keeper, never less**, so that it may use the mailbox and, where its role allows, share.

use super::{Locked, Unlock, Vault, VaultError};
use crate::id::VaultId;
use crate::sm::{Key32, Random};

fn place(vault: &VaultId) -> String {
    format!("care/{vault}")
}

impl Vault {
    /// Takes `other`, which has just joined and has no lock yet, into this wallet's care: what [`Vault::open_in_care`] opens
    /// it with, to be stored with this wallet.
    pub fn take_into_care(&self, other: &mut Self, random: &mut dyn Random) -> Result<Vec<u8>, VaultError> {
        if self.in_care || !self.is_protected() {
            return Err(VaultError::NotProtected);
        }
        if self.id() == other.id() {
            return Err(VaultError::KnownDevice);
        }
        let sealed = self.seal_local(&place(other.id()), other.device_key()?.as_bytes(), random);
        other.in_care = true;
        Ok(sealed)
    }

    /// Opens a wallet in this one's care.
    pub fn open_in_care(&self, other: Locked, sealed: &[u8]) -> Result<Self, VaultError> {
        let key = self.open_local(&place(other.id()), sealed).map_err(|_| VaultError::Damaged)?;
        let key = <[u8; 32]>::try_from(key.as_slice()).map_err(|_| VaultError::Damaged)?;
        let mut other = other.open(Unlock::DeviceKey(&Key32::from_bytes(key)))?;
        other.in_care = true;
        Ok(other)
    }
}
