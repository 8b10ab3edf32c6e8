//! How many claims are settled in a second, and how long each takes from submission to a durable entry:
//! `cargo bench -p suishen-relay --bench claims`, or as a table `cargo xtask bench claims`. Prints one JSON object.
//!
//! Relay and insurer's server are the program as it is released, on a ledger on this disk, asked over HTTP. What comes is
//! sent when it is due, whether or not what was sent before is answered: who waits for a slow answer sends nothing
//! meanwhile, and would never see how slow it is.

mod busy;
mod due;
#[path = "../grants/mod.rs"]
mod grants;
mod prepared;
mod program;
mod server;
mod settlements;

use anyhow::Context as _;
use serde_json::json;
use std::path::Path;

/// Where the ledgers lie while they are measured: below the target folder, on the disk that is built on.
const FOLDER: &str = env!("CARGO_TARGET_TMPDIR");

fn main() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        std::fs::create_dir_all(FOLDER)?;
        let settlements =
            settlements::measure(Path::new(FOLDER)).await.context("settlements at the relay")?;
        let server = server::measure(Path::new(FOLDER)).await.context("decisions at the insurer's server")?;
        println!("{}", json!({ "relay": settlements, "server": server }));
        Ok(())
    })
}
