//! What travels between two copies. Deterministic CBOR; events in pieces, so that a frame's size bounds none of them.

use super::Refused;
use crate::cbor;
use minicbor::{Decode, Encode, bytes::ByteVec};

/// The smallest limit of a frame, in bytes: the reconciliation's own.
pub const LEAST_FRAME: usize = 4096;
/// By how much an encoded frame may exceed its limit, in bytes.
pub const FRAME_OVERHEAD: usize = 64;
/// The largest event, in bytes; what is larger is content and travels beside the events.
pub const MOST_EVENT: usize = 4 << 20;

/// One message.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(super) enum Frame {
    /// This side's nonce; the first frame of each side.
    #[n(0)]
    Hello(#[cbor(n(0), with = "minicbor::bytes")] [u8; 32]),
    /// Ranges of the reconciliation.
    #[n(1)]
    Ranges(#[cbor(n(0), with = "minicbor::bytes")] Vec<u8>),
    /// Pieces of events, in order.
    #[n(2)]
    Give(#[n(0)] Vec<Piece>),
    /// Events that are asked for, by their names in this session.
    #[n(3)]
    Want(#[cbor(n(0), with = "minicbor::bytes")] Vec<u8>),
    /// All that was asked for and is here has been given.
    #[n(4)]
    Given,
    /// Nothing is left to do.
    #[n(5)]
    Done,
    /// Between sessions: new events, each whole.
    #[n(6)]
    Push(#[n(0)] Vec<ByteVec>),
    /// What was pushed is stored.
    #[n(7)]
    Took,
    /// The side that answers asks for a session.
    #[n(8)]
    Again,
    /// The end of the link, and why.
    #[n(9)]
    Over(#[n(0)] Refused),
}

/// A piece of an event.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(super) struct Piece {
    #[n(0)]
    pub bytes: ByteVec,
    /// The event ends with it.
    #[n(1)]
    pub last: bool,
}

impl Frame {
    pub fn to_bytes(&self) -> Vec<u8> {
        cbor::encode(self)
    }

    pub fn read(bytes: &[u8]) -> Option<Self> {
        cbor::decode(bytes).ok()
    }
}

/// What a piece takes beside its bytes: array, length, flag.
const PIECE: usize = 8;

/// Events as frames of at most `limit` bytes.
pub(super) fn gives(events: Vec<Vec<u8>>, limit: usize) -> Vec<Frame> {
    let (mut frames, mut pieces, mut room) = (Vec::new(), Vec::new(), limit);
    for event in events {
        let mut rest = event.as_slice();
        loop {
            if room <= PIECE {
                frames.push(Frame::Give(core::mem::take(&mut pieces)));
                room = limit;
            }
            let (piece, more) = rest.split_at(rest.len().min(room - PIECE));
            room -= piece.len() + PIECE;
            pieces.push(Piece { bytes: piece.to_vec().into(), last: more.is_empty() });
            rest = more;
            if rest.is_empty() {
                break;
            }
        }
    }
    if !pieces.is_empty() {
        frames.push(Frame::Give(pieces));
    }
    frames
}

/// Puts pieces together again.
#[derive(Debug, Default)]
pub(super) struct Assembly {
    begun: Vec<u8>,
}

impl Assembly {
    /// The events that end in these pieces; none when one grows too large.
    pub fn take(&mut self, pieces: Vec<Piece>) -> Option<Vec<Vec<u8>>> {
        let mut whole = Vec::new();
        for Piece { bytes, last } in pieces {
            if self.begun.len() + bytes.len() > MOST_EVENT {
                return None;
            }
            self.begun.extend_from_slice(&bytes);
            if last {
                whole.push(core::mem::take(&mut self.begun));
            }
        }
        Some(whole)
    }

    /// Whether an event has begun and not ended.
    pub fn is_open(&self) -> bool {
        !self.begun.is_empty()
    }
}
