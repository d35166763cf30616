//! What goes with a request to another process: handles become descriptors, addresses of events become their keys.

use crate::handle::Handle;
use crate::object_access::Win32Error;
use crate::wire::MAX_DATA;
use ks::{
    CreateClass, CreateName, EventNotification, IOCTL_KS_DISABLE_EVENT, IOCTL_KS_ENABLE_EVENT, IOCTL_KS_PROPERTY,
    KSPROPERTY_STREAM_ALLOCATOR, KSPROPSETID_Stream, KsEventData, KsEventType, KsIdentifier, KsPinConnect,
    KsPropertyType,
};
use rustix::fd::BorrowedFd;
use std::borrow::Cow;
use std::mem::offset_of;
use zerocopy::{FromBytes, IntoBytes};

/// A request's other parts.
#[derive(Debug)]
pub(super) struct Outgoing<'a> {
    /// What of the output buffer goes with it.
    pub(super) data: Cow<'a, [u8]>,
    /// How much of the output buffer is offered.
    pub(super) output_length: u32,
    /// What an event is known by.
    pub(super) key: u64,
    /// The descriptors of the handles in it.
    pub(super) descriptors: Vec<BorrowedFd<'a>>,
}

impl<'a> Outgoing<'a> {
    /// What goes with `DeviceIoControl`. The handles in it are borrowed for as long as the caller keeps them open, which
    /// is for the call.
    pub(super) fn control(code: u32, input: &[u8], output: &'a [u8]) -> Result<Self, Win32Error> {
        let offered = output.len().min(MAX_DATA);
        let mut outgoing = Self {
            data: Cow::Borrowed(output),
            // At most MAX_DATA, which is small.
            output_length: offered as u32,
            key: 0,
            descriptors: Vec::new(),
        };
        let about = KsIdentifier::read_from_prefix(input).ok().map(|(about, _)| about);
        match code {
            IOCTL_KS_PROPERTY => match about {
                // Nobody reads the buffer of what is only asked.
                Some(about) if KsPropertyType::from_bits_retain(about.flags) == KsPropertyType::GET => {
                    outgoing.data = Cow::Borrowed(&[]);
                }
                Some(KsIdentifier { set: KSPROPSETID_Stream, id: KSPROPERTY_STREAM_ALLOCATOR, flags })
                    if KsPropertyType::from_bits_retain(flags) == KsPropertyType::SET =>
                {
                    outgoing.handle_at(0)?;
                }
                _ => {}
            },
            IOCTL_KS_ENABLE_EVENT => {
                outgoing.key = output.as_ptr().addr() as u64;
                let enables = |about: KsIdentifier| {
                    let types = KsEventType::from_bits_retain(about.flags);
                    !types.is_empty() && (KsEventType::ENABLE | KsEventType::ONESHOT).contains(types)
                };
                let notification =
                    u32::read_from_prefix(output).map(|(word, _)| EventNotification::from_bits_retain(word));
                let has_handle = notification.is_ok_and(|by| {
                    [EventNotification::EVENT_HANDLE, EventNotification::SEMAPHORE_HANDLE].contains(&by)
                });
                if about.is_some_and(enables) && has_handle {
                    outgoing.handle_at(offset_of!(KsEventData, handle))?;
                }
            }
            IOCTL_KS_DISABLE_EVENT => outgoing.key = input.as_ptr().addr() as u64,
            _ => {}
        }
        if outgoing.data.len() > offered {
            return Err(Win32Error::NO_SYSTEM_RESOURCES);
        }
        Ok(outgoing)
    }

    /// What goes with a create name: the handle of the pin that a pin is connected to.
    pub(super) fn create(name: &'a [u8]) -> Result<Self, Win32Error> {
        let mut outgoing = Self { data: Cow::Borrowed(name), output_length: 0, key: 0, descriptors: Vec::new() };
        if let Ok(CreateName { class: CreateClass::Pin, parameters }) = CreateName::parse(name)
            && KsPinConnect::parse(parameters).is_some()
        {
            let head = name.len() - parameters.len();
            outgoing.handle_at(head + offset_of!(KsPinConnect, pin_to_handle))?;
        }
        Ok(outgoing)
    }

    /// The handle at this place becomes the number of a descriptor that goes along. Null stays null; a place past the end
    /// is the object's to refuse.
    fn handle_at(&mut self, place: usize) -> Result<(), Win32Error> {
        let Some(bytes) = self.data.get(place..).and_then(|rest| rest.get(..size_of::<isize>())) else { return Ok(()) };
        let handle = isize::read_from_bytes(bytes).map_or(Handle::NULL, Handle);
        if handle == Handle::NULL {
            return Ok(());
        }
        // SAFETY: who names a handle in a request keeps it open for the call; where it does not, another descriptor goes
        // along, and the server looks at what it is.
        let descriptor = unsafe { handle.borrow() }.ok_or(Win32Error::INVALID_HANDLE)?;
        self.descriptors.push(descriptor);
        let number = self.descriptors.len();
        self.data.to_mut()[place..place + size_of::<isize>()].copy_from_slice(number.as_bytes());
        Ok(())
    }
}
