//! A component that is a tree, its parts' tables kept, so that after a change only the parts that have to do with it are
//! looked at again.

use super::around::Watch;
use super::counted::Counted;
use super::decomposition::{Decomposition, PartKind};
use super::keys::Keys;
use super::memory::NamedMemory;
use super::open_pipe::Ground;
use super::problem::{Limits, Problem};
use super::table::{Effort, Table, Work};
use super::trace::{PinChoice, Solution, Trace, follow};
use super::tree::{NONE, Piece, Visit};
use crate::graph::PinId;
use std::collections::BTreeSet;

/// At most so many half-built pipes are kept of a part; where more matter, the component is not kept.
const MOST_KEPT: usize = 256;
/// Work on all tables together, at most: so much, and so much a pin. Beyond, the component is not kept.
const MOST_EFFORT: (u64, u64) = (10_000_000, 1_000);

/// Why a component's tables cannot be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotKept {
    /// There are too many half-built pipes.
    TooHard,
    /// The memory its pipes can have is not what it was, or the strategy.
    OtherGround,
}

/// What differs between two solutions of a component.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Changes {
    pub(super) pins: Vec<(PinId, PinChoice)>,
    pub(super) cuts_added: Vec<u32>,
    pub(super) cuts_removed: Vec<u32>,
}

#[derive(Clone, Debug)]
struct Part {
    kind: PartKind,
    /// The part that this one is in; [`NONE`]: it is all.
    above: u32,
    table: Table,
    /// For a part made of two: the entries of both that make each entry.
    links: Vec<(u32, u32)>,
    used: u64,
    relies_on: u64,
    /// The same with all parts below.
    all_relies_on: u64,
    limits: Limits,
    named: NamedMemory,
    /// The entry of the solution; [`NONE`] where the solution does not have the part yet.
    chosen: u32,
    /// The part or one below was looked at again since it was chosen.
    is_stale: bool,
    /// What the solution chooses in a piece.
    solution: Solution,
}

/// The tables of a tree.
#[derive(Clone, Debug)]
pub(super) struct Clusters {
    parts: Vec<Part>,
    visits: Vec<Visit>,
    /// By place in the component's pins: the piece the pin is in, and the edge above it.
    piece_of: Vec<(u32, u32)>,
    is_cuttable: bool,
    used: u64,
    most_effort: u64,
}

impl Clusters {
    /// All tables of a tree. Nothing is chosen yet.
    pub(super) fn new(
        problem: &Problem<'_>,
        pins: &[PinId],
        ground: &Ground,
        is_cuttable: bool,
        pins_of_a_piece: u32,
    ) -> Result<Self, NotKept> {
        let Decomposition { parts: kinds, visits } = Decomposition::of(problem.facts, pins, pins_of_a_piece);
        let mut above = vec![NONE; kinds.len()];
        let mut piece_of = vec![(NONE, NONE); pins.len()];
        for (number, kind) in kinds.iter().enumerate() {
            kind.below().for_each(|below| above[below as usize] = number as u32);
            if let PartKind::Piece { visits: places, .. } = kind {
                let is_absent = kind.is_bundle();
                for visit in visits[places.start as usize..places.end as usize].iter().skip(is_absent.into()) {
                    if let Ok(place) = pins.binary_search(&visit.pin) {
                        piece_of[place] = (number as u32, visit.edge);
                    }
                }
            }
        }
        let part = |(kind, above)| Part {
            kind,
            above,
            table: Table::default(),
            links: Vec::new(),
            used: 0,
            relies_on: 0,
            all_relies_on: 0,
            limits: Limits::default(),
            named: NamedMemory::default(),
            chosen: NONE,
            is_stale: true,
            solution: Solution::default(),
        };
        let most_effort = MOST_EFFORT.0 + MOST_EFFORT.1 * pins.len() as u64;
        let parts = kinds.into_iter().zip(above).map(part).collect();
        let mut clusters = Clusters { parts, visits, piece_of, is_cuttable, used: 0, most_effort };
        let mut traces = Vec::new();
        for number in 0..clusters.parts.len() {
            clusters.look_at_asks(problem, number);
            let table = clusters.evaluate(problem, ground, number, &mut traces)?;
            clusters.parts[number].table = table;
            clusters.sum_up(number);
        }
        Ok(clusters)
    }

    /// The work that made all tables.
    #[cfg(test)]
    pub(super) fn used(&self) -> u64 {
        self.used
    }

    /// The best plan's cost; `None` where no plan is valid.
    pub(super) fn keys(&self) -> Option<Keys> {
        Some(self.parts.last()?.table.entries.first()?.keys)
    }

