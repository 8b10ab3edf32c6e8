//! Who comes in: the signature of a registered key (RFC 9421 and RFC 9530, as `suishen_core::identity::request` has them),
//! within its window, never twice; and for a POST its idempotency key.
//!
//! **The same key with the same request gets the same answer**, over a restart too; with another request it is refused.
//! A refusal did nothing and isn't remembered: the same request may succeed later. What is done goes on where its caller
//! hangs up; where the server itself ended meanwhile, a repeat is told how things stand ([`super::begun`]).

use super::{Door, Shared, begun, failed};
use crate::{
    claims::{Refusal, rows::Answered},
    http::{Fault, Problem, signed},
};
use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use serde_json::value::RawValue;
use std::{
    collections::BTreeMap,
    sync::PoisonError,
    time::{Duration, Instant},
};
use suishen_core::{
    identity::request::RequestError,
    sm::{Digest, Label, PublicKey},
};

/// Largest body: a batch of a hundred links.
const MOST_BODY: usize = 256 * 1024;
/// Largest answer that is remembered.
const MOST_ANSWER: usize = 4 * 1024 * 1024;
/// How long a body may take.
const PATIENCE: Duration = Duration::from_secs(30);

const NAME: Label = Label::new("idempotency-key");
const REQUEST: Label = Label::new("idempotent-request");

/// Lets in what is signed by a registered key.
pub async fn admit(State(door): State<Shared>, request: Request, next: Next) -> Response {
    match pass(&door, request, next).await {
        Ok(response) => response,
        Err(problem) => problem.into_response(),
    }
}

async fn pass(door: &Shared, request: Request, next: Next) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let read = tokio::time::timeout(PATIENCE, to_bytes(body, MOST_BODY)).await;
    let body = read.map_err(|_| Fault::Slow)?.map_err(|_| Fault::TooLarge)?;
    let now = door.desk.ledger.clock().await.map_err(crate::claims::DeskError::from)?;
    let once = (parts.method == Method::POST).then(|| idempotency_key(&parts.headers)).transpose()?;
    let key = signer(door, (&parts.method, &parts.uri, &parts.headers), &body, once, now)?;
    let Some(once) = once else {
        return Ok(next.run(Request::from_parts(parts, Body::from(body))).await);
    };
    // Each key's own.
    let name = *Digest::labelled(NAME, &[key.as_bytes(), once.as_bytes()]).as_bytes();
    let target = parts.uri.path_and_query().map_or("", |target| target.as_str());
    let asked = Digest::labelled(REQUEST, &[target.as_bytes(), &[0], &body]);
    let Some(turn) = Turn::take(door.clone(), name) else { return Err(Refusal::InProgress.into()) };
    // On a task of its own, which ends with no connection.
    let doing = tokio::spawn(do_once(turn, (asked, now), (parts, body), next));
    doing.await.unwrap_or_else(|error| Err(failed(&error)))
}

/// Does what is asked, unless it was done or begun before.
async fn do_once(
    turn: Turn,
    (asked, now): (Digest, u64),
    (parts, body): (Parts, Bytes),
    next: Next,
) -> Result<Response, Problem> {
    let Turn { door, name } = &turn;
    let rows = &door.desk.rows;
    // Looked up within the turn: whoever had it before has written its answer.
    let before = rows.answer(name, now).map_err(|error| failed(&error))?;
    let begun = Answered { request: asked, at: now, status: None, body: Vec::new() };
    match before {
        Some(answered) if answered.request != asked => return Err(Refusal::IdempotencyKey.into()),
        Some(Answered { status: Some(status), body, .. }) => return Ok(again(status, body)),
        Some(_) => {
            if let Some(told) = begun::told(door, parts.uri.path(), &parts.headers, &body).await {
                return told;
            }
        }
        None => rows.put_answer(name, &begun).await.map_err(|error| failed(&error))?,
    }
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    if !response.status().is_success() {
        rows.remove_answer(name, now).await.map_err(|error| failed(&error))?;
        return Ok(response);
    }
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, MOST_ANSWER).await.map_err(|error| failed(&error))?;
    let answer = Answered { status: Some(parts.status.as_u16()), body: body.to_vec(), ..begun };
    rows.put_answer(name, &answer).await.map_err(|error| failed(&error))?;
    Ok(Response::from_parts(parts, Body::from(body)))
}

/// The registered key that signed this request.
fn signer(
    door: &Door,
    request: (&Method, &axum::http::Uri, &HeaderMap),
    body: &Bytes,
    once: Option<&str>,
    now: u64,
) -> Result<PublicKey, Problem> {
    let claim = signed::read(request, Digest::of(body), once, &door.desk.ledger.id()).map_err(refusal)?;
    let key = door.clients.find(&claim.key_name()).map_err(|error| failed(&error))?;
    let key = key.ok_or(Refusal::UnknownKey)?;
    let nonce = claim.verify(&key, now).map_err(refusal)?;
    if !door.nonces.is_new(&key, nonce, now).map_err(|error| failed(&error))? {
        return Err(Refusal::Stale.into());
    }
    door.pace.take(key, Instant::now()).map_err(|_| Refusal::TooMany)?;
    Ok(key)
}

fn refusal(error: RequestError) -> Problem {
    match error {
        RequestError::Time => Refusal::Stale.into(),
        RequestError::Content => Refusal::Digest.into(),
        RequestError::Ledger => Problem::from(Refusal::Unsigned)
            .with_detail("请求是为另一个账本签名的", "The request was signed for another ledger"),
        RequestError::Once => Problem::from(Refusal::Unsigned).with_detail(
            "签名没有涵盖 Idempotency-Key：请把 \"idempotency-key\" 列为最后一个组成部分",
            "The signature does not cover Idempotency-Key: list \"idempotency-key\" as its last component",
        ),
        RequestError::Form | RequestError::Signature => Refusal::Unsigned.into(),
    }
}

/// The name of what is to be done once. The signature covers it: nobody on the way sends a request again under another.
fn idempotency_key(headers: &HeaderMap) -> Result<&str, Problem> {
    let mut values = headers.get_all("idempotency-key").iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(Refusal::NoIdempotencyKey.into());
    };
    let plain = |text: &&str| (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
    value.to_str().ok().filter(plain).ok_or_else(|| Refusal::NoIdempotencyKey.into())
}

/// While it lives, nobody else does the same.
struct Turn {
    door: Shared,
    name: [u8; 32],
}

impl Turn {
    fn take(door: Shared, name: [u8; 32]) -> Option<Self> {
        let new = door.answering.lock().unwrap_or_else(PoisonError::into_inner).insert(name);
        // Made only where it is new: one that is dropped takes the name out again.
        new.then(|| Self { door, name })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.door.answering.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.name);
    }
}

fn again(status: u16, body: Vec<u8>) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert("idempotency-replayed", HeaderValue::from_static("true"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// In the sandbox every JSON object says so.
pub async fn mark(State(door): State<Shared>, request: Request, next: Next) -> Response {
    let document = request.uri().path() == "/v1/openapi.json";
    let response = next.run(request).await;
    if door.sandbox.is_none() || document {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(body) = to_bytes(body, MOST_ANSWER).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let marked = match serde_json::from_slice::<BTreeMap<String, &RawValue>>(&body) {
        Ok(mut object) => {
            object.insert("sandbox".to_owned(), RawValue::TRUE);
            serde_json::to_vec(&object).map_or_else(|_| body.clone(), Bytes::from)
        }
        Err(_) => body.clone(),
    };
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(marked))
}
