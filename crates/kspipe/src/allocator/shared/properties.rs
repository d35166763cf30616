//! What a shared pool is: its frames, who sends to whom, and the words at the start of the control memory that say so.

use super::super::properties::{AllocatorProperties, CommitError, Layout};
use super::control::Control;
use super::layout::{Dimensions, HEADER_WORDS, MOST_FRAMES};
use super::word::Holder;
use std::sync::atomic::Ordering;

/// Who writes into the frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum WrittenBy {
    /// Whoever has a frame and got the memory to be written: acquirers, and filters that change frames in place.
    #[default]
    Participants,
    /// The process that created the pool, alone: the frames' memory is sealed against every writable mapping after its own
    /// (`F_SEAL_FUTURE_WRITE`), whoever has the descriptor.
    Creator,
}

/// What a shared pool is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SharedPoolProperties {
    /// Count, size, alignment and prefix of the frames. At most 65,536 frames.
    pub frames: AllocatorProperties,
    /// For each in pin, in the order of [`Holder::in_pin`], the holder that sends to it: another in pin, or an acquirer.
    /// At most 32.
    pub senders: Vec<Holder>,
    /// The number of acquirers, 1 to 8.
    pub acquirers: u32,
    /// A file for each frame, so that who is sent a frame sees nothing of it before, and nothing of the others. Takes a
    /// descriptor and a mapping for each frame.
    pub isolate: bool,
    /// Who writes into the frames.
    pub written_by: WrittenBy,
    /// Touch every page of the frames at creation, so that the first frames do not pay for it. Otherwise a page that the
    /// system cannot give kills who touches it first.
    pub prefault: bool,
}

/// Why there can be no such pool.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PropertiesError {
    /// Not 1 to 65,536 frames.
    #[error("{0} frames cannot be shared by processes: 1 to {MOST_FRAMES} can")]
    Frames(u32),
    /// More than 32 in pins.
    #[error(
        "{0} in pins of processes of their own cannot share a pool: {most} can; give some of them a pool of their own \
         behind a bridge, or run them in one process", most = Holder::MOST_IN_PINS
    )]
    InPins(usize),
    /// Not 1 to 8 acquirers.
    #[error("{0} acquirers cannot share a pool: 1 to {most} can", most = Holder::MOST_ACQUIRERS)]
    Acquirers(u32),
    /// There is no such holder, or no frame ever comes to it.
    #[error("{in_pin} is sent to by {sender}, which no acquirer sends frames to")]
    Sender {
        /// The in pin.
        in_pin: Holder,
        /// What stands for its sender.
        sender: Holder,
    },
    /// The frames' size, count or alignment.
    #[error(transparent)]
    Memory(#[from] CommitError),
    /// The alignment is not a power of two.
    #[error("an alignment of {0} bytes is not a power of two")]
    Alignment(u64),
}

/// What all pools have in their first word: `KSPIPE` and the two letters of this kind of memory, the first letter in the
/// lowest byte.
pub(super) const MAGIC: u64 = u64::from_le_bytes(*b"KSPIPESP");
/// The layout of the control memory. Another layout has another number.
pub(super) const LAYOUT_VERSION: u64 = 1;

const ISOLATED: u64 = 1;
const WRITTEN_BY_CREATOR: u64 = 2;
/// The first of 32 words: the sender of each in pin.
const SENDERS: usize = 16;
const _: () = assert!(cfg!(loom) || SENDERS + Holder::MOST_IN_PINS as usize <= HEADER_WORDS);

/// Why a header is not one of a pool: the word that is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BadWord {
    pub(super) place: usize,
    pub(super) value: u64,
}

impl SharedPoolProperties {
    pub(super) fn dimensions(&self) -> Dimensions {
        let in_pins = u32::try_from(self.senders.len()).unwrap_or(u32::MAX);
        Dimensions { frames: self.frames.frames, in_pins, acquirers: self.acquirers }
    }

    /// The holders: in pins, then acquirers.
    pub fn holders(&self) -> impl Iterator<Item = Holder> + Clone + use<> {
        self.dimensions().holders()
    }

    /// Who sends to an in pin. `None` for an acquirer, and for who is not a holder of this pool.
    pub fn sender_of(&self, holder: Holder) -> Option<Holder> {
        if holder.is_in_pin() { self.senders.get(holder.place() as usize).copied() } else { None }
    }

