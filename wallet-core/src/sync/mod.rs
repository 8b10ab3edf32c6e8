//! Making two copies of a vault the same (PROTOCOL §9), whoever holds them: another device, a caregiver's wallet, a mailbox.
//!
//! A copy of a vault is a set of encrypted events, so a sync is the reconciliation of two sets, by ranges and their
//! fingerprints (crate negentropy). Sans-io: a [`Session`] takes the frames that came and says what is to be done
//! ([`Act`]): send a frame, load events, store events. It knows nothing of networks and stores, and reads no event.
//!
//! - **No calendar.** Items carry no time; what is compared are not the events' addresses but their hashes with a nonce from
//!   each side, new in every session, so that nobody can craft events whose sets look equal, and nobody who sees one
//!   session's ranges knows them in the next.
//! - **Resumable.** What was stored when a connection broke is not asked for again: a new session compares anew.
//! - **Bounded.** A frame has at most [`Session`]'s limit and [`FRAME_OVERHEAD`] bytes, an event [`MOST_EVENT`], a
//!   session [`MOST_ROUNDS`] rounds. An event that nobody asked for, a frame out of its turn, or bytes that are no frame
//!   end the session with a [`SyncError`]; what was stored before stays.
//!
//! A connection begins at the door, where a device proves that it is one of the vault's ([`Knock`], [`Welcome`]); then it is a
//! [`Link`], which holds one session after another and pushes what is new in between. In a session the one who begins
//! compares and then both gives and asks; the other answers:
//!
//! ```text
//! begins                              answers
//!   hello(nonce)          →
//!                         ←   hello(nonce)
//!   ranges                →
//!                         ←   ranges          … until nothing differs that isn't known
//!   give …                →                   what the other lacks, in pieces
//!   want(ids)             →
//!                         ←   give … given    what this one lacks, batch by batch
//!   done                  →
//!                         ←   done
//! ```

/// The libp2p protocol of a link: [`door`], then [`Link`]'s frames.
pub const SYNC_PROTOCOL: &str = "/suishen/sync/1";
/// The libp2p protocol of contents: [`door`], then [`ContentFrame`]s.
pub const CONTENT_PROTOCOL: &str = "/suishen/content/1";
/// The libp2p protocol of admitting a device: a [`Hello`], an [`Ask`], [`PairReply`]s.
pub const PAIR_PROTOCOL: &str = "/suishen/pair/1";
/// The longest frame of a link over libp2p, in bytes, without [`FRAME_OVERHEAD`].
pub const LINK_FRAME: usize = 60 << 10;

mod content;
mod door;
mod frame;
mod gather;
mod link;
mod pair;
mod section;
mod session;
#[cfg(test)]
mod tests;

pub use content::{
    ContentError, ContentFrame, ContentRefused, Given, Giving, MOST_ADDRESSES, MOST_CONTENT,
    MOST_CONTENT_FRAME, MOST_PIECE, Received, Receiving, Request, lacking,
};
pub use door::{
    Found, Knock, MOST_AT_DOOR, MOST_WORK_BITS, Presence, Refused, WORK_BITS, Welcome, Work, work_holds,
};
pub use frame::{FRAME_OVERHEAD, LEAST_FRAME, MOST_EVENT};
pub use gather::{Gathered, Gathering, Giver};
pub use link::Link;
pub use pair::{Ask, Hello, MOST_NAME, MOST_PAIR, Pair, PairError, PairReply};
pub use section::{MOST_SECTIONS, Outline, SECTION, Section};
pub use session::{Act, MOST_ROUNDS, Session, SyncError, Tally};
