//! Why a plan is what it is: what each ask costs, why two pipes are not one, why an allocator is not used. Whatever is
//! claimed of a changed graph is checked by negotiating that graph.

mod oracle;

use ks::{AllocatorFlags, KSMEMORY_TYPE_KERNEL_NONPAGED, RequirementFlags};
use kspipe::graph::{
    Bridges, Connection, Direction, FrameRange, Framing, FramingItem, Graph, GraphBuilder, Mode, PinId, RouteKind,
};
use kspipe::negotiate::describe::plan_text;
use kspipe::negotiate::{
    AllocatorKind, Answer, Asked, Explainer, Infeasible, NegotiateError, Obstacle, PipeId, PipeNumber, Plan, Question,
    Saving, WhatIf, negotiate,
};
use oracle::generate::graphs;
use oracle::on_random_graphs;
use proptest::{prop_assert, prop_assert_eq, prop_assert_ne};

const MUST: RequirementFlags = RequirementFlags::MUST_ALLOCATE;

fn build(graph: &GraphBuilder) -> Graph {
    graph.build().expect("a valid graph")
}

fn pin(graph: &Graph, name: &str) -> PinId {
    graph.find_pin(name).expect("it is there")
}

fn connection(graph: &Graph, from: &str, to: &str) -> Connection {
    Connection { from: pin(graph, from), to: pin(graph, to) }
}

/// The causes as `pin rule asked: text`.
fn lines(graph: &Graph, answer: &Answer) -> Vec<String> {
    let line = |cause: &kspipe::negotiate::Cause| {
        let reason = &cause.reason;
        let name = reason.pin.map_or("-".to_owned(), |pin| graph.pin_name(pin));
        let asked = reason.asked.map_or("-", Asked::name);
        format!("{name} {} {asked}: {}", reason.rule, reason.text)
    };
    answer.causes.iter().map(line).collect()
}

/// What dropping the first cause saves, in words, and what the number becomes.
fn saved(answer: &Answer) -> (String, Option<String>) {
    match &answer.causes[0].saving {
        Some(Saving::Plan { cost, becomes, .. }) => (cost.to_string(), becomes.clone()),
        other => panic!("{other:?}"),
    }
}

/// A kernel camera asking `item`, and a viewer that asks `viewer`.
fn camera_and_viewer(item: FramingItem, viewer_in_kernel: bool, viewer: FramingItem) -> Graph {
    let mut graph = Graph::builder();
    graph.filter("camera").kernel().pin("capture", Direction::Out).item(item).media_size(1000);
    let filter = graph.filter("viewer");
    let filter = if viewer_in_kernel { filter.kernel() } else { filter };
    filter.pin("in", Direction::In).item(viewer);
    graph.connect("camera.capture", "viewer.in");
    build(&graph)
}

fn must() -> FramingItem {
    FramingItem { requirements: MUST, ..FramingItem::default() }
}

#[test]
fn a_saving_names_what_the_number_becomes_and_what_it_saves() {
    let graph = camera_and_viewer(
        FramingItem { frames: 8, alignment: 4096, ..FramingItem::default() },
        false,
        FramingItem { frames: 3, ..FramingItem::default() },
    );
    let plan = negotiate(&graph).expect("a plan");
    let number = |number| plan.why(&graph, Question::Number(PipeId(0), number));
    let (text, becomes) = saved(&number(PipeNumber::Frames));
    assert_eq!((text.as_str(), becomes.as_deref()), ("saves 20 480 bytes and 5 frames", Some("3 frames")));
    let (text, becomes) = saved(&number(PipeNumber::Alignment));
    assert_eq!((text.as_str(), becomes.as_deref()), ("saves 24 768 bytes", Some("alignment 1")));
}

