//! What holds for every graph, whatever the numbers.
//!
//! `KSPIPE_ORACLE_GRAPHS` is the number of graphs a law (2,000), `KSPIPE_ORACLE_SEED` a number that chooses them.

mod oracle;

use ks::{KSMEMORY_TYPE_WILDCARD, RequirementFlags};
use kspipe::graph::{
    Connection, Direction, FrameRange, Framing, FramingItem, Graph, GraphBuilder, Mode, PinId, RouteKind,
};
use kspipe::negotiate::{Cost, NegotiateError, Plan, negotiate};
use oracle::generate::graphs;
use oracle::on_random_graphs;
use proptest::test_runner::TestCaseError;

/// What is put into a connection: a filter that passes frames on and asks nothing.
const BETWEEN: &str = "between";

/// A graph like another, written down in the opposite order, the items of each pin changed by `change`.
fn rebuilt(graph: &Graph, change: impl Fn(PinId, &mut Vec<FramingItem>)) -> Graph {
    draft(graph, None, change).build().expect("as valid as the other")
}

/// The same as a draft, with a filter in the middle of a connection.
fn draft(graph: &Graph, widened: Option<Connection>, change: impl Fn(PinId, &mut Vec<FramingItem>)) -> GraphBuilder {
    let mut builder: GraphBuilder = Graph::builder();
    builder.strategy(graph.strategy()).bridges(graph.bridges());
    for (memory, device) in graph.device_memories() {
        builder.memory(*memory, device.clone());
    }
    let pins: Vec<PinId> = graph.pin_ids().collect();
    for id in pins.into_iter().rev() {
        let pin = graph.pin(id);
        let filter = graph.filter(pin.filter());
        let mut items = pin.items().to_vec();
        change(id, &mut items);
        let framing = match (pin.framing(), &items[..]) {
            (_, []) => Framing::None,
            (Framing::Old(_), [only]) => Framing::Old(Box::new(only.clone())),
            _ => Framing::Extended(items),
        };
        let mut draft = builder.filter(filter.name()).mode(filter.mode()).pin(pin.name(), pin.direction());
        draft = draft.framing(framing).compression(pin.compression());
        if let Some(holds) = pin.holds() {
            draft = draft.holds(holds);
        }
        if let Some(bytes) = pin.media_size() {
            draft.media_size(bytes);
        }
    }
    for connection in graph.connections().iter().rev() {
        let (from, to) = (graph.pin_name(connection.from), graph.pin_name(connection.to));
        if widened == Some(*connection) {
            let mut filter = builder.filter(BETWEEN).mode(graph.mode(connection.from));
            filter.pin("in", Direction::In);
            filter = builder.filter(BETWEEN);
            filter.pin("out", Direction::Out);
            builder.filter(BETWEEN).route("in", "out", RouteKind::Pass);
            builder.connect(&from, &format!("{BETWEEN}.in"));
            builder.connect(&format!("{BETWEEN}.out"), &to);
        } else {
            builder.connect(&from, &to);
        }
    }
    for route in graph.routes().iter().rev() {
        let filter = graph.filter(graph.pin(route.from).filter()).name().to_owned();
        builder.filter(&filter).route(graph.pin(route.from).name(), graph.pin(route.to).name(), route.kind);
    }
    builder
}

fn answer(graph: &Graph) -> Result<Plan, NegotiateError> {
    negotiate(graph)
}

fn keys(graph: &Graph, plan: &Plan) -> Vec<u128> {
    Cost::keys(&plan.cost, graph.strategy())
}