    /// Looks again at what a change of these pins' asks and of what cuts of these edges cost has to do with, and says how
    /// much work that was. An error leaves the tables useless.
    pub(super) fn update(
        &mut self,
        problem: &Problem<'_>,
        pins: &[PinId],
        ground: &mut Ground,
        changed_pins: &[PinId],
        changed_edges: &[u32],
    ) -> Result<u64, NotKept> {
        let mut work = 0;
        let mut due = BTreeSet::new();
        for place in changed_pins.iter().filter_map(|pin| pins.binary_search(pin).ok()) {
            due.insert(self.piece_of[place].0);
        }
        self.look_at_limits(problem, &due);
        self.change_ground(problem, ground, &mut due)?;
        for number in changed_edges {
            let edge = &problem.facts.edges[*number as usize];
            for place in [edge.from, edge.to].iter().filter_map(|pin| pins.binary_search(pin).ok()) {
                let (piece, above) = self.piece_of[place];
                if above == *number {
                    due.insert(piece);
                }
            }
        }
        let mut traces = Vec::new();
        let mut to_sum_up = BTreeSet::new();
        while let Some(number) = due.pop_first() {
            let table = self.evaluate(problem, ground, number as usize, &mut traces)?;
            let part = &mut self.parts[number as usize];
            work += part.used;
            let same = part.table.is_like(&table);
            part.table = table;
            if !same && part.above != NONE {
                due.insert(part.above);
            }
            let mut at = number;
            while at != NONE && to_sum_up.insert(at) {
                self.parts[at as usize].is_stale = true;
                at = self.parts[at as usize].above;
            }
        }
        to_sum_up.into_iter().for_each(|number| self.sum_up(number as usize));
        Ok(work)
    }

    /// What pins in changed pieces ask, for them and all they are part of.
    fn look_at_limits(&mut self, problem: &Problem<'_>, pieces: &BTreeSet<u32>) {
        let mut due = pieces.clone();
        while let Some(number) = due.pop_first() {
            self.look_at_asks(problem, number as usize);
            if self.parts[number as usize].above != NONE {
                due.insert(self.parts[number as usize].above);
            }
        }
    }

    /// The ground that the component now has; what rests on more than it grants is due.
    fn change_ground(
        &self,
        problem: &Problem<'_>,
        ground: &mut Ground,
        due: &mut BTreeSet<u32>,
    ) -> Result<(), NotKept> {
        let Some(all) = self.parts.last() else { return Ok(()) };
        let classes = all.named.classes(problem.facts.graph);
        if classes != ground.classes || !problem.order.is_like(&ground.order) {
            return Err(NotKept::OtherGround);
        }
        let now = all.limits.ground(problem.order, classes);
        let granted = if now.has_steps && !ground.has_steps { 0 } else { now.always_granted };
        if granted < ground.always_granted || now.has_steps && !ground.has_steps {
            let mut stack = vec![self.parts.len() as u32 - 1];
            while let Some(number) = stack.pop() {
                let part = &self.parts[number as usize];
                if part.all_relies_on > granted {
                    if part.relies_on > granted {
                        due.insert(number);
                    }
                    stack.extend(part.kind.below());
                }
            }
        }
        *ground = now;
        Ok(())
    }

    /// What the pins of a part ask that the ground depends on.
    fn look_at_asks(&mut self, problem: &Problem<'_>, number: usize) {
        let part = &self.parts[number];
        let (mut limits, mut named) = (Limits::default(), NamedMemory::default());
        if let PartKind::Piece { visits, .. } = &part.kind {
            let mut asks = Vec::new();
            let skipped = usize::from(part.kind.is_bundle());
            for visit in self.visits[visits.start as usize..visits.end as usize].iter().skip(skipped) {
                named.add(problem.facts.graph, visit.pin, Some(problem.facts.graph.mode(visit.pin)));
                limits = limits.and(problem.limits(visit.pin, &mut asks));
            }
        }
        for below in part.kind.below() {
            limits = limits.and(self.parts[below as usize].limits);
            named.add_all(&self.parts[below as usize].named);
        }
        (self.parts[number].limits, self.parts[number].named) = (limits, named);
    }

    fn sum_up(&mut self, number: usize) {
        let part = &self.parts[number];
        let below = part.kind.below().map(|below| self.parts[below as usize].all_relies_on);
        self.parts[number].all_relies_on = below.fold(part.relies_on, u64::max);
    }

