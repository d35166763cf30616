//! What holds for every graph, whatever the numbers.
//!
//! `KSPIPE_ORACLE_GRAPHS` (5,000) says how many graphs are taken, each law a part of them; `KSPIPE_ORACLE_SEED` is a number
//! that chooses them. Each law is tried on small graphs full of conflicts and on some of up to 250 pins.

mod oracle;

use ks::{KSMEMORY_TYPE_WILDCARD, RequirementFlags};
use kspipe::graph::{FrameRange, FramingItem, Graph, Mode, PinId};
use kspipe::negotiate::describe::plan_text;
use kspipe::negotiate::{Cost, NegotiateError, Pipe, Plan, error_json, negotiate, plan_json};
use oracle::file::{Shuffle, expressible, read, shuffled, written};
use oracle::generate::{graphs, large_graphs};
use oracle::on_random_graphs;
use oracle::rebuilt::{BETWEEN, Parts, rebuilt, widened};
use proptest::test_runner::TestCaseError;
use std::cell::Cell;

fn answer(graph: &Graph) -> Result<Plan, NegotiateError> {
    negotiate(graph)
}

fn keys(graph: &Graph, plan: &Plan) -> Vec<u128> {
    Cost::keys(&plan.cost, graph.strategy())
}

fn fail<T>(message: String) -> Result<T, TestCaseError> {
    Err(TestCaseError::fail(message))
}

/// Tries a law on one of `small` of the small graphs, and on one of `large` of as many large ones.
fn on_graphs(small: u64, large: u64, law: impl Fn(&Graph) -> Result<(), TestCaseError>) {
    on_random_graphs(graphs(), small, &law);
    let (pins, graphs, largest) = (Cell::new(0), Cell::new(0), Cell::new(0));
    on_random_graphs(large_graphs(), large, |graph| {
        graphs.set(graphs.get() + 1);
        pins.set(pins.get() + graph.pins().len());
        largest.set(largest.get().max(graph.pins().len()));
        law(graph)
    });
    println!(
        "{} large graphs, {} pins on average, {} at most",
        graphs.get(),
        pins.get() / graphs.get().max(1),
        largest.get()
    );
    assert!(largest.get() > 100 || graphs.get() < 10, "no graph is large");
}

/// Everything that is said of a graph: the plan as JSON and as text, or the error.
fn said(graph: &Graph, answer: &Result<Plan, NegotiateError>) -> String {
    match answer {
        Ok(plan) => format!("{:#}\n{}", plan_json(graph, plan), plan_text(graph, plan, true)),
        Err(error) => format!("{:#}\n{}", error_json(graph, error), error.describe(graph)),
    }
}

#[test]
fn the_order_of_filters_pins_and_connections_in_the_file_changes_not_a_letter() {
    on_graphs(10, 250, |graph| {
        let parts = expressible(&Parts::of(graph));
        let first = read(&written(&parts));
        if first != parts.build() {
            return fail(format!("reading: another graph is read than was written:\n{}", written(&parts)));
        }
        let answer_of_first = answer(&first);
        for seed in 1..3 {
            let text = written(&shuffled(&parts, seed));
            let other = read(&text);
            let answer = answer(&other);
            if answer != answer_of_first {
                return fail(format!("plan: {answer_of_first:#?}\n{answer:#?}\n{text}"));
            }
            let (one, two) = (said(&first, &answer_of_first), said(&other, &answer));
            if one != two {
                return fail(format!("words:\n{one}\n{two}\n{text}"));
            }
        }
        Ok(())
    });
}

#[test]
fn the_order_of_a_pins_items_changes_only_their_numbers() {
    on_graphs(10, 250, |graph| {
        let turned = rebuilt(graph, |pin, items| Shuffle(pin.index() as u64).shuffle(items));
        match (answer(graph), answer(&turned)) {
            (Ok(mut plan), Ok(mut other)) => {
                // The items' places differ with their order; what they ask does not.
                for pin in graph.pin_ids() {
                    let item = |graph: &Graph, plan: &Plan| {
                        plan.items[pin.index()].map(|item| graph.pin(pin).items()[item as usize].clone())
                    };
                    if item(graph, &plan) != item(&turned, &other) {
                        return fail(format!("{} uses another item", graph.pin_name(pin)));
                    }
                }
                plan.items.clear();
                other.items.clear();
                if plan != other {
                    return fail(format!("plan: {plan:#?}\n{other:#?}"));
                }
            }
            (Err(error), Err(other)) if std::mem::discriminant(&error) == std::mem::discriminant(&other) => {}
            (one, other) => return fail(format!("verdict: {one:?}\n{other:?}")),
        }
        Ok(())
    });
}

