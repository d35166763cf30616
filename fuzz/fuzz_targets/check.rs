//! `cargo +nightly fuzz run check`; what is checked stands in `checks/check.rs`.
#![no_main]

#[path = "../checks/check.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| check::check(bytes));
