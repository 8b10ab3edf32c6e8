//! Desks over HTTP: enrolment by invite, credentials for enrolled persons, suspension by their organisation.

use super::{Fault, Problem, Shared, signed, wire};
pub use crate::desk::EnrolledPerson;

use crate::desk::DeskError;
use axum::{
    extract::{Path, State},
    http::{HeaderMap, Method, StatusCode, Uri, header},
    response::Response,
};
use minicbor::{Decode, Encode};
use suishen_core::{
    id::PartyId,
    identity::{CredentialRequest, Enrolment, EnrolmentError},
    report::TagRequest,
    sm::{PublicKey, Signed},
};

/// Whom to suspend.
#[derive(Clone, Debug, Encode, Decode)]
#[cbor(map)]
pub struct Suspend {
    /// Their organisation, whose certified key signs the request.
    #[n(0)]
    pub party: PartyId,
    /// The person's key to sign.
    #[n(1)]
    pub person: PublicKey,
}

impl From<DeskError> for Problem {
    fn from(error: DeskError) -> Self {
        match error {
            DeskError::NoOrganisation => Fault::NoOrganisation.into(),
            DeskError::Used => Fault::InviteUsed.into(),
            DeskError::NotEnrolled => Fault::NotEnrolled.into(),
            DeskError::Suspended => Fault::PersonSuspended.into(),
            DeskError::Enrolment(error) => enrolment(&error),
            other => wire::internal(&other),
        }
    }
}

fn enrolment(error: &EnrolmentError) -> Problem {
    match error {
        EnrolmentError::Expired => Fault::InviteExpired.into(),
        EnrolmentError::Link | EnrolmentError::Invite(_) => Fault::InviteUnknown.into(),
        EnrolmentError::Request(_) => Fault::Unsigned.into(),
        EnrolmentError::Role | EnrolmentError::Answer => Fault::NotAllowed.into(),
        EnrolmentError::Certificate(error) => {
            Fault::NotAllowed.because("证书无效或已过期", format!("{error}"))
        }
        EnrolmentError::Number => Fault::Malformed.because(
            "一次可申请 1 到 16 份凭证",
            "Ask for 1 to 16 credentials, each with two keys of its own",
        ),
    }
}

/// Certifies an invited person's keys.
pub async fn enrol(
    State(node): State<Shared>,
    wire::Cbor { value: request, .. }: wire::Cbor<Signed<Enrolment>>,
) -> Result<Response, Problem> {
    wire::blocking(move || {
        let enrolled = node.desks.enrol(&request, node.now())?;
        Ok(wire::reply(StatusCode::OK, &enrolled))
    })
    .await
}

/// Signs credentials.
pub async fn credentials(
    State(node): State<Shared>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: wire::Cbor<CredentialRequest>,
) -> Result<Response, Problem> {
    wire::blocking(move || {
        let signer = signed::signer(&node, &method, &uri, &headers, body.digest)?;
        let credentials = node.desks.credentials(&body.value, &signer, node.now())?;
        Ok(wire::reply(StatusCode::OK, &credentials))
    })
    .await
}

/// An invoice's claim tags, for a hospital's desk that is about to issue it.
pub async fn tags(
    State(node): State<Shared>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: wire::Cbor<TagRequest>,
) -> Result<Response, Problem> {
    wire::blocking(move || {
        let signer = signed::signer(&node, &method, &uri, &headers, body.digest)?;
        let tags = node.desks.tags(&body.value, &signer, node.now())?;
        Ok(wire::reply(StatusCode::OK, &tags))
    })
    .await
}

/// Suspends a person.
pub async fn suspend(
    State(node): State<Shared>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: wire::Cbor<Suspend>,
) -> Result<StatusCode, Problem> {
    wire::blocking(move || {
        let signer = signed::signer(&node, &method, &uri, &headers, body.digest)?;
        let Suspend { party, person } = body.value;
        if *node.desks.organisation(&party)?.certificate.key() != signer {
            return Err(Fault::NotAllowed.into());
        }
        node.desks.suspend(&party, &person, node.now())?;
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

/// The organisation's enrolled people, for itself.
pub async fn people(
    State(node): State<Shared>,
    Path(party): Path<String>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let party = PartyId::new(&party).ok_or(Fault::NoOrganisation)?;
    wire::blocking(move || {
        let signer = signed::signer_of_nothing(&node, &method, &uri, &headers)?;
        if *node.desks.organisation(&party)?.certificate.key() != signer {
            return Err(Fault::NotAllowed.into());
        }
        Ok(wire::reply(StatusCode::OK, &node.desks.people(&party)?))
    })
    .await
}

/// Fresh invite links of the demo's roles.
///
/// Only under a name of ours: a page of another site, whose name was made to point here, would otherwise get them as
/// its own.
pub async fn demo(State(node): State<Shared>, headers: HeaderMap) -> Result<Response, Problem> {
    let demo = node.demo.as_ref().ok_or(Fault::NotFound)?;
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    if !host.is_some_and(|host| node.post.origins.is_own_host(host)) {
        return Err(Fault::Origin.into());
    }
    let links = demo.links(&node)?;
    Ok(wire::bytes(StatusCode::OK, "application/json", links.to_string().into_bytes()))
}
