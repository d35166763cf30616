//! The exact optimum of a component without undirected cycles: a dynamic programme over what half-built pipes still
//! allow, from the leaves to a root.
//!
//! Cutting an edge costs the same whatever else is chosen, and a pipe is valid where the intersection of what its pins
//! ask is not empty. So of all ways to treat the pins on one side of an edge, only those matter that differ in what the
//! pipe across the edge still allows ([`OpenPipe`]), and of those that allow the same, only the cheapest. A way that
//! allows no less than another and costs no more makes that other one needless.

use super::ask::Ask;
use super::counted::Counted;
use super::facts::{Edge, EdgeKind};
use super::keys::{Key, Keys};
use super::open_pipe::{Ground, OpenPipe, Side};
use super::problem::Problem;
use crate::graph::PinId;

/// At most so many half-built pipes are kept at a pin.
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
    /// Something was left out, so a better plan may exist.
    pub(super) exhausted: bool,
}

impl Effort {
    pub(super) fn up_to(limit: u64) -> Self {
        Effort { used: 0, limit, exhausted: false }
    }
}

/// What is chosen at a pin.
#[derive(Clone, Copy, Debug)]
pub(super) struct PinChoice {
    pub(super) item: Option<u32>,
    pub(super) class: u16,
}

/// How a component is solved: what each pin uses and which edges are cut.
#[derive(Clone, Debug, Default)]
pub(super) struct Solution {
    pub(super) pins: Vec<(PinId, PinChoice)>,
    pub(super) cuts: Vec<u32>,
}

/// How a half-built pipe came to be, as a tree of choices.
#[derive(Clone, Copy, Debug)]
pub(super) enum Trace {
    Pin { pin: PinId, choice: PinChoice },
    Join { one: u32, other: u32 },
    Cut { one: u32, other: u32, edge: u32 },
    CutEdge { one: u32, edge: u32 },
}

#[derive(Clone, Debug)]
struct Entry {
    pipe: OpenPipe,
    keys: Keys,
    trace: u32,
}

/// The half-built pipes at one pin, none of which makes another needless.
#[derive(Debug, Default)]
struct Table(Vec<Entry>);

impl Table {
    fn insert(
        &mut self,
        ground: &Ground,
        effort: &mut Effort,
        pipe: OpenPipe,
        keys: Keys,
        trace: impl FnOnce() -> u32,
    ) {
        let better = self.0.iter().position(|entry| entry.pipe.makes_needless(&entry.keys, &pipe, &keys, ground));
        effort.used += 1 + better.unwrap_or(2 * self.0.len()) as u64;
        if better.is_some() {
            return;
        }
        self.0.retain(|entry| !pipe.makes_needless(&keys, &entry.pipe, &entry.keys, ground));
        self.0.push(Entry { pipe, keys, trace: trace() });
        let most = if effort.used > effort.limit { FEWEST_OPEN_PIPES } else { MOST_OPEN_PIPES };
        if self.0.len() > most {
            effort.exhausted = true;
            // The cheapest, and of the others the freest: where the cheapest ask too much of each other, those lead on.
            self.0.sort_by_key(|entry| entry.keys);
            let mut others = self.0.split_off(most - most / 4);
            others.sort_by_key(|entry| entry.pipe.strictness());
            self.0.extend(others.into_iter().take(most / 4));
        }
    }
}

/// One component being solved.
pub(super) struct TreeSolver<'a> {
    pub(super) problem: &'a Problem<'a>,
    pub(super) ground: &'a Ground,
    pub(super) may_cut: bool,
    pub(super) effort: &'a mut Effort,
    pub(super) counted: &'a Counted,
}

/// A pin on the way from the root, and the edge over which it is reached.
struct Visit {
    pin: PinId,
    parent: Option<(u32, u32)>,
}

