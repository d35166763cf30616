//! A server's status, read. What it tells is another process's word: texts are printable, and numbers are only numbers.

use super::super::text::printable_value;
use kspipe::allocator::shared;
use serde::Deserialize;
use serde_json::Value;

/// Who has which frame since when, and what happened: `docs/sessions.md`. Members that are not there are as if nothing were
/// to tell; others are left alone.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(in crate::session) struct Status {
    pub(in crate::session) up_ms: u64,
    pub(in crate::session) begun_ms: Option<u64>,
    pub(in crate::session) stopping: bool,
    pub(in crate::session) filters: Vec<Filter>,
    pub(in crate::session) pipes: Vec<Pipe>,
    pub(in crate::session) warnings: Vec<Warning>,
    pub(in crate::session) events: Vec<Event>,
}

/// A filter outside.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(in crate::session) struct Filter {
    pub(in crate::session) name: String,
    pub(in crate::session) state: String,
    pub(in crate::session) process: Option<i64>,
    pub(in crate::session) user: Option<u32>,
    pub(in crate::session) since_ms: Option<u64>,
    pub(in crate::session) mediated: bool,
    pub(in crate::session) joins: u64,
    pub(in crate::session) leaves: u64,
    pub(in crate::session) deaths: u64,
}

/// A pipe that processes share.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(in crate::session) struct Pipe {
    pub(in crate::session) id: u32,
    pub(in crate::session) frames: u64,
    pub(in crate::session) free: u64,
    pub(in crate::session) peak: u64,
    pub(in crate::session) holders: Vec<Holder>,
}

/// A pin that has frames of a pipe.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(in crate::session) struct Holder {
    pub(in crate::session) pin: String,
    pub(in crate::session) holder: u32,
    pub(in crate::session) filter: Option<String>,
    pub(in crate::session) admitted: bool,
    pub(in crate::session) held: Vec<Held>,
    pub(in crate::session) holds: Option<u64>,
    pub(in crate::session) overdraft: u64,
    pub(in crate::session) arriving: u64,
    pub(in crate::session) taken: u64,
    pub(in crate::session) waits: u64,
    pub(in crate::session) waiting: bool,
    pub(in crate::session) waiting_ms: Option<u64>,
}

/// A frame that somebody has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(in crate::session) struct Held {
    pub(in crate::session) frame: u64,
    pub(in crate::session) age_ms: u64,
}

/// Who keeps more than it holds.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(in crate::session) struct Warning {
    pub(in crate::session) message: String,
}

/// Something that happened to a filter outside.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(in crate::session) struct Event {
    pub(in crate::session) at_ms: u64,
    pub(in crate::session) filter: String,
    pub(in crate::session) process: i64,
    pub(in crate::session) what: String,
    pub(in crate::session) frames_recovered: u64,
    pub(in crate::session) frames_arrived: u64,
}

impl Status {
    /// Reads a status. `None` where it is none.
    pub(in crate::session) fn read(text: &str) -> Option<Self> {
        serde_json::from_value(value(text)?).ok()
    }

    /// How many of the filters outside have a process.
    pub(in crate::session) fn joined(&self) -> usize {
        self.filters.iter().filter(|filter| filter.state == "joined").count()
    }

    /// Frames that were acquired, over all shared pipes.
    pub(in crate::session) fn frames_sent(&self) -> u64 {
        let acquirers = self.pipes.iter().flat_map(|pipe| &pipe.holders).filter(|holder| holder.is_acquirer());
        acquirers.fold(0, |sum, holder| sum.saturating_add(holder.taken))
    }
}

impl Holder {
    /// It acquires new frames; others get them.
    pub(in crate::session) fn is_acquirer(&self) -> bool {
        shared::Holder::new(self.holder).is_some_and(|holder| !holder.is_in_pin())
    }

    /// How long it has the frame that it has longest, in milliseconds.
    pub(in crate::session) fn oldest_ms(&self) -> Option<u64> {
        self.held.iter().map(|held| held.age_ms).max()
    }
}

impl Event {
    /// What happened, in words.
    pub(in crate::session) fn describe(&self) -> String {
        let frames = |count: u64| crate::units::counted(count, "frame").replace('\u{a0}', " ");
        let mut text = format!("{} (process {}) {}", self.filter, self.process, self.what.replace('-', " "));
        if self.what == "died" || self.frames_recovered > 0 {
            text += &format!("; {} came home", frames(self.frames_recovered));
        }
        if self.frames_arrived > 0 {
            text += &format!(", {} on the way arrived", frames(self.frames_arrived));
        }
        text
    }
}

/// A status as JSON that can be shown. `None` where it is none of version 1.
pub(super) fn value(text: &str) -> Option<Value> {
    let value: Value = serde_json::from_str(text).ok()?;
    (value.get("version")? == 1).then(|| printable_value(value))
}
