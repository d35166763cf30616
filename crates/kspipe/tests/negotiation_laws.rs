//! What holds for every graph, whatever the numbers.
//!
//! `KSPIPE_ORACLE_GRAPHS` is the number of graphs a law (2,000), `KSPIPE_ORACLE_SEED` a number that chooses them.

mod oracle;

use ks::RequirementFlags;
use kspipe::graph::{Framing, Graph, GraphBuilder};
use kspipe::negotiate::{Cost, NegotiateError, Plan, negotiate};
use oracle::generate::graphs;
use oracle::on_random_graphs;
use proptest::test_runner::TestCaseError;

/// A graph like another, each item changed by `change` and the items of a pin turned round where asked.
fn rebuilt(graph: &Graph, turn: bool, change: impl Fn(&mut kspipe::graph::FramingItem)) -> Graph {
    let mut builder: GraphBuilder = Graph::builder();
    builder.strategy(graph.strategy()).bridges(graph.bridges());
    for (memory, device) in graph.device_memories() {
        builder.memory(*memory, device.clone());
    }
    for id in graph.pin_ids() {
        let pin = graph.pin(id);
        let filter = graph.filter(pin.filter());
        let mut draft = builder.filter(filter.name()).mode(filter.mode()).pin(pin.name(), pin.direction());
        draft = match pin.framing() {
            Framing::Extended(items) => {
                let mut items = items.clone();
                items.iter_mut().for_each(&change);
                if turn {
                    items.reverse();
                }
                draft.framing(Framing::Extended(items))
            }
            other => draft.framing(other.clone()),
        };
        draft = draft.compression(pin.compression());
        if let Some(holds) = pin.holds() {
            draft = draft.holds(holds);
        }
        if let Some(bytes) = pin.media_size() {
            draft.media_size(bytes);
        }
    }
    // Connections and routes in the opposite order.
    for connection in graph.connections().iter().rev() {
        builder.connect(&graph.pin_name(connection.from), &graph.pin_name(connection.to));
    }
    for route in graph.routes().iter().rev() {
        let filter = graph.filter(graph.pin(route.from).filter()).name().to_owned();
        builder.filter(&filter).route(graph.pin(route.from).name(), graph.pin(route.to).name(), route.kind);
    }
    builder.build().expect("as valid as the other")
}

fn answer(graph: &Graph) -> Result<Plan, NegotiateError> {
    negotiate(graph)
}

fn keys(graph: &Graph, plan: &Plan) -> Vec<u128> {
    Cost::keys(&plan.cost, graph.strategy())
}

#[test]
fn the_order_of_items_connections_and_routes_changes_nothing() {
    on_random_graphs(graphs(), 2, |draft| {
        let graph = draft.build();
        let turned = rebuilt(&graph, true, |_| {});
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
    type Less = fn(&mut kspipe::graph::FramingItem);
    let changes: [(&str, Less); 4] = [
        ("a maximum raised", |item| item.physical.max = u32::MAX),
        ("a step of 1", |item| item.physical.step = 1),
        ("MUST_ALLOCATE dropped", |item| item.requirements.remove(RequirementFlags::MUST_ALLOCATE)),
        ("FRAME_INTEGRITY dropped", |item| item.requirements.remove(RequirementFlags::FRAME_INTEGRITY)),
    ];
    on_random_graphs(graphs(), 4, |draft| {
        let graph = draft.build();
        let Ok(plan) = answer(&graph) else { return Ok(()) };
        for (name, change) in changes {
            let relaxed = rebuilt(&graph, false, change);
            match answer(&relaxed) {
                Ok(other) if keys(&relaxed, &other) <= keys(&graph, &plan) => {}
                other => return Err(TestCaseError::fail(format!("{name}: {:?}\n{other:#?}", plan.cost))),
            }
        }
        Ok(())
    });
}
