//! Handles: what a program in C has of this library's objects. They are numbers in the guise of pointers and are looked up,
//! never followed, so that one that is null, was closed, is of another kind or never was one is told apart.
#![forbid(unsafe_code)]

use crate::lock::{Lock, lock};
use std::sync::Arc;

/// Bits that tell kinds of handles apart. They are never all zero, so that no handle is null.
const KIND_BITS: u32 = 3;
/// Bits of an object's place: 16 million objects of a kind at a time, 4096 where pointers have 32 bits.
const PLACE_BITS: u32 = if usize::BITS >= 64 { 24 } else { 12 };
/// The rest counts how often the place was given. A handle that was closed can be taken for another only when its place was
/// given 2^37 times since, 2^17 where pointers have 32 bits.
const GENERATION_BITS: u32 = usize::BITS - KIND_BITS - PLACE_BITS;

/// The objects of one kind to which there are handles.
pub(super) struct Handles<T> {
    kind: usize,
    places: Lock<Places<T>>,
}

struct Places<T> {
    all: Vec<Place<T>>,
    free: Vec<usize>,
}

struct Place<T> {
    generation: usize,
    object: Option<Arc<T>>,
}

impl<T> Handles<T> {
    /// Of a kind from 1 to 7, each of one table.
    pub(super) const fn new(kind: usize) -> Self {
        assert!(kind > 0 && kind < 1 << KIND_BITS);
        Self { kind, places: Lock::new(Places { all: Vec::new(), free: Vec::new() }) }
    }

    /// A new handle; `None` where there are as many as can be.
    pub(super) fn open(&self, object: T) -> Option<usize> {
        let object = Some(Arc::new(object));
        let mut places = lock(&self.places);
        let place = match places.free.pop() {
            Some(place) => place,
            None if places.all.len() < 1 << PLACE_BITS => {
                places.all.push(Place { generation: 0, object: None });
                places.all.len() - 1
            }
            None => return None,
        };
        let entry = &mut places.all[place];
        entry.object = object;
        Some(self.kind | place << KIND_BITS | entry.generation << (KIND_BITS + PLACE_BITS))
    }

    /// A handle's object, which lives as long as somebody has it, though its handle is closed.
    pub(super) fn get(&self, handle: usize) -> Option<Arc<T>> {
        lock(&self.places).entry(self.kind, handle).and_then(|entry| entry.object.clone())
    }

    /// Closes a handle. Its object is the caller's, to be dropped where no lock is held.
    pub(super) fn close(&self, handle: usize) -> Option<Arc<T>> {
        let mut places = lock(&self.places);
        let entry = places.entry(self.kind, handle)?;
        let object = entry.object.take()?;
        entry.generation = (entry.generation + 1) & ((1 << GENERATION_BITS) - 1);
        places.free.push(place_of(handle));
        Some(object)
    }
}

impl<T> Places<T> {
    /// A handle's place, where it is of this kind and the place was not given again.
    fn entry(&mut self, kind: usize, handle: usize) -> Option<&mut Place<T>> {
        if handle & ((1 << KIND_BITS) - 1) != kind {
            return None;
        }
        let entry = self.all.get_mut(place_of(handle))?;
        (entry.generation == handle >> (KIND_BITS + PLACE_BITS)).then_some(entry)
    }
}

fn place_of(handle: usize) -> usize {
    handle >> KIND_BITS & ((1 << PLACE_BITS) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn a_handle_leads_to_its_object_until_it_is_closed() {
        let handles = Handles::new(1);
        let (one, two) = (handles.open("one").unwrap(), handles.open("two").unwrap());
        assert_eq!((handles.get(one).as_deref(), handles.get(two).as_deref()), (Some(&"one"), Some(&"two")));
        assert_eq!(handles.close(one).as_deref(), Some(&"one"));
        assert_eq!((handles.get(one), handles.close(one)), (None, None));
        assert_eq!(handles.get(two).as_deref(), Some(&"two"));
    }

    #[test]
    fn a_closed_handle_is_none_though_its_place_is_given_again() {
        let handles = Handles::new(7);
        let mut seen = HashSet::new();
        for number in 0..1000 {
            let handle = handles.open(number).unwrap();
            assert_ne!(handle, 0);
            assert!(seen.insert(handle), "{handle:#x} was given twice");
            assert!(handles.close(handle).is_some());
        }
        assert!(seen.into_iter().all(|handle| handles.get(handle).is_none()));
        assert_eq!(lock(&handles.places).all.len(), 1, "the place was used again");
    }

    #[test]
    fn what_never_was_a_handle_of_the_kind_is_none() {
        let (handles, others) = (Handles::new(1), Handles::new(2));
        let (handle, other) = (handles.open(()).unwrap(), others.open(()).unwrap());
        assert!(handles.get(other).is_none() && others.get(handle).is_none());
        for wrong in (0..usize::BITS).map(|bit| handle ^ (1 << bit)).chain([0, usize::MAX]) {
            assert!(handles.get(wrong).is_none() && handles.close(wrong).is_none(), "{wrong:#x}");
        }
        assert!(handles.get(handle).is_some());
    }

    #[test]
    fn an_object_lives_as_long_as_a_call_has_it() {
        let handles = Handles::new(1);
        let handle = handles.open(7).unwrap();
        let in_use = handles.get(handle).unwrap();
        drop(handles.close(handle));
        assert_eq!(*in_use, 7);
    }

    #[test]
    fn threads_open_and_close_beside_each_other() {
        let handles = Handles::new(1);
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let handles = &handles;
                scope.spawn(move || {
                    for number in 0..500 {
                        let handle = handles.open((thread, number)).unwrap();
                        assert_eq!(handles.get(handle).as_deref(), Some(&(thread, number)));
                        assert!(handles.close(handle).is_some());
                    }
                });
            }
        });
        let places = lock(&handles.places);
        assert_eq!(places.free.len(), places.all.len());
    }
}
