//! Writing what a command has to show.

use crate::failure::Failure;
use std::fmt::Display;
use std::io::{self, Write};
use std::path::Path;

/// Writes to a file, whose folder is made if need be, or to standard output. A reader of standard output that has read
/// enough (`| head`) is no error.
pub(crate) fn write(path: Option<&Path>, text: &str) -> Result<(), Failure> {
    match path {
        None => to_standard_output(text),
        Some(path) if path == Path::new("-") => to_standard_output(text),
        Some(path) => {
            if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
                std::fs::create_dir_all(folder).map_err(|error| Failure::file("make the folder", folder, error))?;
            }
            std::fs::write(path, text).map_err(|error| Failure::file("write", path, error))
        }
    }
}

fn to_standard_output(text: &str) -> Result<(), Failure> {
    let mut output = io::stdout().lock();
    match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::file("write to", Path::new("-"), error))
        }
        _ => Ok(()),
    }
}

/// Says something on standard error. Nobody is told where nobody listens.
pub(crate) fn tell(text: impl Display) {
    let _ = write!(io::stderr().lock(), "{text}");
}
