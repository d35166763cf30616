//! Statements 109 to 129: IKsAllocator and IKsAllocatorEx.
#![allow(non_snake_case)]

mod common;

use common::*;
use ks::{
    AllocatorPropertiesEx, GetBufferFlags, KSPROPERTY_STREAMALLOCATOR_STATUS, KSPROPSETID_StreamAllocator,
    KsAllocatorMode, KsLogicalMemoryType, KsProperty, KsPropertyType, KsStreamAllocatorStatus,
};
use kspipe::allocator::Allocator;
use ksproxy::hresult::*;
use ksproxy::interfaces::IKsPin;
use ksproxy::{Handle, InProcessObjects, KsAllocator, Win32Error};
use std::ptr::{null, null_mut};
use std::sync::Arc;
use windows_core::HRESULT;

/// An allocator over a driver that records.
fn recorded() -> (Subject, Arc<RecordingAccess>) {
    let access = Arc::new(RecordingAccess::default());
    let object = KsAllocator::with_access(Allocator::new(kind()), access.clone());
    (Subject::from(object), access)
}

fn status(a: &Subject) -> (HRESULT, KsStreamAllocatorStatus) {
    let mut status = KsStreamAllocatorStatus { allocated_frames: 77, ..Default::default() };
    // SAFETY: the structure is there.
    (unsafe { a.ks.KsGetAllocatorStatus(&mut status) }, status)
}

fn handle(a: &Subject) -> Handle {
    // SAFETY: no pointers.
    unsafe { a.ks.KsGetAllocatorHandle() }
}

fn set_handle(a: &Subject, handle: Handle) {
    // SAFETY: the handle is the allocator's from now on.
    unsafe { a.ks.KsSetAllocatorHandle(handle) };
}

fn mode(a: &Subject) -> KsAllocatorMode {
    // SAFETY: no pointers.
    unsafe { a.ks.KsGetAllocatorMode() }
}

fn set_mode(a: &Subject, mode: KsAllocatorMode) {
    // SAFETY: no pointers.
    unsafe { a.ks.KsSetAllocatorMode(mode) };
}

fn create(a: &Subject, pin: Option<&IKsPin>) -> Handle {
    // SAFETY: null or a pin.
    unsafe { a.ks.KsCreateAllocatorAndGetHandle(pin) }
}

/// What `KsGetProperties` points to.
fn live(a: &Subject) -> *mut AllocatorPropertiesEx {
    // SAFETY: no pointers.
    unsafe { a.ks.KsGetProperties() }
}

#[test]
fn s109_mode_is_user_and_handle_null_at_creation() {
    let a = Subject::new();
    assert_eq!((mode(&a), handle(&a)), (KsAllocatorMode::USER, Handle::NULL));
}

#[test]
fn s110_the_mode_is_what_was_set_and_no_third_one() {
    let a = Subject::new();
    set_mode(&a, KsAllocatorMode::KERNEL);
    assert_eq!(mode(&a), KsAllocatorMode::KERNEL);
    for neither in [2, u32::MAX] {
        set_mode(&a, KsAllocatorMode(neither));
        assert_eq!(mode(&a), KsAllocatorMode::KERNEL);
    }
    set_mode(&a, KsAllocatorMode::USER);
    assert_eq!(mode(&a), KsAllocatorMode::USER);
}

#[test]
fn s111_s112_s113_in_kernel_mode_the_memory_half_does_nothing() {
    let a = Subject::new();
    a.set(properties(2, 64, 1, 0)).unwrap();
    set_mode(&a, KsAllocatorMode::KERNEL);
    assert_eq!(a.set(properties(1, 1, 1, 0)), Err(VFW_E_ALREADY_COMMITTED));
    assert_eq!(a.set(properties(1, 1, 0, 0)), Err(VFW_E_BADALIGN), "a bad argument wins");
    let mut actual = Default::default();
    // SAFETY: null is what is tested.
    assert_eq!(unsafe { a.memory.SetProperties(null(), &mut actual) }, E_POINTER);
    assert_eq!(a.get(), Ok(properties(2, 64, 1, 0)));
    assert_eq!(a.commit(), Ok(()));
    assert_eq!(a.object.allocator().status().bytes, 0, "nothing is allocated");
    for flags in [GetBufferFlags::empty(), GetBufferFlags::NOWAIT] {
        assert_eq!(a.buffer(flags).err(), Some(VFW_E_NOT_COMMITTED));
    }
    a.decommit();
    assert_eq!(a.free(), 2);
    set_mode(&a, KsAllocatorMode::USER);
    assert_eq!(a.buffer(GetBufferFlags::NOWAIT).err(), Some(VFW_E_NOT_COMMITTED), "Commit did nothing");
}

