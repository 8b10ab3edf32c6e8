//! Claims settled a second: sent to a relay, and decided through an insurer's own server; and how long it takes in a browser to
//! open what a claim shows.

use anyhow::{Context, Result};
use serde_json::Value;

use super::figure::{Figure, Table, Target, Unit};
use super::node;
use super::programs::measured;
use crate::place::Place;
use crate::steps::Steps;

/// Settlements a second that must hold.
const WANTED: f64 = 200.0;
/// How long one may take from when it is due, but for one of a hundred.
const P99_MS: f64 = 250.0;
/// Twenty groups of two thousand, opened and verified.
const OPENED_MS: f64 = 50.0;
/// The work of `xtask/speed`.
const DISCLOSURE: &str = "disclosure-20-of-2000";

/// Builds the relay and measures it; as wasm only with node.
pub fn measure(place: &Place, steps: &mut Steps) -> Result<Vec<Table>> {
    let figures = measured(place, steps, "claims", "suishen-relay")?;
    let mut tables = vec![relay(&figures["relay"])?, server(&figures["server"])?];
    if let Some(script) = steps.step("claims: wasm build", || node::provide_alone(place))? {
        let times = steps.step("claims: wasm", || node::run_only(&script, DISCLOSURE))?;
        tables.push(wasm(&times)?);
    }
    Ok(tables)
}

fn number(figures: &Value, name: &str) -> Result<f64> {
    figures[name].as_f64().with_context(|| format!("the benchmark gave no {name}"))
}

fn line(name: impl Into<String>, value: f64, unit: Unit, target: Target) -> Figure {
    Figure { name: name.into(), value, unit, peer: None, target }
}

/// What else was computed meanwhile: without it the figures say nothing.
fn busy(figures: &Value) -> String {
    match (figures["cores_ours"].as_f64(), figures["cores_others"].as_f64()) {
        (Some(ours), Some(others)) => format!(
            "of this machine's cores what is measured and its client took {ours:.2}, everything else {others:.2}"
        ),
        _ => "how busy the machine was this system doesn't say".into(),
    }
}

/// What it took at a rate, and the highest that holds.
fn times(figures: &Value, at: &str) -> Result<[Figure; 3]> {
    let (median, p99) = (number(figures, "median_ms")?, number(figures, "p99_ms")?);
    let highest = number(figures, "highest_rate")?;
    Ok([
        line(format!("{at}, median"), median, Unit::Milliseconds, Target::None),
        line(format!("{at}, 99 of 100"), p99, Unit::Milliseconds, Target::AtMost(P99_MS)),
        line(
            "highest rate at which 99 of 100 take 250 ms or less",
            highest,
            Unit::PerSecond,
            Target::AtLeast(WANTED),
        ),
    ])
}

fn relay(figures: &Value) -> Result<Table> {
    let (rate, seconds) = (number(figures, "rate")?, number(figures, "seconds")?);
    let at = format!("settled over HTTP, durable, {rate} a second");
    let fsync = number(figures, "fsync_median_ms")?;
    let [median, slowest, highest] = times(figures, &at)?;
    let lines = vec![
        median,
        slowest,
        highest,
        line("one fsync on this disk, median", fsync, Unit::Milliseconds, Target::None),
    ];
    let notes = vec![
        format!(
            "each settlement another one, signed, on a claims grant that was redeemed before; sent when it is due, for {seconds} s; \
             relay and client on the same cores; each slot looked up afterwards"
        ),
        busy(figures),
    ];
    Ok(Table { title: "claims, at the relay", notes, figures: lines })
}

fn server(figures: &Value) -> Result<Table> {
    let (rate, together) = (number(figures, "rate")?, number(figures, "together")?);
    let at = format!("decided through /v1/claims, {rate} a second");
    let through = number(figures, "decided_per_s")?;
    let [median, slowest, highest] = times(figures, &at)?;
    let through = line("the same, so many came through", through, Unit::PerSecond, Target::None);
    let lines = vec![median, slowest, through, highest];
    let notes = vec![
        format!(
            "batches of {together}, sent when they are due, answered once each slot is proven to hold its decision and the patient \
             was told; relay, insurer's server and client on the same cores"
        ),
        busy(figures),
    ];
    Ok(Table { title: "claims, through an insurer's server", notes, figures: lines })
}

fn wasm(times: &Value) -> Result<Table> {
    let nanoseconds = times[DISCLOSURE]["wasm"].as_f64().context("no time of the disclosure")?;
    let figure = line(
        "20 groups of 2,000 opened and verified",
        nanoseconds / 1e6,
        Unit::Milliseconds,
        Target::AtMost(OPENED_MS),
    );
    let notes = vec![
        "signature of the manifest, digests of the groups, the resources whole; processor time in node, median".into(),
    ];
    Ok(Table { title: "claims, wasm", notes, figures: vec![figure] })
}
