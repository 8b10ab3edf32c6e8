//! The database, examined against a replay: entries, state, map pages, tiles, indexes, and what was signed.

use super::{Finding, Report};
use crate::{
    command::progress::Progress,
    replica::{ReplicaError, Tables, open_all, replay::Replay},
};
use redb::{Database, ReadableDatabase as _, ReadableTable as _, ReadableTableMetadata as _};
use std::{
    collections::{BTreeMap, BTreeSet},
    panic::{AssertUnwindSafe, catch_unwind},
};
use suishen_core::proof::{
    map::{
        MapKey,
        pages::{self, Page, PagePath},
    },
    tile::WIDTH,
    tree::{Sm3, TreeHash as _},
};

/// Findings told of one table; where a table is off, hundreds would say the same.
const MOST: usize = 5;

/// Examines the database. `copy` is the replay of the published copy, where all of that stood.
pub fn examine(database: &Database, copy: Option<Replay>, report: &mut Report, progress: &Progress) {
    let examined = catch_unwind(AssertUnwindSafe(|| {
        let tables = open_all(&database.begin_read()?)?;
        let mut found = Found { tables: &tables, findings: Vec::new() };
        if let Some(replay) = found.entries(copy, report, progress)? {
            report.size = replay.size();
            report.ledger = Some(replay.ledger());
            found.signed(&replay)?;
            found.tiles(&replay)?;
            found.state(&replay)?;
            found.pages(&replay)?;
            found.indexes(&replay)?;
        }
        Ok::<_, ReplicaError>(found.findings)
    }));
    match examined {
        Ok(Ok(findings)) => report.findings.extend(findings),
        Ok(Err(error)) => report.findings.push(Finding::Database(error.to_string())),
        Err(_) => report.findings.push(Finding::Database("its pages are damaged and cannot be read".into())),
    }
}

struct Found<'a> {
    tables: &'a Tables,
    findings: Vec<Finding>,
}

