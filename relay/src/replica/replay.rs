//! Replays the ledger from entry 0: the state is a fold of the entries, so whoever has them can say whether
//! every transition was allowed and what both roots must be. What fsck and audit rest on.

use std::{
    collections::{BTreeMap, BTreeSet},
    thread,
};
use suishen_core::{
    cbor,
    contract::{Checked, Context, Entry, Genesis, Key, Memory, Transaction, Unverified, apply_unverified},
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

/// An entry that was taken and whose signatures are still to be verified, on any thread.
#[derive(Debug)]
#[must_use = "an entry counts once its signatures hold"]
pub struct Waiting {
    number: u64,
    checked: Checked,
    signatures: Unverified,
}

impl Waiting {
    /// Verifies them.
    pub fn verify(&self) -> Result<(), Fault> {
        let held = self.signatures.verify(&self.checked);
        held.map_err(|rejection| Fault { number: self.number, why: rejection.to_string() })
    }

    /// How many there are: an SM2 verification each.
    pub const fn signatures(&self) -> usize {
        self.signatures.len()
    }
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

    /// Takes the next entries. After a fault nothing that was taken counts.
    pub fn take<E: AsRef<[u8]>>(&mut self, entries: &[E]) -> Result<(), Fault> {
        let (taken, fault) = self.sequence(entries, |_, _, _, _| Ok(()));
        let cores = thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let share = taken.len().div_ceil(cores).max(1);
        let first = thread::scope(|scope| {
            let verify = |part: &[Waiting]| part.iter().find_map(|waiting| waiting.verify().err());
            let parts: Vec<_> = taken.chunks(share).map(|part| scope.spawn(move || verify(part))).collect();
            parts.into_iter().find_map(|part| match part.join() {
                Ok(fault) => fault,
                Err(panic) => std::panic::resume_unwind(panic),
            })
        });
        first.or(fault).map_or(Ok(()), Err)
    }

    /// Takes the next entries as if their signatures held, and gives those that must: **nothing counts until all of
    /// them have been verified**, and of several faults only the first is one. `seen` is told each entry in its turn,
    /// with the state that it makes.
    pub fn sequence<E: AsRef<[u8]>>(
        &mut self,
        entries: &[E],
        mut seen: impl FnMut(u64, u64, &Transaction, &Memory) -> Result<(), String>,
    ) -> (Vec<Waiting>, Option<Fault>) {
        let mut taken = Vec::with_capacity(entries.len());
        for bytes in entries {
            let number = self.edge.size();
            let applied = self.read(bytes.as_ref()).and_then(|(entry, checked)| {
                let signatures = self.apply(number, &entry, &checked, bytes.as_ref())?;
                seen(number, entry.now, checked.transaction(), &self.state)?;
                Ok(Waiting { number, checked, signatures })
            });
            match applied {
                Ok(waiting) => taken.push(waiting),
                Err(why) => return (taken, Some(Fault { number, why })),
            }
        }
        (taken, None)
    }

    fn read(&self, bytes: &[u8]) -> Result<(Entry, Checked), String> {
        let entry = Entry::from_bytes(bytes).map_err(|e| format!("is not an entry: {e}"))?;
        let checked = Checked::read(entry.signed.clone(), &self.ledger).map_err(|e| e.to_string())?;
        Ok((entry, checked))
    }

    fn apply(
        &mut self,
        number: u64,
        entry: &Entry,
        checked: &Checked,
        bytes: &[u8],
    ) -> Result<Unverified, String> {
        let context = Context { number, now: entry.now, sponsor: entry.sponsor.clone() };
        let (changes, signatures) =
            apply_unverified(&self.state, &context, checked).map_err(|rejection| rejection.to_string())?;
        for (key, _) in changes.iter() {
            if let Some(Key::Grant(id)) = Key::from_bytes(key) {
                self.grant_entries.insert((id, number));
            }
        }
        self.count(entry, checked.transaction());
        self.state.commit(changes);
        self.last_time = entry.now;
        self.append(bytes);
        Ok(signatures)
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
