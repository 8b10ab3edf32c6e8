//! The examples printed in the standards. SM4-GCM's (RFC 8998) and SM2 encryption's (GB/T 32918.5) stand beside
//! the modules that hold them, where nonce and ephemeral key are within reach. GB/T 32918.2 and .4 print theirs on
//! a test curve that the crate doesn't have; .5 repeats them on the curve that is used.

use crate::{hex, hex_array, json};
use sm4::cipher::{BlockCipherDecrypt as _, BlockCipherEncrypt as _, KeyInit as _};
use suishen_core::sm::{Digest, PublicKey, SecretKey, Signature, edge};

#[test]
fn sm3_gives_the_digests_of_gb_t_32905() {
    let file = json(include_str!("../vectors/gb-t-32905.json"));
    for case in file["cases"].as_array().unwrap() {
        let message = hex(case["message"].as_str().unwrap());
        assert_eq!(Digest::of(&message).to_hex(), case["digest"].as_str().unwrap());
    }
}

#[test]
fn sm4_gives_the_blocks_of_gb_t_32907() {
    let file = json(include_str!("../vectors/gb-t-32907.json"));
    let field = |name: &str| hex_array::<16>(file[name].as_str().unwrap());
    let cipher = sm4::Sm4::new(&field("key").into());
    let mut block = field("plaintext").into();
    cipher.encrypt_block(&mut block);
    assert_eq!(block, field("once"));
    cipher.decrypt_block(&mut block);
    assert_eq!(block, field("plaintext"));
    for _ in 0..1_000_000 {
        cipher.encrypt_block(&mut block);
    }
    assert_eq!(block, field("a million times"));
}

#[test]
fn the_signature_of_gb_t_32918_5_holds() {
    let file = json(include_str!("../vectors/gb-t-32918.5.json"));
    let field = |name: &str| file["signature"][name].as_str().unwrap();
    let secret = SecretKey::from_bytes(&hex_array(field("d"))).unwrap();
    let point = [vec![4], hex(field("x")), hex(field("y"))].concat();
    assert_eq!(secret.public(), PublicKey::from_bytes(&point).unwrap());

    let message = field("message").as_bytes();
    let signature = hex_array([field("r"), field("s")].concat().as_str());
    let signature = Signature::from_bytes(signature);
    secret.public().verify(message, &signature).unwrap();
    assert!(secret.public().verify(b"message digesu", &signature).is_err());
    assert_eq!(edge::signature_from_der(&edge::signature_to_der(&signature)), Ok(signature));
}

#[test]
fn z_and_e_are_those_of_gb_t_32918_5() {
    // Z = SM3(bits of the ID ‖ ID ‖ a ‖ b ‖ G ‖ point), spelled out; then what e the signed message has.
    let file = json(include_str!("../vectors/gb-t-32918.5.json"));
    let field = |name: &str| file["signature"][name].as_str().unwrap();
    let curve = hex(concat!(
        "fffffffeffffffffffffffffffffffffffffffff00000000fffffffffffffffc",
        "28e9fa9e9d9f5e344d5a9e4bcf6509a7f39789f515ab8f92ddbcbd414d940e93",
        "32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7",
        "bc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0",
    ));
    let id = field("id").as_bytes();
    let z = [&[0, 128], id, &curve, &hex(field("x")), &hex(field("y"))].concat();
    assert_eq!(Digest::of(&z).as_bytes(), hex(field("z")).as_slice());
    let e = [Digest::of(&z).as_bytes(), field("message").as_bytes()].concat();
    assert_eq!(Digest::of(&e).as_bytes(), hex(field("e")).as_slice());
}

#[test]
fn a_signature_needs_no_randomness_and_repeats() {
    let key = SecretKey::from_bytes(&[1; 32]).unwrap();
    assert_eq!(key.sign(b"a"), key.sign(b"a"));
    // Unlike messages, unlike nonces: r would be e + x with the same x otherwise.
    assert_ne!(key.sign(b"a").as_bytes()[..32], key.sign(b"b").as_bytes()[..32]);
}
