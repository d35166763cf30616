//! The C and C++ compilers, and the library they build against.

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
    let mut command = Command::new(compiler);
    command.args([standard, "-Wall", "-Wextra", "-Werror", "-O1", "-pthread", "-I"]);
    command.arg(folder().join("include")).arg(source).arg("-o").arg(program).arg("-ldl");
    succeed(run(&mut command, compiler), &format!("{compiler} {}", source.display()));
}

/// `libksproxy.so`, built as these tests are. It is up to date: cargo does nothing where it is.
pub fn library() -> PathBuf {
    let mut tests = std::env::current_exe().expect("this test's own path");
    // target/PROFILE/deps/TEST
    tests.pop();
    let profile_folder = tests.parent().expect("the profile's folder").to_owned();
    let release = profile_folder.file_name().is_some_and(|name| name == "release");
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--quiet", "--package", "ksproxy", "--lib"]).current_dir(folder());
    build.args(release.then_some("--release"));
    build.arg("--target-dir").arg(profile_folder.parent().expect("the target folder"));
    succeed(run(&mut build, "cargo"), "cargo build");
    profile_folder.join("libksproxy.so")
}
