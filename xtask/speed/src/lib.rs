//! The works of `wallet-core/benches` as wasm, compiled as the engine is, and what only a desk does. `speed.mjs` beside runs
//! them in node, in turns with an npm package that does the same, where one does.

mod disclosure;
#[path = "../../../wallet-core/benches/works/mod.rs"]
mod works;

use disclosure::Disclosure;
use wasm_bindgen::prelude::*;
use works::{Work, Works};

/// The work that no other package does.
const DISCLOSURE: &str = "disclosure-20-of-2000";

/// All works, ready to run.
#[wasm_bindgen]
#[allow(missing_debug_implementations)] // holds a key
pub struct Speed {
    works: Works,
    disclosure: Option<Disclosure>,
}

#[wasm_bindgen]
impl Speed {
    /// Makes keys and texts.
    #[wasm_bindgen(constructor)]
    #[allow(clippy::new_without_default)] // nobody else makes one
    pub fn new() -> Self {
        Self { works: Works::default(), disclosure: Disclosure::make() }
    }

    /// Runs a work so many times; false when it is unknown or fails.
    pub fn run(&mut self, name: &str, times: u32) -> bool {
        if name == DISCLOSURE {
            let opens = |disclosure: &Disclosure| (0..times).all(|_| disclosure.open());
            return self.disclosure.as_ref().is_some_and(opens);
        }
        let Some(work) = Work::ALL.into_iter().find(|work| work.name() == name) else { return false };
        (0..times).all(|_| self.works.run(work))
    }
}
