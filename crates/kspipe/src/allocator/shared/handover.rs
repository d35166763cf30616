//! Handing a frame over to the in pins downstream, and taking it there. See the module above for the protocol.

use super::super::header::{FrameFlags, FrameHeader};
use super::super::sync::{AtomicU64, Ordering};
use super::bell::{ARMED, ASLEEP};
use super::control::Control;
use super::layout::HEADER_OF_FRAME_WORDS;
use super::park::Patience;
use super::region::write_then_read;
use super::word::{Holder, Word};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Bit of a gate: nobody is behind it. The bits above count how often it was opened.
pub(super) const CLOSED: u64 = 1;

/// The first word of a place in a ring.
///
/// ```text
///  63                                            17  16  15            0
/// +-------------------------------------------------+---+---------------+
/// | which push this is, modulo 2^47                  | 1 |     frame     |
/// +-------------------------------------------------+---+---------------+
/// ```
/// The number of the push tells it from what the place said a round before, and the bit that is set from a place where nothing
/// was ever pushed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Arrival(u64);

impl Arrival {
    fn new(nth: u64, frame: u32) -> Self {
        Self(nth << 17 | 1 << 16 | u64::from(frame & 0xFFFF))
    }

    pub(super) fn read(control: &Control, in_pin: Holder, nth: u64) -> Self {
        // Acquire: the header was written before.
        Self(control.arrival(in_pin, nth, 0).load(Ordering::Acquire))
    }

    /// What is pushed as the `nth` has arrived.
    pub(super) fn is_push(self, nth: u64) -> bool {
        self.0 >> 16 == (nth << 17 | 1 << 16) >> 16
    }

    /// May be any number below 2^16.
    pub(super) fn frame(self) -> u32 {
        (self.0 & 0xFFFF) as u32
    }
}

/// The value of an in pin's section: what its sender is handing over to it.
///
/// ```text
///  63                                            17  16           1   0
/// +-------------------------------------------------+---------------+---+
/// | which push it will be, modulo 2^47               |     frame     | O |
/// +-------------------------------------------------+---------------+---+
/// ```
/// O (odd): it is being handed over; else it is over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Section(pub(super) u64);

impl Section {
    const ODD: u64 = 1;

    fn begun(nth: u64, frame: u32) -> Self {
        Self(nth << 17 | u64::from(frame & 0xFFFF) << 1 | Self::ODD)
    }

    pub(super) fn over(self) -> Self {
        Self(self.0 & !Self::ODD)
    }

    pub(super) fn is_odd(self) -> bool {
        self.0 & Self::ODD != 0
    }

    /// It is being handed over as the `nth`.
    pub(super) fn is_push(self, nth: u64) -> bool {
        self.is_odd() && self.0 >> 17 == nth & (u64::MAX >> 17)
    }

    /// May be any number below 2^16.
    pub(super) fn frame(self) -> u32 {
        (self.0 >> 1 & 0xFFFF) as u32
    }
}

/// Why a frame was not handed over. Nothing has changed then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unsent {
    /// The sender does not hold it.
    NotHeld,
    /// This in pin holds it already, and can hold it once.
    HeldAlready(Holder),
}

/// An in pin as its sender knows it.
#[derive(Debug)]
struct Receiving {
    holder: Holder,
    /// Frames pushed to it so far.
    pushed: u64,
    /// Its gate as seen before the frame was passed on.
    gate: u64,
}

/// A hand-over that has begun.
#[derive(Clone, Copy, Debug)]
pub(super) struct Begun {
    /// The frame's word before.
    seen: Word,
    /// Who is there, as bits.
    to: u64,
}

impl Receiving {
    fn is_open(&self) -> bool {
        self.gate & CLOSED == 0
    }
}

/// What becomes of the sender's own claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Own {
    /// It ends in the same compare-and-swap.
    Ends,
    /// It stays: others in the sender's process have the frame, too.
    Stays,
}

/// One holder's way to some of those it sends to: it is the only one that sends to them. One at a time for each of them, for
/// one thread at a time.
#[derive(Debug)]
pub(super) struct Giving {
    control: Arc<Control>,
    from: Holder,
    to: Vec<Receiving>,
}

