//! The gate over HTTP. What it decides, it decides from committed state; nothing in a request is believed.

use super::{Fault, Problem, Shared, refusals, signed, transactions, wire};
use crate::{events::Topic, gate::GateError};
use axum::{
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri},
    response::Response,
};
use minicbor::{Decode, Encode};
use suishen_core::{
    contract::{Accepted, Views as _},
    gate::{Kept, Revocation},
    id::{GrantId, PartyId},
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
            GateError::NotOwner => Fault::NotAllowed.because(
                "分片所列的密文不是由签名的密钥上传到本站的",
                "The deposit names a blob which the key that signed it has not uploaded here",
            ),
            GateError::Strangers => Fault::Unavailable.because(
                "账本还不知道这项授权，而本站此刻记不下更多这样的撤回；登记上账本后即可撤回",
                "The ledger does not know this grant, and this gate can note no more such revocations now; once it \
                 stands on the ledger it can be revoked",
            ),
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

/// Releases shares, sealed to the redemption's key. Once a grant is accepted, only its reader may ask: what is
/// refused then is the reader's own doing, and the patient sees it.
pub async fn release(
    State(node): State<Shared>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    wire::Cbor { value: ask, digest }: wire::Cbor<Ask>,
) -> Result<Response, Problem> {
    wire::blocking(move || {
        let reader = reader_of(&node, &ask)?;
        if let Some(reader) = &reader {
            let key = signed::signer(&node, &method, &uri, &headers, digest)?;
            if key != reader.grantee {
                return Err(Fault::NotAllowed.into());
            }
        }
        match node.gate.release(&ask.object, ask.use_number) {
            Ok(released) => {
                node.figures.released.inc();
                Ok(wire::reply(StatusCode::OK, &released))
            }
            Err(error) => {
                if let (GateError::Refused(refusal), Some(reader)) = (&error, reader) {
                    note(&node, &ask, refusal.number(), reader.party);
                }
                Err(error.into())
            }
        }
    })
    .await
}

/// Who accepted the grant that is asked for; nobody for a ticket, which waits for whoever holds its code.
fn reader_of(node: &Shared, ask: &Ask) -> Result<Option<Accepted>, Problem> {
    let grant = GrantId::from_digest(ask.object);
    let terms = node.replica.published().snapshot().view(|state| state.terms(&grant))?;
    Ok(terms.and_then(|terms| terms.accepted))
}

/// The patient sees what the reader was refused.
fn note(node: &Shared, ask: &Ask, code: u16, party: PartyId) {
    let noted = transactions::note_refused(node, &GrantId::from_digest(ask.object), code, Some(party));
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
