//! `cargo +nightly fuzz run negotiator`; what is checked stands in `checks/negotiator.rs`.
#![no_main]

#[path = "../checks/negotiator.rs"]
mod check;
#[path = "../checks/negotiation.rs"]
#[allow(dead_code, reason = "its check is a target of its own")]
mod negotiation;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| check::check(bytes));
