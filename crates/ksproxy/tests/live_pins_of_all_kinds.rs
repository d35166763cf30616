//! Live pins of filters that know nothing of Kernel Streaming, of filters on both sides, ready pins; and whichever of them
//! is given, the result is the same.

mod common;
mod recording;

use ks::{
    AlignmentCount, AlignmentMask, AllocatorProperties, FramingEx, FramingFlags, KSMEMORY_TYPE_KERNEL_NONPAGED,
    KSMEMORY_TYPE_USER, KsAllocatorFraming, KsAllocatorFramingEx, KsAllocatorMode, OptionsOrRequirements, PinDirection,
    RequirementFlags,
};
use kspipe::graph::{FramingItem, Mode, RouteKind, Strategy};
use ksproxy::interfaces::*;
use ksproxy::{InProcessObjects, KsPin, NegotiatePinsError, PinFactory, PinFraming, negotiate_pins};
use recording::*;
use std::sync::Arc;
use windows_core::{IUnknown, Interface};
use zerocopy::IntoBytes;

/// A source that asks for 2 frames of 4096 bytes, to be connected to a pin that is no KS pin.
fn source() -> World {
    World::of(&graph(|graph| {
        graph.filter("source").pin("out", OUT).item(FramingItem { frames: 2, ..FramingItem::exactly(4096) });
    }))
}

#[test]
fn a_pin_that_is_no_ks_pin_is_in_user_mode_and_asks_what_it_requires() {
    let world = source();
    let filter = PlainFilter::make("Renderer");
    let required = AllocatorProperties { c_buffers: 5, cb_buffer: 100, cb_align: AlignmentCount(64), cb_prefix: 0 };
    let renderer = PlainPin::make(&filter, "Input", PinDirection::INPUT, &world.pins[0], Some(required));
    *world.states[0].peer.lock().unwrap() = renderer.as_raw().addr();
    let negotiated = world.negotiate().expect("a plan");
    assert_eq!(negotiated.graph().pin_names().collect::<Vec<_>>(), ["Renderer.Input", "source.out"]);
    let pipe = negotiated.pipe_of(&renderer).expect("a pipe");
    let properties = pipe.properties_ex();
    assert_eq!((properties.c_buffers, properties.cb_buffer, properties.cb_align.0), (5, 4096, 64));
    assert_eq!((properties.memory_type, pipe.mode()), (KSMEMORY_TYPE_USER, KsAllocatorMode::USER));
    // It asks the pin it is connected to for nothing more.
    assert!(same(&allocator_of(&world.pins[0]).expect("an allocator"), &pipe.interface()));
    assert_eq!(world.writes(), ["source.out KsSetPipe", "source.out KsReceiveAllocator"]);
}

#[test]
fn where_internal_connections_are_not_listed_every_in_pin_leads_to_every_out_pin() {
    let (left, right) = (source(), source());
    let sinks = World::of(&graph(|graph| {
        for filter in ["a", "b"] {
            graph.filter(filter).pin("in", IN).item(FramingItem { frames: 3, ..FramingItem::default() });
        }
    }));
    let filter = PlainFilter::make("Mixer");
    let make = |name, direction, peer: &IPin| PlainPin::make(&filter, name, direction, peer, None);
    let pins = [
        make("In 1", PinDirection::INPUT, &left.pins[0]),
        make("In 2", PinDirection::INPUT, &right.pins[0]),
        make("Out 1", PinDirection::OUTPUT, &sinks.pins[0]),
        make("Out 2", PinDirection::OUTPUT, &sinks.pins[1]),
    ];
    let ends = [&left.states[0], &right.states[0], &sinks.states[0], &sinks.states[1]];
    for (pin, end) in pins.iter().zip(ends) {
        *end.peer.lock().unwrap() = pin.as_raw().addr();
    }
    let negotiated = left.negotiate().expect("a plan");
    let graph = negotiated.graph();
    // Both sources have the same name; the second that is found is numbered.
    let names: Vec<String> = graph.pin_names().collect();
    let mixer = ["Mixer.In 1", "Mixer.In 2", "Mixer.Out 1", "Mixer.Out 2"];
    assert_eq!(names[..4], mixer.map(str::to_owned));
    assert_eq!(names[4..], ["a.in", "b.in", "source.out", "source (2).out"].map(str::to_owned));
    let routes: Vec<_> =
        graph.routes().iter().map(|r| (graph.pin_name(r.from), graph.pin_name(r.to), r.kind)).collect();
    let expected: Vec<_> = mixer[..2]
        .iter()
        .flat_map(|from| mixer[2..].iter().map(|to| ((*from).to_owned(), (*to).to_owned(), RouteKind::Copy)))
        .collect();
    assert_eq!(routes, expected);
    assert_eq!(negotiated.pipes().len(), 4);
    assert_eq!(negotiated.pipe_of(&pins[0]).expect("a pipe").properties_ex().count_next_segments, 2);
}

