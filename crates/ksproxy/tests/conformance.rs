//! The conformance program in C++ (`tests/conformance/`) is built, run against the library, and run against libraries
//! with a mistake. What it found is `docs/conformance.md`.
#![cfg(target_os = "linux")]

#[path = "conformance/page.rs"]
#[allow(unreachable_pub)]
mod page;
#[path = "conformance/program.rs"]
#[allow(unreachable_pub)]
mod program;
#[path = "common/tools.rs"]
#[allow(unreachable_pub)]
mod tools;

use program::{Platform, Run, Verdict, build};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use tools::*;

/// What is built once for all tests.
struct Built {
    program: PathBuf,
    mutants: PathBuf,
    _folder: tempfile::TempDir,
}

fn built() -> &'static Built {
    static BUILT: OnceLock<Built> = OnceLock::new();
    BUILT.get_or_init(|| {
        let place = tempfile::tempdir().expect("a folder");
        let program = build(Platform::Linux, place.path());
        let mutants = program::build_mutants(place.path());
        Built { program, mutants, _folder: place }
    })
}

fn conformance(arguments: &[&str], library: &Path) -> Run {
    Run::of(&run(Command::new(&built().program).args(arguments).arg(library), "g++"))
}

/// The program against the library with a mistake.
fn mistaken(mistake: &str, arguments: &[&str]) -> Run {
    let mut command = Command::new(&built().program);
    command.args(arguments).arg(&built().mutants).env("KSP_MUTATED", library()).env("KSP_MUTATION", mistake);
    Run::of(&run(&mut command, "g++"))
}

#[test]
fn every_statement_holds_and_the_page_says_what_was_found() {
    let run = conformance(&[], &library()).expect_success("Linux");
    assert!(run.text.contains("# the library's calls are watched: yes\n"), "{}", run.text);
    page::compare_or_write("linux", &run);
}

/// Runs the program for Windows in Wine, against the DLL that `ci/windows.sh build` made.
fn every_statement_holds_in_wine(platform: Platform, bits: &str) {
    let place = tempfile::tempdir().expect("a folder");
    let program = build(platform, place.path());
    let mut command = Command::new(folder().join("../../ci/wine.sh"));
    command.arg(bits).arg(program).arg("ksproxy.dll");
    let run = Run::of(&run(&mut command, "wine")).expect_success(bits);
    for what in ["the library's calls are watched", "requests to pins are recorded"] {
        assert!(run.text.contains(&format!("# {what}: yes\n")), "{}", run.text);
    }
    page::compare_or_write(&format!("windows{bits}"), &run);
}

#[test]
#[ignore = "ci/windows.sh runs it, after it has built ksproxy.dll"]
fn windows_64() {
    every_statement_holds_in_wine(Platform::Windows64, "64");
}

#[test]
#[ignore = "ci/windows.sh runs it, after it has built ksproxy.dll"]
fn windows_32() {
    every_statement_holds_in_wine(Platform::Windows32, "32");
}

#[test]
fn every_statement_a_client_can_see_has_a_case() {
    let output = succeed(run(Command::new(&built().program).arg("--list"), "g++"), "--list");
    let listed: Vec<u32> =
        output.lines().map(|line| line.split(' ').next().and_then(|n| n.parse().ok()).expect("a number")).collect();
    // 130 to 151 are about objects behind handles: tests in Rust.
    let expected: Vec<u32> = (1..=129).chain(152..=164).collect();
    assert_eq!(listed, expected);
    let stated: Vec<u32> = page::statements().iter().map(|statement| statement.number).collect();
    assert_eq!(stated, (1..=164).collect::<Vec<_>>());
}

#[test]
fn every_mistake_is_found_by_its_statements() {
    let mutations = page::rows("mutations.tsv");
    assert!(mutations.len() >= 15);
    // A few at a time: a mistake may be one that waits for ever.
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(row) = mutations.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let [mistake, found_by] = row.as_slice() else { panic!("two columns: {row:?}") };
                    let expected: Vec<u32> =
                        found_by.split(',').map(|number| number.parse().expect("a number")).collect();
                    let run = mistaken(mistake, &["--timeout", "5", "--only", found_by]);
                    assert_eq!((run.failed(), run.status), (expected, Some(1)), "{mistake}:\n{}", run.text);
                }
            });
        }
    });
}

#[test]
fn the_library_of_mistakes_makes_none_unasked() {
    let right = mistaken("none", &[]).expect_success("no mistake");
    // Its exports are those that an allocator needs: the pins' statements do not apply.
    assert!(matches!(right.verdicts[&24], Verdict::Ok));
    assert_eq!(mistaken("no such mistake", &[]).status, Some(2));
}

#[test]
fn a_case_that_crashes_or_hangs_fails_and_the_others_are_checked() {
    let crashes = mistaken("KsSetProperties of a null pointer crashes", &["--only", "117,118,119"]);
    assert_eq!((crashes.failed(), crashes.verdicts.len(), crashes.status), (vec![118], 3, Some(1)), "{}", crashes.text);
    assert!(matches!(&crashes.verdicts[&118], Verdict::Failed(why) if why.contains("crashes")), "{}", crashes.text);
    assert!(crashes.text.ends_with("# 2 ok, 1 failed, 0 not applicable\n"), "{}", crashes.text);

    let hangs = mistaken("Decommit forgets who waits", &["--timeout", "2", "--only", "62,65,69"]);
    assert_eq!((hangs.failed(), hangs.verdicts.len(), hangs.status), (vec![65], 3, Some(1)), "{}", hangs.text);
    assert!(matches!(&hangs.verdicts[&65], Verdict::Failed(why) if why.contains("does not end")), "{}", hangs.text);
}

#[test]
fn what_cannot_be_used_is_exit_code_2() {
    for arguments in
        [&["--only", "130"][..], &["--only", "x"], &["--timeout", "0"], &["--unknown", "1"], &["--class", "{}"]]
    {
        assert_eq!(conformance(arguments, &library()).status, Some(2), "{arguments:?}");
    }
    assert_eq!(conformance(&[], &folder().join("include/kspipe.h")).status, Some(2), "no library");
    assert_eq!(conformance(&[], &library().with_file_name("none.so")).status, Some(2), "no file");
    assert_eq!(run(&mut Command::new(&built().program), "g++").status.code(), Some(2), "no argument");
}
