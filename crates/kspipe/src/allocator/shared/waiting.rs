//! Acquiring a free frame, and waiting for one: first come, first served. See the module above for the protocol.
//!
//! A waiter's cell: the low half says what it does (idle, waiting, asleep, or the frame it was granted), the high half is
//! its ticket.

use super::super::sync::Ordering;
use super::control::Control;
use super::handover::CLOSED;
use super::park::Patience;
use super::region::write_then_read;
use super::word::{Holder, Word};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The value of a waiter's cell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Cell(pub(super) u64);

impl Cell {
    pub(super) const IDLE: Self = Self(0);
    const WAITING: u64 = 1;
    const ASLEEP: u64 = 2;
    const FIRST_FRAME: u64 = 3;

    fn waiting(ticket: u32) -> Self {
        Self(u64::from(ticket) << 32 | Self::WAITING)
    }

    fn ticket(self) -> u32 {
        (self.0 >> 32) as u32
    }

    fn state(self) -> u64 {
        self.0 & u64::from(u32::MAX)
    }

    fn waits(self) -> bool {
        matches!(self.state(), Self::WAITING | Self::ASLEEP)
    }

    fn is_asleep(self) -> bool {
        self.state() == Self::ASLEEP
    }

    fn asleep(self) -> Self {
        Self(u64::from(self.ticket()) << 32 | Self::ASLEEP)
    }

    fn granted(self, frame: u32) -> Self {
        Self(u64::from(self.ticket()) << 32 | (Self::FIRST_FRAME + u64::from(frame)))
    }

    /// The frame the waiter was granted.
    pub(super) fn frame(self) -> Option<u32> {
        self.state().checked_sub(Self::FIRST_FRAME).map(|frame| frame as u32)
    }
}

impl Control {
    /// Gives free frames to those that wait, oldest ticket first, until there are no more of the one or the other. Who
    /// frees a frame or starts to wait calls it; it helps whoever is in the middle of the same.
    pub(super) fn offer_free_frames(&self) {
        while let Some((waiter, cell)) = self.oldest_waiter() {
            let free = (0..self.frames()).find_map(|frame| {
                let word = Word(self.word(frame).load(Ordering::SeqCst));
                word.is_free().then_some((frame, word))
            });
            let Some((frame, word)) = free else { return };
            let offer = word.offered_to(waiter).0;
            if self.word(frame).compare_exchange(word.0, offer, Ordering::SeqCst, Ordering::Relaxed).is_ok()
                && !self.grant(waiter, cell, frame)
            {
                self.take_offer_back(frame, waiter);
            }
        }
    }

    fn oldest_waiter(&self) -> Option<(Holder, Cell)> {
        let mask = self.waiting().load(Ordering::SeqCst);
        if mask == 0 {
            return None;
        }
        let newest = self.tickets().load(Ordering::Relaxed) as u32;
        let waiting = self.holders().filter(|holder| mask & holder.bit() != 0).filter_map(|holder| {
            let cell = Cell(self.waiter(holder).load(Ordering::SeqCst));
            cell.waits().then_some((holder, cell))
        });
        // Tickets wrap: the oldest is the farthest behind the newest.
        waiting.max_by_key(|(_, cell)| newest.wrapping_sub(cell.ticket()))
    }

    /// Tells a waiter that it has a frame; `false` where it does not wait with that ticket any more.
    fn grant(&self, waiter: Holder, mut cell: Cell, frame: u32) -> bool {
        loop {
            let granted = cell.granted(frame).0;
            match self.waiter(waiter).compare_exchange(cell.0, granted, Ordering::SeqCst, Ordering::SeqCst) {
                Ok(_) => break,
                // It fell asleep meanwhile.
                Err(now) if Cell(now).waits() && Cell(now).ticket() == cell.ticket() => cell = Cell(now),
                Err(_) => return false,
            }
        }
        if cell.is_asleep() {
            self.wake(self.waiter(waiter));
        }
        true
    }

    /// Frees a frame that was offered and not taken.
    pub(super) fn take_offer_back(&self, frame: u32, waiter: Holder) {
        let word = self.word(frame);
        let mut seen = Word(word.load(Ordering::SeqCst));
        while seen.is_offered_to(waiter) {
            match word.compare_exchange(seen.0, seen.without(waiter).0, Ordering::SeqCst, Ordering::SeqCst) {
                // Who took it back looks for who waits.
                Ok(_) => return write_then_read(),
                Err(now) => seen = Word(now),
            }
        }
    }
}

