//! What a process does that the server does not trust: it asks for each step. It maps nothing but frames, to be read, and
//! lends none of that memory: what it reads is copied out first, because the server may take a frame back from one that keeps
//! it too long, and then others write there.

use super::frames::StreamError;
use super::writer::WriteError;
use crate::descriptor::above_standard_streams;
use crate::lock::lock;
use crate::verbs::{
    FrameMessage, FramesLayout, JoinedPin, KSMETHOD_KSPPIN_ACQUIRE, KSMETHOD_KSPPIN_END, KSMETHOD_KSPPIN_FILE,
    KSMETHOD_KSPPIN_NEXT, KSMETHOD_KSPPIN_RELEASE, KSMETHOD_KSPPIN_SEND, KSMETHOD_KSPPIN_WRITE, KSMETHODSETID_KSPPIN,
    MOST_WRITTEN, Step, WriteMessage,
};
use ks::{KsMethod, KsMethodType};
use ksobject::{OwnedHandle, RemoteObjects, Win32Error};
use kspipe::allocator::shared::{Access, FrameMemory, SharedPoolProperties};
use kspipe::allocator::{AllocatorProperties, FrameHeader};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, ftruncate, memfd_create};
use rustix::net::{RecvFlags, recv};
use std::collections::BTreeMap;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};
use zerocopy::IntoBytes;

/// A pin of a mediated process.
#[derive(Debug)]
pub(super) struct MediatedPin {
    joined: JoinedPin,
    handle: OwnedHandle,
    /// Readable when there is something to ask for; it has hung up where there will be nothing.
    socket: OwnedFd,
    layout: FramesLayout,
    /// Where frames come in.
    memory: Option<FrameFiles>,
    /// Somebody in this process takes or sends there.
    in_use: AtomicBool,
    /// What the data of frames that were dropped was copied to, for the next: the pages of new memory would cost more than the
    /// copy. No more than frames were had at once.
    spare: Mutex<Vec<Vec<u8>>>,
}

/// The frames that come in, as far as this process has them mapped.
#[derive(Clone, Debug)]
pub(super) enum FrameFiles {
    /// All in one.
    Together(Arc<FrameMemory>),
    /// Each in its own, by number, since it came for the first time.
    Isolated(BTreeMap<u32, Arc<FrameMemory>>),
}

impl FrameFiles {
    /// The memory of a frame, and its place there. `file` came with it.
    fn of(&mut self, frame: u32, file: Option<OwnedFd>, layout: &FramesLayout) -> Option<(Arc<FrameMemory>, u32)> {
        match self {
            Self::Together(memory) => Some((memory.clone(), frame)),
            Self::Isolated(files) => {
                if let Some(file) = file {
                    let frames = AllocatorProperties {
                        frames: 1,
                        size: layout.size,
                        alignment: layout.alignment,
                        prefix: layout.prefix,
                    };
                    let properties = SharedPoolProperties { frames, ..SharedPoolProperties::default() };
                    let memory = FrameMemory::open(vec![file], &properties, Access::Read).ok()?;
                    files.insert(frame, Arc::new(memory));
                }
                Some((files.get(&frame)?.clone(), 0))
            }
        }
    }
}

/// What waiting came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Waited {
    /// There may be something.
    Something,
    TimedOut,
    /// The server has ended, or taken the pin away: it says which.
    HungUp,
}

impl MediatedPin {
    pub(super) fn new(
        joined: JoinedPin,
        handle: OwnedHandle,
        socket: OwnedFd,
        layout: FramesLayout,
        memory: Option<FrameFiles>,
    ) -> Self {
        Self { joined, handle, socket, layout, memory, in_use: AtomicBool::new(false), spare: Mutex::default() }
    }

    pub(super) fn name(&self) -> &str {
        &self.joined.name
    }

    /// Takes the pin, once at a time; an in pin once at all.
    pub(super) fn take(&self) -> bool {
        !self.in_use.swap(true, Ordering::AcqRel)
    }

    fn call(&self, id: u32, data: &mut [u8]) -> Result<(), Win32Error> {
        self.call_with(id, data, &[]).map(drop)
    }

