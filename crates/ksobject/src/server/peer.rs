//! Who a client is: a process that the kernel names, and a descriptor that tells when it is gone.

use super::spare::none_left;
use crate::socket;
use ks::NtStatus;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::sync::Arc;

/// A process at the other end of a socket.
#[derive(Debug)]
pub(super) struct Peer {
    /// Its number. While the descriptor is not readable no other process has it.
    pub(super) process: i32,
    /// Its effective user, when it made the socket.
    pub(super) user: u32,
    /// Can be read once the process has ended.
    pub(super) pidfd: Arc<OwnedFd>,
}

impl Peer {
    /// Who connected the socket, or made its pair.
    ///
    /// # Errors
    /// The process is gone, or is one that this process cannot see: it is of another PID namespace.
    pub(super) fn of(socket: impl AsFd) -> Result<Self, Errno> {
        let credentials = socket::peer(socket.as_fd())?;
        let pid = Pid::from_raw(credentials.process).ok_or(Errno::SRCH)?;
        let pidfd = match socket::peer_pidfd(socket.as_fd()) {
            Ok(pidfd) => pidfd,
            // Before Linux 6.5. The number may have become another process's since, which then is younger than now.
            Err(Errno::NOPROTOOPT) => {
                let now = ticks_since_boot()?;
                let pidfd = pidfd_open(pid, PidfdFlags::empty())?;
                if started(credentials.process).is_none_or(|started| started > now) {
                    return Err(Errno::SRCH);
                }
                pidfd
            }
            Err(error) => return Err(error),
        };
        // Shared with whoever is told of the process: a request takes no descriptor of its own.
        let pidfd = Arc::new(pidfd);
        let peer = Self { process: credentials.process, user: credentials.user, pidfd };
        if peer.has_ended() { Err(Errno::SRCH) } else { Ok(peer) }
    }

    /// Whether the process has ended.
    pub(super) fn has_ended(&self) -> bool {
        let mut polled = [PollFd::new(&self.pidfd, PollFlags::IN)];
        matches!(poll(&mut polled, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })), Ok(1..))
    }
}

/// What a process hears of which the system does not say who it is.
pub(super) fn unknown(error: Errno) -> NtStatus {
    match error {
        Errno::MFILE | Errno::NFILE | Errno::NOMEM => none_left(error),
        _ => NtStatus::STATUS_ACCESS_DENIED,
    }
}

/// When a process started, in clock ticks since the machine did: the 22nd field of its `stat`.
fn started(process: i32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The second field is the program's name, which may have blanks and parentheses.
    stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()
}

/// How many clock ticks ago the machine started.
fn ticks_since_boot() -> Result<u64, Errno> {
    // 100 a second in every interface of /proc.
    let up = super::clock::since_boot().ok_or(Errno::NOSYS)?;
    u64::try_from(up.as_millis() / 10).map_err(|_| Errno::OVERFLOW)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_process_at_the_other_end_is_known() {
        let (one, _other) = socket::pair().expect("a pair");
        let peer = Peer::of(&one).expect("it is this process");
        assert_eq!(u32::try_from(peer.process), Ok(std::process::id()));
        assert_eq!(peer.user, rustix::process::geteuid().as_raw());
        assert!(!peer.has_ended());
    }

    #[test]
    fn this_process_has_started_before_now() {
        let started = started(i32::try_from(std::process::id()).expect("a number")).expect("it is there");
        assert!(started > 0 && started <= ticks_since_boot().expect("a clock"));
        assert_eq!(super::started(i32::MAX), None);
    }
}
