//! `png`: a picture of every so many frames.

use super::{FilterError, Sink};
use crate::allocator::FrameHeader;
use crate::graph::PixelFormat;
use crate::stream::convert::to_rgb24;
use crate::stream::format::MediaFormat;
use std::fs::File;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

/// Writes RGB pictures of 8 bits a colour.
pub(super) struct PngSink {
    path: PathBuf,
    every: u64,
    format: MediaFormat,
    taken: u64,
    rgb: Vec<u8>,
}

impl PngSink {
    pub(super) fn new(path: PathBuf, every: u32, format: MediaFormat) -> Self {
        PngSink { path, every: u64::from(every.max(1)), format, taken: 0, rgb: Vec::new() }
    }
}

impl Sink for PngSink {
    fn take(&mut self, picture: &[u8], header: &FrameHeader) -> Result<(), FilterError> {
        let wanted = self.taken.is_multiple_of(self.every);
        self.taken += 1;
        if !wanted {
            return Ok(());
        }
        let rgb = if self.format.pixels == PixelFormat::Rgb24 {
            picture
        } else {
            self.rgb.resize(self.format.with_pixels(PixelFormat::Rgb24)?.frame_bytes(), 0);
            to_rgb24(&self.format, picture, &mut self.rgb)?;
            &self.rgb
        };
        let path = numbered(&self.path, header.sequence);
        write(&path, &self.format, rgb).map_err(|error| {
            let path = path.display().to_string();
            match error {
                ::png::EncodingError::IoError(source) => FilterError::File { path, source },
                source => FilterError::Png { path, source },
            }
        })
    }
}

fn write(path: &Path, format: &MediaFormat, rgb: &[u8]) -> Result<(), ::png::EncodingError> {
    let mut file = BufWriter::new(File::create(path)?);
    let mut encoder = ::png::Encoder::new(&mut file, format.width, format.height);
    encoder.set_color(::png::ColorType::Rgb);
    encoder.set_depth(::png::BitDepth::Eight);
    // A snapshot must not hold up the stream more than it has to.
    encoder.set_compression(::png::Compression::Fast);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(rgb)?;
    writer.finish()?;
    io::Write::flush(&mut file)?;
    Ok(())
}

/// The path with `{}` or `{:0N}` (N digits at least, up to 20) replaced by the number. Without either, every picture
/// goes to the same file, which is then the newest.
fn numbered(path: &Path, number: u64) -> PathBuf {
    let Some(text) = path.to_str() else { return path.to_owned() };
    let mut result = String::new();
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        let (before, from) = rest.split_at(open);
        result.push_str(before);
        let Some(close) = from.find('}') else {
            rest = from;
            break;
        };
        let inside = &from[1..close];
        let digits = if inside.is_empty() { Some(0) } else { inside.strip_prefix(":0").and_then(|n| n.parse().ok()) };
        match digits {
            Some(digits) if digits <= 20 => result.push_str(&format!("{number:0digits$}")),
            _ => result.push_str(&from[..=close]),
        }
        rest = &from[close + 1..];
    }
    result.push_str(rest);
    PathBuf::from(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_goes_where_the_braces_are() {
        for (path, expected) in [
            ("frame-{}.png", "frame-42.png"),
            ("{:05}.png", "00042.png"),
            ("{:02}/{}.png", "42/42.png"),
            ("still.png", "still.png"),
            ("{name}-{}.png", "{name}-42.png"),
            ("{:099}", "{:099}"),
            ("{:0}", "{:0}"),
            ("{", "{"),
            ("a{}b{", "a42b{"),
        ] {
            assert_eq!(numbered(Path::new(path), 42), Path::new(expected), "{path}");
        }
    }
}
