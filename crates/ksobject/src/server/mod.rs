//! [`Server`]: objects of this process, for others.
//!
//! One thread, which waits for all sockets together and never for one of them. What a client does wrong ends its own
//! connection, and what it has too much of is refused to it alone.

mod clock;
mod connection;
mod door;
mod limits;
mod listener;
mod peer;
mod process;
mod requests;
mod schedule;
mod sender;
mod spare;
mod strangers;
mod turn;

pub use limits::Limits;

use crate::handle::OwnedHandle;
use crate::in_process::{self, Charge, EndedRequests, Object, Owner};
use crate::socket;
use crate::wire::{Hello, MAX_PACKET, ObjectKind, VERSION};
use connection::Connection;
use ks::NtStatus;
use limits::CONNECTION;
use listener::Listener;
use peer::{Peer, unknown};
use process::Process;
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::event::{EventfdFlags, eventfd};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use rustix::net::{Shutdown, shutdown};
use schedule::{NEWCOMERS, Schedule};
use spare::{Spare, none_left};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::sync::Arc;
use strangers::Strangers;
use zerocopy::IntoBytes;

/// Serves objects of this process to others: at paths, and by handles that are passed on.
///
/// It works while somebody calls [`run`](Self::run) or [`turn`](Self::turn), in that thread and no other. Users share its time
/// evenly, and so do the processes of each: who asks for more waits. A client that floods, does not read, sends nonsense or dies costs only itself; [`Limits`] says what one may have. When a client's
/// process ends, or its connection to an object does, all it had there ends: its requests that wait, its events, and the
/// frames it took go back. An object that it created lives as long as somebody has its handle.
///
/// Dropped, every client is hung up, and every object that clients created ends.
///
/// ```
/// use ksobject::{InProcessObjects, ObjectAccess, RemoteObjects, Server};
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("pin");
/// let mut server = Server::bind(&path, InProcessObjects::create_sink_pin()?)?;
/// let stop = server.stopper();
/// std::thread::scope(|scope| {
///     scope.spawn(|| server.run());
///     // Any process of this user, from here on.
///     let pin = RemoteObjects::open(&path)?;
///     let framing = ks::KsAllocatorFraming {
///         flags: ks::OptionFlags::SYSTEM_MEMORY.into(),
///         frames: 2,
///         frame_size: 4096,
///         ..Default::default()
///     };
///     let allocator = RemoteObjects.create_allocator(pin.handle(), &framing)?;
///     # let _ = allocator;
///     stop.stop();
///     Ok::<_, ksobject::Win32Error>(())
/// })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Server {
    epoll: OwnedFd,
    limits: Limits,
    /// Who may open what lies at a path.
    users: BTreeSet<u32>,
    /// The number that was given last: to a source, or to a request that waits.
    last: u64,
    sources: BTreeMap<u64, Source>,
    /// No descriptor was left when somebody wanted in.
    listeners_paused: bool,
    listeners: BTreeMap<u64, (Listener, Root)>,
    handles: BTreeMap<u64, HandleEnd>,
    /// The objects behind handles, by the cookies of the clients' ends.
    objects: BTreeMap<u64, Object>,
    connections: BTreeMap<u64, Connection>,
    processes: BTreeMap<i32, Process>,
    /// The sources that tell of processes' ends.
    process_sources: BTreeMap<i32, u64>,
    /// Requests that have ended, and the connections of those that wait.
    ended: Arc<EndedRequests>,
    waiting: BTreeMap<u64, u64>,
    strangers: Strangers,
    spare: Spare,
    /// What there is to do, and whose turn it is. Epoll is silent about a source of a client until that was done.
    schedule: Schedule,
    stop: Arc<OwnedFd>,
    stopped: bool,
    /// Where packets are read to.
    buffer: Vec<u8>,
}

/// What epoll tells of.
#[derive(Clone, Copy, Debug)]
enum Source {
    Listener,
    Handle,
    Connection,
    Process(i32),
    Ended,
    Stop,
}

