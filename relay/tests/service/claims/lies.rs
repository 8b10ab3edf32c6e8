//! A relay that lies to an insurer's server: its yes and its no decide nothing, the ledger does.

use super::world::{INSURER, Server, World};
use crate::relay::Relay;
use axum::{
    Json, Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use serde_json::json;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use suishen_core::{
    cbor,
    consent::Answer,
    contract::{ReversalReason, Role, SignedTransaction, Slot},
};
use suishen_relay::{
    claims::{DeskError, Refusal, held::State as Where},
    http::transactions::Standing,
};
use tokio::net::TcpListener;

const HONEST: u8 = 0;
/// Says no to transactions, and brings them all the same.
const NO_AND_DOES: u8 = 1;
/// Says no, and doesn't.
const NO: u8 = 2;
/// Says yes, and doesn't.
const YES: u8 = 3;

/// Between an insurer's server and its relay.
struct Liar {
    relay: String,
    how: AtomicU8,
    http: reqwest::Client,
}

async fn pass(State(liar): State<Arc<Liar>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 1 << 24).await.unwrap();
    let how = liar.how.load(Ordering::SeqCst);
    let transaction = parts.uri.path() == "/v1/transactions";
    let no = || {
        let problem = json!({
            "type": "urn:suishen:problem:94", "title": "x", "status": 409, "code": "94", "detail": "x", "action": "x",
        });
        (StatusCode::CONFLICT, Json(problem)).into_response()
    };
    if transaction && how == NO {
        return no();
    }
    if transaction && how == YES {
        let id = SignedTransaction::from_bytes(&body).unwrap().id();
        let standing = Standing { id, number: 3, now: 1 };
        return (StatusCode::CREATED, cbor::encode(&standing)).into_response();
    }
    let target = parts.uri.path_and_query().unwrap().as_str();
    let mut forward = liar.http.request(parts.method, format!("{}{target}", liar.relay)).body(body);
    for (name, value) in parts.headers.iter().filter(|(name, _)| *name != "host" && *name != "content-length")
    {
        forward = forward.header(name, value);
    }
    let answer = forward.send().await.unwrap();
    if transaction && how == NO_AND_DOES {
        return no();
    }
    let status = answer.status();
    let kind = answer.headers().get("content-type").cloned();
    let mut response = Response::new(Body::from(answer.bytes().await.unwrap()));
    *response.status_mut() = status;
    if let Some(kind) = kind {
        response.headers_mut().insert("content-type", kind);
    }
    response
}

async fn between(world: &World) -> (Arc<Liar>, Server) {
    let liar = Arc::new(Liar {
        relay: world.relay.base.clone(),
        how: AtomicU8::new(HONEST),
        http: reqwest::Client::new(),
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let service = Router::new().fallback(pass).with_state(liar.clone());
    tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
    let invite = world.invite(INSURER, Role::InsurerCommercial, true).await;
    let server = Server::open(tempfile::tempdir().unwrap(), &base, Some(&invite)).await.unwrap();
    (liar, server)
}

fn deciding<T>(result: &Result<T, DeskError>) -> bool {
    matches!(result, Err(DeskError::Refused(Refusal::Deciding)))
}

#[tokio::test]
async fn malicious_relay_that_says_no_and_includes_a_settlement_makes_nobody_forget_it() {
    let world = World::found().await;
    let (liar, server) = between(&world).await;
    let (made, claim) = world.opened(&server, Slot::Commercial).await;
    liar.how.store(NO_AND_DOES, Ordering::SeqCst);
    let held = server.desk.decide(&claim, "9927.86", "").await.unwrap();
    assert_eq!(held.state(), Where::Settled);
    let held = server.desk.reverse(&claim, ReversalReason::Error, "误付").await.unwrap();
    assert_eq!(held.state(), Where::Reversed);
    let told = made.answers(&world.client).await.unwrap();
    assert!(matches!(told.as_slice(), [Answer::Settled(..), Answer::Reversed(..)]), "{told:?}");
}

#[tokio::test]
async fn malicious_relay_that_says_yes_and_includes_nothing_tells_no_patient_of_a_settlement() {
    let world = World::found().await;
    let (liar, server) = between(&world).await;
    let (made, claim) = world.opened(&server, Slot::Commercial).await;
    liar.how.store(YES, Ordering::SeqCst);
    let held = server.desk.decide(&claim, "9927.86", "").await.unwrap();
    assert_eq!(held.state(), Where::Deciding);
    assert!(made.answers(&world.client).await.unwrap().is_empty());
    assert!(deciding(&server.desk.decide(&claim, "1.00", "免赔额内").await));
    liar.how.store(HONEST, Ordering::SeqCst);
    let held = server.until(&claim, Where::Settled).await;
    let Some(Answer::Settled(told, ..)) = held.said.map(|said| said.answer) else { panic!("settled") };
    assert_eq!(told.paid.to_string(), "9927.86 CNY");
}

#[tokio::test]
async fn malicious_relay_that_holds_a_settlement_back_delays_another_decision_until_it_can_stand_no_more() {
    let ahead = Arc::new(AtomicU64::new(0));
    let clock = ahead.clone();
    let clock = Arc::new(move || {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        now + clock.load(Ordering::SeqCst)
    });
    let relay = Relay::serve_by(tempfile::tempdir().unwrap(), |_| {}, clock).await;
    let world = World::on(relay).await;
    let (liar, server) = between(&world).await;
    let (made, claim) = world.opened(&server, Slot::Commercial).await;
    liar.how.store(NO, Ordering::SeqCst);
    let held = server.desk.decide(&claim, "9927.86", "").await.unwrap();
    assert_eq!(held.state(), Where::Deciding);
    assert_eq!(held.saying.unwrap().against.as_deref(), Some("94"));
    assert!(deciding(&server.desk.decide(&claim, "1.00", "免赔额内").await));
    assert!(deciding(&server.desk.decide(&claim, "0", "不在保障期内").await), "not even a refusal");
    assert_eq!(server.desk.decide(&claim, "9927.86", "").await.unwrap().state(), Where::Deciding);

    ahead.store(700, Ordering::SeqCst);
    // A checkpoint of that time.
    suishen_relay::claims::patient::Patient::arrive(&world.client).await.unwrap();
    server.until(&claim, Where::Open).await;
    // What was held back until now is too late for the ledger as well.
    liar.how.store(HONEST, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_millis(100)).await;
    let held = server.desk.decide(&claim, "0", "不在保障期内").await.unwrap();
    assert_eq!(held.state(), Where::Refused);
    let told = made.answers(&world.client).await.unwrap();
    assert!(matches!(told.as_slice(), [Answer::Refused(_)]), "{told:?}");
}
