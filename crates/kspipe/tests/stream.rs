//! Frames through graphs, end to end: every one arrives, in order, whole, and comes home.

mod stream_support;

use kspipe::graph::{PixelFormat, RouteKind, Run};
use kspipe::stream::convert::to_rgb24;
use kspipe::stream::pattern::Pattern;
use kspipe::stream::{Outcome, RunOptions, prepare, probe_formats};
use std::time::Duration;
use stream_support::*;

const NV12: PixelFormat = PixelFormat::Nv12;

fn everything() -> RunOptions {
    RunOptions::default()
}

#[test]
fn a_chain_delivers_every_frame_in_order_without_a_copy() {
    for (_, pixels) in PixelFormat::ALL {
        // One frame is enough for a chain; more let the filters work at the same time.
        for frames in [1, 2, 7] {
            let folder = folder();
            let out = folder.path().join("out");
            let graph = graph(
                vec![("camera", pattern(pixels, Some(50)), None), ("recorder", raw(&out), None)],
                &[("camera.out", "recorder.in")],
            );
            let report = run(graph, frames, &[], &[], everything());
            assert_eq!(report.outcome, Outcome::Finished);
            assert_eq!(verified_numbers(&out, &format(pixels)), (0..50).collect::<Vec<u64>>());
            let bytes = 50 * format(pixels).frame_bytes() as u64;
            assert_eq!((report.graph.source_frames, report.graph.delivered, report.graph.drops), (50, 50, 0));
            assert_eq!((report.graph.bytes_copied, report.graph.bytes_moved_without_copying), (0, bytes));
            assert_eq!(report.graph.copies_per_frame, 0.0);
            let pipe = &report.pipes[0];
            assert_eq!(pipe.pins, ["camera.out", "recorder.in"]);
            assert_eq!((pipe.frames, pipe.bytes), (frames, bytes));
            assert!(pipe.acquires >= 50 && (1..=frames).contains(&pipe.peak_in_use), "{pipe:?}");
            let [camera, recorder] = ["camera", "recorder"].map(|name| report.filter(name).unwrap());
            assert_eq!((camera.frames_in, camera.frames_out, camera.bytes), (0, 50, bytes));
            assert_eq!((recorder.frames_in, recorder.frames_out, recorder.bytes), (50, 0, bytes));
            let (latency, whole) = (recorder.latency, recorder.end_to_end.unwrap());
            assert!(0 < latency.median_ns && latency.median_ns <= latency.p99_ns && latency.p99_ns <= latency.max_ns);
            assert!(whole.max_ns >= latency.max_ns, "{whole:?} {latency:?}");
            assert_eq!(camera.end_to_end, None);
        }
    }
}

#[test]
fn a_picture_turned_over_twice_in_place_is_the_picture() {
    let folder = folder();
    let [once, twice] = ["once", "twice"].map(|name| folder.path().join(name));
    let filters = |out| {
        vec![
            ("a", pattern(NV12, Some(20)), None),
            ("b", Run::Invert, Some(RouteKind::InPlace)),
            ("c", Run::Invert, Some(RouteKind::InPlace)),
            ("d", raw(out), None),
        ]
    };
    let report = run(
        graph(filters(&twice), &[("a.out", "b.in"), ("b.out", "c.in"), ("c.out", "d.in")]),
        3,
        &[],
        &[],
        everything(),
    );
    assert_eq!(verified_numbers(&twice, &format(NV12)), (0..20).collect::<Vec<u64>>());
    assert_eq!((report.graph.bytes_copied, report.pipes.len()), (0, 1));
    let mut filters = filters(&once);
    filters.remove(2);
    run(graph(filters, &[("a.out", "b.in"), ("b.out", "d.in")]), 3, &[], &[], everything());
    let inverted: Vec<u8> = std::fs::read(&twice).unwrap().iter().map(|byte| !byte).collect();
    assert!(std::fs::read(&once).unwrap() == inverted);
}

#[test]
fn an_either_route_taken_as_a_copy_does_the_same_and_is_counted() {
    let folder = folder();
    let [in_place, copied] = ["in-place", "copied"].map(|name| folder.path().join(name));
    for (out, copies) in [(&in_place, &[][..]), (&copied, &["b.in"][..])] {
        let graph = graph(
            vec![
                ("a", pattern(NV12, Some(9)), None),
                ("b", Run::Invert, Some(RouteKind::Either)),
                ("c", raw(out), None),
            ],
            &[("a.out", "b.in"), ("b.out", "c.in")],
        );
        let report = run(graph, 2, &[], copies, everything());
        let bytes = copies.len() as u64 * 9 * format(NV12).frame_bytes() as u64;
        assert_eq!(report.graph.bytes_copied, bytes);
        assert_eq!(report.graph.copies_per_frame, copies.len() as f64);
    }
    assert!(std::fs::read(&in_place).unwrap() == std::fs::read(&copied).unwrap());
}

