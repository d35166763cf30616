//! The plan that a tree has: chosen from its tables, and told by what it changes of the one before.

use super::{Clusters, MOST_KEPT, PartKind};
use crate::graph::PinId;
use crate::negotiate::open_pipe::Ground;
use crate::negotiate::problem::Problem;
use crate::negotiate::table::Effort;
use crate::negotiate::trace::{PinChoice, Solution, follow};

/// What differs between two solutions of a component.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::negotiate) struct Changes {
    pub(in crate::negotiate) pins: Vec<(PinId, PinChoice)>,
    pub(in crate::negotiate) cuts_added: Vec<u32>,
    pub(in crate::negotiate) cuts_removed: Vec<u32>,
}

impl Clusters {
    /// Goes over to the best plan there is now, and says in what it differs from the one before. `None` where there is
    /// none; the one before stays then.
    pub(in crate::negotiate) fn choose(
        &mut self,
        problem: &Problem<'_>,
        root: u32,
        ground: &Ground,
    ) -> Option<Changes> {
        self.parts[root as usize].table.entries.first()?;
        let mut changes = Changes::default();
        let mut traces = Vec::new();
        let mut stack = vec![(root, 0)];
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
                    let table = self.table_of(problem, ground, number, &mut effort, &mut traces);
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
    pub(in crate::negotiate) fn solution(&self, root: u32) -> Option<Solution> {
        let mut all = Solution::default();
        let mut stack = vec![root];
        while let Some(number) = stack.pop() {
            let part = &self.parts[number as usize];
            all.pins.extend(&part.solution.pins);
            all.cuts.extend(&part.solution.cuts);
            stack.extend(part.kind.below());
        }
        all.sort();
        // Each pin has its choice, once there was one.
        (!all.pins.is_empty()).then_some(all)
    }
}

impl Changes {
    /// Adds what differs between two solutions of the same pins, each sorted.
    pub(in crate::negotiate) fn add(&mut self, before: &Solution, now: &Solution) {
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
