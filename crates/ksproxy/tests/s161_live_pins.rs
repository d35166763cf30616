//! Live pins, negotiated: what they are told, in which order, and what the pipes they get do (statements 161 to 163).

mod common;
mod recording;

use common::{address, fill, is_all};
use ks::{
    AllocatorFlags, GetBufferFlags, KSMEMORY_TYPE_KERNEL_NONPAGED, KSMEMORY_TYPE_USER, KsAllocatorMode,
    PipeAllocatorPlace, RequirementFlags,
};
use kspipe::graph::{Compression, FramingItem, Graph, GraphBuilder, RouteKind};
use ksproxy::interfaces::*;
use recording::*;
use windows_core::Interface;

/// An item that asks for frames of one size.
fn exactly(size: u32) -> FramingItem {
    FramingItem::exactly(size)
}

fn in_place(size: u32) -> FramingItem {
    FramingItem { requirements: RequirementFlags::INPLACE_MODIFIER, ..exactly(size) }
}

/// A source, a filter and a sink. The filter's framing says how its route goes.
fn with_transform(graph: &mut GraphBuilder, transform: FramingItem, kind: RouteKind) {
    graph.filter("source").pin("out", OUT).item(FramingItem { frames: 3, ..exactly(4096) });
    graph.filter("effect").pin("in", IN).item(transform);
    graph.filter("effect").pin("out", OUT);
    graph.filter("effect").route("in", "out", kind);
    graph.filter("sink").pin("in", IN).item(FramingItem { frames: 2, ..FramingItem::default() });
    graph.connect("source.out", "effect.in").connect("effect.out", "sink.in");
}

/// A kernel-mode source and sink.
fn in_kernel(graph: &mut GraphBuilder) {
    let item = FramingItem { memory: KSMEMORY_TYPE_KERNEL_NONPAGED, frames: 4, alignment: 64, ..exactly(4096) };
    graph.filter("camera").kernel().pin("capture", OUT).item(item);
    graph.filter("display").kernel().pin("in", IN).item(FramingItem { frames: 2, ..FramingItem::default() });
    graph.connect("camera.capture", "display.in");
}

fn commit(allocator: &IMemAllocator) {
    // SAFETY: no pointers.
    unsafe { allocator.Commit() }.unwrap();
}

fn sample(allocator: &IMemAllocator) -> Result<IMediaSample, windows_core::HRESULT> {
    let mut sample = None;
    // SAFETY: the pointer is there, and null is a time not given.
    let answer =
        unsafe { allocator.GetBuffer(&mut sample, std::ptr::null(), std::ptr::null(), GetBufferFlags::NOWAIT) };
    sample.ok_or(answer)
}

/// A world, and the graph it was made of.
fn world(build: impl FnOnce(&mut GraphBuilder)) -> (World, Graph) {
    let graph = graph(build);
    (World::of(&graph), graph)
}

#[test]
fn s162_a_filter_in_place_is_in_one_pipe_and_all_see_the_same_buffer() {
    let (world, _) = world(|graph| with_transform(graph, in_place(4096), RouteKind::InPlace));
    let negotiated = world.negotiate().expect("a plan");
    assert_eq!(negotiated.pipes().len(), 1);
    let pipes: Vec<IKsAllocatorEx> = world.pins.iter().map(|pin| pipe_of(pin).expect("a pipe")).collect();
    let allocators: Vec<IMemAllocator> =
        world.pins.iter().map(|pin| allocator_of(pin).expect("an allocator")).collect();
    for (pipe, allocator) in pipes.iter().zip(&allocators) {
        assert!(same(pipe, &negotiated.pipes()[0].interface()) && same(allocator, pipe));
    }
    // Only the source takes a frame; the others see it where it is.
    let source = &allocators[world.index("source.out")];
    commit(source);
    let taken = sample(source).expect("a frame");
    let seen_by_all = address(&taken);
    fill(&taken, 1);
    assert_eq!(address(&taken), seen_by_all, "in the filter");
    fill(&taken, 2);
    assert!(is_all(&taken, 2), "in the sink");
    assert_eq!(negotiated.pipes()[0].allocator().status().acquires, 1);
    drop(taken);
    // SAFETY: no pointers.
    unsafe { source.Decommit() }.unwrap();
}

