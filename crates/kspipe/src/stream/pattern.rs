//! The test picture: slanted bars that move by a pixel a frame, with the frame's number in the first eight bytes, so
//! that whoever gets a frame can tell whether it is the right one, and whole.

use super::format::MediaFormat;
use crate::graph::PixelFormat;

/// Bytes at the start of a picture that hold its number, least significant first.
pub const NUMBER_BYTES: usize = 8;

/// After so many pixels, and so many frames, the bars repeat.
const PERIOD: usize = 256;

/// A picture that is not the expected one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// A picture of this format has no room for its number.
    #[error("a pattern needs a picture of at least {NUMBER_BYTES} bytes, for its number; this has {bytes}")]
    TooSmall {
        /// Bytes of a picture.
        bytes: usize,
    },
    /// The bytes are no picture of this format.
    #[error("{found} bytes are not a picture of {expected}")]
    Size {
        /// The bytes given.
        found: usize,
        /// The bytes of a picture.
        expected: usize,
    },
    /// It is another frame.
    #[error("frame {found} where frame {expected} should be")]
    Number {
        /// The number in the picture.
        found: u64,
        /// The number asked for.
        expected: u64,
    },
    /// A byte is not what the pattern has there.
    #[error("frame {number}: byte {offset} is {found:#04x}, not {expected:#04x}")]
    Byte {
        /// The frame.
        number: u64,
        /// The first byte that is wrong.
        offset: usize,
        /// What it is.
        found: u8,
        /// What it should be.
        expected: u8,
    },
}

/// Makes the pictures of one format. Every row is a part of one of a few rows made beforehand, so that making a
/// picture takes as long as writing it.
#[derive(Clone, Debug)]
pub struct Pattern {
    planes: Vec<Plane>,
    bytes: usize,
}

#[derive(Clone, Debug)]
struct Plane {
    rows: usize,
    row_bytes: usize,
    /// Bytes by which a row is shifted for each row and each frame.
    unit: usize,
    /// One row and one period of it.
    source: Vec<u8>,
}

impl Plane {
    fn new(columns: u32, rows: u32, sample: impl Fn(usize) -> Vec<u8>) -> Self {
        let columns = columns as usize;
        let unit = sample(0).len();
        Plane {
            rows: rows as usize,
            row_bytes: columns * unit,
            unit,
            source: (0..columns + PERIOD).flat_map(|column| sample(column % PERIOD)).collect(),
        }
    }

    fn row(&self, number: u64, row: usize) -> &[u8] {
        // Both are below the period before they are added.
        let shift = ((number % PERIOD as u64) as usize + row % PERIOD) % PERIOD;
        &self.source[shift * self.unit..][..self.row_bytes]
    }
}

/// A wave of limited range, up and down once a period.
fn wave(position: usize) -> u8 {
    let position = position % PERIOD;
    let height = if position < PERIOD / 2 { position } else { PERIOD - position };
    // At most 16 + 1.71 * 128 = 234.
    (16 + height * 219 / (PERIOD / 2)) as u8
}

impl Pattern {
    /// The pattern for pictures of a format.
    ///
    /// # Errors
    /// [`PatternError::TooSmall`] where a picture has no room for its number.
    pub fn new(format: &MediaFormat) -> Result<Self, PatternError> {
        let bytes = format.frame_bytes();
        if bytes < NUMBER_BYTES {
            return Err(PatternError::TooSmall { bytes });
        }
        let (width, height) = (format.width, format.height);
        let (half_width, half_height) = (width.div_ceil(2), height.div_ceil(2));
        let planes = match format.pixels {
            PixelFormat::Rgb24 => {
                vec![Plane::new(width, height, |x| vec![wave(x), wave(x + PERIOD / 3), wave(x + 2 * PERIOD / 3)])]
            }
            PixelFormat::Nv12 => vec![
                Plane::new(width, height, |x| vec![wave(x)]),
                Plane::new(half_width, half_height, |x| vec![wave(x + PERIOD / 3), wave(x + 2 * PERIOD / 3)]),
            ],
            PixelFormat::I420 => vec![
                Plane::new(width, height, |x| vec![wave(x)]),
                Plane::new(half_width, half_height, |x| vec![wave(x + PERIOD / 3)]),
                Plane::new(half_width, half_height, |x| vec![wave(x + 2 * PERIOD / 3)]),
            ],
        };
        Ok(Pattern { planes, bytes })
    }

    /// The rows of picture `number`, in the order they lie, before its number is written over the first bytes.
    fn rows(&self, number: u64) -> impl Iterator<Item = &[u8]> {
        self.planes.iter().flat_map(move |plane| (0..plane.rows).map(move |row| plane.row(number, row)))
    }

    /// Writes picture `number`.
    ///
    /// # Errors
    /// [`PatternError::Size`] where `picture` is not exactly one picture long.
    pub fn fill(&self, picture: &mut [u8], number: u64) -> Result<(), PatternError> {
        self.check_size(picture.len())?;
        let mut rest = &mut *picture;
        for row in self.rows(number) {
            let (target, after) = rest.split_at_mut(row.len());
            target.copy_from_slice(row);
            rest = after;
        }
        picture[..NUMBER_BYTES].copy_from_slice(&number.to_le_bytes());
        Ok(())
    }

