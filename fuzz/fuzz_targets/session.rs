//! `cargo +nightly fuzz run session`; what is checked stands in `checks/session.rs`.
#![no_main]
#![allow(dead_code, reason = "what serves a graph in the tests of sessions has more than is used here")]

#[path = "../checks/session.rs"]
mod check;
#[path = "../../crates/kspipe-session/tests/sessions/graphs.rs"]
mod graphs;
#[path = "../../crates/kspipe-session/tests/sessions/raw.rs"]
mod raw;
#[path = "../../crates/kspipe-session/tests/sessions/session.rs"]
mod session;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    check::check(bytes);
});
