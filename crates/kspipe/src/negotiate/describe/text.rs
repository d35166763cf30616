//! A plan as text for a terminal.

use super::names::{factor_names, flag_names, grouped, requirement_names};
use super::{Description, PipeReasons, Reason, Termination, memory_name};
use crate::graph::{Graph, PinId};
use crate::negotiate::{Pipe, PipeId, Plan, Verdict, starvation};
use std::fmt::Write as _;

/// Lines are broken before this column.
const WIDTH: usize = 100;
/// Circles that are shown of a graph that stalls.
const CIRCLES: usize = 8;
/// Where the values of a pipe's rows begin.
const INDENT: usize = 14;

/// A plan as a compact text: a table for each pipe, then bridges, copies, warnings and the cost. With `explain`, the
/// reason for each number and each bridge.
pub fn plan_text(graph: &Graph, plan: &Plan, explain: bool) -> String {
    let description = Description::new(graph, plan);
    let mut text = String::new();
    for (place, pipe) in plan.pipes.iter().enumerate() {
        pipe_text(&mut text, &description, PipeId(place as u32), pipe, explain);
    }
    bridges_text(&mut text, &description, explain);
    if explain {
        starvation_text(&mut text, graph, plan);
    }
    warnings_text(&mut text, &description);
    cost_text(&mut text, plan);
    text
}

fn row(text: &mut String, name: &str, value: &str) {
    let mut line = format!("  {name:<width$}", width = INDENT - 2);
    let mut column = INDENT;
    for (place, word) in value.split(' ').enumerate() {
        let length = word.chars().count();
        if place > 0 && column + 1 + length > WIDTH {
            text.push_str(&line);
            text.push('\n');
            line = " ".repeat(INDENT);
            column = INDENT;
        } else if place > 0 {
            line.push(' ');
            column += 1;
        }
        line.push_str(word);
        column += length;
    }
    text.push_str(&line);
    text.push('\n');
}

fn pipe_text(text: &mut String, description: &Description<'_>, id: PipeId, pipe: &Pipe, explain: bool) {
    let graph = description.graph();
    let properties = description.properties(id);
    let memory = memory_name(graph, pipe.memory_type);
    // Writing to a String does not fail.
    let _ = writeln!(
        text,
        "pipe {}: {memory} memory, {} x {}, {} mode",
        id.0,
        count(pipe.frames, "frame"),
        bytes(pipe.frame_size),
        pipe.mode
    );
    row(text, "pins", &pins_text(graph, &pipe.pins));
    let allocator = match pipe.allocator.pin {
        Some(pin) => {
            format!("{}, {} ({} pin)", pipe.allocator.kind.name(), graph.pin_name(pin), pipe.allocator.place.name())
        }
        None => format!("{}, of no pin", pipe.allocator.kind.name()),
    };
    row(text, "allocator", &allocator);
    row(text, "alignment", &bytes(pipe.alignment));
    if pipe.prefix > 0 {
        row(text, "prefix", &bytes(pipe.prefix));
    }
    let range = properties.physical_range;
    let sizes = match (range.min, range.max) {
        (0, max) if max == u64::from(u32::MAX) && range.step <= 1 => "any".to_owned(),
        (min, max) if min == max => format!("{} bytes only", grouped(min)),
        (min, max) if max == u64::from(u32::MAX) => format!("at least {} bytes{}", grouped(min), step_text(range.step)),
        (min, max) => format!("{} to {} bytes{}", grouped(min), grouped(max), step_text(range.step)),
    };
    row(text, "sizes", &sizes);
    if properties.bus_type != ks::Guid::NULL {
        row(text, "bus", &properties.bus_type.to_string());
    }
    if !properties.flags.is_empty() {
        row(text, "flags", &flag_names(properties.flags).join(", "));
    }
    for (name, end) in [("input", &properties.input), ("output", &properties.output)] {
        let end = end_text(end);
        if !end.is_empty() {
            row(text, name, &end);
        }
    }
    let ratios = properties.dimensions;
    if ratios.max_expansion_pin.is_stated() || ratios.end_pin.is_stated() {
        let ratio = |c: crate::graph::Compression| format!("{}/{} + {}", c.numerator, c.denominator, c.margin);
        let value = format!("largest {}, at the end {}", ratio(ratios.max_expansion_pin), ratio(ratios.end_pin));
        row(text, "dimensions", &value);
    }
    let pipes = |pipes: &[PipeId]| pipes.iter().map(|pipe| format!("pipe {}", pipe.0)).collect::<Vec<_>>().join(", ");
    if let Some(previous) = properties.previous {
        row(text, "fed by", &pipes(&[previous]));
    }
    if !properties.next.is_empty() {
        row(text, "feeds", &pipes(&properties.next));
    }
    if explain {
        reasons_text(text, graph, pipe, &memory, &description.reasons(id));
    }
    text.push('\n');
}

