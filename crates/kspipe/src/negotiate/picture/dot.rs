//! A plan as DOT, for Graphviz and whatever reads its language.

use super::short_bytes;
use crate::graph::{Direction, Filter, Graph, PinId};
use crate::negotiate::describe::{grouped, memory_name};
use crate::negotiate::{PipeId, Plan};
use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

/// Colours of pipes that read on light and on dark backgrounds; used again after the last.
const COLOURS: [&str; 8] = ["#3182ce", "#2f9e58", "#9166e8", "#1593a5", "#d6447f", "#9a8519", "#6c72e0", "#b0703c"];
const CUT: &str = "#e8590c";

/// A plan in Graphviz's DOT language: `kspipe negotiate GRAPH --format dot | dot -Tsvg`.
pub fn plan_dot(graph: &Graph, plan: &Plan) -> String {
    let mut dot = String::from(
        "digraph plan {\n  rankdir = LR;\n  bgcolor = \"transparent\";\n  node [shape = record, fontname = \"sans-serif\", \
         color = \"#808a98\", fontcolor = \"#808a98\"];\n  edge [fontname = \"sans-serif\"];\n",
    );
    let allocating: HashSet<PinId> = plan.pipes.iter().filter_map(|pipe| pipe.allocator.pin).collect();
    let colour = |pipe: PipeId| COLOURS[pipe.index() % COLOURS.len()];
    // Writing to a String does not fail.
    for (place, filter) in graph.filters().iter().enumerate() {
        let label = filter_label(graph, filter, &allocating);
        let _ = writeln!(dot, "  f{place} [label = \"{label}\"];");
    }
    let bridges: HashMap<_, _> =
        plan.bridges.iter().map(|bridge| ((bridge.connection.from, bridge.connection.to), bridge.bytes)).collect();
    for connection in graph.connections() {
        let end = |pin: PinId| format!("f{}:p{}", graph.pin(pin).filter().index(), pin.index());
        let (from, to) = (end(connection.from), end(connection.to));
        let pipe = plan.pipe_of[connection.from.index()];
        let _ = match bridges.get(&(connection.from, connection.to)) {
            Some(bytes) => writeln!(
                dot,
                "  {from} -> {to} [style = dashed, color = \"{CUT}\", fontcolor = \"{CUT}\", label = \"copy {}\"];",
                short_bytes(*bytes)
            ),
            None => writeln!(
                dot,
                "  {from} -> {to} [color = \"{0}\", fontcolor = \"{0}\", label = \"{1}\"];",
                colour(pipe),
                pipe.0
            ),
        };
    }
    for (place, pipe) in plan.pipes.iter().enumerate() {
        let text = format!(
            "pipe {place}: {}\n{} x {} bytes, aligned to {}\nallocator: {}",
            memory_name(graph, pipe.memory_type),
            grouped(pipe.frames),
            grouped(pipe.frame_size),
            grouped(pipe.alignment),
            match pipe.allocator.pin {
                Some(pin) => format!("{}, {}", pipe.allocator.kind.name(), graph.pin_name(pin)),
                None => pipe.allocator.kind.name().to_owned(),
            }
        );
        let _ = writeln!(
            dot,
            "  pipe{place} [shape = note, color = \"{0}\", fontcolor = \"{0}\", label = \"{1}\"];",
            colour(PipeId(place as u32)),
            escape(&text)
        );
    }
    dot.push_str("}\n");
    dot
}

/// A record: the in pins, the filter's name and mode, the out pins. A star marks the pin that allocates.
fn filter_label(graph: &Graph, filter: &Filter, allocating: &HashSet<PinId>) -> String {
    let side = |direction: Direction| {
        let pins = filter.pins().filter(|pin| graph.pin(*pin).direction() == direction);
        let ports: Vec<String> = pins
            .map(|pin| {
                let mark = if allocating.contains(&pin) { " *" } else { "" };
                format!("<p{}> {}{mark}", pin.index(), escape_record(graph.pin(pin).name()))
            })
            .collect();
        if ports.is_empty() { String::new() } else { format!("{{{}}}", ports.join("|")) }
    };
    let name = format!("{}\\n({})", escape_record(filter.name()), filter.mode());
    let parts = [side(Direction::In), name, side(Direction::Out)];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    format!("{{{}}}", parts.join("|"))
}

/// Text inside a quoted string.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '"' | '\\' => escaped.extend(['\\', letter]),
            '\n' => escaped.push_str("\\n"),
            control if control.is_control() => escaped.push('\u{FFFD}'),
            other => escaped.push(other),
        }
    }
    escaped
}

/// Text inside a record's label, where more characters mean something.
fn escape_record(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '{' | '}' | '|' | '<' | '>' | ' ' | '"' | '\\' => escaped.extend(['\\', letter]),
            control if control.is_control() => escaped.push('\u{FFFD}'),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_something_to_dot_is_escaped() {
        assert_eq!(escape("a\"b\\c\nd\u{7}"), "a\\\"b\\\\c\\nd\u{FFFD}");
        assert_eq!(escape_record("{a|b}<c> \"d\""), "\\{a\\|b\\}\\<c\\>\\ \\\"d\\\"");
    }
}
