//! What a process that takes part in a shared pool does: it acquires frames, hands them over, and takes what it is sent.

use super::bell::ASLEEP;
use super::control::{Control, POOL_CLOSED, bytes_of};
use super::files::{self, DescriptorError};
use super::frame::{Claim, Held, ReceivedFrame, WritableFrame};
use super::handover::{CLOSED, Giving, Nonsense, Own, Taking, Unreceived, Unsent};
use super::layout::HEADER_WORDS;
use super::properties::SharedPoolProperties;
use super::region::{Events, Region};
use super::view::{Access, FrameMemory, MapError};
use super::waiting::{Acquiring, Unavailable};
use super::word::Holder;
use crate::allocator::{CommitError, FrameHeader};
use std::fmt;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The descriptors of a shared pool, as its server gives them to those it trusts. They travel once, at set-up.
#[derive(Debug)]
pub struct Descriptors {
    /// The control memory.
    pub control: OwnedFd,
    /// For each in pin, by its place, the eventfd that becomes readable when something arrives, where it asked for that.
    pub events: Vec<OwnedFd>,
    /// The frames' memory: one file, or one for each frame where they are isolated.
    pub frames: Vec<OwnedFd>,
}

/// Why a process cannot take part.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The control memory's descriptor.
    #[error("the control memory: {0}")]
    Control(DescriptorError),
    /// The control memory cannot be written.
    #[error("the control memory cannot be mapped to be written")]
    ControlReadOnly,
    /// A word of the header that is not one of a pool of this version.
    #[error("word {place} of the control memory is {value:#x}: not a pool of layout version 1")]
    Header {
        /// Which, from 0.
        place: usize,
        /// What it says.
        value: u64,
    },
    /// An event's descriptor.
    #[error("the event of in pin {in_pin}: {error}")]
    Event {
        /// The in pin's place.
        in_pin: usize,
        /// What is wrong.
        error: DescriptorError,
    },
    /// Not as many events as in pins.
    #[error("{expected} events were expected, and there are {found}")]
    Events {
        /// How many there should be.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// The frames' memory.
    #[error(transparent)]
    Frames(#[from] MapError),
    /// The system gives no memory.
    #[error(transparent)]
    Memory(#[from] CommitError),
}

/// Why a process cannot act as a holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RoleError {
    /// There is no such holder in this pool, or it is of the other kind.
    #[error("the pool has no such {0} for this")]
    NoSuchHolder(Holder),
    /// This process has it already.
    #[error("{0} is in use in this process")]
    InUse(Holder),
    /// The server has not admitted it, or has shut it.
    #[error("{0} is not admitted")]
    NotAdmitted(Holder),
    /// The frames are mapped to be read only, and nothing can be acquired.
    #[error("the frames are mapped to be read only")]
    ReadOnly,
}

/// Why there is no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Unready {
    /// None is free, or others wait for one; or none has arrived.
    #[error("no frame is ready")]
    Empty,
    /// None came in time.
    #[error("no frame came in time")]
    TimedOut,
    /// This process was told to stop waiting: [`Participant::interrupt`].
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

/// Which roles of this process are taken, as bits of holders.
#[derive(Debug, Default)]
struct Roles {
    acquirers: AtomicU64,
    /// By in pin that is sent to.
    senders: AtomicU64,
    receivers: AtomicU64,
}

/// A pool as one process has it.
pub(super) struct Shared {
    pub(super) control: Arc<Control>,
    pub(super) memory: FrameMemory,
    pub(super) properties: SharedPoolProperties,
    gone: AtomicBool,
    interrupted: AtomicBool,
    roles: Roles,
}

impl Shared {
    pub(super) fn new(control: Control, memory: FrameMemory, properties: SharedPoolProperties) -> Arc<Self> {
        let (gone, interrupted) = (AtomicBool::new(false), AtomicBool::new(false));
        Arc::new(Shared { control: Arc::new(control), memory, properties, gone, interrupted, roles: Roles::default() })
    }

    /// Sequentially consistent, as every look between saying that one sleeps and sleeping.
    #[inline]
    fn is_gone(&self) -> bool {
        self.gone.load(Ordering::SeqCst)
    }

    /// Nothing is waited for any more. Sequentially consistent, as `is_gone`.
    #[inline]
    fn is_over(&self) -> bool {
        self.is_gone() || self.interrupted.load(Ordering::SeqCst)
    }

    fn stopped(&self) -> Unready {
        if self.is_gone() {
            Unready::ServerGone
        } else if self.interrupted.load(Ordering::SeqCst) {
            Unready::Interrupted
        } else if self.control.state().load(Ordering::SeqCst) & POOL_CLOSED != 0 {
            Unready::PoolClosed
        } else {
            Unready::Shut
        }
    }
}

/// A process that takes part in a shared pool. Clones are the same.
///
/// A child of a fork must not use what its parent opened: it does not have the control memory. It opens the pool itself.
#[derive(Clone)]
pub struct Participant {
    pub(super) shared: Arc<Shared>,
}

impl fmt::Debug for Participant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Participant").field("properties", &self.shared.properties).finish_non_exhaustive()
    }
}