#[test]
fn s161_a_filter_that_copies_has_a_pipe_on_each_side_and_neither_starves_the_other() {
    let (world, _) = world(|graph| with_transform(graph, exactly(4096), RouteKind::Copy));
    let negotiated = world.negotiate().expect("a plan");
    assert_eq!(negotiated.pipes().len(), 2);
    let allocator = |name: &str| allocator_of(&world.pins[world.index(name)]).expect("an allocator");
    let (first, second) = (allocator("source.out"), allocator("effect.out"));
    assert!(same(&first, &allocator("effect.in")) && same(&second, &allocator("sink.in")) && !same(&first, &second));
    commit(&first);
    commit(&second);
    let all_of_the_first: Vec<IMediaSample> = (0..3).map(|_| sample(&first).expect("a frame")).collect();
    assert!(sample(&first).is_err(), "all of its frames are out");
    assert!(sample(&second).is_ok(), "the other pipe has its own");
    drop(all_of_the_first);
    // SAFETY: no pointers.
    unsafe {
        first.Decommit().unwrap();
        second.Decommit().unwrap();
    }
}

#[test]
fn s119_segments_are_linked_by_plain_pointers() {
    let (world, _) = world(|graph| with_transform(graph, exactly(4096), RouteKind::Copy));
    let negotiated = world.negotiate().expect("a plan");
    let pipes: Vec<IKsAllocatorEx> = negotiated.pipes().iter().map(|pipe| pipe.interface()).collect();
    let [upstream, downstream] = [0, 1].map(|pipe| negotiated.pipes()[pipe].properties_ex());
    assert!(upstream.prev_segment.is_null());
    assert_eq!(upstream.count_next_segments, 1);
    // SAFETY: the pipe objects are alive.
    let next = unsafe { upstream.next_segments.cast::<*mut core::ffi::c_void>().read() };
    assert_eq!(next, pipes[1].as_raw());
    assert_eq!((downstream.prev_segment, downstream.count_next_segments), (pipes[0].as_raw(), 0));
    assert!(downstream.next_segments.is_null());
    // The pins, the result and this test: nobody else has a reference.
    for (pipe, expected) in pipes.iter().zip([2 * 2 + 2, 2 * 2 + 2]) {
        assert_eq!(common::references(pipe), expected, "pipe and allocator at two pins, the result, the test");
    }
    drop(negotiated);
    assert_eq!(common::references(&pipes[0]), 2 * 2 + 1, "the pins hold their pipes");
}

#[test]
fn s163_a_pipe_with_a_user_mode_end_is_in_user_mode() {
    let (mixed, _) = world(|graph| {
        let item = FramingItem { memory: KSMEMORY_TYPE_KERNEL_NONPAGED, frames: 4, ..exactly(4096) };
        graph.filter("camera").kernel().pin("capture", OUT).item(item);
        graph.filter("viewer").pin("in", IN);
        graph.connect("camera.capture", "viewer.in");
    });
    let negotiated = mixed.negotiate().expect("a plan");
    let pipe = &negotiated.pipes()[0];
    assert_eq!(pipe.mode(), KsAllocatorMode::USER);
    assert_eq!(pipe.properties_ex().memory_type, KSMEMORY_TYPE_USER);
    assert!(pipe.handle() == ksproxy::Handle::NULL);
    assert!(mixed.driver.created.lock().unwrap().is_empty() && mixed.driver.taken.lock().unwrap().is_empty());
    let allocator = allocator_of(&mixed.pins[0]).expect("an allocator");
    commit(&allocator);
    assert!(sample(&allocator).is_ok());
    // SAFETY: no pointers.
    unsafe { allocator.Decommit() }.unwrap();

    let (all_kernel, _) = world(in_kernel);
    assert_eq!(all_kernel.negotiate().expect("a plan").pipes()[0].mode(), KsAllocatorMode::KERNEL);
}

