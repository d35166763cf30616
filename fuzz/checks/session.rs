//! Any requests about a graph that is served to processes: of a process that is trusted or mediated, by several connections.
//! None ends the server or makes it wait, none costs a reader beside it a frame, the quotas hold, and nothing of it stays
//! when it is gone.
//!
//! The bytes are how the graph is served, how it all ends, and then a row of requests.

#[path = "session/process.rs"]
mod process;

use arbitrary::Unstructured;
use ksobject::Win32Error;
use kspipe::allocator::FrameHeader;
use kspipe::stream::Report;
use kspipe_session::verbs::{Join, KSMETHOD_KSPPIN_LEAVE};
use kspipe_session::{Begins, Client, ServerOptions, StreamsOfTheDead, Trust};
use process::Process;
use rustix::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use super::raw::{RawPin, graph};
use super::session::{Session, filter};

/// A source, whose frames go to the victim `v`, a sink of the server's, and `x`, which hands them on to another sink; and `w`,
/// whose frames go to one more. `x` and `w` are the process's that makes the requests.
const SCENE: &str = r#"
connections = ["a.out -> t.in", "t.a -> x.in", "t.b -> v.in", "t.c -> y.in", "x.out -> s.in", "w.out -> u.in"]
[filter.a]
pin.out = { direction = "out", framing = [{ memory = "user", frames = 6 }] }
run = { kind = "pattern", format = "i420", width = 10, height = 6, rate = "30/1", frames = 12 }
[filter.t]
pin.in = { direction = "in" }
pin.a = { direction = "out" }
pin.b = { direction = "out" }
pin.c = { direction = "out" }
routes = ["in -> a pass", "in -> b pass", "in -> c pass"]
run = { kind = "tee" }
[filter.x]
pin.in = { direction = "in", holds = 2 }
pin.out = { direction = "out" }
routes = ["in -> out pass"]
run = { kind = "tee" }
[filter.v]
pin.in = { direction = "in", holds = 1 }
[filter.y]
pin.in = { direction = "in" }
run = { kind = "checksum" }
[filter.s]
pin.in = { direction = "in" }
run = { kind = "checksum" }
[filter.w]
pin.out = { direction = "out", framing = [{ memory = "user", frames = 3 }] }
run = { kind = "pattern", format = "i420", width = 10, height = 6, rate = "30/1" }
[filter.u]
pin.in = { direction = "in" }
run = { kind = "checksum" }
"#;
/// Frames of the source.
const FRAMES: usize = 12;
/// Bytes of a picture.
const PICTURE: u64 = 10 * 6 + 2 * 5 * 3;
/// The most requests that are made.
const MOST_REQUESTS: usize = 400;
/// The filters of the process.
const FILTERS: [&str; 2] = ["x", "w"];

/// What a reader got: each frame's header and data, in order.
type Seen = Vec<(FrameHeader, Vec<u8>)>;

/// How it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// The process leaves.
    Leaves,
    /// It closes its handles. The server gives a mediated one a second then: so this is rare.
    Closes,
    /// The server stops with the process there.
    Stops,
}

/// What the process got done.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Done {
    /// Frames that it was given, that it handed on, and that it wrote and sent.
    pub(crate) taken: u64,
    pub(crate) handed_on: u64,
    pub(crate) written: u64,
}

/// Panics where that does not hold.
pub(crate) fn check(bytes: &[u8]) -> Done {
    static UNDISTURBED: OnceLock<(Seen, Option<String>)> = OnceLock::new();
    let undisturbed = UNDISTURBED.get_or_init(|| {
        let (seen, report, _) = run(&mut Unstructured::new(&[]));
        assert_eq!(seen.len(), FRAMES);
        (seen, digest(&report))
    });
    let before = descriptors();
    let (seen, report, done) = run(&mut Unstructured::new(bytes));
    // In order, none missing and none changed. All of them, unless the source was stopped.
    assert_eq!(seen, undisturbed.0[..seen.len().min(FRAMES)], "{bytes:?}");
    if report.filter("y").is_some_and(|sink| sink.frames_in == FRAMES as u64) {
        assert_eq!(digest(&report), undisturbed.1);
    }
    // Threads that are at their end close what they have.
    let are_closed = (0..100_000).any(|_| {
        std::thread::yield_now();
        descriptors() <= before
    });
    assert!(are_closed, "{before} descriptors before, {} after: {bytes:?}", descriptors());
    done
}

fn digest(report: &Report) -> Option<String> {
    report.filter("y")?.digest.clone()
}

/// How many descriptors this process has.
fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count)
}

