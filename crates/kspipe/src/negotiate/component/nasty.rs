//! Families of graphs whose pins have items that are all different, so that many half-built pipes might matter. Each ends in
//! bounded work, counted and not timed.

use super::solve;
use crate::graph::{Direction, FrameRange, FramingItem, Graph, GraphBuilder, RouteKind, Strategy};
use crate::negotiate::counted::Counted;
use crate::negotiate::facts::Facts;
use crate::negotiate::problem::Problem;
use crate::negotiate::random_graphs::Dice;
use crate::negotiate::table::Effort;
use ks::{
    Guid, KSMEMORY_TYPE_KERNEL_NONPAGED, KSMEMORY_TYPE_KERNEL_PAGED, KSMEMORY_TYPE_SYSTEM, KSMEMORY_TYPE_USER,
    KSMEMORY_TYPE_WILDCARD, RequirementFlags,
};

const MEMORY: [Guid; 5] = [
    KSMEMORY_TYPE_USER,
    KSMEMORY_TYPE_KERNEL_PAGED,
    KSMEMORY_TYPE_KERNEL_NONPAGED,
    KSMEMORY_TYPE_SYSTEM,
    KSMEMORY_TYPE_WILDCARD,
];

fn item(memory: Guid, frames: u64, size: u64) -> FramingItem {
    let optimal = FrameRange { min: size as u32, max: u32::MAX, step: 1 };
    FramingItem { memory, frames: frames as u32, optimal, ..FramingItem::default() }
}

fn preference(mut item: FramingItem) -> FramingItem {
    item.requirements |= RequirementFlags::PREFERENCES_ONLY;
    item
}

fn window(dice: &mut Dice, sizes: u64) -> FramingItem {
    let min = 1 + dice.roll(sizes);
    let max = (min + dice.roll(sizes)) as u32;
    FramingItem {
        physical: FrameRange { min: min as u32, max, step: 1 },
        memory: KSMEMORY_TYPE_SYSTEM,
        ..FramingItem::default()
    }
}

/// The items of one pin; its number, and the number of all.
type Items = fn(&mut Dice, u64, u64) -> Vec<FramingItem>;

const FAMILIES: [(&str, Items); 9] = [
    ("two items, all distinct", |_, pin, pins| {
        vec![item(KSMEMORY_TYPE_USER, 1, 1000 + 7 * pin), item(KSMEMORY_TYPE_SYSTEM, 1, 1000 + 5 * (pin * 7919 % pins))]
    }),
    ("three items with other frames", |dice, _, pins| {
        (0..3).map(|_| item(KSMEMORY_TYPE_USER, 1 + dice.roll(50), 1 + dice.roll(10 * pins))).collect()
    }),
    ("preferences", |dice, _, pins| {
        (0..2).map(|_| preference(item(dice.of(&MEMORY), 1 + dice.roll(50), 1 + dice.roll(10 * pins)))).collect()
    }),
    ("preferences under maxima", |dice, pin, pins| {
        let mut one = preference(item(dice.of(&MEMORY), 1 + dice.roll(50), 1 + dice.roll(10 * pins)));
        if pin % 100 == 7 {
            one = FramingItem { memory: KSMEMORY_TYPE_SYSTEM, ..FramingItem::default() };
            one.physical.max = (5 * pins + dice.roll(5 * pins)) as u32;
        }
        vec![one]
    }),
    ("windows of sizes", |dice, _, pins| (0..2).map(|_| window(dice, 10 * pins)).collect()),
    ("wide windows of sizes", |dice, _, pins| {
        let mut items: Vec<_> = (0..2).map(|_| window(dice, pins)).collect();
        items.iter_mut().for_each(|item| item.physical.max += pins as u32);
        items
    }),
    ("steppings", |dice, _, pins| {
        let mut items: Vec<_> = (0..2).map(|_| item(KSMEMORY_TYPE_SYSTEM, 1, 1 + dice.roll(pins))).collect();
        items.iter_mut().for_each(|item| item.physical.step = dice.of(&[1, 4, 6, 16, 64, 96, 512]));
        items
    }),
    ("alignments and counts", |dice, _, pins| {
        let mut items: Vec<_> =
            (0..3).map(|_| item(dice.of(&MEMORY), 1 + dice.roll(9), 1 + dice.roll(10 * pins))).collect();
        items.iter_mut().for_each(|item| item.alignment = 1 << dice.roll(13));
        items
    }),
    ("everything mixed", |dice, _, pins| {
        (0..2)
            .map(|_| {
                let mut item = item(dice.of(&MEMORY), 1 + dice.roll(9), 1 + dice.roll(10 * pins));
                item.alignment = 1 << dice.roll(13);
                match dice.roll(40) {
                    0..10 => item.requirements |= RequirementFlags::PREFERENCES_ONLY,
                    10..12 => item.requirements |= RequirementFlags::MUST_ALLOCATE,
                    12..20 => item.requirements |= RequirementFlags::INPLACE_MODIFIER,
                    20 => item.requirements |= RequirementFlags::FRAME_INTEGRITY,
                    21..23 => item.physical.max = (8 * pins) as u32 + dice.roll(10 * pins) as u32,
                    _ => {}
                }
                item
            })
            .collect()
    }),
];