#[test]
fn in_kernel_mode_the_sinks_handle_makes_the_allocator_and_the_source_gets_it() {
    let (world, _) = world(in_kernel);
    let negotiated = world.negotiate().expect("a plan");
    let pipe = &negotiated.pipes()[0];
    let created = world.driver.created.lock().unwrap();
    let [(pin, framing)] = &created[..] else { panic!("one allocator is created: {created:?}") };
    assert_eq!(pin, "display.in");
    assert_eq!((framing.frames, framing.frame_size, framing.file_alignment.0), (4, 4096, 63));
    assert_eq!(*world.driver.taken.lock().unwrap(), [("camera.capture".to_owned(), pipe.handle())]);
    assert_eq!(pipe.status().expect("from the driver").framing, *framing);
    assert_eq!(pipe.properties_ex().allocator_place, PipeAllocatorPlace::LAST_PIN);
    assert_eq!(world.state("display.in").has().1, 1, "the allocator's pin has the flag");
    assert_eq!(world.state("camera.capture").has().1, 0);
    let allocator = allocator_of(&world.pins[0]).expect("an allocator");
    let mut properties = ks::AllocatorProperties::default();
    // SAFETY: the pointer is there.
    unsafe { allocator.GetProperties(&mut properties) }.unwrap();
    assert_eq!((properties.c_buffers, properties.cb_buffer, properties.cb_align.0), (4, 4096, 64));
}

#[test]
fn pins_are_told_step_by_step_and_only_once_everything_is_read() {
    let (world, _) = world(|graph| {
        in_kernel(graph);
        graph.filter("display").kernel().pin("out", OUT);
        graph.filter("display").route("in", "out", RouteKind::Copy);
        graph.filter("recorder").kernel().pin("in", IN);
        graph.connect("display.out", "recorder.in");
    });
    world.negotiate().expect("a plan");
    let expected = [
        "display.in KsCreateAllocator",
        "recorder.in KsCreateAllocator",
        "camera.capture KsSetPipe",
        "display.in KsSetPipe",
        "display.out KsSetPipe",
        "recorder.in KsSetPipe",
        "display.in KsSetPipeAllocatorFlag",
        "recorder.in KsSetPipeAllocatorFlag",
        "camera.capture KsReceiveAllocator",
        "display.in KsReceiveAllocator",
        "display.out KsReceiveAllocator",
        "recorder.in KsReceiveAllocator",
        "camera.capture KSPROPERTY_STREAM_ALLOCATOR",
        "display.out KSPROPERTY_STREAM_ALLOCATOR",
    ];
    assert_eq!(world.writes(), expected);
    let log = world.log.lock().unwrap();
    let first_write = log.iter().position(|call| call == expected[0]).expect("a write");
    let reads =
        ["QueryDirection", "KsGetPinFramingCache", "KsGetConnectedPin", "QueryInternalConnections", "KsGetPipe"];
    for read in reads {
        let last = log.iter().rposition(|call| call.ends_with(read)).expect("a read");
        assert!(last < first_write, "{read} after the first write");
    }
}

#[test]
fn a_kernel_source_that_must_allocate_gets_the_allocator_on_its_own_handle() {
    let (world, _) = world(|graph| {
        let item = FramingItem {
            memory: KSMEMORY_TYPE_KERNEL_NONPAGED,
            requirements: RequirementFlags::MUST_ALLOCATE,
            flags: AllocatorFlags::CAN_ALLOCATE,
            ..exactly(4096)
        };
        graph.filter("camera").kernel().pin("capture", OUT).item(item);
        graph.filter("display").kernel().pin("in", IN);
        graph.connect("camera.capture", "display.in");
    });
    let negotiated = world.negotiate().expect("a plan");
    assert_eq!(world.driver.created.lock().unwrap()[0].0, "camera.capture");
    assert_eq!(world.driver.taken.lock().unwrap()[0].0, "camera.capture");
    assert_eq!(negotiated.pipes()[0].properties_ex().allocator_place, PipeAllocatorPlace::FIRST_PIN);
    assert_eq!((world.state("camera.capture").has().1, world.state("display.in").has().1), (1, 0));
}

