//! Every graph of `examples/`, run, and what comes out checked against what other programs computed.

use crate::ground::{FRAME, FRAMES, Ground, digests, expected, raw_frames, root, thumbnail, y4m_frames};
use std::collections::BTreeSet;
use std::fs;

/// Runs an example with a report, and gives the report.
fn run(ground: &Ground, name: &str, more: &[&str]) -> serde_json::Value {
    let graph = format!("examples/{name}.toml");
    let mut arguments = vec!["run", graph.as_str(), "--report", "report.json"];
    arguments.extend_from_slice(more);
    ground.run(&arguments, 0);
    ground.json("report.json")
}

#[test]
fn every_example_is_run_by_a_test_here() {
    // What needs Linux is run there.
    let tests = concat!(include_str!("examples.rs"), include_str!("serving/supervised.rs"));
    for entry in fs::read_dir(root().join("examples")).expect("the project has examples") {
        let path = entry.expect("they can be listed").path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let name = path.file_stem().and_then(|name| name.to_str()).expect("a file has a name");
            assert!(
                tests.contains(&format!("\"{name}\"")) || tests.contains(&format!("examples/{name}.toml")),
                "{name}"
            );
        }
    }
}

#[test]
fn preview_records_and_shows_the_inverted_film_without_copying_a_frame() {
    let ground = Ground::new();
    let report = run(&ground, "preview", &[]);
    let recording = ground.read("examples/out/preview.y4m");
    assert_eq!(digests(&y4m_frames(&recording)), expected("inverted"));
    assert_eq!(snapshots(&ground, "preview-"), ["preview-00.png", "preview-08.png", "preview-16.png"]);
    for number in [0, 8, 16] {
        assert_picture(&ground.read(&format!("examples/out/preview-{number:02}.png")), "inverted", number);
    }
    assert_eq!(report["plan"]["pipes"].as_array().map(Vec::len), Some(1));
    assert_run(&report, FRAMES as u64, 0);
}

#[test]
fn convert_turns_i420_into_rgb_pictures_of_another_size() {
    let ground = Ground::new();
    let report = run(&ground, "convert", &[]);
    assert_eq!(snapshots(&ground, "convert-"), ["convert-00.png", "convert-12.png"]);
    for number in [0, 12] {
        assert_picture(&ground.read(&format!("examples/out/convert-{number:02}.png")), "original", number);
    }
    let pipes = report["plan"]["pipes"].as_array().expect("pipes");
    let sizes: Vec<_> = pipes.iter().map(|pipe| pipe["frame_size"].as_u64()).collect();
    assert_eq!(sizes, [Some(86_400), Some(172_800)]);
}

#[test]
fn tee_gives_both_sinks_the_same_frames() {
    let ground = Ground::new();
    let report = run(&ground, "tee", &[]);
    assert_eq!(digests(&raw_frames(&ground.read("examples/out/tee.yuv"))), expected("original"));
    let frames = |text: &str| text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect::<Vec<_>>();
    let checksums = frames(&ground.text("examples/out/tee.checksums"));
    assert_eq!(checksums.len(), FRAMES);
    assert_eq!(checksums, frames(include_str!("../expected/original.framemd5")));
    assert_run(&report, FRAMES as u64, 0);
}

#[test]
fn pattern_4k60_copies_nothing_between_five_filters() {
    let ground = Ground::new();
    let report = run(&ground, "pattern-4k60", &["--frames", "8"]);
    assert_eq!(report["plan"]["pipes"].as_array().map(Vec::len), Some(1));
    assert_eq!(report["plan"]["pipes"][0]["frame_size"], 3840 * 2160 * 3 / 2);
    assert_run(&report, 8, 0);
}

#[test]
fn bridge_copies_each_frame_once_and_the_recording_stays_as_it_was() {
    let ground = Ground::new();
    let report = run(&ground, "bridge", &[]);
    assert_eq!(digests(&raw_frames(&ground.read("examples/out/bridge-record.yuv"))), expected("original"));
    assert_eq!(digests(&raw_frames(&ground.read("examples/out/bridge-preview.yuv"))), expected("inverted"));
    let bridges = report["plan"]["bridges"].as_array().expect("bridges");
    assert_eq!(bridges.len(), 1);
    assert_eq!(bridges[0]["connection"], "tee.preview -> invert.in");
    assert_eq!(bridges[0]["bytes"], FRAME);
    assert_run(&report, FRAMES as u64, FRAMES as u64);
}

#[test]
fn infeasible_names_both_pins_in_the_file_and_ends_with_1() {
    let ground = Ground::new();
    for command in ["negotiate", "run"] {
        let (output, error) = ground.run(&[command, "examples/infeasible.toml"], 1);
        assert_eq!(output, "");
        for needed in ["examples/infeasible.toml:", "capture.out", "renderer.in", "help:"] {
            assert!(error.contains(needed), "{command}: {needed}\n{error}");
        }
    }
}

