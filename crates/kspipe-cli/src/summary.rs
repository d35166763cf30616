//! What `kspipe run` says on standard error: the plan before, the summary after.

use crate::units;
use kspipe::graph::Graph;
use kspipe::negotiate::Plan;
use kspipe::negotiate::describe::{memory_name, warnings};
use kspipe::stream::{Outcome, Report};
use std::fmt::Write;

/// The plan, a few lines: pipes with their pins, bridges, warnings. `kspipe negotiate` shows all of it.
pub(crate) fn plan_text(graph: &Graph, plan: &Plan) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    for (id, pipe) in plan.pipes.iter().enumerate() {
        let pins: Vec<String> = pipe.pins.iter().map(|pin| graph.pin_name(*pin)).collect();
        let _ = writeln!(
            text,
            "pipe {id}: {} memory, {} of {}, aligned to {}\n  {}",
            memory_name(graph, pipe.memory_type),
            units::counted(pipe.frames, "frame"),
            units::counted(pipe.frame_size, "byte"),
            units::grouped(pipe.alignment),
            pins.join(", "),
        );
    }
    for bridge in &plan.bridges {
        let (from, to) = (graph.pin_name(bridge.connection.from), graph.pin_name(bridge.connection.to));
        let _ = writeln!(text, "bridge {from} -> {to}: copies {} a frame", units::counted(bridge.bytes, "byte"));
    }
    for warning in warnings(graph, plan) {
        let pin = warning.pin.map_or_else(String::new, |pin| graph.pin_name(pin) + " ");
        let _ = writeln!(text, "{}: {pin}{}; {}", warning.code, warning.message, warning.help);
    }
    text.replace('\u{a0}', " ")
}

/// The summary, a few lines.
pub(crate) fn text(report: &Report) -> String {
    let graph = &report.graph;
    let sinks = report.filters.iter().filter(|filter| filter.end_to_end.is_some()).count();
    let out: u64 = report.pipes.iter().map(|pipe| pipe.frames_out_at_end).sum();
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "{} {} in {}, {} a second; {} delivered to {}, {} dropped",
        match report.outcome {
            Outcome::Finished => "finished:",
            Outcome::Stopped => "stopped:",
            Outcome::Failed => "failed:",
        },
        units::counted(graph.source_frames, "frame"),
        units::seconds(report.duration),
        units::rate(graph.source_frames, report.duration),
        units::grouped(graph.delivered),
        units::counted(sinks as u64, "sink"),
        units::grouped(graph.drops),
    );
    let _ = writeln!(
        text,
        "  {} {} per frame; {} moved without copying, {} copied",
        units::decimal(graph.copies_per_frame),
        if graph.copies_per_frame == 1.0 { "copy" } else { "copies" },
        units::bytes(graph.bytes_moved_without_copying),
        units::bytes(graph.bytes_copied),
    );
    for pipe in &report.pipes {
        let _ = writeln!(
            text,
            "  pipe {}: peak {} of {} in use, {}",
            pipe.id,
            units::grouped(pipe.peak_in_use),
            units::counted(pipe.frames, "frame"),
            units::counted(pipe.waits, "wait"),
        );
    }
    let _ = writeln!(text, "  frames out at the end: {}", units::grouped(out));
    text.replace('\u{a0}', " ")
}
