//! [`RemoteObjects`]: KS objects of other processes, behind handles that are sockets.

mod connection;
mod outgoing;
mod sent;
mod table;

pub(crate) use sent::Sent;
pub(crate) use table::sweep;

use crate::handle::{Handle, OwnedHandle};
use crate::object_access::{DeviceError, ObjectAccess, Win32Error};
use crate::request::Request;
use crate::socket::{self, Descriptors};
use crate::wire::{Control, Create, Message};
use connection::{Answered, Connection};
use ks::{KsAllocatorFraming, NtStatus, allocator_create_name};
use outgoing::Outgoing;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};
use std::path::Path;
use std::sync::Arc;
use zerocopy::IntoBytes;

/// KS objects of other processes, or of this one behind a [`Server`](crate::Server). Every method is for any thread;
/// requests of several threads run beside each other.
///
/// The first use of a handle makes a connection of this process's own; it is kept until the object ends. A child that is
/// forked makes its own, so a handle can be inherited, duplicated, and sent to others. Fork while no other thread is in a
/// call.
///
/// The frames of such an allocator are known to this process by numbers and not by addresses: see
/// [`KSMETHOD_STREAMALLOCATOR_ALLOC`](ks::KSMETHOD_STREAMALLOCATOR_ALLOC) in `docs/objects.md`.
#[derive(Clone, Copy, Debug, Default)]
pub struct RemoteObjects;

impl RemoteObjects {
    /// These objects, to be given to an allocator.
    pub fn access() -> Arc<dyn ObjectAccess> {
        Arc::new(Self)
    }

    /// Opens the object that a server offers at a path: its handle. Each opening is a handle of its own.
    ///
    /// # Errors
    /// [`Win32Error::FILE_NOT_FOUND`] where nobody serves there, [`Win32Error::ACCESS_DENIED`] where this user may not,
    /// [`Win32Error::DEVICE_REMOVED`] where whoever listens hangs up without a word, [`Win32Error::INVALID_DATA`] where it
    /// says something else than a server does, [`Win32Error::BAD_DEV_TYPE`] where the socket is of another type,
    /// [`Win32Error::NO_SYSTEM_RESOURCES`] where either side has no room for one more. Who listens and says nothing is waited
    /// for.
    pub fn open(path: impl AsRef<Path>) -> Result<OwnedHandle, Win32Error> {
        let socket = connect_to(path.as_ref()).map_err(|error| match error {
            Errno::ACCESS | Errno::PERM => Win32Error::ACCESS_DENIED,
            Errno::MFILE | Errno::NFILE | Errno::NOMEM | Errno::NOBUFS => Win32Error::NO_SYSTEM_RESOURCES,
            Errno::PROTOTYPE => Win32Error::BAD_DEV_TYPE,
            // Nothing is there, or nothing that one could connect to.
            _ => Win32Error::FILE_NOT_FOUND,
        })?;
        let mut buffer = [0; 256];
        let mut received = loop {
            match socket::receive(&socket, &mut buffer, Descriptors::Taken) {
                Ok(Some(received)) => break received,
                Err(Errno::AGAIN) => {
                    let _ = poll(&mut [PollFd::new(&socket, PollFlags::IN)], None);
                }
                Ok(None) | Err(_) => return Err(Win32Error::DEVICE_REMOVED),
            }
        };
        match Message::parse(buffer.get(..received.length).unwrap_or_default()) {
            Ok((_, Message::Answer(answer))) if answer.status == NtStatus::STATUS_SUCCESS => {
                // A handle, or no room for it here.
                received.descriptors.pop().map(OwnedHandle::from).ok_or(Win32Error::NO_SYSTEM_RESOURCES)
            }
            Ok((_, Message::Answer(answer))) => Err(Win32Error::from_status(answer.status)),
            _ => Err(Win32Error::INVALID_DATA),
        }
    }

    /// Another handle of the object that a handle names: for one that this process inherited, or that somebody lends it.
    ///
    /// # Errors
    /// [`Win32Error::INVALID_HANDLE`] where it names no object of another process, [`Win32Error::NO_SYSTEM_RESOURCES`] where
    /// this process has no descriptor left.
    pub fn duplicate(handle: Handle) -> Result<OwnedHandle, Win32Error> {
        // SAFETY: who names a handle keeps it open for the call; where it does not, another descriptor is duplicated, and
        // looked at before anything is done with it.
        let lent = unsafe { handle.borrow() }.ok_or(Win32Error::INVALID_HANDLE)?;
        if !socket::is_packet_socket(lent) {
            return Err(Win32Error::INVALID_HANDLE);
        }
        let duplicate = rustix::io::fcntl_dupfd_cloexec(lent, 3).map_err(|_| Win32Error::NO_SYSTEM_RESOURCES)?;
        Ok(OwnedHandle::from(duplicate))
    }

