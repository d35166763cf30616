//! Frames that go out by a pin.

use super::frames::Frame;
use super::membership::Membership;
use kspipe::allocator::FrameHeader;
use kspipe::allocator::shared::{TrustedAcquirer, TrustedFrame, TrustedSender, Unready};
use rustix::event::epoll;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

/// Fills the frames that go out by a pin. Dropped, or with its process's death, the stream waits for another to go on with
/// it; [`end`](Self::end) ends it.
///
/// ```no_run
/// use kspipe_session::{Client, WriteError};
///
/// let mut writer = Client::connect("camera")?.pin("camera.out")?.writer()?;
/// loop {
///     let mut frame = match writer.acquire(None) {
///         Err(WriteError::Stopping) => break,
///         frame => frame?,
///     };
///     frame.bytes_mut().fill(0x80);
///     writer.send(frame)?;
/// }
/// writer.end();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A program with a loop of its own polls [`as_fd`](AsFd::as_fd), after [`arm`](Self::arm):
///
/// ```no_run
/// # use kspipe_session::{Client, WriteError};
/// # let mut writer = Client::connect("camera")?.pin("camera.out")?.writer()?;
/// # let wait = |_: std::os::fd::BorrowedFd<'_>| {};
/// # use std::os::fd::AsFd;
/// loop {
///     match writer.try_acquire() {
///         Ok(Some(mut frame)) => {
///             frame.bytes_mut().fill(0x80);
///             writer.send(frame)?;
///         }
///         Ok(None) if writer.arm() => wait(writer.as_fd()), // until it is readable
///         Ok(None) => {}
///         Err(WriteError::Stopping) => break,
///         Err(error) => return Err(error.into()),
///     }
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Writer {
    /// `None`: what goes out is what came in.
    acquirer: Option<TrustedAcquirer>,
    sender: TrustedSender,
    /// Bytes of a picture, where the graph says so.
    bytes: Option<u64>,
    sent: u64,
    /// The graph has begun.
    begun: bool,
    /// An epoll of all that is waited for: a free frame, the graph's begin, the word to stop, and the server's end.
    polled: OwnedFd,
    membership: Arc<Membership>,
}

/// Why no frame can be filled, or sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// The server asks sources to end.
    #[error("the server asks to end")]
    Stopping,
    /// No frame was free in time.
    #[error("no frame was free in time")]
    TimedOut,
    /// The server has ended, or has closed the graph.
    #[error("the server has ended")]
    ServerGone,
    /// The server has taken the pin away.
    #[error("the server has taken the pin away")]
    Shut,
    /// What goes out by the pin is what came in by another: there are no new frames.
    #[error("frames that go out by this pin came in by another; there are no new ones")]
    HandsOn,
    /// The frame did not come in by the pin whose frames go out here, or another process has it already.
    #[error("the frame cannot go out by this pin")]
    Foreign,
}

impl Writer {
    pub(super) fn new(
        acquirer: Option<TrustedAcquirer>,
        sender: TrustedSender,
        bytes: Option<u64>,
        membership: Arc<Membership>,
    ) -> io::Result<Self> {
        let polled = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        if let Some(acquirer) = &acquirer {
            watch(&polled, acquirer.event(), epoll::EventFlags::IN)?;
            if let Some(begins) = membership.begins() {
                watch(&polled, begins, epoll::EventFlags::IN)?;
            }
        }
        if let Some((stop, server)) = membership.ends() {
            watch(&polled, stop, epoll::EventFlags::IN)?;
            // Only a hang-up is news, which is always told.
            watch(&polled, server, epoll::EventFlags::empty())?;
        }
        Ok(Self { acquirer, sender, bytes, sent: 0, begun: false, polled, membership })
    }

    /// A free frame to fill; waits until the graph has begun, and for one, first come, first served, at most for the time given. Its header has the next
    /// number, and as many bytes of data as the graph's format has.
    ///
    /// # Errors
    /// See [`WriteError`]. Once the server asks to end there are no more.
    pub fn acquire(&mut self, timeout: Option<Duration>) -> Result<WritableFrame, WriteError> {
        self.acquire_by(timeout, |acquirer| acquirer.acquire(timeout))
    }

