//! What a repeat is told of a request that was begun and has no answer, as a crash leaves it. What it did goes on by itself,
//! and may have been undone since: nothing is decided anew, and how its claims stand is told instead.

use super::{
    Door,
    bodies::ClaimBody,
    requests::{answer, id, refused, status_of, take_one},
};
use crate::http::{Fault, Problem, problem::Language};
use axum::{
    http::{HeaderMap, StatusCode},
    response::Response,
};
use serde::Deserialize;
use serde_json::{Value, json};

/// As far as it says which claims it is about.
#[derive(Deserialize)]
struct Batch {
    items: Vec<Value>,
}

/// How the claims stand that this request decides; none where it decides nothing and may be done again.
pub async fn told(
    door: &Door,
    path: &str,
    headers: &HeaderMap,
    body: &[u8],
) -> Option<Result<Response, Problem>> {
    let rest = path.strip_prefix("/v1/claims/")?;
    if rest == "batch" {
        return Some(batch(door, Language::of(headers), body).await);
    }
    let which = rest.strip_suffix("/decision").or_else(|| rest.strip_suffix("/reversal"))?;
    Some(stands(door, which).map(|(status, claim)| answer(status, &claim)))
}

fn stands(door: &Door, which: &str) -> Result<(StatusCode, ClaimBody), Problem> {
    let held = door.desk.claim(&id(which)?)?;
    Ok((status_of(held.state()), ClaimBody::brief(&held)))
}

/// A result each. To take a claim again is to take it once.
async fn batch(door: &Door, language: Language, body: &[u8]) -> Result<Response, Problem> {
    let Batch { items } = serde_json::from_slice(body).map_err(|_| Fault::Malformed)?;
    let mut results = Vec::with_capacity(items.len());
    for item in items {
        let text = |name: &str| item.get(name).and_then(Value::as_str);
        let done = match (text("link"), text("id")) {
            (Some(link), None) => take_one(door, link).await,
            (None, Some(which)) => stands(door, which),
            _ => Err(Fault::Malformed.into()),
        };
        results.push(match done {
            Ok((status, claim)) => json!({ "status": status.as_u16(), "claim": claim }),
            Err(problem) => refused(&problem, language),
        });
    }
    Ok(answer(StatusCode::OK, &json!({ "results": results })))
}
