//! Frames by handle: ALLOC and FREE, requests that wait, cancelling, closing, the direct interface (statements 135 to
//! 139, 144, 148).
#![cfg(unix)]

mod common;

use common::*;
use ks::*;
use ksobject::{DeviceError, InProcessObjects, Win32Error};
use std::collections::HashSet;
use std::ptr::NonNull;
use std::sync::{Arc, Mutex};
use zerocopy::IntoBytes;

#[test]
fn s135_as_many_frames_as_asked_for_and_the_next_request_waits() {
    let a = Allocator::new(2);
    let frames = [a.alloc().expect("a frame"), a.alloc().expect("a frame")];
    assert!(frames[0] != frames[1] && frames.iter().all(|frame| frame % 64 == 0));
    let third = a.begin_alloc();
    assert!(third.is_pending());
    assert_eq!(a.allocated(), 2);
}

#[test]
fn s136_a_frame_that_is_freed_goes_to_the_request_that_waits() {
    let a = Allocator::new(2);
    let first = a.alloc().expect("a frame");
    a.alloc().expect("a frame");
    let third = a.begin_alloc();
    assert_eq!(a.free(first), Ok(0));
    assert!(!third.is_pending());
    assert_eq!(a.allocated(), 2);
    assert_eq!(frame(third), Ok(first));
}

#[test]
fn s137_requests_that_wait_are_served_in_turn() {
    let a = Allocator::new(1);
    let out = a.alloc().expect("a frame");
    let [first, second, third] = [(); 3].map(|()| a.begin_alloc());
    a.free(out).expect("it is out");
    assert_eq!([&first, &second, &third].map(|request| request.is_pending()), [false, true, true]);
    let out = frame(first).expect("a frame");
    a.free(out).expect("it is out");
    assert_eq!([&second, &third].map(|request| request.is_pending()), [false, true]);
}

#[test]
fn s138_a_request_that_is_cancelled_says_so_and_takes_nothing() {
    let a = Allocator::new(1);
    let out = a.alloc().expect("a frame");
    let waiting = a.begin_alloc();
    waiting.cancel();
    waiting.cancel();
    assert!(!waiting.is_pending());
    assert_eq!(frame(waiting), Err(CANCELLED));
    a.free(out).expect("it is out");
    assert_eq!(a.allocated(), 0);
    // Too late to cancel.
    let done = a.begin_alloc();
    done.cancel();
    let out = frame(done).expect("a frame");
    a.free(out).expect("it is out");
}

#[test]
fn s138_a_request_that_is_dropped_is_cancelled_or_gives_its_frame_back() {
    let a = Allocator::new(1);
    let out = a.alloc().expect("a frame");
    drop(a.begin_alloc());
    let [first, second] = [(); 2].map(|()| a.begin_alloc());
    a.free(out).expect("it is out");
    // It has a frame nobody was told of, and that one goes on to the next.
    drop(first);
    assert_eq!(frame(second), Ok(out));
}

#[test]
fn s139_closing_the_handle_cancels_all_that_wait() {
    let a = Allocator::new(1);
    a.alloc().expect("a frame");
    let waiting: Vec<_> = (0..3).map(|_| a.begin_alloc()).collect();
    drop(a.object);
    assert!(waiting.iter().all(|request| !request.is_pending()));
    for request in waiting {
        assert_eq!(frame(request), Err(CANCELLED));
    }
}

#[test]
fn s139_a_duplicate_of_the_handle_keeps_the_object() {
    let a = Allocator::new(1);
    let out = a.alloc().expect("a frame");
    let waiting = a.begin_alloc();
    let twin = Allocator { pin: a.pin, object: Object(a.object.0.try_clone().expect("a duplicate")) };
    drop(a.object);
    assert!(waiting.is_pending());
    twin.free(out).expect("it is out");
    assert_eq!(frame(waiting), Ok(out));
}

#[test]
fn s144_the_direct_interface_never_waits() {
    let a = Allocator::new(2);
    let functions = InProcessObjects::functions(a.object.handle()).expect("an allocator");
    let first = functions.allocate_frame().expect("a frame");
    let second = a.alloc().expect("a frame");
    assert_eq!(functions.allocate_frame(), Err(NtStatus::STATUS_INSUFFICIENT_RESOURCES));
    assert_eq!(a.allocated(), 2);
    // Both ways are one allocator: what one took the other gives back.
    a.free(first.addr().get()).expect("it is out");
    functions.free_frame(NonNull::new(second as *mut _).expect("an address")).expect("it is out");
    assert_eq!(a.allocated(), 0, "the call that failed left no request behind");
}