impl Giving {
    /// A sender in the place of the one before it, if there was one: that one has ended, and what it left was recovered.
    /// A stream that had ended goes on.
    pub(super) fn new(control: Arc<Control>, from: Holder, to: impl IntoIterator<Item = Holder>) -> Self {
        let known = |holder: Holder| {
            let pushed = control.tail(holder).load(Ordering::Acquire);
            control.ended(holder).store(0, Ordering::Relaxed);
            Receiving { holder, pushed, gate: CLOSED }
        };
        let to = to.into_iter().map(known).collect();
        Giving { control, from, to }
    }

    /// Hands a frame this holder has to all in pins that are there. Returns how many those are: with none a frame that is
    /// not kept goes home.
    #[inline]
    pub(super) fn hand_over(&mut self, frame: u32, header: &FrameHeader, own: Own) -> Result<u32, Unsent> {
        let begun = self.begin(frame, header)?;
        #[cfg(feature = "wrong-hand-over")]
        if super::wrong::exchanged() {
            return self.push_before_the_swap(frame, header, begun);
        }
        let passed = self.pass_on(frame, begun, own);
        let to = match passed {
            Ok(true) => self.deliver(frame, header),
            _ => 0,
        };
        self.finish();
        passed.map(|_| to)
    }

    /// Looks which in pins are there, and says for each of them which frame is being handed over to it, and as what. Relaxed:
    /// who must know reads it after it has seen what `pass_on` swapped.
    #[inline]
    pub(super) fn begin(&mut self, frame: u32, header: &FrameHeader) -> Result<Begun, Unsent> {
        let control = &self.control;
        let seen = Word(control.word(frame).load(Ordering::Relaxed));
        if !seen.is_held_by(self.from) || seen.is_offered() {
            return Err(Unsent::NotHeld);
        }
        // Nobody else sets an in pin's bit, so one that is clear stays clear. Looked at before anything is written: a
        // frame that is passed on and not pushed is told from one that is still held by this.
        if let Some(held) = self.to.iter().find(|receiving| seen.is_held_by(receiving.holder)) {
            return Err(Unsent::HeldAlready(held.holder));
        }
        let mut to = 0;
        for receiving in &mut self.to {
            let holder = receiving.holder;
            receiving.gate = control.gate(holder).load(Ordering::Acquire);
            if receiving.is_open() {
                to |= holder.bit();
                control.arrival_will_change(holder, receiving.pushed);
                write_header(header, |word| control.header(holder, word));
                control.section(holder).store(Section::begun(receiving.pushed, frame).0, Ordering::Relaxed);
            }
        }
        Ok(Begun { seen, to })
    }

    /// Release: what was pushed is there for who sees the section ended.
    #[inline]
    pub(super) fn finish(&self) {
        for receiving in self.to.iter().filter(|receiving| receiving.is_open()) {
            let section = self.control.section(receiving.holder);
            section.store(Section(section.load(Ordering::Relaxed)).over().0, Ordering::Release);
        }
    }

    /// Says that nothing more will come. Frames that are handed over afterwards come all the same: then the stream goes on.
    pub(super) fn end_stream(&self) {
        for receiving in &self.to {
            // Sequentially consistent, with who stops looking: as for a push.
            self.control.ended(receiving.holder).store(receiving.pushed.wrapping_add(1), Ordering::SeqCst);
            write_then_read();
            self.control.ring(receiving.holder);
        }
    }

    /// Nobody will come to any of the in pins again, as the server says. One that is there may still take.
    pub(super) fn is_given_up(&self) -> bool {
        self.control.are_given_up(self.to.iter().map(|receiving| receiving.holder))
    }

    /// Swaps this holder's bit for the in pins', or adds them to it. `false` where none was there: a frame that is not kept
    /// went home then.
    #[inline]
    pub(super) fn pass_on(&self, frame: u32, begun: Begun, own: Own) -> Result<bool, Unsent> {
        let (control, from) = (&self.control, self.from);
        let Begun { mut seen, to } = begun;
        if to == 0 {
            if own == Own::Ends {
                control.give_back(frame, from);
            }
            return Ok(false);
        }
        let word = control.word(frame);
        // Other holders may give theirs back meanwhile. Sequentially consistent, with the second look at the gates.
        loop {
            let passed = match own {
                Own::Ends => seen.handed(from, to),
                Own::Stays => seen.lent(to),
            };
            match word.compare_exchange(seen.0, passed.0, Ordering::SeqCst, Ordering::Relaxed) {
                Ok(_) => return Ok(true),
                Err(now) => seen = Word(now),
            }
            if !seen.is_held_by(from) {
                return Err(Unsent::NotHeld);
            }
        }
    }

