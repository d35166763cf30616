//! Running a plan: filters that do something, queues, time, statistics.
//!
//! [`prepare`] opens a graph's sources and finds out what its frames hold; the graph is negotiated; and
//! [`Prepared::start`] runs it, every filter on a thread of its own. Frames are not copied: what travels from filter to
//! filter is the right to a frame of the pipe's allocator. `docs/streaming.md` tells the rules.

pub mod convert;
#[cfg_attr(
    not(all(any(target_os = "linux", target_os = "android"), not(loom))),
    allow(dead_code, unreachable_code, reason = "no process shares its frames with another there")
)]
mod engine;
mod filters;
mod format;
mod formats;
#[cfg(all(any(target_os = "linux", target_os = "android"), not(loom)))]
mod part;
pub mod pattern;
mod pictures;
mod planes;
mod prepare;
pub(crate) mod processes;
mod report;
mod running;
#[cfg(all(any(target_os = "linux", target_os = "android"), not(loom)))]
mod sharing;
mod stall;
mod wiring;
pub mod y4m;

pub use filters::FilterError;
pub use format::{ChromaSiting, ColorRange, FormatError, Interlacing, MediaFormat, UNITS_PER_SECOND};
pub use formats::{Note, probe_formats};
#[cfg(all(any(target_os = "linux", target_os = "android"), not(loom)))]
pub use part::Part;
pub use pictures::{PictureSink, PictureSource};
pub use prepare::{PrepareError, Prepared, prepare, prepare_outside, prepare_outside_as, prepare_served, with_formats};
pub use report::{
    Failure, FilterReport, GraphReport, Latency, Outcome, PipeProgress, PipeReport, Progress, Report, SinkProgress,
};
pub use running::{RunError, RunOptions, Running, StopHandle};
#[cfg(all(any(target_os = "linux", target_os = "android"), not(loom)))]
pub use sharing::{Process, SharedPipe, Sharing, SharingError};
pub use stall::{FilterWait, StallHandle, Waits, WaitsFor};
