//! What a client can send wrong, or too much of, costs only itself: the others beside it lose nothing, and the server keeps nothing
//! of it.
#![cfg(unix)]

mod common;
#[path = "common/scene.rs"]
mod scene;

use common::*;
use ks::*;
use ksobject::wire::{Answer, Attach, Control, Create, ObjectKind};
use rustix::event::{EventfdFlags, epoll, eventfd};
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use scene::*;
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
fn a_packet_that_is_none_ends_its_connection_alone() {
    let mut scene = Scene::new();
    let good = Control {
        code: IOCTL_KS_PROPERTY,
        output_length: 32,
        key: 0,
        input: STATUS.as_bytes(),
        data: &[],
        descriptors: 0,
    };
    let good = good.to_packet(1).expect("it fits");
    let with = |place: usize, bytes: &[u8]| {
        let mut packet = good.clone();
        packet[place..place + bytes.len()].copy_from_slice(bytes);
        packet
    };
    let longer = [&good[..], &[0; 70_000]].concat();
    let packets = [
        ("half a head", good[..7].to_vec()),
        ("half a request", good[..50].to_vec()),
        ("no request's head", good[..16].to_vec()),
        ("longer than it says", [&good[..], &[0]].concat()),
        ("longer than any", longer),
        ("a length of nothing", with(4, &[0; 4])),
        ("a length of everything", with(4, &[0xFF; 4])),
        ("too long an input", with(20, &[0xFF; 4])),
        ("too long an output", with(24, &[0xFF; 4])),
        ("too long data", with(28, &[0xFF; 4])),
        ("descriptors that are not there", with(2, &[3, 0])),
        ("more descriptors than there can be", with(2, &[0xFF; 2])),
        ("an answer", Answer { status: NtStatus(0), returned: 0, data: &[], descriptors: 0 }.to_packet(1)),
        (
            "a HELLO",
            ksobject::wire::Hello {
                lowest: 1,
                highest: 1,
                object: ObjectKind::Pin,
                pointer_bytes: 8,
                max_packet: 0,
                max_memory: 0,
            }
            .to_packet(),
        ),
        ("a request without a number", with(8, &[0; 8])),
        ("noise", (0..200u32).map(|i| (i * 97 % 251) as u8).collect()),
    ];
    for (what, packet) in packets {
        scene.survives(what, |scene| {
            let [first, other] = [(); 2].map(|()| Raw::attach(&scene.allocator.object.0));
            first.send(&packet, &[]).expect("it can be sent");
            assert!(first.answer().is_none(), "{what}: it is hung up");
            assert_eq!(other.settle(7), NtStatus::STATUS_SUCCESS, "{what}: the other connection is not");
            vec![first.0, other.0]
        });
        // On a handle others have, it is passed over.
        scene.survives(what, |scene| {
            match send(&scene.allocator.object.0, &packet, &[]) {
                Ok(()) | Err(Errno::AGAIN) => {}
                Err(error) => panic!("{error}"),
            }
            vec![]
        });
    }
    scene.end();
}

#[test]
fn kinds_of_other_layers_are_answered_and_change_nothing() {
    let mut scene = Scene::new();
    scene.survives("unknown kinds", |scene| {
        let raw = Raw::attach(&scene.allocator.object.0);
        for (number, kind) in (1..).zip([0u16, 6, 0x00FF, 0x0100, 0x7FFF]) {
            let mut packet = Create { name: b"anything", descriptors: 0 }.to_packet(number).expect("it fits");
            packet[..2].copy_from_slice(&kind.to_le_bytes());
            raw.send(&packet, &[]).expect("there is room");
            let (id, status, ..) = raw.answer().expect("an answer");
            assert_eq!((id, status), (number, NtStatus::STATUS_INVALID_DEVICE_REQUEST), "{kind:#x}");
        }
        vec![raw.0]
    });
    scene.end();
}

#[test]
fn who_floods_and_does_not_read_keeps_only_himself_waiting() {
    let mut scene = Scene::new();
    scene.survives("a flood", |scene| {
        let raw = Raw::attach(&scene.allocator.object.0);
        // Until there is no room: neither for questions nor, then, for answers.
        let (mut sent, mut full) = (0u64, 0);
        while full < 20 {
            match raw.status(sent + 1) {
                Ok(()) => sent += 1,
                Err(Errno::AGAIN) => {
                    full += 1;
                    scene.victim_works();
                }
                Err(error) => panic!("{error}"),
            }
        }
        // Every one of them is answered, once it reads.
        for id in 1..=sent {
            assert_eq!(raw.answer().map(|(id, status, ..)| (id, status)), Some((id, NtStatus::STATUS_SUCCESS)));
        }
        vec![raw.0]
    });
    // The same, and gone without a word.
    scene.survives("a flood that ends", |scene| {
        let raw = Raw::attach(&scene.allocator.object.0);
        let mut id = 0;
        let large = KsProperty::property(Guid::NULL, 0, KsPropertyType::SETSUPPORT);
        while raw.control(id + 1, IOCTL_KS_PROPERTY, large.as_bytes(), 65_000).is_ok() {
            id += 1;
        }
        vec![raw.0]
    });
    scene.survives("a flood of the handle", |scene| {
        let answer = Answer { status: NtStatus(0), returned: 0, data: &[0; 1000], descriptors: 0 }.to_packet(0);
        for _ in 0..1000 {
            let _ = send(&scene.allocator.object.0, &answer, &[]);
        }
        vec![]
    });
    scene.end();
}

