//! Claims over HTTP: take, list, read, decide, take back; one by one or a hundred at a time.

use super::{
    Door, Shared,
    bodies::{BatchBody, ClaimBody, DecisionBody, ItemBody, ReversalBody, TakeBody},
    cursor,
    reading::Body,
};
use crate::{
    claims::{DeskError, Refusal, enrolment::ends_within, held::State as Where, sandbox::PlayError},
    http::{Fault, Problem, problem::Language},
};
use axum::{
    Json,
    body::Bytes,
    extract::{Path, Query, State, rejection::QueryRejection},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use futures_util::{StreamExt as _, stream};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json, value::RawValue};
use suishen_core::{
    contract::Slot,
    id::GrantId,
    qr::{Scanned, scan},
    sm::edge,
};
use tokio::task::JoinHandle;

/// Items of a batch.
const MOST_ITEMS: usize = 100;
/// Of those, how many are worked on at a time; their looks at the ledger are shared.
const AT_ONCE: usize = 32;
/// Claims in an answer.
const MOST_LISTED: usize = 200;
const LISTED: usize = 50;

/// Whether it serves; and what its operator should do before it can't any more.
pub async fn health(State(door): State<Shared>) -> String {
    let now = door.desk.ledger.clock().await.ok();
    match now.and_then(|now| ends_within(&door.desk.who(), now)) {
        None => "ok".to_owned(),
        Some(left) => format!(
            "ok; the certificate ends in {} days: renew it with `suishen claims enrol LINK`",
            left / 86_400
        ),
    }
}

