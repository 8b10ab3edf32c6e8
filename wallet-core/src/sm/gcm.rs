//! SM4-GCM (GB/T 32907; NIST SP 800-38D, RFC 8998), the one place where a nonce is an argument. Private to
//! `sm`: its callers derive key and nonce so that no pair is ever used twice.

use super::SmError;
use aes_gcm::{AeadInOut as _, KeyInit as _, aead::consts::U12};
use zeroize::{Zeroize as _, Zeroizing};

/// Bytes that encryption adds.
pub(super) const TAG: usize = 16;

type Sm4Gcm = aes_gcm::AesGcm<sm4::Sm4, U12>;

/// A key with its round keys and hash table, for several messages under different nonces.
pub(super) struct Cipher(Sm4Gcm);

impl Cipher {
    pub(super) fn new(key: &[u8; 16]) -> Self {
        Self(Sm4Gcm::new(key.into()))
    }

    /// Splits 28 derived bytes into SM4 key and nonce.
    pub(super) fn from_derived(derived: &[u8; 28]) -> (Self, [u8; 12]) {
        let (mut key, mut nonce) = (Zeroizing::new([0; 16]), [0; 12]);
        key.copy_from_slice(&derived[..16]);
        nonce.copy_from_slice(&derived[16..]);
        (Self::new(&key), nonce)
    }

    /// Encrypts `buffer` in place and appends the tag.
    pub(super) fn seal(&self, nonce: &[u8; 12], aad: &[u8], buffer: &mut Vec<u8>) {
        let tag = self
            .0
            .encrypt_inout_detached(nonce.into(), aad, buffer.as_mut_slice().into())
            .expect("messages in memory are below the 64 GiB that GCM allows");
        buffer.extend_from_slice(&tag);
    }

    /// Decrypts `buffer` in place once its tag holds, and cuts the tag off. On failure the buffer is wiped.
    pub(super) fn open(&self, nonce: &[u8; 12], aad: &[u8], buffer: &mut Vec<u8>) -> Result<(), SmError> {
        let opened = (|| {
            let (text, tag) = buffer.split_last_chunk_mut::<TAG>().ok_or(SmError::Open)?;
            self.0
                .decrypt_inout_detached(nonce.into(), aad, text.into(), (&*tag).into())
                .map_err(|_| SmError::Open)
        })();
        match opened {
            Ok(()) => buffer.truncate(buffer.len() - TAG),
            Err(_) => buffer.zeroize(),
        }
        opened
    }
}

#[cfg(test)]
#[path = "gcm_tests.rs"]
mod tests;
