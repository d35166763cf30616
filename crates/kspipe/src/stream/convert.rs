//! 4:2:0 to RGB, by Microsoft's integer formula for BT.601 ("Recommended 8-Bit YUV Formats for Video Rendering",
//! "Converting 8-bit YUV to RGB888").
//!
//! Limited range, with `C = Y - 16`, `D = U - 128`, `E = V - 128`:
//!
//! ```text
//! R = clip((298 C           + 409 E + 128) >> 8)
//! G = clip((298 C - 100 D   - 208 E + 128) >> 8)
//! B = clip((298 C + 516 D           + 128) >> 8)
//! ```
//!
//! Full range, with `C = Y`: the factors of JPEG's formula times 256, rounded: 256 for C, 359, -88, -183, 454. The four
//! pixels (or fewer, at an odd edge) that share a colour sample get it as it is. The result is the same on every
//! machine, which is why this is not the `yuv` crate: its result depends on the instructions the processor has.

use super::format::{ColorRange, MediaFormat};
use super::planes::{Chroma, Planes};
use crate::graph::PixelFormat;

/// The pictures given do not fit each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConvertError {
    /// The picture to be converted is not 4:2:0.
    #[error("only 4:2:0 pictures are converted, not {0}")]
    Format(PixelFormat),
    /// A picture has another size than its format says.
    #[error("{found} bytes are not a picture of {expected}")]
    Size {
        /// The bytes given.
        found: usize,
        /// The bytes of such a picture.
        expected: usize,
    },
}

/// Factors of 1/256.
struct Factors {
    black: i32,
    y: i32,
    v_to_r: i32,
    u_to_g: i32,
    v_to_g: i32,
    u_to_b: i32,
}

const LIMITED: Factors = Factors { black: 16, y: 298, v_to_r: 409, u_to_g: -100, v_to_g: -208, u_to_b: 516 };
const FULL: Factors = Factors { black: 0, y: 256, v_to_r: 359, u_to_g: -88, v_to_g: -183, u_to_b: 454 };

impl Factors {
    /// What the colours add to red, green and blue, with the half that rounds.
    fn colours(&self, u: u8, v: u8) -> [i32; 3] {
        let (d, e) = (i32::from(u) - 128, i32::from(v) - 128);
        [self.v_to_r * e + 128, self.u_to_g * d + self.v_to_g * e + 128, self.u_to_b * d + 128]
    }

    fn pixel(&self, y: u8, colours: [i32; 3]) -> [u8; 3] {
        let grey = self.y * (i32::from(y) - self.black);
        // `clamp` leaves 0 to 255, which a byte holds.
        colours.map(|colour| ((grey + colour) >> 8).clamp(0, 255) as u8)
    }
}

/// Converts one NV12 or I420 picture of `format` to RGB24, row after row without gaps.
///
/// # Errors
/// Where `format` is not 4:2:0, or `picture` or `rgb` is not exactly one picture long.
pub fn to_rgb24(format: &MediaFormat, picture: &[u8], rgb: &mut [u8]) -> Result<(), ConvertError> {
    if format.pixels == PixelFormat::Rgb24 {
        return Err(ConvertError::Format(format.pixels));
    }
    let (width, chroma_width) = (format.width as usize, format.width.div_ceil(2) as usize);
    let expected = width.saturating_mul(format.height as usize).saturating_mul(3);
    if rgb.len() != expected {
        return Err(ConvertError::Size { found: rgb.len(), expected });
    }
    let Some(Planes { y, chroma }) = Planes::of(format, picture) else {
        return Err(ConvertError::Size { found: picture.len(), expected: format.frame_bytes() });
    };
    let factors = match format.range {
        Some(ColorRange::Full) => &FULL,
        Some(ColorRange::Limited) | None => &LIMITED,
    };
    for (number, (y, rgb)) in y.chunks_exact(width).zip(rgb.chunks_exact_mut(3 * width)).enumerate() {
        let row = number / 2;
        match chroma {
            Chroma::Interleaved(pairs) => {
                let pairs = &pairs[2 * chroma_width * row..2 * chroma_width * (row + 1)];
                convert_row(factors, y, pairs.chunks_exact(2).map(|pair| (pair[0], pair[1])), rgb);
            }
            Chroma::Separate(u, v) => {
                let samples = chroma_width * row..chroma_width * (row + 1);
                let pairs = u[samples.clone()].iter().copied().zip(v[samples].iter().copied());
                convert_row(factors, y, pairs, rgb);
            }
        }
    }
    Ok(())
}

