//! Graphs that are negotiated and run, as `kspipe run` does: a valid plan streams, whatever the graph.

mod stream_support;

use kspipe::graph::{Graph, PixelFormat, RouteKind, Run};
use kspipe::negotiate::{negotiate, verify};
use kspipe::stream::{Outcome, Report, RunOptions, prepare};
use stream_support::*;

fn negotiated(graph: Graph) -> Report {
    let prepared = prepare(graph).unwrap();
    let plan = negotiate(prepared.graph()).unwrap();
    verify(prepared.graph(), &plan).unwrap();
    let report = prepared.start(&plan, RunOptions::default()).unwrap().wait();
    assert_eq!((report.outcome, &report.errors[..]), (Outcome::Finished, &[][..]));
    assert!(report.all_frames_home());
    // What was copied is what the plan said.
    assert_eq!(u128::from(report.graph.bytes_copied), plan.cost.bytes_copied * u128::from(report.graph.source_frames));
    report
}

#[test]
fn real_video_is_previewed_and_recorded_in_place_without_a_copy() {
    let folder = folder();
    let out = folder.path().join("out.y4m");
    let graph = graph(
        vec![
            ("file", Run::Y4mSource { path: clip() }, None),
            ("overlay", Run::Invert, Some(RouteKind::InPlace)),
            ("tee", Run::Tee, Some(RouteKind::Pass)),
            ("recorder", Run::Y4mSink { path: out.clone() }, None),
            ("preview", Run::Png { path: folder.path().join("{}.png"), every: 10 }, None),
        ],
        &[("file.out", "overlay.in"), ("overlay.out", "tee.in"), ("tee.a", "recorder.in"), ("tee.b", "preview.in")],
    );
    let report = negotiated(graph);
    assert_eq!((report.graph.delivered, report.graph.bytes_copied, report.pipes.len()), (48, 0, 1));
    let [found, clip] = [out, clip()].map(|path| std::fs::read(path).unwrap());
    let header = clip.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    assert!(found[..header] == clip[..header]);
    let frames = found[header..].chunks(6 + 86_400).zip(clip[header..].chunks(6 + 86_400));
    for (found, original) in frames {
        assert!(
            found[..6] == original[..6]
                && found[6..].iter().eq(original[6..].iter().map(|byte| !byte).collect::<Vec<_>>().iter())
        );
    }
}

#[test]
fn a_writer_behind_a_tee_gets_a_copy_and_the_others_the_picture_untouched() {
    let folder = folder();
    let [plain, negative] = ["plain", "negative"].map(|name| folder.path().join(name));
    let graph = graph(
        vec![
            ("camera", pattern(PixelFormat::Nv12, Some(30)), None),
            ("tee", Run::Tee, Some(RouteKind::Pass)),
            ("invert", Run::Invert, Some(RouteKind::Either)),
            ("x", raw(&negative), None),
            ("y", raw(&plain), None),
        ],
        &[("camera.out", "tee.in"), ("tee.a", "invert.in"), ("invert.out", "x.in"), ("tee.b", "y.in")],
    );
    let report = negotiated(graph);
    assert_eq!(report.graph.copies_per_frame, 1.0);
    assert_eq!(verified_numbers(&plain, &format(PixelFormat::Nv12)), (0..30).collect::<Vec<u64>>());
    let inverted: Vec<u8> = std::fs::read(plain).unwrap().iter().map(|byte| !byte).collect();
    assert!(std::fs::read(negative).unwrap() == inverted);
}

#[test]
fn a_filter_that_holds_frames_gets_as_many_without_the_graph_saying_so() {
    let folder = folder();
    let out = folder.path().join("out");
    let graph = graph(
        vec![
            ("a", pattern(PixelFormat::I420, Some(20)), None),
            ("b", Run::Hold { frames: 4 }, Some(RouteKind::Pass)),
            ("c", raw(&out), None),
        ],
        &[("a.out", "b.in"), ("b.out", "c.in")],
    );
    assert_eq!(negotiated(graph).pipes[0].frames, 5);
    assert_eq!(verified_numbers(&out, &format(PixelFormat::I420)), (0..20).collect::<Vec<u64>>());
}
