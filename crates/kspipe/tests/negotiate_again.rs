//! A `Negotiator` has the plan that a fresh negotiation finds, whatever changes came before, and says what became of
//! each pipe. `KSPIPE_SEQUENCES` is the number of random sequences of 20 steps (40).

mod oracle;

use ks::{
    AllocatorFlags, KSMEMORY_TYPE_KERNEL_NONPAGED, KSMEMORY_TYPE_KERNEL_PAGED, KSMEMORY_TYPE_SYSTEM,
    KSMEMORY_TYPE_USER, RequirementFlags,
};
use kspipe::graph::{
    Bridges, Change, Compression, Connection, Direction, FrameRange, Framing, FramingItem, Graph, Mode, PinId,
    RouteKind, Strategy,
};
use kspipe::negotiate::{
    Difference, NegotiateError, Negotiator, Pipe, PipeChange, PipeId, Plan, StepError, negotiate, verify,
};
use std::collections::BTreeSet;

/// Numbers that look random and are the same each time (splitmix64).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut number = self.0;
        number = (number ^ number >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        number = (number ^ number >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((number ^ number >> 31) % below.max(1) as u64) as usize
    }
    fn one_of<T: Copy>(&mut self, things: &[T]) -> T {
        things[self.next(things.len())]
    }
}

fn random_item(numbers: &mut Numbers) -> FramingItem {
    let memories = [
        KSMEMORY_TYPE_SYSTEM,
        KSMEMORY_TYPE_SYSTEM,
        KSMEMORY_TYPE_USER,
        KSMEMORY_TYPE_KERNEL_PAGED,
        KSMEMORY_TYPE_KERNEL_NONPAGED,
        ks::KSMEMORY_TYPE_WILDCARD,
    ];
    let min = numbers.one_of(&[0, 0, 1, 64, 100]);
    let requirements = [
        RequirementFlags::empty(),
        RequirementFlags::empty(),
        RequirementFlags::PREFERENCES_ONLY,
        RequirementFlags::MUST_ALLOCATE,
        RequirementFlags::MUST_ALLOCATE | RequirementFlags::PREFERENCES_ONLY,
        RequirementFlags::FRAME_INTEGRITY,
        RequirementFlags::INPLACE_MODIFIER,
    ];
    let flags = [
        AllocatorFlags::empty(),
        AllocatorFlags::empty(),
        AllocatorFlags::CAN_ALLOCATE,
        AllocatorFlags::ALLOCATOR_EXISTS,
        AllocatorFlags::CAN_ALLOCATE | AllocatorFlags::DEVICE_SPECIFIC,
    ];
    FramingItem {
        memory: numbers.one_of(&memories),
        frames: numbers.one_of(&[0, 1, 2, 5]),
        alignment: numbers.one_of(&[0, 1, 16, 4096]),
        physical: FrameRange {
            min,
            max: numbers.one_of(&[u32::MAX, u32::MAX, 200, 4096]),
            step: numbers.one_of(&[0, 1, 1, 32, 48]),
        },
        optimal: FrameRange { min: numbers.one_of(&[0, 0, 50, 150, 5000]), ..FrameRange::OPEN },
        requirements: numbers.one_of(&requirements),
        flags: numbers.one_of(&flags),
        ..FramingItem::default()
    }
}

