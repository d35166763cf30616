//! What is checked: files of several kinds, each read by the reader of its kind.

use super::source;
use crate::failure::Failure;
use crate::sources;
use kspipe::check::{check_blob, check_graph_file, graph_file_findings};
use kspipe::finding::{Finding, Span};
use kspipe::graph::file::{GraphFile, LARGEST_FILE};
use kspipe::stream;
use kspipe_source::LARGEST_SOURCE;
use std::collections::HashSet;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The largest blob that is read: more than any driver's answer by orders of magnitude.
const LARGEST_BLOB: usize = 1 << 20;

/// What sources have that declare a framing, or use one.
const DECLARING: [&str; 3] = ["DECLARE_SIMPLE_FRAMING_EX", "KSALLOCATOR_FRAMING", "KSPIN_DESCRIPTOR_EX"];

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

    /// By the name's end, else by the content: bytes that are no text are a framing, and text in which a framing is
    /// declared is a source.
    fn of(path: &Path, bytes: &[u8]) -> Kind {
        let extension = path.extension().and_then(|extension| extension.to_str()).map(str::to_ascii_lowercase);
        match extension.as_deref() {
            Some("toml") => Kind::Graph,
            Some("bin") => Kind::Framing,
            _ => match std::str::from_utf8(bytes) {
                Ok(text) if !bytes.contains(&0) => {
                    // Of a graph these words are in comments at most.
                    let mut lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
                    let declares = lines.any(|line| DECLARING.iter().any(|word| line.contains(word)));
                    if declares { Kind::Source } else { Kind::Graph }
                }
                _ => Kind::Framing,
            },
        }
    }
}

/// What a checked file holds.
#[derive(Clone, Debug)]
pub(super) enum Content {
    /// Findings point at lines and columns.
    Text(Text),
    /// Bytes; findings point at offsets.
    Bytes(Vec<u8>),
}

/// A text whose lines are found quickly: a large file may have many findings.
#[derive(Clone, Debug)]
pub(super) struct Text {
    text: Arc<str>,
    /// Where each line starts.
    starts: Vec<usize>,
}

impl Text {
    pub(super) fn new(text: impl Into<Arc<str>>) -> Self {
        let text: Arc<str> = text.into();
        let after_newlines = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(place, _)| place + 1);
        let starts = std::iter::once(0).chain(after_newlines).collect();
        Text { text, starts }
    }

    /// All of it.
    pub(super) fn whole(&self) -> &str {
        &self.text
    }

    /// A line by its number from 1, without its end.
    pub(super) fn line(&self, number: usize) -> &str {
        let Some(start) = number.checked_sub(1).and_then(|index| self.starts.get(index)) else { return "" };
        self.text.get(*start..).and_then(|rest| rest.lines().next()).unwrap_or_default()
    }

    /// Line and column of both ends of a span, from 1, columns in characters; the second is the place after the last one.
    pub(super) fn ends(&self, span: Span) -> [(usize, usize); 2] {
        [self.position(span.start), self.position(span.end)]
    }

    fn position(&self, offset: usize) -> (usize, usize) {
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = self.starts[line - 1];
        let before = self.text.as_bytes().get(start..offset.min(self.text.len())).unwrap_or_default();
        // A character's first byte is not a continuation byte (10xxxxxx).
        (line, before.iter().filter(|byte| **byte & 0xC0 != 0x80).count() + 1)
    }
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
    let (mut files, mut failures) = (Vec::new(), Vec::new());
    let mut texts: Vec<(String, Vec<u8>)> = Vec::new();
    let mut seen = HashSet::new();
    for path in paths {
        let found = if path.is_dir() { of_directory(path) } else { Ok(vec![path.clone()]) };
        for path in found.unwrap_or_else(|failure| {
            failures.push(failure);
            Vec::new()
        }) {
            // One file may be given twice, by two names, or by its directory too.
            if !seen.insert(fs::canonicalize(&path).unwrap_or_else(|_| path.clone())) {
                continue;
            }
            match read(&path) {
                Ok(Read::Checked(file)) => files.push(*file),
                Ok(Read::Source(bytes)) => texts.push((path.display().to_string(), bytes)),
                Err(failure) => failures.push(failure),
            }
        }
    }
    files.extend(source::check(&texts, includes));
    (files, failures)
}

