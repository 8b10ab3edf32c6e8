//! The ledger at one moment: what a checkpoint speaks of, read without waiting for writers.

use super::{
    ReplicaError,
    tables::{Pages, Tables, Tiles},
};
use redb::{ReadOnlyTable, ReadableTableMetadata as _};
use std::{cell::RefCell, fmt};
use suishen_core::{
    contract::{Damaged, Key, State, Views as _},
    id::{GrantId, LedgerId, PartyId, TagId, TransactionId},
    proof::{
        bundle::{Bundle, ShownParty},
        checkpoint::Checkpoint,
        log::{ProvenEntry, ProvenValue, ShownClaim, ShownGrant},
        map::{MapKey, MapProof, Prefix, pages},
        tile::{self, Kind, TileId, WIDTH},
        tree::{self, Sm3},
    },
    sm::Digest,
};

/// Most leaves in one answer.
pub const MOST_LEAVES: usize = 4096;
/// Most grants in one answer; a wallet asks for 16 to 64.
const MOST_GRANTS: usize = 256;

/// The ledger at one moment.
pub struct Snapshot {
    tables: Tables,
    checkpoint: Checkpoint,
    last_time: u64,
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Snapshot({:?})", self.checkpoint)
    }
}

impl Snapshot {
    pub(super) fn new(tables: Tables, ledger: LedgerId) -> Result<Self, ReplicaError> {
        let (size, tree, map) = match tables.signed.get(0)? {
            Some(row) => row.value(),
            None => return Err(ReplicaError::Damaged("no checkpoint is stored".into())),
        };
        if size != tables.entries.len()? {
            return Err(ReplicaError::Damaged(format!("{size} entries were signed, others are stored")));
        }
        let (tree, map) = (Digest::from_bytes(tree), Digest::from_bytes(map));
        let checkpoint = Checkpoint { ledger, size, tree, map, epoch: 0 };
        let mut snapshot = Self { tables, checkpoint, last_time: 0 };
        snapshot.last_time = snapshot.view(|state| state.last())?.now;
        Ok(snapshot)
    }

    /// Size and roots.
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// Number of entries, the genesis object included.
    pub const fn size(&self) -> u64 {
        self.checkpoint.size
    }

    /// The ledger's time of the last entry.
    pub const fn last_time(&self) -> u64 {
        self.last_time
    }

    /// Reads the contract's state. What the closure concludes counts only if no read failed.
    pub fn with_state<T>(&self, read: impl FnOnce(&dyn State) -> T) -> Result<T, ReplicaError> {
        let reading = Reading { table: &self.tables.state, failed: RefCell::new(None) };
        let found = read(&reading);
        reading.failed.into_inner().map_or(Ok(found), Err)
    }

    /// Reads typed values of the state: `snapshot.view(|state| state.grant(&id))`.
    pub fn view<T>(&self, read: impl FnOnce(&dyn State) -> Result<T, Damaged>) -> Result<T, ReplicaError> {
        Ok(self.with_state(read)??)
    }

    /// An entry's bytes; number 0 is the genesis object.
    pub fn entry(&self, number: u64) -> Result<Option<Vec<u8>>, ReplicaError> {
        Ok(self.tables.entries.get(number)?.map(|bytes| bytes.value().to_vec()))
    }

    /// The number of the entry in which a transaction stands.
    pub fn entry_of(&self, id: &TransactionId) -> Result<Option<u64>, ReplicaError> {
        self.view(|state| state.entry_of(id))
    }

    /// A tile of exactly this width; `None` where the tree hasn't grown so far.
    pub fn tile(&self, id: &TileId) -> Result<Option<Vec<u8>>, ReplicaError> {
        if !id.exists_at(self.size()) {
            return Ok(None);
        }
        match id.kind() {
            Kind::Hashes(level) => {
                let stored = self.tables.tiles.get((level, id.index()))?;
                let stored = stored.ok_or(tile::TileError::Hashes)?;
                let hashes = stored.value().get(..usize::from(id.width()) * 32);
                Ok(Some(hashes.ok_or(tile::TileError::Hashes)?.to_vec()))
            }
            Kind::Entries => {
                let first = id.index() * WIDTH;
                let mut bundle = Vec::new();
                for entry in self.tables.entries.range(first..first + u64::from(id.width()))? {
                    tile::push_entry(&mut bundle, entry?.1.value())?;
                }
                Ok(Some(bundle))
            }
        }
    }

    /// The audit path of an entry.
    pub fn inclusion(&self, number: u64) -> Result<Option<Vec<Digest>>, ReplicaError> {
        if number >= self.size() {
            return Ok(None);
        }
        tree::prove_inclusion::<Sm3, _>(&Tiles(&self.tables.tiles).nodes(), number, self.size()).map(Some)
    }

    /// The consistency proof from an earlier size; `None` for 0 and for sizes to come.
    pub fn consistency(&self, old: u64) -> Result<Option<Vec<Digest>>, ReplicaError> {
        if !(1..=self.size()).contains(&old) {
            return Ok(None);
        }
        tree::prove_consistency::<Sm3, _>(&Tiles(&self.tables.tiles).nodes(), old, self.size()).map(Some)
    }

    /// The audit path of an entry in the tree of an earlier size; `None` for an entry or a size to come.
    pub fn inclusion_at(&self, number: u64, size: u64) -> Result<Option<Vec<Digest>>, ReplicaError> {
        if number >= size || size > self.size() {
            return Ok(None);
        }
        tree::prove_inclusion::<Sm3, _>(&Tiles(&self.tables.tiles).nodes(), number, size).map(Some)
    }

