//! `/v1/events`: a WebSocket that says which watched topics have changed. It takes nothing but topics and gives
//! nothing but topics.

use super::{Problem, Shared};
use crate::events::Topic;
use axum::{
    extract::{
        State,
        ws::{Message, WebSocket, WebSocketUpgrade, rejection::WebSocketUpgradeRejection},
    },
    response::{IntoResponse as _, Response},
};
use serde::Deserialize;
use serde_json::json;
use std::{collections::BTreeSet, time::Duration};
use tokio::sync::broadcast::error::RecvError;

/// Most topics that a socket may watch.
const MOST_TOPICS: usize = 256;
/// Longest message from a page, in bytes.
const LONGEST: usize = 32 * 1024;
/// Sockets that may be open at once.
const MOST_SOCKETS: i64 = 4096;
/// A silent socket is pinged this often, so that proxies keep it and the dead are noticed.
const PING: Duration = Duration::from_secs(25);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Watch {
    watch: Vec<String>,
}

/// Opens a socket.
pub async fn open(
    State(node): State<Shared>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(rejection) => return Ok(rejection.into_response()),
    };
    if node.figures.sockets.get() >= MOST_SOCKETS {
        return Err(super::Fault::Unavailable.into());
    }
    Ok(upgrade.max_message_size(LONGEST).max_frame_size(LONGEST).on_upgrade(|socket| async move {
        node.figures.sockets.inc();
        serve(&node, socket).await;
        node.figures.sockets.dec();
    }))
}

async fn serve(node: &Shared, mut socket: WebSocket) {
    let mut events = node.events.listen();
    let mut watched = BTreeSet::new();
    let mut stopping = node.post.stopping.subscribe();
    loop {
        let told = tokio::select! {
            came = socket.recv() => match came {
                Some(Ok(Message::Text(text))) if watch(&text, &mut watched) => continue,
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
                _ => return,
            },
            topic = events.recv() => match topic {
                Ok(topic) if watched.contains(&topic) => tell(node, topic),
                Ok(_) => continue,
                // Too slow to be told of each: look at everything again.
                Err(RecvError::Lagged(_)) => Message::text(json!({"topic": "all"}).to_string()),
                Err(RecvError::Closed) => return,
            },
            () = tokio::time::sleep(PING) => Message::Ping(Vec::new().into()),
            _ = stopping.wait_for(|stopping| *stopping) => return,
        };
        if socket.send(told).await.is_err() {
            return;
        }
    }
}

/// Adds topics; `false` for a message that isn't one of ours.
fn watch(text: &str, watched: &mut BTreeSet<Topic>) -> bool {
    let Ok(Watch { watch }) = serde_json::from_str(text) else { return false };
    let topics: Result<Vec<Topic>, _> = watch.iter().map(|topic| topic.parse()).collect();
    let Ok(topics) = topics else { return false };
    watched.extend(topics);
    watched.len() <= MOST_TOPICS
}

fn tell(node: &Shared, topic: Topic) -> Message {
    let told = match topic {
        Topic::Ledger => json!({"topic": "ledger", "size": node.replica.published().size()}),
        other => json!({"topic": other.to_string()}),
    };
    Message::text(told.to_string())
}
