//! Graphs that the corpus's pins meet in, and the plan that follows from the rules for each.
//!
//! Each plan is argued from the rules of negotiation in the comment over it. What all have in common: no pin asks for an
//! alignment, so it is 1 (rule 4); no pin has a flag of an allocator, so the default allocates (rule 6): nobody's in a pipe
//! with a user-mode pin, on the last in pin of a kernel pipe.

mod corpus;
mod oracle;

use corpus::framing;
use ks::{Guid, KSMEMORY_TYPE_KERNEL_NONPAGED, KSMEMORY_TYPE_USER, RequirementFlags};
use kspipe::graph::{Bridges, Direction, Framing, FramingItem, Graph, GraphBuilder, Mode, RouteKind};
use kspipe::negotiate::{AllocatorKind, AllocatorPlace, Plan, negotiate, verify};
use oracle::describe;

/// What a pipe should be.
#[derive(Debug, PartialEq)]
struct Expected<'a> {
    /// In byte order.
    pins: Vec<&'a str>,
    mode: Mode,
    memory: Guid,
    frames: u64,
    size: u64,
    alignment: u64,
    allocator: (AllocatorKind, Option<&'a str>, AllocatorPlace),
}

/// A pipe with a user-mode pin, which nobody in particular allocates.
fn user<'a>(pins: &[&'a str], frames: u64, size: u64) -> Expected<'a> {
    Expected {
        pins: pins.to_vec(),
        mode: Mode::User,
        memory: KSMEMORY_TYPE_USER,
        frames,
        size,
        alignment: 1,
        allocator: (AllocatorKind::Default, None, AllocatorPlace::None),
    }
}

/// A kernel pipe of nonpaged memory, allocated on the handle of its last pin.
fn kernel<'a>(pins: &[&'a str], frames: u64, size: u64, last: &'a str) -> Expected<'a> {
    Expected {
        mode: Mode::Kernel,
        memory: KSMEMORY_TYPE_KERNEL_NONPAGED,
        allocator: (AllocatorKind::Default, Some(last), AllocatorPlace::LastPin),
        ..user(pins, frames, size)
    }
}

