//! `cargo +nightly fuzz run ks_socket`; what is checked stands in `checks/ks_socket.rs`.
#![no_main]

#[path = "../checks/ks_socket.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| check::check(bytes));
