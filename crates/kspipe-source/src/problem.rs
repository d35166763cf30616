//! What a source's reader should be told beside the framings.

use crate::text::Place;

/// What kind of thing it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProblemKind {
    /// A member's value is not known from the sources.
    NotEvaluated,
    /// A member's expression is wrong in itself: it has no value whatever files are given.
    NoValue,
    /// Arithmetic, or a member, has too few bits for a value.
    Overflow,
    /// A declaration could not be read, or not all of it.
    NotUnderstood,
    /// A declaration is compiled in several ways; each was read.
    Conditional,
    /// `CountItems` is not the number of items that are there.
    ItemCount,
    /// Nothing in these sources uses the framing.
    NeverUsed,
}

/// Something to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What kind of thing it is.
    pub kind: ProblemKind,
    /// Where.
    pub place: Place,
    /// The framing it concerns, where it concerns one.
    pub framing: Option<String>,
    /// The framing item the member belongs to, from 0.
    pub item: Option<usize>,
    /// The header's name of the member it concerns, where it concerns one.
    pub member: Option<&'static str>,
    /// What is so.
    pub message: String,
    /// What to do about it.
    pub help: String,
}
