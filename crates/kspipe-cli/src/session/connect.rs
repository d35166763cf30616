//! Connecting to a server at a path.

use super::{failures, text};
use crate::failure::Failure;
use crate::output;
use kspipe_session::Client;
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

/// How long nothing is said of who listens and does not answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// Connects to the server at a path. Who listens there and does not answer is waited for, because a server may be stopped, or
/// the machine be busy; who waits is told so, unless it wants to hear nothing.
pub(super) fn connect(socket: &Path, is_quiet: bool) -> Result<Client, Failure> {
    let (connected, waits) = channel::<()>();
    let name = text::printable(&socket.display().to_string());
    let tell = move || {
        // It is dropped once there is an answer.
        if waits.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
            output::tell(format_args!("what listens at {name} has not answered; waiting for it, Ctrl-C ends this\n"));
        }
    };
    if !is_quiet {
        let started = std::thread::Builder::new().name("kspipe connect".to_owned()).spawn(tell);
        started.map_err(|error| Failure::system("start a thread", error))?;
    }
    let client = Client::connect(socket).map_err(|error| failures::client(socket, &error));
    drop(connected);
    client
}
