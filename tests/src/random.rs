//! Randomness of a scene that makes a wallet's or a phone's bytes itself.

use suishen_core::sm::Random;

/// The same bytes from the same seed: nobody is kept from reading what a scene makes.
#[derive(Debug)]
pub struct Repeatable(pub u64);

impl Random for Repeatable {
    fn fill(&mut self, out: &mut [u8]) {
        for byte in out {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *byte = self.0.to_be_bytes()[0];
        }
    }
}
