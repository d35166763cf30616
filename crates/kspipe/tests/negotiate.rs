//! What negotiation decides for small graphs, each number argued.

use ks::{KSMEMORY_TYPE_KERNEL_NONPAGED, KSMEMORY_TYPE_SYSTEM, KSMEMORY_TYPE_USER, RequirementFlags};
use kspipe::graph::{Bridges, Direction, FrameRange, FramingItem, Graph, RouteKind};
use kspipe::negotiate::{AllocatorKind, NegotiateError, Plan, negotiate, verify};

/// The graph that DESIGN's description of the graph file opens with: a kernel camera, a user-mode overlay, a recorder.
fn camera_overlay_recorder() -> Graph {
    let mut graph = Graph::builder();
    graph.filter("camera").kernel().pin("capture", Direction::Out).media_size(3_110_400).item(FramingItem {
        memory: KSMEMORY_TYPE_KERNEL_NONPAGED,
        frames: 4,
        alignment: 4096,
        ..FramingItem::exactly(3_110_400)
    });
    let range = FrameRange { min: 1, max: 8_294_400, step: 1 };
    graph.filter("overlay").pin("in", Direction::In).item(FramingItem {
        memory: KSMEMORY_TYPE_SYSTEM,
        frames: 2,
        physical: range,
        optimal: range,
        ..FramingItem::default()
    });
    graph.filter("overlay").pin("out", Direction::Out);
    graph.filter("overlay").route("in", "out", RouteKind::InPlace);
    graph.filter("recorder").pin("in", Direction::In).holds(2);
    graph.connect("camera.capture", "overlay.in").connect("overlay.out", "recorder.in");
    graph.build().expect("a valid graph")
}

fn names(graph: &Graph, plan: &Plan, pipe: usize) -> Vec<String> {
    plan.pipes[pipe].pins.iter().map(|pin| graph.pin_name(*pin)).collect()
}

#[test]
fn a_kernel_camera_and_user_mode_filters_share_locked_user_memory() {
    let graph = camera_overlay_recorder();
    let plan = negotiate(&graph).expect("a plan");
    assert_eq!(plan.pipes.len(), 1);
    assert_eq!(names(&graph, &plan, 0), ["camera.capture", "overlay.in", "overlay.out", "recorder.in"]);
    let pipe = &plan.pipes[0];
    assert_eq!(pipe.memory_type, KSMEMORY_TYPE_USER);
    assert_eq!((pipe.frames, pipe.frame_size, pipe.alignment), (4, 3_110_400, 4096));
    assert_eq!(pipe.allocator.kind, AllocatorKind::Default);
    assert_eq!(pipe.allocator.pin, None);
    // 3,110,400 rounded up to 4096 is 3,112,960; four of them.
    assert_eq!((plan.cost.bytes, plan.cost.frames, plan.cost.allocators), (12_451_840, 4, 1));
    assert_eq!((plan.cost.bytes_copied, plan.cost.departures, plan.cost.depth), (0, 0, 0));
    assert_eq!(plan.proven, 6);
}

fn must_allocate() -> FramingItem {
    FramingItem { requirements: RequirementFlags::MUST_ALLOCATE, ..FramingItem::default() }
}

#[test]
fn two_pins_that_must_allocate_are_bridged_or_named() {
    let mut graph = Graph::builder();
    graph.filter("a").pin("out", Direction::Out).media_size(100).item(must_allocate());
    graph.filter("b").pin("in", Direction::In).item(must_allocate());
    graph.connect("a.out", "b.in");
    let plan = negotiate(&graph.build().expect("valid")).expect("a plan");
    assert_eq!((plan.pipes.len(), plan.bridges.len(), plan.cost.bytes_copied), (2, 1, 100));
    assert_eq!(plan.pipes[1].frame_size, 100, "what is copied must fit");

    graph.bridges(Bridges::Forbid);
    match negotiate(&graph.build().expect("valid")) {
        Err(NegotiateError::Infeasible(infeasible)) => {
            assert_eq!(infeasible.pins.len(), 2);
            assert!(infeasible.help.contains("bridges"), "{}", infeasible.help);
        }
        other => panic!("expected a conflict, got {other:?}"),
    }
}

/// What is said of a graph without a plan.
fn conflict(graph: &mut kspipe::graph::GraphBuilder) -> (String, String) {
    match negotiate(&graph.build().expect("valid")) {
        Err(NegotiateError::Infeasible(infeasible)) => (infeasible.message, infeasible.help),
        other => panic!("expected a conflict, got {other:?}"),
    }
}

