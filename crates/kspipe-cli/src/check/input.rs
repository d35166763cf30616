//! What is checked: files of several kinds, each read by the reader of its kind.

use super::source;
use crate::failure::Failure;
use crate::sources;
use kspipe::check::{check_blob, check_graph_file, graph_file_findings};
use kspipe::finding::Finding;
use kspipe::graph::file::{GraphFile, LARGEST_FILE};
use kspipe::stream;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a file is read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A graph file.
    Graph,
    /// A pin's binary answer.
    Framing,
    /// A driver's source.
    Source,
}

impl Kind {
    /// The word for it in reports.
    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::Graph => "graph",
            Kind::Framing => "framing",
            Kind::Source => "source",
        }
    }

    /// By the name's end, else by the content: bytes that are no text are a framing.
    fn of(path: &Path, bytes: &[u8]) -> Kind {
        let extension = path.extension().and_then(|extension| extension.to_str()).map(str::to_ascii_lowercase);
        match extension.as_deref() {
            Some("toml") => Kind::Graph,
            Some("bin") => Kind::Framing,
            _ if bytes.contains(&0) || std::str::from_utf8(bytes).is_err() => Kind::Framing,
            _ => Kind::Graph,
        }
    }
}

/// What a checked file holds.
#[derive(Clone, Debug)]
pub(super) enum Content {
    /// Text; findings point at lines and columns.
    Text(Arc<str>),
    /// Bytes; findings point at offsets.
    Bytes(Arc<[u8]>),
}

/// A file that was read and checked.
#[derive(Debug)]
pub(super) struct CheckedFile {
    /// As it was given.
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) content: Content,
    pub(super) findings: Vec<Finding>,
}

/// Reads and checks files, and the sources in directories: what was checked, and what could not be read. Sources are
/// read together, because what one declares another edits or uses.
pub(super) fn read_all(paths: &[PathBuf], includes: &[PathBuf]) -> (Vec<CheckedFile>, Vec<Failure>) {
    let (mut files, mut failures, mut of_sources) = (Vec::new(), Vec::new(), Vec::new());
    for path in paths {
        let found = if path.is_dir() {
            sources::in_directory(path).map_err(|error| Failure::file("read the directory", path, error))
        } else if sources::is_source(path) {
            Ok(vec![path.clone()])
        } else {
            read(path).map(|file| {
                files.push(file);
                Vec::new()
            })
        };
        match found {
            Ok(found) => of_sources.extend(found),
            Err(failure) => failures.push(failure),
        }
    }
    let mut texts: Vec<(String, Vec<u8>)> = Vec::new();
    for path in of_sources {
        let name = path.display().to_string();
        match sources::bytes(&path) {
            Ok(_) if texts.iter().any(|(known, _)| *known == name) => {}
            Ok(bytes) => texts.push((name, bytes)),
            Err(error) => failures.push(Failure::file("read", &path, error)),
        }
    }
    files.extend(source::check(&texts, includes));
    (files, failures)
}

/// Reads and checks a graph or a framing. What is wrong with its content is a finding; that it cannot be read is a failure.
fn read(path: &Path) -> Result<CheckedFile, Failure> {
    let bytes = read_bytes(path).map_err(|error| Failure::file("read", path, error))?;
    let name = path.display().to_string();
    let kind = Kind::of(path, &bytes);
    Ok(match kind {
        Kind::Graph | Kind::Source => {
            let (text, findings) = graph(&name, path, &bytes);
            CheckedFile { name, kind, content: Content::Text(text), findings }
        }
        Kind::Framing => {
            let mut findings = check_blob(&name, &bytes);
            // The file is the pin: saying its name twice tells nothing.
            findings.iter_mut().for_each(|finding| finding.subject.pin = None);
            CheckedFile { name, kind, content: Content::Bytes(bytes.into()), findings }
        }
    })
}

fn graph(name: &str, path: &Path, bytes: &[u8]) -> (Arc<str>, Vec<Finding>) {
    let base = if path == Path::new("-") { Path::new("") } else { path.parent().unwrap_or(Path::new("")) };
    match GraphFile::parse_bytes(name, bytes, base) {
        Ok(mut file) => {
            // Formats that media state in their headers count; where a file is missing, less is known.
            stream::probe_formats(&mut file.graph);
            (Arc::from(file.text()), check_graph_file(&file))
        }
        Err(errors) => (Arc::from(errors.text()), graph_file_findings(&errors)),
    }
}

fn read_bytes(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if path == Path::new("-") {
        io::stdin().lock().take(LARGEST_FILE + 1).read_to_end(&mut bytes)?;
    } else {
        std::fs::File::open(path)?.take(LARGEST_FILE + 1).read_to_end(&mut bytes)?;
    }
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it is larger than {LARGEST_FILE} bytes")));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_what_its_name_says_or_its_bytes_are() {
        let kind = |name: &str, bytes: &[u8]| Kind::of(Path::new(name), bytes);
        assert_eq!(kind("a.toml", &[0; 24]), Kind::Graph);
        assert_eq!(kind("a.BIN", b"text"), Kind::Framing);
        assert_eq!(kind("-", &[0; 24]), Kind::Framing);
        assert_eq!(kind("-", b"[filter.a]"), Kind::Graph);
        assert_eq!(kind("dump", &[0xFF; 24]), Kind::Framing);
    }
}
