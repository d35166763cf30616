//! The data of every pin (a constant of the graph), and the sizes pins require by it.

use super::Arrows;
use crate::graph::{Direction, Graph, Pin, PinId, Route, RouteKind};

/// The data of every pin, and the size each requires by it.
pub(super) fn data_of(graph: &Graph, order: &[PinId], arrows: &Arrows) -> (Vec<u64>, Vec<u64>) {
    let mut required = vec![0u64; graph.pins().len()];
    // What flows in, until the pin's turn comes.
    let mut data = vec![0u64; graph.pins().len()];
    for id in order {
        let pin = graph.pin(*id);
        (data[id.index()], required[id.index()]) = data_at(pin, data[id.index()]);
        let own = data[id.index()];
        if own == 0 {
            continue;
        }
        match (pin.direction(), pin.peer()) {
            (Direction::Out, Some(peer)) => data[peer.index()] = own,
            (Direction::Out, None) => {}
            (Direction::In, _) => {
                for route in arrows.routes_from(graph, *id) {
                    let incoming = &mut data[route.to.index()];
                    *incoming = (*incoming).max(through(graph, route, own));
                }
            }
        }
    }
    (data, required)
}

/// The data of a pin into which so much flows (0: unknown), and the size it requires by it.
pub(in crate::negotiate) fn data_at(pin: &Pin, incoming: u64) -> (u64, u64) {
    let media_size = pin.media_size().unwrap_or(0);
    let scaled = pin.direction() == Direction::Out && pin.compression().is_stated();
    let required = media_size.max(if scaled { incoming } else { 0 });
    if media_size > 0 {
        return (media_size, required);
    }
    let stated = pin.items().iter().map(|item| u64::from(item.capacity())).filter(|capacity| *capacity > 0).min();
    (stated.unwrap_or(0).max(incoming), required)
}

/// What a route makes of the data of its in pin; 0: unknown.
pub(in crate::negotiate) fn through(graph: &Graph, route: &Route, data: u64) -> u64 {
    if data == 0 {
        return 0;
    }
    let compression = graph.pin(route.to).compression();
    if !compression.is_stated() {
        return if route.kind == RouteKind::Copy { 0 } else { data };
    }
    compression.scale(data).unwrap_or(u64::MAX)
}
