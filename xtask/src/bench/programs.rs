//! Areas that measure themselves: a benchmark prints its figures as JSON, a process has its size, a scene its times.

use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;

use super::figure::{Figure, Table, Target, Unit};
use crate::place::Place;
use crate::run::{build_relay, free_port, wait_ready};
use crate::steps::{Steps, output, succeed};
use crate::test::{scenes, set_up};
use crate::wasm::clean;
use crate::web;

/// Grants that stand, of those that could be verified.
const OF_VERIFICATION: f64 = 0.6;
/// A redemption beyond the fsync, milliseconds.
const REDEMPTION_MS: f64 = 150.0;
/// The idle relay, megabytes.
const RELAY_MB: f64 = 60.0;
/// The scene that measures it.
const QR_TO_REPORT: &str = "from_a_code_in_view_to_its_report";
/// From QR in view to report shown, milliseconds.
const QR_TO_REPORT_MS: f64 = 2000.0;
/// The scene that brings a wallet of twenty years to a new device.
const TWENTY_YEARS: &str = "a_wallet_of_twenty_years";
/// Until a new device has ten thousand records, milliseconds.
const NEW_DEVICE_MS: f64 = 20_000.0;
/// The scene that brings a large attachment to a new device.
const ATTACHMENT: &str = "a_large_attachment_comes";
/// Of the speed at which a plain web socket carries as much.
const OF_PLAIN_SOCKET: f64 = 0.5;
/// How long a relay that answers is left alone before it is idle.
const SETTLES: Duration = Duration::from_secs(5);

/// Grants a second beside what verification allows, and redemptions over HTTP.
pub fn ledger(place: &Place, steps: &mut Steps) -> Result<Table> {
    let figures = measured(place, steps, "ledger", "suishen-relay")?;
    let number = |name: &str| figures[name].as_f64().with_context(|| format!("the benchmark gave no {name}"));
    let allowed = ("SM2 verification alone".to_owned(), number("verifications_per_s")?);
    let mut lines = vec![Figure {
        name: "grants verified and durable".into(),
        value: number("appends_per_s")?,
        unit: Unit::PerSecond,
        peer: Some(allowed),
        target: Target::Ratio(OF_VERIFICATION),
    }];
    let computed = figures["grant_cpu_ms"].as_f64().zip(figures["verification_cpu_ms"].as_f64());
    lines.extend(computed.map(|(grant, verification)| Figure {
        name: "processor time of a grant".into(),
        value: grant * 1e6,
        unit: Unit::Nanoseconds,
        peer: Some(("SM2 verification alone".into(), verification * 1e6)),
        target: Target::Ratio(OF_VERIFICATION),
    }));
    for (kind, share) in [("median", "median"), ("p99", "99 of 100")] {
        let fsync = number(&format!("fsync_{kind}_ms"))?;
        for (field, name) in [("redemption", "redemption stands"), ("opened", "share released and opened")] {
            lines.push(Figure {
                name: format!("{name}, beyond the fsync, {share}"),
                value: (number(&format!("{field}_{kind}_ms"))? - fsync).max(0.0),
                unit: Unit::Milliseconds,
                peer: None,
                target: Target::AtMost(REDEMPTION_MS),
            });
        }
        let name = format!("one fsync on this disk, {share}");
        let (unit, target) = (Unit::Milliseconds, Target::None);
        lines.push(Figure { name, value: fsync, unit, peer: None, target });
    }
    let cores = figures["cores"].as_u64().unwrap_or_default();
    let mut notes = vec![
        format!("grants: 2048 who submit at once, {cores} cores, best round of five for both"),
        "redemptions: over HTTP, one after the other, client and relay on the same cores".into(),
    ];
    if lines[0].ratio().is_some_and(|ratio| ratio > 1.0) {
        let doubt = "more grants than verification allows: other programs were at work, only the processor time tells";
        notes.push(doubt.into());
    }
    Ok(Table { title: "ledger", notes, figures: lines })
}

/// Codes read from the scanner's test pictures, beside rqrr.
pub fn scan(place: &Place, steps: &mut Steps) -> Result<Table> {
    let figures = measured(place, steps, "pictures", "suishen-scanner")?;
    let figure = |name: &str, field: &str, unit| {
        let of = |who: &str| {
            figures[who][field].as_f64().with_context(|| format!("the benchmark gave no {field} of {who}"))
        };
        let peer = Some(("rqrr".to_owned(), of("peer")?));
        anyhow::Ok(Figure {
            name: name.into(),
            value: of("scanner")?,
            unit,
            peer,
            target: Target::Ratio(1.0),
        })
    };
    let lines = vec![
        figure("pictures whose code is read", "read", Unit::Count)?,
        figure("a picture with a code, median", "median_ns", Unit::Nanoseconds)?,
        figure("a picture without one", "nothing_ns", Unit::Nanoseconds)?,
    ];
    let count = figures["pictures"].as_u64().unwrap_or_default();
    let note = format!(
        "native, one core, {count} pictures of 960 × 720; the time to a code is of those that both read"
    );
    Ok(Table { title: "scan", notes: vec![note], figures: lines })
}

/// Builds a package's benchmark, then runs it and reads the JSON that it prints.
pub(super) fn measured(place: &Place, steps: &mut Steps, bench: &str, package: &str) -> Result<Value> {
    let cargo = |more: &[&str]| {
        let mut cargo = Command::new("cargo");
        clean(&mut cargo).current_dir(&place.root).env("CARGO_TARGET_DIR", &place.target);
        cargo.args(["bench", "--quiet", "--package", package, "--bench", bench]).args(more);
        cargo
    };
    steps.step(&format!("{bench}: build"), || succeed(&mut cargo(&["--no-run"])))?;
    steps.step(&format!("{bench}: measured"), || {
        let text = output(cargo(&[]).stderr(Stdio::inherit()))
            .with_context(|| format!("the benchmark {bench} failed"))?;
        serde_json::from_str(&text).with_context(|| format!("the benchmark {bench} printed no figures"))
    })
}