    /// Gives the descriptor that comes with the answer.
    fn call_with(&self, id: u32, data: &mut [u8], files: &[BorrowedFd<'_>]) -> Result<Option<OwnedFd>, Win32Error> {
        let method = KsMethod::method(KSMETHODSETID_KSPPIN, id, KsMethodType::WRITE);
        let answered = RemoteObjects::call_with(self.handle.handle(), &method, data, files);
        answered.map(|(_, given)| given.into_iter().next()).map_err(|error| error.error)
    }

    /// Asks for a frame.
    fn ask(&self, id: u32) -> Result<(Step, FrameMessage, Option<OwnedFd>), Win32Error> {
        self.drain();
        let mut message = FrameMessage::default();
        let file = self.call_with(id, message.as_mut_bytes(), &[])?;
        let step = Step::of(message.step.get()).ok_or(Win32Error::INVALID_DATA)?;
        Ok((step, message, file))
    }

    /// What was said before is asked about now.
    fn drain(&self) {
        while recv(&self.socket, &mut [0; 1], RecvFlags::DONTWAIT).is_ok_and(|(length, _)| length > 0) {}
    }

    fn wait(&self, deadline: Option<Instant>) -> Waited {
        loop {
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            let left = left.and_then(|left| Timespec::try_from(left).ok());
            // The server's first word always waits at the handle to be read: only a hang-up is news.
            let mut polled = [PollFd::new(&self.socket, PollFlags::IN), PollFd::new(&self.handle, PollFlags::empty())];
            match poll(&mut polled, left.as_ref()) {
                Ok(0) => return Waited::TimedOut,
                Ok(_) if polled[0].revents().contains(PollFlags::IN) && !self.has_hung_up() => {
                    return Waited::Something;
                }
                Ok(_) => return Waited::HungUp,
                Err(rustix::io::Errno::INTR) => {}
                Err(_) => return Waited::HungUp,
            }
        }
    }

    /// The server has closed its end, and all it said was heard.
    fn has_hung_up(&self) -> bool {
        matches!(recv(&self.socket, &mut [0; 1], RecvFlags::DONTWAIT | RecvFlags::PEEK), Ok((0, _)))
    }
}

fn deadline(timeout: Option<Duration>) -> Option<Instant> {
    timeout.and_then(|timeout| Instant::now().checked_add(timeout))
}

/// Takes the frames that come in by a pin.
#[derive(Debug)]
pub(super) struct MediatedReceiver {
    pin: Arc<MediatedPin>,
    files: FrameFiles,
    /// The server said that there is nothing, or that it gives nothing more, and will say when it does.
    is_awaited: bool,
}

impl MediatedReceiver {
    /// `None`: no frames come in, or somebody takes them already.
    pub(super) fn new(pin: &Arc<MediatedPin>) -> Option<Self> {
        let files = pin.memory.clone()?;
        pin.take().then(|| Self { pin: pin.clone(), files, is_awaited: false })
    }

    /// The next frame; `None` where there is none now.
    pub(super) fn try_next(&mut self) -> Result<Option<MediatedFrame>, StreamError> {
        self.is_awaited = false;
        let (step, message, file) = self.pin.ask(KSMETHOD_KSPPIN_NEXT).map_err(of_reader)?;
        match step {
            Step::Nothing => {
                self.is_awaited = true;
                Ok(None)
            }
            Step::Frame => {
                let (pin, frame) = (self.pin.clone(), message.frame.get());
                let Some((memory, place)) = self.files.of(frame, file, &pin.layout) else {
                    let _ = pin.call(KSMETHOD_KSPPIN_RELEASE, &mut frame.to_le_bytes());
                    return Err(StreamError::Nonsense);
                };
                let (header, bytes) = (message.header(), OnceLock::new());
                Ok(Some(MediatedFrame { pin, memory, place, frame, header, bytes, passed_on: false }))
            }
            Step::Ended => Err(StreamError::Ended),
            Step::Closed => Err(StreamError::ServerGone),
            Step::Shut => Err(StreamError::Shut),
            Step::Nonsense => Err(StreamError::Nonsense),
            Step::HoldsMost => {
                self.is_awaited = true;
                Err(StreamError::HoldsMost)
            }
        }
    }

    /// The next frame; waits for one, at most for the time given.
    pub(super) fn next(&mut self, timeout: Option<Duration>) -> Result<MediatedFrame, StreamError> {
        let deadline = deadline(timeout);
        loop {
            match self.try_next() {
                Ok(Some(frame)) => return Ok(frame),
                // Another thread may drop one.
                Ok(None) | Err(StreamError::HoldsMost) => {}
                Err(error) => return Err(error),
            }
            match self.pin.wait(deadline) {
                Waited::Something => {}
                Waited::TimedOut => return Err(StreamError::TimedOut),
                // Asked, it says why; where it still has nothing to say it is not there.
                Waited::HungUp => return self.try_next()?.ok_or(StreamError::ServerGone),
            }
        }
    }

