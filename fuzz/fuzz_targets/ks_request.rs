//! `cargo +nightly fuzz run ks_request`; what is checked stands in `checks/ks_request.rs`.
#![no_main]

#[path = "../checks/ks_request.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| check::check(bytes));
