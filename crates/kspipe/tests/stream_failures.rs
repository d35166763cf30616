//! What goes wrong, or is stopped, while frames stream: what came before is delivered, and every frame comes home.

mod stream_support;

use kspipe::graph::{Graph, PixelFormat, RouteKind, Run};
use kspipe::negotiate::PipeId;
use kspipe::stream::{Failure, Outcome, RunError, RunOptions, Running, prepare};
use std::path::Path;
use stream_support::*;

const NV12: PixelFormat = PixelFormat::Nv12;

/// Starts a graph whose plan has neither bridges nor chosen copies.
fn start(graph: Graph, frames: u64) -> Running {
    let prepared = prepare(graph).unwrap();
    let plan = plan(prepared.graph(), frames, &[], &[]);
    prepared.start(&plan, RunOptions::default()).unwrap()
}

fn chain(source: Run, sink: Run) -> Graph {
    graph(vec![("source", source, None), ("sink", sink, None)], &[("source.out", "sink.in")])
}

/// Waits until the sources have made so many frames.
fn until_made(running: &Running, frames: u64) {
    while running.progress().source_frames < frames {
        assert!(!running.is_finished(), "it ended by itself");
        std::thread::yield_now();
    }
}

#[test]
fn a_cut_off_y4m_file_delivers_the_frames_before_and_names_frame_and_byte() {
    let folder = folder();
    let [cut, out] = ["cut.y4m", "out"].map(|name| folder.path().join(name));
    let whole = std::fs::read(clip()).unwrap();
    let header = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    // Ten frames, the line of the eleventh, and 1000 bytes of it.
    let end = header + 10 * (6 + 86_400) + 6 + 1000;
    std::fs::write(&cut, &whole[..end]).unwrap();
    let report = run(chain(Run::Y4mSource { path: cut.clone() }, raw(&out)), 3, &[], &[], RunOptions::default());
    assert_eq!(report.outcome, Outcome::Failed);
    let message =
        format!("{}: frame 10 is cut off at byte {end}: {} bytes of it are missing", cut.display(), 86_400 - 1000);
    let failure = Failure { filter: Some("source".into()), message: message.clone(), is_system_failure: false };
    assert_eq!(report.errors, [failure]);
    assert_eq!(report.filter("source").unwrap().error, Some(message));
    let frames = whole[header..].chunks(6 + 86_400).take(10).flat_map(|frame| &frame[6..]);
    assert!(std::fs::read(out).unwrap().iter().eq(frames));
}

#[test]
fn a_raw_file_that_ends_inside_a_frame_is_an_error_that_names_it() {
    let folder = folder();
    let [cut, out] = ["cut", "out"].map(|name| folder.path().join(name));
    std::fs::write(&cut, [7; 6 * 2 + 4]).unwrap();
    let source = Run::RawSource { path: cut, format: PixelFormat::I420, width: 2, height: 2, rate: RATE };
    let report = run(chain(source, raw(&out)), 2, &[], &[], RunOptions::default());
    assert!(report.errors[0].message.ends_with("frame 2 is cut off at byte 16: 2 bytes of it are missing"));
    assert_eq!(std::fs::read(out).unwrap(), [7; 12]);
}

