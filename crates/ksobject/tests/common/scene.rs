//! A server, a victim that is a client of it, and a hostile client that speaks to its sockets packet by packet.
#![allow(dead_code, unreachable_pub, reason = "each test program takes what it needs")]

use crate::common::*;
use ks::*;
use ksobject::wire::{Answer, Attach, Control, MAX_PACKET, Message};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};
use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use zerocopy::IntoBytes;

/// A socket, spoken to packet by packet.
pub struct Raw(pub OwnedFd);

impl Raw {
    /// A connection to what is behind a handle.
    pub fn attach(handle: impl AsFd) -> Self {
        let (near, far) = seqpacket();
        send(handle, &Attach { version: 1 }.to_packet(), &[far.as_fd()]).expect("there is room");
        Self(near)
    }

    pub fn send(&self, packet: &[u8], descriptors: &[BorrowedFd<'_>]) -> Result<(), Errno> {
        send(&self.0, packet, descriptors)
    }

    /// The next answer: its number, status, `returned`, and its descriptors. `None` where the server has hung up.
    pub fn answer(&self) -> Option<(u64, NtStatus, u32, Vec<OwnedFd>)> {
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

    /// The number of the next answer, where one has come.
    pub fn answered_by_now(&self) -> Option<u64> {
        let mut polled = [PollFd::new(&self.0, PollFlags::IN)];
        let ready = poll(&mut polled, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).expect("it can be polled");
        (ready > 0).then(|| self.answer().expect("it has not hung up").0)
    }

    pub fn control(&self, id: u64, code: u32, input: &[u8], output: u32) -> Result<(), Errno> {
        let control = Control { code, output_length: output, key: id, input, data: &[], descriptors: 0 };
        self.send(&control.to_packet(id).expect("it fits"), &[])
    }

    pub fn alloc(&self, id: u64) -> Result<(), Errno> {
        self.control(id, IOCTL_KS_METHOD, method(ALLOC, KsMethodType::WRITE).as_bytes(), 8)
    }

    pub fn status(&self, id: u64) -> Result<(), Errno> {
        self.control(id, IOCTL_KS_PROPERTY, STATUS.as_bytes(), 32)
    }

    /// The server has done what was sent before.
    pub fn settle(&self, id: u64) -> NtStatus {
        self.status(id).expect("there is room");
        loop {
            let (answered, status, ..) = self.answer().expect("it has not hung up");
            if answered == id {
                return status;
            }
        }
    }
}

pub fn seqpacket() -> (OwnedFd, OwnedFd) {
    socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).expect("a pair")
}

/// Sends without waiting.
pub fn send(socket: impl AsFd, packet: &[u8], descriptors: &[BorrowedFd<'_>]) -> Result<(), Errno> {
    let mut space = vec![MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(250))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if !descriptors.is_empty() {
        assert!(ancillary.push(SendAncillaryMessage::ScmRights(descriptors)));
    }
    sendmsg(socket, &[IoSlice::new(packet)], &mut ancillary, SendFlags::DONTWAIT | SendFlags::NOSIGNAL).map(drop)
}

/// A server with an allocator of two frames, a victim that is a client of it, and this process, who is hostile.
pub struct Scene {
    pub objects: Objects,
    /// The victim's.
    pub allocator: Allocator,
    pub victim: OtherClient,
}

impl Scene {
    pub fn new() -> Self {
        let objects = Objects::of(ServerProcess::start());
        let allocator = objects.allocator(2);
        let victim = OtherClient::start(&allocator.object, "works when it is told");
        let scene = Self { objects, allocator, victim };
        scene.victim_works();
        // This process's own connection, by which it looks at the status.
        assert_eq!(scene.allocator.allocated(), 0);
        scene
    }

    pub fn victim_works(&self) {
        self.victim.tell("work");
        self.victim.expect("done");
    }

    /// Does this, and sees that the victim works meanwhile and afterwards, and that the server has kept nothing.
    pub fn survives(&mut self, what: &str, attack: impl FnOnce(&Self) -> Vec<OwnedFd>) {
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

    pub fn end(self) {
        self.victim.tell("end");
        self.victim.end();
    }
}
