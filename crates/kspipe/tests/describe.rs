//! What is said of a plan: its JSON, its properties and its reasons.

#[path = "describe/graphs.rs"]
#[allow(dead_code)]
mod graphs;

use graphs::{build, camera_overlay_recorder, pin};
use ks::{
    AlignmentCount, AllocatorFlags, AllocatorStrategy, FramingFlags, Guid, KSMEMORY_TYPE_DEVICE_UNKNOWN,
    KSMEMORY_TYPE_KERNEL_NONPAGED, KSMEMORY_TYPE_USER, KsCompression, KsLogicalMemoryType, PipeAllocatorPlace,
    PipeFactors, PipeState, RequirementFlags,
};
use kspipe::graph::{
    Bridges, Compression, DeviceMemory, Direction, FrameRange, FramingItem, Graph, RouteKind, Strategy,
};
use kspipe::negotiate::describe::{Description, Reason, plan_text};
use kspipe::negotiate::{
    Infeasible, NegotiateError, PipeId, Plan, RouteChoice, WhatIf, error_json, explained_plan_json, negotiate,
    plan_json,
};
use serde_json::{Value, json};

fn planned(graph: &Graph) -> Plan {
    negotiate(graph).unwrap()
}

/// One reason as `pin[item] rule text`.
fn line(graph: &Graph, reason: &Reason) -> String {
    let pin = reason.pin.map_or("-".to_owned(), |pin| graph.pin_name(pin));
    let item = reason.item.map_or(String::new(), |item| format!("[{item}]"));
    format!("{pin}{item} {} {}", reason.rule, reason.text)
}

#[test]
fn the_plan_of_the_graph_files_own_example_is_pinned() {
    let graph = camera_overlay_recorder();
    let plan = planned(&graph);
    let json = plan_json(&graph, &plan);
    insta::assert_snapshot!("camera_overlay_recorder", serde_json::to_string_pretty(&json).unwrap());
    let pipe = &json["pipes"][0];
    assert_eq!(json["pipes"].as_array().map(Vec::len), Some(1));
    assert_eq!(pipe["allocator"], json!({ "kind": "default", "pin": null, "place": "none" }));
    assert_eq!(pipe["physical_range"], json!({ "min": 3_110_400, "max": 3_110_400, "step": 1 }));
    assert_eq!(pipe["flags"], json!([]), "the route writes in place, no framing says so");
    let cost = json!({
        "bytes_copied": 0, "allocators": 1, "departures": 0, "depth": 0, "bytes": 12_451_840, "frames": 4,
        "sizes": 3_110_400
    });
    assert_eq!(json["cost"], cost);
    assert_eq!(plan, graphs::camera_plan(&graph), "the plan argued by hand");
}

#[test]
fn the_text_of_the_same_plan_is_pinned() {
    let graph = camera_overlay_recorder();
    let plan = planned(&graph);
    insta::assert_snapshot!("camera_overlay_recorder_text", plan_text(&graph, &plan, true));
    let brief = plan_text(&graph, &plan, false);
    assert!(!brief.contains("rule"), "reasons only where they are asked for:\n{brief}");
}

