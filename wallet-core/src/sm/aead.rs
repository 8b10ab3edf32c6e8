//! Authenticated encryption of one small object under a [`Key32`]: wraps, events, slots, rows (PROTOCOL §1).
//!
//! `header ‖ ciphertext ‖ tag`, 16 fresh random bytes of header, SM4-GCM. **SM4 key and nonce come from
//! HKDF-SM3(key, header, label)**: they never repeat, however often a key is used, and there is no nonce to
//! get wrong. For files use [`super::stream`]: this holds everything in memory.
//!
//! Two keys can be found under which one ciphertext opens (GCM doesn't commit to its key). Where that
//! matters, a [`super::stream::key_commitment`] is signed beside it.

use super::{Key32, Label, Random, SmError, gcm, kdf};
use zeroize::Zeroizing;

/// Random bytes in front.
const HEADER: usize = 16;

/// Bytes that sealing adds.
pub const OVERHEAD: usize = HEADER + gcm::TAG;

/// Encrypts `plaintext` for a purpose (`label`) and binds it to `aad`, which is not part of the result.
///
/// ```
/// # use suishen_core::sm::{Key32, Label, Random, aead};
/// # struct Counting(u8);
/// # impl Random for Counting {
/// #     fn fill(&mut self, out: &mut [u8]) { out.fill_with(|| { self.0 += 1; self.0 }) }
/// # }
/// # let random = &mut Counting(0);
/// const EVENT: Label = Label::new("event");
/// let key = Key32::generate(random);
/// let sealed = aead::seal(&key, EVENT, b"vault", b"record added", random);
/// assert_eq!(*aead::open(&key, EVENT, b"vault", &sealed).unwrap(), b"record added");
/// assert!(aead::open(&key, EVENT, b"another vault", &sealed).is_err());
/// ```
pub fn seal(key: &Key32, label: Label, aad: &[u8], plaintext: &[u8], random: &mut dyn Random) -> Vec<u8> {
    let mut header = [0; HEADER];
    random.fill(&mut header);
    let (cipher, nonce) = cipher(key, label, &header);
    let mut text = Vec::with_capacity(plaintext.len() + gcm::TAG);
    text.extend_from_slice(plaintext);
    cipher.seal(&nonce, aad, &mut text);
    [&header, text.as_slice()].concat()
}

/// Decrypts what [`seal`] made with the same key, label and `aad`; any other input is [`SmError::Open`].
pub fn open(key: &Key32, label: Label, aad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SmError> {
    let (header, text) = sealed.split_first_chunk::<HEADER>().ok_or(SmError::Open)?;
    let (cipher, nonce) = cipher(key, label, header);
    let mut text = Zeroizing::new(text.to_vec());
    cipher.open(&nonce, aad, &mut text)?;
    Ok(text)
}

fn cipher(key: &Key32, label: Label, header: &[u8; HEADER]) -> (gcm::Cipher, [u8; 12]) {
    let derived = kdf::derive_salted::<28>(key.as_bytes(), header, Label::new("aead"), &[&label.to_bytes()]);
    gcm::Cipher::from_derived(&derived)
}

#[cfg(test)]
mod tests {
    use super::super::seeded::Seeded;
    use super::*;

    const LABEL: Label = Label::new("test");

    fn sealed() -> (Key32, Vec<u8>) {
        let random = &mut Seeded::new(1);
        let key = Key32::generate(random);
        let sealed = seal(&key, LABEL, b"aad", "血红蛋白".as_bytes(), random);
        (key, sealed)
    }

    #[test]
    fn what_was_sealed_opens_with_the_same_key_label_and_data() {
        let (key, sealed) = sealed();
        assert_eq!(sealed.len(), "血红蛋白".len() + OVERHEAD);
        assert_eq!(open(&key, LABEL, b"aad", &sealed).unwrap().as_slice(), "血红蛋白".as_bytes());
    }

    #[test]
    fn another_key_label_or_associated_data_opens_nothing() {
        let (key, sealed) = sealed();
        assert_eq!(open(&Key32::from_bytes([0; 32]), LABEL, b"aad", &sealed), Err(SmError::Open));
        assert_eq!(open(&key, Label::new("tesu"), b"aad", &sealed), Err(SmError::Open));
        assert_eq!(open(&key, LABEL, b"aae", &sealed), Err(SmError::Open));
    }

    #[test]
    fn every_flipped_bit_and_every_truncation_is_refused() {
        let (key, sealed) = sealed();
        for bit in 0..sealed.len() * 8 {
            let mut changed = sealed.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(open(&key, LABEL, b"aad", &changed), Err(SmError::Open), "bit {bit}");
        }
        for len in 0..sealed.len() {
            assert_eq!(open(&key, LABEL, b"aad", &sealed[..len]), Err(SmError::Open), "{len} bytes");
        }
    }

    #[test]
    fn the_same_text_twice_gives_unlike_bytes() {
        let random = &mut Seeded::new(2);
        let key = Key32::generate(random);
        let (one, two) = (seal(&key, LABEL, b"", b"same", random), seal(&key, LABEL, b"", b"same", random));
        assert!(one.iter().zip(&two).filter(|(a, b)| a == b).count() < 10);
    }

    #[test]
    fn an_empty_text_is_a_text() {
        let random = &mut Seeded::new(3);
        let key = Key32::generate(random);
        let sealed = seal(&key, LABEL, b"", b"", random);
        assert!(open(&key, LABEL, b"", &sealed).unwrap().is_empty());
    }
}
