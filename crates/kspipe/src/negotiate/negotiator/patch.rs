//! From the last plan to the next, changed in place.

use super::difference::Difference;
use super::tallies::{Asking, Tallies};
use super::totals::Totals;
use super::walk::Walk;
use crate::graph::{Connection, PinId};
use crate::negotiate::allocator_choice::Farther;
use crate::negotiate::assemble::{Choices, PinAsks, bridge_at, bridges_of, copies_of, copy_at, distances, pipe_with};
use crate::negotiate::facts::{Edge, EdgeKind, Facts};
use crate::negotiate::memory::MemoryClass;
use crate::negotiate::problem::Problem;
use crate::negotiate::{Bridge, Pipe, PipeId, Plan};
use std::collections::BTreeSet;

/// So many bridges and copies are changed one by one; past them their lists are made anew.
const MOST_SINGLY: usize = 64;

/// What is to be changed of a plan.
#[derive(Clone, Debug, Default)]
pub(super) struct Patch {
    /// Pins that ask something else, or use another item.
    pub(super) asking: Vec<PinId>,
    /// Pins that carry other data.
    pub(super) data: Vec<PinId>,
    /// What unknown data counts as is another number.
    pub(super) unknown: bool,
    /// Pins lie deeper than they did, or less deep.
    pub(super) order: bool,
    /// Edges that are not what they were.
    pub(super) edges: Vec<ToldEdge>,
}

/// An edge that the last plan had otherwise.
#[derive(Clone, Copy, Debug)]
pub(super) struct ToldEdge {
    pub(super) number: u32,
    pub(super) before: Edge,
    pub(super) was_cut: bool,
}

/// Both ends of an edge, where it joins them.
type Joined = Option<(PinId, PinId)>;

impl ToldEdge {
    /// Whether it leads to other pins than it did.
    pub(super) fn is_moved(&self, facts: &Facts<'_>) -> bool {
        let now = &facts.edges[self.number as usize];
        (self.before.from, self.before.to, self.before.kind.is_absent()) != (now.from, now.to, now.kind.is_absent())
    }

    /// What the edge joined in the last plan, and what it joins now.
    pub(super) fn joined(&self, facts: &Facts<'_>, is_cut: &[bool]) -> (Joined, Joined) {
        let joined = |edge: &Edge, is_cut: bool| (!is_cut && !edge.kind.is_absent()).then_some((edge.from, edge.to));
        let now = &facts.edges[self.number as usize];
        (joined(&self.before, self.was_cut), joined(now, is_cut[self.number as usize]))
    }
}

/// What is known of a plan's pipes beside the plan.
#[derive(Clone, Debug, Default)]
pub(super) struct Pipes {
    pub(super) tallies: Tallies,
    /// By pin of a component that is not steady: how far downstream it stands in its pipe.
    pub(super) distance: Vec<u32>,
    /// By pipe: where its first pin stands in the order.
    pub(super) first_rank: Vec<(u32, PinId)>,
}

/// Asks pins what they bring into their pipes.
pub(super) struct Asker<'a> {
    facts: &'a Facts<'a>,
    walk: &'a Walk,
    distance: &'a [u32],
    is_cut: &'a [bool],
    items: &'a [Option<u32>],
}

impl Farther for Asker<'_> {
    fn is_farther(&self, one: PinId, other: PinId) -> bool {
        let distance = |pin: PinId| {
            let fixed = self.walk.distance(pin, |pin| self.facts.component_of(pin));
            fixed.unwrap_or_else(|| self.distance[pin.index()])
        };
        let (mine, others) = (distance(one), distance(other));
        mine > others || mine == others && one != other && self.facts.names().is_before(one, other)
    }
}

impl Asking for Asker<'_> {
    fn ask(&self, pin: PinId) -> PinAsks {
        PinAsks::of(self.facts, self.is_cut, pin, self.items[pin.index()])
    }
    fn place(&self, pin: PinId) -> u32 {
        self.walk.place(pin)
    }
}