    /// Creates an object on the handle of another by a create name: see [`ks::CreateName`]. A handle in the name goes
    /// along.
    ///
    /// # Errors
    /// [`Win32Error::INVALID_HANDLE`] where `parent` is no object of another process, and what creating a pin or an
    /// allocator fails with there.
    pub fn create(parent: Handle, name: &[u8]) -> Result<OwnedHandle, Win32Error> {
        let connection = table::connection(parent)?;
        let outgoing = Outgoing::create(name)?;
        // A bound that is far above what is used.
        let descriptors = outgoing.descriptors.len() as u16;
        let packet = |id| Create { name: &outgoing.data, descriptors }.to_packet(id);
        let id = connection.send(packet, &outgoing.descriptors)?;
        let Answered { status, mut descriptors, .. } = connection.wait(id)?;
        match (status, descriptors.pop()) {
            (NtStatus::STATUS_SUCCESS, Some(handle)) => Ok(OwnedHandle::from(handle)),
            (NtStatus::STATUS_SUCCESS, None) => Err(Win32Error::INVALID_DATA),
            (status, _) => Err(Win32Error::from_status(status)),
        }
    }

    /// Calls a method that answers with descriptors, too: `data` holds what goes with it, then the answer, whose length is
    /// given with them. Otherwise as [`ObjectAccess::device_io_control`].
    ///
    /// # Errors
    /// As there.
    pub fn call(
        object: Handle,
        method: &ks::KsMethod,
        data: &mut [u8],
    ) -> Result<(usize, Vec<rustix::fd::OwnedFd>), DeviceError> {
        Self::call_with(object, method, data, &[])
    }

    /// Likewise, and these descriptors go along: handles in the data name them by number, counted from 1. At most
    /// [`MAX_DESCRIPTORS`](crate::wire::MAX_DESCRIPTORS).
    ///
    /// # Errors
    /// As there; [`Win32Error::NO_SYSTEM_RESOURCES`] for more descriptors.
    pub fn call_with(
        object: Handle,
        method: &ks::KsMethod,
        data: &mut [u8],
        descriptors: &[rustix::fd::BorrowedFd<'_>],
    ) -> Result<(usize, Vec<rustix::fd::OwnedFd>), DeviceError> {
        if descriptors.len() > crate::wire::MAX_DESCRIPTORS {
            return Err(Win32Error::NO_SYSTEM_RESOURCES.into());
        }
        let connection = table::connection(object)?;
        let mut outgoing = Outgoing::control(ks::IOCTL_KS_METHOD, method.as_bytes(), data)?;
        outgoing.descriptors.extend_from_slice(descriptors);
        Self::send_on(&connection, ks::IOCTL_KS_METHOD, method.as_bytes(), outgoing)?.wait_given(data)
    }

    /// Sends a request and does not wait for its end: an overlapped `DeviceIoControl`. `output` is the request's until
    /// [`Request::wait`] gives it back. Otherwise as [`ObjectAccess::device_io_control`]; what fails is an end like any
    /// other.
    pub fn begin(object: Handle, code: u32, input: &[u8], output: Vec<u8>) -> Request {
        match Self::send(object, code, input, &output) {
            Ok(sent) => Request::sent(output, sent),
            Err(error) => Request::ended(output, Err(error.into())),
        }
    }

    fn send(object: Handle, code: u32, input: &[u8], output: &[u8]) -> Result<Sent, Win32Error> {
        let connection = table::connection(object)?;
        Self::send_on(&connection, code, input, Outgoing::control(code, input, output)?)
    }

    fn send_on(
        connection: &Arc<Connection>,
        code: u32,
        input: &[u8],
        outgoing: Outgoing<'_>,
    ) -> Result<Sent, Win32Error> {
        let control = Control {
            code,
            output_length: outgoing.output_length,
            key: outgoing.key,
            input,
            data: &outgoing.data,
            descriptors: outgoing.descriptors.len() as u16,
        };
        let id = connection.send(|id| control.to_packet(id), &outgoing.descriptors)?;
        Ok(Sent::new(connection.clone(), id, code, input))
    }
}

/// A socket that is connected to the one at a path.
fn connect_to(path: &Path) -> Result<OwnedFd, Errno> {
    let socket = socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
    let socket = socket::above_standard_streams(socket)?;
    // What is too long for an address is opened, and kept until it is connected to.
    let (_file, address) = match SocketAddrUnix::new(path) {
        Err(Errno::NAMETOOLONG) => {
            let file = openat(CWD, path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
            let address = socket::address_of(file.as_fd())?;
            (Some(file), address)
        }
        address => (None, address?),
    };
    loop {
        match connect(&socket, &address) {
            Ok(()) | Err(Errno::ISCONN) => return Ok(socket),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
}

impl ObjectAccess for RemoteObjects {
    fn create_allocator(&self, pin: Handle, framing: &KsAllocatorFraming) -> Result<OwnedHandle, Win32Error> {
        Self::create(pin, &allocator_create_name(framing))
    }

    fn device_io_control(
        &self,
        object: Handle,
        code: u32,
        input: &[u8],
        output: &mut [u8],
    ) -> Result<usize, DeviceError> {
        Self::send(object, code, input, output)?.wait(output)
    }
}
