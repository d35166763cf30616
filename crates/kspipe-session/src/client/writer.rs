//! Frames that go out by a pin.

use super::frames::{Frame, HeldFrame};
use super::mediated::{MediatedWritable, MediatedWriter};
use super::membership::Membership;
use crate::descriptor::above_standard_streams;
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
    way: Way,
    /// Bytes of a picture, where the graph says so.
    bytes: Option<u64>,
    sent: u64,
    /// The graph has begun.
    begun: bool,
    /// An epoll of all that is waited for: a free frame, the graph's begin, the word to stop, and the server's end.
    polled: OwnedFd,
    membership: Arc<Membership>,
}

#[derive(Debug)]
enum Way {
    Trusted {
        /// `None`: what goes out is what came in.
        acquirer: Option<TrustedAcquirer>,
        sender: TrustedSender,
    },
    Mediated(MediatedWriter),
}

/// How long a frame is waited for.
#[derive(Clone, Copy, Debug)]
enum Patience {
    None,
    /// So long; `None`: for ever.
    Until(Option<Duration>),
}

impl Way {
    /// A frame to fill, and how long it is.
    fn acquire(&mut self, patience: Patience) -> Result<(FilledFrame, usize), WriteError> {
        match self {
            Way::Trusted { acquirer, .. } => {
                let acquirer = acquirer.as_mut().ok_or(WriteError::HandsOn)?;
                let acquired = match patience {
                    Patience::None => acquirer.try_acquire(),
                    Patience::Until(timeout) => acquirer.acquire(timeout),
                };
                let mut frame = acquired.map_err(|unready| match unready {
                    Unready::PoolClosed | Unready::ServerGone => WriteError::ServerGone,
                    Unready::Shut | Unready::Interrupted => WriteError::Shut,
                    Unready::Empty | Unready::TimedOut | Unready::Ended | Unready::Nonsense => WriteError::TimedOut,
                })?;
                let length = frame.exclusive().map_or(0, |bytes| bytes.len());
                Ok((FilledFrame::Trusted(frame), length))
            }
            Way::Mediated(writer) if writer.hands_on() => Err(WriteError::HandsOn),
            Way::Mediated(writer) => {
                let frame = match patience {
                    Patience::None => writer.try_acquire()?.ok_or(WriteError::TimedOut)?,
                    Patience::Until(timeout) => writer.acquire(timeout)?,
                };
                let length = frame.bytes.len();
                Ok((FilledFrame::Mediated(frame, FrameHeader::default()), length))
            }
        }
    }
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
    /// This process is not trusted, and what it sends is not one whole picture of the graph's format.
    #[error("the server takes whole pictures only")]
    NotWhole,
    /// This process is not trusted, and has a frame to fill: the next comes when that was sent or dropped.
    #[error("one frame is being filled, and the server allows no more")]
    HoldsMost,
}

impl Writer {
    pub(super) fn new(
        acquirer: Option<TrustedAcquirer>,
        sender: TrustedSender,
        bytes: Option<u64>,
        membership: Arc<Membership>,
    ) -> io::Result<Self> {
        let free = acquirer.as_ref().map(TrustedAcquirer::event);
        let polled = polled(&membership, free)?;
        let way = Way::Trusted { acquirer, sender };
        Ok(Self { way, bytes, sent: 0, begun: false, polled, membership })
    }

    pub(super) fn mediated(
        writer: MediatedWriter,
        bytes: Option<u64>,
        membership: Arc<Membership>,
    ) -> io::Result<Self> {
        let polled = polled(&membership, (!writer.hands_on()).then(|| writer.as_fd()))?;
        Ok(Self { way: Way::Mediated(writer), bytes, sent: 0, begun: false, polled, membership })
    }

    /// A free frame to fill; waits until the graph has begun, and for one, first come, first served, at most for the time given. Its header has the next
    /// number, and as many bytes of data as the graph's format has.
    ///
    /// # Errors
    /// See [`WriteError`]. Once the server asks to end there are no more.
    pub fn acquire(&mut self, timeout: Option<Duration>) -> Result<WritableFrame, WriteError> {
        self.acquire_with(Patience::Until(timeout))
    }