/// Why no frame was acquired.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unavailable {
    /// No frame came home in time.
    #[error("no frame came home in time")]
    TimedOut,
    /// The holder's gate is closed.
    #[error("the pool is closed to this holder")]
    Closed,
}

/// A place where a process acquires free frames. One at a time, for one thread at a time.
#[derive(Debug)]
pub(crate) struct Acquirer {
    control: Arc<Control>,
    holder: Holder,
    /// Where the next search starts.
    next: u32,
}

impl Acquirer {
    pub(crate) fn new(control: Arc<Control>, holder: Holder) -> Self {
        Acquirer { control, holder, next: 0 }
    }

    /// A free frame, unless there is none or others wait for one. Never blocks.
    pub(crate) fn try_acquire(&mut self) -> Option<u32> {
        let control = &self.control;
        if control.waiting().load(Ordering::Relaxed) != 0 {
            return None;
        }
        let frames = control.frames();
        for step in 0..frames {
            let frame = (self.next + step) % frames;
            let word = control.word(frame);
            let seen = Word(word.load(Ordering::Relaxed));
            // Acquire: what the frame's last holders did to it is done.
            if seen.is_free()
                && word
                    .compare_exchange(seen.0, seen.taken_by(self.holder).0, Ordering::Acquire, Ordering::Relaxed)
                    .is_ok()
            {
                self.next = (frame + 1) % frames;
                return Some(frame);
            }
        }
        None
    }

    /// A free frame; waits for one in the order of tickets, at most for the time given.
    pub(crate) fn acquire(&mut self, timeout: Option<Duration>) -> Result<u32, Unavailable> {
        if let Some(frame) = self.try_acquire() {
            return Ok(frame);
        }
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let ticket = self.control.tickets().fetch_add(1, Ordering::Relaxed) as u32;
        loop {
            self.start_waiting(ticket);
            match self.wait(deadline) {
                // Taken back under our hands: by who recovers from a death. Wait on, in the same place.
                Ok(frame) if !self.accept(frame) => {}
                outcome => return outcome,
            }
        }
    }

    /// Tells others that this one waits, then looks for a free frame in their place: see the module above.
    pub(super) fn start_waiting(&self, ticket: u32) {
        let control = &self.control;
        control.waiter(self.holder).store(Cell::waiting(ticket).0, Ordering::SeqCst);
        control.waiting().fetch_or(self.holder.bit(), Ordering::SeqCst);
        write_then_read();
        control.offer_free_frames();
    }

    fn wait(&self, deadline: Option<Instant>) -> Result<u32, Unavailable> {
        let control = &self.control;
        let waiter = control.waiter(self.holder);
        let mut patience = Patience::default();
        loop {
            let cell = Cell(waiter.load(Ordering::SeqCst));
            if let Some(frame) = cell.frame() {
                self.stop_waiting();
                return Ok(frame);
            }
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            let closed = control.gate(self.holder).load(Ordering::SeqCst) & CLOSED != 0;
            if closed || left == Some(Duration::ZERO) {
                return self.leave().ok_or(if closed { Unavailable::Closed } else { Unavailable::TimedOut });
            }
            if patience.spin() {
                continue;
            }
            let asleep = cell.asleep();
            if cell.is_asleep()
                || waiter.compare_exchange(cell.0, asleep.0, Ordering::SeqCst, Ordering::Relaxed).is_ok()
            {
                control.sleep(waiter, asleep.0, left);
            }
        }
    }

    /// Stops waiting; who finds itself granted at that moment has the frame.
    pub(super) fn leave(&self) -> Option<u32> {
        let last = Cell(self.control.waiter(self.holder).swap(Cell::IDLE.0, Ordering::SeqCst));
        self.control.waiting().fetch_and(!self.holder.bit(), Ordering::SeqCst);
        last.frame()
    }

    fn stop_waiting(&self) {
        self.control.waiter(self.holder).store(Cell::IDLE.0, Ordering::SeqCst);
        self.control.waiting().fetch_and(!self.holder.bit(), Ordering::SeqCst);
    }

    /// Takes a frame that was offered; `false` where the offer was taken back.
    pub(super) fn accept(&self, frame: u32) -> bool {
        let word = self.control.word(frame);
        let mut seen = Word(word.load(Ordering::Relaxed));
        while seen.is_offered_to(self.holder) {
            match word.compare_exchange(seen.0, seen.accepted().0, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(now) => seen = Word(now),
            }
        }
        false
    }

    /// Ends the claim on a frame acquired before. `false` where there is none.
    pub(crate) fn give_back(&self, frame: u32) -> bool {
        self.control.give_back(frame, self.holder)
    }
}
