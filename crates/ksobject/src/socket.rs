//! Packets over `SOCK_SEQPACKET` sockets: one is sent or read whole, with its descriptors, or not at all.
//!
//! The system calls are made here and nowhere else. All are non-blocking: who wants to wait polls.

use crate::wire::{MAX_DESCRIPTORS, MAX_PACKET};
use rustix::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, socketpair};
use std::mem::{MaybeUninit, size_of};

/// A pair of connected sockets, both numbered above the standard streams: what a program writes to a standard stream it
/// has closed must not land in a socket of ours.
pub(crate) fn pair() -> Result<(OwnedFd, OwnedFd), Errno> {
    let (one, other) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
    Ok((above_standard_streams(one)?, above_standard_streams(other)?))
}

/// The same descriptor under a number that is no standard stream's.
pub(crate) fn above_standard_streams(descriptor: OwnedFd) -> Result<OwnedFd, Errno> {
    if descriptor.as_raw_fd() >= 3 { Ok(descriptor) } else { rustix::io::fcntl_dupfd_cloexec(&descriptor, 3) }
}

/// Whether this is a connected `SOCK_SEQPACKET` socket of this machine, which is what a handle and a connection are. No
/// file system is asked, so nobody can make this wait.
pub(crate) fn is_packet_socket(descriptor: impl AsFd) -> bool {
    let descriptor = descriptor.as_fd();
    rustix::net::sockopt::socket_domain(descriptor) == Ok(AddressFamily::UNIX)
        && rustix::net::sockopt::socket_type(descriptor) == Ok(SocketType::SEQPACKET)
        && rustix::net::sockopt::socket_acceptconn(descriptor) == Ok(false)
        && rustix::net::getpeername(descriptor).is_ok()
}

/// The address of a socket's file that is open, for as long as it is: an address has room for 108 bytes, and a path may be
/// longer.
pub(crate) fn address_of(file: BorrowedFd<'_>) -> Result<SocketAddrUnix, Errno> {
    SocketAddrUnix::new(format!("/proc/self/fd/{}", file.as_raw_fd()))
}

/// A number that no other socket has, or had, since the machine started. All duplicates of a socket have the same.
pub(crate) fn cookie(socket: impl AsFd) -> Option<u64> {
    rustix::net::sockopt::socket_cookie(socket).ok()
}

/// The space for as many descriptors as a packet carries, and for the sender's credentials.
const CONTROL_BYTES: usize = {
    // SAFETY: it computes a number.
    let (descriptors, credentials) = unsafe {
        (
            libc::CMSG_SPACE((MAX_DESCRIPTORS * size_of::<libc::c_int>()) as u32),
            libc::CMSG_SPACE(size_of::<libc::ucred>() as u32),
        )
    };
    descriptors as usize + credentials as usize
};

/// Ancillary data, aligned as the kernel has it.
#[repr(C, align(8))]
struct ControlBuffer([MaybeUninit<u8>; CONTROL_BYTES]);

