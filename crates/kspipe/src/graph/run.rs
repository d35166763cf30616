//! What filters do when the graph runs.

use std::fmt;
use std::path::PathBuf;

/// How the pixels of a frame lie in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PixelFormat {
    /// 4:2:0, a plane of Y, then one of interleaved U and V.
    Nv12,
    /// 4:2:0, three planes: Y, U, V.
    I420,
    /// Three bytes a pixel: R, G, B.
    Rgb24,
}

impl PixelFormat {
    /// The formats, with the names the graph file uses.
    pub const ALL: [(&'static str, PixelFormat); 3] =
        [("nv12", PixelFormat::Nv12), ("i420", PixelFormat::I420), ("rgb24", PixelFormat::Rgb24)];

    /// Bytes of one frame; `u64::MAX` where that does not fit. 4:2:0 chroma planes of odd sizes round up.
    pub fn frame_bytes(self, width: u32, height: u32) -> u64 {
        let (width, height) = (u128::from(width), u128::from(height));
        let bytes = match self {
            PixelFormat::Nv12 | PixelFormat::I420 => width * height + 2 * width.div_ceil(2) * height.div_ceil(2),
            PixelFormat::Rgb24 => 3 * width * height,
        };
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }
}

impl fmt::Display for PixelFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = PixelFormat::ALL.iter().find(|(_, format)| format == self).map_or("", |(name, _)| name);
        f.write_str(name)
    }
}

/// Frames per second, as a fraction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rate {
    /// Frames.
    pub numerator: u32,
    /// In so many seconds; at least 1.
    pub denominator: u32,
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.numerator, self.denominator)
    }
}

/// What a filter does (`run.kind`). Paths are as written; `-` is standard input or output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Run {
    /// Source: a test picture; every frame carries its number.
    Pattern {
        /// How pixels lie.
        format: PixelFormat,
        /// Pixels a row.
        width: u32,
        /// Rows.
        height: u32,
        /// Frames per second.
        rate: Rate,
        /// Frames made before the end of the stream; `None`: until stopped.
        frames: Option<u64>,
    },
    /// Source: a YUV4MPEG2 file.
    Y4mSource {
        /// The file.
        path: PathBuf,
    },
    /// Source: frames of one size, one after the other.
    RawSource {
        /// The file.
        path: PathBuf,
        /// How pixels lie.
        format: PixelFormat,
        /// Pixels a row.
        width: u32,
        /// Rows.
        height: u32,
        /// Frames per second.
        rate: Rate,
    },
    /// Transform, in place: every byte of the picture inverted.
    Invert,
    /// Transform, by copy: NV12 or I420 to RGB24.
    Convert,
    /// Transform: keeps the newest frames, as a decoder that reorders does.
    Hold {
        /// How many it keeps.
        frames: u32,
    },
    /// One in pin, several out pins, all `pass`.
    Tee,
    /// Two or more in pins, one or more out pins: takes a frame of each in pin, and sends to each out pin that of the in
    /// pin whose route leads there. The others are given back once all is sent.
    Join,
    /// Sink: a YUV4MPEG2 file.
    Y4mSink {
        /// The file.
        path: PathBuf,
    },
    /// Sink: the frames' bytes, one after the other.
    RawSink {
        /// The file.
        path: PathBuf,
    },
    /// Sink: a picture of every so many frames.
    Png {
        /// The file's path, with `{}` or `{:05}` where the frame's number goes.
        path: PathBuf,
        /// A picture every so many frames, at least 1.
        every: u32,
    },
    /// Sink: a digest of each frame and one of all.
    Checksum {
        /// Where the digests of the frames are written, one a line; `None`: only the report has them.
        path: Option<PathBuf>,
    },
    /// Sink: nothing is done with the frames.
    Discard,
}

impl Run {
    /// The value of `run.kind`.
    pub fn kind(&self) -> &'static str {
        match self {
            Run::Pattern { .. } => "pattern",
            Run::Y4mSource { .. } | Run::Y4mSink { .. } => "y4m",
            Run::RawSource { .. } | Run::RawSink { .. } => "raw",
            Run::Invert => "invert",
            Run::Convert => "convert",
            Run::Hold { .. } => "hold",
            Run::Tee => "tee",
            Run::Join => "join",
            Run::Png { .. } => "png",
            Run::Checksum { .. } => "checksum",
            Run::Discard => "discard",
        }
    }
}
