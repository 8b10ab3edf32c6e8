//! National cryptography behind a small, guarded surface: SM2 (GB/T 32918), SM3 (GB/T 32905), SM4
//! (GB/T 32907).
//!
//! Callers get envelopes by purpose, never a cipher. Nonces are never an argument; randomness always is
//! ([`Random`]). Which call for which need:
//!
//! | need | call |
//! |---|---|
//! | sign an object, check who signed it | [`Signed::new`], [`Signed::verify`] |
//! | a digest for one purpose | [`Digest::labelled`], over a stream [`DigestBuilder`] |
//! | a symmetric key | [`Key32::generate`], from another one [`Key32::derive`], [`kdf::derive`] |
//! | keep a small object secret under a symmetric key | [`aead::seal`], [`aead::open`] |
//! | encrypt a file, large or small | [`stream::Encryptor`], [`stream::Decryptor`], in memory [`stream::encrypt`] |
//! | say which key a copy opens with, which content a part has | [`stream::key_commitment`], [`stream::PlaintextDigest`] |
//! | hide a size | [`pad::pad`], [`pad::pad_to`], piece by piece [`pad::padding`] |
//! | send something to the holder of a public key | [`sealed::seal`], [`sealed::open`] |
//! | the same, so that it can be made again and compared | [`sealed::seal_recomputable`] |
//! | give a secret to n, of whom t must agree | [`shamir::split`], [`shamir::combine`] |
//! | exchange keys, signatures, ciphertexts with other programs | [`edge`] |

pub mod aead;
mod curve;
mod digest;
pub mod edge;
mod gcm;
pub mod kdf;
mod key;
pub mod pad;
mod random;
pub mod sealed;
mod secret;
#[cfg(test)]
pub(crate) mod seeded;
pub mod shamir;
mod signed;
pub mod stream;

pub use digest::{Digest, DigestBuilder, Label, Midstate};
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
    /// Not DER or PEM of the thing asked for, or not its one strict form; for encryption, an empty text.
    #[error("not in the strict DER, PEM or ciphertext form")]
    Encoding,
    /// The padding isn't the one that this size asks for.
    #[error("the padding is not the one that belongs to this size")]
    Padding,
    /// The ciphertext was changed, truncated, or made for another key or object.
    #[error("the ciphertext does not open with this key")]
    Open,
}
