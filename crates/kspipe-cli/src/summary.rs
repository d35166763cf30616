//! What `kspipe run` says on standard error when it has ended.

use crate::units;
use kspipe::stream::{Outcome, Report};
use std::fmt::Write;

/// The summary, a few lines.
pub(crate) fn text(report: &Report) -> String {
    let graph = &report.graph;
    let sinks = report.filters.iter().filter(|filter| filter.end_to_end.is_some()).count();
    let out: u64 = report.pipes.iter().map(|pipe| pipe.frames_out_at_end).sum();
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "{} {} frames in {}, {} a second; {} delivered to {sinks} sink{}, {} dropped",
        match report.outcome {
            Outcome::Finished => "finished:",
            Outcome::Stopped => "stopped:",
            Outcome::Failed => "failed:",
        },
        units::grouped(graph.source_frames),
        units::seconds(report.duration),
        units::rate(graph.source_frames, report.duration),
        units::grouped(graph.delivered),
        if sinks == 1 { "" } else { "s" },
        units::grouped(graph.drops),
    );
    let _ = writeln!(
        text,
        "  {} copies per frame; {} moved without copying, {} copied",
        units::decimal(graph.copies_per_frame),
        units::bytes(graph.bytes_moved_without_copying),
        units::bytes(graph.bytes_copied),
    );
    for pipe in &report.pipes {
        let _ = writeln!(
            text,
            "  pipe {}: peak {} of {} frames in use, {} waits",
            pipe.id,
            units::grouped(pipe.peak_in_use),
            units::grouped(pipe.frames),
            units::grouped(pipe.waits),
        );
    }
    let _ = writeln!(text, "  frames out at the end: {}", units::grouped(out));
    text.replace('\u{a0}', " ")
}
