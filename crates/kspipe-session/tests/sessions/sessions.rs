//! The tests.

use crate::graphs::{chain, fork, prepared, serve};
use crate::processes::{Process, hex};
use crate::session::{Session, alone, events, filter, holder, whole};
use ks::{
    CreateClass, KSINTERFACE_STANDARD_STREAMING, KSINTERFACESETID_Standard, KSMEDIUM_TYPE_ANYINSTANCE,
    KSMEDIUMSETID_Standard, KsDataFormat, KsIdentifier, KsMethod, KsMethodType, KsPinConnect,
};
use ksobject::{RemoteObjects, Win32Error};
use kspipe::stream::{Outcome, RunOptions, prepare};
use kspipe_session::verbs::{
    Join, KSMETHOD_KSPPIN_DESCRIPTORS, KSMETHOD_KSPPIN_JOIN, KSMETHOD_KSPPIN_LEAVE, KSMETHODSETID_KSPPIN, VERSION,
};
use kspipe_session::{Client, ClientError, ServerOptions, StreamError, StreamsOfTheDead, WriteError};
use md5::{Digest, Md5};
use serde_json::Value;
use zerocopy::IntoBytes;

mod endings;
mod polling;

pub(crate) fn all() -> Vec<(&'static str, fn())> {
    let tests: [(&str, fn()); 28] = [
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
        ("a_killed_reader_is_recovered_and_another_takes_its_place", killed_reader),
        ("a_dead_readers_place_is_free_though_its_child_has_its_handles", inherited),
        ("a_killed_writer_is_recovered_and_another_goes_on", killed_writer),
        ("a_killed_writers_stream_ends_where_that_is_asked", killed_writer_ends),
        ("a_killed_filter_in_the_middle_is_recovered_and_another_goes_on", killed_middle),
        ("processes_killed_at_any_time_are_replaced_at_once", killed_again_and_again),
        ("the_examples_work_together", examples),
        ("one_thread_awaits_the_frames_of_several_pins", awaited),
        ("one_that_hangs_up_keeps_its_frames_until_its_end", hung_up),
        ("one_that_hangs_up_is_killed_where_that_is_asked", evicted),
        ("one_that_keeps_too_much_is_named", overdraft),
        ("the_servers_death_is_told_and_what_is_kept_stays_readable", server_killed),
        ("a_stop_reaches_sources_elsewhere", stopped),
        ("who_sends_to_processes_that_will_not_come_again_alone_ends", endings::given_up),
        ("one_stop_ends_a_graph_whose_source_left_without_ending", endings::stopped_once),
        ("what_cannot_be_joined_is_said", refused),
        ("other_users_come_in_look_and_join_as_they_are_allowed", other_users),
        ("requests_out_of_order_are_refused_and_change_nothing", nonsense),
    ];
    tests.to_vec()
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
const PAIR: &str = r#"
connections = ["a.out -> c.in"]
[filter.a]
pin.out = { direction = "out", framing = [{ memory = "user", frames = 3 }] }
run = { kind = "pattern", format = "i420", width = 37, height = 19, rate = "30/1" }
[filter.c]
pin.in = { direction = "in" }
"#;

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

fn killed_reader() {
    let session = Session::start(&fork(None), &["x"]);
    for round in 1..=3 {
        let mut reader = session.process("keep", &["x.in"]);
        assert_eq!(reader.says(), "kept");
        let status = session.status();
        assert!(holder(&status, "x.in")["held"].as_array().unwrap().len() >= 2, "{status:#}");
        reader.kill();
        let status = session.until(|status| filter(status, "x")["deaths"] == round);
        assert_eq!(holder(&status, "x.in")["held"], Value::Array(Vec::new()), "{status:#}");
        assert!(status["events"].as_array().unwrap().last().unwrap()["frames_recovered"].as_u64() >= Some(2));
    }
    let mut reader = session.process("read", &["x.in"]);
    assert_eq!(reader.says(), "joined");
    assert_eq!(reader.says(), "first");
    session.control.stop();
    assert!(reader.says().starts_with("end "));
    reader.ends();
    let (report, _) = session.ends();
    assert_eq!(report.outcome, Outcome::Stopped, "{report:#?}");
}

fn inherited() {
    let session = Session::start(&fork(None), &["x"]);
    let mut reader = session.process("leave-child", &["x.in"]);
    assert_eq!(reader.says(), "kept");
    reader.kill();
    session.until(|status| filter(status, "x")["deaths"] == 1);
    let mut other = session.process("keep", &["x.in"]);
    assert_eq!(other.says(), "kept");
    session.control.stop();
    other.go_on();
    assert_eq!(other.says(), "error the stream has ended");
    session.ends();
}

fn killed_writer() {
    let session = Session::start(&chain(None), &["a"]);
    let mut writer = session.process("write", &["a.out", &u64::MAX.to_string()]);
    session.until(|status| holder(status, "a.out")["taken"].as_u64() > Some(50));
    writer.kill();
    session.until(|status| filter(status, "a")["deaths"] == 1);
    let mut writer = session.process("write", &["a.out", "50"]);
    assert_eq!(writer.says(), "end 50");
    let (report, _) = session.ends();
    assert_eq!(report.outcome, Outcome::Finished, "{report:#?}");
    assert!(report.filter("c").unwrap().frames_in >= 50);
}

fn killed_writer_ends() {
    let options = ServerOptions { streams_of_the_dead: StreamsOfTheDead::End, ..ServerOptions::default() };
    let session = Session::start_with(&chain(None), &["a"], options);
    let mut writer = session.process("write", &["a.out", &u64::MAX.to_string()]);
    session.until(|status| holder(status, "a.out")["taken"].as_u64() > Some(50));
    writer.kill();
    let (report, _) = session.ends();
    assert_eq!(report.outcome, Outcome::Finished, "{report:#?}");
    assert!(report.filter("c").unwrap().frames_in > 0);
}

fn killed_middle() {
    let session = Session::start(&chain(None), &["b"]);
    let taken = |status: &Value| holder(status, "c.in")["taken"].as_u64().unwrap();
    let mut before = 0;
    for round in 1..=5 {
        let mut middle = session.process("attach", &["b"]);
        assert_eq!(middle.says(), "joined");
        before = taken(&session.until(|status| taken(status) > before + 20));
        middle.kill();
        session.until(|status| filter(status, "b")["deaths"] == round);
    }
    let mut middle = session.process("attach", &["b"]);
    assert_eq!(middle.says(), "joined");
    session.until(|status| taken(status) > before + 20);
    session.control.stop();
    assert!(middle.says().starts_with("end Finished"));
    middle.ends();
    session.ends();
}

fn killed_again_and_again() {
    let session = Session::start(&chain(None), &["a", "b"]);
    let taken = |status: &Value| holder(status, "c.in")["taken"].as_u64().unwrap();
    let mut processes = ["a", "b"].map(|filter| session.process("attach", &[filter]));
    let mut random = 1u64;
    for _ in 0..40 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let (place, frames) = ((random >> 40) as usize % 2, (random >> 50) % 40);
        let now = taken(&session.status());
        session.until(|status| taken(status) >= now + frames);
        processes[place].kill();
        // Before the server has heard of it, often.
        processes[place] = session.process("attach", &[["a", "b"][place]]);
        assert_eq!(processes[place].says(), "joined");
    }
    let now = taken(&session.status());
    session.until(|status| taken(status) > now + 50);
    session.control.stop();
    processes.iter_mut().for_each(Process::ends);
    let (report, status) = session.ends();
    assert_eq!(report.outcome, Outcome::Finished, "{report:#?}");
    let deaths = ["a", "b"].map(|name| filter(&status, name)["deaths"].as_u64().unwrap());
    assert_eq!(deaths.iter().sum::<u64>(), 40);
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

fn hung_up() {
    let session = Session::start(&fork(None), &["x"]);
    let mut reader = session.process("hang-up", &["x.in"]);
    assert_eq!(reader.says(), "kept");
    let status = session.until(|status| events(status).contains(&"hung-up"));
    assert_eq!(filter(&status, "x")["state"], "hung-up");
    assert!(holder(&status, "x.in")["held"].as_array().unwrap().len() >= 2, "{status:#}");
    let client = Client::connect(session.path()).unwrap();
    assert!(matches!(client.filter("x"), Err(ClientError::Taken(_))));
    reader.kill();
    let status = session.until(|status| filter(status, "x")["deaths"] == 1);
    assert_eq!(filter(&status, "x")["state"], "vacant");
    let frames = client.pin("x.in").unwrap().frames().unwrap();
    session.control.stop();
    assert!(frames.map(Result::unwrap).count() < usize::MAX);
    session.ends();
}

fn evicted() {
    let options = ServerOptions { evict_after: Some(std::time::Duration::ZERO), ..ServerOptions::default() };
    let session = Session::start_with(&fork(None), &["x"], options);
    let mut reader = session.process("hang-up", &["x.in"]);
    assert_eq!(reader.says(), "kept");
    session.until(|status| filter(status, "x")["deaths"] == 1);
    assert_eq!(events(&session.status()), ["joined", "hung-up", "evicted", "died"]);
    session.control.stop();
    session.ends();
}

fn overdraft() {
    let session = Session::start(&fork(None), &["x"]);
    let mut frames = Client::connect(session.path()).unwrap().pin("x.in").unwrap().frames().unwrap();
    let kept: Vec<_> = (0..3).map(|_| frames.next().unwrap().unwrap()).collect();
    let status = session.until(|status| !status["warnings"].as_array().unwrap().is_empty());
    assert_eq!(status["warnings"][0]["pin"], "x.in", "{status:#}");
    assert_eq!(status["warnings"][0]["over"], 1, "{status:#}");
    drop(kept);
    session.control.stop();
    assert!(frames.all(|frame| frame.is_ok()));
    drop(frames);
    session.ends();
}

fn server_killed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("graph");
    let mut server = Process::start("serve", &path, &[]);
    assert_eq!(server.says(), "serving");
    let mut reader = Process::start("keep", &path, &["x.in"]);
    assert_eq!(reader.says(), "kept");
    server.kill();
    reader.go_on();
    assert_eq!(reader.says(), "error the server has ended");
    reader.ends();
    // Another may serve at the path.
    let session = serve(&path, &fork(None), &["x"], ServerOptions::default());
    assert!(session.is_ok());
}

