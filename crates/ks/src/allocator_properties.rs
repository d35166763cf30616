//! What an allocator is set to: `ALLOCATOR_PROPERTIES` (strmif.h), and `ALLOCATOR_PROPERTIES_EX` with the pipe it
//! describes (ksproxy.h).

use crate::{
    AlignmentCount, FramingFlags, Guid, KsCompression, KsFramingRange, KsFramingRangeWeighted, Native, PointerWidth,
};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

open_enum! {
    /// `KSALLOCATORMODE`: on which side of its handle an allocator's frames live.
    KsAllocatorMode {
        /// The proxy's own allocator, in this process.
        USER = 0, KsAllocatorMode_User;
        /// The allocator behind the handle.
        KERNEL = 1, KsAllocatorMode_Kernel;
    }

    /// `PIPE_STATE`: how far the negotiation of a pipe has come.
    PipeState {
        /// Nothing is known.
        DONT_CARE = 0, PipeState_DontCare;
        /// The frame size can still change.
        RANGE_NOT_FIXED = 1, PipeState_RangeNotFixed;
        /// The frame size is settled.
        RANGE_FIXED = 2, PipeState_RangeFixed;
        /// A compression along the pipe is not known.
        COMPRESSION_UNKNOWN = 3, PipeState_CompressionUnknown;
        /// The negotiation is over.
        FINALIZED = 4, PipeState_Finalized;
    }

    /// `PIPE_ALLOCATOR_PLACE`: which pin of a pipe allocates.
    PipeAllocatorPlace {
        /// None of them.
        NONE = 0, Pipe_Allocator_None;
        /// The first.
        FIRST_PIN = 1, Pipe_Allocator_FirstPin;
        /// The last.
        LAST_PIN = 2, Pipe_Allocator_LastPin;
        /// One between them.
        MIDDLE_PIN = 3, Pipe_Allocator_MiddlePin;
    }

    /// `KS_LogicalMemoryType`: the kind of a pipe's memory.
    KsLogicalMemoryType {
        /// Any.
        DONT_CARE = 0, KS_MemoryTypeDontCare;
        /// The kernel's paged pool.
        KERNEL_PAGED = 1, KS_MemoryTypeKernelPaged;
        /// The kernel's nonpaged pool.
        KERNEL_NON_PAGED = 2, KS_MemoryTypeKernelNonPaged;
        /// A device's memory that the host can reach.
        DEVICE_HOST_MAPPED = 3, KS_MemoryTypeDeviceHostMapped;
        /// A device's memory that only the device can reach.
        DEVICE_SPECIFIC = 4, KS_MemoryTypeDeviceSpecific;
        /// A process's memory.
        USER = 5, KS_MemoryTypeUser;
        /// Any memory of the host.
        ANY_HOST = 6, KS_MemoryTypeAnyHost;
    }
}

flags! {
    /// `AllocatorStrategy_*`: what a negotiation optimises. No bit is `AllocatorStrategy_DontCare`.
    AllocatorStrategy {
        /// As few frames as will do.
        MINIMIZE_NUMBER_OF_FRAMES = 0x1, AllocatorStrategy_MinimizeNumberOfFrames;
        /// As small frames as will do.
        MINIMIZE_FRAME_SIZE = 0x2, AllocatorStrategy_MinimizeFrameSize;
        /// As few allocators as will do.
        MINIMIZE_NUMBER_OF_ALLOCATORS = 0x4, AllocatorStrategy_MinimizeNumberOfAllocators;
        /// As few copies as will do.
        MAXIMIZE_SPEED = 0x8, AllocatorStrategy_MaximizeSpeed;
    }

    /// `PipeFactor_*`: what shaped a pipe. No bit is `PipeFactor_None`.
    PipeFactors {
        /// A user-mode filter upstream.
        USER_MODE_UPSTREAM = 0x001, PipeFactor_UserModeUpstream;
        /// A user-mode filter downstream.
        USER_MODE_DOWNSTREAM = 0x002, PipeFactor_UserModeDownstream;
        /// Memory types.
        MEMORY_TYPES = 0x004, PipeFactor_MemoryTypes;
        /// Flags.
        FLAGS = 0x008, PipeFactor_Flags;
        /// Physical ranges.
        PHYSICAL_RANGES = 0x010, PipeFactor_PhysicalRanges;
        /// Optimal ranges.
        OPTIMAL_RANGES = 0x020, PipeFactor_OptimalRanges;
        /// A compression that is known.
        FIXED_COMPRESSION = 0x040, PipeFactor_FixedCompression;
        /// A compression that is not known.
        UNKNOWN_COMPRESSION = 0x080, PipeFactor_UnknownCompression;
        /// The number of frames.
        BUFFERS = 0x100, PipeFactor_Buffers;
        /// Alignment.
        ALIGN = 0x200, PipeFactor_Align;
        /// The graph ends here.
        PHYSICAL_END = 0x400, PipeFactor_PhysicalEnd;
        /// The pipe ends here.
        LOGICAL_END = 0x800, PipeFactor_LogicalEnd;
    }
}

