//! What the tests share: objects of this process, the same objects in a server that is another process, and requests by
//! the handle, as a client sends them.
#![allow(dead_code, unreachable_pub, reason = "each test program takes what it needs")]

use ks::*;
use ksobject::{
    DeviceError, Handle, InProcessObjects, ObjectAccess, OwnedHandle, PinFactory, PinFraming, RemoteObjects, Request,
    Server, SystemObjects, Win32Error,
};
use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};
use rustix::fd::{AsFd, OwnedFd};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};
use std::cell::RefCell;
use std::io::{BufRead, BufReader, IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use zerocopy::{FromBytes, IntoBytes};

/// Where the objects are that a test asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Here,
    AnotherProcess,
}

/// Runs a test on objects of this process, and on those of another.
pub fn everywhere(test: impl Fn(&Objects)) {
    test(&Objects { place: Place::Here, server: None });
    let server = ServerProcess::start();
    test(&Objects { place: Place::AnotherProcess, server: Some(server) });
}

/// Objects somewhere.
pub struct Objects {
    pub place: Place,
    server: Option<ServerProcess>,
}

impl Objects {
    /// Objects of a server that the test has something else to do with.
    pub fn of(server: ServerProcess) -> Self {
        Self { place: Place::AnotherProcess, server: Some(server) }
    }

    /// The server. Objects of this process have none.
    pub fn server(&mut self) -> &mut ServerProcess {
        self.server.as_mut().expect("objects of another process")
    }

    /// A filter with the factories of [`factories`].
    pub fn filter(&self) -> Object {
        Object(match &self.server {
            None => InProcessObjects::create_filter(factories()).expect("a filter"),
            Some(server) => RemoteObjects::open(server.path()).expect("a filter"),
        })
    }

    pub fn pin(&self, factory: u32) -> Object {
        self.filter().pin(factory)
    }

    pub fn allocator(&self, frames: u32) -> Allocator {
        self.allocator_with(&framing(frames)).expect("an allocator")
    }

    pub fn allocator_with(&self, framing: &KsAllocatorFraming) -> Result<Allocator, Win32Error> {
        let pin = self.pin(SINK);
        let object = SystemObjects.create_allocator(pin.handle(), framing)?;
        Ok(Allocator { pin, object: Object(object) })
    }
}

pub const SINK: u32 = 0;
pub const SOURCE: u32 = 1;
pub const FRAMED: u32 = 2;
pub const OLD_FRAMED: u32 = 3;
pub const INCAPABLE: u32 = 4;

/// The pin factories of the filter of the tests.
pub fn factories() -> Vec<PinFactory> {
    vec![
        PinFactory { name: Some("in".to_owned()), ..PinFactory::sink() },
        PinFactory { possible_instances: 2, ..PinFactory::source() },
        PinFactory { framing: PinFraming::extended(&extended_framing()).expect("it is valid"), ..PinFactory::sink() },
        PinFactory { framing: PinFraming::old(framing(7)), ..PinFactory::source() },
        PinFactory { can_allocate: false, ..PinFactory::sink() },
    ]
}

/// A framing of one item.
pub fn extended_framing() -> Vec<u8> {
    let framing = KsAllocatorFramingEx::simple(KSMEMORY_TYPE_USER, FramingFlags(0), 4, AlignmentMask(63), 1, 4096);
    framing.as_bytes().to_vec()
}

/// A sound framing of paged memory, so that no test depends on how much a process may lock.
pub fn framing(frames: u32) -> KsAllocatorFraming {
    KsAllocatorFraming {
        flags: OptionFlags::SYSTEM_MEMORY.into(),
        pool_type: PoolType::PAGED_POOL,
        frames,
        frame_size: 4096,
        file_alignment: AlignmentMask(63).into(),
        reserved: 0,
    }
}

/// Says in which role this program runs: a path to serve at.
const SERVE_AT: &str = "KSOBJECT_TEST_SERVES_AT";
/// What the server says when it can be found.
const LISTENING: &str = "the server listens";

/// Every test program has this as a test: called by another test, it is the server.
pub fn serve_if_asked_to() {
    let Some(path) = std::env::var_os(SERVE_AT) else { return };
    let filter = InProcessObjects::create_filter(factories()).expect("a filter");
    let mut server = Server::bind(PathBuf::from(path), filter).expect("a server");
    let stop = server.stopper();
    std::thread::spawn(move || {
        // The end of the parent, whichever way it comes to it.
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        stop.stop();
    });
    // Not captured: the parent reads it.
    rustix::io::write(rustix::stdio::stdout(), format!("\n{LISTENING}\n").as_bytes()).expect("somebody reads");
    server.run().expect("it runs");
}

