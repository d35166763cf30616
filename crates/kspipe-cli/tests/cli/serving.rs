//! Graphs that processes run together: `kspipe serve`, `attach`, `status`, `top`, and `kspipe run` with `process = true`.

mod programs;
mod strangers;
mod supervised;
mod terminal;

use crate::ground::{FRAMES, Ground, checksums, digests, expected, y4m_frames};
use programs::Program;

/// A source that never ends, and two sinks outside, one of which does not say what it does.
const ENDLESS: &str = r#"
connections = ["camera.out -> tee.in", "tee.a -> viewer.in", "tee.b -> recorder.in"]
[filter.camera]
pin.out = { direction = "out", framing = [{ memory = "user", frames = 6 }] }
run = { kind = "pattern", format = "nv12", width = 64, height = 48, rate = "120/1" }
[filter.tee]
pin.in = { direction = "in" }
pin.a = { direction = "out" }
pin.b = { direction = "out" }
routes = ["in -> a pass", "in -> b pass"]
run = { kind = "tee" }
[filter.viewer]
pin.in = { direction = "in", holds = 1 }
[filter.recorder]
pin.in = { direction = "in", holds = 2 }
run = { kind = "checksum" }
process = true
"#;

/// A source and a sink here, and a filter that shall have a process and is connected to nothing.
const ALONE: &str = r#"
connections = ["camera.out -> viewer.in"]
[filter.camera]
pin.out = { direction = "out" }
run = { kind = "pattern", format = "nv12", width = 64, height = 48, rate = "120/1" }
[filter.viewer]
pin.in = { direction = "in" }
run = { kind = "checksum" }
[filter.recorder]
pin.in = { direction = "in" }
run = { kind = "checksum" }
process = true
"#;

/// Serves [`ENDLESS`] at `socket`, and waits until it can be joined.
fn serve_endless(ground: &Ground, more: &[&str]) -> Program {
    ground.file("endless.toml", ENDLESS);
    let mut arguments = vec!["serve", "endless.toml", "--socket", "socket", "--trust", "--realtime"];
    arguments.extend_from_slice(more);
    let mut server = Program::start(ground, &arguments);
    server.wait_for("serving at socket; outside: recorder, viewer");
    server
}

#[test]
fn a_film_goes_through_three_processes_and_comes_out_as_from_one() {
    let ground = Ground::new();
    let outside = ["--outside", "recorder", "--outside", "snapshots"];
    let mut arguments = vec!["serve", "examples/preview.toml", "--socket", "socket", "--trust", "--wait-for-all"];
    arguments.extend_from_slice(&outside);
    arguments.extend(["--report", "served.json"]);
    let mut server = Program::start(&ground, &arguments);
    server.wait_for("serving at socket");
    let mut snapshots = Program::start(&ground, &["attach", "socket", "snapshots.in", "--report", "part.json"]);
    snapshots.wait_for("joined socket with `snapshots`");
    let (_, said) = ground.run(&["attach", "socket", "recorder"], 0);
    assert!(said.contains("recorder: 24 frames in, 0 out"), "{said}");
    assert!(snapshots.end(0).contains("snapshots: 24 frames in"));
    let said = server.end(0);
    assert!(said.contains("finished: 24 frames") && said.contains("recorder: 1 join, 1 leave, 0 deaths"), "{said}");

    assert_eq!(digests(&y4m_frames(&ground.read("examples/out/preview.y4m"))), expected("inverted"));
    assert!(ground.path("examples/out/preview-16.png").exists());
    assert!(!ground.path("socket").exists(), "the socket is gone with its server");
    let (served, part) = (ground.json("served.json"), ground.json("part.json"));
    assert_eq!(served["graph"]["source_frames"], FRAMES);
    assert_eq!(served["session"]["filters"][0]["leaves"], 1);
    assert_eq!(part["filters"].as_array().map(Vec::len), Some(1));
    assert_eq!(part["filters"][0]["frames_in"], FRAMES);
}

