//! Randomness from a seed, for tests of this crate only: the same seed gives the same bytes.

use super::{Digest, Random};

/// SM3(seed ‖ counter), block after block.
#[derive(Clone)]
pub(crate) struct Seeded {
    seed: u64,
    counter: u64,
}

impl Seeded {
    pub(crate) const fn new(seed: u64) -> Self {
        Self { seed, counter: 0 }
    }
}

impl Random for Seeded {
    fn fill(&mut self, out: &mut [u8]) {
        for piece in out.chunks_mut(32) {
            let input = [self.seed.to_be_bytes(), self.counter.to_be_bytes()].concat();
            piece.copy_from_slice(&Digest::of(&input).as_bytes()[..piece.len()]);
            self.counter += 1;
        }
    }
}
