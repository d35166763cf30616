//! Statements 24 to 41: SetProperties and GetProperties.

mod common;

use common::*;
use ks::AllocatorProperties;
use ksproxy::hresult::*;
use std::ptr::{null, null_mut};

#[test]
fn s024_at_first_all_is_zero() {
    assert_eq!(Subject::new().get(), Ok(AllocatorProperties::default()));
}

#[test]
fn s025_s026_null_is_refused_and_nothing_stays_locked() {
    let a = Subject::new();
    let (request, mut actual) = (properties(1, 1, 1, 0), AllocatorProperties::default());
    // SAFETY: null is what is tested.
    unsafe {
        assert_eq!(a.memory.GetProperties(null_mut()), E_POINTER);
        assert_eq!(a.memory.SetProperties(null(), &mut actual), E_POINTER);
        assert_eq!(a.memory.SetProperties(&request, null_mut()), E_POINTER);
        assert_eq!(a.memory.SetProperties(null(), null_mut()), E_POINTER);
    }
    let shared = Shared(a.memory.clone());
    std::thread::spawn(move || {
        let shared = &shared;
        // SAFETY: both structures are there.
        assert_eq!(unsafe { shared.0.SetProperties(&request, &mut actual) }, S_OK);
    })
    .join()
    .expect("another thread gets through");
}

#[test]
fn s027_s028_s029_s031_a_bad_alignment_changes_nothing() {
    let a = Subject::new();
    let before = a.set(properties(3, 64, 16, 0)).unwrap();
    for align in [0, 3, -1, 131_072, i32::MIN] {
        assert_eq!(a.set(properties(1, 1, align, 0)), Err(VFW_E_BADALIGN), "{align}");
        assert_eq!(a.get(), Ok(before), "{align}");
    }
    assert_eq!(a.set(AllocatorProperties::default()), Err(VFW_E_BADALIGN));
}

#[test]
fn s030_every_power_of_two_up_to_65536_aligns() {
    let a = Subject::new();
    for exponent in 0..=16 {
        assert_eq!(a.set(properties(1, 1, 1 << exponent, 0)).map(|actual| actual.cb_align.0), Ok(1 << exponent));
    }
}

#[test]
fn s032_s033_s034_the_size_is_rounded_and_the_rest_comes_back_as_asked() {
    let a = Subject::new();
    for (asked, actual) in [
        (properties(1, 1, 1, 0), properties(1, 1, 1, 0)),
        (properties(1, 1, 16, 1), properties(1, 15, 16, 1)),
        (properties(1, 17, 16, 0), properties(1, 32, 16, 0)),
        (properties(1, 16, 16, 16), properties(1, 16, 16, 16)),
        (properties(2, 100, 64, 10), properties(2, 118, 64, 10)),
        (properties(0, 0, 1, 0), properties(0, 0, 1, 0)),
    ] {
        assert_eq!(a.set(asked), Ok(actual), "{asked:?}");
        assert_eq!(a.get(), Ok(actual), "{asked:?}");
    }
}

#[test]
fn s035_the_request_is_not_written_to_and_may_be_the_answer_too() {
    let a = Subject::new();
    let (request, mut actual) = (properties(1, 17, 16, 0), AllocatorProperties::default());
    // SAFETY: both structures are there.
    assert_eq!(unsafe { a.memory.SetProperties(&request, &mut actual) }, S_OK);
    assert_eq!(request, properties(1, 17, 16, 0));
    let mut both = properties(1, 17, 16, 0);
    let pointer = &raw mut both;
    // SAFETY: the structure is there.
    assert_eq!(unsafe { a.memory.SetProperties(pointer, pointer) }, S_OK);
    assert_eq!(both, properties(1, 32, 16, 0));
}

#[test]
fn s036_count_and_size_are_not_looked_at_yet() {
    let a = Subject::new();
    for asked in [properties(0, 0, 1, 0), properties(-1, 16, 1, 0), properties(1, -16, 1, 0), properties(1, 1, 1, -1)] {
        assert_eq!(a.set(asked), Ok(asked));
        assert_eq!(a.get(), Ok(asked));
    }
    // After a request the engine cannot hold, an ordinary one counts again.
    assert_eq!(a.set(properties(1, 17, 16, 0)), Ok(properties(1, 32, 16, 0)));
}

#[test]
fn s037_s040_committed_properties_stay() {
    let a = Subject::committed(2, 64, 1, 0);
    assert_eq!(a.set(properties(1, 1, 1, 0)), Err(VFW_E_ALREADY_COMMITTED));
    let _out = a.sample();
    assert_eq!(a.set(properties(1, 1, 1, 0)), Err(VFW_E_ALREADY_COMMITTED));
    assert_eq!(a.set(properties(-1, -1, 1, 0)), Err(VFW_E_ALREADY_COMMITTED));
    assert_eq!(a.set(properties(1, 1, 0, 0)), Err(VFW_E_BADALIGN), "a bad argument wins");
    assert_eq!(a.get(), Ok(properties(2, 64, 1, 0)));
}

#[test]
fn s038_s039_properties_wait_for_the_samples_to_come_home() {
    let a = Subject::committed(1, 64, 1, 0);
    let sample = a.sample();
    a.decommit();
    assert_eq!(a.set(properties(2, 32, 1, 0)), Err(VFW_E_BUFFERS_OUTSTANDING));
    drop(sample);
    assert_eq!(a.set(properties(2, 32, 1, 0)), Ok(properties(2, 32, 1, 0)));
}

#[test]
fn s041_setting_properties_allocates_nothing() {
    let a = Subject::new();
    a.set(properties(16, 0x0100_0000, 4096, 0)).unwrap();
    assert_eq!(a.object.allocator().status().bytes, 0);
}
