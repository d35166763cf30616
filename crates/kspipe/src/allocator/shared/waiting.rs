//! Acquiring a free frame, and waiting for one: first come, first served. See the module above for the protocol.
//!
//! A waiter's cell: the low half says what it does (idle, waiting, asleep, polling, or the frame it was granted), the high half
//! is its ticket.

use super::super::sync::{AtomicU64, Ordering};
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
    /// Polls its event. Above every frame there can be.
    const POLLS: u64 = 1 << 31;

    fn waiting(ticket: u32) -> Self {
        Self(u64::from(ticket) << 32 | Self::WAITING)
    }

    fn ticket(self) -> u32 {
        (self.0 >> 32) as u32
    }

    fn state(self) -> u64 {
        self.0 & u64::from(u32::MAX)
    }

    pub(super) fn waits(self) -> bool {
        matches!(self.state(), Self::WAITING | Self::ASLEEP | Self::POLLS)
    }

    pub(super) fn is_asleep(self) -> bool {
        self.state() == Self::ASLEEP
    }

    fn polls(self) -> bool {
        self.state() == Self::POLLS
    }

    fn polling(self) -> Self {
        Self(u64::from(self.ticket()) << 32 | Self::POLLS)
    }

    fn asleep(self) -> Self {
        Self(u64::from(self.ticket()) << 32 | Self::ASLEEP)
    }

    fn granted(self, frame: u32) -> Self {
        Self(u64::from(self.ticket()) << 32 | (Self::FIRST_FRAME + u64::from(frame)))
    }

    /// The frame the waiter was granted.
    pub(super) fn frame(self) -> Option<u32> {
        (Self::FIRST_FRAME..Self::POLLS).contains(&self.state()).then(|| (self.state() - Self::FIRST_FRAME) as u32)
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
                // It fell asleep meanwhile, or polls.
                Err(now) if Cell(now).waits() && Cell(now).ticket() == cell.ticket() => cell = Cell(now),
                Err(_) => return false,
            }
        }
        if cell.is_asleep() {
            self.wake(self.waiter(waiter));
        } else if cell.polls() {
            self.signal(waiter);
        }
        true
    }

    /// Has a waiter look again at what may have told it to stop.
    pub(super) fn nudge(&self, waiter: Holder) {
        let word = self.waiter(waiter);
        let cell = Cell(word.load(Ordering::SeqCst));
        if cell.is_asleep() || cell.polls() {
            let awake = Cell::waiting(cell.ticket());
            let _ = word.compare_exchange(cell.0, awake.0, Ordering::SeqCst, Ordering::Relaxed);
        }
        self.wake(word);
        if cell.polls() {
            self.signal(waiter);
        }
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unavailable {
    /// None is free, or others wait for one.
    Empty,
    TimedOut,
    /// It was told to stop, or its gate is closed.
    Stopped,
}

/// A place where a process acquires free frames. One at a time, for one thread at a time.
#[derive(Debug)]
pub(super) struct Acquiring {
    control: Arc<Control>,
    holder: Holder,
    /// Where the next search starts.
    next: u32,
    /// The ticket it polls with: it is in the line of those that wait.
    polls: Option<u32>,
}

impl Acquiring {
    pub(super) fn new(control: Arc<Control>, holder: Holder) -> Self {
        Acquiring { control, holder, next: 0, polls: None }
    }

    /// A free frame, unless there is none or others wait for one. Never blocks.
    #[inline]
    pub(super) fn try_acquire(&mut self) -> Result<u32, Unavailable> {
        let control = &self.control;
        if self.is_closed() {
            return Err(Unavailable::Stopped);
        }
        if let Some(ticket) = self.polls {
            return self.try_granted(ticket);
        }
        // Nobody passes those that wait. One that was granted a frame, and has not come for it, waits no longer.
        if control.waiting().load(Ordering::Relaxed) != 0 && control.oldest_waiter().is_some() {
            return Err(Unavailable::Empty);
        }
        let frames = control.frames();
        let mut frame = self.next;
        for _ in 0..frames {
            let word = control.word(frame);
            let seen = Word(word.load(Ordering::Relaxed));
            let next = if frame + 1 == frames { 0 } else { frame + 1 };
            // Acquire: what the frame's last holders did to it is done.
            if seen.is_free()
                && word
                    .compare_exchange(seen.0, seen.taken_by(self.holder).0, Ordering::Acquire, Ordering::Relaxed)
                    .is_ok()
            {
                self.next = next;
                // The one that has been free for longest, most likely: it is here when it is acquired.
                control.word_will_change(next);
                count(control.acquired(self.holder));
                return Ok(frame);
            }
            frame = next;
        }
        Err(Unavailable::Empty)
    }

    /// As `try_acquire`, for one in the line.
    #[cold]
    fn try_granted(&mut self, ticket: u32) -> Result<u32, Unavailable> {
        let cell = Cell(self.control.waiter(self.holder).load(Ordering::SeqCst));
        if cell.waits() {
            return Err(Unavailable::Empty);
        }
        self.polls = None;
        // An idle cell: shut.
        let frame = cell.frame().ok_or(Unavailable::Stopped)?;
        self.stop_waiting();
        if self.accept(frame) {
            count(self.control.acquired(self.holder));
            return Ok(frame);
        }
        // Taken back by who recovers from a death. Wait on, in the same place.
        self.polls = Some(ticket);
        self.start_waiting(ticket);
        Err(Unavailable::Empty)
    }

    /// Waits without sleeping: asks for the event when a frame is granted, in the order of tickets. `false` where it need not
    /// be waited for: one is granted, or none will be. Who changes what `stop` answers calls [`Control::nudge`] afterwards.
    pub(super) fn arm(&mut self, stop: impl Fn() -> bool) -> bool {
        if self.polls.is_none() {
            if self.is_closed() || stop() {
                return false;
            }
            count(self.control.waited(self.holder));
            let ticket = self.draw();
            self.polls = Some(ticket);
            self.start_waiting(ticket);
        }
        let waiter = self.control.waiter(self.holder);
        let cell = Cell(waiter.load(Ordering::SeqCst));
        let polls = cell.waits()
            && waiter.compare_exchange(cell.0, cell.polling().0, Ordering::SeqCst, Ordering::Relaxed).is_ok();
        write_then_read();
        // Whoever grants from here on writes the event, and so does who changes what these answer.
        polls && !self.is_closed() && !stop()
    }

    fn draw(&self) -> u32 {
        self.control.tickets().fetch_add(1, Ordering::Relaxed) as u32
    }

    /// A free frame; waits for one in the order of tickets, at most for the time given, or until `stop` says so. Who
    /// changes what `stop` answers calls [`Control::nudge`] afterwards.
    pub(super) fn acquire(&mut self, timeout: Option<Duration>, stop: impl Fn() -> bool) -> Result<u32, Unavailable> {
        match self.try_acquire() {
            Err(Unavailable::Empty) => {}
            outcome => return outcome,
        }
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let ticket = match self.polls.take() {
            Some(ticket) => ticket,
            None => {
                count(self.control.waited(self.holder));
                let ticket = self.draw();
                self.start_waiting(ticket);
                ticket
            }
        };
        loop {
            match self.wait(deadline, &stop) {
                // Taken back under our hands: by who recovers from a death. Wait on, in the same place.
                Ok(frame) if !self.accept(frame) => self.start_waiting(ticket),
                Ok(frame) => {
                    count(self.control.acquired(self.holder));
                    return Ok(frame);
                }
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

    fn wait(&self, deadline: Option<Instant>, stop: impl Fn() -> bool) -> Result<u32, Unavailable> {
        let control = &self.control;
        let waiter = control.waiter(self.holder);
        let mut patience = Patience::new();
        loop {
            let cell = Cell(waiter.load(Ordering::SeqCst));
            if let Some(frame) = cell.frame() {
                self.stop_waiting();
                return Ok(frame);
            }
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            // An idle cell: shut, and perhaps opened again since.
            let stopped = !cell.waits() || self.is_closed() || stop();
            if stopped || left == Some(Duration::ZERO) {
                return self.leave().ok_or(if stopped { Unavailable::Stopped } else { Unavailable::TimedOut });
            }
            if cell.is_asleep() {
                // Looked at everything once more since it said so. Whoever has news changes the cell.
                control.sleep(waiter, cell.0, left);
            } else if !patience.spin() {
                let _ = waiter.compare_exchange(cell.0, cell.asleep().0, Ordering::SeqCst, Ordering::Relaxed);
                write_then_read();
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

    /// Takes a frame that was offered; `false` where the offer was taken back, or the cell named no frame of this pool.
    pub(super) fn accept(&self, frame: u32) -> bool {
        if frame >= self.control.frames() {
            return false;
        }
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

    #[inline(always)]
    pub(super) fn is_closed(&self) -> bool {
        self.control.gate(self.holder).load(Ordering::SeqCst) & CLOSED != 0
    }
}

impl Drop for Acquiring {
    /// Leaves the line; what it was granted goes home.
    fn drop(&mut self) {
        if self.polls.is_some()
            && let Some(frame) = self.leave()
            && self.accept(frame)
        {
            self.control.give_back(frame, self.holder);
        }
    }
}

/// A counter that only this holder writes.
#[inline(always)]
fn count(counter: &AtomicU64) {
    counter.store(counter.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
}

/// It waits, and sleeps.
#[cfg(all(test, not(loom)))]
pub(super) fn sleeps(control: &Control, holder: Holder) -> bool {
    Cell(control.waiter(holder).load(Ordering::SeqCst)).is_asleep()
}
