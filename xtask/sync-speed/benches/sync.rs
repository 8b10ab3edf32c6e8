//! Two devices come to hold the same, three times over: one is empty, one has a change more, both have gone on alone.
//! `cargo bench -p suishen-sync-speed --bench sync`, or as a table `cargo xtask bench sync`. Prints one JSON object, times
//! in nanoseconds.

use anyhow::{Result, ensure};
use core::time::Duration;
use serde_json::{Value, json};
use suishen_sync_speed::documents::{self, Document};
use suishen_sync_speed::wallets::{self, Copy, Device, FRAME, size};
use suishen_sync_speed::{Change, Cost};

/// Records that are there.
const RECORDS: u32 = 10_000;
/// Changes that each of two devices makes alone.
const APART: u32 = 1000;
/// An exchange that can be repeated is done so often; the quickest counts.
const ROUNDS: usize = 9;

fn main() -> Result<()> {
    let (wallet, automerge) = (wallet()?, automerge()?);
    let figures = json!({
        "records": RECORDS, "apart": APART, "frame": FRAME, "wallet": wallet, "automerge": automerge,
    });
    println!("{figures}");
    Ok(())
}

/// A situation: what the exchange cost, and the time after which the changes are in effect as well.
fn situation(cost: Cost, in_effect: Duration) -> Value {
    let nanoseconds = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    json!({
        "bytes": cost.bytes,
        "round_trips": cost.round_trips(),
        "ns": nanoseconds(cost.time),
        "in_effect_ns": nanoseconds(in_effect),
    })
}

/// The change by which one device is ahead, and those that two make apart: on records from the first on and from the
/// last back.
fn later(device: u32) -> impl Iterator<Item = Change> {
    (0..APART).map(move |number| {
        let record = if device == 0 { number } else { RECORDS - 1 - number };
        Change::again(record, RECORDS + 2 * number + device)
    })
}

/// The quickest of several exchanges that are alike, and what the last one left.
fn quickest<T>(mut round: impl FnMut() -> Result<(T, Cost)>) -> Result<(T, Cost)> {
    let mut best = round()?;
    for _ in 1..ROUNDS {
        let (left, cost) = round()?;
        best = (left, best.1.or_quicker(cost));
    }
    Ok(best)
}

fn wallet() -> Result<Value> {
    let (mut first, kept) = Device::pair()?;
    let mut made = first.events();
    for record in 0..RECORDS {
        made.push(first.make(&Change::of(record))?);
    }
    let (came, cost) = quickest(|| {
        let mut empty = Copy::new();
        let (connection, cost) = wallets::Connection::open([&mut empty, &mut first.copy])?;
        let [came, _] = connection.came();
        Ok((came, cost))
    })?;
    let (log, mut second) = (size(&first.copy), kept.open()?);
    let to_empty = situation(cost, cost.time + second.take(&came)?);
    let in_order = situation(cost, cost.time + kept.open()?.take(&made)?);
    first.take(&[second.enter()?])?;

    let change = Change::again(5, RECORDS);
    let mut copies = [second.copy.clone(), first.copy.clone()];
    let [to, from] = &mut copies;
    let (mut connection, level) = wallets::Connection::open([to, from])?;
    let event = first.make(&change)?;
    let pushed = connection.tell(1, event.clone())?;
    let pushed = situation(pushed, pushed.time + second.take(&[event])?);
    ensure!(second.is_tagged(&change), "the pushed change is not there");

    first.make(&Change::again(6, RECORDS))?;
    let mut copy = second.copy.clone();
    let (connection, cost) = wallets::Connection::open([&mut copy, &mut first.copy])?;
    let [came, _] = connection.came();
    let reconnected = situation(cost, cost.time + second.take(&came)?);

    for (device, number) in [(&mut first, 0), (&mut second, 1)] {
        later(number).try_for_each(|change| device.make(&change).map(drop))?;
    }
    let ([to_second, to_first], cost) = quickest(|| {
        let mut copies = [second.copy.clone(), first.copy.clone()];
        let [to, from] = &mut copies;
        let (connection, cost) = wallets::Connection::open([to, from])?;
        Ok((connection.came(), cost))
    })?;
    let in_effect = cost.time + second.take(&to_second)? + first.take(&to_first)?;
    ensure!(first.copy == second.copy, "the two copies differ");
    Ok(json!({
        "stored_bytes": log, "first": to_empty, "in_order": in_order, "pushed": pushed, "reconnected": reconnected,
        "level": situation(level, level.time), "apart": situation(cost, in_effect),
    }))
}

fn automerge() -> Result<Value> {
    let mut first = Document::new(1);
    for record in 0..RECORDS {
        first.make(&Change::of(record))?;
    }
    let stored = first.stored();
    let ((mut second, mut connection), cost) = quickest(|| {
        let (mut empty, mut connection) = (Document::new(2), documents::Connection::default());
        let cost = connection.exchange([&mut empty, &mut first])?;
        Ok(((empty, connection), cost))
    })?;
    ensure!(second.records()? == RECORDS as usize, "the document did not come whole");
    let to_empty = situation(cost, cost.time);

    let level = connection.again()?.exchange([&mut second, &mut first])?;
    first.make(&Change::again(5, RECORDS))?;
    let pushed = connection.exchange([&mut first, &mut second])?;

    first.make(&Change::again(6, RECORDS))?;
    let mut connection = connection.again()?;
    let reconnected = connection.exchange([&mut second, &mut first])?;
    ensure!(first.is_level_with(&second), "the two documents differ");

    for (document, device) in [(&mut first, 0), (&mut second, 1)] {
        later(device).try_for_each(|change| document.make(&change))?;
    }
    let ((), apart) = quickest(|| {
        let (mut one, mut other) = (second.copy(2), first.copy(1));
        let cost = connection.again()?.exchange([&mut one, &mut other])?;
        ensure!(one.is_level_with(&other), "the two documents differ");
        Ok(((), cost))
    })?;
    Ok(json!({
        "stored_bytes": stored, "first": to_empty, "in_order": to_empty, "pushed": situation(pushed, pushed.time),
        "reconnected": situation(reconnected, reconnected.time), "level": situation(level, level.time),
        "apart": situation(apart, apart.time),
    }))
}
