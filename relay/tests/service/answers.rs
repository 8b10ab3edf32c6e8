//! What every answer carries, whoever asks.

use crate::relay::Relay;
use reqwest::{Method, StatusCode};

#[tokio::test]
async fn every_answer_carries_the_policy_and_every_error_is_a_problem() {
    let relay = Relay::start().await;
    let page = relay.raw(Method::GET, "/records/12").send().await.unwrap();
    assert_eq!(page.status(), StatusCode::OK);
    let policy = page.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'self' 'wasm-unsafe-eval'"));
    assert!(policy.contains("connect-src 'self';"));
    assert_eq!(page.headers()["cross-origin-opener-policy"], "same-origin");
    assert_eq!(page.headers()["cache-control"], "no-cache");

    let engine = relay.raw(Method::GET, "/engine.js").header("accept-encoding", "gzip, br");
    let engine = engine.send().await.unwrap();
    assert_eq!(engine.headers()["content-encoding"], "br");
    assert!(engine.headers()["content-security-policy"].to_str().unwrap().contains("ws://localhost:"));

    let file = relay.raw(Method::GET, "/pkg/app-1.js").send().await.unwrap();
    assert!(file.headers()["cache-control"].to_str().unwrap().contains("immutable"));

    for (method, path, kind, body, status, code) in [
        (Method::GET, "/v1/nothing", "", "", 404, "not-found"),
        (Method::GET, "/missing.js", "", "", 404, "not-found"),
        (Method::DELETE, "/v1/info", "", "", 405, "method"),
        (Method::POST, "/v1/transactions", "text/plain", "x", 415, "media-type"),
        (Method::POST, "/v1/gate/release", "application/cbor", "x", 400, "malformed"),
        (Method::POST, "/v1/transactions", "application/cbor", "x", 400, "1"),
        (Method::POST, "/v1/ledger/time", "", "short", 400, "malformed"),
        (Method::GET, "/v1/ledger/entries?from=x", "", "", 400, "malformed"),
        (Method::GET, "/v1/ledger/state/012", "", "", 400, "malformed"),
        (Method::GET, "/v1/ledger/value/zz", "", "", 400, "malformed"),
        (Method::GET, "/v1/ledger/tile/9/zzz", "", "", 404, "not-there"),
        (Method::GET, "/v1/blobs/00", "", "", 404, "no-blob"),
        (Method::GET, "/v1/events", "", "", 400, "malformed"),
    ] {
        for (language, start) in [("zh-CN", false), ("en", true)] {
            let call = relay.raw(method.clone(), path).header("accept-language", language);
            let answer = call.header("content-type", kind).body(body).send().await.unwrap();
            assert_eq!(answer.status(), status, "{method} {path}");
            assert_eq!(answer.headers()["content-type"], "application/problem+json", "{path}");
            assert!(answer.headers().contains_key("content-security-policy"));
            let problem: serde_json::Value = answer.json().await.unwrap();
            assert_eq!(problem["code"], code, "{path}");
            for field in ["type", "title", "detail", "action"] {
                assert!(!problem[field].as_str().unwrap().is_empty(), "{path}: {field}");
            }
            assert_eq!(problem["title"].as_str().unwrap().is_ascii(), start, "{path}: {problem}");
        }
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_at_every_endpoint() {
    let relay = Relay::start().await;
    let large = vec![0_u8; 2 << 20];
    let id = "00".repeat(32);
    for path in [
        "/v1/transactions",
        "/v1/ledger/time",
        "/v1/gate/shares",
        "/v1/gate/release",
        "/v1/gate/revoke",
        "/v1/gate/kept",
        "/v1/desk/enrol",
        "/v1/desk/credentials",
        "/v1/desk/suspend",
        &format!("/v1/drop/{id}"),
        &format!("/v1/inbox/{id}"),
    ] {
        let call = relay.raw(Method::POST, path).header("content-type", "application/cbor");
        let answer = call.body(large.clone()).send().await.unwrap();
        let status = answer.status();
        let problem: serde_json::Value = answer.json().await.unwrap();
        assert_eq!((status.as_u16(), problem["code"].as_str()), (413, Some("too-large")), "{path}");
    }
}

#[tokio::test]
async fn pages_of_other_sites_get_nothing_and_our_own_may_ask() {
    let relay = Relay::start().await;
    let foreign = relay.raw(Method::GET, "/v1/info").header("origin", "https://evil.example");
    assert_eq!(foreign.send().await.unwrap().status(), StatusCode::FORBIDDEN);
    let port = relay.base.rsplit(':').next().unwrap();
    let own = format!("http://doctor.localhost:{port}");
    let answer = relay.raw(Method::GET, "/v1/info").header("origin", &own).send().await.unwrap();
    assert_eq!(answer.headers()["access-control-allow-origin"], own.as_str());
    let preflight = relay.raw(Method::OPTIONS, "/v1/transactions");
    let preflight = preflight.header("origin", &own).header("access-control-request-method", "POST");
    assert_eq!(preflight.send().await.unwrap().status(), StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_page_s_file_is_compared_before_it_is_read_and_never_held_whole() {
    let relay = Relay::start().await;
    let size = 1_u64 << 38;
    let file = std::fs::File::create(relay.dir.path().join("web/large.bin")).unwrap();
    file.set_len(size).unwrap();

    let head = relay.raw(Method::HEAD, "/large.bin").send().await.unwrap();
    assert_eq!(head.headers()["content-length"], size.to_string().as_str());
    let tag = head.headers()["etag"].clone();
    let mut whole = relay.raw(Method::GET, "/large.bin").send().await.unwrap();
    assert_eq!((whole.status(), &whole.headers()["etag"]), (StatusCode::OK, &tag));
    assert!(!whole.chunk().await.unwrap().unwrap().is_empty());
    drop(whole);
    let known = relay.raw(Method::GET, "/large.bin").header("if-none-match", &tag).send().await.unwrap();
    assert_eq!((known.status(), &known.headers()["etag"]), (StatusCode::NOT_MODIFIED, &tag));
    file.set_len(5).unwrap();
    let changed = relay.raw(Method::GET, "/large.bin").header("if-none-match", &tag).send().await.unwrap();
    assert_eq!(changed.status(), StatusCode::OK);
    assert_eq!(changed.bytes().await.unwrap().len(), 5);
    assert_eq!(relay.raw(Method::GET, "/pkg/..js").send().await.unwrap().status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn names_under_localhost_are_a_demo_s_only_and_its_links_go_to_no_other_name() {
    let relay = Relay::start().await;
    for (host, status) in [("evil.example", 403), ("hospital.localhost", 200)] {
        let answer = relay.raw(Method::GET, "/v1/demo").header("host", host).send().await.unwrap();
        assert_eq!(answer.status(), status, "{host}");
    }
    let relay = Relay::serve(relay.stop().await, |serve| serve.demo = false).await;
    let port = relay.base.rsplit(':').next().unwrap();
    for host in ["doctor.localhost", "127.0.0.1"] {
        let page = format!("http://{host}:{port}");
        let answer = relay.raw(Method::GET, "/v1/info").header("origin", &page).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{page}");
    }
    let demo = relay.raw(Method::GET, "/v1/demo").send().await.unwrap();
    assert_eq!(demo.status(), StatusCode::NOT_FOUND);
}
