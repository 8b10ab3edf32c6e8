//! Mailboxes: copies of vaults that this relay keeps for their devices (PROTOCOL §9).
//!
//! A mailbox is one more replica: a set of opaque events by address, the epoch objects among them, and content beside them.
//! It reads no event. **Who may come in follows from epochs and certificates alone** (the vault's roster), so a removed
//! device is out with the epoch that removes it. Beginning one costs a proof of work, each has its quotas, all together
//! have a room of which each has a share, and one that no device has visited for long is deleted whole.
//!
//! Rows are in a database of their own, so that what strangers write holds up neither the ledger nor the gate. Everything
//! here blocks: call it where blocking is allowed.

mod content;
mod events;
mod examined;
mod rosters;
mod rows;
mod shares;
#[cfg(test)]
mod tests;

pub use content::{Held, Put, Taken, Taking};
pub use events::Loaded;
pub(crate) use examined::{database, examine};

use crate::store::{Store, StoreError, make_folder};
use rosters::Rosters;
use rows::VaultRow;
use shares::Shares;
use std::{
    collections::BTreeSet,
    fmt, io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};
use suishen_core::{
    id::{BlobAddress, LedgerId, VaultId},
    sm::Signed,
    sync::{Found, Knock, Refused, Welcome, work_holds},
    vault::{DeviceCertificate, StoredEvent},
};

/// The database in the mailboxes' folder.
const DATABASE: &str = "mailbox.redb";
/// How often a visit is written down, in seconds.
const VISIT: u64 = 86_400;

/// Limits of mailboxes.
#[derive(Clone, Copy, Debug)]
pub struct MailboxLimits {
    /// Bytes that the events of one vault may have.
    pub events: u64,
    /// Bytes that the content of one vault may have.
    pub content: u64,
    /// Largest content, bytes.
    pub largest: u64,
    /// All mailboxes together, bytes.
    pub room: u64,
    /// How long a mailbox stays that no device visits, seconds.
    pub keep: u64,
    /// What beginning one costs: about 2^bits digests.
    pub bits: u8,
}

/// Why a mailbox doesn't do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum MailboxError {
    /// There is none for this vault.
    #[error("there is no mailbox of this vault")]
    Unknown,
    /// Quota, count or room.
    #[error("the mailbox is full")]
    Full,
    /// An address that isn't its bytes', or an event beyond its bounds.
    #[error("not an event that can be stored")]
    Form,
    /// The database or the disk.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<io::Error> for MailboxError {
    fn from(error: io::Error) -> Self {
        Self::Store(error.into())
    }
}

impl MailboxError {
    /// What the other side is told.
    pub const fn refused(&self) -> Refused {
        match self {
            Self::Unknown => Refused::Device,
            Self::Full => Refused::Full,
            Self::Form => Refused::Form,
            Self::Store(_) => Refused::Busy,
        }
    }
}

/// What all mailboxes hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Vaults.
    pub vaults: u64,
    /// Events, epochs among them.
    pub events: u64,
    /// Contents, partial ones among them.
    pub content: u64,
}

/// All mailboxes of this relay. Clones share them.
#[derive(Clone)]
pub struct Mailboxes(Arc<Inner>);

struct Inner {
    folder: PathBuf,
    store: Store,
    ledger: LedgerId,
    limits: MailboxLimits,
    /// Bytes of all rows and files.
    used: AtomicU64,
    rosters: Rosters,
    /// Content that is coming in, each from one side at a time.
    coming: Mutex<BTreeSet<(VaultId, BlobAddress)>>,
}

impl fmt::Debug for Mailboxes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mailboxes")
    }
}

impl Mailboxes {
    /// Opens or makes the folder, counts what is there, and removes files that a crash left without rows.
    pub fn open(folder: &Path, ledger: LedgerId, limits: MailboxLimits) -> Result<Self, StoreError> {
        make_folder(folder)?;
        let store = Store::open(&folder.join(DATABASE))?;
        let rows = store.write(rows::count)?;
        let inner = Inner {
            folder: folder.to_owned(),
            store,
            ledger,
            limits,
            used: AtomicU64::new(rows),
            rosters: Rosters::default(),
            coming: Mutex::default(),
        };
        let mailboxes = Self(inner.into());
        let files = mailboxes.sweep()?;
        mailboxes.0.used.fetch_add(files, Ordering::Relaxed);
        Ok(mailboxes)
    }

    /// Bytes of all mailboxes.
    pub fn used(&self) -> u64 {
        self.0.used.load(Ordering::Relaxed)
    }

    /// What all of them hold, counted anew.
    pub fn counts(&self) -> Result<Counts, StoreError> {
        self.0.store.read(|tx| {
            let mut counts = Counts::default();
            for (_, row) in rows::vaults(tx)? {
                counts.vaults += 1;
                counts.events += row.events;
                counts.content += row.contents;
            }
            Ok(counts)
        })
    }

