//! Statement 164: what an input pin asks of an allocator is what its framing says.
#![allow(non_snake_case)]

mod common;

use common::pins::*;
use common::*;
use ks::*;
use ksproxy::KsPin;
use ksproxy::hresult::*;
use ksproxy::interfaces::*;
use std::ptr::null_mut;
use windows_core::Interface;

#[test]
fn s164_the_requirements_are_those_of_the_framing() {
    for (frames, size, mask) in [(2, 4096, 63), (0, 0, 0), (7, 100, 4095), (i32::MAX as u32, i32::MAX as u32, 0)] {
        let pin = framed(KsPin::input("In"), &a_framing(frames, size, mask));
        let expected = properties(frames as i32, size as i32, mask as i32 + 1, 0);
        assert_eq!(requirements(&pin), Ok(expected));
    }
}

#[test]
fn s164_without_framing_there_are_no_requirements() {
    let pin = KsPin::input("In").build();
    assert_eq!(requirements(&pin), Err(E_NOTIMPL));
    let empty = KsAllocatorFramingEx { count_items: 0, ..a_framing(1, 1, 0) };
    assert_eq!(set(&pin, task_framing(empty), FramingProp::EX, FramingCacheOps::READ_LAST), S_OK);
    assert_eq!(requirements(&pin), Err(E_NOTIMPL), "nor without an item");
    let input: IMemInputPin = pin.interface().cast().unwrap();
    // SAFETY: null is what is tested.
    assert_eq!(unsafe { input.GetAllocatorRequirements(null_mut()) }, E_POINTER);
}

#[test]
fn s164_what_was_written_stands_over_what_was_read() {
    let pin = framed(KsPin::input("In"), &a_framing(1, 10, 0));
    let given = |option, frames| {
        assert_eq!(set(&pin, task_framing(a_framing(frames, 10, 0)), FramingProp::EX, option), S_OK);
        requirements(&pin).map(|asked| asked.c_buffers)
    };
    assert_eq!(given(FramingCacheOps::READ_ORIG, 2), Ok(1), "the last read stands over the first");
    assert_eq!(given(FramingCacheOps::READ_LAST, 3), Ok(3));
    assert_eq!(given(FramingCacheOps::WRITE, 4), Ok(4));
    assert_eq!(given(FramingCacheOps::READ_LAST, 5), Ok(4));
}

#[test]
fn s164_absurd_framings_are_answered() {
    let ask = |framing| {
        let pin = KsPin::input("In").build();
        assert_eq!(set(&pin, task_framing(framing), FramingProp::EX, FramingCacheOps::WRITE), S_OK);
        requirements(&pin)
    };
    let sound = a_framing(3, 100, 15);
    assert_eq!(ask(KsAllocatorFramingEx { count_items: u32::MAX, ..sound }), Ok(properties(3, 100, 16, 0)));
    assert_eq!(ask(a_framing(u32::MAX, 100, 15)), Err(E_OUTOFMEMORY), "no LONG");
    assert_eq!(ask(a_framing(3, u32::MAX, 15)), Err(E_OUTOFMEMORY));
    assert_eq!(ask(a_framing(3, 100, u32::MAX)), Err(E_OUTOFMEMORY));
    assert_eq!(ask(a_framing(3, 100, i32::MAX as u32)), Err(E_OUTOFMEMORY));
    let mut two_dimensional = sound;
    two_dimensional.framing_item[0].flags =
        FramingFlags::new(RequirementFlags::empty(), AllocatorFlags::TWO_D_BUFFER_REQUIRED);
    two_dimensional.framing_item[0].file_alignment = AlignmentOrPitch::from_pitch(-640);
    assert_eq!(ask(two_dimensional), Ok(properties(3, 100, 1, 0)), "a pitch is no alignment");
    let mut ranged = sound;
    ranged.framing_item[0].physical_range.min_frame_size = 300;
    assert_eq!(ask(ranged), Ok(properties(3, 300, 16, 0)), "no frame is smaller than it can be");
}