/// The plan of a graph, verified, its pipes as expected in any order; nothing bridged but what is listed.
fn assert_plan(graph: &GraphBuilder, expected: &[Expected<'_>], bridges: &[(&str, &str, u64)]) -> (Graph, Plan) {
    let graph = graph.build().expect("a graph");
    let plan = negotiate(&graph).unwrap_or_else(|error| panic!("{error:?}\n{}", describe(&graph)));
    assert_eq!(verify(&graph, &plan), Ok(()), "{}", describe(&graph));
    let names: Vec<String> = graph.pin_names().collect();
    let name = |pin: kspipe::graph::PinId| names[pin.index()].as_str();
    let mut found: Vec<Expected<'_>> = plan
        .pipes
        .iter()
        .map(|pipe| {
            let mut pins: Vec<&str> = pipe.pins.iter().map(|pin| name(*pin)).collect();
            pins.sort_unstable();
            Expected {
                pins,
                mode: pipe.mode,
                memory: pipe.memory_type,
                frames: pipe.frames,
                size: pipe.frame_size,
                alignment: pipe.alignment,
                allocator: (pipe.allocator.kind, pipe.allocator.pin.map(name), pipe.allocator.place),
            }
        })
        .collect();
    found.sort_by_key(|pipe| pipe.pins[0].to_owned());
    assert_eq!(found, expected, "{}", describe(&graph));
    let found: Vec<(&str, &str, u64)> = plan
        .bridges
        .iter()
        .map(|bridge| (name(bridge.connection.from), name(bridge.connection.to), bridge.bytes))
        .collect();
    assert_eq!(found, bridges, "{}", describe(&graph));
    assert!(plan.copies.iter().all(|copy| !copy.chosen), "a route copies that need not");
    (graph, plan)
}

/// The copies of a plan, with the bytes each takes.
fn copies(graph: &Graph, plan: &Plan) -> Vec<(String, String, u64)> {
    let copy = |copy: &kspipe::negotiate::RouteChoice| {
        (graph.pin_name(copy.route.from), graph.pin_name(copy.route.to), copy.bytes)
    };
    plan.copies.iter().map(copy).collect()
}

fn out(graph: &mut GraphBuilder, filter: &str, mode: Mode, pin: &str, framing: Framing) {
    graph.filter(filter).mode(mode).pin(pin, Direction::Out).framing(framing);
}

fn sink(graph: &mut GraphBuilder, filter: &str, mode: Mode) {
    graph.filter(filter).mode(mode).pin("in", Direction::In);
}

/// 1. Simulated capture, an effect that writes in place, a renderer: all in the kernel.
fn simulated_capture() -> GraphBuilder {
    let mut graph = Graph::builder();
    out(&mut graph, "capture", Mode::Kernel, "out", framing("ms-avshws-capture/153600"));
    let modifier = FramingItem { requirements: RequirementFlags::INPLACE_MODIFIER, ..FramingItem::exactly(153_600) };
    graph.filter("effect").kernel().pin("in", Direction::In).item(modifier);
    graph.filter("effect").kernel().pin("out", Direction::Out);
    sink(&mut graph, "renderer", Mode::Kernel);
    graph.connect("capture.out", "effect.in").connect("effect.out", "renderer.in");
    graph
}

// The effect's route is `either` (its in pin says INPLACE_MODIFIER); in place costs nothing, so all four pins are one pipe.
// The capture pin prefers nonpaged, which the effect's wildcard reaches; any other memory would be a departure. Its size is
// the only one on the effect's exact range; its 2 frames are a preference, and one frame would be a departure, which
// counts before bytes.
#[test]
fn graph_1_capture_effect_and_renderer_share_one_pipe() {
    let pins = ["capture.out", "effect.in", "effect.out", "renderer.in"];
    assert_plan(&simulated_capture(), &[kernel(&pins, 2, 153_600, "renderer.in")], &[]);
}

// Where effect and renderer say that they keep a frame each, two frames starve the source: 1 + 1 held, and one more.
#[test]
fn graph_1_needs_a_third_frame_where_two_are_held() {
    let mut graph = simulated_capture();
    graph.filter("effect").kernel().pin("in", Direction::In).holds(1);
    graph.filter("renderer").kernel().pin("in", Direction::In).holds(1);
    let pins = ["capture.out", "effect.in", "effect.out", "renderer.in"];
    assert_plan(&graph, &[kernel(&pins, 3, 153_600, "renderer.in")], &[]);
}

// The middle filter answers the old property: paged pool, one size, INPLACE_MODIFIER, only preferred. Paged accepts
// nonpaged, nonpaged does not accept paged: nonpaged departs from nothing, paged would from the capture pin (which writes at
// DISPATCH_LEVEL). Both prefer 2 frames of 153600.
#[test]
fn graph_2_a_stream_class_filter_in_the_middle_gets_nonpaged_memory() {
    let mut graph = Graph::builder();
    out(&mut graph, "capture", Mode::Kernel, "out", framing("ms-avshws-capture/153600"));
    let old = framing("ddk3790-testcap-capture");
    graph.filter("middle").kernel().pin("in", Direction::In).framing(old.clone());
    graph.filter("middle").kernel().pin("out", Direction::Out).framing(old);
    sink(&mut graph, "renderer", Mode::Kernel);
    graph.connect("capture.out", "middle.in").connect("middle.out", "renderer.in");
    let pins = ["capture.out", "middle.in", "middle.out", "renderer.in"];
    assert_plan(&graph, &[kernel(&pins, 2, 153_600, "renderer.in")], &[]);
}

// The decoder copies (no INPLACE_MODIFIER): two pipes. The splitter is in user mode, so is their first pipe; the decoder's
// in pin requires 3 frames that hold 65536. Its out pin states 3:1, so what 65536 become is required of the second pipe:
// 196608; it requires 3 frames and nonpaged memory too. A copy a filter must make costs nothing: nothing else is possible.
#[test]
fn graph_3_a_decoder_sits_between_two_pipes() {
    let mut graph = Graph::builder();
    graph.filter("splitter").pin("out", Direction::Out);
    let compressed = FramingItem { frames: 3, ..FramingItem::default() };
    let optimal = kspipe::graph::FrameRange { min: 65_536, ..Default::default() };
    graph.filter("decoder").kernel().pin("in", Direction::In).item(FramingItem { optimal, ..compressed.clone() });
    let pictures = FramingItem { memory: KSMEMORY_TYPE_KERNEL_NONPAGED, ..compressed };
    let compression = kspipe::graph::Compression { numerator: 3, denominator: 1, margin: 0 };
    graph.filter("decoder").kernel().pin("out", Direction::Out).item(pictures).compression(compression);
    sink(&mut graph, "renderer", Mode::Kernel);
    graph.connect("splitter.out", "decoder.in").connect("decoder.out", "renderer.in");
    let expected = [
        kernel(&["decoder.out", "renderer.in"], 3, 196_608, "renderer.in"),
        user(&["decoder.in", "splitter.out"], 3, 65_536),
    ];
    let mut expected = Vec::from(expected);
    expected.sort_by_key(|pipe| pipe.pins[0]);
    let (graph, plan) = assert_plan(&graph, &expected, &[]);
    assert_eq!(copies(&graph, &plan), [("decoder.in".to_owned(), "decoder.out".to_owned(), 65_536)]);
    assert_eq!(plan.cost.bytes_copied, 0);
}

// The connection leaves the kernel: user memory (rule 2), which, locked, meets the ask for nonpaged memory, preferred or
// required. Size and frames are each driver's own.
#[test]
fn graph_4_capture_to_user_mode_runs_in_user_memory() {
    for (id, frames, size) in [
        ("ms-avshws-capture/153600", 2, 153_600),
        ("ms-avshws-capture/230400", 2, 230_400),
        ("robot9706-virtualcam/2764800", 2, 2_764_800),
        ("ddk3790-europa-ts-out", 5, 58_656),
    ] {
        let mut graph = Graph::builder();
        out(&mut graph, "capture", Mode::Kernel, "out", framing(id));
        sink(&mut graph, "renderer", Mode::User);
        graph.connect("capture.out", "renderer.in");
        let (_, plan) = assert_plan(&graph, &[user(&["capture.out", "renderer.in"], frames, size)], &[]);
        assert_eq!(plan.cost.departures, 0, "{id}");
    }
}

/// 4, with a vendor's allocator that the driver insists on.
fn vendor_allocator() -> GraphBuilder {
    let mut graph = Graph::builder();
    let Framing::Old(mut item) = framing("ddk3790-europa-ts-out") else { panic!("an old framing") };
    item.requirements |= RequirementFlags::MUST_ALLOCATE;
    out(&mut graph, "capture", Mode::Kernel, "out", Framing::Old(item));
    sink(&mut graph, "mux", Mode::User);
    graph.connect("capture.out", "mux.in");
    graph
}

// A kernel pin that must allocate cannot share user memory: the one connection is a bridge. The driver's pipe is its own,
// 5 x 58656, and it allocates. Behind the bridge the data of the capture pin has to fit, in one frame: nobody asks for more.
#[test]
fn graph_4_a_driver_that_must_allocate_needs_a_bridge_to_user_mode() {
    let capture = Expected {
        allocator: (AllocatorKind::MustAllocate, Some("capture.out"), AllocatorPlace::FirstPin),
        ..kernel(&["capture.out"], 5, 58_656, "")
    };
    let expected = [capture, user(&["mux.in"], 1, 58_656)];
    assert_plan(&vendor_allocator(), &expected, &[("capture.out", "mux.in", 58_656)]);
}

#[test]
fn graph_4_a_driver_that_must_allocate_fails_where_bridges_are_forbidden() {
    let graph = vendor_allocator().bridges(Bridges::Forbid).build().expect("a graph");
    assert!(negotiate(&graph).is_err());
}

fn tee(graph: &mut GraphBuilder) {
    graph.filter("tee").pin("in", Direction::In);
    graph.filter("tee").pin("a", Direction::Out);
    graph.filter("tee").pin("b", Direction::Out);
    graph.filter("tee").route("in", "a", RouteKind::Pass).route("in", "b", RouteKind::Pass);
}

/// 5. Digital television: transport capture, a tee, a demultiplexer, and a recorder that queues 24 frames.
fn digital_television() -> GraphBuilder {
    let mut graph = Graph::builder();
    out(&mut graph, "capture", Mode::Kernel, "out", framing("ddk7600-swtuner-ts-capture/58656"));
    tee(&mut graph);
    sink(&mut graph, "demux", Mode::User);
    graph.filter("recorder").pin("in", Direction::In).holds(24);
    graph.connect("capture.out", "tee.in").connect("tee.a", "demux.in").connect("tee.b", "recorder.in");
    graph
}

// The tee passes the same frames, nobody writes: one pipe, of user memory. The driver's 8 frames would all lie in the
// recorder's queue; 24 held and one more keep the driver going.
#[test]
fn graph_5_a_recorder_that_queues_24_frames_does_not_starve_the_driver() {
    let pins = ["capture.out", "demux.in", "recorder.in", "tee.a", "tee.b", "tee.in"];
    assert_plan(&digital_television(), &[user(&pins, 25, 58_656)], &[]);
}

// A demultiplexer that writes into its frames is a writer downstream of a branch (rule 7); the recorder would see it. The
// tee's routes cannot be cut; the cut at tee.a -> demux.in takes the writer out of the pipe. Any other leaves it there.
#[test]
fn graph_5_a_demultiplexer_that_writes_gets_a_bridge_behind_the_tee() {
    let mut graph = digital_television();
    let modifier = FramingItem { requirements: RequirementFlags::INPLACE_MODIFIER, ..FramingItem::default() };
    graph.filter("demux").pin("in", Direction::In).item(modifier);
    let pins = ["capture.out", "recorder.in", "tee.a", "tee.b", "tee.in"];
    let expected = [user(&pins, 25, 58_656), user(&["demux.in"], 1, 58_656)];
    let (_, plan) = assert_plan(&graph, &expected, &[("tee.a", "demux.in", 58_656)]);
    // From capture.out, tee.in and tee.a what is copied can be reached.
    assert_eq!((plan.cost.bytes_copied, plan.cost.depth), (58_656, 3));
}

// One filter, four out pins, nothing in common: four pipes of 5 frames. The card declares no sizes (0 asks nothing); what
// is connected fixes them: UYVY 720x576 twice, 16 lines of 1440 samples, a page of sound. The VBI codec is in the kernel, so
// its pipe keeps the nonpaged memory preferred; the others leave it.
#[test]
fn graph_6_a_television_card_has_four_pipes() {
    let mut graph = Graph::builder();
    for (pin, id, bytes) in [
        ("video", "ddk3790-europa-video-cap", 829_440),
        ("preview", "ddk3790-europa-video-prev", 829_440),
        ("vbi", "ddk3790-europa-vbi-out", 23_040),
        ("audio", "ddk3790-europa-audio-out", 4_096),
    ] {
        let pin = graph.filter("card").kernel().pin(pin, Direction::Out);
        pin.framing(framing(id)).media_size(bytes);
    }
    graph.filter("mux").pin("audio", Direction::In);
    graph.filter("mux").pin("video", Direction::In);
    sink(&mut graph, "codec", Mode::Kernel);
    sink(&mut graph, "renderer", Mode::User);
    graph.connect("card.video", "mux.video").connect("card.audio", "mux.audio");
    graph.connect("card.preview", "renderer.in").connect("card.vbi", "codec.in");
    let expected = [
        user(&["card.audio", "mux.audio"], 5, 4_096),
        user(&["card.preview", "renderer.in"], 5, 829_440),
        kernel(&["card.vbi", "codec.in"], 5, 23_040, "codec.in"),
        user(&["card.video", "mux.video"], 5, 829_440),
    ];
    assert_plan(&graph, &expected, &[]);
}

// Capture and encoder have no framing: their kernel pipes ask nothing but room for the picture (720x480 YUY2), and for
// sound not even that, so its frames are of the least size there is. Memory nobody names is nonpaged (user memory, first in
// the order, needs a pin that names it). The encoder declares 1:1, which means nothing: its out pipe keeps the driver's
// 8 x 131072, in user memory for the writer. Unknown data counts as the largest known, in the copies listed too.
#[test]
fn graph_7_an_encoder_in_the_kernel_has_three_pipes() {
    let mut graph = Graph::builder();
    graph.filter("capture").kernel().pin("video", Direction::Out).media_size(691_200);
    graph.filter("capture").kernel().pin("audio", Direction::Out);
    graph.filter("encoder").kernel().pin("video", Direction::In);
    graph.filter("encoder").kernel().pin("audio", Direction::In);
    out(&mut graph, "encoder", Mode::Kernel, "out", framing("ddk7600-swtuner-encoder-out/131072"));
    let encoder = graph.filter("encoder");
    encoder.route("video", "out", RouteKind::Copy).route("audio", "out", RouteKind::Copy);
    sink(&mut graph, "writer", Mode::User);
    graph.connect("capture.video", "encoder.video").connect("capture.audio", "encoder.audio");
    graph.connect("encoder.out", "writer.in");
    let expected = [
        kernel(&["capture.audio", "encoder.audio"], 1, 1, "encoder.audio"),
        kernel(&["capture.video", "encoder.video"], 1, 691_200, "encoder.video"),
        user(&["encoder.out", "writer.in"], 8, 131_072),
    ];
    let (graph, plan) = assert_plan(&graph, &expected, &[]);
    let copy = |from: &str, bytes| (from.to_owned(), "encoder.out".to_owned(), bytes);
    assert_eq!(copies(&graph, &plan), [copy("encoder.audio", 691_200), copy("encoder.video", 691_200)]);
    assert_eq!(plan.cost.bytes_copied, 0);
}

// The camera's one pin feeds a tee: one pipe. It prefers paged pool, which locked user memory meets; it says
// INPLACE_MODIFIER, but an out pin writes into nothing it was given. Its 8 frames are enough while the branches hold fewer
// than 8 together; the slower branch decides.
#[test]
fn graph_11_the_slower_branch_of_a_tee_decides_the_number_of_frames() {
    for (held_by_the_file, frames) in [(2, 8), (6, 8), (8, 10)] {
        let mut graph = Graph::builder();
        out(&mut graph, "camera", Mode::Kernel, "out", framing("ddk3790-1394dcam-capture"));
        tee(&mut graph);
        graph.filter("file").pin("in", Direction::In).holds(held_by_the_file);
        graph.filter("viewer").pin("in", Direction::In).holds(1);
        graph.connect("camera.out", "tee.in").connect("tee.a", "file.in").connect("tee.b", "viewer.in");
        let pins = ["camera.out", "file.in", "tee.a", "tee.b", "tee.in", "viewer.in"];
        let (_, plan) = assert_plan(&graph, &[user(&pins, frames, 614_400)], &[]);
        assert_eq!(plan.cost.departures, 0);
    }
}