/// Serves the graph while a process makes the requests. What the victim saw, the server's report, and what the process did.
fn run(bytes: &mut Unstructured<'_>) -> (Seen, Report, Done) {
    let is_trusted = is(bytes, 3);
    let trust = match (is_trusted, is(bytes, 3)) {
        (true, _) => Trust::OwnUser,
        (false, false) => Trust::Named,
        (false, true) => Trust::Nobody,
    };
    let end = match bytes.arbitrary::<u8>() {
        // Who is trusted and does not leave keeps what it has until it dies, and it is this process.
        Ok(0xFF) if !is_trusted => End::Closes,
        Ok(0xC0..) => End::Stops,
        _ => End::Leaves,
    };
    let options = ServerOptions {
        begins: Begins::WhenAllHaveJoined,
        trust,
        isolate: is(bytes, 3),
        streams_of_the_dead: if is(bytes, 1) { StreamsOfTheDead::GoOn } else { StreamsOfTheDead::End },
        look_every: Duration::from_millis(5),
        ..ServerOptions::default()
    };
    let session = Session::start_with(SCENE, &["x", "v", "w"], options);
    let (joined, victim) = victim(session.path());
    joined.recv().expect("the victim joins");
    let mut process = Process::new(&session, is_trusted);
    for _ in 0..MOST_REQUESTS {
        if bytes.is_empty() || process.is_over || process.request(bytes).is_err() {
            break;
        }
    }
    if end == End::Stops {
        process.stops = 2;
        (0..2).for_each(|_| session.control.stop());
    } else if end == End::Leaves || is_trusted {
        process.leave_all();
    }
    let Process { stops, done, ended, is_over, .. } = process;
    drop(process);
    if stops < 2 && !is_over {
        finish(&session, stops > 0);
    }
    let seen = victim.join().expect("the victim is well");
    assert!(stops > 0 || seen.len() == FRAMES, "{} of {FRAMES} frames", seen.len());
    let report = if stops < 2 { session.ends().0 } else { stopped(session) };
    assert!(report.errors.is_empty(), "{report:#?}");
    let taken = |sink: &str| report.filter(sink).map_or(0, |sink| sink.frames_in);
    for (sink, sent, ended) in [("s", done.handed_on, ended[0]), ("u", done.written, ended[1])] {
        assert!(taken(sink) <= sent, "`{sink}` has {} of {sent}", taken(sink));
        assert!(ended || stops > 0 || taken(sink) == sent, "`{sink}` has {} of {sent}", taken(sink));
    }
    (seen, report, done)
}

/// One of so many, and one.
fn is(bytes: &mut Unstructured<'_>, others: u8) -> bool {
    bytes.int_in_range(0..=others).is_ok_and(|number| number == 1)
}

/// One that takes frames as they come: says that it has joined, and in the end what it got.
fn victim(path: PathBuf) -> (Receiver<()>, JoinHandle<Seen>) {
    let (says, hears) = channel();
    let thread = std::thread::spawn(move || {
        let client = Client::connect(path).expect("a server");
        let frames = client.pin("v.in").and_then(|pin| pin.frames()).expect("its pin is free");
        drop(client);
        says.send(()).expect("somebody waits");
        frames.map_while(std::result::Result::ok).map(|frame| (frame.header(), frame.data().to_vec())).collect()
    });
    (hears, thread)
}

/// The process is gone, or going: what it had is free, and the streams that it would send end.
fn finish(session: &Session, is_stopping: bool) {
    let is_vacant = |name: &&str| filter(&session.status(), name)["state"] == "vacant";
    while !session.thread.is_finished() && !FILTERS.iter().all(is_vacant) {
        std::thread::yield_now();
    }
    // Where it has not begun, it begins now: the filters can be had.
    if session.status()["begun_ms"].is_null() && !is_stopping {
        let graph = graph(&session.path());
        let pins = ["x.in", "w.out"].map(|name| RawPin::create(&graph, factory(session, name)).expect("it is free"));
        let _descriptors = pins.each_ref().map(|pin| joined_soon(pin).1);
        session.until(|status| !status["begun_ms"].is_null());
        pins.iter().for_each(|pin| pin.call(KSMETHOD_KSPPIN_LEAVE, &mut []).expect("it has joined"));
    }
    FILTERS.iter().for_each(|filter| session.control.give_up(filter));
}

/// Joins, unless a sender is in the middle of a hand-over: then again.
fn joined_soon(pin: &RawPin) -> (Join, Vec<OwnedFd>) {
    loop {
        match pin.join() {
            Err(Win32Error::BUSY) => std::thread::yield_now(),
            joined => return joined.expect("it may"),
        }
    }
}

/// The end of a server that was stopped twice: nobody was waited for.
fn stopped(session: Session) -> Report {
    let report = session.thread.join().expect("it is well").expect("it ends");
    assert!(report.all_frames_home(), "{report:#?}");
    report
}

/// The number of a pin's factory.
fn factory(session: &Session, name: &str) -> u32 {
    let client = Client::connect(session.path()).expect("a server");
    let pins = &client.description().pins;
    pins.iter().position(|pin| pin.name == name).expect("it is outside") as u32
}
