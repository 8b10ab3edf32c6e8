//! A database file to look at: what is written to it stays in memory. redb wants to recover a file that wasn't
//! closed before it reads it, and `suishen fsck` must leave what it examines as it was.

use redb::{Database, DatabaseError, StorageBackend};
use std::{
    collections::BTreeMap,
    fs::{File, TryLockError},
    io,
    os::unix::fs::FileExt as _,
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Bytes kept together.
const BLOCK: u64 = 4096;

/// What a look at a database file found.
pub enum Looked {
    /// It can be read.
    Open(Box<Database>),
    /// A running relay holds it.
    InUse,
    /// There is none.
    Absent,
}

/// Opens a database without changing its file.
pub fn look(path: &Path) -> Result<Looked, DatabaseError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Looked::Absent),
        Err(error) => return Err(DatabaseError::Storage(error.into())),
    };
    match file.try_lock_shared() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(Looked::InUse),
        Err(TryLockError::Error(error)) => return Err(DatabaseError::Storage(error.into())),
    }
    let length = file.metadata().map_err(|e| DatabaseError::Storage(e.into()))?.len();
    if length == 0 {
        return Ok(Looked::Absent);
    }
    let written = Written { length, original: length, blocks: BTreeMap::new() };
    let database = Database::builder().create_with_backend(Looking { file, written: Mutex::new(written) })?;
    Ok(Looked::Open(Box::new(database)))
}

#[derive(Debug)]
struct Looking {
    file: File,
    written: Mutex<Written>,
}

#[derive(Debug)]
struct Written {
    length: u64,
    /// How much of the file still counts: what was cut off and grown again reads as zero.
    original: u64,
    blocks: BTreeMap<u64, Vec<u8>>,
}

impl Looking {
    fn written(&self) -> MutexGuard<'_, Written> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A block as it is now.
    fn block(&self, written: &Written, number: u64) -> io::Result<Vec<u8>> {
        if let Some(block) = written.blocks.get(&number) {
            return Ok(block.clone());
        }
        let mut block = vec![0; usize::try_from(BLOCK).unwrap_or(4096)];
        let start = number * BLOCK;
        let there = usize::try_from(written.original.saturating_sub(start).min(BLOCK)).unwrap_or(0);
        self.file.read_exact_at(&mut block[..there], start)?;
        Ok(block)
    }
}

impl StorageBackend for Looking {
    fn len(&self) -> io::Result<u64> {
        Ok(self.written().length)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let written = self.written();
        let (mut at, mut out) = (offset, out);
        while !out.is_empty() {
            let block = self.block(&written, at / BLOCK)?;
            let from = &block[usize::try_from(at % BLOCK).unwrap_or(0)..];
            let length = from.len().min(out.len());
            let (now, later) = out.split_at_mut(length);
            now.copy_from_slice(&from[..length]);
            at += length as u64;
            out = later;
        }
        Ok(())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        let mut written = self.written();
        let cut = length.min(written.length);
        if !cut.is_multiple_of(BLOCK) && cut < written.length {
            let mut block = self.block(&written, cut / BLOCK)?;
            block[usize::try_from(cut % BLOCK).unwrap_or(0)..].fill(0);
            written.blocks.insert(cut / BLOCK, block);
        }
        written.blocks.retain(|number, _| number * BLOCK < cut);
        written.original = written.original.min(cut);
        written.length = length;
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut written = self.written();
        let (mut at, mut data) = (offset, data);
        while !data.is_empty() {
            let mut block = self.block(&written, at / BLOCK)?;
            let into = &mut block[usize::try_from(at % BLOCK).unwrap_or(0)..];
            let length = into.len().min(data.len());
            into[..length].copy_from_slice(&data[..length]);
            written.blocks.insert(at / BLOCK, block);
            at += length as u64;
            data = &data[length..];
        }
        written.length = written.length.max(offset + (at - offset));
        Ok(())
    }
}