impl Participant {
    /// Takes part in the pool behind these descriptors, with the frames mapped like this. Nothing in them can make this
    /// process fault: they are examined first, and what was examined is sealed.
    ///
    /// # Errors
    /// What is wrong with which of them.
    pub fn open(descriptors: Descriptors, access: Access) -> Result<Self, OpenError> {
        let Descriptors { control, events, frames } = descriptors;
        let (length, writable) = files::examine(&control).map_err(OpenError::Control)?;
        if !writable {
            return Err(OpenError::ControlReadOnly);
        }
        let expected = bytes_of(HEADER_WORDS);
        if length < expected {
            return Err(OpenError::Control(DescriptorError::Length { expected, found: length }));
        }
        let control = Arc::new(control);
        let header = Region::over(files::map_control(control.clone(), expected)?);
        let mut words = [0; HEADER_WORDS];
        for (place, word) in words.iter_mut().enumerate() {
            *word = header.at(place).load(Ordering::Relaxed);
        }
        let properties = SharedPoolProperties::read(&words)
            .map_err(|bad| OpenError::Header { place: bad.place, value: bad.value })?;
        let bytes = bytes_of(properties.dimensions().words());
        files::examine_length(&control, bytes).map_err(OpenError::Control)?;
        let expected = properties.senders.len();
        if events.len() != expected {
            return Err(OpenError::Events { expected, found: events.len() });
        }
        for (in_pin, event) in events.iter().enumerate() {
            files::examine_event(event).map_err(|error| OpenError::Event { in_pin, error })?;
        }
        let memory = FrameMemory::open(frames, &properties, access)?;
        let region = Region::over(files::map_control(control, bytes)?);
        let control = Control::over(region, properties.dimensions(), Events(events.into()));
        Ok(Participant { shared: Shared::new(control, memory, properties) })
    }

    /// What the pool is.
    pub fn properties(&self) -> &SharedPoolProperties {
        &self.shared.properties
    }

    /// The role of an acquirer, once in this process at a time.
    ///
    /// # Errors
    /// See [`RoleError`].
    pub fn acquirer(&self, holder: Holder) -> Result<Acquirer, RoleError> {
        if holder.is_in_pin() {
            return Err(RoleError::NoSuchHolder(holder));
        }
        if self.shared.memory.access() != Access::Write {
            return Err(RoleError::ReadOnly);
        }
        let role = Role::take(&self.shared, holder, holder.bit(), |roles| &roles.acquirers)?;
        Ok(Acquirer { acquiring: Acquiring::new(self.shared.control.clone(), holder), role })
    }

    /// The role of who hands on what a holder has: what an acquirer acquired, or what came to an in pin.
    ///
    /// # Errors
    /// See [`RoleError`].
    pub fn sender(&self, holder: Holder) -> Result<Sender, RoleError> {
        let to: Vec<Holder> = self.shared.properties.receivers_of(holder).collect();
        self.sender_to(holder, &to)
    }

    /// The role of who hands on what a holder has, to some of the in pins it sends to. A process can have several for one
    /// holder, each for in pins of its own: where its filters send one frame on in different places.
    ///
    /// # Errors
    /// See [`RoleError`]; also where an in pin is sent to by another holder, or stands there twice.
    pub fn sender_to(&self, holder: Holder, in_pins: &[Holder]) -> Result<Sender, RoleError> {
        let mut bits = 0;
        for in_pin in in_pins {
            if self.shared.properties.sender_of(*in_pin) != Some(holder) || bits & in_pin.bit() != 0 {
                return Err(RoleError::NoSuchHolder(*in_pin));
            }
            bits |= in_pin.bit();
        }
        let role = Role::take(&self.shared, holder, bits, |roles| &roles.senders)?;
        let to = in_pins.iter().copied();
        Ok(Sender { giving: Giving::new(self.shared.control.clone(), holder, to), role })
    }

    /// The role of an in pin that takes what it is sent, from its admission on.
    ///
    /// # Errors
    /// See [`RoleError`].
    pub fn receiver(&self, holder: Holder) -> Result<Receiver, RoleError> {
        if !holder.is_in_pin() {
            return Err(RoleError::NoSuchHolder(holder));
        }
        let role = Role::take(&self.shared, holder, holder.bit(), |roles| &roles.receivers)?;
        Ok(Receiver { taking: Taking::new(self.shared.control.clone(), holder), role })
    }

    /// Tells this process's waits that the server has ended: they wake, and answer [`Unready::ServerGone`], those to come
    /// as well. Frames stay readable and can be given back. For who watches the server.
    pub fn server_gone(&self) {
        self.shared.gone.store(true, Ordering::SeqCst);
        self.wake();
    }

    /// Ends this process's waits for good: they wake, and answer [`Unready::Interrupted`], those to come as well; what has
    /// arrived can still be taken. For a process that is asked to stop.
    pub fn interrupt(&self) {
        self.shared.interrupted.store(true, Ordering::SeqCst);
        self.wake();
    }

