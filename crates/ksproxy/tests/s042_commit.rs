//! Statements 42 to 58: Commit and Decommit.

mod common;

use common::*;
use ks::GetBufferFlags;
use ksproxy::hresult::*;
use std::collections::HashSet;
use windows_core::Interface;

#[test]
fn s042_to_s048_what_cannot_be_committed_is_refused_and_can_be_mended() {
    for (asked, answer) in [
        (None, VFW_E_SIZENOTSET),
        (Some(properties(1, 0, 1, 0)), VFW_E_SIZENOTSET),
        (Some(properties(0, 16, 1, 0)), VFW_E_SIZENOTSET),
        (Some(properties(-1, 16, 1, 0)), VFW_E_SIZENOTSET),
        (Some(properties(1, -16, 1, 0)), VFW_E_SIZENOTSET),
        (Some(properties(1, 16, 1, -1)), E_OUTOFMEMORY),
        (Some(properties(0x7FFF_FFFF, 0x7FFF_FFFF, 1, 0)), E_OUTOFMEMORY),
        (Some(properties(65536, 65536, 1, 0)), E_OUTOFMEMORY),
        (Some(properties(0x7FFF_FFFF, 1, 1, 0)), E_OUTOFMEMORY),
        (Some(properties(1, 0x7FFF_FFFF, 65536, 0)), E_OUTOFMEMORY),
    ] {
        let a = Subject::new();
        if let Some(asked) = asked {
            a.set(asked).unwrap();
        }
        assert_eq!(a.commit(), Err(answer), "{asked:?}");
        assert_eq!(a.object.allocator().status().bytes, 0, "{asked:?}: nothing was allocated");
        assert_eq!(a.buffer(GetBufferFlags::empty()).err(), Some(VFW_E_NOT_COMMITTED), "{asked:?}");
        assert_eq!(references(&a.ks), 3, "{asked:?}: no reference of its own");
        // Statement 58.
        a.set(properties(1, 64, 1, 0)).unwrap();
        assert_eq!(a.commit(), Ok(()), "{asked:?}");
    }
}

#[test]
fn s049_a_second_commit_changes_nothing() {
    let a = Subject::committed(2, 65536, 1, 0);
    let sample = a.sample();
    fill(&sample, 7);
    assert_eq!(a.commit(), Ok(()));
    assert!(is_all(&sample, 7));
    assert_eq!(a.free(), 1);
}

#[test]
fn s050_s051_decommit_always_succeeds() {
    let a = Subject::new();
    a.decommit();
    let a = Subject::committed(1, 16, 1, 0);
    a.decommit();
    a.decommit();
    let a = Subject::committed(1, 16, 1, 0);
    let _out = a.sample();
    a.decommit();
    a.decommit();
}

#[test]
fn s052_s053_a_sample_stays_usable_after_decommit() {
    let a = Subject::committed(2, 4096, 1, 0);
    let sample = a.sample();
    a.decommit();
    fill(&sample, 0xAB);
    assert!(is_all(&sample, 0xAB));
    assert_eq!(a.buffer(GetBufferFlags::empty()).err(), Some(VFW_E_NOT_COMMITTED));
    assert_eq!(a.buffer(GetBufferFlags::NOWAIT).err(), Some(VFW_E_NOT_COMMITTED));
}

#[test]
fn s054_s055_commit_calls_a_pending_decommit_off() {
    let a = Subject::committed(2, 4096, 1, 0);
    let sample = a.sample();
    let (before, _) = (address(&sample), fill(&sample, 9));
    a.decommit();
    assert_eq!(a.commit(), Ok(()));
    assert_eq!(address(&sample), before);
    let other = a.sample();
    assert_ne!(address(&other), before);
    drop(sample);
    assert_eq!(a.free(), 1);
    assert!(is_all(&a.sample(), 9), "the same memory, not committed anew");
}

#[test]
fn s056_s057_commit_and_decommit_again_and_again_lose_nothing() {
    let a = Subject::new();
    a.set(properties(3, 64, 1, 0)).unwrap();
    let mut control = None;
    for round in 0..1000 {
        a.commit().unwrap();
        let samples = [a.sample(), a.sample(), a.sample()];
        let distinct: HashSet<usize> = samples.iter().map(address).collect();
        assert_eq!((distinct.len(), a.free()), (3, 0), "round {round}");
        a.decommit();
        drop(samples);
        assert_eq!(a.free(), 3, "round {round}");
        let status = a.object.allocator().status();
        assert_eq!(status.bytes, 0, "round {round}: the memory is given back");
        assert_eq!(*control.get_or_insert(status.control_bytes), status.control_bytes, "round {round}");
    }
}

#[test]
fn s056_samples_are_the_same_objects_after_a_recommit_and_grow_with_the_count() {
    let a = Subject::committed(2, 64, 1, 0);
    let pointers = |samples: &[_]| -> HashSet<usize> {
        samples.iter().map(|sample: &ksproxy::interfaces::IMediaSample| sample.as_raw().addr()).collect()
    };
    let samples = [a.sample(), a.sample()];
    let first = pointers(&samples);
    a.decommit();
    drop(samples);
    a.commit().unwrap();
    let samples = [a.sample(), a.sample()];
    assert_eq!(pointers(&samples), first);
    a.decommit();
    drop(samples);
    a.set(properties(100, 32, 1, 0)).unwrap();
    a.commit().unwrap();
    let samples: Vec<_> = (0..100).map(|_| a.sample()).collect();
    assert_eq!(pointers(&samples).len(), 100);
    assert!(samples.iter().all(|sample| size(sample) == 32));
    a.decommit();
}
