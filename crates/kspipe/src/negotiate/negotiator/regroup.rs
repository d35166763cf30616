//! Which pins are one pipe after cuts came and went: only pipes at those cuts are looked at.

use super::patch::{Pipes, ToldEdge};
use super::walk::Walk;
use crate::graph::PinId;
use crate::negotiate::assemble::distance_of;
use crate::negotiate::facts::{EdgeKind, Facts};
use crate::negotiate::{PipeId, Plan};
use std::collections::{BTreeMap, BTreeSet};

/// So many cuts in one pipe are looked through for each of its pins; past them its pins are visited.
const MOST_CUTS: usize = 32;

/// The pins of a pipe to be.
#[derive(Debug, Default)]
pub(super) struct Group {
    /// Upstream before downstream.
    pub(super) pins: Vec<PinId>,
    pub(super) chunks: Vec<u32>,
    /// The pipes they come from, in order.
    pub(super) from: Vec<PipeId>,
    /// The pipe that most of them come from, where that is known.
    pub(super) most_from: Option<PipeId>,
    /// Those that come from others than that.
    pub(super) others: Vec<PinId>,
}

/// What pipes become.
#[derive(Debug, Default)]
pub(super) struct Regrouped {
    /// The pipes that are taken apart, in order.
    pub(super) pipes: Vec<PipeId>,
    pub(super) groups: Vec<Group>,
}

/// Cuts that are new in a pipe of a steady component, as what of the walk lies behind each.
#[derive(Debug, Default)]
struct Divided {
    /// The part that is left.
    rest: usize,
    /// First place, end, and number of each part that is cut off; by first place, so that of two around a pin the inner
    /// one is last.
    behind: Vec<(u32, u32, usize)>,
}

impl Divided {
    fn part_of(&self, place: u32) -> usize {
        let inner = self.behind.iter().rev().find(|(first, end, _)| (*first..*end).contains(&place));
        inner.map_or(self.rest, |(_, _, part)| *part)
    }

    /// Whether all places from `first` to `last` are in one part.
    fn is_whole(&self, first: u32, last: u32) -> bool {
        let borders = |place: u32| first < place && place <= last;
        !self.behind.iter().any(|(first, end, _)| borders(*first) || borders(*end))
    }
}

impl Pipes {
    /// Takes the pipes at these edges apart, which joined other pins than they do, and finds what their pins become. `None`
    /// where each pipe has the pins it had.
    pub(super) fn regroup(
        &mut self,
        facts: &Facts<'_>,
        is_cut: &[bool],
        walk: &Walk,
        plan: &mut Plan,
        changed: &[ToldEdge],
    ) -> Option<Regrouped> {
        let pipe_of = |pin: PinId| plan.pipe_of[pin.index()];
        let mut pipes: BTreeSet<PipeId> = BTreeSet::new();
        let mut new_cuts: BTreeMap<PipeId, Vec<(u32, u32)>> = BTreeMap::new();
        let mut joined: Vec<(PinId, PinId)> = Vec::new();
        // What was joined below something else since is told apart from that.
        let mut moved: Vec<(u32, u32)> = Vec::new();
        let mut is_moved = false;
        for told in changed {
            let (before, now) = told.joined(facts, is_cut);
            let edge = &facts.edges[told.number as usize];
            if told.is_moved(facts) {
                is_moved = true;
                if edge.kind == EdgeKind::Connection {
                    let behind = walk.behind(edge.to);
                    moved.push((behind.start, behind.end));
                }
            }
            if before == now {
                continue;
            }
            for (from, to) in before.into_iter().chain(now) {
                pipes.extend([pipe_of(from), pipe_of(to)]);
            }
            joined.extend(now);
            if let Some((from, to)) = before {
                // Of the two the one that is met later is the one behind the edge; in a tree it is the in pin always.
                let is_behind = !walk.is_in_tree(to) && walk.place(from) > walk.place(to);
                let behind = walk.behind(if is_behind { from } else { to });
                new_cuts.entry(pipe_of(from)).or_default().push((behind.start, behind.end));
            }
        }
        for cuts in new_cuts.values_mut() {
            cuts.extend(&moved);
        }
        if pipes.is_empty() {
            return None;
        }
        let component_of = |pipe: PipeId, plan: &Plan| facts.component_of(plan.pipes[pipe.index()].pins[0]);
        let mut visited: BTreeSet<u32> = BTreeSet::new();
        for pipe in &pipes {
            let component = component_of(*pipe, plan);
            let many = new_cuts.get(pipe).is_some_and(|cuts| cuts.len() > MOST_CUTS);
            let is_steady = walk.is_steady(plan.pipes[pipe.index()].pins[0], component);
            if many || !is_steady {
                visited.insert(component);
            }
        }
        // A pipe may have had pins of what are several components now, and these may join others.
        let is_visited = |component: u32| visited.contains(&component) || is_moved && !visited.is_empty();
        let (visit, divide): (Vec<PipeId>, Vec<PipeId>) =
            pipes.iter().partition(|pipe| is_visited(component_of(**pipe, plan)));
        let joined: Vec<(PinId, PinId)> =
            joined.into_iter().filter(|(pin, _)| !is_visited(facts.component_of(*pin))).collect();
        let mut groups = self.divided(facts, is_cut, walk, plan, &divide, new_cuts, &joined);
        groups.extend(self.visited(facts, is_cut, walk, plan, &visit));
        Some(Regrouped { pipes: pipes.into_iter().collect(), groups })
    }

