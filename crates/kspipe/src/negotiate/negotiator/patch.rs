//! From the last plan to the next, changed in place.

use super::difference::Difference;
use super::regroup::Regrouped;
use super::tallies::{Asking, Tallies};
use super::totals::Totals;
use super::walk::Walk;
use crate::graph::{Connection, PinId};
use crate::negotiate::allocator_choice::Farther;
use crate::negotiate::assemble::{
    Choices, PinAsks, Standing, bridge_at, bridges_of, copies_of, copy_at, distances, pipe_with,
};
use crate::negotiate::facts::{EdgeKind, Facts};
use crate::negotiate::memory::MemoryClass;
use crate::negotiate::problem::Problem;
use crate::negotiate::{Pipe, PipeId, Plan};
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
    /// Edges that were cut and are not, or are and were not.
    pub(super) cuts: Vec<u32>,
}

/// What is known of a plan's pipes beside the plan.
#[derive(Clone, Debug, Default)]
pub(super) struct Pipes {
    pub(super) walk: Walk,
    pub(super) tallies: Tallies,
    /// By pin: how far downstream it stands, in the measure of its pipe.
    pub(super) distance: Vec<u32>,
    /// By pipe: the place of its first pin in the order.
    first_rank: Vec<u32>,
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
        Standing { facts: self.facts, distance: self.distance }.is_farther(one, other)
    }
}

impl Asking for Asker<'_> {
    fn ask(&self, pin: PinId) -> PinAsks {
        PinAsks::of(self.facts, self.is_cut, pin, self.items[pin.index()])
    }
    fn place(&self, pin: PinId) -> u32 {
        self.walk.place[pin.index()]
    }
}

impl Pipes {
    pub(super) fn of(facts: &Facts<'_>, choices: &Choices, rank: &[u32], plan: &Plan) -> Self {
        let walk = Walk::of(facts);
        let mut distance = distances(facts, &choices.is_cut);
        for pin in facts.graph.pin_ids() {
            if walk.is_steady[facts.component_of[pin.index()] as usize] {
                distance[pin.index()] = walk.level[pin.index()];
            }
        }
        let first_rank = plan.pipes.iter().map(|pipe| rank[pipe.pins[0].index()]).collect();
        let tallies = Tallies::new(facts.graph.pins().len());
        let mut pipes = Pipes { walk, tallies, distance, first_rank };
        let (tallies, asker) = pipes.apart(facts, &choices.is_cut, &plan.items);
        tallies.of_pipe = plan.pipes.iter().map(|pipe| tallies.chunks_of(&pipe.pins, &asker)).collect();
        pipes
    }

