//! All ways data goes from pin to pin, `copy` routes too, and the order they put the pins in.

use crate::graph::{Graph, PinId, Route};

const NONE: u32 = u32::MAX;

/// Where data goes from each pin.
#[derive(Clone, Debug)]
pub(in crate::negotiate) struct Arrows {
    /// By pin: the in pin an out pin is connected to.
    peer: Vec<u32>,
    /// The routes from an in pin, as places in the graph's: `first_route[pin]..first_route[pin + 1]`.
    first_route: Vec<u32>,
}

impl Arrows {
    pub(in crate::negotiate) fn of(graph: &Graph) -> Self {
        let mut peer = vec![NONE; graph.pins().len()];
        for connection in graph.connections() {
            peer[connection.from.index()] = connection.to.0;
        }
        let mut first_route = vec![0u32; graph.pins().len() + 1];
        for route in graph.routes() {
            first_route[route.from.index() + 1] += 1;
        }
        for index in 1..first_route.len() {
            first_route[index] += first_route[index - 1];
        }
        Arrows { peer, first_route }
    }

    /// Takes over what an out pin is connected to.
    pub(in crate::negotiate) fn connect(&mut self, graph: &Graph, pin: PinId) {
        self.peer[pin.index()] = graph.pin(pin).peer().map_or(NONE, |peer| peer.0);
    }

    /// The routes that leave an in pin.
    pub(in crate::negotiate) fn routes_from<'a>(&self, graph: &'a Graph, pin: PinId) -> &'a [Route] {
        &graph.routes()[self.first_route[pin.index()] as usize..self.first_route[pin.index() + 1] as usize]
    }

    /// The pins data goes to next.
    pub(in crate::negotiate) fn from<'a>(&self, graph: &'a Graph, pin: PinId) -> impl Iterator<Item = PinId> + use<'a> {
        let peer = Some(self.peer[pin.index()]).filter(|peer| *peer != NONE).map(PinId);
        peer.into_iter().chain(self.routes_from(graph, pin).iter().map(|route| route.to))
    }

    /// The pins, upstream before downstream; by longest way from a source, ties by canonical order. Errors with a cycle.
    pub(super) fn topological_order(&self, graph: &Graph) -> Result<Vec<PinId>, Vec<PinId>> {
        let count = graph.pins().len();
        let mut waiting_for = vec![0u32; count];
        for connection in graph.connections() {
            waiting_for[connection.to.index()] += 1;
        }
        for route in graph.routes() {
            waiting_for[route.to.index()] += 1;
        }
        let mut order: Vec<PinId> = Vec::with_capacity(count);
        order.extend(graph.pin_ids().filter(|pin| waiting_for[pin.index()] == 0));
        // The pins of one longest way stand together: `order[layer..next]`.
        let mut layer = 0;
        while layer < order.len() {
            let next = order.len();
            for place in layer..next {
                for to in self.from(graph, order[place]) {
                    waiting_for[to.index()] -= 1;
                    if waiting_for[to.index()] == 0 {
                        order.push(to);
                    }
                }
            }
            order[next..].sort_unstable();
            layer = next;
        }
        if order.len() == count { Ok(order) } else { Err(self.find_cycle(graph, &waiting_for)) }
    }

    /// A cycle among the pins that still wait for one another, from its first pin in canonical order.
    fn find_cycle(&self, graph: &Graph, waiting_for: &[u32]) -> Vec<PinId> {
        let mut previous: Vec<Option<PinId>> = vec![None; waiting_for.len()];
        for pin in graph.pin_ids().filter(|pin| waiting_for[pin.index()] > 0) {
            for next in self.from(graph, pin).filter(|next| waiting_for[next.index()] > 0) {
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
}
