//! SM4-GCM against the example of RFC 8998 and Wycheproof's vectors.

use super::*;
use data_encoding::HEXLOWER;
use serde_json::Value;

fn hex(value: &Value, name: &str) -> Vec<u8> {
    HEXLOWER.decode(value[name].as_str().unwrap().as_bytes()).unwrap()
}

fn cipher(case: &Value) -> Cipher {
    Cipher::new(&hex(case, "key").try_into().unwrap())
}

/// Sealing gives exactly text and tag, opening gives the message back.
fn holds_both_ways(case: &Value, message: &str, ciphertext: &str) {
    let nonce: [u8; 12] = hex(case, "iv").try_into().unwrap();
    let sealed = [hex(case, ciphertext), hex(case, "tag")].concat();
    let mut buffer = hex(case, message);
    cipher(case).seal(&nonce, &hex(case, "aad"), &mut buffer);
    assert_eq!(buffer, sealed, "{case}");
    cipher(case).open(&nonce, &hex(case, "aad"), &mut buffer).unwrap();
    assert_eq!(buffer, hex(case, message), "{case}");
}

#[test]
fn the_example_of_rfc_8998_comes_out() {
    let case = serde_json::from_str(include_str!("../../tests/vectors/rfc-8998.json")).unwrap();
    holds_both_ways(&case, "plaintext", "ciphertext");
}

#[test]
fn a_failed_opening_leaves_no_plaintext() {
    let cipher = Cipher::new(&[1; 16]);
    let mut buffer = b"secret".to_vec();
    cipher.seal(&[0; 12], b"", &mut buffer);
    buffer[0] ^= 1;
    assert_eq!(cipher.open(&[0; 12], b"", &mut buffer), Err(SmError::Open));
    assert!(buffer.is_empty());
    assert_eq!(cipher.open(&[0; 12], b"", &mut vec![0; TAG - 1]), Err(SmError::Open));
}

#[test]
fn wycheproof_agrees() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/vectors/wycheproof/sm4_gcm_test.json");
    let Ok(text) = std::fs::read_to_string(path) else {
        println!("not checked, Wycheproof's SM4-GCM cases are not there");
        return;
    };
    let file: Value = serde_json::from_str(&text).unwrap();
    let (mut valid, mut invalid, mut skipped) = (0, 0, 0);
    for group in file["testGroups"].as_array().unwrap() {
        for case in group["tests"].as_array().unwrap() {
            // The type of the nonce admits 96 bits only: other lengths, zero among them, can't be asked for.
            let Ok(nonce) = <[u8; 12]>::try_from(hex(case, "iv")) else {
                skipped += 1;
                continue;
            };
            if case["result"] == "valid" {
                holds_both_ways(case, "msg", "ct");
                valid += 1;
            } else {
                let mut buffer = [hex(case, "ct"), hex(case, "tag")].concat();
                let opened = cipher(case).open(&nonce, &hex(case, "aad"), &mut buffer);
                assert_eq!((opened, buffer), (Err(SmError::Open), Vec::new()), "{case}");
                invalid += 1;
            }
        }
    }
    println!("{valid} valid, {invalid} invalid, {skipped} skipped for nonces that are not of 96 bits");
    assert_eq!(valid + invalid, 65);
    assert!(valid > 0 && invalid > 0);
}
