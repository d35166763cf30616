//! Who comes to a path of the server's is let in, or is told why not.

use super::Server;
use super::limits::OBJECT;
use super::peer::{Peer, unknown};
use super::schedule::NEWCOMERS;
use super::spare::none_left;
use crate::handle::OwnedHandle;
use crate::in_process::Object;
use crate::socket;
use crate::wire::Answer;
use ks::NtStatus;
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use rustix::net::{SocketFlags, accept_with};
use std::sync::Arc;

impl Server {
    /// Stops or goes on listening.
    pub(super) fn pause_listeners(&mut self, pause: bool) {
        self.listeners_paused = pause;
        let interest = if pause { EventFlags::empty() } else { EventFlags::IN | EventFlags::ONESHOT };
        for (id, (listener, _)) in &self.listeners {
            let _ = epoll::modify(&self.epoll, listener, EventData::new_u64(*id), interest);
        }
    }

    /// Somebody wants in: gets a handle, or hears why not, and is hung up.
    pub(super) fn let_in(&mut self, id: u64) {
        let Some((listener, root)) = self.listeners.get(&id) else { return };
        let (object, handle) = (root.object.clone(), root._handle.clone());
        let accept = || accept_with(listener, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK);
        let accepted = accept().or_else(|error| match error {
            Errno::MFILE | Errno::NFILE => {
                self.spare.lend();
                accept()
            }
            error => Err(error),
        });
        let socket = match accepted {
            Ok(socket) => socket,
            Err(Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM) => return self.pause_listeners(true),
            Err(_) => return,
        };
        let opened = match self.spare.restore(&self.stop) {
            true => self.opened(&socket, object, handle),
            false => Err(NtStatus::STATUS_TOO_MANY_OPENED_FILES),
        };
        let status = opened.as_ref().err().copied().unwrap_or(NtStatus::STATUS_SUCCESS);
        let descriptors: Vec<BorrowedFd<'_>> = opened.iter().map(AsFd::as_fd).collect();
        let answer = Answer { status, returned: 0, data: &[], descriptors: descriptors.len() as u16 };
        // Nothing was sent there yet, so there is room; who does not read it has no handle.
        let _ = socket::send(&socket, &answer.to_packet(0), &descriptors);
        drop(socket);
        self.spare.restore(&self.stop);
    }

    /// A handle of a hosted object, for who is at the other end of this socket.
    fn opened(&mut self, socket: &OwnedFd, object: Object, root: Arc<OwnedHandle>) -> Result<OwnedFd, NtStatus> {
        let peer = Peer::of(socket).map_err(unknown)?;
        if !self.users.contains(&peer.user) {
            return Err(NtStatus::STATUS_ACCESS_DENIED);
        }
        let number = peer.process;
        let process = self.process(peer)?;
        let charge = process.memory.charge(OBJECT)?;
        let client = self.process_sources.get(&number).copied().unwrap_or(NEWCOMERS);
        self.create_handle(client, object, Some(root), Some(charge)).map_err(none_left)
    }
}