/// `AllocatorStrategy_DontCare`.
pub const AllocatorStrategy_DontCare: AllocatorStrategy = AllocatorStrategy::empty();

/// `PipeFactor_None`.
pub const PipeFactor_None: PipeFactors = PipeFactors::empty();

/// `ALLOCATOR_PROPERTIES`: what `IMemAllocator` is set to. Any number is representable; the allocator judges.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct AllocatorProperties {
    /// `cBuffers`: how many frames.
    pub c_buffers: i32,
    /// `cbBuffer`: bytes of one frame, without its prefix.
    pub cb_buffer: i32,
    /// `cbAlign`: what the start of a frame's prefix is aligned to.
    pub cb_align: AlignmentCount,
    /// `cbPrefix`: bytes before each frame.
    pub cb_prefix: i32,
}

/// `PIPE_DIMENSIONS`: compression along a pipe, from its first pin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct PipeDimensions {
    /// `AllocatorPin`: to the pin that allocates.
    pub allocator_pin: KsCompression,
    /// `MaxExpansionPin`: to the pin where frames are largest.
    pub max_expansion_pin: KsCompression,
    /// `EndPin`: to the last pin.
    pub end_pin: KsCompression,
}

/// `PIPE_TERMINATION`: a pipe's first or last pin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct PipeTermination {
    /// `Flags`.
    pub flags: FramingFlags,
    /// `OutsideFactors`: what beyond this end shaped the pipe.
    pub outside_factors: PipeFactors,
    /// `Weigth`: the header's spelling of weight.
    pub weigth: u32,
    /// `PhysicalRange`.
    pub physical_range: KsFramingRange,
    /// `OptimalRange`.
    pub optimal_range: KsFramingRangeWeighted,
    /// `Compression`.
    pub compression: KsCompression,
}

/// `OPTIMAL_WEIGHT_TOTALS`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C, align(8))]
pub struct OptimalWeightTotals {
    /// `MinTotalNominator`.
    pub min_total_nominator: i64,
    /// `MaxTotalNominator`.
    pub max_total_nominator: i64,
    /// `TotalDenominator`.
    pub total_denominator: i64,
}

