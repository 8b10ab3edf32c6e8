//! The relay of the Suishen health wallet: serves the pages, carries ciphertext, orders and anchors
//! transactions, holds one gate share.
//!
//! | need | module |
//! |---|---|
//! | flags, environment and file | [`config`] |
//! | a running relay and its parts | [`node`] |
//! | pages, API, their limits and errors | [`http`] |
//! | logs and figures | [`telemetry`] |
//! | what `suishen` does on a command line | [`command`] |

pub mod command;
pub mod config;
pub mod http;
pub mod node;
pub mod telemetry;
