//! Graphs in which nobody can move any more, and graphs that only look so.

use crate::graphs::{PAIR, chain};
use crate::session::{Session, filter, holder, whole};
use kspipe::stream::Outcome;
use kspipe_session::{Client, ServerOptions};
use serde_json::Value;
use std::time::Duration;

pub(crate) fn all() -> Vec<(&'static str, fn())> {
    vec![
        ("a_stalled_graph_is_ended_in_whatever_processes_it_runs", stalled),
        ("a_graph_that_stands_still_because_somebody_works_long_is_told_of_and_goes_on", works_long),
        ("a_graph_of_which_all_but_one_sleep_all_the_time_moves_on", almost_stalled),
        ("a_graph_that_waits_for_a_process_to_come_back_is_not_stalled", comes_back),
    ]
}

/// Two branches of which one is late by `hold` frames, and as many frames for the other.
fn late(hold: u32, frames: u32) -> String {
    format!(
        r#"
connections = ["a.out -> t.in", "t.x -> j.x", "t.y -> i.in", "i.out -> h.in", "h.out -> j.y", "j.out -> c.in"]
[filter.a]
pin.out = {{ direction = "out", framing = [{{ memory = "user", frames = {frames} }}] }}
run = {{ kind = "pattern", format = "i420", width = 37, height = 19, rate = "30/1", frames = 20 }}
[filter.t]
pin.in = {{ direction = "in" }}
pin.x = {{ direction = "out" }}
pin.y = {{ direction = "out" }}
routes = ["in -> x pass", "in -> y pass"]
run = {{ kind = "tee" }}
[filter.i]
pin.in = {{ direction = "in" }}
pin.out = {{ direction = "out" }}
routes = ["in -> out copy"]
run = {{ kind = "invert" }}
[filter.h]
pin.in = {{ direction = "in" }}
pin.out = {{ direction = "out" }}
routes = ["in -> out pass"]
run = {{ kind = "hold", frames = {hold} }}
[filter.j]
pin.x = {{ direction = "in" }}
pin.y = {{ direction = "in" }}
pin.out = {{ direction = "out" }}
routes = ["x -> out pass"]
run = {{ kind = "join" }}
[filter.c]
pin.in = {{ direction = "in" }}
run = {{ kind = "checksum" }}
"#
    )
}

/// With a look every millisecond, so that who would end a graph wrongly has many occasions.
fn looking(options: ServerOptions) -> ServerOptions {
    ServerOptions { ends_stalls: true, look_every: Duration::from_millis(1), ..options }
}

/// Waits until the server has looked many times more.
fn looks(session: &Session) {
    let up = |status: &Value| status["up_ms"].as_u64().unwrap();
    let now = up(&session.status());
    session.until(|status| up(status) > now + 100);
}

fn stalled() {
    for outside in [&["a"][..], &["j"], &["h"], &["t", "c"], &["a", "t", "i", "h", "j", "c"]] {
        for frames in [3, 4] {
            let session = Session::start_with(&late(3, frames), outside, looking(whole()));
            let mut processes: Vec<_> = outside.iter().map(|filter| session.process("attach", &[filter])).collect();
            for process in &mut processes {
                assert_eq!(process.says(), "joined");
            }
            for process in &mut processes {
                let end = if frames == 4 { "end Finished" } else { "end " };
                assert!(process.says().starts_with(end), "{outside:?}");
                process.ends();
            }
            let (report, status) = session.ends();
            assert!(outside.iter().all(|name| filter(&status, name)["leaves"] == 1), "{status:#}");
            if frames == 4 {
                assert_eq!(report.outcome, Outcome::Finished, "{report:#?}");
                continue;
            }
            assert_eq!((report.outcome, report.errors.len()), (Outcome::Failed, 1), "{report:#?}");
            let error = &report.errors[0];
            assert_eq!((&error.filter, error.is_system_failure), (&None, false));
            for part in [
                "`a` for a frame of pipe 0, which has 3, all out;",
                "`h` for its next frame, keeping 3;",
                "`j` for its next frame",
                "to cure it, write `frames = 4` in the item of a.out",
            ] {
                assert!(error.message.contains(part), "{part}: {}", error.message);
            }
        }
    }
}