    /// The tallies, and who asks the pins for them.
    pub(super) fn apart<'a>(
        &'a mut self,
        facts: &'a Facts<'a>,
        is_cut: &'a [bool],
        items: &'a [Option<u32>],
    ) -> (&'a mut Tallies, Asker<'a>) {
        (&mut self.tallies, Asker { facts, walk: &self.walk, distance: &self.distance, is_cut, items })
    }

    /// Changes the plan and what is known beside it.
    #[expect(clippy::too_many_arguments, reason = "what is kept of a graph, borrowed apart")]
    pub(super) fn patch(
        &mut self,
        problem: &Problem<'_>,
        choices: &Choices,
        memory_of: impl Fn(PinId) -> MemoryClass,
        rank: &[u32],
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
        dirty.extend(patch.cuts.iter().map(|edge| facts.edges[*edge as usize].to));
        let behind = patch.data.iter().flat_map(|pin| facts.edges_at(*pin).iter().map(move |edge| (*pin, *edge)));
        let behind =
            behind.filter(|(pin, edge)| facts.edges[*edge as usize].from == *pin && choices.is_cut[*edge as usize]);
        dirty.extend(behind.map(|(_, edge)| facts.edges[edge as usize].to));

        let count = plan.pipes.len() as u32;
        let (touched, before) = if patch.cuts.is_empty() {
            difference.stay(0..count, 0);
            let (tallies, asker) = self.apart(facts, &choices.is_cut, &plan.items);
            tallies.ask_again(&dirty, &asker);
            (BTreeSet::new(), Vec::new())
        } else {
            let old: Vec<(PipeId, Pipe)> = self.without_pins(facts, plan, &patch.cuts);
            let regrouped = self.regroup(facts, &choices.is_cut, rank, plan, &patch.cuts);
            let (tallies, asker) = self.apart(facts, &choices.is_cut, &plan.items);
            tallies.ask_again(&dirty, &asker);
            old.iter().for_each(|(_, pipe)| totals.take_back_size(pipe.frame_size));
            (self.renumber(regrouped, rank, plan, &mut difference), old)
        };
        let dirty: BTreeSet<PipeId> = dirty.iter().map(|pin| plan.pipe_of[pin.index()]).collect();
        let (tallies, asker) = self.apart(facts, &choices.is_cut, &plan.items);
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
                if let Some(old) = difference.old_number(number) {
                    difference.compare(old, &then, number, &plan.pipes[number.index()]);
                }
            } else if let Some(old) = difference.old_number(number)
                && let Some((_, then)) = before.iter().find(|(pipe, _)| *pipe == old)
            {
                difference.compare(old, then, number, &plan.pipes[number.index()]);
            }
        }
        plan.strategy = facts.graph.strategy();
        difference.sort();
        difference
    }

    /// The pipes at these edges, their pins left out.
    fn without_pins(&self, facts: &Facts<'_>, plan: &Plan, edges: &[u32]) -> Vec<(PipeId, Pipe)> {
        let ends = edges.iter().map(|edge| &facts.edges[*edge as usize]).flat_map(|edge| [edge.from, edge.to]);
        let pipes: BTreeSet<PipeId> = ends.map(|pin| plan.pipe_of[pin.index()]).collect();
        let bare = |pipe: &Pipe| Pipe { pins: Vec::new(), ..*pipe };
        pipes.into_iter().map(|pipe| (pipe, bare(&plan.pipes[pipe.index()]))).collect()
    }

    /// Puts the groups among the other pipes, in the order of their first pins. Returns their numbers.
    fn renumber(
        &mut self,
        regrouped: Regrouped,
        rank: &[u32],
        plan: &mut Plan,
        difference: &mut Difference,
    ) -> BTreeSet<PipeId> {
        let Regrouped { pipes: apart, mut groups } = regrouped;
        groups.sort_unstable_by_key(|group| rank[group.pins[0].index()]);
        let first_rank_of = |pins: &[PinId]| rank[pins[0].index()];
        let place_of = |first: u32| self.first_rank.partition_point(|other| *other < first);
        let ends = [groups.first(), groups.last()].map(|group| group.map(|group| first_rank_of(&group.pins)));
        let [Some(first), Some(last)] = ends else { return BTreeSet::new() };
        let start = place_of(first).min(apart.first().map_or(usize::MAX, |pipe| pipe.index()));
        let end = place_of(last).max(apart.last().map_or(0, |pipe| pipe.index() + 1));
        let old_count = plan.pipes.len();

        // What stands between the first and the last place that changes, in its new order.
        let model = plan.pipes[start.min(old_count - 1)].clone_without_pins();
        let mut pipes = Vec::new();
        let mut tallies = Vec::new();
        let mut ranks = Vec::new();
        let mut touched = BTreeSet::new();
        let mut left = BTreeSet::new();
        let mut ways = Vec::new();
        let mut moved: Vec<(u32, u32)> = Vec::new();
        let old = plan.pipes.splice(start..end, []).zip(self.tallies.of_pipe.splice(start..end, []));
        let mut old: std::iter::Peekable<_> = old.zip(start as u32..).collect::<Vec<_>>().into_iter().peekable();
        let mut groups = groups.into_iter().peekable();
        loop {
            let old_first = old.peek().map(|(_, number)| self.first_rank[*number as usize]);
            if let Some(((pipe, chunks), number)) = old.next_if(|((pipe, _), number)| {
                let is_next =
                    groups.peek().is_none_or(|group| self.first_rank[*number as usize] < first_rank_of(&group.pins));
                pipe.pins.is_empty() || is_next
            }) {
                if pipe.pins.is_empty() {
                    continue;
                }
                moved.push((number, (start + pipes.len()) as u32));
                pipes.push(pipe);
                tallies.push(chunks);
                ranks.extend(old_first);
                continue;
            }
            let Some(group) = groups.next() else { break };
            let number = PipeId((start + pipes.len()) as u32);
            touched.insert(number);
            if group.from == [number] {
                left.insert(number);
            }
            ways.extend(group.from.iter().map(|from| (*from, number)));
            ranks.push(first_rank_of(&group.pins));
            tallies.push(group.chunks);
            pipes.push(Pipe { pins: group.pins, ..model.clone_without_pins() });
        }
        let grown = pipes.len() as i64 - (end - start) as i64;
        plan.pipes.splice(start..start, pipes);
        self.tallies.of_pipe.splice(start..start, tallies);
        self.first_rank.splice(start..end, ranks);
        if grown != 0 {
            // Wrapping, so that going down is adding too.
            let (end, grown) = (end as u32, grown as u32);
            for pipe in &mut plan.pipe_of {
                pipe.0 = pipe.0.wrapping_add(if pipe.0 >= end { grown } else { 0 });
            }
        }
        let renamed = moved.iter().filter(|(old, new)| old != new).map(|(_, new)| PipeId(*new));
        // What is left of a pipe that keeps its number has it already.
        let other = touched.iter().copied().filter(|number| !left.contains(number));
        for number in renamed.chain(other) {
            for pin in &plan.pipes[number.index()].pins {
                plan.pipe_of[pin.index()] = number;
            }
        }
        ways.sort_unstable();
        let same = difference.sort_out(ways);
        let mut stayed: Vec<(u32, u32)> = moved;
        stayed.extend(same.into_iter().map(|(old, new)| (old.0, new.0)));
        stayed.sort_unstable();
        difference.stay(0..start as u32, 0);
        for (old, new) in stayed {
            difference.stay(old..old + 1, new);
        }
        difference.stay(end as u32..old_count as u32, (end as i64 + grown) as u32);
        touched
    }
}

