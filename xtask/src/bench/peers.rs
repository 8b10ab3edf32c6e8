//! Wallets that are connected to a relay: what the idle ones take of its memory, and what those who do harm take of an honest
//! one's time.

use anyhow::{Context, Result};

use super::figure::{Figure, Table, Target, Unit};
use super::programs::measured;
use crate::place::Place;
use crate::steps::Steps;

/// Bytes of memory for an idle wallet beyond the relay's own.
const IDLE: f64 = 40_000.0;
/// Those who do harm at most double an honest one's p99.
const HALF_AS_FAST: Target = Target::Ratio(0.5);

/// Builds the relay and measures it.
pub fn measure(place: &Place, steps: &mut Steps) -> Result<Table> {
    let measured = measured(place, steps, "peers", "suishen-relay")?;
    let number =
        |name: &str| measured[name].as_f64().with_context(|| format!("the benchmark gave no {name}"));
    let (base, wallets, hostile) = (number("base_bytes")?, number("wallets")?, number("hostile")?);
    let line = |name: String, value, unit, peer: Option<f64>, target| {
        let peer = peer.map(|value| ("without them".to_owned(), value));
        Figure { name, value, unit, peer, target }
    };
    let each = (number("connected_bytes")? - base) / wallets;
    let change = |share| format!("a change of an honest one beside {hostile} hostile peers, {share}");
    let figures = vec![
        line("the relay without peers".into(), base, Unit::Bytes, None, Target::None),
        line(format!("each of {wallets} idle wallets"), each, Unit::Bytes, None, Target::AtMost(IDLE)),
        line(
            change("median"),
            number("beset_median_ms")?,
            Unit::Milliseconds,
            Some(number("quiet_median_ms")?),
            Target::None,
        ),
        line(
            change("99 of 100"),
            number("beset_p99_ms")?,
            Unit::Milliseconds,
            Some(number("quiet_p99_ms")?),
            HALF_AS_FAST,
        ),
    ];
    let notes = vec![
        "resident memory of the relay as it is released; wallets with a mailbox each, level, by web socket".into(),
        format!(
            "a change: written, pushed, durable, acknowledged; {} of them; all clients on the relay's own cores, those who do harm \
             at the lowest priority, so that they take what it leaves: {} deeds a second",
            number("changes")?,
            number("deeds_per_s")?.round()
        ),
        "hostile, a quarter each: oversized yamux SYN, content asked for and not read, reservations by ever new peers, \
         100 events compared with nothing again and again"
            .into(),
    ];
    Ok(Table { title: "peers", notes, figures })
}
