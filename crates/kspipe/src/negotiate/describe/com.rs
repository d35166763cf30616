//! What a COM allocator can be told: `ALLOCATOR_PROPERTIES` has LONG members, and its memory is one block.

use super::{PipeProperties, Termination};
use crate::graph::{Compression, FrameRange, Strategy};
use crate::negotiate::{AllocatorPlace, Pipe};
use ks::{
    AlignmentCount, AllocatorPropertiesEx, AllocatorStrategy, FramingFlags, KsCompression, KsFramingRange,
    KsFramingRangeWeighted, PipeAllocatorPlace, PipeDimensions, PipeTermination,
};
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

impl PipeProperties {
    /// The header's structure. `PrevSegment` and `NextSegments` are null and `CountNextSegments` is 0: they point to
    /// allocators, which only whoever makes those can fill in, from [`previous`](Self::previous) and
    /// [`next`](Self::next).
    ///
    /// # Errors
    /// Where a number does not fit the structure, or all frames do not fit one block (`E_OUTOFMEMORY`).
    pub fn to_ks(&self) -> Result<AllocatorPropertiesEx, DoesNotFit> {
        fits(self.frames, self.frame_size, self.alignment, self.prefix)?;
        let number_pins = u32::try_from(self.number_pins).map_err(|_| DoesNotFit {
            member: "NumberPins",
            value: self.number_pins as u128,
            limit: u64::from(u32::MAX),
        })?;
        // Sizes a frame cannot have here any more are cut off: they bound nothing.
        let size = |size: u64| u32::try_from(size).unwrap_or(u32::MAX);
        Ok(AllocatorPropertiesEx {
            c_buffers: long("cBuffers", self.frames)?,
            cb_buffer: long("cbBuffer", self.frame_size)?,
            cb_align: AlignmentCount(long("cbAlign", self.alignment)?),
            cb_prefix: long("cbPrefix", self.prefix)?,
            memory_type: self.memory_type,
            bus_type: self.bus_type,
            state: self.state,
            input: self.input.to_ks(),
            output: self.output.to_ks(),
            strategy: strategy(self.strategy),
            flags: FramingFlags::from(self.flags),
            weight: self.weight,
            logical_memory_type: self.logical_memory_type,
            allocator_place: place(self.allocator_place),
            dimensions: PipeDimensions {
                allocator_pin: compression(self.dimensions.allocator_pin),
                max_expansion_pin: compression(self.dimensions.max_expansion_pin),
                end_pin: compression(self.dimensions.end_pin),
            },
            physical_range: KsFramingRange {
                min_frame_size: size(self.physical_range.min),
                max_frame_size: size(self.physical_range.max),
                stepping: size(self.physical_range.step),
            },
            inside_factors: self.inside_factors,
            number_pins,
            ..AllocatorPropertiesEx::default()
        })
    }
}

impl Termination {
    /// The header's structure; nothing in it can fail to fit.
    pub fn to_ks(&self) -> PipeTermination {
        PipeTermination {
            flags: FramingFlags::new(self.requirements, self.flags),
            outside_factors: self.outside_factors,
            weigth: self.weight,
            physical_range: range(self.physical_range),
            optimal_range: KsFramingRangeWeighted { range: range(self.optimal_range), ..Default::default() },
            compression: compression(self.compression),
        }
    }
}

fn long(member: &'static str, value: u64) -> Result<i32, DoesNotFit> {
    i32::try_from(value).map_err(|_| DoesNotFit { member, value: u128::from(value), limit: LARGEST_LONG })
}

fn range(range: FrameRange) -> KsFramingRange {
    KsFramingRange { min_frame_size: range.min, max_frame_size: range.max, stepping: range.step }
}

fn compression(compression: Compression) -> KsCompression {
    KsCompression {
        ratio_numerator: compression.numerator,
        ratio_denominator: compression.denominator,
        ratio_constant_margin: compression.margin,
    }
}

fn strategy(strategy: Strategy) -> AllocatorStrategy {
    match strategy {
        Strategy::MinimizeFrames => AllocatorStrategy::MINIMIZE_NUMBER_OF_FRAMES,
        Strategy::MinimizeFrameSize => AllocatorStrategy::MINIMIZE_FRAME_SIZE,
        Strategy::MinimizeAllocators => AllocatorStrategy::MINIMIZE_NUMBER_OF_ALLOCATORS,
        Strategy::MaximizeSpeed => AllocatorStrategy::MAXIMIZE_SPEED,
    }
}

fn place(place: AllocatorPlace) -> PipeAllocatorPlace {
    match place {
        AllocatorPlace::None => PipeAllocatorPlace::NONE,
        AllocatorPlace::FirstPin => PipeAllocatorPlace::FIRST_PIN,
        AllocatorPlace::LastPin => PipeAllocatorPlace::LAST_PIN,
        AllocatorPlace::MiddlePin => PipeAllocatorPlace::MIDDLE_PIN,
    }
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
