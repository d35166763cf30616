//! Where the planes of a picture lie.

use super::format::MediaFormat;
use crate::graph::PixelFormat;

/// The planes of a 4:2:0 picture.
#[derive(Clone, Copy, Debug)]
pub(super) struct Planes<'a> {
    /// Width x height bytes.
    pub(super) y: &'a [u8],
    /// The colour samples.
    pub(super) chroma: Chroma<'a>,
}

/// The colour samples of a 4:2:0 picture, half as many a row and half as many rows as pixels, rounded up.
#[derive(Clone, Copy, Debug)]
pub(super) enum Chroma<'a> {
    /// U, V, U, V, ...
    Interleaved(&'a [u8]),
    /// All U; all V.
    Separate(&'a [u8], &'a [u8]),
}

impl<'a> Planes<'a> {
    /// The planes of `picture`, or `None` where the format has no planes or the picture is not of its size.
    pub(super) fn of(format: &MediaFormat, picture: &'a [u8]) -> Option<Self> {
        if picture.len() != format.frame_bytes() {
            return None;
        }
        let (y, chroma) = picture.split_at_checked(format.width as usize * format.height as usize)?;
        let chroma = match format.pixels {
            PixelFormat::Nv12 => Chroma::Interleaved(chroma),
            PixelFormat::I420 => {
                let (u, v) = chroma.split_at_checked(chroma.len() / 2)?;
                Chroma::Separate(u, v)
            }
            PixelFormat::Rgb24 => return None,
        };
        Some(Planes { y, chroma })
    }
}

/// Hands the bytes of a picture to `take` as they lie in an I420 picture (Y, U, V), which is how YUV4MPEG2 and ffmpeg's
/// yuv420p have them. NV12's colours are taken apart a few kilobytes at a time; every other picture goes as it is.
pub(super) fn each_planar_part<E>(
    format: &MediaFormat,
    picture: &[u8],
    mut take: impl FnMut(&[u8]) -> Result<(), E>,
) -> Result<(), E> {
    let Some(Planes { y, chroma: Chroma::Interleaved(pairs) }) = Planes::of(format, picture) else {
        return take(picture);
    };
    take(y)?;
    let mut part = [0; 4096];
    for which in 0..2 {
        for pairs in pairs.chunks(2 * part.len()) {
            let samples = pairs.len() / 2;
            for (sample, pair) in part.iter_mut().zip(pairs.chunks_exact(2)) {
                *sample = pair[which];
            }
            take(&part[..samples])?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Rate;
    use std::convert::Infallible;

    #[test]
    fn the_same_picture_in_nv12_and_i420_has_the_same_planar_bytes() {
        // Odd sizes, and more colour samples than one part holds.
        for (width, height) in [(1, 1), (3, 5), (101, 103), (256, 256)] {
            let rate = Rate { numerator: 1, denominator: 1 };
            let planar = MediaFormat::new(PixelFormat::I420, width, height, rate).unwrap();
            let nv12 = planar.with_pixels(PixelFormat::Nv12).unwrap();
            let picture: Vec<u8> = (0..planar.frame_bytes()).map(|byte| (byte * 7 % 251) as u8).collect();
            let (y, chroma) = picture.split_at((width * height) as usize);
            let (u, v) = chroma.split_at(chroma.len() / 2);
            let interleaved = u.iter().zip(v).flat_map(|(u, v)| [*u, *v]);
            let other: Vec<u8> = y.iter().copied().chain(interleaved).collect();
            for (format, picture) in [(planar, &picture), (nv12, &other)] {
                let mut parts = Vec::new();
                let Ok(()) = each_planar_part::<Infallible>(&format, picture, |part| {
                    parts.extend_from_slice(part);
                    Ok(())
                });
                assert!(parts == *y.iter().chain(u).chain(v).copied().collect::<Vec<u8>>(), "{format}");
            }
        }
    }
}
