//! What the server of a shared pool does: it makes it, lets holders in, and cleans up after them.

use super::super::properties::CommitError;
use super::control::{Control, POOL_CLOSED, bytes_of};
use super::files;
use super::handover::CLOSED;
use super::ledger::{Ledger, Sightings};
use super::participant::{Descriptors, OpenError, Participant, Shared};
use super::properties::{PropertiesError, SharedPoolProperties};
use super::region::{Events, Region};
use super::standstill::Standstill;
use super::view::{Access, FrameMemory};
use super::word::Holder;
use rustix::event::{EventfdFlags, eventfd};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

/// A pool of frames that processes share, as its server has it: the one that lets holders in, learns of their ends, and
/// recovers what they left.
///
/// ```
/// use kspipe::allocator::AllocatorProperties;
/// use kspipe::allocator::shared::{Access, Holder, Participant, SharedPool, SharedPoolProperties};
///
/// let (camera, viewer) = (Holder::acquirer(0).unwrap(), Holder::in_pin(0).unwrap());
/// let mut pool = SharedPool::create(SharedPoolProperties {
///     frames: AllocatorProperties { frames: 4, size: 3_110_400, alignment: 4096, prefix: 0 },
///     senders: vec![camera], // the viewer gets what the camera acquired
///     acquirers: 1,
///     ..SharedPoolProperties::default()
/// })?;
/// pool.admit(camera)?;
/// pool.admit(viewer)?;
///
/// // In two other processes, which were sent the descriptors:
/// let there = Participant::open(pool.descriptors()?, Access::Write)?;
/// let here = Participant::open(pool.descriptors()?, Access::Read)?;
///
/// let mut acquirer = there.acquirer(camera)?;
/// let mut sender = there.sender(camera)?;
/// let mut receiver = here.receiver(viewer)?;
///
/// let mut frame = acquirer.acquire(None)?;
/// frame.fill(0x80);
/// sender.hand_over(frame)?;
///
/// let mut bytes = [0; 2];
/// receiver.receive(None)?.copy_to(0, &mut bytes);
/// assert_eq!(bytes, [0x80; 2]);
///
/// // A process died: its frames come home, what it had sent arrives, and its number can be given out again.
/// pool.recover(&[camera]);
/// pool.admit(camera)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct SharedPool {
    participant: Participant,
    control: Arc<OwnedFd>,
    frames: Vec<Arc<OwnedFd>>,
    sightings: Sightings,
}

/// Why a pool cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CreateError {
    /// What it shall be.
    #[error(transparent)]
    Properties(#[from] PropertiesError),
    /// The system gives no memory, or no descriptor.
    #[error(transparent)]
    Memory(#[from] CommitError),
    /// The system gives no event.
    #[error("no event for a holder: {}", std::io::Error::from_raw_os_error(*.0))]
    Event(i32),
}

/// Why a holder is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AdmitError {
    /// There is no such holder in this pool.
    #[error("the pool has no {0}")]
    NoSuchHolder(Holder),
    /// Somebody is behind this number: [`SharedPool::recover`] it first.
    #[error("{0} is admitted already")]
    Admitted(Holder),
    /// The sender to this in pin, which lives, is in the middle of a hand-over that began before: try again, mostly at
    /// once. Where it was stopped there it lasts until it goes on, or ends and is recovered.
    #[error("{sender}, which sends to {holder}, is handing a frame over")]
    Busy {
        /// Who is to be let in.
        holder: Holder,
        /// Its sender.
        sender: Holder,
    },
    /// The pool was closed.
    #[error("the pool is closed")]
    Closed,
}

/// What was recovered after an end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Claims on frames that were ended.
    pub claims: u32,
    /// Frames that the dead had passed on and not pushed, and that have arrived now: at most one for each in pin.
    pub arrived: u32,
}

impl SharedPool {
    /// A pool whose frames are all free, and whose holders are not admitted yet.
    ///
    /// # Errors
    /// Properties past the limits, or the system gives no memory.
    pub fn create(properties: SharedPoolProperties) -> Result<Self, CreateError> {
        let properties = properties.checked()?;
        let event = |_: Holder| eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK);
        let events = properties.holders().map(event).collect::<rustix::io::Result<Vec<_>>>();
        let events = events.map_err(|errno| CreateError::Event(errno.raw_os_error()))?;

