//! Frames that come in by a pin.

use super::mediated::{MediatedFrame, MediatedReceiver};
use super::membership::Membership;
use kspipe::allocator::FrameHeader;
use kspipe::allocator::shared::{TrustedFrame, TrustedReceiver, Unready};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::Duration;

/// The frames that come in by a pin, in the order they were sent. The iterator waits for each, and ends with the stream.
/// Dropped, the pin takes nothing more.
///
/// A program with a loop of its own polls [`as_fd`](AsFd::as_fd), after [`arm`](Self::arm):
///
/// ```no_run
/// # use kspipe_session::{Client, StreamError};
/// # let mut frames = Client::connect("camera")?.pin("recorder.in")?.frames()?;
/// # let wait = |_: std::os::fd::BorrowedFd<'_>| {};
/// # use std::os::fd::AsFd;
/// loop {
///     match frames.try_next() {
///         Ok(Some(frame)) => println!("{}", frame.header().sequence),
///         Ok(None) if frames.arm() => wait(frames.as_fd()), // until it is readable
///         Ok(None) => {}
///         Err(StreamError::Ended) => break,
///         Err(error) => return Err(error.into()),
///     }
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Frames {
    receiver: FrameReceiver,
    /// Nothing more comes.
    over: bool,
    membership: Arc<Membership>,
}

#[derive(Debug)]
enum FrameReceiver {
    /// `None`: dropped.
    Trusted(Option<TrustedReceiver>),
    Mediated(MediatedReceiver),
}

/// Why there is no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StreamError {
    /// The stream has ended, and all of it was taken.
    #[error("the stream has ended")]
    Ended,
    /// None came in time.
    #[error("no frame came in time")]
    TimedOut,
    /// The server has ended, or has closed the graph.
    #[error("the server has ended")]
    ServerGone,
    /// The server has taken the pin away.
    #[error("the server has taken the pin away")]
    Shut,
    /// What was sent is no frame of the pool: its sender breaks the rules. The next may be good.
    #[error("what was sent is no frame")]
    Nonsense,
    /// This process is not trusted, and keeps as many frames as its pin holds: the next comes when one is dropped. Who waits
    /// for a frame waits for that, too.
    #[error("as many frames are kept as the pin holds, which the server allows")]
    HoldsMost,
}

impl StreamError {
    fn of(unready: Unready) -> Self {
        match unready {
            Unready::Ended => Self::Ended,
            Unready::Empty | Unready::TimedOut => Self::TimedOut,
            Unready::PoolClosed | Unready::ServerGone => Self::ServerGone,
            Unready::Shut | Unready::Interrupted => Self::Shut,
            Unready::Nonsense => Self::Nonsense,
        }
    }
}

impl Frames {
    pub(super) fn new(receiver: TrustedReceiver, membership: Arc<Membership>) -> Self {
        Self { receiver: FrameReceiver::Trusted(Some(receiver)), over: false, membership }
    }

    pub(super) fn mediated(receiver: MediatedReceiver, membership: Arc<Membership>) -> Self {
        Self { receiver: FrameReceiver::Mediated(receiver), over: false, membership }
    }

    fn frame(&self, frame: HeldFrame) -> Frame {
        Frame { frame, membership: self.membership.clone() }
    }

    /// The next frame. Waits for it, at most for the time given, where it shall.
    fn receive(&mut self, wait: Option<Option<Duration>>) -> Result<Option<Frame>, StreamError> {
        let frame = match (&mut self.receiver, wait) {
            (FrameReceiver::Trusted(None), _) => return Err(StreamError::Ended),
            (FrameReceiver::Trusted(Some(receiver)), wait) => {
                let received = match wait {
                    None => receiver.try_receive(),
                    Some(timeout) => receiver.receive(timeout),
                };
                match received {
                    Ok(frame) => HeldFrame::Trusted(frame),
                    Err(Unready::Empty) => return Ok(None),
                    Err(unready) => return Err(StreamError::of(unready)),
                }
            }
            (FrameReceiver::Mediated(receiver), None) => match receiver.try_next()? {
                Some(frame) => HeldFrame::Mediated(frame),
                None => return Ok(None),
            },
            (FrameReceiver::Mediated(receiver), Some(timeout)) => HeldFrame::Mediated(receiver.next(timeout)?),
        };
        Ok(Some(self.frame(frame)))
    }

    /// The next frame, if it is there. Never waits, and makes no system call; where the process is mediated it asks the
    /// server.
    ///
    /// # Errors
    /// There will be none, or what came is none.
    pub fn try_next(&mut self) -> Result<Option<Frame>, StreamError> {
        self.receive(None)
    }

