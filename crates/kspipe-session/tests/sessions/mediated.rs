//! Processes that the server does not trust get what trusted ones get, and no more than they may have.

use crate::graphs::{chain, fork};
use crate::raw::{RawPin, graph};
use crate::session::{Session, alone, events, filter, holder, whole};
use crate::streams::{pictures, written_digest};
use kspipe::stream::{Outcome, RunOptions};
use kspipe_session::verbs::{FrameMessage, KSMETHOD_KSPPIN_NEXT, Step};
use kspipe_session::{AttachError, Client, ServerOptions, StreamError, StreamsOfTheDead, Trust, WriteError};
use rustix::event::{PollFd, PollFlags, poll};
use serde_json::Value;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use zerocopy::IntoBytes;

pub(crate) fn all() -> Vec<(&'static str, fn())> {
    vec![
        ("a_mediated_reader_gets_every_frame_and_the_end", read),
        ("isolated_frames_come_with_their_files", isolated),
        ("what_nobody_is_trusted_with_cannot_be_written_by_the_same_user", sealed),
        ("a_mediated_writer_s_frames_are_copied_in", written),
        ("a_mediated_process_hands_frames_on", passed_on),
        ("mediated_processes_wait_and_are_woken", waits),
        ("a_process_in_another_language_has_part_by_the_page_alone", another_language),
        ("a_mediated_reader_has_as_many_frames_as_its_pin_holds", quota),
        ("a_mediated_process_runs_no_filter", not_attached),
        ("a_killed_mediated_reader_is_recovered_and_another_takes_its_place", killed_reader),
        ("a_killed_mediated_writer_s_stream_ends_where_that_is_asked", killed_writer),
        ("a_mediated_process_that_closes_its_handles_has_left", hung_up),
        ("a_mediated_process_hears_of_the_server_s_stop", stopped),
        ("who_keeps_a_frame_past_the_deadline_is_named", overdue),
        ("a_mediated_process_past_the_deadline_loses_its_pins_and_frames", evicted),
        ("a_trusted_process_past_the_deadline_is_killed", evicted_trusted),
    ]
}

/// Nobody is trusted.
fn named() -> ServerOptions {
    ServerOptions { trust: Trust::Named, ..ServerOptions::default() }
}

fn read() {
    let text = chain(Some(300));
    let session = Session::start_with(&text, &["c"], ServerOptions { trust: Trust::Named, ..whole() });
    let mut reader = session.process("read", &["c.in"]);
    assert_eq!(reader.says(), "joined");
    assert_eq!(reader.says(), "first");
    assert_eq!(reader.says(), format!("end 300 {}", pictures(&text)));
    reader.ends();
    let (_, status) = session.ends();
    assert!(filter(&status, "c")["requests"].as_u64() >= Some(600), "{status:#}");
    assert_eq!(events(&status), ["joined", "left"]);
    assert!(status["events"].as_array().unwrap().iter().all(|event| event["frames_recovered"] == 0), "{status:#}");
}

fn isolated() {
    let text = chain(Some(300));
    for trust in [Trust::OwnUser, Trust::Named, Trust::Nobody] {
        let session = Session::start_with(&text, &["c"], ServerOptions { trust, isolate: true, ..whole() });
        let mut reader = session.process("read", &["c.in"]);
        assert_eq!(reader.says(), "joined");
        assert_eq!(reader.says(), "first");
        assert_eq!(reader.says(), format!("end 300 {}", pictures(&text)), "{trust:?}");
        reader.ends();
        session.ends();
    }
    // A file comes with the frame that is in it, once.
    let session = Session::start_with(&fork(None), &["x"], ServerOptions { isolate: true, ..named() });
    let pin = RawPin::create(&graph(&session.path()), 0).unwrap();
    let (join, descriptors) = pin.join().unwrap();
    assert!(join.pools[0].frames.unwrap().isolated);
    assert_eq!((join.pools[0].files, descriptors.len()), (0, 3));
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..100 {
        let (frame, file) = loop {
            let mut message = FrameMessage::default();
            let answered = pin.call_with(KSMETHOD_KSPPIN_NEXT, message.as_mut_bytes(), &[]).unwrap();
            match Step::of(message.step.get()) {
                Some(Step::Frame) => break (message.frame.get(), answered.1),
                Some(Step::Nothing) => drop(poll(&mut [PollFd::new(&descriptors[0], PollFlags::IN)], None).unwrap()),
                step => panic!("{step:?}"),
            }
            while rustix::net::recv(&descriptors[0], &mut [0; 1], rustix::net::RecvFlags::DONTWAIT).is_ok() {}
        };
        assert_eq!(file.len(), usize::from(seen.insert(frame)), "with the first");
        pin.release(frame).unwrap();
    }
    drop(pin);
    session.until(|status| filter(status, "x")["state"] == "vacant");
    session.control.stop();
    session.ends();
}

