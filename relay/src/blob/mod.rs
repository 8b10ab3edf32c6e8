//! Ciphertext by its SM3, on disk (PROTOCOL §4 "Blobs"): who uploaded it, who may fetch it, when it goes.
//!
//! A blob is read by an owner (a key that has uploaded all of it), by an inbox's key for what was delivered
//! there, by the key that `BindTicket` names, and by the grantee key of a redemption. **Address lists are kept
//! apart from the shares and outlive them**; this module never sees a share or a plaintext.

mod access;
mod upload;

pub use access::AccessError;
pub use upload::{Upload, Uploaded, Written};

use crate::store::{Store, StoreError};
use minicbor::{Decode, Encode};
use redb::{
    MultimapTableDefinition, ReadableMultimapTable as _, ReadableTable as _, TableDefinition,
    WriteTransaction,
};
use std::{
    fs,
    io::{self, Read as _},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use suishen_core::{
    cbor,
    gate::Subject,
    id::BlobAddress,
    sm::{DigestBuilder, PublicKey},
};

const META: TableDefinition<'_, &[u8; 32], &[u8]> = TableDefinition::new("blobs");
/// A blob to the keys that uploaded it.
const OWNERS: MultimapTableDefinition<'_, &[u8; 32], &[u8; 65]> = MultimapTableDefinition::new("blob-owners");
/// A blob to the lists that name it.
const NAMED_BY: MultimapTableDefinition<'_, &[u8; 32], &[u8]> = MultimapTableDefinition::new("blob-named-by");
/// A ticket to the blobs that its deposit names.
const LISTS: TableDefinition<'_, &[u8; 32], &[u8]> = TableDefinition::new("ticket-blobs");
/// Most keys that may own one blob: each grant of a record makes one more.
const MOST_OWNERS: u64 = 4096;
/// Most blobs that one record may name.
const MOST_NAMED: usize = 4096;

/// Bytes of a file read at once to hash it.
const PIECE: usize = 1 << 20;

/// The address that a file's content has.
pub(crate) fn address_of(file: &Path) -> io::Result<BlobAddress> {
    let (mut file, mut hash) = (fs::File::open(file)?, DigestBuilder::new());
    let mut piece = vec![0; PIECE];
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(BlobAddress::from_digest(hash.finish())),
            length => hash.update(&piece[..length]),
        }
    }
}

/// What is known of a blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Meta {
    /// Bytes.
    #[n(0)]
    pub size: u64,
    /// The first second in which it may be deleted, unless a list names it for longer.
    #[n(1)]
    pub until: u64,
}

/// One record's blobs, as a deposit lists them.
#[derive(Clone, Debug)]
pub struct Named {
    /// The record's number.
    pub record: u32,
    /// Its blobs.
    pub blobs: Vec<BlobAddress>,
}