#[test]
fn what_a_client_has_too_much_of_is_refused_until_it_has_less() {
    let mut scene = Scene::new();
    let no_more = NtStatus::STATUS_INSUFFICIENT_RESOURCES;
    for round in 0..2 {
        scene.survives("objects", |scene| {
            let raw = Raw::attach(&scene.allocator.pin.0);
            let name = allocator_create_name(&framing(1));
            let mut handles = Vec::new();
            for id in 1..1000 {
                raw.send(&Create { name: &name, descriptors: 0 }.to_packet(id).expect("it fits"), &[]).expect("room");
                let (_, status, _, descriptors) = raw.answer().expect("an answer");
                handles.extend(descriptors);
                if status != NtStatus::STATUS_SUCCESS {
                    assert_eq!(status, no_more);
                    break;
                }
            }
            assert!((16..64).contains(&handles.len()), "{round}: {}", handles.len());
            handles.push(raw.0);
            handles
        });
        scene.survives("memory", |scene| {
            let raw = Raw::attach(&scene.allocator.pin.0);
            let name = allocator_create_name(&KsAllocatorFraming { frame_size: 1 << 30, ..framing(0) });
            raw.send(&Create { name: &name, descriptors: 0 }.to_packet(1).expect("it fits"), &[]).expect("room");
            assert_eq!(raw.answer().map(|(_, status, ..)| status), Some(no_more));
            vec![raw.0]
        });
        scene.survives("requests that wait", |scene| {
            let a = scene.objects.allocator(1);
            let raw = Raw::attach(&a.object.0);
            let refused = (1..1000).find(|id| {
                raw.alloc(*id).expect("there is room");
                raw.status(1000 + id).expect("there is room");
                let (answered, status, ..) = raw.answer().expect("an answer");
                if answered == *id {
                    // The first has the frame, and one that is too many is refused. The status is still to come.
                    assert_eq!(status, if answered == 1 { NtStatus::STATUS_SUCCESS } else { no_more });
                    assert!(raw.answer().is_some());
                }
                answered == *id && *id > 1
            });
            assert!(refused.is_some_and(|id| (64..256).contains(&id)), "{refused:?}");
            vec![raw.0]
        });
        scene.survives("events", |scene| {
            let raw = Raw::attach(&scene.allocator.object.0);
            let event = Event::new();
            let mut data = event.data();
            data[8..16].copy_from_slice(&1u64.to_le_bytes());
            let about =
                KsEvent::event(KSEVENTSETID_StreamAllocator, KSEVENT_STREAMALLOCATOR_FREEFRAME, KsEventType::ENABLE);
            let mut enabled = 0;
            for id in 1..1000 {
                let control = Control {
                    code: IOCTL_KS_ENABLE_EVENT,
                    output_length: 32,
                    key: id,
                    input: about.as_bytes(),
                    data: &data,
                    descriptors: 1,
                };
                raw.send(&control.to_packet(id).expect("it fits"), &[event.0.as_fd()]).expect("there is room");
                let (_, status, ..) = raw.answer().expect("an answer");
                if status != NtStatus::STATUS_SUCCESS {
                    assert_eq!(status, no_more);
                    break;
                }
                enabled += 1;
            }
            assert!((64..256).contains(&enabled), "{enabled}");
            vec![raw.0]
        });
        scene.survives("connections", |scene| {
            let connections: Vec<_> = (0..200).map(|_| Raw::attach(&scene.allocator.object.0)).collect();
            let last = connections.last().expect("there are some");
            assert_eq!(last.answer().map(|(id, status, ..)| (id, status)), Some((0, no_more)));
            assert!(last.answer().is_none(), "it is hung up");
            connections.into_iter().map(|connection| connection.0).collect()
        });
    }
    scene.end();
}

/// Descriptors of every kind that is no connection.
fn strange_descriptors() -> Vec<(&'static str, OwnedFd)> {
    let (reader, writer) = rustix::pipe::pipe().expect("a pipe");
    let (stream, _end) =
        socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None).expect("a pair");
    let listening = rustix::net::socket(AddressFamily::UNIX, SocketType::SEQPACKET, None).expect("a socket");
    let internet = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None).expect("a socket");
    vec![
        ("a pipe", writer),
        ("a pipe's end", reader),
        ("a stream", stream),
        ("an unconnected socket", listening),
        ("an internet socket", internet),
        ("an eventfd", eventfd(0, EventfdFlags::CLOEXEC).expect("an eventfd")),
        ("an epoll", epoll::create(epoll::CreateFlags::CLOEXEC).expect("an epoll")),
        ("a memfd", rustix::fs::memfd_create("test", rustix::fs::MemfdFlags::CLOEXEC).expect("a memfd")),
        ("a folder", std::fs::File::open("/").expect("a folder").into()),
    ]
}

