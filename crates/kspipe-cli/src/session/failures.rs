//! How serving and taking part fail.

use crate::failure::Failure;
use crate::{graph, run};
use kspipe::graph::file::GraphFile;
use kspipe_session::{AttachError, ClientError, ServeError};
use std::io::ErrorKind;
use std::path::Path;

/// A client that cannot connect or join.
pub(super) fn client(socket: &Path, error: &ClientError) -> Failure {
    let message = super::text::printable(&error.to_string());
    let help = match error {
        ClientError::Connect { .. } if error.is_denied() => {
            "`kspipe serve --allow-user` lets processes of other users come".to_owned()
        }
        error if error.is_denied() => {
            "`kspipe serve --trust` trusts processes of its own user, `--trust=USER` those of another".to_owned()
        }
        // The message says what to do.
        error if error.is_server_full() => return Failure::System(miette::miette!("{message}")),
        error if error.is_stranger() => {
            "give the path that `kspipe serve` was given; it says `serving at` with it".to_owned()
        }
        ClientError::Connect { .. } => {
            format!("start it with `kspipe serve GRAPH --socket {}`, or give the path it says there", socket.display())
        }
        ClientError::NoSuchPin { .. } => return Failure::usage(message, "give one of these, or its filter"),
        ClientError::Taken(_) => {
            "`kspipe status` says who has it; it is free when that process leaves or ends".to_owned()
        }
        ClientError::TakenHere(_) => "it is free when all that was made of it is dropped, frames too".to_owned(),
        ClientError::SenderStopped(_) => "`kspipe status` says who that may be; let it go on, or kill it".to_owned(),
        _ => return Failure::System(miette::miette!("{message}")),
    };
    Failure::System(miette::miette!(help = help, "{message}"))
}

/// A filter that does not run here; `file` is the graph as the server tells it.
pub(super) fn attach(file: Option<&GraphFile>, error: AttachError) -> Failure {
    match (error, file) {
        (AttachError::Graph(errors), _) => Failure::Graph(errors.into()),
        (AttachError::Prepare(error), Some(file)) => run::cannot_run(file, &error),
        (AttachError::Run(error), Some(file)) => run::cannot_start(file, &error),
        (AttachError::Negotiate(error), Some(file)) => graph::negotiation_failure(file, &error),
        (error @ AttachError::Mediated, _) => {
            let message = format!("{error}; `kspipe attach` runs sources and sinks so, nothing else");
            let help = "`kspipe serve --trust` trusts processes of its own user, `--trust=USER` those of another";
            Failure::System(miette::miette!(help = help, "{message}"))
        }
        (error, _) => Failure::System(miette::miette!("{}", super::text::printable(&error.to_string()))),
    }
}

/// A graph that cannot be served.
pub(super) fn serve(file: &GraphFile, error: &ServeError) -> Failure {
    match error {
        ServeError::Sharing(_) => Failure::Graph(graph::fault(file, error.to_string())),
        ServeError::Run(error) => run::cannot_start(file, error),
        error if error.is_out_of_descriptors() => {
            let help =
                "let it have more open files: `ulimit -n` says how many, and `ulimit -n 4096` how many it shall be";
            Failure::System(miette::miette!(help = help, "cannot serve: {error}"))
        }
        ServeError::System { source, .. } => {
            let message = super::text::printable(&format!("cannot serve at {error}"));
            match help_with_path(source.kind()) {
                Some(help) => Failure::System(miette::miette!(help = help, "{message}")),
                None => Failure::System(miette::miette!("{message}")),
            }
        }
        ServeError::Folder(_) => {
            let message = super::text::printable(&error.to_string());
            Failure::System(miette::miette!(help = "move the graph file, or rename its folder", "{message}"))
        }
        ServeError::Pool { .. } | ServeError::Admit { .. } | ServeError::Wait(_) => {
            Failure::System(graph::fault(file, error.to_string()))
        }
    }
}

/// What helps where a socket cannot be made at a path.
fn help_with_path(error: ErrorKind) -> Option<&'static str> {
    match error {
        ErrorKind::AddrInUse => {
            Some("somebody serves there, or it is no socket: end that server, or choose another path")
        }
        ErrorKind::NotFound | ErrorKind::NotADirectory => {
            Some("the folder has to be there: make it, or choose another path")
        }
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            Some("choose a path in a folder that this user may write to")
        }
        ErrorKind::InvalidInput | ErrorKind::InvalidFilename => {
            Some("the path ends in the name of the socket: choose another")
        }
        _ => None,
    }
}
