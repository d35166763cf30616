//! What is fixed before anything is chosen: the order of the pins, the data they carry, what cuts cost, who can be in
//! one pipe with whom.

use super::NegotiateError;
use crate::graph::{Bridges, Direction, Graph, PinId, RouteKind};

/// A way a frame can stay the same frame: a connection, or a route that is not `copy`. The two pins it joins lie in one
/// pipe unless it is cut.
#[derive(Clone, Copy, Debug)]
pub(super) struct Edge {
    pub(super) from: PinId,
    pub(super) to: PinId,
    pub(super) kind: EdgeKind,
    /// A plan may copy here.
    pub(super) cuttable: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EdgeKind {
    Connection,
    Pass,
    InPlace,
    Either,
}

impl EdgeKind {
    pub(super) fn is_route(self) -> bool {
        self != EdgeKind::Connection
    }
    /// Whether the filter writes into the frame where this edge is not cut.
    pub(super) fn writes(self) -> bool {
        matches!(self, EdgeKind::InPlace | EdgeKind::Either)
    }
}

/// What one cut costs, whatever else is chosen.
#[derive(Clone, Copy, Debug)]
pub(super) struct CutCost {
    pub(super) bytes: u64,
    pub(super) depth: u64,
}

/// The fixed facts of a graph.
#[derive(Debug)]
pub(super) struct Facts<'a> {
    pub(super) graph: &'a Graph,
    /// The pins, upstream before downstream; by longest way from a source, ties by canonical order.
    pub(super) order: Vec<PinId>,
    /// Data by pin, in bytes; 0: unknown. `u64::MAX` stands for what does not fit 64 bits.
    pub(super) data: Vec<u64>,
    /// What unknown data counts as in the cost: the largest data known, at least 1.
    pub(super) unknown_data: u64,
    /// Sizes each pin requires whatever item it uses: its media size and what a stated compression makes of its data.
    pub(super) required: Vec<u64>,
    pub(super) edges: Vec<Edge>,
    /// Edges by pin: `edges_at[start_of[pin]..start_of[pin + 1]]`.
    edges_at: Vec<u32>,
    start_of: Vec<u32>,
    /// Sets of pins that no `copy` route separates; a pipe lies in one of them. Each in canonical order.
    pub(super) components: Vec<Vec<PinId>>,
    pub(super) component_of: Vec<u32>,
    /// By component: a `copy` route has both its ends in it.
    pub(super) self_copying: Vec<bool>,
}

impl<'a> Facts<'a> {
    /// Errors with the cycle where frames would go round.
    pub(super) fn of(graph: &'a Graph) -> Result<Self, NegotiateError> {
        let order = topological_order(graph)?;
        let (data, required) = data_of(graph, &order);
        let unknown_data = data.iter().copied().max().unwrap_or(0).max(1);
        let edges = edges_of(graph);
        let (start_of, edges_at) = index_edges(graph, &edges);
        let mut facts = Facts {
            graph,
            order,
            data,
            unknown_data,
            required,
            edges,
            edges_at,
            start_of,
            components: Vec::new(),
            component_of: Vec::new(),
            self_copying: Vec::new(),
        };
        facts.find_components();
        Ok(facts)
    }

    /// The edges at a pin, as places in [`Self::edges`].
    pub(super) fn edges_at(&self, pin: PinId) -> &[u32] {
        let start = self.start_of[pin.index()] as usize;
        let end = self.start_of[pin.index() + 1] as usize;
        &self.edges_at[start..end]
    }

    /// The bytes a cut at this pin copies for a source frame.
    pub(super) fn copied_bytes(&self, giver: PinId) -> u64 {
        match self.data[giver.index()] {
            0 => self.unknown_data,
            bytes => bytes,
        }
    }

    fn find_components(&mut self) {
        const NONE: u32 = u32::MAX;
        let count = self.graph.pins().len();
        let mut component_of = vec![NONE; count];
        let mut components = Vec::new();
        let mut stack = Vec::new();
        for pin in self.graph.pin_ids() {
            if component_of[pin.index()] != NONE {
                continue;
            }
            let number = components.len() as u32;
            let mut members = Vec::new();
            component_of[pin.index()] = number;
            stack.push(pin);
            while let Some(at) = stack.pop() {
                members.push(at);
                for edge in self.edges_at(at) {
                    let edge = self.edges[*edge as usize];
                    let other = if edge.from == at { edge.to } else { edge.from };
                    if component_of[other.index()] == NONE {
                        component_of[other.index()] = number;
                        stack.push(other);
                    }
                }
            }
            members.sort_unstable();
            components.push(members);
        }
        self.self_copying = vec![false; components.len()];
        for route in self.graph.routes().iter().filter(|route| route.kind == RouteKind::Copy) {
            let component = component_of[route.from.index()];
            self.self_copying[component as usize] |= component == component_of[route.to.index()];
        }
        self.components = components;
        self.component_of = component_of;
    }

