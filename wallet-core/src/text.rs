//! What people type, in one spelling whatever keyboard it came from: Unicode's compatible forms (UAX #15).
//!
//! The tables for it would be a fourteenth of what the wallet loads. A browser has them; elsewhere they are a crate's.

use zeroize::Zeroizing;

/// In composed form.
pub(crate) fn nfkc(text: &str) -> Zeroizing<String> {
    Zeroizing::new(form::nfkc(text))
}

/// In decomposed form, as BIP-39 spells its words.
pub(crate) fn nfkd(text: &str) -> Zeroizing<String> {
    Zeroizing::new(form::nfkd(text))
}

#[cfg(all(target_family = "wasm", target_os = "unknown"))]
mod form {
    use js_sys::JsString;

    pub(super) fn nfkc(text: &str) -> String {
        JsString::from(text).normalize("NFKC").into()
    }

    pub(super) fn nfkd(text: &str) -> String {
        JsString::from(text).normalize("NFKD").into()
    }
}

#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
mod form {
    use unicode_normalization::UnicodeNormalization as _;

    pub(super) fn nfkc(text: &str) -> String {
        text.nfkc().collect()
    }

    pub(super) fn nfkd(text: &str) -> String {
        text.nfkd().collect()
    }
}
