//! The tear file on disk: slots at their offsets, every change synced.

use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::{FileExt as _, OpenOptionsExt as _},
    path::Path,
};
use suishen_core::gate::{SLOT, Slots};

/// Slots in a file of this machine.
#[derive(Debug)]
pub struct SlotFile {
    file: File,
    count: u32,
}

impl SlotFile {
    /// Opens or makes it; only its owner may read it.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
        let slots = file.metadata()?.len() / SLOT as u64;
        let count = u32::try_from(slots).map_err(|_| io::Error::other("the tear file is too large"))?;
        if let Some(folder) = path.parent() {
            File::open(folder)?.sync_all()?;
        }
        Ok(Self { file, count })
    }

    const fn offset(slot: u32) -> u64 {
        slot as u64 * SLOT as u64
    }
}

impl Slots for SlotFile {
    type Error = io::Error;

    fn count(&self) -> u32 {
        self.count
    }

    fn read(&self, slot: u32) -> io::Result<[u8; SLOT]> {
        let mut bytes = [0; SLOT];
        self.file.read_exact_at(&mut bytes, Self::offset(slot))?;
        Ok(bytes)
    }

    fn write(&mut self, slot: u32, bytes: &[u8; SLOT]) -> io::Result<()> {
        self.file.write_all_at(bytes, Self::offset(slot))?;
        self.count = self.count.max(slot + 1);
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_all()
    }
}