fn reasons_text(text: &mut String, graph: &Graph, pipe: &Pipe, memory: &str, reasons: &PipeReasons) {
    let values = [
        count(pipe.frames, "frame"),
        format!("{} a frame", bytes(pipe.frame_size)),
        format!("alignment {}", pipe.alignment),
        format!("{memory} memory"),
        format!("{} allocator", pipe.allocator.kind.name()),
    ];
    for ((_, reasons), value) in reasons.by_name().into_iter().zip(values) {
        let _ = writeln!(text, "  why {value}");
        for reason in reasons {
            row(text, "", &reason_text(graph, reason));
        }
    }
}

fn reason_text(graph: &Graph, reason: &Reason) -> String {
    let who = match (reason.pin, reason.item) {
        (Some(pin), Some(item)) => format!("{} (item {item}) ", graph.pin_name(pin)),
        (Some(pin), None) => format!("{} ", graph.pin_name(pin)),
        (None, _) => String::new(),
    };
    format!("rule {}: {who}{}", reason.rule, reason.text)
}

fn end_text(end: &Termination) -> String {
    let mut parts = requirement_names(end.requirements);
    parts.extend(flag_names(end.flags));
    parts.extend(factor_names(end.outside_factors));
    parts.join(", ")
}

fn bridges_text(text: &mut String, description: &Description<'_>, explain: bool) {
    let (graph, plan) = (description.graph(), description.plan());
    for bridge in &plan.bridges {
        let (from, to) = (bridge.connection.from, bridge.connection.to);
        let _ = writeln!(
            text,
            "bridge: {} -> {} copies {} a frame",
            graph.pin_name(from),
            graph.pin_name(to),
            bytes(bridge.bytes)
        );
        if explain {
            for reason in description.bridge_reasons(bridge) {
                row(text, "", &reason_text(graph, &reason));
            }
        }
    }
    for copy in &plan.copies {
        let how = if copy.chosen { "chosen by the plan" } else { "as the route says" };
        let _ = writeln!(
            text,
            "copy: {} -> {} copies {} a frame, {how}",
            graph.pin_name(copy.route.from),
            graph.pin_name(copy.route.to),
            bytes(copy.bytes)
        );
    }
    if !plan.bridges.is_empty() || !plan.copies.is_empty() {
        text.push('\n');
    }
}

/// The proof that frames always move, or the circles in which they do not.
fn starvation_text(text: &mut String, graph: &Graph, plan: &Plan) {
    match starvation(graph, plan) {
        Verdict::Moves(proof) => {
            text.push_str("moves: every frame moves on, by this schedule\n");
            for line in proof.describe(graph) {
                row(text, "", &line);
            }
        }
        Verdict::Stalls(starvation) => {
            text.push_str("stalls: frames stop\n");
            for circle in starvation.circles.iter().take(CIRCLES) {
                row(text, "circle", &circle.describe(graph, plan));
            }
            for pipe in &starvation.shared {
                row(text, "shared", &pipe.describe(graph));
            }
            row(text, "cure", &starvation.help(graph));
        }
        Verdict::Unproven(pipes) => {
            text.push_str("moves: not proven\n");
            for pipe in &pipes {
                row(text, "shared", &pipe.describe(graph));
            }
        }
    }
    text.push('\n');
}

fn warnings_text(text: &mut String, description: &Description<'_>) {
    let warnings = description.warnings();
    for warning in &warnings {
        let pin = warning.pin.map(|pin| format!("{} ", description.graph().pin_name(pin))).unwrap_or_default();
        let _ = writeln!(text, "{}: {pin}{}", warning.code, warning.message);
        row(text, "help", &warning.help);
    }
    if !warnings.is_empty() {
        text.push('\n');
    }
}

fn cost_text(text: &mut String, plan: &Plan) {
    let (cost, keys) = (&plan.cost, plan.cost.keys(plan.strategy).len());
    let _ = writeln!(
        text,
        "cost: {} copied a frame, {}, {}, depth {}, {} in {}",
        bytes(cost.bytes_copied),
        count(cost.allocators, "allocator"),
        count(cost.departures, "departure"),
        cost.depth,
        bytes(cost.bytes),
        count(cost.frames, "frame"),
    );
    let proven = if usize::from(plan.proven) >= keys {
        "proven optimal".to_owned()
    } else {
        format!("{} of {keys} keys proven optimal", plan.proven)
    };
    let _ = writeln!(text, "strategy: {}, {proven}", plan.strategy);
}

fn pins_text(graph: &Graph, pins: &[PinId]) -> String {
    pins.iter().map(|pin| graph.pin_name(*pin)).collect::<Vec<_>>().join(", ")
}

fn step_text(step: u64) -> String {
    if step > 1 { format!(" in steps of {}", grouped(step)) } else { String::new() }
}

fn bytes(number: impl Into<u128>) -> String {
    count(number, "byte")
}

fn count(number: impl Into<u128>, noun: &str) -> String {
    let number = number.into();
    format!("{} {noun}{}", grouped(number), if number == 1 { "" } else { "s" })
}