#[test]
fn descriptors_nobody_asked_for_are_let_go_of() {
    let mut scene = Scene::new();
    let attach = Attach { version: 1 }.to_packet();
    for (what, stranger) in strange_descriptors() {
        scene.survives(what, |scene| {
            send(&scene.allocator.object.0, &attach, &[stranger.as_fd()]).expect("there is room");
            vec![]
        });
        scene.survives(what, |scene| {
            let raw = Raw::attach(&scene.allocator.object.0);
            let create = Create { name: b"nothing", descriptors: 1 }.to_packet(1).expect("it fits");
            raw.send(&create, &[stranger.as_fd()]).expect("there is room");
            assert_eq!(raw.answer().map(|(_, status, ..)| status), Some(NtStatus::STATUS_OBJECT_NAME_NOT_FOUND));
            vec![raw.0]
        });
    }
    scene.survives("the handle itself as its connection", |scene| {
        send(&scene.allocator.object.0, &attach, &[scene.allocator.object.0.as_fd()]).expect("there is room");
        vec![]
    });
    for count in [2, 16, 17, 250] {
        scene.survives("many descriptors", |scene| {
            let (_near, far) = seqpacket();
            let many = vec![far.as_fd(); count];
            send(&scene.allocator.object.0, &attach, &many).expect("there is room");
            let raw = Raw::attach(&scene.allocator.object.0);
            let mut status = Create { name: b"nothing", descriptors: 1 }.to_packet(1).expect("it fits");
            for said in [0, 1, count.min(0xFFFF) as u16] {
                status[2..4].copy_from_slice(&said.to_le_bytes());
                let _ = raw.send(&status, &many);
            }
            vec![raw.0]
        });
    }
    scene.end();
}

#[test]
fn who_asks_now_and_then_is_answered_in_the_next_turn_whoever_floods() {
    let mut server = ksobject::Server::new().expect("there is room");
    let handle = server.open(ksobject::InProcessObjects::create_sink_pin().expect("a pin")).expect("a handle");
    let at_once = Some(std::time::Duration::ZERO);
    let flooders: Vec<Raw> = (0..20).map(|_| Raw::attach(&handle)).collect();
    while server.turn(at_once).expect("it can wait") > 0 {}
    let victim = OtherClient::start(&Object(handle), "asks when it is told");
    for raw in &flooders {
        (1..=200).for_each(|id| raw.status(id).expect("there is room"));
    }
    for round in 0..10 {
        victim.tell("ask");
        victim.expect("asked");
        // The first time it has to get a connection.
        for _ in 0..if round == 0 { 100 } else { 1 } {
            assert!(server.turn(at_once).expect("it can wait") > 0);
        }
        victim.tell("look");
        victim.expect("answered");
        // It thinks, for long enough that it has asked for less than its share.
        (0..10).for_each(|_| assert!(server.turn(at_once).expect("it can wait") > 0, "there is much to do"));
    }
    victim.tell("end");
    victim.end();
    let answered = flooders.iter().map(|raw| std::iter::from_fn(|| raw.answered_by_now()).count()).sum::<usize>();
    assert!((1..20 * 200).contains(&answered), "they were served meanwhile, and not to their end: {answered}");
}

#[test]
fn more_processes_than_a_server_has_room_for_hear_so_and_take_nothing_from_those_that_are_there() {
    let limits = ksobject::Limits { clients: 2, ..ksobject::Limits::default() };
    let mut server = ksobject::Server::with_limits(limits).expect("there is room");
    let filter = ksobject::InProcessObjects::create_filter(factories()).expect("a filter");
    let handle = Object(server.open(filter).expect("a handle"));
    let stop = Stops(server.stopper());
    std::thread::scope(|scope| {
        // Also where this fails.
        let _stop = stop;
        scope.spawn(|| server.run().expect("it serves"));
        let asks = |client: &OtherClient, hears: &str| {
            client.tell("ask");
            client.expect("asked");
            // The server has done what came before.
            loop {
                client.tell("look");
                match client.says().as_str() {
                    "not yet" => client.tell("ask"),
                    said => break assert_eq!(said, hears),
                }
                client.expect("asked");
            }
        };
        let [one, two, three] = [(); 3].map(|()| OtherClient::start(&handle, "asks when it is told"));
        asks(&one, "answered");
        asks(&two, "answered");
        for _ in 0..20 {
            asks(&three, "no room");
            asks(&one, "answered");
        }
        // There is room once one of them has gone, and the server has heard of it.
        drop(two.kill());
        asks(&three, "answered");
        asks(&one, "answered");
        [one, three].into_iter().for_each(|client| {
            client.tell("end");
            client.end();
        });
    });
}

/// Ends a server when it is dropped.
struct Stops(ksobject::Stopper);

impl Drop for Stops {
    fn drop(&mut self) {
        self.0.stop();
    }
}
