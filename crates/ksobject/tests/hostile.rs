//! What a client can do wrong costs only itself: the others beside it lose nothing, and the server keeps nothing of it.
#![cfg(unix)]

mod common;

use common::*;
use ks::*;
use ksobject::wire::{Answer, Attach, Control, Create, MAX_PACKET, Message, ObjectKind};
use ksobject::{OwnedHandle, Win32Error};
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, epoll, eventfd, poll};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};
use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use zerocopy::IntoBytes;

#[test]
fn this_program_is_the_server_if_asked_to() {
    serve_if_asked_to();
}

#[test]
fn this_program_is_a_client_if_asked_to() {
    client_if_asked_to();
}

/// A socket, spoken to packet by packet.
struct Raw(OwnedFd);

impl Raw {
    /// A connection to what is behind a handle.
    fn attach(handle: impl AsFd) -> Self {
        let (near, far) = seqpacket();
        send(handle, &Attach { version: 1 }.to_packet(), &[far.as_fd()]).expect("there is room");
        Self(near)
    }

    fn send(&self, packet: &[u8], descriptors: &[BorrowedFd<'_>]) -> Result<(), Errno> {
        send(&self.0, packet, descriptors)
    }

    /// The next answer: its number, status, `returned`, and its descriptors. `None` where the server has hung up.
    fn answer(&self) -> Option<(u64, NtStatus, u32, Vec<OwnedFd>)> {
        let mut packet = vec![0; MAX_PACKET];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(16))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let flags = RecvFlags::CMSG_CLOEXEC;
        let length = match recvmsg(&self.0, &mut [IoSliceMut::new(&mut packet)], &mut ancillary, flags) {
            Ok(received) if received.bytes > 0 => received.bytes,
            Ok(_) | Err(Errno::CONNRESET) => return None,
            Err(error) => panic!("{error}"),
        };
        let descriptors = ancillary.drain().filter_map(|message| match message {
            RecvAncillaryMessage::ScmRights(descriptors) => Some(descriptors),
            _ => None,
        });
        let descriptors = descriptors.flatten().collect();
        match Message::parse(&packet[..length]) {
            Ok((id, Message::Answer(Answer { status, returned, .. }))) => Some((id, status, returned, descriptors)),
            other => panic!("{other:?}"),
        }
    }

    fn control(&self, id: u64, code: u32, input: &[u8], output: u32) -> Result<(), Errno> {
        let control = Control { code, output_length: output, key: id, input, data: &[], descriptors: 0 };
        self.send(&control.to_packet(id).expect("it fits"), &[])
    }

    fn alloc(&self, id: u64) -> Result<(), Errno> {
        self.control(id, IOCTL_KS_METHOD, method(ALLOC, KsMethodType::WRITE).as_bytes(), 8)
    }

    fn status(&self, id: u64) -> Result<(), Errno> {
        self.control(id, IOCTL_KS_PROPERTY, STATUS.as_bytes(), 32)
    }

    /// The server has done what was sent before.
    fn settle(&self, id: u64) -> NtStatus {
        self.status(id).expect("there is room");
        loop {
            let (answered, status, ..) = self.answer().expect("it has not hung up");
            if answered == id {
                return status;
            }
        }
    }
}

fn seqpacket() -> (OwnedFd, OwnedFd) {
    socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).expect("a pair")
}

