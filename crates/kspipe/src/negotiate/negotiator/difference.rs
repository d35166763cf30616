//! What one plan has that another has not, so that a running graph can keep what is still valid.

use crate::negotiate::{Bridge, Pipe, PipeId, Plan, RouteChoice};
use std::ops::Range;

/// How a plan differs from the one before it.
///
/// Every pipe of the plan before is kept, or named once in `regrown`, `merged`, `split` or `gone`; every pipe of the new
/// plan is kept, or named once in `regrown`, `merged`, `split` or `made`. The old numbers are places in the plan before,
/// the new ones in the plan now. Where pins were joined or parted, the pins of a pipe that is kept may be listed in another
/// order: upstream is elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// Pipes with the same pins and other numbers.
    pub regrown: Vec<Regrown>,
    /// Pipes that became one, all their pins in it.
    pub merged: Vec<Merged>,
    /// Pipes that fell apart, their pins in no other.
    pub split: Vec<Split>,
    /// Pipes of the plan before whose pins went otherwise: all of them where there was no plan.
    pub gone: Vec<PipeId>,
    /// Pipes of the new plan whose pins came otherwise.
    pub made: Vec<PipeId>,
    /// Connections that copy now and did not, in the graph's order.
    pub bridges_made: Vec<Bridge>,
    /// Connections that copied and do not now, or are gone.
    pub bridges_gone: Vec<Bridge>,
    /// Routes that copy now and did not, in the graph's order.
    pub copies_made: Vec<RouteChoice>,
    /// Routes that copied and do not now.
    pub copies_gone: Vec<RouteChoice>,
    /// Runs of pipes whose pins stayed: their old numbers, and the new number of the first.
    stayed: Vec<(Range<u32>, u32)>,
}

/// A pipe with the same pins and other numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Regrown {
    /// Its number in the plan before.
    pub old: PipeId,
    /// Its number now.
    pub new: PipeId,
    /// What of it changed; not empty.
    pub numbers: Vec<PipeChange>,
}

/// Pipes that became one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merged {
    /// At least two.
    pub from: Vec<PipeId>,
    /// What they became.
    pub into: PipeId,
}

/// A pipe that fell apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// What it was.
    pub from: PipeId,
    /// At least two.
    pub into: Vec<PipeId>,
}

/// Something a [`Pipe`] says beside its pins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PipeChange {
    /// [`Pipe::mode`] or [`Pipe::memory_type`].
    Memory,
    /// [`Pipe::frames`].
    Frames,
    /// [`Pipe::frame_size`] or [`Pipe::prefix`].
    FrameSize,
    /// [`Pipe::alignment`].
    Alignment,
    /// [`Pipe::allocator`].
    Allocator,
}

