//! What the tests of pins share: new pins, and framings given to them and taken from them.

use super::{properties, result, task_allocate};
use ks::*;
use ksproxy::hresult::*;
use ksproxy::interfaces::*;
use ksproxy::{KsPin, KsPinBuilder};
use windows_core::{HRESULT, Interface};
use zerocopy::IntoBytes;

/// A new pin of each class.
pub fn both() -> [KsPin; 2] {
    [KsPin::input("In").build(), KsPin::output("Out").build()]
}

pub fn a_framing(frames: u32, size: u32, mask: u32) -> KsAllocatorFramingEx {
    KsAllocatorFramingEx::simple(KSMEMORY_TYPE_USER, FramingFlags(0), frames, AlignmentMask(mask), size, size)
}

/// A pin with a framing, as its driver answered it.
pub fn framed(builder: KsPinBuilder, framing: &KsAllocatorFramingEx) -> KsPin {
    builder.framing(FramingEx::parse(framing.as_bytes()).expect("a framing")).build()
}

/// A framing in task memory, to be given to a pin.
pub fn task_framing(framing: KsAllocatorFramingEx) -> *mut KsAllocatorFramingEx {
    let memory = task_allocate(size_of::<KsAllocatorFramingEx>()).cast::<KsAllocatorFramingEx>();
    // SAFETY: the memory is new and large enough.
    unsafe { memory.write(framing) };
    memory
}

pub fn get(pin: &KsPin, option: FramingCacheOps) -> (HRESULT, *mut KsAllocatorFramingEx, FramingProp) {
    let (mut framing, mut property) = (std::ptr::dangling_mut(), FramingProp(77));
    // SAFETY: both places are there.
    let answer = unsafe { pin.pipe_interface().KsGetPinFramingCache(&mut framing, &mut property, option) };
    (answer, framing, property)
}

pub fn set(
    pin: &KsPin,
    framing: *mut KsAllocatorFramingEx,
    mut property: FramingProp,
    option: FramingCacheOps,
) -> HRESULT {
    // SAFETY: null or task memory that is the test's to give.
    unsafe { pin.pipe_interface().KsSetPinFramingCache(framing, &mut property, option) }
}

/// What an input pin asks of an allocator.
pub fn requirements(pin: &KsPin) -> Result<AllocatorProperties, HRESULT> {
    let input: IMemInputPin = pin.interface().cast().expect("an input pin");
    let mut asked = properties(-7, -7, -7, -7);
    // SAFETY: the structure is there.
    let answer = unsafe { input.GetAllocatorRequirements(&mut asked) };
    assert!(answer == S_OK || asked == properties(-7, -7, -7, -7), "a failure writes nothing");
    result(answer).map(|()| asked)
}
