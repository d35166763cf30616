//! How long a chain takes to negotiate: a source, N filters that pass frames on, a sink. Prints for each N given one
//! line: N, and in microseconds, medians of 21: the time to build the graph, to negotiate it, and to write the plan as
//! text. `ci/gstreamer.sh` runs it beside GStreamer.

use kspipe::graph::{Direction, FramingItem, Graph, RouteKind};
use kspipe::negotiate::{describe::plan_text, negotiate};
use std::time::Instant;

const ROUNDS: usize = 21;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for argument in std::env::args().skip(1) {
        let count: usize = argument.parse()?;
        let mut rounds = [[0.0; 3]; ROUNDS];
        for times in &mut rounds {
            let start = Instant::now();
            let graph = chain(count)?;
            times[0] = microseconds(start);
            let start = Instant::now();
            let plan = negotiate(&graph)?;
            times[1] = microseconds(start);
            let start = Instant::now();
            let text = plan_text(&graph, &plan, false);
            times[2] = microseconds(start);
            assert!(plan.pipes.len() == 1 && !text.is_empty());
        }
        let [build, negotiation, text] = [0, 1, 2].map(|part| {
            let mut times = rounds.map(|times| times[part]);
            times.sort_by(f64::total_cmp);
            times[ROUNDS / 2]
        });
        println!("{count} {build:.1} {negotiation:.1} {text:.1}");
    }
    Ok(())
}

fn microseconds(since: Instant) -> f64 {
    since.elapsed().as_nanos() as f64 / 1000.0
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
