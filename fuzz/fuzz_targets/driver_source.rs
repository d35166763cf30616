//! `cargo +nightly fuzz run driver_source`; what is checked stands in `checks/driver_source.rs`.
#![no_main]

#[path = "../checks/driver_source.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| check::check(bytes));
