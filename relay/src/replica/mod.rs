//! The replica: entries, state, tree and map in one redb database, and the checkpoint over them (PROTOCOL §8).
//!
//! One write path: accepted entries → one transaction with everything that follows from them, size and roots
//! included → durable → cosigned → published. One read path: the last [`Published`] checkpoint with the
//! snapshot of the database that it speaks of, so that whatever is read proves itself under that checkpoint.
//!
//! **Size and both roots are on disk before they are signed, and the same size is never signed with others.**

pub mod copy;
mod cosigner;
pub mod looking;
pub mod replay;
mod snapshot;
mod tables;
mod write;

pub use snapshot::{MOST_LEAVES, Snapshot};
pub use write::Accepted;

#[cfg(test)]
pub(crate) use tables::CLAIMS;
use tables::Tiles;
pub(crate) use tables::{Tables, open_all};

use cosigner::Cosigner;
use redb::{Database, ReadableDatabase as _, ReadableTableMetadata as _, StorageBackend};
use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};
use suishen_core::{
    cbor,
    contract::{Damaged, Genesis, GenesisError},
    id::LedgerId,
    proof::{
        bundle::Bundle,
        checkpoint::{Checkpoint, SignedCheckpoint},
        log::ShownGrants,
        map::{MapError, Prefix},
        tile::TileError,
        tree::{Edge, Sm3},
    },
    sm::SecretKey,
};
use tokio::sync::watch;

/// The ledger's folder within the data folder.
const FOLDER: &str = "ledger";
/// The database within the ledger's folder.
const FILE: &str = "ledger.redb";
/// Its name until it is founded.
const FOUNDING: &str = "founding.redb";
/// redb's page cache, bytes.
const CACHE: usize = 16 << 20;

/// What went wrong with the replica.
#[derive(Debug, thiserror::Error)]
pub enum ReplicaError {
    /// The database failed.
    #[error("the ledger's database failed: {0}")]
    Database(Box<redb::Error>),
    /// A file of the published copy failed.
    #[error("a file of the ledger's copy failed: {0}")]
    Copy(#[from] io::Error),
    /// What is stored contradicts itself.
    #[error("the ledger is damaged ({0}); `suishen fsck` says where")]
    Damaged(String),
    /// There is a ledger already.
    #[error("there is a ledger in this folder already")]
    Exists,
    /// There is none yet.
    #[error("there is no ledger in this folder")]
    NoLedger,
    /// A genesis that founds nothing.
    #[error(transparent)]
    Genesis(#[from] GenesisError),
    /// A genesis or entry too long for a tile.
    #[error("an entry is longer than 65535 bytes")]
    TooLong,
    /// The cosigner key is no member's.
    #[error("the cosigner key is not that of a member of this ledger")]
    NotAMember,
    /// Other roots were signed for this size, or a greater size was.
    #[error("size {0} was signed before with other roots, or a greater one was: nothing is signed")]
    Signed(u64),
    /// Decided on another state than the last: somebody else appended meanwhile.
    #[error("what was brought as entry {0} was not decided on the state before it")]
    OutOfOrder(u64),
    /// More leaves under a prefix than one answer may hold.
    #[error("more than {MOST_LEAVES} leaves lie under this prefix: ask for a longer one")]
    ManyLeaves,
}

macro_rules! from_redb {
    ($($error:ident)*) => {$(
        impl From<redb::$error> for ReplicaError {
            fn from(error: redb::$error) -> Self {
                Self::Database(Box::new(error.into()))
            }
        }
    )*};
}
from_redb!(StorageError TableError TransactionError CommitError DatabaseError SetDurabilityError);

impl From<TileError> for ReplicaError {
    fn from(error: TileError) -> Self {
        Self::Damaged(error.to_string())
    }
}

impl From<MapError> for ReplicaError {
    fn from(error: MapError) -> Self {
        Self::Damaged(error.to_string())
    }
}

impl From<Damaged> for ReplicaError {
    fn from(error: Damaged) -> Self {
        Self::Damaged(error.to_string())
    }
}

/// A checkpoint and everything that it speaks of, as they are served.
#[derive(Debug)]
pub struct Published {
    snapshot: Arc<Snapshot>,
    signed: SignedCheckpoint,
    note: String,
}

impl Published {
    fn new(snapshot: Arc<Snapshot>, signed: SignedCheckpoint) -> Self {
        let note = signed.to_note();
        Self { snapshot, signed, note }
    }

    /// Entries, state, tiles and proofs under this checkpoint.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// The note.
    pub fn note(&self) -> &str {
        &self.note
    }

    /// Size and roots.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.signed.checkpoint
    }

    /// Number of entries, the genesis object included.
    pub fn size(&self) -> u64 {
        self.signed.checkpoint.size
    }

    /// When it was cosigned here.
    pub fn time(&self) -> u64 {
        self.signed.cosignatures.first().map_or(0, suishen_core::proof::checkpoint::Cosignature::time)
    }

    /// All grants under a prefix, each with every entry on it, and all claims; [`ReplicaError::ManyLeaves`] for too short a prefix.
    pub fn grants_under(&self, prefix: &Prefix) -> Result<ShownGrants, ReplicaError> {
        let (proof, grants) = self.snapshot.grants_under(prefix)?;
        let claims = self.snapshot.claims_under(prefix)?;
        Ok(ShownGrants { note: self.note.clone(), proof, grants, claims })
    }

    /// The proof bundle of a grant, without receipts; `None` for one that the state doesn't hold.
    pub fn bundle(&self, id: &suishen_core::id::GrantId) -> Result<Option<Bundle>, ReplicaError> {
        self.snapshot.bundle(id, &self.note)
    }
}

/// A relay's copy of the ledger. Clones share it.
#[derive(Clone, Debug)]
pub struct Replica(Arc<Inner>);

struct Inner {
    database: Database,
    genesis: Genesis,
    ledger: LedgerId,
    cosigner: Cosigner,
    /// The right edge of the tree; whoever holds it may write.
    edge: Mutex<Edge>,
    published: watch::Sender<Arc<Published>>,
    folder: Option<PathBuf>,
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Replica({}, size {})", self.ledger, self.published.borrow().size())
    }
}