fn sealed() {
    let session =
        Session::start_with(&fork(None), &["x"], ServerOptions { trust: Trust::Nobody, ..ServerOptions::default() });
    let joined = Client::connect(session.path()).unwrap().filter("x").unwrap();
    assert!(joined.is_mediated());
    drop(joined);
    let pin = RawPin::create(&graph(&session.path()), 0).unwrap();
    let (_, descriptors) = pin.join().unwrap();
    // This is the same user: it opens the frames again, and still writes nothing.
    let path = format!("/proc/self/fd/{}", descriptors[0].as_raw_fd());
    let again = std::fs::OpenOptions::new().read(true).write(true).open(path).unwrap();
    assert_eq!(rustix::io::pwrite(&again, &[1], 0), Err(rustix::io::Errno::PERM));
    assert!(again.set_len(0).is_err());
    let punch = rustix::fs::FallocateFlags::PUNCH_HOLE | rustix::fs::FallocateFlags::KEEP_SIZE;
    assert_eq!(rustix::fs::fallocate(&again, punch, 0, 4096), Err(rustix::io::Errno::PERM));
    drop(pin);
    session.until(|status| filter(status, "x")["state"] == "vacant");
    session.control.stop();
    session.ends();
}

fn written() {
    let session = Session::start_with(&chain(None), &["a"], named());
    let mut writer = session.process("write", &["a.out", "200"]);
    assert_eq!(writer.says(), "end 200");
    writer.ends();
    let (report, status) = session.ends();
    assert_eq!(report.filter("c").unwrap().frames_in, 200);
    assert_eq!(report.filter("c").unwrap().digest, Some(written_digest(200)));
    assert_eq!(filter(&status, "a")["copies"], 200);
}

fn passed_on() {
    let text = chain(Some(300)).replace("in-place", "pass").replace("invert", "tee");
    let session = Session::start_with(&text, &["b"], ServerOptions { trust: Trust::Named, ..whole() });
    let mut process = session.process("pass", &["b"]);
    assert_eq!(process.says(), "end");
    process.ends();
    let (report, _) = session.ends();
    assert_eq!(report.outcome, Outcome::Finished, "{report:#?}");
    assert_eq!(report.filter("c").unwrap().digest, Some(alone(&text, "c")));
}

fn another_language() {
    if let Err(error) = Command::new("python3").arg("--version").output() {
        println!("not run: there is no python3 ({error}); ci/packages.sh installs it");
        return;
    }
    let session = Session::start_with(&chain(None), &["a", "c"], ServerOptions { trust: Trust::Named, ..whole() });
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/session_client.py");
    let output = Command::new("python3").arg(program).arg(session.path()).output().expect("it was there just now");
    let expected = "\
outside a c version 1
mediated True True
frames cannot be written
keeps most True
right 100
states joined joined
ended True
left
";
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected, "{said}");
    assert!(output.status.success(), "{said}");
    let (_, status) = session.ends();
    assert_eq!(events(&status), ["joined", "joined", "left", "left"]);
    assert_eq!(filter(&status, "a")["copies"], 100);
}

