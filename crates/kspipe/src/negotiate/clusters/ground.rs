//! What the pins of a tree's parts ask that its ground depends on, and the parts that are due where the ground changes.

use super::{Clusters, NotKept, PartKind};
use crate::negotiate::memory::NamedMemory;
use crate::negotiate::open_pipe::Ground;
use crate::negotiate::problem::{Limits, Problem};
use std::collections::BTreeSet;

impl Clusters {
    /// The ground that the component now has; what rests on more than it grants is due.
    pub(super) fn change_ground(
        &self,
        problem: &Problem<'_>,
        root: u32,
        ground: &mut Ground,
        due: &mut BTreeSet<(u32, u32)>,
    ) -> Result<(), NotKept> {
        let all = &self.parts[root as usize];
        let classes = all.named.classes(problem.facts.graph);
        if classes != ground.classes || !problem.order.is_like(&ground.order) {
            return Err(NotKept::OtherGround);
        }
        let now = all.limits.ground(problem.order, classes);
        let granted = if now.has_steps && !ground.has_steps { 0 } else { now.always_granted };
        if granted < ground.always_granted || now.has_steps && !ground.has_steps {
            let mut stack = vec![root];
            while let Some(number) = stack.pop() {
                let part = &self.parts[number as usize];
                if part.all_relies_on > granted {
                    if part.relies_on > granted {
                        due.insert(self.by_height(number));
                    }
                    stack.extend(part.kind.below());
                }
            }
        }
        *ground = now;
        Ok(())
    }

    /// Two trees are about to be joined; `ground` is that of the larger and will be that of both. What of the smaller one
    /// it does not hold for is due.
    pub(in crate::negotiate) fn share_ground(&mut self, smaller: u32, its: &Ground, ground: &mut Ground) {
        let is_other = its.classes != ground.classes;
        if is_other || ground.has_steps && !its.has_steps {
            let mut stack = vec![smaller];
            while let Some(number) = stack.pop() {
                let part = &mut self.parts[number as usize];
                stack.extend(part.kind.below());
                if is_other {
                    // The numbers of memory mean something else now, so all is told again.
                    part.solution.pins.clear();
                }
                if is_other || part.relies_on > 0 {
                    self.due.push(number);
                }
            }
        }
        ground.always_granted = ground.always_granted.max(its.always_granted);
    }

    /// What the pins of a part ask that the ground depends on.
    pub(super) fn look_at_asks(&mut self, problem: &Problem<'_>, number: u32) {
        let part = &self.parts[number as usize];
        let (mut limits, mut named) = (Limits::default(), NamedMemory::default());
        if let PartKind::Piece { visits, .. } = &part.kind {
            let mut asks = Vec::new();
            let skipped = usize::from(part.kind.is_bundle());
            for visit in visits.iter().skip(skipped) {
                named.add(problem.facts.graph, visit.pin, Some(problem.facts.graph.mode(visit.pin)));
                limits = limits.and(problem.limits(visit.pin, &mut asks));
            }
        }
        for below in part.kind.below() {
            limits = limits.and(self.parts[below as usize].limits);
            named.add_all(&self.parts[below as usize].named);
        }
        let part = &mut self.parts[number as usize];
        (part.limits, part.named) = (limits, named);
    }
}