    /// Checks that every byte of `picture` is that of picture `number`.
    ///
    /// # Errors
    /// What is wrong with it, the number first.
    pub fn verify(&self, picture: &[u8], number: u64) -> Result<(), PatternError> {
        self.check_size(picture.len())?;
        let found = read_number(picture).unwrap_or_default();
        if found != number {
            return Err(PatternError::Number { found, expected: number });
        }
        let mut start = 0;
        for row in self.rows(number) {
            let here = &picture[start..start + row.len()];
            // The first bytes, which are the number, may reach over several rows.
            let skip = NUMBER_BYTES.saturating_sub(start).min(row.len());
            if here[skip..] != row[skip..] {
                let wrong = (skip..row.len()).find(|column| here[*column] != row[*column]).unwrap_or(skip);
                let (found, expected) = (here[wrong], row[wrong]);
                return Err(PatternError::Byte { number, offset: start + wrong, found, expected });
            }
            start += row.len();
        }
        Ok(())
    }

    fn check_size(&self, found: usize) -> Result<(), PatternError> {
        if found == self.bytes { Ok(()) } else { Err(PatternError::Size { found, expected: self.bytes }) }
    }
}

/// The number a picture carries; `None` where it is shorter than one.
pub fn read_number(picture: &[u8]) -> Option<u64> {
    picture.first_chunk::<NUMBER_BYTES>().map(|bytes| u64::from_le_bytes(*bytes))
}

/// Checks that `picture` is picture `number` of the pattern of `format`. For many pictures of one format,
/// [`Pattern::verify`] saves making the rows anew.
///
/// # Errors
/// What is wrong with it.
pub fn verify(format: &MediaFormat, picture: &[u8], number: u64) -> Result<(), PatternError> {
    Pattern::new(format)?.verify(picture, number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Rate;

    fn formats() -> Vec<MediaFormat> {
        let rate = Rate { numerator: 1, denominator: 1 };
        let sizes = [(2, 3), (3, 3), (17, 5), (300, 7), (1, 300)];
        let all = PixelFormat::ALL.iter().flat_map(|(_, pixels)| sizes.map(|(w, h)| (*pixels, w, h)));
        all.map(|(pixels, width, height)| MediaFormat::new(pixels, width, height, rate).unwrap()).collect()
    }

    #[test]
    fn a_picture_verifies_as_itself_and_as_no_other() {
        for format in formats() {
            let pattern = Pattern::new(&format).unwrap();
            let mut picture = vec![0; format.frame_bytes()];
            for number in [0, 1, 255, 256, 1_000_003, u64::MAX] {
                pattern.fill(&mut picture, number).unwrap();
                assert_eq!(read_number(&picture), Some(number));
                assert_eq!(verify(&format, &picture, number), Ok(()), "{format}");
                let other = number ^ 1;
                let error = PatternError::Number { found: number, expected: other };
                assert_eq!(pattern.verify(&picture, other), Err(error));
                // The bars of another frame under this number: torn.
                pattern.fill(&mut picture, other).unwrap();
                picture[..NUMBER_BYTES].copy_from_slice(&number.to_le_bytes());
                if picture.len() > 2 * NUMBER_BYTES {
                    assert!(matches!(pattern.verify(&picture, number), Err(PatternError::Byte { .. })), "{format}");
                }
            }
        }
    }

    #[test]
    fn any_single_wrong_byte_is_found_and_named() {
        for format in formats() {
            let pattern = Pattern::new(&format).unwrap();
            let mut picture = vec![0; format.frame_bytes()];
            pattern.fill(&mut picture, 7).unwrap();
            for offset in NUMBER_BYTES..picture.len() {
                picture[offset] ^= 0x80;
                match pattern.verify(&picture, 7) {
                    Err(PatternError::Byte { offset: found, .. }) => assert_eq!(found, offset, "{format}"),
                    other => panic!("{format} byte {offset}: {other:?}"),
                }
                picture[offset] ^= 0x80;
            }
        }
    }

    #[test]
    fn pictures_without_room_or_of_another_size_are_errors() {
        let tiny = MediaFormat::new(PixelFormat::I420, 2, 2, Rate { numerator: 1, denominator: 1 }).unwrap();
        assert_eq!(Pattern::new(&tiny).unwrap_err(), PatternError::TooSmall { bytes: 6 });
        let format = formats()[0];
        let pattern = Pattern::new(&format).unwrap();
        let expected = format.frame_bytes();
        assert_eq!(pattern.fill(&mut [0; 9], 0), Err(PatternError::Size { found: 9, expected }));
        assert_eq!(pattern.verify(&[0; 9], 0), Err(PatternError::Size { found: 9, expected }));
        assert_eq!(read_number(&[0; 7]), None);
    }
}
