//! The programs in C++ and C are built against `include/kspipe.h` and run against `libksproxy.so`.
#![cfg(target_os = "linux")]

#[path = "common/tools.rs"]
#[allow(unreachable_pub)]
mod tools;

use std::process::Command;
use tools::*;

#[test]
fn ready_pins_do_what_their_statements_say_from_cpp() {
    let build = tempfile::tempdir().expect("a folder");
    let program = build.path().join("ikspinpipe");
    compile("g++", "-std=c++17", &folder().join("tests/cpp/ikspinpipe.cpp"), &program);
    let output = succeed(run(Command::new(&program).arg(library()), "g++"), "the statements");
    let statements: std::collections::BTreeSet<u32> = output
        .lines()
        .filter_map(|line| line.strip_prefix("ok "))
        .filter_map(|line| line.split(' ').next()?.parse().ok())
        .collect();
    for statement in (152..=160).chain([11, 164]) {
        assert!(statements.contains(&statement), "statement {statement} was not checked:\n{output}");
    }
}

#[test]
fn live_pins_written_in_cpp_are_negotiated() {
    let build = tempfile::tempdir().expect("a folder");
    let program = build.path().join("live_pins");
    compile("g++", "-std=c++17", &folder().join("tests/cpp/live_pins.cpp"), &program);
    let output = succeed(run(Command::new(&program).arg(library()), "g++"), "live pins");
    for statement in ["ok 119 ", "ok 161 ", "ok 162 ", "ok 163 ", "ok 0 nobody keeps a pin"] {
        assert!(output.contains(statement), "{statement} was not checked:\n{output}");
    }
}

#[test]
fn the_examples_in_cpp_and_c_run() {
    let build = tempfile::tempdir().expect("a folder");
    for (compiler, standard, source) in
        [("g++", "-std=c++17", "examples/iksallocatorex.cpp"), ("gcc", "-std=c11", "examples/iksallocatorex.c")]
    {
        let program = build.path().join(compiler);
        compile(compiler, standard, &folder().join(source), &program);
        let output = succeed(run(Command::new(&program).arg(library()), compiler), source);
        assert_eq!(output, "3 frames of 4096 bytes, 1 in use\n", "{source}");
    }
}

#[test]
fn the_cpp_of_the_page_builds_and_runs() {
    let page = std::fs::read_to_string(folder().join("../../docs/com.md")).expect("docs/com.md");
    let code = page.split("```cpp\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a program in C++");
    let build = tempfile::tempdir().expect("a folder");
    let (source, program) = (build.path().join("main.cpp"), build.path().join("main"));
    std::fs::write(&source, code).expect("the source is written");
    let library = library();
    link("g++", "-std=c++17", &source, &program, &library);
    let folder = library.parent().expect("its folder");
    let output = succeed(run(Command::new(&program).env("LD_LIBRARY_PATH", folder), "g++"), "the page's program");
    assert_eq!(output, "4096 bytes\n");
}

#[test]
fn the_example_in_rust_says_the_same() {
    let output = succeed(run(&mut example("iksallocatorex"), "cargo"), "the example");
    assert_eq!(output, "3 frames of 4096 bytes, 1 in use\n");
}

#[test]
fn the_example_of_live_pins_tells_what_they_share() {
    let output = succeed(run(&mut example("negotiate_pins"), "cargo"), "the example");
    let lines: Vec<&str> = output.lines().collect();
    let [in_kernel, in_user_mode, warning, conflict] = lines[..] else { panic!("{output}") };
    assert!(in_kernel.ends_with("mode KsAllocatorMode_Kernel: Camera.Capture, Effect.In, Effect.Out, Display.In"));
    assert!(in_user_mode.ends_with("mode KsAllocatorMode_User: Camera.Capture, Effect.In, Effect.Out, Viewer.In"));
    assert!(warning.contains("Camera.Capture: KS014"));
    assert!(conflict.starts_with("VFW_E_NO_ALLOCATOR: Greedy.In and Strict.Out cannot share frames"));
}