    /// Waits for the next frame, at most so long.
    ///
    /// # Errors
    /// None came in time, there will be none, or what came is none.
    pub fn next_within(&mut self, timeout: Duration) -> Result<Frame, StreamError> {
        self.receive(Some(Some(timeout)))?.ok_or(StreamError::TimedOut)
    }

    /// Asks for the descriptor to become readable when something comes, once. `false` where that need not be waited for:
    /// then [`try_next`](Self::try_next) has something to say.
    pub fn arm(&mut self) -> bool {
        match &mut self.receiver {
            FrameReceiver::Trusted(receiver) => receiver.as_mut().is_some_and(TrustedReceiver::arm),
            FrameReceiver::Mediated(receiver) => receiver.arm(),
        }
    }

    /// The server asks sources to end; what is on its way still comes, and then the end.
    pub fn is_stopping(&self) -> bool {
        self.membership.is_stopping()
    }
}

impl Iterator for Frames {
    type Item = Result<Frame, StreamError>;

    /// Waits for the next frame. `None` at the stream's end, and after any error but [`StreamError::Nonsense`].
    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        match self.receive(Some(None)) {
            Ok(frame) => frame.map(Ok),
            Err(StreamError::Nonsense) => Some(Err(StreamError::Nonsense)),
            Err(error) => {
                self.over = true;
                (error != StreamError::Ended).then_some(Err(error))
            }
        }
    }
}

impl AsFd for Frames {
    /// Readable when something came after [`arm`](Frames::arm).
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.receiver {
            // There until it is dropped.
            FrameReceiver::Trusted(receiver) => receiver.as_ref().expect("it is not dropped").event(),
            FrameReceiver::Mediated(receiver) => receiver.as_fd(),
        }
    }
}

impl Drop for Frames {
    fn drop(&mut self) {
        if let FrameReceiver::Trusted(receiver) = &mut self.receiver
            && let Some(receiver) = receiver.take()
        {
            receiver.leave();
        }
    }
}

/// A frame that came in by a pin. Dropping it gives it back, from any thread, also after the server has ended.
#[derive(Debug)]
pub struct Frame {
    pub(super) frame: HeldFrame,
    /// Dropped after the frame: who has a frame has not left.
    pub(super) membership: Arc<Membership>,
}

/// How this process has a frame.
#[derive(Debug)]
pub(super) enum HeldFrame {
    /// By a claim of its own.
    Trusted(TrustedFrame),
    /// The server has it for this process.
    Mediated(MediatedFrame),
}

impl Frame {
    /// The bytes that carry data. Of a trusted process they are the frame itself. Of a mediated one they are copied out of it,
    /// once: the server may take the frame back ([`hold_deadline`](crate::ServerOptions::hold_deadline)), and where it did so
    /// before or in that, they are another frame's.
    pub fn data(&self) -> &[u8] {
        match &self.frame {
            HeldFrame::Trusted(frame) => frame.data(),
            HeldFrame::Mediated(frame) => frame.data(),
        }
    }

    /// Copies data out, from an offset on: as much as there is and fits. Returns how many bytes. For who wants little of it,
    /// or has a place for it: a mediated process copies no more than that.
    pub fn copy_to(&self, offset: usize, to: &mut [u8]) -> usize {
        match &self.frame {
            HeldFrame::Trusted(frame) => {
                let data = frame.data().get(offset..).unwrap_or_default();
                let count = data.len().min(to.len());
                to[..count].copy_from_slice(&data[..count]);
                count
            }
            HeldFrame::Mediated(frame) => frame.copy_to(offset, to),
        }
    }

    /// What travels with the frame.
    pub fn header(&self) -> FrameHeader {
        match &self.frame {
            HeldFrame::Trusted(frame) => frame.header(),
            HeldFrame::Mediated(frame) => frame.header(),
        }
    }

    /// Sets what travels on with the frame where it is [handed on](super::Writer::hand_on).
    pub fn set_header(&mut self, header: FrameHeader) {
        match &mut self.frame {
            HeldFrame::Trusted(frame) => frame.set_header(header),
            HeldFrame::Mediated(frame) => frame.set_header(header),
        }
    }

    /// All bytes of the frame, to change it in place; `None` where others have it too, where this filter only reads, or where
    /// the process is mediated.
    pub fn exclusive(&mut self) -> Option<&mut [u8]> {
        match &mut self.frame {
            HeldFrame::Trusted(frame) => frame.exclusive(),
            HeldFrame::Mediated(_) => None,
        }
    }
}
