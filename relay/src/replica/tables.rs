//! The tables of the ledger's database, and the readers that the proofs ask.

use super::ReplicaError;
use redb::{Database, ReadOnlyTable, ReadTransaction, ReadableTable, TableDefinition, TableHandle as _};
use suishen_core::{
    contract::Key,
    proof::{
        map::{
            MapError, MapKey,
            pages::{self, Page, PagePath},
        },
        tile::{TileError, TileNodes, TileSource},
        tree::Sm3,
    },
};

/// Entry number → bytes; 0 is the genesis object.
pub const ENTRIES: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("entries");
/// State key → value.
pub const STATE: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("state");
/// Path → page of the state map.
pub const PAGES: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("pages");
/// Tile level and number → hashes, as far as the tile has grown.
pub const TILES: TableDefinition<'_, (u8, u64), &[u8]> = TableDefinition::new("tiles");
/// Place in the state map → grant.
pub const GRANTS: TableDefinition<'_, [u8; 32], [u8; 32]> = TableDefinition::new("grants");
/// Place in the state map → payer slot of an invoice that somebody has settled or voided.
pub const CLAIMS: TableDefinition<'_, [u8; 32], [u8; 32]> = TableDefinition::new("claims");
/// Grant and number of an entry on it.
pub const GRANT_ENTRIES: TableDefinition<'_, ([u8; 32], u64), ()> = TableDefinition::new("grant-entries");
/// What was signed last, or is about to be: size, tree root, map root. One row, 0.
pub const SIGNED: TableDefinition<'_, u8, (u64, [u8; 32], [u8; 32])> = TableDefinition::new("signed");

/// All tables at one moment.
pub struct Tables {
    pub entries: ReadOnlyTable<u64, &'static [u8]>,
    pub state: ReadOnlyTable<&'static [u8], &'static [u8]>,
    pub pages: ReadOnlyTable<&'static [u8], &'static [u8]>,
    pub tiles: ReadOnlyTable<(u8, u64), &'static [u8]>,
    pub grants: ReadOnlyTable<[u8; 32], [u8; 32]>,
    pub claims: ReadOnlyTable<[u8; 32], [u8; 32]>,
    pub grant_entries: ReadOnlyTable<([u8; 32], u64), ()>,
    pub signed: ReadOnlyTable<u8, (u64, [u8; 32], [u8; 32])>,
}

/// Opens all tables.
pub fn open_all(read: &ReadTransaction) -> Result<Tables, ReplicaError> {
    Ok(Tables {
        entries: read.open_table(ENTRIES)?,
        state: read.open_table(STATE)?,
        pages: read.open_table(PAGES)?,
        tiles: read.open_table(TILES)?,
        grants: read.open_table(GRANTS)?,
        claims: read.open_table(CLAIMS)?,
        grant_entries: read.open_table(GRANT_ENTRIES)?,
        signed: read.open_table(SIGNED)?,
    })
}

/// Adds what the database of an earlier version lacks. One without a ledger stays as it is.
pub fn complete(database: &Database) -> Result<(), ReplicaError> {
    let write = database.begin_write()?;
    let known: Vec<String> = write.list_tables()?.map(|table| table.name().to_owned()).collect();
    let has = |name: &str| known.iter().any(|known| known == name);
    if has(CLAIMS.name()) || !has(STATE.name()) {
        return Ok(());
    }
    {
        let (state, mut claims) = (write.open_table(STATE)?, write.open_table(CLAIMS)?);
        for row in state.iter()? {
            let (key, _) = row?;
            if let Some(Key::Claim(id)) = Key::from_bytes(key.value()) {
                claims.insert(*MapKey::of(key.value()).as_bytes(), *id.as_bytes())?;
            }
        }
    }
    Ok(write.commit()?)
}

/// The tile table as a source of hashes.
pub struct Tiles<'a, T>(pub &'a T);

impl<T: ReadableTable<(u8, u64), &'static [u8]>> Tiles<'_, T> {
    /// As a source of nodes.
    pub const fn nodes(&self) -> TileNodes<'_, Sm3, Self> {
        TileNodes::new(self)
    }
}

impl<T: ReadableTable<(u8, u64), &'static [u8]>> TileSource for Tiles<'_, T> {
    type Error = ReplicaError;

    fn tile(&self, level: u8, index: u64) -> Result<Vec<u8>, ReplicaError> {
        Ok(self.0.get((level, index))?.ok_or(TileError::Hashes)?.value().to_vec())
    }
}

/// The page table as a source of pages.
pub struct Pages<'a, T>(pub &'a T);

impl<T: ReadableTable<&'static [u8], &'static [u8]>> pages::Pages for Pages<'_, T> {
    type Error = ReplicaError;

    fn page(&self, at: &PagePath) -> Result<Option<Page>, ReplicaError> {
        let Some(bytes) = self.0.get(at.to_bytes().as_slice())? else { return Ok(None) };
        Ok(Some(Page::from_bytes(bytes.value()).ok_or(MapError::Page(*at))?))
    }
}
