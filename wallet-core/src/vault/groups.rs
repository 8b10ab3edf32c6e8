//! A record's disclosure groups lie beside it, like its contents: they are as large as the report, and only a claim reads them.

use super::VaultError;
use crate::cbor;
use crate::id::BlobAddress;
use crate::report::GroupOpening;
use crate::sm::{Key32, Label, Random, pad, stream};
use minicbor::{Decode, Encode};
use zeroize::Zeroizing;

const GROUPS: Label = Label::new("kept-groups");

/// Where a record's groups lie, and what opens them.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct GroupsCopy {
    /// Address of the ciphertext.
    #[n(0)]
    pub address: BlobAddress,
    /// Its key.
    #[n(1)]
    key: Key32,
}

impl GroupsCopy {
    /// Encrypts groups, padded, under a fresh key: the copy's entry and the bytes to store.
    pub fn seal(openings: &[GroupOpening], random: &mut dyn Random) -> (Self, Vec<u8>) {
        let key = Key32::generate(random);
        let text = pad::pad(&Zeroizing::new(cbor::encode(&openings)));
        let blob = stream::encrypt(&key, GROUPS, &text, random);
        (Self { address: BlobAddress::of(&blob), key }, blob)
    }

    /// The groups, from their bytes. Whether the hospital signed them, the manifest says.
    pub fn open(&self, blob: &[u8]) -> Result<Vec<GroupOpening>, VaultError> {
        if BlobAddress::of(blob) != self.address {
            return Err(VaultError::Damaged);
        }
        let padded = stream::decrypt(&self.key, GROUPS, blob).map_err(|_| VaultError::Damaged)?;
        let text = pad::unpad(&padded).map_err(|_| VaultError::Damaged)?;
        cbor::decode(text).map_err(|_| VaultError::Damaged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Salt16;
    use crate::sm::seeded::Seeded;

    #[test]
    fn groups_open_by_their_own_entry_and_unchanged_only() {
        let random = &mut Seeded::new(1);
        let opening = GroupOpening {
            salt: Salt16::from_bytes([1; 16]),
            elements: vec![("/status".into(), "\"final\"".into())],
        };
        let (copy, blob) = GroupsCopy::seal(std::slice::from_ref(&opening), random);
        assert_eq!(copy.open(&blob), Ok(vec![opening.clone()]));
        let (other, _) = GroupsCopy::seal(&[opening], random);
        assert_eq!(other.open(&blob), Err(VaultError::Damaged));
        let mut changed = blob;
        changed[20] ^= 1;
        assert_eq!(copy.open(&changed), Err(VaultError::Damaged));
    }
}
