//! `/p2p`: a web socket that libp2p takes over; and what a wallet needs to know before, at `/v1/mailbox`.

use super::{Fault, Problem, wire};
use crate::post::Post;
use axum::{
    extract::{
        ConnectInfo, State,
        ws::{WebSocketUpgrade, rejection::WebSocketUpgradeRejection},
    },
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use minicbor::{Decode, Encode};
use std::net::SocketAddr;
use suishen_core::id::LedgerId;

/// Longest message, in bytes: peers send what they have at a time, in frames of far less.
const LONGEST: usize = 1 << 20;

/// What is read at a time, in bytes: each socket keeps as much, and most of them have nothing to say.
const READ: usize = 1 << 10;

/// What `/v1/mailbox` answers.
#[derive(Clone, Debug, Encode, Decode)]
#[cbor(map)]
pub struct MailboxInfo {
    /// Whose wallets it serves.
    #[n(0)]
    pub ledger: LedgerId,
    /// Peer id, reached at `/p2p`. New at each start.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub peer: Vec<u8>,
    /// Origins of further mailboxes, which a wallet fills too.
    #[n(2)]
    pub others: Vec<String>,
}

/// Which mailbox this is.
pub async fn mailbox(State(post): State<Post>) -> Response {
    let others = post.others.iter().map(ToString::to_string).collect();
    let info = MailboxInfo { ledger: post.ledger, peer: post.peers.id().to_bytes(), others };
    wire::reply(StatusCode::OK, &info)
}

/// Opens a socket.
pub async fn open(
    State(post): State<Post>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(rejection) => return Ok(rejection.into_response()),
    };
    if *post.stopping.borrow() {
        return Err(Fault::Unavailable.into());
    }
    Ok(upgrade
        .max_message_size(LONGEST)
        .max_frame_size(LONGEST)
        .read_buffer_size(READ)
        .write_buffer_size(0)
        .on_upgrade(move |socket| async move { post.peers.take(socket, from) }))
}
