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
    /// No connection of an out pin.
    pub(in crate::negotiate) fn absent(from: PinId) -> Self {
        Edge { from, to: from, kind: EdgeKind::Absent, cuttable: false }
    }

    /// The connection of an out pin.
    pub(in crate::negotiate) fn of_connection(graph: &Graph, from: PinId, cuttable: bool) -> Self {
        match graph.pin(from).peer() {
            Some(to) => Edge { from, to, kind: EdgeKind::Connection, cuttable },
            None => Edge::absent(from),
        }
    }

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
    let connections = outs.map(|from| Edge::of_connection(graph, from, cuttable));
    let routes = graph.routes().iter().map(|route| {
        let mut edge = Edge { from: route.from, to: route.to, kind: EdgeKind::Absent, cuttable: false };
        edge.take_kind(EdgeKind::of(route.kind));
        edge
    });
    let mut edges = Vec::with_capacity(graph.pins().len() / 2 + graph.routes().len());
    edges.extend(connections.chain(routes));
    edges
}

/// What stands where there is room for an edge that is not there.
const ROOM: u32 = u32::MAX;

/// The edges at each pin. There is room for all that can be there, so that one comes or goes without moving the others.
#[derive(Clone, Debug)]
pub(super) struct EdgeIndex {
    /// By pin: `places[start_of[pin]..start_of[pin + 1]]`, in order, then [`ROOM`].
    places: Vec<u32>,
    start_of: Vec<u32>,
}

impl EdgeIndex {
    pub(super) fn of(graph: &Graph, edges: &[Edge]) -> Self {
        let pins = graph.pins().len();
        let mut start_of = vec![0u32; pins + 1];
        // A connection and the routes.
        for route in graph.routes() {
            start_of[route.from.index() + 1] += 1;
            start_of[route.to.index() + 1] += 1;
        }
        for index in 1..start_of.len() {
            start_of[index] += 1 + start_of[index - 1];
        }
        let mut index = EdgeIndex { places: vec![ROOM; start_of[pins] as usize], start_of };
        let mut next = index.start_of.clone();
        for (number, edge) in edges.iter().enumerate().filter(|(_, edge)| !edge.kind.is_absent()) {
            for pin in [edge.from, edge.to] {
                let next = &mut next[pin.index()];
                index.places[*next as usize] = number as u32;
                *next += 1;
            }
        }
        index
    }

    fn room_at(&self, pin: PinId) -> std::ops::Range<usize> {
        self.start_of[pin.index()] as usize..self.start_of[pin.index() + 1] as usize
    }

    pub(super) fn at(&self, pin: PinId) -> &[u32] {
        let places = &self.places[self.room_at(pin)];
        match places.last() {
            Some(&ROOM) => &places[..places.partition_point(|place| *place != ROOM)],
            _ => places,
        }
    }

    /// Puts an edge at a pin, or takes it away.
    pub(super) fn put(&mut self, pin: PinId, edge: u32, is_there: bool) {
        let room = self.room_at(pin);
        let places = &mut self.places[room];
        let place = places.partition_point(|other| *other < edge);
        let was_there = places.get(place) == Some(&edge);
        if is_there && !was_there && places.last() == Some(&ROOM) {
            places[place..].rotate_right(1);
            places[place] = edge;
        } else if !is_there && was_there {
            places[place..].rotate_left(1);
            if let Some(last) = places.last_mut() {
                *last = ROOM;
            }
        }
    }
}
