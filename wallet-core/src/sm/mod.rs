//! National cryptography behind a small, guarded surface: SM2 (GB/T 32918), SM3 (GB/T 32905), SM4
//! (GB/T 32907).
//!
//! Callers get envelopes by purpose, never a cipher: a [`Signed`] object, a stream, a sealed box. Nonces are
//! never an argument; randomness always is ([`Random`]).

pub mod aead;
mod digest;
mod gcm;
pub mod kdf;
mod key;
mod random;
mod secret;
#[cfg(test)]
pub(crate) mod seeded;
mod signed;

pub use digest::{Digest, DigestBuilder, Label};
pub use key::{KeyId, PublicKey, SecretKey, Signature};
pub use random::Random;
pub use secret::Key32;
pub use signed::{Object, Signed, VERSION};

/// What was wrong with keys, signatures, envelopes. None says more than the caller may tell an attacker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SmError {
    /// Not a usable SM2 private key: the scalar must lie in [1, n-2].
    #[error("the private key is out of range")]
    SecretKey,
    /// Not a point of the SM2 curve in uncompressed form (65 bytes, first 04).
    #[error("the public key is not a point of the SM2 curve")]
    PublicKey,
    /// r or s out of [1, n-1], or the signature doesn't match message and key.
    #[error("the signature does not match")]
    Signature,
    /// The envelope isn't the one encoding this object may have.
    #[error("the signed object is not in its canonical form")]
    Form,
    /// The object is of another type than the one asked for.
    #[error("the signed object is of another type")]
    Type,
    /// The ciphertext was changed, truncated, or made for another key or object.
    #[error("the ciphertext does not open with this key")]
    Open,
}
