//! What SM2 must refuse: scalars, points and signatures out of range, encodings that aren't the one.

use crate::{Seeded, hex, hex_array};
use proptest::prelude::*;
use sm2::{
    Scalar,
    dsa::signature::hazmat::{PrehashSigner as _, PrehashVerifier as _},
    elliptic_curve::{PrimeField as _, point::AffineCoordinates as _, sec1::ToSec1Point as _},
};
use suishen_core::sm::{
    PublicKey, SecretKey, Signature, SmError,
    edge::{self, CiphertextForm},
};

const FORMS: [CiphertextForm; 3] = [CiphertextForm::Der, CiphertextForm::C1C3C2, CiphertextForm::C1C2C3];
const N: &str = "fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123";
const N_PLUS_1: &str = "fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54124";
const N_MINUS_1: &str = "fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54122";
const N_MINUS_2: &str = "fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54121";
const GREATEST: &str = "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff";
const ZERO: &str = "0000000000000000000000000000000000000000000000000000000000000000";
const ONE: &str = "0000000000000000000000000000000000000000000000000000000000000001";
const P: &str = "fffffffeffffffffffffffffffffffffffffffff00000000ffffffffffffffff";

fn key() -> SecretKey {
    SecretKey::from_bytes(&[0x42; 32]).unwrap()
}

fn signature(r: &[u8], s: &[u8]) -> Signature {
    Signature::from_bytes([r, s].concat().try_into().unwrap())
}

#[test]
fn private_keys_lie_between_1_and_n_minus_2() {
    for d in [ZERO, N_MINUS_1, N, N_PLUS_1, GREATEST] {
        assert_eq!(SecretKey::from_bytes(&hex_array(d)).err(), Some(SmError::SecretKey), "{d}");
    }
    for d in [ONE, N_MINUS_2] {
        let key = SecretKey::from_bytes(&hex_array(d)).unwrap();
        key.public().verify(b"message", &key.sign(b"message")).unwrap();
    }
}

#[test]
fn r_and_s_lie_between_1_and_n_minus_1() {
    let good = key().sign(b"message");
    let (r, s) = good.as_bytes().split_at(32);
    for strange in [ZERO, N, N_PLUS_1, GREATEST] {
        for bad in [signature(&hex(strange), s), signature(r, &hex(strange))] {
            assert_eq!(key().public().verify(b"message", &bad), Err(SmError::Signature));
            assert_eq!(edge::signature_from_der(&edge::signature_to_der(&bad)), Err(SmError::Signature));
        }
    }
    key().public().verify(b"message", &good).unwrap();
}

#[test]
fn r_plus_s_is_not_n() {
    assert!(key().public().verify(b"message", &signature(&hex(ONE), &hex(N_MINUS_1))).is_err());
    // With r + s = n the public key drops out: choose s, then e = r - x of [s]G, and were it not refused, the
    // signature would hold under every key. Only a digest from outside lets one choose e, which `sm` never takes.
    let s = Scalar::from(5u64);
    let point = (sm2::ProjectivePoint::GENERATOR * s).to_affine();
    let (r, x) = (-s, Scalar::from_repr(point.x()).unwrap());
    let e: [u8; 32] = (r - x).to_repr().into();
    let verifying = sm2::dsa::VerifyingKey::from_sec1_bytes("", key().public().as_bytes()).unwrap();
    let forged = sm2::dsa::Signature::from_scalars(r.to_repr(), s.to_repr()).unwrap();
    assert!(verifying.verify_prehash(&e, &forged).is_err());
}

#[test]
fn a_digest_of_zero_signs_and_verifies_like_any_other() {
    let signing = sm2::dsa::SigningKey::from_slice("", key().to_bytes().as_slice()).unwrap();
    let signature = signing.sign_prehash(&[0; 32]).unwrap();
    signing.verifying_key().verify_prehash(&[0; 32], &signature).unwrap();
    assert!(signing.verifying_key().verify_prehash(&[1; 32], &signature).is_err());
}

#[test]
fn a_signature_under_another_user_id_does_not_hold() {
    use sm2::dsa::signature::Signer as _;
    let longest = "x".repeat(8191);
    for id in ["", "ALICE123@YAHOO.COM", longest.as_str()] {
        let signing = sm2::dsa::SigningKey::from_slice(id, key().to_bytes().as_slice()).unwrap();
        let foreign = Signature::from_bytes(signing.sign(b"message").to_bytes().into());
        assert_eq!(key().public().verify(b"message", &foreign), Err(SmError::Signature));
    }
}

#[test]
fn every_flipped_bit_of_a_signature_is_refused() {
    let good = key().sign(b"message");
    for bit in 0..512 {
        let mut bytes = *good.as_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert!(key().public().verify(b"message", &Signature::from_bytes(bytes)).is_err(), "bit {bit}");
    }
}