#[test]
fn both_branches_of_a_tee_get_the_same_frames_uncopied() {
    let folder = folder();
    let [a, b] = ["a", "b"].map(|name| folder.path().join(name));
    let graph = graph(
        vec![
            ("camera", pattern(NV12, Some(40)), None),
            ("tee", Run::Tee, Some(RouteKind::Pass)),
            ("x", raw(&a), None),
            ("y", raw(&b), None),
        ],
        &[("camera.out", "tee.in"), ("tee.a", "x.in"), ("tee.b", "y.in")],
    );
    let report = run(graph, 3, &[], &[], everything());
    for path in [&a, &b] {
        assert_eq!(verified_numbers(path, &format(NV12)), (0..40).collect::<Vec<u64>>());
    }
    assert_eq!((report.graph.source_frames, report.graph.delivered), (40, 80));
    assert_eq!((report.graph.bytes_copied, report.pipes.len()), (0, 1));
    assert_eq!(report.filter("tee").unwrap().frames_out, 80);
}

#[test]
fn behind_the_only_branch_that_shares_a_frame_it_may_be_written() {
    // One branch has a copy, in a pipe of its own; so the other has the frame alone.
    let folder = folder();
    let [a, b] = ["a", "b"].map(|name| folder.path().join(name));
    let mut builder = kspipe::graph::Graph::builder();
    for (name, run, route) in [
        ("camera", pattern(NV12, Some(30)), None),
        ("tee", Run::Tee, None),
        ("writer", Run::Invert, Some(RouteKind::InPlace)),
        ("x", raw(&a), None),
        ("y", raw(&b), None),
    ] {
        add(&mut builder, name, run, route);
    }
    builder.filter("tee").route("in", "a", RouteKind::Pass).route("in", "b", RouteKind::Copy);
    for (from, to) in [("camera.out", "tee.in"), ("tee.a", "writer.in"), ("writer.out", "x.in"), ("tee.b", "y.in")] {
        builder.connect(from, to);
    }
    let report = run(builder.build().unwrap(), 2, &[], &[], everything());
    assert_eq!(report.errors, []);
    assert_eq!(verified_numbers(&b, &format(NV12)), (0..30).collect::<Vec<u64>>());
    let inverted: Vec<u8> = std::fs::read(&b).unwrap().iter().map(|byte| !byte).collect();
    assert!(std::fs::read(&a).unwrap() == inverted);
    assert_eq!(report.graph.copies_per_frame, 1.0);
}

#[test]
fn a_copy_transform_writes_frames_of_another_size() {
    for pixels in [NV12, PixelFormat::I420] {
        let folder = folder();
        let out = folder.path().join("out");
        let graph = graph(
            vec![
                ("a", pattern(pixels, Some(5)), None),
                ("b", Run::Convert, Some(RouteKind::Copy)),
                ("c", raw(&out), None),
            ],
            &[("a.out", "b.in"), ("b.out", "c.in")],
        );
        let report = run(graph, 2, &[], &[], everything());
        let format = format(pixels);
        let made = Pattern::new(&format).unwrap();
        let mut expected = Vec::new();
        for number in 0..5 {
            let mut picture = vec![0; format.frame_bytes()];
            let mut rgb = vec![0; 3 * 37 * 19];
            made.fill(&mut picture, number).unwrap();
            to_rgb24(&format, &picture, &mut rgb).unwrap();
            expected.extend(rgb);
        }
        assert!(std::fs::read(&out).unwrap() == expected);
        // A new picture is not a copy of the old one.
        assert_eq!(report.graph.bytes_copied, 0);
        assert_eq!(
            report.pipes.iter().map(|pipe| pipe.frame_size).collect::<Vec<_>>(),
            [format.frame_bytes() as u64, 3 * 37 * 19]
        );
    }
}

#[test]
fn a_bridge_copies_every_frame_once_and_counts_it() {
    let folder = folder();
    let out = folder.path().join("out");
    let graph = graph(
        vec![
            ("a", pattern(NV12, Some(25)), None),
            ("b", Run::Invert, Some(RouteKind::InPlace)),
            ("c", Run::Invert, Some(RouteKind::InPlace)),
            ("d", raw(&out), None),
        ],
        &[("a.out", "b.in"), ("b.out", "c.in"), ("c.out", "d.in")],
    );
    let report = run(graph, 2, &["b.out"], &[], everything());
    assert_eq!(verified_numbers(&out, &format(NV12)), (0..25).collect::<Vec<u64>>());
    let bytes = 25 * format(NV12).frame_bytes() as u64;
    assert_eq!((report.graph.copies_per_frame, report.graph.bytes_copied), (1.0, bytes));
    assert_eq!(report.graph.bytes_moved_without_copying, 2 * bytes);
    assert_eq!(report.pipes.len(), 2);
}

