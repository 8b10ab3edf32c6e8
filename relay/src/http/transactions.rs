//! Transactions in: one signed transaction a request, answered when it stands durably or is refused.

use super::{Fault, Problem, Shared, refusals, wire};
use crate::{
    boxes::Refused,
    events::Topic,
    order::{Order as _, SubmitError},
    replica::ReplicaError,
};
use axum::{extract::State, http::StatusCode, response::Response};
use minicbor::{Decode, Encode};
use suishen_core::{
    contract::{Entry, Rejection, SignedTransaction, Transaction, Views as _},
    id::{GrantId, PartyId, TransactionId},
};

/// Where a transaction stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Standing {
    /// Which.
    #[n(0)]
    pub id: TransactionId,
    /// Its entry.
    #[n(1)]
    pub number: u64,
    /// The ledger's time in it.
    #[n(2)]
    pub now: u64,
}

/// Brings a transaction to the ledger.
pub async fn submit(
    State(node): State<Shared>,
    wire::CborBytes(body): wire::CborBytes,
) -> Result<Response, Problem> {
    let signed = SignedTransaction::from_bytes(&body).map_err(refusals::rejected)?;
    let id = signed.id();
    match node.order.submit(signed.clone()).await {
        Ok(receipt) => {
            let standing = Standing { id, number: receipt.number, now: receipt.now };
            Ok(wire::reply(StatusCode::CREATED, &standing))
        }
        Err(SubmitError::Rejected(Rejection::Duplicate { entry })) => {
            let number = entry;
            let now = wire::blocking(move || Ok(time_of(&node, number)?)).await?;
            Ok(wire::reply(StatusCode::OK, &Standing { id, number, now }))
        }
        Err(SubmitError::Rejected(rejection)) => {
            node.figures.refused.inc();
            wire::blocking(move || {
                report(&node, &signed, rejection.number());
                Ok(())
            })
            .await?;
            Err(refusals::rejected(rejection))
        }
        Err(SubmitError::Busy | SubmitError::Unavailable) => Err(Fault::Unavailable.into()),
    }
}

fn time_of(node: &Shared, number: u64) -> Result<u64, ReplicaError> {
    let missing = || ReplicaError::Damaged(format!("entry {number} is missing"));
    let bytes = node.replica.published().snapshot().entry(number)?.ok_or_else(missing)?;
    Ok(Entry::from_bytes(&bytes).map_err(|_| missing())?.now)
}

/// The grant that an attempt was on, as far as somebody else than the patient tries.
fn grant_of(transaction: &Transaction) -> Option<GrantId> {
    match transaction {
        Transaction::AcceptGrant(body) => Some(body.grant),
        Transaction::RedeemGrant(body) => Some(body.grant),
        Transaction::SettleClaim(body) => Some(body.grant),
        _ => None,
    }
}

/// Notes a refused attempt for the patient. What fails here must not change the answer.
fn report(node: &Shared, signed: &SignedTransaction, code: u16) {
    let Ok(transaction) = signed.claimed() else { return };
    let Some(grant) = grant_of(&transaction) else { return };
    if let Err(error) = note_refused(node, &grant, code, party_of(node, signed, &transaction)) {
        tracing::warn!(%error, "a refused attempt could not be noted");
    }
}

/// The organisation whose acceptance key signed the credential, where the credential's own key signed the attempt.
/// A claimed one is nobody's, and a credential alone stands on the ledger for everybody to copy.
fn party_of(node: &Shared, signed: &SignedTransaction, transaction: &Transaction) -> Option<PartyId> {
    let ledger = node.replica.ledger();
    let credential = transaction.credential()?;
    let claimed = credential.claimed().ok()?;
    let published = node.replica.published();
    let party = published.snapshot().view(|state| state.party(&claimed.party)).ok()??;
    let credential = credential.verify(&party.acceptance, &ledger).ok()?;
    signed.signatures().first()?.verify(&credential.grantee, &ledger).ok()?;
    Some(credential.party)
}

/// Notes that somebody was refused on a grant that the ledger knows.
pub fn note_refused(node: &Shared, grant: &GrantId, code: u16, party: Option<PartyId>) -> anyhow::Result<()> {
    let Some(until) = node.drop_until(grant)? else { return Ok(()) };
    if node.boxes.note_refused(grant, Refused { at: node.now(), code, party }, until)? {
        node.events.tell(Topic::Grant(*grant));
    }
    Ok(())
}
