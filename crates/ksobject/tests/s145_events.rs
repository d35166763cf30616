//! The event FREEFRAME (statements 145 to 147).
#![cfg(unix)]

mod common;

use common::*;
use ks::*;
use ksobject::{DeviceError, InProcessObjects, PinFactory, Win32Error};
use rustix::event::{EventfdFlags, eventfd};
use zerocopy::IntoBytes;

#[test]
fn s145_an_event_is_signalled_each_time_a_frame_is_freed() {
    let a = Allocator::new(2);
    let event = Event::new();
    let mut data = event.data();
    assert_eq!(a.enable(KsEventType::ENABLE, &mut data), Ok(0));
    assert_eq!(event.signals(), 0);
    let functions = InProcessObjects::functions(a.object.handle()).expect("an allocator");
    let [first, second] = [(); 2].map(|()| a.alloc().expect("a frame"));
    a.free(first).expect("it is out");
    assert_eq!(event.signals(), 1);
    functions.free_frame(std::ptr::NonNull::new(second as *mut _).expect("an address")).expect("it is out");
    assert_eq!(event.signals(), 1, "by the direct interface too");
    a.free(first).expect_err("it is free");
    assert_eq!(event.signals(), 0, "nothing was freed");
}

#[test]
fn s145_an_event_is_signalled_also_where_the_frame_goes_to_one_who_waits() {
    let a = Allocator::new(1);
    let event = Event::new();
    let mut data = event.data();
    a.enable(KsEventType::ENABLE, &mut data).expect("an event");
    let out = a.alloc().expect("a frame");
    let waiting = a.begin_alloc();
    a.free(out).expect("it is out");
    assert_eq!((event.signals(), frame(waiting)), (1, Ok(out)));
}

#[test]
fn s145_a_semaphore_is_released_by_its_adjustment() {
    let a = Allocator::new(1);
    let event = Event::new();
    let mut data = event.data();
    data[..4].copy_from_slice(EventNotification::SEMAPHORE_HANDLE.as_bytes());
    for (adjustment, signals) in [(3i32, Some(3)), (0, None), (-1, None)] {
        data[20..24].copy_from_slice(&adjustment.to_ne_bytes());
        let enabled = a.enable(KsEventType::ENABLE | KsEventType::ONESHOT, &mut data);
        let Some(signals) = signals else {
            assert_eq!(enabled, Err(NtStatus::STATUS_INVALID_PARAMETER.into()));
            continue;
        };
        enabled.expect("a semaphore");
        let out = a.alloc().expect("a frame");
        a.free(out).expect("it is out");
        assert_eq!(event.signals(), signals);
    }
}

#[test]
fn s146_an_event_enabled_once_is_signalled_once() {
    let a = Allocator::new(2);
    for types in [KsEventType::ONESHOT, KsEventType::ENABLE | KsEventType::ONESHOT] {
        let event = Event::new();
        let mut data = event.data();
        a.enable(types, &mut data).expect("an event");
        for out in [(); 2].map(|()| a.alloc().expect("a frame")) {
            a.free(out).expect("it is out");
        }
        assert_eq!(event.signals(), 1);
        assert_eq!(a.disable(&data), Err(NtStatus::STATUS_NOT_FOUND.into()), "it is not enabled any more");
    }
}

#[test]
fn s147_closing_the_allocator_disables_its_events() {
    let a = Allocator::new(2);
    let event = Event::new();
    let mut data = event.data();
    a.enable(KsEventType::ENABLE, &mut data).expect("an event");
    let out = a.alloc().expect("a frame");
    let functions = InProcessObjects::functions(a.object.handle()).expect("an allocator");
    assert_eq!(event.descriptors(), 2, "the event's owner may close his");
    // A pin that refers to the object keeps it, and not its events.
    let source = InProcessObjects::create_lone_pin(PinFactory::source()).expect("a pin");
    let set = KsProperty::property(KSPROPSETID_Stream, KSPROPERTY_STREAM_ALLOCATOR, KsPropertyType::SET);
    let handle = &mut a.object.handle().0.to_ne_bytes();
    InProcessObjects::access().property(source.handle(), &set, handle).expect("a source pin");
    drop(a);
    let freed = functions.free_frame(std::ptr::NonNull::new(out as *mut _).expect("an address"));
    assert_eq!(freed, Err(NtStatus::STATUS_INVALID_HANDLE), "it has ended");
    assert_eq!((event.signals(), event.descriptors()), (0, 1));
}

