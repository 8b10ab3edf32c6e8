//! A mailbox that stands alone, and the relay that names it.

use crate::{
    process::{Process, suishen},
    relay::Relay,
};
use reqwest::{Method, header};
use suishen_core::cbor;
use suishen_relay::http::p2p::MailboxInfo;

const PATIENT: &str = "http://patient.localhost";

async fn told(base: &str) -> MailboxInfo {
    let answer = reqwest::get(format!("{base}/v1/mailbox")).await.unwrap();
    assert_eq!(answer.status(), 200);
    cbor::decode(&answer.bytes().await.unwrap()).unwrap()
}

#[tokio::test]
async fn a_mailbox_asks_a_relay_once_whose_wallets_it_serves_and_goes_on_without_it() {
    let relay = Relay::start().await;
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("mailbox");
    let mailbox = Process::start_mailbox(&data, &["--relay", &relay.base]).await;
    let first = told(&mailbox.base).await;
    assert_eq!(first.ledger, relay.client().await.ledger());
    assert!(first.others.is_empty());
    mailbox.kill();

    let (gone, ledger) = (relay.base.clone(), first.ledger);
    relay.stop().await;
    for flags in [&[][..], &["--relay", &gone]] {
        let again = Process::start_mailbox(&data, flags).await;
        let now = told(&again.base).await;
        assert_eq!(now.ledger, ledger);
        assert_ne!(now.peer, first.peer, "a peer id is of one start");
        again.kill();
    }

    let other = Relay::start().await;
    let (code, said) = suishen(&data, &["mailbox", "--port", "0", "--relay", &other.base]).await;
    assert_eq!(code, 2);
    assert!(said.contains(&format!("whose wallets are served here, {ledger}")), "{said}");
    let (code, said) = suishen(&dir.path().join("new"), &["mailbox", "--port", "0"]).await;
    assert_eq!(code, 2);
    assert!(said.contains("Name their relay with --relay at the first start"), "{said}");
}

#[tokio::test]
async fn a_mailbox_serves_the_pages_of_its_relay_and_nothing_but_mailboxes() {
    let relay = Relay::start().await;
    let dir = tempfile::tempdir().unwrap();
    let mailbox = Process::start_mailbox(&dir.path().join("mailbox"), &["--relay", &relay.base]).await;
    let port = relay.base.rsplit_once(':').unwrap().1;
    let ask = async |method: Method, path: &str, origin: &str| {
        let request = reqwest::Client::new().request(method, format!("{}{path}", mailbox.base));
        request.header(header::ORIGIN, origin).send().await.unwrap()
    };
    let own = format!("{PATIENT}:{port}");
    let answer = ask(Method::GET, "/v1/mailbox", &own).await;
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["access-control-allow-origin"]),
        (200, own.as_str().try_into().as_ref().unwrap())
    );
    assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
    assert!(answer.headers()["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'"));
    for path in ["/v1/mailbox", "/p2p"] {
        assert_eq!(ask(Method::GET, path, "https://elsewhere.example").await.status(), 403, "{path}");
    }
    for path in ["/", "/v1/info", "/v1/ledger/genesis", "/v1/gate/shares"] {
        let answer = ask(Method::GET, path, &own).await;
        assert_eq!(answer.status(), 404, "{path}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json", "{path}");
    }
    assert_eq!(ask(Method::POST, "/v1/mailbox", &own).await.status(), 405);
}

#[tokio::test]
async fn a_relay_names_further_mailboxes_and_lets_its_pages_reach_them() {
    let further = "https://mailbox.example.org";
    let relay = Relay::start_with(|serve| serve.mailboxes = vec![further.to_owned()]).await;
    let info = told(&relay.base).await;
    assert_eq!(info.others, [further]);
    assert_eq!(info.peer, relay.client().await.info().await.unwrap().peer);
    let policy =
        |answer: reqwest::Response| answer.headers()["content-security-policy"].to_str().unwrap().to_owned();
    let worker = policy(relay.raw(Method::GET, "/peer.js").send().await.unwrap());
    assert!(worker.contains(&format!("{further} wss://mailbox.example.org")), "{worker}");
    let page = policy(relay.raw(Method::GET, "/").send().await.unwrap());
    assert!(!page.contains(further), "{page}");
    let dir = tempfile::tempdir().unwrap();
    let (code, said) =
        suishen(dir.path(), &["serve", "--demo", "--port", "0", "--mailbox", "mailbox.example.org"]).await;
    assert_eq!(code, 2);
    assert!(said.contains("is not an origin"), "{said}");
}