#[test]
fn asking_less_never_costs_more() {
    type Less = fn(&mut FramingItem);
    let changes: [(&str, Less); 7] = [
        ("a maximum opened", |item| item.physical.max = u32::MAX),
        ("a maximum raised", |item| item.physical.max = item.physical.max.saturating_add(63)),
        ("a step of 1", |item| item.physical.step = 1),
        ("fewer frames", |item| item.frames /= 2),
        ("MUST_ALLOCATE dropped", |item| item.requirements.remove(RequirementFlags::MUST_ALLOCATE)),
        ("FRAME_INTEGRITY dropped", |item| item.requirements.remove(RequirementFlags::FRAME_INTEGRITY)),
        // A kernel pin that must allocate shares mapped device memory with a user-mode pin; one that prefers to does not.
        ("a preference", |item| {
            if !item.must_allocate() {
                item.requirements.insert(RequirementFlags::PREFERENCES_ONLY);
            }
        }),
    ];
    on_graphs(20, 250, |graph| {
        let Ok(plan) = answer(graph) else { return Ok(()) };
        let any_memory = |pin, items: &mut Vec<FramingItem>| {
            for item in items.iter_mut().filter(|item| reaches(graph, pin, item.memory)) {
                item.memory = KSMEMORY_TYPE_WILDCARD;
            }
        };
        costs_no_more(graph, &plan, "any memory", &rebuilt(graph, any_memory))?;
        let asking: Vec<PinId> = asking_pins(graph);
        for pin in &asking {
            let relaxed = rebuilt(graph, |other, items| {
                if other == *pin {
                    any_memory(other, items);
                }
            });
            costs_no_more(graph, &plan, "any memory for one pin", &relaxed)?;
        }
        for (name, less) in changes {
            costs_no_more(graph, &plan, name, &rebuilt(graph, |_, items| items.iter_mut().for_each(less)))?;
            for asking in &asking {
                let relaxed = rebuilt(graph, |pin, items| {
                    if pin == *asking {
                        items.iter_mut().for_each(less);
                    }
                });
                costs_no_more(graph, &plan, name, &relaxed)?;
            }
        }
        Ok(())
    });
}

/// Pins with items: all of them in a small graph, three in a large one.
fn asking_pins(graph: &Graph) -> Vec<PinId> {
    let mut asking: Vec<PinId> = graph.pin_ids().filter(|pin| !graph.pin(*pin).items().is_empty()).collect();
    if graph.pins().len() > 20 {
        Shuffle(graph.pins().len() as u64).shuffle(&mut asking);
        asking.truncate(3);
    }
    asking
}

/// Whether a wildcard of the pin means this memory too.
fn reaches(graph: &Graph, pin: PinId, memory: ks::Guid) -> bool {
    let system = [
        KSMEMORY_TYPE_WILDCARD,
        ks::KSMEMORY_TYPE_SYSTEM,
        ks::KSMEMORY_TYPE_KERNEL_PAGED,
        ks::KSMEMORY_TYPE_KERNEL_NONPAGED,
    ];
    let device = graph.device_memory(memory).is_some_and(|device| match graph.mode(pin) {
        Mode::Kernel => device.host_mappable,
        Mode::User => device.user_mappable,
    });
    // Who asks for user memory also takes device memory that the kernel cannot reach.
    let user = memory == ks::KSMEMORY_TYPE_USER && graph.mode(pin) == Mode::User;
    device || user || system.contains(&memory)
}

