//! The `kspipe` command. `docs/command-line.md` is its manual.
#![forbid(unsafe_code)]

mod arguments;
mod bench;
mod check;
mod convert;
mod failure;
mod graph;
mod inspect;
mod interrupt;
mod negotiate;
mod output;
mod overwriting;
mod progress;
mod report;
mod run;
#[cfg(target_os = "linux")]
mod session;
mod sources;
mod summary;
mod units;

use arguments::{Arguments, Command};
use clap::Parser;
use miette::{MietteHandler, MietteHandlerOpts};
use std::io::{IsTerminal, stderr};
use std::process::ExitCode;

/// Columns of a message that no terminal shows.
const WIDTH_OF_A_FILE: usize = 120;

fn main() -> ExitCode {
    show_errors();
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return shown(&error),
    };
    let done = match arguments.command {
        Command::Run(arguments) => run::run(&arguments),
        Command::Negotiate(arguments) => negotiate::negotiate(&arguments),
        Command::Check(arguments) => check::check(&arguments),
        Command::Inspect(arguments) => inspect::inspect(&arguments),
        Command::Convert(arguments) => convert::convert(&arguments),
        #[cfg(target_os = "linux")]
        Command::Serve(arguments) => session::serve(&arguments),
        #[cfg(target_os = "linux")]
        Command::Attach(arguments) => session::attach(&arguments),
        #[cfg(target_os = "linux")]
        Command::Status(arguments) => session::status(&arguments),
        #[cfg(target_os = "linux")]
        Command::Top(arguments) => session::top(&arguments),
        Command::Bench(arguments) => bench::bench(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.tell(),
    }
}

/// Shows what was typed wrong, or the help that was asked for, which is worth nothing where nobody gets it.
fn shown(error: &clap::Error) -> ExitCode {
    let shown = error.print();
    match output::standard_output_took(if error.use_stderr() { Ok(()) } else { shown }) {
        Ok(()) => ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(u8::MAX)),
        Err(failure) => failure.tell(),
    }
}

/// Errors are as wide as the terminal, and their words are never broken, so that a path stays one word.
fn show_errors() {
    // It fails only where a handler is set already, and nothing sets one before.
    let _ = miette::set_hook(Box::new(|_| Box::new(handler())));
}

fn handler() -> MietteHandler {
    let options = MietteHandlerOpts::new().break_words(false);
    if stderr().is_terminal() { options.build() } else { options.width(WIDTH_OF_A_FILE).build() }
}
