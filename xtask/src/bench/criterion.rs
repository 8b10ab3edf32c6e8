//! Runs a criterion benchmark and reads the medians that it leaves below the target folder.

use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::place::Place;
use crate::steps::succeed;
use crate::wasm::clean;

/// Builds without measuring, so that the build is not in the way of what is measured.
pub fn build(place: &Place, package: &str, name: &str) -> Result<()> {
    bench(place, package, name, &["--no-run"])
}

/// Runs it.
pub fn run(place: &Place, package: &str, name: &str) -> Result<()> {
    bench(place, package, name, &["--", "--noplot"])
}

fn bench(place: &Place, package: &str, name: &str, arguments: &[&str]) -> Result<()> {
    let mut cargo = Command::new("cargo");
    clean(&mut cargo)
        .current_dir(&place.root)
        .args(["bench", "--quiet", "--package", package, "--bench", name])
        .args(arguments);
    succeed(cargo.env("CARGO_TARGET_DIR", &place.target))
}

/// The median of one work's last run, in nanoseconds.
pub fn median(place: &Place, work: &str) -> Result<f64> {
    let file = place.target.join("criterion").join(work).join("new/estimates.json");
    let text =
        std::fs::read_to_string(&file).with_context(|| format!("could not read {}", file.display()))?;
    let estimates: Value = serde_json::from_str(&text)?;
    estimates["median"]["point_estimate"]
        .as_f64()
        .with_context(|| format!("{} has no median", file.display()))
}
