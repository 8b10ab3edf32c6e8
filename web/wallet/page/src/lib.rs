//! The pages of the patient's wallet: a bundle of their own, so that nobody loads the other role's.

use wasm_bindgen::prelude::wasm_bindgen;

/// Mounts the interface. `boot.js` calls it with the fragment that it took from the address before anything else,
/// the language that the person chose and its texts.
#[wasm_bindgen]
pub fn start(taken: String, language: &str, texts: String) {
    suishen_app::app::mount(taken, language, texts, suishen_app::app::wallet);
}
