//! What a part of a component can be: its half-built pipes, of which none makes another needless, and how the parts of
//! neighbours become one.
//!
//! A part is seen from its *near end*, the pin at which it meets the rest. A part that is a piece of a path has a *far
//! end* too, at which the path goes on. There either one half-built pipe has both ends, or two have one each and all that
//! lies between is finished and paid. Three steps make every part: a pin by itself; a part seen across the edge that leads
//! out of it ([`Work::cross`]), where it goes on or is cut off; parts that meet, at a pin ([`Work::meet`]) or where a path
//! was divided ([`Work::concatenate`]).
//!
//! *Why nothing is lost*: cutting an edge costs the same whatever else is chosen, and a pipe is valid where the
//! intersection of what its pins ask is not empty. So of the ways to treat a part only those matter that differ in what
//! the pipes at its ends still allow, and of those that allow the same only the cheapest. A way that allows no less than
//! another and costs no more makes that other one needless: whatever completes the other completes it too, and costs no
//! more. No two plans cost the same in the last key ([`Key::Chance`]), so the best plan is one, and each way to put the
//! parts together, in whatever order, finds that one.

use super::around::Watch;
use super::ask::Ask;
use super::counted::Counted;
use super::facts::{Edge, EdgeKind};
use super::keys::{Key, KeyOrder, Keys};
use super::open_pipe::{Excess, Ground, OpenPipe, PipeNumbers};
use super::problem::Problem;
use super::sharing::{Link, Sharing, WayOut};
use super::trace::{PinChoice, Trace, push};
use crate::graph::PinId;
use std::borrow::Cow;

/// At most so many half-built pipes are kept of a part.
pub(super) const MOST_OPEN_PIPES: usize = 1024;
/// So many are kept once [`Effort`] is used up.
const FEWEST_OPEN_PIPES: usize = 64;

/// How much work a negotiation may do before it settles for less than the optimum.
#[derive(Clone, Copy, Debug)]
pub(super) struct Effort {
    /// Comparisons and joins of half-built pipes done so far.
    pub(super) used: u64,
    /// As many as there may be.
    pub(super) limit: u64,
    /// At most so many half-built pipes are kept of a part.
    pub(super) most_open_pipes: usize,
    /// After so many, and as soon as something is left out, it is given up: another way is tried then.
    pub(super) patience: Option<u64>,
    /// Something was left out, so a better plan may exist.
    pub(super) exhausted: bool,
    /// What was left out is needless only while [`Ground::always_granted`] is at least this.
    pub(super) relies_on: u64,
}

impl Effort {
    pub(super) fn up_to(limit: u64) -> Self {
        let most_open_pipes = MOST_OPEN_PIPES;
        Effort { used: 0, limit, most_open_pipes, patience: None, exhausted: false, relies_on: 0 }
    }

    /// Whether this way is not gone on with. What is found then is worth nothing.
    pub(super) fn has_given_up(&self) -> bool {
        self.patience.is_some_and(|patience| self.used > patience || self.exhausted)
    }
}

/// The other end of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FarEnd {
    /// The half-built pipe there, where it is another than at the near end.
    pipe: Option<OpenPipe>,
    sharing: Sharing,
}

/// One way to treat a part.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pipe: OpenPipe,
    sharing: Sharing,
    /// A part without a far end has none.
    far: Option<Box<FarEnd>>,
    pub(super) keys: Keys,
    pub(super) trace: u32,
}

impl Entry {
    /// The half-built pipe at the near end.
    pub(super) fn pipe(&self) -> &OpenPipe {
        &self.pipe
    }

    /// Who writes and who forbids it, seen from the near end.
    pub(super) fn sharing(&self) -> Sharing {
        self.sharing
    }

    /// The numbers of the pipe, and what all costs, where nothing but `other` is around; neither has a far end.
    pub(super) fn completed_by(&self, other: &Self, ground: &Ground) -> Option<(PipeNumbers, Keys)> {
        self.sharing.meet(other.sharing)?;
        let mut keys = self.keys + other.keys;
        let numbers = OpenPipe::combined(ground, &self.pipe, &other.pipe)?.close(ground, &mut keys)?;
        Some((numbers, keys))
    }

    /// Asks of the half-built pipe for numbers that it will come to in any case.
    pub(super) fn ask_for(&mut self, numbers: PipeNumbers, ground: &Ground) {
        self.pipe.ask_for(numbers, ground);
    }

    /// Whether there are two half-built pipes, one at each end.
    fn is_two(&self) -> bool {
        self.far.as_ref().is_some_and(|far| far.pipe.is_some())
    }

    /// The two allow and cost the same.
    fn is_like(&self, other: &Self) -> bool {
        self.pipe == other.pipe && self.sharing == other.sharing && self.far == other.far && self.keys == other.keys
    }

