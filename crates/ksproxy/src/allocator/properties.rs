//! `ALLOCATOR_PROPERTIES` between COM, where every number is a LONG and anything may be asked, and the engine.

use crate::hresult::*;
use ks::{AlignmentCount, AllocatorProperties};
use kspipe::allocator::{AllocatorProperties as EngineProperties, MAX_FRAMES};
use windows_core::HRESULT;

/// The largest alignment there is: the granularity in which Windows gives memory out.
const MAX_ALIGNMENT: i32 = 65536;

/// A request, as far as `SetProperties` looks into it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Request {
    /// For the engine, which rounds the size.
    Fit(EngineProperties),
    /// Kept as it is, and refused by Commit: some number is negative, or the rounded size is no LONG.
    Unfit(AllocatorProperties),
}

/// Checks the alignment, the one member `SetProperties` is strict about (statements 27 to 30, 36).
pub(super) fn request(asked: AllocatorProperties) -> Result<Request, HRESULT> {
    let AllocatorProperties { c_buffers, cb_buffer, cb_align: AlignmentCount(align), cb_prefix } = asked;
    if !(1..=MAX_ALIGNMENT).contains(&align) || !align.cast_unsigned().is_power_of_two() {
        return Err(VFW_E_BADALIGN);
    }
    let (Ok(frames), Ok(size), Ok(prefix)) =
        (u32::try_from(c_buffers), u64::try_from(cb_buffer), u64::try_from(cb_prefix))
    else {
        return Ok(Request::Unfit(asked));
    };
    let alignment = u64::from(align.cast_unsigned());
    // Three numbers below 2^31: no overflow.
    let rounded = (prefix + size).next_multiple_of(alignment) - prefix;
    if i32::try_from(rounded).is_err() {
        return Ok(Request::Unfit(asked));
    }
    Ok(Request::Fit(EngineProperties { frames, size, alignment, prefix }))
}

/// What the engine has while the properties are unfit for it: nothing it would commit.
pub(super) const PLACEHOLDER: EngineProperties = EngineProperties { frames: 0, size: 0, alignment: 1, prefix: 0 };

/// Whether the engine still has the placeholder, and was not given properties by its Rust side since.
pub(super) fn is_placeholder(properties: EngineProperties) -> bool {
    properties == PLACEHOLDER
}

/// The engine's properties as COM has them; `E_OUTOFMEMORY` where a number is no LONG.
pub(super) fn from_engine(properties: EngineProperties) -> Result<AllocatorProperties, HRESULT> {
    let long = |number: u64| i32::try_from(number).map_err(|_| E_OUTOFMEMORY);
    Ok(AllocatorProperties {
        c_buffers: long(properties.frames.into())?,
        cb_buffer: long(properties.size)?,
        cb_align: AlignmentCount(long(properties.alignment)?),
        cb_prefix: long(properties.prefix)?,
    })
}

/// What Commit answers to properties that are not for the engine (statements 45, 46).
pub(super) fn commit_error(unfit: AllocatorProperties) -> HRESULT {
    if unfit.c_buffers <= 0 || unfit.cb_buffer <= 0 { VFW_E_SIZENOTSET } else { E_OUTOFMEMORY }
}

/// The largest block a COM allocator commits, in bytes.
const MAX_BYTES: u128 = 0x7FFF_FFFF;

/// Whether Commit may try: `VFW_E_SIZENOTSET` without count or size, `E_OUTOFMEMORY` where there are more frames than
/// the engine's pools have, or more bytes than a COM allocator commits (statements 42 to 44, 47, 48).
pub(super) fn check_commit(properties: EngineProperties) -> Result<(), HRESULT> {
    let EngineProperties { frames, size, alignment, prefix } = properties;
    if frames == 0 || size == 0 {
        return Err(VFW_E_SIZENOTSET);
    }
    let stride = (u128::from(size) + u128::from(prefix)).next_multiple_of(u128::from(alignment.max(1)));
    // 2^32 frames of less than 2^66 bytes.
    if frames > MAX_FRAMES || stride * u128::from(frames) > MAX_BYTES { Err(E_OUTOFMEMORY) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(c_buffers: i32, cb_buffer: i32, cb_align: i32, cb_prefix: i32) -> AllocatorProperties {
        AllocatorProperties { c_buffers, cb_buffer, cb_align: AlignmentCount(cb_align), cb_prefix }
    }

    #[test]
    fn s27_s28_s29_only_powers_of_two_up_to_65536_align() {
        for align in [0, -1, 3, 131_072, i32::MIN, i32::MAX, 65537] {
            assert_eq!(request(asked(1, 1, align, 0)), Err(VFW_E_BADALIGN), "{align}");
        }
        for exponent in 0..=16 {
            assert!(request(asked(1, 1, 1 << exponent, 0)).is_ok(), "{exponent}");
        }
    }

    #[test]
    fn s45_s46_negative_numbers_are_kept_for_commit_to_refuse() {
        for (unfit, answer) in [
            (asked(-1, 16, 1, 0), VFW_E_SIZENOTSET),
            (asked(1, -16, 1, 0), VFW_E_SIZENOTSET),
            (asked(1, 16, 1, -1), E_OUTOFMEMORY),
            (asked(1, i32::MAX, 2, 0), E_OUTOFMEMORY),
        ] {
            assert_eq!(request(unfit), Ok(Request::Unfit(unfit)));
            assert_eq!(commit_error(unfit), answer, "{unfit:?}");
        }
    }

    #[test]
    fn s42_s43_s44_s47_s48_commit_refuses_nothing_and_too_much() {
        let properties = |frames, size, alignment, prefix| EngineProperties { frames, size, alignment, prefix };
        for (asked, answer) in [
            (properties(65536, 65536, 1, 0), Err(E_OUTOFMEMORY)),
            (properties(u32::MAX, u64::MAX, 1 << 63, u64::MAX), Err(E_OUTOFMEMORY)),
            (properties(1, 0x7FFF_FFFF, 1, 0), Ok(())),
            (properties(1, 0x7FFF_FFFF, 1, 1), Err(E_OUTOFMEMORY)),
            (properties(2, 0x4000_0000, 1, 0), Err(E_OUTOFMEMORY)),
            (properties(1 << 21, 1, 1, 0), Err(E_OUTOFMEMORY)),
            (properties(0, 0, 0, 0), Err(VFW_E_SIZENOTSET)),
            (properties(0, 16, 1, 0), Err(VFW_E_SIZENOTSET)),
            (properties(1, 0, 1, 0), Err(VFW_E_SIZENOTSET)),
        ] {
            assert_eq!(check_commit(asked), answer, "{asked:?}");
        }
    }
}
