//! Pipes that come, go or lie deeper: the others keep their order, and their numbers shift by runs.

use super::difference::Difference;
use super::patch::Pipes;
use super::regroup::Regrouped;
use super::walk::Walk;
use crate::graph::PinId;
use crate::negotiate::{Pipe, PipeId, Plan};
use std::collections::BTreeSet;

impl Pipes {
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
    pub(super) fn renumber(
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
        // What else they are is found out after.
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
    fn take_with_pins(&mut self) -> Pipe {
        Pipe { pins: std::mem::take(&mut self.pins), ..*self }
    }
}
