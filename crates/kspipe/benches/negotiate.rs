//! How long negotiation takes, by the number of pins, for families of graphs that make it hard in different ways.
//!
//! `cargo bench -p kspipe --bench negotiate` prints time for each family at 10, 1,000 and 100,000 pins, and how it grows;
//! `-- --quick` leaves the largest out.

mod families;

use families::FAMILIES;
use kspipe::graph::Graph;
use kspipe::negotiate::negotiate;
use std::hint::black_box;
use std::time::{Duration, Instant};

/// The median time of a negotiation.
fn time(graph: &Graph) -> Duration {
    let mut times: Vec<Duration> = Vec::new();
    let start = Instant::now();
    while times.len() < 5 || start.elapsed() < Duration::from_millis(300) && times.len() < 1_001 {
        let start = Instant::now();
        let plan = negotiate(black_box(graph));
        times.push(start.elapsed());
        let plan = plan.expect("a plan");
        assert_eq!(usize::from(plan.proven), plan.cost.keys(graph.strategy()).len(), "the plan is proven");
        black_box(plan);
    }
    times.sort_unstable();
    times[times.len() / 2]
}

fn main() {
    let quick = std::env::args().any(|argument| argument == "--quick" || argument == "--test");
    let sizes: &[u32] = if quick { &[10, 1_000] } else { &[10, 1_000, 100_000] };
    println!("{:<40} {:>9} {:>14} {:>12} {:>10}", "family", "pins", "time", "ns a pin", "growth");
    for (name, family) in FAMILIES {
        let mut before: Option<(u32, Duration)> = None;
        for pins in sizes {
            let graph = family(*pins);
            let time = time(&graph);
            let growth = before.map_or(String::new(), |(fewer, less)| {
                let per_ten =
                    (time.as_secs_f64() / less.as_secs_f64()).powf(1.0 / (f64::from(*pins) / f64::from(fewer)).log10());
                format!("x{per_ten:.1}")
            });
            let each = time.as_nanos() / graph.pins().len().max(1) as u128;
            println!("{name:<40} {:>9} {:>14} {each:>12} {growth:>10}", graph.pins().len(), format!("{time:.2?}"));
            before = Some((*pins, time));
        }
    }
}
