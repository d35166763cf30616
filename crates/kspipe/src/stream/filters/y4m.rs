//! `y4m`: YUV4MPEG2 files.

use super::files::{Input, Interrupt, Output, is_standard_stream};
use super::{FilterError, Sink, Source};
use crate::allocator::FrameHeader;
use crate::stream::format::MediaFormat;
use crate::stream::planes::each_planar_part;
use crate::stream::y4m::{FRAME_LINE, Y4mError, Y4mReader, write_header};
use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;
use std::sync::Arc;

/// Enough for the lines between pictures; pictures are longer and are read past it, straight into frames.
const BUFFER: usize = 4096;

/// Reads pictures straight into frames.
pub(super) struct Y4mSource {
    reader: Y4mReader<BufReader<Input>>,
    path: String,
    frames: Option<u64>,
}

impl Y4mSource {
    pub(super) fn open(path: &Path, interrupt: &Arc<Interrupt>) -> Result<Self, FilterError> {
        let input = Input::open(path, interrupt)?;
        let (path, bytes) = (input.name().to_owned(), input.bytes());
        match Y4mReader::new(BufReader::with_capacity(BUFFER, input)) {
            Ok(reader) => {
                let frame = (reader.format().frame_bytes() + FRAME_LINE.len()) as u64;
                // The stream header is shorter than any frame worth counting.
                let frames = bytes.and_then(|bytes| bytes.checked_div(frame));
                Ok(Y4mSource { reader, path, frames })
            }
            Err(error) => Err(failed(path, error)),
        }
    }
}

/// The format in a file's header. Only files that can be read again are opened.
pub(super) fn probe(path: &Path) -> Result<MediaFormat, FilterError> {
    let name = path.display().to_string();
    let cannot = |source| FilterError::File { path: name.clone(), source };
    if is_standard_stream(path) || !std::fs::metadata(path).map_err(cannot)?.is_file() {
        return Err(cannot(io::Error::new(
            io::ErrorKind::Unsupported,
            "the size of its pictures is known only when it is read; state `media-size` to negotiate without it",
        )));
    }
    let file = BufReader::with_capacity(BUFFER, File::open(path).map_err(cannot)?);
    Y4mReader::new(file).map(|reader| reader.format()).map_err(|error| failed(name.clone(), error))
}

fn failed(path: String, error: Y4mError) -> FilterError {
    match error {
        Y4mError::Io { source, .. } if Interrupt::caused(&source) => FilterError::Stopped,
        source => FilterError::Y4m { path, source },
    }
}

impl Source for Y4mSource {
    fn format(&self) -> MediaFormat {
        self.reader.format()
    }
    fn expected_frames(&self) -> Option<u64> {
        self.frames
    }
    fn fill(&mut self, picture: &mut [u8], _: u64) -> Result<bool, FilterError> {
        self.reader.read_frame(picture).map_err(|error| failed(self.path.clone(), error))
    }
}

/// Writes pictures straight from frames. NV12's colours are taken apart while they are written.
pub(super) struct Y4mSink {
    output: Output,
    format: MediaFormat,
}

impl Y4mSink {
    /// Creates the file and writes its header, so that a stream of no frames is a valid file too.
    pub(super) fn create(path: &Path, format: MediaFormat, interrupt: &Arc<Interrupt>) -> Result<Self, FilterError> {
        let mut header = Vec::new();
        let mut output = Output::create(path, interrupt)?;
        write_header(&format, &mut header).map_err(|error| output.failed(error))?;
        output.write(&header)?;
        Ok(Y4mSink { output, format })
    }
}

impl Sink for Y4mSink {
    fn take(&mut self, picture: &[u8], _: &FrameHeader) -> Result<(), FilterError> {
        let Y4mSink { output, format } = self;
        output.write(FRAME_LINE)?;
        each_planar_part(format, picture, |part| output.write(part))
    }
    fn finish(&mut self) -> Result<Option<String>, FilterError> {
        self.output.finish().map(|()| None)
    }
}
