//! The insurer's interface keeps to a relay's bounds on connections.

use super::{caller::Desk, world::World};
use crate::connections::{SOON, answers, closes};
use std::time::Duration;
use suishen_relay::config::Limits;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

async fn within(change: impl FnOnce(&mut Limits)) -> (World, Desk) {
    let world = World::found().await;
    let server = world.insurer().await;
    let mut desk = Desk::open_within(&world, server, change).await;
    // The caller's own connection, which is kept, would count as any other.
    desk.caller.http = reqwest::Client::new();
    tokio::time::sleep(Duration::from_millis(500)).await;
    (world, desk)
}

async fn connect(desk: &Desk) -> TcpStream {
    TcpStream::connect(desk.caller.base.strip_prefix("http://").unwrap()).await.unwrap()
}

#[tokio::test]
async fn half_a_head_is_not_waited_for_long_by_an_insurers_server() {
    let (_world, desk) = within(|limits| limits.head_seconds = 1).await;
    let mut half = connect(&desk).await;
    half.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\nX-Half: ").await.unwrap();
    assert!(closes(&mut half, SOON).await);
    assert!(answers(&mut connect(&desk).await, SOON).await);
}

#[tokio::test]
async fn an_insurers_server_takes_so_many_connections_in_all_and_of_an_address() {
    let (_world, desk) = within(|limits| limits.connections_per_address = 2).await;
    let (mut first, mut second) = (connect(&desk).await, connect(&desk).await);
    assert!(answers(&mut first, SOON).await && answers(&mut second, SOON).await);
    assert!(closes(&mut connect(&desk).await, SOON).await);

    let (_world, desk) = within(|limits| limits.connections = 2).await;
    let (mut first, mut second) = (connect(&desk).await, connect(&desk).await);
    assert!(answers(&mut first, SOON).await && answers(&mut second, SOON).await);
    let mut third = connect(&desk).await;
    assert!(!answers(&mut third, Duration::from_millis(500)).await);
    drop(first);
    let mut status = [0; 12];
    timeout(SOON, third.read_exact(&mut status)).await.unwrap().unwrap();
    assert_eq!(&status, b"HTTP/1.1 200");
}