/// Where the ledger's files are in a data folder.
pub fn folder(data: &Path) -> PathBuf {
    data.join(FOLDER)
}

/// Where the ledger's database is in a data folder.
pub fn database_file(data: &Path) -> PathBuf {
    folder(data).join(FILE)
}

impl Replica {
    /// Founds a ledger in a data folder that has none. `now` is the time of the first cosignature.
    pub fn create(
        data: &Path,
        genesis: &Genesis,
        cosigner: SecretKey,
        now: u64,
    ) -> Result<Self, ReplicaError> {
        fs::create_dir_all(folder(data))?;
        if Self::exists(data) {
            return Err(ReplicaError::Exists);
        }
        // Under its name only once it is founded: half a ledger, after a crash, is none.
        let new = folder(data).join(FOUNDING);
        let _ = fs::remove_file(&new);
        drop(Self::found(builder().create(&new)?, genesis)?);
        drop_empty_copy(&folder(data))?;
        fs::rename(new, database_file(data))?;
        fs::File::open(folder(data))?.sync_all()?;
        Self::open(data, cosigner, now)
    }

    /// Opens the ledger in a data folder. The database admits one process.
    pub fn open(data: &Path, cosigner: SecretKey, now: u64) -> Result<Self, ReplicaError> {
        if !Self::exists(data) {
            return Err(ReplicaError::NoLedger);
        }
        let database = builder().open(database_file(data))?;
        Self::start(database, cosigner, now, Some(folder(data)))
    }

    /// Whether a data folder has a ledger.
    pub fn exists(data: &Path) -> bool {
        database_file(data).exists()
    }

    /// Founds a ledger on any storage.
    pub fn create_on(
        storage: impl StorageBackend,
        genesis: &Genesis,
        cosigner: SecretKey,
        now: u64,
    ) -> Result<Self, ReplicaError> {
        let database = builder().create_with_backend(storage)?;
        Self::found(database, genesis).and_then(|database| Self::start(database, cosigner, now, None))
    }

    /// Opens a ledger on any storage.
    pub fn open_on(
        storage: impl StorageBackend,
        cosigner: SecretKey,
        now: u64,
    ) -> Result<Self, ReplicaError> {
        Self::start(builder().create_with_backend(storage)?, cosigner, now, None)
    }

    fn found(database: Database, genesis: &Genesis) -> Result<Database, ReplicaError> {
        genesis.check()?;
        if open_all(&database.begin_read()?).is_ok() {
            return Err(ReplicaError::Exists);
        }
        write::found(&database, genesis)?;
        Ok(database)
    }

