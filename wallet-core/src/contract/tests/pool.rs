//! What the model's generator draws from: choices, keys, certificates.

use super::naive::Known;
use super::world::*;
use crate::identity::Validity;
use crate::sm::PublicKey;
use std::sync::OnceLock;

pub(super) const CODES: [&str; 5] = [HOSPITAL, CLINIC, "91SHORT", "91LATE", AUDITOR];
/// Small random choices from one number.
pub(super) struct Dice(pub u64);

impl Dice {
    /// `SplitMix64`.
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: u64) -> u64 {
        self.roll() % n
    }

    pub fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    pub fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.below(of.len() as u64)).expect("an index")].clone()
    }
}

/// Public keys by number, computed once.
pub(super) fn k(number: u16) -> PublicKey {
    static KEYS: OnceLock<Vec<PublicKey>> = OnceLock::new();
    KEYS.get_or_init(|| (0..400).map(|i| public(2000 + i)).collect())[usize::from(number)]
}

pub(super) fn certificates() -> &'static [Known] {
    static KNOWN: OnceLock<Vec<Known>> = OnceLock::new();
    KNOWN.get_or_init(|| {
        let short = Validity { not_before: START, not_after: START + 2 * DAY };
        let past = Validity { not_before: START - DAY, not_after: START - 1 };
        let mut known = Vec::new();
        for (i, code) in (0u64..).zip(CODES) {
            let validity = if code == "91SHORT" { short } else { YEARS };
            for j in 0..4 {
                known.push((code, ROOT, 10 * i + j, validity));
            }
        }
        known.push((CLINIC, ROOT, 90, past));
        known.push((HOSPITAL, 2, 91, YEARS));
        let made = known.into_iter().map(|(code, root, serial, validity)| Known {
            der: certificate(code, root, serial, validity),
            code,
            from: validity.not_before,
            to: validity.not_after,
            certifies: root == ROOT,
            serial,
        });
        made.collect()
    })
}
