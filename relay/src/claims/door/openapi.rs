//! `/v1/openapi.json`: the insurers' interface, described for machines and with examples.

use super::Shared;
use crate::http::wire;
use axum::{extract::State, http::StatusCode, response::Response};

const DOCUMENT: &str = include_str!("openapi.json");

/// The document.
pub async fn document(State(_): State<Shared>) -> Response {
    wire::bytes(StatusCode::OK, "application/json", DOCUMENT.as_bytes().to_vec())
}
