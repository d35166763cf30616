//! How a command ends when it does not end well, and with which exit code.

use crate::output;
use miette::{Diagnostic, Report};
use std::fmt::Display;
use std::io;
use std::path::Path;
use std::process::ExitCode;

/// Why a command failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The graph or a framing is at fault.
    Graph(Report),
    /// The same, and the command has said so already in the format that was asked for.
    GraphSaid,
    /// What was typed cannot be meant.
    Usage(Report),
    /// The system failed, or there was no answer within the stated limits.
    System(Report),
    /// The same, and the command has said so already.
    SystemSaid,
}

impl Failure {
    /// A file could not be read or written, or standard input (`-`) not be read.
    pub(crate) fn file(doing: &'static str, path: &Path, why: io::Error) -> Self {
        let name = if path == Path::new("-") { "standard input".to_owned() } else { path.display().to_string() };
        Failure::System(FileFailure { doing, name, why }.into())
    }

    /// Something else of the system's.
    pub(crate) fn system(doing: &str, why: impl Display) -> Self {
        Failure::System(miette::miette!("cannot {doing}: {why}"))
    }

    /// Something that was typed.
    pub(crate) fn usage(message: impl Display, help: impl Display) -> Self {
        Failure::Usage(miette::miette!(help = help.to_string(), "{message}"))
    }

    /// What is wrong, in one line; nothing where that has been said.
    pub(crate) fn message(&self) -> String {
        match self {
            Failure::Graph(report) | Failure::Usage(report) | Failure::System(report) => report.to_string(),
            Failure::GraphSaid | Failure::SystemSaid => String::new(),
        }
    }

    /// Says on standard error what is wrong, where that is still to be said, and gives the exit code.
    pub(crate) fn tell(self) -> ExitCode {
        let (code, report) = match self {
            Failure::Graph(report) => (1, Some(report)),
            Failure::GraphSaid => (1, None),
            Failure::Usage(report) => (2, Some(report)),
            Failure::System(report) => (3, Some(report)),
            Failure::SystemSaid => (3, None),
        };
        if let Some(report) = report {
            output::tell(format_args!("{report:?}\n"));
        }
        ExitCode::from(code)
    }
}

#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("cannot {doing} {name}: {why}")]
struct FileFailure {
    doing: &'static str,
    name: String,
    // Not called `source`, which would be printed once more below the message.
    why: io::Error,
}
