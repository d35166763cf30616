//! Who sleeps until something comes that is not there: how a server sees that nobody can move, without asking anybody.
//!
//! Who waits says so in a word of its own before it sleeps, and whoever has something for it changes that word before it wakes
//! it. So one that is asleep by its words, with nothing there for it, does nothing until another one does something.
//!
//! The words are not read in one moment. But whatever is done to a frame, and every wait that begins, raises a counter among
//! them. So of **two equal readings, one after the other**, nothing was done from the first's end to the second's beginning:
//! there is a moment, for all pools that were read twice, at which all of it was so at once.

use super::bell::ASLEEP;
use super::control::Control;
use super::handover::{CLOSED, Section};
use super::waiting::Cell;
use super::word::{Holder, Word};
use std::sync::atomic::Ordering;

/// What somebody sleeps for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SleepsFor {
    /// An acquirer, for a free frame: none is.
    FreeFrame,
    /// An in pin, for the next frame: none is on the way.
    NextFrame,
}

/// A pool as it was read, and who slept in vain. Two readings that are equal, one after the other, say that at a moment
/// between them all of it was so at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standstill {
    words: Vec<u64>,
    sleepers: Vec<(Holder, SleepsFor)>,
}

impl Standstill {
    pub(super) fn read(control: &Control) -> Self {
        let mut words = moves(control);
        let mut frames = words.iter().take(control.frames() as usize).map(|word| Word(*word));
        let one_is_there = frames.any(|word| word.is_free() || word.is_offered());
        let mut sleepers = Vec::new();
        for holder in control.holders() {
            // Cell and bell first: who sleeps anew is seen with all that it did before. A cell has its ticket, too.
            let read = [
                control.gate(holder),
                control.waiter(holder),
                control.bell(holder),
                control.head(holder),
                control.tail(holder),
                control.section(holder),
                control.ended(holder),
                control.waited(holder),
            ]
            .map(|word| word.load(Ordering::SeqCst));
            let [gate, cell, bell, head, tail, section, ended, _] = read;
            words.extend(read);
            let nothing_comes = head == tail && ended != head.wrapping_add(1) && !Section(section).is_odd();
            let sleeps_for = match holder.is_in_pin() {
                _ if gate & CLOSED != 0 => None,
                true => (bell & ASLEEP != 0 && nothing_comes).then_some(SleepsFor::NextFrame),
                false => (Cell(cell).is_asleep() && !one_is_there).then_some(SleepsFor::FreeFrame),
            };
            sleepers.extend(sleeps_for.map(|what| (holder, what)));
        }
        Standstill { words, sleepers }
    }

    /// What a holder sleeps for in vain; `None`: it does not.
    pub fn sleeper(&self, holder: Holder) -> Option<SleepsFor> {
        self.sleepers.iter().find(|(of, _)| *of == holder).map(|(_, what)| *what)
    }
}

/// What changes with every frame that moves: the frames' words first.
pub(super) fn moves(control: &Control) -> Vec<u64> {
    let frames = (0..control.frames()).map(|frame| control.word(frame));
    let counters =
        control.holders().flat_map(|holder| [control.head(holder), control.tail(holder), control.acquired(holder)]);
    frames.chain(counters).map(|word| word.load(Ordering::SeqCst)).collect()
}
