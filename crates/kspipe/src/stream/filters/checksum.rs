//! `checksum`: an MD5 digest of each picture and one of all, as `ffmpeg -f framemd5` and `ffmpeg -f md5` make them of
//! the same pictures, so that anybody can check a run with a tool that has nothing of kspipe in it. MD5 tells damage,
//! not forgery.

use super::files::{Interrupt, Output};
use super::{FilterError, Sink};
use crate::allocator::FrameHeader;
use crate::stream::format::MediaFormat;
use crate::stream::planes::each_planar_part;
use md5::{Digest, Md5};
use std::convert::Infallible;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

/// Digests pictures, NV12 ones as the I420 pictures they are.
pub(super) struct ChecksumSink {
    output: Option<Output>,
    format: MediaFormat,
    all: Md5,
}

impl ChecksumSink {
    /// Creates the file of the frames' digests, where one is asked for, and writes its head.
    pub(super) fn create(
        path: Option<&Path>,
        format: MediaFormat,
        interrupt: &Arc<Interrupt>,
    ) -> Result<Self, FilterError> {
        let mut output = path.map(|path| Output::create(path, interrupt)).transpose()?;
        if let Some(output) = &mut output {
            let aspect = if format.aspect.0 == 0 || format.aspect.1 == 0 { (0, 1) } else { format.aspect };
            // ffmpeg's time base is the reduced inverse of the rate.
            let (numerator, denominator) = (format.rate.numerator, format.rate.denominator);
            let divisor = greatest_common_divisor(numerator, denominator).max(1);
            let head = format!(
                "#format: frame checksums\n#version: 2\n#hash: MD5\n#tb 0: {}/{}\n#media_type 0: video\n\
                 #codec_id 0: rawvideo\n#dimensions 0: {}x{}\n#sar 0: {}/{}\n\
                 #stream#, dts,        pts, duration,     size, hash\n",
                denominator / divisor,
                numerator / divisor,
                format.width,
                format.height,
                aspect.0,
                aspect.1,
            );
            output.write(head.as_bytes())?;
        }
        Ok(ChecksumSink { output, format, all: Md5::new() })
    }
}

fn greatest_common_divisor(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

fn hexadecimal(digest: &[u8]) -> String {
    digest.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

impl Sink for ChecksumSink {
    fn take(&mut self, picture: &[u8], header: &FrameHeader) -> Result<(), FilterError> {
        let ChecksumSink { output, format, all } = self;
        let mut one = Md5::new();
        let Ok(()) = each_planar_part::<Infallible>(format, picture, |part| {
            if output.is_some() {
                one.update(part);
            }
            all.update(part);
            Ok(())
        });
        let Some(output) = output else { return Ok(()) };
        let (time, size, hash) = (header.sequence, picture.len(), hexadecimal(&one.finalize()));
        output.write(format!("0, {time:>10}, {time:>10}, {:>8}, {size:>8}, {hash}\n", 1).as_bytes())
    }

    fn finish(&mut self) -> Result<Option<String>, FilterError> {
        if let Some(output) = &mut self.output {
            output.finish()?;
        }
        Ok(Some(hexadecimal(&self.all.finalize_reset())))
    }
}