#[test]
fn what_a_filter_holds_back_comes_at_the_end_in_order() {
    for keep in [0, 1, 3, 100] {
        let folder = folder();
        let out = folder.path().join("out");
        let graph = graph(
            vec![
                ("a", pattern(NV12, Some(10)), None),
                ("b", Run::Hold { frames: keep }, Some(RouteKind::Pass)),
                ("c", raw(&out), None),
            ],
            &[("a.out", "b.in"), ("b.out", "c.in")],
        );
        let report = run(graph, 11.min(u64::from(keep) + 1), &[], &[], everything());
        assert_eq!(report.errors, []);
        assert_eq!(verified_numbers(&out, &format(NV12)), (0..10).collect::<Vec<u64>>());
        assert_eq!(report.pipes[0].peak_in_use.min(10), u64::from(keep + 1).min(10));
    }
}

#[test]
fn a_y4m_file_comes_out_as_it_went_in_byte_for_byte() {
    let folder = folder();
    let out = folder.path().join("out.y4m");
    let graph = graph(
        vec![
            ("file", Run::Y4mSource { path: clip() }, None),
            ("hold", Run::Hold { frames: 2 }, Some(RouteKind::Pass)),
            ("out", Run::Y4mSink { path: out.clone() }, None),
        ],
        &[("file.out", "hold.in"), ("hold.out", "out.in")],
    );
    let prepared = prepare(graph).unwrap();
    let pin = prepared.graph().find_pin("out.in").unwrap();
    assert_eq!(prepared.graph().pin(pin).media_size(), Some(86_400));
    assert_eq!(prepared.format(pin).unwrap().to_string(), "i420 320 x 180 at 25/1");
    let plan = plan(prepared.graph(), 4, &[], &[]);
    let running = prepared.start(&plan, everything()).unwrap();
    assert_eq!(running.progress().expected_frames, Some(24));
    let report = running.wait();
    assert_eq!((report.graph.delivered, report.graph.bytes_copied), (24, 0));
    assert!(std::fs::read(out).unwrap() == std::fs::read(clip()).unwrap());
}

#[test]
fn nv12_is_written_to_y4m_and_digested_as_the_i420_picture_it_is() {
    let folder = folder();
    let mut results = Vec::new();
    for pixels in [NV12, PixelFormat::I420] {
        let [y4m, digests] = ["y4m", "framemd5"].map(|name| folder.path().join(format!("{pixels}.{name}")));
        let graph = graph(
            vec![
                ("a", pattern(pixels, Some(3)), None),
                ("t", Run::Tee, Some(RouteKind::Pass)),
                ("x", Run::Y4mSink { path: y4m.clone() }, None),
                ("y", Run::Checksum { path: Some(digests.clone()) }, None),
            ],
            &[("a.out", "t.in"), ("t.a", "x.in"), ("t.b", "y.in")],
        );
        let report = run(graph, 2, &[], &[], everything());
        let digest = report.filter("y").unwrap().digest.clone().unwrap();
        results.push((std::fs::read(y4m).unwrap(), std::fs::read_to_string(digests).unwrap(), digest));
    }
    // The first eight bytes, the number, and all planes are the same in both.
    assert!(results[0] == results[1], "{:?} {:?}", results[0].1, results[1].1);
}

#[test]
fn raw_frames_read_are_the_raw_frames_written() {
    let folder = folder();
    let [first, second] = ["first", "second"].map(|name| folder.path().join(name));
    let format = format(NV12);
    let chain = |source, out| graph(vec![("a", source, None), ("b", raw(out), None)], &[("a.out", "b.in")]);
    run(chain(pattern(NV12, Some(6)), &first), 2, &[], &[], everything());
    let source = Run::RawSource {
        path: first.clone(),
        format: NV12,
        width: format.width,
        height: format.height,
        rate: format.rate,
    };
    run(chain(source, &second), 2, &[], &[], everything());
    assert_eq!(verified_numbers(&second, &format), (0..6).collect::<Vec<u64>>());
}

#[test]
fn snapshots_are_taken_every_so_many_frames() {
    let folder = folder();
    let graph = graph(
        vec![
            ("a", pattern(NV12, Some(7)), None),
            ("b", Run::Png { path: folder.path().join("{:03}.png"), every: 3 }, None),
        ],
        &[("a.out", "b.in")],
    );
    run(graph, 2, &[], &[], everything());
    let mut names: Vec<String> =
        std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, ["000.png", "003.png", "006.png"]);
    let format = format(NV12);
    let mut picture = vec![0; format.frame_bytes()];
    let mut rgb = vec![0; 3 * 37 * 19];
    Pattern::new(&format).unwrap().fill(&mut picture, 3).unwrap();
    to_rgb24(&format, &picture, &mut rgb).unwrap();
    let file = std::io::BufReader::new(std::fs::File::open(folder.path().join("003.png")).unwrap());
    let mut reader = png::Decoder::new(file).read_info().unwrap();
    let mut read = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut read).unwrap();
    assert_eq!((info.width, info.height, info.color_type), (37, 19, png::ColorType::Rgb));
    assert!(read == rgb);
}