fn convert_row(factors: &Factors, y: &[u8], chroma: impl Iterator<Item = (u8, u8)>, rgb: &mut [u8]) {
    for ((y, rgb), (u, v)) in y.chunks(2).zip(rgb.chunks_mut(6)).zip(chroma) {
        let colours = factors.colours(u, v);
        for (y, rgb) in y.iter().zip(rgb.chunks_exact_mut(3)) {
            rgb.copy_from_slice(&factors.pixel(*y, colours));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Rate;

    fn format(pixels: PixelFormat, width: u32, height: u32, range: ColorRange) -> MediaFormat {
        let format = MediaFormat::new(pixels, width, height, Rate { numerator: 1, denominator: 1 }).unwrap();
        MediaFormat { range: Some(range), ..format }
    }

    #[test]
    fn known_colours_come_out_as_bt_601_has_them() {
        // (Y, U, V) of the colour bars, and what they are.
        let limited = [
            ((16, 128, 128), [0, 0, 0]),
            ((235, 128, 128), [255, 255, 255]),
            ((81, 90, 240), [255, 0, 0]),
            ((145, 54, 34), [0, 255, 1]),
            ((41, 240, 110), [0, 0, 255]),
            ((0, 128, 128), [0, 0, 0]),
            ((255, 128, 128), [255, 255, 255]),
        ];
        let full = [((0, 128, 128), [0, 0, 0]), ((255, 128, 128), [255, 255, 255]), ((76, 85, 255), [254, 0, 0])];
        for (range, cases) in [(ColorRange::Limited, &limited[..]), (ColorRange::Full, &full[..])] {
            for ((y, u, v), expected) in cases {
                let mut rgb = [0; 3];
                let one = format(PixelFormat::I420, 1, 1, range);
                to_rgb24(&one, &[*y, *u, *v], &mut rgb).unwrap();
                assert_eq!(rgb, *expected, "{range:?} {y} {u} {v}");
            }
        }
    }

    #[test]
    fn every_pixel_of_an_odd_picture_takes_the_colour_of_its_square() {
        // 3 x 3: the right and the bottom edge have colour samples of their own.
        let y = [50u8, 60, 70, 80, 90, 100, 110, 120, 130];
        let (u, v) = ([100u8, 110, 120, 130], [140u8, 150, 160, 170]);
        let i420: Vec<u8> = [&y[..], &u, &v].concat();
        let nv12: Vec<u8> = y.iter().copied().chain(u.iter().zip(&v).flat_map(|(u, v)| [*u, *v])).collect();
        let mut results = Vec::new();
        for (pixels, picture) in [(PixelFormat::I420, &i420), (PixelFormat::Nv12, &nv12)] {
            let mut rgb = vec![0; 27];
            to_rgb24(&format(pixels, 3, 3, ColorRange::Limited), picture, &mut rgb).unwrap();
            for (pixel, rgb) in rgb.chunks(3).enumerate() {
                let (column, row) = (pixel % 3, pixel / 3);
                let sample = (row / 2) * 2 + column / 2;
                let (c, d, e) =
                    (f64::from(y[pixel]) - 16.0, f64::from(u[sample]) - 128.0, f64::from(v[sample]) - 128.0);
                // The real numbers behind the integers: no more than one step apart.
                let exact = [1.164 * c + 1.596 * e, 1.164 * c - 0.391 * d - 0.813 * e, 1.164 * c + 2.018 * d];
                for (found, exact) in rgb.iter().zip(exact) {
                    assert!((f64::from(*found) - exact.clamp(0.0, 255.0)).abs() <= 1.0, "{pixel}: {found} {exact}");
                }
            }
            results.push(rgb);
        }
        assert_eq!(results[0], results[1]);
    }

    #[test]
    fn pictures_that_do_not_fit_are_errors() {
        let i420 = format(PixelFormat::I420, 2, 2, ColorRange::Limited);
        assert_eq!(to_rgb24(&i420, &[0; 5], &mut [0; 12]), Err(ConvertError::Size { found: 5, expected: 6 }));
        assert_eq!(to_rgb24(&i420, &[0; 6], &mut [0; 11]), Err(ConvertError::Size { found: 11, expected: 12 }));
        let rgb = format(PixelFormat::Rgb24, 2, 2, ColorRange::Limited);
        assert_eq!(to_rgb24(&rgb, &[0; 12], &mut [0; 12]), Err(ConvertError::Format(PixelFormat::Rgb24)));
    }
}
