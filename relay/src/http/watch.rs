//! Counts and times every request, and logs it by its route: paths hold addresses and ids, which a log must
//! not collect.

use super::Shared;
use axum::{
    extract::{MatchedPath, Request, State},
    http::Method,
    middleware::Next,
    response::Response,
};
use std::time::Instant;

/// Methods that are counted by name.
const KNOWN: [Method; 6] =
    [Method::GET, Method::HEAD, Method::PUT, Method::POST, Method::DELETE, Method::OPTIONS];

/// Observes one request.
pub async fn observe(State(node): State<Shared>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let method = request.method().clone();
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let response = next.run(request).await;
    let route = matched.as_ref().map_or("page", MatchedPath::as_str);
    let (status, took) = (response.status().as_u16(), began.elapsed());
    // Names that a client invents must not become figures: each would be kept for good.
    let method = if KNOWN.contains(&method) { method.as_str() } else { "other" };
    node.figures.answered(route, method, status, took);
    let millis = took.as_secs_f64() * 1000.0;
    if status >= 500 {
        tracing::error!(route, method, status, millis, "request failed");
    } else {
        tracing::debug!(route, method, status, millis, "request");
    }
    response
}
