//! A graph while it is served: looked at, stopped when its time is over, and what to say of it at the end.

use super::status::model::{Event, Status};
use crate::progress::ProgressLine;
use crate::run::REDRAW;
use crate::{output, units};
use kspipe_session::ServerControl;
use std::fmt::Write;
use std::io::{IsTerminal, stderr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Looks at a server from time to time, where there is a reason to.
pub(super) struct Follower {
    control: ServerControl,
    line: Option<ProgressLine>,
    /// The graph stops so long after it began.
    duration: Option<Duration>,
}

impl Follower {
    /// With a line on standard error, if that is a terminal and nobody asked for quiet.
    pub(super) fn new(control: ServerControl, duration: Option<Duration>, quiet: bool) -> Self {
        let line = (!quiet && stderr().is_terminal()).then(ProgressLine::new);
        Self { control, line, duration }
    }

    /// When to look next; `None`: never.
    pub(super) fn next_look(&self) -> Option<Duration> {
        (self.line.is_some() || self.duration.is_some()).then_some(REDRAW)
    }

    /// Looks: draws the line, and stops what has lasted long enough.
    pub(super) fn look(&mut self) {
        if let Some(line) = &self.line {
            super::progress::show(line, &self.control);
        }
        let Some(duration) = self.duration else { return };
        let status = Status::read(&self.control.status()).unwrap_or_default();
        let lasted = status.begun_ms.map(|begun| Duration::from_millis(status.up_ms.saturating_sub(begun)));
        if lasted.is_some_and(|lasted| lasted >= duration) {
            self.control.stop();
            self.duration = None;
        }
    }

    /// Says something while the line is away.
    pub(super) fn aside(&self, say: impl FnOnce()) {
        match &self.line {
            Some(line) => line.aside(say),
            None => say(),
        }
    }

    /// Takes the line away.
    pub(super) fn finish(&mut self) {
        if let Some(line) = self.line.take() {
            line.end();
        }
    }
}

/// What Ctrl-C does while a graph is served: the first ends the sources, the second ends at once.
pub(super) fn stops(control: ServerControl, is_quiet: bool) -> impl Fn() + Send + 'static {
    let was_told = AtomicBool::new(is_quiet);
    move || {
        control.stop();
        if !was_told.swap(true, Ordering::Relaxed) {
            output::tell("stopping, and delivering what is on its way; once more ends at once\n");
        }
    }
}

/// Who had part in the graph, a line each, and who did not leave in order.
pub(super) fn ending_text(status: &Status) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    for filter in &status.filters {
        let _ = writeln!(
            text,
            "  {}: {}, {}, {}",
            filter.name,
            units::counted(filter.joins, "join"),
            units::counted(filter.leaves, "leave"),
            units::counted(filter.deaths, "death"),
        );
    }
    text.replace('\u{a0}', " ") + &misfortunes(status)
}

/// Who died, hung up or left with frames, a line each.
pub(super) fn misfortunes(status: &Status) -> String {
    let told = status.events.iter().filter(|event| is_worth_telling(event));
    told.map(|event| format!("  {}\n", event.describe())).collect()
}

fn is_worth_telling(event: &Event) -> bool {
    event.what != "joined" && (event.what != "left" || event.frames_recovered > 0)
}