#[test]
fn s113_frames_the_engine_has_are_none_of_kernel_modes() {
    let a = Subject::committed(1, 64, 1, 0);
    set_mode(&a, KsAllocatorMode::KERNEL);
    a.object.allocator().commit().expect("the Rust side commits again");
    assert_eq!(a.buffer(GetBufferFlags::NOWAIT).err(), Some(VFW_E_NOT_COMMITTED));
    a.object.allocator().decommit();
}

#[test]
fn s114_going_to_kernel_mode_decommits() {
    let a = Subject::committed(1, 64, 1, 0);
    let sample = a.sample();
    let memory = Shared(a.memory.clone());
    let waiting = std::thread::spawn(move || {
        let memory = &memory;
        get_buffer(&memory.0, GetBufferFlags::empty()).err()
    });
    a.until_waiting(1);
    set_mode(&a, KsAllocatorMode::KERNEL);
    assert_eq!(waiting.join().unwrap(), Some(VFW_E_NOT_COMMITTED));
    fill(&sample, 1);
    drop(sample);
    assert_eq!(a.object.allocator().status().bytes, 0, "the memory is given back");
    assert_eq!(references(&a.ks), 3, "and the reference to itself");
    set_mode(&a, KsAllocatorMode::USER);
    assert_eq!(a.buffer(GetBufferFlags::NOWAIT).err(), Some(VFW_E_NOT_COMMITTED), "not committed again");
    a.commit().unwrap();
    drop(a.sample());
    a.decommit();
}

#[test]
fn s115_s117_the_live_structure_is_zero_at_first_and_stays_where_it_is() {
    let a = Subject::new();
    let (first, other_face) = (live(&a), a.object.interface());
    // SAFETY: the object is alive, nobody writes, and all of the structure, padding too, was written.
    let bytes = unsafe { std::slice::from_raw_parts(first.cast::<u8>(), size_of::<AllocatorPropertiesEx>()) };
    assert!(bytes.iter().all(|byte| *byte == 0));
    a.object.set_properties_ex(&AllocatorPropertiesEx { c_buffers: 9, ..Default::default() });
    // SAFETY: as above.
    unsafe {
        assert_eq!((live(&a), other_face.KsGetProperties()), (first, first));
        assert_eq!((*first).c_buffers, 9, "it is live");
        (*first).c_buffers = 10;
    }
    assert_eq!(a.object.properties_ex().c_buffers, 10, "both ways");
}

#[test]
fn s116_s118_s119_properties_are_copied_whole_and_segments_not_referenced() {
    let (a, other) = (Subject::new(), Subject::new());
    let mut next = [other.ks.clone()];
    let mut given = AllocatorPropertiesEx {
        c_buffers: 4,
        cb_buffer: 4096,
        memory_type: ks::KSMEMORY_TYPE_USER,
        prev_segment: windows_core::Interface::as_raw(&other.ks),
        count_next_segments: 1,
        next_segments: next.as_mut_ptr().cast(),
        number_pins: 3,
        ..Default::default()
    };
    let before = references(&other.ks);
    // SAFETY: null, the object's own structure, and one that is there.
    unsafe {
        a.ks.KsSetProperties(&given);
        assert_eq!(references(&other.ks), before);
        let expected = given;
        given.c_buffers = 5;
        assert_ne!(*live(&a), given, "later changes do not show");
        assert_eq!(*live(&a), expected);
        a.ks.KsSetProperties(null());
        a.ks.KsSetProperties(live(&a));
        assert_eq!(*live(&a), expected);
    }
    assert_eq!(a.get(), Ok(Default::default()), "IMemAllocator has properties of its own");
}

#[test]
fn s120_s121_the_allocator_owns_the_handle_it_was_given() {
    let a = Subject::new();
    let ((first, first_watcher), (second, second_watcher)) = (watched_handle(), watched_handle());
    let (first, second) = (first.into_raw(), second.into_raw());
    set_handle(&a, first);
    assert_eq!((handle(&a), is_closed(&first_watcher)), (first, false));
    set_handle(&a, first);
    assert_eq!((handle(&a), is_closed(&first_watcher)), (first, false), "the same again");
    set_handle(&a, second);
    assert_eq!((handle(&a), is_closed(&first_watcher), is_closed(&second_watcher)), (second, true, false));
    set_handle(&a, Handle::NULL);
    assert_eq!((handle(&a), is_closed(&second_watcher)), (Handle::NULL, true));
}

