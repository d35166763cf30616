//! Which pins can be in one pipe at all.

use super::edges::{Edge, EdgeIndex};
use crate::graph::{Graph, PinId, RouteKind};
use std::sync::OnceLock;

/// Sets of pins that edges join. At first they stand in the order of their first pins; who joins and parts them reuses
/// the numbers that come free.
#[derive(Clone, Debug)]
pub(super) struct Components {
    /// Each in canonical order; found when asked for after a change.
    pins: Vec<OnceLock<Vec<PinId>>>,
    /// The number of pins of each; 0: the number is free.
    sizes: Vec<u32>,
    free: Vec<u32>,
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
        let pins = pins.into_iter().map(OnceLock::from).collect();
        Components { pins, sizes, free: Vec::new(), component_of, self_copying }
    }

    /// The numbers in use, in order.
    pub(super) fn numbers(&self) -> impl Iterator<Item = u32> + '_ {
        (0..).zip(&self.sizes).filter(|(_, size)| **size > 0).map(|(number, _)| number)
    }

    pub(super) fn count(&self) -> usize {
        self.sizes.len() - self.free.len()
    }

    pub(super) fn size(&self, component: u32) -> usize {
        self.sizes[component as usize] as usize
    }

    pub(super) fn pins(&self, component: u32) -> &[PinId] {
        self.pins[component as usize].get_or_init(|| {
            let all = (0u32..).map(PinId).zip(&self.component_of);
            all.filter(|(_, other)| **other == component).map(|(pin, _)| pin).collect()
        })
    }

    /// A number for a component that has no pin yet.
    pub(super) fn new_number(&mut self) -> u32 {
        if let Some(number) = self.free.pop() {
            return number;
        }
        self.pins.push(OnceLock::new());
        self.sizes.push(0);
        self.self_copying.push(false);
        self.sizes.len() as u32 - 1
    }

    /// Moves those of `among` that are in a component to another. A component without pins gives its number back.
    pub(super) fn give(&mut self, among: &[PinId], from: u32, to: u32) {
        let mut moved = 0;
        for pin in among {
            let component = &mut self.component_of[pin.index()];
            if *component == from {
                *component = to;
                moved += 1;
            }
        }
        self.sizes[from as usize] -= moved;
        self.sizes[to as usize] += moved;
        for changed in [from, to] {
            self.pins[changed as usize] = OnceLock::new();
        }
        if moved > 0 && self.sizes[from as usize] == 0 {
            self.free.push(from);
        }
    }
}
