//! What processes get of a graph and send to it is what it would be in one process.

use crate::graphs::{PAIR, chain, fork, prepared};
use crate::processes::hex;
use crate::session::{Session, alone, events, whole};
use kspipe::stream::{Outcome, RunOptions};
use kspipe_session::{Client, StreamError, WriteError};
use md5::{Digest, Md5};
use serde_json::Value;

mod polling;

pub(crate) fn all() -> Vec<(&'static str, fn())> {
    vec![
        ("filters_run_elsewhere_give_what_they_give_in_one_process", attached),
        ("a_reader_gets_every_frame_and_the_end", read),
        ("a_writer_fills_the_frames_of_a_graph", written),
        ("a_program_changes_frames_in_place_and_hands_them_on", changed_in_place),
        ("waits_end_in_time", timeouts),
        ("a_reader_and_a_writer_of_a_graph_without_own_filters", only_outside),
        ("a_writer_with_a_loop_of_its_own_sends_the_same_frames", polling::sends),
        ("a_writer_with_a_loop_of_its_own_hears_the_begin_free_frames_and_the_word_to_stop", polling::hears),
        ("a_mediated_writer_with_a_loop_of_its_own_hears_the_same", polling::hears_mediated),
        ("a_writer_with_a_loop_of_its_own_hears_of_the_servers_end", polling::server_ends),
        ("the_examples_work_together", examples),
        ("one_thread_awaits_the_frames_of_several_pins", awaited),
    ]
}

fn attached() {
    let text = chain(Some(300));
    let expected = alone(&text, "c");
    for outside in [&["b"][..], &["a"], &["c"], &["a", "c"], &["b", "c"], &["a", "b", "c"]] {
        let session = Session::start_with(&text, outside, whole());
        let mut processes: Vec<_> =
            outside.iter().map(|filter| (*filter, session.process("attach", &[filter]))).collect();
        let mut digest = None;
        for (filter, process) in &mut processes {
            assert_eq!(process.says(), "joined");
            let end = process.says();
            let (outcome, found) =
                end.strip_prefix("end ").unwrap_or_else(|| panic!("{end}")).split_once(' ').unwrap_or((&end, ""));
            assert!(outcome.ends_with("Finished"), "{filter}: {end}");
            process.ends();
            if *filter == "c" {
                digest = Some(found.to_owned());
            }
        }
        let (report, status) = session.ends();
        assert_eq!(report.outcome, Outcome::Finished);
        let digest = digest.or_else(|| report.filter("c")?.digest.clone());
        assert_eq!(digest.as_ref(), Some(&expected), "{outside:?}");
        assert!(events(&status).iter().all(|what| ["joined", "left"].contains(what)), "{status:#}");
        let recovered = |event: &Value| event["frames_recovered"] == 0;
        assert!(status["events"].as_array().unwrap().iter().all(recovered), "{status:#}");
    }
}

/// The digest of all pictures of a chain, as the sink gets them, one after the other.
pub(crate) fn pictures(text: &str) -> String {
    let file = tempfile::NamedTempFile::new().unwrap();
    let raw = text.replace(r#"kind = "checksum""#, &format!(r#"kind = "raw", path = "{}""#, file.path().display()));
    let (prepared, plan, _) = prepared(&raw, &[]);
    prepared.start(&plan, RunOptions::default()).unwrap().wait();
    let mut digest = Md5::new();
    digest.update(std::fs::read(file.path()).unwrap());
    hex(digest)
}

fn read() {
    let text = chain(Some(300));
    let expected = pictures(&text);

    let session = Session::start(&chain(None), &["c"]);
    let mut reader = session.process("read", &["c.in"]);
    assert_eq!(reader.says(), "joined");
    assert_eq!(reader.says(), "first");
    session.control.stop();
    let end = reader.says();
    assert!(end.starts_with("end "), "{end}");
    reader.ends();
    session.ends();

    // From the first frame on, where the source waits for the reader's process.
    let session = Session::start_with(&text, &["c"], whole());
    let mut reader = session.process("read", &["c.in"]);
    assert_eq!(reader.says(), "joined");
    assert_eq!(reader.says(), "first");
    assert_eq!(reader.says(), format!("end 300 {expected}"));
    reader.ends();
    session.ends();
}

/// The digest of a sink that gets so many frames of a writer's, inverted.
pub(crate) fn written_digest(frames: u64) -> String {
    let mut all = Vec::new();
    for frame in 0..frames {
        all.extend(vec![!(frame as u8); 37 * 19 + 2 * 19 * 10]);
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), all).unwrap();
    let (start, rest) =
        chain(None).split_once("run = { kind = \"pattern\"").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let text = format!("{start}run = {{ kind = \"raw\", path = \"{}\"{rest}", file.path().display());
    // Inverted once more, so that it is what it was.
    let twice = std::fs::read(file.path()).unwrap().iter().map(|byte| !byte).collect::<Vec<_>>();
    std::fs::write(file.path(), twice).unwrap();
    alone(&text, "c")
}

fn written() {
    let session = Session::start(&chain(None), &["a"]);
    let mut writer = session.process("write", &["a.out", "200"]);
    assert_eq!(writer.says(), "end 200");
    writer.ends();
    let (report, _) = session.ends();
    assert_eq!(report.filter("c").unwrap().frames_in, 200);
    assert_eq!(report.filter("c").unwrap().digest, Some(written_digest(200)));
}