    /// As [`acquire`](Self::acquire), where the graph has begun and a frame is free. Never waits.
    ///
    /// # Errors
    /// There will be none: see [`WriteError`].
    pub fn try_acquire(&mut self) -> Result<Option<WritableFrame>, WriteError> {
        match self.acquire_by(Some(Duration::ZERO), TrustedAcquirer::try_acquire) {
            Ok(frame) => Ok(Some(frame)),
            Err(WriteError::TimedOut) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Asks for a free frame, and for the descriptor to become readable when it is there, or when the graph begins or ends,
    /// once. `false` where that need not be waited for: then [`try_acquire`](Self::try_acquire) has something to say. It may
    /// become readable and there be nothing: ask again then.
    ///
    /// The frame it is given is for this one, and for nobody else until it is acquired or this is dropped.
    pub fn arm(&mut self) -> bool {
        let (stopping, begun) = (self.membership.is_stopping(), self.has_begun(Some(Duration::ZERO)));
        match &mut self.acquirer {
            Some(_) if stopping => false,
            Some(acquirer) if begun => acquirer.arm(),
            // The begin is told. Who stood in line before it would keep a frame for itself.
            Some(_) => true,
            None => false,
        }
    }

    fn has_begun(&mut self, timeout: Option<Duration>) -> bool {
        if !self.begun && self.membership.wait_for_begin(timeout) {
            self.begun = true;
            if let Some(begins) = self.membership.begins() {
                // It stays readable. Where it is not watched there is nothing to be ended.
                let _ = epoll::delete(&self.polled, begins);
            }
        }
        self.begun
    }

    fn acquire_by(
        &mut self,
        timeout: Option<Duration>,
        acquire: impl FnOnce(&mut TrustedAcquirer) -> Result<TrustedFrame, Unready>,
    ) -> Result<WritableFrame, WriteError> {
        if !self.has_begun(timeout) {
            return Err(WriteError::TimedOut);
        }
        if self.membership.is_stopping() {
            return Err(WriteError::Stopping);
        }
        let acquirer = self.acquirer.as_mut().ok_or(WriteError::HandsOn)?;
        let mut frame = acquire(acquirer).map_err(|unready| match unready {
            Unready::PoolClosed | Unready::ServerGone => WriteError::ServerGone,
            Unready::Shut | Unready::Interrupted => WriteError::Shut,
            Unready::Empty | Unready::TimedOut | Unready::Ended | Unready::Nonsense => WriteError::TimedOut,
        })?;
        let length = frame.exclusive().map_or(0, |bytes| bytes.len() as u64);
        let data_used = self.bytes.map_or(length, |bytes| bytes.min(length));
        frame.set_header(FrameHeader { sequence: self.sent, data_used, ..FrameHeader::default() });
        Ok(WritableFrame { frame, membership: self.membership.clone() })
    }

    /// Sends a frame. Where nobody is there to take it, it goes back.
    ///
    /// # Errors
    /// [`WriteError::Foreign`]: then it goes back.
    pub fn send(&mut self, frame: WritableFrame) -> Result<(), WriteError> {
        let WritableFrame { frame, membership: _kept } = frame;
        self.sender.hand_over(frame).map_err(|_| WriteError::Foreign)?;
        self.sent = self.sent.saturating_add(1);
        Ok(())
    }

    /// Hands on a frame that came in by the pin whose frames go out here.
    ///
    /// # Errors
    /// [`WriteError::Foreign`]: then it goes back.
    pub fn hand_on(&mut self, frame: Frame) -> Result<(), WriteError> {
        let Frame { frame, .. } = frame;
        self.sender.hand_over(frame).map(drop).map_err(|_| WriteError::Foreign)
    }

    /// The server asks sources to end: nothing more can be acquired.
    pub fn is_stopping(&self) -> bool {
        self.membership.is_stopping()
    }

    /// Ends the stream: who takes its frames hears the end after the last.
    pub fn end(mut self) {
        self.sender.end_stream();
    }
}

fn watch(polled: &OwnedFd, what: BorrowedFd<'_>, flags: epoll::EventFlags) -> io::Result<()> {
    Ok(epoll::add(polled, what, epoll::EventData::new_u64(0), flags)?)
}

impl AsFd for Writer {
    /// Readable when there may be a frame, or an end, after [`arm`](Writer::arm).
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.polled.as_fd()
    }
}

/// A frame to fill. Dropped, it goes back unsent.
#[derive(Debug)]
pub struct WritableFrame {
    frame: TrustedFrame,
    /// Dropped after the frame.
    membership: Arc<Membership>,
}

impl WritableFrame {
    /// All its bytes. They are what the last who had the frame left there.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        // It was acquired, and nobody else has it.
        self.frame.exclusive().unwrap_or_default()
    }

    /// What travels with the frame.
    pub fn header(&self) -> FrameHeader {
        self.frame.header()
    }

    /// Sets what travels with the frame: its number, times, and how many bytes carry data.
    pub fn set_header(&mut self, header: FrameHeader) {
        self.frame.set_header(header);
    }
}
