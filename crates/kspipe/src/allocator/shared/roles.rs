//! What a process does as a holder: it acquires frames, hands them over, and takes what it is sent.

use super::super::header::FrameHeader;
use super::frame::{Claim, Held, ReceivedFrame, WritableFrame};
use super::handover::{Arrived, Giving, Nonsense, Own, Taking, Unreceived, Unsent};
use super::participant::Role;
use super::waiting::{Acquiring, Unavailable};
use super::word::Holder;
use std::fmt;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

/// Why there is no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Unready {
    /// None is free, or others wait for one; or none has arrived.
    #[error("no frame is ready")]
    Empty,
    /// None came in time.
    #[error("no frame came in time")]
    TimedOut,
    /// This process was told to stop waiting: [`Participant::interrupt`](super::Participant::interrupt).
    #[error("the wait was interrupted")]
    Interrupted,
    /// The stream has ended, and all that was sent was taken.
    #[error("the stream has ended")]
    Ended,
    /// The server has shut this holder.
    #[error("the server has shut this holder")]
    Shut,
    /// The server has closed the pool.
    #[error("the pool is closed")]
    PoolClosed,
    /// The server has ended.
    #[error("the server has ended")]
    ServerGone,
    /// What was pushed is no frame of this pool, or not this holder's: its sender breaks the rules. It was passed over, and
    /// the next may be good.
    #[error("a frame that this holder does not hold was pushed to it")]
    Nonsense,
}

/// Why a frame was not handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum UnsentReason {
    /// It is another pool's, or another holder's.
    #[error("the frame is not one of this sender's")]
    Foreign,
    /// The holder has no claim on it any more: the server ended it.
    #[error("the server has ended this holder's claim on the frame")]
    NotHeld,
    /// This in pin holds it already, and can hold it once.
    #[error("{0} holds the frame already")]
    HeldAlready(Holder),
}

/// A frame that was not handed over, and why. Nothing has changed.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub struct UnsentFrame<F: fmt::Debug> {
    /// The frame.
    pub frame: F,
    /// Why.
    pub reason: UnsentReason,
}

/// Takes free frames, to be filled.
#[derive(Debug)]
pub struct Acquirer {
    acquiring: Acquiring,
    role: Role,
}

impl Acquirer {
    pub(super) fn new(acquiring: Acquiring, role: Role) -> Self {
        Acquirer { acquiring, role }
    }

    /// Which holder this is.
    pub fn holder(&self) -> Holder {
        self.role.holder
    }

    /// A free frame. Never blocks, and makes no system call.
    ///
    /// # Errors
    /// None is free (there is none free while others wait), or the pool, this holder or the server is gone.
    #[inline]
    pub fn try_acquire(&mut self) -> Result<WritableFrame, Unready> {
        self.try_acquire_index().map(|frame| self.frame(frame))
    }

    /// A free frame; waits for one, first come, first served, at most for the time given.
    ///
    /// # Errors
    /// None came home in time, or the pool, this holder or the server is gone.
    #[inline]
    pub fn acquire(&mut self, timeout: Option<Duration>) -> Result<WritableFrame, Unready> {
        self.acquire_index(timeout).map(|frame| self.frame(frame))
    }

    /// As [`try_acquire`](Self::try_acquire), for who counts the claim itself.
    #[inline]
    pub(super) fn try_acquire_index(&mut self) -> Result<u32, Unready> {
        if self.role.shared.is_gone() {
            return Err(Unready::ServerGone);
        }
        self.acquiring.try_acquire().map_err(|none| self.unready(none))
    }

    /// As [`acquire`](Self::acquire), for who counts the claim itself.
    #[inline]
    pub(super) fn acquire_index(&mut self, timeout: Option<Duration>) -> Result<u32, Unready> {
        let shared = &self.role.shared;
        if shared.is_gone() {
            return Err(Unready::ServerGone);
        }
        self.acquiring.acquire(timeout, || shared.is_over()).map_err(|none| self.unready(none))
    }

