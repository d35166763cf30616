//! What a step says became of each pipe, held against the plans before and after it.

use kspipe::graph::{Connection, PinId};
use kspipe::negotiate::{Difference, Pipe, PipeChange, PipeId, Plan};
use std::collections::BTreeSet;

/// What a difference says of two plans, checked against the plans themselves.
pub(crate) fn check_difference(old: Option<&Plan>, new: &Plan, difference: &Difference) {
    let pins_of =
        |plan: &Plan, pipe: PipeId| plan.pipes[pipe.index()].pins.iter().copied().collect::<BTreeSet<PinId>>();
    let all = |plan: &Plan| (0..plan.pipes.len() as u32).map(PipeId).collect::<Vec<_>>();
    let Some(old) = old else {
        assert_eq!(difference.made, all(new));
        return;
    };
    let mut olds: Vec<PipeId> = Vec::new();
    let mut news: Vec<PipeId> = Vec::new();
    for (from, to) in difference.kept() {
        assert_eq!(pins_of(old, from), pins_of(new, to), "a kept pipe has the same pins");
        let now = Pipe { pins: old.pipes[from.index()].pins.clone(), ..new.pipes[to.index()].clone() };
        assert_eq!(old.pipes[from.index()], now, "and the same numbers");
        assert_eq!(difference.new_number(from), Some(to));
        olds.push(from);
        news.push(to);
    }
    for regrown in &difference.regrown {
        let (before, now) = (&old.pipes[regrown.old.index()], &new.pipes[regrown.new.index()]);
        assert_eq!(pins_of(old, regrown.old), pins_of(new, regrown.new));
        let is = |number| regrown.numbers.contains(&number);
        assert_eq!(is(PipeChange::Frames), before.frames != now.frames);
        assert_eq!(is(PipeChange::FrameSize), before.frame_size != now.frame_size);
        assert_eq!(is(PipeChange::Alignment), before.alignment != now.alignment);
        assert_eq!(is(PipeChange::Allocator), before.allocator != now.allocator);
        assert_eq!(is(PipeChange::Memory), (before.mode, before.memory_type) != (now.mode, now.memory_type));
        assert!(!regrown.numbers.is_empty());
        assert_eq!(difference.new_number(regrown.old), Some(regrown.new));
        olds.push(regrown.old);
        news.push(regrown.new);
    }
    for merged in &difference.merged {
        assert!(merged.from.len() > 1);
        let from: BTreeSet<PinId> = merged.from.iter().flat_map(|pipe| pins_of(old, *pipe)).collect();
        assert_eq!(from, pins_of(new, merged.into));
        olds.extend(&merged.from);
        news.push(merged.into);
    }
    for split in &difference.split {
        assert!(split.into.len() > 1);
        let into: BTreeSet<PinId> = split.into.iter().flat_map(|pipe| pins_of(new, *pipe)).collect();
        assert_eq!(into, pins_of(old, split.from));
        olds.push(split.from);
        news.extend(&split.into);
    }
    for gone in &difference.gone {
        assert_eq!(difference.new_number(*gone), None);
    }
    olds.extend(&difference.gone);
    news.extend(&difference.made);
    olds.sort_unstable();
    news.sort_unstable();
    assert_eq!(olds, all(old), "each old pipe is named once");
    assert_eq!(news, all(new), "each new pipe is named once");
    for (have, lack, told) in [(new, old, &difference.bridges_made), (old, new, &difference.bridges_gone)] {
        let is_at = |plan: &Plan, at: Connection| plan.bridges.iter().any(|bridge| bridge.connection == at);
        let only: Vec<_> = have.bridges.iter().filter(|bridge| !is_at(lack, bridge.connection)).copied().collect();
        assert_eq!(told, &only);
    }
    for (have, lack, told) in [(new, old, &difference.copies_made), (old, new, &difference.copies_gone)] {
        let at = |copy: &kspipe::negotiate::RouteChoice| (copy.route.from, copy.route.to);
        let is_at = |copy: &kspipe::negotiate::RouteChoice| lack.copies.iter().any(|other| at(other) == at(copy));
        let only: Vec<_> = have.copies.iter().filter(|copy| !is_at(copy)).copied().collect();
        assert_eq!(told, &only);
    }
}
