//! `suishen fsck`: proves a replica whole, or names what isn't: every entry, transition, root, tile and
//! cosignature, first in the published copy, then in the database where no relay holds it; then what the relay holds
//! for others: blobs, gate shares, mailboxes.
//!
//! It changes nothing and asks no network, so it runs beside a running relay and on a copy of its folder.

mod copy;
mod database;
mod holdings;

use super::{Outcome, moment, progress::Progress};
use crate::{
    config::Place,
    replica::{
        copy::Copy,
        database_file, folder,
        looking::{Looked, look},
    },
};
use anyhow::bail;
use std::{fmt, path::Path};
use suishen_core::id::LedgerId;

/// Something that isn't as it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The checkpoint, by its size where it can be read.
    Checkpoint(Option<u64>, String),
    /// An entry.
    Entry(u64, String),
    /// An entry or its hash: nothing says which.
    EntryOrHash(u64),
    /// A tile, and what in it.
    Tile(String, String),
    /// Something in the ledger's database.
    Database(String),
    /// A blob, by its address.
    Blob(String, String),
    /// A slot of the tear file.
    Slot(u32, String),
    /// A gate share, by its grant or ticket.
    Share(String, String),
    /// Something in the relay's own database.
    Holdings(String),
    /// Something in the mailboxes, by its address where it has one.
    Mailbox(Option<String>, String),
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Checkpoint(Some(size), why) => write!(f, "checkpoint {size}: {why}"),
            Self::Checkpoint(None, why) => write!(f, "checkpoint: {why}"),
            Self::Entry(number, why) => write!(f, "entry {number}: {why}"),
            Self::EntryOrHash(number) => write!(f, "entry {number}: it or its hash was changed"),
            Self::Tile(path, why) => write!(f, "{path}: {why}"),
            Self::Database(why) => write!(f, "database: {why}"),
            Self::Blob(address, why) => write!(f, "blob {address}: {why}"),
            Self::Slot(number, why) => write!(f, "slot {number} of the tear file: {why}"),
            Self::Share(object, why) => write!(f, "share of {object}: {why}"),
            Self::Mailbox(Some(address), why) => write!(f, "mailboxes, {address}: {why}"),
            Self::Mailbox(None, why) => write!(f, "mailboxes: {why}"),
            Self::Holdings(why) => write!(f, "the relay's own database: {why}"),
        }
    }
}

/// What an examination gave.
#[derive(Debug, Default)]
pub struct Report {
    /// The ledger.
    pub ledger: Option<LedgerId>,
    /// Entries that were examined.
    pub size: u64,
    /// The checkpoint's time.
    pub time: Option<u64>,
    /// Whether the database was examined too, or a relay holds it.
    pub database: bool,
    /// Blobs that were examined.
    pub blobs: u64,
    /// Gate shares that open; `None` where a relay holds their database, or there is none.
    pub shares: Option<u64>,
    /// Events and content of mailboxes that hold; `None` where a relay holds their database, or there is none.
    pub mailboxes: Option<u64>,
    /// What is wrong, the first first.
    pub findings: Vec<Finding>,
}

/// Examines the replica in a data folder. Fails where there is none.
pub fn examine(data: &Path) -> anyhow::Result<Report> {
    let mut report = Report::default();
    let copy = Copy::of(data);
    if !folder(data).exists() {
        bail!("there is no ledger in {}", data.display());
    }
    let progress = Progress::new("entries");
    let replay = copy::examine(&copy, &mut report, &progress)?;
    match look(&database_file(data)) {
        Ok(Looked::Open(database)) => {
            report.database = true;
            database::examine(&database, replay, &mut report, &progress);
        }
        Ok(Looked::InUse) => {}
        Ok(Looked::Absent) => report.findings.push(Finding::Database("it is missing".into())),
        Err(error) => report.findings.push(Finding::Database(format!("it cannot be read: {error}"))),
    }
    progress.done();
    let progress = Progress::new("blobs");
    holdings::examine(data, &mut report, &progress)?;
    progress.done();
    Ok(report)
}

/// Examines and prints.
pub fn run(place: &Place) -> anyhow::Result<Outcome> {
    let report = examine(&place.data)?;
    if let Some(ledger) = report.ledger {
        println!("ledger     {ledger}");
    }
    let time = report.time.map_or_else(String::new, |time| format!(", as of {}", moment::utc(time)));
    println!("entries    {}{time}", report.size);
    println!(
        "database   {}",
        if report.database {
            "examined"
        } else {
            "in use by a running relay: its published copy was examined"
        }
    );
    let shares = report.shares.map_or_else(|| "not examined".to_owned(), |whole| format!("{whole} open"));
    println!("holdings   {} blobs, gate shares {shares}", report.blobs);
    let mailboxes =
        report.mailboxes.map_or_else(|| "not examined".to_owned(), |whole| format!("{whole} whole"));
    println!("mailboxes  events and content {mailboxes}");
    for finding in &report.findings {
        println!("WRONG      {finding}");
    }
    if report.findings.is_empty() {
        println!("every entry, transition, root, tile, cosignature and blob holds");
        Ok(Outcome::Well)
    } else {
        Ok(Outcome::FoundWrong)
    }
}

#[cfg(test)]
pub(crate) mod tests;
