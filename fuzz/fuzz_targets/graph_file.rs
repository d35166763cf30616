//! `cargo +nightly fuzz run graph_file`; what is checked stands in `checks/graph_file.rs`.
#![no_main]

#[path = "../checks/graph_file.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| check::check(bytes));
