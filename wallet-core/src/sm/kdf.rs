//! HKDF-SM3 (RFC 5869 over HMAC-SM3) and HMAC-SM3 (RFC 2104), PROTOCOL §1.
//!
//! **Everything derived stands under a [`Label`]**, so that a key for one purpose never equals a key for
//! another. Context parts are concatenated: all but the last have a fixed length. Never used on passphrases,
//! which have too little entropy for it.

use super::Label;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sm3::Sm3;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// HKDF-SM3(ikm, label ‖ context) without a salt: `ikm` must be a secret of full entropy.
///
/// ```
/// use suishen_core::sm::{Label, kdf};
/// let key = kdf::derive::<32>(&[7; 32], Label::new("example"), &[b"first", b"last"]);
/// assert_eq!(key, kdf::derive::<32>(&[7; 32], Label::new("example"), &[b"firstlast"]));
/// assert_ne!(key, kdf::derive::<32>(&[7; 32], Label::new("another"), &[b"firstlast"]));
/// ```
pub fn derive<const N: usize>(ikm: &[u8], label: Label, context: &[&[u8]]) -> Zeroizing<[u8; N]> {
    derive_salted(ikm, &[], label, context)
}

/// HKDF-SM3(ikm, salt, label ‖ context). An empty salt is the salt of zeros of RFC 5869 §2.2.
pub fn derive_salted<const N: usize>(
    ikm: &[u8],
    salt: &[u8],
    label: Label,
    context: &[&[u8]],
) -> Zeroizing<[u8; N]> {
    const { assert!(N <= 255 * 32, "HKDF-SM3 yields at most 255 blocks of 32 bytes") }
    let label = label.to_bytes();
    let info: Vec<&[u8]> = core::iter::once(label.as_slice()).chain(context.iter().copied()).collect();
    let mut out = Zeroizing::new([0; N]);
    hkdf::Hkdf::<Sm3>::new(Some(salt), ikm)
        .expand_multi_info(&info, out.as_mut())
        .expect("the length was checked when this was compiled");
    out
}

/// HMAC-SM3 over the concatenation of `parts`.
pub fn hmac(key: &[u8], parts: &[&[u8]]) -> Zeroizing<[u8; 32]> {
    let mut mac = <Hmac<Sm3>>::new_from_slice(key).expect("HMAC takes keys of any length");
    for part in parts {
        mac.update(part);
    }
    Zeroizing::new(mac.finalize().into_bytes().into())
}

/// Whether `tag` is the whole HMAC-SM3 of `parts`, compared in constant time. A truncated tag never is.
pub fn hmac_matches(key: &[u8], parts: &[&[u8]], tag: &[u8]) -> bool {
    hmac(key, parts).as_slice().ct_eq(tag).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 5869 spelled out over [`hmac`], to check the crate against.
    fn hkdf_by_hand(ikm: &[u8], salt: &[u8], info: &[u8], len: usize) -> Vec<u8> {
        let prk = hmac(if salt.is_empty() { &[0; 32] } else { salt }, &[ikm]);
        let (mut out, mut block) = (Vec::new(), Vec::new());
        for i in 1..=u8::try_from(len.div_ceil(32)).unwrap() {
            block = hmac(prk.as_slice(), &[&block, info, &[i]]).to_vec();
            out.extend_from_slice(&block);
        }
        out.truncate(len);
        out
    }

    #[test]
    fn derived_bytes_are_those_of_rfc_5869() {
        let label = Label::new("test");
        let info = [label.to_bytes().as_slice(), b"abc"].concat();
        assert_eq!(
            derive::<32>(b"ikm", label, &[b"a", b"bc"]).to_vec(),
            hkdf_by_hand(b"ikm", b"", &info, 32)
        );
        assert_eq!(
            derive_salted::<77>(b"ikm", b"salt", label, &[b"abc"]).to_vec(),
            hkdf_by_hand(b"ikm", b"salt", &info, 77)
        );
    }

    #[test]
    fn key_salt_label_and_context_each_change_the_result() {
        let label = Label::new("test");
        let base = derive_salted::<16>(b"k", b"s", label, &[b"c"]);
        assert_ne!(base, derive_salted::<16>(b"l", b"s", label, &[b"c"]));
        assert_ne!(base, derive_salted::<16>(b"k", b"t", label, &[b"c"]));
        assert_ne!(base, derive_salted::<16>(b"k", b"s", Label::new("tesu"), &[b"c"]));
        assert_ne!(base, derive_salted::<16>(b"k", b"s", label, &[b"d"]));
    }

    #[test]
    fn a_tag_matches_only_whole_and_unchanged() {
        let tag = hmac(b"key", &[b"one", b"two"]);
        assert!(hmac_matches(b"key", &[b"onetwo"], tag.as_slice()));
        assert!(!hmac_matches(b"key", &[b"onetwo"], &tag[..16]));
        assert!(!hmac_matches(b"key", &[b"onetwo"], &[]));
        let mut changed = *tag;
        changed[31] ^= 1;
        assert!(!hmac_matches(b"key", &[b"onetwo"], &changed));
    }
}
