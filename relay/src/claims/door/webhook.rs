//! The address that is told of events, set by the insurer's own systems.

use super::{Shared, reading::Body, requests::answer};
use crate::{
    claims::{DeskError, Refusal, webhook::Target},
    http::Problem,
};
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use serde::Deserialize;
use serde_json::json;

/// `PUT /v1/webhook`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookBody {
    /// Where to.
    pub url: String,
}

fn shown(target: &Target) -> Response {
    let body = json!({
        "url": target.url,
        "since": target.since,
        "delivered": target.delivered,
        "failures": target.failures,
    });
    answer(StatusCode::OK, &body)
}

/// Sets it. Events from now on go there.
pub async fn put(State(door): State<Shared>, Body(body): Body<WebhookBody>) -> Result<Response, Problem> {
    Ok(shown(&door.hook.set(&body.url).await?))
}

/// What is set, and how far it has come.
pub async fn get(State(door): State<Shared>) -> Result<Response, Problem> {
    Ok(shown(&door.hook.target().map_err(DeskError::from)?.ok_or(Refusal::NoWebhook)?))
}

/// Tells nobody any more.
pub async fn delete(State(door): State<Shared>) -> Result<Response, Problem> {
    if door.hook.clear().await.map_err(DeskError::from)? {
        Ok(StatusCode::NO_CONTENT.into_response())
    } else {
        Err(Refusal::NoWebhook.into())
    }
}
