//! Frames through `IKsAllocatorEx`, from Rust: `cargo run -p ksproxy --example iksallocatorex`.
//!
//! One allocator, two faces: it is set up and committed through the COM interfaces, and read through the engine's.

use ks::{AlignmentCount, AllocatorProperties, AllocatorPropertiesEx, GetBufferFlags, KsStreamAllocatorStatus};
use ksproxy::KsAllocator;
use ksproxy::interfaces::{IKsAllocatorEx, IMediaSample, IMemAllocator};
use std::ptr::null;
use windows_core::Interface;

fn main() -> windows_core::Result<()> {
    let object = KsAllocator::new();

    // What was negotiated for the pipe.
    object.set_properties_ex(&AllocatorPropertiesEx { memory_type: ks::KSMEMORY_TYPE_USER, ..Default::default() });

    let allocator: IKsAllocatorEx = object.interface();
    let memory: IMemAllocator = allocator.cast()?;
    let request = AllocatorProperties { c_buffers: 3, cb_buffer: 4000, cb_align: AlignmentCount(4096), cb_prefix: 0 };
    let mut actual = AllocatorProperties::default();
    // SAFETY: both structures are there.
    unsafe { memory.SetProperties(&request, &mut actual) }.ok()?;
    // SAFETY: no pointers.
    unsafe { memory.Commit() }.ok()?;

    let sample = get_buffer(&memory)?;
    let mut status = KsStreamAllocatorStatus::default();
    // SAFETY: the structure is there.
    unsafe { allocator.KsGetAllocatorStatus(&mut status) }.ok()?;
    println!(
        "{} frames of {} bytes, {} in use",
        status.framing.frames, status.framing.frame_size, status.allocated_frames
    );
    assert_eq!(object.allocator().status().in_use, 1, "the engine's own word for it");
    drop(sample);

    // A committed allocator refers to itself.
    // SAFETY: no pointers.
    unsafe { memory.Decommit() }.ok()
}

/// A sample, filled.
fn get_buffer(memory: &IMemAllocator) -> windows_core::Result<IMediaSample> {
    let (mut sample, mut buffer) = (None, std::ptr::null_mut());
    // SAFETY: the pointer is there, and null is a time not given.
    unsafe { memory.GetBuffer(&mut sample, null(), null(), GetBufferFlags::empty()) }.ok()?;
    let sample: IMediaSample = sample.ok_or(ksproxy::hresult::E_UNEXPECTED)?;
    // SAFETY: the pointer is there; the buffer is as large as GetSize says, and this is its only holder.
    unsafe {
        sample.GetPointer(&mut buffer).ok()?;
        std::slice::from_raw_parts_mut(buffer, sample.GetSize().unsigned_abs() as usize).fill(0x80);
    }
    Ok(sample)
}