/// The keys that are proven are least first, so those of who asks less are no more.
fn costs_no_more(graph: &Graph, plan: &Plan, what: &str, relaxed: &Graph) -> Result<(), TestCaseError> {
    match answer(relaxed) {
        Ok(other) => {
            let proven = usize::from(other.proven);
            let (less, more) = (keys(relaxed, &other), keys(graph, plan));
            if less[..proven] <= more[..proven] {
                return Ok(());
            }
            fail(format!("{what}: {:?}\n{:?}", plan.cost, other.cost))
        }
        Err(NegotiateError::Undecided { .. }) => Ok(()),
        Err(error) => fail(format!("{what}: {:?}\n{error:?}", plan.cost)),
    }
}

#[test]
fn another_alternative_never_costs_more() {
    on_graphs(20, 250, |graph| {
        let Ok(plan) = answer(graph) else { return Ok(()) };
        for asking in asking_pins(graph) {
            let Some(first) = graph.pin(asking).items().first() else { continue };
            // Alternatives that leave alone what a pin's data are: the smallest capacity any item states.
            let alternatives = [
                FramingItem { memory: ks::KSMEMORY_TYPE_USER, ..first.clone() },
                FramingItem { frames: first.frames.saturating_add(1), alignment: 64, ..first.clone() },
                FramingItem { requirements: RequirementFlags::PREFERENCES_ONLY, ..first.clone() },
                FramingItem {
                    requirements: RequirementFlags::MUST_ALLOCATE,
                    physical: FrameRange::OPEN,
                    ..first.clone()
                },
            ];
            for alternative in alternatives {
                let richer = rebuilt(graph, |pin, items| {
                    if pin == asking {
                        items.push(alternative.clone());
                    }
                });
                costs_no_more(graph, &plan, &format!("{alternative:?} at {asking:?}"), &richer)?;
            }
        }
        Ok(())
    });
}

/// What a plan says of its pipes, in whatever order they stand: their pins by name, and their numbers.
fn numbers(graph: &Graph, plan: &Plan) -> Vec<(Vec<String>, ks::Guid, u64, u64, u64)> {
    let mut numbers: Vec<_> = (plan.pipes.iter())
        .map(|pipe| {
            let names = pipe.pins.iter().map(|pin| graph.pin_name(*pin));
            let mut names: Vec<String> = names.filter(|name| !name.starts_with(BETWEEN)).collect();
            names.sort();
            (names, pipe.memory_type, pipe.frames, pipe.frame_size, pipe.alignment)
        })
        .collect();
    numbers.sort();
    numbers
}

#[test]
fn a_filter_between_that_asks_nothing_changes_no_number() {
    on_graphs(20, 250, |graph| {
        let Ok(plan) = answer(graph) else { return Ok(()) };
        let depth = |graph: &Graph, cost: &Cost| Cost { depth: 0, ..*cost }.keys(graph.strategy());
        for connection in graph.connections() {
            if graph.mode(connection.from) != graph.mode(connection.to) {
                continue;
            }
            let longer = widened(graph, *connection);
            let other = match answer(&longer) {
                Ok(other) => other,
                Err(error) => return Err(TestCaseError::fail(format!("{connection:?}: {error:#?}"))),
            };
            // Where frames are cut, the depth of the cuts may choose another of them: then there are more pins above.
            let same = match plan.cost.depth {
                0 => numbers(graph, &plan) == numbers(&longer, &other) && other.cost == plan.cost,
                _ => {
                    other.cost.bytes_copied == plan.cost.bytes_copied
                        && (other.cost.depth > plan.cost.depth
                            || depth(graph, &plan.cost) == depth(&longer, &other.cost))
                }
            };
            if !same {
                return Err(TestCaseError::fail(format!("{connection:?}\n{plan:#?}\n{other:#?}")));
            }
        }
        Ok(())
    });
}