    fn wake(&self) {
        let control = &self.shared.control;
        for holder in control.holders() {
            if self.shared.roles.receivers.load(Ordering::SeqCst) & holder.bit() != 0 {
                control.ring_for_the_dead(holder);
            }
            if self.shared.roles.acquirers.load(Ordering::SeqCst) & holder.bit() != 0 {
                control.nudge(holder);
            }
        }
    }

    /// The server closed the pool, or was said to have [ended](Self::server_gone).
    pub fn is_closed(&self) -> bool {
        self.shared.is_gone() || self.shared.control.state().load(Ordering::SeqCst) & POOL_CLOSED != 0
    }

    /// The control words as they are now, one after the other: for who inspects a pool. `docs/shared-pool.md` says what each
    /// is. They are not read in one moment.
    pub fn control_words(&self) -> impl Iterator<Item = u64> + '_ {
        let words = self.shared.properties.dimensions().words();
        (0..words).map(|place| self.shared.control.region.at(place).load(Ordering::Relaxed))
    }

    /// An in pin waits for something to arrive, asleep: whoever sends to it next makes a system call. Of any process.
    pub fn is_asleep(&self, in_pin: Holder) -> bool {
        in_pin.is_in_pin()
            && self.shared.properties.dimensions().has(in_pin)
            && self.shared.control.bell(in_pin).load(Ordering::SeqCst) & ASLEEP != 0
    }
}

/// A role of this process, taken; free again when dropped.
struct Role {
    shared: Arc<Shared>,
    holder: Holder,
    bits: u64,
    taken: fn(&Roles) -> &AtomicU64,
}

impl Role {
    fn take(
        shared: &Arc<Shared>,
        holder: Holder,
        bits: u64,
        taken: fn(&Roles) -> &AtomicU64,
    ) -> Result<Self, RoleError> {
        if !shared.properties.dimensions().has(holder) {
            return Err(RoleError::NoSuchHolder(holder));
        }
        let before = taken(&shared.roles).fetch_or(bits, Ordering::SeqCst);
        if before & bits != 0 {
            taken(&shared.roles).fetch_and(!(bits & !before), Ordering::SeqCst);
            return Err(RoleError::InUse(holder));
        }
        let role = Role { shared: shared.clone(), holder, bits, taken };
        if shared.control.gate(holder).load(Ordering::SeqCst) & CLOSED != 0 {
            return Err(RoleError::NotAdmitted(holder));
        }
        Ok(role)
    }
}

impl Drop for Role {
    fn drop(&mut self) {
        (self.taken)(&self.shared.roles).fetch_and(!self.bits, Ordering::SeqCst);
    }
}

impl fmt::Debug for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.holder, f)
    }
}

/// Takes free frames, to be filled.
#[derive(Debug)]
pub struct Acquirer {
    acquiring: Acquiring,
    role: Role,
}

impl Acquirer {
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
        if self.role.shared.is_gone() {
            return Err(Unready::ServerGone);
        }
        let got = self.acquiring.try_acquire();
        self.frame(got)
    }

    /// A free frame; waits for one, first come, first served, at most for the time given.
    ///
    /// # Errors
    /// None came home in time, or the pool, this holder or the server is gone.
    #[inline]
    pub fn acquire(&mut self, timeout: Option<Duration>) -> Result<WritableFrame, Unready> {
        if self.role.shared.is_gone() {
            return Err(Unready::ServerGone);
        }
        let shared = &self.role.shared;
        let got = self.acquiring.acquire(timeout, || shared.is_over());
        self.frame(got)
    }

    #[inline]
    fn frame(&self, got: Result<u32, Unavailable>) -> Result<WritableFrame, Unready> {
        let shared = &self.role.shared;
        match got {
            Ok(frame) => Ok(WritableFrame::new(Claim::new(shared.clone(), frame, self.role.holder))),
            Err(Unavailable::Empty) => Err(Unready::Empty),
            Err(Unavailable::TimedOut) => Err(Unready::TimedOut),
            Err(Unavailable::Stopped) => Err(shared.stopped()),
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
        match self.taking.take() {
            Ok(Some(arrived)) => {
                let claim = Claim::new(self.role.shared.clone(), arrived.frame, self.role.holder);
                Ok(ReceivedFrame::new(claim, arrived.header))
            }
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
        let shared = &self.role.shared;
        match self.taking.wait(timeout, || shared.is_over()) {
            Ok(arrived) => {
                Ok(ReceivedFrame::new(Claim::new(shared.clone(), arrived.frame, self.role.holder), arrived.header))
            }
            Err(Unreceived::TimedOut) => Err(Unready::TimedOut),
            Err(Unreceived::Stopped) => Err(shared.stopped()),
            Err(Unreceived::Ended) => Err(Unready::Ended),
            Err(Unreceived::Nonsense) => Err(self.nonsense()),
        }
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
        // There: each in pin has one, and this is one.
        self.role.shared.control.events().0[self.role.holder.place() as usize].as_fd()
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
