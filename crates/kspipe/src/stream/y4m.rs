//! YUV4MPEG2: the stream header, the line before each frame, and reading pictures straight into frames.
//!
//! Our own reader, because the `y4m` crate reads each picture into a buffer of its own (a copy for every frame), takes
//! what it does not understand for 4:2:0, and cannot say at which byte a file went wrong.

use super::format::{ChromaSiting, ColorRange, FormatError, Interlacing, MediaFormat};
use crate::graph::{PixelFormat, Rate};
use std::io::{self, BufRead, Read, Write};

/// The longest header line read. The format states none; ffmpeg reads 128 bytes of the first and 80 of the others.
pub const MAX_LINE: usize = 4096;

const MAGIC: &[u8] = b"YUV4MPEG2";
const FRAME: &[u8] = b"FRAME";

/// The rate of a file that states none (as ffmpeg and mjpegtools read it).
const DEFAULT_RATE: Rate = Rate { numerator: 25, denominator: 1 };

/// Why bytes are not a YUV4MPEG2 stream, with the frame (counted from 0) and the byte (from the start of the stream).
#[derive(Debug, thiserror::Error)]
pub enum Y4mError {
    /// Reading failed.
    #[error("reading failed at byte {offset}: {source}")]
    Io {
        /// The byte that could not be read.
        offset: u64,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The stream header is wrong.
    #[error("the header is wrong at byte {offset}: {message}")]
    Header {
        /// The first byte of what is wrong.
        offset: u64,
        /// What is wrong, and what would be right.
        message: String,
    },
    /// The stream ends inside a frame.
    #[error("frame {frame} is cut off at byte {offset}: {missing} bytes of it are missing")]
    Truncated {
        /// The frame.
        frame: u64,
        /// The byte after the last.
        offset: u64,
        /// How many bytes more the frame needs at least.
        missing: u64,
    },
    /// There is something else where a frame should begin.
    #[error("frame {frame} is malformed at byte {offset}: {message}")]
    Frame {
        /// The frame.
        frame: u64,
        /// The first byte of what is wrong.
        offset: u64,
        /// What is wrong, and what would be right.
        message: String,
    },
}

/// Reads a YUV4MPEG2 stream of 4:2:0 pictures with 8 bits a sample. Keeps no picture and no list: its memory does not
/// depend on what the stream says.
#[derive(Debug)]
pub struct Y4mReader<R> {
    input: R,
    format: MediaFormat,
    offset: u64,
    frame: u64,
}

impl<R: BufRead> Y4mReader<R> {
    /// Reads the stream header.
    ///
    /// # Errors
    /// [`Y4mError::Header`] where it is not one, or of pictures that are not 4:2:0 with 8 bits; [`Y4mError::Io`].
    pub fn new(mut input: R) -> Result<Self, Y4mError> {
        let mut line = Vec::new();
        let end = read_line(&mut input, &mut line).map_err(|source| Y4mError::Io { offset: 0, source })?;
        let format = match end {
            LineEnd::Newline => parse_header(&line)?,
            _ if !line.starts_with(&MAGIC[..MAGIC.len().min(line.len())]) || line.is_empty() => {
                return Err(not_y4m());
            }
            LineEnd::Eof => return Err(header_error(line.len(), "the stream ends inside its header line")),
            LineEnd::TooLong => {
                return Err(header_error(0, format!("no line end within {MAX_LINE} bytes")));
            }
        };
        Ok(Y4mReader { input, format, offset: line.len() as u64 + 1, frame: 0 })
    }

    /// What the header says.
    pub fn format(&self) -> MediaFormat {
        self.format
    }