/// A user-mode sink that wants to allocate.
fn wants_to_allocate(requirements: RequirementFlags) -> (World, IMemAllocator) {
    let (world, _) = world(|graph| {
        graph.filter("source").pin("out", OUT).item(FramingItem { frames: 3, alignment: 16, ..exactly(4096) });
        graph.filter("sink").pin("in", IN).item(FramingItem { requirements, ..FramingItem::default() });
        graph.connect("source.out", "sink.in");
    });
    let own: IMemAllocator = ksproxy::KsAllocator::new().into();
    *world.state("sink.in").allocator.lock().unwrap() = Some(own.clone());
    (world, own)
}

#[test]
fn a_user_mode_pin_that_must_allocate_has_its_own_allocator_used() {
    let (world, own) = wants_to_allocate(RequirementFlags::MUST_ALLOCATE);
    let negotiated = world.negotiate().expect("a plan");
    let mut properties = ks::AllocatorProperties::default();
    // SAFETY: the pointer is there.
    unsafe { own.GetProperties(&mut properties) }.unwrap();
    assert_eq!((properties.c_buffers, properties.cb_buffer, properties.cb_align.0), (3, 4096, 16));
    for pin in &world.pins {
        assert!(same(&allocator_of(pin).expect("an allocator"), &own));
        assert!(same(&pipe_of(pin).expect("a pipe"), &negotiated.pipes()[0].interface()));
    }
    assert_eq!(world.state("sink.in").has().1, 1);

    // What came with a pipe is no pin's own.
    let (world, _) = wants_to_allocate(RequirementFlags::MUST_ALLOCATE);
    *world.state("sink.in").allocator.lock().unwrap() = None;
    let first = world.negotiate().expect("a plan");
    let second = world.negotiate().expect("a plan");
    let allocator = allocator_of(&world.pins[0]).expect("an allocator");
    assert!(same(&allocator, &second.pipes()[0].interface()) && !same(&allocator, &first.pipes()[0].interface()));
}

#[test]
fn an_allocator_that_cannot_take_the_properties_is_left_alone() {
    let request = ks::AllocatorProperties { c_buffers: 1, cb_buffer: 8, cb_align: ks::AlignmentCount(1), cb_prefix: 0 };
    let busy = |own: &IMemAllocator| {
        // SAFETY: the pointers are there. A committed allocator refuses other properties.
        unsafe {
            own.SetProperties(&request, &mut ks::AllocatorProperties::default()).unwrap();
            own.Commit().unwrap();
        }
    };
    let (world, own) = wants_to_allocate(RequirementFlags::MUST_ALLOCATE);
    busy(&own);
    let before = world.everything();
    let error = world.negotiate().expect_err("it must allocate and cannot");
    assert_eq!(error.hresult(), ksproxy::hresult::VFW_E_ALREADY_COMMITTED);
    assert_eq!(error.pins(), ["sink.in"]);
    assert_eq!((world.everything(), world.writes()), (before, Vec::new()));
    // SAFETY: no pointers.
    unsafe { own.Decommit() }.unwrap();

    let (world, own) = wants_to_allocate(RequirementFlags::MUST_ALLOCATE | RequirementFlags::PREFERENCES_ONLY);
    busy(&own);
    let negotiated = world.negotiate().expect("it only prefers to");
    let allocator = allocator_of(&world.pins[0]).expect("an allocator");
    assert!(same(&allocator, &negotiated.pipes()[0].interface()));
    // SAFETY: no pointers.
    unsafe { own.Decommit() }.unwrap();
}