    /// Judges a knock: `their_peer` is the id of who knocked, `own_peer` this relay's.
    pub fn knock(
        &self,
        knock: &Knock,
        their_peer: &[u8],
        own_peer: &[u8],
        now: u64,
    ) -> Result<Welcome, MailboxError> {
        if let Err(refused) = knock.verify(&self.0.ledger, their_peer, own_peer) {
            return Ok(Welcome::Refused(refused));
        }
        let Some(row) = self.row(&knock.vault)? else {
            return Ok(if self.shares().free() == 0 {
                Welcome::Refused(Refused::Full)
            } else {
                Welcome::Unknown(self.work())
            });
        };
        if !self.admits(&knock.vault, &knock.pass)? {
            return Ok(Welcome::Refused(Refused::Device));
        }
        if now >= row.visited.saturating_add(VISIT) {
            self.visit(&knock.vault, now)?;
        }
        Ok(Welcome::Open(None))
    }

    /// Begins a mailbox for a vault that isn't known here; when it is by now, this is a knock. `knock` is the one that was
    /// answered with [`Welcome::Unknown`].
    pub fn found(
        &self,
        knock: &Knock,
        found: &Found,
        (their_peer, own_peer): (&[u8], &[u8]),
        now: u64,
    ) -> Result<Welcome, MailboxError> {
        let vault = knock.vault;
        // The cheapest first. Nobody else in the vault is held up while its epochs are verified.
        if !work_holds(&vault, own_peer, found.work, self.work()) {
            return Ok(Welcome::Refused(Refused::Work));
        }
        if let Err(refused) = knock.verify(&self.0.ledger, their_peer, own_peer) {
            return Ok(Welcome::Refused(refused));
        }
        let Ok(roster) = rosters::from_epochs(self.0.ledger, vault, &found.epochs) else {
            return Ok(Welcome::Refused(Refused::Epochs));
        };
        if roster.newest().is_none() {
            return Ok(Welcome::Refused(Refused::Epochs));
        }
        if roster.admits(&knock.pass).is_err() {
            return Ok(Welcome::Refused(Refused::Device));
        }
        let epochs: Vec<_> = found.epochs.iter().map(StoredEvent::of_epoch).collect();
        let begun = self.0.rosters.alone(&vault, || {
            if self.row(&vault)?.is_some() {
                return Ok(false);
            }
            self.begin(&vault, &epochs, now)?;
            self.0.rosters.keep(vault, roster.into());
            Ok(true)
        });
        match begun {
            Ok(true) => Ok(Welcome::Open(None)),
            // Another device was faster.
            Ok(false) => self.knock(knock, their_peer, own_peer, now),
            Err(MailboxError::Full) => Ok(Welcome::Refused(Refused::Full)),
            Err(error) => Err(error),
        }
    }

    /// Whether the device with this pass still belongs to the vault: ask again for every open link after an epoch came in.
    pub fn admits(&self, vault: &VaultId, pass: &[Signed<DeviceCertificate>]) -> Result<bool, MailboxError> {
        Ok(self.roster(vault)?.admits(pass).is_ok())
    }

    /// Deletes what its time is over: vaults that no device has visited, content that never became whole.
    /// Gives how many vaults went.
    pub fn expire(&self, now: u64) -> Result<usize, StoreError> {
        let keep = self.0.limits.keep;
        let over: Vec<VaultId> = self.0.store.read(|tx| {
            let all = rows::vaults(tx)?.into_iter();
            Ok::<_, StoreError>(
                all.filter(|(_, row)| row.visited.saturating_add(keep) <= now)
                    .map(|(vault, _)| vault)
                    .collect(),
            )
        })?;
        for vault in &over {
            self.delete(vault)?;
        }
        self.expire_parts(now)?;
        Ok(over.len())
    }

    /// Deletes a vault whole.
    fn delete(&self, vault: &VaultId) -> Result<(), StoreError> {
        self.0.rosters.alone(vault, || {
            let rows = self.0.store.write(|tx| rows::delete(tx, vault))?;
            self.0.rosters.forget(vault);
            let files = content::remove_folder(&self.folder_of(vault))?;
            self.0.used.fetch_sub(rows + files, Ordering::Relaxed);
            Ok(())
        })
    }

    fn row(&self, vault: &VaultId) -> Result<Option<VaultRow>, StoreError> {
        self.0.store.read(|tx| rows::vault(&tx.open_table(rows::VAULTS)?, vault))
    }

    fn visit(&self, vault: &VaultId, now: u64) -> Result<(), MailboxError> {
        self.0.store.write(|tx| rows::change(tx, vault, |row| row.visited = row.visited.max(now)))
    }

    fn coming(&self) -> MutexGuard<'_, BTreeSet<(VaultId, BlobAddress)>> {
        self.0.coming.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The room, as it is taken now.
    fn shares(&self) -> Shares {
        Shares { room: self.0.limits.room, used: self.used() }
    }

    /// What beginning a mailbox costs now.
    fn work(&self) -> u8 {
        self.shares().work(self.0.limits.bits)
    }
}