impl Pipe {
    fn clone_without_pins(&self) -> Pipe {
        Pipe { pins: Vec::new(), ..*self }
    }
}

/// Changes the bridges and the copies of a plan.
fn patch_copies(facts: &Facts<'_>, is_cut: &[bool], patch: &Patch, plan: &mut Plan, difference: &mut Difference) {
    if patch.unknown || patch.cuts.len() + patch.data.len() > MOST_SINGLY {
        let bridges = std::mem::replace(&mut plan.bridges, bridges_of(facts, is_cut));
        let copies = std::mem::replace(&mut plan.copies, copies_of(facts, is_cut));
        difference.tell_copies((&bridges, &copies), plan);
        return;
    }
    for number in &patch.cuts {
        let edge = &facts.edges[*number as usize];
        let is_cut = is_cut[*number as usize];
        if edge.kind == EdgeKind::Connection {
            let bridge = bridge_at(facts, Connection { from: edge.from, to: edge.to });
            let found = plan.bridges.binary_search_by_key(&bridge.connection, |bridge| bridge.connection);
            match found {
                Err(place) if is_cut => {
                    plan.bridges.insert(place, bridge);
                    difference.bridges_made.push(bridge);
                }
                Ok(place) if !is_cut => difference.bridges_gone.push(plan.bridges.remove(place)),
                _ => {}
            }
        } else {
            let place_of = |copy: &crate::negotiate::RouteChoice| (copy.route.from, copy.route.to);
            let routes = facts.graph.routes();
            let Some(route) = routes.get((*number as usize + routes.len()).wrapping_sub(facts.edges.len())) else {
                continue;
            };
            match plan.copies.binary_search_by_key(&(route.from, route.to), place_of) {
                Err(place) if is_cut => {
                    let copy = copy_at(facts, *route, true);
                    plan.copies.insert(place, copy);
                    difference.copies_made.push(copy);
                }
                Ok(place) if !is_cut => difference.copies_gone.push(plan.copies.remove(place)),
                _ => {}
            }
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
