//! A picture as DOT, for Graphviz and whatever reads its language. It says the same words as the SVG.

use super::text::{printable, shown};
use super::words::{COLOURS, Line, LineWords, MOST_LISTED, PinWords, Role, Words};
use crate::graph::{Direction, FilterId, Graph, Mode, PinId};
use crate::negotiate::{NegotiateError, Plan};
use std::fmt::Write as _;

/// Colours of pipes, on white.
const PIPES: [&str; COLOURS] = ["#1d6fd1", "#166534", "#7c3aed", "#0e7490", "#9d174d", "#6b5e00", "#312e81", "#475569"];
const CUT: &str = "#b93d0a";
const FAINT: &str = "#57606d";
const CONFLICT: &str = "#b91c1c";

/// A plan in Graphviz's DOT language: `kspipe negotiate GRAPH --format dot | dot -Tsvg`.
pub fn plan_dot(graph: &Graph, plan: &Plan) -> String {
    dot(&Words::of_plan(graph, plan))
}

/// A graph that has no plan in Graphviz's DOT language: the pins that cannot agree, or those of a cycle, are marked, and
/// what each asks stands beside it.
pub fn conflict_dot(graph: &Graph, error: &NegotiateError) -> String {
    dot(&Words::of_error(graph, error))
}

/// Appends formatted text; writing to a `String` does not fail.
macro_rules! put {
    ($to:expr, $($arguments:tt)*) => {{ let _ = write!($to, $($arguments)*); }};
}

fn dot(words: &Words<'_>) -> String {
    let graph = words.graph;
    let mut dot = String::from("digraph plan {\n");
    put!(
        dot,
        "  graph [rankdir = LR, bgcolor = \"white\", fontname = \"sans-serif\", fontsize = 13, labelloc = t, ranksep = 1.2, \
         label = \"{}\"];\n",
        escape(&words.headline)
    );
    dot.push_str("  node [shape = plain, fontname = \"sans-serif\", fontsize = 11];\n");
    dot.push_str("  edge [fontname = \"sans-serif\", fontsize = 10, arrowsize = 0.7];\n");
    for place in 0..graph.filters().len() {
        filter(words, place, &mut dot);
    }
    for (place, connection) in graph.connections().iter().enumerate() {
        let end = |pin: PinId, side| format!("f{}:p{}:{side}", graph.pin(pin).filter().index(), pin.index());
        put!(dot, "  {} -> {} [", end(connection.from, "e"), end(connection.to, "w"));
        edge(words, &words.connections[place], &mut dot);
        dot.push_str("];\n");
    }
    legend(words, &mut dot);
    dot.push_str("}\n");
    dot
}

/// The colour of a line, and its style.
fn look(words: &Words<'_>, line: Line) -> (&'static str, &'static str) {
    match line {
        Line::Shared(pipe) | Line::Written(pipe) => (PIPES[words.colour(pipe)], "solid"),
        Line::Copied => (CUT, "dashed"),
        Line::Unplanned => (FAINT, "solid"),
        Line::Conflict => (CONFLICT, "bold"),
    }
}

fn edge(words: &Words<'_>, line: &LineWords, dot: &mut String) {
    let (colour, style) = look(words, line.line);
    put!(dot, "color = \"{colour}\", fontcolor = \"{colour}\", style = {style}");
    if !line.above.is_empty() {
        put!(dot, ", label = \"{}\\n{}\"", escape(&line.above), escape(&line.below));
    }
    if line.crosses {
        dot.push_str(", dir = both, arrowtail = teetee");
    }
    put!(dot, ", tooltip = \"{}\"", escape(&line.title));
}

/// A table: the filter's name and mode, then its in pins on the left and its out pins on the right.
fn filter(words: &Words<'_>, place: usize, dot: &mut String) {
    let graph = words.graph;
    let filter = graph.filter(FilterId(place as u32));
    let (ground, ink) = match filter.mode() {
        Mode::Kernel => ("#3f4b5c", "#ffffff"),
        Mode::User => ("#e9ecf0", "#1b1f24"),
    };
    put!(
        dot,
        "  f{place} [tooltip = \"{}, {} mode\", label = <<TABLE BORDER=\"1\" CELLBORDER=\"0\" CELLSPACING=\"0\" \
         CELLPADDING=\"4\" COLOR=\"#8b95a3\" BGCOLOR=\"#f6f7f9\"><TR><TD COLSPAN=\"3\" BGCOLOR=\"{ground}\">\
         <FONT COLOR=\"{ink}\"><B>{}</B> {}</FONT></TD></TR>",
        escape(filter.name()),
        filter.mode(),
        escape_html(&shown(filter.name())),
        filter.mode()
    );
    let side = |direction| filter.pins().filter(move |pin| graph.pin(*pin).direction() == direction);
    let (mut ins, mut outs) = (side(Direction::In), side(Direction::Out));
    let routes = graph.routes();
    loop {
        let (left, right) = (ins.next(), outs.next());
        if left.is_none() && right.is_none() {
            break;
        }
        // What happens on the way from this in pin, where it is one thing.
        let first = left.map_or(routes.len(), |pin| routes.partition_point(|route| route.from < pin));
        let from = routes[first..].iter().take_while(|route| Some(route.from) == left).count();
        let mut kinds: Vec<&str> = words.routes[first..first + from].iter().map(|route| route.above.as_str()).collect();
        kinds.dedup();
        let way = match kinds[..] {
            [kind] if !kind.is_empty() => format!("<FONT POINT-SIZE=\"9\" COLOR=\"{FAINT}\">{kind}</FONT>"),
            _ => String::new(),
        };
        dot.push_str("<TR>");
        pin(words, left, "LEFT", dot);
        put!(dot, "<TD>{way}</TD>");
        pin(words, right, "RIGHT", dot);
        dot.push_str("</TR>");
    }
    for (pipe, text) in &words.inside[place] {
        let number = pipe.map_or(String::new(), |pipe| {
            format!("<FONT COLOR=\"{}\"><B>{}</B></FONT> ", PIPES[words.colour(pipe)], pipe.0)
        });
        put!(dot, "<TR><TD COLSPAN=\"3\" ALIGN=\"LEFT\">{number}{}</TD></TR>", escape_html(text));
    }
    dot.push_str("</TABLE>>];\n");
}