/// What the schema finds wrong with a value.
fn schema_errors(value: &Value) -> Vec<String> {
    let schema: Value = serde_json::from_str(include_str!("../../../docs/plan.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    validator.iter_errors(value).map(|error| format!("{error} at {}", error.instance_path())).collect()
}

#[test]
fn plans_and_errors_are_as_the_schema_says() {
    for graph in [camera_overlay_recorder(), segments()] {
        let json = plan_json(&graph, &planned(&graph));
        assert_eq!(schema_errors(&json), [] as [String; 0]);
        let mut wrong = json.clone();
        wrong["pipes"][0]["frames"] = json!(-1);
        assert_ne!(schema_errors(&wrong), [] as [String; 0], "the schema looks inside");
        let explained = explained_plan_json(&graph, &planned(&graph));
        assert_eq!(schema_errors(&explained), [] as [String; 0]);
        let saved = &explained["pipes"][0]["reasons"]["frames"][0]["saves"];
        assert!(saved["text"].as_str().is_some_and(|text| text.starts_with("saves ")), "{saved}");
    }
    let graph = camera_overlay_recorder();
    let error = error_json(&graph, &NegotiateError::Undecided { states: 1 });
    assert_eq!(schema_errors(&error), [] as [String; 0]);
}

/// Every member the schema names, and no other, stands on the page.
#[test]
fn the_page_tells_every_member() {
    let page = include_str!("../../../docs/plan.md");
    let graph = segments();
    let json = plan_json(&graph, &planned(&graph));
    let mut names: Vec<String> = Vec::new();
    let mut collect = |value: &Value| names.extend(value.as_object().unwrap().keys().cloned());
    collect(&json);
    collect(&json["pipes"][0]);
    collect(&json["copies"][0]);
    collect(&json["cost"]);
    for name in names {
        let told = page.contains(&format!("`{name}`"))
            || page.contains(&format!("`{name}."))
            || page.contains(&format!("\"{name}\""));
        assert!(told, "docs/plan.md does not tell `{name}`");
    }
}

#[test]
fn members_stand_in_the_order_of_the_documentation() {
    let graph = camera_overlay_recorder();
    let json = plan_json(&graph, &planned(&graph));
    let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
    assert_eq!(names(&json), "version strategy proven pipes bridges copies warnings cost");
    let pipe = &json["pipes"][0];
    assert_eq!(
        names(pipe),
        "id pins mode memory_type logical_memory_type bus_type frames frame_size alignment prefix allocator state flags \
         physical_range input output dimensions previous next inside_factors reasons"
    );
    assert_eq!(names(&pipe["reasons"]), "frames frame_size alignment memory_type allocator bus_type flags");
    assert_eq!(names(&json["cost"]), "bytes_copied allocators departures depth bytes frames sizes");
}

/// Camera -> converter that halves and adds 100 -> encoder that copies -> file, all in the kernel but the file.
fn segments() -> Graph {
    let mut graph = Graph::builder();
    let bus = Guid::from_u128(0xB05);
    graph.filter("camera").kernel().pin("out", Direction::Out).item(FramingItem {
        memory: KSMEMORY_TYPE_KERNEL_NONPAGED,
        bus,
        frames: 4,
        flags: AllocatorFlags::CAN_ALLOCATE,
        physical: FrameRange { min: 1000, max: 9000, step: 500 },
        optimal: FrameRange { min: 2000, max: u32::MAX, step: 1 },
        ..FramingItem::default()
    });
    let pack = |graph: &mut kspipe::graph::GraphBuilder| {
        graph.filter("packer").kernel().pin("in", Direction::In).item(FramingItem {
            requirements: RequirementFlags::INPLACE_MODIFIER,
            physical: FrameRange { min: 200, max: 8000, step: 800 },
            ..FramingItem::default()
        });
        let half = Compression { numerator: 1, denominator: 2, margin: 100 };
        graph.filter("packer").pin("out", Direction::Out).compression(half);
        graph.filter("packer").route("in", "out", RouteKind::InPlace);
    };
    pack(&mut graph);
    graph.filter("encoder").kernel().pin("in", Direction::In);
    graph.filter("encoder").pin("out", Direction::Out).item(FramingItem::exactly(640));
    graph.filter("encoder").route("in", "out", RouteKind::Copy);
    graph.filter("file").pin("in", Direction::In).holds(2);
    graph.connect("camera.out", "packer.in").connect("packer.out", "encoder.in").connect("encoder.out", "file.in");
    build(&graph)
}

#[test]
fn a_pipe_has_all_that_the_headers_structure_has() {
    let graph = segments();
    let plan = planned(&graph);
    let description = Description::new(&graph, &plan);
    let first = description.properties(plan.pipe_of[pin(&graph, "camera.out").index()]);
    let second = description.properties(plan.pipe_of[pin(&graph, "file.in").index()]);

    // 1000 + 500 j and 200 + 800 k meet at 1000 + 4000 m; between 2000 and 8000 that is 5000.
    assert_eq!(first.frame_size, 5000);
    let range = first.physical_range;
    assert_eq!((range.min, range.max, range.step), (1000, 8000, 4000));
    assert_eq!(first.bus_type, Guid::from_u128(0xB05));
    assert_eq!(first.logical_memory_type, KsLogicalMemoryType::KERNEL_NON_PAGED);
    // The encoder states no compression, so the two segments' sizes do not depend on each other.
    let flags =
        AllocatorFlags::ATTENTION_STEPPING | AllocatorFlags::NO_FRAME_INTEGRITY | AllocatorFlags::INDEPENDENT_RANGES;
    assert_eq!(first.flags, flags);
    let half = Compression { numerator: 1, denominator: 2, margin: 100 };
    assert_eq!(first.dimensions.end_pin, half);
    assert_eq!(first.dimensions.max_expansion_pin, Compression::NONE);
    assert_eq!((first.previous, first.next.clone(), second.previous), (None, vec![PipeId(1)], Some(PipeId(0))));
    assert_eq!(first.input.flags, AllocatorFlags::CAN_ALLOCATE);
    assert_eq!(first.input.outside_factors, PipeFactors::empty(), "nothing lies beyond a source");
    assert_eq!(first.output.outside_factors, PipeFactors::LOGICAL_END, "the encoder is in the kernel, and copies");
    assert_eq!(second.input.outside_factors, PipeFactors::LOGICAL_END);
    assert_eq!(second.output.outside_factors, PipeFactors::empty(), "nothing lies beyond a sink");
    assert_eq!(first.output.physical_range, FrameRange::exactly(640), "the neighbour's");
    let inside = PipeFactors::MEMORY_TYPES
        | PipeFactors::FLAGS
        | PipeFactors::PHYSICAL_RANGES
        | PipeFactors::OPTIMAL_RANGES
        | PipeFactors::BUFFERS
        | PipeFactors::FIXED_COMPRESSION;
    assert_eq!(first.inside_factors, inside);
    assert_eq!((first.number_pins, second.number_pins), (4, 2));

    let ks = first.to_ks().unwrap();
    assert_eq!((ks.c_buffers, ks.cb_buffer, ks.cb_align, ks.cb_prefix), (4, 5000, AlignmentCount(1), 0));
    assert_eq!((ks.memory_type, ks.state), (KSMEMORY_TYPE_KERNEL_NONPAGED, PipeState::FINALIZED));
    assert_eq!((ks.strategy, ks.allocator_place), (AllocatorStrategy::MAXIMIZE_SPEED, PipeAllocatorPlace::FIRST_PIN));
    assert_eq!((ks.flags, ks.input.flags), (FramingFlags(0x3100), FramingFlags(0x40)));
    let half = KsCompression { ratio_numerator: 1, ratio_denominator: 2, ratio_constant_margin: 100 };
    assert_eq!(ks.dimensions.end_pin, half);
    assert_eq!((ks.physical_range.min_frame_size, ks.physical_range.stepping), (1000, 4000));
    assert_eq!((ks.number_pins, ks.count_next_segments, ks.prev_segment.is_null()), (4, 0, true));
}

#[test]
fn numbers_a_com_allocator_has_no_room_for_are_named() {
    let mut graph = Graph::builder();
    graph.filter("a").pin("out", Direction::Out).item(FramingItem::exactly(3_000_000_000));
    graph.filter("b").pin("in", Direction::In);
    graph.connect("a.out", "b.in");
    let graph = build(&graph);
    let plan = planned(&graph);
    let error = Description::new(&graph, &plan).properties(PipeId(0)).to_ks().unwrap_err();
    assert_eq!((error.member, error.value, error.limit), ("cbBuffer", 3_000_000_000, 2_147_483_647));
    assert_eq!(error.to_string(), "cbBuffer is 3000000000; a COM allocator has room for 2147483647");
}

#[test]
fn device_memory_is_host_mapped_only_where_the_graph_says_so() {
    let guid = Guid::from_u128(0xDE);
    for (host_mappable, expected) in
        [(true, KsLogicalMemoryType::DEVICE_HOST_MAPPED), (false, KsLogicalMemoryType::DEVICE_SPECIFIC)]
    {
        let mut graph = Graph::builder();
        graph.memory(guid, DeviceMemory { name: "vram".to_owned(), host_mappable, user_mappable: false });
        for (filter, pin, direction) in [("a", "out", Direction::Out), ("b", "in", Direction::In)] {
            let item = FramingItem { memory: guid, ..FramingItem::default() };
            graph.filter(filter).kernel().pin(pin, direction).item(item);
        }
        graph.connect("a.out", "b.in");
        let graph = build(&graph);
        let plan = planned(&graph);
        let properties = Description::new(&graph, &plan).properties(PipeId(0));
        assert_eq!(properties.logical_memory_type, expected);
        assert_eq!(plan_json(&graph, &plan)["pipes"][0]["memory_type"], "vram");
    }
}

#[test]
fn ends_tell_what_lies_beyond_them() {
    // A user-mode source over a bridge to a kernel renderer with memory of its own; a second out pin goes nowhere.
    let mut graph = Graph::builder();
    graph.filter("source").pin("out", Direction::Out).item(FramingItem::exactly(100));
    graph.filter("source").pin("spare", Direction::Out);
    graph
        .filter("renderer")
        .kernel()
        .pin("in", Direction::In)
        .item(FramingItem { memory: KSMEMORY_TYPE_DEVICE_UNKNOWN, ..FramingItem::default() });
    graph.connect("source.out", "renderer.in");
    let graph = build(&graph);
    let plan = planned(&graph);
    let description = Description::new(&graph, &plan);
    let of = |name: &str| description.properties(plan.pipe_of[pin(&graph, name).index()]);
    let upstream = PipeFactors::USER_MODE_UPSTREAM | PipeFactors::PHYSICAL_END;
    assert_eq!(of("renderer.in").input.outside_factors, upstream);
    assert_eq!(of("renderer.in").input.physical_range, FrameRange::exactly(100));
    assert_eq!(of("renderer.in").previous, None, "a bridge joins no segments");
    assert_eq!(of("source.out").output.outside_factors, PipeFactors::PHYSICAL_END, "beyond the bridge is the kernel");
    assert_eq!(of("source.spare").output.outside_factors, PipeFactors::PHYSICAL_END, "nobody connects it");
}

#[test]
fn reasons_name_who_forces_a_number_and_nobody_else() {
    let graph = segments();
    let plan = planned(&graph);
    let description = Description::new(&graph, &plan);
    let reasons = |name: &str| description.reasons(plan.pipe_of[pin(&graph, name).index()]);
    let lines = |reasons: &[Reason]| reasons.iter().map(|reason| line(&graph, reason)).collect::<Vec<_>>();
    let first = reasons("camera.out");
    assert_eq!(lines(&first.frames), ["camera.out[0] 5 requires Frames 4"]);
    assert_eq!(
        lines(&first.frame_size),
        [
            "camera.out[0] 3 requires FramingRange.MinFrameSize 2000, its capacity",
            "camera.out[0] 3 requires sizes of 1000 + k * 500 (PhysicalRange)",
            "packer.in[0] 3 requires sizes of 200 + k * 800 (PhysicalRange)",
        ]
    );
    assert_eq!(lines(&first.alignment), ["- 4 no pin asks for an alignment"]);
    assert_eq!(lines(&first.memory_type), ["camera.out[0] 2 requires MemoryType kernel-nonpaged"]);
    assert_eq!(
        lines(&first.allocator),
        ["camera.out[0] 6 can allocate (KSALLOCATOR_FLAG_CAN_ALLOCATE), the last pin that does"]
    );
    assert_eq!(
        lines(&first.bus_type),
        [
            "camera.out[0] 2 requires BusType {00000000-0000-0000-0000-000000000B05}; the first that names a bus is told to \
             the allocator"
        ]
    );
    assert_eq!(
        lines(&first.flags),
        [
            "packer.in[0] 7 no-frame-integrity: writes into the frames it gets (KSALLOCATOR_REQUIREMENTF_INPLACE_MODIFIER)",
            "camera.out[0] 3 attention-stepping: requires sizes on a stepping (PhysicalRange)",
            "packer.in[0] 3 attention-stepping: requires sizes on a stepping (PhysicalRange)",
            "- 3 independent-ranges: filters copy between this pipe and others without a stated compression, so neither's \
             sizes depend on the other's",
        ]
    );
    let second = reasons("file.in");
    assert_eq!(
        lines(&second.frames),
        ["file.in 5 holds 2 of the 2 frames held at once; one more keeps the pipe from starving"]
    );
}

#[test]
fn the_default_allocator_of_kernel_memory_is_on_the_handle_of_the_last_in_pin() {
    let mut graph = Graph::builder();
    graph.filter("a").kernel().pin("out", Direction::Out);
    graph.filter("b").kernel().pin("in", Direction::In);
    graph.connect("a.out", "b.in");
    let graph = build(&graph);
    let plan = planned(&graph);
    let reasons = Description::new(&graph, &plan).reasons(PipeId(0));
    assert_eq!(
        line(&graph, &reasons.allocator[0]),
        "b.in 6 is the last in pin; no pin must, prefers to or can allocate, so its handle has the default allocator"
    );
    assert_eq!(
        line(&graph, &reasons.memory_type[0]),
        "- 2 no pin names a memory type that could be had; kernel-nonpaged serves all"
    );
    assert_eq!(
        plan_json(&graph, &plan)["pipes"][0]["allocator"],
        json!({ "kind": "default", "pin": "b.in", "place": "last" })
    );
}

/// A graph of two filters, the pins asking these items, and why there is a bridge between them.
fn bridge_between(from: FramingItem, from_kernel: bool, to: FramingItem, to_kernel: bool) -> Vec<String> {
    let mut graph = Graph::builder();
    let mode = |kernel| if kernel { kspipe::graph::Mode::Kernel } else { kspipe::graph::Mode::User };
    graph.filter("a").mode(mode(from_kernel)).pin("out", Direction::Out).item(from).media_size(10);
    graph.filter("b").mode(mode(to_kernel)).pin("in", Direction::In).item(to);
    graph.connect("a.out", "b.in");
    let graph = build(&graph);
    let plan = planned(&graph);
    assert_eq!(plan.bridges.len(), 1);
    let description = Description::new(&graph, &plan);
    description.bridge_reasons(&plan.bridges[0]).iter().map(|reason| line(&graph, reason)).collect()
}

#[test]
fn a_bridge_tells_which_asks_conflict() {
    let any = FramingItem::default;
    let memory = |memory| FramingItem { memory, ..any() };
    let must = FramingItem { requirements: RequirementFlags::MUST_ALLOCATE, ..any() };
    let stepped = |min| FramingItem { physical: FrameRange { min, max: 1000, step: 2 }, ..any() };
    assert_eq!(
        bridge_between(memory(KSMEMORY_TYPE_DEVICE_UNKNOWN), true, memory(KSMEMORY_TYPE_KERNEL_NONPAGED), true),
        [
            "a.out[0] 2 requires MemoryType device; no memory is also what b.in requires",
            "b.in[0] 2 requires MemoryType kernel-nonpaged; no memory is also what a.out requires",
        ]
    );
    assert_eq!(
        bridge_between(memory(KSMEMORY_TYPE_USER), true, memory(KSMEMORY_TYPE_KERNEL_NONPAGED), true),
        [
            "a.out[0] 2 requires MemoryType user; no memory is also what b.in requires",
            "b.in[0] 2 requires MemoryType kernel-nonpaged; no memory is also what a.out requires",
        ]
    );
    assert_eq!(
        bridge_between(any(), false, memory(KSMEMORY_TYPE_DEVICE_UNKNOWN), true),
        ["b.in[0] 2 requires MemoryType device, which user mode cannot map", "a.out 2 belongs to a user-mode filter",]
    );
    assert_eq!(
        bridge_between(must.clone(), false, must.clone(), false),
        [
            "a.out[0] 6 requires to allocate (MUST_ALLOCATE), as b.in does",
            "b.in[0] 6 requires to allocate (MUST_ALLOCATE), as a.out does",
        ]
    );
    assert_eq!(
        bridge_between(must, true, any(), false),
        [
            "a.out[0] 2 requires to allocate in the kernel; user mode is given such frames only in device memory mapped to it",
            "b.in 2 belongs to a user-mode filter",
        ]
    );
    assert_eq!(
        bridge_between(FramingItem::exactly(500), false, FramingItem::exactly(400), false),
        ["a.out[0] 3 requires PhysicalRange.MinFrameSize 500", "b.in[0] 3 requires PhysicalRange.MaxFrameSize 400",]
    );
    assert_eq!(
        bridge_between(stepped(100), false, stepped(101), false),
        [
            "a.out[0] 3 requires sizes of 100 + k * 2 up to 1000 (PhysicalRange); the two steppings never meet",
            "b.in[0] 3 requires sizes of 101 + k * 2 up to 1000 (PhysicalRange); the two steppings never meet",
        ]
    );
}

#[test]
fn a_bridge_before_a_writer_tells_who_shares_the_frames() {
    let mut graph = Graph::builder();
    graph.filter("source").pin("out", Direction::Out).item(FramingItem::exactly(100));
    graph.filter("tee").pin("in", Direction::In);
    for out in ["a", "b"] {
        graph.filter("tee").pin(out, Direction::Out);
        graph.filter("tee").route("in", out, RouteKind::Pass);
    }
    graph.filter("writer").pin("in", Direction::In);
    graph.filter("writer").pin("out", Direction::Out);
    graph.filter("writer").route("in", "out", RouteKind::InPlace);
    graph.filter("sink").pin("in", Direction::In);
    graph.filter("file").pin("in", Direction::In);
    graph.connect("source.out", "tee.in").connect("tee.a", "sink.in").connect("tee.b", "writer.in");
    graph.connect("writer.out", "file.in");
    let graph = build(&graph);
    let plan = planned(&graph);
    let description = Description::new(&graph, &plan);
    let reasons: Vec<String> =
        description.bridge_reasons(&plan.bridges[0]).iter().map(|reason| line(&graph, reason)).collect();
    assert_eq!(
        reasons,
        [
            "tee.in 7 gives its frames to several branches, where they are read-only",
            "writer.in 7 writes into the frames it gets"
        ]
    );
    let shared = description.properties(plan.pipe_of[pin(&graph, "tee.in").index()]);
    assert_eq!(shared.flags, AllocatorFlags::MULTIPLE_OUTPUT);
}

#[test]
fn huge_numbers_are_strings_and_nothing_overflows() {
    let graph = camera_overlay_recorder();
    let mut plan = graphs::camera_plan(&graph);
    plan.pipes[0].frames = u64::MAX;
    plan.pipes[0].frame_size = u64::MAX;
    plan.pipes[0].alignment = 1 << 63;
    plan.cost.bytes = u128::MAX;
    let json = plan_json(&graph, &plan);
    assert_eq!(json["pipes"][0]["frames"], "18446744073709551615");
    assert_eq!(json["cost"]["bytes"], "340282366920938463463374607431768211455");
    assert_eq!(json["cost"]["frames"], 4);
    assert!(plan_text(&graph, &plan, true).contains("18 446 744 073 709 551 615 frames"));
    assert!(Description::new(&graph, &plan).properties(PipeId(0)).to_ks().is_err());
}

#[test]
fn copies_and_bridges_are_listed_with_their_ends() {
    let graph = segments();
    let mut plan = planned(&graph);
    assert_eq!(
        plan_json(&graph, &plan)["copies"],
        json!([{ "route": "encoder.in -> encoder.out", "chosen": false, "bytes": plan.copies[0].bytes }])
    );
    plan.copies = plan.copies.iter().map(|copy| RouteChoice { chosen: true, ..*copy }).collect();
    assert_eq!(plan_json(&graph, &plan)["copies"][0]["chosen"], true);
}

#[test]
fn an_error_names_the_pins_and_what_helps() {
    let mut graph = Graph::builder();
    graph.bridges(Bridges::Forbid).strategy(Strategy::MinimizeFrames);
    graph.filter("a").pin("out", Direction::Out).item(FramingItem::exactly(1));
    graph.filter("b").pin("in", Direction::In).item(FramingItem::exactly(2));
    graph.connect("a.out", "b.in");
    let graph = build(&graph);
    let error = negotiate(&graph).unwrap_err();
    let json = error_json(&graph, &error);
    assert_eq!(json["version"], 1);
    assert_eq!(json["error"]["pins"], json!(["a.out", "b.in"]));
    assert_eq!(json["error"]["asks"][0]["pin"], "a.out");
    let (out, input) = (pin(&graph, "a.out"), pin(&graph, "b.in"));
    let infeasible = NegotiateError::Infeasible(Box::new(Infeasible {
        pins: vec![out],
        asks: vec![(out, "one byte".to_owned())],
        message: "no".to_owned(),
        help: "yes".to_owned(),
        changes: vec![WhatIf::Prefer { pin: out }],
        together: Vec::new(),
    }));
    assert_eq!(
        error_json(&graph, &infeasible),
        json!({ "version": 1, "error": {
            "pins": ["a.out"], "asks": [{ "pin": "a.out", "ask": "one byte" }], "message": "no", "help": "yes",
            "changes": [{ "change": "prefer", "pin": "a.out",
                "text": "a.out with KSALLOCATOR_REQUIREMENTF_PREFERENCES_ONLY" }], "together": [] } })
    );
    let cycle = error_json(&graph, &NegotiateError::Cycle(vec![out, input]));
    assert_eq!(cycle["error"]["message"], "the graph has a cycle: a.out -> b.in -> a.out");
    let undecided = error_json(&graph, &NegotiateError::Undecided { states: 7 });
    assert_eq!(undecided["error"]["pins"], json!([]));
}
