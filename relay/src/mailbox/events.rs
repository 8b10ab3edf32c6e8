//! A mailbox's events: the set that is reconciled.

use super::{MailboxError, Mailboxes, rows};
use crate::store::StoreError;
use redb::{ReadableTable as _, WriteTransaction};
use std::{collections::BTreeSet, sync::atomic::Ordering};
use suishen_core::{
    id::{BlobAddress, VaultId},
    sync::MOST_EVENT,
    vault::StoredEvent,
};

/// Most events of a vault.
const MOST_EVENTS: u64 = 1 << 18;
/// Bytes of events that are loaded at a time; one that is larger is loaded alone.
const AT_ONCE: usize = 256 << 10;
/// Most epochs of a vault, and their bytes: what a roster takes, and some that were stored while they waited and turned out
/// to be nothing.
const MOST_EPOCHS: u64 = 2560;
const MOST_EPOCH_BYTES: u64 = 4 << 20;

/// Events that were loaded.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Loaded {
    /// Their bytes.
    pub events: Vec<Vec<u8>>,
    /// Those that are to be loaded after these.
    pub rest: Vec<BlobAddress>,
}

impl Mailboxes {
    /// The addresses of a vault's events.
    pub fn addresses(&self, vault: &VaultId) -> Result<Vec<BlobAddress>, MailboxError> {
        self.0.store.read(|tx| {
            let table = tx.open_table(rows::ADDRESSES).map_err(StoreError::from)?;
            let rows = table.range(rows::range(vault)).map_err(StoreError::from)?;
            let rows =
                rows.map(|row| Ok(BlobAddress::from_bytes(*row.map_err(StoreError::from)?.0.value().1)));
            rows.collect()
        })
    }

    /// Those of these events that are here, as many as are loaded at a time.
    pub fn load(&self, vault: &VaultId, mut addresses: Vec<BlobAddress>) -> Result<Loaded, MailboxError> {
        let loaded = self.0.store.read(|tx| {
            let table = tx.open_table(rows::EVENTS)?;
            let (mut events, mut bytes) = (Vec::new(), 0);
            for (at, address) in addresses.iter().enumerate() {
                let Some(row) = table.get((vault.as_bytes(), address.as_bytes()))? else { continue };
                bytes += row.value().len();
                if bytes > AT_ONCE && !events.is_empty() {
                    return Ok(Loaded { events, rest: addresses.split_off(at) });
                }
                events.push(row.value().to_vec());
            }
            Ok::<_, StoreError>(Loaded { events, rest: Vec::new() })
        })?;
        Ok(loaded)
    }

    /// Stores events, all or none; gives those that are new. Durable when it returns. An epoch that doesn't hold, or for
    /// which the roster has no room, is left out. Among the new ones is an epoch: ask [`Mailboxes::admits`] again for every open link of the vault.
    pub fn store(
        &self,
        vault: &VaultId,
        mut events: Vec<StoredEvent>,
    ) -> Result<Vec<StoredEvent>, MailboxError> {
        let form = |event: &StoredEvent| {
            event.bytes.len() <= MOST_EVENT && BlobAddress::of(&event.bytes) == event.address
        };
        if !events.iter().all(form) {
            return Err(MailboxError::Form);
        }
        let epochs: Vec<_> = events.iter().filter_map(StoredEvent::epoch).collect();
        if epochs.is_empty() {
            return self.insert(vault, events, &BTreeSet::new());
        }
        if self.row(vault)?.is_none() {
            return Err(MailboxError::Unknown);
        }
        let named = |epoch: &_| StoredEvent::of_epoch(epoch).address;
        let all: BTreeSet<_> = epochs.iter().map(named).collect();
        self.0.rosters.alone(vault, || {
            let (roster, refused) = self.judge(vault, epochs)?;
            events.retain(|event| !refused.contains(&event.address));
            let new = self.insert(vault, events, &all)?;
            self.0.rosters.keep(*vault, roster);
            Ok(new)
        })
    }

    /// Begins a vault with its epochs.
    pub(super) fn begin(
        &self,
        vault: &VaultId,
        epochs: &[StoredEvent],
        now: u64,
    ) -> Result<(), MailboxError> {
        let names = epochs.iter().map(|epoch| epoch.address).collect();
        let added = self.0.store.write(|tx| {
            let row = rows::begin(tx, vault, now)?;
            let (_, added) = self.insert_into(tx, vault, epochs.to_vec(), &names)?;
            Ok::<_, MailboxError>(row + added)
        })?;
        self.0.used.fetch_add(added, Ordering::Relaxed);
        Ok(())
    }

    fn insert(
        &self,
        vault: &VaultId,
        events: Vec<StoredEvent>,
        epochs: &BTreeSet<BlobAddress>,
    ) -> Result<Vec<StoredEvent>, MailboxError> {
        let (new, added) = self.0.store.write(|tx| self.insert_into(tx, vault, events, epochs))?;
        self.0.used.fetch_add(added, Ordering::Relaxed);
        Ok(new)
    }

    /// The new ones among these events, and what they weigh.
    fn insert_into(
        &self,
        tx: &WriteTransaction,
        vault: &VaultId,
        events: Vec<StoredEvent>,
        epochs: &BTreeSet<BlobAddress>,
    ) -> Result<(Vec<StoredEvent>, u64), MailboxError> {
        let new = write(tx, vault, events, epochs)?;
        let added: u64 = new.iter().map(|event| rows::weight(&event.bytes)).sum();
        let new_epochs = new.iter().filter(|event| epochs.contains(&event.address)).count() as u64;
        let mut full = new_epochs > 0 && epoch_bytes(tx, vault)? > MOST_EPOCH_BYTES;
        rows::change(tx, vault, |row| {
            row.events += new.len() as u64;
            row.epochs += new_epochs;
            row.event_bytes += added;
            full |= added > 0 && !self.shares().take_events(row.event_bytes, added);
            full |= row.events > MOST_EVENTS
                || row.epochs > MOST_EPOCHS
                || row.event_bytes > self.0.limits.events;
        })?;
        if full { Err(MailboxError::Full) } else { Ok((new, added)) }
    }
}

fn epoch_bytes(tx: &WriteTransaction, vault: &VaultId) -> Result<u64, StoreError> {
    let (events, epochs) = (tx.open_table(rows::EVENTS)?, tx.open_table(rows::EPOCHS)?);
    let mut bytes = 0;
    for row in epochs.range(rows::range(vault))? {
        bytes += events.get(row?.0.value())?.map_or(0, |event| event.value().len() as u64);
    }
    Ok(bytes)
}

fn write(
    tx: &WriteTransaction,
    vault: &VaultId,
    mut events: Vec<StoredEvent>,
    epochs: &BTreeSet<BlobAddress>,
) -> Result<Vec<StoredEvent>, StoreError> {
    let mut rows = tx.open_table(rows::EVENTS)?;
    let mut addresses = tx.open_table(rows::ADDRESSES)?;
    let mut numbered = tx.open_table(rows::EPOCHS)?;
    let mut failed = None;
    events.retain(|event| {
        let key = (vault.as_bytes(), event.address.as_bytes());
        let mut insert = || {
            if addresses.insert(key, ())?.is_some() {
                return Ok(false);
            }
            rows.insert(key, event.bytes.as_slice())?;
            if epochs.contains(&event.address) {
                numbered.insert(key, ())?;
            }
            Ok::<_, StoreError>(true)
        };
        failed.is_none()
            && insert().unwrap_or_else(|error| {
                failed = Some(error);
                false
            })
    });
    failed.map_or(Ok(events), Err)
}
