//! `/p2p`: a web socket that the relay's libp2p takes over.

use super::{Fault, Problem, Shared};
use axum::{
    extract::{
        ConnectInfo, State,
        ws::{WebSocketUpgrade, rejection::WebSocketUpgradeRejection},
    },
    response::{IntoResponse as _, Response},
};
use std::net::SocketAddr;

/// Longest message, in bytes: peers send what they have at a time, in frames of far less.
const LONGEST: usize = 1 << 20;

/// What is read at a time, in bytes: each socket keeps as much, and most of them have nothing to say.
const READ: usize = 1 << 10;

/// Opens a socket.
pub async fn open(
    State(node): State<Shared>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(rejection) => return Ok(rejection.into_response()),
    };
    if *node.stopping.borrow() {
        return Err(Fault::Unavailable.into());
    }
    Ok(upgrade
        .max_message_size(LONGEST)
        .max_frame_size(LONGEST)
        .read_buffer_size(READ)
        .write_buffer_size(0)
        .on_upgrade(move |socket| async move { node.peers.take(socket, from) }))
}
