//! The `kspipe` command. `docs/command-line.md` is its manual.
#![forbid(unsafe_code)]

mod arguments;
mod failure;
mod graph;
mod inspect;
mod negotiate;
mod output;
mod progress;
mod report;
mod run;
mod summary;
mod units;

use arguments::{Arguments, Command};
use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Run(arguments) => run::run(&arguments),
        Command::Negotiate(arguments) => negotiate::negotiate(&arguments),
        Command::Inspect(arguments) => inspect::inspect(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.tell(),
    }
}
