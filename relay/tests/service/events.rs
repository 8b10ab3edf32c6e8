//! The web socket.

use crate::{
    grants::{redemption, share},
    relay::{Relay, fresh},
};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio_tungstenite::tungstenite::Message;

#[tokio::test]
async fn a_page_is_told_what_changed_and_nothing_more() {
    let relay = Relay::start().await;
    let client = relay.client().await;
    let now = client.info().await.unwrap().now;
    let shared = share(&relay.keys(), &client, now).await;
    let url = format!("{}/v1/events", relay.base.replacen("http", "ws", 1));
    let (mut socket, _) = tokio_tungstenite::connect_async(&url).await.unwrap();
    let watch = format!(r#"{{"watch": ["ledger", "grant:{}"]}}"#, shared.id);
    socket.send(Message::text(watch)).await.unwrap();
    // A pong comes after what was sent before its ping was taken.
    socket.send(Message::Ping(Vec::new().into())).await.unwrap();
    while !matches!(socket.next().await.unwrap().unwrap(), Message::Pong(_)) {}

    client.submit(&redemption(&shared, &client, 1, fresh().public())).await.unwrap();
    let mut told = Vec::new();
    while told.len() < 2 {
        if let Message::Text(text) = socket.next().await.unwrap().unwrap() {
            told.push(text.to_string());
        }
    }
    told.sort();
    let grant = format!(r#"{{"topic":"grant:{}"}}"#, shared.id);
    assert_eq!(told, [r#"{"size":10,"topic":"ledger"}"#.to_owned(), grant]);

    socket.send(Message::text("not a list of topics")).await.unwrap();
    while let Some(Ok(message)) = socket.next().await {
        assert!(!matches!(message, Message::Text(_)), "{message}");
    }
}