#[test]
fn a_filter_with_a_pin_on_each_side_has_a_pipe_on_each_side() {
    let world = World::of(&graph(|graph| {
        graph.filter("file").pin("out", OUT).item(FramingItem::exactly(512));
        // The decoder's in pin is a process's, its out pin a driver's.
        graph.filter("decoder").pin("in", IN);
        graph
            .filter("decoder")
            .pin("out", OUT)
            .mode(Mode::Kernel)
            .item(FramingItem { memory: KSMEMORY_TYPE_KERNEL_NONPAGED, ..FramingItem::exactly(4096) });
        graph.filter("decoder").route("in", "out", RouteKind::Copy);
        graph.filter("display").kernel().pin("in", IN);
        graph.connect("file.out", "decoder.in").connect("decoder.out", "display.in");
    }));
    let negotiated = world.negotiate().expect("a plan");
    let modes: Vec<_> = negotiated.pipes().iter().map(|pipe| pipe.mode()).collect();
    assert_eq!(modes, [KsAllocatorMode::USER, KsAllocatorMode::KERNEL]);
    assert_eq!(world.driver.created.lock().unwrap()[0].0, "display.in");
}

#[test]
fn whichever_pins_are_given_and_however_often_the_plan_is_the_same() {
    let build = || {
        World::of(&graph(|graph| {
            graph.filter("source").pin("out", OUT).item(FramingItem { frames: 3, ..FramingItem::exactly(4096) });
            let requirements = RequirementFlags::INPLACE_MODIFIER;
            graph.filter("effect").pin("in", IN).item(FramingItem { requirements, ..FramingItem::default() });
            graph.filter("effect").pin("out", OUT);
            graph.filter("effect").route("in", "out", RouteKind::InPlace);
            graph.filter("coder").pin("in", IN);
            graph.filter("coder").pin("out", OUT);
            graph.filter("coder").route("in", "out", RouteKind::Copy);
            graph.filter("sink").pin("in", IN).item(FramingItem { frames: 2, ..FramingItem::default() });
            graph.connect("source.out", "effect.in").connect("effect.out", "coder.in");
            graph.connect("coder.out", "sink.in");
        }))
    };
    let world = build();
    let all = world.negotiate().expect("a plan");
    let everything = world.unknowns();
    for given in 0..everything.len() {
        let world = build();
        let one = world.unknowns()[given].clone();
        let twice = world.negotiate_by(&[one.clone(), one], Strategy::MaximizeSpeed).expect("a plan");
        assert_eq!((twice.graph(), twice.plan()), (all.graph(), all.plan()));
        // By another interface of the same pin.
        let other: IUnknown = world.pins[given].cast::<IKsPinPipe>().expect("IKsPinPipe").into();
        let other = world.negotiate_by(&[other], Strategy::MaximizeSpeed).expect("a plan");
        assert_eq!(other.plan(), all.plan());
    }
}

#[test]
fn the_strategy_is_the_callers() {
    for (_, strategy) in Strategy::ALL {
        let world = source();
        let filter = PlainFilter::make("Renderer");
        let renderer = PlainPin::make(&filter, "Input", PinDirection::INPUT, &world.pins[0], None);
        *world.states[0].peer.lock().unwrap() = renderer.as_raw().addr();
        let negotiated = world.negotiate_by(&world.unknowns(), strategy).expect("a plan");
        assert_eq!(negotiated.plan().strategy, strategy);
    }
}

#[test]
fn names_that_are_missing_or_taken_are_made_up() {
    let log = Log::default();
    let states: Vec<Arc<PinState>> = [("", "", OUT), ("", "", IN), ("cam.a", "b", OUT), ("cam", "a.b", IN)]
        .into_iter()
        .map(|(filter, name, direction)| {
            let mut state = PinState::new(filter, name, direction, &log);
            state.property = ks::FramingProp::NONE;
            Arc::new(state)
        })
        .collect();
    let pins: Vec<IPin> = states.iter().map(|state| RecordingPin { state: state.clone() }.into()).collect();
    for (a, b) in [(0, 1), (2, 3)] {
        *states[a].peer.lock().unwrap() = pins[b].as_raw().addr();
        *states[b].peer.lock().unwrap() = pins[a].as_raw().addr();
    }
    let given: Vec<IUnknown> = pins.iter().map(|pin| pin.cast().expect("an object")).collect();
    // SAFETY: the pins are alive and say the truth about their memory.
    let negotiated = unsafe { negotiate_pins(&given, Strategy::MaximizeSpeed) }.expect("a plan");
    let names: Vec<String> = negotiated.graph().pin_names().collect();
    assert_eq!(names, ["cam.a.b (2)", "cam.a.b", "filter.pin", "filter (2).pin"]);
    assert_eq!(
        negotiated.graph().filters().iter().map(|f| f.name()).collect::<Vec<_>>(),
        ["cam", "cam.a", "filter", "filter (2)"]
    );
}