impl Difference {
    /// The pipes that are as they were, with their old and new numbers, in order.
    pub fn kept(&self) -> impl Iterator<Item = (PipeId, PipeId)> + '_ {
        let stayed = self.stayed.iter().flat_map(|(old, new)| old.clone().zip(*new..));
        stayed.map(|(old, new)| (PipeId(old), PipeId(new))).filter(|(old, _)| self.regrown_at(*old).is_none())
    }

    /// The new number of a pipe of the plan before whose pins stayed: a kept one, or a regrown one.
    pub fn new_number(&self, old: PipeId) -> Option<PipeId> {
        let run = self.stayed.partition_point(|(run, _)| run.end <= old.0);
        let (run, new) = self.stayed.get(run).filter(|(run, _)| run.contains(&old.0))?;
        Some(PipeId(new + (old.0 - run.start)))
    }

    /// Whether the plans have the same pipes, with the same numbers, and copy at the same places.
    pub fn is_empty(&self) -> bool {
        let Difference {
            regrown, merged, split, gone, made, bridges_made, bridges_gone, copies_made, copies_gone, ..
        } = self;
        let pipes = regrown.is_empty() && merged.is_empty() && split.is_empty() && gone.is_empty() && made.is_empty();
        let bridges = bridges_made.is_empty() && bridges_gone.is_empty();
        pipes && bridges && copies_made.is_empty() && copies_gone.is_empty()
    }

    fn regrown_at(&self, old: PipeId) -> Option<usize> {
        self.regrown.binary_search_by_key(&old, |regrown| regrown.old).ok()
    }

    /// The difference of two plans for the same pins; without an old one everything is made.
    pub(super) fn between(old: Option<&Plan>, new: &Plan) -> Self {
        let mut difference = Difference::default();
        let Some(old) = old else {
            difference.made = (0..new.pipes.len() as u32).map(PipeId).collect();
            difference.bridges_made.clone_from(&new.bridges);
            difference.copies_made.clone_from(&new.copies);
            return difference;
        };
        let mut ways = Vec::new();
        for (pipe, number) in new.pipes.iter().zip(0u32..) {
            let mut last = None;
            for pin in &pipe.pins {
                let from = old.pipe_of[pin.index()];
                if last.replace(from) != Some(from) {
                    ways.push((from, PipeId(number)));
                }
            }
        }
        ways.sort_unstable();
        ways.dedup();
        for (from, to) in difference.sort_out(ways) {
            difference.stay(from.0..from.0 + 1, to.0);
            difference.compare(from, &old.pipes[from.index()], to, &new.pipes[to.index()]);
        }
        difference.tell_copies((&old.bridges, &old.copies), new);
        difference
    }

    /// Says which bridges and copies came and went.
    pub(super) fn tell_copies(&mut self, (bridges, copies): (&[Bridge], &[RouteChoice]), new: &Plan) {
        (self.bridges_gone, self.bridges_made) = apart(bridges, &new.bridges, |bridge| bridge.connection);
        // A route that copies as the plan chooses, and one that always does, are the same here.
        let key = |copy: &RouteChoice| (copy.route.from, copy.route.to);
        (self.copies_gone, self.copies_made) = apart(copies, &new.copies, key);
    }

    /// Says where the pins of pipes went: `ways` are all pairs of an old pipe and a new one with a pin in both, in order.
    /// Returns the pairs of pipes whose pins stayed.
    pub(super) fn sort_out(&mut self, ways: Vec<(PipeId, PipeId)>) -> Vec<(PipeId, PipeId)> {
        let mut turned: Vec<(PipeId, PipeId)> = ways.iter().map(|(old, new)| (*new, *old)).collect();
        turned.sort_unstable();
        let of = |ways: &[(PipeId, PipeId)], pipe: PipeId| {
            let start = ways.partition_point(|way| way.0 < pipe);
            start..ways.partition_point(|way| way.0 <= pipe)
        };
        let others = |ways: &[(PipeId, PipeId)], range: Range<usize>| -> Vec<PipeId> {
            ways[range].iter().map(|way| way.1).collect()
        };
        let mut stayed = Vec::new();
        let mut old_ones = ways.iter().map(|way| way.0).collect::<Vec<_>>();
        old_ones.dedup();
        for old in old_ones {
            let into = others(&ways, of(&ways, old));
            let from_it_alone = into.iter().all(|new| of(&turned, *new).len() == 1);
            match (&into[..], from_it_alone) {
                ([new], true) => stayed.push((old, *new)),
                (_, true) => self.split.push(Split { from: old, into }),
                // All of it went into one, with others.
                ([new], false) if others(&turned, of(&turned, *new)).iter().all(|one| of(&ways, *one).len() == 1) => {}
                _ => self.gone.push(old),
            }
        }
        let mut new_ones = turned.iter().map(|way| way.0).collect::<Vec<_>>();
        new_ones.dedup();
        for new in new_ones {
            let from = others(&turned, of(&turned, new));
            match (&from[..], from.iter().all(|old| of(&ways, *old).len() == 1)) {
                ([_], true) => {}
                (_, true) => self.merged.push(Merged { from, into: new }),
                ([old], false) if others(&ways, of(&ways, *old)).iter().all(|one| of(&turned, *one).len() == 1) => {}
                _ => self.made.push(new),
            }
        }
        stayed
    }

    /// Says that the pins of pipes stayed. Called in the order of the old numbers.
    pub(super) fn stay(&mut self, old: Range<u32>, new: u32) {
        if old.is_empty() {
            return;
        }
        match self.stayed.last_mut() {
            Some((run, first)) if run.end == old.start && *first + (run.end - run.start) == new => run.end = old.end,
            _ => self.stayed.push((old, new)),
        }
    }

    /// Says what changed of a pipe whose pins stayed.
    pub(super) fn compare(&mut self, old: PipeId, before: &Pipe, new: PipeId, now: &Pipe) {
        let changed = [
            (PipeChange::Memory, (before.mode, before.memory_type) != (now.mode, now.memory_type)),
            (PipeChange::Frames, before.frames != now.frames),
            (PipeChange::FrameSize, (before.frame_size, before.prefix) != (now.frame_size, now.prefix)),
            (PipeChange::Alignment, before.alignment != now.alignment),
            (PipeChange::Allocator, before.allocator != now.allocator),
        ];
        let numbers: Vec<PipeChange> = changed.into_iter().filter(|(_, is)| *is).map(|(number, _)| number).collect();
        if !numbers.is_empty() {
            self.regrown.push(Regrown { old, new, numbers });
        }
    }

    /// Puts what was said in any order into the order of the old numbers.
    pub(super) fn sort(&mut self) {
        self.regrown.sort_unstable_by_key(|regrown| regrown.old);
        self.bridges_made.sort_unstable_by_key(|bridge| bridge.connection);
        self.bridges_gone.sort_unstable_by_key(|bridge| bridge.connection);
        self.copies_made.sort_unstable_by_key(|copy| (copy.route.from, copy.route.to));
        self.copies_gone.sort_unstable_by_key(|copy| (copy.route.from, copy.route.to));
    }
}

/// What only the first has and what only the second has, of two lists in the order of a key.
fn apart<T: Copy, K: Ord>(one: &[T], other: &[T], key: impl Fn(&T) -> K) -> (Vec<T>, Vec<T>) {
    let missing = |from: &[T], thing: &T| from.binary_search_by_key(&key(thing), &key).is_err();
    let only = |these: &[T], those: &[T]| these.iter().filter(|thing| missing(those, thing)).copied().collect();
    (only(one, other), only(other, one))
}
