//! Components that are trees, their parts' tables kept, so that after a change only the parts that have to do with it are
//! looked at again.

mod chosen;
mod ground;
mod relink;
mod tables;

pub(super) use chosen::Changes;

use super::decomposition::{Decomposition, PartKind};
use super::facts::Facts;
use super::keys::{Key, Keys};
use super::memory::NamedMemory;
use super::open_pipe::Ground;
use super::problem::{Limits, Problem};
use super::table::Table;
use super::trace::Solution;
use super::tree::NONE;
use crate::graph::PinId;
use std::collections::BTreeSet;

/// At most so many half-built pipes are kept of a part; where more matter, the component is not kept.
const MOST_KEPT: usize = 256;
/// Work on all tables of a component together, at most: so much, and so much a pin. Beyond, it is not kept.
const MOST_EFFORT: (u64, u64) = (10_000_000, 1_000);

/// Why a component's tables cannot be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotKept {
    /// There are too many half-built pipes.
    TooHard,
    /// The memory its pipes can have is not what it was, or the strategy; or parts lie in too many others.
    OtherGround,
}

#[derive(Clone, Debug)]
struct Part {
    kind: PartKind,
    /// The part that this one is in; [`NONE`]: it is all.
    above: u32,
    /// The number of parts that lie in one another below, this one counted.
    height: u32,
    /// The number of pins.
    pins: u32,
    /// The piece with the pin that is nearest to the root.
    first_piece: u32,
    /// The component's pins have at most one edge that leads to them, and the root is its source. Then depths are counted
    /// from that of the pin above the part, so that they stay where all of the part lies deeper than before.
    is_steady: bool,
    table: Table,
    /// For a part made of two: the entries of both that make each entry.
    links: Vec<(u32, u32)>,
    used: u64,
    /// The same with all parts below.
    all_used: u64,
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

/// The tables of trees. A tree is named by the part that is all of it.
#[derive(Clone, Debug)]
pub(super) struct Clusters {
    parts: Vec<Part>,
    /// Numbers of parts that are none now.
    free: Vec<u32>,
    /// By pin: the piece it is in; [`NONE`]: its component is not kept.
    piece_of: Vec<u32>,
    /// Parts that were made or changed since their tables were.
    due: Vec<u32>,
    pins_of_a_piece: u32,
}

impl Clusters {
    /// No tree yet, in a graph of so many pins.
    pub(super) fn new(pins: usize, pins_of_a_piece: u32) -> Self {
        let piece_of = vec![NONE; pins];
        Clusters { parts: Vec::new(), free: Vec::new(), piece_of, due: Vec::new(), pins_of_a_piece }
    }

    /// Makes all tables of a tree. Nothing is chosen yet.
    pub(super) fn build(&mut self, problem: &Problem<'_>, pins: &[PinId], ground: &Ground) -> Result<u32, NotKept> {
        let source = source_of(problem.facts, pins);
        let Decomposition { parts: kinds } = Decomposition::of(problem.facts, pins, source, self.pins_of_a_piece);
        // Each is made of some that came before it.
        let mut numbers: Vec<u32> = Vec::with_capacity(kinds.len());
        let mut traces = Vec::new();
        let most = most_effort(pins.len());
        let mut used = 0;
        let mut root = NONE;
        let due_before = self.due.len();
        for mut kind in kinds {
            kind.renumber(|below| numbers[below as usize]);
            root = self.add(kind, source.is_some());
            numbers.push(root);
            self.look_at_asks(problem, root);
            let table = self.evaluate(problem, ground, root, &mut traces);
            used += self.parts[root as usize].used;
            let table = match table {
                Ok(table) if used <= most => table,
                _ => {
                    numbers.into_iter().for_each(|part| self.drop_part(part));
                    return Err(NotKept::TooHard);
                }
            };
            self.parts[root as usize].table = table;
            self.sum_up(root);
        }
        // What is made here is not due.
        self.due.truncate(due_before);
        Ok(root)
    }

