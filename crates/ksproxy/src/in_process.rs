//! [`InProcessObjects`]: KS objects that live in this process, behind real handles.
//!
//! An object's handle is one end of a socket pair; this module keeps the other. A duplicate of the handle names the
//! same object, because what is compared is the socket, not its number. An object is gone once every duplicate of its
//! handle is closed, which is seen when the next object is created.
//!
//! There are sink pins, on which allocators can be created, and those allocators, which answer their status. They hand
//! out no frames yet: `AllocatedFrames` is 0.

use crate::handle::{Handle, OwnedHandle};
use crate::lock::{Lock, lock};
use crate::object_access::{DeviceError, ObjectAccess, Win32Error};
use ks::{
    IOCTL_KS_PROPERTY, KSPROPERTY_STREAMALLOCATOR_STATUS, KSPROPSETID_StreamAllocator, KsAllocatorFraming, KsProperty,
    KsPropertyType, KsStreamAllocatorStatus, NtStatus, OptionFlags, PoolType,
};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, AsRawFd, OwnedFd};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use std::sync::Arc;
use zerocopy::{FromBytes, IntoBytes};

/// The KS objects of this process. One table for the process: every value is the same.
#[derive(Clone, Copy, Debug, Default)]
pub struct InProcessObjects;

static TABLE: Lock<Vec<Entry>> = Lock::new(Vec::new());

/// An object of the table.
struct Entry {
    identity: Identity,
    /// The end that stays here. It hangs up when the last duplicate of the other is closed.
    near: OwnedFd,
    object: Object,
}

#[derive(Clone, Copy)]
enum Object {
    SinkPin,
    Allocator(KsAllocatorFraming),
}

/// What is the same for all duplicates of a descriptor, and different for every socket that is open.
type Identity = (u64, u64);

fn identity(descriptor: impl AsFd) -> Option<Identity> {
    let status = rustix::fs::fstat(descriptor).ok()?;
    Some((status.st_dev, status.st_ino))
}

impl InProcessObjects {
    /// These objects, to be given to an allocator.
    pub fn access() -> Arc<dyn ObjectAccess> {
        Arc::new(Self)
    }

    /// Creates a sink pin: an object on whose handle allocators can be created.
    ///
    /// # Errors
    /// [`Win32Error::NO_SYSTEM_RESOURCES`].
    pub fn create_sink_pin() -> Result<OwnedHandle, Win32Error> {
        insert(Object::SinkPin)
    }
}

/// Puts an object into the table and gives its handle out.
fn insert(object: Object) -> Result<OwnedHandle, Win32Error> {
    let none_left = |_| Win32Error::NO_SYSTEM_RESOURCES;
    let (near, far) =
        socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).map_err(none_left)?;
    // Both ends: what a program writes to a standard stream it has closed must not land in a socket of ours.
    let (near, far) = (above_standard_streams(near)?, above_standard_streams(far)?);
    let identity = identity(&far).ok_or(Win32Error::NO_SYSTEM_RESOURCES)?;
    let mut table = lock(&TABLE);
    table.retain(|entry| !has_hung_up(&entry.near));
    table.try_reserve(1).map_err(|_| Win32Error::NO_SYSTEM_RESOURCES)?;
    table.push(Entry { identity, near, object });
    Ok(OwnedHandle::from(far))
}

/// The same descriptor under a number that is no standard stream's, which a handle could not have either.
fn above_standard_streams(descriptor: OwnedFd) -> Result<OwnedFd, Win32Error> {
    if descriptor.as_raw_fd() >= 3 {
        return Ok(descriptor);
    }
    rustix::io::fcntl_dupfd_cloexec(&descriptor, 3).map_err(|_| Win32Error::NO_SYSTEM_RESOURCES)
}

/// Whether the other end of a socket is closed.
fn has_hung_up(near: &OwnedFd) -> bool {
    let mut polled = [PollFd::new(near, PollFlags::empty())];
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut polled, Some(&at_once)).is_ok() && polled[0].revents().contains(PollFlags::HUP)
}

