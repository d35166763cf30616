//! The ways a frame can stay the same frame.

use crate::graph::{Bridges, Direction, Graph, PinId, RouteKind};

/// A way a frame can stay the same frame: a connection, or a route that is not `copy`. The two pins it joins lie in one
/// pipe unless it is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::negotiate) struct Edge {
    pub(in crate::negotiate) from: PinId,
    pub(in crate::negotiate) to: PinId,
    pub(in crate::negotiate) kind: EdgeKind,
    /// A plan may copy here.
    pub(in crate::negotiate) cuttable: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::negotiate) enum EdgeKind {
    Connection,
    Pass,
    InPlace,
    Either,
    /// The place of an out pin that is not connected, or of a `copy` route: no edge.
    Absent,
}

impl Edge {
    /// Makes a route's edge another kind of edge.
    pub(in crate::negotiate) fn take_kind(&mut self, kind: EdgeKind) {
        (self.kind, self.cuttable) = (kind, kind == EdgeKind::Either);
    }
}

impl EdgeKind {
    /// What a route is as an edge.
    pub(in crate::negotiate) fn of(route: RouteKind) -> Self {
        match route {
            RouteKind::Pass => EdgeKind::Pass,
            RouteKind::InPlace => EdgeKind::InPlace,
            RouteKind::Either => EdgeKind::Either,
            RouteKind::Copy => EdgeKind::Absent,
        }
    }
    pub(in crate::negotiate) fn is_route(self) -> bool {
        matches!(self, EdgeKind::Pass | EdgeKind::InPlace | EdgeKind::Either)
    }
    /// Whether the filter writes into the frame where this edge is not cut.
    pub(in crate::negotiate) fn writes(self) -> bool {
        matches!(self, EdgeKind::InPlace | EdgeKind::Either)
    }
    pub(in crate::negotiate) fn is_absent(self) -> bool {
        self == EdgeKind::Absent
    }
}

/// All edges: the out pins' connections in the order of the out pins, then the routes in the graph's order.
pub(super) fn edges_of(graph: &Graph) -> Vec<Edge> {
    let cuttable = graph.bridges() == Bridges::Allow;
    let outs = graph.pin_ids().filter(|pin| graph.pin(*pin).direction() == Direction::Out);
    let connections = outs.map(|from| match graph.pin(from).peer() {
        Some(to) => Edge { from, to, kind: EdgeKind::Connection, cuttable },
        None => Edge { from, to: from, kind: EdgeKind::Absent, cuttable: false },
    });
    let routes = graph.routes().iter().map(|route| {
        let mut edge = Edge { from: route.from, to: route.to, kind: EdgeKind::Absent, cuttable: false };
        edge.take_kind(EdgeKind::of(route.kind));
        edge
    });
    let mut edges = Vec::with_capacity(graph.pins().len() / 2 + graph.routes().len());
    edges.extend(connections.chain(routes));
    edges
}

/// The edges at each pin.
#[derive(Clone, Debug)]
pub(super) struct EdgeIndex {
    /// By pin: `places[start_of[pin]..start_of[pin + 1]]`.
    places: Vec<u32>,
    start_of: Vec<u32>,
}

impl EdgeIndex {
    pub(super) fn of(pins: usize, edges: &[Edge]) -> Self {
        let present = || edges.iter().enumerate().filter(|(_, edge)| !edge.kind.is_absent());
        // One place further than the pin's, so that filling moves each to where it belongs.
        let mut start_of = vec![0u32; pins + 2];
        for (_, edge) in present() {
            start_of[edge.from.index() + 2] += 1;
            start_of[edge.to.index() + 2] += 1;
        }
        for index in 2..start_of.len() {
            start_of[index] += start_of[index - 1];
        }
        let mut places = vec![0u32; start_of.last().map_or(0, |end| *end as usize)];
        for (number, edge) in present() {
            for pin in [edge.from, edge.to] {
                let next = &mut start_of[pin.index() + 1];
                places[*next as usize] = number as u32;
                *next += 1;
            }
        }
        start_of.pop();
        EdgeIndex { places, start_of }
    }

    pub(super) fn at(&self, pin: PinId) -> &[u32] {
        &self.places[self.start_of[pin.index()] as usize..self.start_of[pin.index() + 1] as usize]
    }
}
