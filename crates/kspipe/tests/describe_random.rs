//! Plans of random graphs: what is said of them holds, and saying it never fails.

mod oracle;

use kspipe::graph::Graph;
use kspipe::negotiate::describe::{Description, PipeReasons, plan_text};
use kspipe::negotiate::{PipeId, Plan, negotiate, plan_dot, plan_json, plan_svg};
use oracle::generate::{graphs, tangled_graphs};
use proptest::prelude::*;
use std::sync::LazyLock;

static SCHEMA: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
    let schema = serde_json::from_str(include_str!("../../../docs/plan.schema.json")).unwrap();
    jsonschema::validator_for(&schema).unwrap()
});

fn check(graph: &Graph, plan: &Plan) -> Result<(), TestCaseError> {
    let description = Description::new(graph, plan);
    let warnings = description.warnings();
    let departures = warnings.iter().filter(|warning| ["KS001", "KS002", "KS003", "KS004"].contains(&warning.code));
    prop_assert_eq!(departures.count() as u128, plan.cost.departures, "{:?}", warnings);

    let mut too_large = 0;
    for (place, pipe) in plan.pipes.iter().enumerate() {
        let id = PipeId(place as u32);
        let properties = description.properties(id);
        let range = properties.physical_range;
        let (size, step) = (pipe.frame_size, range.step);
        prop_assert!(size >= range.min && (size <= range.max || range.max == u64::from(u32::MAX)), "{:?}", properties);
        prop_assert!((size - range.min).is_multiple_of(step), "{:?}", properties);
        too_large += usize::from(properties.to_ks().is_err());
        for next in &properties.next {
            let back = description.properties(*next).previous;
            prop_assert!(back.is_some_and(|previous| previous <= id), "segments are linked both ways");
        }
        let PipeReasons { frames, frame_size, alignment, memory_type, allocator, .. } = description.reasons(id);
        for reasons in [frames, frame_size, alignment, memory_type, allocator] {
            prop_assert!(!reasons.is_empty());
            for pin in reasons.iter().filter_map(|reason| reason.pin) {
                let near = pipe.pins.contains(&pin);
                prop_assert!(near, "a pipe's reasons are its own pins': {:?}", reasons);
            }
        }
    }
    prop_assert_eq!(warnings.iter().filter(|warning| warning.code == "KS011").count(), too_large);
    for bridge in &plan.bridges {
        prop_assert!(!description.bridge_reasons(bridge).is_empty());
    }

    let json = plan_json(graph, plan);
    let errors: Vec<String> = SCHEMA.iter_errors(&json).map(|error| error.to_string()).collect();
    prop_assert!(errors.is_empty(), "{:?}", errors);
    prop_assert!(roxmltree::Document::parse(&plan_svg(graph, plan)).is_ok());
    prop_assert!(!plan_dot(graph, plan).is_empty() && !plan_text(graph, plan, true).is_empty());
    Ok(())
}

proptest! {
    #[test]
    fn what_is_said_of_a_plan_holds(draft in prop_oneof![graphs(), tangled_graphs()]) {
        let graph = draft.build();
        if let Ok(plan) = negotiate(&graph) {
            check(&graph, &plan)?;
        }
    }
}
