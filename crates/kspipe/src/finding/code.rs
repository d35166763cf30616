//! A code: one kind of finding, explained.

use std::fmt;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing; nothing need be done.
    Note,
    /// Probably not what was meant, or not what will happen.
    Warning,
    /// Surely wrong.
    Error,
}

impl Severity {
    /// The word that reports use: `note`, `warning`, `error`.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What has to be looked at to find it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// A plan: what negotiation made of the graph.
    Plan,
    /// A framing by itself: a blob's, a graph file's or a driver source's.
    Framing,
    /// A pin among its filter, its routes and its neighbours.
    Graph,
    /// A file: whether it can be read as what it is.
    File,
    /// A driver's source.
    Source,
}

impl Topic {
    /// Every topic, in the order of the documentation, with its heading.
    pub const ALL: [(Topic, &'static str); 5] = [
        (Topic::Framing, "A framing by itself"),
        (Topic::Graph, "A pin in its graph"),
        (Topic::Plan, "The plan of a graph"),
        (Topic::Source, "A driver's source"),
        (Topic::File, "A file"),
    ];
}

/// What a code rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reference {
    /// What it is called: a page's title, a rule of `docs/negotiation.md`, a report.
    pub title: &'static str,
    /// Where it can be read; `None` for what has no address.
    pub address: Option<&'static str>,
}

/// One kind of finding. A code keeps its meaning for ever and is never used for another.
#[derive(Clone, PartialEq, Eq)]
pub struct Code {
    /// `KS001` and so on.
    pub code: &'static str,
    /// A name for people, of small letters and hyphens: `alignment-as-count`.
    pub name: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What has to be looked at to find it.
    pub topic: Topic,
    /// What it stands for, in one line without a full stop.
    pub title: &'static str,
    /// Why it matters and what KSProxy or AVStream does: paragraphs of plain text, separated by an empty line.
    pub explanation: &'static str,
    /// Something that has it, and why; lines of code.
    pub example: &'static str,
    /// What to do about it, where there is one answer.
    pub fix: Option<&'static str>,
    /// What it rests on, at least one thing.
    pub references: &'static [Reference],
    /// KSProxy is documented to do something else than kspipe here.
    pub ksproxy_differs: bool,
}

impl Code {
    /// Where the code is documented.
    pub fn address(&self) -> String {
        format!("{PAGE}#{}", self.code.to_ascii_lowercase())
    }
}

/// The page of all codes.
const PAGE: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/docs/checks.md");

impl fmt::Debug for Code {
    /// The number alone: its texts are the same for every finding.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code)
    }
}
