//! Whatever way a client or the server ends, and whatever of another's a client reaches for: nobody beside it loses anything,
//! and nobody hangs.
#![cfg(unix)]

mod common;
#[path = "common/scene.rs"]
mod scene;

use common::*;
use ks::*;
use ksobject::wire::Attach;
use ksobject::{OwnedHandle, RemoteObjects, Win32Error};
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::fd::{AsFd, OwnedFd};
use rustix::net::{AddressFamily, SocketType};
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

/// An address of a socket has room for 108 bytes, a path for 4096, and a name in it for 255.
#[test]
fn a_path_that_is_too_long_for_an_address_is_served_and_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let deep = (0..10).fold(folder.path().to_owned(), |path, _| path.join("d".repeat(200)));
    std::fs::create_dir_all(&deep).expect("folders");
    let path = deep.join("s".repeat(255));
    let open = || RemoteObjects::open(&path).map(drop);
    assert_eq!(open(), Err(Win32Error::FILE_NOT_FOUND));
    let pin = || ksobject::InProcessObjects::create_sink_pin().expect("a pin");
    let mut server = ksobject::Server::bind(&path, pin()).expect("a server");
    let stop = server.stopper();
    let opened = std::thread::scope(|scope| {
        scope.spawn(|| server.run());
        let opened = open();
        stop.stop();
        opened
    });
    assert_eq!(opened, Ok(()));
    // One that nobody listens at is replaced there, too.
    let aside = deep.join("aside");
    std::fs::rename(&path, &aside).expect("it is there");
    drop(server);
    std::fs::rename(&aside, &path).expect("it is left behind");
    assert_eq!(open(), Err(Win32Error::FILE_NOT_FOUND));
    drop(ksobject::Server::bind(&path, pin()).expect("a stale one is replaced"));
    assert!(!path.exists());
    // What cannot be a path at which somebody serves is none, and no lack of room.
    std::os::unix::fs::symlink("loop", folder.path().join("loop")).expect("a link");
    let nowhere = ["", "a\0b", &"a/".repeat(3000), &"n".repeat(300)].map(std::path::PathBuf::from);
    for path in nowhere.into_iter().chain([folder.path().join("loop")]) {
        assert_eq!(RemoteObjects::open(&path).map(drop), Err(Win32Error::FILE_NOT_FOUND), "{path:?}");
    }
}
