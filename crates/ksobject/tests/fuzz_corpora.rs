//! The check of the fuzz target `ks_socket`, on its corpus: what a fuzzer once tried holds on every toolchain. And on
//! packets that are nearly right, which noise does not reach.
#![cfg(unix)]

#[path = "../../../fuzz/checks/ks_socket.rs"]
mod ks_socket;

use proptest::prelude::*;
use std::path::{Path, PathBuf};

fn corpus() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/ks_socket");
    let entries = std::fs::read_dir(folder).expect("the corpus is part of the project");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("it can be read").path()).collect();
    files.sort();
    files
}

#[test]
fn ks_sockets() {
    let seeds = corpus();
    for path in &seeds {
        let bytes = std::fs::read(path).expect("it can be read");
        // A panic below is of this file.
        eprintln!("{}", path.display());
        for end in (0..bytes.len()).step_by(bytes.len() / 64 + 1).chain([bytes.len()]) {
            ks_socket::check(&bytes[..end]);
        }
    }
    assert!(seeds.len() >= 9, "{} seeds", seeds.len());
}

proptest! {
    #[test]
    fn ks_sockets_with_a_few_bytes_changed(
        seed: prop::sample::Index,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let seeds = corpus();
        let mut bytes = std::fs::read(&seeds[seed.index(seeds.len())]).expect("it can be read");
        for (place, value) in changes {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        ks_socket::check(&bytes);
    }

    #[test]
    fn ks_sockets_of_noise(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        ks_socket::check(&bytes);
    }
}
