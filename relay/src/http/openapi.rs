//! `/v1/openapi.json`: the API described for machines. Bodies in CBOR are named by their type in
//! `formats.cddl`, which OpenAPI can't spell.

use super::wire;
use axum::{http::StatusCode, response::Response};

const DOCUMENT: &str = include_str!("openapi.json");

/// The document.
pub async fn document() -> Response {
    wire::bytes(StatusCode::OK, "application/json", DOCUMENT.as_bytes().to_vec())
}
