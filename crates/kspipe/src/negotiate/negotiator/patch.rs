//! From the last plan to the next, changed in place.

use super::difference::Difference;
use super::regroup::Regrouped;
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
    first_rank: Vec<(u32, PinId)>,
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
            let in_tree = self.walk.distance_in_tree(pin);
            in_tree.unwrap_or_else(|| {
                let is_steady = self.walk.is_steady(pin, self.facts.component_of(pin));
                if is_steady { self.walk.distance(pin) } else { self.distance[pin.index()] }
            })
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
                && let Some((_, then)) = before.iter().find(|(pipe, _)| *pipe == old)
            {
                difference.compare(old, then, number, &plan.pipes[number.index()]);
            }
        }
        plan.strategy = facts.graph.strategy();
        difference.sort();
        difference
    }

    /// The pipes that are left of those there were, in the order of their first pins now, if pins came to lie deeper or
    /// less deep.
    fn left(&mut self, apart: &[PipeId], is_moved: bool, walk: &Walk) -> Vec<u32> {
        let mut taken = apart.iter().peekable();
        let mut left: Vec<u32> = Vec::with_capacity(self.first_rank.len());
        let mut moved: Vec<u32> = Vec::new();
        for (old, rank) in (0..).zip(&mut self.first_rank) {
            if taken.next_if(|pipe| pipe.0 == old).is_some() {
                continue;
            }
            let now = if is_moved { walk.rank(rank.1) } else { *rank };
            if std::mem::replace(rank, now) == now { left.push(old) } else { moved.push(old) }
        }
        if moved.is_empty() {
            return left;
        }
        // What lies behind one pin stays in order, and so do those that are where they were.
        let rank = |number: &u32| self.first_rank[*number as usize];
        moved.sort_by_key(rank);
        merged(&left, &moved, rank)
    }

    /// Puts the pipes that are left and the groups in the order of their first pins. Returns the numbers of the groups, and
    /// for each number the one that a pipe of the same pins had.
    fn renumber(
        &mut self,
        regrouped: Regrouped,
        is_moved: bool,
        walk: &Walk,
        plan: &mut Plan,
        difference: &mut Difference,
    ) -> (BTreeSet<PipeId>, Vec<Option<PipeId>>) {
        let Regrouped { pipes: apart, mut groups } = regrouped;
        groups.sort_unstable_by_key(|group| walk.rank(group.pins[0]));
        let ranks: Vec<(u32, PinId)> = groups.iter().map(|group| walk.rank(group.pins[0])).collect();

        let left = self.left(&apart, is_moved, walk);
        let mut numbers: Vec<PipeId> = Vec::with_capacity(groups.len());
        let mut then: Vec<Option<PipeId>> = Vec::with_capacity(left.len() + groups.len());
        let mut rest = &left[..];
        for rank in &ranks {
            let before = rest.partition_point(|old| self.first_rank[*old as usize] < *rank);
            then.extend(rest[..before].iter().map(|old| Some(PipeId(*old))));
            rest = &rest[before..];
            numbers.push(PipeId(then.len() as u32));
            then.push(None);
        }
        then.extend(rest.iter().map(|old| Some(PipeId(*old))));
        let mut now: Vec<Option<PipeId>> = vec![None; plan.pipes.len()];
        for (new, old) in (0..).zip(&then) {
            if let Some(old) = old {
                now[old.index()] = Some(PipeId(new));
            }
        }

        let mut ways = Vec::new();
        for (group, number) in groups.iter().zip(&numbers) {
            ways.extend(group.from.iter().map(|from| (*from, *number)));
        }
        ways.sort_unstable();
        let same = difference.sort_out(ways);
        let mut next_same = same.iter().peekable();
        for (old, new) in (0..).zip(&now) {
            let new = new.or_else(|| next_same.next_if(|(same, _)| same.0 == old).map(|(_, new)| *new));
            if let Some(new) = new {
                difference.stay(old..old + 1, new.0);
            }
        }

        // Most pins of a pipe stay in one group mostly: the others are told one by one.
        let mut is_heir = vec![false; groups.len()];
        for pipe in &apart {
            let from_it = groups.iter().enumerate().filter(|(_, group)| group.most_from == Some(*pipe));
            if let Some((place, _)) = from_it.max_by_key(|(_, group)| group.pins.len() - group.others.len()) {
                now[pipe.index()] = Some(numbers[place]);
                is_heir[place] = true;
            }
        }
        rename(&mut plan.pipe_of, &now);
        for ((group, number), is_heir) in groups.iter().zip(&numbers).zip(is_heir) {
            let told = if is_heir { &group.others } else { &group.pins };
            told.iter().for_each(|pin| plan.pipe_of[pin.index()] = *number);
        }

        let (mut pipes, mut chunks) = (Vec::new(), Vec::new());
        if let Some(model) = apart.first().map(|pipe| plan.pipes[pipe.index()].clone_without_pins()) {
            for group in groups {
                pipes.push(Pipe { pins: group.pins, ..model.clone_without_pins() });
                chunks.push(group.chunks);
            }
        }
        if left.is_sorted() {
            change(&mut plan.pipes, &apart, &numbers, pipes);
            change(&mut self.tallies.of_pipe, &apart, &numbers, chunks);
            change(&mut self.first_rank, &apart, &numbers, ranks);
        } else {
            arrange(&mut plan.pipes, &then, pipes, Pipe::take_with_pins);
            arrange(&mut self.tallies.of_pipe, &then, chunks, std::mem::take);
            arrange(&mut self.first_rank, &then, ranks, |rank| *rank);
        }
        for (old, new) in same {
            then[new.index()] = Some(old);
        }
        (numbers.into_iter().collect(), then)
    }
}

