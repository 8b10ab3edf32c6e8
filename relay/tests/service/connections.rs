//! Connections that send half a request, or come in numbers.

use crate::relay::Relay;
use futures_util::StreamExt as _;
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

pub const SOON: Duration = Duration::from_secs(5);

async fn connect(relay: &Relay) -> TcpStream {
    TcpStream::connect(relay.base.strip_prefix("http://").unwrap()).await.unwrap()
}

/// Reads until the relay closes or `wait` is over; whether it closed.
pub async fn closes(stream: &mut TcpStream, wait: Duration) -> bool {
    let mut bytes = Vec::new();
    timeout(wait, stream.read_to_end(&mut bytes)).await.is_ok()
}

/// Whether the relay answers on this connection, which stays open.
pub async fn answers(stream: &mut TcpStream, wait: Duration) -> bool {
    let _ = stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let mut first = [0; 12];
    matches!(timeout(wait, stream.read_exact(&mut first)).await, Ok(Ok(_))) && first == *b"HTTP/1.1 200"
}

#[tokio::test]
async fn half_a_request_head_or_none_at_all_is_not_waited_for_long() {
    let relay = Relay::start_with(|serve| serve.limits.head_seconds = 1).await;
    for half in ["", "GET /healthz HTTP/1.1\r\nHost: a\r\nX-Half: "] {
        let mut stream = connect(&relay).await;
        stream.write_all(half.as_bytes()).await.unwrap();
        assert!(closes(&mut stream, SOON).await, "{half:?}");
    }
    // One byte now and then earns no more time.
    let (mut reading, mut writing) = connect(&relay).await.into_split();
    let dripping = tokio::spawn(async move {
        for byte in b"GET /healthz HTTP/1.1\r\nHost: a\r\nX-Long: aaaaaaaaaaaaaaaaaaaaaaaaaaaa" {
            if writing.write_all(&[*byte]).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    });
    let mut bytes = Vec::new();
    assert!(timeout(SOON, reading.read_to_end(&mut bytes)).await.is_ok());
    dripping.abort();
    assert!(answers(&mut connect(&relay).await, SOON).await);
}

#[tokio::test]
async fn connections_beyond_those_in_all_wait_for_a_place() {
    let relay = Relay::start_with(|serve| serve.limits.connections = 2).await;
    let (mut first, mut second) = (connect(&relay).await, connect(&relay).await);
    assert!(answers(&mut first, SOON).await && answers(&mut second, SOON).await);
    let mut third = connect(&relay).await;
    assert!(!answers(&mut third, Duration::from_millis(500)).await);
    drop(first);
    let mut status = [0; 12];
    timeout(SOON, third.read_exact(&mut status)).await.unwrap().unwrap();
    assert_eq!(&status, b"HTTP/1.1 200");
}

#[tokio::test]
async fn connections_beyond_those_of_an_address_are_closed_and_web_sockets_count() {
    let relay = Relay::start_with(|serve| serve.limits.connections_per_address = 2).await;
    let url = format!("{}/v1/events", relay.base.replacen("http", "ws", 1));
    let (socket, _) = tokio_tungstenite::connect_async(&url).await.unwrap();
    let mut second = connect(&relay).await;
    assert!(answers(&mut second, SOON).await);
    assert!(closes(&mut connect(&relay).await, SOON).await);
    drop(socket);
    // The relay sees the socket's end in a moment.
    let mut again = false;
    for _ in 0..50 {
        again = answers(&mut connect(&relay).await, SOON).await;
        if again {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(again);
}

#[tokio::test]
async fn an_open_web_socket_and_an_idle_connection_do_not_keep_a_stopping_relay() {
    let relay = Relay::start().await;
    let url = format!("{}/v1/events", relay.base.replacen("http", "ws", 1));
    let (mut socket, _) = tokio_tungstenite::connect_async(&url).await.unwrap();
    let mut idle = connect(&relay).await;
    assert!(answers(&mut idle, SOON).await);
    timeout(SOON, relay.stop()).await.unwrap();
    assert!(timeout(SOON, async { while let Some(Ok(_)) = socket.next().await {} }).await.is_ok());
    assert!(closes(&mut idle, SOON).await);
}