    /// Reads the next picture into the beginning of `frame`, which is at least
    /// [`frame_bytes`](MediaFormat::frame_bytes) long; false at the end of the stream. What was in a frame that could
    /// not be read to its end is undefined.
    ///
    /// # Errors
    /// [`Y4mError::Truncated`], [`Y4mError::Frame`] (also where `frame` is too short), [`Y4mError::Io`]. After one, the
    /// place in the stream is lost.
    pub fn read_frame(&mut self, frame: &mut [u8]) -> Result<bool, Y4mError> {
        let bytes = self.format.frame_bytes();
        let start = self.offset;
        let Some(picture) = frame.get_mut(..bytes) else {
            return Err(self.malformed(start, format!("the frame offered holds fewer than {bytes} bytes")));
        };
        let mut line = Vec::new();
        let end = read_line(&mut self.input, &mut line).map_err(|source| Y4mError::Io { offset: start, source })?;
        match end {
            LineEnd::Eof if line.is_empty() => return Ok(false),
            LineEnd::Eof if line.starts_with(FRAME) || FRAME.starts_with(&line) => {
                let missing = 1 + FRAME.len().saturating_sub(line.len()) as u64 + bytes as u64;
                return Err(Y4mError::Truncated { frame: self.frame, offset: start + line.len() as u64, missing });
            }
            LineEnd::TooLong if line.starts_with(FRAME) => {
                return Err(self.malformed(start, format!("no line end within {MAX_LINE} bytes")));
            }
            _ => {}
        }
        if line != FRAME && !line.starts_with(b"FRAME ") {
            return Err(self.malformed(start, format!("`FRAME` expected, found `{}`", excerpt(&line))));
        }
        self.offset += line.len() as u64 + 1;
        let read = read_full(&mut self.input, picture);
        self.offset += read.bytes as u64;
        match read.error {
            Some(source) => Err(Y4mError::Io { offset: self.offset, source }),
            None if read.bytes < bytes => Err(Y4mError::Truncated {
                frame: self.frame,
                offset: self.offset,
                missing: (bytes - read.bytes) as u64,
            }),
            None => {
                self.frame += 1;
                Ok(true)
            }
        }
    }

