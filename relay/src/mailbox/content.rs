//! Content beside the events, in files: `<folder>/<vault>/<address>`.
//!
//! The row says what the file is worth: content is given out only once its row says that it is whole, which is written
//! after its bytes are durable and were found to be the address's. A file without a whole row is a part that goes on growing; what a
//! power cut tore of it is found out at its end, when the hash doesn't match, and it begins anew.

use super::{BlobAddress, MailboxError, Mailboxes, Shares, VaultId, rows};
use crate::store::{StoreError, make_folder};
use rows::{CONTENT_WEIGHT, ContentRow};
use std::{
    collections::BTreeSet,
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
    sync::atomic::Ordering,
};
use suishen_core::sync::{
    ContentError, ContentRefused, MOST_CONTENT, MOST_PIECE, Outline, Received, Receiving,
};

/// Most contents of a vault.
const MOST_CONTENTS: u64 = 1 << 16;
/// How long a part is kept that doesn't grow, in seconds.
const PART_TERM: u64 = 7 * 86_400;
/// Bytes of a part that are read at once.
const READ: usize = 1 << 20;

/// Content that is here.
#[derive(Debug)]
pub struct Held {
    file: File,
    /// Its bytes in all, and how they are held against the address section by section.
    pub outline: Outline,
}

impl Held {
    /// The bytes from `offset` on, before `end`, as many as one piece may have.
    pub fn piece(&self, offset: u64, end: u64) -> io::Result<Vec<u8>> {
        let left = usize::try_from(end.saturating_sub(offset)).unwrap_or(usize::MAX);
        let mut piece = vec![0; left.min(MOST_PIECE)];
        self.file.read_exact_at(&mut piece, offset)?;
        Ok(piece)
    }
}

/// The answer to content that is offered.
#[derive(Debug)]
pub enum Put {
    /// It is here, whole.
    Kept,
    /// Take pieces from [`Taking::from`] on.
    Taking(Box<Taking>),
    /// It isn't taken.
    Refused(ContentRefused),
}

/// What came of a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// More must follow.
    More,
    /// It is here, whole.
    Kept,
    /// The bytes were others than the address's, and are thrown away.
    Wrong,
    /// There is no room for more.
    Refused(ContentRefused),
}

/// Content that is coming in. When it is dropped before its end, what came stays for the next time.
#[derive(Debug)]
pub struct Taking {
    mailboxes: Mailboxes,
    vault: VaultId,
    address: BlobAddress,
    receiving: Receiving,
    size: u64,
    file: File,
}

impl Mailboxes {
    /// Which of these a vault lacks.
    pub fn lacks(
        &self,
        vault: &VaultId,
        addresses: &[BlobAddress],
    ) -> Result<Vec<BlobAddress>, MailboxError> {
        let lacking = self.0.store.read(|tx| {
            let table = tx.open_table(rows::CONTENTS)?;
            let mut lacking = Vec::new();
            for address in addresses {
                if !rows::content(&table, vault, address)?.is_some_and(|row| row.whole) {
                    lacking.push(*address);
                }
            }
            Ok::<_, StoreError>(lacking)
        })?;
        Ok(lacking)
    }

    /// Content that is here, whole.
    pub fn get(&self, vault: &VaultId, address: &BlobAddress) -> Result<Option<Held>, MailboxError> {
        let row = self.content(vault, address)?;
        let Some(row) = row.filter(|row| row.whole) else { return Ok(None) };
        match File::open(self.path_of(vault, address)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
            // What a damaged disk cut short isn't here.
            Ok(file) if file.metadata()?.len() != row.size => Ok(None),
            Ok(file) => {
                let outline =
                    row.outline().map_or_else(|| self.outlined(vault, address, &file), |it| Ok(Some(it)))?;
                Ok(outline.map(|outline| Held { file, outline }))
            }
        }
    }

    /// Content that came before there were outlines gets its own, where it is still the address's.
    fn outlined(
        &self,
        vault: &VaultId,
        address: &BlobAddress,
        file: &File,
    ) -> Result<Option<Outline>, MailboxError> {
        let mut all = Receiving::put(*address, file.metadata()?.len());
        hold(file, &mut all)?;
        if !all.is_true() {
            return Ok(None);
        }
        let outline = all.outline();
        self.0.store.write(|tx| rows::put_content(tx, vault, address, &ContentRow::whole(&outline)))?;
        Ok(Some(outline))
    }

