//! The driver behind the pins' handles: this process's own objects, with a record, and pins that take an allocator.

use super::Log;
use ks::{
    AlignmentMask, IOCTL_KS_PROPERTY, KSPROPERTY_STREAM_ALLOCATOR, KSPROPSETID_Stream, KsAllocatorFraming, KsProperty,
};
use ksproxy::{DeviceError, Handle, InProcessObjects, ObjectAccess, OwnedHandle, Win32Error};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use zerocopy::FromBytes;

pub struct Driver {
    log: Log,
    names: Mutex<HashMap<isize, String>>,
    /// How many allocators it still creates, or takes, before it refuses one; `None`: it refuses none.
    pub refuses_to_create: Mutex<Option<u32>>,
    pub refuses_to_take: Mutex<Option<u32>>,
    /// Pin and handle, as they were set.
    pub taken: Mutex<Vec<(String, Handle)>>,
    pub created: Mutex<Vec<(String, KsAllocatorFraming)>>,
    /// It creates small allocators, whatever is asked of it.
    pub is_small: AtomicBool,
}

impl Driver {
    pub fn new(log: Log) -> Arc<Self> {
        Arc::new(Driver {
            log,
            names: Mutex::default(),
            refuses_to_create: Mutex::new(None),
            refuses_to_take: Mutex::new(None),
            taken: Mutex::default(),
            created: Mutex::default(),
            is_small: AtomicBool::new(false),
        })
    }

    pub fn name(&self, handle: Handle, name: &str) {
        self.names.lock().unwrap().insert(handle.0, name.to_owned());
    }

    fn called(&self, handle: Handle, what: &str) -> String {
        let name = self.names.lock().unwrap().get(&handle.0).cloned().unwrap_or_else(|| "stranger".to_owned());
        self.log.lock().unwrap().push(format!("{name} {what}"));
        name
    }
}

/// Whether it is this one that is refused.
fn refuses(after: &Mutex<Option<u32>>) -> bool {
    let mut after = after.lock().unwrap();
    let refuses = *after == Some(0);
    *after = after.and_then(|left| left.checked_sub(1));
    refuses
}

impl ObjectAccess for Driver {
    fn create_allocator(&self, pin: Handle, framing: &KsAllocatorFraming) -> Result<OwnedHandle, Win32Error> {
        let name = self.called(pin, "KsCreateAllocator");
        if refuses(&self.refuses_to_create) {
            return Err(Win32Error::NO_SYSTEM_RESOURCES);
        }
        self.created.lock().unwrap().push((name, *framing));
        let small =
            KsAllocatorFraming { frames: 1, frame_size: 1, file_alignment: AlignmentMask(0).into(), ..*framing };
        InProcessObjects.create_allocator(pin, if self.is_small.load(Ordering::Relaxed) { &small } else { framing })
    }

    fn device_io_control(
        &self,
        object: Handle,
        code: u32,
        input: &[u8],
        output: &mut [u8],
    ) -> Result<usize, DeviceError> {
        let stream_allocator =
            KsProperty::property(KSPROPSETID_Stream, KSPROPERTY_STREAM_ALLOCATOR, ks::KsPropertyType::SET);
        if code != IOCTL_KS_PROPERTY || KsProperty::read_from_bytes(input) != Ok(stream_allocator) {
            return InProcessObjects.device_io_control(object, code, input, output);
        }
        let name = self.called(object, "KSPROPERTY_STREAM_ALLOCATOR");
        if refuses(&self.refuses_to_take) {
            return Err(Win32Error::NOT_SUPPORTED.into());
        }
        let handle = isize::from_ne_bytes((&*output).try_into().expect("a handle"));
        let answer = InProcessObjects.device_io_control(object, code, input, output);
        if answer.is_ok() {
            self.taken.lock().unwrap().push((name, Handle(handle)));
        }
        answer
    }
}