impl Pipes {
    pub(super) fn of(facts: &Facts<'_>, choices: &Choices, walk: &Walk, plan: &Plan) -> Self {
        let distance = distances(facts, &choices.is_cut);
        let first_rank = plan.pipes.iter().map(|pipe| walk.rank(pipe.pins[0])).collect();
        let tallies = Tallies::new(facts.graph.pins().len());
        let mut pipes = Pipes { tallies, distance, first_rank };
        let (tallies, asker) = pipes.apart(facts, walk, &choices.is_cut, &plan.items);
        tallies.of_pipe = plan.pipes.iter().map(|pipe| tallies.chunks_of(&pipe.pins, &asker)).collect();
        pipes
    }

    /// The tallies, and who asks the pins for them.
    pub(super) fn apart<'a>(
        &'a mut self,
        facts: &'a Facts<'a>,
        walk: &'a Walk,
        is_cut: &'a [bool],
        items: &'a [Option<u32>],
    ) -> (&'a mut Tallies, Asker<'a>) {
        (&mut self.tallies, Asker { facts, walk, distance: &self.distance, is_cut, items })
    }

    /// Changes the plan and what is known beside it.
    #[expect(clippy::too_many_arguments, reason = "what is kept of a graph, borrowed apart")]
    pub(super) fn patch(
        &mut self,
        problem: &Problem<'_>,
        choices: &Choices,
        memory_of: impl Fn(PinId) -> MemoryClass,
        walk: &Walk,
        patch: Patch,
        plan: &mut Plan,
        totals: &mut Totals,
    ) -> Difference {
        let facts = problem.facts;
        let mut difference = Difference::default();
        patch_copies(facts, &choices.is_cut, &patch, plan, &mut difference);
        for pin in &patch.asking {
            plan.items[pin.index()] = choices.pins[pin.index()].item;
        }
        // Who gets frames of a copy has to hold what is copied.
        let mut dirty = patch.asking;
        dirty.extend(patch.edges.iter().flat_map(|edge| [edge.before.to, facts.edges[edge.number as usize].to]));
        let behind = patch.data.iter().flat_map(|pin| facts.edges_at(*pin).iter().map(move |edge| (*pin, *edge)));
        let behind =
            behind.filter(|(pin, edge)| facts.edges[*edge as usize].from == *pin && choices.is_cut[*edge as usize]);
        dirty.extend(behind.map(|(_, edge)| facts.edges[edge as usize].to));

        let regrouped = self.regroup(facts, &choices.is_cut, walk, plan, &patch.edges);
        let (tallies, asker) = self.apart(facts, walk, &choices.is_cut, &plan.items);
        tallies.ask_again(&dirty, &asker);
        let (touched, before, then) = if regrouped.is_none() && !patch.order {
            difference.stay(0..plan.pipes.len() as u32, 0);
            (BTreeSet::new(), Vec::new(), None)
        } else {
            let regrouped = regrouped.unwrap_or_default();
            let bare = |number: &PipeId| (*number, plan.pipes[number.index()].clone_without_pins());
            let old: Vec<(PipeId, Pipe)> = regrouped.pipes.iter().map(bare).collect();
            old.iter().for_each(|(_, pipe)| totals.take_back_size(pipe.frame_size));
            let (touched, then) = self.renumber(regrouped, patch.order, walk, plan, &mut difference);
            (touched, old, Some(then))
        };
        let old_number = |number: PipeId| match &then {
            Some(then) => then[number.index()],
            None => Some(number),
        };
        let dirty: BTreeSet<PipeId> = dirty.iter().map(|pin| plan.pipe_of[pin.index()]).collect();
        let (tallies, asker) = self.apart(facts, walk, &choices.is_cut, &plan.items);
        let total = |pipe: &PipeId| (*pipe, tallies.total(*pipe, &problem.order, &asker));
        let made: Vec<_> = touched.union(&dirty).map(total).collect();
        for (number, (numbers, candidates)) in made {
            let pipe = &mut plan.pipes[number.index()];
            let memory = memory_of(pipe.pins[0]);
            let now = pipe_with(std::mem::take(&mut pipe.pins), memory, numbers, &candidates);
            totals.add_size(now.frame_size);
            let then = std::mem::replace(pipe, now);
            if !touched.contains(&number) {
                totals.take_back_size(then.frame_size);
                if let Some(old) = old_number(number) {
                    difference.compare(old, &then, number, &plan.pipes[number.index()]);
                }
            } else if let Some(old) = old_number(number)
                && let Ok(place) = before.binary_search_by_key(&old, |(pipe, _)| *pipe)
            {
                difference.compare(old, &before[place].1, number, &plan.pipes[number.index()]);
            }
        }
        plan.strategy = facts.graph.strategy();
        difference.sort();
        difference
    }
}

