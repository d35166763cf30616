//! The C and C++ compilers, and the library they build against.
#![allow(dead_code, reason = "each test uses some of it")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The crate's folder.
pub fn folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Runs a program to its end. One that is not there fails the test, with the Debian package it is in.
pub fn run(command: &mut Command, package: &str) -> Output {
    let program = command.get_program().to_owned();
    match command.output() {
        Ok(output) => output,
        Err(error) => panic!("cannot run {program:?} ({error}); on Debian: apt-get install {package}"),
    }
}

/// What a program wrote, if it succeeded.
pub fn succeed(output: Output, what: &str) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{what}: {}\n{}{}", output.status, text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

/// Compiles a C or C++ program against the header, with every warning an error.
pub fn compile(compiler: &str, standard: &str, source: &Path, program: &Path) {
    build(compiler, standard, source, program, &[]);
}

/// Compiles a program and links it with the library.
pub fn link(compiler: &str, standard: &str, source: &Path, program: &Path, library: &Path) {
    build(compiler, standard, source, program, &[library]);
}

fn build(compiler: &str, standard: &str, source: &Path, program: &Path, libraries: &[&Path]) {
    let mut command = Command::new(compiler);
    command.args([standard, "-Wall", "-Wextra", "-Werror", "-O1", "-pthread", "-I"]);
    command.arg(folder().join("include")).arg(source).arg("-o").arg(program).args(libraries).arg("-ldl");
    succeed(run(&mut command, compiler), &format!("{compiler} {}", source.display()));
}

/// `target/PROFILE`, in which these tests were built.
fn profile_folder() -> PathBuf {
    let mut folder = std::env::current_exe().expect("this test's own path");
    // target/PROFILE/deps/TEST
    folder.pop();
    folder.pop();
    folder
}

/// Something of this crate that cargo builds beside these tests. Where only some tests were built it may be missing; then
/// it is built in a folder of its own, because cargo would put another build of the library in place of this one's.
fn built(what: &[&str], place: &Path) -> PathBuf {
    let profile = profile_folder();
    let beside = profile.join(place);
    if beside.exists() {
        return beside;
    }
    let folder_of_its_own = profile.join("ksproxy-tests");
    let mut command = Command::new(env!("CARGO"));
    command.args(["build", "--quiet", "--package", "ksproxy"]).args(what).current_dir(folder());
    command.arg("--target-dir").arg(&folder_of_its_own);
    succeed(run(&mut command, "cargo"), "cargo build");
    folder_of_its_own.join("debug").join(place)
}

/// An example of this crate, to run.
pub fn example(name: &str) -> Command {
    Command::new(built(&["--example", name], &Path::new("examples").join(name)))
}

/// `libksproxy.so`.
pub fn library() -> PathBuf {
    built(&["--lib"], Path::new("deps/libksproxy.so"))
}