/// A server that is a process of its own, and ends with this value.
pub struct ServerProcess {
    folder: tempfile::TempDir,
    child: Child,
    stop: Option<ChildStdin>,
}

impl ServerProcess {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", "this_program_is_the_server_if_asked_to", "--nocapture", "--test-threads", "1"])
            .env(SERVE_AT, folder.path().join("filter"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this program runs");
        let stop = child.stdin.take();
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        assert!(lines.any(|line| line.is_ok_and(|line| line == LISTENING)), "the server ended before it listened");
        // What it says further is nobody's business, but it must not be kept from saying it.
        std::thread::spawn(move || lines.count());
        Self { folder, child, stop }
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("filter")
    }

    /// Its number.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// Kills it.
    pub fn kill(&mut self) {
        self.child.kill().expect("it is ours");
        self.child.wait().expect("it is ours");
    }

    /// How many descriptors it has open.
    pub fn descriptors(&self) -> usize {
        descriptors_of(self.child.id())
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        drop(self.stop.take());
        let status = self.child.wait().expect("it is ours");
        if !std::thread::panicking() {
            assert!(status.success() || status.code().is_none(), "the server failed: {status}");
        }
    }
}

/// How many descriptors a process has open.
pub fn descriptors_of(process: u32) -> usize {
    std::fs::read_dir(Path::new("/proc").join(process.to_string()).join("fd")).expect("it is there").count()
}

/// Any object by its handle.
pub struct Object(pub OwnedHandle);

impl Object {
    pub fn handle(&self) -> Handle {
        self.0.handle()
    }

    pub fn property(&self, request: &KsProperty, data: &mut [u8]) -> Result<usize, DeviceError> {
        SystemObjects::access().property(self.handle(), request, data)
    }

    pub fn send(&self, code: u32, input: &[u8], output: &mut [u8]) -> Result<usize, DeviceError> {
        SystemObjects.device_io_control(self.handle(), code, input, output)
    }

    /// A pin of this filter's factory.
    pub fn pin(&self, factory: u32) -> Object {
        self.try_pin(factory, Handle::NULL).expect("a pin")
    }

    pub fn try_pin(&self, factory: u32, connected_to: Handle) -> Result<Object, Win32Error> {
        let standard = |set, id| KsIdentifier { set, id, flags: 0 };
        let connect = KsPinConnect {
            interface: standard(KSINTERFACESETID_Standard, KSINTERFACE_STANDARD_STREAMING),
            medium: standard(KSMEDIUMSETID_Standard, KSMEDIUM_TYPE_ANYINSTANCE),
            pin_id: factory,
            pin_to_handle: std::ptr::without_provenance_mut(connected_to.0.cast_unsigned()),
            priority: KsPriority::default(),
        };
        let format = KsDataFormat { format_size: size_of::<KsDataFormat>() as u32, ..Default::default() };
        let name = [&CreateClass::Pin.head()[..], &connect.to_bytes(), format.as_bytes()].concat();
        SystemObjects::create(self.handle(), &name).map(Object)
    }

    /// The object has done whatever it was asked before this, and what that ended is answered.
    pub fn settle(&self) {
        let nothing = KsProperty::property(Guid::NULL, 0, KsPropertyType::SETSUPPORT);
        let answer = self.property(&nothing, &mut []);
        assert!(answer.is_ok() || answer.is_err_and(|error| error.returned > 0), "{answer:?}");
    }
}

/// An allocator and the pin it was created on.
pub struct Allocator {
    pub pin: Object,
    pub object: Object,
}

impl Allocator {
    /// ALLOC, waiting for a frame.
    pub fn alloc(&self) -> Result<usize, DeviceError> {
        let mut frame = [0; size_of::<usize>()];
        let length = self.object.send(IOCTL_KS_METHOD, method(ALLOC, KsMethodType::WRITE).as_bytes(), &mut frame)?;
        assert_eq!(length, frame.len());
        Ok(usize::from_ne_bytes(frame))
    }

    /// ALLOC, not waiting.
    pub fn begin_alloc(&self) -> Request {
        let request = method(ALLOC, KsMethodType::WRITE);
        let output = vec![0; size_of::<usize>()];
        SystemObjects::begin(self.object.handle(), IOCTL_KS_METHOD, request.as_bytes(), output)
    }

    pub fn free(&self, frame: usize) -> Result<usize, DeviceError> {
        let request = method(FREE, KsMethodType::READ);
        self.object.send(IOCTL_KS_METHOD, request.as_bytes(), frame.to_ne_bytes().as_mut_slice())
    }

