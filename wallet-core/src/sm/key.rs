//! SM2 keys and signatures (GB/T 32918.2), with the guard that the crate `sm2` leaves to its caller: d = n-1
//! is refused, secrets print as `[redacted]`, and `Z_A` ‖ M is always hashed here, never a digest from outside.

use super::{Digest, Random, SmError};
use core::fmt;
use sm2::dsa::signature::{Signer as _, Verifier as _};
use sm2::elliptic_curve::sec1::ToSec1Point as _;
use std::sync::OnceLock;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// The user ID that GM/T 0009 fixes for everyone.
const USER_ID: &str = "1234567812345678";

/// n-1, at which 1+d has no inverse and no signature succeeds.
const N_MINUS_1: [u8; 32] = [
    0xff, 0xff, 0xff, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x72,
    0x03, 0xdf, 0x6b, 0x21, 0xc6, 0x05, 0x2b, 0x53, 0xbb, 0xf4, 0x09, 0x39, 0xd5, 0x41, 0x22,
];

/// An SM2 private key, for signing or for opening boxes: one key, one use.
///
/// Lies on the heap at one place, so that moving it leaves no copy behind, and is overwritten when dropped.
#[derive(Clone)]
pub struct SecretKey {
    signing: Box<sm2::dsa::SigningKey>,
}

impl SecretKey {
    /// A fresh key.
    pub fn generate(random: &mut dyn Random) -> Self {
        loop {
            let mut bytes = Zeroizing::new([0; 32]);
            random.fill(bytes.as_mut());
            if let Ok(key) = Self::from_bytes(&bytes) {
                return key;
            }
        }
    }

    /// Reads a 32-byte big-endian scalar in [1, n-2].
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, SmError> {
        if *bytes == N_MINUS_1 {
            return Err(SmError::SecretKey);
        }
        let signing = sm2::dsa::SigningKey::from_slice(USER_ID, bytes).map_err(|_| SmError::SecretKey)?;
        Ok(Self { signing: Box::new(signing) })
    }

    /// The key that a secret of full entropy yields for a purpose: HKDF-SM3(secret, label ‖ try), try (one byte)
    /// counting from zero until the scalar is in range.
    pub fn derive(secret: &[u8; 32], label: super::Label) -> Self {
        (0..=u8::MAX)
            .find_map(|attempt| Self::from_bytes(&super::kdf::derive(secret, label, &[&[attempt]])).ok())
            .expect("a scalar is out of range once in 2^32 tries, and 256 are made")
    }

    /// The 32-byte big-endian scalar.
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.signing.to_bytes().into())
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        let point = self.signing.verifying_key().as_affine().to_sec1_point(false);
        let mut bytes = [0; 65];
        bytes.copy_from_slice(point.as_bytes());
        PublicKey(bytes)
    }

    /// The scalar itself, for key agreement within `sm`.
    pub(super) fn scalar(&self) -> &sm2::NonZeroScalar {
        self.signing.as_nonzero_scalar()
    }

    /// Signs `SM3(Z_A ‖ message)`. Deterministic (RFC 6979): needs no randomness, repeats no nonce.
    pub fn sign(&self, message: &[u8]) -> Signature {
        Signature(self.signing.sign(message).to_bytes().into())
    }
}

/// The crate's key doesn't wipe itself and its scalar can't be reached to be wiped, so a key that everyone
/// knows (d = 1) is written over it.
impl Drop for SecretKey {
    fn drop(&mut self) {
        static NOBODY: OnceLock<sm2::dsa::SigningKey> = OnceLock::new();
        let mut one = [0; 32];
        one[31] = 1;
        let nobody = NOBODY
            .get_or_init(|| sm2::dsa::SigningKey::from_slice(USER_ID, &one).expect("1 is a scalar in range"));
        (*self.signing).clone_from(nobody);
        core::hint::black_box(&self.signing);
    }
}

impl PartialEq for SecretKey {
    fn eq(&self, other: &Self) -> bool {
        self.to_bytes().ct_eq(other.to_bytes().as_slice()).into()
    }
}

impl Eq for SecretKey {}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey([redacted])")
    }
}

/// Secret keys are stored only inside encrypted objects; the encoding is the 32-byte scalar.
impl<C> minicbor::Encode<C> for SecretKey {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.bytes(self.to_bytes().as_ref())?.ok()
    }
}

impl<'b, C> minicbor::Decode<'b, C> for SecretKey {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        let bytes = Zeroizing::new(crate::cbor::fixed::<32>(d)?);
        Self::from_bytes(&bytes).map_err(|_| minicbor::decode::Error::message("not an SM2 private key"))
    }
}

/// An SM2 public key: 65 bytes, uncompressed (04 ‖ x ‖ y). Checked to lie on the curve when it is read.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey([u8; 65]);

impl PublicKey {
    /// Reads 65 bytes and checks that they are a point of the curve, not the identity.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SmError> {
        let bytes: [u8; 65] = bytes.try_into().map_err(|_| SmError::PublicKey)?;
        if bytes[0] != 4 {
            return Err(SmError::PublicKey);
        }
        sm2::PublicKey::from_sec1_bytes(&bytes).map_err(|_| SmError::PublicKey)?;
        Ok(Self(bytes))
    }

    /// 04 ‖ x ‖ y.
    pub const fn as_bytes(&self) -> &[u8; 65] {
        &self.0
    }

    /// The first 8 bytes of SM3(point), the `kid` of signed objects.
    pub fn key_id(&self) -> KeyId {
        let mut id = [0; 8];
        id.copy_from_slice(&Digest::of(&self.0).as_bytes()[..8]);
        KeyId(id)
    }

    /// Checks a signature over `SM3(Z_A ‖ message)`.
    pub fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), SmError> {
        let key =
            sm2::dsa::VerifyingKey::from_sec1_bytes(USER_ID, &self.0).map_err(|_| SmError::PublicKey)?;
        let signature = sm2::dsa::Signature::from_slice(&signature.0).map_err(|_| SmError::Signature)?;
        key.verify(message, &signature).map_err(|_| SmError::Signature)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.key_id())
    }
}

impl<C> minicbor::Encode<C> for PublicKey {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.bytes(&self.0)?.ok()
    }
}

impl<'b, C> minicbor::Decode<'b, C> for PublicKey {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        Self::from_bytes(d.bytes()?)
            .map_err(|_| minicbor::decode::Error::message("not a point of the SM2 curve"))
    }
}

/// Names a public key in eight bytes; a hint, never a proof.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; 8]);

impl KeyId {
    /// The eight bytes.
    pub const fn as_bytes(&self) -> &[u8; 8] {
        &self.0
    }

    pub(super) const fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// r ‖ s, 64 bytes. Range is checked on verification.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature([u8; 64]);

impl Signature {
    /// A signature read from elsewhere.
    pub const fn from_bytes(bytes: [u8; 64]) -> Self {
        Self(bytes)
    }

    /// r ‖ s.
    pub const fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({}…)", data_encoding::HEXLOWER.encode(&self.0[..4]))
    }
}

impl<C> minicbor::Encode<C> for Signature {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.bytes(&self.0)?.ok()
    }
}

impl<'b, C> minicbor::Decode<'b, C> for Signature {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        crate::cbor::fixed(d).map(Self)
    }
}
