//! What an exchange came to, counted alike for both.

use anyhow::Result;
use core::time::Duration;
use rustix::time::{ClockId, clock_gettime};

/// Bytes there and back, turns, and what both sides computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Of all messages, both ways; without what a connection puts around them.
    pub bytes: usize,
    /// How often something was sent that had to wait for the other side's last; several messages in a row are one.
    pub turns: usize,
    /// Processor time of both sides, one after the other.
    pub time: Duration,
}

impl Cost {
    /// There and back is one.
    pub const fn round_trips(&self) -> usize {
        self.turns.div_ceil(2)
    }

    /// The cheaper in time of two that are alike otherwise.
    #[must_use]
    pub fn or_quicker(self, other: Self) -> Self {
        if other.time < self.time { other } else { self }
    }
}

/// Does something and says what this thread computed meanwhile.
pub fn timed<T>(work: impl FnOnce() -> Result<T>) -> Result<(T, Duration)> {
    let begin = so_far();
    let done = work()?;
    Ok((done, so_far().saturating_sub(begin)))
}

/// The processor's time and not the clock's: what else the machine does stands in line beside, not within.
fn so_far() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or_default())
}
