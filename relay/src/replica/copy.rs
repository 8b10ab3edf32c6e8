//! The published copy: entries, tiles and checkpoint as plain files beside the database, in the layout of C2SP
//! tlog-tiles, for everybody who isn't the relay: `suishen fsck` and `audit` while it runs, a backup, a static
//! file server.
//!
//! ```text
//! ledger/checkpoint            the last note
//! ledger/tile/entries/x000/000 up to 256 entries, each behind its length in two bytes
//! ledger/tile/0/x000/000       up to 256 hashes; likewise for levels above
//! ```
//!
//! One thing differs: a tile that isn't full has its final name already and grows in place, since all it ever
//! does is get longer; `.p/<W>` is its first W parts. The checkpoint is replaced last, so what it speaks of is
//! there. The copy is written after the commit and never read by the relay, which puts it right when it starts.

use super::{Published, Replica, ReplicaError, Snapshot};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};
use suishen_core::proof::tile::{Kind, TileId, WIDTH};
use tokio::sync::watch;

/// The note's file.
const CHECKPOINT: &str = "checkpoint";
/// Levels of tiles that any ledger can have.
const LEVELS: u8 = 8;

/// Keeps the copy of a replica up to date until the replica is gone. Ends early where files can't be written,
/// which is logged; the ledger itself goes on.
pub async fn follow(replica: Replica) -> Result<(), ReplicaError> {
    let Some(folder) = replica.folder().map(Path::to_owned) else { return Ok(()) };
    let mut published = replica.follow();
    let first = published.borrow_and_update().clone();
    let mut writer = tokio::task::spawn_blocking(move || Writer::start(&folder, &first))
        .await
        .map_err(io::Error::other)??;
    while let Some(next) = changed(&mut published).await {
        writer = tokio::task::spawn_blocking(move || writer.write(&next).map(|()| writer))
            .await
            .map_err(io::Error::other)??;
    }
    Ok(())
}

async fn changed(published: &mut watch::Receiver<Arc<Published>>) -> Option<Arc<Published>> {
    published.changed().await.ok()?;
    Some(published.borrow_and_update().clone())
}

/// Writes the copy.
#[derive(Debug)]
pub struct Writer {
    folder: PathBuf,
    /// Entries in the copy.
    size: u64,
    /// Bytes of the bundle that isn't full.
    bundle: u64,
}

impl Writer {
    /// Puts the copy right: full tiles that are missing or have another length, and all that aren't full, are
    /// written anew. A full tile with changed bytes is left for `suishen fsck` to find.
    pub fn start(folder: &Path, published: &Published) -> Result<Self, ReplicaError> {
        let mut writer = Self { folder: folder.to_owned(), size: 0, bundle: 0 };
        let size = published.size();
        let mut whole = 0;
        while (whole + 1) * WIDTH <= size && writer.has_full_tiles(published.snapshot(), whole)? {
            whole += 1;
        }
        writer.size = whole * WIDTH;
        for level in 1..LEVELS {
            for index in 0..(size >> (8 * u32::from(level))) / WIDTH {
                if !writer.has(published.snapshot(), full(Kind::Hashes(level), index))? {
                    writer.write_hashes(
                        published.snapshot(),
                        level,
                        index,
                        size >> (8 * u32::from(level)),
                    )?;
                }
            }
        }
        writer.write(published)?;
        Ok(writer)
    }

    fn has_full_tiles(&self, snapshot: &Snapshot, index: u64) -> Result<bool, ReplicaError> {
        let entries = self.has(snapshot, full(Kind::Entries, index))?;
        Ok(entries && self.has(snapshot, full(Kind::Hashes(0), index))?)
    }

    fn has(&self, snapshot: &Snapshot, tile: TileId) -> Result<bool, ReplicaError> {
        let length = snapshot.tile(&tile)?.map_or(0, |bytes| bytes.len() as u64);
        Ok(fs::metadata(self.folder.join(tile.to_string())).is_ok_and(|there| there.len() == length))
    }