#[test]
fn starving_stalls_as_predicted_and_moves_with_the_line_that_is_suggested() {
    let ground = Ground::new();
    let circle = "`film` waits for a free frame of pipe 0, its only one out, until `join` gives one back; `join` for a \
                  frame from `film` by way of `tee`, `invert`, `delay`; meanwhile delay.in keeps 3";
    let one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let (explained, _) = ground.run(&["negotiate", "--explain", "examples/starving.toml"], 0);
    assert!(one_line(&explained).contains(circle), "{explained}");
    let (_, error) = ground.run(&["run", "examples/starving.toml"], 1);
    let (before, after) = error.split_once("is stalled").expect("it stalls");
    assert!(
        one_line(before)
            .contains(&format!("KS030: film.out pipe 0 has 1 frame and needs 4, or the graph stalls: {circle}")),
        "{before}"
    );
    for part in ["`join` gives one back", "delay.in keeps 3", "frames = 4"] {
        assert!(after.contains(part), "{part}: {after}");
    }
    // The commented line in place of the one above it.
    let text = ground.text("examples/starving.toml");
    let (line, cured) = ("pin.out = { direction = \"out\" }\n# ", "");
    assert_eq!(text.matches(line).count(), 1);
    ground.file("examples/cured.toml", text.replace(line, cured));
    let report = run(&ground, "cured", &[]);
    assert_eq!(report["outcome"], "finished");
    assert_eq!(report["plan"]["pipes"][0]["frames"], 4);
    assert_eq!(digests(&raw_frames(&ground.read("examples/out/starving.yuv"))), expected("original"));
    let (explained, _) = ground.run(&["negotiate", "--explain", "examples/cured.toml"], 0);
    assert!(explained.contains("every frame moves on") && explained.contains("pipe 0: 4 of 4"), "{explained}");
}

#[test]
fn camera_negotiates_user_memory_and_records() {
    let ground = Ground::new();
    let report = run(&ground, "camera", &["--frames", "3"]);
    let pipe = &report["plan"]["pipes"][0];
    assert_eq!(pipe["memory_type"], "user");
    assert_eq!(pipe["frames"], 4);
    assert_eq!(pipe["frame_size"], 3_110_400);
    assert_eq!(pipe["alignment"], 4096);
    let recording = ground.read("examples/out/camera.y4m");
    assert!(recording.starts_with(b"YUV4MPEG2 W1920 H1080 F30:1"));
    assert_run(&report, 3, 0);
}

#[test]
fn pipe_reads_standard_input_and_writes_standard_output() {
    let ground = Ground::new();
    let output = ground
        .kspipe(&["run", "examples/pipe.toml"])
        .write_stdin(ground.read(crate::ground::FILM))
        .output()
        .expect("the command can be run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(digests(&y4m_frames(&output.stdout)), expected("inverted"));
}

/// The names of the pictures a graph wrote, in order.
fn snapshots(ground: &Ground, prefix: &str) -> Vec<String> {
    let names: BTreeSet<String> = fs::read_dir(ground.path("examples/out"))
        .expect("the graph wrote something")
        .map(|entry| entry.expect("it can be listed").file_name().to_string_lossy().into_owned())
        .filter(|name| name.starts_with(prefix) && name.ends_with(".png"))
        .collect();
    names.into_iter().collect()
}

/// A picture is the film's, within what two programs may round differently, averaged over blocks of 20 x 20 pixels.
fn assert_picture(file: &[u8], name: &str, frame: usize) {
    let mut reader = png::Decoder::new(std::io::Cursor::new(file)).read_info().expect("it is a PNG");
    let mut pixels = vec![0; reader.output_buffer_size().expect("it fits memory")];
    let info = reader.next_frame(&mut pixels).expect("it has a picture");
    assert_eq!((info.width, info.height, info.color_type), (320, 180, png::ColorType::Rgb));
    let expected = thumbnail(name, frame);
    assert_eq!(expected.len(), 16 * 9);
    for (block, expected) in expected.iter().enumerate() {
        let (left, top) = (block % 16 * 20, block / 16 * 20);
        for (channel, expected) in expected.iter().enumerate() {
            let pixel = |x: usize, y: usize| f64::from(pixels[((top + y) * 320 + left + x) * 3 + channel]);
            let sum: f64 = (0..400).map(|place| pixel(place % 20, place / 20)).sum();
            let difference = (sum / 400.0 - f64::from(*expected)).abs();
            assert!(difference <= 3.0, "{name} {frame}, block {block}, channel {channel}: off by {difference}");
        }
    }
}

/// What every run that ended well says: how many frames came from the source, how many of them were copied, and that
/// every one is home again.
fn assert_run(report: &serde_json::Value, frames: u64, copies: u64) {
    assert_eq!(report["outcome"], "finished");
    assert_eq!(report["errors"], serde_json::json!([]));
    let graph = &report["graph"];
    assert_eq!(graph["source_frames"], frames);
    assert_eq!(graph["copies_per_frame"].as_f64(), Some(copies as f64 / frames as f64));
    assert_eq!(graph["bytes_copied"].as_u64() == Some(0), copies == 0);
    assert!(graph["bytes_moved_without_copying"].as_u64().is_some_and(|bytes| bytes > 0));
    for pipe in report["pipes"].as_array().expect("pipes") {
        assert_eq!(pipe["frames_out_at_end"], 0);
        assert!(pipe["peak_in_use"].as_u64() <= pipe["frames"].as_u64());
    }
}