    /// The in pins a holder sends to.
    pub fn receivers_of(&self, sender: Holder) -> impl Iterator<Item = Holder> + '_ {
        let of = move |(place, from): (u32, &Holder)| if *from == sender { Holder::in_pin(place) } else { None };
        (0..).zip(&self.senders).filter_map(of)
    }

    /// With the size raised so that prefix and size together are a multiple of the alignment, as for an
    /// [`Allocator`](crate::allocator::Allocator).
    pub(super) fn checked(mut self) -> Result<Self, PropertiesError> {
        if !self.frames.alignment.is_power_of_two() {
            return Err(PropertiesError::Alignment(self.frames.alignment));
        }
        if self.frames.size != 0 {
            self.frames = self.frames.rounded();
        }
        self.check()?;
        Ok(self)
    }

    fn check(&self) -> Result<Layout, PropertiesError> {
        let layout = self.frames.layout()?;
        if !(1..=MOST_FRAMES).contains(&self.frames.frames) {
            return Err(PropertiesError::Frames(self.frames.frames));
        }
        if self.senders.len() > Holder::MOST_IN_PINS as usize {
            return Err(PropertiesError::InPins(self.senders.len()));
        }
        if !(1..=Holder::MOST_ACQUIRERS).contains(&self.acquirers) {
            return Err(PropertiesError::Acquirers(self.acquirers));
        }
        for in_pin in self.holders().filter(|holder| holder.is_in_pin()) {
            // No way up is longer than there are in pins, unless it goes round.
            let up = std::iter::successors(Some(in_pin), |holder| self.sender_of(*holder)).take(self.senders.len() + 1);
            let first = up.last().filter(|first| !first.is_in_pin() && first.place() < self.acquirers);
            if let (None, Some(sender)) = (first, self.sender_of(in_pin)) {
                return Err(PropertiesError::Sender { in_pin, sender });
            }
        }
        Ok(layout)
    }

    /// How one file of frames is laid out: all frames', or one's where they are isolated.
    pub(super) fn file_layout(&self) -> Result<Layout, CommitError> {
        let frames = if self.isolate { 1 } else { self.frames.frames };
        AllocatorProperties { frames, ..self.frames }.layout()
    }

    fn words(&self, layout: Layout) -> [u64; HEADER_WORDS] {
        let flags = if self.isolate { ISOLATED } else { 0 }
            | if self.written_by == WrittenBy::Creator { WRITTEN_BY_CREATOR } else { 0 };
        let mut words = [0; HEADER_WORDS];
        let fixed = [
            MAGIC,
            LAYOUT_VERSION,
            self.frames.frames.into(),
            self.senders.len() as u64,
            self.acquirers.into(),
            self.dimensions().places() as u64,
            layout.slot as u64,
            self.frames.prefix,
            self.frames.size,
            self.frames.alignment,
            flags,
        ];
        words[..fixed.len()].copy_from_slice(&fixed);
        for (word, sender) in words[SENDERS..].iter_mut().zip(&self.senders) {
            *word = sender.number().into();
        }
        words
    }

    /// Writes the header: before anybody else has the memory.
    pub(super) fn write(&self, control: &Control) -> Result<(), CommitError> {
        for (place, word) in self.words(self.file_layout()?).into_iter().enumerate() {
            control.region.at(place).store(word, Ordering::Relaxed);
        }
        Ok(())
    }

    /// What header words say, if they are one's: each was read once, and all are checked before any is used.
    pub(super) fn read(words: &[u64; HEADER_WORDS]) -> Result<Self, BadWord> {
        let bad = |place: usize| BadWord { place, value: words[place] };
        let narrow = |place: usize| u32::try_from(words[place]).map_err(|_| bad(place));
        if words[0] != MAGIC {
            return Err(bad(0));
        }
        if words[1] != LAYOUT_VERSION {
            return Err(bad(1));
        }
        let in_pins = narrow(3)?;
        if in_pins > Holder::MOST_IN_PINS {
            return Err(bad(3));
        }
        if words[10] & !(ISOLATED | WRITTEN_BY_CREATOR) != 0 {
            return Err(bad(10));
        }
        let sender = |place: usize| narrow(place).and_then(|number| Holder::new(number).ok_or(bad(place)));
        let properties = SharedPoolProperties {
            frames: AllocatorProperties { frames: narrow(2)?, prefix: words[7], size: words[8], alignment: words[9] },
            senders: (SENDERS..SENDERS + in_pins as usize).map(sender).collect::<Result<_, _>>()?,
            acquirers: narrow(4)?,
            isolate: words[10] & ISOLATED != 0,
            written_by: if words[10] & WRITTEN_BY_CREATOR != 0 { WrittenBy::Creator } else { WrittenBy::Participants },
            prefault: false,
        };
        let layout = match properties.clone().checked() {
            Ok(checked) if checked != properties => return Err(bad(8)),
            Ok(_) => properties.file_layout().map_err(|_| bad(8))?,
            Err(PropertiesError::Frames(_)) => return Err(bad(2)),
            Err(PropertiesError::Acquirers(_)) => return Err(bad(4)),
            Err(PropertiesError::InPins(_)) => return Err(bad(3)),
            Err(PropertiesError::Sender { in_pin, .. }) => return Err(bad(SENDERS + in_pin.place() as usize)),
            Err(PropertiesError::Memory(_)) => return Err(bad(8)),
            Err(PropertiesError::Alignment(_)) => return Err(bad(9)),
        };
        // What is left follows from the rest: the places of a ring, the length of a slot, and words that are 0.
        match (0..).zip(words).zip(properties.words(layout)).find(|((_, is), should)| **is != *should) {
            Some(((place, _), _)) => Err(bad(place)),
            None => Ok(properties),
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn properties() -> SharedPoolProperties {
        SharedPoolProperties {
            frames: AllocatorProperties { frames: 4, size: 100, alignment: 64, prefix: 28 },
            senders: vec![Holder::acquirer(0).unwrap(), Holder::in_pin(0).unwrap()],
            acquirers: 2,
            isolate: true,
            ..SharedPoolProperties::default()
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let properties = properties().checked().unwrap();
        let words = properties.words(properties.file_layout().unwrap());
        assert_eq!(SharedPoolProperties::read(&words), Ok(properties));
    }

    #[test]
    fn every_word_of_the_header_is_checked() {
        let properties = properties().checked().unwrap();
        let words = properties.words(properties.file_layout().unwrap());
        for place in 0..HEADER_WORDS {
            for value in [0, 1, 2, 3, 33, 40, 1 << 20, 1 << 32, u64::MAX] {
                let mut changed = words;
                changed[place] = value;
                match SharedPoolProperties::read(&changed) {
                    // Either it is what it was, or another pool's whole and consistent header.
                    Ok(read) => assert_eq!(read.words(read.file_layout().unwrap()), changed, "{place} {value}"),
                    Err(bad) => assert_eq!(bad.value, changed[bad.place]),
                }
            }
        }
    }

    #[test]
    fn pools_past_the_limits_are_refused_by_name() {
        let refused = |change: &dyn Fn(&mut SharedPoolProperties)| {
            let mut properties = properties();
            change(&mut properties);
            properties.checked().unwrap_err()
        };
        let acquirer = Holder::acquirer(0).unwrap();
        let in_pin = |place| Holder::in_pin(place).unwrap();
        assert_eq!(refused(&|p| p.senders = vec![acquirer; 33]), PropertiesError::InPins(33));
        assert_eq!(refused(&|p| p.acquirers = 9), PropertiesError::Acquirers(9));
        assert_eq!(refused(&|p| p.acquirers = 0), PropertiesError::Acquirers(0));
        assert_eq!(refused(&|p| p.frames.frames = 65_537), PropertiesError::Frames(65_537));
        assert_eq!(refused(&|p| p.frames.alignment = 3), PropertiesError::Alignment(3));
        assert!(matches!(refused(&|p| p.frames.size = 0), PropertiesError::Memory(CommitError::NotSet { .. })));
        let wrong = |in_pin, sender| PropertiesError::Sender { in_pin, sender };
        assert_eq!(refused(&|p| p.senders = vec![in_pin(0)]), wrong(in_pin(0), in_pin(0)));
        assert_eq!(refused(&|p| p.senders = vec![in_pin(1), in_pin(0)]), wrong(in_pin(0), in_pin(1)));
        assert_eq!(refused(&|p| p.senders = vec![in_pin(7)]), wrong(in_pin(0), in_pin(7)));
        let none = Holder::acquirer(5).unwrap();
        assert_eq!(refused(&|p| p.senders = vec![none]), wrong(in_pin(0), none));
        assert!(refused(&|p| p.senders = vec![acquirer; 33]).to_string().starts_with("33 in pins of processes"));
    }

    #[test]
    fn receivers_are_found_by_their_sender() {
        let properties = properties();
        let of =
            |holder: Option<Holder>| properties.receivers_of(holder.unwrap()).map(Holder::place).collect::<Vec<_>>();
        assert_eq!(of(Holder::acquirer(0)), [0]);
        assert_eq!(of(Holder::in_pin(0)), [1]);
        assert_eq!(of(Holder::acquirer(1)), [0; 0]);
    }
}
