//! The graph file: a [`Graph`] in TOML. Its keys are described in `docs/graph-file.md`.
//!
//! A file is read in three steps, each with the place of everything it handles: TOML to values (`reader`), values to
//! filters as written (`draft`), and these, checked against each other, to a graph (`document`). Everything that is
//! wrong with a file is reported at once, with its place.

mod blob;
mod connect;
mod document;
mod draft;
mod error;
mod item;
pub mod keys;
mod memory;
mod pin;
mod places;
mod reader;
mod run;
mod suggest;
mod text;

pub use crate::finding::Span;
pub use error::{GraphFileError, GraphFileErrors};
pub use places::{KeyPlace, KeyPlaces};
pub use text::FileText;

use super::{Connection, FilterId, Graph, PinId, Route};
use crate::finding::Finding;
use document::Document;
use reader::{Problem, Reader};
use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use toml::de::DeTable;

/// The largest graph file that is read, in bytes. A graph of 100,000 pins is about a tenth of it.
pub const LARGEST_FILE: u64 = 256 << 20;

/// A graph with the file it was read from: later stages point into the file with its spans.
///
/// ```
/// use kspipe::graph::file::GraphFile;
/// use std::path::Path;
///
/// let text = r#"
/// connections = ["camera.capture -> viewer.in"]
/// filter.camera.pin.capture = { direction = "out", framing = [{ frames = 4, size = 153600 }] }
/// filter.viewer.pin.in = { direction = "in", holds = 2 }
/// "#;
/// let file = GraphFile::parse("example.toml", text, Path::new(""))?;
/// let capture = file.graph.find_pin("camera.capture").expect("it is in the file");
/// assert_eq!(file.graph.pin(capture).items()[0].frames, 4);
/// let span = file.pin_span(capture).expect("every pin has a place");
/// assert_eq!(file.position(span), (3, 19));
///
/// let errors = GraphFile::parse("example.toml", &text.replace("frames", "farmes"), Path::new("")).unwrap_err();
/// let error = errors.iter().next().expect("at least one");
/// assert_eq!((error.position(), error.help()), (Some((3, 63)), Some("did you mean `frames`?")));
/// # Ok::<(), kspipe::graph::file::GraphFileErrors>(())
/// ```
#[derive(Clone, Debug)]
pub struct GraphFile {
    /// The graph.
    pub graph: Graph,
    source: FileText,
    /// `None`: as `source` has it.
    written: Option<String>,
    base: PathBuf,
    filters: Vec<Span>,
    pins: Vec<PinPlace>,
    connections: BTreeMap<Connection, Span>,
    routes: BTreeMap<Route, Span>,
    findings: Vec<Finding>,
}

#[derive(Clone, Debug)]
struct PinPlace {
    key: Span,
    items: Vec<Span>,
}

impl GraphFile {
    /// Reads a graph file; `-` reads standard input. Relative paths in it are relative to the file's directory, or to
    /// the current one for standard input.
    ///
    /// # Errors
    /// Everything that is wrong with the file, or that it cannot be read ([`GraphFileErrors::io_error`]).
    pub fn read(path: &Path) -> Result<GraphFile, GraphFileErrors> {
        let name = path.display().to_string();
        let standard_input = path.as_os_str() == "-";
        let bytes = if standard_input {
            read_limited(io::stdin().lock())
        } else {
            std::fs::File::open(path).and_then(read_limited)
        };
        let bytes = bytes.map_err(|error| GraphFileErrors::unreadable(&name, error))?;
        let base = if standard_input { Path::new("") } else { path.parent().unwrap_or(Path::new("")) };
        GraphFile::parse_bytes(&name, &bytes, base)
    }

    /// Reads the bytes of a graph file, which are to be UTF-8; else as [`parse`](Self::parse).
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn parse_bytes(name: &str, bytes: &[u8], base: &Path) -> Result<GraphFile, GraphFileErrors> {
        match std::str::from_utf8(bytes) {
            Ok(text) => GraphFile::parse(name, text, base),
            Err(error) => Err(not_utf8(name, bytes, error)),
        }
    }

    /// Reads the text of a graph file. `name` is for messages; relative paths in the file are relative to `base`, the
    /// file's own directory.
    ///
    /// # Errors
    /// Everything that is wrong with the text.
    pub fn parse(name: &str, text: &str, base: &Path) -> Result<GraphFile, GraphFileErrors> {
        let source = FileText::new(name, printable(text));
        let mut reader = Reader::new(text);
        let (table, errors) = DeTable::parse_recoverable(text);
        if !errors.is_empty() {
            syntax_errors(&mut reader, &errors);
        } else if let Some(mut file) =
            Document::read(&mut reader, text, &table, base, name == "-").build(&mut reader, &source, base)
        {
            file.written = (file.text() != text).then(|| text.to_owned());
            return Ok(file);
        }
        // Where nothing was reported there was a graph.
        Err(reader
            .into_errors(&source)
            .unwrap_or_else(|| GraphFileErrors::unreadable(name, io::Error::other("it is not a graph"))))
    }

