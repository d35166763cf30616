//! The statements about KS objects (130 to 151), on objects of this process and through sockets on those of another.
#![cfg(unix)]

mod common;

use common::*;
use ks::*;
use ksobject::{DeviceError, Handle, SystemObjects, Win32Error};
use zerocopy::IntoBytes;

#[test]
fn this_program_is_the_server_if_asked_to() {
    serve_if_asked_to();
}

#[test]
fn this_program_is_a_client_if_asked_to() {
    client_if_asked_to();
}

#[test]
fn s130_s131_an_allocator_is_created_by_its_name() {
    everywhere(|objects| {
        let pin = objects.pin(SINK);
        let name = allocator_create_name(&framing(2));
        assert_eq!(name.len(), 102);
        let create = |name: &[u8]| SystemObjects::create(pin.handle(), name).map(Object);
        let made = create(&name).expect("an allocator");
        let mut status = KsStreamAllocatorStatus::default();
        assert_eq!(made.property(&STATUS, status.as_mut_bytes()), Ok(32));
        assert_eq!(status.framing, framing(2));
        for (name, error) in [
            (&name[..101], Win32Error::INVALID_PARAMETER),
            (&name[..78], Win32Error::INVALID_PARAMETER),
            (&name[..77], Win32Error::FILE_NOT_FOUND),
            (&[][..], Win32Error::FILE_NOT_FOUND),
            (&[0xFF; 60_000][..], Win32Error::FILE_NOT_FOUND),
        ] {
            assert_eq!(create(name).err(), Some(error), "{} bytes", name.len());
        }
    });
}

#[test]
fn s132_to_s134_framings_that_are_none_create_nothing() {
    everywhere(|objects| {
        let with = |change: fn(&mut KsAllocatorFraming)| {
            let mut framing = framing(2);
            change(&mut framing);
            objects.allocator_with(&framing).map(|made| made.allocated())
        };
        let refused = Err(Win32Error::INVALID_PARAMETER);
        assert_eq!(with(|framing| framing.frame_size = 0), refused);
        assert_eq!(with(|framing| framing.flags = OptionFlags::from_bits_retain(0x10).into()), refused);
        assert_eq!(with(|framing| framing.file_alignment = AlignmentMask(4096).into()), refused);
        assert_eq!(with(|framing| framing.file_alignment = AlignmentMask(4095).into()), Ok(0));
    });
}

#[test]
fn an_allocator_is_created_on_pins_that_receive_and_can() {
    everywhere(|objects| {
        let filter = objects.filter();
        for (factory, expected) in [(SINK, None), (FRAMED, None), (SOURCE, Some(2)), (INCAPABLE, Some(2))] {
            let pin = filter.pin(factory);
            let made = SystemObjects::create(pin.handle(), &allocator_create_name(&framing(1)));
            assert_eq!(made.err(), expected.map(Win32Error), "factory {factory}");
        }
        assert_eq!(filter.try_pin(9, Handle::NULL).err(), Some(Win32Error::INVALID_PARAMETER));
    });
}

#[test]
fn s135_s136_frames_as_many_as_asked_for_and_a_freed_one_goes_to_who_waits() {
    everywhere(|objects| {
        let a = objects.allocator(2);
        let frames = [a.alloc().expect("a frame"), a.alloc().expect("a frame")];
        assert_ne!(frames[0], frames[1]);
        let third = a.begin_alloc();
        a.object.settle();
        assert!(third.is_pending());
        assert_eq!(a.allocated(), 2);
        assert_eq!(a.free(frames[0]), Ok(0));
        let frame = frame(third).expect("a frame");
        assert_ne!(frame, frames[1]);
        assert_eq!(a.allocated(), 2);
        for frame in [frame, frames[1]] {
            a.free(frame).expect("it is out");
        }
        assert_eq!(a.allocated(), 0);
    });
}