impl Pipe {
    pub(super) fn clone_without_pins(&self) -> Pipe {
        Pipe { pins: Vec::new(), ..*self }
    }
}

/// Changes the bridges and the copies of a plan.
fn patch_copies(facts: &Facts<'_>, is_cut: &[bool], patch: &Patch, plan: &mut Plan, difference: &mut Difference) {
    if patch.unknown || patch.edges.len() + patch.data.len() > MOST_SINGLY {
        let bridges = std::mem::replace(&mut plan.bridges, bridges_of(facts, is_cut));
        let copies = std::mem::replace(&mut plan.copies, copies_of(facts, is_cut));
        difference.tell_copies((&bridges, &copies), plan);
        return;
    }
    for told in &patch.edges {
        let (edge, is_cut) = (&facts.edges[told.number as usize], is_cut[told.number as usize]);
        if let Some(route) = facts.route_at(facts.graph, told.number) {
            let found =
                plan.copies.binary_search_by_key(&(route.from, route.to), |copy| (copy.route.from, copy.route.to));
            match found {
                Err(place) if is_cut || edge.kind.is_absent() => {
                    let copy = copy_at(facts, route, is_cut);
                    plan.copies.insert(place, copy);
                    difference.copies_made.push(copy);
                }
                Ok(place) if is_cut || edge.kind.is_absent() => plan.copies[place] = copy_at(facts, route, is_cut),
                Ok(place) => difference.copies_gone.push(plan.copies.remove(place)),
                Err(_) => {}
            }
            continue;
        }
        let bridge = |edge: &Edge, is_cut: bool| {
            (is_cut && edge.kind == EdgeKind::Connection).then_some(Connection { from: edge.from, to: edge.to })
        };
        let find = |bridges: &[Bridge], at| bridges.binary_search_by_key(&at, |bridge| bridge.connection);
        let (before, now) = (bridge(&told.before, told.was_cut), bridge(edge, is_cut));
        if before == now {
            continue;
        }
        if let Some(Ok(place)) = before.map(|at| find(&plan.bridges, at)) {
            difference.bridges_gone.push(plan.bridges.remove(place));
        }
        if let Some(at) = now
            && let Err(place) = find(&plan.bridges, at)
        {
            let bridge = bridge_at(facts, at);
            plan.bridges.insert(place, bridge);
            difference.bridges_made.push(bridge);
        }
    }
    for pin in &patch.data {
        let bytes = facts.copied_bytes(*pin);
        if let Ok(place) = plan.bridges.binary_search_by_key(pin, |bridge| bridge.connection.from) {
            plan.bridges[place].bytes = bytes;
        }
        let start = plan.copies.partition_point(|copy| copy.route.from < *pin);
        for copy in plan.copies[start..].iter_mut().take_while(|copy| copy.route.from == *pin) {
            copy.bytes = bytes;
        }
    }
}