    /// For each pin, the number of pins it can be reached from, itself included.
    pub(super) fn depths(&self) -> Vec<u64> {
        let graph = self.graph;
        let count = graph.pins().len();
        let arrows = graph.connections().len() + graph.routes().len();
        let trees = weak_components(graph);
        if arrows + trees == count {
            // Without undirected cycles no pin is reached two ways, so the counts add up.
            let mut depths = vec![1u64; count];
            let arrows = Arrows::of(graph);
            for pin in &self.order {
                for next in arrows.from(*pin) {
                    depths[next.index()] += depths[pin.index()];
                }
            }
            return depths;
        }
        let arrows = Arrows::of(graph);
        let mut depths = vec![0u64; count];
        let mut reached_from = vec![0u64; count];
        for block in self.order.chunks(64) {
            reached_from.fill(0);
            for (bit, pin) in block.iter().enumerate() {
                reached_from[pin.index()] |= 1 << bit;
            }
            for pin in &self.order {
                let bits = reached_from[pin.index()];
                if bits != 0 {
                    depths[pin.index()] += u64::from(bits.count_ones());
                    for next in arrows.from(*pin) {
                        reached_from[next.index()] |= bits;
                    }
                }
            }
        }
        depths
    }
}

/// All ways data goes from pin to pin, `copy` routes too.
struct Arrows<'a> {
    graph: &'a Graph,
    first_route: Vec<u32>,
}

impl<'a> Arrows<'a> {
    fn of(graph: &'a Graph) -> Self {
        let mut first_route = vec![0u32; graph.pins().len() + 1];
        for route in graph.routes() {
            first_route[route.from.index() + 1] += 1;
        }
        for index in 1..first_route.len() {
            first_route[index] += first_route[index - 1];
        }
        Arrows { graph, first_route }
    }

    fn from(&self, pin: PinId) -> impl Iterator<Item = PinId> + '_ {
        let routes = self.first_route[pin.index()] as usize..self.first_route[pin.index() + 1] as usize;
        let peer = match self.graph.pin(pin).direction() {
            Direction::Out => self.graph.pin(pin).peer(),
            Direction::In => None,
        };
        peer.into_iter().chain(self.graph.routes()[routes].iter().map(|route| route.to))
    }
}

fn topological_order(graph: &Graph) -> Result<Vec<PinId>, NegotiateError> {
    let count = graph.pins().len();
    let arrows = Arrows::of(graph);
    let mut waiting_for = vec![0u32; count];
    for connection in graph.connections() {
        waiting_for[connection.to.index()] += 1;
    }
    for route in graph.routes() {
        waiting_for[route.to.index()] += 1;
    }
    let mut order = Vec::with_capacity(count);
    let mut layer: Vec<PinId> = graph.pin_ids().filter(|pin| waiting_for[pin.index()] == 0).collect();
    let mut next_layer = Vec::new();
    while !layer.is_empty() {
        for pin in &layer {
            for next in arrows.from(*pin) {
                waiting_for[next.index()] -= 1;
                if waiting_for[next.index()] == 0 {
                    next_layer.push(next);
                }
            }
        }
        order.append(&mut layer);
        next_layer.sort_unstable();
        std::mem::swap(&mut layer, &mut next_layer);
    }
    if order.len() == count { Ok(order) } else { Err(NegotiateError::Cycle(find_cycle(graph, &arrows, &waiting_for))) }
}

/// A cycle among the pins that still wait for one another, from its first pin in canonical order.
fn find_cycle(graph: &Graph, arrows: &Arrows<'_>, waiting_for: &[u32]) -> Vec<PinId> {
    let mut previous: Vec<Option<PinId>> = vec![None; waiting_for.len()];
    for pin in graph.pin_ids().filter(|pin| waiting_for[pin.index()] > 0) {
        for next in arrows.from(pin).filter(|next| waiting_for[next.index()] > 0) {
            previous[next.index()].get_or_insert(pin);
        }
    }
    // Every waiting pin has a waiting pin before it, so going back must come round.
    let mut step_of = vec![0usize; waiting_for.len()];
    let mut path = Vec::new();
    let mut at = graph.pin_ids().find(|pin| waiting_for[pin.index()] > 0);
    while let Some(pin) = at {
        if step_of[pin.index()] > 0 {
            path.drain(..step_of[pin.index()] - 1);
            break;
        }
        path.push(pin);
        step_of[pin.index()] = path.len();
        at = previous[pin.index()];
    }
    path.reverse();
    if let Some(first) = path.iter().enumerate().min_by_key(|(_, pin)| **pin).map(|(place, _)| place) {
        path.rotate_left(first);
    }
    path
}