fn stopped() {
    let session = Session::start(&chain(None), &["a", "b"]);
    let mut middle = session.process("attach", &["b"]);
    assert_eq!(middle.says(), "joined");
    let mut source = session.process("attach", &["a"]);
    assert_eq!(source.says(), "joined");
    session.until(|status| holder(status, "a.out")["taken"].as_u64() > Some(50));
    session.control.stop();
    assert!(source.says().starts_with("end "));
    assert!(middle.says().starts_with("end Finished"));
    let (report, _) = session.ends();
    assert_eq!(report.outcome, Outcome::Finished);
    // Who joins after that hears it at once, and twice asked is enough where somebody never ends.
    let session = Session::start(&chain(None), &["a"]);
    let joined = Client::connect(session.path()).unwrap().filter("a").unwrap();
    session.control.stop();
    session.control.stop();
    let report = session.thread.join().unwrap().unwrap();
    assert!(report.all_frames_home());
    assert!(joined.writer("out").unwrap_err().to_string().contains("not admitted"));
}

fn refused() {
    let folder = tempfile::tempdir().unwrap();
    let nobody = Client::connect(folder.path().join("nobody")).unwrap_err();
    assert!(nobody.to_string().contains("nobody serves a graph there"), "{nobody}");
    let session = Session::start(&fork(None), &["x"]);
    let client = Client::connect(session.path()).unwrap();
    let unknown = client.pin("y.in").unwrap_err();
    assert!(unknown.to_string().ends_with("there are: x.in"), "{unknown}");
    let joined = client.filter("x").unwrap();
    assert!(matches!(client.pin("x.in"), Err(ClientError::Taken(_))));
    assert!(matches!(joined.writer("in"), Err(ClientError::Direction { is_in: true, .. })));
    let frames = joined.frames("x.in").unwrap();
    assert!(matches!(joined.frames("in"), Err(ClientError::Role { .. })));
    drop((frames, joined));
    // It left: now it can be had.
    drop(client.pin("x.in").unwrap());
    assert!(prepare(prepared(&fork(None), &["x"]).0.graph().clone()).is_err(), "`x` says nothing of what it does");
    session.control.stop();
    session.ends();
}

