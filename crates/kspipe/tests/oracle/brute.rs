//! The cheapest plan, by trying every set of bridges and every way to take each `either` route. The pipes of a set of cuts
//! have nothing to say to each other, and costs compared key by key keep their order when the same is added to both: so
//! each pipe is tried on its own, and the cheapest plan for a set of cuts is made of the cheapest ways of its pipes.

use super::cuts::Cuts;
use super::pipe::{Candidate, Way};
use super::rules::Known;
use kspipe::graph::{Bridges, Graph, PinId, Route, RouteKind, Strategy};
use kspipe::negotiate::{Cost, PipeId, Plan};
use std::collections::HashMap;

/// The keys of a strategy, in order.
pub(crate) fn keys(strategy: Strategy) -> impl Fn(&Cost) -> Vec<u128> {
    move |c| match strategy {
        Strategy::MaximizeSpeed => vec![c.bytes_copied, c.allocators, c.departures, c.depth, c.bytes, c.frames],
        Strategy::MinimizeAllocators => vec![c.allocators, c.bytes_copied, c.departures, c.depth, c.bytes, c.frames],
        Strategy::MinimizeFrameSize => {
            vec![c.bytes_copied, c.sizes, c.departures, c.allocators, c.depth, c.bytes, c.frames]
        }
        Strategy::MinimizeFrames => vec![c.bytes_copied, c.frames, c.departures, c.allocators, c.depth, c.bytes],
    }
}

/// The cheapest plan there is, or `None` where no plan is valid. The graph has no cycle.
pub(crate) fn best_plan(graph: &Graph) -> Option<Plan> {
    best_plan_by(graph, &keys(graph.strategy()))
}

/// The plan that is cheapest by these keys.
pub(crate) fn best_plan_by(graph: &Graph, keys: &dyn Fn(&Cost) -> Vec<u128>) -> Option<Plan> {
    let connections = match graph.bridges() {
        Bridges::Allow => graph.connections(),
        Bridges::Forbid => &[],
    };
    let eithers: Vec<Route> = graph.routes().iter().copied().filter(|route| route.kind == RouteKind::Either).collect();
    let mut search = Search { known: Known::of(graph), keys, ways: HashMap::new(), best: None };
    for sets in 0u32..1 << (connections.len() + eithers.len()) {
        let is_cut = |place: usize| sets >> place & 1 == 1;
        search.try_cuts(Cuts {
            bridges: (0..connections.len()).filter(|place| is_cut(*place)).map(|place| connections[place]).collect(),
            copied: (0..eithers.len())
                .filter(|place| is_cut(connections.len() + place))
                .map(|place| eithers[place])
                .collect(),
        });
    }
    search.best
}

struct Search<'a> {
    known: Known<'a>,
    keys: &'a dyn Fn(&Cost) -> Vec<u128>,
    /// The best way to run each pipe met so far: its pins, and what has to fit into it, decide that.
    ways: HashMap<(Vec<PinId>, Vec<u64>), Option<Way>>,
    best: Option<Plan>,
}

impl Search<'_> {
    /// Looks for a better plan with exactly these cuts.
    fn try_cuts(&mut self, cuts: Cuts) {
        let Some(candidates) = cuts.candidates(&self.known) else { return };
        let mut cost = cuts.cost(&self.known);
        cost.allocators = candidates.len() as u128;
        let mut ways: Vec<Way> = Vec::new();
        for candidate in candidates {
            // No number of a cost ever falls.
            if self.best.as_ref().is_some_and(|best| (self.keys)(&cost) > (self.keys)(&best.cost)) {
                return;
            }
            let Some(way) = self.way(candidate) else { return };
            cost.departures += way.cost.departures;
            cost.bytes += way.cost.bytes;
            cost.frames += way.cost.frames;
            cost.sizes += way.cost.sizes;
            ways.push(way);
        }
        if self.best.as_ref().is_none_or(|best| (self.keys)(&cost) < (self.keys)(&best.cost)) {
            self.best = Some(self.plan(&cuts, ways, cost));
        }
    }

    fn way(&mut self, candidate: Candidate<'_>) -> Option<Way> {
        let name = (candidate.pins.clone(), candidate.capacities.clone());
        self.ways.entry(name).or_insert_with(|| candidate.best(self.keys)).clone()
    }

    fn plan(&self, cuts: &Cuts, ways: Vec<Way>, cost: Cost) -> Plan {
        let graph = self.known.graph;
        let mut items = vec![None; graph.pins().len()];
        let mut pipe_of = vec![PipeId(0); graph.pins().len()];
        for (number, way) in ways.iter().enumerate() {
            for (pin, item) in way.pipe.pins.iter().zip(&way.items) {
                items[pin.index()] = *item;
                pipe_of[pin.index()] = PipeId(number as u32);
            }
        }
        Plan {
            strategy: graph.strategy(),
            proven: (self.keys)(&cost).len() as u8,
            pipes: ways.into_iter().map(|way| way.pipe).collect(),
            items,
            pipe_of,
            bridges: cuts.bridges(&self.known),
            copies: cuts.copies(&self.known),
            cost,
        }
    }
}
