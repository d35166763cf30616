//! Processes that die, hang up, keep too much or are asked to stop, at either end; and what becomes of the others.

use crate::graphs::{chain, fork, serve};
use crate::processes::Process;
use crate::session::{Session, events, filter, holder};
use kspipe::stream::Outcome;
use kspipe_session::{Client, ClientError, ServerOptions, StreamsOfTheDead};
use serde_json::Value;

mod endings;

pub(crate) fn all() -> Vec<(&'static str, fn())> {
    vec![
        ("a_killed_reader_is_recovered_and_another_takes_its_place", killed_reader),
        ("a_dead_readers_place_is_free_though_its_child_has_its_handles", inherited),
        ("a_killed_writer_is_recovered_and_another_goes_on", killed_writer),
        ("a_killed_writers_stream_ends_where_that_is_asked", killed_writer_ends),
        ("a_killed_filter_in_the_middle_is_recovered_and_another_goes_on", killed_middle),
        ("processes_killed_at_any_time_are_replaced_at_once", killed_again_and_again),
        ("one_that_hangs_up_keeps_its_frames_until_its_end", hung_up),
        ("one_that_hangs_up_is_killed_where_that_is_asked", evicted),
        ("one_that_keeps_too_much_is_named", overdraft),
        ("the_servers_death_is_told_and_what_is_kept_stays_readable", server_killed),
        ("a_stop_reaches_sources_elsewhere", stopped),
        ("who_sends_to_processes_that_will_not_come_again_alone_ends", endings::given_up),
        ("one_stop_ends_a_graph_whose_source_left_without_ending", endings::stopped_once),
    ]
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
