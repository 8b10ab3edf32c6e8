//! Every encoder against `formats.cddl`: an object that the file doesn't describe does not leave this crate.

use cddl::validate_cbor_from_slice;
use suishen_core::cbor;
use suishen_core::id::{GrantId, LedgerId};
use suishen_core::sm::{Object, SecretKey, Signed};

const FORMATS: &str = include_str!("../formats.cddl");

/// Whether CBOR bytes are what `rule` of the file says.
fn check(rule: &str, bytes: &[u8]) -> Result<(), String> {
    let file = format!("root = {rule}\n{FORMATS}");
    validate_cbor_from_slice(&file, bytes, None).map_err(|e| format!("{rule}: {e}"))
}

fn holds<T: minicbor::Encode<()>>(rule: &str, value: &T) {
    check(rule, &cbor::encode(value)).unwrap();
}

#[derive(minicbor::Encode, minicbor::Decode)]
struct Note(#[n(0)] u8);
impl Object for Note {
    const NAME: &'static str = "note";
}

fn key(n: u8) -> SecretKey {
    SecretKey::from_bytes(&[n; 32]).unwrap()
}

#[test]
fn the_file_tells_good_from_bad() {
    holds("digest", &GrantId::from_bytes([1; 32]));
    assert!(check("digest", &[0x41, 0]).is_err());
    assert!(check("share", &cbor::encode(&(1u8, 2u8))).is_err());
}

#[test]
fn signed_objects() {
    holds("signed", &Signed::new(&Note(1), &key(1), &LedgerId::from_bytes([2; 32])));
    holds("key", &key(1).public());
    holds("secret", &key(1));
}
