//! `kspipe run` of graphs in which filters have processes of their own.

use super::programs::Program;
use crate::ground::{self, FRAMES, Ground, checksums, expected, y4m_frames};
use std::collections::BTreeMap;
use std::io::Read;
use std::process::Stdio;

/// What lies in a folder, by name.
fn files(ground: &Ground, folder: &str) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(ground.path(folder)).expect("the folder is there");
    let names = entries.map(|entry| entry.expect("it can be listed").file_name().into_string().expect("a name"));
    names.map(|name| (name.clone(), ground.read(&format!("{folder}/{name}")))).collect()
}

/// The graph, with a process for each filter that is chosen.
fn in_processes(graph: &str, chosen: impl Fn(&str) -> bool) -> String {
    let line = |line: &str| match line.strip_prefix("[filter.").and_then(|rest| rest.strip_suffix(']')) {
        Some(name) if chosen(name) => format!("{line}\nprocess = true\n"),
        _ => format!("{line}\n"),
    };
    graph.lines().map(line).collect()
}

/// The digests that a report has, by filter.
fn digests(report: &serde_json::Value) -> BTreeMap<String, String> {
    let filters = report["filters"].as_array().expect("filters").iter();
    filters.filter_map(|it| Some((it["name"].as_str()?.to_owned(), it["digest"].as_str()?.to_owned()))).collect()
}

#[test]
fn graphs_give_the_same_with_and_without_processes() {
    for name in ["preview", "convert", "tee", "bridge", "starving"] {
        let ground = Ground::new();
        let cured = |text: String| text.replace("\npin.out = { direction = \"out\" }\n# pin.out", "\npin.out");
        let text = cured(ground.text(&format!("examples/{name}.toml")));
        ground.file("examples/graph.toml", &text);
        ground.run(&["run", "examples/graph.toml", "--report", "one.json"], 0);
        let one = files(&ground, "examples/out");
        assert!(!one.is_empty());
        // All filters, all but the source, and the source alone.
        let all = |_: &str| true;
        let others = |name: &str| name != "film";
        let source = |name: &str| name == "film";
        for chosen in [&all as &dyn Fn(&str) -> bool, &others, &source] {
            std::fs::remove_dir_all(ground.path("examples/out")).expect("it was there");
            let text = in_processes(&text, chosen);
            ground.file("examples/graph.toml", &text);
            ground.run(&["run", "examples/graph.toml", "--report", "several.json"], 0);
            assert_eq!(files(&ground, "examples/out"), one, "{name}\n{text}");
            let (one, several) = (ground.json("one.json"), ground.json("several.json"));
            assert_eq!(digests(&several), digests(&one), "{name}");
            for member in ["source_frames", "delivered", "copies_per_frame", "bytes_copied"] {
                assert_eq!(several["graph"][member], one["graph"][member], "{name} {member}\n{text}");
            }
            assert_eq!(several["graph"]["source_frames"], FRAMES);
            assert_eq!(several["outcome"], "finished");
            assert_eq!(several["filters"].as_array().map(Vec::len), one["filters"].as_array().map(Vec::len));
        }
    }
}

/// The words and the exit code are those of one process, however many there are.
#[test]
fn a_graph_that_stalls_says_so_and_ends_in_whatever_processes() {
    let ground = Ground::new();
    let text = ground.text("examples/starving.toml");
    let run = |chosen: &dyn Fn(&str) -> bool| {
        ground.file("examples/graph.toml", in_processes(&text, chosen));
        let (_, said) = ground.run(&["run", "examples/graph.toml", "--report", "report.json"], 1);
        assert!(said.contains("the graph is stalled, every filter waits: `delay` for its next frame"), "{said}");
        let report = ground.json("report.json");
        assert_eq!((&report["outcome"], &report["errors"][0]["filter"]), (&"failed".into(), &serde_json::Value::Null));
        assert_eq!(report["errors"].as_array().map(Vec::len), Some(1), "{report:#}");
        for pipe in report["pipes"].as_array().expect("pipes") {
            assert_eq!(pipe["frames_out_at_end"], 0, "{report:#}");
        }
        (report["errors"][0]["message"].clone(), files(&ground, "examples/out"))
    };
    let one = run(&|_| false);
    for names in [&["film"][..], &["join"], &["delay", "invert"], &["recorder"]] {
        assert_eq!(run(&|name| names.contains(&name)), one, "{names:?}");
    }
    assert_eq!(run(&|_| true), one);
}

