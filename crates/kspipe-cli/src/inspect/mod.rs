//! `kspipe inspect`: framing blobs, decoded.

mod members;
mod show;

use crate::arguments::{FramingFormat, InspectArguments};
use crate::failure::Failure;
use crate::output;
use ks::FramingBlob;
use miette::miette;
use std::io::{self, Read};
use std::path::Path;

/// The largest blob that is read: more than any driver's answer by orders of magnitude.
const LARGEST_BLOB: u64 = 16 << 20;

/// Decodes each blob. One that is no framing does not keep the others from being shown.
pub(crate) fn inspect(arguments: &InspectArguments) -> Result<(), Failure> {
    if arguments.blobs.iter().filter(|path| *path == Path::new("-")).count() > 1 {
        return Err(Failure::usage("`-` is given twice", "there is one standard input"));
    }
    let mut documents = Vec::new();
    let mut failed = false;
    for path in &arguments.blobs {
        let bytes = read(path).map_err(|error| Failure::file("read", path, error))?;
        let name = path.display().to_string();
        match (FramingBlob::parse(&bytes), arguments.format) {
            (Ok(blob), FramingFormat::Text) => output::write(None, &show::text(&name, &blob, arguments.offsets))?,
            (Ok(blob), FramingFormat::Json) => documents.push(show::json(&name, &blob, arguments.offsets)),
            (Err(error), format) => {
                failed = true;
                output::tell(format_args!("{:?}\n", miette!(help = HELP, "{name} is not a framing: {error}")));
                if format == FramingFormat::Json {
                    documents.push(show::error_json(&name, &error));
                }
            }
        }
    }
    if arguments.format == FramingFormat::Json {
        let document = serde_json::json!({ "version": 1, "blobs": documents });
        output::write(None, &format!("{document:#}\n"))?;
    }
    if failed { Err(Failure::GraphSaid) } else { Ok(()) }
}

const HELP: &str = "a framing is KSALLOCATOR_FRAMING, 24 bytes, or KSALLOCATOR_FRAMING_EX, 24 bytes and 88 for each item; \
                    a live device cannot be inspected yet, that needs Windows";

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if path == Path::new("-") {
        io::stdin().lock().take(LARGEST_BLOB + 1).read_to_end(&mut bytes)?;
    } else {
        std::fs::File::open(path)?.take(LARGEST_BLOB + 1).read_to_end(&mut bytes)?;
    }
    if bytes.len() as u64 > LARGEST_BLOB {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it is larger than {LARGEST_BLOB} bytes")));
    }
    Ok(bytes)
}
