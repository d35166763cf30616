//! Who holds which frame since when, read from the control words from time to time: nothing is written for it on the way
//! of a frame.

use super::control::Control;
use super::handover::CLOSED;
use super::standstill::moves;
use super::waiting::Cell;
use super::word::{Holder, Word};
use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// A frame that somebody holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeldEntry {
    /// The frame's index.
    pub frame: u32,
    /// The first reading that found it with this holder, in this use of the frame.
    pub since: Instant,
}

/// What one holder has and did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HolderEntry {
    /// Who.
    pub holder: Holder,
    /// Somebody is behind the number.
    pub admitted: bool,
    /// Its frames, oldest first; those that wait in its ring included.
    pub held: Vec<HeldEntry>,
    /// How many it said that it keeps at once.
    pub holds: Option<u32>,
    /// Frames that were sent to it and it has not taken yet.
    pub arriving: u64,
    /// Frames it took, since the pool was made; of an acquirer: those it acquired.
    pub taken: u64,
    /// Acquisitions that had to wait, since the pool was made.
    pub waits: u64,
    /// It waits for a free frame now.
    pub waiting: bool,
    /// The first reading that found it in this wait, with nothing granted to it.
    pub waiting_since: Option<Instant>,
}

impl HolderEntry {
    /// How many more frames it has taken and kept than it said; 0 where it did not say. Those in its ring do not count.
    pub fn overdraft(&self) -> u32 {
        let kept = (self.held.len() as u64).saturating_sub(self.arriving);
        let over = kept.saturating_sub(self.holds.map_or(u64::MAX, u64::from));
        u32::try_from(over).unwrap_or(u32::MAX)
    }

    /// How long it has had its oldest frame.
    pub fn oldest(&self, now: Instant) -> Option<Duration> {
        self.held.first().map(|held| now.saturating_duration_since(held.since))
    }
}

/// Who held what at one reading. The words were not read in one moment: a frame that moved meanwhile may stand with both
/// its holders, or with none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ledger {
    /// Frames of the pool.
    pub frames: u32,
    /// Those that nobody holds.
    pub free: u32,
    /// The most frames that were out at once at any reading; at least 1 where any was acquired.
    pub peak: u32,
    /// The first reading that found every frame where it is: since then none was acquired, handed over, taken or given back.
    pub still_since: Instant,
    /// Every holder there is, in pins first.
    pub holders: Vec<HolderEntry>,
}

/// What earlier readings found.
#[derive(Debug, Default)]
pub(super) struct Sightings {
    /// By frame and holder: the use of the frame, and when it was first seen.
    first: HashMap<(u32, Holder), (u32, Instant)>,
    holds: HashMap<Holder, u32>,
    peak: u32,
    /// Where everything was, and when that was first seen.
    still: Option<(Vec<u64>, Instant)>,
    /// By holder that waits: which of its waits, and when it was first seen.
    waits: HashMap<Holder, (u64, Instant)>,
}

impl Sightings {
    pub(super) fn declare(&mut self, holder: Holder, holds: Option<u32>) {
        match holds {
            Some(holds) => self.holds.insert(holder, holds),
            None => self.holds.remove(&holder),
        };
    }

    pub(super) fn scan(&mut self, control: &Control, now: Instant) -> Ledger {
        let read = moves(control);
        let words: Vec<Word> = read.iter().take(control.frames() as usize).copied().map(Word).collect();
        let still = self.still.take().filter(|(before, _)| *before == read).map_or(now, |(_, since)| since);
        self.still = Some((read, still));
        let free = words.iter().filter(|word| word.holders() == 0).count() as u32;
        // One that came and went between two readings was out, too.
        let was_any = control.holders().any(|holder| control.acquired(holder).load(Ordering::Relaxed) > 0);
        self.peak = self.peak.max(control.frames() - free).max(u32::from(was_any));
        let mut seen = HashMap::new();
        for (frame, word) in (0..).zip(&words) {
            for holder in control.holders().filter(|holder| word.is_held_by(*holder)) {
                let known = self.first.get(&(frame, holder)).filter(|(use_of, _)| *use_of == word.generation());
                seen.insert((frame, holder), known.copied().unwrap_or((word.generation(), now)));
            }
        }
        self.first = seen;
        let holders = control.holders().map(|holder| self.entry(control, holder, now)).collect();
        Ledger { frames: control.frames(), free, peak: self.peak, still_since: still, holders }
    }

    /// Since when a holder waits, if it does.
    fn wait(&mut self, control: &Control, holder: Holder, now: Instant) -> Option<Instant> {
        let waits = Cell(control.waiter(holder).load(Ordering::Relaxed)).waits();
        let nth = control.waited(holder).load(Ordering::Relaxed);
        let since = self.waits.get(&holder).filter(|(before, _)| *before == nth).map_or(now, |(_, since)| *since);
        if waits {
            self.waits.insert(holder, (nth, since));
        } else {
            self.waits.remove(&holder);
        }
        waits.then_some(since)
    }

    fn entry(&mut self, control: &Control, holder: Holder, now: Instant) -> HolderEntry {
        let waiting_since = self.wait(control, holder, now);
        let of_holder = self.first.iter().filter(|((_, held_by), _)| *held_by == holder);
        let mut held: Vec<_> =
            of_holder.map(|((frame, _), (_, since))| HeldEntry { frame: *frame, since: *since }).collect();
        held.sort_by_key(|held| (held.since, held.frame));
        let head = control.head(holder).load(Ordering::Relaxed);
        let arriving = control.tail(holder).load(Ordering::Relaxed).wrapping_sub(head);
        HolderEntry {
            holder,
            admitted: control.gate(holder).load(Ordering::Relaxed) & CLOSED == 0,
            // A ring holds each frame once. More: the two words were not read in one moment.
            arriving: arriving.min(held.len() as u64),
            held,
            holds: self.holds.get(&holder).copied(),
            taken: if holder.is_in_pin() { head } else { control.acquired(holder).load(Ordering::Relaxed) },
            waits: control.waited(holder).load(Ordering::Relaxed),
            waiting: control.waiting().load(Ordering::Relaxed) & holder.bit() != 0,
            waiting_since,
        }
    }
}