/// With one frame for all, somebody works only while all others sleep; and it is looked all the time.
fn almost_stalled() {
    let text = chain(Some(2000)).replace("frames = 4", "frames = 1");
    for outside in [&["b"][..], &["a", "b", "c"]] {
        let options = ServerOptions { look_every: Duration::ZERO, ..looking(whole()) };
        let session = Session::start_with(&text, outside, options);
        let mut processes: Vec<_> = outside.iter().map(|filter| session.process("attach", &[filter])).collect();
        for process in &mut processes {
            assert_eq!(process.says(), "joined");
        }
        for process in &mut processes {
            assert!(process.says().starts_with("end Finished"), "{outside:?}");
            process.ends();
        }
        let (report, status) = session.ends();
        assert_eq!((report.outcome, report.errors.len()), (Outcome::Finished, 0), "{report:#?}");
        assert_eq!(holder(&status, "b.in")["taken"], 2000);
    }
}

fn works_long() {
    let session = Session::start_with(PAIR, &["c"], looking(whole()));
    let mut frames = Client::connect(session.path()).unwrap().pin("c.in").unwrap().frames().unwrap();
    let kept: Vec<_> = frames.by_ref().take(3).map(|frame| frame.unwrap()).collect();
    let still = |status: &Value| status["warnings"].as_array().unwrap().iter().any(|it| it["still_ms"].is_u64());
    let status = session.until(still);
    let (pipe, warning) = (&status["pipes"][0], &status["warnings"].as_array().unwrap().last().unwrap());
    let message = warning["message"].as_str().unwrap();
    assert!(message.starts_with("nothing has moved in pipe 0 for "), "{message}");
    assert!(message.ends_with(" s: `a.out` waits for a frame; all 3 are with `c.in` (3)"), "{message}");
    assert_eq!(warning["pin"], "a.out");
    assert!(pipe["still_ms"].as_u64() >= warning["still_ms"].as_u64(), "{status:#}");
    let waits = holder(&status, "a.out");
    assert!(waits["waiting"] == true && waits["waiting_ms"].as_u64() >= Some(1), "{status:#}");
    assert!(holder(&status, "c.in")["waiting_ms"].is_null(), "{status:#}");
    drop(kept);
    // It goes on where it was.
    let more: Vec<_> = frames.by_ref().take(3).map(|frame| frame.unwrap()).collect();
    assert_eq!(more[0].header().sequence, 3);
    drop(more);
    session.control.stop();
    assert!(frames.all(|frame| frame.is_ok()));
    drop(frames);
    let (report, status) = session.ends();
    assert_eq!((report.outcome, report.errors.len()), (Outcome::Stopped, 0), "{report:#?}");
    assert!(status["pipes"][0]["still_ms"].is_null(), "nobody waits: {status:#}");
}

fn comes_back() {
    let session = Session::start_with(&chain(None), &["a"], looking(ServerOptions::default()));
    // Everybody who is there waits for a process that has not come, or has died.
    looks(&session);
    let mut writer = session.process("write", &["a.out", &u64::MAX.to_string()]);
    session.until(|status| holder(status, "a.out")["taken"].as_u64() > Some(50));
    writer.kill();
    session.until(|status| filter(status, "a")["deaths"] == 1);
    looks(&session);
    let mut writer = session.process("write", &["a.out", "50"]);
    assert_eq!(writer.says(), "end 50");
    writer.ends();
    let (report, _) = session.ends();
    assert_eq!((report.outcome, report.errors.len()), (Outcome::Finished, 0), "{report:#?}");
    assert!(report.filter("c").unwrap().frames_in >= 50);
}
