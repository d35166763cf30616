//! What a process that is not trusted does costs only itself: those beside it get every frame, and nothing of it stays.

use crate::arbitrary;
use crate::graphs::chain;
use crate::processes::Process;
use crate::raw::{RawPin, file, graph, header};
use crate::session::{Session, events, filter, holder, whole};
use ksobject::Win32Error;
use kspipe_session::verbs::{
    FrameMessage, KSMETHOD_KSPPIN_DESCRIPTORS, KSMETHOD_KSPPIN_END, KSMETHOD_KSPPIN_FILE, KSMETHOD_KSPPIN_NEXT,
    MOST_WRITTEN, Step, VERSION,
};
use kspipe_session::{Client, ServerOptions, StreamsOfTheDead, Trust};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::SealFlags;
use std::time::{Duration, Instant};

pub(crate) fn all() -> Vec<(&'static str, fn())> {
    vec![
        ("lies_about_frames_are_refused_and_change_nothing", lies),
        ("a_file_is_read_only_where_it_cannot_shrink", files),
        ("what_a_mediated_writer_writes_after_it_sent_is_seen_by_nobody", writes_after),
        ("arbitrary_requests_cost_only_who_sends_them", arbitrary::noise),
        ("what_a_fuzzer_tried_costs_only_who_sends_it", arbitrary::corpus),
        ("who_dies_at_any_point_is_recovered", dies),
        ("who_closes_at_any_point_has_left", closes),
        ("who_stops_at_any_point_is_evicted", stops),
        ("who_floods_keeps_nobody_from_being_served", floods),
        ("another_user_can_do_nothing_with_what_it_is_given", other_user),
    ]
}

/// A source, whose frames go to the hostile `x`, the victim `v`, and a sink of the server's; and the hostile `w`, whose frames
/// go to another sink of the server's.
fn scene(frames: Option<u32>) -> String {
    let frames = frames.map(|frames| format!(", frames = {frames}")).unwrap_or_default();
    let format = r#"format = "i420", width = 37, height = 19, rate = "30/1""#;
    format!(
        r#"
connections = ["a.out -> t.in", "t.a -> x.in", "t.b -> v.in", "t.c -> y.in", "w.out -> s.in"]
[filter.a]
pin.out = {{ direction = "out", framing = [{{ memory = "user", frames = 6 }}] }}
run = {{ kind = "pattern", {format}{frames} }}
[filter.t]
pin.in = {{ direction = "in" }}
pin.a = {{ direction = "out" }}
pin.b = {{ direction = "out" }}
pin.c = {{ direction = "out" }}
routes = ["in -> a pass", "in -> b pass", "in -> c pass"]
run = {{ kind = "tee" }}
[filter.x]
pin.in = {{ direction = "in", holds = 2 }}
[filter.v]
pin.in = {{ direction = "in", holds = 1 }}
[filter.y]
pin.in = {{ direction = "in" }}
run = {{ kind = "checksum" }}
[filter.w]
pin.out = {{ direction = "out", framing = [{{ memory = "user", frames = 3 }}] }}
run = {{ kind = "pattern", {format} }}
[filter.s]
pin.in = {{ direction = "in" }}
run = {{ kind = "checksum" }}
"#
    )
}

/// A user that is not the server's.
const NOBODY: u32 = 65534;
/// Bytes of a picture.
const PICTURE: u64 = 37 * 19 + 2 * 19 * 10;
/// The factories of the scene, which are in the order of the filters.
const V: u32 = 0;
const W: u32 = 1;
const X: u32 = 2;

fn named() -> ServerOptions {
    let streams_of_the_dead = StreamsOfTheDead::End;
    ServerOptions { trust: Trust::Named, streams_of_the_dead, look_every: Duration::from_millis(1), ..whole() }
}

