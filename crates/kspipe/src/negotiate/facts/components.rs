//! Which pins can be in one pipe at all.

use super::edges::{Edge, EdgeIndex};
use crate::graph::{Graph, PinId, RouteKind};

/// Sets of pins that edges join, in the order of their first pins.
pub(super) struct Components {
    /// Each in canonical order.
    pub(super) pins: Vec<Vec<PinId>>,
    pub(super) component_of: Vec<u32>,
    /// By component: a `copy` route has both its ends in it.
    pub(super) self_copying: Vec<bool>,
}

impl Components {
    pub(super) fn of(graph: &Graph, edges: &[Edge], edges_at: &EdgeIndex) -> Self {
        const NONE: u32 = u32::MAX;
        let mut component_of = vec![NONE; graph.pins().len()];
        let mut sizes: Vec<u32> = Vec::new();
        let mut stack = Vec::new();
        for pin in graph.pin_ids() {
            if component_of[pin.index()] != NONE {
                continue;
            }
            let number = sizes.len() as u32;
            let mut size = 0;
            component_of[pin.index()] = number;
            stack.push(pin);
            while let Some(at) = stack.pop() {
                size += 1;
                for edge in edges_at.at(at) {
                    let edge = edges[*edge as usize];
                    let other = if edge.from == at { edge.to } else { edge.from };
                    if component_of[other.index()] == NONE {
                        component_of[other.index()] = number;
                        stack.push(other);
                    }
                }
            }
            sizes.push(size);
        }
        let mut pins: Vec<Vec<PinId>> = sizes.iter().map(|size| Vec::with_capacity(*size as usize)).collect();
        for (pin, component) in graph.pin_ids().zip(&component_of) {
            pins[*component as usize].push(pin);
        }
        let mut self_copying = vec![false; pins.len()];
        for route in graph.routes().iter().filter(|route| route.kind == RouteKind::Copy) {
            let component = component_of[route.from.index()];
            self_copying[component as usize] |= component == component_of[route.to.index()];
        }
        Components { pins, component_of, self_copying }
    }
}
