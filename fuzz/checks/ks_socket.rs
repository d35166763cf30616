//! Any packets, with and without descriptors, of several clients to a server of KS objects. None ends the process, makes
//! the server wait or costs a client beside them anything.
//!
//! The bytes are a row of commands: which client, what it does, and how many of the bytes that follow go with it. Clients
//! are connections to a filter, and to whatever they create there.

use ks::{
    IOCTL_KS_DISABLE_EVENT, IOCTL_KS_ENABLE_EVENT, IOCTL_KS_METHOD, IOCTL_KS_PROPERTY, KSMETHOD_STREAMALLOCATOR_ALLOC,
    KSMETHOD_STREAMALLOCATOR_FREE, KSMETHODSETID_StreamAllocator, KsAllocatorFraming, KsMethod, KsMethodType, NtStatus,
    OptionFlags, PoolType,
};
use ksobject::wire::{Answer, Attach, Control, Create, MAX_PACKET, Message};
use ksobject::{InProcessObjects, Limits, ObjectAccess, PinFactory, Server};
use rustix::event::{EventfdFlags, eventfd};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};
use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::time::Duration;
use zerocopy::IntoBytes;

/// How many clients there are, beside the victim.
const CLIENTS: usize = 3;
/// How many handles a client remembers.
const HANDLES: usize = 8;

/// Panics where that does not hold.
pub(crate) fn check(bytes: &[u8]) {
    // All clients are this process, and must not be refused for what the others have.
    let limits = Limits { memory: 8 << 20, frame_memory: 1 << 20, ..Limits::default() };
    let mut server = Server::with_limits(limits).expect("a server");
    let filter = InProcessObjects::create_filter(vec![PinFactory::sink(), PinFactory::source()]).expect("a filter");
    let filter = OwnedFd::from(server.open(filter).expect("a handle"));
    let mut victim = Victim::new(&mut server);
    let mut clients: [Client; CLIENTS] = std::array::from_fn(|_| Client::new(&filter));
    let mut rest = bytes;
    while let Some((command, argument, payload)) = take(&mut rest) {
        let client = &mut clients[usize::from(command & 3) % CLIENTS];
        client.act(command >> 2, argument, payload);
        turn(&mut server);
    }
    victim.lost_nothing(&mut server);
    drop(clients);
    turn(&mut server);
    victim.lost_nothing(&mut server);
}

/// The next command: what it is, a word about it, and the bytes that go with it.
fn take<'a>(rest: &mut &'a [u8]) -> Option<(u8, u8, &'a [u8])> {
    let (&[command, argument, length], bytes) = rest.split_first_chunk()?;
    let (payload, bytes) = bytes.split_at(usize::from(length).min(bytes.len()));
    *rest = bytes;
    Some((command, argument, payload))
}

/// The server does what there is to do. It comes to an end: a client that does nothing costs nothing.
fn turn(server: &mut Server) {
    let idle = (0..10_000).any(|_| server.turn(Some(Duration::ZERO)).expect("it can look") == 0);
    assert!(idle, "the server is busy with nothing");
}

fn pair() -> (OwnedFd, OwnedFd) {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None).expect("a pair")
}

/// Sends a packet. Where there is no room, or nobody, it is lost.
fn send(socket: impl AsFd, packet: &[u8], descriptors: &[BorrowedFd<'_>]) {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(32))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if !descriptors.is_empty() {
        ancillary.push(SendAncillaryMessage::ScmRights(descriptors));
    }
    let _ = sendmsg(socket, &[IoSlice::new(packet)], &mut ancillary, SendFlags::NOSIGNAL | SendFlags::DONTWAIT);
}

/// The next packet, if there is one, and its descriptors.
fn receive(socket: &OwnedFd) -> Option<(Vec<u8>, Vec<OwnedFd>)> {
    let mut packet = vec![0; MAX_PACKET];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(16))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let flags = RecvFlags::CMSG_CLOEXEC | RecvFlags::DONTWAIT;
    let received = recvmsg(socket, &mut [IoSliceMut::new(&mut packet)], &mut ancillary, flags).ok()?;
    packet.truncate(received.bytes);
    let rights = ancillary.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(descriptors) => Some(descriptors),
        _ => None,
    });
    (received.bytes > 0).then_some((packet, rights.flatten().collect()))
}

/// A connection to what is behind a handle.
fn attach(handle: impl AsFd) -> OwnedFd {
    let (near, far) = pair();
    send(handle, &Attach { version: 1 }.to_packet(), &[far.as_fd()]);
    near
}

/// One that sends what the bytes say.
struct Client {
    handles: Vec<OwnedFd>,
    connection: OwnedFd,
    event: OwnedFd,
    last: u64,
}