#[test]
fn s121_what_names_no_object_leaves_no_handle() {
    for nothing in [Handle::NULL, Handle::INVALID, Handle(1), Handle(2), Handle(i32::MAX as isize), Handle(isize::MIN)]
    {
        let a = Subject::new();
        let (first, watcher) = watched_handle();
        set_handle(&a, first.into_raw());
        set_handle(&a, nothing);
        assert_eq!((handle(&a), is_closed(&watcher)), (Handle::NULL, true), "{nothing:?}");
    }
}

#[test]
fn s121_a_handle_can_be_taken_out_without_being_closed() {
    let a = Subject::new();
    assert!(a.object.take_handle().unwrap().is_none());
    let (first, watcher) = watched_handle();
    a.object.set_handle(Some(first));
    let taken = a.object.take_handle().unwrap().expect("the handle");
    assert_eq!((handle(&a), is_closed(&watcher)), (Handle::NULL, false));
    drop(taken);
    assert!(is_closed(&watcher));
}

#[test]
fn s122_s123_a_pin_without_object_or_handle_creates_nothing() {
    let without: IKsPin = PinWithoutObject.into();
    let pins = [Handle::NULL, Handle::INVALID].map(|handle| IKsPin::from(Pin(handle)));
    for pin in [Some(&without), None, Some(&pins[0]), Some(&pins[1])] {
        let (a, access) = recorded();
        let (old, watcher) = watched_handle();
        a.object.set_handle(Some(old));
        assert_eq!(create(&a, pin), Handle::NULL);
        assert_eq!((handle(&a), is_closed(&watcher)), (Handle::NULL, true), "the old one is closed and forgotten");
        assert!(access.created.lock().unwrap().is_empty(), "no request is sent");
    }
}

#[test]
fn s124_s125_the_request_says_what_the_extended_properties_say() {
    for (memory, pool) in [
        (KsLogicalMemoryType::KERNEL_PAGED, 1),
        (KsLogicalMemoryType::KERNEL_NON_PAGED, 0),
        (KsLogicalMemoryType::USER, 0),
    ] {
        let (a, access) = recorded();
        let asked = AllocatorPropertiesEx {
            c_buffers: 4,
            cb_buffer: 4096,
            cb_align: ks::AlignmentCount(64),
            logical_memory_type: memory,
            ..Default::default()
        };
        a.object.set_properties_ex(&asked);
        create(&a, Some(&Pin(Handle(5)).into()));
        let created = access.created.lock().unwrap();
        let [(on, framing)] = created.as_slice() else { panic!("one request: {created:?}") };
        let words: &[u32] = zerocopy::FromBytes::ref_from_bytes(zerocopy::IntoBytes::as_bytes(framing)).unwrap();
        assert_eq!((*on, words), (Handle(5), [2, pool, 4, 4096, 63, 0].as_slice()));
    }
}

#[test]
fn s126_s127_success_stores_the_handle_and_failure_none() {
    let (a, access) = recorded();
    let pin = IKsPin::from(Pin(Handle(5)));
    let (made, watcher) = watched_handle();
    let expected = made.handle();
    access.handles.lock().unwrap().push(made);
    let before = references(&pin);
    assert_eq!(create(&a, Some(&pin)), expected);
    assert_eq!((handle(&a), references(&pin)), (expected, before));
    assert_eq!(mode(&a), KsAllocatorMode::USER, "the mode is for others to set");
    assert!(!is_closed(&watcher));
    assert_eq!(create(&a, Some(&pin)), Handle::NULL, "the driver refuses");
    assert_eq!((handle(&a), is_closed(&watcher)), (Handle::NULL, true));
    assert_eq!(references(&pin), before);
}

#[test]
fn s128_status_through_null() {
    // SAFETY: null is what is tested.
    assert_eq!(unsafe { Subject::new().ks.KsGetAllocatorStatus(null_mut()) }, E_POINTER);
}

