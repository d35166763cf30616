//! From the choices of all components to a [`Plan`].

use super::allocator_choice::{Candidates, Farther};
use super::ask::ask_by;
use super::facts::{EdgeKind, Facts};
use super::keys::{Key, KeyOrder, Keys};
use super::memory::MemoryClass;
use super::pipe_numbers::{NumberAsks, Numbers};
use super::trace::{PinChoice, Solution};
use super::{Bridge, Cost, Pipe, PipeId, Plan, RouteChoice};
use crate::graph::{Connection, PinId, Route, RouteKind};

/// What is chosen at every pin and every edge.
#[derive(Clone, Debug)]
pub(super) struct Choices {
    /// By pin.
    pub(super) pins: Vec<PinChoice>,
    /// By edge.
    pub(super) is_cut: Vec<bool>,
}

impl Choices {
    /// Nothing chosen.
    pub(super) fn none(facts: &Facts<'_>) -> Self {
        let nothing = PinChoice { item: None, class: 0 };
        Choices { pins: vec![nothing; facts.graph.pins().len()], is_cut: vec![false; facts.edges.len()] }
    }

    /// What a component's solution chooses.
    pub(super) fn take(&mut self, solution: &Solution) {
        for edge in &solution.cuts {
            self.is_cut[*edge as usize] = true;
        }
        for (pin, choice) in &solution.pins {
            self.pins[pin.index()] = *choice;
        }
    }
}

/// The plan that these choices make, [`Plan::proven`] and what the solver counts of the cost left at 0. `memory_of` is
/// the memory chosen at a pin.
pub(super) fn assemble(
    facts: &Facts<'_>,
    order: &KeyOrder,
    choices: &Choices,
    memory_of: impl Fn(PinId) -> MemoryClass,
) -> Plan {
    let is_cut = &choices.is_cut;
    let (pipe_of, members) = pipes_of(facts, is_cut);
    let distance = distances(facts, is_cut);
    let standing = Standing { facts, distance: &distance };
    let mut asks = vec![NumberAsks::nothing(); members.len()];
    let mut candidates = vec![Candidates::default(); members.len()];
    let mut preferred: Vec<(PipeId, u64)> = Vec::new();
    for pin in facts.graph.pin_ids() {
        let pipe = pipe_of[pin.index()];
        let asked = PinAsks::of(facts, is_cut, pin, choices.pins[pin.index()].item);
        asks[pipe.index()].take_in(&asked.numbers);
        candidates[pipe.index()].take_in(&asked.candidates, &standing);
        if asked.preferred_size > 0 {
            preferred.push((pipe, asked.preferred_size));
        }
    }
    let most: Vec<u64> = asks.iter().map(NumberAsks::largest_size).collect();
    let mut granted = vec![0u64; members.len()];
    for (pipe, size) in preferred.into_iter().filter(|(pipe, size)| *size <= most[pipe.index()]) {
        granted[pipe.index()] = granted[pipe.index()].max(size);
    }
    let mut sizes = 0u128;
    let mut pipes = Vec::with_capacity(members.len());
    for (place, pins) in members.into_iter().enumerate() {
        let memory = memory_of(pins[0]);
        let numbers = asks[place].numbers(order, granted[place]);
        sizes = sizes.saturating_add(numbers.frame_size.into());
        pipes.push(pipe_with(pins, memory, numbers, &candidates[place]));
    }
    Plan {
        strategy: facts.graph.strategy(),
        proven: 0,
        cost: Cost { allocators: pipes.len() as u128, sizes, ..Cost::default() },
        pipes,
        items: choices.pins.iter().map(|choice| choice.item).collect(),
        pipe_of,
        bridges: bridges_of(facts, is_cut),
        copies: copies_of(facts, is_cut),
    }
}

/// A pipe with all it has.
pub(super) fn pipe_with(pins: Vec<PinId>, memory: MemoryClass, numbers: Numbers, candidates: &Candidates) -> Pipe {
    let allocator = candidates.choose(memory, pins.first().copied());
    Pipe {
        mode: memory.mode,
        memory_type: memory.memory_type,
        frames: numbers.frames,
        frame_size: numbers.frame_size,
        alignment: numbers.alignment,
        prefix: 0,
        allocator,
        pins,
    }
}

/// What a plan costs: what the solver counted, and what is counted already.
pub(super) fn cost_of(order: &KeyOrder, total: &Keys, counted: Cost) -> Cost {
    Cost {
        bytes_copied: order.get(total, Key::BytesCopied),
        departures: order.get(total, Key::Departures),
        depth: order.get(total, Key::Depth),
        bytes: order.get(total, Key::Bytes),
        frames: order.get(total, Key::Frames),
        ..counted
    }
}

/// What a pin brings into its pipe, by the item it uses and what is cut before it.
#[derive(Clone, Copy, Debug)]
pub(super) struct PinAsks {
    pub(super) numbers: NumberAsks,
    pub(super) candidates: Candidates,
    /// The size it prefers; 0: none.
    pub(super) preferred_size: u64,
}