    pub fn status(&self) -> KsStreamAllocatorStatus {
        let mut status = KsStreamAllocatorStatus::default();
        assert_eq!(self.object.property(&STATUS, status.as_mut_bytes()), Ok(32));
        status
    }

    /// How many frames are out.
    pub fn allocated(&self) -> u32 {
        self.status().allocated_frames
    }

    /// Enables FREEFRAME for an event's handle. The data must stay where it is until the event is disabled.
    pub fn enable(&self, types: KsEventType, data: &mut [u8]) -> Result<usize, DeviceError> {
        let request = KsEvent::event(KSEVENTSETID_StreamAllocator, KSEVENT_STREAMALLOCATOR_FREEFRAME, types);
        self.object.send(IOCTL_KS_ENABLE_EVENT, request.as_bytes(), data)
    }

    pub fn disable(&self, data: &[u8]) -> Result<usize, DeviceError> {
        self.object.send(IOCTL_KS_DISABLE_EVENT, data, &mut [])
    }
}

pub const ALLOC: u32 = KSMETHOD_STREAMALLOCATOR_ALLOC;
pub const FREE: u32 = KSMETHOD_STREAMALLOCATOR_FREE;
pub const STATUS: KsProperty =
    KsProperty::property(KSPROPSETID_StreamAllocator, KSPROPERTY_STREAMALLOCATOR_STATUS, KsPropertyType::GET);

pub fn method(id: u32, types: KsMethodType) -> KsMethod {
    KsMethod::method(KSMETHODSETID_StreamAllocator, id, types)
}

/// The frame that a request got.
pub fn frame(request: Request) -> Result<usize, DeviceError> {
    let (output, result) = request.wait();
    result.map(|length| usize::read_from_bytes(&output[..length]).expect("a pointer"))
}

pub fn failure(status: NtStatus) -> DeviceError {
    status.into()
}

pub const CANCELLED: DeviceError = DeviceError { error: Win32Error::OPERATION_ABORTED, returned: 0 };

/// An event's handle: an eventfd.
pub struct Event(pub OwnedHandle);

impl Event {
    pub fn new() -> Self {
        let eventfd = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).expect("an eventfd");
        Self(OwnedHandle::from(eventfd))
    }

    /// The `KSEVENTDATA` that signals it.
    pub fn data(&self) -> [u8; 32] {
        let mut data = [0; 32];
        data[..4].copy_from_slice(EventNotification::EVENT_HANDLE.as_bytes());
        data[8..16].copy_from_slice(self.0.handle().0.as_bytes());
        data
    }

    /// How often it was signalled since this was asked last.
    pub fn signals(&self) -> u64 {
        let mut counter = 0u64;
        match rustix::io::read(&self.0, counter.as_mut_bytes()) {
            Ok(_) => counter,
            Err(rustix::io::Errno::AGAIN) => 0,
            Err(error) => panic!("{error}"),
        }
    }

    /// Waits until it was signalled.
    pub fn wait(&self) -> u64 {
        poll(&mut [PollFd::new(&self.0, PollFlags::IN)], None).expect("it can be waited for");
        self.signals()
    }
}

/// Says in which role this program runs: a client that is handed a handle.
const CLIENT_THAT: &str = "KSOBJECT_TEST_CLIENT_THAT";

/// A client of an allocator that is a process of its own. It is handed the handle over a socket.
pub struct OtherClient {
    child: Child,
    channel: Channel,
}

impl OtherClient {
    /// Starts one that does what [`client_if_asked_to`] has under this name.
    pub fn start(object: &Object, does: &str) -> Self {
        let (mine, its) = UnixStream::pair().expect("a pair");
        let child = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", "this_program_is_a_client_if_asked_to", "--nocapture", "--test-threads", "1"])
            .env(CLIENT_THAT, does)
            .stdin(OwnedFd::from(its))
            .stdout(Stdio::null())
            .spawn()
            .expect("this program runs");
        send_descriptor(&mine, &object.0);
        Self { child, channel: Channel::new(mine) }
    }

    /// Waits until it says this.
    pub fn expect(&self, word: &str) {
        self.channel.expect(word);
    }

    /// The descriptor that it sends before it says anything.
    pub fn descriptor(&self) -> OwnedFd {
        receive_descriptor(&self.channel.0)
    }

    pub fn tell(&self, word: &str) {
        self.channel.say(word);
    }

    /// Waits for its end, which is a good one.
    pub fn end(mut self) {
        assert!(self.child.wait().expect("it is ours").success());
    }

    /// Kills it, and waits until it is gone. Its children may have the other end of what this gives.
    pub fn kill(mut self) -> Channel {
        self.child.kill().expect("it is ours");
        self.child.wait().expect("it is ours");
        self.channel
    }
}

