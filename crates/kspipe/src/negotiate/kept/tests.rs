//! What is kept gives what a fresh solution gives, after any changes. `KSPIPE_KEPT_GRAPHS` is the number of graphs of each
//! kind (60).

use super::{KeptComponent, Outcome, State};
use crate::graph::{Change, Connection, Direction, Framing, FramingItem, Graph, PinId, RouteKind};
use crate::negotiate::clusters::{Changes, Clusters};
use crate::negotiate::component;
use crate::negotiate::counted::Counted;
use crate::negotiate::decomposition::PINS_OF_A_PIECE;
use crate::negotiate::facts::Facts;
use crate::negotiate::problem::Problem;
use crate::negotiate::random_graphs::{Dice, Kind, change_pin, dressed, random_graph};
use crate::negotiate::table::Effort;
use crate::negotiate::trace::Solution;
use ks::{KSMEMORY_TYPE_KERNEL_NONPAGED, KSMEMORY_TYPE_SYSTEM, RequirementFlags};

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
        let mut clusters = Clusters::new(graph.pins().len(), pieces);
        let mut kept: Vec<KeptComponent> = facts
            .components()
            .map(|component| facts.component(component))
            .map(|pins| KeptComponent::new(&problem, &mut clusters, pins, limit(pins.len())))
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
            let problem = Problem::new(&facts);
            changed.extend(graph.pin_ids().filter(|pin| facts.required[pin.index()] != old_required[pin.index()]));
            let edges: Vec<u32> = (0..facts.edges.len() as u32)
                .filter(|edge| {
                    let giver = facts.edges[*edge as usize].from.index();
                    facts.data[giver] != old_data[giver] || facts.data[giver] == 0 && facts.unknown_data != old_unknown
                })
                .collect();
            for (number, component) in kept.iter_mut().enumerate() {
                let pins = facts.component(number as u32);
                if step > 0 {
                    let is_in = |pin: PinId| facts.component_of(pin) == number as u32;
                    let changed: Vec<PinId> = changed.iter().copied().filter(|pin| is_in(*pin)).collect();
                    let edges = edges.iter().copied().filter(|edge| is_in(facts.edges[*edge as usize].from));
                    let edges: Vec<u32> = edges.collect();
                    component.update(&problem, &mut clusters, number as u32, (&changed, &edges), limit(pins.len()));
                }
                let (outcome, solution) = fresh(&problem, pins);
                assert_eq!(
                    component.outcome(&problem, &clusters),
                    outcome,
                    "seed {seed}, {kind:?}, step {step}, {graph:#?}"
                );
                assert_eq!(component.ground().classes, problem.ground(pins, &Counted::EVERYTHING).classes);
                let changes = component.changes(&problem, &mut clusters);
                assert_eq!(changes.is_some(), solution.is_some(), "seed {seed}, step {step}");
                if let (Some(changes), Some(solution)) = (changes, solution) {
                    assert_eq!(
                        component.solution(&clusters),
                        Some(solution.clone()),
                        "seed {seed}, {kind:?}, step {step}"
                    );
                    apply(&mut told[number], &changes);
                    assert_eq!(told[number], solution, "seed {seed}, {kind:?}, step {step}: what is told");
                    count.cut += u32::from(!solution.cuts.is_empty());
                } else {
                    count.infeasible += 1;
                }
                match component.state {
                    State::Clusters { .. } => count.kept += 1,
                    State::Whole { .. } => count.whole += 1,
                }
            }
        }
    }
    count
}

fn graphs() -> u64 {
    std::env::var("KSPIPE_KEPT_GRAPHS").ok().and_then(|graphs| graphs.parse().ok()).unwrap_or(60)
}

#[test]
fn trees_are_kept_and_solved_as_fresh_ones_after_any_changes() {
    for kind in [Kind::Chain, Kind::Tees, Kind::WideTee, Kind::Mixers] {
        let count = changed_graphs_are_solved_as_fresh_ones(kind, 1..graphs());
        println!("{kind:?}: {count:?}");
        assert!(count.kept > 20 * count.whole, "{kind:?}: {count:?}");
        assert!(count.cut > 50 && count.infeasible > 50, "{kind:?}: {count:?}");
    }
}

#[test]
fn what_is_no_tree_is_solved_as_a_fresh_one_after_any_changes() {
    let count = changed_graphs_are_solved_as_fresh_ones(Kind::Tangled, 1..graphs());
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
        let problem = Problem::new(&facts);
        let pins = facts.component(0).to_vec();
        let mut clusters = Clusters::new(graph.pins().len(), PINS_OF_A_PIECE);
        let mut kept = KeptComponent::new(&problem, &mut clusters, &pins, u64::MAX);
        let root = kept.tree().expect("a chain is kept");
        let all = clusters.used(root);
        for pin in [0, pins.len() / 2, pins.len() - 1] {
            let item = FramingItem { memory: KSMEMORY_TYPE_SYSTEM, frames: 9, alignment: 64, ..FramingItem::default() };
            graph.pins[pin].framing = Framing::Extended(vec![item]);
            let facts = Facts::of(&graph).expect("no cycle");
            let problem = Problem::new(&facts);
            let work = clusters.update(&problem, root, &mut kept.ground, &[PinId(pin as u32)], &[]).expect("kept");
            assert!(work * 50 < all, "{work} of {all} at pin {pin}");
        }
    }
}

#[test]
fn a_connection_of_a_long_chain_that_comes_or_goes_is_little_work() {
    for (changes_sides, places) in [(false, &[0, 2_000, 3_998][..]), (true, &[2_000])] {
        let mut graph = chain(4_000, changes_sides);
        let facts = Facts::of(&graph).expect("no cycle");
        let problem = Problem::new(&facts);
        let pins = facts.component(0).to_vec();
        let mut clusters = Clusters::new(graph.pins().len(), PINS_OF_A_PIECE);
        let mut kept = KeptComponent::new(&problem, &mut clusters, &pins, u64::MAX);
        let all = clusters.used(kept.tree().expect("a chain is kept"));
        for place in places {
            let connection = graph.connections()[*place];
            let Connection { from, to } = connection;
            let number = Facts::of(&graph).expect("no cycle").edge_of(&graph, from, to).expect("its place");
            graph.change(Change::Disconnect(connection)).expect("it fits");
            let facts = Facts::of(&graph).expect("no cycle");
            let problem = Problem::new(&facts);
            let (above, below) = clusters.part(number, to);
            let mut work = 0;
            let [mut upper, lower] = [above, below].map(|root| {
                let mut parted = kept.parted(root);
                work += clusters.update(&problem, root, &mut parted.ground, &[], &[]).expect("kept");
                parted
            });
            assert!(work * 30 < all, "{work} of {all} to part at {place}");
            graph.change(Change::Connect(connection)).expect("it fits");
            let facts = Facts::of(&graph).expect("no cycle");
            let problem = Problem::new(&facts);
            upper.join(&mut clusters, &facts, &lower, (number, from, to));
            let root = upper.tree().expect("kept");
            let work = clusters.update(&problem, root, &mut upper.ground, &[], &[]).expect("kept");
            assert!(work * 30 < all, "{work} of {all} to join at {place}");
            assert_eq!(upper.outcome(&problem, &clusters), fresh(&problem, &pins).0);
            kept = upper;
        }
    }
}
