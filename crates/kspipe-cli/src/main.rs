//! The `kspipe` command.
#![forbid(unsafe_code)]

fn main() {}