#[test]
fn a_sink_that_fails_ends_the_graph_and_the_other_sink_has_what_was_made() {
    let folder = folder();
    let out = folder.path().join("out");
    // The sixth picture cannot be written: there is a folder of that name.
    std::fs::create_dir(folder.path().join("5.png")).unwrap();
    let graph = graph(
        vec![
            ("camera", pattern(NV12, None), None),
            ("tee", Run::Tee, Some(RouteKind::Pass)),
            ("bad", Run::Png { path: folder.path().join("{}.png"), every: 1 }, None),
            ("good", raw(&out), None),
        ],
        &[("camera.out", "tee.in"), ("tee.a", "bad.in"), ("tee.b", "good.in")],
    );
    let report = run(graph, 3, &[], &[], RunOptions::default());
    assert_eq!(report.outcome, Outcome::Failed);
    assert_eq!(report.errors.len(), 1);
    assert_eq!(report.errors[0].filter.as_deref(), Some("bad"));
    assert!(report.errors[0].message.contains("5.png"), "{}", report.errors[0].message);
    let made = report.graph.source_frames;
    assert!(made >= 6);
    assert_eq!(verified_numbers(&out, &format(NV12)), (0..made).collect::<Vec<u64>>());
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error_of_the_sink() {
    let report = run(chain(pattern(NV12, None), raw(Path::new("/dev/full"))), 3, &[], &[], RunOptions::default());
    assert_eq!(report.outcome, Outcome::Failed);
    assert_eq!(report.errors[0].filter.as_deref(), Some("sink"));
    assert!(report.errors[0].message.starts_with("/dev/full: No space left"), "{}", report.errors[0].message);
}

#[test]
fn stopped_in_mid_stream_the_frames_made_are_delivered() {
    let folder = folder();
    let out = folder.path().join("out");
    let graph = graph(
        vec![
            ("a", pattern(NV12, None), None),
            ("b", Run::Hold { frames: 3 }, Some(RouteKind::Pass)),
            ("c", raw(&out), None),
        ],
        &[("a.out", "b.in"), ("b.out", "c.in")],
    );
    let running = start(graph, 5);
    let stop = running.stop_handle();
    until_made(&running, 20);
    std::thread::spawn(move || stop.stop()).join().unwrap();
    let report = running.wait();
    assert_eq!((report.outcome, report.all_frames_home()), (Outcome::Stopped, true));
    let made = report.graph.source_frames;
    assert!(made >= 20);
    assert_eq!(verified_numbers(&out, &format(NV12)), (0..made).collect::<Vec<u64>>());
}

#[test]
fn a_stop_after_the_end_changes_nothing() {
    let running = start(chain(pattern(NV12, Some(1)), Run::Discard), 1);
    let stop = running.stop_handle();
    while !running.wait_timeout(std::time::Duration::from_secs(60)) {}
    assert!(running.progress().finished);
    stop.stop();
    assert_eq!(running.wait().outcome, Outcome::Finished);
}

#[test]
fn a_running_graph_that_is_dropped_stops_and_gives_its_memory_back() {
    let running = start(chain(pattern(NV12, None), Run::Discard), 2);
    let allocator = running.allocator(PipeId(0)).unwrap();
    until_made(&running, 1);
    drop(running);
    assert_eq!(allocator.status().in_use, 0);
}

#[test]
fn decommitting_an_allocator_stops_the_graph() {
    let running = start(chain(pattern(NV12, None), Run::Discard), 2);
    until_made(&running, 5);
    running.allocator(PipeId(0)).unwrap().decommit();
    let report = running.wait();
    assert_eq!((report.outcome, report.all_frames_home()), (Outcome::Stopped, true));
    assert_eq!(report.graph.delivered, report.graph.source_frames);
}

#[test]
fn a_pool_that_is_kept_empty_is_told_from_work_and_who_keeps_it_is_named() {
    let folder = folder();
    let out = folder.path().join("out");
    // Three frames, and one filter keeps four: nothing can ever come.
    let graph = graph(
        vec![
            ("a", pattern(NV12, None), None),
            ("b", Run::Hold { frames: 4 }, Some(RouteKind::Pass)),
            ("c", raw(&out), None),
        ],
        &[("a.out", "b.in"), ("b.out", "c.in")],
    );
    let report = run(graph, 3, &[], &[], RunOptions::default());
    assert_eq!(report.outcome, Outcome::Failed);
    assert_eq!(report.errors.len(), 1);
    let Failure { filter, message, is_system_failure } = &report.errors[0];
    assert_eq!((filter, *is_system_failure), (&None, false));
    for part in [
        "`a` for a frame of pipe 0, which has 3, all out;",
        "`b` for its next frame, keeping 3",
        "b.in keeps 4",
        "write `framing = [{ frames = 5 }]` at a.out",
    ] {
        assert!(message.contains(part), "{message}");
    }
    // What was kept is delivered.
    assert_eq!(verified_numbers(&out, &format(NV12)), [0, 1, 2]);
}

#[test]
fn a_pool_kept_empty_behind_a_bridge_is_told_too() {
    let graph = graph(
        vec![
            ("a", pattern(NV12, None), None),
            ("b", Run::Hold { frames: 2 }, Some(RouteKind::Pass)),
            ("c", Run::Discard, None),
        ],
        &[("a.out", "b.in"), ("b.out", "c.in")],
    );
    let report = run(graph, 2, &["a.out"], &[], RunOptions::default());
    assert_eq!(report.errors.len(), 1);
    assert!(report.errors[0].message.contains("`a` for a frame of pipe 1"), "{}", report.errors[0].message);
    assert!(report.errors[0].message.contains("keeping 1"), "{}", report.errors[0].message);
}

#[cfg(target_os = "linux")]
mod pipes {
    use super::*;
    use std::fs::File;
    use std::io::Read;
    use std::os::fd::{AsRawFd, OwnedFd};
    use std::path::PathBuf;

    fn path(end: &OwnedFd) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}", end.as_raw_fd()))
    }

    #[test]
    fn a_reader_who_has_enough_stops_the_graph_without_an_error() {
        let (reader, writer) = rustix::pipe::pipe().unwrap();
        let running = start(chain(pattern(NV12, None), raw(&path(&writer))), 2);
        drop(writer);
        let mut some = vec![0; 10_000];
        let mut reader = File::from(reader);
        reader.read_exact(&mut some).unwrap();
        drop(reader);
        let report = running.wait();
        assert_eq!((report.outcome, &report.errors[..]), (Outcome::Stopped, &[][..]));
        assert!(report.all_frames_home());
    }

    #[test]
    fn a_source_that_waits_for_data_can_be_stopped() {
        let (reader, writer) = rustix::pipe::pipe().unwrap();
        let source = Run::RawSource { path: path(&reader), format: NV12, width: 37, height: 19, rate: RATE };
        let running = start(chain(source, Run::Discard), 2);
        running.stop_handle().stop();
        let report = running.wait();
        assert_eq!((report.outcome, report.graph.delivered), (Outcome::Stopped, 0));
        drop((reader, writer));
    }

    #[test]
    fn a_sink_whose_reader_does_not_read_gives_up_when_stopped_twice() {
        let (reader, writer) = rustix::pipe::pipe().unwrap();
        let running = start(chain(pattern(NV12, None), raw(&path(&writer))), 2);
        // More than the pipe takes; less than it and what the sink buffers.
        until_made(&running, 100);
        let stop = running.stop_handle();
        stop.stop();
        stop.stop();
        let report = running.wait();
        assert_eq!((report.outcome, report.all_frames_home()), (Outcome::Stopped, true));
        drop((reader, writer));
    }
}