impl Client {
    fn new(filter: &OwnedFd) -> Self {
        let event = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).expect("an eventfd");
        let filter = filter.try_clone().expect("a duplicate");
        Self { connection: attach(&filter), handles: vec![filter], event, last: 0 }
    }

    fn act(&mut self, command: u8, argument: u8, payload: &[u8]) {
        let some = usize::from(argument);
        match command % 9 {
            0 => send(&self.connection, payload, &[]),
            1 => send(&self.connection, payload, &self.descriptors(some)),
            2 => self.control(IOCTL_KS_PROPERTY, some, payload),
            3 => self.control(IOCTL_KS_METHOD, some, payload),
            4 => self.control([IOCTL_KS_ENABLE_EVENT, IOCTL_KS_DISABLE_EVENT][some & 1], some >> 1, payload),
            5 => {
                self.last += 1;
                let descriptors = self.descriptors(some & 3);
                let create = Create { name: payload, descriptors: descriptors.len() as u16 };
                send(&self.connection, &create.to_packet(self.last).expect("it is short"), &descriptors);
            }
            // Another connection, to what it made last or had first; the old one is hung up.
            6 => self.connection = attach(&self.handles[some % self.handles.len()]),
            7 => {
                for _ in 0..some {
                    let Some((packet, descriptors)) = receive(&self.connection) else { break };
                    let (_, message) = Message::parse(&packet).expect("a server's packets are sound");
                    assert_eq!(usize::from(message.descriptors()), descriptors.len());
                    self.handles.extend(descriptors);
                }
                if self.handles.len() > HANDLES {
                    self.handles.truncate(1);
                }
            }
            _ => send(&self.handles[some % self.handles.len()], payload, &self.descriptors(some >> 4)),
        }
    }

    /// Descriptors of several kinds.
    fn descriptors(&self, count: usize) -> Vec<BorrowedFd<'_>> {
        let all = [&self.event, &self.connection, &self.handles[0], &self.handles[self.handles.len() - 1]];
        (0..count.min(20)).map(|place| all[place % all.len()].as_fd()).collect()
    }

    /// A request whose packet is sound: 24 bytes of input and more, and the rest is data.
    fn control(&mut self, code: u32, some: usize, payload: &[u8]) {
        self.last += 1;
        let (input, data) = payload.split_at(payload.len().min(24 + (some >> 2 & 7) * 8));
        let descriptors = self.descriptors(some & 3);
        let control = Control {
            code,
            output_length: (data.len() + (some >> 5) * 16) as u32,
            key: some as u64,
            input,
            data,
            descriptors: descriptors.len() as u16,
        };
        send(&self.connection, &control.to_packet(self.last).expect("it is short"), &descriptors);
    }
}

/// One with an allocator of its own, beside the others.
struct Victim {
    _handle: OwnedFd,
    connection: OwnedFd,
    last: u64,
    frame: [u8; 8],
}

impl Victim {
    fn new(server: &mut Server) -> Self {
        let framing = KsAllocatorFraming {
            flags: OptionFlags::SYSTEM_MEMORY.into(),
            pool_type: PoolType::PAGED_POOL,
            frames: 1,
            frame_size: 256,
            ..Default::default()
        };
        let pin = InProcessObjects::create_sink_pin().expect("a pin");
        let allocator = InProcessObjects.create_allocator(pin.handle(), &framing).expect("an allocator");
        let handle = OwnedFd::from(server.open(allocator).expect("a handle"));
        let mut victim = Self { connection: attach(&handle), _handle: handle, last: 0, frame: [0; 8] };
        turn(server);
        victim.frame = victim.method(server, KSMETHOD_STREAMALLOCATOR_ALLOC, KsMethodType::WRITE);
        victim
    }

    fn method(&mut self, server: &mut Server, id: u32, types: KsMethodType) -> [u8; 8] {
        self.last += 1;
        let method = KsMethod::method(KSMETHODSETID_StreamAllocator, id, types);
        let control = Control {
            code: IOCTL_KS_METHOD,
            output_length: 8,
            key: 0,
            input: method.as_bytes(),
            data: &self.frame,
            descriptors: 0,
        };
        send(&self.connection, &control.to_packet(self.last).expect("it is short"), &[]);
        turn(server);
        let (packet, _) = receive(&self.connection).expect("it is answered");
        let (answered, message) = Message::parse(&packet).expect("a packet");
        let Message::Answer(Answer { status, data, .. }) = message else { panic!("{message:?}") };
        assert_eq!((answered, status), (self.last, NtStatus::STATUS_SUCCESS));
        data.try_into().unwrap_or_default()
    }

    /// Its frame is its own, and goes back and forth.
    fn lost_nothing(&mut self, server: &mut Server) {
        self.method(server, KSMETHOD_STREAMALLOCATOR_FREE, KsMethodType::READ);
        self.frame = self.method(server, KSMETHOD_STREAMALLOCATOR_ALLOC, KsMethodType::WRITE);
    }
}
