//! Between programs: other programs before and behind the command, and signals.

use crate::ground::{FILM, Ground, expected};
use std::io::Read;
use std::process::{Child, Command, Stdio};

/// Starts a program in the folder, reading what the one before it writes.
fn start(ground: &Ground, program: &str, arguments: &[&str], input: Stdio) -> Child {
    Command::new(program)
        .args(arguments)
        .current_dir(ground.path(""))
        .stdin(input)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{program} is needed (./test installs it): {error}"))
}

fn output_of(child: &mut Child) -> Stdio {
    child.stdout.take().expect("it is a pipe").into()
}

#[test]
fn ffmpeg_before_and_behind_sees_the_right_frames() {
    let ground = Ground::new();
    let read = ["-v", "error", "-i", FILM, "-f", "yuv4mpegpipe", "-"];
    let mut before = start(&ground, "ffmpeg", &read, Stdio::null());
    let run = ["run", "examples/pipe.toml"];
    let mut kspipe = start(&ground, env!("CARGO_BIN_EXE_kspipe"), &run, output_of(&mut before));
    let hash = ["-v", "error", "-f", "yuv4mpegpipe", "-i", "-", "-f", "framehash", "-hash", "sha256", "-"];
    let behind = start(&ground, "ffmpeg", &hash, output_of(&mut kspipe));
    let hashes = behind.wait_with_output().expect("it ends");
    assert!(hashes.status.success(), "{}", String::from_utf8_lossy(&hashes.stderr));
    for mut child in [before, kspipe] {
        assert!(child.wait().expect("it ends").success());
    }
    let hashes = String::from_utf8(hashes.stdout).expect("it is text");
    let frames = hashes.lines().filter(|line| !line.starts_with('#'));
    let digests: Vec<&str> = frames.filter_map(|line| line.rsplit(", ").next()).collect();
    assert_eq!(digests, expected("inverted"));
}

#[test]
fn a_reader_that_has_had_enough_ends_the_run_well() {
    let ground = Ground::new();
    endless(&ground);
    let mut kspipe = start(&ground, env!("CARGO_BIN_EXE_kspipe"), &["run", "endless.toml"], Stdio::null());
    let mut some = [0; 1000];
    kspipe.stdout.take().expect("it is a pipe").read_exact(&mut some).expect("frames come");
    let output = kspipe.wait_with_output().expect("it ends");
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{error}");
    assert!(error.contains("frames out at the end: 0"), "{error}");
}

/// What is shown, drawn, reported and piped: all that writes to standard output.
#[cfg(target_os = "linux")]
#[test]
fn an_output_that_takes_nothing_is_named_with_the_systems_reason() {
    let ground = Ground::new();
    ground.run(&["convert", "examples/driver/capture.cpp", "--name", "StillFraming", "-o", "pin.bin"], 0);
    let full = || std::fs::OpenOptions::new().write(true).open("/dev/full").expect("the system has it");
    for arguments in [
        &["negotiate", "examples/tee.toml"][..],
        &["check", "--explain", "KS001"],
        &["inspect", "pin.bin"],
        &["convert", "pin.bin", "--to", "blob"],
        &["convert", "pin.bin", "--to", "toml"],
        &["run", "endless.toml", "--frames", "1"],
        &["--help"],
        &["serve", "--help"],
        &["--version"],
    ] {
        endless(&ground);
        let mut command = ground.command(arguments);
        let output = command.stdout(full()).stderr(Stdio::piped()).output().expect("the command can be run");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{arguments:?}\n{said}");
        assert!(said.contains("standard output: No space left on device"), "{arguments:?}\n{said}");
        assert!(!said.contains("standard input"), "{arguments:?}\n{said}");
    }
}

/// Before it has written anything.
#[cfg(unix)]
#[test]
fn an_output_that_nobody_reads_is_no_error() {
    let ground = Ground::new();
    ground.run(&["convert", "examples/driver/capture.cpp", "--name", "StillFraming", "-o", "pin.bin"], 0);
    for arguments in [&["negotiate", "examples/tee.toml"][..], &["convert", "pin.bin", "--to", "blob"], &["--help"]] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let mut command = ground.command(arguments);
        let output = command.stdout(writer).stderr(Stdio::piped()).output().expect("the command can be run");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), &*said), (Some(0), ""), "{arguments:?}");
    }
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_the_stream_with_whole_frames_and_every_one_home() {
    let ground = Ground::new();
    endless(&ground);
    let mut kspipe = start(&ground, env!("CARGO_BIN_EXE_kspipe"), &["run", "endless.toml"], Stdio::null());
    let mut stream = vec![0; 1000];
    let mut output = kspipe.stdout.take().expect("it is a pipe");
    output.read_exact(&mut stream).expect("frames come");
    let interrupted = Command::new("kill").args(["-INT", &kspipe.id().to_string()]).status().expect("kill is there");
    assert!(interrupted.success());
    output.read_to_end(&mut stream).expect("the stream ends");
    let ended = kspipe.wait_with_output().expect("it ends");
    let error = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(0), "{error}");
    assert!(error.contains("stopped: ") && error.contains("frames out at the end: 0"), "{error}");
    let header = stream.iter().position(|byte| *byte == b'\n').expect("the stream has a header") + 1;
    assert_eq!((stream.len() - header) % ("FRAME\n".len() + 64 * 64 * 3 / 2), 0);
}

/// A graph that streams to standard output until it is stopped.
fn endless(ground: &Ground) {
    ground.file(
        "endless.toml",
        r#"
        connections = ["camera.out -> output.in"]
        [filter.camera]
        pin.out = { direction = "out" }
        run = { kind = "pattern", format = "i420", width = 64, height = 64, rate = "30/1" }
        [filter.output]
        pin.in = { direction = "in", holds = 1 }
        run = { kind = "y4m", path = "-" }
        "#,
    );
}