#[test]
fn a_plan_that_does_not_fit_is_refused() {
    type Change = fn(&mut kspipe::negotiate::Plan);
    let cases: [(Change, &str); 5] = [
        (|plan| plan.pipe_of.truncate(1), "it is for 1 pins, the graph has 2"),
        (|plan| plan.pipe_of[1] = PipeId(9), "`source.out` is in pipe 9, which is not there"),
        (|plan| plan.pipes[0].frame_size = 5, "takes 1083 bytes, a frame of pipe 0 has 5"),
        (
            |plan| {
                plan.pipes.push(plan.pipes[0].clone());
                plan.pipe_of[1] = PipeId(1);
            },
            "connected without a bridge",
        ),
        (|plan| plan.pipes[0].frames = 0, "0 frames"),
    ];
    for (change, expected) in cases {
        let prepared = prepare(chain(pattern(NV12, Some(1)), Run::Discard)).unwrap();
        let mut plan = plan(prepared.graph(), 1, &[], &[]);
        change(&mut plan);
        let error = prepared.start(&plan, RunOptions::default()).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn memory_nobody_provides_is_an_error_that_names_the_pipe() {
    let prepared = prepare(chain(pattern(NV12, Some(1)), Run::Discard)).unwrap();
    let mut plan = plan(prepared.graph(), 1, &[], &[]);
    plan.pipes[0].memory_type = ks::Guid::from_u128(42);
    let error = prepared.start(&plan, RunOptions::default()).unwrap_err();
    assert!(matches!(error, RunError::MemoryType { pipe: 0, .. }), "{error:?}");
    assert!(error.to_string().contains("sink.in, source.out"), "{error}");
}

#[test]
fn the_memory_of_the_kernel_is_called_simulated() {
    for (memory_type, name) in
        [(ks::KSMEMORY_TYPE_KERNEL_PAGED, "kernel-paged"), (ks::KSMEMORY_TYPE_KERNEL_NONPAGED, "kernel-nonpaged")]
    {
        let prepared = prepare(chain(pattern(NV12, Some(1)), Run::Discard)).unwrap();
        let mut plan = plan(prepared.graph(), 1, &[], &[]);
        plan.pipes[0].memory_type = memory_type;
        let report = prepared.start(&plan, RunOptions::default()).unwrap().wait();
        assert_eq!(report.pipes[0].memory_type, name);
        assert!(report.pipes[0].memory.starts_with(&format!("{name}, simulated in ")), "{}", report.pipes[0].memory);
    }
}

#[test]
fn graphs_that_cannot_run_are_refused_with_the_filter_named() {
    let folder = folder();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let no_run = {
        let mut graph = Graph::builder();
        graph.filter("lazy").pin("out", kspipe::graph::Direction::Out);
        graph.build().unwrap()
    };
    let raw_source = |path: &Path| Run::RawSource { path: path.into(), format: NV12, width: 2, height: 2, rate: RATE };
    let transform = |run, route| {
        graph(
            vec![("a", pattern(PixelFormat::Rgb24, None), None), ("b", run, route), ("c", Run::Discard, None)],
            &[("a.out", "b.in"), ("b.out", "c.in")],
        )
    };
    let tiny = Run::Pattern { format: NV12, width: 1, height: 1, rate: RATE, frames: None };
    let cases = [
        (no_run, "filter `lazy` has no `run`"),
        (graph(vec![("s", Run::Discard, None)], &[]), "filter `s`: no source leads to its pin `in`"),
        (transform(Run::Convert, Some(RouteKind::Copy)), "filter `b`: `convert` takes nv12 or i420"),
        (transform(Run::Convert, Some(RouteKind::Either)), "filter `b`: `convert` changes the size"),
        (transform(Run::Invert, Some(RouteKind::Pass)), "filter `b`: `invert` writes into frames"),
        (chain(pattern(PixelFormat::Rgb24, None), Run::Y4mSink { path: "x".into() }), "filter `sink`: a YUV4MPEG2"),
        (chain(tiny, Run::Discard), "filter `source`: a pattern needs"),
        (chain(Run::Y4mSource { path: "no/such".into() }, Run::Discard), "filter `source`: no/such: "),
        (chain(Run::Y4mSource { path: file.clone() }, Run::Discard), "not a YUV4MPEG2 stream"),
        (chain(raw_source(&file), raw(&file)), "filters `source` and `sink` cannot both use"),
        (
            graph(
                vec![
                    ("a", pattern(NV12, None), None),
                    ("t", Run::Tee, Some(RouteKind::Pass)),
                    ("x", raw(Path::new("-")), None),
                    ("y", raw(Path::new("-")), None),
                ],
                &[("a.out", "t.in"), ("t.a", "x.in"), ("t.b", "y.in")],
            ),
            "filters `x` and `y` cannot both use standard output",
        ),
        (
            {
                let mut graph = Graph::builder();
                add(&mut graph, "s", pattern(NV12, None), None);
                graph.filter("s").pin("more", kspipe::graph::Direction::Out);
                graph.build().unwrap()
            },
            "filter `s`: `pattern` makes it a source: no in pin and one out pin; it has 0 in and 2 out",
        ),
    ];
    for (graph, expected) in cases {
        let error = prepare(graph).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert!(!error.filter().is_empty());
    }
    let missing = prepare(chain(Run::Y4mSource { path: "no/such".into() }, Run::Discard)).unwrap_err();
    assert!(missing.is_system_failure());
}

#[test]
fn a_sink_whose_file_cannot_be_created_keeps_the_graph_from_starting() {
    let prepared = prepare(chain(pattern(NV12, None), raw(Path::new("no/such/folder/out")))).unwrap();
    let plan = plan(prepared.graph(), 1, &[], &[]);
    let error = prepared.start(&plan, RunOptions::default()).unwrap_err();
    assert!(error.to_string().starts_with("filter `sink`: no/such/folder/out: "), "{error}");
}
