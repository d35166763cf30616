//! What kspipe's way is compared with: a ring of indices that knows nothing of holders, messages over a socket, and a copy
//! through a pipe.

use crate::process::{Peer, pair, retry};
use crate::words::Words;
use crate::{End, Touch, sum};
use rustix::pipe::{PipeFlags, fcntl_setpipe_size, pipe_with};
use std::hint::{black_box, spin_loop};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::Ordering;

/// Words of a place: two cache lines, as processors fetch pairs.
const PLACE: usize = 16;
/// Words of a place that travel with an index, as a frame's header does.
const HEADER: usize = 5;

/// In each direction a ring of indices, and one of the free ones back.
pub(crate) struct Ring {
    words: Words,
    buffers: u64,
    /// The ring this side pushes frames to, and the one of those that come back; likewise for what it takes.
    sends: [usize; 2],
    takes: [usize; 2],
    sent: u64,
    taken: u64,
}

impl Ring {
    pub(crate) fn create(buffers: u64) -> io::Result<Self> {
        let ring = Self::side(Words::create(4 * buffers as usize * PLACE)?, buffers, [0, 1], [2, 3]);
        for free in [1, 3] {
            (0..buffers).for_each(|index| ring.push(free, index, index));
        }
        Ok(ring)
    }

    pub(crate) fn give(&self, to: &Peer) -> io::Result<()> {
        to.give(&[self.words.file()])
    }

    pub(crate) fn there(mut given: impl Iterator<Item = OwnedFd>, buffers: u64) -> io::Result<Self> {
        let file = given.next().ok_or_else(|| io::Error::other("no words"))?;
        Ok(Self::side(Words::open(file)?, buffers, [2, 3], [0, 1]))
    }

    fn side(words: Words, buffers: u64, sends: [usize; 2], takes: [usize; 2]) -> Self {
        Self { words, buffers, sends, takes, sent: 0, taken: 0 }
    }

    fn place(&self, ring: usize, nth: u64) -> usize {
        (ring * self.buffers as usize + (nth % self.buffers) as usize) * PLACE
    }

    #[inline]
    fn push(&self, ring: usize, nth: u64, index: u64) {
        let place = self.place(ring, nth);
        (1..=HEADER).for_each(|word| self.words.at(place + word).store(nth, Ordering::Relaxed));
        self.words.at(place).store((nth + 1) << 16 | index, Ordering::Release);
    }

    #[inline]
    fn pop(&self, ring: usize, nth: u64) -> u64 {
        let place = self.place(ring, nth);
        loop {
            let seen = self.words.at(place).load(Ordering::Acquire);
            if seen >> 16 == nth + 1 {
                (1..=HEADER).for_each(|word| {
                    black_box(self.words.at(place + word).load(Ordering::Relaxed));
                });
                return seen & 0xFFFF;
            }
            spin_loop();
        }
    }
}

impl End for Ring {
    #[inline]
    fn send(&mut self, _: Touch) -> io::Result<()> {
        let index = self.pop(self.sends[1], self.sent);
        self.push(self.sends[0], self.sent, black_box(index));
        self.sent += 1;
        Ok(())
    }

    #[inline]
    fn receive(&mut self, _: Touch) -> io::Result<()> {
        let index = self.pop(self.takes[0], self.taken);
        self.push(self.takes[1], self.taken + self.buffers, black_box(index));
        self.taken += 1;
        Ok(())
    }
}

/// In each direction a socket: an index goes over it, and comes back when the buffer is free.
pub(crate) struct Messages {
    out: OwnedFd,
    back: OwnedFd,
    free: Vec<u64>,
}

impl Messages {
    /// This side, and what the other is given.
    pub(crate) fn create(buffers: u64) -> io::Result<(Self, [OwnedFd; 2])> {
        let ((out, out_there), (back, back_there)) = (pair()?, pair()?);
        Ok((Self { out, back, free: (0..buffers).collect() }, [out_there, back_there]))
    }

    pub(crate) fn there(mut given: impl Iterator<Item = OwnedFd>, buffers: u64) -> io::Result<Self> {
        let (Some(back), Some(out)) = (given.next(), given.next()) else { return Err(io::Error::other("no sockets")) };
        Ok(Self { out, back, free: (0..buffers).collect() })
    }
}

fn message(socket: &OwnedFd) -> io::Result<u64> {
    let mut bytes = [0; 8];
    match retry(|| rustix::io::read(socket, &mut bytes))? {
        8 => Ok(u64::from_ne_bytes(bytes)),
        _ => Err(io::Error::other("the other process has ended")),
    }
}

impl End for Messages {
    fn send(&mut self, _: Touch) -> io::Result<()> {
        let index = match self.free.pop() {
            Some(index) => index,
            None => message(&self.out)?,
        };
        retry(|| rustix::io::write(&self.out, &index.to_ne_bytes()))?;
        Ok(())
    }

    fn receive(&mut self, _: Touch) -> io::Result<()> {
        let index = message(&self.back)?;
        retry(|| rustix::io::write(&self.back, &index.to_ne_bytes()))?;
        Ok(())
    }
}

/// In each direction a pipe through which all bytes go.
pub(crate) struct Copies {
    out: OwnedFd,
    back: OwnedFd,
    frame: Vec<u8>,
    filled: u8,
}

impl Copies {
    /// This side, and what the other is given.
    pub(crate) fn create(size: usize) -> io::Result<(Self, [OwnedFd; 2])> {
        let pipe = || {
            let (read, write) = pipe_with(PipeFlags::CLOEXEC)?;
            // The most that every user may have; where it may be less it stays what it is.
            let _ = fcntl_setpipe_size(&write, 1 << 20);
            io::Result::Ok((read, write))
        };
        let ((out_there, out), (back, back_there)) = (pipe()?, pipe()?);
        Ok((Self::side(out, back, size), [out_there, back_there]))
    }

    pub(crate) fn there(mut given: impl Iterator<Item = OwnedFd>, size: usize) -> io::Result<Self> {
        let (Some(back), Some(out)) = (given.next(), given.next()) else { return Err(io::Error::other("no pipes")) };
        Ok(Self::side(out, back, size))
    }

    fn side(out: OwnedFd, back: OwnedFd, size: usize) -> Self {
        Self { out, back, frame: vec![0; size], filled: 0 }
    }
}

impl End for Copies {
    fn send(&mut self, touch: Touch) -> io::Result<()> {
        if touch == Touch::All {
            self.filled = self.filled.wrapping_add(1);
            self.frame.fill(self.filled);
        }
        let mut left = self.frame.as_slice();
        while !left.is_empty() {
            let written = retry(|| rustix::io::write(self.out.as_fd(), left))?;
            left = left.get(written..).unwrap_or_default();
        }
        Ok(())
    }

    fn receive(&mut self, touch: Touch) -> io::Result<()> {
        let mut got = 0;
        while got < self.frame.len() {
            let (back, left) = (&self.back, &mut self.frame[got..]);
            match retry(|| rustix::io::read(back, &mut *left))? {
                0 => return Err(io::Error::other("the other process has ended")),
                read => got += read,
            }
        }
        if touch == Touch::All {
            black_box(sum(&self.frame));
        }
        Ok(())
    }
}