#[test]
fn the_options_end_sources_that_would_go_on() {
    let folder = folder();
    let out = folder.path().join("out");
    let endless = || graph(vec![("a", pattern(NV12, None), None), ("b", raw(&out), None)], &[("a.out", "b.in")]);
    for (options, expected) in [
        (RunOptions { frames: Some(0), ..everything() }, 0),
        (RunOptions { frames: Some(12), ..everything() }, 12),
        (RunOptions { duration: Some(Duration::ZERO), ..everything() }, 0),
        (RunOptions { frames: Some(3), duration: Some(Duration::MAX), realtime: false }, 3),
    ] {
        let report = run(endless(), 2, &[], &[], options);
        assert_eq!((report.outcome, report.graph.delivered), (Outcome::Finished, expected), "{options:?}");
        assert_eq!(verified_numbers(&out, &format(NV12)), (0..expected).collect::<Vec<u64>>());
    }
}

#[test]
fn a_paced_camera_leaves_out_what_it_has_no_time_for_and_counts_it() {
    // Four thousand million pictures a second: most are over before the one before is made.
    let folder = folder();
    let out = folder.path().join("out");
    let rate = kspipe::graph::Rate { numerator: u32::MAX, denominator: 1 };
    let source = Run::Pattern { format: NV12, width: 37, height: 19, rate, frames: None };
    let graph = graph(vec![("a", source, None), ("b", raw(&out), None)], &[("a.out", "b.in")]);
    let options = RunOptions { frames: Some(20), realtime: true, duration: None };
    let report = run(graph, 2, &[], &[], options);
    let numbers = verified_numbers(&out, &format(NV12));
    assert_eq!(numbers.len(), 20);
    assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
    assert!(report.graph.drops > 0);
    assert_eq!(numbers[19] + 1, 20 + report.graph.drops);
}

#[test]
fn formats_are_found_without_running_and_what_is_missing_is_a_note() {
    let mut graph = graph(
        vec![
            ("a", Run::Y4mSource { path: clip() }, None),
            ("b", Run::Convert, Some(RouteKind::Copy)),
            ("c", Run::Discard, None),
            ("d", Run::Y4mSource { path: "not/there.y4m".into() }, None),
            ("e", Run::Discard, None),
            ("f", Run::Y4mSource { path: "-".into() }, None),
            ("g", Run::Discard, None),
        ],
        &[("a.out", "b.in"), ("b.out", "c.in"), ("d.out", "e.in"), ("f.out", "g.in")],
    );
    let stated = graph.find_pin("b.in").unwrap();
    graph.set_media_size(stated, 100_000);
    let notes = probe_formats(&mut graph);
    assert_eq!(notes.iter().map(|note| note.filter.as_str()).collect::<Vec<_>>(), ["d", "f"]);
    assert!(notes[0].message.contains("not/there.y4m"), "{notes:?}");
    let size = |pin| graph.pin(graph.find_pin(pin).unwrap()).media_size();
    // What the graph states stays.
    assert_eq!(
        [size("a.out"), size("b.in"), size("c.in"), size("e.in")],
        [Some(86_400), Some(100_000), Some(172_800), None]
    );
}

#[test]
fn the_report_is_the_json_that_is_documented() {
    let graph = graph(
        vec![("a", pattern(NV12, Some(2)), None), ("b", Run::Checksum { path: None }, None)],
        &[("a.out", "b.in")],
    );
    let report = run(graph, 1, &[], &[], everything());
    let mut json = serde_json::to_value(&report).unwrap();
    // Times are of this machine and moment.
    fn without_times(value: &mut serde_json::Value) {
        if let Some(object) = value.as_object_mut() {
            for (name, value) in object.iter_mut() {
                if name.ends_with("_ns") || name == "duration_seconds" || name == "waits" {
                    assert!(value.is_number(), "{name}");
                    *value = serde_json::Value::String("...".into());
                }
            }
        }
        match value {
            serde_json::Value::Array(values) => values.iter_mut().for_each(without_times),
            serde_json::Value::Object(object) => object.values_mut().for_each(without_times),
            _ => {}
        }
    }
    without_times(&mut json);
    let documented = include_str!("../../../docs/streaming.md");
    let example = documented.split("```json\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let mut example: serde_json::Value = serde_json::from_str(example).unwrap();
    without_times(&mut example);
    assert_eq!(json, example, "{json:#}");
}
