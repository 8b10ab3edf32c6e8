//! DER and PEM, only at the edges: keys, signatures and ciphertexts as other programs write and read them
//! (GM/T 0009, GM/T 0015, RFC 5208, RFC 5480). Inside, everything is raw bytes of fixed length.
//!
//! Reading is strict: one encoding a thing, nothing before or after it. Nothing here is used for what is
//! sealed or signed within the system.

mod ciphertext;

pub use ciphertext::{CiphertextForm, decrypt, encrypt};

use super::{PublicKey, SecretKey, Signature, SmError};
use sm2::pkcs8::{
    DecodePrivateKey as _, DecodePublicKey as _, EncodePrivateKey as _, EncodePublicKey as _, LineEnding,
    der::{self, Encode as _, Reader as _, SliceReader, Tag, asn1::AnyRef, asn1::UintRef},
};
use zeroize::Zeroizing;

/// SEQUENCE { INTEGER r, INTEGER s }.
pub fn signature_to_der(signature: &Signature) -> Vec<u8> {
    let (r, s) = signature.as_bytes().split_at(32);
    sequence(&[&integer(r), &integer(s)])
}

/// Reads [`signature_to_der`]'s form. r and s must lie in [1, n-1].
pub fn signature_from_der(bytes: &[u8]) -> Result<Signature, SmError> {
    let signature = read_sequence(bytes, |reader| {
        let mut raw = [0; 64];
        raw[..32].copy_from_slice(&read_integer(reader)?);
        raw[32..].copy_from_slice(&read_integer(reader)?);
        Ok(raw)
    })?;
    sm2::dsa::Signature::from_slice(&signature).map_err(|_| SmError::Signature)?;
    Ok(Signature::from_bytes(signature))
}

/// A public key as `SubjectPublicKeyInfo`: id-ecPublicKey with the SM2 curve, uncompressed point.
pub fn public_key_to_der(key: &PublicKey) -> Vec<u8> {
    point(key).to_public_key_der().expect("a point on a named curve has an SPKI form").into_vec()
}

/// Reads [`public_key_to_der`]'s form.
pub fn public_key_from_der(bytes: &[u8]) -> Result<PublicKey, SmError> {
    use sm2::elliptic_curve::sec1::ToSec1Point as _;
    let point = sm2::PublicKey::from_public_key_der(bytes).map_err(|_| SmError::Encoding)?;
    let key = PublicKey::from_bytes(point.to_sec1_point(false).as_bytes())?;
    // The crate reads compressed points as well; only what would be written is taken.
    if public_key_to_der(&key) == bytes { Ok(key) } else { Err(SmError::Encoding) }
}

/// A public key as PEM, `BEGIN PUBLIC KEY`.
pub fn public_key_to_pem(key: &PublicKey) -> String {
    point(key).to_public_key_pem(LineEnding::LF).expect("a point on a named curve has an SPKI form")
}

/// Reads a `BEGIN PUBLIC KEY` block.
pub fn public_key_from_pem(pem: &str) -> Result<PublicKey, SmError> {
    let (label, document) = der::Document::from_pem(pem).map_err(|_| SmError::Encoding)?;
    if label == "PUBLIC KEY" { public_key_from_der(document.as_bytes()) } else { Err(SmError::Encoding) }
}

/// A private key as PKCS#8 DER, the public point inside.
pub fn secret_key_to_der(key: &SecretKey) -> Zeroizing<Vec<u8>> {
    let document = scalar(key).to_pkcs8_der().expect("a scalar on a named curve has a PKCS#8 form");
    document.to_bytes()
}

/// Reads PKCS#8 DER of an SM2 key. A public point inside must be the key's own.
pub fn secret_key_from_der(bytes: &[u8]) -> Result<SecretKey, SmError> {
    checked(&sm2::SecretKey::from_pkcs8_der(bytes).map_err(|_| SmError::Encoding)?)
}

/// A private key as PEM, `BEGIN PRIVATE KEY`, unencrypted.
pub fn secret_key_to_pem(key: &SecretKey) -> Zeroizing<String> {
    scalar(key).to_pkcs8_pem(LineEnding::LF).expect("a scalar on a named curve has a PKCS#8 form")
}

/// Reads a `BEGIN PRIVATE KEY` block.
pub fn secret_key_from_pem(pem: &str) -> Result<SecretKey, SmError> {
    checked(&sm2::SecretKey::from_pkcs8_pem(pem).map_err(|_| SmError::Encoding)?)
}

fn point(key: &PublicKey) -> sm2::PublicKey {
    sm2::PublicKey::from_sec1_bytes(key.as_bytes()).expect("a public key was checked when it was made")
}

fn scalar(key: &SecretKey) -> sm2::SecretKey {
    key.scalar().into()
}

/// The crate takes d = n-1; ours doesn't.
fn checked(key: &sm2::SecretKey) -> Result<SecretKey, SmError> {
    SecretKey::from_bytes(&Zeroizing::new(key.to_bytes().into()))
}

/// DER of a SEQUENCE of these encodings.
fn sequence(elements: &[&[u8]]) -> Vec<u8> {
    let content = elements.concat();
    AnyRef::new(Tag::Sequence, &content)
        .and_then(|any| any.to_der())
        .expect("what fits in memory is below DER's greatest length")
}

/// DER of a non-negative INTEGER, given big-endian with or without leading zeros.
fn integer(bytes: &[u8]) -> Vec<u8> {
    UintRef::new(bytes).and_then(|uint| uint.to_der()).expect("32 bytes are below DER's greatest length")
}

/// Reads a SEQUENCE that is all of `bytes`.
fn read_sequence<'b, T>(
    bytes: &'b [u8],
    content: impl FnOnce(&mut SliceReader<'b>) -> der::Result<T>,
) -> Result<T, SmError> {
    let read = || {
        let mut reader = SliceReader::new(bytes)?;
        let value = reader.sequence(content)?;
        reader.finish()?;
        Ok::<_, der::Error>(value)
    };
    read().map_err(|_| SmError::Encoding)
}

/// Reads a non-negative INTEGER of at most 256 bits, big-endian.
fn read_integer(reader: &mut SliceReader<'_>) -> der::Result<[u8; 32]> {
    let uint: UintRef<'_> = reader.decode()?;
    let bytes = uint.as_bytes();
    let mut out = [0; 32];
    let start =
        out.len().checked_sub(bytes.len()).ok_or_else(|| der::Error::from(Tag::Integer.length_error()))?;
    out[start..].copy_from_slice(bytes);
    Ok(out)
}
