//! What is shown on a terminal while a graph is served.

use super::status::model::Status;
use crate::progress::ProgressLine;
use crate::units;
use kspipe_session::ServerControl;

/// Who is there, and how far the frames are.
pub(super) fn show(line: &ProgressLine, control: &ServerControl) {
    if let Some(status) = Status::read(&control.status()) {
        line.say(message(&status));
    }
}

/// `2 of 3 filters joined; 240 frames; in use 3/4 1/2`: one pair for each shared pipe.
fn message(status: &Status) -> String {
    let mut text = format!("{} of {} joined", status.joined(), units::counted(status.filters.len() as u64, "filter"));
    if status.begun_ms.is_none() {
        text += "; waits for the others";
    }
    text += &format!("; {}", units::counted(status.frames_sent(), "frame"));
    if !status.pipes.is_empty() {
        text += "; in use";
    }
    for pipe in &status.pipes {
        text += &format!(" {}/{}", pipe.frames.saturating_sub(pipe.free), pipe.frames);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::status::model::{Filter, Holder, Pipe};
    use super::*;

    #[test]
    fn the_line_tells_who_is_there_and_how_full_the_pipes_are() {
        let filter = |state: &str| Filter { state: state.to_owned(), ..Filter::default() };
        let holder = |holder, taken| Holder { holder, taken, ..Holder::default() };
        let status = Status {
            begun_ms: Some(1),
            filters: vec![filter("joined"), filter("vacant")],
            pipes: vec![
                Pipe { frames: 4, free: 1, holders: vec![holder(0, 99), holder(32, 240)], ..Pipe::default() },
                Pipe { frames: 2, free: 2, ..Pipe::default() },
            ],
            ..Status::default()
        };
        assert_eq!(message(&status).replace('\u{a0}', " "), "1 of 2 filters joined; 240 frames; in use 3/4 0/2");
        let status = Status { begun_ms: None, ..Status::default() };
        assert_eq!(message(&status).replace('\u{a0}', " "), "0 of 0 filters joined; waits for the others; 0 frames");
    }
}