/// The object that `handle` names.
fn find(handle: Handle) -> Result<Object, Win32Error> {
    // SAFETY: the caller of the functions below keeps the handle open for the call; where it does not, the worst is
    // that another descriptor is looked at, which is then no object or another one.
    let descriptor = unsafe { handle.borrow() }.ok_or(Win32Error::INVALID_HANDLE)?;
    let identity = identity(descriptor).ok_or(Win32Error::INVALID_HANDLE)?;
    let table = lock(&TABLE);
    let entry = table.iter().find(|entry| entry.identity == identity);
    entry.map(|entry| entry.object).ok_or(Win32Error::INVALID_HANDLE)
}

/// The rules of `KsValidateAllocatorCreateRequest` and `KsCreateDefaultAllocatorEx` (statements 132 to 134).
fn validate(framing: &KsAllocatorFraming) -> Result<(), Win32Error> {
    /// The largest mask: a page, minus 1.
    const MAX_MASK: u32 = 4095;
    let options = framing.flags.options();
    let mask = framing.file_alignment.file_alignment();
    let pool = [PoolType::NON_PAGED_POOL, PoolType::PAGED_POOL].contains(&framing.pool_type);
    let sound = framing.frame_size != 0
        && OptionFlags::VALID.contains(options)
        && mask.is_valid()
        && mask.0 <= MAX_MASK
        && (pool || !options.contains(OptionFlags::SYSTEM_MEMORY));
    if sound { Ok(()) } else { Err(Win32Error::INVALID_PARAMETER) }
}

impl ObjectAccess for InProcessObjects {
    fn create_allocator(&self, pin: Handle, framing: &KsAllocatorFraming) -> Result<OwnedHandle, Win32Error> {
        match find(pin)? {
            Object::SinkPin => {
                validate(framing)?;
                insert(Object::Allocator(*framing))
            }
            Object::Allocator(_) => Err(Win32Error::INVALID_HANDLE),
        }
    }