#[test]
fn the_order_of_pins_items_connections_and_routes_changes_nothing() {
    on_random_graphs(graphs(), 2, |draft| {
        let graph = draft.build();
        let turned = rebuilt(&graph, |_, items| items.reverse());
        match (answer(&graph), answer(&turned)) {
            (Ok(mut plan), Ok(mut other)) => {
                // The items' places differ with their order; what they ask does not.
                for pin in graph.pin_ids() {
                    let item = |graph: &Graph, plan: &Plan| {
                        plan.items[pin.index()].map(|item| graph.pin(pin).items()[item as usize].clone())
                    };
                    if item(&graph, &plan) != item(&turned, &other) {
                        return Err(TestCaseError::fail(format!("{} uses another item", graph.pin_name(pin))));
                    }
                }
                plan.items.clear();
                other.items.clear();
                if plan != other {
                    return Err(TestCaseError::fail(format!("{plan:#?}\n{other:#?}")));
                }
            }
            (Err(error), Err(other)) if std::mem::discriminant(&error) == std::mem::discriminant(&other) => {}
            (one, other) => return Err(TestCaseError::fail(format!("{one:?}\n{other:?}"))),
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
    on_random_graphs(graphs(), 4, |draft| {
        let graph = draft.build();
        let Ok(plan) = answer(&graph) else { return Ok(()) };
        let any_memory = |pin, items: &mut Vec<FramingItem>| {
            for item in items.iter_mut().filter(|item| reaches(&graph, pin, item.memory)) {
                item.memory = KSMEMORY_TYPE_WILDCARD;
            }
        };
        costs_no_more(&graph, &plan, "any memory", &rebuilt(&graph, any_memory))?;
        for (name, less) in changes {
            costs_no_more(&graph, &plan, name, &rebuilt(&graph, |_, items| items.iter_mut().for_each(less)))?;
            for asking in graph.pin_ids().filter(|pin| !graph.pin(*pin).items().is_empty()) {
                let relaxed = rebuilt(&graph, |pin, items| {
                    if pin == asking {
                        items.iter_mut().for_each(less);
                    }
                });
                costs_no_more(&graph, &plan, name, &relaxed)?;
            }
        }
        Ok(())
    });
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

fn costs_no_more(graph: &Graph, plan: &Plan, what: &str, relaxed: &Graph) -> Result<(), TestCaseError> {
    match answer(relaxed) {
        Ok(other) if keys(relaxed, &other) <= keys(graph, plan) => Ok(()),
        other => {
            let other = other.map(|other| other.cost);
            Err(TestCaseError::fail(format!("{what}: {:?}\n{other:?}", plan.cost)))
        }
    }
}

#[test]
fn another_alternative_never_costs_more() {
    on_random_graphs(graphs(), 4, |draft| {
        let graph = draft.build();
        let Ok(plan) = answer(&graph) else { return Ok(()) };
        for asking in graph.pin_ids() {
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
                let richer = rebuilt(&graph, |pin, items| {
                    if pin == asking {
                        items.push(alternative.clone());
                    }
                });
                costs_no_more(&graph, &plan, &format!("{alternative:?} at {asking:?}"), &richer)?;
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
    on_random_graphs(graphs(), 4, |random| {
        let graph = random.build();
        let Ok(plan) = answer(&graph) else { return Ok(()) };
        let depth = |graph: &Graph, cost: &Cost| Cost { depth: 0, ..*cost }.keys(graph.strategy());
        for connection in graph.connections() {
            if graph.mode(connection.from) != graph.mode(connection.to) {
                continue;
            }
            let longer = draft(&graph, Some(*connection), |_, _| {}).build().expect("as valid as the other");
            let other = match answer(&longer) {
                Ok(other) => other,
                Err(error) => return Err(TestCaseError::fail(format!("{connection:?}: {error:#?}"))),
            };
            // Where frames are cut, the depth of the cuts may choose another of them: then there are more pins above.
            let same = match plan.cost.depth {
                0 => numbers(&graph, &plan) == numbers(&longer, &other) && other.cost == plan.cost,
                _ => {
                    other.cost.bytes_copied == plan.cost.bytes_copied
                        && (other.cost.depth > plan.cost.depth
                            || depth(&graph, &plan.cost) == depth(&longer, &other.cost))
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
    on_random_graphs(graphs(), 1, |draft| {
        let graph = draft.build();
        // What was preferred and not granted cannot be asked for.
        let Some(plan) = answer(&graph).ok().filter(|plan| plan.cost.departures == 0) else { return Ok(()) };
        // Who asks for user memory takes mapped device memory too, which is more than the plan says.
        if graph.device_memories().values().any(|device| device.user_mappable) {
            return Ok(());
        }
        // A pin's data can be those of an item that the plan does not use.
        let states =
            |pin: PinId| graph.pin(pin).items().iter().map(FramingItem::capacity).filter(|bytes| *bytes > 0).min();
        if graph.pin_ids().any(|pin| states(pin).is_some_and(|bytes| u64::from(bytes) > plan.pipe(pin).frame_size)) {
            return Ok(());
        }
        let asked = rebuilt(&graph, |pin, items| {
            let pipe = plan.pipe(pin);
            let size = u32::try_from(pipe.frame_size);
            let (Ok(frames), Ok(size)) = (u32::try_from(pipe.frames), size) else { return };
            let capacity = states(pin).unwrap_or(0);
            let chosen = plan.items[pin.index()].map(|item| items[item as usize].clone());
            let chosen = chosen.unwrap_or_default();
            let requirements = chosen.requirements.difference(RequirementFlags::PREFERENCES_ONLY);
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
                if numbers(&asked, &other) == numbers(&graph, &plan)
                    && other.bridges == plan.bridges
                    && other.copies == plan.copies => {}
            other => {
                let other = other.map(|other| (numbers(&asked, &other), other.cost));
                let plan = (numbers(&graph, &plan), plan.cost);
                return Err(TestCaseError::fail(format!("{plan:?}\n{other:?}")));
            }
        }
        Ok(())
    });
}

/// The graph with only these pins asking anything.
fn only_asking(graph: &Graph, asking: &[PinId]) -> Graph {
    let mut builder = draft(graph, None, |pin, items| {
        if !asking.contains(&pin) {
            items.clear();
        }
    });
    for pin in graph.pin_ids().filter(|pin| !asking.contains(pin)) {
        let (filter, name) = (graph.filter(graph.pin(pin).filter()).name(), graph.pin(pin).name());
        builder.filter(filter).pin(name, graph.pin(pin).direction()).media_size(0).holds(0);
    }
    builder.build().expect("as valid as the other")
}

#[test]
fn a_conflict_names_no_pin_too_many_and_none_too_few() {
    on_random_graphs(graphs(), 2, |random| {
        let graph = random.build();
        let Err(NegotiateError::Infeasible(infeasible)) = answer(&graph) else { return Ok(()) };
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
        if answer(&only_asking(&graph, &asking)).is_ok() {
            return fail("somebody else is at fault");
        }
        for left_out in &asking {
            let rest: Vec<PinId> = asking.iter().copied().filter(|pin| pin != left_out).collect();
            // Another part of the graph may have no plan either.
            if let Err(NegotiateError::Infeasible(other)) = answer(&only_asking(&graph, &rest))
                && other.pins.iter().any(|pin| infeasible.pins.contains(pin))
            {
                return fail(&format!("{} is not at fault", graph.pin_name(*left_out)));
            }
        }
        Ok(())
    });
}