/// A change that fits the graph, of any kind.
fn random_change(graph: &Graph, numbers: &mut Numbers) -> Change {
    let pins: Vec<PinId> = graph.pin_ids().collect();
    let pin = numbers.one_of(&pins);
    loop {
        let change = match numbers.next(20) {
            0..6 => {
                let count = numbers.one_of(&[0, 1, 1, 1, 2]);
                let items: Vec<FramingItem> = (0..count).map(|_| random_item(numbers)).collect();
                let framing = if items.is_empty() { Framing::None } else { Framing::Extended(items) };
                Change::Framing { pin, framing }
            }
            6..8 => {
                // One thing of an item only.
                let mut items = graph.pin(pin).items().to_vec();
                let Some(item) = items.first_mut() else { continue };
                match numbers.next(4) {
                    0 => item.frames = numbers.one_of(&[1, 3, 9]),
                    1 => item.alignment = numbers.one_of(&[1, 64]),
                    2 => item.requirements.toggle(RequirementFlags::MUST_ALLOCATE),
                    _ => item.requirements.toggle(RequirementFlags::PREFERENCES_ONLY),
                }
                if !item.is_preference() && item.physical.min > item.physical.max {
                    continue;
                }
                Change::Framing { pin, framing: Framing::Extended(items) }
            }
            8 => Change::Holds { pin, frames: numbers.one_of(&[None, Some(0), Some(1), Some(4)]) },
            9 | 10 => Change::MediaSize { pin, bytes: numbers.one_of(&[0, 0, 120, 150, 3000]) },
            11 => {
                let compressions = [
                    Compression::NONE,
                    Compression { numerator: 1, denominator: 2, margin: 0 },
                    Compression { numerator: 3, denominator: 1, margin: 7 },
                ];
                Change::Compression { pin, compression: numbers.one_of(&compressions) }
            }
            12 | 13 => match graph.pin(pin).peer() {
                Some(peer) if graph.pin(pin).direction() == Direction::Out => {
                    Change::Disconnect(Connection { from: pin, to: peer })
                }
                Some(peer) => Change::Disconnect(Connection { from: peer, to: pin }),
                None => continue,
            },
            14 | 15 => {
                let free = |direction| {
                    let is =
                        |pin: &&PinId| graph.pin(**pin).direction() == direction && graph.pin(**pin).peer().is_none();
                    pins.iter().filter(is).copied().collect::<Vec<_>>()
                };
                let (outs, ins) = (free(Direction::Out), free(Direction::In));
                if outs.is_empty() || ins.is_empty() {
                    continue;
                }
                Change::Connect(Connection { from: numbers.one_of(&outs), to: numbers.one_of(&ins) })
            }
            16 => {
                if graph.routes().is_empty() {
                    continue;
                }
                let route = numbers.one_of(graph.routes());
                let kinds = [RouteKind::Pass, RouteKind::InPlace, RouteKind::Either, RouteKind::Copy];
                Change::Route { from: route.from, to: route.to, kind: numbers.one_of(&kinds) }
            }
            17 => {
                let filter = graph.pin(pin).filter();
                Change::Mode { filter, mode: numbers.one_of(&[Mode::User, Mode::Kernel]) }
            }
            18 => Change::Strategy(numbers.one_of(&Strategy::ALL).1),
            _ => Change::Bridges(numbers.one_of(&[Bridges::Allow, Bridges::Allow, Bridges::Forbid])),
        };
        if graph.clone().change(change.clone()).is_ok() {
            return change;
        }
    }
}

/// A filter with these in pins and out pins and a route of a random kind between each two.
fn filter(graph: &mut kspipe::graph::GraphBuilder, name: &str, ins: usize, outs: usize, numbers: &mut Numbers) {
    let mode = numbers.one_of(&[Mode::User, Mode::User, Mode::Kernel]);
    let mut draft = graph.filter(name).mode(mode).only_stated_routes();
    for number in 0..ins {
        draft.pin(&format!("in{number}"), Direction::In);
        draft = graph.filter(name);
    }
    for number in 0..outs {
        draft.pin(&format!("out{number}"), Direction::Out);
        draft = graph.filter(name);
    }
    for from in 0..ins {
        for to in 0..outs {
            let kinds = [RouteKind::Pass, RouteKind::Pass, RouteKind::InPlace, RouteKind::Either, RouteKind::Copy];
            draft = draft.route(&format!("in{from}"), &format!("out{to}"), numbers.one_of(&kinds));
        }
    }
}

/// A name out of order, often the beginning of another one's.
fn name(number: usize) -> String {
    let mixed = (number * 7) % 31;
    format!("f{}{}", if mixed.is_multiple_of(3) { "-" } else { "" }, mixed % 10) + &"-x".repeat(mixed / 10)
}