    /// Brings the copy up to a checkpoint.
    pub fn write(&mut self, published: &Published) -> Result<(), ReplicaError> {
        let (snapshot, size) = (published.snapshot(), published.size());
        if size > self.size {
            for index in self.size / WIDTH..size.div_ceil(WIDTH) {
                self.write_bundle(snapshot, index, size)?;
            }
            for level in 0..LEVELS {
                let (old, new) = (self.size >> (8 * u32::from(level)), size >> (8 * u32::from(level)));
                for index in old / WIDTH..new.div_ceil(WIDTH) {
                    self.write_hashes(snapshot, level, index, new)?;
                }
            }
            self.size = size;
        }
        Ok(replace(&self.folder.join(CHECKPOINT), published.note().as_bytes())?)
    }

    fn write_bundle(&mut self, snapshot: &Snapshot, index: u64, size: u64) -> Result<(), ReplicaError> {
        let bytes = part(snapshot, Kind::Entries, index, size)?;
        let known = if self.size / WIDTH == index { self.bundle } else { 0 };
        extend(&self.path(Kind::Entries, index), &bytes, known)?;
        self.bundle = if (index + 1) * WIDTH <= size { 0 } else { bytes.len() as u64 };
        Ok(())
    }

    fn write_hashes(
        &self,
        snapshot: &Snapshot,
        level: u8,
        index: u64,
        items: u64,
    ) -> Result<(), ReplicaError> {
        let bytes = part(snapshot, Kind::Hashes(level), index, items)?;
        extend(&self.path(Kind::Hashes(level), index), &bytes, 0)?;
        Ok(())
    }

    fn path(&self, kind: Kind, index: u64) -> PathBuf {
        self.folder.join(full(kind, index).to_string())
    }
}

fn full(kind: Kind, index: u64) -> TileId {
    TileId::new(kind, index, 256).expect("level and width are in range")
}

/// The tile as far as `items` of its level fill it.
fn part(snapshot: &Snapshot, kind: Kind, index: u64, items: u64) -> Result<Vec<u8>, ReplicaError> {
    let width = u16::try_from((items - index * WIDTH).min(WIDTH)).unwrap_or(256);
    let tile = snapshot.tile(&TileId::new(kind, index, width)?)?;
    tile.ok_or_else(|| ReplicaError::Damaged(format!("tile {kind:?} {index} is missing")))
}

/// Makes a file's content `bytes`, whose first `known` it holds already.
fn extend(path: &Path, bytes: &[u8], known: u64) -> io::Result<()> {
    let mut file = match OpenOptions::new().write(true).create(true).truncate(false).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fs::create_dir_all(path.parent().unwrap_or(path))?;
            File::create(path)?
        }
        other => other?,
    };
    let known = known.min(bytes.len() as u64);
    file.seek(SeekFrom::Start(known))?;
    file.write_all(&bytes[usize::try_from(known).unwrap_or(bytes.len())..])?;
    // Cut last: whoever reads meanwhile, or after a crash here, finds all that the checkpoint speaks of.
    file.set_len(bytes.len() as u64)
}

/// Replaces a file so that a reader sees the old or the new one.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = path.with_extension("new");
    fs::write(&new, bytes)?;
    fs::rename(new, path)
}

/// Reads the copy.
#[derive(Clone, Debug)]
pub struct Copy {
    folder: PathBuf,
}

impl Copy {
    /// The copy in a data folder.
    pub fn of(data: &Path) -> Self {
        Self { folder: super::folder(data) }
    }

    /// Where it lies.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The note's bytes.
    pub fn note(&self) -> io::Result<Vec<u8>> {
        fs::read(self.folder.join(CHECKPOINT))
    }

    /// A tile's bytes as far as they are there; empty for one that is missing.
    pub fn tile(&self, kind: Kind, index: u64) -> io::Result<Vec<u8>> {
        match fs::read(self.folder.join(full(kind, index).to_string())) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            other => other,
        }
    }
}
