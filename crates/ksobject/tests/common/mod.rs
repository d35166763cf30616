//! What the tests share: objects of this process, the same objects in a server that is another process, and requests by
//! the handle, as a client sends them.
#![allow(dead_code, unreachable_pub, unused_imports, reason = "each test program takes what it needs")]

mod client;

pub use client::*;

use ks::*;
use ksobject::{
    DeviceError, Handle, InProcessObjects, ObjectAccess, OwnedHandle, PinFactory, PinFraming, RemoteObjects, Request,
    Server, SystemObjects, Win32Error,
};
use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};
use std::io::{BufRead, BufReader, Read};
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

    /// What a property whose size is asked for first answers.
    pub fn sized_property(&self, input: &[u8]) -> Result<Vec<u8>, DeviceError> {
        match self.send(IOCTL_KS_PROPERTY, input, &mut []) {
            Err(DeviceError { error: Win32Error::MORE_DATA, returned }) => {
                let mut answer = vec![0xEE; returned];
                let length = self.send(IOCTL_KS_PROPERTY, input, &mut answer)?;
                assert_eq!(length, returned);
                Ok(answer)
            }
            Ok(_) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
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
    /// One of this process.
    pub fn new(frames: u32) -> Self {
        Self::with(&framing(frames)).expect("an allocator")
    }

    /// One of this process.
    pub fn with(framing: &KsAllocatorFraming) -> Result<Self, Win32Error> {
        let pin = InProcessObjects::create_sink_pin().expect("a pin");
        let object = InProcessObjects.create_allocator(pin.handle(), framing)?;
        Ok(Self { pin: Object(pin), object: Object(object) })
    }

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
    /// How many descriptors of this process name it.
    pub fn descriptors(&self) -> usize {
        let id = |descriptor: &std::ffi::OsStr| {
            let about = std::fs::read_to_string(Path::new("/proc/self/fdinfo").join(descriptor)).ok()?;
            about.lines().find_map(|line| line.strip_prefix("eventfd-id:")).map(str::to_owned)
        };
        let mine = id(self.0.handle().0.to_string().as_ref()).expect("Linux numbers its eventfds");
        let all = std::fs::read_dir("/proc/self/fd").expect("proc is mounted");
        all.filter(|entry| id(&entry.as_ref().expect("it can be read").file_name()).as_ref() == Some(&mine)).count()
    }
}
