//! Who belongs to which vault: rosters, made of the epochs in the database and kept in memory.
//!
//! **Whoever writes an epoch holds the lock until it is durable and the roster here has it**, so that nobody judges by an
//! older one afterwards.

use super::{MailboxError, Mailboxes, rows};
use crate::store::StoreError;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use suishen_core::{
    id::{LedgerId, VaultId},
    sm::Signed,
    vault::{Epoch, Roster, RosterError, StoredEvent},
};

/// Most rosters in memory: those of more vaults are read again.
const MOST: usize = 4096;

#[derive(Default)]
pub(super) struct Rosters(Mutex<Known>);

impl Rosters {
    pub(super) fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Default)]
pub(super) struct Known(BTreeMap<VaultId, Arc<Roster>>);

impl Known {
    pub(super) fn keep(&mut self, vault: VaultId, roster: Arc<Roster>) {
        if self.0.len() >= MOST {
            self.0.pop_first();
        }
        self.0.insert(vault, roster);
    }

    pub(super) fn forget(&mut self, vault: &VaultId) {
        self.0.remove(vault);
    }
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
    pub(super) fn roster(&self, known: &mut Known, vault: &VaultId) -> Result<Arc<Roster>, StoreError> {
        if let Some(roster) = known.0.get(vault) {
            return Ok(roster.clone());
        }
        let roster = Arc::new(self.read_roster(vault, &[])?);
        known.keep(*vault, roster.clone());
        Ok(roster)
    }

    /// The roster of what is in the database and of `more`. What isn't valid was stored while it waited for its past.
    fn read_roster(&self, vault: &VaultId, more: &[Signed<Epoch>]) -> Result<Roster, StoreError> {
        let mut epochs = self.0.store.read(|tx| {
            let events = tx.open_table(rows::EVENTS)?;
            let mut epochs = Vec::new();
            for row in tx.open_table(rows::EPOCHS)?.range(rows::range(vault))? {
                let row = events.get(row?.0.value())?.ok_or(StoreError::Row)?;
                epochs.extend(StoredEvent::from_bytes(row.value().to_vec()).epoch());
            }
            Ok::<_, StoreError>(epochs)
        })?;
        epochs.extend_from_slice(more);
        in_order(&mut epochs);
        let mut roster = Roster::new(self.0.ledger, *vault);
        for epoch in &epochs {
            let _ = roster.take(epoch);
        }
        Ok(roster)
    }

    /// Judges epochs that came: the roster with those that hold, and which don't.
    pub(super) fn judge(
        &self,
        known: &mut Known,
        vault: &VaultId,
        mut epochs: Vec<Signed<Epoch>>,
    ) -> Result<(Arc<Roster>, Vec<Signed<Epoch>>), MailboxError> {
        let mut roster = Roster::clone(&*self.roster(known, vault)?);
        in_order(&mut epochs);
        let (mut refused, mut crowded) = (Vec::new(), false);
        for epoch in &epochs {
            match roster.take(epoch) {
                Ok(_) => {}
                // As many wait as may; in the order of their numbers few of them have to.
                Err(RosterError::Full) => crowded = true,
                Err(_) => refused.push(epoch.clone()),
            }
        }
        if crowded {
            epochs.retain(|epoch| !refused.contains(epoch));
            roster = self.read_roster(vault, &epochs)?;
        }
        Ok((roster.into(), refused))
    }
}
