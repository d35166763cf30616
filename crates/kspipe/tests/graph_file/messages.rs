//! What is said about bad files: each file in `bad/` has its message, as a terminal shows it, in `snapshots/`.

use super::{data, good, graph_files, parse};
use kspipe::graph::file::{GraphFile, GraphFileErrors};
use miette::{GraphicalReportHandler, GraphicalTheme};
use std::path::Path;

/// What a terminal shows, without colours.
fn rendered(errors: &GraphFileErrors) -> String {
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor()).with_width(120);
    let mut text = String::new();
    handler.render_report(&mut text, errors).expect("a string can be written");
    // Names of blobs are shown as they are opened; the project may lie anywhere.
    let text = text.replace(&format!("{}", data("").display()), "");
    text.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}

#[test]
fn what_is_wrong_is_said_with_its_place_and_what_was_expected() {
    let files = graph_files(&data("bad"));
    assert!(files.len() > 30, "the table of bad files has shrunk to {}", files.len());
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(data("snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for (name, text) in files {
        let errors = parse(&text).err().unwrap_or_else(|| panic!("{name} is read as a graph"));
        for error in errors.iter() {
            assert!(error.position().is_some(), "{name}: {error} has no place");
            assert!(!error.label().is_empty(), "{name}: {error} does not say what was expected");
        }
        settings.bind(|| insta::assert_snapshot!(name, rendered(&errors)));
    }
}

#[test]
fn every_error_of_a_long_file_is_counted_and_the_first_hundred_listed() {
    let wrong: String = (0..1000).map(|number| format!("filter.f{number}.mod = 1\n")).collect();
    let errors = parse(&wrong).expect_err("`mod` is no key");
    assert_eq!((errors.count(), errors.iter().count()), (1000, 100));
    let lines: Vec<usize> = errors.iter().filter_map(|error| error.position()).map(|(line, _)| line).collect();
    assert!(lines.is_sorted(), "{lines:?}");
    assert!(rendered(&errors).contains("900 more errors are not listed"));
}

#[test]
fn a_file_that_is_not_there_is_a_system_failure_that_names_it() {
    let errors = GraphFile::read(Path::new("no-such-graph.toml")).expect_err("there is no such file");
    assert_eq!(errors.io_error().map(|error| error.kind()), Some(std::io::ErrorKind::NotFound));
    assert!(errors.to_string().contains("no-such-graph.toml"), "{errors}");
    let errors = GraphFile::read(&data("good")).expect_err("a directory is no file");
    assert!(errors.io_error().is_some());
}

#[test]
fn a_file_that_is_not_utf8_is_told_by_line_and_column() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let path = directory.path().join("latin-1.toml");
    std::fs::write(&path, b"# kspipe\n# caf\xE9\nfilter.a.pin.out = { direction = \"out\" }\n")
        .expect("it can be written");
    let errors = GraphFile::read(&path).expect_err("it is Latin-1");
    let error = errors.iter().next().expect("at least one");
    assert_eq!(error.position(), Some((2, 6)));
    assert!(error.message().contains("0xE9"), "{error}");
    assert!(errors.io_error().is_none());
}

#[test]
fn standard_input_is_not_read_twice() {
    let text = "filter.a.pin.out = { direction = \"out\" }\nfilter.a.run = { kind = \"y4m\", path = \"-\" }\n";
    good(text);
    let errors = GraphFile::parse("-", text, Path::new("")).expect_err("the graph came that way");
    assert_eq!(errors.iter().next().and_then(|error| error.position()), Some((2, 39)));
}

#[test]
fn columns_count_characters() {
    let errors = parse("\"é\" = 1\n# é\n\"éé\" = 1\nfilter.é = 1").expect_err("TOML's bare keys are ASCII");
    assert!(errors.count() >= 1);
    let errors = parse("filter.\"éé\".mod = 1").expect_err("`mod` is no key");
    let positions: Vec<_> = errors.iter().filter_map(|error| error.position()).collect();
    assert_eq!(positions, [(1, 8), (1, 13)]);
}

#[test]
fn a_blob_that_is_not_there_is_told_at_its_name() {
    let errors =
        parse("filter.a.pin.x = { direction = \"in\", framing-blob = \"no-such.bin\" }").expect_err("it is gone");
    let error = errors.iter().next().expect("at least one");
    assert_eq!(error.position(), Some((1, 53)));
    assert!(error.message().contains("no-such.bin"), "{error}");
    assert!(errors.io_error().is_none(), "the graph file itself could be read");
}