#[test]
fn s144_requests_that_wait_come_before_the_direct_interface() {
    let a = Allocator::new(1);
    let functions = InProcessObjects::functions(a.object.handle()).expect("an allocator");
    let out = functions.allocate_frame().expect("a frame");
    let waiting = a.begin_alloc();
    functions.free_frame(out).expect("it is out");
    assert_eq!(functions.allocate_frame(), Err(NtStatus::STATUS_INSUFFICIENT_RESOURCES));
    assert_eq!(frame(waiting), Ok(out.addr().get()));
}

#[test]
fn s144_the_direct_interface_ends_with_the_handle() {
    let a = Allocator::new(2);
    let functions = InProcessObjects::functions(a.object.handle()).expect("an allocator");
    let out = functions.allocate_frame().expect("a frame");
    // A pin that refers to the object keeps it, and not what its handle was good for.
    let request = KsProperty::property(KSPROPSETID_Stream, KSPROPERTY_STREAM_ALLOCATOR, KsPropertyType::SET);
    let source = InProcessObjects::create_lone_pin(ksobject::PinFactory::source()).expect("a pin");
    let source = Object(source);
    source.property(&request, &mut a.object.handle().0.to_ne_bytes()).expect("a source pin");
    drop(a);
    assert_eq!(functions.allocate_frame(), Err(NtStatus::STATUS_INVALID_HANDLE));
    assert_eq!(functions.free_frame(out), Err(NtStatus::STATUS_INVALID_HANDLE));
    drop(source);
    assert_eq!(functions.allocate_frame(), Err(NtStatus::STATUS_INVALID_HANDLE));
}

#[test]
fn s148_what_is_taken_and_given_back_leaves_the_number_as_it_was() {
    let a = Allocator::new(3);
    for before in 0..3 {
        assert_eq!(a.allocated(), before);
        let out = a.alloc().expect("a frame");
        assert_eq!(a.allocated(), before + 1);
        a.free(out).expect("it is out");
        assert_eq!(a.allocated(), before);
        a.alloc().expect("a frame");
    }
}

#[test]
fn frames_are_memory_of_their_own_as_long_as_they_are_out() {
    let a = Allocator::with(&KsAllocatorFraming { frame_size: 5000, ..framing(0) }).expect("an allocator");
    let frames: Vec<usize> = (0..100).map(|_| a.alloc().expect("no limit")).collect();
    let bytes = |frame: usize| std::ptr::with_exposed_provenance_mut::<u8>(frame);
    for (value, frame) in (0..).zip(&frames) {
        // SAFETY: the frame is out, ours, and this long.
        unsafe { bytes(*frame).write_bytes(value, 5000) };
    }
    for (value, frame) in (0u8..).zip(&frames) {
        // SAFETY: as above.
        let (first, last) = unsafe { (*bytes(*frame), *bytes(*frame).add(4999)) };
        assert_eq!((first, last), (value, value));
        a.free(*frame).expect("it is out");
    }
}

#[test]
fn what_is_no_frame_that_is_out_is_not_freed() {
    let a = Allocator::new(2);
    let other = Allocator::new(2);
    let out = a.alloc().expect("a frame");
    let foreign = other.alloc().expect("a frame");
    let refused = Err(DeviceError::from(NtStatus::STATUS_INVALID_PARAMETER));
    for frame in [0, 1, usize::MAX, out + 1, out + 64, foreign] {
        assert_eq!(a.free(frame), refused, "{frame:#x}");
    }
    assert_eq!(a.allocated(), 1);
    a.free(out).expect("it is out");
    assert_eq!(a.free(out), refused, "twice");
}

#[test]
fn methods_take_the_types_of_the_headers_and_of_the_pages() {
    let a = Allocator::new(4);
    let send = |id, types, data: &mut [u8]| a.object.send(IOCTL_KS_METHOD, method(id, types).as_bytes(), data);
    let mut frame = [0; 8];
    for types in [KsMethodType::SEND, KsMethodType::WRITE, KsMethodType::WRITE | KsMethodType::SOURCE] {
        assert_eq!(send(ALLOC, types, &mut frame), Ok(8), "{types:?}");
        assert_eq!(send(FREE, KsMethodType::SEND, &mut frame), Ok(0));
    }
    for types in [KSMETHOD_TYPE_NONE, KsMethodType::SOURCE, KsMethodType::MODIFY, KsMethodType::from_bits_retain(8)] {
        assert_eq!(send(ALLOC, types, &mut frame), Err(NtStatus::STATUS_INVALID_PARAMETER.into()), "{types:?}");
    }
    assert_eq!(send(FREE, KsMethodType::WRITE, &mut frame), Err(NtStatus::STATUS_INVALID_PARAMETER.into()));
    for id in [ALLOC, FREE] {
        let too_small = DeviceError { error: Win32Error::INSUFFICIENT_BUFFER, returned: 8 };
        assert_eq!(send(id, KsMethodType::SEND, &mut frame[..7]), Err(too_small));
        assert_eq!(send(id, KsMethodType::SEND, &mut []), Err(too_small));
    }
    assert_eq!(send(2, KsMethodType::SEND, &mut frame), Err(NtStatus::STATUS_NOT_FOUND.into()));
    assert_eq!(a.allocated(), 0);
}

