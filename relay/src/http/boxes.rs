//! Drop boxes and inboxes over HTTP: who may write and read them (PROTOCOL §4, §6).

use super::{Fault, Problem, Shared, signed, wire};
use crate::{boxes::BoxError, events::Topic, store::StoreError};
use axum::{
    extract::{Path, Query, State},
    http::{HeaderMap, Method, StatusCode, Uri},
    response::Response,
};
use minicbor::{Decode, Encode, bytes::ByteVec};
use serde::Deserialize;
use suishen_core::{
    contract::{Credential, Views as _},
    id::{BlobAddress, GrantId, InboxId},
    sm::{Digest, PublicKey, Signed},
};

/// Most blobs in one delivery.
const MOST_BLOBS: usize = 4096;

/// The index that a message got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Written {
    /// From 0.
    #[n(0)]
    pub index: u64,
}

/// A delivery to an inbox.
#[derive(Clone, Debug, Encode, Decode)]
#[cbor(map)]
pub struct Delivery {
    /// Whose organisation answers for it; its grantee key signs the request.
    #[n(0)]
    pub credential: Signed<Credential>,
    /// Sealed to the encryption key that came with the inbox.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub sealed: Vec<u8>,
    /// Blobs that the inbox's key may fetch.
    #[n(2)]
    pub blobs: Vec<BlobAddress>,
}

/// `?from=N`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Since {
    #[serde(default)]
    from: u64,
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        wire::internal(&error)
    }
}

impl From<BoxError> for Problem {
    fn from(error: BoxError) -> Self {
        match error {
            BoxError::Full => Fault::BoxFull.into(),
            BoxError::NoRoom => Fault::NoRoom.into(),
            BoxError::Store(error) => error.into(),
        }
    }
}

/// The grant of a path; the key must be its own or, unless `own`, that of the accepted grantee. Gives the end
/// of the box.
fn open_drop(node: &Shared, grant: &GrantId, key: &PublicKey, own: bool) -> Result<u64, Problem> {
    let published = node.replica.published();
    let terms = published.snapshot().view(|state| state.terms(grant))?.ok_or(Fault::NotThere)?;
    let patient = GrantId::of(&node.replica.ledger(), key) == *grant;
    let grantee = !own && terms.accepted.as_ref().is_some_and(|accepted| accepted.grantee == *key);
    if !patient && !grantee {
        return Err(Fault::NotAllowed.into());
    }
    let until = terms.end().saturating_add(crate::boxes::DROP_TERM);
    if until <= node.now() { Err(Fault::BoxClosed.into()) } else { Ok(until) }
}

fn grant_id(text: &str) -> Result<GrantId, Problem> {
    GrantId::from_hex(text).ok_or_else(|| Fault::NotThere.into())
}

fn inbox_id(text: &str) -> Result<InboxId, Problem> {
    InboxId::from_hex(text).ok_or_else(|| Fault::NotThere.into())
}

/// Writes into a drop box.
pub async fn write_drop(
    State(node): State<Shared>,
    Path(grant): Path<String>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    wire::CborBytes(body): wire::CborBytes,
) -> Result<Response, Problem> {
    let grant = grant_id(&grant)?;
    wire::blocking(move || {
        let key = signed::signer(&node, &method, &uri, &headers, Digest::of(&body))?;
        let until = open_drop(&node, &grant, &key, false)?;
        let index = node.boxes.drop_in(&grant, &body, until)?;
        node.events.tell(Topic::Grant(grant));
        Ok(wire::reply(StatusCode::CREATED, &Written { index }))
    })
    .await
}

/// Reads a drop box.
pub async fn read_drop(
    State(node): State<Shared>,
    Path(grant): Path<String>,
    Query(Since { from }): Query<Since>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let grant = grant_id(&grant)?;
    wire::blocking(move || {
        let key = signed::signer_of_nothing(&node, &method, &uri, &headers)?;
        open_drop(&node, &grant, &key, false)?;
        let messages: Vec<ByteVec> = node.boxes.dropped(&grant, from)?.into_iter().map(Into::into).collect();
        Ok(wire::reply(StatusCode::OK, &messages))
    })
    .await
}

/// The refused attempts on a grant, for the patient.
pub async fn read_refused(
    State(node): State<Shared>,
    Path(grant): Path<String>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let grant = grant_id(&grant)?;
    wire::blocking(move || {
        let key = signed::signer_of_nothing(&node, &method, &uri, &headers)?;
        open_drop(&node, &grant, &key, true)?;
        let refused = node.boxes.refused(&grant)?;
        let told: Vec<_> = refused.into_iter().map(|r| (r.at, r.code, r.party)).collect();
        Ok(wire::reply(StatusCode::OK, &told))
    })
    .await
}

/// Delivers to an inbox.
pub async fn deliver(
    State(node): State<Shared>,
    Path(inbox): Path<String>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: wire::Cbor<Delivery>,
) -> Result<Response, Problem> {
    let inbox = inbox_id(&inbox)?;
    wire::blocking(move || {
        let key = signed::signer(&node, &method, &uri, &headers, body.digest)?;
        let delivery = body.value;
        check_credential(&node, &delivery.credential, &key)?;
        if delivery.blobs.len() > MOST_BLOBS {
            return Err(Fault::TooLarge.into());
        }
        // Naming a blob lets the inbox fetch it: only whoever uploaded it may give that.
        if !node.blobs.owns_all(&delivery.blobs, &key)? {
            return Err(Fault::NotAllowed.into());
        }
        let index = node.boxes.deliver(&inbox, &delivery.sealed, &delivery.blobs, node.now())?;
        node.events.tell(Topic::Inbox(inbox));
        Ok(wire::reply(StatusCode::CREATED, &Written { index }))
    })
    .await
}

/// A credential of a registered, unsuspended organisation, not expired, whose grantee key is `key`.
fn check_credential(node: &Shared, signed: &Signed<Credential>, key: &PublicKey) -> Result<(), Problem> {
    let claimed = signed.claimed().map_err(|_| Fault::Malformed)?;
    let published = node.replica.published();
    let party = published.snapshot().view(|state| state.party(&claimed.party))?.ok_or(Fault::NotAllowed)?;
    let credential =
        signed.verify(&party.acceptance, &node.replica.ledger()).map_err(|_| Fault::NotAllowed)?;
    let now = node.now();
    if credential.grantee != *key || credential.expiry <= now || party.is_suspended(now) {
        return Err(Fault::NotAllowed.into());
    }
    Ok(())
}

fn own_inbox(
    node: &Shared,
    inbox: &InboxId,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
) -> Result<(), Problem> {
    let key = signed::signer_of_nothing(node, method, uri, headers)?;
    if InboxId::of(&key) == *inbox { Ok(()) } else { Err(Fault::NotAllowed.into()) }
}

/// Reads an inbox.
pub async fn read_inbox(
    State(node): State<Shared>,
    Path(inbox): Path<String>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let inbox = inbox_id(&inbox)?;
    wire::blocking(move || {
        own_inbox(&node, &inbox, &method, &uri, &headers)?;
        Ok(wire::reply(StatusCode::OK, &node.boxes.delivered(&inbox)?))
    })
    .await
}

/// Takes a message out of an inbox.
pub async fn empty_inbox(
    State(node): State<Shared>,
    Path((inbox, index)): Path<(String, u64)>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let inbox = inbox_id(&inbox)?;
    wire::blocking(move || {
        own_inbox(&node, &inbox, &method, &uri, &headers)?;
        if node.boxes.take(&inbox, index)? { Ok(StatusCode::NO_CONTENT) } else { Err(Fault::NotThere.into()) }
    })
    .await
}