    /// As [`acquire`](Self::acquire), where the graph has begun and a frame is free. Never waits.
    ///
    /// # Errors
    /// There will be none: see [`WriteError`].
    pub fn try_acquire(&mut self) -> Result<Option<WritableFrame>, WriteError> {
        match self.acquire_with(Patience::None) {
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
        match &mut self.way {
            _ if stopping => false,
            Way::Trusted { acquirer: None, .. } => false,
            Way::Mediated(writer) if writer.hands_on() => false,
            // The begin is told. Who stood in line before it would keep a frame for itself.
            _ if !begun => true,
            Way::Trusted { acquirer: Some(acquirer), .. } => acquirer.arm(),
            Way::Mediated(writer) => writer.is_awaited(),
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

    fn acquire_with(&mut self, patience: Patience) -> Result<WritableFrame, WriteError> {
        let timeout = match patience {
            Patience::None => Some(Duration::ZERO),
            Patience::Until(timeout) => timeout,
        };
        if !self.has_begun(timeout) {
            return Err(WriteError::TimedOut);
        }
        if self.membership.is_stopping() {
            return Err(WriteError::Stopping);
        }
        let (mut frame, length) = self.way.acquire(patience)?;
        let length = length as u64;
        let data_used = self.bytes.map_or(length, |bytes| bytes.min(length));
        frame.set_header(FrameHeader { sequence: self.sent, data_used, ..FrameHeader::default() });
        Ok(WritableFrame { frame, membership: self.membership.clone() })
    }

    /// Sends a frame. Where nobody is there to take it, it goes back.
    ///
    /// # Errors
    /// [`WriteError::Foreign`]: then it goes back. Where the process is mediated, what the server says.
    pub fn send(&mut self, frame: WritableFrame) -> Result<(), WriteError> {
        let WritableFrame { frame, membership: _kept } = frame;
        match (&mut self.way, frame) {
            (Way::Trusted { sender, .. }, FilledFrame::Trusted(frame)) => {
                sender.hand_over(frame).map_err(|_| WriteError::Foreign)?;
            }
            (Way::Mediated(writer), FilledFrame::Mediated(frame, header)) => writer.send(frame, &header)?,
            _ => return Err(WriteError::Foreign),
        }
        self.sent = self.sent.saturating_add(1);
        Ok(())
    }

    /// Hands on a frame that came in by the pin whose frames go out here.
    ///
    /// # Errors
    /// [`WriteError::Foreign`]: then it goes back. Where the process is mediated, what the server says.
    pub fn hand_on(&mut self, frame: Frame) -> Result<(), WriteError> {
        let Frame { frame, membership } = frame;
        // A number of a frame says nothing elsewhere.
        let is_here = Arc::ptr_eq(&membership, &self.membership);
        match (&mut self.way, frame) {
            (Way::Trusted { sender, .. }, HeldFrame::Trusted(frame)) => {
                sender.hand_over(frame).map(drop).map_err(|_| WriteError::Foreign)
            }
            (Way::Mediated(writer), HeldFrame::Mediated(frame)) if is_here => writer.hand_on(frame),
            _ => Err(WriteError::Foreign),
        }
    }

    /// The server asks sources to end: nothing more can be acquired.
    pub fn is_stopping(&self) -> bool {
        self.membership.is_stopping()
    }

    /// Ends the stream: who takes its frames hears the end after the last.
    pub fn end(mut self) {
        match &mut self.way {
            Way::Trusted { sender, .. } => sender.end_stream(),
            Way::Mediated(writer) => writer.end(),
        }
    }
}

/// An epoll of what is waited for: a free frame, where there are any, and the graph's begin before; the word to stop, and the
/// server's end.
fn polled(membership: &Membership, free: Option<BorrowedFd<'_>>) -> io::Result<OwnedFd> {
    let polled = above_standard_streams(epoll::create(epoll::CreateFlags::CLOEXEC)?)?;
    if let Some(free) = free {
        watch(&polled, free, epoll::EventFlags::IN)?;
        if let Some(begins) = membership.begins() {
            watch(&polled, begins, epoll::EventFlags::IN)?;
        }
    }
    if let Some((stop, server)) = membership.ends() {
        watch(&polled, stop, epoll::EventFlags::IN)?;
        // Only a hang-up is news, which is always told.
        watch(&polled, server, epoll::EventFlags::empty())?;
    }
    Ok(polled)
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
    frame: FilledFrame,
    /// Dropped after the frame.
    membership: Arc<Membership>,
}

/// How this process has a frame to fill.
#[derive(Debug)]
enum FilledFrame {
    Trusted(TrustedFrame),
    Mediated(MediatedWritable, FrameHeader),
}

impl FilledFrame {
    fn set_header(&mut self, header: FrameHeader) {
        match self {
            Self::Trusted(frame) => frame.set_header(header),
            Self::Mediated(_, own) => *own = header,
        }
    }
}

impl WritableFrame {
    /// All its bytes. They are what the last who had the frame left there; of a mediated process, what it wrote last, and sent
    /// are those that the header says carry data.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        match &mut self.frame {
            // It was acquired, and nobody else has it.
            FilledFrame::Trusted(frame) => frame.exclusive().unwrap_or_default(),
            FilledFrame::Mediated(frame, _) => &mut frame.bytes,
        }
    }

    /// What travels with the frame.
    pub fn header(&self) -> FrameHeader {
        match &self.frame {
            FilledFrame::Trusted(frame) => frame.header(),
            FilledFrame::Mediated(_, header) => *header,
        }
    }

    /// Sets what travels with the frame: its number, times, and how many bytes carry data.
    pub fn set_header(&mut self, header: FrameHeader) {
        self.frame.set_header(header);
    }
}