fn weak_components(graph: &Graph) -> usize {
    let mut parent: Vec<u32> = (0..graph.pins().len() as u32).collect();
    let mut components = parent.len();
    let connections = graph.connections().iter().map(|c| (c.from, c.to));
    for (a, b) in connections.chain(graph.routes().iter().map(|r| (r.from, r.to))) {
        let (a, b) = (find(&mut parent, a.0), find(&mut parent, b.0));
        if a != b {
            parent[a as usize] = b;
            components -= 1;
        }
    }
    components
}

/// The representative of a set in a forest of parents, with the way halved.
pub(super) fn find(parent: &mut [u32], mut at: u32) -> u32 {
    while parent[at as usize] != at {
        parent[at as usize] = parent[parent[at as usize] as usize];
        at = parent[at as usize];
    }
    at
}

/// The data of every pin (DESIGN: a constant of the graph), and the sizes pins require by it.
fn data_of(graph: &Graph, order: &[PinId]) -> (Vec<u64>, Vec<u64>) {
    let mut data = vec![0u64; graph.pins().len()];
    let mut required = vec![0u64; graph.pins().len()];
    let mut routed = vec![0u64; graph.pins().len()];
    let arrows = Arrows::of(graph);
    for id in order {
        let pin = graph.pin(*id);
        let stated = pin.items().iter().map(|item| u64::from(item.capacity())).filter(|capacity| *capacity > 0).min();
        let from_upstream = match (pin.direction(), pin.peer()) {
            (Direction::In, Some(peer)) => data[peer.index()],
            (Direction::In, None) => 0,
            (Direction::Out, _) => {
                if pin.compression().is_stated() {
                    required[id.index()] = routed[id.index()];
                }
                routed[id.index()]
            }
        };
        let media_size = pin.media_size().unwrap_or(0);
        required[id.index()] = required[id.index()].max(media_size);
        data[id.index()] = if media_size > 0 { media_size } else { stated.unwrap_or(0).max(from_upstream) };
        if pin.direction() == Direction::In && data[id.index()] > 0 {
            let routes = arrows.first_route[id.index()] as usize..arrows.first_route[id.index() + 1] as usize;
            for route in &graph.routes()[routes] {
                let compression = graph.pin(route.to).compression();
                if route.kind == RouteKind::Copy && !compression.is_stated() {
                    continue;
                }
                let scaled = compression.scale(data[id.index()]).unwrap_or(u64::MAX);
                routed[route.to.index()] = routed[route.to.index()].max(scaled);
            }
        }
    }
    (data, required)
}

fn edges_of(graph: &Graph) -> Vec<Edge> {
    let bridges = graph.bridges() == Bridges::Allow;
    let connections = graph.connections().iter().map(|connection| Edge {
        from: connection.from,
        to: connection.to,
        kind: EdgeKind::Connection,
        cuttable: bridges,
    });
    let routes = graph.routes().iter().filter_map(|route| {
        let kind = match route.kind {
            RouteKind::Pass => EdgeKind::Pass,
            RouteKind::InPlace => EdgeKind::InPlace,
            RouteKind::Either => EdgeKind::Either,
            RouteKind::Copy => return None,
        };
        Some(Edge { from: route.from, to: route.to, kind, cuttable: kind == EdgeKind::Either })
    });
    connections.chain(routes).collect()
}

fn index_edges(graph: &Graph, edges: &[Edge]) -> (Vec<u32>, Vec<u32>) {
    let mut start_of = vec![0u32; graph.pins().len() + 1];
    for edge in edges {
        start_of[edge.from.index() + 1] += 1;
        start_of[edge.to.index() + 1] += 1;
    }
    for index in 1..start_of.len() {
        start_of[index] += start_of[index - 1];
    }
    let mut next = start_of.clone();
    let mut edges_at = vec![0u32; 2 * edges.len()];
    for (number, edge) in edges.iter().enumerate() {
        for pin in [edge.from, edge.to] {
            edges_at[next[pin.index()] as usize] = number as u32;
            next[pin.index()] += 1;
        }
    }
    (start_of, edges_at)
}