fn waits() {
    let session = Session::start_with(&chain(None), &["a", "c"], ServerOptions { trust: Trust::Named, ..whole() });
    let client = Client::connect(session.path()).unwrap();
    let soon = Duration::from_millis(1);
    let mut writer = client.pin("a.out").unwrap().writer().unwrap();
    assert_eq!(writer.acquire(Some(soon)).map(drop), Err(WriteError::TimedOut), "it has not begun");
    let mut frames = client.pin("c.in").unwrap().frames().unwrap();
    assert!(matches!(client.filter("c"), Err(kspipe_session::ClientError::TakenHere(_))));
    assert!(!frames.arm(), "nobody has asked");
    assert_eq!(frames.next_within(soon).map(drop), Err(StreamError::TimedOut));
    assert!(matches!(frames.try_next(), Ok(None)));
    assert!(frames.arm());
    let mut send = |byte: u8| {
        let mut frame = writer.acquire(None).unwrap();
        frame.bytes_mut().fill(byte);
        writer.send(frame).unwrap();
    };
    send(7);
    // It comes through `b`, which the server runs: the descriptor says so.
    poll(&mut [PollFd::new(&frames, PollFlags::IN)], None).unwrap();
    let frame = frames.next().unwrap().unwrap();
    assert!(frame.data().iter().all(|byte| *byte == !7), "inverted");
    let mut part = [0; 3];
    assert_eq!((frame.copy_to(frame.data().len() - 2, &mut part), part), (2, [!7, !7, 0]));
    // All frames are out, kept or on their way: who wants one waits in line, and is woken.
    let there = session.status()["pipes"][0]["frames"].as_u64().unwrap() as u8;
    (1..there).for_each(&mut send);
    assert_eq!(writer.acquire(Some(soon)).map(drop), Err(WriteError::TimedOut), "all are out");
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| writer.acquire(None).map(drop));
        session.until(|status| holder(status, "a.out")["waiting"] == true);
        drop(frame);
        assert_eq!(waits.join().unwrap(), Ok(()));
    });
    let unsent = writer.acquire(None).unwrap();
    assert_eq!(writer.acquire(None).map(drop), Err(WriteError::HoldsMost), "one at a time");
    drop(unsent);
    writer.end();
    for byte in 1..there {
        assert_eq!(frames.next().unwrap().unwrap().data()[0], !byte);
    }
    assert!(frames.next().is_none());
    assert_eq!(frames.try_next().map(drop), Err(StreamError::Ended));
    drop(frames);
    session.ends();
}

fn quota() {
    let session = Session::start_with(&fork(None), &["x"], named());
    let joined = Client::connect(session.path()).unwrap().filter("x").unwrap();
    assert!(joined.is_mediated());
    let mut frames = joined.frames("in").unwrap();
    assert!(matches!(joined.frames("in"), Err(kspipe_session::ClientError::Role { .. })), "once");
    let first = frames.next().unwrap().unwrap();
    let second = frames.next().unwrap().unwrap();
    assert_eq!(frames.try_next().map(drop), Err(StreamError::HoldsMost), "`x` holds 2");
    let status = session.status();
    let over = |warning: &Value| warning["over"] != 0;
    assert!(!status["warnings"].as_array().unwrap().iter().any(over), "nobody can keep more: {status:#}");
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| frames.next().unwrap().unwrap().header().sequence);
        drop(first);
        assert!(waits.join().unwrap() > second.header().sequence);
    });
    drop(second);
    session.control.stop();
    assert!(frames.all(|frame| frame.is_ok()));
    drop((frames, joined));
    session.ends();
}

fn not_attached() {
    let session = Session::start_with(&chain(None), &["b"], named());
    let joined = Client::connect(session.path()).unwrap().filter("b").unwrap();
    let refused = joined.start(RunOptions::default()).unwrap_err();
    assert!(matches!(refused, AttachError::Mediated), "{refused}");
    // Nobody ends the stream to `c`.
    session.control.stop();
    session.control.stop();
    session.thread.join().unwrap().unwrap();
}

fn killed_reader() {
    // One frame more than is kept: else the next is not given before one is dropped.
    let session = Session::start_with(&fork(None).replace("holds = 2", "holds = 3"), &["x"], named());
    for round in 1..=3 {
        let mut reader = session.process("keep", &["x.in"]);
        assert_eq!(reader.says(), "kept");
        assert_eq!(filter(&session.status(), "x")["mediated"], true);
        reader.kill();
        let status = session.until(|status| filter(status, "x")["deaths"] == round);
        let last = status["events"].as_array().unwrap().last().unwrap();
        assert!(last["frames_recovered"].as_u64() >= Some(2), "{status:#}");
    }
    let mut other = session.process("keep", &["x.in"]);
    assert_eq!(other.says(), "kept");
    session.control.stop();
    other.go_on();
    assert_eq!(other.says(), "error the stream has ended");
    other.ends();
    session.ends();
}

fn killed_writer() {
    let options = ServerOptions { streams_of_the_dead: StreamsOfTheDead::End, ..named() };
    let session = Session::start_with(&chain(None), &["a"], options);
    let mut writer = session.process("write", &["a.out", &u64::MAX.to_string()]);
    session.until(|status| holder(status, "a.out")["taken"].as_u64() > Some(50));
    writer.kill();
    let (report, _) = session.ends();
    assert_eq!(report.outcome, Outcome::Finished, "{report:#?}");
    assert!(report.filter("c").unwrap().frames_in > 0);
}