fn other_users() {
    use std::os::unix::fs::PermissionsExt;
    if !rustix::process::geteuid().is_root() {
        // Nobody else can become another user.
        println!("not run: only root can be two users");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let path = folder.path().join("graph");
    let nobody = 65534;
    for (let_in, mode, says) in [
        (0, 0o600, "this user may not"),
        (0, 0o666, "this user may not"),
        (1, 0o666, "got 1083, mediated true"),
        (2, 0o666, "got 1083, mediated false"),
    ] {
        let mut server = serve(&path, &fork(None), &["x"], ServerOptions::default()).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
        match let_in {
            1 => server.allow_user(nobody),
            2 => server.trust_user(nobody),
            _ => {}
        }
        let control = server.control();
        let thread = std::thread::spawn(move || server.run());
        let mut process = Process::start("as-nobody", &path, &["x.in"]);
        let said = process.says();
        assert!(said.ends_with(says), "{said}");
        process.ends();
        control.stop();
        thread.join().unwrap().unwrap();
    }
}

fn nonsense() {
    let session = Session::start(&fork(None), &["x"]);
    let graph = RemoteObjects::open(session.path()).unwrap();
    let standard = |set, id| KsIdentifier { set, id, flags: 0 };
    let connect = KsPinConnect {
        interface: standard(KSINTERFACESETID_Standard, KSINTERFACE_STANDARD_STREAMING),
        medium: standard(KSMEDIUMSETID_Standard, KSMEDIUM_TYPE_ANYINSTANCE),
        ..KsPinConnect::default()
    };
    let format = KsDataFormat { format_size: size_of::<KsDataFormat>() as u32, ..KsDataFormat::default() };
    let name = [&CreateClass::Pin.head()[..], &connect.to_bytes(), format.as_bytes()].concat();
    let pin = RemoteObjects::create(graph.handle(), &name).unwrap();
    assert_eq!(RemoteObjects::create(graph.handle(), &name).err(), Some(Win32Error::BUSY));
    assert_eq!(filter(&session.status(), "x")["state"], "opened");
    let call = |id, data: &mut [u8]| {
        let method = KsMethod::method(KSMETHODSETID_KSPPIN, id, KsMethodType::WRITE);
        RemoteObjects::call(pin.handle(), &method, data).map_err(|error| error.error)
    };
    let number = |number: u32| {
        let mut data = vec![0; 4096];
        data[..4].copy_from_slice(&number.to_le_bytes());
        data
    };
    let refused = |id, data: &mut [u8]| call(id, data).map(drop).unwrap_err();
    assert_eq!(refused(KSMETHOD_KSPPIN_LEAVE, &mut []), Win32Error::INVALID_FUNCTION);
    assert_eq!(refused(KSMETHOD_KSPPIN_DESCRIPTORS, &mut number(0)), Win32Error::INVALID_FUNCTION);
    assert_eq!(refused(KSMETHOD_KSPPIN_JOIN, &mut [1]), Win32Error::INSUFFICIENT_BUFFER);
    assert_eq!(refused(KSMETHOD_KSPPIN_JOIN, &mut number(2)), Win32Error::REVISION_MISMATCH);
    assert_eq!(refused(KSMETHOD_KSPPIN_JOIN, &mut VERSION.to_le_bytes()), Win32Error::INSUFFICIENT_BUFFER);
    assert_eq!(refused(10, &mut number(0)), Win32Error::NOT_FOUND);
    let status = session.status();
    assert_eq!(holder(&status, "x.in")["admitted"], false, "{status:#}");
    let mut data = number(VERSION);
    let (length, _) = call(KSMETHOD_KSPPIN_JOIN, &mut data).unwrap();
    let join: Join = serde_json::from_slice(&data[..length]).unwrap();
    assert!(!join.pools[0].writable, "a sink only reads");
    assert_eq!(refused(KSMETHOD_KSPPIN_JOIN, &mut number(VERSION)), Win32Error::INVALID_FUNCTION, "once");
    assert_eq!(refused(KSMETHOD_KSPPIN_DESCRIPTORS, &mut number(u32::MAX)), Win32Error::INVALID_PARAMETER);
    let fetched = call(KSMETHOD_KSPPIN_DESCRIPTORS, &mut number(0)).unwrap().1.len();
    assert_eq!(fetched, join.descriptors as usize);
    assert!(call(KSMETHOD_KSPPIN_DESCRIPTORS, &mut number(0)).unwrap().1.is_empty(), "each once");
    call(KSMETHOD_KSPPIN_LEAVE, &mut []).unwrap();
    assert_eq!(refused(KSMETHOD_KSPPIN_LEAVE, &mut []), Win32Error::ACCESS_DENIED, "the pin is nobody's any more");
    let status = session.status();
    assert_eq!(filter(&status, "x")["state"], "vacant");
    assert_eq!(holder(&status, "x.in")["admitted"], false);
    // The old pin is still there, and another can be had.
    let frames = Client::connect(session.path()).unwrap().pin("x.in").unwrap().frames().unwrap();
    drop(pin);
    session.control.stop();
    assert!(frames.map(Result::unwrap).count() < usize::MAX);
    session.ends();
}
