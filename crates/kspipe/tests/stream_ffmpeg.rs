//! The pictures and digests of kspipe beside those of ffmpeg, which has nothing of kspipe in it.

mod stream_support;

use kspipe::graph::{PixelFormat, Rate, RouteKind, Run};
use kspipe::stream::RunOptions;
use std::path::Path;
use std::process::Command;
use stream_support::*;

/// What ffmpeg writes to standard output.
fn ffmpeg(arguments: &[&str]) -> Vec<u8> {
    let output = Command::new("ffmpeg").args(["-v", "error", "-nostdin"]).args(arguments).output();
    let output = output.unwrap_or_else(|error| panic!("ffmpeg: {error}; install the package `ffmpeg`"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn the_digests_of_a_file_are_ffmpegs_line_for_line() {
    let folder = folder();
    let out = folder.path().join("out.framemd5");
    let graph = graph(
        vec![
            ("file", Run::Y4mSource { path: clip() }, None),
            ("checksum", Run::Checksum { path: Some(out.clone()) }, None),
        ],
        &[("file.out", "checksum.in")],
    );
    let report = run(graph, 3, &[], &[], RunOptions::default());
    let expected = ffmpeg(&["-i", path(&clip()), "-bitexact", "-f", "framemd5", "-"]);
    assert_eq!(std::fs::read_to_string(out).unwrap(), String::from_utf8(expected).unwrap());
    let all = String::from_utf8(ffmpeg(&["-i", path(&clip()), "-f", "md5", "-"])).unwrap();
    let digest = report.filter("checksum").unwrap().digest.clone().unwrap();
    assert_eq!(format!("MD5={digest}"), all.trim());
}

#[test]
fn a_pattern_in_nv12_written_to_y4m_is_to_ffmpeg_what_was_digested() {
    let folder = folder();
    let [y4m, digests] = ["out.y4m", "out.framemd5"].map(|name| folder.path().join(name));
    let rate = Rate { numerator: 60000, denominator: 1001 };
    // An odd width: the colours have a column of their own.
    let source = Run::Pattern { format: PixelFormat::Nv12, width: 101, height: 66, rate, frames: Some(9) };
    let graph = graph(
        vec![
            ("a", source, None),
            ("t", Run::Tee, Some(RouteKind::Pass)),
            ("x", Run::Y4mSink { path: y4m.clone() }, None),
            ("y", Run::Checksum { path: Some(digests.clone()) }, None),
        ],
        &[("a.out", "t.in"), ("t.a", "x.in"), ("t.b", "y.in")],
    );
    run(graph, 2, &[], &[], RunOptions::default());
    let expected = ffmpeg(&["-i", path(&y4m), "-bitexact", "-f", "framemd5", "-"]);
    assert_eq!(std::fs::read_to_string(digests).unwrap(), String::from_utf8(expected).unwrap());
}

#[test]
fn the_negative_of_a_file_is_ffmpegs() {
    let folder = folder();
    let out = folder.path().join("out.y4m");
    let graph = graph(
        vec![
            ("file", Run::Y4mSource { path: clip() }, None),
            ("invert", Run::Invert, Some(RouteKind::InPlace)),
            ("out", Run::Y4mSink { path: out.clone() }, None),
        ],
        &[("file.out", "invert.in"), ("invert.out", "out.in")],
    );
    run(graph, 2, &[], &[], RunOptions::default());
    let negate = "lutyuv=y=255-val:u=255-val:v=255-val";
    let expected = ffmpeg(&["-i", path(&clip()), "-vf", negate, "-f", "framemd5", "-bitexact", "-"]);
    let found = ffmpeg(&["-i", path(&out), "-f", "framemd5", "-bitexact", "-"]);
    assert_eq!(String::from_utf8(found).unwrap(), String::from_utf8(expected).unwrap());
}

#[test]
fn converted_pictures_are_those_of_ffmpeg_to_within_rounding() {
    let folder = folder();
    let out = folder.path().join("out.rgb");
    let graph = graph(
        vec![
            ("file", Run::Y4mSource { path: clip() }, None),
            ("convert", Run::Convert, Some(RouteKind::Copy)),
            ("out", raw(&out), None),
        ],
        &[("file.out", "convert.in"), ("convert.out", "out.in")],
    );
    run(graph, 2, &[], &[], RunOptions::default());
    // The colour of the nearest sample, as ours; BT.601.
    let expected = ffmpeg(&[
        "-i",
        path(&clip()),
        "-vf",
        "scale=flags=neighbor+accurate_rnd:in_color_matrix=bt601,format=rgb24",
        "-f",
        "rawvideo",
        "-",
    ]);
    let found = std::fs::read(out).unwrap();
    assert_eq!(found.len(), expected.len());
    let largest = found.iter().zip(&expected).map(|(a, b)| a.abs_diff(*b)).max();
    assert!(largest <= Some(3), "{largest:?}");
}
