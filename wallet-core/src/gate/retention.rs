//! When a gate destroys its share, and what it acknowledges (PROTOCOL §4, §7).
//!
//! **A validly signed revocation destroys at once, before and regardless of the ledger.** All else is decided
//! on the ledger's time; on the gate's own clock only when the ledger has stood still for an hour.

use super::{GateRefusal, Subject};
use crate::contract::{
    Destination, INCLUDE_AHEAD, LONGEST_CLAIM, SignedTransaction, State, Status, Terms, Transaction,
    Views as _,
};
use crate::id::{Commitment, GrantId, LedgerId};
use crate::sm::{Digest, Object, PublicKey, Signed};
use minicbor::{Decode, Encode};

/// How long a bound ticket's share is kept, in seconds, unless the wallet says earlier that it has all.
pub const BOUND_TICKET_TERM: u64 = 7 * 86_400;

/// How long after the end of its object a tombstone stands, in seconds.
pub const TOMBSTONE_TERM: u64 = 86_400;

/// How long a tombstone stands for a grant that the ledger doesn't know, in seconds: longer than an `IssueGrant` made
/// before its revocation can still be included, by any honest clock. When it is included by then, its tombstone
/// stands as [`tombstone_until`] says.
pub const STRANGER_TERM: u64 = 2 * INCLUDE_AHEAD;

/// A ledger's time this far behind the gate's clock, in seconds, no longer counts for retention.
const STANDSTILL: u64 = 3600;

/// The times that a gate knows, in Unix seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The ledger's time in the gate's committed state; when this relay alone orders, max(last entry, clock).
    pub ledger: u64,
    /// The gate's own clock.
    pub own: u64,
    /// The last tick that it committed; `None` when this relay alone orders.
    pub tick: Option<u64>,
}

impl Moment {
    /// A release must be in time by every clock.
    pub(super) fn latest(&self) -> u64 {
        self.ledger.max(self.own)
    }

    /// Destruction can't be undone, so a clock that runs ahead mustn't cause it.
    fn for_tearing(&self) -> u64 {
        if self.own.saturating_sub(self.ledger) >= STANDSTILL { self.own } else { self.ledger }
    }
}

/// A gate's key of the day, signed by its gate key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct GateDay {
    /// First second.
    #[n(0)]
    pub from: u64,
    /// The first second in which it no longer holds.
    #[n(1)]
    pub until: u64,
    /// Deposits are sealed to it.
    #[n(2)]
    pub key: PublicKey,
}

impl Object for GateDay {
    const NAME: &'static str = "gate-day";
}

/// A gate's word that it has destroyed its share and takes no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Torn {
    /// Whose.
    #[n(0)]
    pub object: Digest,
    /// By the gate's clock.
    #[n(1)]
    pub at: u64,
}

impl Object for Torn {
    const NAME: &'static str = "torn";
}

/// A wallet's word that it has everything of a ticket, signed by the ticket's request key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Kept {
    /// Which report.
    #[n(0)]
    pub commitment: Commitment,
}

impl Object for Kept {
    const NAME: &'static str = "kept";
}

/// A revocation as a gate takes it: with the grant key, so that it needs no ledger to check it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Revocation {
    /// The grant key; the grant's id is its hash.
    #[n(0)]
    pub key: PublicKey,
    /// `RevokeGrant`, the same that goes to the ledger.
    #[n(1)]
    pub signed: SignedTransaction,
}

/// The grant that a revocation withdraws, if the grant's own key signed it. Destroy, then acknowledge.
pub fn accept_revocation(revocation: &Revocation, ledger: &LedgerId) -> Result<GrantId, GateRefusal> {
    let [signed] = revocation.signed.signatures() else { return Err(GateRefusal::Signature) };
    let transaction = signed.verify(&revocation.key, ledger).map_err(|_| GateRefusal::Signature)?;
    match transaction {
        Transaction::RevokeGrant(body) if body.grant == GrantId::of(ledger, &revocation.key) => {
            Ok(body.grant)
        }
        _ => Err(GateRefusal::Signature),
    }
}

/// The ticket whose share and blobs may go, if the wallet that bound it signed. Destroy, then acknowledge.
pub fn accept_kept(
    state: &dyn State,
    signed: &Signed<Kept>,
    ledger: &LedgerId,
) -> Result<Commitment, GateRefusal> {
    let claimed = signed.claimed().map_err(|_| GateRefusal::Form)?;
    let anchor = state.anchor(&claimed.commitment)?.ok_or(GateRefusal::Unknown)?;
    let binding = anchor.binding.ok_or(GateRefusal::NotBound)?;
    let kept = signed.verify(&binding.request, ledger).map_err(|_| GateRefusal::Signature)?;
    Ok(kept.commitment)
}

/// Whether a share must be destroyed now. What the state doesn't know, or not yet, isn't due.
pub fn tear_due(state: &dyn State, subject: &Subject, moment: &Moment) -> Result<bool, GateRefusal> {
    let now = moment.for_tearing();
    match subject {
        Subject::Grant(id) => {
            let (Some(leaf), Some(terms)) = (state.grant(id)?, state.terms(id)?) else { return Ok(false) };
            Ok(match leaf.status {
                Status::Revoked => true,
                // Nobody can accept it any more, so nobody ever redeems it.
                Status::Offered => now >= terms.accept_end(),
                Status::Accepted => now >= terms.end(),
                Status::Exhausted => now >= last_release(state, id, &terms)?,
            })
        }
        Subject::Ticket(id) => {
            let Some(anchor) = state.anchor(id)? else { return Ok(false) };
            let (Destination::Ticket(_, expiry, _), binding) = (&anchor.destination, &anchor.binding) else {
                return Ok(true);
            };
            let end = binding.as_ref().map_or(*expiry, |b| b.at.saturating_add(BOUND_TICKET_TERM));
            Ok(anchor.cancellation.is_some() || now >= end)
        }
    }
}

/// Until when the last use of an exhausted grant may still ask.
fn last_release(state: &dyn State, id: &GrantId, terms: &Terms) -> Result<u64, GateRefusal> {
    let last = u32::try_from(terms.grant.uses).map_err(|_| GateRefusal::Damaged)?;
    let redemption = state.redemption(id, last)?.ok_or(GateRefusal::Damaged)?;
    Ok(redemption.at.saturating_add(super::RELEASE_WITHIN).min(terms.end()))
}

/// Until when a tombstone must stand: a day after the end of its object, or, where the state doesn't know the
/// object yet, a day after the latest end that it can have.
pub fn tombstone_until(state: &dyn State, subject: &Subject, moment: &Moment) -> Result<u64, GateRefusal> {
    let end = match subject {
        Subject::Grant(id) => state.terms(id)?.map(|terms| terms.end()),
        Subject::Ticket(id) => match state.anchor(id)? {
            Some(anchor) => Some(match (anchor.binding, anchor.destination) {
                (Some(binding), _) => binding.at.saturating_add(BOUND_TICKET_TERM),
                (None, Destination::Ticket(_, expiry, _)) => expiry.saturating_add(BOUND_TICKET_TERM),
                (None, Destination::Holder(_)) => moment.latest(),
            }),
            None => None,
        },
    };
    let end = if let Some(end) = end {
        end
    } else {
        // An IssueGrant that is still under way may be included within its include-before.
        let longest = state.genesis()?.bounds.read.max(LONGEST_CLAIM).saturating_add(TOMBSTONE_TERM);
        moment.latest().saturating_add(longest)
    };
    Ok(end.saturating_add(TOMBSTONE_TERM))
}