#[test]
fn a_filter_outside_does_what_the_command_line_says() {
    let ground = Ground::new();
    let mut server = serve_endless(&ground, &["--wait-for-all"]);
    let mut viewer = Program::start(&ground, &["attach", "socket", "viewer", "--run", "raw=out/viewer.yuv"]);
    viewer.wait_for("joined");
    let mut recorder = Program::start(&ground, &["attach", "socket", "recorder.in"]);
    recorder.wait_for("joined");
    server.wait_until_frames_flow(&ground, "socket");
    server.interrupt();
    let said = recorder.end(0);
    viewer.end(0);
    assert!(server.end(0).contains("stopped:"));
    let bytes = ground.read("out/viewer.yuv").len();
    assert!(bytes > 0 && bytes.is_multiple_of(64 * 48 * 3 / 2), "{bytes}");
    let digest = said.lines().find_map(|line| line.strip_prefix("recorder: digest "));
    assert!(digest.is_some_and(|digest| digest.len() == 32), "{said}");
}

#[test]
fn a_film_is_played_into_a_graph_by_another_process() {
    let ground = Ground::new();
    let graph = ground.text("examples/tee.toml");
    ground.file("examples/played.toml", graph.replace("[filter.film]", "[filter.film]\nprocess = true"));
    std::fs::copy(ground.path(crate::ground::FILM), ground.path("other.y4m")).expect("it can be copied");
    let mut server =
        Program::start(&ground, &["serve", "examples/played.toml", "--socket", "socket", "--trust", "--wait-for-all"]);
    server.wait_for("serving at socket; outside: film");
    let (_, said) = ground.run(&["attach", "socket", "film", "--run", "y4m=other.y4m", "--frames", "7"], 0);
    assert!(said.contains("film: 0 frames in, 7 out"), "{said}");
    server.end(0);
    assert_eq!(checksums(&ground.text("examples/out/tee.checksums")), 7);
    // Frames of another size are none of this graph's.
    let mut server =
        Program::start(&ground, &["serve", "examples/played.toml", "--socket", "socket", "--trust", "--wait-for-all"]);
    server.wait_for("serving at socket");
    let pattern = "{ kind = \"pattern\", format = \"i420\", width = 32, height = 18 }";
    let (_, said) = ground.run(&["attach", "socket", "film", "--run", pattern], 1);
    assert!(said.contains("it has frames of"), "{said}");
    server.interrupt();
    server.end(0);
}

/// What programs outside do cannot be seen, so a graph that is served goes on; but everybody is told.
#[test]
fn a_served_graph_that_stands_still_says_who_waits_for_whom() {
    let ground = Ground::new();
    let serve =
        ["serve", "examples/starving.toml", "--socket", "socket", "--trust", "--wait-for-all", "--outside", "join"];
    let mut server = Program::start(&ground, &serve);
    server.wait_for("serving at socket; outside: join");
    let mut join = Program::start(&ground, &["attach", "socket", "join"]);
    join.wait_for("joined");
    server.wait_for_status(&ground, "socket", |status| {
        status["warnings"].as_array().into_iter().flatten().any(|warning| warning["still_ms"].is_u64())
    });
    let (said, _) = ground.run(&["status", "socket"], 0);
    let line = said.lines().find(|line| line.contains("nothing has moved")).expect("it is told");
    assert!(line.starts_with("warning: nothing has moved in pipe 0 for "), "{said}");
    assert!(line.ends_with(" s: `film.out` waits for a frame; its only one is with `join.now`"), "{said}");
    let waits = |line: &&str| line.trim_start().starts_with("film.out") && line.contains(", waiting for ");
    assert!(said.lines().any(|line| waits(&line)), "{said}");
}

#[test]
fn a_duration_ends_what_is_served() {
    let ground = Ground::new();
    let server = serve_endless(&ground, &["--duration", "0.1"]);
    assert!(server.end(0).contains("stopped:"));
}

#[test]
fn ctrl_c_before_the_graph_began_leaves() {
    let ground = Ground::new();
    let mut server = serve_endless(&ground, &["--wait-for-all"]);
    let mut recorder = Program::start(&ground, &["attach", "socket", "recorder"]);
    recorder.wait_for("joined");
    recorder.interrupt();
    assert!(recorder.end(0).contains("left before the graph began"));
    server.interrupt();
    assert!(server.end(0).contains("recorder: 1 join, 1 leave, 0 deaths"));
}

