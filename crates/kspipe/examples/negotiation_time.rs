//! How long a chain takes to negotiate: a source, N filters that pass frames on, a sink. Prints for each N given one line:
//! N, and in microseconds the time to build the graph, to negotiate it, and to describe the plan with every reason.
//! `ci/gstreamer.sh` runs it beside GStreamer.

use kspipe::graph::{Direction, FramingItem, Graph, RouteKind};
use kspipe::negotiate::{describe::plan_text, negotiate};
use std::time::Instant;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for argument in std::env::args().skip(1) {
        let count: usize = argument.parse()?;
        let start = Instant::now();
        let graph = chain(count)?;
        let build = start.elapsed();
        let start = Instant::now();
        let plan = negotiate(&graph)?;
        let negotiation = start.elapsed();
        let start = Instant::now();
        let text = plan_text(&graph, &plan, true);
        let explanation = start.elapsed();
        assert!(plan.pipes.len() == 1 && !text.is_empty());
        let microseconds = [build, negotiation, explanation].map(|time| time.as_nanos() as f64 / 1000.0);
        println!("{count} {:.1} {:.1} {:.1}", microseconds[0], microseconds[1], microseconds[2]);
    }
    Ok(())
}

fn chain(count: usize) -> Result<Graph, kspipe::graph::BuildError> {
    let mut graph = Graph::builder();
    graph.filter("source").pin("out", Direction::Out).item(FramingItem { frames: 2, ..FramingItem::exactly(4096) });
    let mut last = "source.out".to_owned();
    for place in 0..count {
        let name = format!("identity{place}");
        graph.filter(&name).pin("in", Direction::In);
        graph.filter(&name).pin("out", Direction::Out);
        graph.filter(&name).route("in", "out", RouteKind::Pass);
        graph.connect(&last, &format!("{name}.in"));
        last = format!("{name}.out");
    }
    graph.filter("sink").pin("in", Direction::In);
    graph.connect(&last, "sink.in");
    graph.build()
}
