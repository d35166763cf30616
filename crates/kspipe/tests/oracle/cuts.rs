//! What a set of cuts makes of a graph: rule 1, and what has to fit into each pipe.

use super::pipe::Candidate;
use super::rules::{Known, scaled_data};
use kspipe::graph::{Connection, PinId, Route, RouteKind};
use kspipe::negotiate::{Bridge, Cost, RouteChoice};
use std::collections::BTreeMap;

/// Where a plan copies because it chose to.
#[derive(Clone, Debug)]
pub(crate) struct Cuts {
    /// The bridges.
    pub(crate) bridges: Vec<Connection>,
    /// The `either` routes taken as copies.
    pub(crate) copied: Vec<Route>,
}

impl Cuts {
    fn is_copy(&self, route: &Route) -> bool {
        route.kind == RouteKind::Copy || self.copied.contains(route)
    }

    /// The pipes, or `None` where what is cut is joined all the same.
    pub(crate) fn candidates<'a>(&self, known: &Known<'a>) -> Option<Vec<Candidate<'a>>> {
        let graph = known.graph;
        let kept = graph.connections().iter().filter(|edge| !self.bridges.contains(edge));
        let inside: Vec<Route> = graph.routes().iter().copied().filter(|route| !self.is_copy(route)).collect();
        let edges: Vec<(PinId, PinId)> =
            kept.map(|edge| (edge.from, edge.to)).chain(inside.iter().map(|route| (route.from, route.to))).collect();

        // A pipe is named by the least of its pins; names spread along what joins until nothing changes.
        let mut name: BTreeMap<PinId, PinId> = graph.pin_ids().map(|pin| (pin, pin)).collect();
        while let Some((from, to)) = edges.iter().find(|(from, to)| name[from] != name[to]) {
            let (keep, drop) = (name[from].min(name[to]), name[from].max(name[to]));
            name.values_mut().filter(|name| **name == drop).for_each(|name| *name = keep);
        }
        let copies = graph.routes().iter().filter(|route| self.is_copy(route)).map(|route| (route.from, route.to));
        let mut apart = self.bridges.iter().map(|edge| (edge.from, edge.to)).chain(copies);
        if apart.any(|(from, to)| name[&from] == name[&to]) {
            return None;
        }

        let mut heads: Vec<PinId> = Vec::new();
        for pin in &known.order {
            if !heads.contains(&name[pin]) {
                heads.push(name[pin]);
            }
        }
        let candidate = |head: PinId| {
            let pins: Vec<PinId> = known.order.iter().copied().filter(|pin| name[pin] == head).collect();
            Candidate {
                graph,
                edges: edges.iter().copied().filter(|(from, _)| name[from] == head).collect(),
                routes: inside.iter().copied().filter(|route| name[&route.from] == head).collect(),
                capacities: pins.iter().flat_map(|pin| self.what_must_fit(known, *pin)).collect(),
                pins,
            }
        };
        Some(heads.into_iter().map(candidate).collect())
    }

    /// What has to fit at a pin whatever its item: its media frame, what a cut copies to it, what a compression makes.
    fn what_must_fit(&self, known: &Known<'_>, pin: PinId) -> Vec<u64> {
        let graph = known.graph;
        let mut fit: Vec<u64> = graph.pin(pin).media_size().into_iter().collect();
        fit.extend(self.bridges.iter().filter(|edge| edge.to == pin).filter_map(|edge| known.data[edge.from.index()]));
        fit.extend(
            self.copied.iter().filter(|route| route.to == pin).filter_map(|route| known.data[route.from.index()]),
        );
        if graph.pin(pin).compression().is_stated() {
            let routes = graph.routes().iter().filter(|route| route.to == pin);
            fit.extend(routes.filter_map(|route| scaled_data(graph, route)));
        }
        fit
    }

    /// What the cuts cost, whatever the pipes do.
    pub(crate) fn cost(&self, known: &Known<'_>) -> Cost {
        let mut cost = Cost::default();
        for giver in self.bridges.iter().map(|edge| edge.from).chain(self.copied.iter().map(|route| route.from)) {
            cost.bytes_copied += u128::from(known.counted_data(giver));
            cost.depth += known.depth[giver.index()];
        }
        cost
    }

    /// As a plan lists them.
    pub(crate) fn bridges(&self, known: &Known<'_>) -> Vec<Bridge> {
        let bridges = self.bridges.iter();
        bridges.map(|edge| Bridge { connection: *edge, bytes: known.counted_data(edge.from) }).collect()
    }

    /// As a plan lists them, those that are stated too.
    pub(crate) fn copies(&self, known: &Known<'_>) -> Vec<RouteChoice> {
        let copies = known.graph.routes().iter().filter(|route| self.is_copy(route));
        copies
            .map(|route| RouteChoice {
                route: *route,
                chosen: route.kind == RouteKind::Either,
                bytes: known.counted_data(route.from),
            })
            .collect()
    }
}
