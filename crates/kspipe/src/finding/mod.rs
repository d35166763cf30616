//! Findings: what kspipe has to say about a graph, a framing or a driver's source, each with a stable code.
//!
//! Reading, negotiation and [`check`](crate::check) all speak in [`Finding`]s, and every [`Code`] they use stands in
//! [`CODES`], with its explanation. `docs/checks.md` is made from it.

mod code;
pub mod codes;

pub use code::{Code, Reference, Severity, Topic};
pub use codes::{CODES, find_code};

use std::fmt;

/// A stretch of a file: bytes `start..end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The first byte, from 0.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

impl From<std::ops::Range<usize>> for Span {
    fn from(range: std::ops::Range<usize>) -> Self {
        Span { start: range.start, end: range.end }
    }
}

impl From<Span> for miette::SourceSpan {
    fn from(span: Span) -> Self {
        (span.start, span.end.saturating_sub(span.start)).into()
    }
}

impl Span {
    /// Line and column of the span's start in `text`, both from 1; columns count characters.
    pub fn position(self, text: &str) -> (usize, usize) {
        let before = &text.as_bytes()[..self.start.min(text.len())];
        let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        // A character's first byte is not a continuation byte (10xxxxxx).
        let column = before[line_start..].iter().filter(|byte| **byte & 0xC0 != 0x80).count() + 1;
        (line, column)
    }
}

/// What a finding is about. All of it left out: the file as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject {
    /// The pin, as `filter.pin`; in a driver's source the name of the framing's variable.
    pub pin: Option<String>,
    /// The framing item, from 0.
    pub item: Option<usize>,
    /// The member, by its name in ks.h: `PhysicalRange.Stepping`.
    pub member: Option<&'static str>,
}

impl Subject {
    /// A pin or framing as a whole.
    pub fn pin(name: impl Into<String>) -> Self {
        Subject { pin: Some(name.into()), item: None, member: None }
    }
    /// An item of it.
    #[must_use]
    pub fn item(self, item: usize) -> Self {
        Subject { item: Some(item), ..self }
    }
    /// A member of it.
    #[must_use]
    pub fn member(self, member: &'static str) -> Self {
        Subject { member: Some(member), ..self }
    }
}

impl fmt::Display for Subject {
    /// `camera.capture FramingItem[0].Frames`; nothing for the file as a whole.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.pin.as_deref().unwrap_or_default())?;
        if self.pin.is_some() && (self.item.is_some() || self.member.is_some()) {
            f.write_str(" ")?;
        }
        if let Some(item) = self.item {
            write!(f, "FramingItem[{item}]")?;
        }
        match (self.item, self.member) {
            (Some(_), Some(member)) => write!(f, ".{member}"),
            (None, Some(member)) => f.write_str(member),
            (_, None) => Ok(()),
        }
    }
}

/// A change that does away with a finding: another value for the member it is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fix {
    /// The value's place in the file; `None` where it has none, as in a blob, or the member is not written there.
    pub span: Option<Span>,
    /// What to write there.
    pub text: String,
}

/// Another place that has to do with a finding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Related {
    /// Where it is.
    pub span: Span,
    /// What it has to do with it.
    pub message: String,
}

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What kind of thing it is; its severity is the code's.
    pub code: &'static Code,
    /// What it is about.
    pub subject: Subject,
    /// What it is, in this case: a sentence without its subject's name.
    pub message: String,
    /// What to do about it, in this case.
    pub help: String,
    /// The change that would do it, where that is sure.
    pub fix: Option<Fix>,
    /// Where it is in the file, where it is at one place: in a text, or in a framing blob.
    pub span: Option<Span>,
    /// Other places that have to do with it.
    pub related: Vec<Related>,
}

impl Finding {
    /// A finding that has no place yet.
    pub fn new(code: &'static Code, subject: Subject, message: impl Into<String>, help: impl Into<String>) -> Self {
        Finding {
            code,
            subject,
            message: message.into(),
            help: help.into(),
            fix: None,
            span: None,
            related: Vec::new(),
        }
    }
    /// The finding at a place.
    #[must_use]
    pub fn at(self, span: Option<Span>) -> Self {
        Finding { span, ..self }
    }
    /// With a value for the member that does away with it.
    #[must_use]
    pub fn fixed_by(self, value: impl fmt::Display) -> Self {
        Finding { fix: Some(Fix { span: None, text: value.to_string() }), ..self }
    }
    /// How bad it is.
    pub fn severity(&self) -> Severity {
        self.code.severity
    }
}

impl fmt::Display for Finding {
    /// `KS045 camera.capture FramingItem[0].PhysicalRange.Stepping: ...`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { code, subject, message, .. } = self;
        let subject = subject.to_string();
        if subject.is_empty() { write!(f, "{code}: {message}") } else { write!(f, "{code} {subject}: {message}") }
    }
}