/// What `preview` gives, by four processes.
#[test]
fn processes_pass_on_the_frames_of_one_allocator() {
    let ground = Ground::new();
    ground.run(&["run", "examples/processes.toml", "--report", "report.json", "--report", "report.html"], 0);
    let recording = ground.read("examples/out/processes.y4m");
    assert_eq!(ground::digests(&y4m_frames(&recording)), expected("inverted"));
    assert_eq!(checksums(&ground.text("examples/out/processes.checksums")), FRAMES);
    let report = ground.json("report.json");
    let names: Vec<_> = report["filters"].as_array().expect("filters").iter().map(|it| it["name"].clone()).collect();
    assert_eq!(names, ["film", "invert", "recorder", "tee", "viewer"]);
    assert_eq!(report["session"]["filters"].as_array().map(Vec::len), Some(3));
    assert_eq!(report["plan"]["pipes"].as_array().map(Vec::len), Some(1));
    let graph = &report["graph"];
    assert_eq!((&graph["source_frames"], &graph["delivered"]), (&FRAMES.into(), &(2 * FRAMES).into()));
    assert_eq!((&graph["bytes_copied"], &report["pipes"][0]["frames_out_at_end"]), (&0.into(), &0.into()));
    assert!(ground.text("report.html").contains("recorder"));
}

/// An endless source, a sink that writes to standard output, and one that counts.
const ENDLESS: &str = r#"
connections = ["camera.out -> tee.in", "tee.a -> viewer.in", "tee.b -> output.in"]
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
run = { kind = "checksum" }
process = true
[filter.output]
pin.in = { direction = "in", holds = 1 }
run = { kind = "raw", path = "-" }
"#;

/// Runs the endless graph, and waits until frames have come out of it.
fn run_endless(ground: &Ground, graph: &str, more: &[&str]) -> (Program, std::process::ChildStdout) {
    ground.file("endless.toml", graph);
    let mut arguments = vec!["run", "endless.toml", "--realtime"];
    arguments.extend_from_slice(more);
    let mut program = Program::start_with(ground, &arguments, Stdio::piped());
    let mut output = program.output();
    let mut frame = vec![0; 64 * 48 * 3 / 2];
    output.read_exact(&mut frame).expect("a frame comes out");
    (program, output)
}

/// Reads to the end what comes out meanwhile.
fn drain(mut output: std::process::ChildStdout) -> std::thread::JoinHandle<u64> {
    std::thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()).expect("it can be read"))
}

#[test]
fn ctrl_c_ends_all_processes_in_order() {
    let ground = Ground::new();
    let (mut program, output) = run_endless(&ground, ENDLESS, &["--report", "report.json"]);
    let viewer = program.wait_for_process("viewer");
    let output = drain(output);
    program.interrupt();
    let said = program.end(0);
    viewer.wait();
    assert!(said.contains("stopped:") && said.contains("frames out at the end: 0"), "{said}");
    let report = ground.json("report.json");
    assert_eq!(report["outcome"], "stopped");
    let bytes = output.join().expect("no panic") + 64 * 48 * 3 / 2;
    assert_eq!(
        bytes,
        report["graph"]["source_frames"].as_u64().expect("a number") * 64 * 48 * 3 / 2,
        "nothing is lost"
    );
    assert_eq!(report["session"]["filters"][0]["leaves"], 1);
}