/// Sends a packet with these descriptors, at once or not at all.
///
/// # Errors
/// `EAGAIN` where the other side has not read enough; `EPIPE`, `ECONNRESET` where there is no other side.
pub(crate) fn send(socket: impl AsFd, bytes: &[u8], descriptors: &[BorrowedFd<'_>]) -> Result<(), Errno> {
    let mut buffer = ControlBuffer([MaybeUninit::zeroed(); CONTROL_BYTES]);
    let mut part = libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
    // SAFETY: zero is a value of the structure.
    let mut message = unsafe { std::mem::zeroed::<libc::msghdr>() };
    (message.msg_iov, message.msg_iovlen) = (&raw mut part, 1);
    if descriptors.len() > MAX_DESCRIPTORS {
        return Err(Errno::INVAL);
    }
    if !descriptors.is_empty() {
        let length = size_of_val(descriptors) as u32;
        const { assert!(size_of::<BorrowedFd<'_>>() == size_of::<libc::c_int>()) };
        message.msg_control = buffer.0.as_mut_ptr().cast();
        // SAFETY: it computes numbers; the buffer has room for as many descriptors and is aligned.
        unsafe {
            message.msg_controllen = libc::CMSG_SPACE(length) as _;
            let head = libc::CMSG_FIRSTHDR(&raw const message);
            (*head).cmsg_level = libc::SOL_SOCKET;
            (*head).cmsg_type = libc::SCM_RIGHTS;
            (*head).cmsg_len = libc::CMSG_LEN(length) as _;
            let numbers = libc::CMSG_DATA(head).cast::<libc::c_int>();
            for (place, descriptor) in descriptors.iter().enumerate() {
                numbers.add(place).write_unaligned(descriptor.as_raw_fd());
            }
        }
    }
    loop {
        // SAFETY: the message points to the parts above, which are only read.
        let sent = unsafe {
            let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
            libc::sendmsg(socket.as_fd().as_raw_fd(), &raw const message, flags)
        };
        match sent {
            0.. => return Ok(()),
            _ => match last_error() {
                Errno::INTR => {}
                error => return Err(error),
            },
        }
    }
}

/// A packet that was read.
#[derive(Debug)]
pub(crate) struct Received {
    /// Its length; of one that is longer than any packet, more than [`MAX_PACKET`].
    pub(crate) length: usize,
    /// The descriptors that came with it.
    pub(crate) descriptors: Vec<OwnedFd>,
    /// More descriptors came than a packet carries, or this process has no room for, and were closed.
    pub(crate) descriptors_lost: bool,
    /// The process that sent it, as the kernel says it, where the socket asks for that; 0 for one that this process
    /// cannot see.
    pub(crate) sender: Option<i32>,
}

/// Whether descriptors are taken along.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Descriptors {
    /// Those that came are taken.
    Taken,
    /// Those that came are let go of by the kernel, without ever being this process's.
    Refused,
}

/// Reads a packet into `buffer`, which has room for [`MAX_PACKET`] bytes. `None` where the other side is gone.
///
/// # Errors
/// `EAGAIN` where there is none.
pub(crate) fn receive(
    socket: impl AsFd,
    buffer: &mut [u8],
    descriptors: Descriptors,
) -> Result<Option<Received>, Errno> {
    receive_with(socket.as_fd(), buffer, descriptors, 0)
}

/// Looks at the first packet, and leaves it there. No descriptor is taken.
///
/// # Errors
/// `EAGAIN` where there is none.
pub(crate) fn peek(socket: impl AsFd, buffer: &mut [u8]) -> Result<Option<Received>, Errno> {
    receive_with(socket.as_fd(), buffer, Descriptors::Refused, libc::MSG_PEEK)
}

fn receive_with(
    socket: BorrowedFd<'_>,
    buffer: &mut [u8],
    descriptors: Descriptors,
    flags: libc::c_int,
) -> Result<Option<Received>, Errno> {
    let mut control = ControlBuffer([MaybeUninit::zeroed(); CONTROL_BYTES]);
    let mut part = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
    // SAFETY: zero is a value of the structure.
    let mut message = unsafe { std::mem::zeroed::<libc::msghdr>() };
    (message.msg_iov, message.msg_iovlen) = (&raw mut part, 1);
    let mut was_reset = false;
    let length = loop {
        if descriptors == Descriptors::Taken {
            (message.msg_control, message.msg_controllen) = (control.0.as_mut_ptr().cast(), CONTROL_BYTES as _);
        }
        // MSG_TRUNC: the length of the packet, also where it is longer than the buffer.
        let flags = flags | libc::MSG_DONTWAIT | libc::MSG_CMSG_CLOEXEC | libc::MSG_TRUNC;
        // SAFETY: the message points to buffers of these lengths, which nobody else uses meanwhile.
        let length = unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut message, flags) };
        match usize::try_from(length) {
            Ok(length) => break length,
            Err(_) => match last_error() {
                Errno::INTR => {}
                // The other side is gone and had not read all: the kernel says so once, before what it had said itself.
                Errno::CONNRESET if !std::mem::replace(&mut was_reset, true) => {}
                error => return Err(error),
            },
        }
    };
    let mut received = Received {
        length,
        descriptors: Vec::new(),
        descriptors_lost: message.msg_flags & libc::MSG_CTRUNC != 0,
        sender: None,
    };
    if descriptors == Descriptors::Taken {
        // SAFETY: the kernel filled the buffer, and every descriptor in it is this process's and nobody else's.
        unsafe { read_control(&message, &mut received) };
        let raised = std::mem::take(&mut received.descriptors).into_iter().map(above_standard_streams);
        match raised.collect() {
            Ok(descriptors) => received.descriptors = descriptors,
            Err(_) => received.descriptors_lost = true,
        }
    }
    // A packet of no bytes is read as the end is, and is none of ours: both end the connection.
    Ok((length > 0).then_some(received))
}

