//! What is shown on a terminal while somebody waits: how far a graph has run, and that the command is at work.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use kspipe::stream::Progress;
use std::fmt::Write;
use std::time::Duration;

/// A line that follows a running graph.
pub(crate) struct ProgressLine(ProgressBar);

impl ProgressLine {
    /// The line on standard error.
    pub(crate) fn new() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        bar.set_style(Self::style(WORKING));
        ProgressLine(bar)
    }

    /// A template of ours; that it is one is tested.
    fn style(template: &str) -> ProgressStyle {
        ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
    }

    /// Shows how far the graph is.
    pub(crate) fn show(&self, progress: &Progress) {
        if let (Some(expected), None) = (progress.expected_frames, self.0.length()) {
            self.0.set_length(expected);
            self.0.set_style(Self::style(WITH_BAR));
        }
        self.0.set_message(message(progress));
        self.0.set_position(progress.source_frames);
    }

    /// Shows something else, of which nobody knows how much there will be.
    #[cfg(target_os = "linux")]
    pub(crate) fn say(&self, message: String) {
        self.0.set_message(message);
        self.0.tick();
    }

    /// Does something else on the terminal while the line is away.
    #[cfg(target_os = "linux")]
    pub(crate) fn aside(&self, other: impl FnOnce()) {
        self.0.suspend(other);
    }

    /// Takes the line away.
    pub(crate) fn end(self) {
        self.0.finish_and_clear();
    }
}

/// Does something that can take seconds, and says on a terminal what and since when.
pub(crate) fn while_working<T>(what: &'static str, work: impl FnOnce() -> T) -> T {
    let line = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    line.set_style(ProgressLine::style(WORKING));
    line.set_message(what);
    line.enable_steady_tick(Duration::from_millis(200));
    let done = work();
    line.finish_and_clear();
    done
}

const WORKING: &str = "{spinner} {elapsed_precise}  {msg}";
const WITH_BAR: &str = "{elapsed_precise} {bar:24} {percent:>3} %  {msg}";

/// `240 frames, 118 frames a second; in use 3/4 1/2`: one pair for each pipe.
fn message(progress: &Progress) -> String {
    let mut text = format!(
        "{} frames, {} a second; in use",
        crate::units::grouped(progress.source_frames),
        crate::units::rate(progress.source_frames, progress.elapsed)
    );
    for pipe in &progress.pipes {
        // Writing to a String cannot fail.
        let _ = write!(text, " {}/{}", pipe.in_use, pipe.frames);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use kspipe::stream::PipeProgress;

    #[test]
    fn the_line_tells_frames_their_rate_and_each_pipe() {
        let pipe = |id, in_use, frames| PipeProgress { id, in_use, frames };
        let progress = Progress {
            elapsed: Duration::from_secs(2),
            source_frames: 240,
            expected_frames: None,
            sinks: Vec::new(),
            pipes: vec![pipe(0, 3, 4), pipe(1, 1, 2)],
            finished: false,
        };
        assert_eq!(message(&progress), "240 frames, 120 a second; in use 3/4 1/2");
    }

    #[test]
    fn the_templates_are_templates() {
        assert!(ProgressStyle::with_template(WITH_BAR).is_ok());
        assert!(ProgressStyle::with_template(WORKING).is_ok());
    }
}
