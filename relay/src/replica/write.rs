//! The one write path: entries and everything that follows from them, in one durable transaction.

use super::{
    ReplicaError,
    tables::{CLAIMS, ENTRIES, GRANT_ENTRIES, GRANTS, PAGES, Pages, SIGNED, STATE, TILES},
};
use redb::{Database, Durability, ReadableTable as _, Table, WriteTransaction};
use std::collections::BTreeMap;
use suishen_core::{
    cbor,
    contract::{self, Changes, Entry, Genesis, Key, Last},
    proof::{
        map::{MapKey, pages},
        tile::{LONGEST_ENTRY, WIDTH},
        tree::{Edge, Sm3, TreeHash as _},
    },
    sm::Digest,
};

/// An entry that the contract accepted, with what it writes.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// The entry.
    pub entry: Entry,
    /// Its writes to the state.
    pub changes: Changes,
}

/// Founds the ledger: entry 0 and the state after it.
pub fn found(database: &Database, genesis: &Genesis) -> Result<(), ReplicaError> {
    commit(database, &Edge::new(), &[(cbor::encode(genesis), contract::genesis(genesis))]).map(drop)
}

/// Appends entries after the tree with this right edge; gives the new one.
pub fn append(database: &Database, edge: &Edge, accepted: &[Accepted]) -> Result<Edge, ReplicaError> {
    let entries: Vec<_> = accepted.iter().map(|a| (a.entry.to_bytes(), a.changes.clone())).collect();
    // The contract writes the entry's number: one decided on an older state has another.
    let numbered = |changes: &Changes| changes.get(&Key::Last).flatten().and_then(|v| cbor::decode(v).ok());
    for (number, (_, changes)) in (edge.size()..).zip(&entries) {
        if numbered(changes).is_none_or(|last: Last| last.number != number) {
            return Err(ReplicaError::OutOfOrder(number));
        }
    }
    commit(database, edge, &entries)
}

fn commit(database: &Database, edge: &Edge, entries: &[(Vec<u8>, Changes)]) -> Result<Edge, ReplicaError> {
    let mut write = database.begin_write()?;
    write.set_durability(Durability::Immediate)?;
    // redb signs off a commit in one step by checksum alone unless told otherwise.
    write.set_two_phase_commit(true);
    let edge = write_entries(&write, edge, entries)?;
    let map = write_state(&write, edge.size() - entries.len() as u64, entries)?;
    write_signed(&write, edge.size(), &edge.root::<Sm3>(), &map)?;
    write.commit()?;
    Ok(edge)
}

/// Entries and tiles.
fn write_entries(
    write: &WriteTransaction,
    edge: &Edge,
    entries: &[(Vec<u8>, Changes)],
) -> Result<Edge, ReplicaError> {
    let (mut edge, mut finished) = (edge.clone(), Vec::new());
    let mut table = write.open_table(ENTRIES)?;
    for (bytes, _) in entries {
        if bytes.len() > LONGEST_ENTRY {
            return Err(ReplicaError::TooLong);
        }
        if table.insert(edge.size(), bytes.as_slice())?.is_some() {
            return Err(ReplicaError::Damaged(format!("entry {} is there already", edge.size())));
        }
        edge.append::<Sm3>(Sm3::leaf(bytes), |node| {
            if node.level % 8 == 0 {
                finished.push(node);
            }
        });
    }
    let mut tiles = write.open_table(TILES)?;
    let mut grown: BTreeMap<(u8, u64), Vec<u8>> = BTreeMap::new();
    for node in finished {
        let at = (node.level / 8, node.index / WIDTH);
        let tile = match grown.remove(&at) {
            Some(tile) => tile,
            None => tiles.get(at)?.map_or_else(Vec::new, |stored| stored.value().to_vec()),
        };
        grown.insert(at, [tile.as_slice(), node.hash.as_bytes()].concat());
    }
    for (at, tile) in grown {
        tiles.insert(at, tile.as_slice())?;
    }
    Ok(edge)
}

/// State, its map, and which entries are on which grant. Gives the map's root.
fn write_state(
    write: &WriteTransaction,
    first: u64,
    entries: &[(Vec<u8>, Changes)],
) -> Result<Digest, ReplicaError> {
    let mut table = write.open_table(STATE)?;
    let mut leaves: BTreeMap<MapKey, Option<Digest>> = BTreeMap::new();
    let mut grants = write.open_table(GRANTS)?;
    let mut claims = write.open_table(CLAIMS)?;
    let mut grant_entries = write.open_table(GRANT_ENTRIES)?;
    for (number, (_, changes)) in (first..).zip(entries) {
        for (key, value) in changes.iter() {
            match value {
                Some(value) => table.insert(key, value)?,
                None => table.remove(key)?,
            };
            if !Key::is_mapped(key) {
                continue;
            }
            let place = MapKey::of(key);
            leaves.insert(place, value.map(Digest::of));
            // Every entry on a grant writes the grant's leaf, and no other does.
            match Key::from_bytes(key) {
                Some(Key::Grant(id)) => {
                    grants.insert(*place.as_bytes(), *id.as_bytes())?;
                    grant_entries.insert((*id.as_bytes(), number), ())?;
                }
                Some(Key::Claim(id)) => {
                    claims.insert(*place.as_bytes(), *id.as_bytes())?;
                }
                _ => {}
            }
        }
    }
    write_pages(&mut write.open_table(PAGES)?, &leaves)
}

fn write_pages(
    table: &mut Table<'_, &'static [u8], &'static [u8]>,
    leaves: &BTreeMap<MapKey, Option<Digest>>,
) -> Result<Digest, ReplicaError> {
    let update = pages::update(&Pages(table), leaves)?;
    for (at, page) in update.pages {
        match page {
            Some(page) => table.insert(at.to_bytes().as_slice(), page.to_bytes().as_slice())?,
            None => table.remove(at.to_bytes().as_slice())?,
        };
    }
    Ok(update.root)
}

/// What will be signed next, on disk with the entries it speaks of. Never less than before.
fn write_signed(
    write: &WriteTransaction,
    size: u64,
    tree: &Digest,
    map: &Digest,
) -> Result<(), ReplicaError> {
    let mut table = write.open_table(SIGNED)?;
    let row = (size, *tree.as_bytes(), *map.as_bytes());
    let before = table.insert(0, row)?.map(|stored| stored.value());
    match before {
        Some(before) if before != row && before.0 >= size => Err(ReplicaError::Signed(size)),
        _ => Ok(()),
    }
}