/// The sources in a directory.
fn of_directory(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    match sources::in_directory(path) {
        Ok(found) if found.is_empty() => {
            let error = io::Error::new(io::ErrorKind::NotFound, "there are no sources of C or C++ in it");
            Err(Failure::file("check the directory", path, error))
        }
        found => found.map_err(|error| Failure::file("read the directory", path, error)),
    }
}

/// A file that was read.
enum Read {
    /// It stands for itself, and was checked.
    Checked(Box<CheckedFile>),
    /// It is to be checked together with other sources.
    Source(Vec<u8>),
}

/// Reads a file, and checks it if it is a graph or a framing. What is wrong with its content is a finding; that it
/// cannot be read is a failure.
fn read(path: &Path) -> Result<Read, Failure> {
    let unreadable = |error| Failure::file("read", path, error);
    if sources::is_source(path) {
        return sources::bytes(path).map(Read::Source).map_err(unreadable);
    }
    let bytes = read_bytes(path).map_err(unreadable)?;
    let name = path.display().to_string();
    let kind = Kind::of(path, &bytes);
    Ok(Read::Checked(Box::new(match kind {
        Kind::Source if bytes.len() > LARGEST_SOURCE => {
            let error =
                io::Error::new(io::ErrorKind::FileTooLarge, format!("it is larger than {LARGEST_SOURCE} bytes"));
            return Err(unreadable(error));
        }
        Kind::Source => return Ok(Read::Source(bytes)),
        Kind::Graph => {
            let (text, findings) = graph(&name, path, &bytes);
            CheckedFile { name, kind, content: Content::Text(Text::new(text)), findings }
        }
        Kind::Framing if bytes.len() > LARGEST_BLOB => {
            let error = io::Error::new(io::ErrorKind::FileTooLarge, format!("it is larger than {LARGEST_BLOB} bytes"));
            return Err(unreadable(error));
        }
        Kind::Framing => {
            let mut findings = check_blob(&name, &bytes);
            // The file is the pin: saying its name twice tells nothing.
            findings.iter_mut().for_each(|finding| finding.subject.pin = None);
            CheckedFile { name, kind, content: Content::Bytes(bytes), findings }
        }
    })))
}

fn graph(name: &str, path: &Path, bytes: &[u8]) -> (String, Vec<Finding>) {
    let base = if path == Path::new("-") { Path::new("") } else { path.parent().unwrap_or(Path::new("")) };
    match GraphFile::parse_bytes(name, bytes, base) {
        Ok(mut file) => {
            // Formats that media state in their headers count; where a file is missing, less is known.
            stream::probe_formats(&mut file.graph);
            (file.text().to_owned(), check_graph_file(&file))
        }
        Err(errors) => (errors.text().to_owned(), graph_file_findings(&errors)),
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
    fn places_are_those_that_spans_have() {
        let written = "a\n\nüx\r\nlast";
        let text = Text::new(written);
        for (start, _) in written.char_indices().chain([(written.len(), ' ')]) {
            let span = Span { start, end: start };
            assert_eq!(text.ends(span)[0], span.position(written), "byte {start}");
        }
        assert_eq!([1, 2, 3, 4, 5].map(|line| text.line(line)), ["a", "", "üx", "last", ""]);
        assert_eq!(text.ends(Span { start: 900, end: 1000 })[0].0, 4);
    }

    #[test]
    fn a_file_is_what_its_name_says_or_its_bytes_are() {
        let kind = |name: &str, bytes: &[u8]| Kind::of(Path::new(name), bytes);
        assert_eq!(kind("a.toml", &[0; 24]), Kind::Graph);
        assert_eq!(kind("a.BIN", b"text"), Kind::Framing);
        assert_eq!(kind("-", &[0; 24]), Kind::Framing);
        assert_eq!(kind("-", b"[filter.a]"), Kind::Graph);
        assert_eq!(kind("-", b"# of KSALLOCATOR_FRAMING\n[filter.a]"), Kind::Graph);
        assert_eq!(kind("-", b"#include <ks.h>\n KSALLOCATOR_FRAMING A = { 2 };"), Kind::Source);
        assert_eq!(kind("driver.txt", b"DECLARE_SIMPLE_FRAMING_EX("), Kind::Source);
        assert_eq!(kind("dump", &[0xFF; 24]), Kind::Framing);
    }
}
