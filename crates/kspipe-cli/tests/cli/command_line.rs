//! The command line: exit codes, messages, what goes to which stream.

use crate::ground::{FILM, Ground};

#[test]
fn help_of_each_command_shows_an_example() {
    let ground = Ground::new();
    for command in ["run", "negotiate", "inspect"] {
        let (help, _) = ground.run(&[command, "--help"], 0);
        assert!(help.contains("Examples:") && help.contains(&format!("kspipe {command} ")), "{help}");
    }
    let (version, _) = ground.run(&["--version"], 0);
    assert_eq!(version, format!("kspipe {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn commands_of_later_days_are_not_there() {
    let ground = Ground::new();
    ground.run(&["bench"], 2);
}

#[test]
fn bad_usage_ends_with_2() {
    let ground = Ground::new();
    let cases: &[&[&str]] = &[
        &[],
        &["run"],
        &["run", "examples/tee.toml", "--frames", "many"],
        &["run", "examples/tee.toml", "--duration", "0"],
        &["run", "examples/tee.toml", "--report", "report.txt"],
        &["negotiate", "examples/tee.toml", "--strategy", "fastest"],
        &["negotiate", "examples/tee.toml", "--format", "yaml"],
        &["inspect"],
        &["inspect", "-", "-"],
    ];
    for arguments in cases {
        let (output, _) = ground.run(arguments, 2);
        assert_eq!(output, "", "{arguments:?}");
    }
}

#[test]
fn a_graph_file_with_errors_ends_with_1_and_points_at_each() {
    let ground = Ground::new();
    let graph = std::fs::read_to_string(ground.path("examples/tee.toml")).expect("it is there");
    ground.file("wrong.toml", graph.replace("direction = \"in\"", "directoin = \"in\""));
    let (output, error) = ground.run(&["negotiate", "wrong.toml"], 1);
    assert_eq!(output, "");
    for needed in ["wrong.toml:", "directoin", "did you mean `direction`?"] {
        assert!(error.contains(needed), "{needed}\n{error}");
    }
}

#[test]
fn a_graph_that_cannot_be_read_ends_with_3_and_the_systems_error() {
    let ground = Ground::new();
    for command in ["run", "negotiate"] {
        let (_, error) = ground.run(&[command, "nothing.toml"], 3);
        assert!(error.contains("nothing.toml") && error.contains("os error 2"), "{error}");
    }
}

#[test]
fn a_graph_on_standard_input_is_read() {
    let ground = Ground::new();
    let graph = ground.read("examples/camera.toml");
    let output = ground.kspipe(&["negotiate", "-", "--format", "json"]).write_stdin(graph).output().expect("it runs");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let plan: serde_json::Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
    assert_eq!(plan["pipes"][0]["pins"].as_array().map(Vec::len), Some(4));
}

#[test]
fn negotiate_shows_the_plan_in_four_formats() {
    let ground = Ground::new();
    let (text, _) = ground.run(&["negotiate", "examples/camera.toml"], 0);
    assert!(text.contains("camera.capture") && text.contains("3 110 400"), "{text}");
    let (explained, _) = ground.run(&["negotiate", "examples/camera.toml", "--explain"], 0);
    assert!(explained.len() > text.len() && explained.contains("rule 5: "), "{explained}");
    let (json, _) = ground.run(&["negotiate", "examples/camera.toml", "--format", "json"], 0);
    let plan: serde_json::Value = serde_json::from_str(&json).expect("it is JSON");
    assert_eq!(plan["version"], 1);
    let (dot, _) = ground.run(&["negotiate", "examples/camera.toml", "--format", "dot"], 0);
    assert!(dot.starts_with("digraph"), "{dot}");
    ground.run(&["negotiate", "examples/camera.toml", "--format", "svg", "-o", "new/folder/plan.svg"], 0);
    assert!(ground.text("new/folder/plan.svg").contains("<svg"));
}

#[test]
fn the_strategy_of_the_command_line_goes_before_the_graphs() {
    let ground = Ground::new();
    let arguments = ["negotiate", "examples/camera.toml", "--strategy", "minimize-frames", "--format", "json"];
    let (json, _) = ground.run(&arguments, 0);
    let plan: serde_json::Value = serde_json::from_str(&json).expect("it is JSON");
    assert_eq!(plan["strategy"], "minimize-frames");
}

#[test]
fn an_infeasible_graph_as_json_is_on_standard_output_and_ends_with_1() {
    let ground = Ground::new();
    let (json, error) = ground.run(&["negotiate", "examples/infeasible.toml", "--format", "json"], 1);
    let document: serde_json::Value = serde_json::from_str(&json).expect("it is JSON");
    assert_eq!(document["error"]["pins"], serde_json::json!(["capture.out", "renderer.in"]));
    assert!(document["error"]["help"].as_str().is_some_and(|help| !help.is_empty()));
    assert_eq!(error, "");
}

#[test]
fn into_a_pipe_only_the_plan_and_the_summary_are_told_and_quiet_tells_nothing() {
    let ground = Ground::new();
    let (output, error) = ground.run(&["run", "examples/tee.toml"], 0);
    assert_eq!(output, "");
    assert!(error.contains("pipe 0: user memory"), "{error}");
    assert!(error.contains("0 copies per frame") && error.contains("frames out at the end: 0"), "{error}");
    assert!(!error.contains('\r') && !error.contains('\u{1b}'), "no progress into a pipe: {error:?}");
    assert_eq!(ground.run(&["run", "--quiet", "examples/tee.toml"], 0), (String::new(), String::new()));
}

#[test]
fn a_cut_film_ends_with_1_after_its_whole_frames() {
    let ground = Ground::new();
    let film = ground.read(FILM);
    ground.file(FILM, &film[..film.len() - 1000]);
    let (_, error) = ground.run(&["run", "examples/tee.toml"], 1);
    assert!(error.contains("frame 23"), "{error}");
    let frames = ground.read("examples/out/tee.yuv").len() / crate::ground::FRAME;
    assert_eq!(frames, crate::ground::FRAMES - 1);
}

#[test]
fn a_missing_film_ends_with_3() {
    let ground = Ground::new();
    std::fs::remove_file(ground.path(FILM)).expect("it is there");
    let (_, error) = ground.run(&["run", "examples/tee.toml"], 3);
    assert!(error.contains("bigbuckbunny") && error.contains("os error 2"), "{error}");
}

#[test]
fn reports_are_written_in_both_formats() {
    let ground = Ground::new();
    ground.run(&["run", "examples/bridge.toml", "--report", "a/report.html", "--report", "a/report.json"], 0);
    let page = ground.text("a/report.html");
    for needed in ["<!DOCTYPE html>", "<svg", "prefers-color-scheme: dark", "ALLOCATOR_PROPERTIES_EX", "tee.preview"] {
        assert!(page.contains(needed), "{needed}");
    }
    for outside in ["src=", "href=\"http", "@import", "url("] {
        assert!(!page.contains(outside), "the page needs nothing else, but has {outside}");
    }
    let report = ground.json("a/report.json");
    for pipe in report["pipes"].as_array().expect("pipes") {
        assert_eq!(pipe["ALLOCATOR_PROPERTIES_EX"]["cBuffers"], pipe["frames"]);
        assert_eq!(pipe["ALLOCATOR_PROPERTIES_EX"]["cbBuffer"], pipe["frame_size"]);
        assert_eq!(pipe["KSSTREAMALLOCATOR_STATUS"]["AllocatedFrames"], 0);
        assert_eq!(pipe["KSSTREAMALLOCATOR_STATUS"]["Framing"]["FrameSize"], pipe["frame_size"]);
    }
}

#[test]
fn one_frame_is_no_frames() {
    let ground = Ground::new();
    let (_, error) = ground.run(&["run", "examples/tee.toml", "--frames", "1"], 0);
    assert!(error.contains("finished: 1 frame in "), "{error}");
    let words = error.split([' ', '\n', ',', ';', '(', ')']).filter(|word| !word.is_empty()).collect::<Vec<_>>();
    let wrong = ["frames", "waits", "sinks", "bytes", "copies"];
    assert!(!words.windows(2).any(|pair| pair[0] == "1" && wrong.contains(&pair[1])), "{error}");
}

#[test]
fn a_run_is_ended_by_frames_and_by_time() {
    let ground = Ground::new();
    ground.run(&["run", "examples/tee.toml", "--frames", "5"], 0);
    assert_eq!(ground.read("examples/out/tee.yuv").len(), 5 * crate::ground::FRAME);
    let endless = ground.text("examples/pattern-4k60.toml").replace(", frames = 600", "").replace("3840", "64");
    ground.file("examples/endless.toml", endless);
    let (_, error) = ground.run(&["run", "examples/endless.toml", "--duration", "0.2"], 0);
    assert!(error.contains("frames out at the end: 0"), "{error}");
}

#[test]
fn a_plan_is_made_without_the_film_and_says_so() {
    let ground = Ground::new();
    std::fs::remove_file(ground.path(FILM)).expect("it is there");
    let (plan, note) = ground.run(&["negotiate", "examples/tee.toml"], 0);
    assert!(plan.contains("film.out"), "{plan}");
    assert!(note.contains("film") && note.contains("bigbuckbunny"), "{note}");
}

#[test]
fn memory_nobody_provides_ends_a_run_with_1_and_names_the_pipe() {
    let ground = Ground::new();
    ground.file(
        "device.toml",
        r#"
        connections = ["camera.out -> viewer.in"]
        [filter.camera]
        pin.out = { direction = "out", framing = [{ memory = "my-device" }] }
        run = { kind = "pattern", format = "nv12", width = 64, height = 64, rate = "30/1", frames = 1 }
        [filter.viewer]
        pin.in = { direction = "in" }
        run = { kind = "discard" }
        [memory."{8CB0FC28-0000-0000-0000-0000C0FFEE00}"]
        name = "my-device"
        host-mappable = true
        user-mappable = true
        "#,
    );
    ground.run(&["negotiate", "device.toml"], 0);
    let (_, error) = ground.run(&["run", "device.toml"], 1);
    assert!(error.contains("pipe 0") && error.contains("my-device"), "{error}");
}

#[test]
fn what_would_work_on_a_terminal_is_shown_as_dots() {
    let ground = Ground::new();
    let graphs: [(&str, &[u8]); 2] = [("escape.toml", b"a = \x1b[2J\x07"), ("binary.toml", b"\x7fELF\x00\x1b]0;\xff")];
    for (name, bytes) in graphs {
        ground.file(name, bytes);
        let (_, error) = ground.run(&["negotiate", name], 1);
        assert!(error.contains(name) && !error.contains(|c: char| c.is_control() && c != '\n'), "{error:?}");
    }
}

#[cfg(unix)]
#[test]
fn nobody_listening_on_standard_error_changes_no_exit_code() {
    use std::process::Stdio;
    let ground = Ground::new();
    for (graph, code) in [("examples/infeasible.toml", 1), ("examples/tee.toml", 0)] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let status = std::process::Command::new(env!("CARGO_BIN_EXE_kspipe"))
            .args(["run", graph])
            .current_dir(ground.path(""))
            .stdin(Stdio::null())
            .stderr(writer)
            .status()
            .expect("the command can be run");
        assert_eq!(status.code(), Some(code), "{graph}");
    }
}

#[test]
fn nothing_is_written_over_what_a_command_reads_or_writes() {
    let ground = Ground::new();
    let tee = ground.text("examples/tee.toml");
    // A report over the graph, over the film, over a recording.
    for target in ["examples/tee.json", "examples/media/../media/film.json", "examples/out/tee.json"] {
        std::fs::create_dir_all(ground.path("examples/out")).expect("a folder can be made");
        std::fs::copy(ground.path(FILM), ground.path("examples/media/film.json")).expect("the film can be copied");
        let graph = tee.replace("bigbuckbunny-320x180-24.y4m", "film.json").replace("out/tee.yuv", "out/tee.json");
        ground.file("examples/tee.json", &graph);
        let before = ground.read("examples/media/film.json");
        let (_, error) = ground.run(&["run", "examples/tee.json", "--report", target], 2);
        assert!(error.contains("would be written over"), "{error}");
        assert_eq!(ground.text("examples/tee.json"), graph);
        assert_eq!(ground.read("examples/media/film.json"), before);
    }
    ground.run(&["negotiate", "examples/tee.toml", "-o", "examples/tee.toml"], 2);
    // A sink over the graph.
    let graph = tee.replace("out/tee.yuv", "self.toml");
    ground.file("examples/self.toml", &graph);
    let (_, error) = ground.run(&["run", "examples/self.toml"], 1);
    assert!(error.contains("written over this graph file"), "{error}");
    assert_eq!(ground.text("examples/self.toml"), graph);
}

#[test]
fn a_writer_behind_a_tee_is_named_where_bridges_are_forbidden() {
    let ground = Ground::new();
    let graph = format!("bridges = \"forbid\"\n{}", ground.text("examples/bridge.toml"));
    ground.file("examples/forbid.toml", graph);
    let (_, error) = ground.run(&["negotiate", "examples/forbid.toml"], 1);
    for needed in ["tee.in", "invert.in", "read-only", "bridges = \"allow\""] {
        assert!(error.contains(needed), "{needed}\n{error}");
    }
}

/// What stands between is not shown: it can be the whole file.
#[test]
fn pins_far_apart_in_the_file_are_shown_each_by_itself() {
    let ground = Ground::new();
    let asks = ", framing = [{ requirements = [\"must-allocate\"] }]";
    let filter = |place: usize| {
        let asks = if place % 40 == 20 { asks } else { "" };
        format!(
            "filter.f{place} = {{ pin.in = {{ direction = \"in\"{asks} }}, pin.out = {{ direction = \"out\" }}, \
             routes = [\"in -> out pass\"] }}\n"
        )
    };
    let connections: Vec<String> = (0..79).map(|place| format!("\"f{place}.out -> f{}.in\"", place + 1)).collect();
    let filters: String = (0..80).map(filter).collect();
    let graph = format!("bridges = \"forbid\"\nconnections = [{}]\n{filters}", connections.join(", "));
    ground.file("long.toml", &graph);
    let (_, error) = ground.run(&["negotiate", "long.toml"], 1);
    assert!(error.contains("long.toml:23:") && error.contains("long.toml:63:"), "{error}");
    assert!(error.lines().count() < 25, "{error}");
    assert!(error.lines().all(|line| line.len() < 500), "{error}");
}

#[test]
fn of_a_line_without_end_is_shown_what_is_near() {
    let ground = Ground::new();
    let many: Vec<String> = (0..5000).map(|pin| format!("pin.p{pin} = {{ direction = \"in\" }}")).collect();
    ground.file("long.toml", format!("filter.a = {{ {}, mode = \"kernal\" }}\n", many.join(", ")));
    let (_, error) = ground.run(&["negotiate", "long.toml"], 1);
    assert!(error.contains("\"kernal\"") && error.contains("did you mean `kernel`?"), "{error}");
    assert!(error.len() < 2000, "{error}");
}

#[test]
fn braces_that_number_no_picture_are_an_error_of_the_graph() {
    let ground = Ground::new();
    let graph = ground.text("examples/preview.toml");
    for wrong in ["out/preview-{:5}.png", "out/{}/preview.png", "out/preview-{x}.png", "out/preview-{.png"] {
        ground.file("examples/wrong.toml", graph.replace("out/preview-{:02}.png", wrong));
        let (_, error) = ground.run(&["negotiate", "examples/wrong.toml"], 1);
        assert!(error.contains("frame-{:05}.png"), "{wrong}\n{error}");
    }
}

/// A source without data waits in the system, and does not see the time.
#[cfg(unix)]
#[test]
fn a_duration_ends_a_source_that_waits_for_its_data() {
    use std::process::{Command, Stdio};
    let ground = Ground::new();
    ground.file(
        "idle.toml",
        "connections = [\"film.out -> end.in\"]\n[filter.film]\npin.out = { direction = \"out\" }\nrun = { kind = \"raw\", \
         path = \"-\", format = \"rgb24\", width = 4, height = 4, rate = \"1/1\" }\n[filter.end]\npin.in = { direction = \"in\" }\n\
         run = { kind = \"discard\" }\n",
    );
    let mut child = Command::new(env!("CARGO_BIN_EXE_kspipe"))
        .args(["run", "idle.toml", "--duration", "0.1"])
        .current_dir(ground.path(""))
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the command can be run");
    // Its standard input stays open, and says nothing.
    let stdin = child.stdin.take();
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
    drop(stdin);
}
