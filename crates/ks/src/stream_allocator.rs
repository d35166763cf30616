//! What the allocator object behind a handle answers: its status and its function table.

use crate::{KsAllocatorFraming, KsAllocatorFramingEx, Native, PointerWidth};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// `KSSTREAMALLOCATOR_STATUS`: the answer to `KSPROPERTY_STREAMALLOCATOR_STATUS`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct KsStreamAllocatorStatus {
    /// `Framing`: what the allocator was created with.
    pub framing: KsAllocatorFraming,
    /// `AllocatedFrames`: the frames that are out.
    pub allocated_frames: u32,
    /// `Reserved`: 0.
    pub reserved: u32,
}

/// `KSSTREAMALLOCATOR_STATUS_EX`. Only one framing item is expressible: no page says where the last two members lie
/// behind several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct KsStreamAllocatorStatusEx {
    /// `Framing`: what the allocator was created with.
    pub framing: KsAllocatorFramingEx,
    /// `AllocatedFrames`: the frames that are out.
    pub allocated_frames: u32,
    /// `Reserved`: 0.
    pub reserved: u32,
}

/// `KSSTREAMALLOCATOR_FUNCTIONTABLE`: the answer to `KSPROPERTY_STREAMALLOCATOR_FUNCTIONTABLE`, in kernel mode only.
/// Its functions may be called at DISPATCH_LEVEL and never wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct KsStreamAllocatorFunctionTableFor<P: PointerWidth> {
    /// `AllocateFrame`.
    pub allocate_frame: P::AllocateFrame,
    /// `FreeFrame`.
    pub free_frame: P::FreeFrame,
}

/// [`KsStreamAllocatorFunctionTableFor`] this program.
pub type KsStreamAllocatorFunctionTable = KsStreamAllocatorFunctionTableFor<Native>;

assert_layout!(KsStreamAllocatorStatus: 32, 4 { framing: 0, allocated_frames: 24, reserved: 28 });
assert_layout!(KsStreamAllocatorStatusEx: 120, 4 { framing: 0, allocated_frames: 112, reserved: 116 });
assert_layout_by_width!(KsStreamAllocatorFunctionTableFor: 16 | 8, 8 | 4 { allocate_frame: 0 | 0, free_frame: 8 | 4 });
