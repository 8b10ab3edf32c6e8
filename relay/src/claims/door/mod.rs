//! The door of an insurer's server: JSON over HTTP for the insurer's own systems, on a port of its own. Every request but
//! those that say how to make one is signed by a registered key; every POST has an idempotency key.

mod begun;
mod bodies;
mod cursor;
mod entrance;
mod events;
pub mod openapi;
mod reading;
mod requests;
mod webhook;

pub use bodies::ClaimBody;

use super::{
    ClaimsDesk, DeskError, Refusal, clients::Clients, refusal::Refusal as R, sandbox::Sandbox, webhook::Hook,
};
use crate::http::{Problem, bounds, nonces::Nonces, pace::Pace, problem};
use axum::{
    Router,
    middleware::{from_fn, from_fn_with_state},
    routing::{MethodRouter, get, post},
};
use std::{
    collections::BTreeSet,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};
use suishen_core::sm::PublicKey;

/// The nonces of requests, beside the database.
const NONCES: &str = "nonces";
/// Requests that a key may send in a minute.
const A_MINUTE: u32 = 6_000;
/// How often nonces are made durable, and how many times less often old ones are let go.
const SYNC: Duration = Duration::from_secs(5);
const EXPIRE: u32 = 60;

/// What every handler is handed.
pub type Shared = Arc<Door>;

/// The door's parts.
#[derive(Debug)]
pub struct Door {
    /// The server.
    pub desk: Arc<ClaimsDesk>,
    /// Whose requests are taken.
    pub clients: Clients,
    /// Where events go.
    pub hook: Arc<Hook>,
    /// Patients who are played; in the sandbox only.
    pub sandbox: Option<Sandbox>,
    nonces: Nonces,
    pace: Pace<PublicKey>,
    /// Idempotency keys of requests that are being answered.
    answering: Mutex<BTreeSet<[u8; 32]>>,
}

impl Door {
    /// The door of a server whose data is in this folder.
    pub async fn open(
        data: &Path,
        desk: Arc<ClaimsDesk>,
        hook: Arc<Hook>,
        sandbox: Option<Sandbox>,
    ) -> Result<Shared, super::enrolment::StartError> {
        let now = desk.ledger.clock().await.map_err(DeskError::from)?;
        let file = data.join(super::enrolment::FOLDER).join(NONCES);
        let nonces =
            Nonces::open(&file, now).map_err(|error| super::enrolment::StartError::Folder(file, error))?;
        Ok(Arc::new(Self {
            clients: Clients::of(data),
            hook,
            sandbox,
            nonces,
            pace: Pace::new(A_MINUTE),
            answering: Mutex::default(),
            desk,
        }))
    }

    /// Keeps nonces durable until it is dropped.
    pub async fn upkeep(self: Arc<Self>) {
        for round in 1_u32.. {
            tokio::time::sleep(SYNC).await;
            let kept = match self.desk.ledger.clock().await {
                Ok(now) if round % EXPIRE == 0 => self.nonces.expire(now),
                _ => self.nonces.sync(),
            };
            if let Err(error) = kept {
                tracing::error!(%error, "nonces could not be written");
            }
        }
    }
}

impl From<DeskError> for Problem {
    fn from(error: DeskError) -> Self {
        match error {
            DeskError::Refused(refusal) => refusal.into(),
            DeskError::Ledger(error) => {
                tracing::warn!(%error, "the ledger cannot be had");
                R::Ledger.into()
            }
            DeskError::Rows(error) => failed(&error),
            DeskError::Issue(error) => {
                tracing::warn!(%error, "the relay gives no credential");
                R::Ledger.into()
            }
        }
    }
}

/// Our own failure: logged here, told without a word about its cause.
fn failed(error: &dyn std::fmt::Display) -> Problem {
    tracing::error!(%error, "failed");
    Refusal::Failed.into()
}

/// The whole service.
pub fn service(door: &Shared) -> Router {
    let open = Router::new()
        .route("/healthz", get(requests::health))
        .route("/v1/openapi.json", get(openapi::document))
        .route("/v1/info", get(requests::info));
    let mut all = routes();
    if door.sandbox.is_some() {
        all.push(("/v1/sandbox/claims", post(requests::play)));
    }
    // Behind the entrance stand the methods that there are: any other is told so unsigned.
    let admit = from_fn_with_state(door.clone(), entrance::admit);
    all.into_iter()
        .fold(open, |router, (path, methods)| router.route(path, methods.route_layer(admit.clone())))
        .layer(from_fn(bounds::above_body))
        .layer(from_fn(problem::render))
        .layer(from_fn_with_state(door.clone(), entrance::mark))
        .with_state(door.clone())
}

/// Every signed route but the sandbox's; `openapi.json` describes each.
fn routes() -> Vec<(&'static str, MethodRouter<Shared>)> {
    vec![
        ("/v1/claims", get(requests::list).post(requests::take)),
        ("/v1/claims/batch", post(requests::batch)),
        ("/v1/claims/{id}", get(requests::one)),
        ("/v1/claims/{id}/decision", post(requests::decide)),
        ("/v1/claims/{id}/reversal", post(requests::reverse)),
        ("/v1/events", get(events::list)),
        ("/v1/webhook", get(webhook::get).put(webhook::put).delete(webhook::delete)),
    ]
}
