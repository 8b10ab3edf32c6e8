//! An audit's replay of a ledger, beside SM2 verification on all cores.

use anyhow::{Context, Result};

use super::figure::{Figure, Table, Target, Unit};
use super::programs::measured;
use crate::place::Place;
use crate::steps::Steps;

/// Signatures replayed, of those that could be verified.
const OF_VERIFICATION: f64 = 0.8;

/// Builds the relay and measures it.
pub fn measure(place: &Place, steps: &mut Steps) -> Result<Table> {
    let figures = measured(place, steps, "audit", "suishen-relay")?;
    let number = |name: &str| figures[name].as_f64().with_context(|| format!("the benchmark gave no {name}"));
    let replayed = Figure {
        name: "signatures replayed from entry 0".into(),
        value: number("replayed_signatures_per_s")?,
        unit: Unit::PerSecond,
        peer: Some(("SM2 verification alone".into(), number("verifications_per_s")?)),
        target: Target::Ratio(OF_VERIFICATION),
    };
    let (entries, cores) = (figures["entries"].as_u64(), figures["cores"].as_u64());
    let note = format!(
        "{} entries: grants, acceptances, redemptions; {} cores; best round of five for both; no boxes opened",
        entries.unwrap_or_default(),
        cores.unwrap_or_default()
    );
    Ok(Table { title: "audit", notes: vec![note], figures: vec![replayed] })
}