    pub(super) fn arm(&mut self) -> bool {
        self.is_awaited
    }
}

impl AsFd for MediatedReceiver {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pin.socket.as_fd()
    }
}

impl Drop for MediatedReceiver {
    fn drop(&mut self) {
        // A server that is gone needs no word.
        let _ = self.pin.call(KSMETHOD_KSPPIN_END, &mut []);
    }
}

/// What an error says to who takes frames.
fn of_reader(error: Win32Error) -> StreamError {
    match error {
        Win32Error::DEVICE_REMOVED | Win32Error::OPERATION_ABORTED => StreamError::ServerGone,
        _ => StreamError::Shut,
    }
}

fn of_writer(error: Win32Error) -> WriteError {
    match error {
        Win32Error::DEVICE_REMOVED | Win32Error::OPERATION_ABORTED => WriteError::ServerGone,
        _ => WriteError::Shut,
    }
}

/// A frame that came in. The server holds it until this is dropped, or handed on.
#[derive(Debug)]
pub(super) struct MediatedFrame {
    pin: Arc<MediatedPin>,
    memory: Arc<FrameMemory>,
    /// Where in the memory.
    place: u32,
    frame: u32,
    header: FrameHeader,
    /// The data, once somebody wanted it.
    bytes: OnceLock<Vec<u8>>,
    passed_on: bool,
}

impl MediatedFrame {
    pub(super) fn header(&self) -> FrameHeader {
        self.header
    }

    pub(super) fn set_header(&mut self, header: FrameHeader) {
        self.header = header;
    }

    fn data_length(&self) -> usize {
        let there = self.memory.frame(self.place).map_or(0, |view| view.len());
        usize::try_from(self.header.data_used).map_or(there, |used| used.min(there))
    }

    pub(super) fn data(&self) -> &[u8] {
        self.bytes.get_or_init(|| {
            let mut bytes = lock(&self.pin.spare).pop().unwrap_or_default();
            bytes.resize(self.data_length(), 0);
            let copied = self.copy_to(0, &mut bytes);
            bytes.truncate(copied);
            bytes
        })
    }

    pub(super) fn copy_to(&self, offset: usize, to: &mut [u8]) -> usize {
        let left = self.data_length().saturating_sub(offset);
        let part = to.len().min(left);
        self.memory.frame(self.place).map_or(0, |view| view.copy_to(offset, &mut to[..part]))
    }
}

impl Drop for MediatedFrame {
    fn drop(&mut self) {
        if let Some(bytes) = self.bytes.take() {
            lock(&self.pin.spare).push(bytes);
        }
        if !self.passed_on {
            let _ = self.pin.call(KSMETHOD_KSPPIN_RELEASE, &mut self.frame.to_le_bytes());
        }
    }
}

/// Fills frames that go out by a pin: in memory of its own, which the server copies from.
#[derive(Debug)]
pub(super) struct MediatedWriter {
    pin: Arc<MediatedPin>,
    /// What the server copies from.
    file: OwnedFd,
    /// What the last frame was filled in.
    buffer: Vec<u8>,
    is_awaited: bool,
}

