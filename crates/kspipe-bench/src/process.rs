//! The other process: started, given descriptors and told to go, over a socket that is its standard input.

use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use rustix::time::{ClockId, clock_gettime};
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// The most descriptors that go over at once: two pools.
const MOST: usize = 16;

/// A process of this program. It is killed when dropped.
pub(crate) struct Peer {
    child: Child,
    socket: OwnedFd,
}

/// How this program is started as the other process.
#[derive(Clone, Debug)]
pub(crate) struct Start {
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<String>,
}

/// A pair of sockets that keep messages apart.
pub(crate) fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?)
}

impl Peer {
    pub(crate) fn start(start: &Start, job: &[String]) -> io::Result<Self> {
        let (socket, theirs) = pair()?;
        let mut command = Command::new(&start.program);
        command.args(&start.arguments).args(job).stdin(Stdio::from(theirs)).stdout(Stdio::null());
        Ok(Self { child: command.spawn()?, socket })
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn give(&self, descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        if !descriptors.is_empty() && !ancillary.push(SendAncillaryMessage::ScmRights(descriptors)) {
            return Err(io::Error::other("too many descriptors"));
        }
        sendmsg(&self.socket, &[IoSlice::new(&[1])], &mut ancillary, SendFlags::NOSIGNAL)?;
        Ok(())
    }

    /// What it says next.
    pub(crate) fn says(&self) -> io::Result<[u64; 2]> {
        let mut bytes = [0; 16];
        match retry(|| rustix::io::read(&self.socket, &mut bytes))? {
            16 => Ok([0, 8].map(|place| u64::from_ne_bytes(bytes[place..place + 8].try_into().unwrap_or_default()))),
            _ => Err(io::Error::other("the other process has ended")),
        }
    }

    /// It sleeps in the kernel.
    pub(crate) fn sleeps(&self) -> io::Result<bool> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.id()))?;
        Ok(stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('S')))
    }

    /// Lets it end, and waits for that. Until then its sockets are open: one that is closed with messages in it takes those
    /// on their way to the other side along.
    pub(crate) fn ends(mut self) -> io::Result<()> {
        self.give(&[])?;
        if self.child.wait()?.success() { Ok(()) } else { Err(io::Error::other("the other process failed")) }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// As the other process: waits until it may end.
pub(crate) fn wait_for_the_end() -> io::Result<()> {
    given().map(drop)
}

/// As the other process: what it is given.
pub(crate) fn given() -> io::Result<std::vec::IntoIter<OwnedFd>> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let (input, mut byte) = (io::stdin(), [0]);
    let mut parts = [IoSliceMut::new(&mut byte)];
    let got = retry(|| recvmsg(input.as_fd(), &mut parts, &mut ancillary, RecvFlags::CMSG_CLOEXEC))?;
    if got.bytes != 1 {
        return Err(io::Error::other("nobody wants to measure"));
    }
    let mut descriptors = Vec::new();
    for message in ancillary.drain() {
        if let RecvAncillaryMessage::ScmRights(rights) = message {
            descriptors.extend(rights);
        }
    }
    Ok(descriptors.into_iter())
}

/// As the other process: says something.
pub(crate) fn say(words: [u64; 2]) -> io::Result<()> {
    let bytes: Vec<u8> = words.into_iter().flat_map(u64::to_ne_bytes).collect();
    retry(|| rustix::net::send(io::stdin().as_fd(), &bytes, SendFlags::NOSIGNAL))?;
    Ok(())
}

pub(crate) fn retry<T>(mut call: impl FnMut() -> Result<T, Errno>) -> Result<T, Errno> {
    loop {
        match call() {
            Err(Errno::INTR) => {}
            outcome => return outcome,
        }
    }
}

/// The processors this process may use.
pub(crate) fn processors() -> io::Result<Vec<usize>> {
    let allowed = sched_getaffinity(None)?;
    Ok((0..CpuSet::MAX_CPU).filter(|processor| allowed.is_set(*processor)).collect())
}

/// Has this thread run on one processor.
pub(crate) fn pin(processor: usize) -> io::Result<()> {
    let mut one = CpuSet::new();
    one.set(processor);
    Ok(sched_setaffinity(None, &one)?)
}

/// Nanoseconds of a clock that all processes share.
pub(crate) fn now() -> u64 {
    nanoseconds(ClockId::Monotonic)
}

/// Nanoseconds that this process was on a processor.
pub(crate) fn processor_time() -> u64 {
    nanoseconds(ClockId::ProcessCPUTime)
}

fn nanoseconds(clock: ClockId) -> u64 {
    let time = clock_gettime(clock);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}