/// Lines, both ways.
pub struct Channel(UnixStream, RefCell<BufReader<UnixStream>>);

impl Channel {
    fn new(socket: UnixStream) -> Self {
        let reader = BufReader::new(socket.try_clone().expect("a duplicate"));
        Self(socket, RefCell::new(reader))
    }

    pub fn say(&self, word: &str) {
        writeln!(&self.0, "{word}").expect("somebody listens");
    }

    pub fn expect(&self, word: &str) {
        let mut line = String::new();
        self.1.borrow_mut().read_line(&mut line).expect("somebody speaks");
        assert_eq!(line.trim_end(), word);
    }
}

fn send_descriptor(socket: &UnixStream, descriptor: impl AsFd) {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    let descriptors = [descriptor.as_fd()];
    assert!(ancillary.push(SendAncillaryMessage::ScmRights(&descriptors)));
    sendmsg(socket, &[IoSlice::new(b"h")], &mut ancillary, SendFlags::empty()).expect("it is sent");
}

fn receive_descriptor(socket: &UnixStream) -> OwnedFd {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0];
    recvmsg(socket, &mut [IoSliceMut::new(&mut byte)], &mut ancillary, RecvFlags::CMSG_CLOEXEC).expect("it came");
    let mut descriptors = ancillary.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(descriptors) => Some(descriptors),
        _ => None,
    });
    descriptors.next().and_then(|mut descriptors| descriptors.next()).expect("a descriptor")
}

/// Every test program has this as a test: called by another test, it is the client.
pub fn client_if_asked_to() {
    let Ok(does) = std::env::var(CLIENT_THAT) else { return };
    let channel = UnixStream::from(rustix::io::dup(rustix::stdio::stdin()).expect("a duplicate"));
    let object = OwnedHandle::from(receive_descriptor(&channel));
    let channel = Channel::new(channel);
    let pin = Object(object.try_clone().expect("a duplicate"));
    let a = Allocator { pin, object: Object(object) };
    match does.as_str() {
        "takes a frame, says so, frees it" => {
            let request = a.begin_alloc();
            a.object.settle();
            channel.say("asks");
            let frame = frame(request).expect("a frame");
            channel.say("has it");
            channel.expect("free it");
            a.free(frame).expect("it is out");
        }
        "has one of everything" => {
            let out = a.alloc().expect("a frame");
            let event = Event::new();
            a.enable(KsEventType::ENABLE, &mut event.data()).expect("an event");
            let _waiting = a.begin_alloc();
            a.object.settle();
            channel.say("has it all");
            channel.expect("go on");
            // It is killed before this.
            a.free(out).expect("it is out");
        }
        "works when it is told" => loop {
            let mut line = String::new();
            channel.1.borrow_mut().read_line(&mut line).expect("somebody speaks");
            if line.trim_end() != "work" {
                return;
            }
            let event = Event::new();
            let mut data = event.data();
            a.enable(KsEventType::ENABLE, &mut data).expect("an event");
            let frames = [a.alloc(), a.alloc()].map(|frame| frame.expect("a frame"));
            assert_eq!(a.status().allocated_frames, 2);
            let waiting = a.begin_alloc();
            a.object.settle();
            assert!(waiting.is_pending());
            a.free(frames[0]).expect("it is out");
            for frame in [frame(waiting).expect("a frame"), frames[1]] {
                a.free(frame).expect("it is out");
            }
            // Others may have freed some of theirs.
            assert!(event.signals() >= 3);
            a.disable(&data).expect("it is enabled");
            channel.say("done");
        },
        "has a frame and a child" => {
            a.alloc().expect("a frame");
            // SAFETY: the child reads a byte, and ends.
            if unsafe { libc::fork() } == 0 {
                let _ = rustix::io::read(&channel.0, &mut [0; 1]);
                // SAFETY: it ends the process.
                unsafe { libc::_exit(0) };
            }
            channel.say("has it all");
            loop {
                std::thread::park();
            }
        }
        "lends a pair of its own" => {
            let flags = SocketFlags::CLOEXEC;
            let (near, far) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None).expect("a pair");
            send_descriptor(&channel.0, far);
            let end = rustix::io::read(&near, &mut [0; 1]);
            assert_eq!(end, Ok(0), "nobody talks on it");
            channel.say("hung up");
        }
        "frees what is another's" => {
            channel.say("is there");
            let refused = Err(failure(NtStatus::STATUS_INVALID_PARAMETER));
            for frame in [1, 1 << 63, 1 << 63 | 1, 1 << 63 | 2] {
                assert_eq!(a.free(frame), refused);
            }
            assert_eq!(a.disable(&[]), Ok(0));
        }
        other => panic!("{other}?"),
    }
}
