//! Why a value is not known.

use crate::text::Place;
use std::fmt;

/// What kind of reason there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// A name that none of the files defines: another file does.
    Undefined,
    /// A name that means different things, by conditions of the preprocessor or by where it stands.
    Ambiguous,
    /// Only the running driver knows it.
    AtRunTime,
    /// What this reader does not read: fractions, templates, what is nested too deeply.
    NotRead,
    /// It has no value: a compiler refuses it, or may make of it what it likes.
    Wrong,
}

/// Why a value is not known from the sources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// The name or expression that is to blame.
    pub place: Place,
    /// What is not known of it, as a clause: "`FRAMES` is no constant in these files".
    pub because: String,
    /// What kind of reason that is.
    pub cause: Cause,
}

impl Unknown {
    pub(crate) fn new(cause: Cause, place: Place, because: impl Into<String>) -> Self {
        Self { place, because: because.into(), cause }
    }
}

/// The same before it has a place.
#[derive(Clone, Debug)]
pub(crate) struct Reason {
    because: String,
    cause: Cause,
}

impl Reason {
    pub(crate) fn new(cause: Cause, because: impl Into<String>) -> Self {
        Self { because: because.into(), cause }
    }

    pub(crate) fn at(self, place: Place) -> Unknown {
        Unknown { place, because: self.because, cause: self.cause }
    }
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.because)
    }
}
