//! Problems that people reported with framing and allocators: the graph of the report goes in, as its author would write
//! it down, and the message that would have helped comes out.
//!
//! | report | what happened | here |
//! | --- | --- | --- |
//! | 1. Windows-driver-samples issue 791 | a vendor's allocator is never called, whatever flags | KS020, KS004; `--explain` |
//! | 2. `KSPIN_DESCRIPTOR_EX`, MPEG-2 splitter | size and alignment ignored by a user-mode filter upstream | KS023, KS010 |
//! | 3. gstksvideodevice.c | too many outstanding reads crash a driver | KS024 |
//! | 4. VirtuaCam | nonpaged memory only preferred, written at DISPATCH_LEVEL | KS014 (and KS001), the help; KS051 of its framing |
//! | 5. tsduck pull 681 | all samples queued, none left upstream | rule 5: one more than is held |
//! | 6. PortAudio issue 1045 | latency from the driver's frame size | what dropping the size would save |
//! | 7. PortAudio issue 761 | a size of 0 | never 0; the reason says what to state; KS058 of a framing that says 0 |
//! | 8. PortAudio `PinGetBuffer` | sizes a multiple of 128 and of the sample block | steppings meet; the reason names both |
//! | 11. Windows-driver-samples issue 1015 | a transform uses its own allocator, not the provided one | `--explain` |
//! | 12. baresip pull 2467 | frames larger than the buffers | no plan; the number that would help |
//! | 13. akvirtualcamera issue 92 | allocator properties refused | KS011 |
//!
//! Two concern no negotiation. 9 (PortAudio issue 764): the size of the host's buffer is not tied to that of the client,
//! both inside one program, between buffers that no pin asks for. 10 (PortAudio pull 752): a position in a WaveRT buffer is
//! read wrongly while it plays; no frame is allocated or passed on. The cause of 13 was not established there: the test
//! shows the message for properties that a COM allocator has no room for.

use kspipe::check::{Circumstances, DeclaredFraming, Member, Origin, Structure, check_framing};
use kspipe::graph::file::GraphFile;
use kspipe::graph::{Graph, Strategy};
use kspipe::negotiate::describe::{plan_text, warnings};
use kspipe::negotiate::{NegotiateError, Plan, negotiate};
use std::path::Path;

fn graph(name: &str) -> Graph {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reported_problems").join(format!("{name}.toml"));
    GraphFile::read(&path).unwrap_or_else(|errors| panic!("{name}: {errors}")).graph
}

/// A text with its line breaks taken out, so that a sentence can be looked for.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn planned(name: &str) -> (Graph, Plan) {
    let graph = graph(name);
    let plan = negotiate(&graph).unwrap_or_else(|error| panic!("{name}: {error}"));
    (graph, plan)
}

/// What `kspipe negotiate --explain` prints, in one line.
fn explained(name: &str) -> String {
    let (graph, plan) = planned(name);
    flat(&plan_text(&graph, &plan, true))
}

fn says(name: &str, expected: &[&str]) {
    let text = explained(name);
    for part in expected {
        assert!(text.contains(part), "{name} does not say `{part}`:\n{text}");
    }
}

#[test]
fn every_graph_is_of_a_test() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reported_problems");
    let files = std::fs::read_dir(folder).expect("the folder").map(|file| file.expect("a file").file_name());
    let source = include_str!("reported_problems.rs");
    for file in files {
        let name = file.to_string_lossy().replace(".toml", "");
        assert!(source.contains(&format!("\"{name}\"")), "{name}");
    }
}

#[test]
fn report_1_a_vendors_allocator_is_never_called() {
    says(
        "01-vendor-allocator",
        &[
            "the allocator of camera.capture does not reach far",
            "requires to allocate (KSALLOCATOR_REQUIREMENTF_MUST_ALLOCATE), but only up to camera.capture -> program.in",
            "program.in belongs to a user-mode filter",
            "a kernel-mode allocator is chosen only where the connection is in kernel mode",
            "so InitializeAllocator is never called",
            "it would be, with program in kernel mode: saves 614 400 bytes copied a frame, 1 allocator",
            "KS020: camera.capture must allocate",
        ],
    );
    says(
        "01-vendor-allocator-preferred",
        &[
            "the allocator of camera.capture is not used",
            "program.in is in user mode, which no frame that a kernel-mode pin allocates may reach",
            "it would be, with program in kernel mode",
            "it would be, with camera.capture without KSALLOCATOR_REQUIREMENTF_PREFERENCES_ONLY: saves 1 departure; costs \
             614 400 bytes copied a frame, 1 allocator",
            "KS004: camera.capture prefers to allocate; the default allocator does",
            "InitializeAllocator is never called",
        ],
    );
}

#[test]
fn report_2_a_user_mode_filter_upstream_ignores_size_and_alignment() {
    says(
        "02-framing-ignored",
        &[
            "KS023: decoder.in requires frames of at least 131072 bytes and an alignment of 4096 bytes, and splitter.video in \
             user mode, which gives the frames, does not",
            "or let splitter.video ask for the same",
            "KS010: decoder.in",
        ],
    );
}

#[test]
fn report_3_more_frames_than_a_driver_says() {
    says(
        "03-outstanding-reads",
        &[
            "KS024: camera.capture says Frames 2; the pipe has 64 because of program.in",
            "queue no more reads at it than it says",
            "program.in (item 0) requires Frames 64; without this 2 frames",
        ],
    );
}

