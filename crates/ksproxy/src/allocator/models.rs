//! Models for loom: every order in which the threads of each can run, within the bound on preemptions.
//!
//! What each shows: the object is destroyed once, after its last sample is home and not before; no sample is out twice;
//! no frame is lost. The whole object runs, over the whole engine; only its reference count is the standard library's.
//!
//! `RUSTFLAGS="--cfg loom" LOOM_MAX_PREEMPTIONS=2 cargo test -p ksproxy --release --target-dir target/loom --lib models`

use super::AllocatorObject;
use crate::hresult::*;
use crate::interfaces::{IMediaSample, IMemAllocatorCallbackTemp};
use crate::{Handle, OwnedHandle};
use core::ptr::null;
use ks::{AlignmentCount, AllocatorProperties, GetBufferFlags, KsAllocatorFraming};
use ksobject::{DeviceError, ObjectAccess, Win32Error};
use kspipe::allocator::{Allocator, MemoryKind};
use loom::thread;
use std::sync::{Arc, Weak};
use windows_core::HRESULT;

/// Nobody asks for it here; the object has it as long as it is there.
struct Witness;

impl ObjectAccess for Witness {
    fn create_allocator(&self, _: Handle, _: &KsAllocatorFraming) -> Result<OwnedHandle, Win32Error> {
        Err(Win32Error::INVALID_PARAMETER)
    }
    fn device_io_control(&self, _: Handle, _: u32, _: &[u8], _: &mut [u8]) -> Result<usize, DeviceError> {
        Err(DeviceError { error: Win32Error::INVALID_PARAMETER, returned: 0 })
    }
}

/// A reference that goes from thread to thread.
#[derive(Clone)]
struct Memory(IMemAllocatorCallbackTemp);

// SAFETY: every method of an allocator is for any thread.
unsafe impl Send for Memory {}

/// A sample that goes from thread to thread.
struct Sample(IMediaSample);

// SAFETY: every method of a sample is for any thread.
unsafe impl Send for Sample {}

impl Memory {
    /// A committed allocator, and what tells whether it is still there.
    fn committed(frames: i32) -> (Self, Weak<Witness>) {
        let access = Arc::new(Witness);
        let witness = Arc::downgrade(&access);
        let object = AllocatorObject::create(Allocator::new(MemoryKind::Heap), access);
        let memory = Self(object.to_interface());
        let request =
            AllocatorProperties { c_buffers: frames, cb_buffer: 8, cb_align: AlignmentCount(1), cb_prefix: 0 };
        // SAFETY: both structures are there.
        assert_eq!(unsafe { memory.0.SetProperties(&request, &mut AllocatorProperties::default()) }, S_OK);
        memory.commit();
        // From here on every sample has a size and every frame was out: the short way is open.
        drop((0..frames).map(|_| memory.sample()).collect::<Vec<_>>());
        (memory, witness)
    }

    fn commit(&self) {
        // SAFETY: no pointers.
        assert_eq!(unsafe { self.0.Commit() }, S_OK);
    }

    fn decommit(&self) {
        // SAFETY: no pointers.
        assert_eq!(unsafe { self.0.Decommit() }, S_OK);
    }

    fn sample(&self) -> Result<Sample, HRESULT> {
        let mut sample = None;
        // SAFETY: the pointer to write to is there, and the times may be null.
        match unsafe { self.0.GetBuffer(&mut sample, null(), null(), GetBufferFlags::NOWAIT) } {
            S_OK => Ok(Sample(sample.expect("a sample"))),
            error => Err(error),
        }
    }

    fn free(&self) -> i32 {
        let mut free = -1;
        // SAFETY: the number is there.
        assert_eq!(unsafe { self.0.GetFreeCount(&mut free) }, S_OK);
        free
    }
}

fn is_destroyed(witness: &Weak<Witness>) -> bool {
    witness.strong_count() == 0
}

#[test]
fn s021_the_last_release_and_the_decommit_destroy_the_object_once() {
    loom::model(|| {
        let (memory, witness) = Memory::committed(1);
        let sample = memory.sample().unwrap();
        let other = thread::spawn(move || drop(sample));
        memory.decommit();
        drop(memory);
        other.join().unwrap();
        assert!(is_destroyed(&witness));
    });
}

#[test]
fn s021_two_last_samples_destroy_the_object_once() {
    loom::model(|| {
        let (memory, witness) = Memory::committed(2);
        let (first, second) = (memory.sample().unwrap(), memory.sample().unwrap());
        memory.decommit();
        drop(memory);
        assert!(!is_destroyed(&witness));
        let other = thread::spawn(move || drop(first));
        drop(second);
        other.join().unwrap();
        assert!(is_destroyed(&witness));
    });
}

#[test]
fn s019_a_sample_that_leaves_during_a_decommit_keeps_the_object() {
    loom::model(|| {
        let (memory, witness) = Memory::committed(1);
        let other = {
            let (memory, witness) = (memory.clone(), witness.clone());
            thread::spawn(move || {
                let sample = memory.sample();
                // The sample is all that this thread has.
                drop(memory);
                match sample {
                    Ok(sample) => {
                        assert!(!is_destroyed(&witness));
                        // SAFETY: no pointers; the sample is out.
                        assert_eq!(unsafe { sample.0.GetSize() }, 8);
                    }
                    Err(error) => assert_eq!(error, VFW_E_NOT_COMMITTED),
                }
            })
        };
        memory.decommit();
        drop(memory);
        other.join().unwrap();
        assert!(is_destroyed(&witness));
    });
}

#[test]
fn s054_s055_a_release_while_the_decommit_is_called_off_loses_nothing() {
    loom::model(|| {
        let (memory, witness) = Memory::committed(1);
        let sample = memory.sample().unwrap();
        let other = thread::spawn(move || drop(sample));
        memory.decommit();
        memory.commit();
        other.join().unwrap();
        assert_eq!(memory.free(), 1);
        drop(memory.sample().unwrap());
        memory.decommit();
        drop(memory);
        assert!(is_destroyed(&witness));
    });
}

#[test]
fn s056_a_sample_taken_around_a_decommit_and_a_commit_goes_out_once() {
    loom::model(|| {
        let (memory, witness) = Memory::committed(1);
        let other = {
            let memory = memory.clone();
            thread::spawn(move || {
                let sample = memory.sample().ok();
                let second = memory.sample();
                assert!(!(sample.is_some() && second.is_ok()), "there is one");
            })
        };
        memory.decommit();
        memory.commit();
        other.join().unwrap();
        assert_eq!(memory.free(), 1);
        memory.decommit();
        drop(memory);
        assert!(is_destroyed(&witness));
    });
}

#[test]
fn s098_what_the_last_holder_but_one_set_is_clear_in_the_next_life() {
    loom::model(|| {
        let (memory, witness) = Memory::committed(1);
        let sample = memory.sample().unwrap();
        let second = Sample(sample.0.clone());
        let other = thread::spawn(move || {
            // SAFETY: no pointers.
            assert_eq!(unsafe { second.0.SetSyncPoint(1) }, S_OK);
        });
        drop(sample);
        other.join().unwrap();
        let sample = memory.sample().unwrap();
        // SAFETY: no pointers.
        assert_eq!(unsafe { sample.0.IsSyncPoint() }, S_FALSE);
        drop(sample);
        memory.decommit();
        drop(memory);
        assert!(is_destroyed(&witness));
    });
}
