//! How many grants stand in a second and how long a redemption takes, on a real ledger on this disk:
//! `cargo bench -p suishen-relay --bench ledger`, or as a table `cargo xtask bench ledger`. Prints one JSON object.
//!
//! Not by criterion: what is measured are many at once, and the slowest of many, not one call over and over.

mod appends;
mod redemptions;

use anyhow::Context as _;
use serde_json::json;
use std::{path::Path, time::Duration};

/// Where the ledgers lie while they are measured: below the target folder, on the disk that is built on.
const FOLDER: &str = env!("CARGO_TARGET_TMPDIR");

fn main() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        std::fs::create_dir_all(FOLDER)?;
        let appends = appends::measure(Path::new(FOLDER)).await.context("appends")?;
        let redemptions = redemptions::measure(Path::new(FOLDER)).await.context("redemptions")?;
        let figures = json!({
            "appends_per_s": appends.stood,
            "verifications_per_s": appends.verified,
            "cores": appends.cores,
            "grant_cpu_ms": appends.grant_cpu.map(milliseconds),
            "verification_cpu_ms": appends.verification_cpu.map(milliseconds),
            "redemption_median_ms": milliseconds(median(&redemptions.entry)),
            "redemption_p99_ms": milliseconds(percentile(&redemptions.entry, 99)),
            "opened_median_ms": milliseconds(median(&redemptions.share)),
            "opened_p99_ms": milliseconds(percentile(&redemptions.share, 99)),
            "fsync_median_ms": milliseconds(median(&redemptions.fsync)),
            "fsync_p99_ms": milliseconds(percentile(&redemptions.fsync, 99)),
        });
        println!("{figures}");
        Ok(())
    })
}

fn median(took: &[Duration]) -> Duration {
    percentile(took, 50)
}

/// The time that so many of a hundred keep to.
fn percentile(took: &[Duration], percent: usize) -> Duration {
    let mut sorted = took.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() * percent / 100).copied().unwrap_or_default()
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
