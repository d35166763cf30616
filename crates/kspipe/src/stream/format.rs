//! What the frames at a pin hold: the media format, which travels downstream from the sources.

use crate::graph::{PixelFormat, Rate};
use std::fmt;

/// Hundred-nanosecond units in a second, the unit of Kernel Streaming's times (`KSTIME`, `REFERENCE_TIME`).
pub const UNITS_PER_SECOND: u64 = 10_000_000;

/// How the lines of a picture belong to moments in time, with the letter YUV4MPEG2 writes after `I`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Interlacing {
    /// `p`: all lines at once.
    #[default]
    Progressive,
    /// `t`: the top field first.
    TopFieldFirst,
    /// `b`: the bottom field first.
    BottomFieldFirst,
    /// `m`: stated by each frame.
    Mixed,
    /// `?`: not known.
    Unknown,
}

impl Interlacing {
    /// The values with their letters.
    pub const ALL: [(u8, Interlacing); 5] = [
        (b'p', Interlacing::Progressive),
        (b't', Interlacing::TopFieldFirst),
        (b'b', Interlacing::BottomFieldFirst),
        (b'm', Interlacing::Mixed),
        (b'?', Interlacing::Unknown),
    ];
}

/// Where the colour samples of a 4:2:0 picture lie between the grey ones. Carried from file to file; it changes no
/// byte of a picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ChromaSiting {
    /// `420jpeg`: in the middle of four.
    #[default]
    Jpeg,
    /// `420mpeg2`: on the left of four.
    Mpeg2,
    /// `420paldv`: on the top left of four.
    PalDv,
}

impl ChromaSiting {
    /// The values, with the names YUV4MPEG2 writes after `C`.
    pub const ALL: [(&'static str, ChromaSiting); 3] =
        [("420jpeg", ChromaSiting::Jpeg), ("420mpeg2", ChromaSiting::Mpeg2), ("420paldv", ChromaSiting::PalDv)];
}

/// Which values of Y, U and V are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColorRange {
    /// Y from 16 to 235, U and V from 16 to 240.
    Limited,
    /// All from 0 to 255.
    Full,
}

/// What the frames at a pin hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MediaFormat {
    /// How pixels lie in a frame.
    pub pixels: PixelFormat,
    /// Pixels a row, at least 1.
    pub width: u32,
    /// Rows, at least 1.
    pub height: u32,
    /// Frames per second, both parts at least 1.
    pub rate: Rate,
    /// The width and height of a pixel; `(0, 0)`: not known.
    pub aspect: (u32, u32),
    /// How lines belong to moments.
    pub interlacing: Interlacing,
    /// Where colour samples lie.
    pub siting: ChromaSiting,
    /// Which values are used; `None`: not stated, taken as limited.
    pub range: Option<ColorRange>,
}

/// Sizes or a rate that no frame can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// No pixels.
    #[error("a picture of {width} x {height} has no pixels")]
    Empty {
        /// Pixels a row.
        width: u32,
        /// Rows.
        height: u32,
    },
    /// More bytes than a frame may have: `ALLOCATOR_PROPERTIES` counts them in a `LONG`.
    #[error("a picture of {width} x {height} takes more than {} bytes", i32::MAX)]
    TooLarge {
        /// Pixels a row.
        width: u32,
        /// Rows.
        height: u32,
    },
    /// A part of the rate is 0.
    #[error("a rate of {rate} frames a second is none")]
    Rate {
        /// The rate.
        rate: Rate,
    },
}

impl MediaFormat {
    /// Progressive pictures with square pixels of limited range.
    ///
    /// # Errors
    /// Where the picture has no pixels or more than 2^31 - 1 bytes, or the rate has a 0.
    pub fn new(pixels: PixelFormat, width: u32, height: u32, rate: Rate) -> Result<Self, FormatError> {
        if width == 0 || height == 0 {
            return Err(FormatError::Empty { width, height });
        }
        if pixels.frame_bytes(width, height) > i32::MAX as u64 {
            return Err(FormatError::TooLarge { width, height });
        }
        if rate.numerator == 0 || rate.denominator == 0 {
            return Err(FormatError::Rate { rate });
        }
        Ok(MediaFormat {
            pixels,
            width,
            height,
            rate,
            aspect: (1, 1),
            interlacing: Interlacing::default(),
            siting: ChromaSiting::default(),
            range: Some(ColorRange::Limited),
        })
    }

