//! Between the engine and the network's worker: canonical CBOR both ways, one message a posted buffer.
//!
//! The engine says whom to reach; the worker carries frames. A frame has at most [`MOST_FRAME`] bytes. Each side may have
//! [`WINDOW`] frames of a stream under way to the other; every frame that was taken is answered by [`Taken`].
//!
//! [`Taken`]: PeerCommand::Taken

use minicbor::{Decode, Encode};
use suishen_core::consent::CONSULT_PROTOCOL;
use suishen_core::sync::{CONTENT_PROTOCOL, PAIR_PROTOCOL, SYNC_PROTOCOL};

/// Largest frame of a stream, in bytes.
pub const MOST_FRAME: usize = 128 * 1024;
/// Frames of a stream that may be under way one way.
pub const WINDOW: usize = 16;

/// What two peers speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Speech {
    /// Events of a vault.
    #[n(0)]
    Sync,
    /// Content by address.
    #[n(1)]
    Content,
    /// Admitting a device.
    #[n(2)]
    Pair,
    /// A live consultation.
    #[n(3)]
    Consult,
}

impl Speech {
    /// All.
    pub const ALL: [Self; 4] = [Self::Sync, Self::Content, Self::Pair, Self::Consult];

    /// Its libp2p protocol.
    pub const fn protocol(self) -> &'static str {
        match self {
            Self::Sync => SYNC_PROTOCOL,
            Self::Content => CONTENT_PROTOCOL,
            Self::Pair => PAIR_PROTOCOL,
            Self::Consult => CONSULT_PROTOCOL,
        }
    }
}

/// A relay, to be reached at `/p2p` of its origin.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Relay {
    /// `https://relay.example`.
    #[n(0)]
    pub origin: String,
    /// Its peer id, as it says itself in `/v1/info`.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub peer: Vec<u8>,
}

/// What the engine asks for.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(flat)]
pub enum PeerCommand {
    /// Have others reach this wallet through a relay.
    #[n(0)]
    Listen(#[n(0)] Relay),
    /// Open a stream, whose number is even, to a relay itself or to a peer that waits there.
    #[n(1)]
    Open {
        /// The stream's number.
        #[n(0)]
        stream: u32,
        /// Where.
        #[n(1)]
        relay: Relay,
        /// Who waits there; none for the relay itself.
        #[cbor(n(2), with = "minicbor::bytes")]
        peer: Option<Vec<u8>>,
        /// What is spoken.
        #[n(3)]
        speech: Speech,
    },
    /// A frame for a stream.
    #[n(2)]
    Frame {
        /// The stream's number.
        #[n(0)]
        stream: u32,
        /// The frame.
        #[cbor(n(1), with = "minicbor::bytes")]
        bytes: Vec<u8>,
    },
    /// A frame of a stream was taken.
    #[n(3)]
    Taken(#[n(0)] u32),
    /// Ends a stream, after what was sent.
    #[n(4)]
    Close(#[n(0)] u32),
}

/// What the network's worker tells.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(flat)]
pub enum PeerEvent {
    /// The worker runs under this peer id, new in each session.
    #[n(0)]
    Started(#[cbor(n(0), with = "minicbor::bytes")] Vec<u8>),
    /// Others reach this wallet through the relay with this peer id.
    #[n(1)]
    Listening(#[cbor(n(0), with = "minicbor::bytes")] Vec<u8>),
    /// No longer.
    #[n(2)]
    Unreachable(#[cbor(n(0), with = "minicbor::bytes")] Vec<u8>),
    /// The stream is open.
    #[n(3)]
    Opened(#[n(0)] u32),
    /// A peer opened a stream, whose number is odd.
    #[n(4)]
    Incoming {
        /// The stream's number.
        #[n(0)]
        stream: u32,
        /// Who.
        #[cbor(n(1), with = "minicbor::bytes")]
        peer: Vec<u8>,
        /// What is spoken.
        #[n(2)]
        speech: Speech,
    },
    /// A frame of a stream.
    #[n(5)]
    Frame {
        /// The stream's number.
        #[n(0)]
        stream: u32,
        /// The frame.
        #[cbor(n(1), with = "minicbor::bytes")]
        bytes: Vec<u8>,
    },
    /// A frame for a stream was sent.
    #[n(6)]
    Taken(#[n(0)] u32),
    /// A stream has ended, or was never opened.
    #[n(7)]
    Closed(#[n(0)] u32),
}
