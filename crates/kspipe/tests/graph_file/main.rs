//! The graph file: what is read from a good one, what is said about a bad one, and that no text whatever breaks the
//! reader.

mod messages;
mod reading;
mod robustness;
mod schema;

use kspipe::graph::file::{GraphFile, GraphFileErrors};
use std::path::{Path, PathBuf};

/// A directory of this test's data.
fn data(directory: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/graph_file").join(directory)
}

/// The files in a directory, in the order of their names.
fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).expect("the directory is part of the project");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("it can be read").path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{} has no files", directory.display());
    files
}

/// The graph files of a directory: their names without extension, and their texts.
fn graph_files(directory: &Path) -> Vec<(String, String)> {
    let toml = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "toml");
    let read = |path: PathBuf| {
        let name = path.file_stem().expect("it has a name").to_string_lossy().into_owned();
        (name, std::fs::read_to_string(&path).expect("a graph file is text"))
    };
    files(directory).into_iter().filter(toml).map(read).collect()
}

fn parse(text: &str) -> Result<GraphFile, GraphFileErrors> {
    GraphFile::parse("graph.toml", text, &data("good"))
}

/// The graph of a text that is good.
fn good(text: &str) -> GraphFile {
    parse(text).unwrap_or_else(|errors| panic!("{text}\n{:#?}", errors.iter().collect::<Vec<_>>()))
}

/// The text a span covers.
fn text_at(file: &GraphFile, span: Option<kspipe::graph::file::Span>) -> &str {
    let span = span.expect("it has a place");
    &file.text()[span.start..span.end]
}
