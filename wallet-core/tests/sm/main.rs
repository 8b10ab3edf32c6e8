//! National cryptography from outside: the standards' own examples, what must be refused, what other
//! libraries write and read, and that no secret is ever printed.

mod formats;
mod openssl;
mod others;
mod refused;
mod secrets;
mod standards;

use data_encoding::HEXLOWER_PERMISSIVE;
use suishen_core::sm::{Digest, Random};

/// Randomness from a seed.
pub struct Seeded(pub u64);

impl Random for Seeded {
    fn fill(&mut self, out: &mut [u8]) {
        for piece in out.chunks_mut(32) {
            piece.copy_from_slice(&Digest::of(&self.0.to_be_bytes()).as_bytes()[..piece.len()]);
            self.0 += 1 << 32;
        }
    }
}

fn hex(text: &str) -> Vec<u8> {
    HEXLOWER_PERMISSIVE.decode(text.as_bytes()).unwrap()
}

fn hex_array<const N: usize>(text: &str) -> [u8; N] {
    hex(text).try_into().unwrap()
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap()
}