    /// Whether whatever can still be done with `other` can be done with this one, at no more cost; then `other` is not
    /// needed. May say no where that is so.
    fn makes_needless(&self, other: &Self, ground: &Ground, effort: &mut Effort) -> bool {
        if self.keys > other.keys || !self.sharing.is_as_free_as(other.sharing) {
            return false;
        }
        if self.keys == other.keys && self.pipe.comes_to_more_bytes(&other.pipe, ground) {
            return false;
        }
        let Some(near) = self.pipe.instead_of(&other.pipe, ground) else { return false };
        let Some(far) = self.far_instead_of(other, ground) else { return false };
        let excess = near.and(far);
        let is_needless = excess.is_covered(&self.keys, &other.keys, ground);
        if is_needless {
            effort.relies_on = effort.relies_on.max(excess.relies_on);
        }
        is_needless
    }

    fn far_instead_of(&self, other: &Self, ground: &Ground) -> Option<Excess> {
        match (&self.far, &other.far) {
            (None, None) => Some(Excess::default()),
            (Some(mine), Some(others)) if mine.sharing.is_as_free_as(others.sharing) => {
                match (&mine.pipe, &others.pipe) {
                    (None, None) => Some(Excess::default()),
                    (Some(mine), Some(others)) => mine.instead_of(others, ground),
                    _ => None,
                }
            }
            _ => None,
        }
    }
}

/// The ways to treat a part, none of which makes another needless.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    pub(super) entries: Vec<Entry>,
    /// How the ends of a path lie to each other.
    link: Link,
    /// Over which edge a path goes on at its far end; `None` where the part has no far end.
    way_out: Option<WayOut>,
}

impl Table {
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The two have the same ways, in the same order.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.entries.len() == other.entries.len()
            && self.entries.iter().zip(&other.entries).all(|(mine, others)| mine.is_like(others))
    }

    /// Leaves out the ways that others make needless, after what they are seen from changed.
    pub(super) fn prune(&mut self, ground: &Ground, effort: &mut Effort) {
        if self.entries.len() > 1 {
            for entry in std::mem::take(&mut self.entries) {
                let trace = entry.trace;
                self.insert(ground, effort, entry, || trace);
            }
        }
    }

    /// The same with depths counted from so many less. That keeps the order: of two ways that cost the same in the keys
    /// before depth, the number of allocators is one of them, and so the number of cuts is the same.
    pub(super) fn lifted(&self, order: &KeyOrder, by: impl FnOnce() -> u64) -> Cow<'_, Table> {
        if self.entries.iter().all(|entry| order.get(&entry.keys, Key::Allocators) == 0 && !entry.is_two()) {
            return Cow::Borrowed(self);
        }
        let by = by();
        if by == 0 {
            return Cow::Borrowed(self);
        }
        let mut lifted = self.clone();
        for entry in &mut lifted.entries {
            // Each cut makes a pipe more. Those at the ends are not finished.
            let cuts = order.get(&entry.keys, Key::Allocators) + u128::from(entry.is_two());
            order.add(&mut entry.keys, Key::Depth, cuts.saturating_mul(by.into()));
        }
        Cow::Owned(lifted)
    }

    fn insert(&mut self, ground: &Ground, effort: &mut Effort, mut entry: Entry, trace: impl FnOnce() -> u32) {
        if ground.is_beyond(&entry.keys) {
            return;
        }
        for (place, old) in self.entries.iter().enumerate() {
            if old.makes_needless(&entry, ground, effort) {
                effort.used += 1 + place as u64;
                return;
            }
        }
        effort.used += 1 + 2 * self.entries.len() as u64;
        self.entries.retain(|old| !entry.makes_needless(old, ground, effort));
        entry.trace = trace();
        self.entries.push(entry);
        let most = if effort.used > effort.limit { FEWEST_OPEN_PIPES } else { effort.most_open_pipes };
        if self.entries.len() > most {
            effort.exhausted = true;
            // The cheapest, and of the others the freest: where the cheapest ask too much of each other, those lead on.
            self.entries.sort_by_key(|entry| entry.keys);
            let mut others = self.entries.split_off(most - most / 4);
            others.sort_by_key(|entry| entry.pipe.strictness());
            self.entries.extend(others.into_iter().take(most / 4));
        }
    }
}

/// A component being solved.
pub(super) struct Work<'a> {
    pub(super) problem: &'a Problem<'a>,
    pub(super) ground: &'a Ground,
    pub(super) counted: &'a Counted,
    pub(super) may_cut: bool,
    pub(super) effort: &'a mut Effort,
    pub(super) traces: &'a mut Vec<Trace>,
    pub(super) watch: Watch<'a>,
    /// Depths are counted from this pin's on; `None`: from 0.
    pub(super) base: Option<PinId>,
}