    /// Content of `size` bytes is offered.
    pub fn put(
        &self,
        vault: &VaultId,
        address: &BlobAddress,
        size: u64,
        now: u64,
    ) -> Result<Put, MailboxError> {
        if size == 0 || size > self.0.limits.largest.min(MOST_CONTENT) {
            return Ok(Put::Refused(ContentRefused::Large));
        }
        if self.content(vault, address)?.is_some_and(|row| row.whole) {
            return Ok(Put::Kept);
        }
        if !self.coming().insert((*vault, *address)) {
            return Ok(Put::Refused(ContentRefused::Busy));
        }
        let leave = || {
            self.coming().remove(&(*vault, *address));
        };
        match self.announce(vault, address, size, now) {
            Ok(true) => {}
            Ok(false) | Err(MailboxError::Full) => {
                leave();
                return Ok(Put::Refused(ContentRefused::Full));
            }
            Err(error) => {
                leave();
                return Err(error);
            }
        }
        let file = self.open_part(vault, address).inspect_err(|_| leave())?;
        let mut receiving = Receiving::put(*address, size);
        let held = hold(&file, &mut receiving).inspect_err(|_| leave())?;
        let (mailboxes, vault, address) = (self.clone(), *vault, *address);
        // From here on the place is given back when this is dropped.
        let mut taking = Taking { mailboxes, vault, address, receiving, size, file };
        if held == size && taking.receiving.is_true() {
            taking.finish()?;
            return Ok(Put::Kept);
        }
        if held >= size {
            taking.empty(held)?;
        }
        Ok(Put::Taking(taking.into()))
    }

    /// Notes what is to come; whether vault and relay have room for it.
    fn announce(
        &self,
        vault: &VaultId,
        address: &BlobAddress,
        size: u64,
        now: u64,
    ) -> Result<bool, MailboxError> {
        let (limits, mut new) = (self.0.limits, false);
        let shares = self.shares();
        if shares.free() < CONTENT_WEIGHT {
            return Ok(false);
        }
        self.0.store.write(|tx| {
            let known =
                rows::content(&tx.open_table(rows::CONTENTS).map_err(StoreError::from)?, vault, address)?;
            new = known.is_none();
            let mut full = false;
            rows::change(tx, vault, |row| {
                let before = known.map_or(0, |known| known.size);
                row.contents += u64::from(new);
                row.content_bytes += size;
                row.content_bytes -= before;
                let more = size.saturating_sub(before);
                full = row.contents > MOST_CONTENTS
                    || row.content_bytes > limits.content
                    || (more > 0 && !shares.take_content(row.content_bytes, more));
            })?;
            if full {
                return Err(MailboxError::Full);
            }
            Ok(rows::put_content(tx, vault, address, &ContentRow::part(size, now))?)
        })?;
        if new {
            self.0.used.fetch_add(CONTENT_WEIGHT, Ordering::Relaxed);
        }
        Ok(true)
    }

    fn open_part(&self, vault: &VaultId, address: &BlobAddress) -> Result<File, MailboxError> {
        make_folder(&self.folder_of(vault))?;
        let mut options = OpenOptions::new();
        Ok(options.read(true).append(true).create(true).open(self.path_of(vault, address))?)
    }

    fn content(&self, vault: &VaultId, address: &BlobAddress) -> Result<Option<ContentRow>, StoreError> {
        self.0.store.read(|tx| rows::content(&tx.open_table(rows::CONTENTS)?, vault, address))
    }

    pub(super) fn folder_of(&self, vault: &VaultId) -> PathBuf {
        self.0.folder.join(vault.to_hex())
    }

    fn path_of(&self, vault: &VaultId, address: &BlobAddress) -> PathBuf {
        self.folder_of(vault).join(address.to_hex())
    }

    /// Removes the row of content and its file.
    fn forget(&self, vault: &VaultId, address: &BlobAddress) -> Result<(), MailboxError> {
        if self.0.store.write(|tx| rows::forget_content(tx, vault, address))? {
            self.0.used.fetch_sub(CONTENT_WEIGHT, Ordering::Relaxed);
        }
        let bytes = remove(&self.path_of(vault, address))?;
        self.0.used.fetch_sub(bytes, Ordering::Relaxed);
        Ok(())
    }