#[test]
fn a_socket_in_use_is_an_error_and_one_left_behind_is_replaced() {
    let ground = Ground::new();
    let first = serve_endless(&ground, &[]);
    let second = ["serve", "endless.toml", "--socket", "socket"];
    let (_, said) = ground.run(&second, 3);
    assert!(said.contains("in use") && said.contains("choose another path"), "{said}");
    first.kill();
    assert!(ground.path("socket").exists(), "nobody was there to take it away");
    let mut third = serve_endless(&ground, &[]);
    third.interrupt();
    third.end(0);
    ground.file("file", "no socket");
    let (_, said) = ground.run(&["serve", "endless.toml", "--socket", "file"], 3);
    assert!(said.contains("in use"), "{said}");
    assert_eq!(ground.text("file"), "no socket");
}

/// Files that other processes read and write lie beside the graph: where that cannot be told to them, nothing is written elsewhere.
#[test]
fn a_graph_in_a_folder_that_is_not_utf_8_is_not_served() {
    use std::os::unix::ffi::OsStrExt;
    let ground = Ground::new();
    let name = std::ffi::OsStr::from_bytes(b"f\xffx");
    let folder = ground.path("").join(name);
    std::fs::create_dir(&folder).expect("a folder");
    let graph = ENDLESS.replace("{ kind = \"checksum\" }", "{ kind = \"checksum\", path = \"out\" }");
    std::fs::write(folder.join("endless.toml"), graph).expect("a file");
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_kspipe"));
    command.args(["serve", "endless.toml", "--socket", "socket", "--duration", "0.1"]).current_dir(&folder);
    let output = command.output().expect("the command can be run");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(3) && said.contains("is not UTF-8"), "{said}");
    let names = |folder: &std::path::Path| std::fs::read_dir(folder).expect("a folder").count();
    assert_eq!(names(&folder), 1, "nothing was made there");
    assert!(!ground.path("f\u{fffd}x").exists());
}

#[test]
fn the_status_says_who_has_what() {
    let ground = Ground::new();
    let mut server = serve_endless(&ground, &[]);
    let mut recorder = Program::start(&ground, &["attach", "socket", "recorder"]);
    recorder.wait_for("joined");
    server.wait_until_frames_flow(&ground, "socket");
    let (text, _) = ground.run(&["status", "socket"], 0);
    for needed in ["1 of 2 filters joined", "recorder  joined, process", "viewer    vacant", "camera.out", "pipe 0:"] {
        assert!(text.contains(needed), "{needed}\n{text}");
    }
    let (json, _) = ground.run(&["status", "socket", "--format", "json"], 0);
    let json: serde_json::Value = serde_json::from_str(&json).expect("it is JSON");
    assert_eq!((&json["version"], &json["filters"][0]["state"]), (&1.into(), &"joined".into()));
    assert_eq!(json["filters"][0]["process"], recorder.process());
    recorder.kill();
    server.wait_for_event(&ground, "socket", "died");
    let (text, _) = ground.run(&["status", "socket"], 0);
    assert!(text.contains("died"), "{text}");
    server.interrupt();
    assert!(server.end(0).contains("recorder: 1 join, 0 leaves, 1 death"));
}