fn hung_up() {
    let session = Session::start_with(&fork(None), &["x"], named());
    let mut reader = session.process("hang-up", &["x.in"]);
    assert_eq!(reader.says(), "kept");
    let status = session.until(|status| events(status) == ["joined", "left"]);
    assert_eq!(filter(&status, "x")["state"], "vacant");
    assert!(status["events"][1]["frames_recovered"].as_u64() >= Some(2), "{status:#}");
    // Its place is free, though it lives.
    let frames = Client::connect(session.path()).unwrap().pin("x.in").unwrap().frames().unwrap();
    session.control.stop();
    assert!(frames.map(Result::unwrap).count() < usize::MAX);
    reader.kill();
    session.ends();
}

fn stopped() {
    let session = Session::start_with(&chain(None), &["a"], named());
    let mut writer = session.process("write", &["a.out", &u64::MAX.to_string()]);
    session.until(|status| holder(status, "a.out")["taken"].as_u64() > Some(20));
    session.control.stop();
    assert!(writer.says().starts_with("end "));
    writer.ends();
    session.ends();
    // The server's end, too, which it does not wait for.
    let session = Session::start_with(&chain(None), &["a"], named());
    let mut writer = Client::connect(session.path()).unwrap().pin("a.out").unwrap().writer().unwrap();
    let frame = writer.acquire(None).unwrap();
    session.control.stop();
    session.control.stop();
    let report = session.thread.join().unwrap().unwrap();
    assert!(report.errors.is_empty(), "{report:#?}");
    assert_eq!(writer.send(frame), Err(WriteError::ServerGone));
}

/// Looks often, and allows no frame to be kept from one look to the next.
fn strict(trust: Trust, evict_after: Option<Duration>) -> ServerOptions {
    let hold_deadline = Some(Duration::ZERO);
    ServerOptions {
        trust,
        hold_deadline,
        evict_after,
        look_every: Duration::from_millis(1),
        ..ServerOptions::default()
    }
}

fn overdue() {
    for trust in [Trust::OwnUser, Trust::Named] {
        let session = Session::start_with(&fork(None), &["x"], strict(trust, None));
        let mut frames = Client::connect(session.path()).unwrap().pin("x.in").unwrap().frames().unwrap();
        let kept = frames.next().unwrap().unwrap();
        let status =
            session.until(|status| events(status).contains(&"overdue") && status["warnings"][0]["pin"] == "x.in");
        let message = status["warnings"][0]["message"].as_str().unwrap();
        assert!(
            message.starts_with("`x.in` has had a frame for ") && message.ends_with(" ms, 0 are allowed"),
            "{message}"
        );
        drop(kept);
        session.control.stop();
        assert!(frames.all(|frame| frame.is_ok()));
        drop(frames);
        let (_, status) = session.ends();
        assert!(!events(&status).contains(&"evicted"), "{status:#}");
    }
}

fn evicted() {
    let session = Session::start_with(&fork(None), &["x"], strict(Trust::Named, Some(Duration::ZERO)));
    let joined = Client::connect(session.path()).unwrap().filter("x").unwrap();
    let mut frames = joined.frames("in").unwrap();
    let kept = match frames.next() {
        Some(Ok(frame)) => Some(frame),
        // It came too late already.
        _ => None,
    };
    let data = kept.as_ref().map(|frame| frame.data().to_vec());
    let status = session.until(|status| events(status).contains(&"evicted"));
    assert!(events(&status).starts_with(&["joined", "overdue", "evicted"]), "{status:#}");
    assert_eq!(filter(&status, "x")["state"], "vacant");
    assert_eq!(holder(&status, "x.in")["admitted"], false);
    // The others go on.
    let acquired = |status: &serde_json::Value| holder(status, "a.out")["taken"].as_u64();
    session.until(|now| acquired(now) > acquired(&status).map(|acquired| acquired + 50));
    assert_eq!(frames.try_next().map(drop), Err(StreamError::Shut));
    assert_eq!(kept.as_ref().map(|frame| frame.data().to_vec()), data, "what was copied out stays");
    drop((kept, frames, joined));
    // It may come again.
    let again = Client::connect(session.path()).unwrap().filter("x").unwrap();
    drop(again);
    session.control.stop();
    session.ends();
}

fn evicted_trusted() {
    let session = Session::start_with(&fork(None), &["x"], strict(Trust::OwnUser, Some(Duration::ZERO)));
    let _reader = session.process("keep", &["x.in"]);
    let status = session.until(|status| filter(status, "x")["deaths"] == 1);
    assert_eq!(events(&status), ["joined", "overdue", "evicted", "died"]);
    session.control.stop();
    session.ends();
}