    /// The descriptor for `poll`, `epoll` or an `AsyncFd`: readable when there may be a free frame after [`arm`](Self::arm).
    pub fn event(&self) -> BorrowedFd<'_> {
        self.role.shared.control.event(self.role.holder)
    }

    /// Asks for a free frame and for the [event](Self::event) when it is there, as one that waits: first come, first served.
    /// `false` where it need not be waited for: call [`try_acquire`](Self::try_acquire) again.
    ///
    /// The frame that this one is then given is its own whether it comes for it or not, and is not for others until it is
    /// acquired and dropped, or this is dropped. An [`acquire`](Self::acquire) goes on in the same place in the line; where it
    /// ends without a frame the place is lost.
    ///
    /// ```text
    /// loop {
    ///     match acquirer.try_acquire() {
    ///         Err(Unready::Empty) if acquirer.arm() => wait until acquirer.event() is readable,
    ///         Err(Unready::Empty) => {}
    ///         outcome => return outcome,
    ///     }
    /// }
    /// ```
    pub fn arm(&mut self) -> bool {
        // What it said before is over. It does not block; where it is not readable there is nothing to take away.
        let _ = rustix::io::read(self.event(), &mut [0; 8]);
        let shared = &self.role.shared;
        self.acquiring.arm(|| shared.is_over())
    }

    #[inline]
    fn frame(&self, frame: u32) -> WritableFrame {
        WritableFrame::new(Claim::new(self.role.shared.clone(), frame, self.role.holder))
    }

    #[inline]
    fn unready(&self, none: Unavailable) -> Unready {
        let shared = &self.role.shared;
        match none {
            // One that polls would wait no longer, and ask for ever.
            Unavailable::Empty if shared.is_over() => shared.stopped(),
            Unavailable::Empty => Unready::Empty,
            Unavailable::TimedOut => Unready::TimedOut,
            Unavailable::Stopped => shared.stopped(),
        }
    }
}

/// Hands frames on to the in pins that the pool's properties name. It is the only one that does.
#[derive(Debug)]
pub struct Sender {
    giving: Giving,
    role: Role,
}

impl Sender {
    pub(super) fn new(giving: Giving, role: Role) -> Self {
        Sender { giving, role }
    }

    /// Whose frames it hands on.
    pub fn holder(&self) -> Holder {
        self.role.holder
    }

    /// Hands a frame to every in pin that is admitted now; with none it goes home. The header goes with it. No system call
    /// while the receivers are awake.
    ///
    /// # Errors
    /// The frame, where it is not one of this sender's, or a receiver has it.
    #[inline]
    pub fn hand_over<F: Held + fmt::Debug>(&mut self, frame: F) -> Result<(), UnsentFrame<F>> {
        if !frame.claim().is_of(&self.role.shared, self.role.holder) {
            return Err(UnsentFrame { frame, reason: UnsentReason::Foreign });
        }
        match self.giving.hand_over(frame.claim().frame(), frame.travels_with(), Own::Ends) {
            Ok(_) => {
                frame.into_claim().pass_on();
                Ok(())
            }
            Err(Unsent::NotHeld) => Err(UnsentFrame { frame, reason: UnsentReason::NotHeld }),
            Err(Unsent::HeldAlready(by)) => Err(UnsentFrame { frame, reason: UnsentReason::HeldAlready(by) }),
        }
    }

    /// Says that the stream ends: who is sent frames by this gets [`Unready::Ended`] after the last. A sender that is just
    /// dropped, or whose process dies, does not end it.
    pub fn end_stream(&mut self) {
        self.giving.end_stream();
    }

    /// Nobody will come to any of the in pins again: see [`SharedPool::give_up`](super::SharedPool::give_up).
    pub fn is_given_up(&self) -> bool {
        self.giving.is_given_up()
    }

    /// Hands on a frame of the pool that the holder has, as far as this process knows. Returns to how many.
    #[inline]
    pub(super) fn hand_on(&mut self, frame: u32, header: &FrameHeader, own: Own) -> Result<u32, Unsent> {
        self.giving.hand_over(frame, header, own)
    }
}

/// Takes the frames an in pin is sent, in the order they were sent.
#[derive(Debug)]
pub struct Receiver {
    taking: Taking,
    role: Role,
}

impl Receiver {
    pub(super) fn new(taking: Taking, role: Role) -> Self {
        Receiver { taking, role }
    }

    /// Which in pin this is.
    pub fn holder(&self) -> Holder {
        self.role.holder
    }