    /// The groups that the pins of pipes of steady components make, without going from pin to pin.
    #[expect(clippy::too_many_arguments, reason = "the state of the pipes, borrowed apart")]
    fn divided(
        &mut self,
        facts: &Facts<'_>,
        is_cut: &[bool],
        walk: &Walk,
        plan: &mut Plan,
        pipes: &[PipeId],
        mut new_cuts: BTreeMap<PipeId, Vec<(u32, u32)>>,
        joined: &[(PinId, PinId)],
    ) -> Vec<Group> {
        let mut parts: Vec<Group> = Vec::new();
        let mut divisions: BTreeMap<PipeId, Divided> = BTreeMap::new();
        for pipe in pipes {
            let mut cuts = new_cuts.remove(pipe).unwrap_or_default();
            cuts.sort_unstable();
            cuts.dedup();
            let rest = parts.len();
            let behind = cuts.iter().zip(rest + 1..).map(|((first, end), part)| (*first, *end, part)).collect();
            parts.extend((0..=cuts.len()).map(|_| Group { from: vec![*pipe], ..Group::default() }));
            divisions.insert(*pipe, Divided { rest, behind });
        }
        for (pipe, division) in &divisions {
            let pins = std::mem::take(&mut plan.pipes[pipe.index()].pins);
            let chunks = std::mem::take(&mut self.tallies.of_pipe[pipe.index()]);
            if division.behind.is_empty() {
                parts[division.rest].pins = pins;
                parts[division.rest].chunks = chunks;
                continue;
            }
            let count = division.behind.len() + 1;
            let part_of = |place: u32| division.part_of(place) - division.rest;
            if let [(first, end, part)] = division.behind[..] {
                // Most often there is one cut, and many pins.
                let is_behind = |pin: PinId| (first..end).contains(&walk.place(pin));
                let most_behind = (end - first) as usize;
                (parts[part].pins, parts[division.rest].pins) = if most_behind > pins.len() / 2 {
                    parted(pins, is_behind)
                } else {
                    let (rest, behind) = parted(pins, |pin| !is_behind(pin));
                    (behind, rest)
                };
            } else {
                for pin in pins {
                    let part = division.part_of(walk.place(pin));
                    parts[part].pins.push(pin);
                }
            }
            let (tallies, asker) = self.apart(facts, walk, is_cut, &plan.items);
            let divided = tallies.divide(chunks, count, part_of, |first, last| division.is_whole(first, last), &asker);
            for (part, chunks) in (division.rest..).zip(divided) {
                parts[part].chunks = chunks;
            }
        }
        let part_of = |pin: PinId| {
            let division = &divisions[&plan.pipe_of[pin.index()]];
            division.part_of(walk.place(pin))
        };
        let mut into: Vec<usize> = (0..parts.len()).collect();
        for (from, to) in joined {
            let (from, to) = (root(&mut into, part_of(*from)), root(&mut into, part_of(*to)));
            into[from] = to;
        }
        let mut groups: BTreeMap<usize, Vec<Group>> = BTreeMap::new();
        for (number, part) in parts.into_iter().enumerate().filter(|(_, part)| !part.pins.is_empty()) {
            groups.entry(root(&mut into, number)).or_default().push(part);
        }
        let whole = |mut parts: Vec<Group>| {
            let mut group = Group::default();
            // The largest first, so that the others go into it.
            parts.sort_by_key(|part| std::cmp::Reverse(part.pins.len()));
            group.most_from = parts.first().and_then(|largest| largest.from.first().copied());
            for mut part in parts {
                if part.from.first() != group.most_from.as_ref() {
                    group.others.extend_from_slice(&part.pins);
                }
                if group.pins.is_empty() {
                    group.pins = part.pins;
                } else {
                    merge_into(&mut group.pins, &part.pins, walk);
                }
                group.chunks.append(&mut part.chunks);
                group.from.append(&mut part.from);
            }
            group.from.sort_unstable();
            group.from.dedup();
            let (tallies, asker) = self.apart(facts, walk, is_cut, &plan.items);
            group.chunks = tallies.settled(group.chunks, &group.pins, &asker);
            group
        };
        groups.into_values().map(whole).collect()
    }