#[test]
fn s129_with_a_handle_its_object_is_asked() {
    let (a, access) = recorded();
    let (behind, _watcher) = watched_handle();
    let expected = behind.handle();
    a.object.set_handle(Some(behind));
    let (answer, told) = status(&a);
    assert_eq!((answer, told.framing.frames, told.allocated_frames), (S_OK, 0x1111_1111, 0x1111_1111));
    let request =
        KsProperty::property(KSPROPSETID_StreamAllocator, KSPROPERTY_STREAMALLOCATOR_STATUS, KsPropertyType::GET);
    assert_eq!(*access.asked.lock().unwrap(), [(expected, request, 32)]);
    assert_eq!((size_of::<KsProperty>(), request.id, request.flags), (24, 1, 1));
    *access.property_error.lock().unwrap() = Some(Win32Error::NOT_FOUND);
    let (answer, untouched) = status(&a);
    assert_eq!((answer, untouched.allocated_frames), (Win32Error::NOT_FOUND.to_hresult(), 77));
}

#[test]
fn s129_without_a_handle_the_status_is_the_user_mode_allocators() {
    let a = Subject::new();
    let words = |a: &Subject| {
        let (answer, told) = status(a);
        assert_eq!(answer, S_OK);
        let words: &[u32] = zerocopy::FromBytes::ref_from_bytes(zerocopy::IntoBytes::as_bytes(&told)).unwrap();
        words.to_vec()
    };
    assert_eq!(words(&a), [2, 0, 0, 0, 0, 0, 0, 0]);
    a.set(properties(3, 100, 64, 10)).unwrap();
    assert_eq!(words(&a), [2, 0, 3, 128, 63, 0, 0, 0]);
    a.commit().unwrap();
    let out = [a.sample(), a.sample()];
    assert_eq!(words(&a), [2, 0, 3, 128, 63, 0, 2, 0]);
    drop(out);
    assert_eq!(words(&a)[6], 0);
    a.decommit();
}

#[test]
fn s127_an_allocator_on_a_pin_of_this_process_answers_its_status() {
    let a = Subject::new();
    let pin_object = InProcessObjects::create_sink_pin().expect("a pin");
    let pin = IKsPin::from(Pin(pin_object.handle()));
    let asked = AllocatorPropertiesEx {
        c_buffers: 4,
        cb_buffer: 4096,
        cb_align: ks::AlignmentCount(64),
        logical_memory_type: KsLogicalMemoryType::KERNEL_PAGED,
        ..Default::default()
    };
    a.object.set_properties_ex(&asked);
    let made = create(&a, Some(&pin));
    assert!(made.is_object() && made == handle(&a));
    let (answer, told) = status(&a);
    assert_eq!((answer, told.framing.frames, told.framing.frame_size, told.framing.pool_type.0), (S_OK, 4, 4096, 1));
    // Frame size 0 is refused by the object, so there is no handle then.
    a.object.set_properties_ex(&AllocatorPropertiesEx::default());
    assert_eq!((create(&a, Some(&pin)), handle(&a)), (Handle::NULL, Handle::NULL));
}

#[cfg(unix)]
#[test]
fn s127_an_allocator_on_a_pin_that_is_served_answers_its_status_through_every_function() {
    let mut server = ksproxy::Server::new().expect("a server");
    let pin_object = InProcessObjects::create_sink_pin().expect("a pin");
    let pin_object = server.open(pin_object).expect("a handle");
    let stop = server.stopper();
    let service = std::thread::spawn(move || server.run());
    let a = Subject::new();
    let pin = IKsPin::from(Pin(pin_object.handle()));
    a.object.set_properties_ex(&AllocatorPropertiesEx {
        c_buffers: 4,
        cb_buffer: 4096,
        cb_align: ks::AlignmentCount(64),
        logical_memory_type: KsLogicalMemoryType::KERNEL_PAGED,
        ..Default::default()
    });
    let made = create(&a, Some(&pin));
    assert!(made.is_object() && made == handle(&a));
    let (answer, told) = status(&a);
    assert_eq!((answer, told.framing.frames, told.framing.frame_size, told.framing.pool_type.0), (S_OK, 4, 4096, 1));
    // As C calls it.
    let request =
        KsProperty::property(KSPROPSETID_StreamAllocator, KSPROPERTY_STREAMALLOCATOR_STATUS, KsPropertyType::GET);
    let (mut same, mut returned) = (KsStreamAllocatorStatus::default(), 0);
    // SAFETY: the structures are there, as long as they are said to be.
    let answer = unsafe {
        ksproxy::KsSynchronousDeviceControl(
            made,
            ks::IOCTL_KS_PROPERTY,
            (&raw const request).cast(),
            24,
            (&raw mut same).cast(),
            32,
            &mut returned,
        )
    };
    assert_eq!((answer, returned, same), (S_OK, 32, told));
    drop(a);
    stop.stop();
    service.join().expect("no panic").expect("it ran");
}