#[test]
fn s162_s163_ready_pins_are_negotiated_in_the_kernel_and_out_of_it() {
    let framing = KsAllocatorFramingEx::simple(
        KSMEMORY_TYPE_KERNEL_NONPAGED,
        FramingFlags::from(RequirementFlags::SYSTEM_MEMORY),
        4,
        AlignmentMask(63),
        4096,
        4096,
    );
    let framing = || FramingEx::parse(framing.as_bytes()).expect("a framing");
    let handle = || InProcessObjects::create_sink_pin().expect("a pin of a driver");
    let camera = KsPin::output("Capture").filter_name("Camera").framing(framing()).handle(handle()).build();
    let display = KsPin::input("Video").filter_name("Display").handle(handle()).build();
    camera.connect(&display).expect("a connection");
    let given = || [camera.interface().cast::<IUnknown>().expect("an object")];
    // SAFETY: the pins are this library's own.
    let in_kernel = unsafe { negotiate_pins(&given(), Strategy::MaximizeSpeed) }.expect("a plan");
    let pipe = &in_kernel.pipes()[0];
    assert_eq!(pipe.mode(), KsAllocatorMode::KERNEL);
    assert_eq!(pipe.status().expect("a status").framing.frame_size, 4096);
    for pin in [&camera, &display] {
        assert!(same(&pin.pipe().expect("a pipe"), &pipe.interface()));
        assert!(same(&pin.allocator().expect("an allocator"), &pipe.interface()));
    }
    assert_eq!((camera.pipe_allocator_flag(), display.pipe_allocator_flag()), (0, 1));

    let viewer = KsPin::input("In").filter_name("Viewer").build();
    camera.disconnect();
    camera.connect(&viewer).expect("a connection");
    // SAFETY: as above.
    let mixed = unsafe { negotiate_pins(&given(), Strategy::MaximizeSpeed) }.expect("a plan");
    assert_eq!(mixed.pipes()[0].mode(), KsAllocatorMode::USER);
    assert!(same(&viewer.pipe().expect("a pipe"), &mixed.pipes()[0].interface()));
    let warnings = mixed.warnings().join("\n");
    assert!(warnings.contains("Camera.Capture: KS014"), "locked user memory in place of nonpaged is said: {warnings}");
}

#[test]
fn what_a_framing_says_in_vain_is_a_warning() {
    let mut framing = KsAllocatorFramingEx::simple(KSMEMORY_TYPE_USER, FramingFlags(0), 1, AlignmentMask(4096), 64, 64);
    framing.pin_weight = 7;
    let source =
        KsPin::output("out").filter_name("source").framing(FramingEx::parse(framing.as_bytes()).unwrap()).build();
    let sink = KsPin::input("in").filter_name("sink").build();
    source.connect(&sink).expect("a connection");
    let given = [sink.interface().cast().expect("an object")];
    // SAFETY: the pins are this library's own.
    let negotiated = unsafe { negotiate_pins(&given, Strategy::MaximizeSpeed) }.expect("a plan");
    let warnings = negotiated.warnings();
    assert!(warnings[0].starts_with("source.out: PinWeight is 0x7"), "{warnings:?}");
    assert!(warnings[1].starts_with("source.out: FramingItem[0].FileAlignment is 0x1000"), "{warnings:?}");
    assert_eq!(negotiated.pipes()[0].properties_ex().cb_align.0, 8192);
}

#[test]
fn a_driver_is_asked_for_the_framing_that_is_not_in_the_cache() {
    let extended =
        KsAllocatorFramingEx::simple(KSMEMORY_TYPE_KERNEL_NONPAGED, FramingFlags(2), 6, AlignmentMask(31), 1000, 2000);
    let old = KsAllocatorFraming { flags: OptionsOrRequirements(2), frames: 7, frame_size: 1500, ..Default::default() };
    let extended = PinFraming::extended(extended.as_bytes()).expect("a framing");
    for (framing, frames, size) in [(extended, 6, 1000), (PinFraming::old(old), 7, 1500), (PinFraming::none(), 1, 1)] {
        let handle = |factory| InProcessObjects::create_lone_pin(factory).expect("a pin of a driver");
        let camera = handle(PinFactory { framing, ..PinFactory::source() });
        let camera = KsPin::output("Capture").filter_name("Camera").handle(camera).build();
        let display = KsPin::input("In").filter_name("Display").handle(handle(PinFactory::sink())).build();
        camera.connect(&display).expect("a connection");
        let given = [display.interface().cast().expect("an object")];
        // SAFETY: the pins are this library's own.
        let negotiated = unsafe { negotiate_pins(&given, Strategy::MaximizeSpeed) }.expect("a plan");
        let properties = negotiated.pipes()[0].properties_ex();
        assert_eq!((properties.c_buffers, properties.cb_buffer), (frames, size));
        assert_eq!(negotiated.pipes()[0].mode(), KsAllocatorMode::KERNEL);
    }
}

#[test]
fn a_filter_that_makes_new_pins_all_the_time_is_given_up() {
    let world = source();
    world.connect(0, 0);
    world.states[0].spawns.store(true, std::sync::atomic::Ordering::Relaxed);
    let error = world.negotiate().expect_err("there is no end");
    assert_eq!(error, NegotiatePinsError::TooManyPins);
    assert_eq!(error.hresult(), ksproxy::hresult::E_OUTOFMEMORY);
}