    fn device_io_control(
        &self,
        object: Handle,
        code: u32,
        input: &[u8],
        output: &mut [u8],
    ) -> Result<usize, DeviceError> {
        let object = find(object)?;
        if code != IOCTL_KS_PROPERTY {
            return Err(NtStatus::STATUS_INVALID_DEVICE_REQUEST.into());
        }
        let Ok((request, _)) = KsProperty::read_from_prefix(input) else {
            return Err(NtStatus::STATUS_INVALID_BUFFER_SIZE.into());
        };
        let Object::Allocator(framing) = object else { return Err(NtStatus::STATUS_PROPSET_NOT_FOUND.into()) };
        if request.set != KSPROPSETID_StreamAllocator {
            return Err(NtStatus::STATUS_PROPSET_NOT_FOUND.into());
        }
        if request.id != KSPROPERTY_STREAMALLOCATOR_STATUS || request.property_type() != KsPropertyType::GET {
            return Err(NtStatus::STATUS_NOT_FOUND.into());
        }
        let status = KsStreamAllocatorStatus { framing, allocated_frames: 0, reserved: 0 };
        let given = output.len();
        let answer =
            output.get_mut(..size_of_val(&status)).ok_or(DeviceError::too_small(size_of_val(&status), given))?;
        answer.copy_from_slice(status.as_bytes());
        Ok(answer.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ks::{AlignmentMask, OptionsOrRequirements};

    fn framing(options: u32, frame_size: u32, mask: u32, pool_type: PoolType) -> KsAllocatorFraming {
        KsAllocatorFraming {
            flags: OptionsOrRequirements(options),
            pool_type,
            frames: 2,
            frame_size,
            file_alignment: AlignmentMask(mask).into(),
            reserved: 0,
        }
    }

    #[test]
    fn s132_s133_s134_only_sound_framing_makes_an_allocator() {
        let pin = InProcessObjects::create_sink_pin().expect("a pin");
        for (asked, sound) in [
            (framing(2, 4096, 63, PoolType::NON_PAGED_POOL), true),
            (framing(3, 1, 0, PoolType::PAGED_POOL), true),
            (framing(2, 4096, 4095, PoolType::NON_PAGED_POOL), true),
            (framing(2, 4096, 8191, PoolType::NON_PAGED_POOL), false),
            (framing(2, 4096, 4096, PoolType::NON_PAGED_POOL), false),
            (framing(2, 4096, 2, PoolType::NON_PAGED_POOL), false),
            (framing(2, 0, 0, PoolType::NON_PAGED_POOL), false),
            (framing(0x10, 4096, 0, PoolType::NON_PAGED_POOL), false),
            (framing(2, 4096, 0, PoolType(2)), false),
            (framing(0, 4096, 0, PoolType(2)), true),
        ] {
            let made = InProcessObjects.create_allocator(pin.handle(), &asked);
            assert_eq!(made.as_ref().err(), (!sound).then_some(&Win32Error::INVALID_PARAMETER), "{asked:?}");
        }
    }

    #[test]
    fn an_allocator_answers_its_status_and_nothing_else() {
        let pin = InProcessObjects::create_sink_pin().expect("a pin");
        let made_with = framing(2, 4096, 63, PoolType::PAGED_POOL);
        let allocator = InProcessObjects.create_allocator(pin.handle(), &made_with).expect("an allocator");
        let get = |set, id, flags| KsProperty::property(set, id, flags);
        let status = get(KSPROPSETID_StreamAllocator, 1, KsPropertyType::GET);
        let mut data = [0xFF; 32];
        assert_eq!(InProcessObjects::access().property(allocator.handle(), &status, &mut data), Ok(32));
        let expected = KsStreamAllocatorStatus { framing: made_with, allocated_frames: 0, reserved: 0 };
        assert_eq!(data, expected.as_bytes());
        for (object, request, length, error) in [
            (&allocator, status, 31, Win32Error::INSUFFICIENT_BUFFER),
            (&allocator, get(KSPROPSETID_StreamAllocator, 1, KsPropertyType::SET), 32, Win32Error::NOT_FOUND),
            (&allocator, get(KSPROPSETID_StreamAllocator, 7, KsPropertyType::GET), 32, Win32Error::NOT_FOUND),
            (&allocator, get(ks::KSPROPSETID_Stream, 1, KsPropertyType::GET), 32, Win32Error::SET_NOT_FOUND),
            (&pin, status, 32, Win32Error::SET_NOT_FOUND),
        ] {
            let answer = InProcessObjects::access().property(object.handle(), &request, &mut data[..length]);
            assert_eq!(answer.map_err(|failed| failed.error), Err(error), "{request:?}");
        }
    }

    #[test]
    fn an_object_is_its_socket_and_not_its_number() {
        let pin = InProcessObjects::create_sink_pin().expect("a pin");
        let twin = OwnedHandle::from(rustix::io::fcntl_dupfd_cloexec(&pin, 3).expect("a duplicate"));
        let asked = framing(2, 4096, 0, PoolType::NON_PAGED_POOL);
        drop(pin);
        let allocator = InProcessObjects.create_allocator(twin.handle(), &asked).expect("the duplicate is the pin");
        drop(twin);
        assert_eq!(
            InProcessObjects.create_allocator(allocator.handle(), &asked).err(),
            Some(Win32Error::INVALID_HANDLE),
            "an allocator is no pin"
        );
        let (stranger, _other) = rustix::pipe::pipe().expect("a pipe");
        let stranger = OwnedHandle::from(stranger);
        assert_eq!(find(stranger.handle()).err(), Some(Win32Error::INVALID_HANDLE), "a pipe is no object");
        assert_eq!(find(Handle::NULL).err(), Some(Win32Error::INVALID_HANDLE));
    }

    #[test]
    fn objects_nobody_has_a_handle_of_leave_the_table() {
        let gone = InProcessObjects::create_sink_pin().expect("a pin");
        let kept = InProcessObjects::create_sink_pin().expect("a pin");
        let (gone_identity, kept_identity) = (identity(&gone), identity(&kept));
        drop(gone);
        let _next = InProcessObjects::create_sink_pin().expect("a pin");
        let table = lock(&TABLE);
        let has = |wanted: Option<Identity>| table.iter().any(|entry| Some(entry.identity) == wanted);
        // A new object of another test could have the number of the one that is gone, but not its end of the socket.
        assert!(has(kept_identity));
        assert!(table.iter().all(|entry| Some(entry.identity) != gone_identity || !has_hung_up(&entry.near)));
    }
}