/// How the filters hang together.
#[derive(Clone, Copy, Debug)]
enum Form {
    /// One pipe, if it can be.
    Chain,
    /// A pin in the middle allocates in the kernel, so that a chain of user mode is parted there.
    Parted,
    /// Filters of both sides, routes of all kinds.
    Mixed,
    Tees,
}

fn graph(form: Form, strategy: Strategy, pins: u64, items: Items) -> Graph {
    let mut dice = Dice(0x5eed_5eed);
    let mut graph = Graph::builder();
    graph.strategy(strategy);
    let filters = pins / 2;
    let dress = |graph: &mut GraphBuilder, dice: &mut Dice, name: &str, pin: &str, direction, number| {
        for item in items(dice, number, pins) {
            graph.filter(name).pin(pin, direction).item(item);
        }
    };
    for number in 0..filters {
        let name = format!("f{number:06}");
        let is_kernel = match form {
            Form::Parted => number == filters / 2,
            Form::Mixed => dice.once_in(2),
            Form::Chain | Form::Tees => false,
        };
        let filter = if is_kernel { graph.filter(&name).kernel() } else { graph.filter(&name) };
        filter.pin("in", Direction::In);
        if is_kernel && matches!(form, Form::Parted) {
            let requirements = RequirementFlags::MUST_ALLOCATE;
            let item = FramingItem { memory: KSMEMORY_TYPE_KERNEL_NONPAGED, requirements, ..FramingItem::default() };
            graph.filter(&name).pin("in", Direction::In).item(item);
        } else {
            dress(&mut graph, &mut dice, &name, "in", Direction::In, 2 * number);
        }
        let outs: &[&str] = if matches!(form, Form::Tees) { &["out0", "out1"] } else { &["out0"] };
        for out in outs {
            graph.filter(&name).pin(out, Direction::Out);
            let kind = match form {
                Form::Chain | Form::Parted => RouteKind::InPlace,
                Form::Tees => RouteKind::Pass,
                Form::Mixed => dice.of(&[RouteKind::InPlace, RouteKind::Either, RouteKind::Pass, RouteKind::Pass]),
            };
            graph.filter(&name).route("in", out, kind);
            dress(&mut graph, &mut dice, &name, out, Direction::Out, 2 * number + 1);
        }
        if number > 0 {
            let from = match form {
                Form::Tees => format!("f{:06}.out{}", (number - 1) / 2, (number - 1) % 2),
                _ => format!("f{:06}.out0", number - 1),
            };
            graph.connect(&from, &format!("{name}.in"));
        }
    }
    graph.build().expect("a valid graph")
}

/// Joins and comparisons a pin, and whether all of them were enough.
fn work(form: Form, strategy: Strategy, pins: u64, items: Items) -> (u64, bool) {
    let graph = graph(form, strategy, pins, items);
    let facts = Facts::of(&graph).expect("no cycle");
    let problem = Problem::new(&facts);
    let (mut used, mut exhausted) = (0, false);
    for pins in facts.components().map(|component| facts.component(component)) {
        let ground = problem.ground(pins, &Counted::EVERYTHING);
        let mut effort = Effort::up_to(60_000_000 + 200 * pins.len() as u64);
        solve(&problem, pins, &ground, &mut effort, &Counted::EVERYTHING);
        used += effort.used;
        exhausted |= effort.exhausted;
    }
    (used / graph.pins().len() as u64, !exhausted)
}

/// `KSPIPE_NASTY_PINS` is the number of pins (1,000).
#[test]
fn items_that_are_all_different_are_bounded_work() {
    let pins = std::env::var("KSPIPE_NASTY_PINS").ok().and_then(|pins| pins.parse().ok()).unwrap_or(1_000);
    for form in [Form::Chain, Form::Parted, Form::Mixed, Form::Tees] {
        for (family, items) in FAMILIES {
            for (_, strategy) in Strategy::ALL {
                // What of all sizes preferred is met must be told apart for each place of the cuts: this one grows.
                if matches!((form, family, strategy), (Form::Parted, "preferences", Strategy::MinimizeFrameSize)) {
                    continue;
                }
                let (each, is_enough) = work(form, strategy, pins, items);
                println!("{form:?} {family:<32} {strategy:?}: {each} a pin");
                let case = format!("{form:?}, {family}, {strategy:?}: {each} a pin");
                assert!(is_enough, "{case}");
                assert!(each < 12_000, "{case}");
            }
        }
    }
}