/// What a relay of the demo that nobody asks anything takes of memory.
pub fn relay(place: &Place, steps: &mut Steps) -> Result<Table> {
    steps.step("relay: build", || build_relay(place, &["--quiet", "--release"]))?;
    let value = steps.step("relay: idle", || idle_megabytes(place))?;
    let figure = Figure {
        name: "idle relay, resident memory".into(),
        value,
        unit: Unit::Megabytes,
        peer: None,
        target: Target::AtMost(RELAY_MB),
    };
    Ok(Table {
        title: "relay",
        notes: vec!["release build, demo consortium, Linux".into()],
        figures: vec![figure],
    })
}

fn idle_megabytes(place: &Place) -> Result<f64> {
    let data = place.target.join("tmp/idle-relay");
    if data.exists() {
        std::fs::remove_dir_all(&data)?;
    }
    let port = free_port(18_080)?;
    let mut relay = Command::new(place.target.join("release/suishen"))
        .args(["--log", "warn", "serve", "--demo", "--port"])
        .arg(port.to_string())
        .arg("--data")
        .arg(&data)
        .spawn()
        .context("could not start the relay")?;
    let resident = wait_ready(&mut relay, port).and_then(|()| {
        std::thread::sleep(SETTLES);
        resident_megabytes(relay.id())
    });
    relay.kill()?;
    relay.wait()?;
    std::fs::remove_dir_all(&data)?;
    resident
}

/// `VmRSS` of a process, which Linux gives in KiB.
fn resident_megabytes(process: u32) -> Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))
        .context("the relay's memory can only be read on Linux")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kib.map(|kib| kib * 1024.0 / 1e6).context("the system does not say how large the relay is")
}

/// What a person waits for, by a scene in a real browser on the release's pages and relay.
pub fn browser(place: &Place, steps: &mut Steps) -> Result<Table> {
    steps.step("browser: set up", set_up)?;
    web::build(place, steps, None, false)?;
    steps.step("relay: build", || build_relay(place, &["--quiet", "--release"]))?;
    let times = steps.step("browser: a code to its report", || timed(place, QR_TO_REPORT))?;
    let figure = |name: String, value: Option<f64>, target| {
        let value = value.context("the scene printed no times")?;
        anyhow::Ok(Figure { name, value, unit: Unit::Milliseconds, peer: None, target })
    };
    let mut figures = Vec::new();
    for (field, share) in [("median", "median"), ("most", "longest")] {
        let name = format!("QR in view to report shown, {share} of seven");
        let value = times["qr_to_report_ms"][field].as_f64();
        figures.push(figure(name, value, Target::AtMost(QR_TO_REPORT_MS))?);
    }
    let times = steps.step("browser: twenty years", || timed(place, TWENTY_YEARS))?;
    let times = &times["new_device"];
    let (records, megabytes) = (times["records"].as_u64(), times["megabytes"].as_u64());
    let (records, megabytes) = records.zip(megabytes).context("the scene printed no times")?;
    for (field, what, target) in [
        ("restored_s", "restored from a backup file", Target::None),
        ("opened_s", "unlocked, the list shown for the first time", Target::None),
        ("read_s", "read, so that the list shows what they are", Target::None),
        ("again_s", "unlocked again", Target::None),
        ("joined_s", "brought to a new device, from the yes on", Target::AtMost(NEW_DEVICE_MS)),
        ("whole_s", "with all contents there and read, after that", Target::None),
    ] {
        let value = times[field].as_f64().map(|seconds| seconds * 1000.0);
        figures.push(figure(format!("{records} records {what}"), value, target)?);
    }
    let times = steps.step("browser: an attachment", || timed(place, ATTACHMENT))?;
    let times = &times["content"];
    let seconds = |field: &str| times[field].as_f64().context("the scene printed no times");
    let megabytes_of = times["bytes"].as_f64().context("the scene printed no times")? / 1e6;
    figures.push(Figure {
        name: format!("attachment of {megabytes_of} MB brought to a new device, verified and stored"),
        value: seconds("brought_s")? * 1000.0,
        unit: Unit::Milliseconds,
        peer: Some(("plain web socket".into(), seconds("plain_s")? * 1000.0)),
        target: Target::Ratio(OF_PLAIN_SOCKET),
    });
    let notes = vec![
        "Chromium on this machine, beside the relay; without the time of the finger on \u{201c}keep\u{201d}"
            .into(),
        format!("the backup file of {records} records has {megabytes} MB; two Chromium profiles, one relay"),
    ];
    Ok(Table { title: "browser", notes, figures })
}

/// What a scene that measures prints: its one line of JSON.
fn timed(place: &Place, scene: &str) -> Result<Value> {
    let mut scenes = scenes(place);
    scenes.args(["--quiet", "--test", "times", "--", "--ignored", "--nocapture", scene]);
    scenes.env("SUISHEN_BIN", place.target.join("release/suishen"));
    let printed = output(scenes.stderr(Stdio::inherit())).context("the scene that measures failed")?;
    let line = printed.lines().find(|line| line.starts_with('{'));
    Ok(serde_json::from_str(line.context("the scene printed no times")?)?)
}
