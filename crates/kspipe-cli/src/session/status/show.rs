//! A status as text.

use super::model::{Filter, Holder, Status};
use crate::units;
use std::fmt::Write;
use std::time::Duration;

/// The status, for reading.
pub(in crate::session) fn text(status: &Status) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "up {}{}; {} of {} joined",
        milliseconds(status.up_ms),
        match status.begun_ms {
            _ if status.stopping => ", stopping",
            None => ", waits for all to join",
            Some(_) => "",
        },
        status.joined(),
        units::counted(status.filters.len() as u64, "filter"),
    );
    let name_width = status.filters.iter().map(|filter| filter.name.chars().count()).max().unwrap_or(0);
    for filter in &status.filters {
        let _ = writeln!(text, "  {:name_width$}  {}", filter.name, occupancy(filter));
    }
    for pipe in &status.pipes {
        let _ = writeln!(
            text,
            "pipe {}: {} of {} free, at most {} in use",
            pipe.id,
            units::grouped(pipe.free),
            units::counted(pipe.frames, "frame"),
            units::grouped(pipe.peak),
        );
        let pin_width = pipe.holders.iter().map(|holder| holder.pin.chars().count()).max().unwrap_or(0);
        for holder in &pipe.holders {
            let _ = writeln!(text, "  {:pin_width$}  {}", holder.pin, claims(holder));
        }
    }
    for warning in &status.warnings {
        let _ = writeln!(text, "warning: {}", warning.message);
    }
    for event in &status.events {
        let _ = writeln!(text, "{:>10}  {}", milliseconds(event.at_ms), event.describe());
    }
    text.replace('\u{a0}', " ")
}

/// Who has a filter.
fn occupancy(filter: &Filter) -> String {
    let mut text = filter.state.replace('-', " ");
    if let (Some(process), Some(user)) = (filter.process, filter.user) {
        text += &format!(", process {process} of user {user}");
        text += if filter.mediated { ", not trusted" } else { "" };
    }
    for (count, what) in [(filter.joins, "join"), (filter.leaves, "leave"), (filter.deaths, "death")] {
        if count > 0 {
            text += &format!(", {}", units::counted(count, what));
        }
    }
    text
}

/// What a pin has of a pipe.
fn claims(holder: &Holder) -> String {
    let verb = if holder.is_acquirer() { "acquired" } else { "took" };
    let mut text = format!("{verb} {}, has {}", units::grouped(holder.taken), units::grouped(holder.held.len() as u64));
    if let Some(holds) = holder.holds {
        text += &format!(" of {}", units::grouped(holds));
    }
    if let Some(oldest) = holder.oldest_ms() {
        text += &format!(", the oldest for {}", milliseconds(oldest));
    }
    if holder.arriving > 0 {
        text += &format!(", {} on the way", units::grouped(holder.arriving));
    }
    text += &format!(", {}", units::counted(holder.waits, "wait"));
    match holder.waiting_ms {
        Some(time) => text += &format!(", waiting for {}", milliseconds(time)),
        None if holder.waiting => text += ", waiting",
        None => {}
    }
    if !holder.admitted {
        text += ", nobody is there";
    }
    text
}

/// A length of time.
pub(in crate::session) fn milliseconds(count: u64) -> String {
    match count {
        0 => "0 ms".to_owned(),
        count if count < 1000 => format!("{count} ms"),
        count => units::seconds(Duration::from_millis(count)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_shown_as_text() {
        insta::assert_snapshot!(text(&Status::read(include_str!("fixtures/status.json")).unwrap()));
    }

    #[test]
    fn what_is_no_status_is_not_read_and_what_is_not_there_is_nothing() {
        for wrong in ["", "{", "[]", "{}", "{\"version\":2}", "{\"version\":1,\"pipes\":3}"] {
            assert_eq!(Status::read(wrong), None, "{wrong}");
        }
        let least = Status::read("{\"version\":1,\"more\":[1]}").unwrap();
        assert_eq!(text(&least), "up 0 ms, waits for all to join; 0 of 0 filters joined\n");
    }
}