/// Reads the ancillary data of a message.
///
/// # Safety
///
/// `recvmsg` has just filled it.
unsafe fn read_control(message: &libc::msghdr, received: &mut Received) {
    // SAFETY: the kernel's own headers, one after the other, within the buffer.
    unsafe {
        let mut head = libc::CMSG_FIRSTHDR(message);
        while let Some(one) = head.as_ref() {
            let data = libc::CMSG_DATA(one);
            #[allow(clippy::unnecessary_cast, reason = "its type is another in other C libraries")]
            let length = (one.cmsg_len as usize).saturating_sub(data.addr() - std::ptr::from_ref(one).addr());
            match (one.cmsg_level, one.cmsg_type) {
                (libc::SOL_SOCKET, libc::SCM_RIGHTS) => {
                    for place in 0..length / size_of::<libc::c_int>() {
                        let number = data.cast::<libc::c_int>().add(place).read_unaligned();
                        received.descriptors.push(OwnedFd::from_raw_fd(number));
                    }
                }
                (libc::SOL_SOCKET, libc::SCM_CREDENTIALS) if length >= size_of::<libc::ucred>() => {
                    received.sender = Some(data.cast::<libc::ucred>().read_unaligned().pid);
                }
                _ => {}
            }
            head = libc::CMSG_NXTHDR(message, one);
        }
    }
}

fn last_error() -> Errno {
    Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO)
}

/// Who is at the other end of a socket: who connected it, or made the pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Credentials {
    /// The process, or 0 where this one cannot see it.
    pub(crate) process: i32,
    /// Its effective user.
    pub(crate) user: u32,
}

/// What the kernel says of the other end (`SO_PEERCRED`).
pub(crate) fn peer(socket: impl AsFd) -> Result<Credentials, Errno> {
    let mut credentials = libc::ucred { pid: 0, uid: u32::MAX, gid: u32::MAX };
    option(socket.as_fd(), libc::SO_PEERCRED, &mut credentials)?;
    Ok(Credentials { process: credentials.pid, user: credentials.uid })
}

/// asm-generic/socket.h, since Linux 6.5.
const SO_PEERPIDFD: libc::c_int = 77;

/// A descriptor of the process at the other end (`SO_PEERPIDFD`).
pub(crate) fn peer_pidfd(socket: impl AsFd) -> Result<OwnedFd, Errno> {
    let mut number: libc::c_int = -1;
    option(socket.as_fd(), SO_PEERPIDFD, &mut number)?;
    if number < 0 {
        return Err(Errno::SRCH);
    }
    // SAFETY: the kernel just opened it for this process.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

/// Reads an option whose value is of type `T`: one that is any bytes the kernel writes.
fn option<T: Copy>(socket: BorrowedFd<'_>, name: libc::c_int, value: &mut T) -> Result<(), Errno> {
    let mut length = size_of::<T>() as libc::socklen_t;
    // SAFETY: the kernel writes at most `length` bytes.
    let answer = unsafe {
        let value: *mut T = value;
        libc::getsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, name, value.cast(), &raw mut length)
    };
    if answer == 0 { Ok(()) } else { Err(last_error()) }
}