#[test]
fn nonpaged_memory_is_locked_or_said_to_be_simulated() {
    let paged = Allocator::new(2);
    assert_eq!(InProcessObjects::is_nonpaged_simulated(paged.object.handle()), Ok(false));
    let asked = KsAllocatorFraming { pool_type: PoolType::NON_PAGED_POOL, ..framing(2) };
    let nonpaged = Allocator::with(&asked).expect("an allocator");
    let simulated = InProcessObjects::is_nonpaged_simulated(nonpaged.object.handle()).expect("an allocator");
    let frame = nonpaged.alloc().expect("a frame");
    assert_eq!(!simulated, locked_bytes(frame) > 0);
    assert_eq!(InProcessObjects::is_nonpaged_simulated(paged.pin.handle()), Err(Win32Error::INVALID_HANDLE));
}

/// Kilobytes that are locked of the mapping that holds this address.
fn locked_bytes(address: usize) -> u64 {
    let maps = std::fs::read_to_string("/proc/self/smaps").expect("proc is mounted");
    let mut inside = false;
    for line in maps.lines() {
        let range = line.split(' ').next().and_then(|range| range.split_once('-'));
        if let Some((from, to)) = range
            .and_then(|(from, to)| Some((usize::from_str_radix(from, 16).ok()?, usize::from_str_radix(to, 16).ok()?)))
        {
            inside = (from..to).contains(&address);
        } else if let Some(locked) = line.strip_prefix("Locked:").filter(|_| inside) {
            return locked.trim().trim_end_matches(" kB").parse().expect("a number");
        }
    }
    panic!("{address:#x} is not mapped");
}

#[test]
fn threads_that_allocate_free_and_cancel_never_share_a_frame_and_lose_none() {
    const THREADS: usize = 4;
    const ROUNDS: usize = 300;
    let a = Arc::new(Allocator::new(2));
    let held = Mutex::new(HashSet::new());
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (a, held) = (&a, &held);
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    let got = match (thread + round) % 3 {
                        0 => a.alloc(),
                        1 => frame(a.begin_alloc()),
                        _ => {
                            let request = a.begin_alloc();
                            request.cancel();
                            frame(request)
                        }
                    };
                    match got {
                        Ok(frame) => {
                            assert!(held.lock().unwrap().insert(frame), "a frame was given out twice");
                            assert!(held.lock().unwrap().remove(&frame));
                            a.free(frame).expect("it is out");
                        }
                        Err(error) => assert_eq!(error, CANCELLED),
                    }
                }
            });
        }
    });
    assert_eq!(a.allocated(), 0);
}

#[test]
fn s139_closing_in_the_midst_of_it_ends_every_request_of_every_thread() {
    for _ in 0..50 {
        let a = Allocator::new(2);
        let out = a.alloc().expect("a frame");
        let functions = InProcessObjects::functions(a.object.handle()).expect("an allocator");
        let (busy, is_busy) = std::sync::mpsc::channel();
        std::thread::scope(|scope| {
            // Two take and give back, until there is no allocator.
            for _ in 0..2 {
                let (functions, busy) = (functions.clone(), busy.clone());
                scope.spawn(move || {
                    loop {
                        match functions.allocate_frame() {
                            Ok(frame) => {
                                let freed = functions.free_frame(frame);
                                assert!(matches!(freed, Ok(()) | Err(NtStatus::STATUS_INVALID_HANDLE)));
                            }
                            Err(NtStatus::STATUS_INSUFFICIENT_RESOURCES) => {}
                            Err(error) => return assert_eq!(error, NtStatus::STATUS_INVALID_HANDLE),
                        }
                        // The test may be past listening.
                        let _ = busy.send(());
                    }
                });
            }
            // Two wait: more than there are frames, so one of them to the end.
            let waiting = [(); 2].map(|()| a.begin_alloc());
            let waiters = waiting.map(|request| scope.spawn(|| frame(request)));
            (0..20).for_each(|_| is_busy.recv().expect("a thread"));
            drop(a);
            let cancelled = waiters.map(|waiter| waiter.join().expect("no panic") == Err(CANCELLED));
            assert!(cancelled.contains(&true));
        });
        let out = NonNull::new(std::ptr::with_exposed_provenance_mut(out)).expect("an address");
        assert_eq!(functions.free_frame(out), Err(NtStatus::STATUS_INVALID_HANDLE));
    }
}