    /// The same pictures with pixels that lie otherwise.
    ///
    /// # Errors
    /// Where they would take more than 2^31 - 1 bytes.
    pub fn with_pixels(self, pixels: PixelFormat) -> Result<Self, FormatError> {
        let checked = MediaFormat::new(pixels, self.width, self.height, self.rate)?;
        Ok(MediaFormat { pixels: checked.pixels, ..self })
    }

    /// Bytes of one frame.
    pub fn frame_bytes(&self) -> usize {
        // `new` is the only way to choose sizes, and it keeps this within 31 bits; a caller who changed the public
        // members afterwards gets a size that no frame has, which is reported when a frame is compared with it.
        usize::try_from(self.pixels.frame_bytes(self.width, self.height)).unwrap_or(usize::MAX)
    }

    /// When a frame begins, counted from the first, in units of 100 ns, rounded down.
    pub fn time_of(&self, frame: u64) -> u64 {
        let units = u128::from(frame) * u128::from(UNITS_PER_SECOND) * u128::from(self.rate.denominator)
            / u128::from(self.rate.numerator.max(1));
        u64::try_from(units).unwrap_or(u64::MAX)
    }

    /// The frame that is shown at a time in units of 100 ns, or, by a rounding of [`time_of`](Self::time_of), the one
    /// before it.
    pub fn frame_at(&self, time: u64) -> u64 {
        let frame = u128::from(time) * u128::from(self.rate.numerator)
            / (u128::from(UNITS_PER_SECOND) * u128::from(self.rate.denominator.max(1)));
        u64::try_from(frame).unwrap_or(u64::MAX)
    }

    /// How long a frame lasts, in units of 100 ns: until the next one begins.
    pub fn duration_of(&self, frame: u64) -> u64 {
        self.time_of(frame.saturating_add(1)) - self.time_of(frame)
    }
}

impl fmt::Display for MediaFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} x {} at {}", self.pixels, self.width, self.height, self.rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NTSC: Rate = Rate { numerator: 30000, denominator: 1001 };

    #[test]
    fn frames_of_a_fractional_rate_follow_each_other_without_gaps() {
        let format = MediaFormat::new(PixelFormat::Nv12, 16, 16, NTSC).unwrap();
        for frame in 0..100_000 {
            assert_eq!(format.time_of(frame) + format.duration_of(frame), format.time_of(frame + 1));
            assert!([frame, frame.saturating_sub(1)].contains(&format.frame_at(format.time_of(frame))));
        }
        assert_eq!(format.time_of(30_000), 1001 * UNITS_PER_SECOND);
        assert_eq!(format.time_of(u64::MAX), u64::MAX, "saturates");
        assert_eq!(format.duration_of(u64::MAX), 0);
    }

    #[test]
    fn sizes_no_frame_can_have_are_errors() {
        let make = |width, height, numerator| {
            MediaFormat::new(PixelFormat::Rgb24, width, height, Rate { numerator, denominator: 1 })
        };
        assert!(make(1, 1, 1).is_ok());
        assert_eq!(make(0, 1, 1), Err(FormatError::Empty { width: 0, height: 1 }));
        assert!(matches!(make(u32::MAX, u32::MAX, 1), Err(FormatError::TooLarge { .. })));
        assert!(matches!(make(1, 1, 0), Err(FormatError::Rate { .. })));
        // 4:2:0 fits where three bytes a pixel do not.
        let large = MediaFormat::new(PixelFormat::I420, 32_768, 32_768, NTSC).unwrap();
        assert!(matches!(large.with_pixels(PixelFormat::Rgb24), Err(FormatError::TooLarge { .. })));
    }
}
