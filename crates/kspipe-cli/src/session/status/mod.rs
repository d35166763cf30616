//! `kspipe status`: who has which frame since when, once.

pub(super) mod model;
pub(super) mod show;

use super::arguments::{StatusArguments, StatusFormat};
use super::connect::connect;
use super::failures;
use crate::failure::Failure;
use crate::output;
use model::Status;

/// Shows the status of a server.
pub(crate) fn status(arguments: &StatusArguments) -> Result<(), Failure> {
    let client = connect(&arguments.socket, false)?;
    let text = client.status().map_err(|error| failures::client(&arguments.socket, &error))?;
    let shown = match arguments.format {
        StatusFormat::Text => Status::read(&text).map(|status| show::text(&status)),
        StatusFormat::Json => model::value(&text).map(|value| format!("{value:#}\n")),
    };
    let shown =
        shown.ok_or_else(|| Failure::system("read the status", "what the server sends is none of version 1"))?;
    output::write(None, &shown)
}
