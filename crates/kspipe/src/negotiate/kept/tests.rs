//! What is kept gives what a fresh solution gives, after any changes.

use super::{KeptComponent, Outcome, State};
use crate::graph::{
    Bridges, Direction, FrameRange, Framing, FramingItem, Graph, GraphBuilder, PinId, RouteKind, Strategy,
};
use crate::negotiate::clusters::Changes;
use crate::negotiate::component;
use crate::negotiate::counted::Counted;
use crate::negotiate::decomposition::PINS_OF_A_PIECE;
use crate::negotiate::facts::Facts;
use crate::negotiate::problem::Problem;
use crate::negotiate::table::Effort;
use crate::negotiate::trace::Solution;
use ks::{
    AllocatorFlags, Guid, KSMEMORY_TYPE_KERNEL_NONPAGED, KSMEMORY_TYPE_KERNEL_PAGED, KSMEMORY_TYPE_SYSTEM,
    KSMEMORY_TYPE_USER, KSMEMORY_TYPE_WILDCARD, RequirementFlags,
};

/// Numbers that look random and are the same each time (xorshift64*).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % sides
    }

    fn of<T: Copy>(&mut self, things: &[T]) -> T {
        things[self.roll(things.len() as u64) as usize]
    }

    /// True once in so many times.
    fn once_in(&mut self, times: u64) -> bool {
        self.roll(times) == 0
    }
}

const MEMORY: [Guid; 5] = [
    KSMEMORY_TYPE_SYSTEM,
    KSMEMORY_TYPE_WILDCARD,
    KSMEMORY_TYPE_USER,
    KSMEMORY_TYPE_KERNEL_NONPAGED,
    KSMEMORY_TYPE_KERNEL_PAGED,
];

fn random_item(dice: &mut Dice) -> FramingItem {
    let mut item = FramingItem { memory: dice.of(&MEMORY), frames: dice.roll(4) as u32, ..FramingItem::default() };
    if dice.once_in(2) {
        item.memory = KSMEMORY_TYPE_SYSTEM;
    }
    if dice.once_in(3) {
        item.optimal = FrameRange { min: dice.of(&[100, 200, 300, 1000]), max: u32::MAX, step: 1 };
    }
    if dice.once_in(8) {
        item.physical =
            FrameRange { min: 0, max: dice.of(&[250, 900, 5000, u32::MAX]), step: dice.of(&[1, 1, 1, 64, 96]) };
    }
    if dice.once_in(4) {
        item.alignment = dice.of(&[16, 64]);
    }
    let flags = [
        (RequirementFlags::MUST_ALLOCATE, 10),
        (RequirementFlags::PREFERENCES_ONLY, 4),
        (RequirementFlags::FRAME_INTEGRITY, 16),
        (RequirementFlags::INPLACE_MODIFIER, 24),
    ];
    for (flag, times) in flags {
        if dice.once_in(times) {
            item.requirements |= flag;
        }
    }
    item.flags = AllocatorFlags::empty();
    item
}

/// What a graph is like: how its filters hang together, and how often pins ask anything.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Chain,
    Tees,
    WideTee,
    Mixers,
    /// Tees and mixers, the branches of one tee met again.
    Tangled,
}

fn random_graph(dice: &mut Dice, kind: Kind, filters: u64) -> Graph {
    let mut graph = Graph::builder();
    graph.strategy(dice.of(&Strategy::ALL).1);
    if dice.once_in(8) {
        graph.bridges(Bridges::Forbid);
    }
    let side = dice.roll(4);
    let asks_once_in = dice.of(&[1, 2, 6]);
    let tree = !matches!(kind, Kind::Tangled);
    // Out pins and in pins that wait for a peer.
    let (mut outs, mut ins): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    for number in 0..filters {
        let name = format!("f{}{number}", dice.roll(10));
        let filter =
            if side == 0 || side == 1 && dice.once_in(3) { graph.filter(&name).kernel() } else { graph.filter(&name) };
        filter.pin("in", Direction::In);
        let (more_ins, more_outs) = match kind {
            Kind::Chain => (0, 1),
            Kind::Tees => (0, 2),
            Kind::WideTee => (0, if number == 0 { filters } else { u64::from(dice.once_in(3)) }),
            Kind::Mixers | Kind::Tangled => (u64::from(dice.once_in(3)), 1 + u64::from(dice.once_in(2))),
        };
        for pin in 0..more_outs {
            let pin = format!("out{pin}");
            graph.filter(&name).pin(&pin, Direction::Out);
            let tees = matches!(kind, Kind::Tees | Kind::WideTee);
            let kind = match dice.roll(if tees { 12 } else { 6 }) {
                0 => RouteKind::InPlace,
                1 | 2 => RouteKind::Either,
                _ => RouteKind::Pass,
            };
            graph.filter(&name).route("in", &pin, kind);
            outs.push(format!("{name}.{pin}"));
        }
        for pin in 0..more_ins.min(more_outs) {
            let pin = format!("more{pin}");
            graph.filter(&name).pin(&pin, Direction::In);
            graph.filter(&name).route(&pin, "out0", RouteKind::Pass);
            ins.push(format!("{name}.{pin}"));
        }
        if number > 0 {
            // The filter's own out pins stand last.
            let others = outs.len() - more_outs as usize;
            if others > 0 {
                let last = matches!(kind, Kind::Chain);
                let place = if last { others - 1 } else { dice.roll(others as u64) as usize };
                graph.connect(&outs.remove(place), &format!("{name}.in"));
            }
        }
    }
    for number in 0..ins.len().min(8) {
        let name = format!("source{number}");
        let pin = ins.remove(0);
        if tree || outs.is_empty() || dice.once_in(2) {
            graph.filter(&name).pin("out", Direction::Out);
            graph.connect(&format!("{name}.out"), &pin);
        } else {
            // May make a directed cycle; the test passes over those.
            let out = outs.remove(dice.roll(outs.len() as u64) as usize);
            graph.connect(&out, &pin);
        }
    }
    let mut graph = dressed(graph);
    for pin in 0..graph.pins.len() {
        if dice.once_in(asks_once_in) {
            change_pin(dice, &mut graph, pin);
        }
    }
    graph
}