#[test]
fn ctrl_c_twice_ends_at_once_also_where_nobody_reads() {
    // One frame is more than a pipe has room for, so the sink waits, and whoever needs its frames.
    let large = ENDLESS.replace("width = 64, height = 48", "width = 640, height = 480");
    let in_process = in_processes(&large, |name| name == "output");
    // Where the sink is in this process it gives up; whether the others have ended by then is luck.
    for (graph, codes, needed) in
        [(large, &[0, 3][..], ""), (in_process, &[3], "`output`: its process was killed, to end")]
    {
        let ground = Ground::new();
        let (mut program, output) = run_endless(&ground, &graph, &[]);
        let viewer = program.wait_for_process("viewer");
        program.interrupt();
        program.wait_for("once more ends at once");
        program.interrupt();
        let said = program.end_with_one_of(codes);
        assert!(said.contains(needed), "{said}");
        viewer.wait();
        drop(output);
    }
}

#[test]
fn a_process_that_is_killed_fails_the_run_and_says_so() {
    let ground = Ground::new();
    let (mut program, output) = run_endless(&ground, ENDLESS, &["--report", "report.json"]);
    let viewer = program.wait_for_process("viewer");
    let output = drain(output);
    viewer.kill();
    let said = program.end(3);
    assert!(said.contains("`viewer`: its process was killed by SIGKILL"), "{said}");
    assert!(said.contains("died; ") && said.contains("came home"), "what became of its frames\n{said}");
    let report = ground.json("report.json");
    assert_eq!((&report["outcome"], &report["errors"][0]["filter"]), (&"failed".into(), &"viewer".into()));
    assert_eq!(report["pipes"][0]["frames_out_at_end"], 0);
    let bytes = output.join().expect("no panic") + 64 * 48 * 3 / 2;
    assert_eq!(
        bytes,
        report["graph"]["source_frames"].as_u64().expect("a number") * 64 * 48 * 3 / 2,
        "the rest is delivered"
    );
}

#[test]
fn a_process_that_shall_be_is_started_again() {
    let ground = Ground::new();
    let graph = ENDLESS.replace("process = true", "process = true\nrestart = \"on-death\"");
    let (mut program, output) = run_endless(&ground, &graph, &["--report", "report.json"]);
    let output = drain(output);
    for _ in 0..2 {
        let viewer = program.wait_for_process("viewer");
        viewer.kill();
        program.wait_for("`viewer` was killed by SIGKILL; it is started again");
    }
    let third = program.wait_for_process("viewer");
    program.interrupt();
    program.end(0);
    third.wait();
    output.join().expect("no panic");
    let report = ground.json("report.json");
    assert_eq!(report["outcome"], "stopped");
}

/// An endless source here, whose frames go to one process alone.
const ONE_TAKER: &str = r#"
connections = ["camera.out -> output.in"]
[filter.camera]
pin.out = { direction = "out", framing = [{ memory = "user", frames = 6 }] }
run = { kind = "pattern", format = "nv12", width = 64, height = 48, rate = "120/1" }
[filter.output]
pin.in = { direction = "in", holds = 1 }
run = { kind = "raw", path = "-" }
process = true
"#;

#[test]
fn a_source_whose_only_taker_has_ended_for_good_ends() {
    // Asked to end by somebody else: the run has nobody to go on for.
    let ground = Ground::new();
    let (mut program, output) = run_endless(&ground, ONE_TAKER, &["--report", "report.json"]);
    let taker = program.wait_for_process("output");
    let output = drain(output);
    taker.terminate();
    assert!(program.end(0).contains("stopped:"));
    output.join().expect("no panic");
    assert_eq!(ground.json("report.json")["outcome"], "stopped");
    // Killed for good: at once, and where it was started again as often as it may.
    for (restart, kills) in [("", 1), ("restart = \"on-death\"\n", 5)] {
        let ground = Ground::new();
        let (mut program, output) =
            run_endless(&ground, &format!("{ONE_TAKER}{restart}"), &["--report", "report.json"]);
        let output = drain(output);
        (0..kills).for_each(|_| program.wait_for_process("output").kill());
        let said = program.end(3);
        assert!(said.contains("`output`: its process was killed by SIGKILL"), "{said}");
        output.join().expect("no panic");
        let report = ground.json("report.json");
        assert_eq!((&report["outcome"], &report["errors"][0]["filter"]), (&"failed".into(), &"output".into()));
    }
}