/// An answer that isn't to be kept on its way.
pub fn answer(status: StatusCode, body: &impl Serialize) -> Response {
    // Written as it is: a value that a hospital wrote keeps its figures.
    let mut response = (status, Json(body)).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Who this server is, and what a request to it is signed with.
pub async fn info(State(door): State<Shared>) -> Result<Response, Problem> {
    let now = door.desk.ledger.clock().await.map_err(DeskError::from)?;
    let who = door.desk.who();
    let leaf = who.chain().leaf();
    let subject = leaf.subject();
    let slot = match door.desk.slot() {
        Slot::Statutory => "statutory",
        Slot::Commercial => "commercial",
    };
    let body = json!({
        "ledger": door.desk.ledger.id().to_hex(),
        "now": now,
        "insurer": { "name": subject.organisation, "code": subject.party.as_str() },
        "server": subject.name,
        "slot": slot,
        "key": edge::public_key_to_pem(leaf.key()),
        "certified_until": leaf.validity().not_after,
        "renew": ends_within(&who, now).is_some(),
    });
    Ok(answer(StatusCode::OK, &body))
}

pub(super) fn id(text: &str) -> Result<GrantId, Problem> {
    GrantId::from_hex(text).ok_or_else(|| Refusal::NoClaim.into())
}

pub(super) async fn take_one(door: &Door, link: &str) -> Result<(StatusCode, ClaimBody), Problem> {
    let Ok(Scanned::Consent { offer, .. }) = scan(link) else { return Err(Refusal::NotAConsent.into()) };
    let held = door.desk.take(&offer).await?;
    Ok((StatusCode::ACCEPTED, ClaimBody::brief(&held)))
}

async fn decide_one(
    door: &Door,
    which: &str,
    body: &DecisionBody,
) -> Result<(StatusCode, ClaimBody), Problem> {
    let held = door.desk.decide(&id(which)?, &body.paid, &body.reason).await?;
    Ok((status_of(held.state()), ClaimBody::brief(&held)))
}

async fn reverse_one(
    door: &Door,
    which: &str,
    body: &ReversalBody,
) -> Result<(StatusCode, ClaimBody), Problem> {
    let held = door.desk.reverse(&id(which)?, body.why.into(), &body.words).await?;
    Ok((status_of(held.state()), ClaimBody::brief(&held)))
}

pub(super) fn status_of(state: Where) -> StatusCode {
    if state == Where::Deciding { StatusCode::ACCEPTED } else { StatusCode::OK }
}

/// Takes a claim.
pub async fn take(State(door): State<Shared>, Body(body): Body<TakeBody>) -> Result<Response, Problem> {
    let (status, claim) = take_one(&door, &body.link).await?;
    Ok(answer(status, &claim))
}

/// Decides a claim.
pub async fn decide(
    State(door): State<Shared>,
    Path(which): Path<String>,
    Body(body): Body<DecisionBody>,
) -> Result<Response, Problem> {
    let (status, claim) = decide_one(&door, &which, &body).await?;
    Ok(answer(status, &claim))
}

/// Takes a settlement back.
pub async fn reverse(
    State(door): State<Shared>,
    Path(which): Path<String>,
    Body(body): Body<ReversalBody>,
) -> Result<Response, Problem> {
    let (status, claim) = reverse_one(&door, &which, &body).await?;
    Ok(answer(status, &claim))
}

/// A result each, in order; one that is refused takes nothing from the others.
pub async fn batch(
    State(door): State<Shared>,
    headers: HeaderMap,
    Body(body): Body<BatchBody>,
) -> Result<Response, Problem> {
    if body.items.is_empty() || body.items.len() > MOST_ITEMS {
        return Err(Refusal::Batch.into());
    }
    let language = Language::of(&headers);
    // Each on a task of its own: what is verified, signed and sealed takes all cores.
    let work = body.items.into_iter().enumerate().map(|(at, item)| {
        let door = door.clone();
        async move {
            let work = async move { result(&door, (at, &item), language).await };
            Task(tokio::spawn(work)).done(language).await
        }
    });
    let results: Vec<_> = stream::iter(work).buffered(AT_ONCE).collect().await;
    Ok(answer(StatusCode::OK, &json!({ "results": results })))
}

/// What becomes of one item of a batch.
async fn result(door: &Door, (at, item): (usize, &RawValue), language: Language) -> Value {
    let done = match ItemBody::read(item, at) {
        Ok(ItemBody::Take(body)) => take_one(door, &body.link).await,
        Ok(ItemBody::Decide(id, body)) => decide_one(door, &id, &body).await,
        Ok(ItemBody::Reverse(id, body)) => reverse_one(door, &id, &body).await,
        Err(problem) => Err(problem),
    };
    match done {
        Ok((status, claim)) => json!({ "status": status.as_u16(), "claim": claim }),
        Err(problem) => refused(&problem, language),
    }
}

pub(super) fn refused(problem: &Problem, language: Language) -> Value {
    let problem = problem.body(language);
    json!({ "status": problem.status, "problem": problem })
}

/// A task that ends with whoever waits for it.
struct Task(JoinHandle<Value>);

impl Task {
    async fn done(mut self, language: Language) -> Value {
        let done = (&mut self.0).await;
        done.unwrap_or_else(|error| refused(&super::failed(&error), language))
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// `?cursor=&limit=&state=`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listing {
    cursor: Option<String>,
    limit: Option<usize>,
    state: Option<String>,
}

/// Claims in the order in which they came.
pub async fn list(
    State(door): State<Shared>,
    listing: Result<Query<Listing>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(listing) = listing.map_err(|_| {
        let zh = "地址中 ? 之后只有 cursor、limit（1 到 200）和 state";
        Fault::Malformed.because(zh, "After the ? there are only cursor, limit (1 to 200) and state")
    })?;
    let malformed = |zh: &str, en: &str| Fault::Malformed.because(zh, en);
    let state = match listing.state.as_deref() {
        None => None,
        Some(name) => Some(
            Where::of(name)
                .ok_or_else(|| malformed("state：没有这种状态", "state: there is no such state"))?,
        ),
    };
    let limit = listing.limit.unwrap_or(LISTED);
    if !(1..=MOST_LISTED).contains(&limit) {
        return Err(malformed("limit：须为 1 到 200", "limit: 1 to 200"));
    }
    let after = cursor::take(&door, "claims", listing.cursor.as_deref())?;
    let wanted = |held: &crate::claims::held::Held| state.is_none_or(|state| held.state() == state);
    let (found, next) = door.desk.rows.claims(after, limit, wanted).map_err(DeskError::from)?;
    let claims: Vec<_> = found.iter().map(ClaimBody::brief).collect();
    let next = next.map(|number| cursor::give(&door, "claims", number));
    Ok(answer(StatusCode::OK, &json!({ "claims": claims, "next": next })))
}

/// One claim, with its invoice once it is open.
pub async fn one(State(door): State<Shared>, Path(which): Path<String>) -> Result<Response, Problem> {
    let held = door.desk.claim(&id(&which)?)?;
    Ok(answer(StatusCode::OK, &ClaimBody::whole(&door.desk, &held)?))
}

/// A claim of a patient who is played.
pub async fn play(State(door): State<Shared>, body: Bytes) -> Result<Response, Problem> {
    let Some(sandbox) = &door.sandbox else { return Err(Fault::NotFound.into()) };
    if !body.is_empty() && body.as_ref() != b"{}" {
        return Err(Fault::Malformed.into());
    }
    let link = sandbox.play().await.map_err(|error| match error {
        PlayError::Refused(refusal) => refusal.into(),
        PlayError::Patient(error) => super::failed(&error),
    })?;
    Ok(answer(StatusCode::CREATED, &json!({ "link": link })))
}
