//! Work that is sent when it is due, so many a second, and what each piece took from the moment at which it was due.

use anyhow::{Context as _, Result};
use std::{
    future::Future,
    time::{Duration, Instant},
};
use tokio::{task::JoinSet, time::sleep_until};

/// What is sent in a round at one rate.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    /// So many a second.
    pub per_second: u32,
    /// How many come together: the items of a batch.
    pub together: u32,
}

/// A round, over.
#[derive(Clone, Debug)]
pub struct Round {
    /// At which rate it was sent.
    pub rate: Rate,
    /// What each took from when it was due, ascending.
    pub took: Vec<Duration>,
    /// From the first that was due to the last answer.
    pub lasted: Duration,
}

/// Sends each piece of work when it is due and waits for all answers; one that fails fails the round.
pub async fn send<W, F>(rate: Rate, work: Vec<W>, one: impl Fn(W) -> F) -> Result<Round>
where
    F: Future<Output = Result<()>> + Send + 'static,
{
    let begun = Instant::now() + Duration::from_millis(50);
    let mut tasks = JoinSet::new();
    let each = Duration::from_secs(1) * rate.together / rate.per_second;
    for (number, work) in (0_u32..).zip(work) {
        let due = begun + each * number;
        sleep_until(due.into()).await;
        let sent = one(work);
        tasks.spawn(async move {
            sent.await?;
            anyhow::Ok(due.elapsed())
        });
    }
    let mut took = Vec::new();
    while let Some(done) = tasks.join_next().await {
        took.push(done?.context("an answer")?);
    }
    let lasted = begun.elapsed();
    took.sort_unstable();
    Ok(Round { rate, took, lasted })
}

impl Round {
    /// The time that so many of a hundred keep to.
    pub fn percentile(&self, percent: usize) -> Duration {
        self.took.get(self.took.len() * percent / 100).copied().unwrap_or_default()
    }

    /// Tells a person who waits how it went.
    pub fn tell(&self, what: &str) {
        eprintln!(
            "  {} {what} a second: median {:.1} ms, 99 of 100 {:.1} ms, all within {:.1} s",
            self.rate.per_second,
            milliseconds(self.percentile(50)),
            milliseconds(self.percentile(99)),
            self.lasted.as_secs_f64()
        );
    }

    /// Whether all came within this time, but for one of a hundred.
    pub fn holds(&self, within: Duration) -> bool {
        self.percentile(99) <= within
    }
}

/// For the JSON.
pub fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