impl MediatedWriter {
    /// `None`: somebody sends there already.
    pub(super) fn new(pin: &Arc<MediatedPin>) -> std::io::Result<Option<Self>> {
        let file = memfd_create(c"kspipe written", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
        let file = above_standard_streams(file)?;
        ftruncate(&file, pin.layout.size)?;
        fcntl_add_seals(&file, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
        if !pin.take() {
            return Ok(None);
        }
        let writer = Self { pin: pin.clone(), file, buffer: Vec::new(), is_awaited: false };
        // The first descriptor that goes along. Where the server refuses, it refuses what comes of it, too.
        let _ = writer.pin.call_with(KSMETHOD_KSPPIN_FILE, &mut 1u64.to_le_bytes(), &[writer.file.as_fd()]);
        Ok(Some(writer))
    }

    pub(super) fn hands_on(&self) -> bool {
        self.pin.joined.sends_as.is_some_and(|holder| holder < 32)
    }

    /// A free frame; `None` where there is none now: then the pin's socket says when there is.
    pub(super) fn try_acquire(&mut self) -> Result<Option<MediatedWritable>, WriteError> {
        self.is_awaited = false;
        let (step, ..) = self.pin.ask(KSMETHOD_KSPPIN_ACQUIRE).map_err(of_writer)?;
        match step {
            Step::Frame => {
                let mut bytes = std::mem::take(&mut self.buffer);
                // As long as the file, which is there.
                bytes.resize(usize::try_from(self.pin.layout.size).map_err(|_| WriteError::Shut)?, 0);
                Ok(Some(MediatedWritable { pin: self.pin.clone(), bytes, passed_on: false }))
            }
            Step::Nothing => {
                self.is_awaited = true;
                Ok(None)
            }
            Step::Closed => Err(WriteError::ServerGone),
            Step::HoldsMost => Err(WriteError::HoldsMost),
            Step::Ended | Step::Shut | Step::Nonsense => Err(WriteError::Shut),
        }
    }

    /// A free frame; waits for one, at most for the time given.
    pub(super) fn acquire(&mut self, timeout: Option<Duration>) -> Result<MediatedWritable, WriteError> {
        let deadline = deadline(timeout);
        loop {
            if let Some(frame) = self.try_acquire()? {
                return Ok(frame);
            }
            match self.pin.wait(deadline) {
                Waited::Something => {}
                Waited::TimedOut => return Err(WriteError::TimedOut),
                // Asked, it says why; where it still has nothing to say it is not there.
                Waited::HungUp => return self.try_acquire()?.ok_or(WriteError::ServerGone),
            }
        }
    }

    /// The server said that no frame is free, and will say when one is.
    pub(super) fn is_awaited(&self) -> bool {
        self.is_awaited
    }

    /// Has the server copy a frame, and send it.
    pub(super) fn send(&mut self, mut frame: MediatedWritable, header: &FrameHeader) -> Result<(), WriteError> {
        if !Arc::ptr_eq(&frame.pin, &self.pin) {
            return Err(WriteError::Foreign);
        }
        let used = usize::try_from(header.data_used).map_or(frame.bytes.len(), |used| used.min(frame.bytes.len()));
        let mut written = 0;
        while written < used {
            let count = rustix::io::pwrite(&self.file, &frame.bytes[written..used], written as u64);
            written += count.map_err(|_| WriteError::Shut)?;
        }
        for offset in (0..used as u64).step_by(MOST_WRITTEN as usize) {
            let length = MOST_WRITTEN.min(used as u64 - offset);
            let mut message = WriteMessage { offset: offset.into(), length: length.into() };
            self.pin.call(KSMETHOD_KSPPIN_WRITE, message.as_mut_bytes()).map_err(of_writer)?;
        }
        let mut message = FrameMessage::of(0, header);
        self.pin.call(KSMETHOD_KSPPIN_SEND, message.as_mut_bytes()).map_err(|error| match error {
            Win32Error::INVALID_PARAMETER => WriteError::NotWhole,
            error => of_writer(error),
        })?;
        frame.passed_on = true;
        self.buffer = std::mem::take(&mut frame.bytes);
        Ok(())
    }

    /// Has the server hand on a frame that came in.
    pub(super) fn hand_on(&mut self, mut frame: MediatedFrame) -> Result<(), WriteError> {
        let (from, to) = (&frame.pin.joined, &self.pin.joined);
        if from.pipe != to.pipe || from.takes_as != to.sends_as {
            return Err(WriteError::Foreign);
        }
        let mut message = FrameMessage::of(frame.frame, &frame.header);
        message.hands_on = 1.into();
        self.pin.call(KSMETHOD_KSPPIN_SEND, message.as_mut_bytes()).map_err(|error| match error {
            Win32Error::INVALID_PARAMETER | Win32Error::INVALID_FUNCTION => WriteError::Foreign,
            error => of_writer(error),
        })?;
        frame.passed_on = true;
        Ok(())
    }

    pub(super) fn end(&mut self) {
        let _ = self.pin.call(KSMETHOD_KSPPIN_END, &mut []);
    }
}

impl AsFd for MediatedWriter {
    /// Readable when there may be a frame, after there was none.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pin.socket.as_fd()
    }
}

impl Drop for MediatedWriter {
    fn drop(&mut self) {
        self.pin.in_use.store(false, Ordering::Release);
    }
}

/// A frame to fill, in memory of this process.
#[derive(Debug)]
pub(super) struct MediatedWritable {
    pin: Arc<MediatedPin>,
    pub(super) bytes: Vec<u8>,
    passed_on: bool,
}

impl Drop for MediatedWritable {
    fn drop(&mut self) {
        if !self.passed_on {
            let _ = self.pin.call(KSMETHOD_KSPPIN_RELEASE, &mut 0u32.to_le_bytes());
        }
    }
}