/// A chain, a tree of tees, mixers, branches that meet again, or several of them apart.
fn random_graph(numbers: &mut Numbers) -> Graph {
    let mut graph = Graph::builder();
    let shape = numbers.next(5);
    let count = 3 + numbers.next(10);
    let mut free: Vec<String> = Vec::new();
    for number in 0..count {
        let (ins, outs) = match shape {
            0 => (1, 1),
            1 => (1, 2),
            2 => (2, 1),
            3 => numbers.one_of(&[(1, 2), (2, 1), (1, 1)]),
            _ => numbers.one_of(&[(0, 1), (1, 0), (1, 1), (1, 2), (2, 1)]),
        };
        let name = name(number);
        filter(&mut graph, &name, ins, outs, numbers);
        for to in 0..ins {
            if !free.is_empty() && numbers.next(8) > 0 {
                let from = if shape == 0 { free.len() - 1 } else { numbers.next(free.len()) };
                graph.connect(&free.remove(from), &format!("{name}.in{to}"));
            }
        }
        free.extend((0..outs).map(|out| format!("{name}.out{out}")));
    }
    let graph = graph.build().expect("a valid graph");
    // What the pins ask.
    let mut negotiated = graph;
    for pin in negotiated.pin_ids() {
        if numbers.next(2) == 0 {
            let framing = Framing::Extended(vec![random_item(numbers)]);
            if negotiated.clone().change(Change::Framing { pin, framing: framing.clone() }).is_ok() {
                negotiated.change(Change::Framing { pin, framing }).expect("it fits");
            }
        }
    }
    negotiated
}

