//! Who belongs to which vault: rosters, made of the epochs in the database and kept in memory.
//!
//! **Whoever writes an epoch does it alone in its vault, until it is durable and the roster here has it**, so that nobody
//! judges by an older one afterwards. A vault whose epochs are many keeps itself busy and no other.

use super::{MailboxError, Mailboxes, rows};
use crate::store::StoreError;
use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};
use suishen_core::{
    id::{BlobAddress, LedgerId, VaultId},
    sm::Signed,
    vault::{Epoch, Roster, RosterError, StoredEvent},
};

/// What all rosters in memory may weigh, in bytes; those of more vaults are read again.
const MOST: usize = 64 << 20;
/// What a roster weighs at least, and for each byte of its epochs: they are there as signed and as read.
const LEAST_WEIGHT: usize = 2 << 10;
const OF_BYTE: usize = 3;

#[derive(Default)]
pub(super) struct Rosters {
    known: Mutex<Known>,
    /// Of the vaults in which somebody is at work now.
    turns: Mutex<BTreeMap<VaultId, Weak<Mutex<()>>>>,
}

impl Rosters {
    /// Does something that nobody else does in the same vault meanwhile.
    pub(super) fn alone<T>(&self, vault: &VaultId, work: impl FnOnce() -> T) -> T {
        let turn = {
            let mut turns = lock(&self.turns);
            turns.retain(|_, turn| turn.strong_count() > 0);
            let turn = turns.get(vault).and_then(Weak::upgrade).unwrap_or_default();
            turns.insert(*vault, Arc::downgrade(&turn));
            turn
        };
        let _alone = lock(&turn);
        work()
    }

    pub(super) fn keep(&self, vault: VaultId, roster: Arc<Roster>) {
        lock(&self.known).keep(vault, roster);
    }

    pub(super) fn forget(&self, vault: &VaultId) {
        lock(&self.known).forget(vault);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Rosters in memory. What was not asked for while half the room filled anew goes.
#[derive(Default)]
struct Known {
    recent: BTreeMap<VaultId, Arc<Roster>>,
    earlier: BTreeMap<VaultId, Arc<Roster>>,
    /// Of the recent ones.
    weight: usize,
}

impl Known {
    fn get(&mut self, vault: &VaultId) -> Option<Arc<Roster>> {
        if let Some(roster) = self.earlier.remove(vault) {
            self.keep(*vault, roster);
        }
        self.recent.get(vault).cloned()
    }

    fn keep(&mut self, vault: VaultId, roster: Arc<Roster>) {
        self.forget(&vault);
        let weight = weight(&roster);
        if self.weight + weight > MOST / 2 {
            self.earlier = mem::take(&mut self.recent);
            self.weight = 0;
        }
        self.weight += weight;
        self.recent.insert(vault, roster);
    }

    fn forget(&mut self, vault: &VaultId) {
        self.earlier.remove(vault);
        if let Some(gone) = self.recent.remove(vault) {
            self.weight -= weight(&gone);
        }
    }
}

fn weight(roster: &Roster) -> usize {
    LEAST_WEIGHT + OF_BYTE * roster.bytes()
}

/// By number: what an epoch builds on comes before it, so that few have to wait.
fn in_order(epochs: &mut [Signed<Epoch>]) {
    epochs.sort_by_cached_key(|signed| signed.claimed().map_or(u32::MAX, |epoch| epoch.number));
}

/// The roster of these epochs, each of which must hold.
pub(super) fn from_epochs(
    ledger: LedgerId,
    vault: VaultId,
    epochs: &[Signed<Epoch>],
) -> Result<Roster, RosterError> {
    let mut roster = Roster::new(ledger, vault);
    let mut epochs = epochs.to_vec();
    in_order(&mut epochs);
    for epoch in &epochs {
        roster.take(epoch)?;
    }
    Ok(roster)
}

impl Mailboxes {
    /// The roster of a vault, as of what is in the database.
    pub(super) fn roster(&self, vault: &VaultId) -> Result<Arc<Roster>, StoreError> {
        let rosters = &self.0.rosters;
        let known = lock(&rosters.known).get(vault);
        known.map_or_else(|| rosters.alone(vault, || self.roster_alone(vault)), Ok)
    }

    /// The same for who is alone in the vault.
    fn roster_alone(&self, vault: &VaultId) -> Result<Arc<Roster>, StoreError> {
        if let Some(roster) = lock(&self.0.rosters.known).get(vault) {
            return Ok(roster);
        }
        let roster = Arc::new(self.read_roster(vault)?);
        self.0.rosters.keep(*vault, roster.clone());
        Ok(roster)
    }

    /// The roster of what is in the database. What isn't valid was stored while it waited for its past.
    fn read_roster(&self, vault: &VaultId) -> Result<Roster, StoreError> {
        let mut epochs = self.0.store.read(|tx| {
            let events = tx.open_table(rows::EVENTS)?;
            let mut epochs = Vec::new();
            for row in tx.open_table(rows::EPOCHS)?.range(rows::range(vault))? {
                let row = events.get(row?.0.value())?.ok_or(StoreError::Row)?;
                epochs.extend(StoredEvent::from_bytes(row.value().to_vec()).epoch());
            }
            Ok::<_, StoreError>(epochs)
        })?;
        in_order(&mut epochs);
        let mut roster = Roster::new(self.0.ledger, *vault);
        for epoch in &epochs {
            let _ = roster.take(epoch);
        }
        Ok(roster)
    }

    /// Judges epochs that came, for who is alone in the vault: the roster with those that hold, and which don't, or have no
    /// room. Of those that wait for others only some have room; they come again in the next session.
    pub(super) fn judge(
        &self,
        vault: &VaultId,
        mut epochs: Vec<Signed<Epoch>>,
    ) -> Result<(Arc<Roster>, BTreeSet<BlobAddress>), MailboxError> {
        let mut roster = Roster::clone(&*self.roster_alone(vault)?);
        in_order(&mut epochs);
        let refused = epochs.iter().filter(|epoch| roster.take(epoch).is_err());
        let refused = refused.map(|epoch| StoredEvent::of_epoch(epoch).address).collect();
        Ok((roster.into(), refused))
    }
}
