//! `cargo +nightly fuzz run negotiator`; what is checked stands in `checks/negotiator.rs`.
#![no_main]

#[path = "../checks/negotiator.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| check::check(bytes));
