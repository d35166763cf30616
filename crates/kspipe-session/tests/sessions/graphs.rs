//! The graphs that are served, as files.

use kspipe::graph::FilterId;
use kspipe::graph::file::GraphFile;
use kspipe::negotiate::{Plan, negotiate};
use kspipe::stream::{Prepared, prepare_served};
use kspipe_session::{GraphText, ServeError, Server, ServerOptions};
use std::path::Path;

/// A source and a sink.
pub(crate) const PAIR: &str = r#"
connections = ["a.out -> c.in"]
[filter.a]
pin.out = { direction = "out", framing = [{ memory = "user", frames = 3 }] }
run = { kind = "pattern", format = "i420", width = 37, height = 19, rate = "30/1" }
[filter.c]
pin.in = { direction = "in" }
"#;

/// A source of 300 frames, or without end, to a filter that inverts in place, to a sink.
pub(crate) fn chain(frames: Option<u32>) -> String {
    let frames = frames.map(|frames| format!(", frames = {frames}")).unwrap_or_default();
    format!(
        r#"
connections = ["a.out -> b.in", "b.out -> c.in"]
[filter.a]
pin.out = {{ direction = "out", framing = [{{ memory = "user", frames = 4 }}] }}
run = {{ kind = "pattern", format = "i420", width = 37, height = 19, rate = "30/1"{frames} }}
[filter.b]
pin.in = {{ direction = "in" }}
pin.out = {{ direction = "out" }}
routes = ["in -> out in-place"]
run = {{ kind = "invert" }}
[filter.c]
pin.in = {{ direction = "in" }}
run = {{ kind = "checksum" }}
"#
    )
}

/// A source to a tee to two sinks. `x` does not say what it does.
pub(crate) fn fork(frames: Option<u32>) -> String {
    let frames = frames.map(|frames| format!(", frames = {frames}")).unwrap_or_default();
    format!(
        r#"
connections = ["a.out -> t.in", "t.a -> x.in", "t.b -> y.in"]
[filter.a]
pin.out = {{ direction = "out", framing = [{{ memory = "user", frames = 6 }}] }}
run = {{ kind = "pattern", format = "i420", width = 37, height = 19, rate = "30/1"{frames} }}
[filter.t]
pin.in = {{ direction = "in" }}
pin.a = {{ direction = "out" }}
pin.b = {{ direction = "out" }}
routes = ["in -> a pass", "in -> b pass"]
run = {{ kind = "tee" }}
[filter.x]
pin.in = {{ direction = "in", holds = 2 }}
[filter.y]
pin.in = {{ direction = "in" }}
run = {{ kind = "checksum" }}
"#
    )
}

/// A graph with its plan, where some filters are outside.
pub(crate) fn prepared(text: &str, outside: &[&str]) -> (Prepared, Plan, Vec<FilterId>) {
    let graph = GraphFile::parse("graph.toml", text, Path::new("")).unwrap_or_else(|errors| panic!("{errors}")).graph;
    let outside: Vec<FilterId> = outside.iter().map(|name| graph.find_filter(name).unwrap()).collect();
    let prepared = prepare_served(graph, &outside).unwrap();
    let plan = negotiate(prepared.graph()).unwrap();
    (prepared, plan, outside)
}

/// A server of a graph.
pub(crate) fn serve(path: &Path, text: &str, outside: &[&str], options: ServerOptions) -> Result<Server, ServeError> {
    let (prepared, plan, outside) = prepared(text, outside);
    let graph = GraphText { name: "graph.toml".to_owned(), text: text.to_owned(), base: "".into(), strategy: None };
    Server::bind(path, prepared, &plan, &outside, ServerOptions { graph: Some(graph), ..options })
}
