//! Vectors that others wrote: Botan (SM2) and Wycheproof (HMAC-SM3). They lie beside the project; where they
//! don't, a test says so and returns.

use crate::{hex, json};
use std::collections::HashMap;
use suishen_core::sm::{
    SecretKey, SmError,
    edge::{self, CiphertextForm},
    kdf,
};

fn read(name: &str) -> Option<String> {
    let text = std::fs::read_to_string(format!("{}/../../shared/vectors/{name}", env!("CARGO_MANIFEST_DIR")));
    if text.is_err() {
        println!("not checked, {name} is not there");
    }
    text.ok()
}

/// `NAME = value` lines; a name keeps its value, and a case ends at the name `end`.
fn cases(text: &str, end: &str) -> Vec<HashMap<String, String>> {
    let (mut cases, mut current) = (Vec::new(), HashMap::new());
    for (name, value) in text.lines().filter(|l| !l.starts_with('#')).filter_map(|l| l.split_once('=')) {
        current.insert(name.trim().to_owned(), value.trim().to_owned());
        if name.trim() == end {
            cases.push(current.clone());
        }
    }
    cases
}

fn scalar(text: &str) -> [u8; 32] {
    hex(text.trim_start_matches("0x")).try_into().unwrap()
}

#[test]
fn botan_s_signature_on_this_curve_holds() {
    use sm2::dsa::signature::Verifier as _;
    let Some(text) = read("botan/sm2_sig.vec") else { return };
    let usable =
        |case: &&HashMap<String, String>| case["Oid"] == "1.2.156.10197.1.301" && case["Hash"] == "SM3";
    let all = cases(&text, "Signature");
    assert_eq!(all.len(), 7);
    let mut held = 0;
    for case in all.iter().filter(usable) {
        // Its user ID is another than the fixed one, so the crate underneath is asked.
        let secret = SecretKey::from_bytes(&scalar(&case["x"])).unwrap();
        let key =
            sm2::dsa::VerifyingKey::from_sec1_bytes(&case["Ident"], secret.public().as_bytes()).unwrap();
        let signature = sm2::dsa::Signature::from_slice(&hex(&case["Signature"])).unwrap();
        key.verify(&hex(&case["Msg"]), &signature).unwrap();
        assert!(key.verify(b"another", &signature).is_err());
        held += 1;
    }
    println!("{held} held, the others are on other curves or hashes");
    assert_eq!(held, 1);
}

#[test]
fn botan_s_invalid_ciphertexts_are_refused() {
    let Some(text) = read("botan/sm2_invalid.vec") else { return };
    let cases = cases(&text, "Ctext");
    assert_eq!(cases.len(), 20);
    for case in &cases {
        let key = SecretKey::from_bytes(&scalar(&case["Key"])).unwrap();
        let opened = edge::decrypt(&key, &hex(&case["Ctext"]), CiphertextForm::Der);
        assert_eq!(opened, Err(SmError::Open), "{}", case["Ctext"]);
    }
    // The one with a trailing byte is good without it.
    let good = text.split("# Trailing byte").nth(1).unwrap().lines().nth(1).unwrap();
    let good = good.trim_start_matches("Ctext = ").strip_suffix("00").unwrap();
    let key = SecretKey::from_bytes(&scalar(&cases[0]["Key"])).unwrap();
    assert_eq!(*edge::decrypt(&key, &hex(good), CiphertextForm::Der).unwrap(), b"Hello SM2");
}

#[test]
fn wycheproof_agrees_on_hmac_sm3() {
    let Some(text) = read("wycheproof/hmac_sm3_test.json") else { return };
    let (file, mut valid, mut invalid) = (json(&text), 0, 0);
    for group in file["testGroups"].as_array().unwrap() {
        for case in group["tests"].as_array().unwrap() {
            let field = |name: &str| hex(case[name].as_str().unwrap());
            let (key, message, tag) = (field("key"), field("msg"), field("tag"));
            let mac = kdf::hmac(&key, &[&message]);
            let whole = group["tagSize"] == 256;
            if case["result"] == "valid" {
                assert_eq!(mac[..tag.len()], tag, "{case}");
                assert_eq!(kdf::hmac_matches(&key, &[&message], &tag), whole, "{case}");
                valid += 1;
            } else {
                assert_ne!(mac[..tag.len()], tag, "{case}");
                assert!(!kdf::hmac_matches(&key, &[&message], &tag), "{case}");
                invalid += 1;
            }
        }
    }
    assert_eq!((valid, invalid), (66, 108));
}
