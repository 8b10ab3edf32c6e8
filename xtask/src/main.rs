//! `cargo xtask`: what a person or a CI machine does with this repository. `run` shows the product, `test` says whether
//! it holds, `bench` how fast it is, `web` builds what browsers load, `doctor` names what this machine lacks.
//!
//! It never needs a tool that it can neither install nor name in one line to paste.

mod bench;
mod bundle;
mod doctor;
mod interface;
mod layout;
mod licences;
mod machine;
mod npm;
mod place;
mod run;
mod sizes;
mod steps;
mod test;
mod wasm;
mod web;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Build, run and test Suishen", disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Build everything, start one relay with the demo consortium, open the start page
    Run(run::Run),
    /// Install what is missing, then every check and test, end to end in Chromium included
    Test(test::Test),
    /// Build the wasm bundles and lay out what browsers load; print the sizes
    Web(web::Web),
    /// Measure how fast it is, beside its peers in the same run
    ///
    /// Measures one area or all, each figure beside its peer's or its target, and says "met" or "behind". Builds what it
    /// needs with release optimisation. Ends well whatever the figures are.
    Bench(bench::Bench),
    /// Say what this machine lacks, with the line that installs it
    Doctor,
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().task {
        Task::Run(run) => run.go(),
        Task::Test(test) => test.go(),
        Task::Web(web) => web.go(),
        Task::Bench(bench) => bench.go(),
        Task::Doctor => doctor::go(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\n✘ {error:#}");
            ExitCode::FAILURE
        }
    }
}