/// `ALLOCATOR_PROPERTIES_EX`: an allocator and the pipe it serves. Its first four members are an
/// [`AllocatorProperties`].
///
/// The pointers belong to whoever filled the structure in; nobody counts a reference for being in it (statement 119).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct AllocatorPropertiesExFor<P: PointerWidth> {
    /// `cBuffers`: how many frames.
    pub c_buffers: i32,
    /// `cbBuffer`: bytes of one frame, without its prefix.
    pub cb_buffer: i32,
    /// `cbAlign`: what the start of a frame's prefix is aligned to.
    pub cb_align: AlignmentCount,
    /// `cbPrefix`: bytes before each frame.
    pub cb_prefix: i32,
    /// `MemoryType`: `KSMEMORY_TYPE_*`, or a device's own.
    pub memory_type: Guid,
    /// `BusType`.
    pub bus_type: Guid,
    /// `State`.
    pub state: PipeState,
    /// `Input`: the pipe's first pin.
    pub input: PipeTermination,
    /// `Output`: the pipe's last pin.
    pub output: PipeTermination,
    /// `Strategy`.
    pub strategy: AllocatorStrategy,
    /// `Flags`.
    pub flags: FramingFlags,
    /// `Weight`.
    pub weight: u32,
    /// `LogicalMemoryType`.
    pub logical_memory_type: KsLogicalMemoryType,
    /// `AllocatorPlace`.
    pub allocator_place: PipeAllocatorPlace,
    /// `Dimensions`.
    pub dimensions: PipeDimensions,
    /// `PhysicalRange`.
    pub physical_range: KsFramingRange,
    /// `PrevSegment`: an `IKsAllocatorEx *`, the pipe upstream, or null.
    pub prev_segment: P::Pointer,
    /// `CountNextSegments`: how many pointers [`next_segments`](Self::next_segments) points to.
    pub count_next_segments: u32,
    /// `NextSegments`: an `IKsAllocatorEx **`, the pipes downstream, or null.
    pub next_segments: P::Pointer,
    /// `InsideFactors`: what inside the pipe shaped it.
    pub inside_factors: PipeFactors,
    /// `NumberPins`.
    pub number_pins: u32,
}

/// [`AllocatorPropertiesExFor`] this program.
///
/// ```
/// use ks::{AllocatorPropertiesEx, KsLogicalMemoryType};
/// let properties = AllocatorPropertiesEx {
///     c_buffers: 4,
///     logical_memory_type: KsLogicalMemoryType::USER,
///     ..AllocatorPropertiesEx::default()
/// };
/// assert!(properties.prev_segment.is_null());
/// assert_eq!(properties.allocator_properties().c_buffers, 4);
/// ```
pub type AllocatorPropertiesEx = AllocatorPropertiesExFor<Native>;

impl<P: PointerWidth> AllocatorPropertiesExFor<P> {
    /// The first four members.
    pub const fn allocator_properties(&self) -> AllocatorProperties {
        AllocatorProperties {
            c_buffers: self.c_buffers,
            cb_buffer: self.cb_buffer,
            cb_align: self.cb_align,
            cb_prefix: self.cb_prefix,
        }
    }
    /// Sets the first four members.
    pub const fn set_allocator_properties(&mut self, properties: AllocatorProperties) {
        self.c_buffers = properties.c_buffers;
        self.cb_buffer = properties.cb_buffer;
        self.cb_align = properties.cb_align;
        self.cb_prefix = properties.cb_prefix;
    }
}

assert_layout!(AllocatorProperties: 16, 4 { c_buffers: 0, cb_buffer: 4, cb_align: 8, cb_prefix: 12 });
assert_layout!(PipeDimensions: 36, 4 { allocator_pin: 0, max_expansion_pin: 12, end_pin: 24 });
assert_layout!(PipeTermination: 56, 4 {
    flags: 0, outside_factors: 4, weigth: 8, physical_range: 12, optimal_range: 24, compression: 44,
});
assert_layout!(OptimalWeightTotals: 24, 8 { min_total_nominator: 0, max_total_nominator: 8, total_denominator: 16 });
assert_layout_by_width!(AllocatorPropertiesExFor: 264 | 252, 8 | 4 {
    c_buffers: 0 | 0, cb_buffer: 4 | 4, cb_align: 8 | 8, cb_prefix: 12 | 12, memory_type: 16 | 16, bus_type: 32 | 32,
    state: 48 | 48, input: 52 | 52, output: 108 | 108, strategy: 164 | 164, flags: 168 | 168, weight: 172 | 172,
    logical_memory_type: 176 | 176, allocator_place: 180 | 180, dimensions: 184 | 184, physical_range: 220 | 220,
    prev_segment: 232 | 232, count_next_segments: 240 | 236, next_segments: 248 | 240, inside_factors: 256 | 244,
    number_pins: 260 | 248,
});
