//! Every framing of the corpus meets every other.

mod corpus;
mod oracle;

use corpus::{PinFraming, framings};
use kspipe::graph::{Direction, Graph, Mode, Strategy};
use kspipe::negotiate::{negotiate, verify};
use oracle::brute::{best_plan, keys};

fn pair(from: (&PinFraming, Mode), to: (&PinFraming, Mode), strategy: Strategy) -> Graph {
    let mut graph = Graph::builder();
    graph.strategy(strategy);
    graph.filter("from").mode(from.1).pin("out", Direction::Out).framing(from.0.framing.clone());
    graph.filter("to").mode(to.1).pin("in", Direction::In).framing(to.0.framing.clone());
    graph.connect("from.out", "to.in");
    graph.build().unwrap_or_else(|error| panic!("{} -> {}: {error}", from.0.id, to.0.id))
}

#[test]
fn every_pair_of_pins_is_negotiated_at_the_least_cost_and_verified() {
    let framings = framings();
    assert!(framings.len() > 60, "only {} framings", framings.len());
    let modes = [(Mode::Kernel, Mode::Kernel), (Mode::Kernel, Mode::User), (Mode::User, Mode::Kernel)];
    for (from_mode, to_mode) in modes {
        for (number, from) in framings.iter().enumerate() {
            for (other, to) in framings.iter().enumerate() {
                // Each pair by one strategy, all strategies over the pairs.
                let (_, strategy) = Strategy::ALL[(number + other) % Strategy::ALL.len()];
                let what = format!("{} ({from_mode}) -> {} ({to_mode}), {strategy}", from.id, to.id);
                let graph = pair((from, from_mode), (to, to_mode), strategy);
                let plan = negotiate(&graph).unwrap_or_else(|error| panic!("{what}: {error:?}"));
                assert_eq!(verify(&graph, &plan), Ok(()), "{what}");
                let best = best_plan(&graph).unwrap_or_else(|| panic!("{what}: brute force finds no plan"));
                let keys = keys(strategy);
                assert_eq!(keys(&plan.cost), keys(&best.cost), "{what}");
                // What a driver only prefers, and what a user-mode pin leaves open, never parts two pins.
                assert_eq!((plan.pipes.len(), plan.bridges.len()), (1, 0), "{what}");
            }
        }
    }
}