#[test]
fn what_cannot_be_joined_is_said_with_what_can() {
    let ground = Ground::new();
    let mut server = serve_endless(&ground, &[]);
    let mut recorder = Program::start(&ground, &["attach", "socket", "recorder"]);
    recorder.wait_for("joined");
    let silent = ENDLESS.lines().filter(|line| !line.contains("pattern")).collect::<Vec<_>>().join("\n");
    ground.file("silent.toml", silent);
    ground.file("alone.toml", ALONE);
    ground.file("none.toml", ALONE.replace("\"camera.out -> viewer.in\"", ""));
    for (arguments, code, needed) in [
        (&["attach", "socket", "camera"][..], 2, "there are recorder, viewer"),
        (&["attach", "socket", "recorder.out"], 2, "there are recorder, viewer"),
        (&["attach", "socket", "recorder"], 3, "another process has the filter `recorder`"),
        (&["attach", "socket", "viewer"], 2, "does not say what `viewer` does"),
        (&["attach", "socket", "viewer", "--run", "cheksum"], 2, "did you mean `checksum`?"),
        (&["attach", "socket", "viewer", "--run", "hold=2"], 2, "hold"),
        (&["attach", "socket", "viewer", "--run", "checksum=a.json", "--report", "a.json"], 2, "written over"),
        (&["attach", "nothing", "viewer"], 3, "kspipe serve GRAPH --socket nothing"),
        (&["status", "nothing"], 3, "nobody serves a graph there"),
        (&["top", "socket"], 2, "kspipe status socket"),
        (&["serve", "endless.toml", "--socket", "x", "--outside", "y"], 2, "camera, recorder, tee, viewer"),
        (&["serve", "examples/tee.toml", "--socket", "x"], 2, "--outside"),
        (&["serve", "alone.toml", "--socket", "x"], 2, "`recorder` has `process = true`, and no connection"),
        (&["serve", "alone.toml", "--socket", "x"], 2, "camera, viewer with --outside"),
        (&["serve", "none.toml", "--socket", "x"], 2, "its filters have no connection"),
        (&["serve", "endless.toml"], 2, "--socket"),
        (&["serve", "endless.toml", "--socket", "x", "--allow-user", "no such user"], 2, "no user of this name"),
        (&["serve", "endless.toml", "--socket", "missing/x"], 3, "cannot serve at missing/x: No such file"),
        (&["serve", "endless.toml", "--socket", "missing/x"], 3, "the folder has to be there"),
        (&["serve", "endless.toml", "--socket", "endless.toml/x"], 3, "the folder has to be there"),
        (&["serve", "endless.toml", "--socket", ".."], 3, "the path ends in the name of the socket"),
        (&["serve", "silent.toml", "--socket", "x"], 1, "filter `camera`: it has no `run`"),
    ] {
        let (output, said) = ground.run(arguments, code);
        assert!(said.contains(needed), "{arguments:?}\n{said}");
        assert_eq!(output, "", "{arguments:?}");
    }
    recorder.interrupt();
    recorder.end(0);
    server.interrupt();
    server.end(0);
}

#[test]
fn who_is_not_trusted_takes_and_sends_the_same_frames_by_copies() {
    let ground = Ground::new();
    let arguments = ["--outside", "recorder", "--outside", "snapshots", "--wait-for-all"];
    let mut server =
        Program::start(&ground, &[&["serve", "examples/preview.toml", "--socket", "socket"], &arguments[..]].concat());
    server.wait_for("serving at socket");
    let mut snapshots = Program::start(&ground, &["attach", "socket", "snapshots"]);
    snapshots.wait_for("joined");
    let (_, said) = ground.run(&["attach", "socket", "recorder", "--report", "part.json"], 0);
    assert!(said.contains("recorder: 24 frames in"), "{said}");
    snapshots.end(0);
    server.end(0);
    assert_eq!(digests(&y4m_frames(&ground.read("examples/out/preview.y4m"))), expected("inverted"));
    assert!(ground.path("examples/out/preview-16.png").exists());
    assert_eq!(ground.json("part.json")["graph"]["bytes_copied"], FRAMES * crate::ground::FRAME);

    let graph = ground.text("examples/tee.toml");
    ground.file("examples/played.toml", graph.replace("[filter.film]", "[filter.film]\nprocess = true"));
    let mut server =
        Program::start(&ground, &["serve", "examples/played.toml", "--socket", "socket", "--wait-for-all"]);
    server.wait_for("serving at socket");
    let (_, said) = ground.run(&["attach", "socket", "film"], 0);
    assert!(said.contains("film: 0 frames in, 24 out"), "{said}");
    server.end(0);
    assert_eq!(checksums(&ground.text("examples/out/tee.checksums")), FRAMES);
}

#[test]
fn who_is_not_trusted_runs_no_filter_in_between_and_hears_how_that_is_changed() {
    let ground = Ground::new();
    let arguments = ["serve", "examples/preview.toml", "--socket", "socket", "--outside", "invert"];
    let mut server = Program::start(&ground, &arguments);
    server.wait_for("serving at socket");
    let (_, said) = ground.run(&["attach", "socket", "invert"], 3);
    assert!(said.contains("kspipe serve --trust"), "{said}");
    server.interrupt();
    server.end(0);
}

#[test]
fn help_of_each_command_of_sessions_shows_an_example() {
    let ground = Ground::new();
    for command in ["serve", "attach", "status", "top"] {
        let (help, _) = ground.run(&[command, "--help"], 0);
        assert!(help.contains("Examples:") && help.contains(&format!("kspipe {command} ")), "{help}");
        assert!(!help.contains("supervised"), "what is for the command alone is not shown\n{help}");
    }
}
