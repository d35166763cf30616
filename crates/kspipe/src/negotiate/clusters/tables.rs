//! A part's table, made from those of the parts it is made of.

use super::{Clusters, MOST_KEPT, NotKept, PartKind};
use crate::graph::PinId;
use crate::negotiate::around::Watch;
use crate::negotiate::counted::Counted;
use crate::negotiate::open_pipe::Ground;
use crate::negotiate::problem::Problem;
use crate::negotiate::table::{Effort, Table, Work};
use crate::negotiate::trace::Trace;
use crate::negotiate::tree::{NONE, Piece};

impl Clusters {
    /// A part's table, from those of the parts it is made of.
    pub(super) fn evaluate(
        &mut self,
        problem: &Problem<'_>,
        ground: &Ground,
        number: u32,
        traces: &mut Vec<Trace>,
    ) -> Result<Table, NotKept> {
        traces.clear();
        let mut effort = Effort { most_open_pipes: MOST_KEPT, ..Effort::up_to(u64::MAX) };
        let mut table = self.table_of(problem, ground, number, &mut effort, traces);
        let is_piece = matches!(self.parts[number as usize].kind, PartKind::Piece { .. });
        let mut links = Vec::new();
        for (place, entry) in table.entries.iter_mut().enumerate() {
            if !is_piece {
                links.push(both_of(traces, entry.trace));
            }
            entry.trace = place as u32;
        }
        let part = &mut self.parts[number as usize];
        (part.used, part.relies_on, part.links) = (effort.used, effort.relies_on, links);
        if effort.exhausted { Err(NotKept::TooHard) } else { Ok(table) }
    }

    pub(super) fn table_of(
        &self,
        problem: &Problem<'_>,
        ground: &Ground,
        number: u32,
        effort: &mut Effort,
        traces: &mut Vec<Trace>,
    ) -> Table {
        let base = self.base(problem.facts, number);
        // The table of a part below, with depths as this one counts them.
        let table = |part: u32| {
            let depth = |pin: PinId| u64::from(problem.facts.depths()[pin.index()]);
            let by = || match (self.base(problem.facts, part), base) {
                (Some(its), Some(mine)) if its != mine => depth(its).saturating_sub(depth(mine)),
                _ => 0,
            };
            self.parts[part as usize].table.lifted(&problem.order, by)
        };
        let mut work = Work {
            problem,
            ground,
            counted: &Counted::EVERYTHING,
            may_cut: true,
            effort,
            traces,
            watch: Watch::Nothing,
            base,
        };
        match &self.parts[number as usize].kind {
            PartKind::Piece { visits, top, far_end, kept } => {
                let piece = Piece { visits, top: *top, far_end: *far_end, kept };
                work.fold(&piece, |part| Some(table(part)))
            }
            PartKind::Path { upper, lower, is_top } => {
                let table = work.concatenate(&table(*upper), &table(*lower));
                if *is_top { work.finish(table) } else { table }
            }
            PartKind::Branches { one, other } => work.meet(&table(*one), &table(*other)),
        }
    }
}

/// The entries of both parts that an entry was made of.
fn both_of(traces: &[Trace], trace: u32) -> (u32, u32) {
    match traces.get(trace as usize) {
        Some(Trace::Join { one, other }) => (*one, *other),
        _ => (NONE, NONE),
    }
}
