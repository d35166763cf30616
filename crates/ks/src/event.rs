//! How an event notifies: `KSEVENTDATA`.

use crate::{Native, PointerWidth};

flags! {
    /// `KSEVENTF_*`: `KSEVENTDATA.NotificationType`, one of them.
    EventNotification {
        /// An event's handle is signalled.
        EVENT_HANDLE = 0x01, KSEVENTF_EVENT_HANDLE;
        /// A semaphore's handle is released.
        SEMAPHORE_HANDLE = 0x02, KSEVENTF_SEMAPHORE_HANDLE;
        /// Kernel mode only: an event object is signalled.
        EVENT_OBJECT = 0x04, KSEVENTF_EVENT_OBJECT;
        /// Kernel mode only: a semaphore object is released.
        SEMAPHORE_OBJECT = 0x08, KSEVENTF_SEMAPHORE_OBJECT;
        /// Kernel mode only: a deferred procedure call is queued.
        DPC = 0x10, KSEVENTF_DPC;
        /// Kernel mode only: a work item is queued.
        WORKITEM = 0x20, KSEVENTF_WORKITEM;
        /// Kernel mode only: a work item is queued to a KS worker.
        KSWORKITEM = 0x80, KSEVENTF_KSWORKITEM;
    }
}

/// `KSEVENTDATA`: how an event notifies whoever enabled it.
///
/// Its second part is a union, three words wide, which the accessors read and write. Kernel builds have more arms;
/// none is larger.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct KsEventDataFor<P: PointerWidth> {
    /// `NotificationType`: which arm of the union holds.
    pub notification_type: EventNotification,
    /// The union's first word, in every arm a handle or pointer.
    pub handle: P::Pointer,
    /// The union's other words.
    pub words: [P::Word; 2],
}

/// [`KsEventDataFor`] this program.
pub type KsEventData = KsEventDataFor<Native>;

/// The arm `SemaphoreHandle` of `KSEVENTDATA`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct KsEventSemaphoreHandleFor<P: PointerWidth> {
    /// `Semaphore`: the semaphore's handle.
    pub semaphore: P::Pointer,
    /// `Reserved`: 0.
    pub reserved: u32,
    /// `Adjustment`: by how much it is released.
    pub adjustment: i32,
}

/// The arm `EventHandle` of `KSEVENTDATA`; the arm `Alignment` has the same layout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct KsEventHandleFor<P: PointerWidth> {
    /// `Event`: the event's handle.
    pub event: P::Pointer,
    /// `Reserved`: 0.
    pub reserved: [P::Word; 2],
}

impl<P: PointerWidth> KsEventDataFor<P> {
    /// To signal an event's handle.
    pub fn from_event_handle(arm: KsEventHandleFor<P>) -> Self {
        Self { notification_type: EventNotification::EVENT_HANDLE, handle: arm.event, words: arm.reserved }
    }
    /// To release a semaphore's handle.
    pub fn from_semaphore_handle(arm: KsEventSemaphoreHandleFor<P>) -> Self {
        Self {
            notification_type: EventNotification::SEMAPHORE_HANDLE,
            handle: arm.semaphore,
            words: P::from_halves(arm.reserved, arm.adjustment),
        }
    }
    /// The union read as `EventHandle`.
    pub fn event_handle(&self) -> KsEventHandleFor<P> {
        KsEventHandleFor { event: self.handle, reserved: self.words }
    }
    /// The union read as `SemaphoreHandle`.
    pub fn semaphore_handle(&self) -> KsEventSemaphoreHandleFor<P> {
        let (reserved, adjustment) = P::halves(self.words);
        KsEventSemaphoreHandleFor { semaphore: self.handle, reserved, adjustment }
    }
}

assert_layout_by_width!(KsEventDataFor: 32 | 16, 8 | 4 { notification_type: 0 | 0, handle: 8 | 4, words: 16 | 8 });
assert_layout_by_width!(KsEventHandleFor: 24 | 12, 8 | 4 { event: 0 | 0, reserved: 8 | 4 });
assert_layout_by_width!(KsEventSemaphoreHandleFor: 16 | 12, 8 | 4 {
    semaphore: 0 | 0, reserved: 8 | 4, adjustment: 12 | 8,
});
