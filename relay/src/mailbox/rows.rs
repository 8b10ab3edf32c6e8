//! The mailboxes' tables, and what is counted of each vault.

use super::MailboxError;
use crate::store::StoreError;
use minicbor::{Decode, Encode, bytes::ByteVec};
use redb::{ReadTransaction, ReadableTable, TableDefinition, WriteTransaction};
use suishen_core::{
    cbor,
    id::{BlobAddress, VaultId},
    sync::Outline,
};

/// A vault, and something of it.
type Of<V> = TableDefinition<'static, (&'static [u8; 32], &'static [u8; 32]), V>;

/// What is counted of a vault.
pub(super) const VAULTS: TableDefinition<'static, &'static [u8; 32], &'static [u8]> =
    TableDefinition::new("vaults");
/// Events by address.
pub(super) const EVENTS: Of<&'static [u8]> = Of::new("events");
/// Their addresses alone: what a session begins with, without reading the events.
pub(super) const ADDRESSES: Of<()> = Of::new("addresses");
/// Those among them that are epochs.
pub(super) const EPOCHS: Of<()> = Of::new("epochs");
/// Content by address; its bytes are in files.
pub(super) const CONTENTS: Of<&'static [u8]> = Of::new("contents");

/// What an event takes at least.
const LEAST_WEIGHT: u64 = 1 << 10;
/// What a vault's row takes of the room.
const VAULT_WEIGHT: u64 = 256;
/// What a row of content takes of it, beside its file.
pub(super) const CONTENT_WEIGHT: u64 = 256;

/// What an event takes of quota and room: its row, its part of the tables, and a session's memory of it, which is the same for
/// the smallest.
pub(super) const fn weight(event: &[u8]) -> u64 {
    let bytes = event.len() as u64 + 192;
    if bytes < LEAST_WEIGHT { LEAST_WEIGHT } else { bytes }
}

/// What is known of a vault.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(super) struct VaultRow {
    /// When a device was last here, to the day.
    #[n(0)]
    pub visited: u64,
    /// How many events.
    #[n(1)]
    pub events: u64,
    /// Their weight.
    #[n(2)]
    pub event_bytes: u64,
    /// How many of them are epochs.
    #[n(3)]
    pub epochs: u64,
    /// How many contents, partial ones among them.
    #[n(4)]
    pub contents: u64,
    /// Their bytes, as announced.
    #[n(5)]
    pub content_bytes: u64,
}

/// What is known of content.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(super) struct ContentRow {
    /// Bytes in all.
    #[n(0)]
    pub size: u64,
    /// Whether all of it is here, and true.
    #[n(1)]
    pub whole: bool,
    /// When it was last begun.
    #[n(2)]
    pub begun: u64,
    /// The midstates of its [`Outline`], once it is whole.
    #[n(3)]
    pub midstates: Option<ByteVec>,
}

impl ContentRow {
    /// Content that isn't whole.
    pub(super) const fn part(size: u64, begun: u64) -> Self {
        Self { size, whole: false, begun, midstates: None }
    }

    /// Content that is.
    pub(super) fn whole(outline: &Outline) -> Self {
        Self { size: outline.size(), whole: true, begun: 0, midstates: Some(outline.midstates()) }
    }

    /// Where it is whole, and was since mailboxes have outlines.
    pub(super) fn outline(&self) -> Option<Outline> {
        Outline::read(self.size, self.midstates.clone().filter(|_| self.whole)?).ok()
    }
}

fn read<T: Encode<()> + for<'b> Decode<'b, ()>>(bytes: &[u8]) -> Result<T, StoreError> {
    cbor::decode(bytes).map_err(|_| StoreError::Row)
}

/// All rows of one vault.
pub(super) const fn range(vault: &VaultId) -> core::ops::RangeInclusive<(&[u8; 32], &[u8; 32])> {
    (vault.as_bytes(), &[0; 32])..=(vault.as_bytes(), &[0xff; 32])
}

pub(super) fn vault(
    table: &impl ReadableTable<&'static [u8; 32], &'static [u8]>,
    vault: &VaultId,
) -> Result<Option<VaultRow>, StoreError> {
    table.get(vault.as_bytes())?.map(|row| read(row.value())).transpose()
}

pub(super) fn vaults(tx: &ReadTransaction) -> Result<Vec<(VaultId, VaultRow)>, StoreError> {
    let table = tx.open_table(VAULTS)?;
    let rows = table.iter()?.map(|row| {
        let (vault, row) = row?;
        Ok((VaultId::from_bytes(*vault.value()), read(row.value())?))
    });
    rows.collect()
}