    /// The file's name as it was given, for messages.
    pub fn name(&self) -> &str {
        self.source.name()
    }
    /// The file's text, with dots in place of control characters.
    pub fn text(&self) -> &str {
        self.source.text()
    }
    /// The file's text as it was read, for another process that reads the same graph.
    pub fn text_as_written(&self) -> &str {
        self.written.as_deref().unwrap_or(self.text())
    }
    /// The file's name and text, as diagnostics want them.
    pub fn source(&self) -> &FileText {
        &self.source
    }
    /// The directory that relative paths in the file are relative to.
    pub fn base(&self) -> &Path {
        &self.base
    }
    /// Line and column of a place in the file, both from 1; columns count characters.
    pub fn position(&self, span: Span) -> (usize, usize) {
        span.position(self.text())
    }
    /// Where a filter is named first.
    pub fn filter_span(&self, filter: FilterId) -> Option<Span> {
        self.filters.get(filter.index()).copied()
    }
    /// Where a pin is named: its key.
    pub fn pin_span(&self, pin: PinId) -> Option<Span> {
        self.pins.get(pin.index()).map(|place| place.key)
    }
    /// Where an item of a pin stands, by its place in [`Pin::items`](super::Pin::items); the items of a blob have the
    /// place of the blob's name.
    pub fn item_span(&self, pin: PinId, item: usize) -> Option<Span> {
        self.pins.get(pin.index())?.items.get(item).copied()
    }
    /// Where a connection is stated.
    pub fn connection_span(&self, connection: Connection) -> Option<Span> {
        self.connections.get(&connection).copied()
    }
    /// Where a route is stated; `None` for one that a filter has by itself.
    pub fn route_span(&self, route: Route) -> Option<Span> {
        self.routes.get(&route).copied()
    }
    /// What the file's writer should know, though nothing is wrong, in the order of the text.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }
}

fn read_limited(file: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(LARGEST_FILE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it is larger than {LARGEST_FILE} bytes")));
    }
    Ok(bytes)
}

fn not_utf8(name: &str, bytes: &[u8], error: std::str::Utf8Error) -> GraphFileErrors {
    // Up to the bad byte the lossy text is the file's; there it has U+FFFD, three bytes long.
    let text = String::from_utf8_lossy(bytes);
    let start = error.valid_up_to();
    let mut reader = Reader::new("");
    let byte = bytes.get(start).copied().unwrap_or_default();
    reader.report(|| {
        let message = format!("a graph file is UTF-8 text; byte {start} (0x{byte:02X}) is not");
        Problem::new(Span { start, end: start + char::REPLACEMENT_CHARACTER.len_utf8() }, message, "not UTF-8")
            .help("save the file as UTF-8")
    });
    let source = FileText::new(name, printable(&text));
    reader.into_errors(&source).unwrap_or_else(|| GraphFileErrors::unreadable(name, io::ErrorKind::InvalidData.into()))
}

/// The text with other letters for what would work on a terminal instead of being shown on it. Every place stays where it is.
fn printable(text: &str) -> String {
    let shown = |character: char| match character {
        '\n' | '\r' | '\t' => character,
        '\0'..='\x1f' | '\x7f' => '.',
        // Two bytes in UTF-8, and so is the dot.
        '\u{80}'..='\u{9f}' => '\u{b7}',
        // Marks that nobody sees, some of which turn the direction of what follows: three bytes, as is this.
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' => char::REPLACEMENT_CHARACTER,
        _ => character,
    };
    text.chars().map(shown).collect()
}

/// TOML's own errors. After one the parser goes on by guessing, so of those on one line only the first is sure.
fn syntax_errors(reader: &mut Reader<'_>, errors: &[toml::de::Error]) {
    let mut last: Option<Span> = None;
    for error in errors {
        let span = Span::from(error.span().unwrap_or(0..0));
        if last.replace(span).is_some_and(|last| reader.same_line(last, span)) {
            continue;
        }
        let (what, expected) = match error.message().split_once(", expected ") {
            Some((what, expected)) => (what, format!("expected {expected}")),
            None if error.message() == "duplicate key" => ("a key that stands twice", "here again".to_owned()),
            None => (error.message(), "this is not TOML".to_owned()),
        };
        reader.report(|| Problem::new(span, format!("not valid TOML: {what}"), expected));
    }
}