/// Sends without waiting.
fn send(socket: impl AsFd, packet: &[u8], descriptors: &[BorrowedFd<'_>]) -> Result<(), Errno> {
    let mut space = vec![MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(250))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if !descriptors.is_empty() {
        assert!(ancillary.push(SendAncillaryMessage::ScmRights(descriptors)));
    }
    sendmsg(socket, &[IoSlice::new(packet)], &mut ancillary, SendFlags::DONTWAIT | SendFlags::NOSIGNAL).map(drop)
}

/// A server with an allocator of two frames, a victim that is a client of it, and this process, who is hostile.
struct Scene {
    objects: Objects,
    /// The victim's.
    allocator: Allocator,
    victim: OtherClient,
}

impl Scene {
    fn new() -> Self {
        let objects = Objects::of(ServerProcess::start());
        let allocator = objects.allocator(2);
        let victim = OtherClient::start(&allocator.object, "works when it is told");
        let scene = Self { objects, allocator, victim };
        scene.victim_works();
        // This process's own connection, by which it looks at the status.
        assert_eq!(scene.allocator.allocated(), 0);
        scene
    }

    fn victim_works(&self) {
        self.victim.tell("work");
        self.victim.expect("done");
    }

    /// Does this, and sees that the victim works meanwhile and afterwards, and that the server has kept nothing.
    fn survives(&mut self, what: &str, attack: impl FnOnce(&Self) -> Vec<OwnedFd>) {
        self.victim_works();
        let before = self.objects.server().descriptors();
        let kept = attack(self);
        self.victim_works();
        drop(kept);
        // The server hears of what was closed before it reads what the victim sends next, or soon after.
        let leaves = |scene: &mut Self| {
            scene.victim_works();
            scene.objects.server().descriptors() == before && scene.allocator.allocated() == 0
        };
        let after = |scene: &mut Self| scene.objects.server().descriptors();
        assert!(
            (0..200).any(|_| leaves(self)),
            "{what}: {before} descriptors became {}, {} frames are out",
            after(self),
            self.allocator.allocated()
        );
    }

    fn end(self) {
        self.victim.tell("end");
        self.victim.end();
    }
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
fn whatever_a_client_has_when_it_closes_comes_home() {
    let mut scene = Scene::new();
    type Step = fn(&Raw);
    let steps: [(&str, Step); 5] = [
        ("nothing", |_| {}),
        ("a request", |raw| raw.status(1).expect("there is room")),
        ("a frame", |raw| raw.alloc(1).expect("there is room")),
        ("a frame it was told of", |raw| {
            raw.alloc(1).expect("there is room");
            assert_eq!(raw.settle(2), NtStatus::STATUS_SUCCESS);
        }),
        ("more frames than there are", |raw| {
            (1..9).for_each(|id| raw.alloc(id).expect("there is room"));
            assert_eq!(raw.settle(9), NtStatus::STATUS_SUCCESS);
        }),
    ];
    for (what, step) in steps {
        // The victim's own work needs both frames: they are home when it goes on.
        scene.survives(what, |scene| {
            let raw = Raw::attach(&scene.allocator.object.0);
            step(&raw);
            drop(raw);
            vec![]
        });
    }
    for point in ["open", "attach"] {
        scene.survives(point, |scene| {
            let mut scene_objects = Vec::new();
            for _ in 0..20 {
                let pin = scene.objects.filter();
                if point == "attach" {
                    drop(Raw::attach(&pin.0));
                }
                scene_objects.push(OwnedFd::from(pin.0));
            }
            scene_objects
        });
    }
    scene.end();
}

#[test]
fn a_client_that_is_killed_leaves_nothing_behind() {
    let mut scene = Scene::new();
    let before = scene.objects.server().descriptors();
    for _ in 0..5 {
        let a = scene.objects.allocator(1);
        let event = Event::new();
        let mut data = event.data();
        let other = OtherClient::start(&a.object, "has one of everything");
        other.expect("has it all");
        a.enable(KsEventType::ENABLE, &mut data).expect("an event");
        let mine = a.begin_alloc();
        a.object.settle();
        assert!(mine.is_pending());
        drop(other.kill());
        // Its frame, for which it waited itself too, before me.
        let out = frame(mine).expect("the frame it had");
        assert!(event.wait() > 0, "and I am told of it");
        assert_eq!(a.allocated(), 1);
        a.free(out).expect("it is out");
    }
    // The server hears of the last handles that were closed soon.
    let as_before = |scene: &mut Scene| {
        scene.victim_works();
        scene.objects.server().descriptors() == before
    };
    assert!((0..200).any(|_| as_before(&mut scene)));
    scene.end();
}

#[test]
fn a_client_that_is_killed_is_gone_though_its_child_has_its_connection() {
    let objects = Objects::of(ServerProcess::start());
    let a = objects.allocator(1);
    let other = OtherClient::start(&a.object, "has a frame and a child");
    other.expect("has it all");
    let mine = a.begin_alloc();
    a.object.settle();
    assert!(mine.is_pending());
    let channel = other.kill();
    assert!(frame(mine).is_ok(), "the frame came home");
    // The child lives until now.
    drop(channel);
}

#[test]
fn nobody_is_taken_for_who_made_the_socket_he_sends() {
    let mut scene = Scene::new();
    scene.survives("another's socket", |scene| {
        let other = OtherClient::start(&scene.allocator.object, "lends a pair of its own");
        let its = other.descriptor();
        send(&scene.allocator.object.0, &Attach { version: 1 }.to_packet(), &[its.as_fd()]).expect("there is room");
        drop(its);
        other.expect("hung up");
        other.end();
        vec![]
    });
    scene.end();
}

#[test]
fn an_event_that_is_full_makes_nobody_wait() {
    let objects = Objects::of(ServerProcess::start());
    let a = objects.allocator(1);
    // Blocking, and without room for one more.
    let full = Event(OwnedHandle::from(eventfd(0, EventfdFlags::CLOEXEC).expect("an eventfd")));
    rustix::io::write(&full.0, (u64::MAX - 1).as_bytes()).expect("there is room");
    let event = Event::new();
    let (mut first, mut second) = (full.data(), event.data());
    a.enable(KsEventType::ENABLE, &mut first).expect("an event");
    a.enable(KsEventType::ENABLE, &mut second).expect("an event");
    for _ in 0..3 {
        a.free(a.alloc().expect("a frame")).expect("it is out");
        assert_eq!(event.signals(), 1);
    }
    assert_eq!(full.signals(), u64::MAX - 1);
}

#[test]
fn what_is_anothers_is_not_to_be_freed_nor_disabled() {
    let objects = Objects::of(ServerProcess::start());
    let a = objects.allocator(2);
    let out = a.alloc().expect("a frame");
    let event = Event::new();
    let mut data = event.data();
    a.enable(KsEventType::ENABLE, &mut data).expect("an event");
    let other = OtherClient::start(&a.object, "frees what is another's");
    other.expect("is there");
    other.end();
    assert_eq!((a.allocated(), event.signals()), (1, 0));
    a.free(out).expect("it is out");
    assert_eq!(event.signals(), 1);
}

#[test]
fn a_server_that_is_gone_is_an_error_and_no_hang() {
    let mut objects = Objects::of(ServerProcess::start());
    let a = objects.allocator(1);
    a.alloc().expect("a frame");
    let waiting = a.begin_alloc();
    let watched = waiting.as_fd().expect("a descriptor");
    a.object.settle();
    objects.server().kill();
    poll(&mut [PollFd::new(&watched, PollFlags::IN)], None).expect("it can be waited for");
    let removed = ksobject::DeviceError::from(Win32Error::DEVICE_REMOVED);
    assert_eq!(frame(waiting), Err(removed));
    assert_eq!(a.alloc(), Err(removed));
    assert_eq!(a.free(1), Err(removed));
    let path = objects.server().path();
    assert_eq!(ksobject::RemoteObjects::open(path).err(), Some(Win32Error::FILE_NOT_FOUND));
}

#[test]
fn a_request_tells_of_its_answer_by_a_descriptor() {
    let objects = Objects::of(ServerProcess::start());
    let a = objects.allocator(1);
    let out = a.alloc().expect("a frame");
    let waiting = a.begin_alloc();
    let watched = waiting.as_fd().expect("a descriptor");
    // Somebody else reads the answer.
    a.free(out).expect("it is out");
    a.object.settle();
    poll(&mut [PollFd::new(&watched, PollFlags::IN)], None).expect("it can be waited for");
    assert!(!waiting.is_pending());
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    let another = a.begin_alloc();
    a.object.settle();
    let watched = another.as_fd().expect("a descriptor");
    assert_eq!(poll(&mut [PollFd::new(&watched, PollFlags::IN)], Some(&at_once)), Ok(0), "nothing yet");
    a.free(frame(waiting).expect("a frame")).expect("it is out");
    assert!(frame(another).is_ok());
}

/// What lies at a path, and who may come.
#[test]
fn a_path_is_its_owners_and_a_stale_one_is_replaced() {
    use std::os::unix::fs::{FileTypeExt, PermissionsExt};
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("pin");
    let pin = || ksobject::InProcessObjects::create_sink_pin().expect("a pin");
    let server = ksobject::Server::bind(&path, pin()).expect("a server");
    let about = std::fs::symlink_metadata(&path).expect("it is there");
    assert!(about.file_type().is_socket());
    assert_eq!(about.permissions().mode() & 0o777, 0o600);
    let names = || std::fs::read_dir(folder.path()).expect("a folder").count();
    assert_eq!(names(), 1, "and nothing beside it");
    let taken = ksobject::Server::bind(&path, pin()).map(drop).expect_err("somebody listens");
    assert_eq!((taken.kind(), names()), (std::io::ErrorKind::AddrInUse, 1));
    drop(server);
    assert_eq!(names(), 0);
    // One that nobody listens at.
    let stale = rustix::net::socket(AddressFamily::UNIX, SocketType::SEQPACKET, None).expect("a socket");
    rustix::net::bind(&stale, &rustix::net::SocketAddrUnix::new(&path).expect("a path")).expect("a name");
    drop(stale);
    let server = ksobject::Server::bind(&path, pin()).expect("a stale one is replaced");
    assert_eq!(names(), 1);
    // Another's by the time it ends.
    std::fs::remove_file(&path).expect("it is there");
    std::fs::write(&path, "a file").expect("it can be written");
    drop(server);
    assert_eq!(std::fs::read_to_string(&path).ok().as_deref(), Some("a file"));
    let taken = ksobject::Server::bind(&path, pin()).map(drop).expect_err("it is a file");
    assert_eq!(taken.kind(), std::io::ErrorKind::AddrInUse);
    let stranger = OwnedHandle::from(eventfd(0, EventfdFlags::CLOEXEC).expect("an eventfd"));
    let none = ksobject::Server::new().expect("a server").open(stranger).expect_err("no object");
    assert_eq!(none.kind(), std::io::ErrorKind::InvalidInput);
}

#[test]
fn a_client_with_many_connections_is_served_one_request_a_turn() {
    let mut server = ksobject::Server::new().expect("there is room");
    let handle = server.open(ksobject::InProcessObjects::create_sink_pin().expect("a pin")).expect("a handle");
    let connections: Vec<Raw> = (0..3).map(|_| Raw::attach(&handle)).collect();
    let at_once = std::time::Duration::ZERO;
    while server.turn(Some(at_once)).expect("it can wait") > 0 {}
    connections.iter().zip(1..).for_each(|(connection, id)| connection.status(id).expect("there is room"));
    for served in 1..=3 {
        server.turn(Some(at_once)).expect("it can wait");
        let mut polled: Vec<_> = connections.iter().map(|raw| PollFd::new(&raw.0, PollFlags::IN)).collect();
        assert_eq!(poll(&mut polled, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })), Ok(served));
    }
}
