//! Blobs and signed requests.

use crate::relay::{Relay, fresh, name, refused};
use reqwest::{Method, StatusCode};
use suishen_core::{
    id::BlobAddress,
    identity::request::{self, sign},
    sm::Digest,
};
use suishen_relay::random::SystemRandom;

#[tokio::test]
async fn blobs_go_to_their_owner_whole_or_by_range_and_to_nobody_else() {
    let relay = Relay::start().await;
    let (client, owner, other) = (relay.client().await, fresh(), fresh());
    let now = client.info().await.unwrap().now;
    let blob: Vec<u8> = (0..200_000_u32).flat_map(u32::to_be_bytes).collect();
    let address = BlobAddress::of(&blob);
    client.put_blob(&address, blob.clone(), &owner, now).await.unwrap();
    assert_eq!(client.get_blob(&address, &owner, now).await.unwrap(), blob);
    assert_eq!(refused(client.get_blob(&address, &other, now).await), name("not-allowed", 403));

    let wrong = BlobAddress::from_bytes([1; 32]);
    assert_eq!(refused(client.put_blob(&wrong, b"x".to_vec(), &owner, now).await), name("digest", 422));
    let path = format!("/v1/blobs/{address}");
    assert_eq!(
        refused(client.signed(Method::DELETE, &path, Vec::new(), &other, now).await),
        name("not-allowed", 403)
    );
    client.signed(Method::DELETE, &path, Vec::new(), &owner, now).await.unwrap();
    assert_eq!(refused(client.get_blob(&address, &owner, now).await), name("no-blob", 404));
}

#[tokio::test]
async fn an_unsigned_stale_or_repeated_request_is_refused() {
    let relay = Relay::start().await;
    let (client, key) = (relay.client().await, fresh());
    let now = client.info().await.unwrap().now;
    let address = BlobAddress::of(b"x");
    client.put_blob(&address, b"x".to_vec(), &key, now).await.unwrap();
    let path = format!("/v1/blobs/{address}");
    assert_eq!(refused(client.get(&path).await), name("unsigned", 401));
    assert_eq!(refused(client.get_blob(&address, &key, now - 1000).await), name("stale", 401));

    let message = request::Message { method: "GET", path: &path, query: "", content: Digest::of(b"") };
    let fields = sign(&message, &key, &client.ledger(), now, &mut SystemRandom);
    for expected in [StatusCode::OK, StatusCode::UNAUTHORIZED] {
        let call = relay.raw(Method::GET, &path).header("content-digest", &fields.content_digest);
        let call =
            call.header("signature-input", &fields.signature_input).header("signature", &fields.signature);
        let answer = call.header("range", "bytes=0-0").send().await.unwrap();
        let expected = if expected == StatusCode::OK { StatusCode::PARTIAL_CONTENT } else { expected };
        assert_eq!(answer.status(), expected);
    }
}
