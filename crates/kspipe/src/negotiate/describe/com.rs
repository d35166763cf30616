//! What a COM allocator can be told: `ALLOCATOR_PROPERTIES` has LONG members, and its memory is one block.

use crate::negotiate::Pipe;
use std::fmt;

/// The largest alignment: the allocation granularity of Windows.
const LARGEST_ALIGNMENT: u64 = 65536;
/// The largest LONG, and the largest block.
const LARGEST_LONG: u64 = i32::MAX as u64;

/// A plan's number does not fit the structure. COM answers `E_OUTOFMEMORY`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DoesNotFit {
    /// The member, as ksproxy.h and strmif.h spell it; for all frames together `cBuffers * (cbPrefix + cbBuffer)`.
    pub member: &'static str,
    /// The number.
    pub value: u128,
    /// The largest it could be.
    pub limit: u64,
}

impl fmt::Display for DoesNotFit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is {}; a COM allocator has room for {}", self.member, self.value, self.limit)
    }
}

impl std::error::Error for DoesNotFit {}

/// Whether a COM allocator can be told a pipe's numbers; the first that it cannot.
pub(super) fn check(pipe: &Pipe) -> Result<(), DoesNotFit> {
    fits(pipe.frames, pipe.frame_size, pipe.alignment, pipe.prefix)
}

pub(super) fn fits(frames: u64, frame_size: u64, alignment: u64, prefix: u64) -> Result<(), DoesNotFit> {
    let members = [
        ("cBuffers", frames, LARGEST_LONG),
        ("cbBuffer", frame_size, LARGEST_LONG),
        ("cbAlign", alignment, LARGEST_ALIGNMENT),
        ("cbPrefix", prefix, LARGEST_LONG),
    ];
    for (member, value, limit) in members {
        if value > limit {
            return Err(DoesNotFit { member, value: u128::from(value), limit });
        }
    }
    // Each factor is under 2^32 by now.
    let slot = (u128::from(frame_size) + u128::from(prefix)).next_multiple_of(u128::from(alignment.max(1)));
    let value = u128::from(frames) * slot;
    if value > u128::from(LARGEST_LONG) {
        return Err(DoesNotFit { member: "cBuffers * (cbPrefix + cbBuffer)", value, limit: LARGEST_LONG });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_member_without_room_is_named() {
        let long = LARGEST_LONG;
        let table = [
            ((4, 3_110_400, 4096, 0), None),
            ((1, long, 1, 0), None),
            ((1, 1, 65536, 0), None),
            ((long + 1, 1, 1, 0), Some("cBuffers")),
            ((1, long + 1, 1, 0), Some("cbBuffer")),
            ((1, 1, 131_072, 0), Some("cbAlign")),
            ((1, 1, 1, long + 1), Some("cbPrefix")),
            ((2, long, 1, 0), Some("cBuffers * (cbPrefix + cbBuffer)")),
            ((1, long, 2, 0), Some("cBuffers * (cbPrefix + cbBuffer)")),
            ((u64::MAX, u64::MAX, u64::MAX, u64::MAX), Some("cBuffers")),
        ];
        for ((frames, size, alignment, prefix), member) in table {
            let found = fits(frames, size, alignment, prefix).err().map(|error| error.member);
            assert_eq!(found, member, "{frames} frames of {size}, alignment {alignment}, prefix {prefix}");
        }
    }
}
