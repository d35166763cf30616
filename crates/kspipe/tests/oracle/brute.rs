//! The cheapest plan, by trying every set of bridges and every way to take each `either` route. The pipes of a set of cuts
//! have nothing to say to each other, and costs compared key by key keep their order when the same is added to both: so
//! each pipe is tried on its own, and the cheapest plan for a set of cuts is made of the cheapest ways of its pipes.

use super::pipe::{Candidate, Way};
use super::rules::{counted_data, data, feeds, scaled_data};
use kspipe::graph::{Bridges, Connection, Graph, PinId, Route, RouteKind, Strategy};
use kspipe::negotiate::{Bridge, Cost, PipeId, Plan, RouteChoice};
use std::collections::BTreeMap;

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
    let keys = keys(graph.strategy());
    let connections = match graph.bridges() {
        Bridges::Allow => graph.connections(),
        Bridges::Forbid => &[],
    };
    let eithers: Vec<Route> = graph.routes().iter().copied().filter(|route| route.kind == RouteKind::Either).collect();
    let order = canonical_order(graph);
    let mut best: Option<Plan> = None;
    for cuts in 0u32..1 << (connections.len() + eithers.len()) {
        let is_cut = |place: usize| cuts >> place & 1 == 1;
        let bridges: Vec<Connection> =
            (0..connections.len()).filter(|place| is_cut(*place)).map(|place| connections[place]).collect();
        let copies: Vec<Route> =
            (0..eithers.len()).filter(|place| is_cut(connections.len() + place)).map(|place| eithers[place]).collect();
        if let Some(plan) = best_with(graph, &order, &bridges, &copies, &keys)
            && best.as_ref().is_none_or(|best| keys(&plan.cost) < keys(&best.cost))
        {
            best = Some(plan);
        }
    }
    best
}

/// The cheapest plan with exactly these bridges, and these `either` routes taken as copies.
fn best_with(
    graph: &Graph,
    order: &[PinId],
    bridges: &[Connection],
    copied: &[Route],
    keys: &dyn Fn(&Cost) -> Vec<u128>,
) -> Option<Plan> {
    let kept: Vec<Connection> = graph.connections().iter().copied().filter(|edge| !bridges.contains(edge)).collect();
    let copies: Vec<Route> = graph
        .routes()
        .iter()
        .copied()
        .filter(|route| route.kind == RouteKind::Copy || copied.contains(route))
        .collect();
    let inside: Vec<Route> = graph.routes().iter().copied().filter(|route| !copies.contains(route)).collect();
    let edges: Vec<(PinId, PinId)> =
        kept.iter().map(|edge| (edge.from, edge.to)).chain(inside.iter().map(|route| (route.from, route.to))).collect();

    // Rule 1: a pipe is named by the least of its pins; names spread along what joins until nothing changes.
    let mut name: BTreeMap<PinId, PinId> = graph.pin_ids().map(|pin| (pin, pin)).collect();
    while let Some((from, to)) = edges.iter().find(|(from, to)| name[from] != name[to]) {
        let (keep, drop) = (name[from].min(name[to]), name[from].max(name[to]));
        name.values_mut().filter(|name| **name == drop).for_each(|name| *name = keep);
    }
    let cuts_apart = |from: PinId, to: PinId| name[&from] != name[&to];
    if !bridges.iter().all(|edge| cuts_apart(edge.from, edge.to))
        || !copies.iter().all(|route| cuts_apart(route.from, route.to))
    {
        return None;
    }

    let mut heads: Vec<PinId> = Vec::new();
    for pin in order {
        if !heads.contains(&name[pin]) {
            heads.push(name[pin]);
        }
    }
    let mut plan = Plan {
        strategy: graph.strategy(),
        proven: 0,
        pipes: Vec::new(),
        items: vec![None; graph.pins().len()],
        pipe_of: vec![PipeId(0); graph.pins().len()],
        bridges: bridges
            .iter()
            .map(|edge| Bridge { connection: *edge, bytes: counted_data(graph, edge.from) })
            .collect(),
        copies: copies
            .iter()
            .map(|route| RouteChoice {
                route: *route,
                chosen: route.kind == RouteKind::Either,
                bytes: counted_data(graph, route.from),
            })
            .collect(),
        cost: Cost::default(),
    };
    for (number, head) in heads.iter().enumerate() {
        let pins: Vec<PinId> = order.iter().copied().filter(|pin| name[pin] == *head).collect();
        let candidate = Candidate {
            graph,
            edges: edges.iter().copied().filter(|(from, _)| name[from] == *head).collect(),
            routes: inside.iter().copied().filter(|route| name[&route.from] == *head).collect(),
            capacities: pins.iter().flat_map(|pin| what_must_fit(graph, *pin, bridges, copied)).collect(),
            pins,
        };
        let Way { pipe, items, cost } = candidate.best(keys)?;
        for (pin, item) in pipe.pins.iter().zip(items) {
            plan.items[pin.index()] = item;
            plan.pipe_of[pin.index()] = PipeId(number as u32);
        }
        plan.pipes.push(pipe);
        plan.cost.allocators += cost.allocators;
        plan.cost.departures += cost.departures;
        plan.cost.bytes += cost.bytes;
        plan.cost.frames += cost.frames;
        plan.cost.sizes += cost.sizes;
    }
    for giver in bridges.iter().map(|edge| edge.from).chain(copied.iter().map(|route| route.from)) {
        plan.cost.bytes_copied += u128::from(counted_data(graph, giver));
        plan.cost.depth += graph.pin_ids().filter(|pin| feeds(graph, *pin, giver)).count() as u128;
    }
    plan.proven = keys(&plan.cost).len() as u8;
    Some(plan)
}

/// What has to fit at a pin whatever its item: its media frame, what a cut copies to it, what a compression makes.
fn what_must_fit(graph: &Graph, pin: PinId, bridges: &[Connection], copied: &[Route]) -> Vec<u64> {
    let mut fit: Vec<u64> = graph.pin(pin).media_size().into_iter().collect();
    fit.extend(bridges.iter().filter(|edge| edge.to == pin).filter_map(|edge| data(graph, edge.from)));
    fit.extend(copied.iter().filter(|route| route.to == pin).filter_map(|route| data(graph, route.from)));
    if graph.pin(pin).compression().is_stated() {
        let routes = graph.routes().iter().filter(|route| route.to == pin);
        fit.extend(routes.filter_map(|route| scaled_data(graph, route)));
    }
    fit
}

/// All pins, each time the first by name of those with everything upstream done.
fn canonical_order(graph: &Graph) -> Vec<PinId> {
    let mut order: Vec<PinId> = Vec::new();
    while order.len() < graph.pins().len() {
        let ready = graph.pin_ids().filter(|pin| !order.contains(pin)).find(|pin| {
            graph.pin_ids().all(|above| above == *pin || order.contains(&above) || !feeds(graph, above, *pin))
        });
        order.push(ready.expect("the graph has no cycle"));
    }
    order
}