#[test]
fn who_only_stands_on_the_other_side_is_named_too() {
    let mut graph = Graph::builder();
    graph.bridges(Bridges::Forbid);
    graph.filter("camera").kernel().pin("capture", Direction::Out).item(must_allocate());
    graph.filter("decoder").kernel().pin("in", Direction::In);
    graph.filter("decoder").pin("out", Direction::Out);
    graph.filter("decoder").route("in", "out", RouteKind::Pass);
    graph.filter("viewer").pin("in", Direction::In);
    graph.connect("camera.capture", "decoder.in").connect("decoder.out", "viewer.in");
    let (message, help) = conflict(&mut graph);
    assert_eq!(
        message,
        "camera.capture and viewer.in cannot share frames: camera.capture asks KSALLOCATOR_REQUIREMENTF_MUST_ALLOCATE (kernel mode); \
         viewer.in is in user mode, where kernel memory cannot be reached"
    );
    assert!(help.contains("bridges"), "{help}");
}

#[test]
fn a_route_that_writes_into_shared_frames_is_named_with_who_shares_them() {
    let mut graph = Graph::builder();
    graph.filter("tee").pin("in", Direction::In);
    for branch in ["a", "b"] {
        graph.filter("tee").pin(branch, Direction::Out);
        graph.filter("tee").route("in", branch, RouteKind::Pass);
    }
    graph.filter("writer").pin("in", Direction::In);
    graph.filter("writer").pin("out", Direction::Out);
    graph.filter("writer").route("in", "out", RouteKind::InPlace);
    graph.connect("tee.a", "writer.in").bridges(Bridges::Forbid);
    let (message, _) = conflict(&mut graph);
    assert_eq!(
        message,
        "tee.in and writer.in cannot share frames: tee.in shares its frames among several branches; writer.in writes into \
         frames on their way to writer.out, and frames that are shared are read-only"
    );

    // The same of a pin that wants its frames left alone.
    let mut graph = Graph::builder();
    let whole = FramingItem { requirements: RequirementFlags::FRAME_INTEGRITY, ..FramingItem::default() };
    graph.filter("source").pin("out", Direction::Out).item(whole);
    graph.filter("writer").pin("in", Direction::In);
    graph.filter("writer").pin("out", Direction::Out);
    graph.filter("writer").route("in", "out", RouteKind::InPlace);
    graph.connect("source.out", "writer.in").bridges(Bridges::Forbid);
    let (message, _) = conflict(&mut graph);
    assert!(message.starts_with("source.out and writer.in cannot share frames"), "{message}");
}

#[test]
fn data_that_rest_on_a_preference_are_said_to_fail_the_plan() {
    let prefers = FramingItem {
        requirements: RequirementFlags::PREFERENCES_ONLY | RequirementFlags::MUST_ALLOCATE,
        ..FramingItem::exactly(100)
    };
    let small = FramingItem { requirements: RequirementFlags::MUST_ALLOCATE, ..FramingItem::exactly(50) };
    let mut graph = Graph::builder();
    graph
        .filter("a")
        .pin("out", Direction::Out)
        .item(FramingItem { requirements: RequirementFlags::MUST_ALLOCATE, ..FramingItem::default() });
    graph.filter("b").pin("in", Direction::In).item(small);
    graph.connect("a.out", "b.in");
    graph.filter("a").pin("in", Direction::In).item(prefers);
    graph.filter("a").route("in", "out", RouteKind::Pass);
    let (message, _) = conflict(&mut graph);
    assert_eq!(
        message,
        "a.in, a.out and b.in cannot share frames: a.in gives frames of 100 bytes of data, which must fit where they are \
         copied; a.out asks KSALLOCATOR_REQUIREMENTF_MUST_ALLOCATE (user mode); b.in asks PhysicalRange.MaxFrameSize 50, \
         KSALLOCATOR_REQUIREMENTF_MUST_ALLOCATE (user mode)"
    );
}

#[test]
fn a_cycle_is_named() {
    let mut graph = Graph::builder();
    for name in ["a", "b"] {
        graph.filter(name).pin("in", Direction::In);
        graph.filter(name).pin("out", Direction::Out);
    }
    graph.connect("a.out", "b.in").connect("b.out", "a.in");
    let graph = graph.build().expect("valid");
    let error = negotiate(&graph).expect_err("a cycle");
    assert_eq!(error.describe(&graph), "the graph has a cycle: a.in -> a.out -> b.in -> b.out -> a.in");
}

