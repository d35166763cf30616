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

/// What a library or the system asks objects for behind their user's back.
const ASKED_BEHIND_THE_SCENES: [(&str, u128); 10] = [
    ("IInspectable", 0xAF86E2E0_B12D_4C6A_9C5A_D7AA65101E90),
    ("IAgileObject", 0x94EA2B94_E9CC_49E0_C0FF_EE64CA8F5B90),
    ("IMarshal", 0x00000003_0000_0000_C000_000000000046),
    ("IMarshal2", 0x000001CF_0000_0000_C000_000000000046),
    ("INoMarshal", 0xECC8691B_C1DB_4DC0_855E_65F6C551AF49),
    ("IStdMarshalInfo", 0x00000018_0000_0000_C000_000000000046),
    ("IWeakReferenceSource", 0x00000038_0000_0000_C000_000000000046),
    ("IProvideClassInfo", 0xB196B283_BAB4_101A_B69C_00AA00341D07),
    ("IDispatch", 0x00020400_0000_0000_C000_000000000046),
    // windows_core's own, by which it finds the Rust object behind an interface. It writes two pointers.
    ("DYNAMIC_CAST_IID", 0xAE49D5CB_143F_431C_874C_2729336E4ECA),
];

#[test]
fn s016_an_allocator_is_nothing_but_its_five_interfaces() {
    let a = Subject::new();
    for (name, iid) in ASKED_BEHIND_THE_SCENES {
        assert_refused(name, &a.ks, GUID::from_u128(iid));
        assert_refused(name, &a.memory, GUID::from_u128(iid));
        let unknown: IUnknown = a.ks.cast().unwrap();
        assert_refused(name, &unknown, GUID::from_u128(iid));
    }
    assert_refused("IKsPin", &a.ks, IKsPin::IID);
    assert_eq!(references(&a.ks), 3, "a refused question takes no reference");
}

#[test]
fn s016_a_sample_is_nothing_but_a_sample() {
    let a = Subject::committed(1, 16, 1, 0);
    let sample = a.sample();
    for (name, iid) in ASKED_BEHIND_THE_SCENES {
        assert_refused(name, &sample, GUID::from_u128(iid));
    }
    for (name, iid) in [("IMemAllocator", IMemAllocator::IID), ("IKsAllocatorEx", IKsAllocatorEx::IID)] {
        assert_refused(name, &sample, iid);
    }
    assert_eq!(references(&sample), 1);
    let unknown: IUnknown = sample.cast().unwrap();
    let second: IMediaSample2 = sample.cast().unwrap();
    assert_eq!((unknown.as_raw(), second.as_raw()), (sample.as_raw(), sample.as_raw()), "one identity");
}

/// `E_NOINTERFACE`, one null, and nothing written behind it.
fn assert_refused(name: &str, interface: &impl Interface, iid: GUID) {
    let mut objects = [std::ptr::dangling_mut::<c_void>(); 2];
    // SAFETY: both pointers are good.
    let answer = unsafe { interface.query(&iid, objects.as_mut_ptr()) };
    assert_eq!(answer, E_NOINTERFACE, "{name}");
    assert_eq!(objects, [null_mut(), std::ptr::dangling_mut()], "{name}");
}

#[test]
fn s014_null_pointers_are_refused_on_every_face() {
    let a = Subject::committed(1, 16, 1, 0);
    let sample = a.sample();
    for interface in [a.ks.as_raw(), a.memory.as_raw(), sample.as_raw()] {
        // SAFETY: an interface that is there for the whole loop.
        let interface = unsafe { IUnknown::from_raw_borrowed(&interface) }.expect("an interface");
        let query = Interface::vtable(interface).QueryInterface;
        let mut object = std::ptr::dangling_mut::<c_void>();
        // SAFETY: null is what is tested.
        unsafe {
            assert_eq!(query(interface.as_raw(), &IUnknown::IID, null_mut()), E_POINTER);
            assert_eq!(query(interface.as_raw(), std::ptr::null(), &mut object), E_POINTER);
        }
        assert!(object.is_null());
    }
}

#[test]
fn s015_every_interface_leads_to_every_other() {
    let a = Subject::new();
    let iids =
        [IUnknown::IID, IKsAllocator::IID, IKsAllocatorEx::IID, IMemAllocator::IID, IMemAllocatorCallbackTemp::IID];
    let unknown = query(&a.ks, IUnknown::IID).1;
    let all: Vec<*mut c_void> = iids.iter().map(|iid| query(&a.ks, *iid).1).collect();
    for from in &all {
        // SAFETY: an interface that is there for the whole loop.
        let from = unsafe { IUnknown::from_raw_borrowed(from) }.expect("an interface");
        // A question asked again gives the same pointer, from wherever it is asked.
        for (iid, known) in iids.iter().zip(&all) {
            let (answer, object) = query(from, *iid);
            assert_eq!((answer, object), (S_OK, *known), "{iid:?}");
            // SAFETY: the reference that was just counted.
            drop(unsafe { IUnknown::from_raw(object) });
        }
    }
    for object in all.into_iter().chain([unknown]) {
        // SAFETY: the reference that was counted when it was asked for.
        drop(unsafe { IUnknown::from_raw(object) });
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
