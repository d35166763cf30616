//! The checks of the fuzz targets `ks_request` and `ks_socket`, on their corpora: what a fuzzer once tried holds on every
//! toolchain. And on bytes that are nearly right, which noise does not reach.
#![cfg(unix)]

#[path = "../../../fuzz/checks/ks_request.rs"]
mod ks_request;
#[path = "../../../fuzz/checks/ks_socket.rs"]
mod ks_socket;

use proptest::prelude::*;
use std::path::{Path, PathBuf};

fn corpus(target: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let entries = std::fs::read_dir(folder).expect("the corpus is part of the project");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("it can be read").path()).collect();
    files.sort();
    files
}

/// Runs a check on every file of a corpus of at least so many, and on beginnings of each.
fn replay(target: &str, at_least: usize, check: fn(&[u8])) {
    let seeds = corpus(target);
    for path in &seeds {
        let bytes = std::fs::read(path).expect("it can be read");
        // A panic below is of this file.
        eprintln!("{}", path.display());
        for end in (0..bytes.len()).step_by(bytes.len() / 64 + 1).chain([bytes.len()]) {
            check(&bytes[..end]);
        }
    }
    assert!(seeds.len() >= at_least, "{} seeds", seeds.len());
}

#[test]
fn ks_requests() {
    replay("ks_request", 7, ks_request::check);
}

#[test]
fn ks_sockets() {
    replay("ks_socket", 9, ks_socket::check);
}

/// A file of a corpus with a few bytes changed.
fn nearly_right(target: &'static str) -> impl Strategy<Value = Vec<u8>> {
    let change = (any::<prop::sample::Index>(), any::<u8>());
    (any::<prop::sample::Index>(), prop::collection::vec(change, 1..6)).prop_map(move |(seed, changes)| {
        let seeds = corpus(target);
        let mut bytes = std::fs::read(&seeds[seed.index(seeds.len())]).expect("it can be read");
        for (place, value) in changes {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        bytes
    })
}

fn noise() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..600)
}

proptest! {
    #[test]
    fn ks_requests_with_a_few_bytes_changed(bytes in nearly_right("ks_request")) {
        ks_request::check(&bytes);
    }

    #[test]
    fn ks_requests_of_noise(bytes in noise()) {
        ks_request::check(&bytes);
    }

    #[test]
    fn ks_sockets_with_a_few_bytes_changed(bytes in nearly_right("ks_socket")) {
        ks_socket::check(&bytes);
    }

    #[test]
    fn ks_sockets_of_noise(bytes in noise()) {
        ks_socket::check(&bytes);
    }
}
