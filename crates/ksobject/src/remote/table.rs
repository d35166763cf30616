//! The connections of this process, by the handles they were asked for on.
//!
//! A handle is known by its socket's cookie: duplicates have the same, and no socket after it will. A connection is kept
//! until the server hangs it up, which it does when the last duplicate of the handle is closed, wherever that is.

use super::connection::Connection;
use crate::handle::Handle;
use crate::lock::{Lock, lock};
use crate::object_access::Win32Error;
use crate::socket;
use crate::wire::{Attach, Hello, Message, VERSION};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::{AsFd, BorrowedFd};
use rustix::io::Errno;
use std::collections::BTreeMap;
use std::sync::Arc;

static TABLE: Lock<Table> = Lock::new(Table { process: 0, connections: BTreeMap::new() });

struct Table {
    /// The process that has these connections. After a fork the child has copies, and wants none of them.
    process: u32,
    connections: BTreeMap<u64, Arc<Connection>>,
}

impl Table {
    /// The connections of this process, and those that are none any more, to be dropped without the lock.
    fn mine(&mut self) -> (&mut BTreeMap<u64, Arc<Connection>>, Vec<Arc<Connection>>) {
        let process = std::process::id();
        let mut dropped = Vec::new();
        if self.process != process {
            self.process = process;
            dropped.extend(std::mem::take(&mut self.connections).into_values());
        }
        (&mut self.connections, dropped)
    }
}

/// The connection to the object behind a handle.
///
/// # Errors
/// [`Win32Error::INVALID_HANDLE`] where there is no object of this protocol; [`Win32Error::REVISION_MISMATCH`],
/// [`Win32Error::NOT_SUPPORTED`] where its server speaks another version, or has pointers of another size;
/// [`Win32Error::DEVICE_REMOVED`] where it is gone; [`Win32Error::NO_SYSTEM_RESOURCES`].
pub(super) fn connection(handle: Handle) -> Result<Arc<Connection>, Win32Error> {
    // SAFETY: who uses a handle keeps it open for the call; where it does not, another descriptor is looked at.
    let descriptor = unsafe { handle.borrow() }.ok_or(Win32Error::INVALID_HANDLE)?;
    if !socket::is_packet_socket(descriptor) {
        return Err(Win32Error::INVALID_HANDLE);
    }
    let cookie = socket::cookie(descriptor).ok_or(Win32Error::INVALID_HANDLE)?;
    let known = {
        let mut table = lock(&TABLE);
        let (connections, dropped) = table.mine();
        let known = connections.get(&cookie).cloned();
        drop(table);
        drop(dropped);
        known
    };
    if let Some(connection) = known.filter(|known| !known.is_gone()) {
        return Ok(connection);
    }
    sweep();
    let made = Arc::new(attach(descriptor)?);
    let mut table = lock(&TABLE);
    let (connections, _none) = table.mine();
    // Another thread may have been faster.
    let connection = match connections.get(&cookie) {
        Some(other) if !other.is_gone() => other.clone(),
        _ => {
            connections.insert(cookie, made.clone());
            made.clone()
        }
    };
    drop(table);
    Ok(connection)
}

/// Lets go of the connections that the server has hung up.
pub(crate) fn sweep() {
    let mut table = lock(&TABLE);
    let (connections, mut dropped) = table.mine();
    let gone: Vec<u64> =
        connections.iter().filter(|(_, connection)| connection.is_gone()).map(|(cookie, _)| *cookie).collect();
    dropped.extend(gone.into_iter().filter_map(|cookie| connections.remove(&cookie)));
    drop(table);
    drop(dropped);
}

/// What the server says on a handle. It is looked at, and stays there for all who have the handle.
fn hello(handle: BorrowedFd<'_>) -> Result<Hello, Win32Error> {
    let mut buffer = [0; 256];
    match socket::peek(handle, &mut buffer) {
        Ok(Some(received)) => match Message::parse(buffer.get(..received.length).unwrap_or_default()) {
            Ok((_, Message::Hello(hello))) => Ok(hello),
            _ => Err(Win32Error::INVALID_HANDLE),
        },
        _ => Err(Win32Error::INVALID_HANDLE),
    }
}

/// Asks for a connection. Requests may follow at once: the server reads them when it has it.
fn attach(handle: BorrowedFd<'_>) -> Result<Connection, Win32Error> {
    let hello = hello(handle)?;
    if !hello.speaks_our_version() {
        return Err(Win32Error::REVISION_MISMATCH);
    }
    if usize::from(hello.pointer_bytes) != size_of::<usize>() {
        return Err(Win32Error::NOT_SUPPORTED);
    }
    let (near, far) = socket::pair().map_err(|_| Win32Error::NO_SYSTEM_RESOURCES)?;
    let packet = Attach { version: VERSION }.to_packet();
    loop {
        match socket::send(handle, &packet, &[far.as_fd()]) {
            Ok(()) => return Ok(Connection::new(near)),
            // Others ask too, and the server has not read that yet.
            Err(Errno::AGAIN) => {
                let _ = poll(&mut [PollFd::new(&handle, PollFlags::OUT)], None);
            }
            Err(Errno::PIPE | Errno::CONNRESET | Errno::NOTCONN) => return Err(Win32Error::DEVICE_REMOVED),
            Err(_) => return Err(Win32Error::NO_SYSTEM_RESOURCES),
        }
    }
}
