//! Frames that come in by a pin.

use super::membership::Membership;
use kspipe::allocator::FrameHeader;
use kspipe::allocator::shared::{TrustedFrame, TrustedReceiver, Unready};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
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
    /// `None`: dropped.
    receiver: Option<TrustedReceiver>,
    /// Nothing more comes.
    over: bool,
    membership: Arc<Membership>,
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
        Self { receiver: Some(receiver), over: false, membership }
    }

    fn frame(&self, frame: TrustedFrame) -> Frame {
        Frame { frame, membership: self.membership.clone() }
    }

    fn receive(
        &mut self,
        take: impl FnOnce(&mut TrustedReceiver) -> Result<TrustedFrame, Unready>,
    ) -> Result<Option<Frame>, StreamError> {
        let Some(receiver) = &mut self.receiver else { return Err(StreamError::Ended) };
        match take(receiver) {
            Ok(frame) => Ok(Some(self.frame(frame))),
            Err(Unready::Empty) => Ok(None),
            Err(unready) => Err(StreamError::of(unready)),
        }
    }

    /// The next frame, if it is there. Never waits, and makes no system call.
    ///
    /// # Errors
    /// There will be none, or what came is none.
    pub fn try_next(&mut self) -> Result<Option<Frame>, StreamError> {
        self.receive(TrustedReceiver::try_receive)
    }

    /// Waits for the next frame, at most so long.
    ///
    /// # Errors
    /// None came in time, there will be none, or what came is none.
    pub fn next_within(&mut self, timeout: Duration) -> Result<Frame, StreamError> {
        self.receive(|receiver| receiver.receive(Some(timeout)))?.ok_or(StreamError::TimedOut)
    }

    /// Asks for the descriptor to become readable when something comes, once. `false` where that need not be waited for:
    /// then [`try_next`](Self::try_next) has something to say.
    pub fn arm(&mut self) -> bool {
        self.receiver.as_mut().is_some_and(TrustedReceiver::arm)
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
        match self.receive(|receiver| receiver.receive(None)) {
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
        // There until it is dropped.
        self.receiver.as_ref().expect("it is not dropped").event()
    }
}

impl AsRawFd for Frames {
    /// The same, for tokio's `AsyncFd`: `examples/async_viewer.rs`.
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}

impl Drop for Frames {
    fn drop(&mut self) {
        if let Some(receiver) = self.receiver.take() {
            receiver.leave();
        }
    }
}

/// A frame that came in by a pin. Dropping it gives it back, from any thread, also after the server has ended.
#[derive(Debug)]
pub struct Frame {
    pub(super) frame: TrustedFrame,
    /// Dropped after the frame: who has a frame has not left.
    #[expect(dead_code, reason = "held for its drop")]
    membership: Arc<Membership>,
}

impl Frame {
    /// The bytes that carry data.
    pub fn data(&self) -> &[u8] {
        self.frame.data()
    }

    /// What travels with the frame.
    pub fn header(&self) -> FrameHeader {
        self.frame.header()
    }

    /// Sets what travels on with the frame where it is [handed on](super::Writer::hand_on).
    pub fn set_header(&mut self, header: FrameHeader) {
        self.frame.set_header(header);
    }

    /// All bytes of the frame, to change it in place; `None` where others have it too, or where this filter only reads.
    pub fn exclusive(&mut self) -> Option<&mut [u8]> {
        self.frame.exclusive()
    }
}
