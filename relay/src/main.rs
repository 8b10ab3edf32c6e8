//! `suishen`: the relay and the tools around its ledger.
//!
//! Exit codes: 0 all well, 1 something checked was found wrong, 2 could not run.

use std::process::ExitCode;

fn main() -> ExitCode {
    match suishen_relay::command::run(std::env::args_os()) {
        Ok(outcome) => outcome.into(),
        Err(error) => {
            eprintln!("suishen: {error:#}");
            ExitCode::from(2)
        }
    }
}