    /// The next frame. Never blocks, and makes no system call.
    ///
    /// # Errors
    /// None has arrived, or none will: then only once nothing is left.
    #[inline]
    pub fn try_receive(&mut self) -> Result<ReceivedFrame, Unready> {
        self.try_receive_index().map(|arrived| self.frame(arrived))
    }

    /// As [`try_receive`](Self::try_receive), for who counts the claim itself.
    #[inline]
    pub(super) fn try_receive_index(&mut self) -> Result<Arrived, Unready> {
        match self.taking.take() {
            Ok(Some(arrived)) => Ok(arrived),
            Ok(None) if self.taking.has_ended() => Err(Unready::Ended),
            Ok(None) if self.taking.is_closed() || self.role.shared.is_over() => Err(self.role.shared.stopped()),
            Ok(None) => Err(Unready::Empty),
            Err(Nonsense) => Err(self.nonsense()),
        }
    }

    /// The next frame; waits for one, at most for the time given.
    ///
    /// # Errors
    /// None arrived in time, or none will: then only once nothing is left.
    #[inline]
    pub fn receive(&mut self, timeout: Option<Duration>) -> Result<ReceivedFrame, Unready> {
        self.receive_index(timeout).map(|arrived| self.frame(arrived))
    }

    /// As [`receive`](Self::receive), for who counts the claim itself.
    #[inline]
    pub(super) fn receive_index(&mut self, timeout: Option<Duration>) -> Result<Arrived, Unready> {
        let shared = &self.role.shared;
        match self.taking.wait(timeout, || shared.is_over()) {
            Ok(arrived) => Ok(arrived),
            Err(Unreceived::TimedOut) => Err(Unready::TimedOut),
            Err(Unreceived::Stopped) => Err(shared.stopped()),
            Err(Unreceived::Ended) => Err(Unready::Ended),
            Err(Unreceived::Nonsense) => Err(self.nonsense()),
        }
    }

    #[inline]
    fn frame(&self, arrived: Arrived) -> ReceivedFrame {
        let claim = Claim::new(self.role.shared.clone(), arrived.frame, self.role.holder);
        ReceivedFrame::new(claim, arrived.header)
    }

    /// A shut holder's claims may have been ended under it.
    fn nonsense(&self) -> Unready {
        if self.taking.is_closed() { self.role.shared.stopped() } else { Unready::Nonsense }
    }

    /// See [`TrustedReceiver::leave`](super::TrustedReceiver::leave).
    pub(super) fn leave(&mut self) {
        // A hand-over takes less than a microsecond, but its sender may have been scheduled away in it.
        const PATIENCE: Duration = Duration::from_millis(10);
        let shared = &self.role.shared;
        shared.control.leave(self.role.holder);
        let start = Instant::now();
        loop {
            // Looked at first: what was pushed before it is there to be taken.
            let over = !self.taking.is_being_sent() || start.elapsed() > PATIENCE;
            loop {
                match self.taking.take() {
                    Ok(Some(arrived)) => {
                        shared.control.give_back(arrived.frame, self.role.holder);
                    }
                    Ok(None) => break,
                    Err(Nonsense) => {}
                }
            }
            if over {
                return;
            }
            std::thread::yield_now();
        }
    }

    /// The descriptor for `poll`, `epoll` or an `AsyncFd`: readable when something arrived after [`arm`](Self::arm).
    pub fn event(&self) -> BorrowedFd<'_> {
        self.role.shared.control.event(self.role.holder)
    }

    /// Asks for the [event](Self::event), once. `false` where it need not be waited for: call
    /// [`try_receive`](Self::try_receive) again.
    ///
    /// ```text
    /// loop {
    ///     match receiver.try_receive() {
    ///         Err(Unready::Empty) if receiver.arm() => wait until receiver.event() is readable,
    ///         Err(Unready::Empty) => {}
    ///         outcome => return outcome,
    ///     }
    /// }
    /// ```
    pub fn arm(&mut self) -> bool {
        // What it said before is over. It does not block; where it is not readable there is nothing to take away.
        let _ = rustix::io::read(self.event(), &mut [0; 8]);
        let shared = &self.role.shared;
        self.taking.arm(|| shared.is_over())
    }
}