fn lies() {
    // It begins when all have joined, so the reader and the victim get the same frames.
    let session = Session::start_with(&scene(None), &["x", "v", "w"], named());
    let graph = graph(&session.path());
    let (reader, writer) = (RawPin::create(&graph, X).unwrap(), RawPin::create(&graph, W).unwrap());
    let victim = RawPin::create(&graph, V).unwrap();
    assert_eq!(reader.next().map(drop), Err(Win32Error::INVALID_FUNCTION), "nobody has joined");
    assert_eq!(writer.acquire().map(drop), Err(Win32Error::INVALID_FUNCTION));
    let (join, descriptors) = reader.join().unwrap();
    let (sent, _sockets) = writer.join().unwrap();
    let (_, victims) = victim.join().unwrap();
    assert!(join.mediated && sent.mediated);
    // Frames where any come in, the pin's socket, and the two words. No control memory, no event, and nothing of a pool that
    // is only sent to.
    assert_eq!((join.pools[0].files, join.descriptors), (1, 4));
    assert_eq!((sent.pools[0].files, sent.descriptors), (0, 3));

    // Of frames that come in.
    let socket = &descriptors[1];
    let first = reader.next_frame(socket);
    let of_victim = loop {
        // Another one than the reader's.
        let frame = victim.next_frame(&victims[1]).frame.get();
        if frame != first.frame.get() {
            break frame;
        }
        victim.release(frame).unwrap();
    };
    for frame in [of_victim, u32::MAX, 1 << 31, 40, 65_536] {
        assert_eq!(reader.release(frame), Err(Win32Error::INVALID_PARAMETER), "{frame}");
    }
    assert_eq!(reader.call(KSMETHOD_KSPPIN_NEXT, &mut [0; 47]), Err(Win32Error::INSUFFICIENT_BUFFER), "none is lost");
    let second = reader.next_frame(socket);
    assert!(second.sequence.get() > first.sequence.get());
    assert_eq!(reader.next().unwrap().0, Step::HoldsMost);
    assert_eq!(reader.next().unwrap().0, Step::HoldsMost);
    reader.release(first.frame.get()).unwrap();
    assert_eq!(reader.release(first.frame.get()), Err(Win32Error::INVALID_PARAMETER), "twice");
    assert_eq!(reader.acquire().map(drop), Err(Win32Error::INVALID_FUNCTION), "the wrong way");
    assert_eq!(reader.send(second), Err(Win32Error::INVALID_FUNCTION));
    assert_eq!(reader.write(0, 1), Err(Win32Error::INVALID_FUNCTION));
    for id in KSMETHOD_KSPPIN_NEXT..=KSMETHOD_KSPPIN_END {
        // Too little of anything.
        let refused = reader.call(id, &mut []);
        assert!(id == KSMETHOD_KSPPIN_END || refused.is_err(), "{id}");
    }
    assert_eq!(reader.next().unwrap().0, Step::Shut, "that was the end of it");
    reader.release(second.frame.get()).unwrap();

    // Of frames that go out.
    assert_eq!(writer.next().map(drop), Err(Win32Error::INVALID_FUNCTION));
    assert_eq!(writer.send(header(0, 0)), Err(Win32Error::INVALID_FUNCTION), "there is none");
    assert_eq!(writer.release(0), Err(Win32Error::INVALID_PARAMETER));
    assert_eq!(writer.acquire().unwrap().0, Step::Frame);
    assert_eq!(writer.acquire().unwrap().0, Step::HoldsMost);
    assert_eq!(writer.write(0, 1), Err(Win32Error::INVALID_FUNCTION), "there is no file");
    let size = sent.pools[0].frames.unwrap().size;
    writer.set_file(file(4 * size, SealFlags::SHRINK)).unwrap();
    for (offset, length) in
        [(1, 1), (u64::MAX, 1), (0, size + 1), (0, u64::MAX), (0, MOST_WRITTEN + 1), (1 << 63, 1 << 63)]
    {
        assert_eq!(writer.write(offset, length), Err(Win32Error::INVALID_PARAMETER), "{offset} {length}");
    }
    writer.write(0, PICTURE - 1).unwrap();
    for length in [0, 1, PICTURE - 1, PICTURE, PICTURE + 1, u64::MAX] {
        assert_eq!(writer.send(header(length, 0)), Err(Win32Error::INVALID_PARAMETER), "{length} of {PICTURE} - 1");
    }
    for frame in [0, first.frame.get(), u32::MAX] {
        let foreign = FrameMessage { hands_on: 1.into(), frame: frame.into(), ..header(PICTURE, 0) };
        assert_eq!(writer.send(foreign), Err(Win32Error::INVALID_FUNCTION), "nothing comes in");
    }
    writer.write(PICTURE - 1, 1).unwrap();
    assert_eq!(writer.write(0, 1), Err(Win32Error::INVALID_PARAMETER), "once");
    writer.send(header(PICTURE, u64::MAX)).unwrap();
    assert_eq!(writer.acquire().unwrap().0, Step::Frame);
    writer.release(7).unwrap();
    drop((reader, victim, writer));
    session.until(|status| events(status).iter().filter(|what| **what == "left").count() == 3);
    session.control.stop();
    session.until(|status| status["pipes"][1]["free"] == status["pipes"][1]["frames"]);
    drop(descriptors);
    session.control.stop();
    let report = session.thread.join().unwrap().unwrap();
    assert!(report.errors.is_empty() && report.all_frames_home(), "{report:#?}");
    assert_eq!(report.filter("s").unwrap().frames_in, 1);
}

