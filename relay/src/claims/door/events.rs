//! What happened, for systems that poll. An event names a claim and its state, nothing of a patient.

use super::{Shared, cursor, requests::answer};
use crate::{
    claims::{DeskError, Refusal, rows::Event},
    http::{Fault, Problem},
};
use axum::{
    extract::{Query, State, rejection::QueryRejection},
    http::StatusCode,
    response::Response,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Events in an answer.
const MOST_LISTED: usize = 500;
const LISTED: usize = 100;

/// An event as it is told.
#[derive(Clone, Debug, Serialize)]
pub struct EventBody {
    /// Ascending; told again it is the same.
    pub number: u64,
    /// Ledger time.
    pub at: u64,
    /// Which claim.
    pub claim: String,
    /// Its state from then on.
    pub state: String,
}

impl From<Event> for EventBody {
    fn from(event: Event) -> Self {
        Self { number: event.number, at: event.at, claim: event.claim.to_hex(), state: event.state }
    }
}

/// `?cursor=&limit=`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listing {
    cursor: Option<String>,
    limit: Option<usize>,
}

/// Events after the cursor. The cursor to go on from comes also with an empty answer.
pub async fn list(
    State(door): State<Shared>,
    listing: Result<Query<Listing>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(listing) = listing.map_err(|_| {
        let zh = "地址中 ? 之后只有 cursor 和 limit（1 到 500）";
        Fault::Malformed.because(zh, "After the ? there are only cursor and limit (1 to 500)")
    })?;
    let limit = listing.limit.unwrap_or(LISTED);
    if !(1..=MOST_LISTED).contains(&limit) {
        return Err(Fault::Malformed.because("limit：须为 1 到 500", "limit: 1 to 500"));
    }
    let after = cursor::take(&door, "events", listing.cursor.as_deref())?;
    let first = door.desk.rows.event_span().map_err(DeskError::from)?.map_or(1, |(first, _)| first);
    if listing.cursor.is_some() && after.saturating_add(1) < first {
        return Err(Refusal::CursorGone.into());
    }
    let events = door.desk.rows.events(after, limit).map_err(DeskError::from)?;
    let next = cursor::give(&door, "events", events.last().map_or(after, |event| event.number));
    let events: Vec<EventBody> = events.into_iter().map(EventBody::from).collect();
    Ok(answer(StatusCode::OK, &json!({ "events": events, "next": next })))
}