#[test]
fn a_tee_whose_branches_meet_again_is_one_pipe_until_somebody_writes() {
    let mut graph = Graph::builder();
    graph.filter("source").pin("out", Direction::Out).media_size(64);
    graph.filter("tee").pin("in", Direction::In);
    graph.filter("mix").pin("out", Direction::Out);
    for branch in ["x", "y"] {
        graph.filter("tee").pin(branch, Direction::Out);
        graph.filter("tee").route("in", branch, RouteKind::Pass);
        graph.filter("mix").pin(branch, Direction::In);
        graph.filter("mix").route(branch, "out", RouteKind::Pass);
        graph.connect(&format!("tee.{branch}"), &format!("mix.{branch}"));
    }
    graph.connect("source.out", "tee.in");
    let plan = negotiate(&graph.build().expect("valid")).expect("a plan");
    assert_eq!((plan.pipes.len(), plan.bridges.len(), plan.proven), (1, 0, 6));

    // A writer behind both branches: one bridge in front of it is enough.
    graph
        .filter("sink")
        .pin("in", Direction::In)
        .item(FramingItem { requirements: RequirementFlags::INPLACE_MODIFIER, ..FramingItem::default() });
    graph.connect("mix.out", "sink.in");
    let plan = negotiate(&graph.build().expect("valid")).expect("a plan");
    assert_eq!((plan.pipes.len(), plan.bridges.len(), plan.proven), (2, 1, 6));
}

/// No stepping goes past the largest frame, so a pin that has none before it cannot be met by a larger one.
#[test]
fn the_largest_frame_is_bridged_to_a_stepping_that_skips_it() {
    let mut graph = Graph::builder();
    let even = FramingItem { physical: FrameRange { min: 0, max: u32::MAX, step: 2 }, ..FramingItem::default() };
    graph.filter("one").pin("in", Direction::In).item(even);
    graph.filter("one").pin("out", Direction::Out);
    graph.filter("one").route("in", "out", RouteKind::Pass);
    graph.filter("two").pin("in", Direction::In);
    graph.filter("two").pin("out", Direction::Out).media_size(i64::MAX as u64);
    graph.filter("two").route("in", "out", RouteKind::Pass);
    graph.connect("one.out", "two.in");
    let plan = negotiate(&graph.build().unwrap()).unwrap();
    let sizes: Vec<u64> = plan.pipes.iter().map(|pipe| pipe.frame_size).collect();
    assert_eq!((sizes, plan.bridges.len(), plan.proven), (vec![2, i64::MAX as u64], 1, 6));
}

#[test]
fn a_memory_type_of_ks_h_cannot_be_declared_as_a_devices() {
    use kspipe::graph::{BuildError, DeviceMemory};
    for memory_type in [KSMEMORY_TYPE_KERNEL_NONPAGED, KSMEMORY_TYPE_SYSTEM, KSMEMORY_TYPE_USER, ks::Guid::NULL] {
        let mut graph = Graph::builder();
        graph.memory(memory_type, DeviceMemory { name: "mine".into(), host_mappable: true, user_mappable: true });
        assert_eq!(graph.build(), Err(BuildError::KnownMemoryType { memory_type }));
    }
}

/// A chain whose pins each accept every size, but by so many alternatives that no two plans allow the same sizes: 223
/// million of them.
fn a_chain_of_many_steppings(with_source: bool) -> Graph {
    let mut graph = Graph::builder();
    graph.bridges(Bridges::Forbid);
    let primes = [2, 3, 5, 7, 11, 13, 17, 19, 23];
    for (number, prime) in primes.into_iter().enumerate() {
        for residue in 0..prime {
            let physical = FrameRange { min: residue, max: 1 << 30, step: prime };
            let item = FramingItem { physical, ..FramingItem::default() };
            graph.filter(&format!("f{number}")).pin("out", Direction::Out).item(item.clone());
        }
        graph.filter(&format!("f{number}")).pin("in", Direction::In);
        graph.filter(&format!("f{number}")).route("in", "out", RouteKind::Pass);
        if number > 0 {
            graph.connect(&format!("f{}.out", number - 1), &format!("f{number}.in"));
        }
    }
    if with_source {
        // Three sizes: every size serves the chain, so each of these does.
        let physical = FrameRange { min: 200_000_001, max: 1 << 30, step: 400_000_009 };
        graph.filter("a").pin("out", Direction::Out).item(FramingItem { physical, ..FramingItem::default() });
        graph.connect("a.out", "f0.in");
    }
    graph.build().expect("valid")
}

