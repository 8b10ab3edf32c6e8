//! Randomness is handed in by the platform: the browser's `crypto.getRandomValues`, the relay's `getrandom`,
//! a seed in tests.

/// A cryptographically secure source of random bytes.
pub trait Random {
    /// Fills `out` with fresh random bytes.
    fn fill(&mut self, out: &mut [u8]);

    /// `N` fresh random bytes.
    fn bytes<const N: usize>(&mut self) -> [u8; N]
    where
        Self: Sized,
    {
        let mut out = [0; N];
        self.fill(&mut out);
        out
    }
}