fn changed_in_place() {
    let text = chain(Some(300));
    let session = Session::start_with(&text, &["b"], whole());
    let mut process = session.process("invert", &["b"]);
    assert_eq!(process.says(), "end");
    process.ends();
    let (report, _) = session.ends();
    assert_eq!(report.filter("c").unwrap().digest, Some(alone(&text, "c")));
}

fn timeouts() {
    let session = Session::start_with(&chain(None), &["a", "c"], whole());
    let client = Client::connect(session.path()).unwrap();
    let soon = Some(std::time::Duration::from_millis(1));
    let mut writer = client.pin("a.out").unwrap().writer().unwrap();
    assert_eq!(writer.acquire(soon).map(drop), Err(WriteError::TimedOut), "it has not begun");
    let mut frames = client.pin("c.in").unwrap().frames().unwrap();
    assert_eq!(frames.next_within(std::time::Duration::ZERO).map(drop), Err(StreamError::TimedOut));
    assert!(matches!(frames.try_next(), Ok(None)));
    let kept: Vec<_> = (0..4).map(|_| writer.acquire(None).unwrap()).collect();
    assert_eq!(writer.acquire(soon).map(drop), Err(WriteError::TimedOut), "all are out");
    drop(kept);
    let mut frame = writer.acquire(soon).unwrap();
    frame.bytes_mut().fill(7);
    writer.send(frame).unwrap();
    // Through `b`, which the server runs.
    let frame = frames.next().unwrap().unwrap();
    assert!(frame.data().iter().all(|byte| *byte == !7), "inverted");
    session.control.stop();
    while !writer.is_stopping() {
        std::thread::yield_now();
    }
    assert_eq!(writer.acquire(None).map(drop), Err(WriteError::Stopping));
    writer.end();
    assert!(frames.next().is_none());
    drop((frame, frames));
    session.ends();
}

/// A source and a sink.
fn only_outside() {
    let session = Session::start_with(PAIR, &["a", "c"], whole());
    let mut writer = session.process("write", &["a.out", "100"]);
    let mut reader = session.process("read", &["c.in"]);
    assert_eq!(reader.says(), "joined");
    assert_eq!(writer.says(), "end 100");
    assert_eq!(reader.says(), "first");
    assert!(reader.says().starts_with("end 100 "));
    session.ends();
}

/// A program of the folder `examples`.
fn example(name: &str, arguments: &[&std::ffi::OsStr]) -> std::process::Output {
    let folder = std::env::current_exe().unwrap().parent().unwrap().parent().unwrap().join("examples");
    let output = std::process::Command::new(folder.join(name)).args(arguments).output();
    let output = output.unwrap_or_else(|error| panic!("{name}, which is built with the tests: {error}"));
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

fn examples() {
    let text = r#"
connections = ["camera.out -> t.in", "t.a -> recorder.in", "t.b -> viewer.in"]
[filter.camera]
pin.out = { direction = "out", framing = [{ memory = "user", frames = 6 }] }
run = { kind = "pattern", format = "i420", width = 37, height = 19, rate = "30/1" }
[filter.t]
pin.in = { direction = "in" }
pin.a = { direction = "out" }
pin.b = { direction = "out" }
routes = ["in -> a pass", "in -> b pass"]
run = { kind = "tee" }
[filter.recorder]
pin.in = { direction = "in", holds = 1 }
[filter.viewer]
pin.in = { direction = "in", holds = 1 }
"#;
    let session = Session::start_with(text, &["camera", "recorder", "viewer"], whole());
    let path = session.path();
    let file = session.folder.path().join("frames");
    std::thread::scope(|scope| {
        let path = path.as_os_str();
        let viewer = scope.spawn(move || example("viewer", &[path, "viewer.in".as_ref()]));
        let recorder = scope.spawn(|| example("recorder", &[path, "recorder.in".as_ref(), file.as_os_str()]));
        example("producer", &[path, "camera.out".as_ref(), "100".as_ref()]);
        let viewed = String::from_utf8(viewer.join().unwrap().stdout).unwrap();
        assert_eq!(viewed.lines().count(), 100, "{viewed}");
        recorder.join().unwrap();
        // It ends with the graph.
        let watched = String::from_utf8(example("watchdog", &[path]).stdout).unwrap();
        assert!(watched.is_empty() || watched.contains("camera"), "{watched}");
    });
    let bytes = 37 * 19 + 2 * 19 * 10;
    let expected: Vec<u8> = (0..100u8).flat_map(|frame| vec![frame; bytes]).collect();
    assert_eq!(std::fs::read(&file).unwrap(), expected);
    session.ends();
}

fn awaited() {
    // The pins keep one frame each; the source waits for them, and they for it.
    let text = fork(None).replace("frames = 6", "frames = 3").replace("holds = 2", "holds = 1");
    let session = Session::start_with(&text, &["a", "x", "y"], whole());
    let path = session.path();
    std::thread::scope(|scope| {
        let path = path.as_os_str();
        let viewer = scope.spawn(move || example("async_viewer", &[path, "x.in".as_ref(), "y.in".as_ref()]));
        example("producer", &[path, "a.out".as_ref(), "500".as_ref()]);
        let viewed = String::from_utf8(viewer.join().unwrap().stdout).unwrap();
        for pin in ["x.in", "y.in"] {
            let lines: Vec<&str> = viewed.lines().filter(|line| line.starts_with(pin)).collect();
            let expected: Vec<String> =
                (0..500).map(|number| format!("{pin} {number}: mean {}", number % 256)).collect();
            assert_eq!(lines, expected);
        }
    });
    session.ends();
}
