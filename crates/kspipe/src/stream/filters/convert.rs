//! `convert`: 4:2:0 to RGB24.

use super::{Converter, FilterError};
use crate::stream::convert::to_rgb24;
use crate::stream::format::MediaFormat;

/// Converts NV12 or I420 pictures of one format.
pub(super) struct Convert {
    format: MediaFormat,
}

impl Convert {
    pub(super) fn new(format: MediaFormat) -> Self {
        Convert { format }
    }
}

impl Converter for Convert {
    fn convert(&mut self, from: &[u8], to: &mut [u8]) -> Result<(), FilterError> {
        Ok(to_rgb24(&self.format, from, to)?)
    }
}