        let bytes = bytes_of(properties.dimensions().words());
        let made = files::create(c"kspipe control", bytes).and_then(|file| files::seal(&file, false).map(|()| file));
        let failed = |errno: rustix::io::Errno| CommitError::OutOfMemory { bytes, errno: Some(errno.raw_os_error()) };
        let file = Arc::new(made.map_err(failed)?);
        let region = Region::over(files::map_control(file.clone(), bytes)?);
        let control = Control::over(region, properties.dimensions(), Events(events.into()));
        control.initialise();
        control.holders().for_each(|holder| control.gate(holder).store(CLOSED, Ordering::Relaxed));
        properties.write(&control)?;

        let (memory, frames) = FrameMemory::create(&properties)?;
        let participant = Participant { shared: Shared::new(control, memory, properties) };
        Ok(SharedPool { participant, control: file, frames, sightings: Sightings::default() })
    }

    /// The pool behind these descriptors, in the place of a server that has ended: who is admitted stays so, and holds what it
    /// holds. For a supervisor that keeps the descriptors. The ended one is the only other server there was.
    ///
    /// # Errors
    /// As for [`Participant::open`]; a pool written by its creator alone cannot be taken over.
    pub fn take_over(descriptors: Descriptors) -> Result<Self, OpenError> {
        let copy = |file: &OwnedFd| file.try_clone().map(Arc::new);
        let failed = |error: std::io::Error| CommitError::OutOfMemory { bytes: 0, errno: error.raw_os_error() };
        let control = copy(&descriptors.control).map_err(failed)?;
        let frames = descriptors.frames.iter().map(copy).collect::<Result<_, _>>().map_err(failed)?;
        let participant = Participant::open(descriptors, Access::Write)?;
        Ok(SharedPool { participant, control, frames, sightings: Sightings::default() })
    }

    /// What the pool is: the size may have been raised to the alignment.
    pub fn properties(&self) -> &SharedPoolProperties {
        self.participant.properties()
    }

    /// The server's own part in the pool: for its own filters.
    pub fn participant(&self) -> &Participant {
        &self.participant
    }

    /// The frames' memory as the server maps it, to be written.
    pub fn memory(&self) -> &FrameMemory {
        &self.participant.shared.memory
    }

    fn words(&self) -> &Control {
        &self.participant.shared.control
    }

    /// Copies of the descriptors, for a process that is trusted with the control memory and with writing frames.
    ///
    /// # Errors
    /// The system's, where this process has too many descriptors.
    pub fn descriptors(&self) -> std::io::Result<Descriptors> {
        Ok(Descriptors {
            control: self.control.try_clone()?,
            events: self.words().events().0.iter().map(OwnedFd::try_clone).collect::<Result<_, _>>()?,
            frames: self.frames.iter().map(|file| file.try_clone()).collect::<Result<_, _>>()?,
        })
    }

    /// Descriptors of the frames' files through which nobody can write, for a process that only reads: under another user
    /// id it cannot open them again for writing either.
    ///
    /// # Errors
    /// The system's, where this process has too many descriptors, or no `/proc`.
    pub fn read_only_frames(&self) -> std::io::Result<Vec<OwnedFd>> {
        self.frames.iter().map(|file| files::read_only(file).map_err(Into::into)).collect()
    }

    fn has(&self, holder: Holder) -> bool {
        self.properties().dimensions().has(holder)
    }

    /// Somebody is behind this number, as far as the pool was told.
    pub fn is_admitted(&self, holder: Holder) -> bool {
        self.has(holder) && self.words().gate(holder).load(Ordering::SeqCst) & CLOSED == 0
    }

    /// Lets a process act as this holder. An in pin gets what is sent from now on.
    ///
    /// # Errors
    /// See [`AdmitError`].
    pub fn admit(&mut self, holder: Holder) -> Result<(), AdmitError> {
        if !self.has(holder) {
            return Err(AdmitError::NoSuchHolder(holder));
        }
        if self.is_admitted(holder) {
            return Err(AdmitError::Admitted(holder));
        }
        if self.participant.is_closed() {
            return Err(AdmitError::Closed);
        }
        let sender = self.properties().sender_of(holder);
        if holder.is_in_pin() {
            self.words().give_up(holder, false);
        }
        match (self.words().reopen(holder), sender) {
            (Err(_), Some(sender)) => Err(AdmitError::Busy { holder, sender }),
            _ => Ok(()),
        }
    }

    /// Sends nothing to a holder any more and gives it nothing; where it waits it wakes with [`Unready::Shut`]. What it
    /// holds stays its own: for one that lives and is not heard of any more. Its end is recovered as every other.
    ///
    /// [`Unready::Shut`]: super::Unready::Shut
    pub fn shut(&mut self, holder: Holder) {
        if self.has(holder) {
            self.words().shut(holder);
        }
    }

    /// Cleans up after a process that has ended, or that has dropped all roles and frames of these holders. All of its
    /// holders, in one call: a frame it was handing over arrives once with whom it was for, or comes home; so do all
    /// others it had; who waits is woken and gets what came home. Never to be called for one that goes on: it may write to
    /// frames that others have by then.
    ///
    /// May be called again, also where an earlier call was cut short by this process's own end in the middle.
    pub fn recover(&mut self, ended: &[Holder]) -> Recovered {
        let (words, properties) = (self.words(), self.properties());
        let ended = || ended.iter().copied().filter(|holder| self.has(*holder));
        let mut recovered = Recovered::default();
        for holder in ended() {
            recovered.arrived += words.finish_hand_over(properties.receivers_of(holder));
        }
        for holder in ended() {
            recovered.claims += words.close(holder);
        }
        words.revive_waiters();
        recovered
    }

    /// Says in the place of a sender that has ended, and was recovered, that nothing more will come to an in pin: what it was
    /// sent it still gets. Without that a stream goes on when another sender takes the place of one that died.
    pub fn end_stream(&mut self, in_pin: Holder) {
        if in_pin.is_in_pin() && self.has(in_pin) {
            self.words().end_stream(in_pin);
        }
    }

    /// Says that nobody will come to an in pin that nobody has, or come again: who sends to such alone has nothing to go on
    /// for. Letting one in all the same takes it back.
    pub fn give_up(&mut self, in_pin: Holder) {
        if in_pin.is_in_pin() && self.has(in_pin) && !self.is_admitted(in_pin) {
            self.words().give_up(in_pin, true);
        }
    }

    /// Closes the pool: everyone that waits wakes with [`Unready::PoolClosed`], and nobody acquires any more. Frames that
    /// are out stay readable until they are dropped; what was pushed can still be taken.
    ///
    /// [`Unready::PoolClosed`]: super::Unready::PoolClosed
    pub fn close_all(&mut self) {
        let words = self.words();
        words.state().fetch_or(POOL_CLOSED, Ordering::SeqCst);
        words.holders().for_each(|holder| words.shut(holder));
    }

    /// Says how many frames a holder may keep at once, as its pin [`holds`](crate::graph) them: more is an overdraft in the
    /// ledger. `None`: it did not say.
    pub fn declare_holds(&mut self, holder: Holder, holds: Option<u32>) {
        self.sightings.declare(holder, holds);
    }

    /// Who holds what since when. Found by reading the words now and comparing with what was read before, so a claim is as
    /// old as the first reading that found it; call it as often as ages shall be exact.
    pub fn ledger(&mut self, now: Instant) -> Ledger {
        self.sightings.scan(&self.participant.shared.control, now)
    }

    /// Who sleeps until something comes that is not there, as it is now. See [`Standstill`] for what two of these say.
    pub fn standstill(&self) -> Standstill {
        Standstill::read(self.words())
    }
}

impl Drop for SharedPool {
    /// Nobody is left waiting for a server that is gone.
    fn drop(&mut self) {
        self.close_all();
    }
}
