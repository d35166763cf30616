//! Writing what a command has to show.

use crate::failure::Failure;
use std::fmt::Display;
use std::io::{self, Write};
use std::path::Path;

/// Writes to a file, whose folder is made if need be, or to standard output. A reader of standard output that has read
/// enough (`| head`) is no error.
pub(crate) fn write(path: Option<&Path>, text: &str) -> Result<(), Failure> {
    match path {
        None => to_standard_output(text.as_bytes()),
        Some(path) if path == Path::new("-") => to_standard_output(text.as_bytes()),
        Some(path) => {
            if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
                std::fs::create_dir_all(folder).map_err(|error| Failure::file("make the folder", folder, error))?;
            }
            std::fs::write(path, text).map_err(|error| Failure::file("write", path, error))
        }
    }
}

/// Writes to standard output. A reader that has read enough is no error.
pub(crate) fn to_standard_output(bytes: &[u8]) -> Result<(), Failure> {
    let mut output = io::stdout().lock();
    standard_output_took(output.write_all(bytes).and_then(|()| output.flush()))
}

/// What came of writing to standard output: a reader that has read enough is no error.
pub(crate) fn standard_output_took(written: io::Result<()>) -> Result<(), Failure> {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::system("write to standard output", error))
        }
        _ => Ok(()),
    }
}

/// Says something on standard error. Nobody is told where nobody listens.
pub(crate) fn tell(text: impl Display) {
    let _ = write!(io::stderr().lock(), "{text}");
}