#[test]
fn a_plan_asked_for_is_the_plan() {
    on_graphs(5, 250, |graph| {
        let Ok(plan) = answer(graph) else { return Ok(()) };
        // Who asks for user memory takes mapped device memory too, which is more than the plan says: pipes may be one that
        // were two.
        let mapped = |memory| graph.device_memory(memory).is_some_and(|device| device.user_mappable);
        let in_user_memory = |pipe: &Pipe| pipe.memory_type == ks::KSMEMORY_TYPE_USER;
        let takes_more = plan.pipes.iter().any(|pipe| mapped(pipe.memory_type))
            && plan.pipes.iter().any(in_user_memory)
            || graph.device_memories().values().any(|device| device.user_mappable)
                && plan.pipes.iter().any(|pipe| in_user_memory(pipe) && pipe.mode == Mode::Kernel);
        if takes_more {
            return Ok(());
        }
        // A pin's data can be those of an item that the plan does not use, or of a preference that is not met.
        let states =
            |pin: PinId| graph.pin(pin).items().iter().map(FramingItem::capacity).filter(|bytes| *bytes > 0).min();
        if graph.pin_ids().any(|pin| states(pin).is_some_and(|bytes| u64::from(bytes) > plan.pipe(pin).frame_size)) {
            return Ok(());
        }
        let asked = rebuilt(graph, |pin, items| {
            let pipe = plan.pipe(pin);
            let size = u32::try_from(pipe.frame_size);
            let (Ok(frames), Ok(size)) = (u32::try_from(pipe.frames), size) else { return };
            let capacity = states(pin).unwrap_or(0);
            let chosen = plan.items[pin.index()].map(|item| items[item as usize].clone());
            let chosen = chosen.unwrap_or_default();
            let mut requirements = chosen.requirements.difference(RequirementFlags::PREFERENCES_ONLY);
            if pipe.allocator.pin != Some(pin) {
                // What was preferred and not granted cannot be asked for.
                requirements.remove(RequirementFlags::MUST_ALLOCATE);
            }
            *items = vec![FramingItem {
                memory: pipe.memory_type,
                physical: FrameRange::exactly(size),
                optimal: FrameRange { min: capacity, ..FrameRange::OPEN },
                alignment: pipe.alignment,
                frames,
                requirements,
                ..chosen
            }];
        });
        match answer(&asked) {
            Ok(other)
                if numbers(&asked, &other) == numbers(graph, &plan)
                    && other.bridges == plan.bridges
                    && other.copies == plan.copies => {}
            other => {
                let other = other.map(|other| (numbers(&asked, &other), other.cost));
                let plan = (numbers(graph, &plan), plan.cost);
                return Err(TestCaseError::fail(format!("{plan:?}\n{other:?}")));
            }
        }
        Ok(())
    });
}

/// The graph with only these pins asking anything.
fn only_asking(graph: &Graph, asking: &[PinId]) -> Graph {
    let mut parts = Parts::of(graph);
    for (id, pin) in graph.pin_ids().zip(&mut parts.pins) {
        if !asking.contains(&id) {
            pin.items.clear();
            pin.media_size = None;
            pin.holds = pin.holds.map(|_| 0);
        }
    }
    parts.build()
}

#[test]
fn a_conflict_names_no_pin_too_many_and_none_too_few() {
    on_random_graphs(graphs(), 5, |graph| {
        let Err(NegotiateError::Infeasible(infeasible)) = answer(graph) else { return Ok(()) };
        let fail = |what: &str| Err(TestCaseError::fail(format!("{what}\n{infeasible:#?}")));
        // What frames carry is asked by who is silenced here, too.
        let is_of_data = |text: &str| text.contains("must fit where they are copied");
        let stated = graph.pins().iter().any(|pin| pin.compression().is_stated());
        if stated || infeasible.asks.iter().any(|(_, text)| is_of_data(text)) {
            return Ok(());
        }
        let asking: Vec<PinId> =
            infeasible.asks.iter().filter(|(_, text)| text.ends_with("mode)")).map(|(pin, _)| *pin).collect();
        if infeasible.pins.is_empty() || infeasible.asks.iter().any(|(pin, _)| !infeasible.pins.contains(pin)) {
            return fail("somebody is at fault, and named");
        }
        if answer(&only_asking(graph, &asking)).is_ok() {
            return fail("somebody else is at fault");
        }
        for left_out in &asking {
            let rest: Vec<PinId> = asking.iter().copied().filter(|pin| pin != left_out).collect();
            // Another part of the graph may have no plan either.
            if let Err(NegotiateError::Infeasible(other)) = answer(&only_asking(graph, &rest))
                && other.pins.iter().any(|pin| infeasible.pins.contains(pin))
            {
                return fail(&format!("{} is not at fault", graph.pin_name(*left_out)));
            }
        }
        Ok(())
    });
}
