//! The relay of the Suishen health wallet: serves the pages, carries ciphertext, orders and anchors
//! transactions, holds one gate share.
//!
//! | need | module |
//! |---|---|
//! | flags, environment and file | [`config`] |
//! | a running relay and its parts | [`node`] |
//! | pages, API, their limits and errors | [`http`] |
//! | entries, state, proofs and the checkpoint over them | [`replica`] |
//! | who orders transactions | [`order`] |
//! | logs and figures | [`telemetry`] |
//! | what `suishen` does on a command line | [`command`] |

pub mod command;
pub mod config;
pub mod http;
pub mod node;
pub mod order;
pub mod replica;
pub mod telemetry;
