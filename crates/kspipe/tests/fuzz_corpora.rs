//! The fuzz targets' checks, on their corpora: what a fuzzer once tried holds on every toolchain.

use std::path::Path;

#[path = "../../../fuzz/checks/check.rs"]
mod check;
#[path = "../../../fuzz/checks/framing_blob.rs"]
mod framing_blob;
#[path = "../../../fuzz/checks/graph_file.rs"]
mod graph_file;
#[path = "../../../fuzz/checks/negotiation.rs"]
mod negotiation;
#[path = "../../../fuzz/checks/negotiator.rs"]
mod negotiator;
#[path = "../../../fuzz/checks/y4m.rs"]
mod y4m;

/// Runs a check on every file of a corpus, and on every beginning of it.
fn replay(target: &str, check: fn(&[u8])) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let mut seeds = 0;
    for entry in std::fs::read_dir(&corpus).expect("the corpus is part of the project") {
        let path = entry.expect("it can be read").path();
        let bytes = std::fs::read(&path).expect("it can be read");
        // A panic below is of this file.
        eprintln!("{}", path.display());
        for end in (0..bytes.len()).step_by(bytes.len() / 64 + 1).chain([bytes.len()]) {
            check(&bytes[..end]);
        }
        seeds += 1;
    }
    assert!(seeds >= 7, "{} has {seeds} seeds", corpus.display());
}

#[test]
fn graph_files() {
    replay("graph_file", graph_file::check);
}

#[test]
fn framing_blobs() {
    replay("framing_blob", framing_blob::check);
}

#[test]
fn files_under_the_linter() {
    replay("check", check::check);
}

#[test]
fn graphs_to_negotiate() {
    replay("negotiation", negotiation::check);
}

#[test]
fn changes_of_graphs() {
    replay("negotiator", negotiator::check);
}

#[test]
fn y4m_streams() {
    replay("y4m", y4m::check);
}
