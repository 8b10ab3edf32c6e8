//! The whole protocol without a network, on the real pieces (PROTOCOL §3 to §8): a consortium, a hospital, a patient's
//! vault, a clinic's desk, gates and an auditor. First the story as it should go, then what must be refused, one sentence
//! a test.

mod audit;
mod audit_claims;
mod auditor;
mod claims;
mod claims_told;
mod formats;
mod gates;
mod payload;
mod people;
mod records;
mod servers;
mod sharing;
mod story;
mod tickets;
mod world;

use suishen_core::sm::{Digest, Random};

/// Randomness from a seed.
#[derive(Debug)]
pub struct Seeded(u64);

impl Random for Seeded {
    fn fill(&mut self, out: &mut [u8]) {
        for piece in out.chunks_mut(32) {
            piece.copy_from_slice(&Digest::of(&self.0.to_be_bytes()).as_bytes()[..piece.len()]);
            self.0 += 1;
        }
    }
}