#[test]
fn events_are_disabled_by_where_their_data_is_or_all_at_once() {
    let a = Allocator::new(1);
    let events = [(); 3].map(|()| Event::new());
    let mut data: Vec<_> = events.iter().map(Event::data).collect();
    for data in &mut data {
        a.enable(KsEventType::ENABLE, data).expect("an event");
    }
    let fire = || {
        let out = a.alloc().expect("a frame");
        a.free(out).expect("it is out");
        events.each_ref().map(Event::signals)
    };
    assert_eq!(fire(), [1, 1, 1]);
    let copy = data[1];
    assert_eq!(a.disable(&copy), Err(NtStatus::STATUS_NOT_FOUND.into()), "the same bytes elsewhere");
    assert_eq!(a.disable(&data[1][..31]), Err(NtStatus::STATUS_INVALID_BUFFER_SIZE.into()));
    assert_eq!(a.disable(&data[1]), Ok(0));
    assert_eq!(fire(), [1, 0, 1]);
    assert_eq!(a.disable(&[]), Ok(0));
    assert_eq!(fire(), [0, 0, 0]);
    assert_eq!(a.disable(&[]), Ok(0), "there are none, and all of them are disabled");
}

#[test]
fn only_events_of_user_mode_on_event_handles_are_enabled() {
    let a = Allocator::new(1);
    let event = Event::new();
    let good = event.data();
    let refused = |change: &dyn Fn(&mut [u8; 32])| {
        let mut data = good;
        change(&mut data);
        a.enable(KsEventType::ENABLE, &mut data).expect_err("no such event").error
    };
    for kind in [0u32, 3, 4, 8, 0x10, 0x20, 0x80, u32::MAX] {
        let error = refused(&|data| data[..4].copy_from_slice(&kind.to_ne_bytes()));
        assert_eq!(error, Win32Error::INVALID_PARAMETER, "{kind:#x}");
    }
    let (reader, writer) = rustix::pipe::pipe().expect("a pipe");
    let pipe = ksobject::OwnedHandle::from(writer);
    for handle in [0, -1, isize::MAX, pipe.handle().0, a.object.handle().0] {
        let error = refused(&|data| data[8..16].copy_from_slice(&handle.to_ne_bytes()));
        assert_eq!(error, Win32Error::INVALID_HANDLE, "{handle:#x}");
    }
    drop(pipe);
    assert_eq!(rustix::io::read(&reader, &mut [0; 8]), Ok(0), "nothing was written to a pipe, and nobody keeps it");
    let mut data = good;
    assert_eq!(a.enable(KsEventType::ENABLE, &mut data[..31]), Err(NtStatus::STATUS_INVALID_BUFFER_SIZE.into()));
    for types in [KsEventType::empty(), KsEventType::ENABLEBUFFERED, KsEventType::QUERYBUFFER] {
        assert_eq!(a.enable(types, &mut data), Err(NtStatus::STATUS_INVALID_PARAMETER.into()), "{types:?}");
    }
    let internal = KsEvent::event(KSEVENTSETID_StreamAllocator, 0, KsEventType::ENABLE);
    let answer = a.object.send(IOCTL_KS_ENABLE_EVENT, internal.as_bytes(), &mut data);
    assert_eq!(answer, Err(DeviceError::from(NtStatus::STATUS_NOT_FOUND)), "the system's own");
    let answer = a.pin.send(IOCTL_KS_DISABLE_EVENT, &[], &mut []);
    assert_eq!(answer, Err(NtStatus::STATUS_NOT_FOUND.into()), "a pin has no events");
}

#[test]
fn an_event_that_is_full_or_closed_stops_nobody() {
    let a = Allocator::new(1);
    // One whose writers wait while it is full.
    let event = Event(eventfd(0, EventfdFlags::CLOEXEC).expect("an eventfd").into());
    let mut data = event.data();
    a.enable(KsEventType::ENABLE, &mut data).expect("an event");
    // As many as a counter holds.
    rustix::io::write(&event.0, (u64::MAX - 1).as_bytes()).expect("a counter");
    let out = a.alloc().expect("a frame");
    a.free(out).expect("it is out");
    assert_eq!(event.signals(), u64::MAX - 1);
    drop(event);
    let out = a.alloc().expect("a frame");
    a.free(out).expect("it is out");
}

#[test]
fn a_semaphore_with_less_room_than_its_adjustment_stops_nobody() {
    let a = Allocator::new(1);
    // One whose writers wait where there is no room.
    let event = Event(eventfd(0, EventfdFlags::CLOEXEC).expect("an eventfd").into());
    let mut data = event.data();
    data[..4].copy_from_slice(EventNotification::SEMAPHORE_HANDLE.as_bytes());
    data[20..24].copy_from_slice(&5i32.to_ne_bytes());
    a.enable(KsEventType::ENABLE, &mut data).expect("a semaphore");
    let full = u64::MAX - 1;
    for (counted, then) in [(full - 5, full), (full - 4, full - 4), (0, 5)] {
        if counted != 0 {
            rustix::io::write(&event.0, counted.as_bytes()).expect("a counter");
        }
        let out = a.alloc().expect("a frame");
        a.free(out).expect("it is out");
        assert_eq!(event.signals(), then);
    }
}

#[test]
fn all_event_sets_answer_what_they_support() {
    let a = Allocator::new(1);
    let mut flags = [0; 4];
    assert_eq!(a.enable(KsEventType::BASICSUPPORT, &mut flags), Ok(4));
    assert_eq!(u32::from_ne_bytes(flags), 3);
    assert_eq!(a.enable(KsEventType::SETSUPPORT, &mut []), Ok(0));
}
