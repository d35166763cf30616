//! How wide pointers are, for the structures that have them.

use crate::NtStatus;
use core::ffi::c_void;
use core::fmt::Debug;
use core::hash::Hash;

mod sealed {
    pub trait Sealed {}
}

/// The ABI a structure with pointers is laid out for: [`Native`], [`Pointer64`] (x86-64 Windows) or [`Pointer32`]
/// (i686 Windows). Closed: no other type has it.
pub trait PointerWidth: sealed::Sealed + Copy + Debug + Default + Eq + Hash + 'static {
    /// A pointer, interface pointer or `HANDLE`.
    type Pointer: Copy + Debug + Default + Eq + Hash;
    /// An integer as wide as a pointer (`ULONG_PTR`).
    type Word: Copy + Debug + Default + Eq + Hash;
    /// `KSSTREAM_HEADER.Reserved`, which only the 64-bit structure has: `[u32; 1]` or `[u32; 0]`.
    type HeaderReserved: Copy + Debug + Default + Eq + Hash;
    /// `PFNALLOCATOR_ALLOCATEFRAME`.
    type AllocateFrame: Copy + Debug + Default + Eq + Hash;
    /// `PFNALLOCATOR_FREEFRAME`.
    type FreeFrame: Copy + Debug + Default + Eq + Hash;

    /// The ULONG and the LONG that lie one after the other at the start of two words.
    fn halves(words: [Self::Word; 2]) -> (u32, i32);
    /// Two words, zero but for a ULONG and a LONG at their start.
    fn from_halves(first: u32, second: i32) -> [Self::Word; 2];
}

/// This program's own pointers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Native;

/// 32-bit addresses, as i686 Windows has them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Pointer32;

/// 64-bit addresses, as x86-64 Windows has them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Pointer64;

/// An address in a 64-bit process, aligned to 8 also where the host aligns 64-bit numbers to 4.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(C, align(8))]
pub struct Address64(pub u64);

/// `PFNALLOCATOR_ALLOCATEFRAME`: takes a frame from the allocator behind a `PFILE_OBJECT`, at once or not at all;
/// `STATUS_INSUFFICIENT_RESOURCES` and a null frame where none is free. Kernel mode only.
pub type PfnAllocatorAllocateFrame =
    unsafe extern "system" fn(file_object: *mut c_void, frame: *mut *mut c_void) -> NtStatus;

/// `PFNALLOCATOR_FREEFRAME`: gives a frame back to the allocator behind a `PFILE_OBJECT`. Kernel mode only.
pub type PfnAllocatorFreeFrame = unsafe extern "system" fn(file_object: *mut c_void, frame: *mut c_void);

impl sealed::Sealed for Native {}
impl sealed::Sealed for Pointer32 {}
impl sealed::Sealed for Pointer64 {}

impl PointerWidth for Native {
    type Pointer = *mut c_void;
    type Word = usize;
    type HeaderReserved = [u32; size_of::<usize>() / 8];
    type AllocateFrame = Option<PfnAllocatorAllocateFrame>;
    type FreeFrame = Option<PfnAllocatorFreeFrame>;

    #[cfg(target_pointer_width = "64")]
    fn halves(words: [usize; 2]) -> (u32, i32) {
        Pointer64::halves(words.map(|word| Address64(word as u64)))
    }
    #[cfg(target_pointer_width = "64")]
    fn from_halves(first: u32, second: i32) -> [usize; 2] {
        Pointer64::from_halves(first, second).map(|word| word.0 as usize)
    }
    #[cfg(target_pointer_width = "32")]
    fn halves(words: [usize; 2]) -> (u32, i32) {
        Pointer32::halves(words.map(|word| word as u32))
    }
    #[cfg(target_pointer_width = "32")]
    fn from_halves(first: u32, second: i32) -> [usize; 2] {
        Pointer32::from_halves(first, second).map(|word| word as usize)
    }
}

impl PointerWidth for Pointer32 {
    type Pointer = u32;
    type Word = u32;
    type HeaderReserved = [u32; 0];
    type AllocateFrame = u32;
    type FreeFrame = u32;

    fn halves([first, second]: [u32; 2]) -> (u32, i32) {
        (first, second.cast_signed())
    }
    fn from_halves(first: u32, second: i32) -> [u32; 2] {
        [first, second.cast_unsigned()]
    }
}

impl PointerWidth for Pointer64 {
    type Pointer = Address64;
    type Word = Address64;
    type HeaderReserved = [u32; 1];
    type AllocateFrame = Address64;
    type FreeFrame = Address64;

    // Windows is little-endian: the first half in memory is the low one.
    fn halves([word, _]: [Address64; 2]) -> (u32, i32) {
        (word.0 as u32, ((word.0 >> 32) as u32).cast_signed())
    }
    fn from_halves(first: u32, second: i32) -> [Address64; 2] {
        [Address64(u64::from(first) | u64::from(second.cast_unsigned()) << 32), Address64(0)]
    }
}
