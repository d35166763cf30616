//! `cargo +nightly fuzz run framing_blob`; what is checked stands in `checks/framing_blob.rs`.
#![no_main]

#[path = "../checks/framing_blob.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| check::check(bytes));
