//! What is sent where, and what is never called.

use super::*;
use crate::{
    claims::{door::openapi::described, work::growing},
    http::signed,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use suishen_core::{
    id::{GrantId, LedgerId},
    sm::edge,
};

#[test]
fn what_is_not_taken_is_sent_again_ever_later_and_never_more_than_an_hour_and_a_quarter_later() {
    let waits: Vec<_> =
        (1..=100).map(|failures| growing(failures, (FIRST, LONGEST), 0).as_secs_f64()).collect();
    assert_eq!(waits[..4], [1.5, 2.25, 3.375, 5.0625]);
    assert!(waits.is_sorted());
    assert_eq!(waits.iter().position(|wait| *wait >= LONGEST.as_secs_f64()), Some(20));
    let most = growing(100, (FIRST, LONGEST), u8::MAX);
    assert!(most > LONGEST && most <= LONGEST + LONGEST / 4, "{most:?}");
    let told = described()["webhooks"]["event"]["post"]["description"].as_str().unwrap().to_owned();
    for word in [format!("after {} seconds", waits[0]), "half as long again".into(), "up to an hour".into()] {
        assert!(told.contains(&word), "{word}");
    }
    assert_eq!(PATIENCE.as_secs(), 15);
    assert!(told.contains("within fifteen seconds"));
}

#[test]
fn the_example_of_the_document_is_what_is_sent_and_its_signature_holds() {
    let document = described();
    let post = &document["webhooks"]["event"]["post"];
    let shown = &post["requestBody"]["content"]["application/json"]["example"];
    let event = Event {
        number: shown["number"].as_u64().unwrap(),
        at: shown["at"].as_u64().unwrap(),
        claim: GrantId::from_hex(shown["claim"].as_str().unwrap()).unwrap(),
        state: shown["state"].as_str().unwrap().to_owned(),
    };
    let body = body_of(&event, false);
    assert_eq!(*shown, serde_json::from_slice::<serde_json::Value>(&body).unwrap());
    let properties = document["components"]["schemas"]["Event"]["properties"].as_object().unwrap();
    let sandbox: serde_json::Value = serde_json::from_slice(&body_of(&event, true)).unwrap();
    assert!(properties.keys().eq(sandbox.as_object().unwrap().keys()));

    let headers = post["parameters"].as_array().unwrap().iter().map(|header| {
        assert_eq!((&header["in"], &header["required"]), (&"header".into(), &true.into()));
        let name = header["name"].as_str().unwrap().to_lowercase();
        let value = HeaderValue::from_str(header["example"].as_str().unwrap()).unwrap();
        (HeaderName::from_bytes(name.as_bytes()).unwrap(), value)
    });
    let headers: HeaderMap = headers.collect();
    assert_eq!(headers.len(), 3);
    let answers = &document["paths"]["/v1/info"]["get"]["responses"]["200"];
    let info = &answers["content"]["application/json"]["example"];
    let ledger = LedgerId::from_hex(info["ledger"].as_str().unwrap()).unwrap();
    let key = edge::public_key_from_pem(info["key"].as_str().unwrap()).unwrap();
    let uri: Uri = "/suishen".parse().unwrap();
    let claim = signed::read((&Method::POST, &uri, &headers), Digest::of(&body), None, &ledger).unwrap();
    assert!(claim.verify(&key, event.at).is_ok());
}

#[test]
fn only_addresses_of_the_public_network_are_called() {
    for inside in [
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "127.0.0.1",
        "127.9.9.9",
        "169.254.169.254",
        "172.16.0.1",
        "192.0.0.8",
        "192.0.2.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.51.100.7",
        "203.0.113.9",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::7f00:1",
        "fe80::1",
        "fec0::1",
        "fc00::1",
        "fd12::1",
        "ff02::1",
        "2001:db8::1",
        "2001:0:1::1",
        "2002:7f00:1::",
        "2002:a00:1::",
        "64:ff9b::a00:1",
        "64:ff9b:1::1",
        "100::1",
        "3fff::1",
    ] {
        assert!(!is_public(inside.parse().unwrap()), "{inside}");
    }
    for outside in ["1.1.1.1", "100.63.0.1", "172.32.0.1", "223.5.5.5", "2400:3200::1", "2002:df05:505::1"] {
        assert!(is_public(outside.parse().unwrap()), "{outside}");
    }
}

#[tokio::test]
async fn a_target_is_https_without_a_user_and_outside() {
    for bad in [
        "http://example.org/",
        "ftp://example.org/",
        "https://",
        "https://u:p@example.org/",
        "https://a/#b",
        "//example.org/",
        "example.org",
        "https://exa mple.org/",
        "https:\\\\example.org",
        "https://example.org:0/",
        "https://example.org:/",
        "https://example.org:99999/",
        "https://example.org:+443/",
        "https://example.org:x/",
        "https://[::1]:70000/",
        "https://[::1]x/",
        "",
    ] {
        assert_eq!(Place::read(bad, false).err(), Some(Refusal::WebhookUrl), "{bad}");
    }
    let port = |url: &str, sandbox| Place::read(url, sandbox).unwrap().port;
    assert_eq!((port("https://a/", false), port("http://a", true)), (443, 80));
    assert_eq!((port("https://a:8443/", false), port("https://[::1]:9/", false)), (8443, 9));
    for inside in [
        "https://127.0.0.1/",
        "https://localhost:8443/x",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://169.254.169.254/latest",
        "https://no-such-host.invalid/",
        "https://0x7f.1/",
        "https://2130706433/",
    ] {
        let place = Place::read(inside, false).unwrap();
        assert_eq!(place.find(false).await.err(), Some(Refusal::WebhookPrivate), "{inside}");
    }
    let local = Place::read("http://127.0.0.1:9/in", true).unwrap();
    assert!(local.find(true).await.is_ok());
    let outside = Place::read("http://1.1.1.1/", true).unwrap();
    assert_eq!(outside.find(true).await.err(), Some(Refusal::WebhookUrl));
    assert!(Place::read("https://1.1.1.1/in?x=1", false).unwrap().find(false).await.is_ok());
}
