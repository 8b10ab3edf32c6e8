//! Webhooks: signed, in order, again until they are taken; never to an address inside.

use super::{
    caller::{Desk, problem},
    world::{INSURER, World, offer},
};
use crate::{process::suishen, relay::name};
use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri},
    routing::post,
};
use serde_json::{Value, json};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use suishen_core::{
    contract::Slot,
    id::LedgerId,
    sm::{Digest, PublicKey, edge},
};
use suishen_relay::{claims::held::State as Where, http::signed};
use tokio::net::TcpListener;

/// The insurer's end, which fails now and then.
struct Core {
    ledger: LedgerId,
    server: PublicKey,
    now: u64,
    came: Mutex<Vec<(Value, u16)>>,
}

async fn heard(
    State(core): State<Arc<Core>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let claim = signed::read((&method, &uri, &headers), Digest::of(&body), None, &core.ledger).unwrap();
    claim.verify(&core.server, core.now).unwrap();
    let mut came = core.came.lock().unwrap();
    // The second one isn't taken the first time.
    let status = if came.len() == 1 { 503 } else { 200 };
    came.push((serde_json::from_slice(&body).unwrap(), status));
    StatusCode::from_u16(status).unwrap()
}

#[tokio::test]
async fn events_are_delivered_signed_in_order_and_again_until_they_are_taken() {
    let world = World::found().await;
    let desk = Desk::open(&world, world.insurer().await).await;
    let info: Value =
        reqwest::get(format!("{}/v1/info", desk.caller.base)).await.unwrap().json().await.unwrap();
    let core = Arc::new(Core {
        ledger: world.client.ledger(),
        server: edge::public_key_from_pem(info["key"].as_str().unwrap()).unwrap(),
        now: desk.caller.now,
        came: Mutex::default(),
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/in?from=suishen", listener.local_addr().unwrap());
    let end = Router::new().route("/in", post(heard)).with_state(core.clone());
    let serving = tokio::spawn(async move { axum::serve(listener, end).await.unwrap() });

    assert_eq!(problem(desk.caller.get("/v1/webhook").await), name("no-webhook", 404));
    let (status, set) = desk.caller.call(Method::PUT, "/v1/webhook", &json!({ "url": url })).await;
    assert_eq!((status, &set["delivered"]), (200, &json!(0)), "{set}");
    world.opened(&desk.server, Slot::Commercial).await;
    for _ in 0..200 {
        if core.came.lock().unwrap().len() >= 4 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let came = core.came.lock().unwrap().clone();
    let told: Vec<_> =
        came.iter().map(|(event, status)| (event["number"].as_u64().unwrap(), *status)).collect();
    assert_eq!(told, [(1, 200), (2, 503), (2, 200), (3, 200)]);
    assert_eq!(came[3].0["state"], "open");
    assert!(!came[3].0.to_string().contains("林秀兰"));
    let (status, _) = desk.caller.call(Method::DELETE, "/v1/webhook", &Value::Null).await;
    assert_eq!(status, 204);
    assert_eq!(problem(desk.caller.get("/v1/webhook").await), name("no-webhook", 404));
    serving.abort();
}

#[tokio::test]
async fn a_webhook_inside_is_refused() {
    let world = World::found().await;
    let desk = Desk::open(&world, world.insurer().await).await;
    for (url, code) in [
        ("https://10.0.0.7/in", "webhook-private"),
        ("https://192.168.1.1/", "webhook-private"),
        ("https://169.254.169.254/latest/meta-data", "webhook-private"),
        ("https://[fd00::1]/", "webhook-private"),
        ("https://[::ffff:10.0.0.1]/", "webhook-private"),
        ("https://100.64.0.1/", "webhook-private"),
        ("https://no-such-host.invalid/", "webhook-private"),
        ("http://1.1.1.1/", "webhook-url"),
        ("ftp://1.1.1.1/", "webhook-url"),
        ("https://user:word@example.org/", "webhook-url"),
        ("https://example.org/#x", "webhook-url"),
    ] {
        let refused = desk.caller.call(Method::PUT, "/v1/webhook", &json!({ "url": url })).await;
        assert_eq!(problem(refused), name(code, 422), "{url}");
    }
}

#[tokio::test]
async fn a_suspended_insurer_takes_and_decides_nothing() {
    let world = World::found().await;
    let desk = Desk::open(&world, world.insurer().await).await;
    let (_made, claim) = world.opened(&desk.server, Slot::Commercial).await;
    let waiting = world.claim(Slot::Commercial).await;
    let data = world.relay.dir.path();
    let flags = ["suspend", "--relay", &world.relay.base, "--party", INSURER, "--why", "licence withdrawn"];
    let (code, printed) = suishen(data, &flags).await;
    assert_eq!(code, 0, "{printed}");
    let link = json!({ "link": waiting.link });
    assert_eq!(problem(desk.caller.post("/v1/claims", &link).await), name("suspended", 403));
    let decision = format!("/v1/claims/{claim}/decision");
    let refused = desk.caller.post(&decision, &json!({ "paid": "9927.86" })).await;
    assert_eq!(problem(refused), name("suspended", 403));
    assert_eq!(desk.server.desk.claim(&claim).unwrap().state(), Where::Open);
    assert!(desk.server.desk.take(&offer(&waiting.link)).await.is_err());
}
