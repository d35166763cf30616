//! The graph file: what is read from a good one, and what is said about a bad one.

use kspipe::graph::file::{GraphFile, GraphFileErrors};
use miette::{GraphicalReportHandler, GraphicalTheme};
use std::path::{Path, PathBuf};

fn data(directory: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/graph_file").join(directory)
}

fn files(directory: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(data(directory)).expect("the directory is part of the project");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("it can be read").path()).collect();
    files.sort();
    files
}

fn parse(text: &str) -> Result<GraphFile, GraphFileErrors> {
    GraphFile::parse("graph.toml", text, Path::new(""))
}

/// What a terminal shows, without colours.
fn rendered(errors: &GraphFileErrors) -> String {
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor()).with_width(120);
    let mut text = String::new();
    handler.render_report(&mut text, errors).expect("a string can be written");
    text.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let files = files("bad");
    assert!(files.len() > 25, "the table of bad files is gone");
    for path in files {
        let text = std::fs::read_to_string(&path).expect("a bad file is text");
        let errors = parse(&text).expect_err(&format!("{} is bad", path.display()));
        let name = path.file_stem().expect("it has a name").to_string_lossy().into_owned();
        for error in errors.iter() {
            assert!(error.position().is_some(), "{name}: {error} has no place");
        }
        insta::with_settings!({ snapshot_path => "graph_file/snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(name, rendered(&errors));
        });
    }
}