#[test]
fn report_4_nonpaged_memory_is_only_preferred() {
    says(
        "04-preferred-nonpaged",
        &[
            "KS014: camera.capture asks kernel-nonpaged",
            "with PREFERENCES_ONLY nobody has to give nonpaged memory: a driver that writes at DISPATCH_LEVEL then stops the \
             system (IRQL_NOT_LESS_OR_EQUAL), so clear it there",
        ],
    );
    // Who knows when the driver writes, as its sources say, is told before anything is connected.
    let graph = graph("04-preferred-nonpaged");
    let capture = graph.pin(graph.find_pin("camera.capture").expect("it is there"));
    let framing = DeclaredFraming::of_graph(capture.framing(), capture.compression()).expect("it asks something");
    let driver = Circumstances { writes_at_dispatch_level: Some(true), ..Circumstances::default() };
    let codes =
        |driver| check_framing("camera.capture", &framing, driver).iter().map(|found| found.code.code).collect();
    let (known, unknown): (Vec<_>, Vec<_>) = (codes(&driver), codes(&Circumstances::default()));
    assert!(known.contains(&"KS051") && !unknown.contains(&"KS051"), "{known:?} {unknown:?}");
}

#[test]
fn report_5_a_queue_holds_the_whole_pool() {
    let (_, plan) = planned("05-starved-pool");
    assert_eq!(plan.pipes[0].frames, 25);
    says(
        "05-starved-pool",
        &[
            "program.queue holds 24 of the 24 frames held at once; one more keeps the pipe from starving; without this 24 \
             frames, which saves 65 424 bytes and 1 frame",
        ],
    );
}

#[test]
fn report_6_the_drivers_frame_size_makes_the_latency() {
    says(
        "06-latency",
        &[
            "why 1 920 bytes a frame",
            "sound.in (item 0) requires PhysicalRange.MinFrameSize 1920; without this 256 bytes a frame",
            "why 8 frames rule 5: sound.in (item 0) requires Frames 8; without this 2 frames",
        ],
    );
}

#[test]
fn report_7_nobody_says_a_size() {
    for (name, strategy) in Strategy::ALL {
        let plan = negotiate(&graph("07-zero-size").with_strategy(strategy)).expect("a plan");
        assert!(plan.pipes.iter().all(|pipe| pipe.frame_size > 0 && pipe.frames > 0), "{name}");
    }
    says("07-zero-size", &["no pin asks for a size; a frame has at least one byte: state a capacity or a media-size"]);
    // A driver that does state its framing, and a size of 0 in it, is told as well.
    let mut framing = DeclaredFraming::new(Structure::Old, Origin::Source);
    framing.set(None, Member::FrameSize, 0);
    let found = check_framing("sound.in", &framing, &Circumstances::default());
    assert!(found.iter().any(|found| found.code.code == "KS058"), "{found:?}");
}

#[test]
fn report_8_a_multiple_of_the_hardwares_and_of_the_samples_size() {
    let (_, plan) = planned("08-multiple-of-128");
    let size = plan.pipes[0].frame_size;
    assert_eq!((size, size % 128, size % 6), (3072, 0, 0), "the least that is both");
    says(
        "08-multiple-of-128",
        &[
            "program.out (item 0) requires sizes of 2880 + k * 6 (PhysicalRange)",
            "sound.in (item 0) requires sizes of 128 + k * 128 (PhysicalRange); without this 2 880 bytes a frame",
        ],
    );
}

#[test]
fn report_11_a_transform_insists_on_its_own_allocator() {
    says(
        "11-allocator-of-its-own",
        &[
            "the allocator of pipeline.in is not used",
            "pipeline.in (item 0) has an allocator already (KSALLOCATOR_FLAG_ALLOCATOR_EXISTS), but transform.out comes before \
             it",
            "transform.out (item 0) requires to allocate (KSALLOCATOR_REQUIREMENTF_MUST_ALLOCATE), and so allocates",
            "it would be, with transform.out without KSALLOCATOR_REQUIREMENTF_MUST_ALLOCATE: saves nothing",
        ],
    );
}

#[test]
fn report_12_frames_larger_than_the_buffers() {
    let graph = graph("12-frame-larger-than-buffer");
    let Err(NegotiateError::Infeasible(infeasible)) = negotiate(&graph) else { panic!("no buffer holds such a frame") };
    assert_eq!(
        infeasible.message,
        "no frame serves camera.capture: PhysicalRange.MaxFrameSize 460800, and frames of at least 3110400 bytes for its media \
         (user mode)"
    );
    assert!(
        infeasible
            .help
            .starts_with("camera.capture with PhysicalRange.MaxFrameSize of at least 3110400 would make it work"),
        "{}",
        infeasible.help
    );
}

#[test]
fn report_13_properties_that_an_allocator_refuses() {
    let (graph, plan) = planned("13-properties-refused");
    let found = warnings(&graph, &plan);
    let refused = found.iter().find(|warning| warning.code == "KS011").expect("24 pictures do not fit");
    assert_eq!(
        refused.message,
        "pipe 0: cBuffers * (cbPrefix + cbBuffer) is 2388787200; a COM allocator has room for 2147483647"
    );
    assert!(refused.help.contains("ask for fewer or smaller frames there"), "{}", refused.help);
}
