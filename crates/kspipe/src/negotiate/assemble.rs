//! From the choices of all components to a [`Plan`].

use super::allocator_choice::Candidates;
use super::ask::asks_of;
use super::facts::{EdgeKind, Facts, find};
use super::keys::{Key, Keys};
use super::open_pipe::{Ground, OpenPipe, PipeNumbers};
use super::problem::Problem;
use super::trace::{PinChoice, Solution};
use super::{Bridge, Cost, Pipe, PipeId, Plan, RouteChoice};
use crate::graph::{PinId, RouteKind};

/// The plan that these choices make, [`Plan::proven`] left at 0. `total` is what they cost.
pub(super) fn assemble(problem: &Problem<'_>, parts: &[(Ground, Solution)], total: &Keys) -> Plan {
    let facts = problem.facts;
    let graph = facts.graph;
    let mut is_cut = vec![false; facts.edges.len()];
    let mut choices = vec![PinChoice { item: None, class: 0 }; graph.pins().len()];
    for (_, solution) in parts {
        for edge in &solution.cuts {
            is_cut[*edge as usize] = true;
        }
        for (pin, choice) in &solution.pins {
            choices[pin.index()] = *choice;
        }
    }
    let items: Vec<Option<u32>> = choices.iter().map(|choice| choice.item).collect();
    let (members, pipe_of) = pipes_of(facts, &is_cut);
    let distance = distances(facts, &is_cut);
    let mut copied_in = vec![0u64; graph.pins().len()];
    for edge in facts.edges.iter().zip(&is_cut).filter_map(|(edge, cut)| cut.then_some(edge)) {
        copied_in[edge.to.index()] = copied_in[edge.to.index()].max(facts.data[edge.from.index()]);
    }
    let mut pipes = Vec::with_capacity(members.len());
    let mut sizes = 0u128;
    for pins in members {
        let component = pins.first().map_or(0, |pin| facts.component_of[pin.index()]);
        let ground = &parts[component as usize].0;
        let class = pins.first().map_or(0, |pin| choices[pin.index()].class);
        let memory = ground.classes[class as usize];
        let numbers = numbers_of(problem, ground, &pins, &choices, &copied_in);
        let candidates = Candidates { graph, memory, pins: &pins, distance: &distance, items: &items };
        let allocator = candidates.choose();
        sizes = sizes.saturating_add(numbers.frame_size.into());
        pipes.push(Pipe {
            mode: memory.mode,
            memory_type: memory.memory_type,
            frames: numbers.frames,
            frame_size: numbers.frame_size,
            alignment: numbers.alignment,
            prefix: 0,
            allocator,
            pins,
        });
    }
    let order = &problem.order;
    let cost = Cost {
        bytes_copied: order.get(total, Key::BytesCopied),
        allocators: pipes.len() as u128,
        departures: order.get(total, Key::Departures),
        depth: order.get(total, Key::Depth),
        bytes: order.get(total, Key::Bytes),
        frames: order.get(total, Key::Frames),
        sizes,
    };
    Plan {
        strategy: graph.strategy(),
        proven: 0,
        pipes,
        items,
        pipe_of,
        bridges: bridges_of(facts, &is_cut),
        copies: copies_of(facts, &is_cut),
        cost,
    }
}

/// The pins of each pipe, upstream before downstream, and the pipe of each pin. Pipes stand in the order of their first
/// pins.
fn pipes_of(facts: &Facts<'_>, is_cut: &[bool]) -> (Vec<Vec<PinId>>, Vec<PipeId>) {
    const NONE: u32 = u32::MAX;
    let count = facts.graph.pins().len();
    let mut parent: Vec<u32> = (0..count as u32).collect();
    for (edge, cut) in facts.edges.iter().zip(is_cut) {
        if !cut {
            let (a, b) = (find(&mut parent, edge.from.0), find(&mut parent, edge.to.0));
            parent[a as usize] = b;
        }
    }
    let mut number_of = vec![NONE; count];
    let mut members: Vec<Vec<PinId>> = Vec::new();
    let mut pipe_of = vec![PipeId(0); count];
    for pin in &facts.order {
        let set = find(&mut parent, pin.0) as usize;
        if number_of[set] == NONE {
            number_of[set] = members.len() as u32;
            members.push(Vec::new());
        }
        pipe_of[pin.index()] = PipeId(number_of[set]);
        members[number_of[set] as usize].push(*pin);
    }
    (members, pipe_of)
}

/// The longest way to each pin from a pin of the same pipe, in edges.
fn distances(facts: &Facts<'_>, is_cut: &[bool]) -> Vec<u32> {
    let mut distance = vec![0u32; facts.graph.pins().len()];
    for pin in &facts.order {
        for number in facts.edges_at(*pin) {
            let edge = &facts.edges[*number as usize];
            if edge.to == *pin && !is_cut[*number as usize] {
                distance[pin.index()] = distance[pin.index()].max(distance[edge.from.index()] + 1);
            }
        }
    }
    distance
}

fn numbers_of(
    problem: &Problem<'_>,
    ground: &Ground,
    pins: &[PinId],
    choices: &[PinChoice],
    copied_in: &[u64],
) -> PipeNumbers {
    let facts = problem.facts;
    let mut asks = Vec::new();
    let mut whole: Option<OpenPipe> = None;
    for pin in pins {
        let choice = choices[pin.index()];
        asks_of(facts, *pin, &mut asks);
        let ask = asks.iter().find(|ask| ask.item == choice.item);
        let holds = facts.graph.pin(*pin).holds();
        let part = ask
            .and_then(|ask| OpenPipe::of(ground, ask, holds, Some(facts.graph.mode(*pin)), choice.class))
            .and_then(|(pipe, _)| pipe.with_capacity(ground, copied_in[pin.index()]));
        whole = match (whole, part) {
            (Some(whole), Some(part)) => OpenPipe::combined(ground, &whole, &part),
            (whole, part) => whole.or(part),
        };
    }
    let numbers = whole.and_then(|whole| whole.close(ground, &mut Keys::default()));
    debug_assert!(numbers.is_some(), "the problem closed this pipe, so it can be closed again");
    numbers.unwrap_or(PipeNumbers { frames: 1, frame_size: 1, alignment: 1 })
}

fn bridges_of(facts: &Facts<'_>, is_cut: &[bool]) -> Vec<Bridge> {
    let connections = facts.graph.connections().iter().zip(is_cut);
    connections
        .filter(|(_, cut)| **cut)
        .map(|(connection, _)| Bridge { connection: *connection, bytes: facts.copied_bytes(connection.from) })
        .collect()
}

fn copies_of(facts: &Facts<'_>, is_cut: &[bool]) -> Vec<RouteChoice> {
    let mut either = facts.edges.iter().zip(is_cut).filter(|(edge, _)| edge.kind == EdgeKind::Either);
    let mut copies = Vec::new();
    for route in facts.graph.routes() {
        let chosen = match route.kind {
            RouteKind::Copy => false,
            // The edges of routes stand in the routes' order.
            RouteKind::Either if either.next().is_some_and(|(_, cut)| *cut) => true,
            _ => continue,
        };
        copies.push(RouteChoice { route: *route, chosen, bytes: facts.copied_bytes(route.from) });
    }
    copies
}