#[test]
fn s137_requests_that_wait_are_served_in_turn() {
    everywhere(|objects| {
        let a = objects.allocator(1);
        let mut out = a.alloc().expect("a frame");
        let mut waiting: std::collections::VecDeque<_> = (0..5).map(|_| a.begin_alloc()).collect();
        while let Some(first) = waiting.pop_front() {
            assert!(first.is_pending());
            a.free(out).expect("it is out");
            out = frame(first).expect("a frame");
            a.object.settle();
            assert!(waiting.iter().all(|request| request.is_pending()));
        }
    });
}

#[test]
fn s137_clients_are_served_in_turn_whichever_process_they_are() {
    let server = ServerProcess::start();
    let objects = Objects::of(server);
    let a = objects.allocator(1);
    let out = a.alloc().expect("a frame");
    // Waits first, and frees what it gets when it is told to.
    let other = OtherClient::start(&a.object, "takes a frame, says so, frees it");
    other.expect("asks");
    let mine = a.begin_alloc();
    a.object.settle();
    a.free(out).expect("it is out");
    other.expect("has it");
    assert!(mine.is_pending(), "the other was first");
    other.tell("free it");
    assert!(frame(mine).is_ok());
    other.end();
}

#[test]
fn s138_a_request_that_is_cancelled_says_so_and_takes_nothing() {
    everywhere(|objects| {
        let a = objects.allocator(1);
        let out = a.alloc().expect("a frame");
        let waiting = a.begin_alloc();
        waiting.cancel();
        waiting.cancel();
        assert_eq!(frame(waiting), Err(CANCELLED));
        a.free(out).expect("it is out");
        assert_eq!(a.allocated(), 0);
        // Too late to cancel.
        let done = a.begin_alloc();
        a.object.settle();
        done.cancel();
        a.free(frame(done).expect("a frame")).expect("it is out");
    });
}

#[test]
fn s138_a_request_that_is_dropped_is_cancelled_or_gives_its_frame_back() {
    everywhere(|objects| {
        let a = objects.allocator(1);
        let out = a.alloc().expect("a frame");
        drop(a.begin_alloc());
        let [first, second] = [(); 2].map(|()| a.begin_alloc());
        a.free(out).expect("it is out");
        // It has a frame nobody was told of, and that one goes on to the next.
        drop(first);
        a.free(frame(second).expect("a frame")).expect("it is out");
        assert_eq!(a.allocated(), 0);
    });
}

#[test]
fn s139_closing_the_handle_cancels_all_that_wait() {
    everywhere(|objects| {
        let a = objects.allocator(1);
        a.alloc().expect("a frame");
        let waiting: Vec<_> = (0..3).map(|_| a.begin_alloc()).collect();
        a.object.settle();
        drop(a);
        for request in waiting {
            assert_eq!(frame(request), Err(CANCELLED));
        }
    });
}

#[test]
fn s139_a_duplicate_of_the_handle_keeps_the_object() {
    everywhere(|objects| {
        let a = objects.allocator(1);
        let out = a.alloc().expect("a frame");
        let waiting = a.begin_alloc();
        let twin = Allocator { pin: a.pin, object: Object(a.object.0.try_clone().expect("a duplicate")) };
        drop(a.object);
        twin.object.settle();
        assert!(waiting.is_pending());
        twin.free(out).expect("it is out");
        assert!(frame(waiting).is_ok());
    });
}

#[test]
fn s140_s141_the_status_has_its_size() {
    everywhere(|objects| {
        let a = objects.allocator(2);
        a.alloc().expect("a frame");
        let KsStreamAllocatorStatus { framing: asked, allocated_frames, reserved } = a.status();
        assert_eq!((asked, allocated_frames, reserved), (framing(2), 1, 0));
        let mut data = [0xEE; 40];
        let small = DeviceError { error: Win32Error::INSUFFICIENT_BUFFER, returned: 32 };
        assert_eq!(a.object.property(&STATUS, &mut data[..31]), Err(small));
        assert_eq!(data, [0xEE; 40], "nothing is written");
        let asked = DeviceError { error: Win32Error::MORE_DATA, returned: 32 };
        assert_eq!(a.object.property(&STATUS, &mut []), Err(asked));
        assert_eq!(a.object.property(&STATUS, &mut data), Ok(32));
        assert_eq!(data[32..], [0xEE; 8], "nothing past the answer is written");
        let mut large = vec![0xEE; 1 << 20];
        assert_eq!(a.object.property(&STATUS, &mut large), Ok(32), "however large the buffer is");
    });
}

