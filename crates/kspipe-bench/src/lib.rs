//! Frames between two processes, measured beside other ways: a ring of indices without state words, messages over a socket,
//! and a copy through a pipe; the wake of a receiver that sleeps beside a raw futex; pictures written and read, and paced; and
//! GStreamer's `shmsink` and `shmsrc` where they are installed.
//!
//! The program that calls [`ipc`] starts itself as the other process: with arguments of the caller's, after which come those
//! that it passes to [`peer`]. Each side runs on a processor of its own, where there are two.
//!
//! iceoryx2 is not among them: it would bring many crates into a command that needs none of them. `ci/ipc.sh` compares with it.
//!
//! There is nothing here but on Linux.

#![cfg(target_os = "linux")]
#![deny(unsafe_code)]

mod frames;
mod gstreamer;
mod measure;
mod other_ways;
mod process;
mod report;
mod wake;
mod words;

pub use measure::{Options, ipc, peer};
pub use report::{Beside, Paced, Pictures, Report, Row, Shm, ShmRow, Wakes};

use std::io;

/// What is done with a frame's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Touch {
    Nothing,
    /// All are written, and all are read.
    All,
}

/// One side of a way there and back.
trait End {
    /// Acquires a frame, fills it where that is asked, and sends it.
    fn send(&mut self, touch: Touch) -> io::Result<()>;
    /// Takes a frame, reads it where that is asked, and gives it back.
    fn receive(&mut self, touch: Touch) -> io::Result<()>;
}

/// Reads bytes, piece by piece, as who looks at all of them.
fn sum(bytes: &[u8]) -> u64 {
    let words = bytes.chunks_exact(8).map(|word| u64::from_le_bytes(word.try_into().unwrap_or_default()));
    words.fold(0, u64::wrapping_add)
}
