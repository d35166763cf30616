//! `--run`: what a filter does, as a graph file's `run` says it, or shorter.

use crate::failure::Failure;
use kspipe::graph::file::{GraphFile, keys};
use kspipe::graph::{Direction, FilterId, Graph, Run};
use std::fmt::Write;
use std::path::Path;

/// What the filter shall do. It is read as part of a graph file that has the filter's pins, so that a source is a source.
pub(super) fn parse(text: &str, graph: &Graph, filter: FilterId) -> Result<Run, Failure> {
    let name = graph.filter(filter).name();
    // The first line has what was typed, so that an error points into it.
    let mut file = format!("filter.{name}.run = {}\n", table(text));
    let mut routes = Vec::new();
    // Writing to a String cannot fail.
    for pin in graph.filter(filter).pins() {
        let direction = if graph.pin(pin).direction() == Direction::In { "in" } else { "out" };
        let pin_name = graph.pin(pin).name();
        let _ = writeln!(file, "filter.{name}.pin.{pin_name} = {{ direction = \"{direction}\" }}");
        let to_here = graph.routes().iter().filter(|route| route.to == pin);
        routes
            .extend(to_here.map(|route| format!("\"{} -> {pin_name} {}\"", graph.pin(route.from).name(), route.kind)));
    }
    if !routes.is_empty() {
        let _ = writeln!(file, "filter.{name}.routes = [{}]", routes.join(", "));
    }
    let read = GraphFile::parse("--run", &file, Path::new(""));
    let read = read.map_err(|errors| Failure::Usage(errors.into()))?;
    let run = read.graph.find_filter(name).and_then(|id| read.graph.filter(id).run().cloned());
    run.ok_or_else(|| Failure::usage("--run says nothing", "for example: --run checksum"))
}

/// `KIND`, `KIND=VALUE` as the table they stand for.
fn table(text: &str) -> String {
    if text.trim_start().starts_with('{') {
        return text.replace(['\n', '\r'], " ");
    }
    let (kind, value) = match text.split_once('=') {
        Some((kind, value)) => (kind, Some(value)),
        None => (text, None),
    };
    let mut table = format!("{{ kind = {}", quoted(kind));
    if let Some(value) = value {
        let has = |key| keys::KINDS.iter().any(|known| known.name == kind && known.table.keys.contains(&key));
        let _ = match value.parse::<u64>() {
            Ok(number) if has("frames") && !has("path") => write!(table, ", frames = {number}"),
            _ => write!(table, ", path = {}", quoted(value)),
        };
    }
    table + " }"
}

/// The text as TOML's basic string.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            '\0'..='\x1f' | '\x7f' => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(character));
            }
            _ => quoted.push(character),
        }
    }
    quoted + "\""
}

#[cfg(test)]
mod tests {
    use super::*;
    use kspipe::graph::{PixelFormat, Rate, RouteKind};

    fn graph() -> Graph {
        let mut graph = Graph::builder();
        graph.filter("a").pin("out", Direction::Out);
        graph.filter("b").route("in", "out", RouteKind::Pass).pin("in", Direction::In);
        graph.filter("b").pin("out", Direction::Out);
        graph.filter("c").pin("in", Direction::In);
        graph.build().unwrap()
    }

    fn read(text: &str, filter: &str) -> Result<Run, String> {
        let graph = graph();
        let filter = graph.find_filter(filter).unwrap();
        parse(text, &graph, filter).map_err(|failure| failure.message())
    }

    #[test]
    fn what_is_short_and_what_is_whole_mean_the_same() {
        let pattern = Run::Pattern {
            format: PixelFormat::Nv12,
            width: 8,
            height: 4,
            rate: Rate { numerator: 30, denominator: 1 },
            frames: None,
        };
        for (filter, text, expected) in [
            ("a", "y4m=in.y4m", Run::Y4mSource { path: "in.y4m".into() }),
            ("c", "y4m=out=1.y4m", Run::Y4mSink { path: "out=1.y4m".into() }),
            ("c", "raw=a \"b\"\\c", Run::RawSink { path: "a \"b\"\\c".into() }),
            ("c", "raw=12", Run::RawSink { path: "12".into() }),
            ("c", "png=shot-{:03}.png", Run::Png { path: "shot-{:03}.png".into(), every: 1 }),
            ("c", "checksum", Run::Checksum { path: None }),
            ("c", "checksum=sums", Run::Checksum { path: Some("sums".into()) }),
            ("c", "discard", Run::Discard),
            ("b", "hold=3", Run::Hold { frames: 3 }),
            ("b", " { kind = \"hold\", frames = 2 }", Run::Hold { frames: 2 }),
            ("a", "{ kind = \"pattern\", format = \"nv12\", width = 8, height = 4 }", pattern),
        ] {
            assert_eq!(read(text, filter), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_kind_or_does_not_fit_the_pins_is_refused() {
        for (filter, text) in [
            ("c", ""),
            ("c", "cheksum"),
            ("c", "y4m"),
            ("c", "pattern"),
            ("c", "hold=2"),
            ("b", "hold"),
            ("b", "hold=many"),
            ("c", "discard=x"),
            ("c", "{ kind = \"discard\" }\nfilter.x.pin.y = {}"),
            ("c", "{ kind = \"discard\", }}"),
        ] {
            assert!(read(text, filter).is_err(), "{filter} {text}");
        }
    }
}