fn dressed(graph: GraphBuilder) -> Graph {
    graph.build().expect("a valid graph")
}

fn change_pin(dice: &mut Dice, graph: &mut Graph, pin: usize) {
    match dice.roll(8) {
        0 => graph.pins[pin].holds = Some(dice.roll(4) as u32),
        1 => graph.pins[pin].media_size = Some(dice.of(&[100, 250, 700])),
        2 => (graph.pins[pin].holds, graph.pins[pin].media_size) = (None, None),
        3 => graph.pins[pin].framing = Framing::None,
        4 => {
            let (one, other) = (random_item(dice), random_item(dice));
            graph.pins[pin].framing = Framing::Extended(vec![one, other]);
        }
        _ => graph.pins[pin].framing = Framing::Extended(vec![random_item(dice)]),
    }
}

fn limit(pins: usize) -> u64 {
    2_000_000 + 200 * pins as u64
}

fn fresh(problem: &Problem<'_>, pins: &[PinId]) -> (Outcome, Option<Solution>) {
    let ground = problem.ground(pins, &Counted::EVERYTHING);
    let mut effort = Effort::up_to(limit(pins.len()));
    match component::solve(problem, pins, &ground, &mut effort, &Counted::EVERYTHING) {
        Some((mut solution, keys)) => {
            solution.sort();
            (Outcome::Solved { keys, proven: !effort.exhausted }, Some(solution))
        }
        None if effort.exhausted => (Outcome::Undecided { used: effort.used }, None),
        None => (Outcome::Infeasible, None),
    }
}

/// The solution that was told, after changes.
fn apply(told: &mut Solution, changes: &Changes) {
    for (pin, choice) in &changes.pins {
        match told.pins.binary_search_by_key(pin, |(pin, _)| *pin) {
            Ok(place) => told.pins[place].1 = *choice,
            Err(place) => told.pins.insert(place, (*pin, *choice)),
        }
    }
    told.cuts.retain(|cut| !changes.cuts_removed.contains(cut));
    told.cuts.extend(&changes.cuts_added);
    told.cuts.sort_unstable();
}

/// What the changes of some graphs came to.
#[derive(Debug, Default)]
struct Count {
    kept: u32,
    whole: u32,
    cut: u32,
    infeasible: u32,
}

