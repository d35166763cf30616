//! Whether a plan is valid and costs what it says, by the rules alone.

use super::cuts::Cuts;
use super::pipe::{Candidate, Chosen, place_in_ties};
use super::rules::Known;
use ks::Guid;
use kspipe::graph::{Bridges, Graph, PinId, Route, RouteKind};
use kspipe::negotiate::{Cost, Pipe, PipeId, Plan};

/// The items the pins of a pipe use; `None` where a pin uses one that it has not got, or none though it has some.
fn items_of<'a>(graph: &'a Graph, plan: &Plan, pins: &[PinId]) -> Option<Chosen<'a>> {
    let item = |pin: &PinId| {
        let items = graph.pin(*pin).items();
        match plan.items.get(pin.index())? {
            None => items.is_empty().then_some(None),
            Some(item) => items.get(*item as usize).map(Some),
        }
    };
    pins.iter().map(item).collect()
}

fn cuts_of(plan: &Plan) -> Cuts {
    Cuts {
        bridges: plan.bridges.iter().map(|bridge| bridge.connection).collect(),
        copied: plan.copies.iter().filter(|copy| copy.route.kind == RouteKind::Either).map(|copy| copy.route).collect(),
    }
}

/// What a plan costs that keeps the rules; `None` where it does not. What it says of its costs is not looked at.
pub(crate) fn cost_of_valid(graph: &Graph, plan: &Plan) -> Option<Cost> {
    let cuts = cuts_of(plan);
    let is_one_of_the_graph = cuts.bridges.iter().all(|bridge| graph.connections().contains(bridge))
        && cuts.copied.iter().all(|route| graph.routes().contains(route));
    let forbidden = graph.bridges() == Bridges::Forbid && !cuts.bridges.is_empty();
    let stated = plan.copies.iter().map(|copy| copy.route);
    let must_copy =
        graph.routes().iter().copied().filter(|route| cuts.copied.contains(route) || route.kind == RouteKind::Copy);
    let same_routes = sorted(stated) == sorted(must_copy);
    let said_right = plan.copies.iter().all(|copy| copy.chosen == (copy.route.kind == RouteKind::Either));
    let twice = (1..plan.bridges.len()).any(|place| plan.bridges[..place].contains(&plan.bridges[place]));
    if !is_one_of_the_graph || forbidden || !same_routes || !said_right || twice || plan.strategy != graph.strategy() {
        return None;
    }
    let known = Known::of(graph);
    let mut cost = cuts.cost(&known);
    let candidates = cuts.candidates(&known)?;
    if candidates.len() != plan.pipes.len() || plan.pipe_of.len() != graph.pins().len() {
        return None;
    }
    cost.allocators = candidates.len() as u128;
    for mut candidate in candidates {
        let number = plan.pipe_of[candidate.pins[0].index()];
        let pipe = plan.pipes.get(number.index())?;
        let together = plan
            .pipe_of
            .iter()
            .enumerate()
            .all(|(pin, of)| (*of == number) == candidate.pins.iter().any(|other| other.index() == pin));
        if !together || !is_ordered(&candidate, pipe) {
            return None;
        }
        // In what order pins stand that do not feed each other is the plan's to say.
        candidate.pins.clone_from(&pipe.pins);
        let items = items_of(graph, plan, &pipe.pins)?;
        if !candidate.is_valid(pipe, &items) {
            return None;
        }
        let part = candidate.cost(pipe, &items);
        cost.departures += part.departures;
        cost.bytes += part.bytes;
        cost.frames += part.frames;
        cost.sizes += part.sizes;
    }
    Some(cost)
}

fn sorted(routes: impl Iterator<Item = Route>) -> Vec<Route> {
    let mut routes: Vec<Route> = routes.collect();
    routes.sort_unstable();
    routes
}

/// Each pin once, upstream before downstream.
fn is_ordered(candidate: &Candidate<'_>, pipe: &Pipe) -> bool {
    let mut pins = (pipe.pins.clone(), candidate.pins.clone());
    pins.0.sort_unstable();
    pins.1.sort_unstable();
    let place = |pin: PinId| pipe.pins.iter().position(|other| *other == pin);
    pins.0 == pins.1 && candidate.edges.iter().all(|(from, to)| place(*from) < place(*to))
}

impl Candidate<'_> {
    /// Rules 2 to 7.
    fn is_valid(&self, pipe: &Pipe, items: &Chosen<'_>) -> bool {
        !self.writes_what_is_shared(items)
            && pipe.mode == self.mode()
            && self.memories(items).contains(&pipe.memory_type)
            && self.is_valid_size(pipe.frame_size, items)
            && pipe.alignment == self.alignment(items)
            && pipe.frames >= self.least_count(items)
            && self.allocator(items, pipe.memory_type) == Some(pipe.allocator)
    }
}

/// A pipe whose memory type is not the one ties go to: the type most pins name, then user, nonpaged, paged.
pub(crate) fn wrong_tie(graph: &Graph, plan: &Plan) -> Option<(PipeId, Guid)> {
    for candidate in cuts_of(plan).candidates(&Known::of(graph))? {
        let number = plan.pipe_of[candidate.pins[0].index()];
        let items = items_of(graph, plan, &candidate.pins)?;
        let place = |memory: Guid| place_in_ties(memory, &items);
        let mut chosen = plan.pipes[number.index()].clone();
        chosen.pins.clone_from(&candidate.pins);
        let departures = candidate.cost(&chosen, &items).departures;
        for memory in candidate.memories(&items) {
            let other = Pipe { memory_type: memory, ..chosen.clone() };
            if candidate.cost(&other, &items).departures == departures && place(memory) < place(chosen.memory_type) {
                return Some((number, memory));
            }
        }
    }
    None
}
