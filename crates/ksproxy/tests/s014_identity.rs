//! Statements 14 to 23: identity and lifetime.
#![allow(non_snake_case)]

mod common;

use common::*;
use ksproxy::KsAllocator;
use ksproxy::hresult::*;
use ksproxy::interfaces::*;
use std::ffi::c_void;
use std::ptr::null_mut;
use windows_core::{GUID, HRESULT, IUnknown, Interface};

fn query(interface: &impl Interface, iid: GUID) -> (HRESULT, *mut c_void) {
    let mut object = std::ptr::dangling_mut();
    // SAFETY: both pointers are good.
    let answer = unsafe { interface.query(&iid, &mut object) };
    (answer, object)
}

#[test]
fn s014_every_interface_is_answered_from_both_faces() {
    let a = Subject::new();
    for iid in
        [IUnknown::IID, IKsAllocator::IID, IKsAllocatorEx::IID, IMemAllocator::IID, IMemAllocatorCallbackTemp::IID]
    {
        for (answer, object) in [query(&a.ks, iid), query(&a.memory, iid)] {
            assert_eq!(answer, S_OK, "{iid:?}");
            // SAFETY: an interface, with the reference that was just counted.
            drop(unsafe { IUnknown::from_raw(object) });
        }
    }
}

#[test]
fn s014_an_interface_and_the_one_it_derives_from_are_one_pointer() {
    let a = Subject::new();
    let base: IKsAllocator = a.ks.cast().unwrap();
    assert_eq!(base.as_raw(), a.ks.as_raw());
    let base: IMemAllocator = a.memory.cast().unwrap();
    assert_eq!(base.as_raw(), a.memory.as_raw());
}

#[test]
fn s015_both_faces_have_one_identity() {
    let a = Subject::new();
    let (from_ks, from_memory): (IUnknown, IUnknown) = (a.ks.cast().unwrap(), a.memory.cast().unwrap());
    assert_eq!(from_ks.as_raw(), from_memory.as_raw());
}

#[test]
fn s016_an_unknown_interface_is_refused_with_null() {
    let a = Subject::new();
    for iid in [GUID::zeroed(), GUID::from_u128(0x091BB63B_603F_11D1_B067_00A0C9062802), IMediaSample::IID] {
        assert_eq!(query(&a.ks, iid), (E_NOINTERFACE, null_mut()), "{iid:?}");
        assert_eq!(query(&a.memory, iid), (E_NOINTERFACE, null_mut()), "{iid:?}");
    }
    // SAFETY: null is what is tested.
    assert_eq!(unsafe { a.ks.query(&IUnknown::IID, null_mut()) }, E_POINTER);
}

#[test]
fn s016_what_windows_core_answers_besides_is_known() {
    let a = Subject::new();
    for (name, iid, answered) in [
        ("IInspectable", 0xAF86E2E0_B12D_4C6A_9C5A_D7AA65101E90, true),
        ("IAgileObject", 0x94EA2B94_E9CC_49E0_C0FF_EE64CA8F5B90, true),
        ("IWeakReferenceSource", 0x00000038_0000_0000_C000_000000000046, true),
        ("IMarshal", 0x00000003_0000_0000_C000_000000000046, false),
    ] {
        let (answer, object) = query(&a.ks, GUID::from_u128(iid));
        assert_eq!((answer == S_OK, object.is_null()), (answered, !answered), "{name}");
        if answered {
            // SAFETY: an interface, with the reference that was just counted.
            drop(unsafe { IUnknown::from_raw(object) });
        }
    }
    assert_eq!(references(&a.ks), 3);
}

#[test]
fn s017_references_are_counted() {
    let ks: IKsAllocatorEx = KsAllocator::new().into();
    assert_eq!(add_ref_and_release(&ks), (2, 1));
}

#[test]
fn s018_s022_the_last_release_destroys_the_object_and_releases_its_client() {
    let a = Subject::new();
    let (client, counts) = Client::quiet();
    a.notify(Some(&client));
    drop(client);
    assert_eq!(counts.destroyed(), 0);
    drop(a);
    assert_eq!(counts.destroyed(), 1);
}

#[test]
fn s019_s020_a_sample_outlives_its_clients_and_a_committed_allocator_outlives_the_sample() {
    let a = Subject::committed(1, 4096, 1, 0);
    let (client, counts) = Client::quiet();
    a.notify(Some(&client));
    drop(client);
    let (sample, pointer) = (a.sample(), a.memory.as_raw());
    a.abandon();
    fill(&sample, 0x5A);
    assert!(is_all(&sample, 0x5A));
    drop(sample);
    assert_eq!((counts.notified(), counts.destroyed()), (1, 0), "it is committed, so it still exists");
    // SAFETY: it refers to itself.
    let memory = unsafe { IMemAllocatorCallbackTemp::from_raw_borrowed(&pointer) }.expect("the allocator").clone();
    // SAFETY: no pointers.
    assert_eq!(unsafe { memory.Decommit() }, S_OK);
    drop(memory);
    assert_eq!(counts.destroyed(), 1);
}

#[test]
fn s021_a_decommitted_allocator_dies_with_its_last_sample() {
    let a = Subject::committed(2, 4096, 1, 0);
    let (client, counts) = Client::quiet();
    a.notify(Some(&client));
    drop(client);
    let (first, last) = (a.sample(), a.sample());
    a.decommit();
    a.abandon();
    drop(first);
    assert_eq!(counts.destroyed(), 0);
    drop(last);
    assert_eq!((counts.notified(), counts.destroyed()), (2, 1));
}

#[test]
fn s021_a_decommit_of_home_frames_gives_the_self_reference_up_at_once() {
    let a = Subject::committed(1, 16, 1, 0);
    assert_eq!(references(&a.ks), 4, "three of ours, one of its own");
    a.commit().unwrap();
    assert_eq!(references(&a.ks), 4, "a second Commit takes none");
    a.decommit();
    assert_eq!(references(&a.ks), 3);
}

#[test]
fn s021_calling_off_a_decommit_neither_takes_nor_gives_a_reference() {
    let a = Subject::committed(1, 16, 1, 0);
    let sample = a.sample();
    a.decommit();
    assert_eq!(references(&a.ks), 4);
    a.commit().unwrap();
    assert_eq!(references(&a.ks), 4);
    drop(sample);
    assert_eq!(references(&a.ks), 4);
    a.decommit();
    assert_eq!(references(&a.ks), 3);
}

#[test]
fn s023_a_stored_handle_is_closed_with_the_object() {
    let a = Subject::new();
    let (handle, watcher) = watched_handle();
    a.object.set_handle(Some(handle));
    assert!(!is_closed(&watcher));
    drop(a);
    assert!(is_closed(&watcher));
}
