//! SM2 public-key encryption (GB/T 32918.4) in the GM/T 0009 form and both raw orders, for exchange with other
//! programs only; within the system everything is a [`crate::sm::sealed`] box.
//!
//! Written over the curve, not over the `pke` half of crate `sm2`, which leaves to its caller what is guarded
//! here: a key stream of zeros is refused, C3 is compared in constant time, plaintext is wiped when it doesn't
//! match, and no type that prints its key exists.

use super::{integer, read_integer, read_sequence, sequence};
use crate::sm::{PublicKey, Random, SecretKey, SmError, curve};
use sm2::pkcs8::der::{Encode as _, Reader as _, asn1::OctetStringRef};
use sm3::Digest as _;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

const POINT: usize = 65;
const HASH: usize = 32;

/// How C1 (point), C2 (text) and C3 (hash) stand in a ciphertext.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CiphertextForm {
    /// GM/T 0009: SEQUENCE { INTEGER x, INTEGER y, OCTET STRING C3, OCTET STRING C2 }.
    Der,
    /// Raw, the order of GB/T 32918.4-2016.
    C1C3C2,
    /// Raw, the order before 2012, still met.
    C1C2C3,
}

/// Encrypts a text, which must not be empty.
pub fn encrypt(
    recipient: &PublicKey,
    plaintext: &[u8],
    form: CiphertextForm,
    random: &mut dyn Random,
) -> Result<Vec<u8>, SmError> {
    if plaintext.is_empty() {
        return Err(SmError::Encoding);
    }
    loop {
        // A key stream of zeros comes up for one text in 256 of one byte: then another ephemeral key.
        if let Some(parts) = encrypt_with(&SecretKey::generate(random), recipient, plaintext)? {
            return Ok(parts.write(form));
        }
    }
}

/// Decrypts a ciphertext of this form; whatever is wrong with it is [`SmError::Open`].
pub fn decrypt(
    secret: &SecretKey,
    ciphertext: &[u8],
    form: CiphertextForm,
) -> Result<Zeroizing<Vec<u8>>, SmError> {
    let parts = Parts::read(ciphertext, form).map_err(|_| SmError::Open)?;
    let shared = curve::agree(secret, &parts.point).map_err(|_| SmError::Open)?;
    let plaintext = apply_key_stream(&shared, &parts.text).ok_or(SmError::Open)?;
    if bool::from(check(&shared, &plaintext).ct_eq(&parts.hash)) { Ok(plaintext) } else { Err(SmError::Open) }
}

fn encrypt_with(
    ephemeral: &SecretKey,
    recipient: &PublicKey,
    plaintext: &[u8],
) -> Result<Option<Parts>, SmError> {
    let shared = curve::agree(ephemeral, recipient)?;
    Ok(apply_key_stream(&shared, plaintext).map(|text| Parts {
        point: ephemeral.public(),
        text: text.to_vec(),
        hash: check(&shared, plaintext),
    }))
}

/// `text` ⊕ KDF(x₂ ‖ y₂), or none when the KDF gives nothing but zeros (GB/T 32918.4 A5, B4).
fn apply_key_stream(shared: &curve::SharedPoint, text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (mut out, mut any) = (Zeroizing::new(text.to_vec()), 0);
    for (counter, block) in (1u32..).zip(out.chunks_mut(HASH)) {
        let hash = sm3::Sm3::new_with_prefix(shared.both()).chain_update(counter.to_be_bytes()).finalize();
        for (byte, key) in block.iter_mut().zip(Zeroizing::new(<[u8; HASH]>::from(hash)).iter()) {
            *byte ^= key;
            any |= key;
        }
    }
    (any != 0).then_some(out)
}

/// C3 = SM3(x₂ ‖ M ‖ y₂).
fn check(shared: &curve::SharedPoint, plaintext: &[u8]) -> [u8; HASH] {
    sm3::Sm3::new_with_prefix(shared.x()).chain_update(plaintext).chain_update(shared.y()).finalize().into()
}

struct Parts {
    point: PublicKey,
    text: Vec<u8>,
    hash: [u8; HASH],
}

impl Parts {
    fn write(&self, form: CiphertextForm) -> Vec<u8> {
        let point = self.point.as_bytes();
        match form {
            CiphertextForm::C1C3C2 => [point, self.hash.as_slice(), &self.text].concat(),
            CiphertextForm::C1C2C3 => [point, self.text.as_slice(), &self.hash].concat(),
            CiphertextForm::Der => sequence(&[
                &integer(&point[1..33]),
                &integer(&point[33..]),
                &octets(&self.hash),
                &octets(&self.text),
            ]),
        }
    }

