//! What frames hold, as a structure for C.
#![forbid(unsafe_code)]

use core::ffi::c_char;
use kspipe::graph::PixelFormat;
use kspipe::stream::MediaFormat;

/// What the frames at a pin hold: `KSP_FORMAT`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KspFormat {
    /// `Size`: the bytes of this structure.
    pub size: u32,
    /// `Width`: pixels a row.
    pub width: u32,
    /// `Height`: rows.
    pub height: u32,
    /// `RateNumerator`: frames per second, over the next.
    pub rate_numerator: u32,
    /// `RateDenominator`.
    pub rate_denominator: u32,
    /// `Reserved`: 0.
    pub reserved: u32,
    /// `FrameBytes`: the bytes of a picture.
    pub frame_bytes: u64,
    /// `Pixels`: `nv12`, `i420` or `rgb24`, as graph files have it, with zeros behind it.
    pub pixels: [c_char; 16],
}

impl KspFormat {
    /// `None` where its pixels have no name.
    pub(super) fn new(format: &MediaFormat) -> Option<Self> {
        let (name, _) = PixelFormat::ALL.into_iter().find(|(_, pixels)| *pixels == format.pixels)?;
        let mut pixels = [0; 16];
        // The last is always 0.
        for (place, byte) in pixels[..15].iter_mut().zip(name.bytes()) {
            *place = byte as c_char;
        }
        Some(Self {
            size: size_of::<Self>() as u32,
            width: format.width,
            height: format.height,
            rate_numerator: format.rate.numerator,
            rate_denominator: format.rate.denominator,
            reserved: 0,
            frame_bytes: format.frame_bytes() as u64,
            pixels,
        })
    }
}
