//! [`Held`]: somebody else's object, with the one reference a pin has to it.

use core::mem::ManuallyDrop;
use ks::KsPeekOperation;
use std::sync::Arc;
use windows_core::Interface;

/// One counted reference to a foreign object, shared. Copying this calls nothing foreign, so it may be done under a
/// lock; the object's `Release` is called when the last copy goes, which is to be outside every lock.
pub(super) struct Held<I: Interface>(Arc<Counted<I>>);

struct Counted<I>(I);

// SAFETY: the interfaces pins hold (allocators, pins, filters) are for any thread, as DirectShow requires of them.
unsafe impl<I> Send for Counted<I> {}
// SAFETY: as above.
unsafe impl<I> Sync for Counted<I> {}

impl<I: Interface> Held<I> {
    /// Takes a reference. Not under a lock.
    pub(super) fn new(interface: &I) -> Self {
        Self(Arc::new(Counted(interface.clone())))
    }

    /// The interface, for as long as `self` is kept.
    pub(super) fn get(&self) -> &I {
        &self.0.0
    }

    /// What a getter with a `KSPEEKOPERATION` answers: with a reference of the caller's if it asked for one (any
    /// other value asks for none), else lent. Not under a lock.
    pub(super) fn peek(&self, operation: KsPeekOperation) -> ManuallyDrop<I> {
        if operation == KsPeekOperation::ADD_REF { ManuallyDrop::new(self.get().clone()) } else { self.lend() }
    }

    /// The pointer without a reference.
    pub(super) fn lend(&self) -> ManuallyDrop<I> {
        // SAFETY: the pointer is an interface's. It is never dropped here, so no reference is given up that was not
        // taken.
        ManuallyDrop::new(unsafe { I::from_raw(self.get().as_raw()) })
    }
}

impl<I: Interface> Clone for Held<I> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}
