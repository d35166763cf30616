//! The graphs that are served, as files.

use kspipe::graph::FilterId;
use kspipe::graph::file::GraphFile;
use kspipe::negotiate::negotiate;
use kspipe::stream::prepare_served;
use kspipe_session::{GraphText, ServeError, Server, ServerOptions};
use std::fmt::Write as _;
use std::path::Path;

/// A source without end.
pub(crate) const SOURCE: &str = r#"
[filter.a]
pin.out = { direction = "out", framing = [{ memory = "user", frames = 8 }] }
run = { kind = "pattern", format = "i420", width = 37, height = 19, rate = "30/1" }
"#;

/// A source without end to a tee to three sinks.
pub(crate) fn fork() -> String {
    let mut text = r#"connections = ["a.out -> t.in", "t.a -> x.in", "t.b -> y.in", "t.c -> z.in"]"#.to_owned();
    text += SOURCE;
    text += r#"
[filter.t]
pin.in = { direction = "in" }
pin.a = { direction = "out" }
pin.b = { direction = "out" }
pin.c = { direction = "out" }
routes = ["in -> a pass", "in -> b pass", "in -> c pass"]
run = { kind = "tee" }
"#;
    for sink in ["x", "y", "z"] {
        let _ = write!(text, "[filter.{sink}]\npin.in = {{ direction = \"in\" }}\nrun = {{ kind = \"discard\" }}\n");
    }
    text
}

/// A source of so many frames, then so many filters that copy, then a sink.
pub(crate) fn copies(frames: u32, filters: usize) -> String {
    let name = |place: usize| format!("f{place:03}");
    let mut connections = vec![format!("\"a.out -> {}.in\"", name(0))];
    connections.extend((1..filters).map(|place| format!("\"{}.out -> {}.in\"", name(place - 1), name(place))));
    connections.push(format!("\"{}.out -> s.in\"", name(filters - 1)));
    let mut text = format!("connections = [{}]", connections.join(", "));
    text += &SOURCE.replace("\"30/1\"", &format!("\"30/1\", frames = {frames}"));
    for place in 0..filters {
        let pins = "pin.in = { direction = \"in\" }\npin.out = { direction = \"out\" }\nroutes = [\"in -> out copy\"]";
        let _ = writeln!(text, "[filter.{}]\n{pins}\nrun = {{ kind = \"invert\" }}", name(place));
    }
    text + "[filter.s]\npin.in = { direction = \"in\" }\nrun = { kind = \"checksum\" }\n"
}

/// A source of so many frames to a tee with so many branches, all of which come together in a join, to a sink.
pub(crate) fn apart_and_together(frames: u32, branches: usize) -> String {
    let names: Vec<String> = (0..branches).map(|place| format!("b{place:02}")).collect();
    let mut connections = vec!["\"a.out -> t.in\"".to_owned(), "\"j.out -> s.in\"".to_owned()];
    connections.extend(names.iter().map(|name| format!("\"t.{name} -> j.{name}\"")));
    let mut text = format!("connections = [{}]", connections.join(", "));
    text += &SOURCE.replace("\"30/1\"", &format!("\"30/1\", frames = {frames}"));
    text += "[filter.t]\nrun = { kind = \"tee\" }\npin.in = { direction = \"in\" }\n";
    for name in &names {
        let _ = writeln!(text, "pin.{name} = {{ direction = \"out\" }}");
    }
    let routes: Vec<String> = names.iter().map(|name| format!("\"in -> {name} pass\"")).collect();
    let _ = writeln!(text, "routes = [{}]", routes.join(", "));
    text +=
        "[filter.j]\nrun = { kind = \"join\" }\npin.out = { direction = \"out\" }\nroutes = [\"b00 -> out pass\"]\n";
    for name in &names {
        let _ = writeln!(text, "pin.{name} = {{ direction = \"in\" }}");
    }
    text + "[filter.s]\npin.in = { direction = \"in\" }\nrun = { kind = \"checksum\" }\n"
}

/// A source without end, which is outside, to a sink that writes into a file.
pub(crate) fn into_file(path: &Path) -> String {
    let connections = "connections = [\"a.out -> s.in\"]";
    let sink = "[filter.s]\npin.in = { direction = \"in\" }\nrun = { kind = \"raw\", path = ";
    format!("{connections}{SOURCE}{sink}\"{}\" }}\n", path.display())
}

/// A server of a graph.
pub(crate) fn serve(path: &Path, text: &str, outside: &[&str], options: ServerOptions) -> Result<Server, ServeError> {
    let graph = GraphFile::parse("graph.toml", text, Path::new("")).unwrap_or_else(|errors| panic!("{errors}")).graph;
    let outside: Vec<FilterId> = outside.iter().map(|name| graph.find_filter(name).unwrap()).collect();
    let prepared = prepare_served(graph, &outside).unwrap();
    let plan = negotiate(prepared.graph()).unwrap();
    let graph = GraphText { name: "graph.toml".to_owned(), text: text.to_owned(), base: "".into(), strategy: None };
    Server::bind(path, prepared, &plan, &outside, ServerOptions { graph: Some(graph), ..options })
}