#[test]
fn s142_s143_what_is_only_asked_is_not_set_and_the_function_table_is_not_there() {
    everywhere(|objects| {
        let a = objects.allocator(1);
        let set = KsProperty { flags: KsPropertyType::SET.bits(), ..STATUS };
        assert_eq!(a.object.property(&set, &mut [0; 32]), Err(failure(NtStatus::STATUS_NOT_FOUND)));
        for types in [KsPropertyType::GET, KsPropertyType::SET] {
            let table =
                KsProperty::property(KSPROPSETID_StreamAllocator, KSPROPERTY_STREAMALLOCATOR_FUNCTIONTABLE, types);
            assert_eq!(a.object.property(&table, &mut [0; 16]), Err(failure(NtStatus::STATUS_NOT_FOUND)));
        }
    });
}

#[test]
fn s145_an_event_is_signalled_each_time_a_frame_is_freed() {
    everywhere(|objects| {
        let a = objects.allocator(2);
        let event = Event::new();
        let mut data = event.data();
        assert_eq!(a.enable(KsEventType::ENABLE, &mut data), Ok(0));
        assert_eq!(data, event.data(), "the data is as it was");
        let [first, second] = [(); 2].map(|()| a.alloc().expect("a frame"));
        assert_eq!(event.signals(), 0);
        for frame in [first, second] {
            a.free(frame).expect("it is out");
            assert_eq!(event.signals(), 1);
        }
        a.free(first).expect_err("it is free");
        assert_eq!(event.signals(), 0, "nothing was freed");
        assert_eq!(a.disable(&data), Ok(0));
        assert_eq!(a.disable(&data), Err(failure(NtStatus::STATUS_NOT_FOUND)));
        a.free(a.alloc().expect("a frame")).expect("it is out");
        assert_eq!(event.signals(), 0);
    });
}

#[test]
fn s145_a_semaphore_is_released_by_its_adjustment() {
    everywhere(|objects| {
        let a = objects.allocator(1);
        let event = Event::new();
        let mut data = event.data();
        data[..4].copy_from_slice(EventNotification::SEMAPHORE_HANDLE.as_bytes());
        data[20..24].copy_from_slice(&3i32.to_ne_bytes());
        a.enable(KsEventType::ENABLE, &mut data).expect("a semaphore");
        a.free(a.alloc().expect("a frame")).expect("it is out");
        assert_eq!(event.signals(), 3);
    });
}

#[test]
fn s145_what_is_no_event_is_not_enabled() {
    everywhere(|objects| {
        let a = objects.allocator(1);
        let (reader, writer) = rustix::pipe::pipe().expect("a pipe");
        let pipe = Event(writer.into());
        let refused = Err(failure(NtStatus::STATUS_INVALID_HANDLE));
        assert_eq!(a.enable(KsEventType::ENABLE, &mut pipe.data()), refused);
        drop(pipe);
        a.object.settle();
        assert_eq!(rustix::io::read(&reader, &mut [0; 8]), Ok(0), "nobody keeps it, and nothing was written");
        for handle in [0isize, -1, 1 << 40, 9999] {
            let mut data = [0; 32];
            data[..4].copy_from_slice(EventNotification::EVENT_HANDLE.as_bytes());
            data[8..16].copy_from_slice(handle.as_bytes());
            assert_eq!(a.enable(KsEventType::ENABLE, &mut data), refused, "{handle}");
        }
    });
}

