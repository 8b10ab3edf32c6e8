//! Pages and API over HTTP (DESIGN §6, §7). Every answer carries the security headers, every error is a
//! problem+json; `/v1` answers only our own pages and keeps to the limits.

pub mod assets;
pub mod blobs;
pub mod bounds;
pub mod boxes;
pub mod connections;
pub mod desk;
pub mod events;
pub mod gate;
pub mod headers;
pub mod ledger;
pub mod nonces;
pub mod openapi;
pub mod origin;
pub mod p2p;
pub mod pace;
pub mod problem;
pub mod refusals;
pub mod signed;
pub mod transactions;
mod watch;
pub mod wire;

pub use problem::{Fault, Problem, Text};

use crate::{node::Node, post::Post};
use axum::{
    Router,
    extract::{DefaultBodyLimit, FromRef},
    middleware::{from_fn, from_fn_with_state},
    routing::{MethodRouter, delete, get, post},
};
use std::sync::Arc;

/// What every handler is handed.
pub type Shared = Arc<Node>;

impl FromRef<Shared> for Post {
    fn from_ref(node: &Shared) -> Self {
        node.post.clone()
    }
}

/// A mailbox that stands alone.
pub fn mailbox(post: Post) -> Router {
    Router::new()
        .route("/v1/mailbox", get(p2p::mailbox))
        .route("/p2p", get(p2p::open))
        .layer(from_fn_with_state(post.clone(), origin::check))
        .route("/healthz", get(|| async { "ok" }))
        .fallback(|| async { Fault::NotFound })
        .layer(from_fn(problem::render))
        .layer(from_fn_with_state(post.clone(), headers::add))
        .with_state(post)
}

/// The whole service.
pub fn service(node: Shared) -> Router {
    let body = node.limits.body_kib * 1024;
    api(&node)
        .route("/healthz", get(|| async { "ok" }))
        .fallback(assets::serve)
        .layer(DefaultBodyLimit::max(body))
        .layer(from_fn_with_state(node.clone(), bounds::body))
        .layer(from_fn(bounds::above_body))
        .layer(from_fn(problem::render))
        .layer(from_fn_with_state(node.post.clone(), headers::add))
        .layer(from_fn_with_state(node.clone(), watch::observe))
        .with_state(node)
}

fn api(node: &Shared) -> Router<Shared> {
    let all = routes().into_iter().fold(Router::new(), |router, (path, methods)| router.route(path, methods));
    let all = all.route("/p2p", get(p2p::open));
    all.layer(from_fn_with_state(node.clone(), pace::by_address))
        .layer(from_fn_with_state(node.post.clone(), origin::check))
}

/// Every route of the API; `openapi.json` describes each.
fn routes() -> Vec<(&'static str, MethodRouter<Shared>)> {
    vec![
        ("/v1/openapi.json", get(openapi::document)),
        ("/v1/info", get(ledger::info)),
        ("/v1/mailbox", get(p2p::mailbox)),
        ("/v1/ledger/genesis", get(ledger::genesis)),
        ("/v1/ledger/checkpoint", get(ledger::checkpoint)),
        ("/v1/ledger/entries", get(ledger::entries)),
        ("/v1/ledger/tile/{*path}", get(ledger::tile)),
        ("/v1/ledger/proof/inclusion", get(ledger::inclusion)),
        ("/v1/ledger/proof/consistency", get(ledger::consistency)),
        ("/v1/ledger/state/{prefix}", get(ledger::state)),
        ("/v1/ledger/value/{key}", get(ledger::value)),
        ("/v1/ledger/values", post(ledger::values)),
        ("/v1/ledger/time", post(ledger::time)),
        ("/v1/transactions", post(transactions::submit)),
        ("/v1/events", get(events::open)),
        ("/v1/blobs/{address}", get(blobs::get).put(blobs::put).delete(blobs::delete)),
        ("/v1/gate/shares", post(gate::shares)),
        ("/v1/gate/release", post(gate::release)),
        ("/v1/gate/revoke", post(gate::revoke)),
        ("/v1/gate/kept", post(gate::kept)),
        ("/v1/drop/{grant}", get(boxes::read_drop).post(boxes::write_drop)),
        ("/v1/drop/{grant}/refused", get(boxes::read_refused)),
        ("/v1/inbox/{inbox}", get(boxes::read_inbox).post(boxes::deliver)),
        ("/v1/inbox/{inbox}/{index}", delete(boxes::empty_inbox)),
        ("/v1/desk/enrol", post(desk::enrol)),
        ("/v1/desk/credentials", post(desk::credentials)),
        ("/v1/desk/tags", post(desk::tags)),
        ("/v1/desk/suspend", post(desk::suspend)),
        ("/v1/desk/people/{party}", get(desk::people)),
        ("/v1/demo", get(desk::demo)),
    ]
}
