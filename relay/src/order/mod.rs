//! Who orders transactions: a small trait, so that contract, proofs, gates and HTTP don't know (DESIGN §4).

pub mod solo;

pub use solo::{Clock, Solo, SoloError, system_clock};

use std::future::Future;
use suishen_core::contract::{Rejection, SignedTransaction};

/// A transaction stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The number of its entry: durable, cosigned and published.
    pub number: u64,
    /// The ledger's time in it.
    pub now: u64,
}

/// Why a transaction doesn't stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// The contract refuses it. `Duplicate` names the entry in which it stands already, durably.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// More transactions wait than the ledger can take: try again soon.
    #[error("the ledger is busy: try again in a moment")]
    Busy,
    /// The ledger takes no more: its storage failed, or it is stopping. Whether this one stands is not known.
    #[error("the ledger takes no transactions now")]
    Unavailable,
}

/// Orders transactions.
pub trait Order: Send + Sync {
    /// Brings a transaction; answers once it is durable or refused.
    fn submit(&self, signed: SignedTransaction) -> impl Future<Output = Result<Receipt, SubmitError>> + Send;
}
