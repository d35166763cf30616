//! The part of a component that lies between undirected cycles, its *core*, and the order in which its pins are taken.

use super::counted::Counted;
use super::facts::{EdgeKind, Facts};
use crate::graph::{PinId, RouteKind};
use std::collections::{HashMap, HashSet};

/// An edge, or a `copy` route inside the component, which keeps its ends apart for nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrow {
    pub(super) from: PinId,
    pub(super) to: PinId,
    pub(super) kind: ArrowKind,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum ArrowKind {
    Edge { number: u32, kind: EdgeKind, cuttable: bool },
    Copy,
}

/// The core of a component. Trees that hang at one of its pins are left out of it.
#[derive(Clone, Debug)]
pub(super) struct Cycles {
    pub(super) arrows: Vec<Arrow>,
    /// Edges of the trees that hang at the core.
    pub(super) hanging: HashSet<u32>,
    /// By pin: its arrows.
    pub(super) leaving: HashMap<PinId, Vec<u32>>,
    /// Upstream before downstream, each branch to its end before the next where that is possible.
    pub(super) order: Vec<PinId>,
}

impl Cycles {
    pub(super) fn of(facts: &Facts<'_>, pins: &[PinId], counted: &Counted) -> Self {
        let arrows = arrows_of(facts, pins, counted);
        let core = core_of(pins, &arrows);
        let is_within = |arrow: &Arrow| core.contains(&arrow.from) && core.contains(&arrow.to);
        let hanging: HashSet<u32> = arrows
            .iter()
            .filter(|arrow| !is_within(arrow))
            .filter_map(|arrow| match arrow.kind {
                ArrowKind::Edge { number, .. } => Some(number),
                ArrowKind::Copy => None,
            })
            .collect();
        let arrows: Vec<Arrow> = arrows.into_iter().filter(is_within).collect();
        let mut leaving: HashMap<PinId, Vec<u32>> = HashMap::new();
        for (number, arrow) in arrows.iter().enumerate() {
            leaving.entry(arrow.from).or_default().push(number as u32);
        }
        let mut cycles = Cycles { arrows, hanging, leaving, order: Vec::new() };
        let pins: Vec<PinId> = pins.iter().copied().filter(|pin| core.contains(pin)).collect();
        cycles.order = cycles.depth_first_order(&pins);
        cycles
    }

    fn depth_first_order(&self, pins: &[PinId]) -> Vec<PinId> {
        let mut waiting_for: HashMap<PinId, u32> = pins.iter().map(|pin| (*pin, 0)).collect();
        for arrow in &self.arrows {
            *waiting_for.entry(arrow.to).or_default() += 1;
        }
        let mut ready: Vec<PinId> = pins.iter().rev().copied().filter(|pin| waiting_for[pin] == 0).collect();
        let mut order = Vec::with_capacity(pins.len());
        while let Some(pin) = ready.pop() {
            order.push(pin);
            for arrow in self.leaving.get(&pin).into_iter().flatten().rev() {
                let to = self.arrows[*arrow as usize].to;
                if let Some(left) = waiting_for.get_mut(&to) {
                    *left -= 1;
                    if *left == 0 {
                        ready.push(to);
                    }
                }
            }
        }
        order
    }
}

/// The pins that are left when, again and again, each pin with one neighbour is taken away.
fn core_of(pins: &[PinId], arrows: &[Arrow]) -> HashSet<PinId> {
    let mut at: HashMap<PinId, Vec<u32>> = HashMap::new();
    for (number, arrow) in arrows.iter().enumerate() {
        at.entry(arrow.from).or_default().push(number as u32);
        at.entry(arrow.to).or_default().push(number as u32);
    }
    let mut degree: HashMap<PinId, usize> = at.iter().map(|(pin, arrows)| (*pin, arrows.len())).collect();
    let mut core: HashSet<PinId> = pins.iter().copied().collect();
    let mut leaves: Vec<PinId> = pins.iter().copied().filter(|pin| degree.get(pin) == Some(&1)).collect();
    while let Some(leaf) = leaves.pop() {
        core.remove(&leaf);
        for arrow in at.get(&leaf).into_iter().flatten().map(|arrow| arrows[*arrow as usize]) {
            let other = if arrow.from == leaf { arrow.to } else { arrow.from };
            if let Some(left) = degree.get_mut(&other) {
                *left -= 1;
                if *left == 1 && core.contains(&other) {
                    leaves.push(other);
                }
            }
        }
    }
    core
}

fn arrows_of(facts: &Facts<'_>, pins: &[PinId], counted: &Counted) -> Vec<Arrow> {
    let mut arrows = Vec::new();
    for pin in pins {
        for number in facts.edges_at(*pin) {
            let edge = &facts.edges[*number as usize];
            if edge.from == *pin {
                let kind = counted.kind(*number, edge);
                let kind = ArrowKind::Edge { number: *number, kind, cuttable: edge.cuttable };
                arrows.push(Arrow { from: edge.from, to: edge.to, kind });
            }
        }
    }
    let component = pins.first().map(|pin| facts.component_of(*pin));
    if component.is_some_and(|component| facts.is_self_copying(component)) {
        let inside = |pin: PinId| Some(facts.component_of(pin)) == component;
        for pin in pins {
            // Routes are ordered by their in pins.
            let routes = facts.graph.routes();
            let first = routes.partition_point(|route| route.from < *pin);
            let leaving = routes[first..].iter().take_while(|route| route.from == *pin);
            let copies = leaving.filter(|route| route.kind == RouteKind::Copy && inside(route.to));
            arrows.extend(copies.map(|route| Arrow { from: route.from, to: route.to, kind: ArrowKind::Copy }));
        }
    }
    arrows
}