#[test]
fn who_asks_for_as_much_is_named_where_nothing_is_saved() {
    let four = FramingItem { frames: 4, ..FramingItem::default() };
    let graph = camera_and_viewer(four.clone(), false, four);
    let plan = negotiate(&graph).expect("a plan");
    let answer = plan.why(&graph, Question::Number(PipeId(0), PipeNumber::Frames));
    assert_eq!(answer.causes.len(), 2);
    for cause in &answer.causes {
        match &cause.saving {
            Some(Saving::Plan { cost, becomes: None, still, .. }) => {
                assert!(cost.is_nothing());
                assert_eq!(still.len(), 1);
                assert_ne!(still[0].pin, cause.reason.pin, "the other one");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn the_rule_is_named_where_nothing_is_saved_and_nobody_else_asks() {
    let one = FramingItem { frames: 1, ..FramingItem::default() };
    let graph = camera_and_viewer(one, false, FramingItem::default());
    let plan = negotiate(&graph).expect("a plan");
    let answer = plan.why(&graph, Question::Number(PipeId(0), PipeNumber::Frames));
    assert_eq!(answer.causes[0].reason.text, "requires Frames 1");
    let Some(Saving::Plan { still, .. }) = &answer.causes[0].saving else { panic!("{answer:?}") };
    assert_eq!((still[0].pin, still[0].rule), (None, 5));
    let text = plan_text(&graph, &plan, true).split_whitespace().collect::<Vec<_>>().join(" ");
    let told = "dropping this saves nothing: no pin asks for more; a pipe has at least one frame";
    assert!(text.contains(told), "{text}");
}

/// A filter that states no routes writes in place where its in pin says so, and else copies.
#[test]
fn without_inplace_modifier_a_filter_that_states_no_routes_copies() {
    let writes = FramingItem { requirements: RequirementFlags::INPLACE_MODIFIER, ..FramingItem::default() };
    let mut builder = Graph::builder();
    builder.filter("camera").pin("out", Direction::Out);
    builder.filter("overlay").pin("in", Direction::In).item(writes);
    builder.filter("overlay").pin("out", Direction::Out);
    builder.filter("viewer").pin("in", Direction::In);
    builder.connect("camera.out", "overlay.in").connect("overlay.out", "viewer.in");
    let graph = build(&builder);
    let plan = negotiate(&graph).expect("a plan");
    assert_eq!(plan.pipes.len(), 1);
    let answer = plan.why(&graph, Question::Number(PipeId(0), PipeNumber::Flags));
    let [cause] = &answer.causes[..] else { panic!("{answer:?}") };
    assert_eq!(cause.reason.asked, Some(Asked::InplaceModifier));
    let Some(Saving::Plan { cost, .. }) = &cause.saving else { panic!("{answer:?}") };
    builder.filter("overlay").pin("in", Direction::In).framing(Framing::Extended(vec![FramingItem::default()]));
    assert_eq!(cost.after, negotiate(&build(&builder)).expect("a plan").cost);
    assert_eq!(cost.after.allocators, 2, "it copies");

    // A route that is stated stays as it is.
    builder
        .filter("overlay")
        .route("in", "out", RouteKind::Either)
        .pin("in", Direction::In)
        .framing(graph.pin(pin(&graph, "overlay.in")).framing().clone());
    let stated = build(&builder);
    let dropped = WhatIf::Drop { pin: pin(&stated, "overlay.in"), item: None, asked: Asked::InplaceModifier };
    let dropped = dropped.apply(&stated).expect("it changes something");
    assert_eq!(dropped.routes()[0].kind, RouteKind::Either);
}

#[test]
fn what_another_graph_has_is_not_answered_nor_changed() {
    let small = camera_and_viewer(FramingItem::default(), false, FramingItem::default());
    let mut large = Graph::builder();
    for filter in 0..9 {
        large.filter(&format!("f{filter}")).pin("in", Direction::In).item(FramingItem::exactly(7));
    }
    let large = build(&large);
    let plan = negotiate(&small).expect("a plan");
    let (beyond, filter) = (pin(&large, "f8.in"), large.pin(pin(&large, "f8.in")).filter());
    let connection = Connection { from: beyond, to: beyond };
    let questions = [
        Question::Number(PipeId(7), PipeNumber::Frames),
        Question::Bridge(connection),
        Question::Copy(connection),
        Question::Allocator(beyond),
    ];
    for question in questions {
        assert_eq!(plan.why(&small, question), Answer::default(), "{question:?}");
    }
    let changes = [
        WhatIf::Drop { pin: beyond, item: Some(3), asked: Asked::Frames },
        WhatIf::Drop { pin: beyond, item: None, asked: Asked::Holds },
        WhatIf::LowerMinimum { pin: beyond, bytes: 1 },
        WhatIf::RaiseMaximum { pin: beyond, bytes: 1 },
        WhatIf::Add { pin: beyond, asked: Asked::MustAllocate },
        WhatIf::Prefer { pin: beyond },
        WhatIf::Require { pin: beyond },
        WhatIf::CopyRoute { from: beyond, to: beyond },
        WhatIf::Mode { filter, mode: Mode::Kernel },
        WhatIf::MapMemory { memory_type: ks::Guid::NULL },
    ];
    for change in changes {
        assert_eq!(change.apply(&small), None, "{change:?}");
    }
}

#[test]
fn a_bridge_is_told_by_the_whole_conflict_and_by_nothing_else() {
    let graph = camera_and_viewer(
        FramingItem { memory: KSMEMORY_TYPE_KERNEL_NONPAGED, frames: 4, alignment: 64, ..must() },
        false,
        FramingItem { frames: 9, ..FramingItem::default() },
    );
    let plan = negotiate(&graph).expect("a plan");
    let answer = plan.why(&graph, Question::Bridge(connection(&graph, "camera.capture", "viewer.in")));
    assert_eq!(
        lines(&graph, &answer),
        [
            "camera.capture 6 must-allocate: requires KSALLOCATOR_REQUIREMENTF_MUST_ALLOCATE in kernel mode",
            "viewer.in 2 mode: belongs to a user-mode filter, which kernel memory does not reach",
        ]
    );
    assert!(saved(&answer).0.starts_with("saves 1 000 bytes copied a frame, 1 allocator"), "{:?}", saved(&answer));
}

/// Two filters whose sizes conflict only through a third: no two items at the bridge do.
#[test]
fn a_conflict_of_three_pins_is_found_whole() {
    let mut graph = Graph::builder();
    let steps = |min, step| FramingItem { physical: FrameRange { min, max: 40, step }, ..FramingItem::default() };
    graph.filter("a").pin("out", Direction::Out).item(steps(0, 6));
    graph.filter("tap").pin("in", Direction::In).item(steps(0, 10));
    graph.filter("tap").pin("out", Direction::Out);
    graph.filter("tap").route("in", "out", RouteKind::Pass);
    graph.filter("b").pin("in", Direction::In).item(steps(4, 15));
    graph.connect("a.out", "tap.in").connect("tap.out", "b.in");
    let graph = build(&graph);
    let plan = negotiate(&graph).expect("a plan");
    let bridge = plan.bridges[0].connection;
    let answer = plan.why(&graph, Question::Bridge(bridge));
    let asked: Vec<Option<Asked>> = answer.causes.iter().map(|cause| cause.reason.asked).collect();
    assert!(asked.len() >= 2 && asked.iter().all(Option::is_some), "{:?}", lines(&graph, &answer));
    for cause in &answer.causes {
        let (pin, asked) = (cause.reason.pin.expect("a pin"), cause.reason.asked.expect("one ask"));
        let forbidden = WhatIf::Drop { pin, item: cause.reason.item, asked }.apply(&graph).expect("it asks that");
        assert!(negotiate(&forbidden).expect("a plan").cost.bytes_copied <= plan.cost.bytes_copied);
    }
}

#[test]
fn an_either_route_taken_as_a_copy_is_told_too() {
    let mut graph = Graph::builder();
    graph.bridges(Bridges::Forbid);
    let whole = FramingItem { requirements: RequirementFlags::FRAME_INTEGRITY, ..FramingItem::exactly(500) };
    graph.filter("source").pin("out", Direction::Out).item(whole);
    graph.filter("mixer").pin("in", Direction::In);
    graph.filter("mixer").pin("out", Direction::Out);
    graph.filter("mixer").route("in", "out", RouteKind::Either);
    graph.filter("sink").pin("in", Direction::In);
    graph.connect("source.out", "mixer.in").connect("mixer.out", "sink.in");
    let graph = build(&graph);
    let plan = negotiate(&graph).expect("a plan");
    let copy = plan.copies.iter().find(|copy| copy.chosen).expect("the mixer copies").route;
    let answer = plan.why(&graph, Question::Copy(Connection { from: copy.from, to: copy.to }));
    assert_eq!(
        lines(&graph, &answer),
        [
            "mixer.in 7 -: writes into frames on their way to mixer.out; shared frames are read-only",
            "source.out 7 frame-integrity: requires KSALLOCATOR_REQUIREMENTF_FRAME_INTEGRITY",
        ]
    );
    let not_a_cut = plan.why(&graph, Question::Bridge(connection(&graph, "source.out", "mixer.in")));
    assert_eq!(not_a_cut, Answer::default());
}

/// Each obstacle there is, and a change that was tried.
#[test]
fn what_keeps_a_pin_from_allocating() {
    let can = FramingItem { flags: AllocatorFlags::CAN_ALLOCATE, ..FramingItem::default() };
    let device = FramingItem { flags: AllocatorFlags::DEVICE_SPECIFIC, ..FramingItem::default() };
    let any = FramingItem::default;
    let prefers = FramingItem { requirements: MUST | RequirementFlags::PREFERENCES_ONLY, ..any() };
    let table = [
        ("user-mode", camera_and_viewer(can.clone(), false, any()), "viewer in kernel mode"),
        ("user-mode", camera_and_viewer(prefers, false, any()), "viewer in kernel mode"),
        (
            "other-pin",
            camera_and_viewer(can.clone(), true, must()),
            "viewer.in without KSALLOCATOR_REQUIREMENTF_MUST_ALLOCATE",
        ),
        ("other-pin", camera_and_viewer(can.clone(), true, can), "viewer.in without KSALLOCATOR_FLAG_CAN_ALLOCATE"),
        ("not-offered", camera_and_viewer(device, true, any()), "camera.capture with KSALLOCATOR_FLAG_CAN_ALLOCATE"),
        ("up-to-bridge", camera_and_viewer(must(), false, any()), "viewer in kernel mode"),
    ];
    for (obstacle, graph, helps) in table {
        let plan = negotiate(&graph).expect("a plan");
        let answer = plan.why(&graph, Question::Allocator(pin(&graph, "camera.capture")));
        assert_eq!(answer.obstacle.as_ref().map(Obstacle::name), Some(obstacle));
        let changes: Vec<String> = answer.changes.iter().map(|tried| tried.change.describe(&graph)).collect();
        assert!(changes.iter().any(|change| change == helps), "{obstacle}: {changes:?}");
        assert!(!answer.causes.is_empty());
    }
    let graph = camera_and_viewer(must(), true, any());
    let plan = negotiate(&graph).expect("a plan");
    assert_eq!(plan.why(&graph, Question::Allocator(pin(&graph, "camera.capture"))).obstacle, None);
}

fn allocates(plan: &Plan, pin: PinId) -> bool {
    plan.pipe(pin).allocator.pin == Some(pin) && plan.pipe(pin).allocator.kind != AllocatorKind::Default
}

/// Every question there is about a plan.
fn questions(graph: &Graph, plan: &Plan) -> Vec<Question> {
    let pipes = (0..plan.pipes.len() as u32).map(PipeId);
    let numbers = pipes.flat_map(|pipe| PipeNumber::ALL.map(|number| Question::Number(pipe, number)));
    let bridges = plan.bridges.iter().map(|bridge| Question::Bridge(bridge.connection));
    let copies = plan.copies.iter().filter(|copy| copy.chosen);
    let copies = copies.map(|copy| Question::Copy(Connection { from: copy.route.from, to: copy.route.to }));
    numbers.chain(bridges).chain(copies).chain(graph.pin_ids().map(Question::Allocator)).collect()
}

/// What a plan's answers claim is what comes of negotiating the changed graph.
#[test]
fn every_saving_and_every_change_is_what_negotiation_says() {
    on_random_graphs(graphs(), 20, |graph| {
        let graph = graph.clone();
        let Ok(plan) = negotiate(&graph) else { return Ok(()) };
        let mut explainer = Explainer::new(&graph, &plan);
        for question in questions(&graph, &plan) {
            let answer = explainer.answer(question);
            if matches!(question, Question::Bridge(_) | Question::Copy(_)) {
                prop_assert!(!answer.causes.is_empty());
                // An optimal plan has no copy that one pipe could do without.
                let is_optimal = usize::from(plan.proven) == plan.cost.keys(plan.strategy).len();
                let needless = answer.causes.iter().any(|cause| cause.reason.text.contains("one pipe would be valid"));
                prop_assert!(!(is_optimal && needless), "{:?}: {:?}", question, answer.causes);
            }
            for cause in &answer.causes {
                let Some(Saving::Plan { cost, .. }) = &cause.saving else { continue };
                let (Some(pin), Some(asked)) = (cause.reason.pin, cause.reason.asked) else { continue };
                if asked == Asked::Mode {
                    continue;
                }
                let without = WhatIf::Drop { pin, item: cause.reason.item, asked }.apply(&graph);
                let changed = negotiate(&without.expect("it asks that"));
                prop_assert_eq!(changed.expect("a plan").cost, cost.after, "{:?}", cause);
                prop_assert_eq!(plan.cost, cost.before);
            }
            for tried in &answer.changes {
                let changed = negotiate(&tried.change.apply(&graph).expect("it changes something")).expect("a plan");
                prop_assert_eq!(changed.cost, tried.cost.after);
                if let Question::Allocator(pin) = question {
                    prop_assert!(allocates(&changed, pin), "{:?}", tried);
                }
            }
        }
        prop_assert!(!explainer.came_to_its_limit());
        Ok(())
    });
}

/// What is suggested for a graph without a plan gives these pins one.
#[test]
fn every_change_suggested_for_a_conflict_was_tried() {
    on_random_graphs(graphs(), 4, |graph| {
        let mut graph = graph.clone();
        graph = match WhatIf::AllowBridges.apply(&graph) {
            // Half of the graphs allow bridges, and have few conflicts.
            Some(_) => graph,
            None => return Ok(()),
        };
        let Err(NegotiateError::Infeasible(infeasible)) = negotiate(&graph) else { return Ok(()) };
        prop_assert!(!infeasible.help.is_empty());
        prop_assert!(infeasible.together.is_empty() || infeasible.changes.is_empty());
        if !infeasible.together.is_empty() {
            together_helps(&graph, &infeasible);
        }
        for change in &infeasible.changes {
            let changed = change.apply(&graph).expect("it changes something");
            // Another part of the graph may have a conflict of its own.
            if let Err(NegotiateError::Infeasible(other)) = negotiate(&changed) {
                prop_assert_ne!(&other.asks, &infeasible.asks, "{:?}", change);
            }
        }
        Ok(())
    });
}

/// Two filters each pass on what both of their pins cannot share.
#[test]
fn where_several_things_conflict_the_changes_that_help_together_are_told() {
    let mut graph = Graph::builder();
    for (filter, input, output) in
        [("first", must(), must()), ("second", FramingItem::exactly(9), FramingItem::exactly(20))]
    {
        graph.filter(filter).pin("in", Direction::In).item(input);
        graph.filter(filter).pin("out", Direction::Out).item(output);
        graph.filter(filter).route("in", "out", RouteKind::Pass);
    }
    graph.connect("first.out", "second.in");
    let graph = build(&graph);
    let Err(NegotiateError::Infeasible(infeasible)) = negotiate(&graph) else { panic!("no plan is valid") };
    assert_eq!(infeasible.changes, [], "no bridge parts the pins of a filter, and no one pin is all of it");
    assert_eq!(infeasible.together.len(), 2);
    assert!(infeasible.help.starts_with("more than this conflicts, so no one change makes it work"), "{infeasible:?}");
    together_helps(&graph, &infeasible);
}

/// All changes together give a plan, and none can be left out.
fn together_helps(graph: &Graph, infeasible: &Infeasible) {
    let with = |left_out: Option<usize>| {
        let changes = infeasible.together.iter().enumerate().filter(|(place, _)| Some(*place) != left_out);
        changes.fold(graph.clone(), |graph, (_, change)| change.apply(&graph).unwrap_or(graph))
    };
    // Another part of the graph may have a conflict of its own.
    let conflicts = |graph: &Graph| match negotiate(graph) {
        Err(NegotiateError::Infeasible(other)) => other.pins.iter().any(|pin| infeasible.pins.contains(pin)),
        _ => false,
    };
    assert!(!conflicts(&with(None)), "{infeasible:?}");
    for place in 0..infeasible.together.len() {
        assert!(negotiate(&with(Some(place))).is_err(), "{place} is needless: {infeasible:?}");
    }
}

#[test]
fn the_smallest_changes_come_first_and_carry_numbers() {
    let mut graph = Graph::builder();
    graph.bridges(Bridges::Forbid);
    graph.filter("a").pin("out", Direction::Out).item(FramingItem::exactly(100));
    let small = FramingItem { physical: FrameRange { min: 1, max: 50, step: 1 }, ..FramingItem::default() };
    graph.filter("b").pin("in", Direction::In).item(small);
    graph.connect("a.out", "b.in");
    let graph = build(&graph);
    let Err(NegotiateError::Infeasible(infeasible)) = negotiate(&graph) else { panic!("no plan is valid") };
    assert_eq!(
        infeasible.message,
        "a.out and b.in cannot share frames: a.out asks PhysicalRange.MinFrameSize 100 (user mode); b.in asks \
         PhysicalRange.MaxFrameSize 50 (user mode)"
    );
    let changes: Vec<String> = infeasible.changes.iter().map(|change| change.describe(&graph)).collect();
    // To allow bridges does not help: what is copied must fit as well.
    assert_eq!(
        changes[..2],
        [
            "a.out with PhysicalRange.MinFrameSize and FramingRange.MinFrameSize of at most 50",
            "b.in with PhysicalRange.MaxFrameSize of at least 100",
        ]
    );
}

/// The limit is told, and what was left untried says so.
#[test]
fn an_explanation_ends() {
    let mut graph = Graph::builder();
    const FILTERS: usize = 40;
    graph.filter("f0").pin("out", Direction::Out);
    for filter in 1..FILTERS {
        let name = format!("f{filter}");
        let item = FramingItem { frames: 2, ..FramingItem::default() };
        graph.filter(&name).pin("in", Direction::In).item(item);
        graph.filter(&name).pin("out", Direction::Out);
        graph.filter(&name).route("in", "out", RouteKind::Pass);
        graph.connect(&format!("f{}.out", filter - 1), &format!("{name}.in"));
    }
    let graph = build(&graph);
    let plan = negotiate(&graph).expect("a plan");
    let mut explainer = Explainer::with_limit(&graph, &plan, 10);
    let answer = explainer.answer(Question::Number(PipeId(0), PipeNumber::Frames));
    assert_eq!(answer.causes.len(), FILTERS - 1);
    assert!(explainer.came_to_its_limit());
    assert_eq!(explainer.renegotiations(), 10);
    assert!(matches!(answer.causes[9].saving, Some(Saving::Plan { .. })));
    assert_eq!(answer.causes.last().and_then(|cause| cause.saving.clone()), Some(Saving::NotTried));
}