/// Two pipes, at the end of each a pin that prefers to allocate, with an allocator of its own.
fn two_want_to_allocate(first: &IMemAllocator, second: &IMemAllocator) -> World {
    let requirements = RequirementFlags::MUST_ALLOCATE | RequirementFlags::PREFERENCES_ONLY;
    let (world, _) = world(|graph| {
        graph.filter("source").pin("out", OUT).item(FramingItem { frames: 3, ..exactly(4096) });
        graph.filter("coder").pin("in", IN).item(FramingItem { requirements, ..FramingItem::default() });
        graph.filter("coder").pin("out", OUT).item(FramingItem { frames: 2, ..exactly(512) });
        graph.filter("coder").route("in", "out", RouteKind::Copy);
        graph.filter("sink").pin("in", IN).item(FramingItem { requirements, ..FramingItem::default() });
        graph.connect("source.out", "coder.in").connect("coder.out", "sink.in");
    });
    *world.state("coder.in").allocator.lock().unwrap() = Some(first.clone());
    *world.state("sink.in").allocator.lock().unwrap() = Some(second.clone());
    world
}

/// Count and size of what an allocator gives.
fn count_and_size(allocator: &IMemAllocator) -> (i32, i32) {
    let mut properties = ks::AllocatorProperties::default();
    // SAFETY: the pointer is there.
    unsafe { allocator.GetProperties(&mut properties) }.unwrap();
    (properties.c_buffers, properties.cb_buffer)
}

#[test]
fn an_allocator_that_cannot_take_the_properties_leaves_the_other_pipes_as_it_is() {
    let (first, second): (IMemAllocator, IMemAllocator) =
        (ksproxy::KsAllocator::new().into(), ksproxy::KsAllocator::new().into());
    let world = two_want_to_allocate(&first, &second);
    let request = ks::AllocatorProperties { c_buffers: 1, cb_buffer: 8, cb_align: ks::AlignmentCount(1), cb_prefix: 0 };
    // SAFETY: the pointers are there. A committed allocator refuses other properties.
    unsafe {
        first.SetProperties(&request, &mut ks::AllocatorProperties::default()).unwrap();
        second.SetProperties(&request, &mut ks::AllocatorProperties::default()).unwrap();
        second.Commit().unwrap();
    }
    let negotiated = world.negotiate().expect("they only prefer to");
    assert!(same(&allocator_of(&world.pins[world.index("source.out")]).expect("an allocator"), &first));
    assert_eq!((count_and_size(&first), count_and_size(&second)), ((3, 4096), (1, 8)));
    let instead = allocator_of(&world.pins[world.index("sink.in")]).expect("an allocator");
    assert!(same(&instead, &negotiated.pipe_of(&world.unknown("sink.in")).expect("a pipe").interface()));
    // SAFETY: no pointers.
    unsafe { second.Decommit() }.unwrap();
}

#[test]
fn s161_two_pins_with_the_same_allocator_do_not_make_two_pipes_share_it() {
    let own = ksproxy::KsAllocator::new().into();
    let world = two_want_to_allocate(&own, &own);
    let negotiated = world.negotiate().expect("they only prefer to");
    assert_eq!(count_and_size(&own), (3, 4096));
    assert!(same(&allocator_of(&world.pins[world.index("coder.in")]).expect("an allocator"), &own));
    let other = allocator_of(&world.pins[world.index("sink.in")]).expect("an allocator");
    assert!(same(&other, &negotiated.pipe_of(&world.unknown("sink.in")).expect("a pipe").interface()));
    assert_eq!(count_and_size(&other), (2, 512));
}

