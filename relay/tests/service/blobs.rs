//! Blobs and signed requests.

use crate::relay::{Relay, fresh, name, refused};
use reqwest::{Method, StatusCode};
use std::time::Duration;
use suishen_core::{
    id::BlobAddress,
    identity::request::{self, sign},
    sm::Digest,
};
use suishen_relay::random::SystemRandom;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

#[tokio::test]
async fn blobs_go_to_their_owner_whole_or_by_range_and_to_nobody_else() {
    let relay = Relay::start().await;
    let (client, owner, other) = (relay.client().await, fresh(), fresh());
    let now = client.info().await.unwrap().now;
    let blob: Vec<u8> = (0..200_000_u32).flat_map(u32::to_be_bytes).collect();
    let address = BlobAddress::of(&blob);
    client.put_blob(&address, blob.clone(), &owner, now).await.unwrap();
    assert_eq!(client.get_blob(&address, &owner, now).await.unwrap(), blob);
    assert_eq!(refused(client.get_blob(&address, &other, now).await), name("no-blob", 404));

    let absent = refused(client.get_blob(&BlobAddress::from_bytes([9; 32]), &other, now).await);
    assert_eq!(absent, name("no-blob", 404), "a stranger isn't told whether a blob is here");
    let wrong = BlobAddress::from_bytes([1; 32]);
    assert_eq!(refused(client.put_blob(&wrong, b"x".to_vec(), &owner, now).await), name("digest", 422));
    let path = format!("/v1/blobs/{address}");
    assert_eq!(
        refused(client.signed(Method::DELETE, &path, Vec::new(), &other, now).await),
        name("no-blob", 404)
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

    let message =
        request::Message { method: "GET", path: &path, query: "", content: Digest::of(b""), once: None };
    let fields = sign(&message, &key, &client.ledger(), now, &mut SystemRandom);
    let mut relay = relay;
    for expected in [StatusCode::OK, StatusCode::UNAUTHORIZED, StatusCode::UNAUTHORIZED] {
        let call = relay.raw(Method::GET, &path).header("content-digest", &fields.content_digest);
        let call =
            call.header("signature-input", &fields.signature_input).header("signature", &fields.signature);
        let answer = call.header("range", "bytes=0-0").send().await.unwrap();
        let expected = if expected == StatusCode::OK { StatusCode::PARTIAL_CONTENT } else { expected };
        assert_eq!(answer.status(), expected);
        if expected == StatusCode::UNAUTHORIZED {
            // Nor does a restart forget what was used.
            relay = relay.restart().await;
        }
    }
}

#[tokio::test]
async fn a_blob_that_comes_too_slowly_is_given_up_and_what_is_announced_holds_no_room() {
    let relay = Relay::start_with(|serve| {
        (serve.limits.body_seconds, serve.limits.blobs_mib) = (1, 1);
    })
    .await;
    let (client, key) = (relay.client().await, fresh());
    let now = client.info().await.unwrap().now;
    let (large, small) = (vec![1; 1 << 20], vec![2; 1 << 20]);
    let address = BlobAddress::of(&large);
    let path = format!("/v1/blobs/{address}");
    let message =
        request::Message { method: "PUT", path: &path, query: "", content: *address.digest(), once: None };
    let fields = sign(&message, &key, &client.ledger(), now, &mut SystemRandom);
    let head = format!(
        "PUT {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {}\r\nContent-Digest: {}\r\nSignature-Input: {}\r\nSignature: {}\r\n\r\n",
        large.len(),
        fields.content_digest,
        fields.signature_input,
        fields.signature
    );
    let mut stream = TcpStream::connect(relay.base.strip_prefix("http://").unwrap()).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&large[..1000]).await.unwrap();
    // The whole room is announced; it isn't held.
    let half = BlobAddress::of(&small[..500_000]);
    client.put_blob(&half, small[..500_000].to_vec(), &key, now).await.unwrap();

    // 8 KiB a second is less than a blob needs.
    let (mut reading, mut writing) = stream.into_split();
    let dripping = tokio::spawn(async move {
        for piece in large[1000..].chunks(2048) {
            if writing.write_all(piece).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    });
    let mut answer = Vec::new();
    let _ = timeout(Duration::from_secs(10), reading.read_to_end(&mut answer)).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 408"), "{}", String::from_utf8_lossy(&answer));
    dripping.abort();
    assert_eq!(refused(client.get_blob(&address, &key, now).await), name("no-blob", 404));
    let over = refused(client.put_blob(&BlobAddress::of(&small), small.clone(), &key, now).await);
    assert_eq!(over, name("no-room", 507));
}
