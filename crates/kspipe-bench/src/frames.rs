//! kspipe's shared pools: one for each direction.

use crate::process::Peer;
use crate::{End, Touch, sum};
use kspipe::allocator::AllocatorProperties;
use kspipe::allocator::shared::{
    Access, Acquirer, Descriptors, Holder, Participant, Receiver, Sender, SharedPool, SharedPoolProperties, Unready,
};
use std::hint::{black_box, spin_loop};
use std::io;
use std::os::fd::{AsFd, OwnedFd};

const SOURCE: Holder = Holder::acquirer(0).expect("an acquirer");
const SINK: Holder = Holder::in_pin(0).expect("an in pin");
/// Of a pool: the control memory, two events and the frames.
const DESCRIPTORS: usize = 4;

pub(crate) struct Pools([SharedPool; 2]);

/// One side of both pools.
pub(crate) struct Frames {
    acquirer: Acquirer,
    sender: Sender,
    receiver: Receiver,
    /// It sleeps where it would wait long; else it looks again at once.
    sleeps: bool,
    filled: u8,
}

impl Pools {
    pub(crate) fn new(buffers: u32, size: u64) -> io::Result<Self> {
        let pool = || {
            let mut pool = SharedPool::create(SharedPoolProperties {
                frames: AllocatorProperties { frames: buffers, size, alignment: 64, prefix: 0 },
                senders: vec![SOURCE],
                acquirers: 1,
                prefault: true,
                ..SharedPoolProperties::default()
            })
            .map_err(io::Error::other)?;
            pool.admit(SOURCE).and_then(|()| pool.admit(SINK)).map_err(io::Error::other)?;
            io::Result::Ok(pool)
        };
        Ok(Self([pool()?, pool()?]))
    }

    pub(crate) fn give(&self, to: &Peer) -> io::Result<()> {
        let [there, back] = &self.0;
        let descriptors = [there.descriptors()?, back.descriptors()?];
        let all = descriptors.iter().flat_map(|of| std::iter::once(&of.control).chain(&of.events).chain(&of.frames));
        to.give(&all.map(AsFd::as_fd).collect::<Vec<_>>())
    }

    /// This process's side.
    pub(crate) fn here(&self, sleeps: bool) -> io::Result<Frames> {
        let [there, back] = &self.0;
        Frames::new(there.participant(), back.participant(), sleeps)
    }
}

impl Frames {
    fn new(out: &Participant, back: &Participant, sleeps: bool) -> io::Result<Self> {
        Ok(Self {
            acquirer: out.acquirer(SOURCE).map_err(io::Error::other)?,
            sender: out.sender(SOURCE).map_err(io::Error::other)?,
            receiver: back.receiver(SINK).map_err(io::Error::other)?,
            sleeps,
            filled: 0,
        })
    }

    /// The other process's side.
    pub(crate) fn there(descriptors: impl Iterator<Item = OwnedFd>, sleeps: bool) -> io::Result<Self> {
        let mut descriptors: Vec<OwnedFd> = descriptors.collect();
        if descriptors.len() != 2 * DESCRIPTORS {
            return Err(io::Error::other("other descriptors than of two pools"));
        }
        let mut open = |first: usize| {
            let mut of = descriptors.drain(first..);
            let missing = || io::Error::other("a descriptor is missing");
            let control = of.next().ok_or_else(missing)?;
            let events = of.by_ref().take(DESCRIPTORS - 2).collect();
            let given = Descriptors { control, events, frames: of.collect() };
            Participant::open(given, Access::Write).map_err(io::Error::other)
        };
        let (back, there) = (open(DESCRIPTORS)?, open(0)?);
        Self::new(&back, &there, sleeps)
    }
}

/// Looks until there is something.
#[inline]
fn until<T>(mut look: impl FnMut() -> Result<T, Unready>) -> Result<T, Unready> {
    loop {
        match look() {
            Err(Unready::Empty) => spin_loop(),
            outcome => return outcome,
        }
    }
}

impl End for Frames {
    #[inline]
    fn send(&mut self, touch: Touch) -> io::Result<()> {
        let acquirer = &mut self.acquirer;
        let frame = if self.sleeps { acquirer.acquire(None) } else { until(|| acquirer.try_acquire()) };
        let mut frame = frame.map_err(io::Error::other)?;
        if touch == Touch::All {
            self.filled = self.filled.wrapping_add(1);
            frame.fill(self.filled);
        }
        self.sender.hand_over(black_box(frame)).map_err(|unsent| io::Error::other(unsent.reason))
    }

    #[inline]
    fn receive(&mut self, touch: Touch) -> io::Result<()> {
        let receiver = &mut self.receiver;
        let frame = if self.sleeps { receiver.receive(None) } else { until(|| receiver.try_receive()) };
        let frame = frame.map_err(io::Error::other)?;
        if touch == Touch::All {
            // Nobody is trusted not to write meanwhile: each block is read once.
            black_box(frame.blocks(..).fold(0, |all: u64, block| all.wrapping_add(sum(&block))));
        }
        drop(black_box(frame));
        Ok(())
    }
}