pub(super) fn put_vault(tx: &WriteTransaction, vault: &VaultId, row: &VaultRow) -> Result<(), StoreError> {
    tx.open_table(VAULTS)?.insert(vault.as_bytes(), cbor::encode(row).as_slice())?;
    Ok(())
}

/// Changes what is counted of a vault; [`MailboxError::Unknown`] when it is gone.
pub(super) fn change(
    tx: &WriteTransaction,
    id: &VaultId,
    change: impl FnOnce(&mut VaultRow),
) -> Result<(), MailboxError> {
    let found = vault(&tx.open_table(VAULTS).map_err(StoreError::from)?, id)?;
    let mut row = found.ok_or(MailboxError::Unknown)?;
    change(&mut row);
    Ok(put_vault(tx, id, &row)?)
}

pub(super) fn content(
    table: &impl ReadableTable<(&'static [u8; 32], &'static [u8; 32]), &'static [u8]>,
    vault: &VaultId,
    address: &BlobAddress,
) -> Result<Option<ContentRow>, StoreError> {
    table.get((vault.as_bytes(), address.as_bytes()))?.map(|row| read(row.value())).transpose()
}

/// All contents of all vaults.
pub(super) fn contents(
    table: &impl ReadableTable<(&'static [u8; 32], &'static [u8; 32]), &'static [u8]>,
) -> Result<Vec<(VaultId, BlobAddress, ContentRow)>, StoreError> {
    let rows = table.iter()?.map(|row| {
        let (key, row) = row?;
        let (vault, address) = key.value();
        Ok((VaultId::from_bytes(*vault), BlobAddress::from_bytes(*address), read(row.value())?))
    });
    rows.collect()
}

pub(super) fn put_content(
    tx: &WriteTransaction,
    vault: &VaultId,
    address: &BlobAddress,
    row: &ContentRow,
) -> Result<(), StoreError> {
    let key = (vault.as_bytes(), address.as_bytes());
    tx.open_table(CONTENTS)?.insert(key, cbor::encode(row).as_slice())?;
    Ok(())
}

/// Removes the row of content, and what was counted of it; whether it was there.
pub(super) fn forget_content(
    tx: &WriteTransaction,
    id: &VaultId,
    address: &BlobAddress,
) -> Result<bool, MailboxError> {
    let gone = {
        let mut table = tx.open_table(CONTENTS).map_err(StoreError::from)?;
        let key = (id.as_bytes(), address.as_bytes());
        let gone = table.remove(key).map_err(StoreError::from)?;
        gone.map(|row| read::<ContentRow>(row.value())).transpose()?
    };
    let Some(gone) = gone else { return Ok(false) };
    change(tx, id, |row| {
        row.contents -= 1;
        row.content_bytes -= gone.size;
    })?;
    Ok(true)
}

/// Makes the tables where they aren't there yet, and gives the weight of all rows.
pub(super) fn count(tx: &WriteTransaction) -> Result<u64, StoreError> {
    tx.open_table(EVENTS)?;
    tx.open_table(ADDRESSES)?;
    tx.open_table(EPOCHS)?;
    tx.open_table(CONTENTS)?;
    let mut used = 0;
    for row in tx.open_table(VAULTS)?.iter()? {
        used += of(&read(row?.1.value())?);
    }
    Ok(used)
}

/// Begins a vault; gives its weight.
pub(super) fn begin(tx: &WriteTransaction, vault: &VaultId, visited: u64) -> Result<u64, StoreError> {
    let row = VaultRow { visited, ..VaultRow::default() };
    put_vault(tx, vault, &row)?;
    Ok(of(&row))
}

/// Deletes all rows of a vault; gives their weight.
pub(super) fn delete(tx: &WriteTransaction, id: &VaultId) -> Result<u64, StoreError> {
    let mut vaults = tx.open_table(VAULTS)?;
    let gone = vault(&vaults, id)?;
    vaults.remove(id.as_bytes())?;
    tx.open_table(EVENTS)?.retain_in(range(id), |_, _| false)?;
    tx.open_table(ADDRESSES)?.retain_in(range(id), |_, ()| false)?;
    tx.open_table(EPOCHS)?.retain_in(range(id), |_, ()| false)?;
    tx.open_table(CONTENTS)?.retain_in(range(id), |_, _| false)?;
    Ok(gone.as_ref().map_or(0, of))
}

/// What the rows of a vault weigh together; files are counted for themselves.
const fn of(row: &VaultRow) -> u64 {
    VAULT_WEIGHT + row.event_bytes + row.contents * CONTENT_WEIGHT
}