impl TreeSolver<'_> {
    /// The best way to treat the component with these pins; `None` where there is none (or none was found, which
    /// [`Effort::exhausted`] tells).
    pub(super) fn solve(&mut self, pins: &[PinId]) -> Option<(Solution, Keys)> {
        let visits = self.visits(pins);
        let mut tables: Vec<Option<Table>> = Vec::new();
        tables.resize_with(visits.len(), || None);
        let mut traces = Vec::with_capacity(pins.len() * 2);
        let mut asks = Vec::new();
        for place in (0..visits.len()).rev() {
            let visit = &visits[place];
            let own = tables[place].take();
            let mut table = own.unwrap_or_else(|| self.table_of_pin(visit.pin, &mut asks, &mut traces));
            let Some((edge_number, parent)) = visit.parent else {
                return self.close(&table, &traces);
            };
            let edge = self.problem.facts.edges[edge_number as usize];
            let side = if edge.from == visit.pin { Side::Upstream } else { Side::Downstream };
            self.look_across(&mut table, self.counted.kind(edge_number, &edge), side);
            let parent = parent as usize;
            let mine = tables[parent].take();
            let mine = mine.unwrap_or_else(|| self.table_of_pin(visits[parent].pin, &mut asks, &mut traces));
            let merged = self.merge(mine, &table, edge_number, side, &mut traces);
            if merged.0.is_empty() {
                return None;
            }
            tables[parent] = Some(merged);
        }
        None
    }

    /// The pins from a root on, parents before children. The root is an end of a chain where there is one.
    fn visits(&self, pins: &[PinId]) -> Vec<Visit> {
        let root =
            pins.iter().copied().find(|pin| self.problem.facts.edges_at(*pin).len() <= 1).or(pins.first().copied());
        let mut visits: Vec<Visit> = Vec::with_capacity(pins.len());
        visits.extend(root.map(|pin| Visit { pin, parent: None }));
        let mut next = 0;
        while next < visits.len() {
            let (pin, came_by) = (visits[next].pin, visits[next].parent.map(|(edge, _)| edge));
            for edge in self.problem.facts.edges_at(pin).iter().filter(|edge| Some(**edge) != came_by) {
                let Edge { from, to, .. } = self.problem.facts.edges[*edge as usize];
                visits.push(Visit { pin: if from == pin { to } else { from }, parent: Some((*edge, next as u32)) });
            }
            next += 1;
        }
        visits
    }

    /// What a pin is by itself: an entry for each of its items and each memory it accepts.
    fn table_of_pin(&mut self, pin: PinId, asks: &mut Vec<Ask>, traces: &mut Vec<Trace>) -> Table {
        let (facts, ground) = (self.problem.facts, self.ground);
        self.counted.asks_of(self.problem, pin, asks);
        let (holds, mode) = (self.counted.holds(facts, pin), self.counted.mode(facts, pin));
        let mut table = Table::default();
        for ask in asks.iter() {
            for class in 0..ground.classes.len() as u16 {
                if let Some((pipe, keys)) = OpenPipe::of(ground, ask, holds, mode, class) {
                    let choice = PinChoice { item: ask.item, class };
                    table.insert(ground, self.effort, pipe, keys, || push(traces, Trace::Pin { pin, choice }));
                }
            }
        }
        table
    }

    fn look_across(&mut self, table: &mut Table, edge: EdgeKind, side: Side) {
        let entries = std::mem::take(&mut table.0);
        for mut entry in entries {
            entry.pipe.look_across(edge, side);
            table.insert(self.ground, self.effort, entry.pipe, entry.keys, || entry.trace);
        }
    }

    /// What a pin and a child's side of an edge are together: joined, or cut apart.
    fn merge(
        &mut self,
        mine: Table,
        child: &Table,
        edge_number: u32,
        child_side: Side,
        traces: &mut Vec<Trace>,
    ) -> Table {
        let (facts, ground) = (self.problem.facts, self.ground);
        let edge = &facts.edges[edge_number as usize];
        let kind = self.counted.kind(edge_number, edge);
        let carried = self.counted.carried(facts, edge.from);
        let closed = self.cut_child(child, edge, child_side, carried);
        let mut table = Table::default();
        for Entry { pipe, keys, trace } in &mine.0 {
            for other in &child.0 {
                self.effort.used += 1;
                let joined = match child_side {
                    Side::Downstream => OpenPipe::join(ground, pipe, &other.pipe, kind, Side::Upstream),
                    Side::Upstream => OpenPipe::join(ground, &other.pipe, pipe, kind, Side::Downstream),
                };
                if let Some(joined) = joined {
                    let link = Trace::Join { one: *trace, other: other.trace };
                    table.insert(ground, self.effort, joined, *keys + other.keys, || push(traces, link));
                }
            }
            if let Some((closed_keys, closed_trace)) = closed {
                let apart = match child_side {
                    Side::Upstream => pipe.with_capacity(ground, carried),
                    Side::Downstream => Some(pipe.clone()),
                };
                if let Some(apart) = apart {
                    let link = Trace::Cut { one: *trace, other: closed_trace, edge: edge_number };
                    table.insert(ground, self.effort, apart, *keys + closed_keys, || push(traces, link));
                }
            }
        }
        table
    }

    /// The cheapest way to end the child's pipe at the edge, the cut paid.
    fn cut_child(&self, child: &Table, edge: &Edge, child_side: Side, carried: u64) -> Option<(Keys, u32)> {
        if !self.may_cut || !edge.cuttable {
            return None;
        }
        let mut best: Option<(Keys, u32)> = None;
        for entry in &child.0 {
            let mut keys = entry.keys;
            let closed = match child_side {
                Side::Downstream => {
                    entry.pipe.with_capacity(self.ground, carried).and_then(|pipe| pipe.close(self.ground, &mut keys))
                }
                Side::Upstream => entry.pipe.close(self.ground, &mut keys),
            };
            if closed.is_some() && best.is_none_or(|(least, _)| keys < least) {
                best = Some((keys, entry.trace));
            }
        }
        let (mut keys, trace) = best?;
        let cost = self.problem.cut_cost(edge);
        self.ground.order.add(&mut keys, Key::BytesCopied, cost.bytes.into());
        self.ground.order.add(&mut keys, Key::Depth, cost.depth.into());
        Some((keys, trace))
    }

    fn close(&self, table: &Table, traces: &[Trace]) -> Option<(Solution, Keys)> {
        let mut best: Option<(Keys, u32)> = None;
        for entry in &table.0 {
            let mut keys = entry.keys;
            if entry.pipe.close(self.ground, &mut keys).is_some() && best.is_none_or(|(least, _)| keys < least) {
                best = Some((keys, entry.trace));
            }
        }
        best.map(|(keys, trace)| (follow(traces, trace), keys))
    }
}

pub(super) fn push(traces: &mut Vec<Trace>, trace: Trace) -> u32 {
    traces.push(trace);
    (traces.len() - 1) as u32
}

/// The choices that led to a half-built pipe.
pub(super) fn follow(traces: &[Trace], last: u32) -> Solution {
    let mut solution = Solution::default();
    let mut stack = vec![last];
    while let Some(at) = stack.pop() {
        match traces[at as usize] {
            Trace::Pin { pin, choice } => solution.pins.push((pin, choice)),
            Trace::Join { one, other } => stack.extend([one, other]),
            Trace::Cut { one, other, edge } => {
                solution.cuts.push(edge);
                stack.extend([one, other]);
            }
            Trace::CutEdge { one, edge } => {
                solution.cuts.push(edge);
                stack.push(one);
            }
        }
    }
    solution
}
