//! Replays the ledger from entry 0: the state is a fold of the entries, so whoever has them can say whether
//! every transition was allowed and what both roots must be. What fsck and audit rest on.

use std::{
    collections::{BTreeMap, BTreeSet},
    thread,
};
use suishen_core::{
    cbor,
    contract::{Checked, Context, Entry, Genesis, Key, Memory, Transaction, apply_checked},
    id::{GrantId, LedgerId, PartyId, TagId},
    proof::{
        map::{self, Leaf},
        tile::WIDTH,
        tree::{Edge, Sm3, TreeHash as _},
    },
    sm::Digest,
};

/// The first entry that can't stand, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Its number.
    pub number: u64,
    /// What is wrong with it.
    pub why: String,
}

/// What was counted on the way.
#[derive(Clone, Debug, Default)]
pub struct Totals {
    /// Entries by kind of transaction.
    pub kinds: [u64; Transaction::NAMES.len()],
    /// Entries by organisation and kind, where a desk acted for one.
    pub parties: BTreeMap<PartyId, [u64; Transaction::NAMES.len()]>,
    /// Entries by sponsor.
    pub sponsors: BTreeMap<PartyId, u64>,
}

/// The ledger as far as it was replayed.
#[derive(Debug)]
pub struct Replay {
    genesis: Genesis,
    ledger: LedgerId,
    state: Memory,
    edge: Edge,
    tiles: BTreeMap<(u8, u64), Vec<u8>>,
    grant_entries: BTreeSet<(GrantId, u64)>,
    last_time: u64,
    totals: Totals,
}

impl Replay {
    /// Begins with the genesis object.
    pub fn new(entry: &[u8]) -> Result<Self, Fault> {
        let fault = |why: String| Fault { number: 0, why };
        let genesis: Genesis =
            cbor::decode(entry).map_err(|e| fault(format!("is not a genesis object: {e}")))?;
        genesis.check().map_err(|e| fault(e.to_string()))?;
        let mut replay = Self {
            ledger: genesis.ledger_id(),
            state: Memory::new(&genesis),
            edge: Edge::new(),
            tiles: BTreeMap::new(),
            grant_entries: BTreeSet::new(),
            last_time: genesis.time,
            totals: Totals::default(),
            genesis,
        };
        replay.append(entry);
        Ok(replay)
    }

    /// Takes the next entries; those before a fault are taken.
    pub fn take<E: AsRef<[u8]> + Sync>(&mut self, entries: &[E]) -> Result<(), Fault> {
        let numbered = || (self.edge.size()..).zip(entries);
        let mut read = Vec::with_capacity(entries.len());
        let mut unreadable = None;
        for (number, bytes) in numbered() {
            match self.read(bytes.as_ref()) {
                Ok(entry) => read.push(entry),
                Err(why) => {
                    unreadable = Some(Fault { number, why });
                    break;
                }
            }
        }
        self.verify(&mut read);
        for ((entry, checked), bytes) in read.into_iter().zip(entries) {
            self.apply(&entry, &checked, bytes.as_ref())?;
        }
        unreadable.map_or(Ok(()), Err)
    }

    fn read(&self, bytes: &[u8]) -> Result<(Entry, Checked), String> {
        let entry = Entry::from_bytes(bytes).map_err(|e| format!("is not an entry: {e}"))?;
        let checked = Checked::read(entry.signed.clone(), &self.ledger).map_err(|e| e.to_string())?;
        Ok((entry, checked))
    }

    /// Verifies signatures on all cores, against the state so far. What fails or isn't known yet is verified
    /// again when the entry's turn comes.
    fn verify(&self, entries: &mut [(Entry, Checked)]) {
        let cores = thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let share = entries.len().div_ceil(cores).max(1);
        let state = &self.state;
        thread::scope(|scope| {
            for part in entries.chunks_mut(share) {
                scope.spawn(move || {
                    for (_, checked) in part {
                        let _ = checked.check(state);
                    }
                });
            }
        });
    }

    fn apply(&mut self, entry: &Entry, checked: &Checked, bytes: &[u8]) -> Result<(), Fault> {
        let number = self.edge.size();
        let context = Context { number, now: entry.now, sponsor: entry.sponsor.clone() };
        let changes = apply_checked(&self.state, &context, checked)
            .map_err(|rejection| Fault { number, why: rejection.to_string() })?;
        for (key, _) in changes.iter() {
            if let Some(Key::Grant(id)) = Key::from_bytes(key) {
                self.grant_entries.insert((id, number));
            }
        }
        self.count(entry, checked.transaction());
        self.state.commit(changes);
        self.last_time = entry.now;
        self.append(bytes);
        Ok(())
    }

    fn count(&mut self, entry: &Entry, transaction: &Transaction) {
        let kind = usize::from(transaction.number());
        self.totals.kinds[kind] += 1;
        *self.totals.sponsors.entry(entry.sponsor.clone()).or_default() += 1;
        if let Some(Ok(credential)) = transaction.credential().map(suishen_core::sm::Signed::claimed) {
            self.totals.parties.entry(credential.party).or_default()[kind] += 1;
        }
    }

    fn append(&mut self, bytes: &[u8]) {
        let tiles = &mut self.tiles;
        self.edge.append::<Sm3>(Sm3::leaf(bytes), |node| {
            if node.level % 8 == 0 {
                let tile = tiles.entry((node.level / 8, node.index / WIDTH)).or_default();
                tile.extend_from_slice(node.hash.as_bytes());
            }
        });
    }

    /// The genesis object.
    pub const fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    /// The ledger's id.
    pub const fn ledger(&self) -> LedgerId {
        self.ledger
    }

    /// Entries taken, the genesis object included.
    pub const fn size(&self) -> u64 {
        self.edge.size()
    }

    /// The tree's root.
    pub fn tree_root(&self) -> Digest {
        self.edge.root::<Sm3>()
    }

    /// The payer slots that somebody has settled or voided.
    pub fn claims(&self) -> impl Iterator<Item = TagId> {
        self.state.iter().filter_map(|(key, _)| match Key::from_bytes(key) {
            Some(Key::Claim(id)) => Some(id),
            _ => None,
        })
    }

    /// The leaves of the state map.
    pub fn leaves(&self) -> impl Iterator<Item = Leaf> {
        let mapped = self.state.iter().filter(|(key, _)| Key::is_mapped(key));
        mapped.map(|(key, value)| Leaf::of(key, value))
    }

    /// The state map's root.
    pub fn map_root(&self) -> Digest {
        map::root_of(self.leaves())
    }

    /// The state.
    pub const fn state(&self) -> &Memory {
        &self.state
    }

    /// The tiles of hashes, by level and number.
    pub const fn tiles(&self) -> &BTreeMap<(u8, u64), Vec<u8>> {
        &self.tiles
    }

    /// Which entries are on which grant.
    pub const fn grant_entries(&self) -> &BTreeSet<(GrantId, u64)> {
        &self.grant_entries
    }

    /// The time of the last entry.
    pub const fn last_time(&self) -> u64 {
        self.last_time
    }

    /// What was counted.
    pub const fn totals(&self) -> &Totals {
        &self.totals
    }
}