#[test]
fn s146_an_event_enabled_once_is_signalled_once() {
    everywhere(|objects| {
        let a = objects.allocator(2);
        let event = Event::new();
        let mut data = event.data();
        a.enable(KsEventType::ONESHOT, &mut data).expect("an event");
        for out in [(); 2].map(|()| a.alloc().expect("a frame")) {
            a.free(out).expect("it is out");
        }
        assert_eq!(event.signals(), 1);
        assert_eq!(a.disable(&data), Err(failure(NtStatus::STATUS_NOT_FOUND)), "it is not enabled any more");
    });
}

#[test]
fn s147_closing_the_allocator_disables_its_events() {
    everywhere(|objects| {
        let a = objects.allocator(2);
        let (first, second) = (Event::new(), Event::new());
        let (mut one, mut other) = (first.data(), second.data());
        a.enable(KsEventType::ENABLE, &mut one).expect("an event");
        a.enable(KsEventType::ENABLE, &mut other).expect("an event");
        // All of this client's, and all is no error where there are none.
        assert_eq!(a.disable(&[]), Ok(0));
        assert_eq!(a.disable(&[]), Ok(0));
        a.enable(KsEventType::ENABLE, &mut one).expect("an event");
        let out = a.alloc().expect("a frame");
        drop(a.object);
        a.pin.settle();
        assert_eq!((first.signals(), second.signals(), out == 0), (0, 0, false));
    });
}

#[test]
fn s148_what_is_taken_and_given_back_leaves_the_number_as_it_was() {
    everywhere(|objects| {
        let a = objects.allocator(3);
        for before in 0..3 {
            assert_eq!(a.allocated(), before);
            let out = a.alloc().expect("a frame");
            assert_eq!(a.allocated(), before + 1);
            a.free(out).expect("it is out");
            assert_eq!(a.free(out), Err(failure(NtStatus::STATUS_INVALID_PARAMETER)), "twice");
            assert_eq!(a.allocated(), before);
            a.alloc().expect("a frame");
        }
    });
}

const STREAM_ALLOCATOR: KsProperty =
    KsProperty::property(KSPROPSETID_Stream, KSPROPERTY_STREAM_ALLOCATOR, KsPropertyType::GET);

#[test]
fn s149_a_pin_that_can_provide_an_allocator_says_so() {
    everywhere(|objects| {
        let filter = objects.filter();
        let ask = |pin: &Object| {
            let mut handle = [0xEE; 8];
            pin.property(&STREAM_ALLOCATOR, &mut handle).map(|length| (length, isize::from_ne_bytes(handle)))
        };
        let pin = filter.pin(SINK);
        assert_eq!(ask(&pin), Ok((8, 0)));
        assert_eq!(ask(&filter.pin(INCAPABLE)), Err(failure(NtStatus::STATUS_PROPSET_NOT_FOUND)));
        // It is given one by its handle, and told to have none again; what is no allocator is refused.
        let set = KsProperty { flags: KsPropertyType::SET.bits(), ..STREAM_ALLOCATOR };
        let a = objects.allocator(1);
        for (handle, expected) in [
            (a.object.handle(), Ok(8)),
            (Handle::NULL, Ok(8)),
            (a.pin.handle(), Err(failure(NtStatus::STATUS_INVALID_HANDLE))),
            (Handle(9999), Err(failure(NtStatus::STATUS_INVALID_HANDLE))),
        ] {
            let mut data = handle.0.to_ne_bytes();
            // Of another filter, which is another object of the same server.
            assert_eq!(pin.property(&set, &mut data), expected, "{handle:?}");
            assert_eq!(data, handle.0.to_ne_bytes(), "it is as it was");
        }
    });
}

