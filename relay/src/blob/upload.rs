//! Taking a blob: streamed to a file of its own, hashed on the way, renamed to its address only when the hash
//! is that address. Room is taken as bytes come, so that announcing much holds none. A crash leaves at most a file among
//! the partial ones, or one at its place of which a marker there says so: the next start removes both.

use super::{BlobAddress, Blobs, META, MOST_OWNERS, Meta, OWNERS, PublicKey, StoreError, cbor};
use crate::random::SystemRandom;
use redb::ReadableMultimapTable as _;
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::atomic::Ordering,
};
use suishen_core::sm::{DigestBuilder, Random as _};
use tokio::{fs::File, io::AsyncWriteExt as _};

/// The folder of uploads under way, within the blobs' folder.
pub(super) const PARTIAL: &str = "partial";

/// Says of a file at its place that its rows may be missing.
const MARKER: &str = "placing";

pub(super) fn marker(folder: &Path, address: &BlobAddress) -> PathBuf {
    folder.join(PARTIAL).join(address.to_hex()).with_extension(MARKER)
}

/// The blobs that were being placed when the relay ended.
pub(super) fn placing(folder: &Path) -> io::Result<Vec<BlobAddress>> {
    let partial = folder.join(PARTIAL);
    fs::create_dir_all(&partial)?;
    let mut found = Vec::new();
    for entry in fs::read_dir(partial)? {
        let path = entry?.path();
        let named = path.file_stem().and_then(|stem| BlobAddress::from_hex(stem.to_str()?));
        found.extend(named.filter(|_| path.extension().is_some_and(|end| end == MARKER)));
    }
    Ok(found)
}

/// Removes what uploads left that did not end.
pub(super) fn empty(folder: &Path) -> io::Result<()> {
    let partial = folder.join(PARTIAL);
    fs::remove_dir_all(&partial)?;
    fs::create_dir_all(partial)
}

/// An upload under way.
#[derive(Debug)]
pub struct Upload {
    blobs: Blobs,
    file: File,
    path: PathBuf,
    hash: DigestBuilder,
    /// Bytes that came, which have their room.
    size: u64,
    announced: u64,
    placed: bool,
}

impl Blobs {
    /// Begins an upload of `size` bytes; `None` when there is no room for them now. None is held for them.
    pub async fn begin(&self, size: u64) -> Result<Option<Upload>, StoreError> {
        if self.used().saturating_add(size) > self.limits.room {
            return Ok(None);
        }
        let name = data_encoding::HEXLOWER.encode(&SystemRandom.bytes::<16>());
        let path = self.folder.join(PARTIAL).join(name);
        let file = File::create_new(&path).await?;
        let hash = DigestBuilder::new();
        Ok(Some(Upload { blobs: self.clone(), file, path, hash, size: 0, announced: size, placed: false }))
    }

    /// Takes room for bytes that came; whether there was any.
    fn reserve(&self, bytes: u64) -> bool {
        let before = self.used.fetch_add(bytes, Ordering::Relaxed);
        let fits = before.saturating_add(bytes) <= self.limits.room;
        if !fits {
            self.used.fetch_sub(bytes, Ordering::Relaxed);
        }
        fits
    }
}

/// What came of a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// It is on its way to the disk.
    Taken,
    /// There are more bytes than were announced.
    TooMany,
    /// Others have taken the room meanwhile.
    NoRoom,
}

/// How an upload ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Uploaded {
    /// It is here now.
    New,
    /// It was here before.
    Known,
    /// It was here before, and as many keys own it as may.
    Crowded,
    /// The bytes aren't those of the address.
    Other,
}

impl Upload {
    /// Takes more bytes.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<Written, StoreError> {
        let more = bytes.len() as u64;
        if self.size.saturating_add(more) > self.announced {
            return Ok(Written::TooMany);
        }
        if !self.blobs.reserve(more) {
            return Ok(Written::NoRoom);
        }
        self.size += more;
        self.hash.update(bytes);
        self.file.write_all(bytes).await?;
        Ok(Written::Taken)
    }

    /// Ends the upload; durable when this returns.
    pub async fn finish(
        mut self,
        address: BlobAddress,
        owner: PublicKey,
        now: u64,
    ) -> Result<Uploaded, StoreError> {
        let hash = std::mem::take(&mut self.hash);
        if self.size != self.announced || BlobAddress::from_digest(hash.finish()) != address {
            return Ok(Uploaded::Other);
        }
        self.file.flush().await?;
        self.file.sync_all().await?;
        let placing = tokio::task::spawn_blocking(move || self.place(&address, &owner, now));
        placing.await.map_err(io::Error::other)?
    }

    fn place(mut self, address: &BlobAddress, owner: &PublicKey, now: u64) -> Result<Uploaded, StoreError> {
        let to = self.blobs.path(address);
        let folder = to.parent().expect("a blob lies in a folder of its own").to_owned();
        fs::create_dir_all(&folder)?;
        let marker = marker(&self.blobs.folder, address);
        fs::write(&marker, [])?;
        fs::File::open(self.blobs.folder.join(PARTIAL))?.sync_all()?;
        fs::rename(&self.path, &to)?;
        for changed in [folder.as_path(), &self.blobs.folder] {
            fs::File::open(changed)?.sync_all()?;
        }
        let meta = Meta { size: self.size, until: now.saturating_add(self.blobs.limits.keep) };
        let how = self.blobs.store.write(|tx| {
            let mut owners = tx.open_multimap_table(OWNERS)?;
            let crowded = owners.get(address.as_bytes())?.len() >= MOST_OWNERS;
            // Owned already, or one more.
            if !owners.insert(address.as_bytes(), owner.as_bytes())? && crowded {
                owners.remove(address.as_bytes(), owner.as_bytes())?;
                return Ok(Uploaded::Crowded);
            }
            let mut table = tx.open_table(META)?;
            let known = table.insert(address.as_bytes(), cbor::encode(&meta).as_slice())?.is_some();
            Ok::<_, StoreError>(if known { Uploaded::Known } else { Uploaded::New })
        })?;
        // Of two who place the same blob the first may have taken it away.
        let _ = fs::remove_file(marker);
        // What was here before is counted already.
        self.placed = how == Uploaded::New;
        Ok(how)
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if !self.placed {
            self.blobs.used.fetch_sub(self.size, Ordering::Relaxed);
            // Gone already when it was renamed over a blob that was here.
            let _ = fs::remove_file(&self.path);
        }
    }
}