#[test]
fn public_keys_are_points_of_the_curve_in_one_form() {
    let good = *key().public().as_bytes();
    let mut off_curve = good;
    off_curve[64] ^= 1;
    let zero = [&[4][..], &[0; 64]].concat();
    let compressed = [&[2 + (good[64] & 1)], &good[1..33]].concat();
    let with_prefix = |prefix: u8| [&[prefix], &good[1..]].concat();
    let cases: [&[u8]; 10] = [
        &off_curve,
        &zero,
        &compressed,
        &with_prefix(0),
        &with_prefix(5),
        &with_prefix(6 + (good[64] & 1)),
        &[0],
        &[],
        &good[..64],
        &[&good[..], &[0]].concat(),
    ];
    for bytes in cases {
        assert_eq!(PublicKey::from_bytes(bytes), Err(SmError::PublicKey), "{bytes:02x?}");
    }
}

#[test]
fn a_coordinate_is_below_p() {
    // The least x of a point; x + p has 256 bits and is the same field element, but not the same bytes.
    let (x, point) = (0u8..)
        .find_map(|x| {
            let mut compressed = [0; 33];
            (compressed[0], compressed[32]) = (2, x);
            let point = sm2::PublicKey::from_sec1_bytes(&compressed).ok()?.to_sec1_point(false);
            Some((x, <[u8; 65]>::try_from(point.as_bytes()).unwrap()))
        })
        .unwrap();
    assert!(PublicKey::from_bytes(&point).is_ok());
    let mut beyond = point;
    beyond[1..33].copy_from_slice(&plus(&hex(P), x));
    assert_eq!(PublicKey::from_bytes(&beyond), Err(SmError::PublicKey));
    let sealed = edge::encrypt(&key().public(), b"text", CiphertextForm::C1C3C2, &mut Seeded(1)).unwrap();
    for form in FORMS {
        let bytes = match form {
            CiphertextForm::Der => der_ciphertext(&beyond[1..33], &beyond[33..], &sealed[65..97], b"text"),
            _ => [&beyond, &sealed[65..]].concat(),
        };
        assert_eq!(edge::decrypt(&key(), &bytes, form), Err(SmError::Open));
    }
}

fn plus(number: &[u8], small: u8) -> Vec<u8> {
    let (mut sum, mut carry) = (number.to_vec(), u16::from(small));
    for byte in sum.iter_mut().rev() {
        carry += u16::from(*byte);
        *byte = carry.to_be_bytes()[1];
        carry >>= 8;
    }
    assert_eq!(carry, 0);
    sum
}

fn der_integer(bytes: &[u8]) -> Vec<u8> {
    let bytes = &bytes[bytes.iter().position(|b| *b != 0).unwrap_or(bytes.len() - 1)..];
    let lead: &[u8] = if bytes[0] >= 0x80 { &[0] } else { &[] };
    der(2, &[lead, bytes].concat())
}

/// One DER element of up to 255 bytes.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let len = u8::try_from(content.len()).unwrap();
    let header: &[u8] = if len < 0x80 { &[tag, len] } else { &[tag, 0x81, len] };
    [header, content].concat()
}

fn der_ciphertext(x: &[u8], y: &[u8], hash: &[u8], text: &[u8]) -> Vec<u8> {
    der(0x30, &[der_integer(x), der_integer(y), der(4, hash), der(4, text)].concat())
}

#[test]
fn a_signature_has_one_der_form() {
    let good = key().sign(b"message");
    let (r, s) = good.as_bytes().split_at(32);
    let (r, s) = (der_integer(r), der_integer(s));
    let whole = der(0x30, &[r.clone(), s.clone()].concat());
    assert_eq!(edge::signature_to_der(&good), whole);
    assert_eq!(edge::signature_from_der(&whole), Ok(good));

    let padded = |integer: &[u8]| der(2, &[&[0, 0], &integer[2..]].concat());
    let long_length = [&[0x30, 0x81], &whole[1..]].concat();
    let indefinite = [&[0x30, 0x80], &whole[2..], &[0, 0]].concat();
    let cases: [&[u8]; 11] = [
        &[],
        &whole[..whole.len() - 1],
        &[whole.as_slice(), &[0]].concat(),
        &long_length,
        &indefinite,
        &der(0x30, &[padded(&r), s.clone()].concat()),
        &der(0x30, &[r.clone(), padded(&s)].concat()),
        &der(0x30, &[r.clone(), s.clone(), der(2, &[1])].concat()),
        &der(0x30, &r),
        &der(0x31, &[r.clone(), s.clone()].concat()),
        &der(0x30, &[r.clone(), der(2, &[0x81])].concat()),
    ];
    for (i, bytes) in cases.into_iter().enumerate() {
        assert_eq!(edge::signature_from_der(bytes), Err(SmError::Encoding), "case {i}");
    }
    let too_long = der(0x30, &[r, der(2, &[1; 33])].concat());
    assert_eq!(edge::signature_from_der(&too_long), Err(SmError::Encoding));
}

