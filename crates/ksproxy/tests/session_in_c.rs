//! Programs in C, built as C99 and as C++ with every warning an error, take part in a graph.
#![cfg(target_os = "linux")]

#[path = "common/tools.rs"]
#[allow(unreachable_pub)]
mod tools;

mod sessions;

use kspipe_session::Trust;
use sessions::*;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use tools::*;

/// A program in C, linked with the library, in both languages.
fn built_twice(folder: &std::path::Path, source: &str) -> [PathBuf; 2] {
    [("gcc", "-std=c99", "c"), ("g++", "-std=c++17", "cpp")].map(|(compiler, standard, extension)| {
        let text = folder.join(format!("{compiler}.{extension}"));
        std::fs::copy(tools::folder().join(source), &text).expect("the source");
        let program = folder.join(format!("{compiler}-{}", source.replace('/', "-")));
        link(compiler, standard, &text, &program, &library());
        program
    })
}

/// A program that runs with the library, and its arguments.
fn command(program: &PathBuf, session: &Session, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.env("LD_LIBRARY_PATH", library().parent().expect("its folder")).arg(session.path()).args(arguments);
    command
}

fn started(mut command: Command) -> Child {
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("a program")
}

fn output(child: Child, what: &str) -> String {
    succeed(child.wait_with_output().expect("its output"), what)
}

#[test]
fn the_viewer_and_the_producer_in_c_work_together() {
    let build = tempfile::tempdir().expect("a folder");
    let (viewers, producers) =
        (built_twice(build.path(), "examples/viewer.c"), built_twice(build.path(), "examples/producer.c"));
    for (viewer, producer) in viewers.iter().zip(&producers) {
        let session = Session::start(&pair(None), &["a", "c"]);
        let watches = started(command(viewer, &session, &["c.in"]));
        let fills = started(command(producer, &session, &["a.out", "300"]));
        assert_eq!(output(fills, "the producer"), "");
        let expected: String = (0..300).map(|number| format!("{number}: mean {}\n", number % 256)).collect();
        assert_eq!(output(watches, "the viewer"), expected);
        session.ends();
    }
}

#[test]
fn the_viewer_in_c_watches_a_filter_of_the_servers_to_its_end() {
    let build = tempfile::tempdir().expect("a folder");
    for viewer in built_twice(build.path(), "examples/viewer.c") {
        let session = Session::start(&pair(Some(50)), &["c"]);
        let seen = output(started(command(&viewer, &session, &["c.in"])), "the viewer");
        let numbers: Vec<&str> = seen.lines().filter_map(|line| line.split(':').next()).collect();
        assert_eq!(numbers, (0..50).map(|number| number.to_string()).collect::<Vec<_>>());
        session.ends();
    }
}

#[test]
fn the_examples_in_c_say_what_failed() {
    let build = tempfile::tempdir().expect("a folder");
    let session = Session::start(&pair(None), &["c"]);
    let [viewer, _] = built_twice(build.path(), "examples/viewer.c");
    let [producer, _] = built_twice(build.path(), "examples/producer.c");
    for (program, arguments, said) in [
        (&viewer, &["a.out"][..], "a.out: no pin `a.out` can be joined; there are: c.in\n"),
        (&producer, &["c.in", "1"], "c.in: frames go in by `c.in`\n"),
    ] {
        let output = run(&mut command(program, &session, arguments), "gcc");
        assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(1), said));
    }
    session.control.stop();
    session.ends();
}

#[test]
fn a_program_in_c_is_answered_whatever_it_does_wrong() {
    let build = tempfile::tempdir().expect("a folder");
    for program in built_twice(build.path(), "tests/c/session.c") {
        let session = Session::start(&pair(None), &["a", "c"]);
        assert_eq!(output(started(command(&program, &session, &[])), "the program"), "");
        session.ends();
    }
}

#[test]
fn what_a_program_in_c_prints_to_streams_it_has_closed_lands_in_nothing_of_the_library() {
    let build = tempfile::tempdir().expect("a folder");
    let [program, _] = built_twice(build.path(), "tests/c/closed_streams.c");
    for trust in [Trust::OwnUser, Trust::Nobody] {
        let session = Session::start_trusting(trust, &pair(None), &["a", "c"]);
        let said = run(&mut command(&program, &session, &[]), "gcc");
        assert_eq!((said.status.code(), String::from_utf8_lossy(&said.stderr).as_ref()), (Some(0), ""), "{trust:?}");
        session.ends();
    }
}

#[test]
fn the_program_of_the_page_reads_a_stream_to_its_end() {
    let page = std::fs::read_to_string(folder().join("../../docs/c-client.md")).expect("docs/c-client.md");
    let code = page.split("```c\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a program in C");
    let build = tempfile::tempdir().expect("a folder");
    let (source, program) = (build.path().join("page.c"), build.path().join("page"));
    std::fs::write(&source, code).expect("the source is written");
    link("gcc", "-std=c99", &source, &program, &library());
    let session = Session::start(&pair(Some(7)), &["c"]);
    let read = output(started(command(&program, &session, &["c.in"])), "the page's program");
    assert_eq!(read, format!("{BYTES} bytes\n").repeat(7));
    session.ends();
}

#[test]
fn the_page_has_every_number() {
    let page = std::fs::read_to_string(folder().join("../../docs/c-client.md")).expect("docs/c-client.md");
    let said: Vec<&str> = page.lines().filter(|line| line.starts_with("| `0x")).collect();
    assert_eq!(said.len(), ksproxy::session::NUMBERS.len());
    for ((name, number), line) in ksproxy::session::NUMBERS.iter().zip(said) {
        assert!(
            line.starts_with(&format!("| `{:#010X}` | `{name}` | ", number.0).replace("0X", "0x")),
            "{name}: {line}"
        );
    }
}
