//! Words to processes that may not be trusted to hear them.

use rustix::fd::{AsFd, OwnedFd};
use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType, send, socketpair};
use std::io;

/// The server's end of a pair of sockets whose other end a process has: that is readable once something was said. An
/// eventfd would not do: both sides would have the same open file, and who makes that block and fills it stops who writes
/// to it. Of a pair each side has its own, and the server's sending is told not to wait.
#[derive(Debug)]
pub(super) struct Signal(OwnedFd);

impl Signal {
    /// A signal, and the end that goes to the process.
    pub(super) fn new() -> io::Result<(Self, OwnedFd)> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let (near, far) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?;
        // What a process does not read stays in the kernel's memory: as little as there can be.
        rustix::net::sockopt::set_socket_send_buffer_size(&near, 1)?;
        Ok((Self(near), far))
    }

    /// Says it. Where there is no room it can be read already; where nobody is there nobody hears it.
    pub(super) fn say(&self) {
        let _ = send(self.0.as_fd(), &[1], SendFlags::DONTWAIT | SendFlags::NOSIGNAL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::{OFlags, fcntl_setfl};
    use rustix::net::{RecvFlags, recv};

    #[test]
    fn a_process_that_fills_its_signal_and_makes_it_block_stops_nobody() {
        let (signal, theirs) = Signal::new().unwrap();
        fcntl_setfl(&theirs, OFlags::RDWR).unwrap();
        // Ever so often, unread: a thread that waited here would be waited for in vain.
        (0..100_000).for_each(|_| signal.say());
        let (mut byte, mut said) = ([0; 1], 0);
        while recv(&theirs, &mut byte, RecvFlags::DONTWAIT).is_ok() {
            said += 1;
        }
        assert!((1..10_000).contains(&said), "{said}");
        while send(&theirs, &[1], SendFlags::DONTWAIT).is_ok() {}
        signal.say();
        assert_eq!(recv(&theirs, &mut byte, RecvFlags::DONTWAIT).unwrap().0, 1);
        drop(theirs);
        signal.say();
    }
}