    fn malformed(&self, offset: u64, message: String) -> Y4mError {
        Y4mError::Frame { frame: self.frame, offset, message }
    }
}

/// The stream header of these pictures, line end included, as ffmpeg writes it.
///
/// # Errors
/// [`io::ErrorKind::Unsupported`] where the pictures are not 4:2:0.
pub fn write_header(format: &MediaFormat, output: &mut impl Write) -> io::Result<()> {
    if format.pixels == PixelFormat::Rgb24 {
        return Err(io::Error::new(io::ErrorKind::Unsupported, "YUV4MPEG2 has no RGB pictures"));
    }
    let interlacing = Interlacing::ALL.iter().find(|(_, value)| *value == format.interlacing).map_or(b'?', |x| x.0);
    let siting = ChromaSiting::ALL.iter().find(|(_, value)| *value == format.siting).map_or("420jpeg", |x| x.0);
    let range = match format.range {
        None => "",
        Some(ColorRange::Limited) => " XCOLORRANGE=LIMITED",
        Some(ColorRange::Full) => " XCOLORRANGE=FULL",
    };
    writeln!(
        output,
        "YUV4MPEG2 W{} H{} F{}:{} I{} A{}:{} C{siting} XYSCSS={}{range}",
        format.width,
        format.height,
        format.rate.numerator,
        format.rate.denominator,
        char::from(interlacing),
        format.aspect.0,
        format.aspect.1,
        siting.to_ascii_uppercase(),
    )
}

/// The line before each picture.
pub const FRAME_LINE: &[u8] = b"FRAME\n";

fn parse_header(line: &[u8]) -> Result<MediaFormat, Y4mError> {
    let Some(parameters) = line.strip_prefix(MAGIC) else {
        return Err(not_y4m());
    };
    if !parameters.is_empty() && parameters[0] != b' ' {
        return Err(not_y4m());
    }
    let (mut width, mut height) = (None, None);
    let mut rate = DEFAULT_RATE;
    let mut aspect = (0, 0);
    let mut interlacing = Interlacing::Unknown;
    let mut siting = ChromaSiting::default();
    let mut range = None;
    let mut offset = MAGIC.len();
    for parameter in parameters.split(|byte| *byte == b' ') {
        let at = offset;
        offset += parameter.len() + 1;
        // Two spaces in a row: nothing between them.
        let Some((tag, value)) = parameter.split_first() else { continue };
        // The first parameter begins after the space that ended the magic.
        let bad = |expected: &str| header_error(at, format!("`{}`: {expected}", excerpt(parameter)));
        match tag {
            b'W' => width = Some(number(value).ok_or_else(|| bad("a width in pixels expected, as `W320`"))?),
            b'H' => height = Some(number(value).ok_or_else(|| bad("a height in pixels expected, as `H180`"))?),
            b'F' => {
                let (numerator, denominator) =
                    ratio(value).ok_or_else(|| bad("frames per second expected as a fraction, as `F30000:1001`"))?;
                rate = match (numerator, denominator) {
                    (0, 0) => DEFAULT_RATE,
                    (0, _) | (_, 0) => return Err(bad("a rate with a 0 is none")),
                    _ => Rate { numerator, denominator },
                };
            }
            b'A' => aspect = ratio(value).ok_or_else(|| bad("a pixel's width and height expected, as `A1:1`"))?,
            b'I' => {
                let found = Interlacing::ALL.iter().find(|(letter, _)| value == [*letter]);
                interlacing = found.ok_or_else(|| bad("one of `Ip`, `It`, `Ib`, `Im`, `I?` expected"))?.1;
            }
            b'C' => siting = chroma(value).ok_or_else(|| bad("only 4:2:0 with 8 bits a sample is read"))?,
            b'X' => match value {
                b"COLORRANGE=FULL" => range = Some(ColorRange::Full),
                b"COLORRANGE=LIMITED" => range = Some(ColorRange::Limited),
                // Others are comments.
                _ => {}
            },
            _ => return Err(bad("a parameter that begins with W, H, F, I, A, C or X expected")),
        }
    }
    let width = width.ok_or_else(|| header_error(line.len(), "no width (`W`)"))?;
    let height = height.ok_or_else(|| header_error(line.len(), "no height (`H`)"))?;
    let format = MediaFormat::new(PixelFormat::I420, width, height, rate)
        .map_err(|error: FormatError| header_error(MAGIC.len(), error.to_string()))?;
    Ok(MediaFormat { aspect, interlacing, siting, range, ..format })
}

/// Any name of 8-bit 4:2:0: `420` alone is how mjpegtools first wrote `420jpeg`.
fn chroma(value: &[u8]) -> Option<ChromaSiting> {
    if value == b"420" {
        return Some(ChromaSiting::Jpeg);
    }
    ChromaSiting::ALL.iter().find(|(name, _)| value == name.as_bytes()).map(|(_, siting)| *siting)
}

fn number(text: &[u8]) -> Option<u32> {
    // `parse` takes a sign, the format does not.
    if !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

fn ratio(text: &[u8]) -> Option<(u32, u32)> {
    let colon = text.iter().position(|byte| *byte == b':')?;
    Some((number(&text[..colon])?, number(&text[colon + 1..])?))
}

fn not_y4m() -> Y4mError {
    header_error(0, "not a YUV4MPEG2 stream, which begins with `YUV4MPEG2 `")
}

fn header_error(offset: usize, message: impl Into<String>) -> Y4mError {
    Y4mError::Header { offset: offset as u64, message: message.into() }
}

/// Some of the bytes, fit for a message.
fn excerpt(bytes: &[u8]) -> String {
    const SHOWN: usize = 32;
    let shown: String = bytes.iter().take(SHOWN).flat_map(|byte| byte.escape_ascii()).map(char::from).collect();
    if bytes.len() > SHOWN { format!("{shown}...") } else { shown }
}

enum LineEnd {
    Newline,
    Eof,
    TooLong,
}

/// Appends bytes up to the line end, which is read but not kept, and at most [`MAX_LINE`] of them.
fn read_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<LineEnd> {
    let limit = MAX_LINE as u64 + 1;
    input.by_ref().take(limit).read_until(b'\n', line)?;
    Ok(match line.last() {
        Some(b'\n') => {
            line.pop();
            LineEnd::Newline
        }
        _ if line.len() as u64 == limit => LineEnd::TooLong,
        _ => LineEnd::Eof,
    })
}

/// What [`read_full`] read: `bytes` of them, then the error if there was one, else the end of the stream.
pub(crate) struct FullRead {
    pub(crate) bytes: usize,
    pub(crate) error: Option<io::Error>,
}

/// `read_exact` that says how far it came.
pub(crate) fn read_full(input: &mut impl Read, buffer: &mut [u8]) -> FullRead {
    let mut bytes = 0;
    while bytes < buffer.len() {
        match input.read(&mut buffer[bytes..]) {
            Ok(0) => break,
            Ok(read) => bytes += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return FullRead { bytes, error: Some(error) },
        }
    }
    FullRead { bytes, error: None }
}

#[cfg(test)]
mod tests;
