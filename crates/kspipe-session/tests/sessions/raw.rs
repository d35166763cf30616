//! A process that speaks to the server without the library: it says what it likes.

use ks::{
    CreateClass, KSINTERFACE_STANDARD_STREAMING, KSINTERFACESETID_Standard, KSMEDIUM_TYPE_ANYINSTANCE,
    KSMEDIUMSETID_Standard, KsDataFormat, KsIdentifier, KsMethod, KsMethodType, KsPinConnect,
};
use ksobject::{OwnedHandle, RemoteObjects, Win32Error};
use kspipe_session::verbs::{
    FrameMessage, Join, KSMETHOD_KSPPIN_ACQUIRE, KSMETHOD_KSPPIN_DESCRIPTORS, KSMETHOD_KSPPIN_FILE,
    KSMETHOD_KSPPIN_JOIN, KSMETHOD_KSPPIN_NEXT, KSMETHOD_KSPPIN_RELEASE, KSMETHOD_KSPPIN_SEND, KSMETHOD_KSPPIN_WRITE,
    KSMETHODSETID_KSPPIN, Step, VERSION, WriteMessage,
};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, ftruncate, memfd_create};
use std::path::Path;
use zerocopy::IntoBytes;

/// A pin, and what came of joining by it.
pub(crate) struct RawPin {
    pub(crate) handle: OwnedHandle,
}

impl RawPin {
    /// Creates the pin of a factory.
    pub(crate) fn create(graph: &OwnedHandle, factory: u32) -> Result<Self, Win32Error> {
        let standard = |set, id| KsIdentifier { set, id, flags: 0 };
        let connect = KsPinConnect {
            interface: standard(KSINTERFACESETID_Standard, KSINTERFACE_STANDARD_STREAMING),
            medium: standard(KSMEDIUMSETID_Standard, KSMEDIUM_TYPE_ANYINSTANCE),
            pin_id: factory,
            ..KsPinConnect::default()
        };
        let format = KsDataFormat { format_size: size_of::<KsDataFormat>() as u32, ..KsDataFormat::default() };
        let name = [&CreateClass::Pin.head()[..], &connect.to_bytes(), format.as_bytes()].concat();
        Ok(Self { handle: RemoteObjects::create(graph.handle(), &name)? })
    }

    pub(crate) fn call_with(
        &self,
        id: u32,
        data: &mut [u8],
        files: &[BorrowedFd<'_>],
    ) -> Result<(usize, Vec<OwnedFd>), Win32Error> {
        let method = KsMethod::method(KSMETHODSETID_KSPPIN, id, KsMethodType::WRITE);
        RemoteObjects::call_with(self.handle.handle(), &method, data, files).map_err(|error| error.error)
    }

    pub(crate) fn call(&self, id: u32, data: &mut [u8]) -> Result<(), Win32Error> {
        self.call_with(id, data, &[]).map(drop)
    }

    /// Joins, and fetches what it is given.
    pub(crate) fn join(&self) -> Result<(Join, Vec<OwnedFd>), Win32Error> {
        let mut data = vec![0; 4096];
        data[..4].copy_from_slice(&VERSION.to_le_bytes());
        let (length, _) = self.call_with(KSMETHOD_KSPPIN_JOIN, &mut data, &[])?;
        let join: Join = serde_json::from_slice(&data[..length]).unwrap();
        let mut descriptors = Vec::new();
        while descriptors.len() < join.descriptors as usize {
            let mut first = (descriptors.len() as u32).to_le_bytes();
            descriptors.extend(self.call_with(KSMETHOD_KSPPIN_DESCRIPTORS, &mut first, &[])?.1);
        }
        Ok((join, descriptors))
    }

    fn ask(&self, id: u32) -> Result<(Step, FrameMessage), Win32Error> {
        let mut message = FrameMessage::default();
        self.call(id, message.as_mut_bytes())?;
        Ok((Step::of(message.step.get()).unwrap(), message))
    }

    pub(crate) fn next(&self) -> Result<(Step, FrameMessage), Win32Error> {
        self.ask(KSMETHOD_KSPPIN_NEXT)
    }

    /// Waits at the pin's socket for the next frame.
    pub(crate) fn next_frame(&self, socket: &OwnedFd) -> FrameMessage {
        loop {
            match self.next().unwrap() {
                (Step::Frame, message) => return message,
                (Step::Nothing, _) => drop(poll(&mut [PollFd::new(socket, PollFlags::IN)], None).unwrap()),
                (step, _) => panic!("{step:?}"),
            }
            while rustix::net::recv(socket, &mut [0; 1], rustix::net::RecvFlags::DONTWAIT).is_ok() {}
        }
    }

    pub(crate) fn acquire(&self) -> Result<(Step, FrameMessage), Win32Error> {
        self.ask(KSMETHOD_KSPPIN_ACQUIRE)
    }

    pub(crate) fn release(&self, frame: u32) -> Result<(), Win32Error> {
        self.call(KSMETHOD_KSPPIN_RELEASE, &mut frame.to_le_bytes())
    }

    pub(crate) fn set_file(&self, file: impl AsFd) -> Result<(), Win32Error> {
        self.call_with(KSMETHOD_KSPPIN_FILE, &mut 1u64.to_le_bytes(), &[file.as_fd()]).map(drop)
    }

    pub(crate) fn write(&self, offset: u64, length: u64) -> Result<(), Win32Error> {
        let mut message = WriteMessage { offset: offset.into(), length: length.into() };
        self.call(KSMETHOD_KSPPIN_WRITE, message.as_mut_bytes())
    }

    pub(crate) fn send(&self, mut message: FrameMessage) -> Result<(), Win32Error> {
        self.call(KSMETHOD_KSPPIN_SEND, message.as_mut_bytes())
    }
}

pub(crate) fn graph(path: &Path) -> OwnedHandle {
    RemoteObjects::open(path).unwrap()
}

/// A file of so many bytes.
pub(crate) fn file(bytes: u64, seals: SealFlags) -> OwnedFd {
    let file = memfd_create(c"hostile", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING).unwrap();
    ftruncate(&file, bytes).unwrap();
    fcntl_add_seals(&file, seals).unwrap();
    file
}

/// What is sent with a frame of so many bytes.
pub(crate) fn header(data_used: u64, sequence: u64) -> FrameMessage {
    FrameMessage { data_used: data_used.into(), sequence: sequence.into(), ..FrameMessage::default() }
}