    /// Looks again who is there, takes the frame back from who is not, and pushes it to the others. Returns how many those
    /// are.
    #[inline]
    pub(super) fn deliver(&mut self, frame: u32, header: &FrameHeader) -> u32 {
        let control = &self.control;
        let mut to = 0;
        write_then_read();
        for receiving in self.to.iter_mut().filter(|receiving| receiving.is_open()) {
            let same = control.gate(receiving.holder).load(Ordering::SeqCst) == receiving.gate;
            #[cfg(feature = "wrong-hand-over")]
            let same = same || super::wrong::no_second_look();
            if same {
                push(control, receiving.holder, receiving.pushed, frame, header);
                receiving.pushed = receiving.pushed.wrapping_add(1);
                to += 1;
            } else {
                control.give_back(frame, receiving.holder);
            }
        }
        to
    }

    /// What a hand-over must not do: see [`wrong`](super::wrong).
    #[cfg(feature = "wrong-hand-over")]
    fn push_before_the_swap(&mut self, frame: u32, header: &FrameHeader, begun: Begun) -> Result<u32, Unsent> {
        let (control, from) = (&self.control, self.from);
        for receiving in self.to.iter_mut().filter(|receiving| receiving.is_open()) {
            push(control, receiving.holder, receiving.pushed, frame, header);
            receiving.pushed = receiving.pushed.wrapping_add(1);
        }
        let word = control.word(frame);
        let Begun { mut seen, to } = begun;
        while let Err(now) = word.compare_exchange(seen.0, seen.handed(from, to).0, Ordering::SeqCst, Ordering::Relaxed)
        {
            seen = Word(now);
        }
        self.finish();
        Ok(self.to.iter().filter(|receiving| receiving.is_open()).count() as u32)
    }
}

/// Pushes a frame as the `nth`, and wakes who stopped looking. For an in pin's one sender, and for the server when that one is
/// dead. The in pin took what the place said a round before: a ring has a place for every frame, see [`take`](Taking::take).
///
/// The place is written at once, and not before the swap: who waits looks at it all the time, and every look takes its cache
/// line from who writes.
#[inline]
pub(super) fn push(control: &Control, to: Holder, nth: u64, frame: u32, header: &FrameHeader) {
    write_header(header, |word| control.arrival(to, nth, 1 + word));
    // Release: the header. Sequentially consistent, with who stops looking: it says so before its last look here.
    control.arrival(to, nth, 0).store(Arrival::new(nth, frame).0, Ordering::SeqCst);
    // Relaxed: for the sender after this one, and for the server; both come after this one's end.
    control.tail(to).store(nth.wrapping_add(1), Ordering::Relaxed);
    write_then_read();
    control.ring(to);
}

/// Relaxed: published by what is written after it.
#[inline(always)]
fn write_header<'a>(header: &FrameHeader, place: impl Fn(usize) -> &'a AtomicU64) {
    let words = [
        header.sequence,
        header.presentation_time as u64,
        header.duration as u64,
        header.data_used,
        header.flags.bits().into(),
    ];
    for (nth, word) in words.into_iter().take(HEADER_OF_FRAME_WORDS).enumerate() {
        place(nth).store(word, Ordering::Relaxed);
    }
}

/// Relaxed: after a look at what was written after it.
#[inline(always)]
pub(super) fn read_header<'a>(place: impl Fn(usize) -> &'a AtomicU64) -> FrameHeader {
    let mut words = [0; 5];
    for (nth, word) in words.iter_mut().take(HEADER_OF_FRAME_WORDS).enumerate() {
        *word = place(nth).load(Ordering::Relaxed);
    }
    let [sequence, presentation_time, duration, data_used, flags] = words;
    FrameHeader {
        presentation_time: presentation_time as i64,
        duration: duration as i64,
        sequence,
        data_used,
        flags: FrameFlags::from_bits_retain(flags as u32),
    }
}

/// A frame that arrived: the in pin holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Arrived {
    pub(super) frame: u32,
    pub(super) header: FrameHeader,
}

/// What a ring says that cannot be: a frame that is not the pool's, or that the in pin does not hold. It was passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Nonsense;

/// Why waiting ended without a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unreceived {
    TimedOut,
    /// It was told to stop, and nothing is left that had arrived.
    Stopped,
    /// The stream has ended, and nothing is left of it.
    Ended,
    Nonsense,
}

