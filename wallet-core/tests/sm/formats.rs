//! Streams and boxes made a second time, step by step from PROTOCOL §1 and the bare crates: what another
//! implementation would write. A change of format fails here first.

use crate::Seeded;
use aes_gcm::{AeadInOut as _, AesGcm, KeyInit as _, aead::consts::U12};
use sm2::elliptic_curve::point::AffineCoordinates as _;
use suishen_core::{
    id::LedgerId,
    sm::{Digest, Key32, Label, SecretKey, aead, kdf, sealed, stream},
};

fn hkdf(ikm: &[u8], salt: &[u8], info: &[&[u8]], len: usize) -> Vec<u8> {
    // At most two blocks of RFC 5869 are asked for.
    let prk = kdf::hmac(if salt.is_empty() { &[0; 32] } else { salt }, &[ikm]);
    let info = info.concat();
    let one = kdf::hmac(prk.as_slice(), &[&info, &[1]]);
    let two = kdf::hmac(prk.as_slice(), &[one.as_slice(), &info, &[2]]);
    [*one, *two].concat()[..len].to_vec()
}

fn sm4_gcm(key: &[u8], nonce: &[u8], aad: &[u8], text: &[u8]) -> Vec<u8> {
    let cipher = AesGcm::<sm4::Sm4, U12>::new_from_slice(key).unwrap();
    let mut out = text.to_vec();
    let nonce = <[u8; 12]>::try_from(nonce).unwrap();
    let tag = cipher.encrypt_inout_detached(&nonce.into(), aad, out.as_mut_slice().into()).unwrap();
    out.extend_from_slice(&tag);
    out
}

#[test]
fn a_stream_is_what_the_protocol_says() {
    let (key, text) = (Key32::from_bytes([1; 32]), vec![7; stream::CHUNK + 3]);
    let made = stream::encrypt(&key, Label::new("part"), &text, &mut Seeded(5));
    let header = &made[..16];
    let sm4_key = hkdf(&[1; 32], header, &[b"suishen/stream\0suishen/part\0"], 16);
    let (first, last) = text.split_at(stream::CHUNK);
    let first = sm4_gcm(&sm4_key, &[0; 12], b"", first);
    let last = sm4_gcm(&sm4_key, &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1], b"", last);
    assert_eq!(made, [header, &first, &last].concat());
}

#[test]
fn a_small_sealed_object_is_what_the_protocol_says() {
    let key = Key32::from_bytes([1; 32]);
    let made = aead::seal(&key, Label::new("event"), b"aad", b"text", &mut Seeded(5));
    let header = &made[..16];
    let derived = hkdf(&[1; 32], header, &[b"suishen/aead\0suishen/event\0"], 28);
    assert_eq!(made[16..], sm4_gcm(&derived[..16], &derived[16..], b"aad", b"text"));
}

#[test]
fn a_recomputable_box_is_what_the_protocol_says() {
    let (secret, ledger) = (SecretKey::from_bytes(&[2; 32]).unwrap(), LedgerId::from_bytes([3; 32]));
    let (seed, object, recipient) = (Key32::from_bytes([4; 32]), Digest::of(b"grant"), secret.public());
    let label = Label::new("auditor-box");
    let made = sealed::seal_recomputable(&seed, &recipient, &ledger, &object, label, b"text");

    let context = [b"suishen/auditor-box\0", &ledger.as_bytes()[..], recipient.as_bytes(), object.as_bytes()];
    let text_digest = Digest::of(b"text");
    let scalar = hkdf(&[4; 32], b"", &[&context.concat(), text_digest.as_bytes(), &[0]], 32);
    let ephemeral = sm2::NonZeroScalar::try_from(scalar.as_slice()).unwrap();
    let point = sm2::PublicKey::from_secret_scalar(&ephemeral).to_sec1_bytes();
    let theirs = sm2::PublicKey::from_sec1_bytes(recipient.as_bytes()).unwrap();
    let shared = (sm2::ProjectivePoint::from(theirs) * *ephemeral).to_affine().x();
    let derived = hkdf(&[&shared[..], &point, recipient.as_bytes()].concat(), b"", &context, 28);
    let text = sm4_gcm(&derived[..16], &derived[16..], b"", b"text");
    assert_eq!(made, [&point, text.as_slice()].concat());
}

#[test]
fn commitment_and_part_digest_are_labelled_digests() {
    let (key, salt) = (Key32::from_bytes([1; 32]), [2; 16]);
    let commitment = [b"suishen/key-commitment\0", &[1; 32][..], &salt].concat();
    assert_eq!(stream::key_commitment(&key, &salt), Digest::of(&commitment));
    let part = [b"suishen/plaintext\0", &salt[..], b"text"].concat();
    assert_eq!(stream::PlaintextDigest::of(&salt, b"text"), Digest::of(&part));
}