#[test]
fn ciphertexts_are_refused_when_anything_in_them_changed() {
    for form in FORMS {
        let good = edge::encrypt(&key().public(), b"text", form, &mut Seeded(3)).unwrap();
        assert_eq!(*edge::decrypt(&key(), &good, form).unwrap(), b"text");
        for bit in 0..good.len() * 8 {
            let mut changed = good.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(edge::decrypt(&key(), &changed, form), Err(SmError::Open), "{form:?} bit {bit}");
        }
        for len in 0..good.len() {
            assert_eq!(edge::decrypt(&key(), &good[..len], form), Err(SmError::Open), "{form:?} {len}");
        }
        let longer = [good.as_slice(), &[0]].concat();
        assert_eq!(edge::decrypt(&key(), &longer, form), Err(SmError::Open));
        let other = SecretKey::from_bytes(&[7; 32]).unwrap();
        assert_eq!(edge::decrypt(&other, &good, form), Err(SmError::Open));
    }
}

#[test]
fn an_empty_text_is_neither_encrypted_nor_decrypted() {
    let good = edge::encrypt(&key().public(), b"text", CiphertextForm::C1C3C2, &mut Seeded(3)).unwrap();
    for form in FORMS {
        let encrypted = edge::encrypt(&key().public(), b"", form, &mut Seeded(1));
        assert_eq!(encrypted, Err(SmError::Encoding));
        let empty = match form {
            CiphertextForm::Der => der_ciphertext(&good[1..33], &good[33..65], &good[65..97], b""),
            _ => good[..97].to_vec(),
        };
        assert_eq!(edge::decrypt(&key(), &empty, form), Err(SmError::Open));
    }
}

#[test]
fn the_orders_are_not_guessed() {
    let good = edge::encrypt(&key().public(), b"text", CiphertextForm::C1C3C2, &mut Seeded(3)).unwrap();
    assert_eq!(edge::decrypt(&key(), &good, CiphertextForm::C1C2C3), Err(SmError::Open));
}

#[test]
fn keys_have_one_der_form_and_n_minus_1_is_refused_there_too() {
    let public = edge::public_key_to_der(&key().public());
    assert_eq!(edge::public_key_from_der(&public), Ok(key().public()));
    let secret = edge::secret_key_to_der(&key());
    assert_eq!(edge::secret_key_from_der(&secret).unwrap().public(), key().public());
    for len in 0..public.len() {
        assert!(edge::public_key_from_der(&public[..len]).is_err());
    }
    for len in 0..secret.len() {
        assert!(edge::secret_key_from_der(&secret[..len]).is_err());
    }
    assert!(edge::public_key_from_der(&[public.as_slice(), &[0]].concat()).is_err());
    assert!(edge::secret_key_from_der(&[secret.as_slice(), &[0]].concat()).is_err());
    assert!(edge::public_key_from_pem(&edge::secret_key_to_pem(&key())).is_err());
    assert!(edge::secret_key_from_pem(&edge::public_key_to_pem(&key().public())).is_err());

    // Another curve's name (P-256 in place of SM2) and a foreign public point inside.
    let position = public.windows(8).position(|w| w == hex("2a811ccf5501822d")).unwrap();
    let mut renamed = public.clone();
    renamed[position + 7] ^= 1;
    assert_eq!(edge::public_key_from_der(&renamed), Err(SmError::Encoding));
    let mut foreign = secret.to_vec();
    let at = foreign.len() - 65;
    foreign[at..].copy_from_slice(SecretKey::from_bytes(&[7; 32]).unwrap().public().as_bytes());
    assert!(edge::secret_key_from_der(&foreign).is_err());

    let outermost = sm2::SecretKey::from_slice(&hex(N_MINUS_1)).unwrap();
    let outermost = sm2::pkcs8::EncodePrivateKey::to_pkcs8_der(&outermost).unwrap();
    assert_eq!(edge::secret_key_from_der(outermost.as_bytes()).err(), Some(SmError::SecretKey));
    let compressed = sm2::PublicKey::from_sec1_bytes(key().public().as_bytes()).unwrap();
    let compressed = compressed.to_sec1_point(true);
    let algorithm = &public[2..23];
    let bits = der(3, &[&[0], compressed.as_bytes()].concat());
    let compressed = der(0x30, &[algorithm, &bits].concat());
    assert_eq!(edge::public_key_from_der(&compressed), Err(SmError::Encoding));
}

proptest! {
    #[test]
    fn no_bytes_make_the_edge_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), text: String) {
        prop_assert!(edge::signature_from_der(&bytes).is_err());
        prop_assert!(edge::public_key_from_der(&bytes).is_err());
        prop_assert!(edge::secret_key_from_der(&bytes).is_err());
        prop_assert!(edge::public_key_from_pem(&text).is_err());
        prop_assert!(edge::secret_key_from_pem(&text).is_err());
        for form in FORMS {
            prop_assert!(edge::decrypt(&key(), &bytes, form).is_err());
        }
    }

    #[test]
    fn texts_of_any_length_come_back(text in proptest::collection::vec(any::<u8>(), 1..200), seed: u32) {
        for form in FORMS {
            let sealed = edge::encrypt(&key().public(), &text, form, &mut Seeded(seed.into())).unwrap();
            prop_assert!(*edge::decrypt(&key(), &sealed, form).unwrap() == text);
        }
    }
}