fn files() {
    let session =
        Session::start_with(&chain(None), &["a"], ServerOptions { trust: Trust::Named, ..ServerOptions::default() });
    let graph = graph(&session.path());
    let pin = RawPin::create(&graph, 0).unwrap();
    let (_, _descriptors) = pin.join().unwrap();
    let refused = |file: OwnedFd| assert_eq!(pin.set_file(file), Err(Win32Error::INVALID_HANDLE));
    refused(file(PICTURE, SealFlags::empty()));
    refused(file(PICTURE, SealFlags::GROW | SealFlags::SEAL));
    refused(rustix::pipe::pipe().unwrap().0);
    refused(std::fs::File::open("/proc/self/stat").unwrap().into());
    refused(std::fs::File::open("/dev/zero").unwrap().into());
    refused(rustix::event::eventfd(0, rustix::event::EventfdFlags::empty()).unwrap());
    for (handle, given) in [(0u64, 1), (2, 1), (u64::MAX, 1), (1 << 63, 1), (1, 0)] {
        let file = file(PICTURE, SealFlags::SHRINK);
        let files = vec![file.as_fd(); given];
        let refused = pin.call_with(KSMETHOD_KSPPIN_FILE, &mut handle.to_le_bytes(), &files).map(drop);
        assert_eq!(refused, Err(Win32Error::INVALID_HANDLE), "{handle}");
    }
    // One that is shorter than a frame.
    pin.set_file(file(100, SealFlags::SHRINK)).unwrap();
    assert_eq!(pin.acquire().unwrap().0, Step::Frame);
    assert_eq!(pin.write(0, 101), Err(Win32Error::INVALID_PARAMETER));
    pin.release(0).unwrap();
    // One for another, as often as one likes: the server has one at a time.
    for _ in 0..2000 {
        pin.set_file(file(PICTURE, SealFlags::SHRINK)).unwrap();
    }
    session.control.stop();
    session.control.stop();
    session.thread.join().unwrap().unwrap();
}

fn writes_after() {
    let options = ServerOptions { trust: Trust::Named, ..ServerOptions::default() };
    let session = Session::start_with(&chain(None), &["a", "c"], options);
    let mut frames = Client::connect(session.path()).unwrap().pin("c.in").unwrap().frames().unwrap();
    let pin = RawPin::create(&graph(&session.path()), 0).unwrap();
    let (_, _descriptors) = pin.join().unwrap();
    let file = file(PICTURE, SealFlags::SHRINK);
    pin.set_file(&file).unwrap();
    for number in 0..50u64 {
        rustix::io::pwrite(&file, &[number as u8; PICTURE as usize], 0).unwrap();
        assert_eq!(pin.acquire().unwrap().0, Step::Frame);
        pin.write(0, PICTURE).unwrap();
        pin.send(header(PICTURE, number)).unwrap();
        rustix::io::pwrite(&file, &[0xEE; PICTURE as usize], 0).unwrap();
        let frame = frames.next().unwrap().unwrap();
        assert!(frame.data().iter().all(|byte| *byte == !(number as u8)), "{number}");
    }
    pin.call(KSMETHOD_KSPPIN_END, &mut []).unwrap();
    assert!(frames.next().is_none());
    drop((frames, pin));
    // It ends when both are gone.
    session.ends();
}

