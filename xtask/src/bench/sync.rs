//! Two devices that come to hold the same: events of a vault beside automerge's documents.

use anyhow::{Context, Result};
use serde_json::Value;

use super::figure::{Figure, Table, Target, Unit};
use super::programs::measured;
use crate::place::Place;
use crate::steps::Steps;

/// Bytes of a first sync, of those of the encrypted log.
const OF_LOG: f64 = 1.5;
/// Bytes of one change on an open connection, there and back.
const PUSHED: f64 = 1000.0;
/// No slower than automerge.
const AS_FAST: Target = Target::Ratio(1.0);

/// What is read of a situation: the name of the field, what a reader calls it, its unit.
type Field = (&'static str, &'static str, Unit);

const BYTES: Field = ("bytes", "bytes", Unit::Bytes);
const ROUND_TRIPS: Field = ("round_trips", "round trips", Unit::RoundTrips);
const TIME: Field = ("ns", "time", Unit::Nanoseconds);
const IN_EFFECT: Field = ("in_effect_ns", "time until verified and in effect", Unit::Nanoseconds);

/// Builds both and measures them.
pub fn measure(place: &Place, steps: &mut Steps) -> Result<Table> {
    let measured = measured(place, steps, "sync", "suishen-sync-speed")?;
    let log = number(&measured, "wallet", "stored_bytes")?;
    let (records, apart) = (&measured["records"], &measured["apart"]);
    let first = format!("{records} records to an empty device");
    let in_order = format!("{first}, taken in the order they were made");
    let pushed = format!("1 change of {records}, open connection");
    let again = format!("1 change of {records}, new connection");
    let level = format!("no change of {records}, new connection");
    let both = format!("{apart} changes on each of two, new connection");
    let lines: [(&str, &str, Field, Target); 16] = [
        ("first", &first, BYTES, Target::AtMost(OF_LOG * log)),
        ("first", &first, ROUND_TRIPS, Target::None),
        ("first", &first, TIME, AS_FAST),
        ("first", &first, IN_EFFECT, AS_FAST),
        ("in_order", &in_order, IN_EFFECT, Target::None),
        ("pushed", &pushed, BYTES, Target::AtMost(PUSHED)),
        ("pushed", &pushed, ROUND_TRIPS, Target::AtMost(1.0)),
        ("pushed", &pushed, IN_EFFECT, Target::None),
        ("reconnected", &again, BYTES, Target::None),
        ("reconnected", &again, ROUND_TRIPS, Target::None),
        ("reconnected", &again, IN_EFFECT, Target::None),
        ("level", &level, BYTES, Target::None),
        ("apart", &both, BYTES, Target::None),
        ("apart", &both, ROUND_TRIPS, Target::None),
        ("apart", &both, TIME, Target::None),
        ("apart", &both, IN_EFFECT, Target::None),
    ];
    let figures = lines.into_iter().map(|(situation, name, field, target)| {
        let (field, what, unit) = field;
        let of = |who| number(&measured[who], situation, field);
        let peer = Some(("automerge".to_owned(), of("automerge")?));
        Ok(Figure { name: format!("{name}: {what}"), value: of("wallet")?, unit, peer, target })
    });
    let figures = figures.collect::<Result<_>>()?;
    Ok(Table { title: "sync", notes: notes(&measured, log)?, figures })
}

fn notes(measured: &Value, log: f64) -> Result<Vec<String>> {
    let document = number(measured, "automerge", "stored_bytes")?;
    Ok(vec![
        format!(
            "ours: events padded, sealed and signed, the log {}; automerge: the same tags and times as plaintext, one commit \
             each, compressed, the document {}",
            Unit::Bytes.show(log),
            Unit::Bytes.show(document)
        ),
        "processor time of both devices together, exchanges the quickest of nine; \u{201c}time\u{201d}: until the stored forms are there; \
         automerge verifies no signature"
            .into(),
        "no loro: it needs crates under MPL-2.0 and BSL-1.0, which deny.toml does not allow".into(),
    ])
}

fn number(measured: &Value, of: &str, field: &str) -> Result<f64> {
    measured[of][field].as_f64().with_context(|| format!("the benchmark gave no {field} of {of}"))
}
