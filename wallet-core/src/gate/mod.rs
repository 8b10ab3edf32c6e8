//! Gates: who holds a share, when it is released, when it is torn up (PROTOCOL §7). **No log, no key**: a share
//! goes only to a redemption that stands in the gate's own committed state; nothing in a request decides.
//!
//! | who | need | call |
//! |---|---|---|
//! | wallet, issuer | split the gate halves of a grant's or ticket's records | [`split`] |
//! | | seal a deposit for one gate | [`Deposit::seal`] |
//! | gate | open a deposit and check it against the ledger | [`open_deposit`], [`accept_deposit`] |
//! | | keep its key where it can be destroyed for good | [`TearFile`] |
//! | | decide on a release, and make it | [`may_release`], [`ReleaseOrder::release`] |
//! | | decide what must go | [`tear_due`], [`accept_revocation`], [`accept_kept`] |
//! | reader | open releases, name a lying gate, get the half | [`open_release`], [`Gathering`] |
//!
//! A share's life at a gate:
//!
//! | | deposit | redemption asks | destroyed | crash |
//! |---|---|---|---|---|
//! | *nothing* | live, its slot synced before the acknowledgement | refused | tombstone, synced before the acknowledgement | nothing |
//! | *live* | the same answer again | released, if the state says so | tombstone: key overwritten, synced | live, or lost |
//! | *torn* | refused until a day after the end | refused | the same acknowledgement | torn |

mod deposit;
mod refusal;
mod release;
mod retention;
mod tear;
#[cfg(test)]
mod tests;

pub use deposit::{
    Deposit, RecordDeposit, RecordHalf, Split, accept_deposit, depositor, open_deposit, share_commitment,
    share_commitments_digest, split,
};
pub use refusal::GateRefusal;
pub use release::{
    Gathering, GatheringError, RELEASE_WITHIN, Release, ReleaseOrder, Released, ReleasedRecord, may_release,
    open_release,
};
pub use retention::{
    BOUND_TICKET_TERM, GateDay, Kept, Moment, Revocation, STRANGER_TERM, TOMBSTONE_TERM, Torn, accept_kept,
    accept_revocation, tear_due, tombstone_until,
};
pub use tear::{Day, SLOT, Slot, SlotState, Slots, TearError, TearFile};

use crate::contract::{Damaged, State, Views as _};
use crate::id::{Commitment, GrantId};
use crate::sm::{Digest, Label};

const DEPOSIT: Label = Label::new("deposit");
const RELEASE: Label = Label::new("release");

/// What shares are held for. Both kinds of id are digests under labels of their own, so one digest names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A grant's records.
    Grant(GrantId),
    /// A bearer ticket's content, by its anchor.
    Ticket(Commitment),
}

impl Subject {
    /// The object that the ledger knows under this digest.
    pub fn find(state: &dyn State, object: &Digest) -> Result<Option<Self>, Damaged> {
        let (grant, anchor) = (GrantId::from_digest(*object), Commitment::from_digest(*object));
        if state.grant(&grant)?.is_some() {
            return Ok(Some(Self::Grant(grant)));
        }
        Ok(state.anchor(&anchor)?.is_some().then_some(Self::Ticket(anchor)))
    }

    /// The digest that names it in deposits, releases and the tear file.
    pub const fn object(&self) -> &Digest {
        match self {
            Self::Grant(id) => id.digest(),
            Self::Ticket(id) => id.digest(),
        }
    }
}
