//! The gate over HTTP. What it decides, it decides from committed state; nothing in a request is believed.

use super::{Problem, Shared, refusals, transactions, wire};
use crate::{events::Topic, gate::GateError};
use axum::{extract::State, http::StatusCode, response::Response};
use minicbor::{Decode, Encode};
use suishen_core::{
    contract::{Status, Views as _},
    gate::{Kept, Revocation},
    id::GrantId,
    sm::{Digest, PublicKey, Signed},
};

/// A sealed deposit on its way.
#[derive(Clone, Debug, Encode, Decode)]
#[cbor(map)]
pub struct Shares {
    /// Grant id, or the ticket's commitment.
    #[n(0)]
    pub object: Digest,
    /// The gate's key of the day that it is sealed to.
    #[n(1)]
    pub day: PublicKey,
    /// `Deposit::seal`.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub sealed: Vec<u8>,
}

/// Asks for shares.
#[derive(Clone, Copy, Debug, Encode, Decode)]
#[cbor(map)]
pub struct Ask {
    /// Grant id, or the ticket's commitment.
    #[n(0)]
    pub object: Digest,
    /// Which use; 0 for a ticket.
    #[n(1)]
    pub use_number: u32,
}

impl From<GateError> for Problem {
    fn from(error: GateError) -> Self {
        match error {
            GateError::Refused(refusal) => refusals::gate(refusal),
            other => wire::internal(&other),
        }
    }
}

/// Takes a deposit.
pub async fn shares(
    State(node): State<Shared>,
    wire::Cbor { value: shares, .. }: wire::Cbor<Shares>,
) -> Result<StatusCode, Problem> {
    wire::blocking(move || {
        node.gate.deposit(&shares.object, &shares.day, &shares.sealed)?;
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

/// Releases shares, sealed to the redemption's key.
pub async fn release(
    State(node): State<Shared>,
    wire::Cbor { value: ask, .. }: wire::Cbor<Ask>,
) -> Result<Response, Problem> {
    wire::blocking(move || match node.gate.release(&ask.object, ask.use_number) {
        Ok(released) => {
            node.figures.released.inc();
            Ok(wire::reply(StatusCode::OK, &released))
        }
        Err(error) => {
            if let GateError::Refused(refusal) = &error {
                note(&node, &ask, refusal.number());
            }
            Err(error.into())
        }
    })
    .await
}

/// The patient sees who asked in vain, once there is somebody who may ask at all.
fn note(node: &Shared, ask: &Ask, code: u16) {
    let grant = GrantId::from_digest(ask.object);
    let published = node.replica.published();
    let accepted = published.snapshot().view(|state| {
        let leaf = state.grant(&grant)?.filter(|leaf| leaf.status != Status::Offered);
        Ok(leaf.and(state.terms(&grant)?).and_then(|terms| terms.accepted))
    });
    let noted = match accepted {
        // Anybody can ask without a signature, so no organisation is named.
        Ok(Some(_)) => transactions::note_refused(node, &grant, code, None),
        Ok(None) => Ok(()),
        Err(error) => Err(error.into()),
    };
    if let Err(error) = noted {
        tracing::warn!(%error, "a refused attempt could not be noted");
    }
}

/// Destroys a grant's shares at its own key's word.
pub async fn revoke(
    State(node): State<Shared>,
    wire::Cbor { value: revocation, .. }: wire::Cbor<Revocation>,
) -> Result<Response, Problem> {
    wire::blocking(move || {
        let (grant, torn) = node.gate.revoke(&revocation)?;
        node.figures.torn.inc();
        node.events.tell(Topic::Grant(grant));
        Ok(wire::reply(StatusCode::OK, &torn))
    })
    .await
}

/// A wallet has everything of a ticket.
pub async fn kept(
    State(node): State<Shared>,
    wire::Cbor { value: signed, .. }: wire::Cbor<Signed<Kept>>,
) -> Result<StatusCode, Problem> {
    wire::blocking(move || {
        node.gate.kept(&signed)?;
        node.figures.torn.inc();
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}
