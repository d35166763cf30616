//! `cargo +nightly fuzz run negotiation`; what is checked stands in `checks/negotiation.rs`.
#![no_main]

#[path = "../checks/negotiation.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| check::check(bytes));
