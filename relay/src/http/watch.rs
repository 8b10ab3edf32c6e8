//! Counts and times every request, and logs it by its route: paths hold addresses and ids, which a log must
//! not collect.

use super::Shared;
use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::Response,
};
use std::time::Instant;

/// Observes one request.
pub async fn observe(State(node): State<Shared>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let method = request.method().clone();
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let response = next.run(request).await;
    let route = matched.as_ref().map_or("page", MatchedPath::as_str);
    let (status, took) = (response.status().as_u16(), began.elapsed());
    node.figures.answered(route, method.as_str(), status, took);
    let millis = took.as_secs_f64() * 1000.0;
    if status >= 500 {
        tracing::error!(route, %method, status, millis, "request failed");
    } else {
        tracing::debug!(route, %method, status, millis, "request");
    }
    response
}
