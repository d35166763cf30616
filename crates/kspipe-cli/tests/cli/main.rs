//! The `kspipe` command as its users meet it: run as a program, judged by its exit code, what it prints and writes.

mod check;
mod command_line;
mod convert;
mod documents;
mod examples;
mod ground;
mod inspect;
mod licences;
mod piping;
#[cfg(target_os = "linux")]
mod serving;
mod sources;
