//! How the time of a negotiation grows with the pins, decade by decade up to a million.
//!
//! `cargo bench -p kspipe --bench negotiate_scaling`; `-- --pins 100000` stops earlier, `-- NAME` takes only families whose
//! name has it. The sizes of a family take turns, so that what else the machine does meets all of them; the figures are
//! medians, of times and of ratios. Every plan must be proven optimal in all its keys.

mod families;

use families::FAMILIES;
use kspipe::graph::Graph;
use kspipe::negotiate::negotiate;
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Turns each size takes.
const TURNS: usize = 7;

/// The time of one negotiation; small graphs are negotiated often enough to be measured.
fn time(graph: &Graph) -> Duration {
    let times = (20_000 / graph.pins().len().max(1)).max(1) as u32;
    let start = Instant::now();
    for _ in 0..times {
        let plan = black_box(negotiate(graph)).expect("a plan");
        assert_eq!(usize::from(plan.proven), plan.cost.keys(graph.strategy()).len(), "the plan is proven");
    }
    start.elapsed() / times
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let given = arguments.iter().position(|argument| argument == "--pins").and_then(|place| arguments.get(place + 1));
    let quick = arguments.iter().any(|argument| argument == "--test" || argument == "--quick");
    let most: u32 = match given {
        Some(text) => text.parse().expect("--pins is followed by a number"),
        None if quick => 1_000,
        None => 1_000_000,
    };
    let name = arguments.first().filter(|argument| !argument.starts_with('-'));
    let sizes: Vec<u32> = (1..=6).map(|power| 10u32.pow(power)).filter(|size| *size <= most).collect();
    print!("{:<38}", "family");
    sizes.iter().for_each(|size| print!(" {size:>11}"));
    println!("   most for 10 times the pins");
    for (family, graph_of) in FAMILIES {
        if name.is_some_and(|name| !family.contains(name.as_str())) {
            continue;
        }
        let graphs: Vec<Graph> = sizes.iter().map(|size| graph_of(*size)).collect();
        let mut times: Vec<Vec<f64>> = vec![Vec::new(); sizes.len()];
        for _ in 0..TURNS {
            for (graph, times) in graphs.iter().zip(&mut times) {
                times.push(time(graph).as_secs_f64());
            }
        }
        print!("{family:<38}");
        times.iter().for_each(|times| print!(" {:>8.3} ms", median(times.clone()) * 1e3));
        // A graph has about as many pins as it was asked for. Each turn gives a ratio, so that what slows some turns down
        // changes none.
        let count = |place: usize| graphs[place].pins().len() as f64;
        let growth = |place: usize| {
            let ratios = times[place].iter().zip(&times[place - 1]).map(|(longer, shorter)| longer / shorter);
            median(ratios.collect()) * 10.0 * count(place - 1) / count(place)
        };
        println!("   {:.1}", (1..times.len()).map(growth).fold(0.0, f64::max));
    }
}
