//! What it costs that two devices come to hold the same: ours, of sealed and signed events, and automerge's, of plaintext.
//! Both make the same [`Change`]s and go through the same situations; `cargo xtask bench sync` puts them side by side.

pub mod change;
pub mod cost;
pub mod documents;
pub mod wallets;

pub use change::Change;
pub use cost::Cost;