#[test]
fn a_source_ends_where_a_filter_elsewhere_that_joins_it_with_a_shorter_one_does() {
    let ground = Ground::new();
    let pin = "{ direction = \"out\", framing = [{ memory = \"user\", frames = 6 }] }";
    let source = "kind = \"pattern\", format = \"nv12\", width = 64, height = 48, rate = \"120/1\"";
    let graph = format!(
        r#"
connections = ["short.out -> join.a", "camera.out -> join.b", "join.out -> sink.in"]
[filter.short]
pin.out = {pin}
run = {{ {source}, frames = 9 }}
[filter.camera]
pin.out = {pin}
run = {{ {source} }}
[filter.join]
pin.a = {{ direction = "in" }}
pin.b = {{ direction = "in" }}
pin.out = {{ direction = "out" }}
routes = ["a -> out pass"]
run = {{ kind = "join" }}
process = true
[filter.sink]
pin.in = {{ direction = "in" }}
run = {{ kind = "checksum" }}
"#
    );
    ground.file("one.toml", graph.replace("process = true\n", ""));
    ground.run(&["run", "one.toml", "--report", "one.json"], 0);
    ground.file("several.toml", graph);
    ground.run(&["run", "several.toml", "--report", "several.json"], 0);
    let (one, several) = (ground.json("one.json"), ground.json("several.json"));
    assert_eq!((&several["outcome"], digests(&several)), (&one["outcome"], digests(&one)));
}

#[test]
fn nobody_is_left_behind_by_a_run_that_is_killed() {
    let ground = Ground::new();
    let (mut program, output) = run_endless(&ground, ENDLESS, &[]);
    let viewer = program.wait_for_process("viewer");
    program.kill();
    viewer.wait();
    drop(output);
}

#[test]
fn nothing_is_left_on_the_disk_by_a_run_that_is_killed() {
    let ground = Ground::new();
    ground.file("endless.toml", ENDLESS);
    let lies_there = || -> Vec<_> {
        let entries = std::fs::read_dir(ground.path("")).expect("the folder is there");
        entries.map(|entry| entry.expect("it can be listed").file_name()).collect()
    };
    let before = lies_there();
    let (mut program, output) = run_endless(&ground, ENDLESS, &[]);
    let viewer = program.wait_for_process("viewer");
    // Temporary files are made in this folder, too: there are none, so whenever it is killed none stays.
    assert_eq!(lies_there(), before);
    program.kill();
    viewer.wait();
    drop(output);
    assert_eq!(lies_there(), before);
}

#[test]
fn what_a_process_says_has_its_filters_name_before_it() {
    let ground = Ground::new();
    std::fs::create_dir_all(ground.path("folder")).expect("it can be made");
    let graph = ENDLESS.replace("kind = \"checksum\"", "kind = \"raw\", path = \"folder\"");
    ground.file("endless.toml", graph);
    let (_, said) = ground.run(&["run", "endless.toml", "--realtime"], 3);
    assert!(said.contains("viewer: ") && said.contains("folder") && said.contains("os error 21"), "{said}");
    assert!(said.contains("its process ended with exit code 3"), "{said}");
}