    fn read(bytes: &[u8], form: CiphertextForm) -> Result<Self, SmError> {
        let (point, text, hash) = match form {
            CiphertextForm::Der => return Self::read_der(bytes),
            CiphertextForm::C1C3C2 => {
                let (point, rest) = bytes.split_first_chunk::<POINT>().ok_or(SmError::Encoding)?;
                let (hash, text) = rest.split_first_chunk::<HASH>().ok_or(SmError::Encoding)?;
                (point, text, hash)
            }
            CiphertextForm::C1C2C3 => {
                let (point, rest) = bytes.split_first_chunk::<POINT>().ok_or(SmError::Encoding)?;
                let (text, hash) = rest.split_last_chunk::<HASH>().ok_or(SmError::Encoding)?;
                (point, text, hash)
            }
        };
        Self::new(point, text, *hash)
    }

    fn read_der(bytes: &[u8]) -> Result<Self, SmError> {
        let (x, y, hash, text) = read_sequence(bytes, |reader| {
            let (x, y) = (read_integer(reader)?, read_integer(reader)?);
            let hash: &OctetStringRef = reader.decode()?;
            let text: &OctetStringRef = reader.decode()?;
            Ok((x, y, hash, text))
        })?;
        let mut point = [4; POINT];
        point[1..33].copy_from_slice(&x);
        point[33..].copy_from_slice(&y);
        let hash = hash.as_bytes().try_into().map_err(|_| SmError::Encoding)?;
        Self::new(&point, text.as_bytes(), hash)
    }

    fn new(point: &[u8; POINT], text: &[u8], hash: [u8; HASH]) -> Result<Self, SmError> {
        if text.is_empty() {
            return Err(SmError::Encoding);
        }
        Ok(Self { point: PublicKey::from_bytes(point)?, text: text.to_vec(), hash })
    }
}

fn octets(bytes: &[u8]) -> Vec<u8> {
    OctetStringRef::new(bytes)
        .and_then(|octets| octets.to_der())
        .expect("what fits in memory is below DER's greatest length")
}

#[cfg(test)]
mod tests {
    use super::super::super::seeded::Seeded;
    use super::*;
    use data_encoding::HEXUPPER_PERMISSIVE as HEX;

    fn hex<const N: usize>(text: &str) -> [u8; N] {
        HEX.decode(text.as_bytes()).unwrap().try_into().unwrap()
    }

    #[test]
    fn the_example_of_gb_t_32918_5_comes_out_byte_for_byte() {
        let vectors = include_str!("../../../tests/vectors/gb-t-32918.5.json");
        let vectors: serde_json::Value = serde_json::from_str(vectors).unwrap();
        let field = |name: &str| vectors["encryption"][name].as_str().unwrap();
        let secret = SecretKey::from_bytes(&hex(field("d"))).unwrap();
        let ephemeral = SecretKey::from_bytes(&hex(field("k"))).unwrap();
        let message = field("message").as_bytes();
        let parts = encrypt_with(&ephemeral, &secret.public(), message).unwrap().unwrap();
        for (form, name) in [(CiphertextForm::C1C3C2, "c1c3c2"), (CiphertextForm::C1C2C3, "c1c2c3")] {
            assert_eq!(parts.write(form), HEX.decode(field(name).as_bytes()).unwrap());
        }
        for form in [CiphertextForm::Der, CiphertextForm::C1C3C2, CiphertextForm::C1C2C3] {
            assert_eq!(*decrypt(&secret, &parts.write(form), form).unwrap(), message);
        }
    }

    #[test]
    fn a_key_stream_of_zeros_is_neither_written_nor_read() {
        // For one byte, one ephemeral key in 256 gives it.
        let secret = SecretKey::from_bytes(&[5; 32]).unwrap();
        let recipient = secret.public();
        let random = &mut Seeded::new(1);
        let ephemeral = core::iter::repeat_with(|| SecretKey::generate(random))
            .find(|key| encrypt_with(key, &recipient, b"a").unwrap().is_none())
            .unwrap();
        let shared = curve::agree(&ephemeral, &recipient).unwrap();
        let parts = Parts { point: ephemeral.public(), text: b"a".to_vec(), hash: check(&shared, b"a") };
        for form in [CiphertextForm::Der, CiphertextForm::C1C3C2, CiphertextForm::C1C2C3] {
            assert_eq!(decrypt(&secret, &parts.write(form), form), Err(SmError::Open));
        }
    }
}
