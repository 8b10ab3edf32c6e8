//! libp2p in a worker of its own. The engine says whom to reach and hands over frames; nothing here knows what is in
//! them, and no key of the wallet is in this worker's memory: what strangers send is parsed apart from the keys.
//!
//! The peer id is new each time the worker starts.

pub mod address;
pub mod prompt;
pub mod road;
pub mod stream;
#[cfg(target_arch = "wasm32")]
mod worker;
