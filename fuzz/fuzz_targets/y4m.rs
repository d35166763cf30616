//! `cargo +nightly fuzz run y4m`; what is checked stands in `checks/y4m.rs`.
#![no_main]

#[path = "../checks/y4m.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| check::check(bytes));