    /// Forgets parts that have not grown for long.
    pub(super) fn expire_parts(&self, now: u64) -> Result<(), StoreError> {
        let all = self.0.store.read(|tx| rows::contents(&tx.open_table(rows::CONTENTS)?))?;
        for (vault, address, row) in all {
            let over = !row.whole && row.begun.saturating_add(PART_TERM) <= now;
            if over && !self.coming().contains(&(vault, address)) {
                // Any other error: the vault went meanwhile, and this with it.
                if let Err(MailboxError::Store(error)) = self.forget(&vault, &address) {
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// Removes files that have no row; gives the bytes of those that have one.
    pub(super) fn sweep(&self) -> Result<u64, StoreError> {
        let rows = self.0.store.read(|tx| rows::contents(&tx.open_table(rows::CONTENTS)?))?;
        let known: BTreeSet<PathBuf> =
            rows.iter().map(|(vault, address, _)| self.path_of(vault, address)).collect();
        let mut used = 0;
        for folder in fs::read_dir(&self.0.folder)? {
            let folder = folder?;
            if !folder.file_type()?.is_dir() {
                continue;
            }
            for file in fs::read_dir(folder.path())? {
                let file = file?;
                if known.contains(&file.path()) {
                    used += file.metadata()?.len();
                } else {
                    fs::remove_file(file.path())?;
                }
            }
            // Only where nothing is left in it.
            let _ = fs::remove_dir(folder.path());
        }
        Ok(used)
    }
}

impl Taking {
    /// The byte from which it goes on.
    pub const fn from(&self) -> u64 {
        self.receiving.taken()
    }

    /// Takes the next frame, which must be a piece.
    pub fn take(&mut self, frame: &[u8]) -> Result<Result<Taken, ContentError>, MailboxError> {
        let received = match self.receiving.take(frame) {
            Ok(received) => received,
            Err(error) => return Ok(Err(error)),
        };
        let (bytes, whole) = match received {
            Received::Piece(bytes) => (bytes, false),
            Received::Whole(bytes) => (bytes, true),
            Received::Wrong | Received::Missing | Received::Begun(_) => {
                self.mailboxes.forget(&self.vault, &self.address)?;
                return Ok(Ok(Taken::Wrong));
            }
        };
        let more = bytes.len() as u64;
        let room = self.mailboxes.0.limits.room;
        let used = self.mailboxes.0.used.fetch_add(more, Ordering::Relaxed);
        if (Shares { room, used }).free_for_content() < more {
            self.mailboxes.0.used.fetch_sub(more, Ordering::Relaxed);
            return Ok(Ok(Taken::Refused(ContentRefused::Full)));
        }
        self.file.write_all(&bytes)?;
        if !whole {
            return Ok(Ok(Taken::More));
        }
        self.finish()?;
        Ok(Ok(Taken::Kept))
    }

    /// Makes it durable, then says that it is whole.
    fn finish(&mut self) -> Result<(), MailboxError> {
        self.file.sync_all()?;
        let folder = self.mailboxes.folder_of(&self.vault);
        for changed in [folder.as_path(), &self.mailboxes.0.folder] {
            File::open(changed)?.sync_all()?;
        }
        let row = ContentRow::whole(&self.receiving.outline());
        self.mailboxes.0.store.write(|tx| {
            let table = tx.open_table(rows::CONTENTS).map_err(StoreError::from)?;
            let known = rows::content(&table, &self.vault, &self.address)?;
            drop(table);
            known.ok_or(MailboxError::Unknown)?;
            Ok(rows::put_content(tx, &self.vault, &self.address, &row)?)
        })
    }

    /// Begins anew: what is here is something else.
    fn empty(&mut self, held: u64) -> Result<(), MailboxError> {
        self.file.set_len(0)?;
        self.mailboxes.0.used.fetch_sub(held, Ordering::Relaxed);
        self.receiving = Receiving::put(self.address, self.size);
        Ok(())
    }
}

impl Drop for Taking {
    fn drop(&mut self) {
        self.mailboxes.coming().remove(&(self.vault, self.address));
    }
}

/// Hashes what is here of a part; gives its bytes.
fn hold(mut file: &File, receiving: &mut Receiving) -> io::Result<u64> {
    let mut piece = vec![0; READ];
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(receiving.taken()),
            length => receiving.held(&piece[..length]),
        }
    }
}

/// Removes a file; gives the bytes that it had.
fn remove(path: &Path) -> io::Result<u64> {
    let size = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        other => other?.len(),
    };
    fs::remove_file(path)?;
    Ok(size)
}

/// Removes a vault's folder; gives the bytes of its files.
pub(super) fn remove_folder(folder: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        files => {
            for file in files? {
                bytes += file?.metadata()?.len();
            }
        }
    }
    fs::remove_dir_all(folder)?;
    Ok(bytes)
}