impl PinAsks {
    pub(super) fn of(facts: &Facts<'_>, is_cut: &[bool], pin: PinId, item: Option<u32>) -> Self {
        let graph = facts.graph;
        let asking = graph.pin(pin);
        let ask = ask_by(facts, pin, item);
        let used = item.and_then(|item| asking.items().get(item as usize));
        let mut copied_in = 0;
        for number in facts.edges_at(pin) {
            let edge = &facts.edges[*number as usize];
            if edge.to == pin && is_cut[*number as usize] {
                copied_in = copied_in.max(facts.data[edge.from.index()]);
            }
        }
        PinAsks {
            numbers: NumberAsks::of(&ask, asking.holds(), copied_in),
            candidates: Candidates::of(pin, asking.direction(), graph.mode(pin), used),
            preferred_size: ask.preferred_size,
        }
    }
}

/// Where pins stand in their pipes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing<'a> {
    pub(super) facts: &'a Facts<'a>,
    /// By pin: how far downstream it stands, in the measure of its pipe.
    pub(super) distance: &'a [u32],
}

impl Farther for Standing<'_> {
    fn is_farther(&self, one: PinId, other: PinId) -> bool {
        let (mine, others) = (self.distance[one.index()], self.distance[other.index()]);
        mine > others || mine == others && one != other && self.facts.names().is_before(one, other)
    }
}

/// The pipe of each pin, and the pins of each pipe, upstream before downstream. Pipes stand in the order of their first
/// pins.
fn pipes_of(facts: &Facts<'_>, is_cut: &[bool]) -> (Vec<PipeId>, Vec<Vec<PinId>>) {
    const NONE: PipeId = PipeId(u32::MAX);
    let mut pipe_of = vec![NONE; facts.graph.pins().len()];
    let mut sizes: Vec<u32> = Vec::new();
    let mut open = Vec::new();
    for first in facts.order() {
        if pipe_of[first.index()] != NONE {
            continue;
        }
        let pipe = PipeId(sizes.len() as u32);
        pipe_of[first.index()] = pipe;
        open.push(*first);
        let mut size = 0;
        while let Some(pin) = open.pop() {
            size += 1;
            for number in facts.edges_at(pin).iter().filter(|number| !is_cut[**number as usize]) {
                let edge = &facts.edges[*number as usize];
                let other = if edge.from == pin { edge.to } else { edge.from };
                if pipe_of[other.index()] == NONE {
                    pipe_of[other.index()] = pipe;
                    open.push(other);
                }
            }
        }
        sizes.push(size);
    }
    let mut members: Vec<Vec<PinId>> = sizes.iter().map(|size| Vec::with_capacity(*size as usize)).collect();
    for pin in facts.order() {
        members[pipe_of[pin.index()].index()].push(*pin);
    }
    (pipe_of, members)
}

/// The longest way to each pin from a pin of the same pipe, in edges.
pub(super) fn distances(facts: &Facts<'_>, is_cut: &[bool]) -> Vec<u32> {
    let mut distance = vec![0u32; facts.graph.pins().len()];
    for pin in facts.order() {
        distance[pin.index()] = distance_of(facts, is_cut, &distance, *pin);
    }
    distance
}

/// One more than the farthest of the pins right before this one in its pipe; 0: there is none.
pub(super) fn distance_of(facts: &Facts<'_>, is_cut: &[bool], distance: &[u32], pin: PinId) -> u32 {
    let before = facts.edges_at(pin).iter().filter_map(|number| {
        let edge = &facts.edges[*number as usize];
        (edge.to == pin && !is_cut[*number as usize]).then(|| distance[edge.from.index()] + 1)
    });
    before.max().unwrap_or(0)
}

pub(super) fn bridges_of(facts: &Facts<'_>, is_cut: &[bool]) -> Vec<Bridge> {
    let edges = facts.edges.iter().zip(is_cut).take_while(|(edge, _)| !edge.kind.is_route());
    let cut = edges.filter(|(edge, cut)| **cut && edge.kind == EdgeKind::Connection);
    cut.map(|(edge, _)| bridge_at(facts, Connection { from: edge.from, to: edge.to })).collect()
}

/// The bridge at a connection that is cut.
pub(super) fn bridge_at(facts: &Facts<'_>, connection: Connection) -> Bridge {
    Bridge { connection, bytes: facts.copied_bytes(connection.from) }
}

pub(super) fn copies_of(facts: &Facts<'_>, is_cut: &[bool]) -> Vec<RouteChoice> {
    let routes = facts.graph.routes();
    // The edges of routes stand last, in the routes' order.
    let cut = &is_cut[is_cut.len() - routes.len()..];
    let copies = routes.iter().zip(cut).filter(|(route, cut)| **cut || route.kind == RouteKind::Copy);
    copies.map(|(route, chosen)| copy_at(facts, *route, *chosen)).collect()
}

/// A route taken as a copy.
pub(super) fn copy_at(facts: &Facts<'_>, route: Route, chosen: bool) -> RouteChoice {
    RouteChoice { route, chosen, bytes: facts.copied_bytes(route.from) }
}