/// Two lists that are in the order of a key, as one, runs of each taken at once.
fn merged<T: Copy, K: Ord>(one: &[T], other: &[T], key: impl Fn(&T) -> K) -> Vec<T> {
    let mut merged = Vec::with_capacity(one.len() + other.len());
    let (mut one, mut other) = (one, other);
    while let Some(next) = other.first().map(&key) {
        let before = one.iter().position(|thing| key(thing) > next).unwrap_or(one.len());
        merged.extend_from_slice(&one[..before]);
        one = &one[before..];
        std::mem::swap(&mut one, &mut other);
    }
    merged.extend_from_slice(one);
    merged
}

/// So many numbers from which on pipes are numbered otherwise are compared with for each pin; past them each pin's is
/// looked up.
const MOST_SHIFTS: usize = 4;

/// Gives the pins the new numbers of their pipes, by the old ones. A number that there is no new one for can become any.
fn rename(pipe_of: &mut [PipeId], now: &[Option<PipeId>]) {
    // From which number on how much more is added.
    let mut shifts = [(u32::MAX, 0u32); MOST_SHIFTS];
    let (mut count, mut last) = (0, 0u32);
    for (old, new) in (0u32..).zip(now) {
        let by = new.map_or(last, |new| new.0.wrapping_sub(old));
        if by != last {
            if let Some(shift) = shifts.get_mut(count) {
                *shift = (old, by.wrapping_sub(last));
            }
            (count, last) = (count + 1, by);
        }
    }
    if count > MOST_SHIFTS {
        let now: Vec<u32> = now.iter().map(|new| new.map_or(0, |new| new.0)).collect();
        pipe_of.iter_mut().for_each(|pipe| pipe.0 = now[pipe.index()]);
    } else if count > 0 {
        for pipe in pipe_of {
            let old = pipe.0;
            let by = shifts.iter().map(|(first, by)| if old >= *first { *by } else { 0 });
            pipe.0 = by.fold(old, u32::wrapping_add);
        }
    }
}

/// Makes a list anew: of what was at the places `then`, and where there is none, of things, one after the other.
fn arrange<T>(list: &mut Vec<T>, then: &[Option<PipeId>], things: Vec<T>, take: impl Fn(&mut T) -> T) {
    let mut things = things.into_iter();
    let mut made = Vec::with_capacity(then.len());
    for old in then {
        match old {
            Some(old) => made.push(take(&mut list[old.index()])),
            None => made.extend(things.next()),
        }
    }
    *list = made;
}

/// Takes the things at some places out of a list, and puts others in, so that each stands at its place then.
fn change<T>(list: &mut Vec<T>, out: &[PipeId], places: &[PipeId], things: Vec<T>) {
    leave_out(list, out);
    put_in(list, places, things);
}

/// So many things are taken out of a list, or put into it, one by one; past them it is made anew.
const MOST_MOVED: usize = 4;

/// Takes the things at these places out, which are in order.
fn leave_out<T>(list: &mut Vec<T>, places: &[PipeId]) {
    if places.len() <= MOST_MOVED {
        places.iter().rev().for_each(|place| drop(list.remove(place.index())));
        return;
    }
    let mut out = places.iter().peekable();
    let mut at = 0;
    list.retain(|_| {
        at += 1;
        out.next_if(|place| place.index() + 1 == at).is_none()
    });
}

/// Puts things in, so that each stands at its place then; the places are in order.
fn put_in<T>(list: &mut Vec<T>, places: &[PipeId], things: Vec<T>) {
    if places.len() <= MOST_MOVED {
        places.iter().zip(things).for_each(|(place, thing)| list.insert(place.index(), thing));
        return;
    }
    let mut made = Vec::with_capacity(list.len() + things.len());
    let mut old = std::mem::take(list).into_iter();
    for (place, thing) in places.iter().zip(things) {
        let before = place.index() - made.len();
        made.extend(old.by_ref().take(before));
        made.push(thing);
    }
    made.extend(old);
    *list = made;
}

impl Pipe {
    fn clone_without_pins(&self) -> Pipe {
        Pipe { pins: Vec::new(), ..*self }
    }

    fn take_with_pins(&mut self) -> Pipe {
        Pipe { pins: std::mem::take(&mut self.pins), ..*self }
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
    let routes = facts.graph.routes();
    let connections = facts.edges.len() - routes.len();
    for told in &patch.edges {
        let (edge, is_cut) = (&facts.edges[told.number as usize], is_cut[told.number as usize]);
        if let Some(route) = routes.get((told.number as usize).wrapping_sub(connections)) {
            let found =
                plan.copies.binary_search_by_key(&(route.from, route.to), |copy| (copy.route.from, copy.route.to));
            match found {
                Err(place) if is_cut || edge.kind.is_absent() => {
                    let copy = copy_at(facts, *route, is_cut);
                    plan.copies.insert(place, copy);
                    difference.copies_made.push(copy);
                }
                Ok(place) if is_cut || edge.kind.is_absent() => plan.copies[place] = copy_at(facts, *route, is_cut),
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
