//! A process that takes part in a shared pool: what it maps, and which roles it has.

use super::bell::ASLEEP;
use super::control::{Control, POOL_CLOSED, bytes_of};
use super::files::{self, DescriptorError};
use super::handover::{CLOSED, Giving, Taking};
use super::layout::HEADER_WORDS;
use super::properties::SharedPoolProperties;
use super::region::{Events, Region};
use super::roles::{Acquirer, Receiver, Sender, Unready};
use super::view::{Access, FrameMemory, MapError};
use super::waiting::Acquiring;
use super::word::Holder;
use crate::allocator::CommitError;
use std::fmt;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// The descriptors of a shared pool, as its server gives them to those it trusts. They travel once, at set-up.
#[derive(Debug)]
pub struct Descriptors {
    /// The control memory.
    pub control: OwnedFd,
    /// For each holder, in pins first, the eventfd that becomes readable when something arrives, or when it may have a free
    /// frame, where it asked for that.
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
    #[error("the event of {holder}: {error}")]
    Event {
        /// Whose.
        holder: Holder,
        /// What is wrong.
        error: DescriptorError,
    },
    /// Not as many events as holders.
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
    pub(super) fn is_gone(&self) -> bool {
        self.gone.load(Ordering::SeqCst)
    }

    /// Nothing is waited for any more. Sequentially consistent, as `is_gone`.
    #[inline]
    pub(super) fn is_over(&self) -> bool {
        self.is_gone() || self.interrupted.load(Ordering::SeqCst)
    }

    pub(super) fn stopped(&self) -> Unready {
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
        let expected = properties.holders().count();
        if events.len() != expected {
            return Err(OpenError::Events { expected, found: events.len() });
        }
        for (holder, event) in properties.holders().zip(&events) {
            files::examine_event(event).map_err(|error| OpenError::Event { holder, error })?;
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
        Ok(Acquirer::new(Acquiring::new(self.shared.control.clone(), holder), role))
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
        Ok(Sender::new(Giving::new(self.shared.control.clone(), holder, to), role))
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
        Ok(Receiver::new(Taking::new(self.shared.control.clone(), holder), role))
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
pub(super) struct Role {
    pub(super) shared: Arc<Shared>,
    pub(super) holder: Holder,
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
