//! Threads that do everything at once and respect nothing but their own references: nothing is lost, leaked or given out
//! twice, and nobody waits for ever.

mod common;

use common::*;
use ks::{AmMediaType, GetBufferFlags, KsAllocatorMode};
use ksproxy::hresult::*;
use ksproxy::interfaces::*;
use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use windows_core::Interface;

#[test]
fn s114_modes_that_change_under_who_waits_leave_nobody_waiting_and_nothing_behind() {
    for _ in 0..20 {
        let (a, witness) = watched(2, 16);
        let switching = Arc::new(AtomicBool::new(true));
        let taking: Vec<_> = (0..3)
            .map(|_| {
                let (memory, switching) = (Shared(a.memory.clone()), switching.clone());
                std::thread::spawn(move || {
                    let memory = &memory;
                    while switching.load(Ordering::SeqCst) {
                        match get_buffer(&memory.0, GetBufferFlags::empty()) {
                            Ok(sample) => fill(&sample, 1),
                            Err(error) => assert_eq!(error, VFW_E_NOT_COMMITTED),
                        }
                    }
                })
            })
            .collect();
        let switches: Vec<_> = [KsAllocatorMode::KERNEL, KsAllocatorMode::USER]
            .into_iter()
            .map(|mode| {
                let both = Shared((a.ks.clone(), a.memory.clone()));
                std::thread::spawn(move || {
                    let both = &both;
                    for _ in 0..50 {
                        // SAFETY: no pointers.
                        unsafe {
                            both.0.0.KsSetAllocatorMode(mode);
                            assert_eq!(both.0.1.Commit(), S_OK);
                        }
                    }
                })
            })
            .collect();
        switches.into_iter().for_each(|thread| thread.join().expect("no panic"));
        switching.store(false, Ordering::SeqCst);
        // Whoever waits still is sent away by this.
        // SAFETY: no pointers.
        unsafe { a.ks.KsSetAllocatorMode(KsAllocatorMode::KERNEL) };
        taking.into_iter().for_each(|thread| thread.join().expect("no panic"));
        assert_eq!(a.free(), 2);
        assert!(a.object.allocator().memory_range().is_none(), "no memory is left");
        drop(a);
        assert!(!witness.is_there());
    }
}

/// A small generator of numbers, the same each time.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// What one of many threads does that respect nothing but their own references.
fn rampage(memory: &IMemAllocatorCallbackTemp, ks: &IKsAllocatorEx, seed: u64, turns: u32) {
    let mut random = Random(seed);
    let mut samples: Vec<IMediaSample> = Vec::new();
    let mut stale: Vec<*mut c_void> = Vec::new();
    for _ in 0..turns {
        // SAFETY: every pointer is good, or a sample's, which its allocator keeps as long as this thread refers to that.
        unsafe {
            match random.below(16) {
                0..=4 => samples.extend(get_buffer(memory, GetBufferFlags::NOWAIT).ok()),
                5..=7 => {
                    if let Some(sample) = samples.pop() {
                        stale.push(sample.as_raw());
                    }
                }
                8 => samples.iter().for_each(|sample| {
                    let _ = sample.SetTime(&1, &2);
                    let _ = sample.SetSyncPoint(1);
                }),
                9 => samples.extend(samples.last().cloned()),
                10 => assert_eq!(memory.Commit(), S_OK),
                11 => assert_eq!(memory.Decommit(), S_OK),
                12 => ks.KsSetAllocatorMode(KsAllocatorMode(random.below(3) as u32)),
                13 => {
                    let frames = 1 + random.below(6) as i32;
                    let _ = memory.SetProperties(&properties(frames, 32, 16, 0), &mut properties(0, 0, 0, 0));
                }
                // Calls on samples that are not this thread's any more: only such as cannot take another's reference.
                14 => {
                    for sample in &stale {
                        let sample = IMediaSample::from_raw_borrowed(sample).expect("a sample");
                        let (mut from, mut to, mut buffer) = (0, 0, null_mut());
                        let _ = (sample.GetTime(&mut from, &mut to), sample.GetPointer(&mut buffer), sample.GetSize());
                        let _ = sample.SetPreroll(1);
                        let _ = sample.SetMediaType(&AmMediaType::default());
                    }
                    stale.clear();
                }
                _ => {
                    let mut free = -1;
                    assert_eq!(memory.GetFreeCount(&mut free), S_OK);
                    assert!(free >= 0);
                }
            }
        }
    }
}

#[test]
fn everything_at_once_from_many_threads_ends_as_it_began() {
    for round in 1..=5 {
        let (a, witness) = watched(3, 32);
        let threads: Vec<_> = (1..=4)
            .map(|thread| {
                let both = Shared((a.memory.clone(), a.ks.clone()));
                std::thread::spawn(move || {
                    let both = &both;
                    rampage(&both.0.0, &both.0.1, round * 0x9E37_79B9 + thread, 1000);
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
        a.decommit();
        // SAFETY: no pointers.
        unsafe { a.ks.KsSetAllocatorMode(KsAllocatorMode::USER) };
        a.set(properties(5, 64, 1, 0)).expect("every sample is home");
        a.commit().expect("a commit");
        let samples: Vec<_> = (0..5).map(|_| a.sample()).collect();
        let distinct: std::collections::HashSet<usize> = samples.iter().map(address).collect();
        assert_eq!((distinct.len(), a.free()), (5, 0));
        drop(samples);
        a.decommit();
        assert_eq!(references(&a.ks), 3, "it does not refer to itself");
        drop(a);
        assert!(!witness.is_there());
    }
}

#[test]
fn what_the_rust_side_does_meanwhile_breaks_nothing() {
    let a = Subject::committed(2, 32, 1, 0);
    let engine = a.object.allocator().clone();
    let taking = {
        let memory = Shared(a.memory.clone());
        std::thread::spawn(move || {
            let memory = &memory;
            for _ in 0..2000 {
                if let Ok(sample) = get_buffer(&memory.0, GetBufferFlags::NOWAIT) {
                    fill(&sample, 3);
                }
            }
        })
    };
    for frames in [1, 8, 2, 16, 3].into_iter().cycle().take(200) {
        engine.decommit();
        // Refused while a sample is out.
        let request =
            kspipe::allocator::AllocatorProperties { frames, size: u64::from(frames) * 8, alignment: 1, prefix: 0 };
        let _ = engine.set_properties(request);
        engine.commit().expect("a commit");
    }
    taking.join().expect("no panic");
    assert_eq!(engine.status().in_use, 0);
    a.decommit();
    assert_eq!(references(&a.ks), 3);
}