/// An object that this process hosts. The handle keeps it.
#[derive(Debug)]
struct Root {
    object: Object,
    _handle: Arc<OwnedHandle>,
}

/// The server's end of a handle.
#[derive(Debug)]
struct HandleEnd {
    socket: OwnedFd,
    /// The client's end.
    cookie: u64,
    /// The client that opened or created it: what comes on it is done on its account.
    client: u64,
    object: Object,
    /// The object was created by a client, and ends with the handle. Otherwise it is hosted, and this is what keeps it.
    root: Option<Arc<OwnedHandle>>,
    connections: BTreeSet<u64>,
    /// What it costs who opened or created it.
    _charge: Option<Charge>,
}

/// Ends a server's [`run`](Server::run), from any thread.
#[derive(Clone, Debug)]
pub struct Stopper(Arc<OwnedFd>);

impl Stopper {
    /// The server ends its turn, and then its run.
    pub fn stop(&self) {
        // A full counter can be read as well.
        let _ = rustix::io::write(&self.0, 1u64.as_bytes());
    }
}

impl Server {
    /// A server of nothing yet.
    ///
    /// # Errors
    /// The process has no descriptor left.
    pub fn new() -> io::Result<Self> {
        Self::with_limits(Limits::default())
    }

    /// A server of nothing yet, with bounds of its own for clients.
    ///
    /// # Errors
    /// The process has no descriptor left.
    pub fn with_limits(limits: Limits) -> io::Result<Self> {
        let epoll = socket::above_standard_streams(epoll::create(epoll::CreateFlags::CLOEXEC)?)?;
        let stop = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        let stop = socket::above_standard_streams(stop)?;
        let users = [rustix::process::geteuid().as_raw(), 0].into();
        let mut server = Self {
            epoll,
            limits,
            users,
            last: 0,
            sources: BTreeMap::new(),
            listeners_paused: false,
            listeners: BTreeMap::new(),
            handles: BTreeMap::new(),
            objects: BTreeMap::new(),
            connections: BTreeMap::new(),
            processes: BTreeMap::new(),
            process_sources: BTreeMap::new(),
            ended: Arc::new(EndedRequests::new()?),
            waiting: BTreeMap::new(),
            strangers: Strangers::default(),
            spare: Spare::new(&stop)?,
            schedule: Schedule::default(),
            stop: Arc::new(stop),
            stopped: false,
            buffer: socket::packet_buffer(),
        };
        let (ended, stop) = (server.ended.clone(), server.stop.clone());
        server.watch(ended.as_fd(), Source::Ended, EventFlags::IN)?;
        server.watch(stop.as_fd(), Source::Stop, EventFlags::IN)?;
        Ok(server)
    }

    /// A server that offers an object at a path: see [`listen`](Self::listen).
    ///
    /// # Errors
    /// As [`new`](Self::new) and [`listen`](Self::listen).
    pub fn bind(path: impl AsRef<Path>, object: OwnedHandle) -> io::Result<Self> {
        let mut server = Self::new()?;
        server.listen(path, object)?;
        Ok(server)
    }

    /// Offers an object of this process at a path. The socket there is this user's alone (mode 0600; who wants others to
    /// come changes that, and [allows](Self::allow_user) them); it is gone when the server is dropped. One at which nobody
    /// listens, left behind by a process that was killed, is replaced.
    ///
    /// # Errors
    /// `AddrInUse` where somebody listens at the path, or something else lies there; `InvalidInput` where the handle names
    /// no object of this process; else as the system says.
    pub fn listen(&mut self, path: impl AsRef<Path>, object: OwnedHandle) -> io::Result<()> {
        let root = Self::root(object)?;
        let listener = Listener::bind(path.as_ref())?;
        let id = self.watch(listener.as_fd(), Source::Listener, EventFlags::IN | EventFlags::ONESHOT)?;
        self.listeners.insert(id, (listener, root));
        Ok(())
    }

    /// Lets a user open what lies at the server's paths, besides this process's own user and root.
    pub fn allow_user(&mut self, user: u32) {
        self.users.insert(user);
    }

