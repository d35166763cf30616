//! The rules as plain questions about a graph, each answered by looking everywhere.

use ks::{
    Guid, KSMEMORY_TYPE_DEVICE_UNKNOWN, KSMEMORY_TYPE_KERNEL_NONPAGED, KSMEMORY_TYPE_KERNEL_PAGED,
    KSMEMORY_TYPE_SYSTEM, KSMEMORY_TYPE_USER, KSMEMORY_TYPE_WILDCARD,
};
use kspipe::graph::{Direction, Graph, Mode, PinId, Route, RouteKind};

/// The bytes a frame carries at a pin, by the definition, from the pin upwards.
fn data(graph: &Graph, id: PinId) -> Option<u64> {
    let pin = graph.pin(id);
    if let Some(bytes) = pin.media_size() {
        return Some(bytes);
    }
    let mut candidates = Vec::new();
    if let Some(smallest) = pin.items().iter().map(|item| item.optimal.min).filter(|bytes| *bytes > 0).min() {
        candidates.push(u64::from(smallest));
    }
    if pin.direction() == Direction::In {
        candidates.extend(pin.peer().and_then(|peer| data(graph, peer)));
    }
    for route in graph.routes().iter().filter(|route| route.to == id) {
        let keeps_size = matches!(route.kind, RouteKind::Pass | RouteKind::InPlace | RouteKind::Either);
        if keeps_size || pin.compression().is_stated() {
            candidates.extend(scaled_data(graph, route));
        }
    }
    candidates.into_iter().max()
}

/// What is asked of a graph again and again, answered once.
pub(crate) struct Known<'a> {
    pub(crate) graph: &'a Graph,
    /// All pins, each time the first by name of those with everything upstream done.
    pub(crate) order: Vec<PinId>,
    /// By pin.
    pub(crate) data: Vec<Option<u64>>,
    /// By pin: the pins from which it can be reached, itself included.
    pub(crate) depth: Vec<u128>,
}

impl<'a> Known<'a> {
    /// The graph has no cycle.
    pub(crate) fn of(graph: &'a Graph) -> Self {
        let mut order: Vec<PinId> = Vec::new();
        while order.len() < graph.pins().len() {
            let ready = graph.pin_ids().filter(|pin| !order.contains(pin)).find(|pin| {
                graph.pin_ids().all(|above| above == *pin || order.contains(&above) || !feeds(graph, above, *pin))
            });
            order.push(ready.expect("the graph has no cycle"));
        }
        Known {
            graph,
            order,
            data: graph.pin_ids().map(|pin| data(graph, pin)).collect(),
            depth: graph
                .pin_ids()
                .map(|pin| graph.pin_ids().filter(|above| feeds(graph, *above, pin)).count() as u128)
                .collect(),
        }
    }

    /// A pin's data as copying it is counted.
    pub(crate) fn counted_data(&self, pin: PinId) -> u64 {
        self.data[pin.index()].unwrap_or(self.data.iter().copied().flatten().max().unwrap_or(1))
    }
}

/// The data of a route's in pin, scaled by its out pin's compression: what does not fit 64 bits fits no frame.
pub(crate) fn scaled_data(graph: &Graph, route: &Route) -> Option<u64> {
    let compression = graph.pin(route.to).compression();
    let product = u128::from(data(graph, route.from)?) * u128::from(compression.numerator);
    let denominator = u128::from(compression.denominator);
    let whole = product / denominator + u128::from(product % denominator != 0) + u128::from(compression.margin);
    Some(u64::try_from(whole).unwrap_or(u64::MAX))
}

/// Whether frames, or what is made of them, get from one pin to another, by connections and all routes.
fn feeds(graph: &Graph, from: PinId, to: PinId) -> bool {
    if from == to {
        return true;
    }
    let connections = graph.connections().iter().filter(|edge| edge.from == from).map(|edge| edge.to);
    let routes = graph.routes().iter().filter(|edge| edge.from == from).map(|edge| edge.to);
    connections.chain(routes).any(|next| feeds(graph, next, to))
}

/// Every memory type there is without a pin that names it.
pub(crate) fn all_memory(graph: &Graph) -> Vec<Guid> {
    let known =
        [KSMEMORY_TYPE_USER, KSMEMORY_TYPE_KERNEL_NONPAGED, KSMEMORY_TYPE_KERNEL_PAGED, KSMEMORY_TYPE_DEVICE_UNKNOWN];
    known.into_iter().chain(graph.device_memories().keys().copied()).collect()
}

/// Device memory that user mode can map.
pub(crate) fn is_mapped(graph: &Graph, memory: Guid) -> bool {
    graph.device_memory(memory).is_some_and(|device| device.user_mappable)
}

/// Everything a pin accepts when its item asks `asked`, of all there is.
pub(crate) fn accepted(graph: &Graph, asked: Guid, side: Mode, user_pin_in_pipe: bool) -> Vec<Guid> {
    let (user, paged, nonpaged) = (KSMEMORY_TYPE_USER, KSMEMORY_TYPE_KERNEL_PAGED, KSMEMORY_TYPE_KERNEL_NONPAGED);
    let declared = |wanted: fn(&kspipe::graph::DeviceMemory) -> bool| {
        graph.device_memories().iter().filter(move |(_, device)| wanted(device)).map(|(memory, _)| *memory)
    };
    let mut accepted: Vec<Guid> = Vec::new();
    if asked == KSMEMORY_TYPE_WILDCARD && side == Mode::Kernel {
        accepted.extend([user, paged, nonpaged]);
        accepted.extend(declared(|device| device.host_mappable));
    } else if asked == KSMEMORY_TYPE_WILDCARD {
        accepted.push(user);
        accepted.extend(declared(|device| device.user_mappable));
    } else if asked == KSMEMORY_TYPE_SYSTEM {
        accepted.extend([user, paged, nonpaged]);
    } else if asked == paged {
        accepted.extend([paged, nonpaged]);
    } else if asked == user {
        accepted.push(user);
        accepted.extend(declared(|device| device.user_mappable));
    } else {
        accepted.push(asked);
    }
    if user_pin_in_pipe && (asked == paged || asked == nonpaged) {
        accepted.push(user);
    }
    accepted
}