    fn start(
        database: Database,
        cosigner: SecretKey,
        now: u64,
        folder: Option<PathBuf>,
    ) -> Result<Self, ReplicaError> {
        tables::complete(&database)?;
        let read = database.begin_read()?;
        let tables = match open_all(&read) {
            Ok(tables) if !tables.entries.is_empty()? => tables,
            Ok(_) => return Err(ReplicaError::NoLedger),
            Err(ReplicaError::Database(e)) if matches!(*e, redb::Error::TableDoesNotExist(_)) => {
                return Err(ReplicaError::NoLedger);
            }
            Err(error) => return Err(error),
        };
        let genesis = tables.entries.get(0)?.ok_or(ReplicaError::NoLedger)?;
        let genesis: Genesis = cbor::decode(genesis.value())
            .map_err(|e| ReplicaError::Damaged(format!("entry 0 is not a genesis object: {e}")))?;
        let ledger = genesis.ledger_id();
        let cosigner = Cosigner::new(&genesis, cosigner)?;
        let edge = Edge::load(&Tiles(&tables.tiles).nodes(), tables.entries.len()?)?;
        let snapshot = Arc::new(Snapshot::new(tables, ledger)?);
        cosigner::check_stored(&snapshot, &edge.root::<Sm3>())?;
        let signed = cosigner.sign(snapshot.checkpoint(), now.max(snapshot.last_time()));
        let (published, _) = watch::channel(Arc::new(Published::new(snapshot, signed)));
        let inner = Inner { database, genesis, ledger, cosigner, edge: Mutex::new(edge), published, folder };
        Ok(Self(Arc::new(inner)))
    }

    /// The ledger's id.
    pub fn ledger(&self) -> LedgerId {
        self.0.ledger
    }

    /// The genesis object.
    pub fn genesis(&self) -> &Genesis {
        &self.0.genesis
    }

    /// The member that this relay is, by its place in the genesis.
    pub fn member(&self) -> &suishen_core::contract::Member {
        &self.0.genesis.members[self.0.cosigner.place()]
    }

    /// The last checkpoint with all it speaks of.
    pub fn published(&self) -> Arc<Published> {
        self.0.published.borrow().clone()
    }

    /// Every later checkpoint as it comes.
    pub fn follow(&self) -> watch::Receiver<Arc<Published>> {
        self.0.published.subscribe()
    }

    /// Where the published copy goes.
    pub fn folder(&self) -> Option<&Path> {
        self.0.folder.as_deref()
    }

    /// Makes accepted entries durable, cosigns and publishes. They must follow from the last published snapshot,
    /// in order: who orders them sees to it that nobody else appends in between.
    pub fn append(&self, accepted: &[Accepted]) -> Result<Arc<Published>, ReplicaError> {
        let mut edge = self.0.edge.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(last) = accepted.last() else { return Ok(self.published()) };
        let grown = write::append(&self.0.database, &edge, accepted)?;
        *edge = grown;
        let snapshot = Arc::new(Snapshot::new(open_all(&self.0.database.begin_read()?)?, self.0.ledger)?);
        Ok(self.publish(snapshot, last.entry.now))
    }

    /// Cosigns the same checkpoint again at a later time of the ledger, so that it doesn't look old.
    pub fn refresh(&self, now: u64) -> Arc<Published> {
        let _writing = self.0.edge.lock().unwrap_or_else(PoisonError::into_inner);
        let published = self.published();
        self.publish(published.snapshot.clone(), now.max(published.time()))
    }

    /// Cosigns what is stored: a snapshot's roots were committed with it.
    fn publish(&self, snapshot: Arc<Snapshot>, now: u64) -> Arc<Published> {
        let signed = self.0.cosigner.sign(snapshot.checkpoint(), now);
        let published = Arc::new(Published::new(snapshot, signed));
        self.0.published.send_replace(published.clone());
        published
    }
}

/// A copy without its ledger is of an attempt that never became one.
fn drop_empty_copy(folder: &Path) -> io::Result<()> {
    for left in ["tile", "checkpoint"] {
        let left = folder.join(left);
        if left.is_dir() {
            fs::remove_dir_all(left)?;
        } else if left.exists() {
            fs::remove_file(left)?;
        }
    }
    Ok(())
}

fn builder() -> redb::Builder {
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE);
    builder
}

#[cfg(test)]
pub(crate) mod tests;