impl Found<'_> {
    fn wrong(&mut self, why: String) {
        self.findings.push(Finding::Database(why));
    }

    /// Compares entries with the copy's and replays those that the copy doesn't have yet. Gives the replay of all.
    fn entries(
        &mut self,
        copy: Option<Replay>,
        report: &Report,
        progress: &Progress,
    ) -> Result<Option<Replay>, ReplicaError> {
        let size = self.tables.entries.len()?;
        progress.total(size);
        if report.size > size {
            self.wrong(format!("it ends after {size} entries, the published copy after {}", report.size));
        }
        let mut replay = copy.filter(|replay| replay.size() <= size);
        let known = replay.as_ref().map_or(0, Replay::size);
        let (mut next, mut told) = (0, 0);
        let mut waiting: Vec<Vec<u8>> = Vec::new();
        for row in self.tables.entries.iter()? {
            let (number, bytes) = row?;
            if number.value() != next {
                self.wrong(format!("entry {next} is missing"));
                return Ok(None);
            }
            next += 1;
            if number.value() < known {
                if !matches(replay.as_ref(), number.value(), bytes.value()) && told < MOST {
                    told += 1;
                    self.wrong(format!("entry {} is not the one in the published copy", number.value()));
                }
                continue;
            }
            waiting.push(bytes.value().to_vec());
            if waiting.len() as u64 == WIDTH || next == size {
                progress.at(next);
                if let Err(fault) = take(&mut replay, &std::mem::take(&mut waiting)) {
                    self.wrong(format!("entry {}: {}", fault.number, fault.why));
                    return Ok(None);
                }
            }
        }
        Ok(replay)
    }

    fn signed(&mut self, replay: &Replay) -> Result<(), ReplicaError> {
        let roots = (replay.size(), *replay.tree_root().as_bytes(), *replay.map_root().as_bytes());
        if self.tables.signed.get(0)?.map(|row| row.value()) != Some(roots) {
            self.wrong(format!(
                "checkpoint {}: the roots stored for it are not those of the entries",
                replay.size()
            ));
        }
        Ok(())
    }

    fn tiles(&mut self, replay: &Replay) -> Result<(), ReplicaError> {
        let mut stored = BTreeMap::new();
        for row in self.tables.tiles.iter()? {
            let (at, tile) = row?;
            stored.insert(at.value(), tile.value().to_vec());
        }
        let name = |at: &(u8, u64)| format!("tile {} of level {}", at.1, at.0);
        self.compare(replay.tiles(), &stored, name);
        Ok(())
    }

    fn state(&mut self, replay: &Replay) -> Result<(), ReplicaError> {
        let expected = replay.state().iter().map(|(k, v)| (k.to_vec(), v.to_vec())).collect();
        let mut stored = BTreeMap::new();
        for row in self.tables.state.iter()? {
            let (key, value) = row?;
            stored.insert(key.value().to_vec(), value.value().to_vec());
        }
        self.compare(&expected, &stored, |key| format!("state {}", data_encoding::HEXLOWER.encode(key)));
        Ok(())
    }

    fn pages(&mut self, replay: &Replay) -> Result<(), ReplicaError> {
        let leaves = replay.leaves().map(|leaf| (leaf.key, Some(leaf.value))).collect();
        let built = pages::update(&BTreeMap::<PagePath, Page>::new(), &leaves)?;
        let built = built.pages.into_iter().filter_map(|(at, page)| Some((at, page?)));
        let expected = built.map(|(at, page)| (at.to_bytes(), page.to_bytes())).collect();
        let mut stored = BTreeMap::new();
        for row in self.tables.pages.iter()? {
            let (at, page) = row?;
            stored.insert(at.value().to_vec(), page.value().to_vec());
        }
        let name = |at: &Vec<u8>| format!("page {} of the state map", data_encoding::HEXLOWER.encode(at));
        self.compare(&expected, &stored, name);
        Ok(())
    }

    fn indexes(&mut self, replay: &Replay) -> Result<(), ReplicaError> {
        let of = |id: &suishen_core::id::GrantId| suishen_core::contract::Key::Grant(*id).to_bytes();
        let entries: BTreeSet<_> =
            replay.grant_entries().iter().map(|(id, n)| (*id.as_bytes(), *n)).collect();
        let grants = replay.grant_entries().iter();
        let grants = grants.map(|(id, _)| (*MapKey::of(&of(id)).as_bytes(), *id.as_bytes())).collect();
        let mut stored = BTreeSet::new();
        for row in self.tables.grant_entries.iter()? {
            stored.insert(row?.0.value());
        }
        let name = |at: &([u8; 32], u64)| format!("the note that entry {} is on a grant", at.1);
        self.tell(entries.symmetric_difference(&stored), name);
        let mut stored = BTreeMap::new();
        for row in self.tables.grants.iter()? {
            let (place, id) = row?;
            stored.insert(place.value(), id.value());
        }
        let hex = |at: &[u8; 32]| data_encoding::HEXLOWER.encode(at);
        self.compare(&grants, &stored, |at| format!("the note of a grant at {}", hex(at)));
        let claims = replay.claims().map(|id| {
            let key = suishen_core::contract::Key::Claim(id).to_bytes();
            (*MapKey::of(&key).as_bytes(), *id.as_bytes())
        });
        let mut stored = BTreeMap::new();
        for row in self.tables.claims.iter()? {
            let (place, id) = row?;
            stored.insert(place.value(), id.value());
        }
        self.compare(&claims.collect(), &stored, |at| format!("the note of a claim at {}", hex(at)));
        Ok(())
    }

    fn compare<K: Ord, V: Eq>(
        &mut self,
        expected: &BTreeMap<K, V>,
        stored: &BTreeMap<K, V>,
        name: impl Fn(&K) -> String,
    ) {
        let missing =
            expected.iter().filter(|(key, value)| stored.get(key) != Some(value)).map(|(key, _)| key);
        let more = stored.keys().filter(|key| !expected.contains_key(key));
        self.tell(missing.chain(more), name);
    }

    fn tell<'k, K: 'k>(&mut self, wrong: impl Iterator<Item = &'k K>, name: impl Fn(&K) -> String) {
        for name in wrong.take(MOST).map(name) {
            self.wrong(format!("{name} is not what the entries make"));
        }
    }
}

/// Whether an entry is the one that was replayed under this number.
fn matches(replay: Option<&Replay>, number: u64, bytes: &[u8]) -> bool {
    let tile = replay.and_then(|replay| replay.tiles().get(&(0, number / WIDTH)));
    let place = usize::try_from(number % WIDTH).unwrap_or(0) * 32;
    tile.and_then(|tile| tile.get(place..place + 32)) == Some(Sm3::leaf(bytes).as_bytes().as_slice())
}

/// Replays on, from the genesis object where nothing was replayed yet.
fn take(replay: &mut Option<Replay>, entries: &[Vec<u8>]) -> Result<(), crate::replica::replay::Fault> {
    if let Some(replay) = replay {
        return replay.take(entries);
    }
    let Some((genesis, rest)) = entries.split_first() else { return Ok(()) };
    replay.insert(Replay::new(genesis)?).take(rest)
}
