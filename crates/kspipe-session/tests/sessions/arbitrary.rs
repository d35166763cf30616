//! The check of the fuzz target `session`, on its corpus and on bytes that look random: a process that sends whatever comes to
//! its mind, beside one that loses nothing by it.

use crate::session_check::{Done, check};
use std::path::Path;

/// What a fuzzer once tried, and beginnings of it.
pub(crate) fn corpus() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/session");
    let mut seeds = 0;
    for entry in std::fs::read_dir(folder).expect("the corpus is part of the project") {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        // A panic below is of this file.
        eprintln!("{}", path.display());
        for end in (0..bytes.len()).step_by(bytes.len() / 8 + 1).chain([bytes.len()]) {
            check(&bytes[..end]);
        }
        seeds += 1;
    }
    assert!(seeds >= 7, "{seeds} seeds");
}

pub(crate) fn noise() {
    let mut random = 0u64;
    let mut all = Done::default();
    for _ in 0..60 {
        let mut byte = || {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (random >> 56) as u8
        };
        let bytes: Vec<u8> = (0..1500).map(|_| byte()).collect();
        let done = check(&bytes);
        all.taken += done.taken;
        all.handed_on += done.handed_on;
        all.written += done.written;
    }
    assert!(all.taken > 0 && all.handed_on > 0 && all.written > 0, "not noise alone: {all:?}");
}