#[test]
fn a_process_that_cannot_join_ends_the_run_before_it_began() {
    let ground = Ground::new();
    let all = in_processes(&ENDLESS.replace("process = true\n", ""), |_| true);
    let graph = all.replace("kind = \"checksum\"", "kind = \"raw\", path = \"endless.toml/x\"");
    ground.file("endless.toml", graph);
    let (_, said) = ground.run(&["run", "endless.toml", "--realtime", "--report", "report.json"], 3);
    assert!(said.contains("viewer: ") && said.contains("`viewer`: its process ended with exit code 3"), "{said}");
    let report = ground.json("report.json");
    assert_eq!((&report["outcome"], &report["errors"][0]["filter"]), (&"failed".into(), &"viewer".into()));
}

#[test]
fn any_process_can_be_killed_and_the_others_end_in_order() {
    let graph = in_processes(&ENDLESS.replace("process = true\n", ""), |_| true);
    for filter in ["camera", "output", "tee", "viewer"] {
        let ground = Ground::new();
        let (mut program, output) = run_endless(&ground, &graph, &["--report", "report.json"]);
        let processes = ["camera", "output", "tee", "viewer"].map(|name| (name, program.wait_for_process(name)));
        let output = drain(output);
        processes.iter().filter(|(name, _)| *name == filter).for_each(|(_, process)| process.kill());
        let said = program.end(3);
        assert!(said.contains(&format!("`{filter}`: its process was killed by SIGKILL")), "{said}");
        processes.iter().for_each(|(_, process)| process.wait());
        output.join().expect("no panic");
        let report = ground.json("report.json");
        assert_eq!(report["errors"].as_array().map(Vec::len), Some(1), "{report:#}");
        assert_eq!(report["pipes"][0]["frames_out_at_end"], 0);
    }
}

#[test]
fn a_source_ends_after_the_frames_asked_for_also_in_a_process_of_its_own() {
    let ground = Ground::new();
    let graph = in_processes(&ground.text("examples/tee.toml"), |name| name == "film");
    ground.file("examples/graph.toml", graph);
    ground.run(
        &["run", "examples/graph.toml", "--frames", "5", "--strategy", "minimize-frames", "--report", "r.json"],
        0,
    );
    let report = ground.json("r.json");
    assert_eq!((&report["graph"]["source_frames"], &report["graph"]["delivered"]), (&5.into(), &10.into()));
    assert_eq!(report["plan"]["strategy"], "minimize-frames");
}

#[test]
fn a_graph_on_standard_input_runs_in_processes_too() {
    let ground = Ground::new();
    let graph = in_processes(&ground.text("examples/tee.toml"), |name| name != "film");
    let graph = graph.replace("media/", "examples/media/").replace("out/tee", "tee");
    let output = ground.kspipe(&["run", "-"]).write_stdin(graph).output().expect("it runs");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(checksums(&ground.text("tee.checksums")), FRAMES);
}

#[test]
fn memory_that_processes_cannot_share_is_an_error_of_the_graph() {
    let ground = Ground::new();
    // All of it is the kernel's.
    let graph = ground.text("examples/camera.toml").replace("[filter.overlay]", "[filter.overlay]\nmode = \"kernel\"");
    let graph = graph.replace("[filter.recorder]", "[filter.recorder]\nmode = \"kernel\"");
    ground.file("examples/graph.toml", in_processes(&graph, |name| name == "recorder"));
    let (_, said) = ground.run(&["run", "examples/graph.toml", "--frames", "2"], 1);
    assert!(said.contains("pipe 0: processes cannot share memory of the type kernel-nonpaged"), "{said}");
    // It is found before, too, and only there.
    let (found, _) = ground.run(&["check", "--only", "KS025", "examples/graph.toml"], 1);
    assert!(found.contains("error[KS025]: recorder.in: `recorder` has a process of its own"), "{found}");
    ground.run(&["check", "--only", "KS025", "--deny", "notes", "examples/camera.toml", "examples/processes.toml"], 0);
}
