//! `suishen audit`: replays the published ledger from entry 0 and says what it holds, or verifies a proof bundle
//! that a patient exported, without network.

use super::{Outcome, moment, progress::Progress};
use crate::{
    config::Place,
    replica::{
        copy::Copy,
        replay::{Replay, Totals},
    },
};
use anyhow::Context as _;
use clap::Args;
use std::{
    fs,
    path::{Path, PathBuf},
};
use suishen_core::{
    contract::Transaction,
    proof::{
        bundle::{Bundle, Proven, first_epoch},
        checkpoint::SignedCheckpoint,
        tile::{Kind, WIDTH, decode_entries},
    },
};

/// Options of `suishen audit`.
#[derive(Clone, Debug, Args)]
pub struct Audit {
    /// Proof bundle to verify instead of the ledger; needs neither data folder nor network
    #[arg(long, env = "SUISHEN_BUNDLE", value_name = "FILE")]
    pub bundle: Option<PathBuf>,
}

/// Audits and prints.
pub fn run(place: &Place, audit: &Audit) -> anyhow::Result<Outcome> {
    let verdict = match &audit.bundle {
        Some(file) => {
            let bytes = fs::read(file).with_context(|| format!("could not read {}", file.display()))?;
            Bundle::from_bytes(&bytes)
                .and_then(|bundle| Ok((bundle.grant.id, bundle.verify()?)))
                .map(|(grant, proven)| print_bundle(&grant, &proven))
                .map_err(|error| error.to_string())
        }
        None => ledger(&place.data)?.map(|audited| audited.print()),
    };
    match verdict {
        Ok(()) => Ok(Outcome::Well),
        Err(why) => {
            println!("WRONG      {why}");
            Ok(Outcome::FoundWrong)
        }
    }
}

/// A ledger that was replayed and found right.
#[derive(Debug)]
pub struct Audited {
    replay: Replay,
    time: u64,
}

/// Replays the published ledger in a data folder. The inner error says what is wrong with it.
pub fn ledger(data: &Path) -> anyhow::Result<Result<Audited, String>> {
    let copy = Copy::of(data);
    let note = copy.note().with_context(|| format!("there is no published ledger in {}", data.display()))?;
    let progress = Progress::new("entries");
    let replayed = replay(&copy, &String::from_utf8_lossy(&note), &progress)?;
    progress.done();
    Ok(replayed)
}

fn replay(copy: &Copy, note: &str, progress: &Progress) -> anyhow::Result<Result<Audited, String>> {
    let signed = match SignedCheckpoint::parse(note) {
        Ok(signed) => signed,
        Err(error) => return Ok(Err(format!("checkpoint: {error}"))),
    };
    let size = signed.checkpoint.size;
    progress.total(size);
    let mut replay: Option<Replay> = None;
    for index in 0..size.div_ceil(WIDTH) {
        let bundle = copy.tile(Kind::Entries, index)?;
        let Ok(entries) = decode_entries(&bundle) else {
            return Ok(Err(format!("the entries from {} on cannot be read", index * WIDTH)));
        };
        let width = usize::try_from((size - index * WIDTH).min(WIDTH)).unwrap_or(256);
        let Some(mut entries) = entries.get(..width) else {
            return Ok(Err(format!("entry {}: it is missing", index * WIDTH + entries.len() as u64)));
        };
        let taken = match (&mut replay, entries) {
            (None, [genesis, rest @ ..]) => {
                entries = rest;
                Replay::new(genesis).and_then(|begun| replay.insert(begun).take(entries))
            }
            (Some(replay), entries) => replay.take(entries),
            (None, []) => Ok(()),
        };
        if let Err(fault) = taken {
            return Ok(Err(format!("entry {}: {}", fault.number, fault.why)));
        }
        progress.at(index * WIDTH);
    }
    let Some(replay) = replay else { return Ok(Err(format!("checkpoint {size}: it vouches for nothing"))) };
    Ok(compare(replay, &signed))
}

/// Cosignatures and roots against what the entries make.
fn compare(replay: Replay, signed: &SignedCheckpoint) -> Result<Audited, String> {
    let size = signed.checkpoint.size;
    let verified = signed.verify(&replay.ledger(), &first_epoch(replay.genesis()));
    let verified = verified.map_err(|error| format!("checkpoint {size}: {error}"))?;
    if verified.checkpoint().tree != replay.tree_root() {
        return Err(format!("checkpoint {size}: its tree root is not that of the entries"));
    }
    if verified.checkpoint().map != replay.map_root() {
        return Err(format!(
            "checkpoint {size}: its map root is not that of the state which the entries make"
        ));
    }
    Ok(Audited { replay, time: verified.time() })
}

impl Audited {
    /// Entries, the genesis object included.
    pub const fn size(&self) -> u64 {
        self.replay.size()
    }

    /// What was counted.
    pub const fn totals(&self) -> &Totals {
        self.replay.totals()
    }

    fn print(&self) {
        let totals = self.totals();
        println!("ledger     {}", self.replay.ledger());
        println!("founded    {}", moment::utc(self.replay.genesis().time));
        println!("entries    {}, the last of {}", self.size(), moment::utc(self.replay.last_time()));
        println!("cosigned   {}", moment::utc(self.time));
        for (name, count) in Transaction::NAMES.iter().zip(totals.kinds).filter(|(_, count)| *count > 0) {
            println!("{count:>10} {name}");
        }
        for (party, kinds) in &totals.parties {
            let did = Transaction::NAMES.iter().zip(kinds).filter(|(_, count)| **count > 0);
            let did: Vec<String> = did.map(|(name, count)| format!("{count} {name}")).collect();
            println!("{party}: {}", did.join(", "));
        }
        println!("every signature, transition, root and cosignature holds");
    }
}

fn print_bundle(grant: &suishen_core::id::GrantId, proven: &Proven) {
    println!("ledger     {}", proven.checkpoint.checkpoint().ledger);
    println!("grant      {grant}");
    println!("as of      {}", moment::utc(proven.checkpoint.time()));
    for entry in &proven.log.entries {
        let party = entry.transaction.credential().and_then(|c| c.claimed().ok()).map(|c| c.party);
        let party = party.map_or_else(String::new, |party| format!(" by {party}"));
        println!("entry {:>6} {} {}{party}", entry.number, moment::utc(entry.now), entry.transaction.name());
    }
    println!("these are all entries on this grant up to then; compare the ledger's id with the one you know");
}

#[cfg(test)]
mod tests;