    /// A handle of an object of this process, for others: to be inherited, or to be sent over a socket. Whoever has it
    /// can use the object.
    ///
    /// # Errors
    /// `InvalidInput` where `object` names no object of this process; else as the system says.
    pub fn open(&mut self, object: OwnedHandle) -> io::Result<OwnedHandle> {
        let root = Self::root(object)?;
        let handle = self.create_handle(NEWCOMERS, root.object, Some(root._handle), None)?;
        Ok(OwnedHandle::from(handle))
    }

    /// What ends [`run`](Self::run).
    pub fn stopper(&self) -> Stopper {
        Stopper(self.stop.clone())
    }

    /// Works until it is stopped.
    ///
    /// # Errors
    /// The system cannot wait.
    pub fn run(&mut self) -> io::Result<()> {
        while !self.stopped {
            self.turn(None)?;
        }
        Ok(())
    }

    /// Whether it was stopped.
    pub fn is_stopped(&self) -> bool {
        self.stopped
    }

    fn root(handle: OwnedHandle) -> io::Result<Root> {
        let (object, _) = in_process::find(handle.handle())
            .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "the handle names no object of this process"))?;
        Ok(Root { object, _handle: Arc::new(handle) })
    }

    fn next(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// Has epoll tell of a descriptor, and gives the number it is told of by.
    fn watch(&mut self, descriptor: BorrowedFd<'_>, source: Source, interest: EventFlags) -> Result<u64, Errno> {
        let id = self.next();
        epoll::add(&self.epoll, descriptor, EventData::new_u64(id), interest)?;
        self.sources.insert(id, source);
        Ok(id)
    }

    /// Makes a handle: a pair of sockets, of which one is kept. What is behind it is said on it at once.
    fn create_handle(
        &mut self,
        client: u64,
        object: Object,
        root: Option<Arc<OwnedHandle>>,
        charge: Option<Charge>,
    ) -> Result<OwnedFd, Errno> {
        let (near, far) = socket::pair()?;
        rustix::net::sockopt::set_socket_passcred(&near, true)?;
        let cookie = socket::cookie(&far).ok_or(Errno::IO)?;
        let hello = Hello {
            lowest: VERSION,
            highest: VERSION,
            object: match object {
                Object::Filter(_) => ObjectKind::Filter,
                Object::Pin(_) => ObjectKind::Pin,
                Object::Allocator(_) => ObjectKind::Allocator,
            },
            pointer_bytes: size_of::<usize>() as u16,
            max_packet: MAX_PACKET as u32,
            max_memory: self.limits.memory,
        };
        socket::send(&near, &hello.to_packet(), &[])?;
        let id = self.watch(near.as_fd(), Source::Handle, EventFlags::IN | EventFlags::ONESHOT)?;
        self.objects.insert(cookie, object.clone());
        let end =
            HandleEnd { socket: near, cookie, client, object, root, connections: BTreeSet::new(), _charge: charge };
        self.handles.insert(id, end);
        Ok(far)
    }

    /// The client that a process is.
    fn process(&mut self, peer: Peer) -> Result<&mut Process, NtStatus> {
        let no_place = NtStatus::STATUS_INSUFFICIENT_RESOURCES;
        let number = peer.process;
        // Its number may have been another's, whose end was not heard of yet.
        if self.processes.get(&number).is_some_and(|known| known.peer.has_ended()) {
            self.process_ended(number);
        }
        if !self.processes.contains_key(&number) {
            if self.processes.len() >= self.limits.clients {
                let idle = self.processes.iter().find(|(_, process)| process.has_nothing()).map(|(number, _)| *number);
                self.process_ended(idle.ok_or(no_place)?);
            }
            let source = self.watch(peer.pidfd.as_fd(), Source::Process(number), EventFlags::IN);
            let source = source.map_err(none_left)?;
            self.process_sources.insert(number, source);
            self.schedule.add(source, peer.user);
            self.processes.insert(number, Process::new(peer, &self.limits));
        }
        self.processes.get_mut(&number).ok_or(no_place)
    }

    /// A process has ended: so do its connections, also where a child of it has copies of them.
    fn process_ended(&mut self, number: i32) {
        let connections = self.processes.get(&number).map(|process| process.connections.clone());
        connections.into_iter().flatten().for_each(|connection| self.hang_up(connection));
        if let Some(process) = self.processes.remove(&number) {
            let _ = epoll::delete(&self.epoll, &process.peer.pidfd);
        }
        if let Some(source) = self.process_sources.remove(&number) {
            self.sources.remove(&source);
            self.schedule.remove(source);
        }
    }

    /// The last duplicate of a handle is closed. An object that was created for it ends, and all connections that were
    /// asked for on it.
    fn handle_closed(&mut self, id: u64) {
        let Some(end) = self.handles.get(&id) else { return };
        self.sources.remove(&id);
        self.objects.remove(&end.cookie);
        let _ = epoll::delete(&self.epoll, &end.socket);
        let connections = end.connections.clone();
        if end.root.is_none() {
            end.object.end();
        }
        for connection in &connections {
            if let Some(connection) = self.connections.get(connection) {
                connection.waiting.values().for_each(|request| request.frame.cancel());
            }
        }
        // Requests that waited are told their end before they hear of the object's.
        self.answer_ended();
        for connection in connections {
            self.cancel_unread(connection);
            self.hang_up(connection);
        }
        self.handles.remove(&id);
    }

    /// Ends a connection.
    fn hang_up(&mut self, id: u64) {
        let Some(connection) = self.connections.remove(&id) else { return };
        let Some(handle) = self.handles.get(&connection.handle) else { return };
        let object = handle.object.clone();
        self.sources.remove(&id);
        let _ = epoll::delete(&self.epoll, &connection.socket);
        let _ = shutdown(&connection.socket, Shutdown::Both);
        if let Some(handle) = self.handles.get_mut(&connection.handle) {
            handle.connections.remove(&id);
        }
        for name in connection.waiting.keys() {
            self.waiting.remove(name);
        }
        let (number, unread) = (connection.process, connection.unread());
        // Requests that wait are cancelled by this.
        drop(connection);
        let Some(process) = self.processes.get_mut(&number) else { return };
        process.connections.remove(&id);
        process.unread -= unread;
        let frames = process.give_back_all(id, object.identity());
        object.client_gone(Owner(id), frames.into_iter());
        self.look_at(number);
    }

    /// Whether who made this socket may have a connection, and what it costs.
    fn admit(&mut self, socket: &OwnedFd) -> Result<(i32, Charge), NtStatus> {
        let peer = Peer::of(socket).map_err(unknown)?;
        let number = peer.process;
        Ok((number, self.process(peer)?.memory.charge(CONNECTION)?))
    }

    /// A connection that a client of a handle asked for.
    fn connect(&mut self, handle: u64, number: i32, socket: OwnedFd, charge: Charge) {
        // As much as an answer may be, whatever the client has set.
        let _ = rustix::net::sockopt::set_socket_send_buffer_size(&socket, 4 * MAX_PACKET);
        let mut connection = Connection::new(socket, handle, number, charge);
        connection.interest = EventFlags::IN | EventFlags::ONESHOT;
        // Where epoll has no room, the client hears that it is hung up.
        let Ok(id) = self.watch(connection.socket.as_fd(), Source::Connection, connection.interest) else { return };
        self.connections.insert(id, connection);
        if let Some(end) = self.handles.get_mut(&handle) {
            end.connections.insert(id);
        }
        if let Some(process) = self.processes.get_mut(&number) {
            process.connections.insert(id);
        }
        self.look_at(number);
    }
}

impl AsFd for Server {
    /// Can be read when there is something to do for [`turn`](Self::turn), so that a program with a loop of its own can
    /// have the server in it.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.epoll.as_fd()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let handles: Vec<u64> = self.handles.keys().copied().collect();
        handles.into_iter().for_each(|handle| self.handle_closed(handle));
    }
}
