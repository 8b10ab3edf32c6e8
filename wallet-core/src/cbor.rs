//! Deterministic CBOR (RFC 8949 §4.2), strictly: what doesn't encode again to the same bytes is refused.
//!
//! Objects derive `minicbor::Encode` and `Decode` with integer keys in ascending order (`#[cbor(map)]`) or by
//! position (arrays, for small fixed tuples); both give definite lengths and shortest forms, so an encoder
//! needs no further care. The formats are in `formats.cddl`.

use core::convert::Infallible;
use minicbor::{Decode, Decoder, Encode};

/// Why bytes are not the object that they should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CborError {
    /// Not CBOR, not this object's fields, or a value out of range.
    #[error("not a valid object: {0}")]
    Decode(String),
    /// Readable, but not the one canonical encoding; unknown fields count.
    #[error("not in canonical form")]
    NotCanonical,
}

/// The canonical encoding.
pub fn encode<T: Encode<()>>(value: &T) -> Vec<u8> {
    let mut out = Vec::new();
    match minicbor::encode(value, &mut out) {
        Ok(()) => out,
        Err(never) => {
            let _: &minicbor::encode::Error<Infallible> = &never;
            unreachable!("encoding into memory cannot fail: {never}")
        }
    }
}

/// Reads the canonical encoding and nothing else.
pub fn decode<T: Encode<()> + for<'b> Decode<'b, ()>>(bytes: &[u8]) -> Result<T, CborError> {
    let value: T = minicbor::decode(bytes).map_err(|e| CborError::Decode(e.to_string()))?;
    if encode(&value) == bytes { Ok(value) } else { Err(CborError::NotCanonical) }
}

/// A byte string of exactly `N` bytes.
pub fn fixed<const N: usize>(d: &mut Decoder<'_>) -> Result<[u8; N], minicbor::decode::Error> {
    let position = d.position();
    d.bytes()?
        .try_into()
        .map_err(|_| minicbor::decode::Error::message("byte string of another length").at(position))
}
