//! The command line: one module a subcommand. Parsing here, work there.

pub mod audit;
pub mod claims;
mod code;
pub mod embedded;
pub mod found;
pub mod fsck;
pub mod invite;
pub mod issue;
pub mod mailbox;
mod moment;
pub mod progress;
pub mod serve;
pub mod suspend;

use crate::config::{self, Cli, Command};
use std::{ffi::OsString, process::ExitCode};

/// How a command ended that could run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All well.
    Well,
    /// Something that was checked is wrong.
    FoundWrong,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Well => Self::SUCCESS,
            Outcome::FoundWrong => Self::from(1),
        }
    }
}

/// Reads the command line, the environment and the configuration file, and does what they say. A command
/// line that can't be read ends the process with the usage, code 2.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> anyhow::Result<Outcome> {
    let cli: Cli = config::read(arguments.into_iter().collect())?;
    crate::telemetry::start_logging(&cli.log);
    match cli.command {
        Command::Serve(serve) => serve::run(&cli.place, &serve),
        Command::Issue(issue) => issue::run(&cli.place, &issue),
        Command::Invite(invite) => invite::run(&cli.place, &invite),
        Command::Mailbox(mailbox) => mailbox::run(&cli.place, &mailbox),
        Command::Found(found) => found::run(&cli.place, &found),
        Command::Suspend(suspend) => suspend::run(&cli.place, &suspend),
        Command::Claims(claims) => claims::run(&cli.place, &claims),
        Command::Fsck => fsck::run(&cli.place),
        Command::Audit(audit) => audit::run(&cli.place, &audit),
    }
}
