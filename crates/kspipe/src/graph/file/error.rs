//! What is wrong with a graph file, and where.

use super::FileText;
use crate::finding::{Code, Span, codes};
use miette::{Diagnostic, LabeledSpan, SourceCode};
use std::fmt;
use std::io;
use std::sync::Arc;

/// One thing that is wrong with a graph file: what, where, what was expected and what would fix it.
#[derive(Clone, Debug)]
pub struct GraphFileError {
    pub(super) source: FileText,
    pub(super) message: String,
    /// `None` where the file could not be read at all.
    pub(super) span: Option<Span>,
    pub(super) label: String,
    pub(super) notes: Vec<(Span, String)>,
    pub(super) help: Option<String>,
    pub(super) code: &'static Code,
}

impl GraphFileError {
    /// What is wrong, in a sentence without its place.
    pub fn message(&self) -> &str {
        &self.message
    }
    /// The offending text; `None` where the file could not be read at all.
    pub fn span(&self) -> Option<Span> {
        self.span
    }
    /// What is said beside the offending text: mostly what was expected there.
    pub fn label(&self) -> &str {
        &self.label
    }
    /// What would fix it, where that is known: often the nearest known name.
    pub fn help(&self) -> Option<&str> {
        self.help.as_deref()
    }
    /// Other places that have to do with it, each with what it has to do with it.
    pub fn notes(&self) -> impl Iterator<Item = (Span, &str)> {
        self.notes.iter().map(|(span, note)| (*span, note.as_str()))
    }
    /// The kind of finding it is.
    pub fn code(&self) -> &'static Code {
        self.code
    }
    /// Line and column of the offending text, both from 1.
    pub fn position(&self) -> Option<(usize, usize)> {
        self.span.map(|span| span.position(self.source.text()))
    }
}

impl fmt::Display for GraphFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for GraphFileError {}

impl Diagnostic for GraphFileError {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }
    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.span.map(|_| &self.source as &dyn SourceCode)
    }
    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = self.span?;
        let place = |span| self.source.shown(span);
        let first = LabeledSpan::new_primary_with_span(Some(self.label.clone()), place(span));
        let notes =
            self.notes.iter().map(move |(span, note)| LabeledSpan::new_with_span(Some(note.clone()), place(*span)));
        Some(Box::new(std::iter::once(first).chain(notes)))
    }
}

/// Everything that is wrong with a graph file, in the order of the text; at least one error.
///
/// As a [`Diagnostic`] it is the error itself where there is one, else a heading with the errors as related ones.
#[derive(Clone, Debug)]
pub struct GraphFileErrors(Box<Errors>);

#[derive(Clone, Debug)]
struct Errors {
    name: String,
    first: GraphFileError,
    others: Vec<GraphFileError>,
    unlisted: usize,
    io: Option<Arc<io::Error>>,
}

impl GraphFileErrors {
    /// `unlisted`: how many errors are not in the list, because it was long enough.
    pub(super) fn new(first: GraphFileError, others: Vec<GraphFileError>, unlisted: usize) -> Self {
        let name = first.source.name().to_owned();
        GraphFileErrors(Box::new(Errors { name, first, others, unlisted, io: None }))
    }

    pub(super) fn unreadable(name: &str, error: io::Error) -> Self {
        let first = GraphFileError {
            source: FileText::new(name, String::new()),
            message: format!("cannot read the graph file `{name}`: {error}"),
            span: None,
            label: String::new(),
            notes: Vec::new(),
            help: None,
            code: &codes::NOT_READABLE,
        };
        let io = Some(Arc::new(error));
        GraphFileErrors(Box::new(Errors { name: name.to_owned(), first, others: Vec::new(), unlisted: 0, io }))
    }

    /// The file's name as it was given; `-` is standard input.
    pub fn name(&self) -> &str {
        &self.0.name
    }
    /// The file's text, with dots in place of control characters; empty where it could not be read.
    pub fn text(&self) -> &str {
        self.0.first.source.text()
    }
    /// The errors, in the order of the text. At most 100 are listed; [`count`](Self::count) counts all.
    pub fn iter(&self) -> impl Iterator<Item = &GraphFileError> {
        std::iter::once(&self.0.first).chain(&self.0.others)
    }
    /// How many errors there are, at least 1.
    pub fn count(&self) -> usize {
        1 + self.0.others.len() + self.0.unlisted
    }
    /// The operating system's error where the file could not be read at all: a system failure, not the graph's fault.
    pub fn io_error(&self) -> Option<&io::Error> {
        self.0.io.as_deref()
    }
    fn only(&self) -> Option<&GraphFileError> {
        (self.count() == 1).then_some(&self.0.first)
    }
}

impl fmt::Display for GraphFileErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.only() {
            Some(error) => error.fmt(f),
            None => write!(f, "{} errors in the graph file `{}`", self.count(), self.name()),
        }
    }
}

impl std::error::Error for GraphFileErrors {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        None
    }
}

impl Diagnostic for GraphFileErrors {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        match self.only() {
            Some(error) => Diagnostic::help(error),
            None if self.0.unlisted > 0 => Some(Box::new(format!("{} more errors are not listed", self.0.unlisted))),
            None => None,
        }
    }
    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.only().and_then(Diagnostic::source_code)
    }
    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.only().and_then(Diagnostic::labels)
    }
    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        match self.only() {
            Some(_) => None,
            None => Some(Box::new(self.iter().map(|error| error as &dyn Diagnostic))),
        }
    }
}