fn changed_graphs_are_solved_as_fresh_ones(kind: Kind, seeds: std::ops::Range<u64>) -> Count {
    let mut count = Count::default();
    for seed in seeds {
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let filters = 2 + dice.roll(30);
        let mut graph = random_graph(&mut dice, kind, filters);
        let Ok(facts) = Facts::of(&graph) else { continue };
        let problem = Problem::new(&facts);
        let pieces = dice.of(&[2, 3, 5, PINS_OF_A_PIECE]);
        let mut kept: Vec<KeptComponent> = facts
            .components
            .iter()
            .map(|pins| match pieces {
                PINS_OF_A_PIECE => KeptComponent::new(&problem, pins.clone(), limit(pins.len())),
                _ => KeptComponent::in_pieces(&problem, pins.clone(), limit(pins.len()), pieces),
            })
            .collect();
        let mut told: Vec<Solution> = vec![Solution::default(); kept.len()];
        for step in 0..8 {
            let before = Facts::of(&graph).expect("no cycle");
            let (old_data, old_unknown, old_required) =
                (before.data.clone(), before.unknown_data, before.required.clone());
            drop(before);
            let mut changed = Vec::new();
            if step > 0 {
                for _ in 0..1 + dice.roll(2) {
                    let pin = dice.roll(graph.pins.len() as u64) as usize;
                    change_pin(&mut dice, &mut graph, pin);
                    changed.push(PinId(pin as u32));
                }
            }
            let facts = Facts::of(&graph).expect("no cycle");
            let depths = facts.depths();
            let problem = Problem::with_depths(&facts, &depths);
            changed.extend(graph.pin_ids().filter(|pin| facts.required[pin.index()] != old_required[pin.index()]));
            let edges: Vec<u32> = (0..facts.edges.len() as u32)
                .filter(|edge| {
                    let giver = facts.edges[*edge as usize].from.index();
                    facts.data[giver] != old_data[giver] || facts.data[giver] == 0 && facts.unknown_data != old_unknown
                })
                .collect();
            for (number, component) in kept.iter_mut().enumerate() {
                if step > 0 {
                    component.update(&problem, &changed, &edges, limit(component.pins().len()));
                }
                let (outcome, solution) = fresh(&problem, component.pins());
                assert_eq!(component.outcome(), outcome, "seed {seed}, {kind:?}, step {step}, {graph:#?}");
                assert_eq!(component.ground().classes, problem.ground(component.pins(), &Counted::EVERYTHING).classes);
                let changes = component.changes(&problem);
                assert_eq!(changes.is_some(), solution.is_some(), "seed {seed}, step {step}");
                if let (Some(changes), Some(solution)) = (changes, solution) {
                    assert_eq!(component.solution(), Some(solution.clone()), "seed {seed}, {kind:?}, step {step}");
                    apply(&mut told[number], &changes);
                    assert_eq!(told[number], solution, "seed {seed}, {kind:?}, step {step}: what is told");
                    count.cut += u32::from(!solution.cuts.is_empty());
                } else {
                    count.infeasible += 1;
                }
                match component.state {
                    State::Clusters(_) => count.kept += 1,
                    State::Whole { .. } => count.whole += 1,
                }
            }
        }
    }
    count
}

#[test]
fn trees_are_kept_and_solved_as_fresh_ones_after_any_changes() {
    for kind in [Kind::Chain, Kind::Tees, Kind::WideTee, Kind::Mixers] {
        let count = changed_graphs_are_solved_as_fresh_ones(kind, 1..60);
        println!("{kind:?}: {count:?}");
        assert!(count.kept > 20 * count.whole, "{kind:?}: {count:?}");
        assert!(count.cut > 50 && count.infeasible > 50, "{kind:?}: {count:?}");
    }
}

#[test]
fn what_is_no_tree_is_solved_as_a_fresh_one_after_any_changes() {
    let count = changed_graphs_are_solved_as_fresh_ones(Kind::Tangled, 1..40);
    assert!(count.whole > 50, "{count:?}");
}

/// A chain of so many filters, every tenth pair of which is on the other side, or none.
fn chain(filters: u32, changes_sides: bool) -> Graph {
    let mut graph = Graph::builder();
    for number in 0..filters {
        let name = format!("f{number:06}");
        let kernel = changes_sides && number / 5 % 2 == 0;
        let memory = if kernel { KSMEMORY_TYPE_KERNEL_NONPAGED } else { KSMEMORY_TYPE_SYSTEM };
        let filter = if kernel { graph.filter(&name).kernel() } else { graph.filter(&name) };
        let mut item = FramingItem { memory, frames: 1 + number % 3, ..FramingItem::default() };
        if kernel && number % 5 == 0 {
            item.requirements |= RequirementFlags::MUST_ALLOCATE;
        }
        filter.pin("in", Direction::In).item(item);
        graph.filter(&name).pin("out", Direction::Out);
        graph.filter(&name).route("in", "out", RouteKind::Pass);
        if number > 0 {
            graph.connect(&format!("f{:06}.out", number - 1), &format!("{name}.in"));
        }
    }
    dressed(graph)
}

#[test]
fn a_change_at_any_pin_of_a_long_chain_is_little_work() {
    for changes_sides in [false, true] {
        let mut graph = chain(4_000, changes_sides);
        let facts = Facts::of(&graph).expect("no cycle");
        let depths = facts.depths();
        let problem = Problem::with_depths(&facts, &depths);
        let pins = facts.components[0].clone();
        let mut kept = KeptComponent::new(&problem, pins.clone(), u64::MAX);
        let State::Clusters(clusters) = &mut kept.state else { panic!("a chain is kept") };
        let all = clusters.used();
        for pin in [0, pins.len() / 2, pins.len() - 1] {
            let item = FramingItem { memory: KSMEMORY_TYPE_SYSTEM, frames: 9, alignment: 64, ..FramingItem::default() };
            graph.pins[pin].framing = Framing::Extended(vec![item]);
            let facts = Facts::of(&graph).expect("no cycle");
            let problem = Problem::with_depths(&facts, &depths);
            let work = clusters.update(&problem, &pins, &mut kept.ground, &[PinId(pin as u32)], &[]).expect("kept");
            assert!(work * 50 < all, "{work} of {all} at pin {pin}");
        }
    }
}
