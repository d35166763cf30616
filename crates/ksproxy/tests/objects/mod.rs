//! What the tests of KS objects share: requests by the handle, as a client sends them.
#![allow(dead_code, unreachable_pub, reason = "each test program takes what it needs")]

use ks::*;
use ksproxy::{DeviceError, Handle, InProcessObjects, ObjectAccess, OwnedHandle, Request, Win32Error};
use rustix::event::{EventfdFlags, eventfd};
use std::sync::Arc;
use zerocopy::{FromBytes, IntoBytes};

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

/// Any object by its handle.
pub struct Object(pub Arc<OwnedHandle>);

impl Object {
    pub fn handle(&self) -> Handle {
        self.0.handle()
    }

    pub fn property(&self, request: &KsProperty, data: &mut [u8]) -> Result<usize, DeviceError> {
        InProcessObjects::access().property(self.handle(), request, data)
    }

    pub fn send(&self, code: u32, input: &[u8], output: &mut [u8]) -> Result<usize, DeviceError> {
        InProcessObjects.device_io_control(self.handle(), code, input, output)
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
}

/// An allocator and the pin it was created on.
pub struct Allocator {
    pub pin: Object,
    pub object: Object,
}

impl Allocator {
    pub fn new(frames: u32) -> Self {
        Self::with(&framing(frames)).expect("an allocator")
    }

    pub fn with(framing: &KsAllocatorFraming) -> Result<Self, Win32Error> {
        let pin = InProcessObjects::create_sink_pin().expect("a pin");
        let object = InProcessObjects.create_allocator(pin.handle(), framing)?;
        Ok(Self { pin: Object(Arc::new(pin)), object: Object(Arc::new(object)) })
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
        InProcessObjects::begin(self.object.handle(), IOCTL_KS_METHOD, request.as_bytes(), output)
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
    /// How many descriptors of this process name it.
    pub fn descriptors(&self) -> usize {
        let id = |descriptor: &std::ffi::OsStr| {
            let about = std::fs::read_to_string(std::path::Path::new("/proc/self/fdinfo").join(descriptor)).ok()?;
            about.lines().find_map(|line| line.strip_prefix("eventfd-id:")).map(str::to_owned)
        };
        let mine = id(self.0.handle().0.to_string().as_ref()).expect("Linux numbers its eventfds");
        let all = std::fs::read_dir("/proc/self/fd").expect("proc is mounted");
        all.filter(|entry| id(&entry.as_ref().expect("it can be read").file_name()).as_ref() == Some(&mine)).count()
    }
}