    /// The consistency proof between two sizes; `None` for 0, for sizes to come, and for a size that shrinks.
    pub fn consistency_between(&self, old: u64, new: u64) -> Result<Option<Vec<Digest>>, ReplicaError> {
        if !(1..=new).contains(&old) || new > self.size() {
            return Ok(None);
        }
        tree::prove_consistency::<Sm3, _>(&Tiles(&self.tables.tiles).nodes(), old, new).map(Some)
    }

    /// An entry with its audit path.
    pub fn proven_entry(&self, number: u64) -> Result<Option<ProvenEntry>, ReplicaError> {
        let (Some(bytes), Some(inclusion)) = (self.entry(number)?, self.inclusion(number)?) else {
            return Ok(None);
        };
        Ok(Some(ProvenEntry { number, bytes, inclusion }))
    }

    /// A value of the state with its proof.
    pub fn proven_value(&self, key: &Key) -> Result<Option<ProvenValue>, ReplicaError> {
        let Some(value) = self.with_state(|state| state.get(key))? else { return Ok(None) };
        Ok(Some(ProvenValue { value, proof: self.prove(&Prefix::whole(&MapKey::of(&key.to_bytes())))? }))
    }

    /// Proves all that the state map holds under a prefix, or that it holds nothing there.
    pub fn prove(&self, prefix: &Prefix) -> Result<MapProof, ReplicaError> {
        pages::prove(&self.pages(), prefix)
    }

    #[cfg(test)]
    pub(super) const fn tables(&self) -> &Tables {
        &self.tables
    }

    pub(super) fn pages(&self) -> Pages<'_, ReadOnlyTable<&'static [u8], &'static [u8]>> {
        Pages(&self.tables.pages)
    }

    /// The numbers of all entries on a grant.
    pub fn grant_entries(&self, id: &GrantId) -> Result<Vec<u64>, ReplicaError> {
        let all = self.tables.grant_entries.range((*id.as_bytes(), 0)..=(*id.as_bytes(), u64::MAX))?;
        all.map(|row| Ok(row?.0.value().1)).collect()
    }

    /// A grant's leaf with every entry on it.
    pub fn shown_grant(&self, id: &GrantId) -> Result<Option<ShownGrant>, ReplicaError> {
        let Some(leaf) = self.with_state(|state| state.get(&Key::Grant(*id)))? else { return Ok(None) };
        let mut entries = Vec::new();
        for number in self.grant_entries(id)? {
            let entry = self.proven_entry(number)?;
            entries.push(entry.ok_or_else(|| ReplicaError::Damaged(format!("entry {number} is missing")))?);
        }
        Ok(Some(ShownGrant { id: *id, leaf, entries }))
    }

    pub(super) fn grants_under(&self, prefix: &Prefix) -> Result<(MapProof, Vec<ShownGrant>), ReplicaError> {
        let range = *prefix.first().as_bytes()..=*prefix.last().as_bytes();
        let mut grants = Vec::new();
        for row in self.tables.grants.range(range)?.take(MOST_GRANTS + 1) {
            grants.push(GrantId::from_bytes(row?.1.value()));
        }
        if grants.len() > MOST_GRANTS {
            return Err(ReplicaError::ManyLeaves);
        }
        let proof = self.prove(prefix)?;
        if proof.leaves().len() > MOST_LEAVES {
            return Err(ReplicaError::ManyLeaves);
        }
        let mut shown = Vec::new();
        for id in grants {
            shown.extend(self.shown_grant(&id)?);
        }
        Ok((proof, shown))
    }

    pub(super) fn claims_under(&self, prefix: &Prefix) -> Result<Vec<ShownClaim>, ReplicaError> {
        let range = *prefix.first().as_bytes()..=*prefix.last().as_bytes();
        let mut claims = Vec::new();
        // As many as there can be leaves: their proof has been made.
        for row in self.tables.claims.range(range)? {
            let id = TagId::from_bytes(row?.1.value());
            let value = self.with_state(|state| state.get(&Key::Claim(id)))?;
            claims.extend(value.map(|value| ShownClaim { id, value }));
        }
        Ok(claims)
    }

    pub(super) fn bundle(&self, id: &GrantId, note: &str) -> Result<Option<Bundle>, ReplicaError> {
        let key = Key::Grant(*id);
        let (Some(grant), Some(leaf), Some(genesis)) =
            (self.shown_grant(id)?, self.proven_value(&key)?, self.proven_entry(0)?)
        else {
            return Ok(None);
        };
        let mut ids: Vec<PartyId> = Vec::new();
        for shown in &grant.entries {
            let entry = suishen_core::contract::Entry::from_bytes(&shown.bytes);
            let acted = entry.ok().and_then(|e| e.signed.claimed().ok());
            let acted = acted.as_ref().and_then(|t| t.credential()?.claimed().ok()).map(|c| c.party);
            ids.extend(acted.filter(|party| !ids.contains(party)));
        }
        let mut parties = Vec::new();
        for id in ids {
            let value = self.proven_value(&Key::Party(id.clone()))?;
            parties.extend(value.map(|value| ShownParty { id, value }));
        }
        let (note, proof) = (note.to_owned(), leaf.proof);
        Ok(Some(Bundle { genesis, note, grant, proof, parties, receipts: Vec::new() }))
    }
}

/// The state while it is read: remembers a failure of the database, which the contract can't speak of.
struct Reading<'a> {
    table: &'a ReadOnlyTable<&'static [u8], &'static [u8]>,
    failed: RefCell<Option<ReplicaError>>,
}

impl State for Reading<'_> {
    fn get(&self, key: &Key) -> Option<Vec<u8>> {
        match self.table.get(key.to_bytes().as_slice()) {
            Ok(value) => value.map(|value| value.value().to_vec()),
            Err(error) => {
                self.failed.borrow_mut().get_or_insert(error.into());
                None
            }
        }
    }
}
