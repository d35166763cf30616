//! `pattern`: a test picture whose every frame carries its number.

use super::{FilterError, Source};
use crate::stream::format::MediaFormat;
use crate::stream::pattern::Pattern;

/// Makes the pictures of [`crate::stream::pattern`].
pub(super) struct PatternSource {
    pattern: Pattern,
    format: MediaFormat,
    frames: Option<u64>,
    made: u64,
}

impl PatternSource {
    pub(super) fn new(format: MediaFormat, frames: Option<u64>) -> Result<Self, FilterError> {
        Ok(PatternSource { pattern: Pattern::new(&format)?, format, frames, made: 0 })
    }
}

impl Source for PatternSource {
    fn format(&self) -> MediaFormat {
        self.format
    }
    fn expected_frames(&self) -> Option<u64> {
        self.frames
    }
    fn is_live(&self) -> bool {
        true
    }
    fn fill(&mut self, picture: &mut [u8], number: u64) -> Result<bool, FilterError> {
        if self.frames.is_some_and(|frames| self.made >= frames) {
            return Ok(false);
        }
        self.pattern.fill(picture, number)?;
        self.made += 1;
        Ok(true)
    }
}