/// What a difference says of two plans, checked against the plans themselves.
fn check_difference(old: Option<&Plan>, new: &Plan, difference: &Difference) {
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

/// The plan, or the kind of error and what it says.
fn said(answer: Result<&Plan, &NegotiateError>) -> Result<Plan, String> {
    match answer {
        Ok(plan) => Ok(plan.clone()),
        Err(NegotiateError::Undecided { .. }) => Err("undecided".to_owned()),
        Err(error) => Err(format!("{error:?}")),
    }
}

#[test]
fn after_any_changes_the_plan_is_that_of_a_fresh_negotiation() {
    let sequences: u64 = match std::env::var("KSPIPE_SEQUENCES") {
        Ok(text) => text.parse().expect("KSPIPE_SEQUENCES is a number"),
        Err(_) => 40,
    };
    let (mut steps, mut infeasible, mut cycles) = (0, 0, 0);
    for seed in 0..sequences {
        let mut numbers = Numbers(seed);
        let graph = random_graph(&mut numbers);
        let mut negotiator = Negotiator::new(graph);
        let mut last: Option<Plan> = negotiator.plan().ok().cloned();
        assert_eq!(
            said(negotiator.plan().as_ref().copied()),
            said(negotiate(negotiator.graph()).as_ref()),
            "seed {seed}, the start"
        );
        for step in 0..20 {
            let mut changed = negotiator.graph().clone();
            let batch: Vec<Change> = (0..numbers.one_of(&[1, 1, 1, 2, 4]))
                .map(|_| {
                    let change = random_change(&changed, &mut numbers);
                    changed.change(change.clone()).expect("a change that fits");
                    change
                })
                .collect();
            let answer = negotiator.change(batch.clone());
            assert_eq!(negotiator.graph(), &changed);
            let fresh = negotiate(&changed);
            let context = || format!("seed {seed}, step {step}: {batch:?}\n{}", oracle::describe(&changed));
            assert_eq!(said(negotiator.plan().as_ref().copied()), said(fresh.as_ref()), "{}", context());
            steps += 1;
            match answer {
                Ok(difference) => {
                    let plan = negotiator.plan().expect("a plan");
                    assert_eq!(verify(&changed, plan), Ok(()));
                    check_difference(last.as_ref(), plan, &difference);
                    last = Some(plan.clone());
                }
                Err(StepError::NoPlan(error)) => {
                    infeasible += 1;
                    cycles += u32::from(matches!(&error, NegotiateError::Cycle(_)));
                    assert_eq!(negotiator.plan(), Err(error));
                }
                Err(StepError::Unfit(error)) => panic!("{error}: {}", context()),
            }
        }
    }
    println!("{steps} steps, {infeasible} without a plan, {cycles} of them with a cycle");
    assert!(infeasible * 20 > steps && infeasible < steps, "{infeasible} of {steps} steps had no plan");
    assert!(cycles > 0);
}

/// A chain, or a tree of tees, with so many filters; some routes copy or write, some connections are left open.
fn random_tree(numbers: &mut Numbers, filters: usize) -> Graph {
    let mut graph = Graph::builder();
    let outs = numbers.one_of(&[1, 1, 2, 5]);
    let is_long = numbers.next(2) == 0;
    let mut free: Vec<String> = Vec::new();
    for number in 0..filters {
        // Names that do not follow the way of the data.
        let name = format!("f{:03}", (number * 67) % 211);
        let mode = numbers.one_of(&[Mode::User, Mode::User, Mode::User, Mode::Kernel]);
        graph.filter(&name).mode(mode).only_stated_routes().pin("in", Direction::In);
        for out in 0..outs {
            graph.filter(&name).pin(&format!("out{out}"), Direction::Out);
            let kinds = [RouteKind::Pass, RouteKind::Pass, RouteKind::Pass, RouteKind::Pass, RouteKind::Copy];
            graph.filter(&name).route("in", &format!("out{out}"), numbers.one_of(&kinds));
        }
        if !free.is_empty() && numbers.next(12) > 0 {
            let from = if is_long { free.len() - 1 } else { numbers.next(free.len()) };
            graph.connect(&free.remove(from), &format!("{name}.in"));
        }
        free.extend((0..outs).map(|out| format!("{name}.out{out}")));
    }
    let mut graph = graph.build().expect("a valid graph");
    for pin in graph.pin_ids() {
        let item = FramingItem {
            memory: numbers.one_of(&[KSMEMORY_TYPE_SYSTEM, KSMEMORY_TYPE_SYSTEM, KSMEMORY_TYPE_USER]),
            frames: numbers.one_of(&[0, 1, 2, 5]),
            optimal: FrameRange { min: numbers.one_of(&[0, 0, 0, 64, 100]), ..FrameRange::OPEN },
            physical: FrameRange {
                max: numbers.one_of(&[u32::MAX, u32::MAX, u32::MAX, u32::MAX, 128]),
                ..FrameRange::OPEN
            },
            ..FramingItem::default()
        };
        graph.change(Change::Framing { pin, framing: Framing::Extended(vec![item]) }).expect("it fits");
    }
    graph
}

/// Connects, parts, moves to another place, or makes a route go otherwise; several at once too.
fn random_links(graph: &Graph, numbers: &mut Numbers) -> Vec<Change> {
    let mut changed = graph.clone();
    let mut step = Vec::new();
    for _ in 0..numbers.one_of(&[1, 1, 2, 3]) {
        let connections = changed.connections().to_vec();
        let free = |direction| {
            let is = |pin: &PinId| changed.pin(*pin).direction() == direction && changed.pin(*pin).peer().is_none();
            changed.pin_ids().filter(is).collect::<Vec<PinId>>()
        };
        let mut changes = Vec::new();
        let (outs, ins) = (free(Direction::Out), free(Direction::In));
        match numbers.next(6) {
            0 | 1 if !connections.is_empty() => changes.push(Change::Disconnect(numbers.one_of(&connections))),
            2 | 3 if !outs.is_empty() && !ins.is_empty() => {
                changes.push(Change::Connect(Connection { from: numbers.one_of(&outs), to: numbers.one_of(&ins) }));
            }
            4 if !connections.is_empty() && !outs.is_empty() => {
                let gone = numbers.one_of(&connections);
                changes.push(Change::Disconnect(gone));
                changes.push(Change::Connect(Connection { from: numbers.one_of(&outs), to: gone.to }));
            }
            _ => {
                let route = numbers.one_of(graph.routes());
                let kind = numbers.one_of(&[RouteKind::Pass, RouteKind::InPlace, RouteKind::Either, RouteKind::Copy]);
                changes.push(Change::Route { from: route.from, to: route.to, kind });
            }
        }
        for change in changes {
            // A compression does not go with every route.
            if changed.change(change.clone()).is_ok() {
                step.push(change);
            }
        }
    }
    step
}

/// Trees of many pieces, so that they are parted and joined within a piece, between two, and at branches.
#[test]
fn trees_that_are_parted_and_joined_have_the_plan_of_a_fresh_negotiation() {
    let sequences: u64 = match std::env::var("KSPIPE_SEQUENCES") {
        Ok(text) => text.parse().expect("KSPIPE_SEQUENCES is a number"),
        Err(_) => 40,
    };
    let (mut steps, mut without) = (0, 0);
    for seed in 0..sequences {
        let mut numbers = Numbers(seed ^ 0x7265_6c69_6e6b);
        let filters = 5 + numbers.next(60);
        let mut negotiator = Negotiator::new(random_tree(&mut numbers, filters));
        let mut last: Option<Plan> = negotiator.plan().ok().cloned();
        for step in 0..30 {
            let mut changes = random_links(negotiator.graph(), &mut numbers);
            if numbers.next(4) == 0 {
                changes = vec![random_change(negotiator.graph(), &mut numbers)];
            }
            let before = negotiator.graph().clone();
            let answer = negotiator.change(changes.clone());
            let fresh = negotiate(negotiator.graph());
            steps += 1;
            assert!(
                said(negotiator.plan().as_ref().copied()) == said(fresh.as_ref()),
                "seed {seed}, step {step}: {changes:?}"
            );
            match answer {
                Ok(difference) => {
                    let plan = negotiator.plan().expect("a plan");
                    check_difference(last.as_ref(), plan, &difference);
                    last = Some(plan.clone());
                }
                Err(_) => {
                    without += 1;
                    // Back to where there was a plan, or the rest would be without one too.
                    negotiator = Negotiator::new(before);
                    last = negotiator.plan().ok().cloned();
                }
            }
        }
    }
    println!("{steps} steps, {without} without a plan");
    assert!(without * 2 < steps, "{without} of {steps} steps had no plan");
}

/// Whatever stands before it in the step is taken back, and the next step finds everything as it was.
#[test]
fn a_step_with_a_change_that_does_not_fit_changes_nothing() {
    let (mut refused, mut steps) = (0, 0);
    for seed in 0..10 {
        let mut numbers = Numbers(seed);
        let mut start = Negotiator::new(random_graph(&mut numbers));
        while start.plan().is_err() {
            start = Negotiator::new(random_graph(&mut numbers));
        }
        // A larger graph has pins and filters that this one has not.
        let mut other = Graph::builder();
        for filter in 0..200 {
            other.filter(&format!("f{filter}")).pin("in", Direction::In);
        }
        let other = other.build().expect("a graph");
        let beyond = other.pin_ids().last().expect("it has pins");
        let filter = other.pin(beyond).filter();
        assert!(beyond.index() >= start.graph().pins().len());
        let unfit = [
            Change::Framing { pin: beyond, framing: Framing::None },
            Change::Compression { pin: beyond, compression: Compression::NONE },
            Change::Holds { pin: beyond, frames: Some(1) },
            Change::MediaSize { pin: beyond, bytes: 1 },
            Change::Connect(Connection { from: beyond, to: beyond }),
            Change::Disconnect(Connection { from: beyond, to: beyond }),
            Change::Route { from: beyond, to: beyond, kind: RouteKind::Copy },
            Change::Mode { filter, mode: Mode::Kernel },
        ];
        for unfit in unfit {
            let mut negotiator = start.clone();
            let mut graph = start.graph().clone();
            let mut step = Vec::new();
            for _ in 0..2 {
                let change = random_change(&graph, &mut numbers);
                graph.change(change.clone()).expect("a change that fits");
                step.push(change);
            }
            let with_unfit: Vec<Change> = step.iter().cloned().chain([unfit.clone()]).collect();
            assert!(matches!(negotiator.change(with_unfit), Err(StepError::Unfit(_))), "{unfit:?}");
            refused += 1;
            assert_eq!(negotiator.graph(), start.graph());
            assert_eq!(negotiator.plan(), start.plan());
            if negotiator.change(step).is_ok() {
                steps += 1;
            }
            assert_eq!(said(negotiator.plan().as_ref().copied()), said(negotiate(negotiator.graph()).as_ref()));
        }
    }
    assert!(refused == 80 && steps > 10, "{steps} of {refused}");
}
