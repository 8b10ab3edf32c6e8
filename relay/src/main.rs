//! `suishen`: the relay and the tools around its ledger.
//!
//! Exit codes: 0 all well, 1 something checked was found wrong, 2 could not run.

use rustix::{fs::Mode, process::umask};
use std::process::ExitCode;

/// What it writes only its owner may read: ledger, blobs, keys, links.
const OTHERS: Mode = Mode::RWXG.union(Mode::RWXO);

fn main() -> ExitCode {
    umask(OTHERS);
    match suishen_relay::command::run(std::env::args_os()) {
        Ok(outcome) => outcome.into(),
        Err(error) => {
            eprintln!("suishen: {error:#}");
            ExitCode::from(2)
        }
    }
}