/// How many points there are at which a process of [`at_point`] can end.
const POINTS: usize = 14;

/// Does so many of the things that a process does, and then says so.
pub(crate) fn at_point(path: &str, point: usize) -> Vec<RawPin> {
    let graph = graph(std::path::Path::new(path));
    let mut pins = Vec::new();
    let (mut sockets, mut written) = (Vec::new(), None);
    let mut done = 0;
    let mut all = || -> Option<()> {
        let mut next = || {
            done += 1;
            (done <= point).then_some(())
        };
        next()?;
        pins.push(RawPin::create(&graph, X).unwrap());
        next()?;
        // Joined, and nothing fetched.
        let mut data = vec![0; 4096];
        data[..4].copy_from_slice(&VERSION.to_le_bytes());
        pins[0].call(kspipe_session::verbs::KSMETHOD_KSPPIN_JOIN, &mut data).unwrap();
        next()?;
        sockets.extend(pins[0].call_with(KSMETHOD_KSPPIN_DESCRIPTORS, &mut 0u32.to_le_bytes(), &[]).unwrap().1);
        next()?;
        let first = pins[0].next_frame(&sockets[1]);
        next()?;
        pins[0].next_frame(&sockets[1]);
        next()?;
        assert_eq!(pins[0].next().unwrap().0, Step::HoldsMost);
        next()?;
        pins[0].release(first.frame.get()).unwrap();
        next()?;
        pins.push(RawPin::create(&graph, W).unwrap());
        next()?;
        sockets.extend(pins[1].join().unwrap().1);
        next()?;
        pins[1].set_file(file(PICTURE, SealFlags::SHRINK)).unwrap();
        next()?;
        written = Some(pins[1].acquire().unwrap());
        next()?;
        pins[1].write(0, PICTURE / 2).unwrap();
        next()?;
        pins[1].write(PICTURE / 2, PICTURE - PICTURE / 2).unwrap();
        next()?;
        pins[1].send(header(PICTURE, 0)).unwrap();
        Some(())
    };
    all();
    // The kernel has what was in them as long as somebody has them.
    std::mem::forget((sockets, written));
    pins
}

/// A scene whose source is without end, and a victim in it that takes frames all the time.
fn endless(hold_deadline: Option<Duration>) -> Session {
    let options = ServerOptions {
        begins: kspipe_session::Begins::AtOnce,
        streams_of_the_dead: StreamsOfTheDead::GoOn,
        hold_deadline,
        evict_after: hold_deadline,
        ..named()
    };
    Session::start_with(&scene(None).replace("holds = 1", "holds = 8"), &["x", "v", "w"], options)
}

/// The source goes on.
fn goes_on(session: &Session) {
    let acquired = |status: &serde_json::Value| holder(status, "a.out")["taken"].as_u64().unwrap();
    let before = acquired(&session.status());
    session.until(|status| acquired(status) > before + 20);
}

/// Both places are free, and somebody else can have them.
fn replaced(session: &Session) {
    session.until(|status| ["x", "w"].iter().all(|name| filter(status, name)["state"] == "vacant"));
    goes_on(session);
    let client = Client::connect(session.path()).unwrap();
    let mut frames = client.pin("x.in").unwrap().frames().unwrap();
    assert!(frames.next().unwrap().is_ok());
    drop(frames);
    drop(client.pin("w.out").unwrap());
}

fn end(session: Session) {
    session.control.stop();
    session.control.stop();
    let report = session.thread.join().unwrap().unwrap();
    assert!(report.errors.is_empty() && report.all_frames_home(), "{report:#?}");
}

fn dies() {
    let session = endless(None);
    for point in 0..=POINTS {
        let mut hostile = session.process("at-point", &[&point.to_string()]);
        assert_eq!(hostile.says(), "done", "{point}");
        hostile.kill();
        replaced(&session);
    }
    end(session);
}