    /// The groups that the pins of pipes make, found by going from pin to pin.
    fn visited(
        &mut self,
        facts: &Facts<'_>,
        is_cut: &[bool],
        walk: &Walk,
        plan: &mut Plan,
        pipes: &[PipeId],
    ) -> Vec<Group> {
        let mut all: Vec<PinId> = Vec::new();
        for pipe in pipes {
            all.append(&mut plan.pipes[pipe.index()].pins);
            let chunks = std::mem::take(&mut self.tallies.of_pipe[pipe.index()]);
            self.tallies.drop_chunks(chunks);
        }
        let mut left: BTreeSet<PinId> = all.iter().copied().collect();
        let mut groups = Vec::new();
        while let Some(first) = left.pop_first() {
            let mut group = Group::default();
            let mut open = vec![first];
            while let Some(pin) = open.pop() {
                group.pins.push(pin);
                group.from.push(plan.pipe_of[pin.index()]);
                for number in facts.edges_at(pin).iter().filter(|number| !is_cut[**number as usize]) {
                    let edge = &facts.edges[*number as usize];
                    let other = if edge.from == pin { edge.to } else { edge.from };
                    if left.remove(&other) {
                        open.push(other);
                    }
                }
            }
            group.pins.sort_unstable_by_key(|pin| walk.rank(*pin));
            group.from.sort_unstable();
            group.from.dedup();
            group.most_from = Some(group.from[0]).filter(|_| group.from.len() == 1);
            for pin in &group.pins {
                if !walk.is_steady(*pin, facts.component_of(*pin)) {
                    self.distance[pin.index()] = distance_of(facts, is_cut, &self.distance, *pin);
                }
            }
            let (tallies, asker) = self.apart(facts, walk, is_cut, &plan.items);
            group.chunks = tallies.chunks_of(&group.pins, &asker);
            groups.push(group);
        }
        groups
    }
}

fn root(into: &mut [usize], mut at: usize) -> usize {
    while into[at] != at {
        into[at] = into[into[at]];
        at = into[at];
    }
    at
}

/// The pins that are so, and the others, each in their order. The first are most of them and stay where they are.
fn parted(mut pins: Vec<PinId>, is: impl Fn(PinId) -> bool) -> (Vec<PinId>, Vec<PinId>) {
    let mut others = Vec::new();
    let (mut at, mut kept) = (0, 0);
    // Pins of one side mostly stand together.
    while let Some(first) = pins.get(at) {
        let is_so = is(*first);
        let end = pins[at..].iter().position(|pin| is(*pin) != is_so).map_or(pins.len(), |length| at + length);
        if is_so {
            pins.copy_within(at..end, kept);
            kept += end - at;
        } else {
            others.extend_from_slice(&pins[at..end]);
        }
        at = end;
    }
    pins.truncate(kept);
    for list in [&mut pins, &mut others] {
        // The room is there for when they are joined again; not for more.
        if list.capacity() / 2 > list.len() {
            list.shrink_to_fit();
        }
    }
    (pins, others)
}

/// Takes pins into others, both in the order of the walk's ranks; runs of each are taken at once, from the last on.
fn merge_into(pins: &mut Vec<PinId>, others: &[PinId], walk: &Walk) {
    let (mut left, mut other) = (pins.len(), others);
    pins.reserve_exact(others.len());
    pins.extend_from_slice(others);
    while let Some(last) = other.last() {
        let last = walk.rank(*last);
        let before = pins[..left].partition_point(|pin| walk.rank(*pin) < last);
        pins.copy_within(before..left, before + other.len());
        left = before;
        let before = left.checked_sub(1).map(|above| walk.rank(pins[above]));
        let stay = before.map_or(0, |before| other.partition_point(|pin| walk.rank(*pin) < before));
        pins[left + stay..left + other.len()].copy_from_slice(&other[stay..]);
        other = &other[..stay];
    }
}
