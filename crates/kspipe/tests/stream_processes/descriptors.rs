//! A pool's descriptors over a socket, as a server sends them to whom it trusts.

use kspipe::allocator::shared::Descriptors;
use kspipe::negotiate::PipeId;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
    recvmsg, sendmsg,
};
use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

const MOST: usize = 64;

/// Sends the descriptors of a pipe's pool.
pub(crate) fn send(socket: impl AsFd, pipe: PipeId, descriptors: &Descriptors) {
    let mut all: Vec<BorrowedFd<'_>> = vec![descriptors.control.as_fd()];
    all.extend(descriptors.frames.iter().chain(&descriptors.events).map(AsFd::as_fd));
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    assert!(ancillary.push(SendAncillaryMessage::ScmRights(&all)), "there is room for {MOST}");
    let bytes = pipe.0.to_le_bytes();
    sendmsg(socket, &[IoSlice::new(&bytes)], &mut ancillary, SendFlags::NOSIGNAL).unwrap();
}

/// Receives the descriptors of the next pipe's pool, whose frames are in one file; `None` where the other side is gone.
pub(crate) fn receive(socket: impl AsFd) -> Option<(PipeId, Descriptors)> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let mut bytes = [0; 4];
    let read = recvmsg(socket, &mut [IoSliceMut::new(&mut bytes)], &mut ancillary, RecvFlags::CMSG_CLOEXEC).unwrap();
    if read.bytes == 0 {
        return None;
    }
    let rights = ancillary.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(rights) => Some(rights),
        _ => None,
    });
    let mut all = rights.flatten().collect::<Vec<OwnedFd>>().into_iter();
    let (control, frames) = (all.next().unwrap(), all.next().unwrap());
    let descriptors = Descriptors { control, frames: vec![frames], events: all.collect() };
    Some((PipeId(u32::from_le_bytes(bytes)), descriptors))
}