#[test]
fn a_pin_is_connected_to_one_that_receives_by_its_handle() {
    everywhere(|objects| {
        let filter = objects.filter();
        let sink = filter.pin(SINK);
        let source = filter.try_pin(SOURCE, sink.handle()).expect("a pin");
        assert_eq!(filter.try_pin(SOURCE, source.handle()).err(), Some(Win32Error::INVALID_PARAMETER));
        assert_eq!(filter.try_pin(SOURCE, Handle(9999)).err(), Some(Win32Error::INVALID_HANDLE));
        // Two there may be, and a pin that is closed makes room.
        let second = filter.pin(SOURCE);
        assert_eq!(filter.try_pin(SOURCE, Handle::NULL).err(), Some(Win32Error::BUSY));
        drop(second);
        filter.settle();
        filter.pin(SOURCE);
    });
}

#[test]
fn s150_s151_a_framing_comes_as_it_is() {
    everywhere(|objects| {
        let get = |id| KsProperty::property(KSPROPSETID_Connection, id, KsPropertyType::GET);
        let (old, extended) =
            (get(KSPROPERTY_CONNECTION_ALLOCATORFRAMING), get(KSPROPERTY_CONNECTION_ALLOCATORFRAMING_EX));
        let pin = objects.pin(FRAMED);
        let mut bytes = vec![0; 200];
        assert_eq!(pin.property(&extended, &mut bytes), Ok(112));
        assert_eq!(bytes[..112], extended_framing());
        assert_eq!(pin.property(&old, &mut bytes), Err(failure(NtStatus::STATUS_NOT_FOUND)));
        let pin = objects.pin(OLD_FRAMED);
        assert_eq!(pin.property(&old, &mut bytes), Ok(24));
        assert_eq!(bytes[..24], *framing(7).as_bytes());
    });
}

#[test]
fn requests_that_are_none_are_refused_alike() {
    everywhere(|objects| {
        let a = objects.allocator(1);
        let mut data = [0; 32];
        for (code, input, error) in [
            (0x2F_001B, &[0; 24][..], Win32Error::INVALID_FUNCTION),
            (IOCTL_KS_PROPERTY, &[0; 23], Win32Error::INVALID_USER_BUFFER),
            (IOCTL_KS_PROPERTY, &[], Win32Error::INVALID_USER_BUFFER),
            (IOCTL_KS_METHOD, &[1; 24], Win32Error::SET_NOT_FOUND),
            (IOCTL_KS_DISABLE_EVENT, &[1; 8], Win32Error::INVALID_USER_BUFFER),
        ] {
            assert_eq!(a.object.send(code, input, &mut data).map_err(|error| error.error), Err(error), "{code:#x}");
        }
        // The number of bytes that each verb's sets have.
        let sets = KsProperty::property(Guid::NULL, 0, KsPropertyType::SETSUPPORT);
        for code in [IOCTL_KS_PROPERTY, IOCTL_KS_METHOD, IOCTL_KS_ENABLE_EVENT] {
            assert_eq!(a.object.send(code, sets.as_bytes(), &mut data), Ok(16));
        }
        let (reader, _writer) = rustix::pipe::pipe().expect("a pipe");
        let stranger = Object(reader.into());
        assert_eq!(stranger.send(IOCTL_KS_PROPERTY, &[0; 24], &mut data), Err(Win32Error::INVALID_HANDLE.into()));
    });
}

#[test]
fn threads_of_one_process_do_not_wait_for_each_other() {
    everywhere(|objects| {
        let a = objects.allocator(1);
        let out = a.alloc().expect("a frame");
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| a.alloc());
            // The status is asked for as long as the other waits, and is answered.
            for _ in 0..100 {
                assert_eq!(a.allocated(), 1);
            }
            a.free(out).expect("it is out");
            a.free(waiting.join().expect("no panic").expect("a frame")).expect("it is out");
        });
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for round in 0..100 {
                        let request = a.begin_alloc();
                        if round % 3 == 0 {
                            request.cancel();
                        }
                        match frame(request) {
                            Ok(frame) => drop(a.free(frame).expect("it is out")),
                            Err(error) => assert_eq!(error, CANCELLED),
                        }
                    }
                });
            }
        });
        assert_eq!(a.allocated(), 0);
    });
}
