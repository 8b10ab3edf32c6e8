//! Symmetric keys: 32 random or derived bytes that wipe themselves, compare in constant time and print as
//! `[redacted]`.

use super::{Label, Random, kdf};
use core::fmt;
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize as _, ZeroizeOnDrop};

/// A 32-byte secret: content key, epoch key, seed, half of a record key.
///
/// Encoded as a byte string of 32, so it belongs only into objects that are encrypted as a whole.
#[derive(Clone, ZeroizeOnDrop)]
pub struct Key32([u8; 32]);

impl Key32 {
    /// A fresh random key.
    pub fn generate(random: &mut dyn Random) -> Self {
        let mut key = Self([0; 32]);
        random.fill(&mut key.0);
        key
    }

    /// A key that was made before.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The key that this one yields for a purpose: HKDF-SM3(self, label ‖ context).
    #[must_use]
    pub fn derive(&self, label: Label, context: &[&[u8]]) -> Self {
        Self(*kdf::derive(&self.0, label, context))
    }
}

impl PartialEq for Key32 {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Key32 {}

impl fmt::Debug for Key32 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key32([redacted])")
    }
}

impl<C> minicbor::Encode<C> for Key32 {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.bytes(&self.0)?.ok()
    }
}

impl<'b, C> minicbor::Decode<'b, C> for Key32 {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        let mut bytes = crate::cbor::fixed(d)?;
        let key = Self(bytes);
        bytes.zeroize();
        Ok(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cbor;

    #[test]
    fn a_key_prints_nothing_of_itself() {
        assert_eq!(format!("{:?}", Key32::from_bytes([0xab; 32])), "Key32([redacted])");
    }

    #[test]
    fn a_key_is_a_byte_string_of_thirty_two() {
        let key = Key32::from_bytes([5; 32]);
        let bytes = cbor::encode(&key);
        assert_eq!(bytes[..2], [0x58, 32]);
        assert_eq!(cbor::decode::<Key32>(&bytes).unwrap(), key);
        assert!(cbor::decode::<Key32>(&[&[0x58, 31], &bytes[2..33]].concat()).is_err());
    }

    #[test]
    fn keys_differ_in_any_bit() {
        for bit in 0..256 {
            let mut bytes = [9; 32];
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(Key32::from_bytes(bytes), Key32::from_bytes([9; 32]), "bit {bit}");
        }
    }
}
