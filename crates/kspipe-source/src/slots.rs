//! What initialisers and assignments put where in a structure.

use crate::evaluate::{Value, guid_of_words};
use crate::integer::Integer;
use crate::text::Place;
use crate::unknown::{Cause, Unknown};
use std::collections::BTreeMap;

/// Values by their offset.
#[derive(Clone, Debug, Default)]
pub(crate) struct Slots {
    values: BTreeMap<u64, Slot>,
    /// Stretches of which nothing is known, in the order they were stated.
    unknown: Vec<(u64, u64, Unknown)>,
}

#[derive(Clone, Debug)]
struct Slot {
    size: u64,
    value: Result<Value, Unknown>,
    place: Place,
}

impl Slots {
    pub(crate) fn set(&mut self, offset: u64, size: u64, value: Result<Value, Unknown>, place: Place) {
        self.values.insert(offset, Slot { size, value, place });
    }

    pub(crate) fn set_unknown(&mut self, offset: u64, size: u64, unknown: Unknown) {
        let end = offset.saturating_add(size);
        self.clear(offset, size);
        self.unknown.push((offset, end, unknown));
    }

    /// What was stated before of these bytes does not count any more.
    pub(crate) fn clear(&mut self, offset: u64, size: u64) {
        let end = offset.saturating_add(size);
        let gone: Vec<u64> = self.values.range(offset..end).map(|(offset, _)| *offset).collect();
        for offset in gone {
            self.values.remove(&offset);
        }
        self.unknown.retain(|(start, stop, _)| *start < offset || *stop > end);
    }

    /// Where what is stated from `base` on ends.
    pub(crate) fn end(&self, base: u64) -> u64 {
        let stated = self.values.range(base..).next_back().map_or(base, |(offset, slot)| offset + slot.size);
        stated.max(base)
    }

    fn hidden(&self, offset: u64) -> Option<(Result<Value, Unknown>, Place)> {
        let (.., unknown) = self.unknown.iter().rev().find(|(start, end, _)| (*start..*end).contains(&offset))?;
        Some((Err(unknown.clone()), unknown.place))
    }

    /// Four bytes.
    pub(crate) fn word(&self, offset: u64) -> Option<(Result<Value, Unknown>, Place)> {
        match self.values.get(&offset) {
            Some(slot) => Some((slot.value.clone(), slot.place)),
            None => self.hidden(offset),
        }
    }

    /// Sixteen bytes: one value, or the eleven numbers of a GUID.
    pub(crate) fn guid(&self, offset: u64) -> Option<(Result<Value, Unknown>, Place)> {
        if let Some(slot) = self.values.get(&offset)
            && slot.size == 16
        {
            return Some((slot.value.clone(), slot.place));
        }
        let parts: Vec<_> = self.values.range(offset..offset + 16).collect();
        let (first, last) = match (parts.first(), parts.last()) {
            (Some((_, first)), Some((_, last))) => (first.place, last.place),
            _ => return self.hidden(offset),
        };
        let place = first.to(last);
        let mut words = Vec::new();
        for at in [0, 4, 6].into_iter().chain(8..16) {
            match self.values.get(&(offset + at)).map(|slot| &slot.value) {
                Some(Ok(Value::Integer(integer))) => {
                    let bits = match at {
                        0 => 32,
                        4 | 6 => 16,
                        _ => 8,
                    };
                    words.push(integer.value & ((1i128 << bits) - 1));
                }
                Some(Ok(Value::Guid(_))) => {}
                Some(Err(unknown)) => return Some((Err(unknown.clone()), place)),
                None => words.push(0),
            }
        }
        let guid = guid_of_words(&words).map(Value::Guid);
        Some((guid.ok_or_else(|| Unknown::new(Cause::NotRead, place, "these numbers are no GUID")), place))
    }

    /// A number in place of none, where memory is known to be cleared.
    pub(crate) fn zero(size: u64, place: Place) -> Self {
        let mut slots = Self::default();
        let mut offset = 0;
        while offset < size {
            slots.set(offset, 4, Ok(Value::Integer(Integer::int(0))), place);
            offset += 4;
        }
        slots
    }
}
