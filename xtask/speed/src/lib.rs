//! The works of `wallet-core/benches` as wasm, compiled as the engine is. `speed.mjs` beside runs them in node, in
//! turns with an npm package that does the same.

#[path = "../../../wallet-core/benches/works/mod.rs"]
mod works;

use wasm_bindgen::prelude::*;
use works::{Work, Works};

/// All works, ready to run.
#[wasm_bindgen]
#[derive(Default)]
#[allow(missing_debug_implementations)] // holds a key
pub struct Speed(Works);

#[wasm_bindgen]
impl Speed {
    /// Makes keys and texts.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    /// Runs a work so many times; false when it is unknown or fails.
    pub fn run(&mut self, name: &str, times: u32) -> bool {
        let Some(work) = Work::ALL.into_iter().find(|work| work.name() == name) else { return false };
        (0..times).all(|_| self.0.run(work))
    }
}