    /// Adds a part made of others. Its table is due.
    fn add(&mut self, kind: PartKind, is_steady: bool) -> u32 {
        let part = Part {
            kind,
            above: NONE,
            height: 0,
            pins: 0,
            first_piece: NONE,
            is_steady,
            table: Table::default(),
            links: Vec::new(),
            used: 0,
            all_used: 0,
            relies_on: 0,
            all_relies_on: 0,
            limits: Limits::default(),
            named: NamedMemory::default(),
            chosen: NONE,
            is_stale: true,
            solution: Solution::default(),
        };
        let number = match self.free.pop() {
            Some(number) => {
                self.parts[number as usize] = part;
                number
            }
            None => {
                self.parts.push(part);
                self.parts.len() as u32 - 1
            }
        };
        let below: Vec<u32> = self.parts[number as usize].kind.below().collect();
        below.into_iter().for_each(|below| self.parts[below as usize].above = number);
        if let PartKind::Piece { visits, .. } = &self.parts[number as usize].kind {
            let skipped = usize::from(self.parts[number as usize].kind.is_bundle());
            visits.iter().skip(skipped).for_each(|visit| self.piece_of[visit.pin.index()] = number);
        }
        self.measure(number);
        self.due.push(number);
        number
    }

    /// Gives the number of a part back.
    fn drop_part(&mut self, number: u32) {
        let part = &mut self.parts[number as usize];
        (part.table, part.links, part.solution) = Default::default();
        part.kind = PartKind::Branches { one: NONE, other: NONE };
        self.due.retain(|due| *due != number);
        self.free.push(number);
    }

    /// Gives a tree back.
    pub(super) fn drop_tree(&mut self, root: u32) {
        let mut parts = vec![root];
        let mut done = 0;
        while let Some(number) = parts.get(done) {
            done += 1;
            let below: Vec<u32> = self.parts[*number as usize].kind.below().collect();
            parts.extend(below);
        }
        parts.into_iter().for_each(|part| self.drop_part(part));
    }

    /// Counts what a part is made of.
    fn measure(&mut self, number: u32) {
        let part = &self.parts[number as usize];
        let (own, first_piece) = match &part.kind {
            PartKind::Piece { visits, .. } => (visits.len() as u32 - u32::from(part.kind.is_bundle()), number),
            PartKind::Path { upper: first, .. } | PartKind::Branches { one: first, .. } => {
                (0, self.parts[*first as usize].first_piece)
            }
        };
        let below = || part.kind.below().map(|below| &self.parts[below as usize]);
        let pins = own + below().map(|below| below.pins).sum::<u32>();
        let height = 1 + below().map(|below| below.height).max().unwrap_or(0);
        let relies_on = below().map(|below| below.all_relies_on).fold(part.relies_on, u64::max);
        let part = &mut self.parts[number as usize];
        (part.pins, part.height, part.first_piece, part.all_relies_on) = (pins, height, first_piece, relies_on);
    }

    /// The part that is all of the tree a part is in.
    pub(super) fn root_of(&self, part: u32) -> u32 {
        let mut at = part;
        while self.parts[at as usize].above != NONE {
            at = self.parts[at as usize].above;
        }
        at
    }

    /// The number of pins of a part.
    pub(super) fn pins(&self, part: u32) -> u32 {
        self.parts[part as usize].pins
    }

    /// The work that made all tables of a tree.
    #[cfg(test)]
    pub(super) fn used(&self, root: u32) -> u64 {
        self.parts[root as usize].all_used
    }

    /// Whether some plan is valid.
    pub(super) fn has_plan(&self, root: u32) -> bool {
        !self.parts[root as usize].table.is_empty()
    }

    /// The best plan's cost; `None` where no plan is valid.
    pub(super) fn keys(&self, problem: &Problem<'_>, root: u32) -> Option<Keys> {
        let mut keys = self.parts[root as usize].table.entries.first()?.keys;
        if let Some(pin) = self.base(problem.facts, root) {
            // One pipe more than there are cuts.
            let cuts = problem.order.get(&keys, Key::Allocators).saturating_sub(1);
            if cuts > 0 {
                let depth = u128::from(problem.facts.depths()[pin.index()]);
                problem.order.add(&mut keys, Key::Depth, cuts.saturating_mul(depth));
            }
        }
        Some(keys)
    }

