//! Batches and entries (PROTOCOL §5, "Sponsors"): how signed transactions reach the ledger and stand in it.

use super::genesis::Genesis;
use super::{Rejection, SignedTransaction};
use crate::cbor::{self, CborError};
use crate::id::{LedgerId, PartyId};
use crate::sm::{Object, SecretKey, Signed};
use minicbor::{Decode, Encode};

/// Most transactions in a batch.
pub const MAX_BATCH: usize = 256;

/// Transactions that one member answers for, signed by its sponsor key. Patients are pseudonymous and can't be
/// rate-limited; members can.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Batch {
    /// 1 to 256.
    #[n(0)]
    transactions: Vec<SignedTransaction>,
}

impl Object for Batch {
    const NAME: &'static str = "batch";
}

impl Batch {
    /// Puts 1 to 256 transactions together.
    pub fn new(transactions: Vec<SignedTransaction>) -> Result<Self, Rejection> {
        if (1..=MAX_BATCH).contains(&transactions.len()) {
            Ok(Self { transactions })
        } else {
            Err(Rejection::BatchSize)
        }
    }

    /// The canonical bytes under the sponsor's signature.
    pub fn seal(&self, sponsor: &SecretKey, ledger: &LedgerId) -> Vec<u8> {
        Signed::new(self, sponsor, ledger).to_bytes()
    }

    /// Who sponsors a batch, and its transactions. Decides from the bytes alone: neither the quota nor any
    /// transaction's own signature is looked at.
    pub fn open(
        bytes: &[u8],
        genesis: &Genesis,
        ledger: &LedgerId,
    ) -> Result<(PartyId, Vec<SignedTransaction>), Rejection> {
        let signed = Signed::<Self>::from_bytes(bytes).map_err(|_| Rejection::Form)?;
        let sponsor = genesis.members.iter().find(|member| member.sponsor.key_id() == signed.kid());
        let sponsor = sponsor.ok_or(Rejection::Unsponsored)?;
        // The form first: a signature that fails is then the sponsor's fault or a forger's.
        signed.claimed().map_err(|_| Rejection::Form)?;
        let batch = signed.verify(&sponsor.sponsor, ledger).map_err(|_| Rejection::Unsponsored)?;
        let transactions = Self::new(batch.transactions)?.transactions;
        Ok((sponsor.party.clone(), transactions))
    }
}

/// An accepted transaction as it stands on the ledger: entries 1, 2, …
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Entry {
    /// The ledger's time.
    #[n(0)]
    pub now: u64,
    /// Who brought it.
    #[n(1)]
    pub sponsor: PartyId,
    /// What.
    #[n(2)]
    pub signed: SignedTransaction,
}

impl Entry {
    /// The canonical bytes: the leaf of the entry tree.
    pub fn to_bytes(&self) -> Vec<u8> {
        cbor::encode(self)
    }

    /// Reads canonical bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CborError> {
        cbor::decode(bytes)
    }
}
