//! No secret is ever printed: what `Debug` shows of every type that holds one, and of errors.

use crate::Seeded;
use suishen_core::sm::{Key32, Label, SecretKey, SmError, shamir, stream};

#[test]
fn types_that_hold_secrets_print_redacted() {
    let random = &mut Seeded(1);
    let (key, secret) = (Key32::from_bytes([0xab; 32]), SecretKey::from_bytes(&[0xab; 32]).unwrap());
    let shares = shamir::split(&key, 1, 1, random).unwrap();
    let label = Label::new("test");
    let encryptor = stream::Encryptor::new(&key, label, random, &mut Vec::new());
    let decryptor = stream::Decryptor::new(&key, label);
    assert_eq!(format!("{key:?}"), "Key32([redacted])");
    assert_eq!(format!("{secret:?}"), "SecretKey([redacted])");
    assert_eq!(format!("{shares:?}"), "[Share { index: 1, value: Key32([redacted]) }]");
    assert_eq!(format!("{encryptor:?}"), "Encryptor([redacted])");
    assert_eq!(format!("{decryptor:?}"), "Decryptor([redacted])");
    let digest = stream::PlaintextDigest::new(&[0xab; 16]);
    assert_eq!(format!("{digest:?}"), "PlaintextDigest(DigestBuilder)");
    for printed in [format!("{key:#?}"), format!("{secret:#?}"), format!("{shares:#?}")] {
        assert!(printed.contains("[redacted]"));
        for canary in ["ab, ab", "abab", "171", "ABAB"] {
            assert!(!printed.contains(canary), "{printed}");
        }
    }
}

#[test]
fn a_failed_opening_says_one_thing_only() {
    // Another key, a changed byte, a cut: one error, which an attacker learns nothing from.
    let random = &mut Seeded(1);
    let (key, label) = (Key32::generate(random), Label::new("test"));
    let good = stream::encrypt(&key, label, b"text", random);
    let other = Key32::generate(random);
    let mut changed = good.clone();
    changed[20] ^= 1;
    let failures = [
        stream::decrypt(&other, label, &good),
        stream::decrypt(&key, label, &changed),
        stream::decrypt(&key, label, &good[..good.len() - 1]),
        stream::decrypt(&key, label, &[]),
    ];
    for failure in failures {
        assert_eq!(failure, Err(SmError::Open));
    }
}
