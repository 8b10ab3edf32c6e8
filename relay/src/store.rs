//! The relay's own database, beside the ledger's: what it keeps for others (rows of shares, messages, who owns
//! which blob, who is enrolled). Nothing here follows from the ledger, nothing of the ledger follows from it.
//!
//! Every write is durable before it is acknowledged, with redb's two-phase commit.

mod together;

pub use together::Together;

use redb::{Database, ReadTransaction, ReadableDatabase as _, WriteTransaction};
use std::{fmt, fs, io, io::Write as _, os::unix::fs::DirBuilderExt as _, path::Path, sync::Arc};

/// Room for redb's cache, in bytes.
const CACHE: usize = 8 << 20;

/// The database failed, or holds what this relay never wrote.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// redb or the disk.
    #[error("the relay's database failed: {0}")]
    Database(Box<redb::Error>),
    /// A row that can't be read.
    #[error("a row of the relay's database cannot be read")]
    Row,
    /// A file beside the database.
    #[error("a file of the relay could not be read or written: {0}")]
    File(#[from] std::io::Error),
    /// Whoever writes has ended.
    #[error("the database is being closed")]
    Stopped,
}

macro_rules! from_redb {
    ($($name:ident),*) => {$(
        impl From<redb::$name> for StoreError {
            fn from(error: redb::$name) -> Self {
                Self::Database(Box::new(error.into()))
            }
        }
    )*};
}
from_redb!(DatabaseError, TransactionError, TableError, StorageError, CommitError, SetDurabilityError);

/// The relay's own database.
#[derive(Clone)]
pub struct Store(Arc<Database>);

impl Store {
    /// Opens or makes it. Only one process can have it open.
    pub fn open(file: &Path) -> Result<Self, StoreError> {
        let mut builder = Database::builder();
        builder.set_cache_size(CACHE);
        Ok(Self(Arc::new(builder.create(file)?)))
    }

    /// Runs one write transaction; durable when this returns. An error undoes it.
    pub fn write<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&WriteTransaction) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut transaction = self.0.begin_write().map_err(StoreError::from)?;
        transaction.set_two_phase_commit(true);
        let done = work(&transaction)?;
        transaction.commit().map_err(StoreError::from)?;
        Ok(done)
    }

    /// Reads one consistent state.
    pub fn read<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&ReadTransaction) -> Result<T, E>,
    ) -> Result<T, E> {
        work(&self.0.begin_read().map_err(StoreError::from)?)
    }
}

/// Makes a data folder that only its owner may enter, where there is none.
pub fn make_folder(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Writes a file under another name and gives it its own once it is on the disk, over a loss of power too.
pub fn write_whole(folder: &Path, new: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = fs::File::create(new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(new, path)?;
    fs::File::open(folder)?.sync_all()
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Store")
    }
}
