//! What a plan costs, recomputed.

use super::super::{Cost, Pipe};
use super::frames::accepts;
use super::{Findings, Rule, View};
use crate::graph::{Mode, PinId};

pub(super) fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    let copied = |pin: PinId| cost_data(view, pin);
    for bridge in &view.plan.bridges {
        check_bytes(bridge.connection.from, bridge.bytes, copied(bridge.connection.from), findings);
    }
    for copy in &view.plan.copies {
        check_bytes(copy.route.from, copy.bytes, copied(copy.route.from), findings);
    }
    let said = view.plan.cost;
    let Some(cost) = cost(view) else {
        findings.push(Rule::Cost, &[], "the cost does not fit 128 bits".to_owned());
        return;
    };
    for (key, said, is) in [
        ("bytes copied", said.bytes_copied, cost.bytes_copied),
        ("allocators", said.allocators, cost.allocators),
        ("departures", said.departures, cost.departures),
        ("depth", said.depth, cost.depth),
        ("bytes", said.bytes, cost.bytes),
        ("frames", said.frames, cost.frames),
        ("sizes", said.sizes, cost.sizes),
    ] {
        if said != is {
            findings.push(Rule::Cost, &[], format!("the cost in {key} is {is}, the plan says {said}"));
        }
    }
}

fn check_bytes(pin: PinId, said: u64, is: u64, findings: &mut Findings<'_>) {
    if said != is {
        let message = format!("a copy from {} is {is} bytes, the plan says {said}", findings.name(pin));
        findings.push(Rule::Cost, &[pin], message);
    }
}

/// The data of a pin as it counts in the cost: where it is unknown, as the largest known in the graph; where none is
/// known, as 1.
fn cost_data(view: &View<'_>, pin: PinId) -> u64 {
    view.data[pin.index()].unwrap_or(view.largest_data)
}

/// The seven keys; `None` where one does not fit 128 bits.
fn cost(view: &View<'_>) -> Option<Cost> {
    let givers: Vec<PinId> = view
        .plan
        .bridges
        .iter()
        .map(|bridge| bridge.connection.from)
        .chain(view.plan.copies.iter().filter(|copy| copy.chosen).map(|copy| copy.route.from))
        .collect();
    let mut cost = Cost {
        bytes_copied: givers.iter().map(|pin| u128::from(cost_data(view, *pin))).sum(),
        allocators: view.plan.pipes.len() as u128,
        depth: depth(view, &givers),
        ..Cost::default()
    };
    for pipe in &view.plan.pipes {
        let mode = view.mode(pipe);
        cost.departures += pipe.pins.iter().map(|pin| departures(view, pipe, mode, *pin)).sum::<u128>();
        cost.bytes = cost.bytes.checked_add(bytes(pipe)?)?;
        cost.frames += u128::from(pipe.frames);
        cost.sizes += u128::from(pipe.frame_size);
    }
    Some(cost)
}

fn bytes(pipe: &Pipe) -> Option<u128> {
    let slot =
        (u128::from(pipe.prefix) + u128::from(pipe.frame_size)).next_multiple_of(u128::from(pipe.alignment.max(1)));
    slot.checked_mul(u128::from(pipe.frames))
}

/// The preferences of a pin that its pipe, of this mode, does not meet.
fn departures(view: &View<'_>, pipe: &Pipe, mode: Mode, pin: PinId) -> u128 {
    let Some(item) = view.preference(pin) else { return 0 };
    let memory = !accepts(view.graph, item.memory, view.graph.mode(pin), mode, pipe.memory_type);
    let size = pipe.frame_size < u64::from(item.physical.min.max(item.capacity()));
    let count = pipe.frames < u64::from(item.frames);
    let allocation = item.must_allocate() && pipe.allocator.pin != Some(pin);
    [memory, size, count, allocation].into_iter().map(u128::from).sum()
}

/// For each cut, the pins from which its giving pin can be reached, itself included, summed.
fn depth(view: &View<'_>, givers: &[PinId]) -> u128 {
    // In a tree, what feeds one pin feeds no other beside it: what feeds them adds up.
    let trees = trees(view);
    let mut feeding = vec![1u128; view.graph.pins().len()];
    for pin in view.order.iter().filter(|pin| trees[pin.index()]) {
        feeding[pin.index()] += view.upstream[pin.index()].iter().map(|above| feeding[above.index()]).sum::<u128>();
    }
    let (in_trees, tangled): (Vec<PinId>, Vec<PinId>) = givers.iter().partition(|pin| trees[pin.index()]);
    let mut sum = in_trees.iter().map(|pin| feeding[pin.index()]).sum();
    // Elsewhere one bit for each cut: the pin can reach that cut's giving pin.
    for givers in tangled.chunks(128) {
        let mut reaches = vec![0u128; view.graph.pins().len()];
        for (bit, pin) in givers.iter().enumerate() {
            reaches[pin.index()] |= 1 << bit;
        }
        for pin in view.order.iter().rev() {
            for next in &view.downstream[pin.index()] {
                reaches[pin.index()] |= reaches[next.index()];
            }
            sum += u128::from(reaches[pin.index()].count_ones());
        }
    }
    sum
}

/// By pin: whether connections and routes join it to others in one way only: a connected part of the graph with one
/// connection or route less than it has pins.
fn trees(view: &View<'_>) -> Vec<bool> {
    let mut tree = vec![false; view.graph.pins().len()];
    let mut seen = vec![false; view.graph.pins().len()];
    for start in view.graph.pin_ids() {
        let mut part = Vec::new();
        let mut joins = 0;
        let mut open = vec![start];
        while let Some(pin) = open.pop() {
            if !std::mem::replace(&mut seen[pin.index()], true) {
                part.push(pin);
                joins += view.downstream[pin.index()].len();
                open.extend(view.downstream[pin.index()].iter().chain(&view.upstream[pin.index()]));
            }
        }
        for pin in &part {
            tree[pin.index()] = joins + 1 == part.len();
        }
    }
    tree
}