    /// A part's table, from those of the parts it is made of.
    fn evaluate(
        &mut self,
        problem: &Problem<'_>,
        ground: &Ground,
        number: usize,
        traces: &mut Vec<Trace>,
    ) -> Result<Table, NotKept> {
        traces.clear();
        let mut effort = Effort { most_open_pipes: MOST_KEPT, ..Effort::up_to(u64::MAX) };
        let mut table = self.table_of(problem, ground, number, &mut effort, traces);
        let is_piece = matches!(self.parts[number].kind, PartKind::Piece { .. });
        let mut links = Vec::new();
        for (place, entry) in table.entries.iter_mut().enumerate() {
            if !is_piece {
                links.push(both_of(traces, entry.trace));
            }
            entry.trace = place as u32;
        }
        let part = &mut self.parts[number];
        self.used = self.used - part.used + effort.used;
        (part.used, part.relies_on, part.links) = (effort.used, effort.relies_on, links);
        if effort.exhausted || self.used > self.most_effort { Err(NotKept::TooHard) } else { Ok(table) }
    }

    fn table_of(
        &self,
        problem: &Problem<'_>,
        ground: &Ground,
        number: usize,
        effort: &mut Effort,
        traces: &mut Vec<Trace>,
    ) -> Table {
        let table = |part: u32| &self.parts[part as usize].table;
        let mut work = Work {
            problem,
            ground,
            counted: &Counted::EVERYTHING,
            may_cut: self.is_cuttable,
            effort,
            traces,
            watch: Watch::Nothing,
        };
        match &self.parts[number].kind {
            PartKind::Piece { visits, top, far_end, kept } => {
                let visits = &self.visits[visits.start as usize..visits.end as usize];
                let piece = Piece { visits, top: *top, far_end: *far_end, kept };
                work.fold(&piece, |part| Some(table(part)))
            }
            PartKind::Path { upper, lower, is_top } => {
                let table = work.concatenate(table(*upper), table(*lower));
                if *is_top { work.finish(table) } else { table }
            }
            PartKind::Branches { one, other } => work.meet(table(*one), table(*other)),
        }
    }

    /// Goes over to the best plan there is now, and says in what it differs from the one before. `None` where there is
    /// none; the one before stays then.
    pub(super) fn choose(&mut self, problem: &Problem<'_>, ground: &Ground) -> Option<Changes> {
        self.keys()?;
        let mut changes = Changes::default();
        let mut traces = Vec::new();
        let mut stack = vec![(self.parts.len() as u32 - 1, 0)];
        while let Some((number, entry)) = stack.pop() {
            let part = &mut self.parts[number as usize];
            if !part.is_stale && part.chosen == entry {
                continue;
            }
            (part.is_stale, part.chosen) = (false, entry);
            match part.kind {
                PartKind::Path { upper: one, lower: other, .. } | PartKind::Branches { one, other } => {
                    let (of_one, of_other) = part.links[entry as usize];
                    stack.extend([(one, of_one), (other, of_other)]);
                }
                PartKind::Piece { .. } => {
                    // How an entry came to be is not kept: the same walk finds it again.
                    traces.clear();
                    let mut effort = Effort { most_open_pipes: MOST_KEPT, ..Effort::up_to(u64::MAX) };
                    let table = self.table_of(problem, ground, number as usize, &mut effort, &mut traces);
                    let last = table.entries[entry as usize].trace;
                    let mut solution = follow(&traces, last, |part, entry| stack.push((part, entry)));
                    solution.sort();
                    let before = std::mem::replace(&mut self.parts[number as usize].solution, solution);
                    changes.add(&before, &self.parts[number as usize].solution);
                }
            }
        }
        Some(changes)
    }

    /// The solution that was chosen last, if any.
    pub(super) fn solution(&self) -> Option<Solution> {
        if self.parts.last()?.chosen == NONE {
            return None;
        }
        let mut all = Solution::default();
        for part in &self.parts {
            all.pins.extend(&part.solution.pins);
            all.cuts.extend(&part.solution.cuts);
        }
        all.sort();
        Some(all)
    }
}

/// The entries of both parts that an entry was made of.
fn both_of(traces: &[Trace], trace: u32) -> (u32, u32) {
    match traces.get(trace as usize) {
        Some(Trace::Join { one, other }) => (*one, *other),
        _ => (NONE, NONE),
    }
}

impl Changes {
    /// Adds what differs between two solutions of the same pins, each sorted.
    pub(super) fn add(&mut self, before: &Solution, now: &Solution) {
        let chosen_before = |pin: &PinId| {
            let place = before.pins.binary_search_by_key(pin, |(pin, _)| *pin).ok()?;
            Some(before.pins[place].1)
        };
        self.pins.extend(now.pins.iter().filter(|(pin, choice)| chosen_before(pin) != Some(*choice)));
        let is_in = |cuts: &[u32], cut: &u32| cuts.binary_search(cut).is_ok();
        self.cuts_added.extend(now.cuts.iter().filter(|cut| !is_in(&before.cuts, cut)));
        self.cuts_removed.extend(before.cuts.iter().filter(|cut| !is_in(&now.cuts, cut)));
    }
}
