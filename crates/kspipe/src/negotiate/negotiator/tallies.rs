//! What the pins of each pipe come to, in chunks, so that a pipe of many pins is tallied again without asking each.

use super::walk::{Moved, Walk};
use crate::graph::PinId;
use crate::negotiate::PipeId;
use crate::negotiate::allocator_choice::{Candidates, Farther};
use crate::negotiate::assemble::PinAsks;
use crate::negotiate::keys::KeyOrder;
use crate::negotiate::pipe_numbers::{NumberAsks, Numbers};

/// As many pins as a chunk has at most.
const CHUNK: usize = 64;

/// Some pins of one pipe.
#[derive(Clone, Debug)]
struct Chunk {
    pins: Vec<PinId>,
    numbers: NumberAsks,
    candidates: Candidates,
    /// The sizes preferred, in order.
    preferred: Vec<u64>,
}

/// How a pin is asked, and how pins stand to one another.
pub(super) trait Asking: Farther {
    fn ask(&self, pin: PinId) -> PinAsks;
    /// The pin's place in the walk through its component.
    fn place(&self, pin: PinId) -> u32;
}

/// The chunks of all pipes.
#[derive(Clone, Debug, Default)]
pub(super) struct Tallies {
    chunks: Vec<Chunk>,
    /// By chunk: the first and the last of its pins' places in the walk through their component
    /// ([`Walk`](super::walk::Walk)).
    spans: Vec<(u32, u32)>,
    free: Vec<u32>,
    /// By pin.
    chunk_of: Vec<u32>,
    /// By pipe.
    pub(super) of_pipe: Vec<Vec<u32>>,
}

impl Tallies {
    pub(super) fn new(pins: usize) -> Self {
        Tallies { chunk_of: vec![0; pins], ..Tallies::default() }
    }

    /// The chunks of these pins, which have none.
    pub(super) fn chunks_of(&mut self, pins: &[PinId], asking: &impl Asking) -> Vec<u32> {
        let mut pins = pins.to_vec();
        pins.sort_unstable_by_key(|pin| asking.place(*pin));
        pins.chunks(CHUNK).map(|pins| self.chunk(pins.to_vec(), asking)).collect()
    }

    fn chunk(&mut self, pins: Vec<PinId>, asking: &impl Asking) -> u32 {
        let chunk =
            Chunk { pins, numbers: NumberAsks::nothing(), candidates: Candidates::default(), preferred: Vec::new() };
        let number = match self.free.pop() {
            Some(number) => {
                self.chunks[number as usize] = chunk;
                number
            }
            None => {
                self.chunks.push(chunk);
                self.spans.push((0, 0));
                self.chunks.len() as u32 - 1
            }
        };
        for pin in &self.chunks[number as usize].pins {
            self.chunk_of[pin.index()] = number;
        }
        self.tally(number, asking);
        number
    }

    /// Gives chunks up.
    pub(super) fn drop_chunks(&mut self, chunks: Vec<u32>) {
        for number in &chunks {
            self.chunks[*number as usize].pins = Vec::new();
        }
        self.free.extend(chunks);
    }

    /// Asks the pins of the chunks in which these pins are.
    pub(super) fn ask_again(&mut self, pins: &[PinId], asking: &impl Asking) {
        let mut chunks: Vec<u32> = pins.iter().map(|pin| self.chunk_of[pin.index()]).collect();
        chunks.sort_unstable();
        chunks.dedup();
        for number in chunks {
            self.tally(number, asking);
        }
    }

    fn tally(&mut self, number: u32, asking: &impl Asking) {
        let chunk = &mut self.chunks[number as usize];
        chunk.numbers = NumberAsks::nothing();
        chunk.candidates = Candidates::default();
        chunk.preferred.clear();
        let (mut first, mut last) = (u32::MAX, 0);
        for pin in &chunk.pins {
            let asked = asking.ask(*pin);
            chunk.numbers.take_in(&asked.numbers);
            chunk.candidates.take_in(&asked.candidates, asking);
            if asked.preferred_size > 0 {
                chunk.preferred.push(asked.preferred_size);
            }
            let place = asking.place(*pin);
            (first, last) = (first.min(place), last.max(place));
        }
        self.spans[number as usize] = (first, last);
        chunk.preferred.sort_unstable();
    }

    /// Pins stand elsewhere in the walk now.
    pub(super) fn moved(&mut self, moved: Moved, walk: &Walk) {
        for (span, chunk) in self.spans.iter_mut().zip(&self.chunks) {
            *span = moved.now(span.0, span.1).unwrap_or_else(|| {
                let places = || chunk.pins.iter().map(|pin| walk.place(*pin));
                (places().min().unwrap_or(0), places().max().unwrap_or(0))
            });
        }
    }

    /// Takes chunks apart: `part_of` says to which of `parts` parts a place in the walk belongs; it is the same for all
    /// places from `first` to `last` where `is_whole(first, last)`.
    pub(super) fn divide(
        &mut self,
        chunks: Vec<u32>,
        parts: usize,
        part_of: impl Fn(u32) -> usize,
        is_whole: impl Fn(u32, u32) -> bool,
        asking: &impl Asking,
    ) -> Vec<Vec<u32>> {
        let mut divided = vec![Vec::new(); parts];
        for number in chunks {
            let (first, last) = self.spans[number as usize];
            if is_whole(first, last) {
                divided[part_of(first)].push(number);
                continue;
            }
            let pins = std::mem::take(&mut self.chunks[number as usize].pins);
            self.free.push(number);
            let mut apart: Vec<(usize, Vec<PinId>)> = Vec::new();
            for pin in pins {
                let part = part_of(asking.place(pin));
                match apart.iter_mut().find(|(other, _)| *other == part) {
                    Some((_, pins)) => pins.push(pin),
                    None => apart.push((part, vec![pin])),
                }
            }
            for (part, pins) in apart {
                let chunk = self.chunk(pins, asking);
                divided[part].push(chunk);
            }
        }
        divided
    }

    /// The chunks of one pipe, made of so many pins; fewer and fuller ones where there are far more than it needs.
    pub(super) fn settled(&mut self, chunks: Vec<u32>, pins: &[PinId], asking: &impl Asking) -> Vec<u32> {
        if chunks.len() <= 4 + 4 * pins.len().div_ceil(CHUNK) {
            return chunks;
        }
        self.drop_chunks(chunks);
        self.chunks_of(pins, asking)
    }

    /// What the pins of a pipe come to.
    pub(super) fn total(&self, pipe: PipeId, order: &KeyOrder, farther: &impl Farther) -> (Numbers, Candidates) {
        let chunks = || self.of_pipe[pipe.index()].iter().map(|number| &self.chunks[*number as usize]);
        let mut asks = NumberAsks::nothing();
        let mut candidates = Candidates::default();
        for chunk in chunks() {
            asks.take_in(&chunk.numbers);
            candidates.take_in(&chunk.candidates, farther);
        }
        let most = asks.largest_size();
        let granted = chunks().filter_map(|chunk| {
            let fitting = chunk.preferred.partition_point(|size| *size <= most);
            chunk.preferred[..fitting].last().copied()
        });
        (asks.numbers(order, granted.max().unwrap_or(0)), candidates)
    }
}
