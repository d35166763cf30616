//! Statements 59 to 71: GetBuffer. (64, the processor time of a thread that waits, is the engine's, which sleeps.)

mod common;

use common::*;
use ks::GetBufferFlags;
use ksproxy::hresult::*;
use std::collections::HashSet;
use std::ptr::{null, null_mut};
use windows_core::Interface;

#[test]
fn s059_s060_no_buffer_without_commit_or_pointer() {
    let a = Subject::new();
    assert_eq!(a.buffer(GetBufferFlags::empty()).err(), Some(VFW_E_NOT_COMMITTED));
    let a = Subject::committed(1, 16, 1, 0);
    // SAFETY: null is what is tested.
    assert_eq!(unsafe { a.memory.GetBuffer(null_mut(), null(), null(), GetBufferFlags::empty()) }, E_POINTER);
    assert_eq!(a.free(), 1);
}

#[test]
fn s061_s062_samples_are_distinct_and_none_is_given_out_twice() {
    let a = Subject::committed(2, 4096, 1, 0);
    let (first, second) = (a.sample(), a.sample());
    let (low, high) = (address(&first).min(address(&second)), address(&first).max(address(&second)));
    assert!(low + 4096 <= high);
    assert_eq!((references(&first), references(&second)), (1, 1));
    assert_eq!(a.buffer(GetBufferFlags::NOWAIT).err(), Some(VFW_E_TIMEOUT));
    let every_other_bit = GetBufferFlags::from_bits_retain(u32::MAX);
    assert_eq!(a.buffer(every_other_bit).err(), Some(VFW_E_TIMEOUT));
}

#[test]
fn s063_s068_who_waits_gets_the_sample_that_comes_home() {
    for flags in [GetBufferFlags::empty(), GetBufferFlags::PREVFRAMESKIPPED | GetBufferFlags::NOTASYNCPOINT] {
        let a = Subject::committed(1, 16, 1, 0);
        let sample = a.sample();
        let expected = sample.as_raw().addr();
        let memory = Shared(a.memory.clone());
        let waiting = std::thread::spawn(move || {
            let memory = &memory;
            get_buffer(&memory.0, flags).map(|sample| sample.as_raw().addr())
        });
        a.until_waiting(1);
        drop(sample);
        assert_eq!(waiting.join().unwrap(), Ok(expected), "{flags:?}");
    }
}

/// So many threads, all waiting for a frame; what each got.
fn waiting(
    a: &Subject,
    threads: u32,
) -> Vec<std::thread::JoinHandle<Result<Shared<ksproxy::interfaces::IMediaSample>, windows_core::HRESULT>>> {
    let handles = (0..threads)
        .map(|_| {
            let memory = Shared(a.memory.clone());
            std::thread::spawn(move || {
                let memory = &memory;
                get_buffer(&memory.0, GetBufferFlags::empty()).map(Shared)
            })
        })
        .collect();
    a.until_waiting(threads);
    handles
}

#[test]
fn s065_decommit_fails_everyone_who_waits() {
    let a = Subject::committed(2, 16, 1, 0);
    let out = [a.sample(), a.sample()];
    let threads = waiting(&a, 4);
    a.decommit();
    for thread in threads {
        assert_eq!(thread.join().unwrap().err(), Some(VFW_E_NOT_COMMITTED));
    }
    drop(out);
}

#[test]
fn s066_a_commit_right_after_does_not_save_who_waited() {
    let a = Subject::committed(1, 16, 1, 0);
    let out = a.sample();
    let threads = waiting(&a, 3);
    a.decommit();
    a.commit().unwrap();
    for thread in threads {
        assert_eq!(thread.join().unwrap().err(), Some(VFW_E_NOT_COMMITTED));
    }
    drop(out);
    assert_eq!(a.free(), 1);
}

#[test]
fn s067_everyone_who_waits_gets_a_sample_of_their_own() {
    let a = Subject::committed(3, 16, 1, 0);
    let out = [a.sample(), a.sample(), a.sample()];
    let threads = waiting(&a, 3);
    drop(out);
    let got: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap().expect("a sample")).collect();
    let distinct: HashSet<usize> = got.iter().map(|sample| sample.0.as_raw().addr()).collect();
    assert_eq!(distinct.len(), 3);
}

#[test]
fn s069_the_times_given_are_not_the_samples() {
    let a = Subject::committed(1, 16, 1, 0);
    let (start, end, mut sample) = (1i64, 2i64, None);
    // SAFETY: all pointers are good.
    assert_eq!(unsafe { a.memory.GetBuffer(&mut sample, &start, &end, GetBufferFlags::empty()) }, S_OK);
    let (mut from, mut to) = (11, 22);
    // SAFETY: as above.
    let answer = unsafe { sample.expect("a sample").GetTime(&mut from, &mut to) };
    assert_eq!((answer, from, to), (VFW_E_SAMPLE_TIME_NOT_SET, 11, 22));
}

#[test]
fn s070_the_prefix_is_aligned_and_the_rest_is_size() {
    let a = Subject::committed(2, 100, 64, 10);
    for sample in [a.sample(), a.sample()] {
        assert_eq!((address(&sample) - 10) % 64, 0);
        assert_eq!(size(&sample), 118);
    }
}

#[test]
fn s071_fresh_buffers_are_zero() {
    let a = Subject::committed(4, 4096, 16, 0);
    let samples: Vec<_> = (0..4).map(|_| a.sample()).collect();
    assert!(samples.iter().all(|sample| is_all(sample, 0)));
}

#[test]
fn the_engines_frames_and_the_samples_are_one_pool() {
    let a = Subject::committed(2, 64, 1, 0);
    let engine = a.object.allocator().clone();
    let frame = engine.try_acquire().expect("a frame");
    let sample = a.sample();
    assert_eq!((a.free(), engine.status().in_use), (0, 2));
    assert_eq!(a.buffer(GetBufferFlags::NOWAIT).err(), Some(VFW_E_TIMEOUT));
    drop(frame);
    assert_eq!(a.free(), 1);
    drop(sample);
    assert_eq!(engine.status().in_use, 0);
}

#[test]
fn s049_commit_takes_over_what_the_rust_side_committed() {
    let a = Subject::new();
    let engine = a.object.allocator();
    engine
        .set_properties(kspipe::allocator::AllocatorProperties { frames: 2, size: 64, alignment: 16, prefix: 0 })
        .expect("properties");
    assert_eq!(a.get(), Ok(properties(2, 64, 16, 0)));
    engine.commit().expect("a commit");
    let frame = engine.try_acquire().expect("a frame");
    assert_eq!(a.buffer(GetBufferFlags::NOWAIT).err(), Some(VFW_E_NOT_COMMITTED), "not by this face yet");
    a.commit().unwrap();
    let sample = a.sample();
    assert_eq!((size(&sample), a.free()), (64, 0));
    drop(frame);
    drop(sample);
    a.decommit();
    assert!(!engine.status().committed);
}

#[test]
fn many_threads_share_few_samples_and_nothing_is_lost() {
    let a = Subject::committed(3, 64, 1, 0);
    let threads: Vec<_> = (0..6u8)
        .map(|thread| {
            let memory = Shared(a.memory.clone());
            std::thread::spawn(move || {
                let memory = &memory;
                for _ in 0..500 {
                    let sample = get_buffer(&memory.0, GetBufferFlags::empty()).expect("a sample");
                    fill(&sample, thread);
                    assert!(is_all(&sample, thread), "nobody else writes here");
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().expect("no thread saw another's bytes");
    }
    assert_eq!(a.free(), 3);
}
