//! Pages and API over HTTP (DESIGN §6, §7). Every answer carries the security headers, every error is a
//! problem+json; `/v1` answers only our own pages and keeps to the limits.

pub mod assets;
pub mod headers;
pub mod origin;
pub mod pace;
pub mod problem;
mod watch;

pub use problem::{Fault, Problem, Text};

use crate::node::Node;
use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware::{from_fn, from_fn_with_state},
    routing::get,
};
use std::sync::Arc;

/// What every handler is handed.
pub type Shared = Arc<Node>;

/// The whole service.
pub fn service(node: Shared) -> Router {
    let body = node.limits.body_kib * 1024;
    api(&node)
        .route("/healthz", get(|| async { "ok" }))
        .fallback(assets::serve)
        .layer(DefaultBodyLimit::max(body))
        .layer(from_fn(problem::render))
        .layer(from_fn_with_state(node.clone(), headers::add))
        .layer(from_fn_with_state(node.clone(), watch::observe))
        .with_state(node)
}

fn api(node: &Shared) -> Router<Shared> {
    Router::new()
        .layer(from_fn_with_state(node.clone(), pace::by_address))
        .layer(from_fn_with_state(node.clone(), origin::check))
}
