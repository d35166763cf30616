//! A path at which a server can be found.

use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{
    AtFlags, CWD, FileType, Mode, OFlags, RenameFlags, Stat, fchmod, fstat, openat, renameat_with, statat, unlinkat,
};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, connect, listen, socket_with};
use std::ffi::{OsStr, OsString};
use std::os::fd::AsRawFd;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

/// How many may be waiting to be let in.
const BACKLOG: i32 = 128;

/// A socket that listens at a path. Dropped, the path is gone, unless it is somebody else's by then.
#[derive(Debug)]
pub(super) struct Listener {
    socket: OwnedFd,
    folder: OwnedFd,
    name: OsString,
    /// What was at the path when this began to listen.
    identity: (u64, u64),
}

impl Listener {
    /// Listens at a path, whose socket nobody but this user can open (mode 0600). What lies there is replaced where it is
    /// a socket at which nobody listens.
    ///
    /// # Errors
    /// `EADDRINUSE` where somebody listens there, or something else lies there; else as the system says.
    pub(super) fn bind(path: &Path) -> Result<Self, Errno> {
        let name = path.file_name().ok_or(Errno::INVAL)?.to_owned();
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let folder = openat(CWD, folder, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        let folder = crate::socket::above_standard_streams(folder)?;
        // What is at the path always listens: the socket comes there only when it does.
        let (socket, aside) = listening_aside(&folder)?;
        let identity = identity(&statat(&folder, &aside.0, AtFlags::SYMLINK_NOFOLLOW)?);
        let listener = Self { socket, folder, name, identity };
        listener.take_place(&aside).inspect_err(|_| {
            let _ = unlinkat(&listener.folder, &aside.0, AtFlags::empty());
        })?;
        Ok(listener)
    }

    /// Moves the socket from its name aside to its own.
    fn take_place(&self, aside: &Aside) -> Result<(), Errno> {
        match renameat_with(&self.folder, &aside.0, &self.folder, &self.name, RenameFlags::NOREPLACE) {
            Err(Errno::EXIST) => {}
            other => return other,
        }
        if !is_stale(self.folder.as_fd(), &self.name) {
            return Err(Errno::ADDRINUSE);
        }
        // Both change places, so that there is always one at the path. Somebody may have been faster: then back.
        let exchange = || renameat_with(&self.folder, &aside.0, &self.folder, &self.name, RenameFlags::EXCHANGE);
        exchange()?;
        if !is_stale(self.folder.as_fd(), aside.0.as_ref()) {
            exchange()?;
            return Err(Errno::ADDRINUSE);
        }
        unlinkat(&self.folder, &aside.0, AtFlags::empty())
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let now = statat(&self.folder, &self.name, AtFlags::SYMLINK_NOFOLLOW);
        if now.is_ok_and(|now| identity(&now) == self.identity) {
            let _ = unlinkat(&self.folder, &self.name, AtFlags::empty());
        }
    }
}

/// A name that nobody knows yet.
struct Aside(String);

/// A socket that listens under a name aside.
fn listening_aside(folder: &OwnedFd) -> Result<(OwnedFd, Aside), Errno> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let aside = Aside(format!(".ksobject-{}-{number}", std::process::id()));
        let socket = packet_socket()?;
        // What a socket's file may be opened by is what the socket itself has when it gets its name.
        fchmod(&socket, Mode::RUSR | Mode::WUSR)?;
        match bind(&socket, &address(folder.as_fd(), aside.0.as_ref())?) {
            Ok(()) => {}
            // Left behind by a process that was killed, and had this number.
            Err(Errno::ADDRINUSE) => continue,
            Err(error) => return Err(error),
        }
        listen(&socket, BACKLOG).inspect_err(|_| {
            let _ = unlinkat(folder, &aside.0, AtFlags::empty());
        })?;
        return Ok((socket, aside));
    }
}

fn packet_socket() -> Result<OwnedFd, Errno> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    crate::socket::above_standard_streams(socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?)
}

/// A file's address by its folder's descriptor, however long the folder's path is.
fn address(folder: BorrowedFd<'_>, name: &OsStr) -> Result<SocketAddrUnix, Errno> {
    let folder = Path::new("/proc/self/fd").join(folder.as_raw_fd().to_string());
    SocketAddrUnix::new(folder.join(name))
}

/// Whether a name is that of a socket at which nobody listens.
fn is_stale(folder: BorrowedFd<'_>, name: &OsStr) -> bool {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let Ok(file) = openat(folder, name, flags, Mode::empty()) else { return false };
    if !fstat(&file).is_ok_and(|status| FileType::from_raw_mode(status.st_mode) == FileType::Socket) {
        return false;
    }
    let tried = || connect(packet_socket()?, &crate::socket::address_of(file.as_fd())?);
    tried() == Err(Errno::CONNREFUSED)
}

fn identity(status: &Stat) -> (u64, u64) {
    (status.st_dev, status.st_ino)
}