/// A cell: the number of the pin's pipe, its name, and a star where it allocates.
fn pin(words: &Words<'_>, pin: Option<PinId>, side: &str, dot: &mut String) {
    let Some(pin) = pin else {
        dot.push_str("<TD></TD>");
        return;
    };
    let PinWords { role, name, tag, .. } = &words.pins[pin.index()];
    let number = |colour: &str, text: &str| format!("<FONT COLOR=\"{colour}\"><B>{text}</B></FONT>");
    let mark = match role {
        Role::Shares(pipe) => number(PIPES[words.colour(*pipe)], &pipe.0.to_string()),
        Role::Allocates(pipe) => number(PIPES[words.colour(*pipe)], &format!("★ {} {tag}", pipe.0)),
        Role::Unplanned => String::new(),
        Role::Conflict(number_of_note) => number(CONFLICT, &format!("✖ {number_of_note}")),
    };
    let mut name = escape_html(name);
    if !tag.is_empty() && !matches!(role, Role::Allocates(_)) {
        put!(name, " ({tag})");
    }
    let text = if side == "LEFT" { format!("{mark} {name}") } else { format!("{name} {mark}") };
    put!(dot, "<TD PORT=\"p{}\" ALIGN=\"{side}\">{text}</TD>", pin.index());
}

/// One more table: the pipes, and where frames are copied or what conflicts.
fn legend(words: &Words<'_>, dot: &mut String) {
    if words.pipes.is_empty() && words.notes.is_empty() {
        return;
    }
    dot.push_str("  legend [label = <<TABLE BORDER=\"0\" CELLBORDER=\"0\" CELLSPACING=\"2\" CELLPADDING=\"1\">");
    for (place, pipe) in words.pipes.iter().enumerate().take(MOST_LISTED) {
        put!(
            dot,
            "<TR><TD ALIGN=\"LEFT\"><FONT COLOR=\"{}\"><B>pipe {place}</B></FONT> {}</TD></TR>",
            PIPES[pipe.colour],
            escape_html(&pipe.text)
        );
    }
    if words.pipes.len() > MOST_LISTED {
        put!(dot, "<TR><TD ALIGN=\"LEFT\">and {} more pipes</TD></TR>", words.pipes.len() - MOST_LISTED);
    }
    if !words.notes.is_empty() {
        put!(dot, "<TR><TD ALIGN=\"LEFT\"><B>{}</B></TD></TR>", words.notes_title);
    }
    for note in &words.notes {
        let number =
            note.number.map_or(String::new(), |number| format!("<FONT COLOR=\"{CONFLICT}\"><B>✖ {number}</B></FONT> "));
        // Long lines make a picture wide: they are broken.
        let lines = super::text::wrapped(&note.text.replace('\n', " "), super::text::Font::Legend, 700.0);
        let lines: Vec<String> = lines.iter().map(|line| escape_html(line)).collect();
        put!(dot, "<TR><TD ALIGN=\"LEFT\" BALIGN=\"LEFT\">{number}{}</TD></TR>", lines.join("<BR/>"));
    }
    dot.push_str("</TABLE>>];\n");
}

/// Text inside a quoted string.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '"' | '\\' => escaped.extend(['\\', letter]),
            '\n' => escaped.push_str("\\n"),
            // Graphviz reads entities in quoted strings too.
            '&' => escaped.push_str("&amp;"),
            other => escaped.push(printable(other)),
        }
    }
    escaped
}

/// Text inside a label that is like HTML.
fn escape_html(text: &str) -> String {
    let mut escaped = super::text::escape_xml(text).replace("&#39;", "'");
    // Spaces at an end would be lost, and an empty name would be no name.
    if escaped.trim().is_empty() {
        escaped = "&#160;".to_owned();
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_something_to_dot_is_escaped() {
        assert_eq!(escape("a\"b\\c\nd\u{7}&lt;"), "a\\\"b\\\\c\\nd\u{FFFD}&amp;lt;");
        assert_eq!(escape_html("{a|b}<c> \"d\" & 'e'"), "{a|b}&lt;c&gt; &quot;d&quot; &amp; 'e'");
        assert_eq!(escape_html(" "), "&#160;");
    }
}