/// The end of one in pin's ring. One at a time, for one thread at a time.
#[derive(Debug)]
pub(super) struct Taking {
    control: Arc<Control>,
    in_pin: Holder,
    taken: u64,
}

impl Taking {
    /// The receiver behind a gate that was just opened: it gets what is sent from then on.
    pub(super) fn new(control: Arc<Control>, in_pin: Holder) -> Self {
        let taken = control.head(in_pin).load(Ordering::Acquire);
        Taking { control, in_pin, taken }
    }

    /// The next frame, if one has arrived.
    ///
    /// A place is written again when there were as many pushes as frames since; then a frame of those was pushed twice, so
    /// this one gave it back in between, and that was after it read this place.
    #[inline]
    pub(super) fn take(&mut self) -> Result<Option<Arrived>, Nonsense> {
        let control = &self.control;
        let arrival = Arrival::read(control, self.in_pin, self.taken);
        if !arrival.is_push(self.taken) {
            return Ok(None);
        }
        let frame = arrival.frame();
        let is_one = frame < control.frames();
        if is_one {
            control.word_will_change(frame);
        }
        let header = read_header(|word| control.arrival(self.in_pin, self.taken, 1 + word));
        self.taken = self.taken.wrapping_add(1);
        control.head(self.in_pin).store(self.taken, Ordering::Relaxed);
        if is_one && Word(control.word(frame).load(Ordering::Relaxed)).is_held_by(self.in_pin) {
            Ok(Some(Arrived { frame, header }))
        } else {
            Err(Nonsense)
        }
    }

    fn is_empty(&self) -> bool {
        // As in `ring`: sequentially consistent, after the bell was written.
        let arrival = Arrival(self.control.arrival(self.in_pin, self.taken, 0).load(Ordering::SeqCst));
        !arrival.is_push(self.taken)
    }

    /// All that was sent before the end of the stream was taken. Sequentially consistent, after the bell was written, as
    /// for a push. The word counts what was pushed, so nothing can be between the two.
    pub(super) fn has_ended(&self) -> bool {
        self.control.ended(self.in_pin).load(Ordering::SeqCst) == self.taken.wrapping_add(1)
    }

    /// The sender is in the middle of handing a frame over to this in pin.
    pub(super) fn is_being_sent(&self) -> bool {
        Section(self.control.section(self.in_pin).load(Ordering::Acquire)).is_odd()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.control.gate(self.in_pin).load(Ordering::SeqCst) & CLOSED != 0
    }

    /// The next frame; sleeps until one arrives, at most for the time given, or until `stop` says so. Who changes what
    /// `stop` answers rings the bell afterwards.
    pub(super) fn wait(&mut self, timeout: Option<Duration>, stop: impl Fn() -> bool) -> Result<Arrived, Unreceived> {
        let mut patience = Patience::new();
        let mut deadline = None;
        loop {
            match self.take() {
                Ok(Some(arrived)) => return Ok(arrived),
                Ok(None) => {}
                Err(Nonsense) => return Err(Unreceived::Nonsense),
            }
            if self.has_ended() {
                return Err(Unreceived::Ended);
            }
            if self.is_closed() || stop() {
                return Err(Unreceived::Stopped);
            }
            if patience.spin() {
                continue;
            }
            let left = match timeout {
                None => None,
                Some(timeout) => {
                    let now = Instant::now();
                    let deadline = *deadline.get_or_insert_with(|| now.checked_add(timeout));
                    deadline.map(|deadline| deadline.saturating_duration_since(now))
                }
            };
            if left == Some(Duration::ZERO) {
                return Err(Unreceived::TimedOut);
            }
            let bell = self.control.bell(self.in_pin);
            bell.store(ASLEEP, Ordering::SeqCst);
            write_then_read();
            if self.is_empty() && !self.has_ended() && !self.is_closed() && !stop() {
                self.control.sleep(bell, ASLEEP, left);
            }
            bell.store(0, Ordering::Relaxed);
        }
    }

    /// Asks for the event when the next frame arrives. `false` where it need not be waited for: one has arrived, or none
    /// will.
    pub(super) fn arm(&self, stop: impl Fn() -> bool) -> bool {
        let bell = self.control.bell(self.in_pin);
        bell.store(ARMED, Ordering::SeqCst);
        write_then_read();
        let waits = self.is_empty() && !self.has_ended() && !self.is_closed() && !stop();
        if !waits {
            bell.store(0, Ordering::Relaxed);
        }
        waits
    }
}