fn closes() {
    let session = endless(None);
    for point in 0..=POINTS {
        // In this process: it lives.
        drop(at_point(session.path().to_str().unwrap(), point));
        replaced(&session);
    }
    end(session);
}

fn stops() {
    // Long for who works, and short for who waits for it.
    let session = endless(Some(Duration::from_millis(50)));
    for point in 1..=POINTS {
        let mut hostile = session.process("at-point", &[&point.to_string()]);
        let said = hostile.says();
        // One that was slow may have been evicted on the way, which it dies of.
        if said == "done" {
            hostile.stop();
            let keeps_nothing = |status: &serde_json::Value| {
                ["x", "w"].iter().all(|name| filter(status, name)["state"] != "opened")
                    && ["x.in", "w.out"].iter().all(|pin| holder(status, pin)["held"].as_array().unwrap().is_empty())
            };
            session.until(keeps_nothing);
            goes_on(&session);
        }
        drop(hostile);
        session.until(|status| ["x", "w"].iter().all(|name| filter(status, name)["state"] == "vacant"));
    }
    end(session);
}

fn floods() {
    let text = scene(Some(300));
    let mut took = Vec::new();
    let own = rustix::process::geteuid();
    if !own.is_root() {
        println!("NOT RUN: only root can be two users; a flood of another user's is tried where the tests run as root");
    }
    let users = if own.is_root() { &[own.as_raw(), NOBODY][..] } else { &[own.as_raw()] };
    for (flooders, user) in std::iter::once((0, own.as_raw())).chain(users.iter().map(|user| (3, *user))) {
        let session = Session::start_for(users, &text, &["x", "v", "w"], named());
        let user = user.to_string();
        let mut hostile: Vec<Process> = (0..flooders).map(|_| session.process("flood", &[&user])).collect();
        hostile.iter_mut().for_each(|process| assert_eq!(process.says(), "flooding"));
        let mut victim = session.process("read", &["v.in"]);
        assert_eq!(victim.says(), "joined");
        let start = Instant::now();
        let mut reader = session.process("keep", &["x.in"]);
        let writer = session.process("write", &["w.out", &u64::MAX.to_string()]);
        assert_eq!(reader.says(), "kept");
        // The dead are found, however much there is to answer.
        reader.kill();
        session.until(|status| filter(status, "x")["state"] == "vacant");
        assert_eq!(victim.says(), "first");
        let said = victim.says();
        assert!(said.starts_with("end 300 "), "{said}");
        took.push(start.elapsed());
        drop((writer, hostile));
        victim.ends();
        session.ends();
    }
    println!("300 frames to a mediated reader, alone, and beside three processes that flood, by user: {took:?}");
}

fn other_user() {
    use std::os::unix::fs::PermissionsExt;
    if !rustix::process::geteuid().is_root() {
        println!("NOT RUN: only root can be two users; another user's attempts are tried where the tests run as root");
        return;
    }
    let nobody = NOBODY;
    for trusted in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
        let path = folder.path().join("graph");
        let options = ServerOptions { begins: kspipe_session::Begins::AtOnce, trust: Trust::OwnUser, ..named() };
        let mut server = crate::graphs::serve(&path, &scene(None), &["x", "v", "w"], options).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o666)).unwrap();
        if trusted {
            server.trust_user(nobody)
        } else {
            server.allow_user(nobody)
        }
        let control = server.control();
        let thread = std::thread::spawn(move || server.run());
        let mut hostile = Process::start("try-everything", &path, &[&std::process::id().to_string()]);
        loop {
            let said = hostile.says();
            if said == "tried" {
                break;
            }
            let (what, came) = said.split_once(": ").unwrap_or_else(|| panic!("it says {said:?}"));
            let expected = if what.starts_with("its own") { "done" } else { "refused" };
            assert_eq!(came, expected, "trusted {trusted}: {what}");
        }
        hostile.ends();
        control.stop();
        control.stop();
        thread.join().unwrap().unwrap();
    }
}