/// Why a blob is named: what gives others than its owner the right to fetch it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(flat)]
pub(crate) enum Reason {
    /// A grant's record.
    #[n(0)]
    Grant(#[n(0)] suishen_core::id::GrantId, #[n(1)] u32, #[n(2)] u64),
    /// A ticket.
    #[n(1)]
    Ticket(#[n(0)] suishen_core::id::Commitment, #[n(1)] u64),
    /// Delivered to an inbox.
    #[n(2)]
    Inbox(#[n(0)] suishen_core::id::InboxId, #[n(1)] u64),
}

impl Reason {
    /// Until when the blob must stay for this reason.
    const fn until(&self) -> u64 {
        match self {
            Self::Grant(_, _, until) | Self::Ticket(_, until) | Self::Inbox(_, until) => *until,
        }
    }
}

/// Limits of the store.
#[derive(Clone, Copy, Debug)]
pub struct BlobLimits {
    /// Largest blob, bytes.
    pub largest: u64,
    /// All blobs together, bytes.
    pub room: u64,
    /// How long an unnamed blob is kept, seconds.
    pub keep: u64,
}

/// All blobs of this relay. Clones share them.
#[derive(Clone, Debug)]
pub struct Blobs {
    folder: Arc<Path>,
    store: Store,
    limits: BlobLimits,
    used: Arc<AtomicU64>,
}

impl Blobs {
    /// Opens the folder and counts what is there. Uploads that a crash cut short are removed.
    pub fn open(folder: PathBuf, store: Store, limits: BlobLimits) -> Result<Self, StoreError> {
        let placing = upload::placing(&folder)?;
        let (used, orphans) = store.write(|tx| {
            tx.open_multimap_table(OWNERS)?;
            tx.open_multimap_table(NAMED_BY)?;
            tx.open_table(LISTS)?;
            let (mut used, mut orphans) = (0, Vec::new());
            let meta = tx.open_table(META)?;
            for row in meta.iter()? {
                used += read_meta(row?.1.value())?.size;
            }
            for address in placing {
                if meta.get(address.as_bytes())?.is_none() {
                    orphans.push(address);
                }
            }
            Ok::<_, StoreError>((used, orphans))
        })?;
        let blobs = Self { folder: folder.into(), store, limits, used: Arc::new(AtomicU64::new(used)) };
        for address in orphans {
            blobs.remove_file(&address, 0)?;
        }
        // Only now: a crash before this finds the same markers again.
        upload::empty(&blobs.folder)?;
        Ok(blobs)
    }

    /// Whether this is the folder of uploads under way.
    pub(crate) fn is_partial(folder: &Path) -> bool {
        folder.ends_with(upload::PARTIAL)
    }

    /// The blobs that a database knows, for whoever examines it.
    pub(crate) fn known(tx: &redb::ReadTransaction) -> Result<Vec<BlobAddress>, StoreError> {
        let table = match tx.open_table(META) {
            Err(redb::TableError::TableDoesNotExist(_)) => return Ok(Vec::new()),
            other => other?,
        };
        table.iter()?.map(|row| Ok(BlobAddress::from_bytes(*row?.0.value()))).collect()
    }

    /// Bytes of all blobs.
    pub fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    /// Limits.
    pub const fn limits(&self) -> &BlobLimits {
        &self.limits
    }

    /// Size and end of a blob that is here.
    pub fn meta(&self, address: &BlobAddress) -> Result<Option<Meta>, StoreError> {
        self.store.read(|tx| {
            let table = tx.open_table(META)?;
            table.get(address.as_bytes())?.map(|row| read_meta(row.value())).transpose()
        })
    }

    /// Where a blob's bytes are.
    pub fn path(&self, address: &BlobAddress) -> PathBuf {
        let hex = address.to_hex();
        self.folder.join(&hex[..2]).join(hex)
    }

    /// Notes a deposit's address lists: the blobs stay, and may be fetched, as the ledger allows.
    pub fn name(
        &self,
        tx: &WriteTransaction,
        subject: &Subject,
        records: &[Named],
        until: u64,
    ) -> Result<(), StoreError> {
        for Named { record, blobs } in records {
            let reason = match subject {
                Subject::Grant(id) => Reason::Grant(*id, *record, until),
                Subject::Ticket(id) => Reason::Ticket(*id, until),
            };
            if let Subject::Ticket(id) = subject {
                let list: Vec<[u8; 32]> = blobs.iter().map(|address| *address.as_bytes()).collect();
                tx.open_table(LISTS)?.insert(id.as_bytes(), list.as_flattened())?;
            }
            Self::add_reason(tx, blobs, &reason)?;
        }
        Ok(())
    }

    pub(crate) fn add_reason(
        tx: &WriteTransaction,
        blobs: &[BlobAddress],
        reason: &Reason,
    ) -> Result<(), StoreError> {
        let (mut named, bytes) = (tx.open_multimap_table(NAMED_BY)?, cbor::encode(reason));
        for address in blobs.iter().take(MOST_NAMED) {
            named.insert(address.as_bytes(), bytes.as_slice())?;
        }
        Ok(())
    }

    fn reasons(&self, address: &BlobAddress) -> Result<Vec<Reason>, StoreError> {
        self.store.read(|tx| {
            let named = tx.open_multimap_table(NAMED_BY)?;
            named
                .get(address.as_bytes())?
                .map(|row| cbor::decode(row?.value()).map_err(|_| StoreError::Row))
                .collect::<Result<Vec<_>, StoreError>>()
        })
    }

    /// Whether this key has uploaded the blob.
    pub fn is_owner(&self, address: &BlobAddress, key: &PublicKey) -> Result<bool, StoreError> {
        self.store.read(|tx| {
            let owners = tx.open_multimap_table(OWNERS)?;
            for owner in owners.get(address.as_bytes())? {
                if owner?.value() == key.as_bytes() {
                    return Ok(true);
                }
            }
            Ok(false)
        })
    }

    /// Whether this key has uploaded all of these blobs, so that it may give others the right to fetch them.
    pub fn owns_all<'a>(
        &self,
        addresses: impl IntoIterator<Item = &'a BlobAddress>,
        key: &PublicKey,
    ) -> Result<bool, StoreError> {
        for address in addresses {
            if !self.is_owner(address, key)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Takes a key's ownership back, and deletes the blob, whoever else names it, when that was the last. Whoever has the
    /// bytes can upload them and so own them too, and must not be able to take them from the others.
    pub fn disown(&self, address: &BlobAddress, owner: &PublicKey) -> Result<(), StoreError> {
        let gone = self.store.write(|tx| {
            let left = {
                let mut owners = tx.open_multimap_table(OWNERS)?;
                owners.remove(address.as_bytes(), owner.as_bytes())?;
                owners.get(address.as_bytes())?.next().is_some()
            };
            if left { Ok(None) } else { Self::forget(tx, address).map(Some) }
        })?;
        gone.map_or(Ok(()), |size| self.remove_file(address, size))
    }

    fn delete(&self, address: &BlobAddress) -> Result<(), StoreError> {
        let size = self.store.write(|tx| Self::forget(tx, address))?;
        self.remove_file(address, size)
    }

    /// Removes all rows of a blob; its size.
    fn forget(tx: &WriteTransaction, address: &BlobAddress) -> Result<u64, StoreError> {
        tx.open_multimap_table(OWNERS)?.remove_all(address.as_bytes())?;
        tx.open_multimap_table(NAMED_BY)?.remove_all(address.as_bytes())?;
        let mut table = tx.open_table(META)?;
        let gone = table.remove(address.as_bytes())?.map(|row| read_meta(row.value())).transpose()?;
        Ok(gone.map_or(0, |meta| meta.size))
    }

    fn remove_file(&self, address: &BlobAddress, size: u64) -> Result<(), StoreError> {
        self.used.fetch_sub(size, Ordering::Relaxed);
        match fs::remove_file(self.path(address)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Deletes the blobs of a ticket that a wallet has kept: those that the issuer's own key uploaded and that
    /// nothing else names.
    pub fn drop_named(&self, subject: &Subject, owner: &PublicKey) -> Result<(), StoreError> {
        let Subject::Ticket(ticket) = subject else { return Ok(()) };
        let list = self.store.write(|tx| {
            let mut lists = tx.open_table(LISTS)?;
            let list = lists.remove(ticket.as_bytes())?.map(|row| row.value().as_chunks().0.to_vec());
            let mut named = tx.open_multimap_table(NAMED_BY)?;
            for address in list.iter().flatten() {
                let mut rows = Vec::new();
                for row in named.get(address)? {
                    rows.push(row?.value().to_vec());
                }
                for row in rows {
                    let reason: Reason = cbor::decode(&row).map_err(|_| StoreError::Row)?;
                    if matches!(&reason, Reason::Ticket(id, _) if id == ticket) {
                        named.remove(address, row.as_slice())?;
                    }
                }
            }
            Ok::<_, StoreError>(list.unwrap_or_default())
        })?;
        for address in list.into_iter().map(BlobAddress::from_bytes) {
            if self.is_owner(&address, owner)? && self.reasons(&address)?.is_empty() {
                self.disown(&address, owner)?;
            }
        }
        Ok(())
    }

    /// Deletes blobs whose time is over, and lists whose time is over; tells how many blobs went.
    pub fn expire(&self, now: u64) -> Result<usize, StoreError> {
        let over = self.store.write(|tx| {
            let (table, mut named) = (tx.open_table(META)?, tx.open_multimap_table(NAMED_BY)?);
            let mut stale = Vec::new();
            for row in named.iter()? {
                let (address, reasons) = row?;
                let address = *address.value();
                for reason in reasons {
                    let bytes = reason?.value().to_vec();
                    let reason: Reason = cbor::decode(&bytes).map_err(|_| StoreError::Row)?;
                    if reason.until() <= now {
                        stale.push((address, bytes));
                    }
                }
            }
            for (address, bytes) in &stale {
                named.remove(address, bytes.as_slice())?;
            }
            let mut over = Vec::new();
            for row in table.iter()? {
                let (address, meta) = row?;
                if read_meta(meta.value())?.until <= now && named.get(address.value())?.next().is_none() {
                    over.push(BlobAddress::from_bytes(*address.value()));
                }
            }
            Ok::<_, StoreError>(over)
        })?;
        over.iter().try_for_each(|address| self.delete(address))?;
        Ok(over.len())
    }
}

fn read_meta(bytes: &[u8]) -> Result<Meta, StoreError> {
    cbor::decode(bytes).map_err(|_| StoreError::Row)
}

#[cfg(test)]
pub(crate) mod tests;
