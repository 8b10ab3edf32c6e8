//! Who may fetch a blob: decided anew at every request, from the ledger's committed state.

use super::{BlobAddress, Blobs, PublicKey, Reason};
use crate::replica::{Replica, ReplicaError};
use crate::store::StoreError;
use suishen_core::{
    contract::{Damaged, State, Status, Views as _},
    gate::BOUND_TICKET_TERM,
    id::{Commitment, GrantId, InboxId},
};

/// How long after a redemption its blobs are served, in seconds.
const REDEMPTION_TERM: u64 = 86_400;

/// Why access couldn't be decided.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// The relay's database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The ledger.
    #[error(transparent)]
    Replica(#[from] ReplicaError),
}

impl Blobs {
    /// Whether `key` may fetch the blob now.
    pub fn may_read(
        &self,
        address: &BlobAddress,
        key: &PublicKey,
        replica: &Replica,
        now: u64,
    ) -> Result<bool, AccessError> {
        if self.is_owner(address, key)? {
            return Ok(true);
        }
        let reasons = self.reasons(address)?;
        let published = replica.published();
        Ok(published.snapshot().view(|state| {
            for reason in &reasons {
                if gives(reason, key, state, now)? {
                    return Ok(true);
                }
            }
            Ok(false)
        })?)
    }
}

fn gives(reason: &Reason, key: &PublicKey, state: &dyn State, now: u64) -> Result<bool, Damaged> {
    match reason {
        Reason::Grant(id, record, _) => grantee_may(state, id, *record, key, now),
        Reason::Ticket(id, _) => wallet_may(state, id, key, now),
        Reason::Inbox(id, until) => Ok(InboxId::of(key) == *id && now < *until),
    }
}

/// The wallet that bound the ticket, while it isn't cancelled.
fn wallet_may(state: &dyn State, id: &Commitment, key: &PublicKey, now: u64) -> Result<bool, Damaged> {
    let Some(anchor) = state.anchor(id)? else { return Ok(false) };
    Ok(anchor.cancellation.is_none()
        && anchor
            .binding
            .is_some_and(|bound| bound.request == *key && now < bound.at.saturating_add(BOUND_TICKET_TERM)))
}

/// The grantee, for the records of a redemption of the last 24 hours, and never after a revocation.
fn grantee_may(
    state: &dyn State,
    id: &GrantId,
    record: u32,
    key: &PublicKey,
    now: u64,
) -> Result<bool, Damaged> {
    let (Some(leaf), Some(terms)) = (state.grant(id)?, state.terms(id)?) else { return Ok(false) };
    let Some(accepted) = terms.accepted.filter(|accepted| accepted.grantee == *key) else { return Ok(false) };
    let suspended = state.party(&accepted.party)?.is_none_or(|party| party.is_suspended(now));
    if leaf.status == Status::Revoked || suspended {
        return Ok(false);
    }
    for number in (1..=u32::try_from(leaf.uses).map_err(|_| Damaged)?).rev() {
        let redemption = state.redemption(id, number)?.ok_or(Damaged)?;
        if now >= redemption.at.saturating_add(REDEMPTION_TERM) {
            return Ok(false);
        }
        if redemption.records.contains(&u64::from(record)) {
            return Ok(true);
        }
    }
    Ok(false)
}