#[test]
fn a_tee_that_does_not_modify_copies_to_every_branch() {
    let (world, _) = world(|graph| {
        graph.filter("source").pin("out", OUT).item(FramingItem { frames: 2, ..exactly(512) });
        graph.filter("tee").pin("in", IN);
        for branch in ["a", "b", "c"] {
            graph.filter("tee").pin(branch, OUT);
            graph.filter("tee").route("in", branch, RouteKind::Copy);
            graph.filter(branch).pin("in", IN);
            graph.connect(&format!("tee.{branch}"), &format!("{branch}.in"));
        }
        graph.connect("source.out", "tee.in");
    });
    // One pin of the graph is enough: every other hangs together with it.
    let negotiated = world.negotiate_by(&[world.unknown("b.in")], Default::default()).expect("a plan");
    assert_eq!(negotiated.pipes().len(), 4);
    let source = negotiated.pipe_of(&world.pins[world.index("source.out")]).expect("a pipe");
    let properties = source.properties_ex();
    assert_eq!(properties.count_next_segments, 3);
    // SAFETY: the pipe objects are alive.
    let next = unsafe { std::slice::from_raw_parts(properties.next_segments.cast::<usize>(), 3) };
    for branch in ["tee.a", "tee.b", "tee.c"] {
        let pipe = negotiated.pipe_of(&world.pins[world.index(branch)]).expect("a pipe");
        assert!(next.contains(&pipe.interface().as_raw().addr()));
        assert_eq!(pipe.properties_ex().prev_segment, source.interface().as_raw());
    }
}

#[test]
fn negotiating_again_replaces_the_pipes() {
    let (world, _) = world(|graph| with_transform(graph, exactly(4096), RouteKind::Copy));
    let first = world.negotiate().expect("a plan");
    let old = first.pipes()[0].interface();
    drop(first);
    let before = world.everything();
    let second = world.negotiate().expect("a plan");
    assert!(world.everything().iter().zip(&before).all(|(now, before)| now.0 != before.0 && now.2 != before.2));
    assert_eq!(common::references(&old), 1, "no pin holds the pipe of before");
    assert_eq!(second.pipes().len(), 2);
}

#[test]
fn a_source_that_had_a_kernel_allocator_and_has_none_now_is_told_so() {
    let (mut world, _) = world(in_kernel);
    let first = world.negotiate().expect("a plan");
    let handle = first.pipes()[0].handle();
    // The display is given up for a viewer without a handle.
    let (viewer, _) = self::world(|graph| {
        graph.filter("viewer").pin("in", IN);
    });
    world.states.push(viewer.states[0].clone());
    world.pins.push(viewer.pins[0].clone());
    *world.state("display.in").peer.lock().unwrap() = 0;
    world.connect(world.index("camera.capture"), 2);
    let second = world.negotiate_by(&[world.unknown("camera.capture")], Default::default()).expect("a plan");
    assert_eq!(second.pipes()[0].mode(), KsAllocatorMode::USER);
    let taken = world.driver.taken.lock().unwrap();
    let expected = [handle, ksproxy::Handle::NULL].map(|handle| ("camera.capture".to_owned(), handle));
    assert_eq!(*taken, expected);
}

#[test]
fn a_compression_makes_the_segments_sizes() {
    let (world, graph) = world(|graph| {
        graph.filter("source").pin("out", OUT).item(exactly(8192));
        graph.filter("encoder").pin("in", IN);
        let quarter = Compression { numerator: 1, denominator: 4, margin: 64 };
        graph.filter("encoder").pin("out", OUT).item(FramingItem::default()).compression(quarter);
        graph.filter("encoder").route("in", "out", RouteKind::Copy);
        graph.filter("sink").pin("in", IN);
        graph.connect("source.out", "encoder.in").connect("encoder.out", "sink.in");
    });
    let negotiated = world.negotiate().expect("a plan");
    assert_eq!(negotiated.plan(), &kspipe::negotiate::negotiate(&graph).expect("a plan"));
    let sizes: Vec<i32> = negotiated.pipes().iter().map(|pipe| pipe.properties_ex().cb_buffer).collect();
    assert_eq!(sizes, [8192, 2048 + 64]);
    assert_eq!(negotiated.pipes()[1].properties_ex().input.compression.ratio_denominator, 4);
}
