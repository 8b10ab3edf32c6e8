//! A bit prefix of map keys: what a wallet asks for when it doesn't want to say which leaf it means.

use super::{MapError, MapKey};
use crate::sm::Digest;
use core::{fmt, str::FromStr};

/// The first bits of a key, 0 to 256 of them. Written as binary digits, `-` for none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Prefix {
    bits: u16,
    /// The bits, then zeros.
    key: MapKey,
}

impl Prefix {
    /// All keys.
    pub const ALL: Self = Self { bits: 0, key: MapKey(Digest::from_bytes([0; 32])) };

    /// The first `bits` bits of a key, 256 at most.
    pub fn of(key: &MapKey, bits: u16) -> Self {
        let bits = bits.min(256);
        let mut bytes = *key.as_bytes();
        for (i, byte) in bytes.iter_mut().enumerate() {
            let kept = usize::from(bits).saturating_sub(i * 8).min(8);
            *byte &= !u8::try_from(0xff_u16 >> kept).expect("at most eight bits are left");
        }
        Self { bits, key: MapKey(Digest::from_bytes(bytes)) }
    }

    /// One key and no other.
    pub const fn whole(key: &MapKey) -> Self {
        Self { bits: 256, key: *key }
    }

    /// The number of bits.
    pub const fn bits(&self) -> usize {
        self.bits as usize
    }

    /// The least key under this prefix.
    pub const fn first(&self) -> MapKey {
        self.key
    }

    /// The greatest key under this prefix.
    pub fn last(&self) -> MapKey {
        let mut bytes = *self.key.as_bytes();
        for (i, byte) in bytes.iter_mut().enumerate() {
            let kept = self.bits().saturating_sub(i * 8).min(8);
            *byte |= u8::try_from(0xff_u16 >> kept).expect("at most eight bits are left");
        }
        MapKey(Digest::from_bytes(bytes))
    }

    /// Whether a key lies under this prefix.
    pub fn covers(&self, key: &MapKey) -> bool {
        self.shares(key, self.bits())
    }

    pub(super) fn bit(&self, depth: usize) -> bool {
        self.key.bit(depth)
    }

    /// Whether the first `bits` bits are those of `key`.
    pub(super) fn shares(&self, key: &MapKey, bits: usize) -> bool {
        let (a, b) = (self.key.as_bytes(), key.as_bytes());
        let whole = bits / 8;
        a[..whole] == b[..whole] && (bits.is_multiple_of(8) || (a[whole] ^ b[whole]) >> (8 - bits % 8) == 0)
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.bits == 0 {
            return f.write_str("-");
        }
        (0..self.bits()).try_for_each(|depth| f.write_str(if self.bit(depth) { "1" } else { "0" }))
    }
}

impl FromStr for Prefix {
    type Err = MapError;

    fn from_str(text: &str) -> Result<Self, MapError> {
        if text == "-" {
            return Ok(Self::ALL);
        }
        let digits = text.as_bytes();
        let mut bytes = [0_u8; 32];
        for (depth, digit) in digits.iter().enumerate() {
            let byte = bytes.get_mut(depth / 8).ok_or(MapError::Prefix)?;
            match digit {
                b'0' => {}
                b'1' => *byte |= 0x80 >> (depth % 8),
                _ => return Err(MapError::Prefix),
            }
        }
        let bits = u16::try_from(digits.len()).map_err(|_| MapError::Prefix)?;
        if bits == 0 {
            Err(MapError::Prefix)
        } else {
            Ok(Self { bits, key: MapKey(Digest::from_bytes(bytes)) })
        }
    }
}