    /// The pin from whose depth on depths are counted in a part; `None`: from 0.
    fn base(&self, facts: &Facts<'_>, part: u32) -> Option<PinId> {
        let part = &self.parts[part as usize];
        let PartKind::Piece { visits, .. } = &self.parts[part.first_piece as usize].kind else { return None };
        let first = visits.first().filter(|_| part.is_steady)?;
        Some(if first.edge == NONE { first.pin } else { facts.edges[first.edge as usize].from })
    }

    /// Looks again at what a change of these pins' asks and of what cuts of these edges cost has to do with, and says how
    /// much work that was. An error leaves the tables useless.
    pub(super) fn update(
        &mut self,
        problem: &Problem<'_>,
        root: u32,
        ground: &mut Ground,
        changed_pins: &[PinId],
        changed_edges: &[u32],
    ) -> Result<u64, NotKept> {
        let mut work = 0;
        let (made, left): (Vec<u32>, Vec<u32>) =
            std::mem::take(&mut self.due).into_iter().partition(|due| self.root_of(*due) == root);
        self.due = left;
        let most_height = 32 + 4 * (self.pins(root) + 1).ilog2();
        if self.parts[root as usize].height > most_height {
            return Err(NotKept::OtherGround);
        }
        let mut asking: BTreeSet<(u32, u32)> = made.into_iter().map(|part| self.by_height(part)).collect();
        asking.extend(changed_pins.iter().map(|pin| self.by_height(self.piece_of[pin.index()])));
        let mut due = asking.clone();
        while let Some((_, number)) = asking.pop_first() {
            self.look_at_asks(problem, number);
            let above = self.parts[number as usize].above;
            if above != NONE {
                asking.insert(self.by_height(above));
            }
        }
        self.change_ground(problem, root, ground, &mut due)?;
        for number in changed_edges {
            let edge = &problem.facts.edges[*number as usize];
            for pin in [edge.from, edge.to] {
                let piece = self.piece_of[pin.index()];
                let PartKind::Piece { visits, .. } = &self.parts[piece as usize].kind else { continue };
                if visits.iter().any(|visit| visit.pin == pin && visit.edge == *number) {
                    due.insert(self.by_height(piece));
                }
            }
        }
        let mut traces = Vec::new();
        let mut to_sum_up = BTreeSet::new();
        while let Some((_, number)) = due.pop_first() {
            let table = self.evaluate(problem, ground, number, &mut traces)?;
            let part = &mut self.parts[number as usize];
            work += part.used;
            let same = part.table.is_like(&table);
            part.table = table;
            let above = part.above;
            if !same && above != NONE {
                due.insert(self.by_height(above));
            }
            let mut at = number;
            while at != NONE && to_sum_up.insert(self.by_height(at)) {
                self.parts[at as usize].is_stale = true;
                at = self.parts[at as usize].above;
            }
        }
        to_sum_up.into_iter().for_each(|(_, number)| self.sum_up(number));
        let root = &self.parts[root as usize];
        if root.all_used > most_effort(root.pins as usize) { Err(NotKept::TooHard) } else { Ok(work) }
    }

    /// A part, after all that it is made of.
    fn by_height(&self, part: u32) -> (u32, u32) {
        (self.parts[part as usize].height, part)
    }

    fn sum_up(&mut self, number: u32) {
        let part = &self.parts[number as usize];
        let (mut used, mut relies_on) = (part.used, part.relies_on);
        for below in part.kind.below().map(|below| &self.parts[below as usize]) {
            used = used.saturating_add(below.all_used);
            relies_on = relies_on.max(below.all_relies_on);
        }
        let part = &mut self.parts[number as usize];
        (part.all_used, part.all_relies_on) = (used, relies_on);
    }
}

fn most_effort(pins: usize) -> u64 {
    MOST_EFFORT.0 + MOST_EFFORT.1 * pins as u64
}

/// The pin from which all others of a tree lie downstream, where no pin has two edges that lead to it.
fn source_of(facts: &Facts<'_>, pins: &[PinId]) -> Option<PinId> {
    let mut source = None;
    for pin in pins {
        let leading = facts.edges_at(*pin).iter().filter(|edge| facts.edges[**edge as usize].to == *pin).count();
        match leading {
            0 => source = Some(*pin),
            1 => {}
            _ => return None,
        }
    }
    source
}
