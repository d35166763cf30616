//! A client that is a process of its own, and is told what to do.

use super::{Allocator, Event, Object, STATUS, failure, frame};
use ks::{IOCTL_KS_PROPERTY, KsEventType, NtStatus};
use ksobject::{OwnedHandle, SystemObjects, Win32Error};
use rustix::fd::{AsFd, OwnedFd};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};
use std::cell::RefCell;
use std::io::{BufRead, BufReader, IoSlice, IoSliceMut, Write};
use std::mem::MaybeUninit;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use zerocopy::IntoBytes;

/// Says in which role this program runs: a client that is handed a handle.
const CLIENT_THAT: &str = "KSOBJECT_TEST_CLIENT_THAT";

/// A client of an allocator that is a process of its own. It is handed the handle over a socket.
pub struct OtherClient {
    child: Child,
    channel: Channel,
}

impl OtherClient {
    /// Starts one that does what [`client_if_asked_to`] has under this name.
    pub fn start(object: &Object, does: &str) -> Self {
        let (mine, its) = UnixStream::pair().expect("a pair");
        let child = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", "this_program_is_a_client_if_asked_to", "--nocapture", "--test-threads", "1"])
            .env(CLIENT_THAT, does)
            .stdin(OwnedFd::from(its))
            .stdout(Stdio::null())
            .spawn()
            .expect("this program runs");
        send_descriptor(&mine, &object.0);
        Self { child, channel: Channel::new(mine) }
    }

    /// Waits until it says this.
    pub fn expect(&self, word: &str) {
        self.channel.expect(word);
    }

    /// What it says next.
    pub fn says(&self) -> String {
        self.channel.hears()
    }

    /// The descriptor that it sends before it says anything.
    pub fn descriptor(&self) -> OwnedFd {
        receive_descriptor(&self.channel.0)
    }

    pub fn tell(&self, word: &str) {
        self.channel.say(word);
    }

    /// Waits for its end, which is a good one.
    pub fn end(mut self) {
        assert!(self.child.wait().expect("it is ours").success());
    }

    /// Kills it, and waits until it is gone. Its children may have the other end of what this gives.
    pub fn kill(mut self) -> Channel {
        self.child.kill().expect("it is ours");
        self.child.wait().expect("it is ours");
        self.channel
    }
}

/// Lines, both ways.
pub struct Channel(UnixStream, RefCell<BufReader<UnixStream>>);

impl Channel {
    fn new(socket: UnixStream) -> Self {
        let reader = BufReader::new(socket.try_clone().expect("a duplicate"));
        Self(socket, RefCell::new(reader))
    }

    pub fn say(&self, word: &str) {
        writeln!(&self.0, "{word}").expect("somebody listens");
    }

    pub fn expect(&self, word: &str) {
        assert_eq!(self.hears(), word);
    }

    fn hears(&self) -> String {
        let mut line = String::new();
        self.1.borrow_mut().read_line(&mut line).expect("somebody speaks");
        line.trim_end().to_owned()
    }
}

fn send_descriptor(socket: &UnixStream, descriptor: impl AsFd) {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    let descriptors = [descriptor.as_fd()];
    assert!(ancillary.push(SendAncillaryMessage::ScmRights(&descriptors)));
    sendmsg(socket, &[IoSlice::new(b"h")], &mut ancillary, SendFlags::empty()).expect("it is sent");
}

fn receive_descriptor(socket: &UnixStream) -> OwnedFd {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0];
    recvmsg(socket, &mut [IoSliceMut::new(&mut byte)], &mut ancillary, RecvFlags::CMSG_CLOEXEC).expect("it came");
    let mut descriptors = ancillary.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(descriptors) => Some(descriptors),
        _ => None,
    });
    descriptors.next().and_then(|mut descriptors| descriptors.next()).expect("a descriptor")
}

/// Every test program has this as a test: called by another test, it is the client.
pub fn client_if_asked_to() {
    let Ok(does) = std::env::var(CLIENT_THAT) else { return };
    let channel = UnixStream::from(rustix::io::dup(rustix::stdio::stdin()).expect("a duplicate"));
    let object = OwnedHandle::from(receive_descriptor(&channel));
    let channel = Channel::new(channel);
    let pin = Object(object.try_clone().expect("a duplicate"));
    let a = Allocator { pin, object: Object(object) };
    match does.as_str() {
        "takes a frame, says so, frees it" => {
            let request = a.begin_alloc();
            a.object.settle();
            channel.say("asks");
            let frame = frame(request).expect("a frame");
            channel.say("has it");
            channel.expect("free it");
            a.free(frame).expect("it is out");
        }
        "has one of everything" => {
            let out = a.alloc().expect("a frame");
            let event = Event::new();
            a.enable(KsEventType::ENABLE, &mut event.data()).expect("an event");
            let _waiting = a.begin_alloc();
            a.object.settle();
            channel.say("has it all");
            channel.expect("go on");
            // It is killed before this.
            a.free(out).expect("it is out");
        }
        "works when it is told" => loop {
            if channel.hears() != "work" {
                return;
            }
            let event = Event::new();
            let mut data = event.data();
            a.enable(KsEventType::ENABLE, &mut data).expect("an event");
            let frames = [a.alloc(), a.alloc()].map(|frame| frame.expect("a frame"));
            assert_eq!(a.status().allocated_frames, 2);
            let waiting = a.begin_alloc();
            a.object.settle();
            assert!(waiting.is_pending());
            a.free(frames[0]).expect("it is out");
            for frame in [frame(waiting).expect("a frame"), frames[1]] {
                a.free(frame).expect("it is out");
            }
            // Others may have freed some of theirs.
            assert!(event.signals() >= 3);
            a.disable(&data).expect("it is enabled");
            channel.say("done");
        },
        "asks when it is told" => loop {
            if channel.hears() != "ask" {
                return;
            }
            let asked = SystemObjects::begin(a.object.handle(), IOCTL_KS_PROPERTY, STATUS.as_bytes(), vec![0; 32]);
            channel.say("asked");
            channel.expect("look");
            let answer = if asked.is_pending() { None } else { Some(asked.wait().1.map_err(|error| error.error)) };
            channel.say(match answer {
                None => "not yet",
                Some(Err(Win32Error::NO_SYSTEM_RESOURCES)) => "no room",
                Some(_) => "answered",
            });
        },
        "has a frame and a child" => {
            a.alloc().expect("a frame");
            // SAFETY: the child reads a byte, and ends.
            if unsafe { libc::fork() } == 0 {
                let _ = rustix::io::read(&channel.0, &mut [0; 1]);
                // SAFETY: it ends the process.
                unsafe { libc::_exit(0) };
            }
            channel.say("has it all");
            loop {
                std::thread::park();
            }
        }
        "lends a pair of its own" => {
            let flags = SocketFlags::CLOEXEC;
            let (near, far) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None).expect("a pair");
            send_descriptor(&channel.0, far);
            let end = rustix::io::read(&near, &mut [0; 1]);
            assert_eq!(end, Ok(0), "nobody talks on it");
            channel.say("hung up");
        }
        "frees what is another's" => {
            channel.say("is there");
            let refused = Err(failure(NtStatus::STATUS_INVALID_PARAMETER));
            for frame in [1, 1 << 63, 1 << 63 | 1, 1 << 63 | 2] {
                assert_eq!(a.free(frame), refused);
            }
            assert_eq!(a.disable(&[]), Ok(0));
        }
        other => panic!("{other}?"),
    }
}
