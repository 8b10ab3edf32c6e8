//! Randomness from the operating system.

use suishen_core::sm::Random;

/// The operating system's generator.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&mut self, out: &mut [u8]) {
        getrandom::fill(out).expect("without the system's randomness no key may be made");
    }
}
