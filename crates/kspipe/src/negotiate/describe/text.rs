//! A plan as text for a terminal.

use super::names::{count, factor_names, flag_names, grouped, requirement_names};
use super::{Description, Termination, explained, memory_name};
use crate::graph::{Connection, Graph, PinId};
use crate::negotiate::{Explainer, Pipe, PipeId, Plan, Question, Verdict, starvation};
use std::fmt::Write as _;

/// Lines are broken before this column.
const WIDTH: usize = 100;
/// Circles that are shown of a graph that stalls.
const CIRCLES: usize = 8;
/// Where the values of a pipe's rows begin.
const INDENT: usize = 14;

/// A plan as a compact text: a table for each pipe, then bridges, copies, warnings and the cost. With `explain`, the
/// reason for each number, each bridge and each chosen copy, with what dropping it would save (found by negotiating
/// again), and why an allocator that a pin offers is not used.
pub fn plan_text(graph: &Graph, plan: &Plan, explain: bool) -> String {
    let mut explainer = Explainer::new(graph, plan);
    // What is asked most is tried first, in case the limit of re-negotiations leaves something untried.
    let mut unused = String::new();
    if explain {
        explained::unused_text(&mut unused, &mut explainer);
    }
    let mut bridges = String::new();
    bridges_text(&mut bridges, &mut explainer, explain);
    let mut text = String::new();
    for (place, pipe) in plan.pipes.iter().enumerate() {
        let id = PipeId(place as u32);
        let memory = pipe_text(&mut text, explainer.description(), id, pipe);
        if explain {
            explained::pipe_text(&mut text, &mut explainer, id, number_values(pipe, &memory));
        }
        text.push('\n');
    }
    text.push_str(&bridges);
    text.push_str(&unused);
    if explain {
        starvation_text(&mut text, graph, plan);
    }
    warnings_text(&mut text, explainer.description());
    cost_text(&mut text, plan);
    if explainer.came_to_its_limit() {
        let done = count(explainer.renegotiations(), "re-negotiation");
        let _ = writeln!(text, "explained with {done}, as many as an explanation of this graph may take");
    }
    text
}

pub(super) fn row(text: &mut String, name: &str, value: &str) {
    let mut line = format!("  {name:<width$}", width = INDENT - 2);
    let mut column = INDENT;
    for (place, word) in words(value).into_iter().enumerate() {
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

/// What lines are broken between: words, the groups of a number's digits kept together.
fn words(value: &str) -> Vec<&str> {
    let bytes = value.as_bytes();
    let is_inside_a_number = |place: usize| {
        let is_digit = |place: usize| bytes.get(place).is_some_and(u8::is_ascii_digit);
        place > 0 && is_digit(place - 1) && (1..=3).all(|next| is_digit(place + next)) && !is_digit(place + 4)
    };
    let mut words = Vec::new();
    let mut start = 0;
    for place in (0..bytes.len()).filter(|place| bytes[*place] == b' ' && !is_inside_a_number(*place)) {
        words.push(&value[start..place]);
        start = place + 1;
    }
    words.push(&value[start..]);
    words
}

/// Writes a pipe's table; gives the name of its memory.
fn pipe_text(text: &mut String, description: &Description<'_>, id: PipeId, pipe: &Pipe) -> String {
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
        (min, max) if min == max => format!("{} only", bytes(min)),
        (min, max) if max == u64::from(u32::MAX) => format!("at least {}{}", bytes(min), step_text(range.step)),
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
    memory
}

fn number_values(pipe: &Pipe, memory: &str) -> [String; 7] {
    [
        count(pipe.frames, "frame"),
        format!("{} a frame", bytes(pipe.frame_size)),
        format!("alignment {}", pipe.alignment),
        format!("{memory} memory"),
        format!("{} allocator", pipe.allocator.kind.name()),
        "this bus".to_owned(),
        "these flags".to_owned(),
    ]
}

fn end_text(end: &Termination) -> String {
    let mut parts = requirement_names(end.requirements);
    parts.extend(flag_names(end.flags));
    parts.extend(factor_names(end.outside_factors));
    parts.join(", ")
}

fn bridges_text(text: &mut String, explainer: &mut Explainer<'_>, explain: bool) {
    let (graph, plan) = (explainer.description().graph(), explainer.description().plan());
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
            explained::cut_text(text, explainer, Question::Bridge(bridge.connection));
        }
    }
    for copy in &plan.copies {
        let how = if copy.chosen { "chosen by the plan" } else { "as the route says" };
        let (from, to) = (copy.route.from, copy.route.to);
        let _ = writeln!(
            text,
            "copy: {} -> {} copies {} a frame, {how}",
            graph.pin_name(from),
            graph.pin_name(to),
            bytes(copy.bytes)
        );
        if explain && copy.chosen {
            explained::cut_text(text, explainer, Question::Copy(Connection { from, to }));
        }
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

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn a_number_is_not_broken() {
        assert_eq!(words("saves 3 110 400 bytes and 1 frame"), ["saves", "3 110 400", "bytes", "and", "1", "frame"]);
        assert_eq!(words("item 3 1104 x 12 34"), ["item", "3", "1104", "x", "12", "34"]);
        assert_eq!(words(""), [""]);
    }
}