/// Room for a packet.
pub(crate) fn packet_buffer() -> Vec<u8> {
    vec![0; MAX_PACKET]
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::event::{EventfdFlags, eventfd};

    #[test]
    fn a_packet_comes_whole_with_its_descriptors() {
        let (one, other) = pair().expect("a pair");
        let sent = eventfd(7, EventfdFlags::CLOEXEC).expect("an eventfd");
        send(&one, b"packet", &[sent.as_fd(), sent.as_fd()]).expect("room");
        send(&one, b"more", &[]).expect("room");
        let mut buffer = packet_buffer();
        let looked_at = peek(&other, &mut buffer).expect("a packet").expect("no end");
        assert_eq!((looked_at.length, looked_at.descriptors.len(), &buffer[..6]), (6, 0, &b"packet"[..]));
        let first = receive(&other, &mut buffer, Descriptors::Taken).expect("a packet").expect("no end");
        assert_eq!((first.length, first.descriptors.len(), first.descriptors_lost), (6, 2, false));
        let mut count = [0; 8];
        rustix::io::read(&first.descriptors[1], &mut count).expect("it is the eventfd");
        assert_eq!(u64::from_ne_bytes(count), 7);
        let second = receive(&other, &mut buffer, Descriptors::Taken).expect("a packet").expect("no end");
        assert_eq!((second.length, second.descriptors.len()), (4, 0));
        assert_eq!(receive(&other, &mut buffer, Descriptors::Taken).err(), Some(Errno::AGAIN));
        drop(one);
        assert!(receive(&other, &mut buffer, Descriptors::Taken).expect("an end").is_none());
        assert_eq!(send(&other, b"packet", &[]), Err(Errno::PIPE));
    }

    #[test]
    fn what_was_said_last_is_heard_also_where_the_other_side_did_not_read_all() {
        let (one, other) = pair().expect("a pair");
        send(&other, b"never read", &[]).expect("room");
        send(&one, b"why", &[]).expect("room");
        drop(one);
        let mut buffer = packet_buffer();
        let last = receive(&other, &mut buffer, Descriptors::Taken).expect("a packet").expect("no end");
        assert_eq!(buffer.get(..last.length), Some(&b"why"[..]));
        assert!(receive(&other, &mut buffer, Descriptors::Taken).expect("an end").is_none());
    }

    #[test]
    fn descriptors_that_are_refused_are_never_ours() {
        let (one, other) = pair().expect("a pair");
        let (reader, writer) = rustix::pipe::pipe().expect("a pipe");
        send(&one, b"packet", &[writer.as_fd()]).expect("room");
        drop(writer);
        let received = receive(&other, &mut packet_buffer(), Descriptors::Refused).expect("a packet").expect("no end");
        assert!(received.descriptors.is_empty() && received.descriptors_lost);
        assert_eq!(rustix::io::read(&reader, &mut [0; 1]), Ok(0), "nobody has the writing end");
    }

    #[test]
    fn a_packet_that_is_longer_than_any_says_so() {
        let (one, other) = pair().expect("a pair");
        send(&one, &vec![1; MAX_PACKET + 10], &[]).expect("room");
        let received = receive(&other, &mut packet_buffer(), Descriptors::Taken).expect("a packet").expect("no end");
        assert_eq!(received.length, MAX_PACKET + 10);
    }

    #[test]
    fn the_kernel_says_who_is_there() {
        let (one, other) = pair().expect("a pair");
        rustix::net::sockopt::set_socket_passcred(&other, true).expect("an option");
        send(&one, b"packet", &[]).expect("room");
        let received = receive(&other, &mut packet_buffer(), Descriptors::Taken).expect("a packet").expect("no end");
        let me = i32::try_from(std::process::id()).expect("a number");
        assert_eq!((received.sender, peer(&other).map(|peer| peer.process)), (Some(me), Ok(me)));
        assert_eq!(cookie(&one), cookie(one.try_clone().expect("a duplicate")));
        assert_ne!(cookie(&one), cookie(&other));
    }

    #[test]
    fn only_connected_packet_sockets_are_ones() {
        let (one, _other) = pair().expect("a pair");
        assert!(is_packet_socket(&one));
        let (stream, _end) =
            socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None).expect("a pair");
        let (reader, _writer) = rustix::pipe::pipe().expect("a pipe");
        let lone = rustix::net::socket(AddressFamily::UNIX, SocketType::SEQPACKET, None).expect("a socket");
        let other_family = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None).expect("a socket");
        for stranger in [stream, reader, lone, other_family] {
            assert!(!is_packet_socket(&stranger));
        }
    }
}
