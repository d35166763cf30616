//! What filters do, each kind in a file of its own. A kind is one of six [`Role`]s, and knows nothing of threads,
//! queues, pipes or allocators: the engine brings it pictures and takes them on.

mod checksum;
mod convert;
mod discard;
mod files;
mod invert;
mod pattern;
mod png;
mod raw;
mod y4m;

use super::convert::ConvertError;
use super::format::{FormatError, MediaFormat};
use super::pattern::PatternError;
use super::y4m::Y4mError;
use crate::allocator::{AcquireError, FrameHeader};
use crate::graph::{Rate, Run};
pub(super) use files::{Interrupt, is_standard_stream, same_file};
use std::io;
use std::path::Path;
use std::sync::Arc;

/// Why a filter cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum FilterError {
    /// A file cannot be opened, read or written.
    #[error("{path}: {source}")]
    File {
        /// The file, as the graph names it, or `standard input`, `standard output`.
        path: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A YUV4MPEG2 stream is wrong, or cannot be read.
    #[error("{path}: {source}")]
    Y4m {
        /// The file.
        path: String,
        /// What is wrong, with frame and byte.
        #[source]
        source: Y4mError,
    },
    /// A file of raw frames ends inside a frame.
    #[error("{path}: frame {frame} is cut off at byte {offset}: {missing} bytes of it are missing")]
    Truncated {
        /// The file.
        path: String,
        /// The frame, counted from 0.
        frame: u64,
        /// The byte after the last.
        offset: u64,
        /// How many bytes more the frame needs.
        missing: u64,
    },
    /// No frame has such a format.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// The pattern cannot be made.
    #[error(transparent)]
    Pattern(#[from] PatternError),
    /// The picture cannot be converted.
    #[error(transparent)]
    Convert(#[from] ConvertError),
    /// A picture file cannot be written.
    #[error("{path}: {source}")]
    Png {
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: ::png::EncodingError,
    },
    /// No frame of the pipe it sends to can be had.
    #[error("pipe {pipe}: {source}")]
    Acquire {
        /// The pipe's number.
        pipe: u32,
        /// Why.
        #[source]
        source: AcquireError,
    },
    /// A frame is smaller than what must go into it.
    #[error("pipe {pipe}: {bytes} bytes do not fit into a frame of {size}")]
    FrameTooSmall {
        /// The pipe's number.
        pipe: u32,
        /// The bytes to be written.
        bytes: u64,
        /// The frame's size.
        size: u64,
    },
    /// A filter that writes in place got a frame that others read.
    #[error("pipe {pipe}: a frame to be written in place is shared; the plan does not keep rule 7")]
    SharedFrame {
        /// The pipe's number.
        pipe: u32,
    },
    /// The process that serves a pipe's frames has ended.
    #[error("pipe {pipe}: the process that serves its frames has ended")]
    ServerGone {
        /// The pipe's number.
        pipe: u32,
    },
    /// A frame that came from another process, or should go there, is not this process's to have: a process breaks the
    /// rules.
    #[error("pipe {pipe}: a frame on its way between processes is not held by who has it")]
    NotHeld {
        /// The pipe's number.
        pipe: u32,
    },
    /// The run was stopped while the filter waited for data. Not a failure.
    #[error("stopped")]
    Stopped,
    /// The reader of the pipe a sink writes to has gone. Not a failure: it had enough.
    #[error("the reader of {path} has gone")]
    ReaderGone {
        /// The file.
        path: String,
    },
    /// The filter panicked, which is a defect.
    #[error("a defect: {message}")]
    Panicked {
        /// What the panic said.
        message: String,
    },
}

impl FilterError {
    /// The system is at fault, a file or its memory, and not the graph or its media.
    pub fn is_system_failure(&self) -> bool {
        match self {
            FilterError::File { .. }
            | FilterError::Acquire { .. }
            | FilterError::ServerGone { .. }
            | FilterError::NotHeld { .. }
            | FilterError::Panicked { .. } => true,
            FilterError::Y4m { source, .. } => matches!(source, Y4mError::Io { .. }),
            FilterError::Png { source, .. } => matches!(source, ::png::EncodingError::IoError(_)),
            _ => false,
        }
    }
}

/// Makes pictures.
pub(super) trait Source: Send {
    /// What they are.
    fn format(&self) -> MediaFormat;
    /// How many there will be, where that is known, or can be told from the size of a file. For progress only.
    fn expected_frames(&self) -> Option<u64> {
        None
    }
    /// The world goes on while nobody takes pictures: when paced, it leaves out those nobody had a frame for.
    fn is_live(&self) -> bool {
        false
    }
    /// Writes picture `number` over the whole of `picture`, which is as long as the format says; false at the end of
    /// the stream. Numbers go up, by more than 1 only where the source is live.
    fn fill(&mut self, picture: &mut [u8], number: u64) -> Result<bool, FilterError>;
}

/// Changes pictures without changing their size.
pub(super) trait Modifier: Send {
    /// Changes one where it is.
    fn modify(&mut self, picture: &mut [u8]);
    /// Writes what [`modify`](Self::modify) would make of `from` to `to`, which is as long.
    fn modify_into(&mut self, from: &[u8], to: &mut [u8]) {
        to.copy_from_slice(from);
        self.modify(to);
    }
}

/// Makes other pictures from pictures.
pub(super) trait Converter: Send {
    /// Writes what becomes of `from` over the whole of `to`.
    fn convert(&mut self, from: &[u8], to: &mut [u8]) -> Result<(), FilterError>;
}

/// Takes pictures.
pub(super) trait Sink: Send {
    /// Takes one, in the order they come.
    fn take(&mut self, picture: &[u8], header: &FrameHeader) -> Result<(), FilterError>;
    /// Writes out what is not yet written. Called once, also after [`take`](Self::take) failed. The digest of all
    /// pictures, for a sink that makes one.
    fn finish(&mut self) -> Result<Option<String>, FilterError> {
        Ok(None)
    }
}

/// What part a filter plays.
pub(super) enum Role {
    /// Makes frames.
    Source(Box<dyn Source>),
    /// Writes into the frames it gets, or into new ones, as its route goes.
    Modifier(Box<dyn Modifier>),
    /// Writes new frames from those it gets.
    Converter(Box<dyn Converter>),
    /// Sends on what it gets to all its out pins, keeping the newest `keep` frames back until the stream ends.
    Relay {
        /// How many.
        keep: u32,
    },
    /// Takes a frame of each in pin, and sends on to each out pin that of the in pin whose route leads there.
    Join,
    /// Takes frames.
    Sink(Box<dyn Sink>),
}

/// Whether a filter makes frames.
pub(super) fn is_source(run: &Run) -> bool {
    matches!(run, Run::Pattern { .. } | Run::Y4mSource { .. } | Run::RawSource { .. })
}

/// Whether a filter takes frames and sends none.
pub(super) fn is_sink(run: &Run) -> bool {
    matches!(run, Run::Y4mSink { .. } | Run::RawSink { .. } | Run::Png { .. } | Run::Checksum { .. } | Run::Discard)
}

/// The file a source reads.
pub(super) fn input_path(run: &Run) -> Option<&Path> {
    match run {
        Run::Y4mSource { path } | Run::RawSource { path, .. } => Some(path),
        _ => None,
    }
}

/// The file a sink writes, where it is one file.
pub(super) fn output_path(run: &Run) -> Option<&Path> {
    match run {
        Run::Y4mSink { path } | Run::RawSink { path } => Some(path),
        Run::Checksum { path } => path.as_deref(),
        _ => None,
    }
}

/// Opens a source and reads its header. Reading standard input or a pipe ends when `interrupt` is raised.
pub(super) fn open_source(run: &Run, interrupt: &Arc<Interrupt>) -> Option<Result<Box<dyn Source>, FilterError>> {
    fn boxed<S: Source + 'static>(source: S) -> Box<dyn Source> {
        Box::new(source)
    }
    Some(match run {
        Run::Pattern { format, width, height, rate, frames } => MediaFormat::new(*format, *width, *height, *rate)
            .map_err(FilterError::from)
            .and_then(|format| pattern::PatternSource::new(format, *frames))
            .map(boxed),
        Run::Y4mSource { path } => y4m::Y4mSource::open(path, interrupt).map(boxed),
        Run::RawSource { path, format, width, height, rate } => MediaFormat::new(*format, *width, *height, *rate)
            .map_err(FilterError::from)
            .and_then(|format| raw::RawSource::open(path, format, interrupt))
            .map(boxed),
        _ => return None,
    })
}

/// The format of a source's frames, reading nothing that can be read only once.
pub(super) fn probe_source(run: &Run) -> Result<MediaFormat, FilterError> {
    match run {
        Run::Pattern { format, width, height, rate, .. } | Run::RawSource { format, width, height, rate, .. } => {
            Ok(MediaFormat::new(*format, *width, *height, *rate)?)
        }
        Run::Y4mSource { path } => y4m::probe(path),
        // Not sources: nothing is made here.
        _ => Ok(MediaFormat::new(crate::graph::PixelFormat::I420, 0, 0, Rate { numerator: 0, denominator: 0 })?),
    }
}

/// Makes the part of a filter that is no source, creating a sink's file. `format`: of the frames it gets.
pub(super) fn open(run: &Run, format: &MediaFormat, interrupt: &Arc<Interrupt>) -> Option<Result<Role, FilterError>> {
    fn sink<S: Sink + 'static>(sink: S) -> Role {
        Role::Sink(Box::new(sink))
    }
    Some(match run {
        Run::Pattern { .. } | Run::Y4mSource { .. } | Run::RawSource { .. } => return None,
        Run::Invert => Ok(Role::Modifier(Box::new(invert::Invert))),
        Run::Convert => Ok(Role::Converter(Box::new(convert::Convert::new(*format)))),
        Run::Hold { frames } => Ok(Role::Relay { keep: *frames }),
        Run::Tee => Ok(Role::Relay { keep: 0 }),
        Run::Join => Ok(Role::Join),
        Run::Y4mSink { path } => y4m::Y4mSink::create(path, *format, interrupt).map(sink),
        Run::RawSink { path } => raw::RawSink::create(path, interrupt).map(sink),
        Run::Png { path, every } => Ok(sink(png::PngSink::new(path.clone(), *every, *format))),
        Run::Checksum { path } => checksum::ChecksumSink::create(path.as_deref(), *format, interrupt).map(sink),
        Run::Discard => Ok(sink(discard::Discard)),
    })
}
