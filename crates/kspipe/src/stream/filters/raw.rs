//! `raw`: frames one after the other, nothing between them.

use super::files::{Input, Interrupt, Output};
use super::{FilterError, Sink, Source};
use crate::allocator::FrameHeader;
use crate::stream::format::MediaFormat;
use crate::stream::y4m::read_full;
use std::path::Path;
use std::sync::Arc;

/// Reads frames of one size.
pub(super) struct RawSource {
    input: Input,
    format: MediaFormat,
    frame: u64,
    offset: u64,
}

impl RawSource {
    pub(super) fn open(path: &Path, format: MediaFormat, interrupt: &Arc<Interrupt>) -> Result<Self, FilterError> {
        Ok(RawSource { input: Input::open(path, interrupt)?, format, frame: 0, offset: 0 })
    }
}

impl Source for RawSource {
    fn format(&self) -> MediaFormat {
        self.format
    }
    fn expected_frames(&self) -> Option<u64> {
        self.input.bytes()?.checked_div(self.format.frame_bytes() as u64)
    }
    fn fill(&mut self, picture: &mut [u8], _: u64) -> Result<bool, FilterError> {
        let read = read_full(&mut self.input, picture);
        self.offset = self.offset.saturating_add(read.bytes as u64);
        match read.error {
            Some(error) => Err(self.input.failed(error)),
            None if read.bytes == picture.len() => {
                self.frame += 1;
                Ok(true)
            }
            None if read.bytes == 0 => Ok(false),
            None => Err(FilterError::Truncated {
                path: self.input.name().to_owned(),
                frame: self.frame,
                offset: self.offset,
                missing: (picture.len() - read.bytes) as u64,
            }),
        }
    }
}

/// Writes the frames' bytes.
pub(super) struct RawSink {
    output: Output,
}

impl RawSink {
    pub(super) fn create(path: &Path, interrupt: &Arc<Interrupt>) -> Result<Self, FilterError> {
        Ok(RawSink { output: Output::create(path, interrupt)? })
    }
}

impl Sink for RawSink {
    fn take(&mut self, picture: &[u8], _: &FrameHeader) -> Result<(), FilterError> {
        self.output.write(picture)
    }
    fn finish(&mut self) -> Result<Option<String>, FilterError> {
        self.output.finish().map(|()| None)
    }
}
