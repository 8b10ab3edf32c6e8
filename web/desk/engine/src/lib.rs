//! The engine of the desks: a bundle of its own, so that nobody loads the other role's.

use wasm_bindgen::prelude::wasm_bindgen;

/// Starts listening; the glue hands over what came earlier.
#[wasm_bindgen(start)]
pub fn start() {
    suishen_engine::start(suishen_engine::DESK);
}