#[test]
fn a_hard_graph_ends_with_a_plan_that_claims_no_more_than_it_proved() {
    let graph = a_chain_of_many_steppings(false);
    let plan = negotiate(&graph).expect("a plan");
    verify(&graph, &plan).expect("a valid plan");
    // Nothing is copied, there is one pipe, no departure and no cut: nothing goes below. Of its size nothing is known.
    assert_eq!(plan.proven, 4);
}

#[test]
fn a_hard_graph_of_which_no_plan_was_found_is_undecided_not_infeasible() {
    // There are plans; the way to them is among those left out.
    let graph = a_chain_of_many_steppings(true);
    match negotiate(&graph) {
        Err(NegotiateError::Undecided { .. }) => {}
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_graph_with_a_part_that_cannot_be_is_infeasible_however_hard_another_part_is() {
    let hard = a_chain_of_many_steppings(true);
    let mut graph = Graph::builder();
    graph.bridges(Bridges::Forbid);
    for id in hard.pin_ids() {
        let (pin, name) = (hard.pin(id), hard.filter(hard.pin(id).filter()).name());
        graph.filter(name).pin(pin.name(), pin.direction()).framing(pin.framing().clone());
    }
    for connection in hard.connections() {
        graph.connect(&hard.pin_name(connection.from), &hard.pin_name(connection.to));
    }
    for route in hard.routes() {
        let filter = hard.filter(hard.pin(route.from).filter()).name();
        graph.filter(filter).route(hard.pin(route.from).name(), hard.pin(route.to).name(), route.kind);
    }
    graph.filter("y").pin("out", Direction::Out).item(FramingItem::exactly(50));
    graph.filter("z").pin("in", Direction::In).item(FramingItem::exactly(60));
    graph.connect("y.out", "z.in");
    match negotiate(&graph.build().expect("valid")) {
        Err(NegotiateError::Infeasible(infeasible)) => assert_eq!(infeasible.pins.len(), 2),
        other => panic!("{other:?}"),
    }
}

/// Every pin would rather have one of many steppings, and each could do without.
#[test]
fn preferences_never_leave_a_graph_undecided() {
    let mut graph = Graph::builder();
    for number in 0..10u32 {
        let name = format!("f{number}");
        for (pin, direction) in [("in", Direction::In), ("out", Direction::Out)] {
            for step in 2..40 {
                let physical = FrameRange { min: number + step, max: 1 << 30, step: step * 2 + 1 };
                graph.filter(&name).pin(pin, direction).item(FramingItem { physical, ..FramingItem::default() });
            }
            let requirements = RequirementFlags::PREFERENCES_ONLY;
            let physical = FrameRange { min: 1 << 20, ..FrameRange::OPEN };
            let whatever = FramingItem { requirements, physical, ..FramingItem::default() };
            graph.filter(&name).pin(pin, direction).item(whatever);
        }
        graph.filter(&name).route("in", "out", RouteKind::Pass);
        if number > 0 {
            graph.connect(&format!("f{}.out", number - 1), &format!("{name}.in"));
        }
    }
    let graph = graph.build().expect("valid");
    let plan = negotiate(&graph).expect("a plan");
    verify(&graph, &plan).expect("a valid plan");
}

#[test]
fn long_chains_are_negotiated_whole() {
    for filters in [2u32, 1_000, 50_000] {
        let mut graph = Graph::builder();
        for number in 0..filters {
            let name = format!("f{number:06}");
            if number > 0 {
                graph.filter(&name).pin("in", Direction::In).item(FramingItem { frames: 3, ..FramingItem::default() });
            }
            if number + 1 < filters {
                graph
                    .filter(&name)
                    .pin("out", Direction::Out)
                    .item(FramingItem { frames: 2, ..FramingItem::default() });
                graph.connect(&format!("{name}.out"), &format!("f{:06}.in", number + 1));
            }
            if number > 0 && number + 1 < filters {
                graph.filter(&name).route("in", "out", RouteKind::Pass);
            }
        }
        let graph = graph.build().expect("valid");
        let plan = negotiate(&graph).expect("a plan");
        assert_eq!((plan.pipes.len(), plan.pipes[0].frames), (1, 3));
    }
}
