//! What the checks read out of a graph and a plan that fits it: who is downstream of whom, and the data of each pin.

use super::super::{Pipe, Plan};
use crate::graph::{Connection, Direction, FramingItem, Graph, Mode, PinId, Route, RouteKind};
use std::collections::HashSet;

pub(super) struct View<'a> {
    pub(super) graph: &'a Graph,
    pub(super) plan: &'a Plan,
    /// All pins, upstream before downstream.
    pub(super) order: Vec<PinId>,
    /// By pin: where frames or what is made of them go next, by connections and all routes, whatever the plan cuts.
    pub(super) downstream: Vec<Vec<PinId>>,
    /// By pin: where they come from, the same the other way round.
    pub(super) upstream: Vec<Vec<PinId>>,
    /// By pin: where the frame itself goes next, by what the plan does not cut.
    pub(super) same_frame: Vec<Vec<PinId>>,
    /// By pin: the bytes one frame carries there, where that is known.
    pub(super) data: Vec<Option<u64>>,
    /// The largest data known in the graph; where none is, 1.
    pub(super) largest_data: u64,
    bridges: HashSet<Connection>,
    copies: HashSet<Route>,
}

impl<'a> View<'a> {
    /// The view; or, where the graph has a cycle, the pins of one.
    pub(super) fn new(graph: &'a Graph, plan: &'a Plan) -> Result<Self, Vec<PinId>> {
        let mut downstream = vec![Vec::new(); graph.pins().len()];
        let mut upstream = vec![Vec::new(); graph.pins().len()];
        let connections = graph.connections().iter().map(|connection| (connection.from, connection.to));
        for (from, to) in connections.chain(graph.routes().iter().map(|route| (route.from, route.to))) {
            downstream[from.index()].push(to);
            upstream[to.index()].push(from);
        }
        let order = upstream_first(graph, &downstream, &upstream)?;
        let data = data(graph, &order);
        let mut view = View {
            graph,
            plan,
            order,
            downstream,
            upstream,
            same_frame: vec![Vec::new(); graph.pins().len()],
            largest_data: data.iter().flatten().copied().max().unwrap_or(1),
            data,
            bridges: plan.bridges.iter().map(|bridge| bridge.connection).collect(),
            copies: plan.copies.iter().map(|copy| copy.route).collect(),
        };
        for connection in graph.connections() {
            if !view.is_bridge(connection) {
                view.same_frame[connection.from.index()].push(connection.to);
            }
        }
        for route in graph.routes() {
            if !view.is_copied(route) {
                view.same_frame[route.from.index()].push(route.to);
            }
        }
        Ok(view)
    }

    pub(super) fn is_bridge(&self, connection: &Connection) -> bool {
        self.bridges.contains(connection)
    }

    pub(super) fn is_copied(&self, route: &Route) -> bool {
        self.copies.contains(route)
    }

    pub(super) fn is_written_in_place(&self, route: &Route) -> bool {
        match route.kind {
            RouteKind::InPlace => true,
            RouteKind::Either => !self.is_copied(route),
            RouteKind::Pass | RouteKind::Copy => false,
        }
    }

    /// The item a pin uses.
    pub(super) fn item(&self, pin: PinId) -> Option<&'a FramingItem> {
        let chosen = self.plan.items[pin.index()]?;
        self.graph.pin(pin).items().get(chosen as usize)
    }

    /// The item a pin uses, where what it asks is required.
    pub(super) fn requirement(&self, pin: PinId) -> Option<&'a FramingItem> {
        self.item(pin).filter(|item| !item.is_preference())
    }

    /// The item a pin uses, where what it asks is preferred.
    pub(super) fn preference(&self, pin: PinId) -> Option<&'a FramingItem> {
        self.item(pin).filter(|item| item.is_preference())
    }

    pub(super) fn pipe_of(&self, pin: PinId) -> &'a Pipe {
        self.plan.pipe(pin)
    }

    pub(super) fn is_kernel(&self, pin: PinId) -> bool {
        self.graph.mode(pin) == Mode::Kernel
    }

    /// `User` where a pin of the pipe is on that side, whatever the plan says.
    pub(super) fn mode(&self, pipe: &Pipe) -> Mode {
        if pipe.pins.iter().all(|pin| self.is_kernel(*pin)) { Mode::Kernel } else { Mode::User }
    }
}

/// All pins, each after everything upstream of it; or the pins of a cycle, in order.
fn upstream_first(graph: &Graph, downstream: &[Vec<PinId>], upstream: &[Vec<PinId>]) -> Result<Vec<PinId>, Vec<PinId>> {
    let mut missing: Vec<usize> = upstream.iter().map(Vec::len).collect();
    let mut order: Vec<PinId> = graph.pin_ids().filter(|pin| missing[pin.index()] == 0).collect();
    let mut done = 0;
    while let Some(&pin) = order.get(done) {
        done += 1;
        for next in &downstream[pin.index()] {
            missing[next.index()] -= 1;
            if missing[next.index()] == 0 {
                order.push(*next);
            }
        }
    }
    let Some(mut pin) = graph.pin_ids().find(|pin| missing[pin.index()] > 0) else {
        return Ok(order);
    };
    // Every pin left over has one left over upstream of it, so going upstream must come back somewhere.
    let mut place = vec![None; downstream.len()];
    let mut path = Vec::new();
    loop {
        if let Some(start) = place[pin.index()] {
            let mut cycle: Vec<PinId> = path.drain(start..).collect();
            cycle.reverse();
            return Err(cycle);
        }
        place[pin.index()] = Some(path.len());
        path.push(pin);
        match upstream[pin.index()].iter().find(|above| missing[above.index()] > 0) {
            Some(above) => pin = *above,
            None => return Err(path),
        }
    }
}

/// The data of each pin. What does not fit 64 bits counts as the largest number that does: no frame can hold it.
fn data(graph: &Graph, order: &[PinId]) -> Vec<Option<u64>> {
    let mut routes_to = vec![Vec::new(); graph.pins().len()];
    for route in graph.routes() {
        routes_to[route.to.index()].push(route);
    }
    let mut data: Vec<Option<u64>> = vec![None; graph.pins().len()];
    for &id in order {
        let pin = graph.pin(id);
        let known = pin.media_size().or_else(|| {
            let capacities = pin.items().iter().map(FramingItem::capacity).filter(|capacity| *capacity != 0);
            let own = capacities.min().map(u64::from);
            let inherited = match pin.direction() {
                Direction::In => pin.peer().and_then(|peer| data[peer.index()]),
                Direction::Out => routes_to[id.index()]
                    .iter()
                    .filter(|route| route.kind != RouteKind::Copy || pin.compression().is_stated())
                    .filter_map(|route| scaled(graph, route, &data))
                    .max(),
            };
            own.max(inherited)
        });
        data[id.index()] = known;
    }
    data
}

/// The data of a route's in pin as it comes out, by the out pin's compression (1/1/0 changes nothing).
pub(super) fn scaled(graph: &Graph, route: &Route, data: &[Option<u64>]) -> Option<u64> {
    let bytes = data[route.from.index()]?;
    Some(graph.pin(route.to).compression().scale(bytes).unwrap_or(u64::MAX))
}