impl Work<'_> {
    /// No pin at all.
    pub(super) fn nothing(&mut self) -> Table {
        let trace = push(self.traces, Trace::Nothing);
        let (pipe, sharing) = (OpenPipe::nothing(1), Sharing::default());
        let entry = Entry { pipe, sharing, far: None, keys: Keys::default(), trace };
        Table { entries: vec![entry], ..Table::default() }
    }

    /// A pin by itself: an entry for each of its items and each memory it accepts.
    pub(super) fn pin(&mut self, pin: PinId, asks: &mut Vec<Ask>) -> Table {
        let (facts, ground) = (self.problem.facts, self.ground);
        self.counted.asks_of(self.problem, pin, asks);
        let (holds, mode) = (self.counted.holds(facts, pin), self.counted.mode(facts, pin));
        let mut table = Table { entries: Vec::with_capacity(asks.len()), ..Table::default() };
        for ask in asks.iter() {
            let chance = self.problem.chance_of_ask(pin, ask);
            for class in 0..ground.classes.len() as u16 {
                let Some((pipe, mut keys)) = OpenPipe::of(ground, ask, holds, mode, class) else { continue };
                ground.order.add(&mut keys, Key::Chance, chance);
                self.effort.relies_on = self.effort.relies_on.max(pipe.taken_for_granted());
                let sharing = Sharing::of_pin(ask.writes, ask.integrity);
                let entry = Entry { pipe, sharing, far: None, keys, trace: 0 };
                let choice = PinChoice { item: ask.item, class };
                table.insert(ground, self.effort, entry, || push(self.traces, Trace::Pin { pin, choice }));
            }
        }
        table
    }

    /// The part with its near end made a far end too: the path goes on there.
    pub(super) fn with_far_end(table: Table, way_out: WayOut) -> Table {
        let mut opened = Table { link: Link::SAME_PIN, way_out: Some(way_out), ..table };
        for entry in &mut opened.entries {
            // The far end loses only what can never matter there.
            entry.far = Some(Box::new(FarEnd { pipe: None, sharing: entry.sharing.towards(way_out) }));
        }
        opened
    }

    /// The part seen across the edge that leads out of it at its near end, `pin`: going on, or cut there.
    pub(super) fn cross(&mut self, table: Table, edge_number: u32, pin: PinId) -> Table {
        let (facts, ground) = (self.problem.facts, self.ground);
        let edge = &facts.edges[edge_number as usize];
        let kind = self.counted.kind(edge_number, edge);
        let upwards = edge.to == pin;
        let link = table.link.longer(kind, upwards);
        let cuts =
            if self.may_cut && edge.cuttable { self.cut(&table, edge_number, edge, upwards) } else { Vec::new() };
        let mut crossed = Table { entries: table.entries, link, way_out: table.way_out };
        crossed.entries.retain_mut(|entry| {
            let beyond = match &mut entry.far {
                Some(far) if far.pipe.is_none() => Some(far),
                _ => None,
            };
            if let (Some(far), Some(way_out)) = (beyond, table.way_out) {
                far.sharing = table.link.far_beyond(far.sharing, entry.sharing, kind, upwards).towards(way_out);
            }
            let seen =
                if upwards { Some(entry.sharing.seen_from_above(kind)) } else { entry.sharing.seen_from_below(kind) };
            entry.sharing = seen.unwrap_or_default();
            seen.is_some()
        });
        crossed.prune(ground, self.effort);
        for entry in cuts {
            let one = entry.trace;
            let trace = Trace::CutEdge { one, edge: edge_number };
            crossed.insert(ground, self.effort, entry, || push(self.traces, trace));
        }
        crossed
    }

    /// The ways to end the pipe at the near end at this edge, the cut paid.
    fn cut(&mut self, table: &Table, edge_number: u32, edge: &Edge, upwards: bool) -> Vec<Entry> {
        let (facts, ground) = (self.problem.facts, self.ground);
        let carried = self.counted.carried(facts, edge.from);
        let beyond = OpenPipe::nothing(if upwards { 1 } else { carried });
        let mut cuts = Table::default();
        for entry in &table.entries {
            self.effort.used += 1;
            let mut keys = entry.keys;
            let ended = if upwards { entry.pipe.with_capacity(ground, carried) } else { Some(entry.pipe.clone()) };
            let Some(ended) = ended else { continue };
            let far = match &entry.far {
                Some(far) if far.pipe.is_none() => Some(Box::new(FarEnd { pipe: Some(ended), sharing: far.sharing })),
                far => {
                    if ended.close(ground, &mut keys).is_none() {
                        continue;
                    }
                    far.clone()
                }
            };
            let entry = Entry { pipe: beyond.clone(), sharing: Sharing::default(), far, keys, trace: entry.trace };
            let trace = entry.trace;
            cuts.insert(ground, self.effort, entry, || trace);
        }
        if !cuts.is_empty() {
            let cost = self.problem.cut_cost(edge);
            let base = self.base.map_or(0, |pin| facts.depths()[pin.index()].into());
            let chance = self.problem.chance_of_cut(edge_number);
            for cut in &mut cuts.entries {
                ground.order.add(&mut cut.keys, Key::BytesCopied, cost.bytes.into());
                ground.order.add(&mut cut.keys, Key::Depth, cost.depth.saturating_sub(base).into());
                ground.order.add(&mut cut.keys, Key::Chance, chance);
            }
        }
        cuts.entries
    }

    /// The part where nothing can join its near end any more.
    pub(super) fn finish(&mut self, table: Table) -> Table {
        let mut finished = table;
        self.effort.used += finished.entries.len() as u64;
        finished.entries.retain_mut(|entry| {
            entry.sharing = Sharing::default();
            let is_one_pipe = entry.far.as_ref().is_some_and(|far| far.pipe.is_none());
            if is_one_pipe || entry.pipe.is_nothing() {
                return true;
            }
            let pipe = std::mem::replace(&mut entry.pipe, OpenPipe::nothing(1));
            pipe.close(self.ground, &mut entry.keys).is_some() && !self.ground.is_beyond(&entry.keys)
        });
        finished.prune(self.ground, self.effort);
        finished
    }

    /// Two parts that meet at the pin that is the near end of both; one of them at most has a far end.
    pub(super) fn meet(&mut self, mine: &Table, other: &Table) -> Table {
        let ground = self.ground;
        let (path, side) = if other.way_out.is_none() { (mine, other) } else { (other, mine) };
        let room = path.entries.len().max(side.entries.len());
        let mut table = Table { entries: Vec::with_capacity(room), link: path.link, way_out: path.way_out };
        for one in &path.entries {
            for two in &side.entries {
                self.effort.used += 1 + one.pipe.thresholds() as u64 / 8;
                let Some(sharing) = one.sharing.meet(two.sharing) else { continue };
                let Some(pipe) = OpenPipe::combined(ground, &one.pipe, &two.pipe) else { continue };
                let mut far = one.far.clone();
                if let (Some(far), Some(way_out)) = (&mut far, path.way_out)
                    && far.pipe.is_none()
                {
                    far.sharing = path.link.far_after(far.sharing, two.sharing).towards(way_out);
                }
                let link = Trace::Join { one: one.trace, other: two.trace };
                let entry = Entry { pipe, sharing, far, keys: one.keys + two.keys, trace: 0 };
                table.insert(ground, self.effort, entry, || push(self.traces, link));
            }
        }
        table
    }

    /// Two pieces of a path: the near end of `lower` is the pin that is the far end of `upper`.
    pub(super) fn concatenate(&mut self, upper: &Table, lower: &Table) -> Table {
        let ground = self.ground;
        let link = upper.link.followed_by(lower.link);
        let mut table = Table { entries: Vec::new(), link, way_out: lower.way_out };
        for one in &upper.entries {
            let Some(middle) = one.far.as_deref() else { continue };
            for two in &lower.entries {
                self.effort.used += 1;
                if middle.sharing.meet(two.sharing).is_none() {
                    continue;
                }
                let met = OpenPipe::combined(ground, middle.pipe.as_ref().unwrap_or(&one.pipe), &two.pipe);
                let Some(met) = met else { continue };
                let mut keys = one.keys + two.keys;
                let mut sharing = one.sharing;
                let mut far = two.far.clone();
                let goes_on = match &mut far {
                    Some(far) if far.pipe.is_none() => {
                        let gained = lower.link.far_after(far.sharing, middle.sharing);
                        far.sharing = lower.way_out.map_or(gained, |way_out| gained.towards(way_out));
                        Some(far)
                    }
                    _ => None,
                };
                let pipe = if middle.pipe.is_none() {
                    sharing = upper.link.near_after(sharing, two.sharing);
                    met
                } else {
                    match goes_on {
                        Some(far) => far.pipe = Some(met),
                        None if met.close(ground, &mut keys).is_none() => continue,
                        None => {}
                    }
                    one.pipe.clone()
                };
                let link = Trace::Join { one: one.trace, other: two.trace };
                let entry = Entry { pipe, sharing, far, keys, trace: 0 };
                table.insert(ground, self.effort, entry, || push(self.traces, link));
            }
        }
        table
    }
}

/// What an edge is, seen from its end at `pin`, for a path that goes on over it.
pub(super) fn way_out(edge: &Edge, kind: EdgeKind, pin: PinId) -> WayOut {
    WayOut { leaves: edge.from == pin, kind }
}
