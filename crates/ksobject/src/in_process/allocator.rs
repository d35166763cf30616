//! The allocator object behind a handle (`KsCreateDefaultAllocator`): methods, status and events over its frames.

use super::events::{Events, Notification};
use super::frames::Frames;
use super::object::{Item, KsObject, Set, Verb};
use super::pending::{FrameOutcome, PendingFrame, Waiting};
use super::request::{Requested, Started, answer};
use crate::lock::{Lock, lock};
use crate::object_access::DeviceError;
use ks::{
    KSEVENT_STREAMALLOCATOR_FREEFRAME, KSEVENTSETID_StreamAllocator, KSMETHOD_STREAMALLOCATOR_ALLOC,
    KSMETHOD_STREAMALLOCATOR_FREE, KSMETHODSETID_StreamAllocator, KSPROPERTY_STREAMALLOCATOR_STATUS,
    KSPROPSETID_StreamAllocator, KsAllocatorFraming, KsEventType, KsMethodType, KsPropertyType,
    KsStreamAllocatorStatus, NtStatus,
};
use std::collections::VecDeque;
use std::sync::Arc;
use zerocopy::{FromBytes, IntoBytes};

/// An allocator object.
///
/// While requests wait no frame is free: one that comes home goes to the first of them. So whoever comes later, by
/// whichever way, waits behind them or gets none.
#[derive(Debug)]
pub(super) struct StreamAllocator(Lock<State>);

#[derive(Debug)]
struct State {
    frames: Frames,
    /// First come, first served (statement 137).
    waiting: VecDeque<Arc<Waiting>>,
    events: Events,
    /// The last handle is closed.
    ended: bool,
}

/// The function table is not here: it is the kernel's alone (statement 143), and
/// [`AllocatorFunctions`](crate::AllocatorFunctions) is the kernel side of this process.
const PROPERTIES: &[Set] = &[Set {
    guid: KSPROPSETID_StreamAllocator,
    items: &[Item { id: KSPROPERTY_STREAMALLOCATOR_STATUS, types: KsPropertyType::GET.bits() }],
}];
const METHODS: &[Set] = &[Set {
    guid: KSMETHODSETID_StreamAllocator,
    items: &[
        Item { id: KSMETHOD_STREAMALLOCATOR_ALLOC, types: KsMethodType::WRITE.bits() },
        Item { id: KSMETHOD_STREAMALLOCATOR_FREE, types: KsMethodType::READ.bits() },
    ],
}];
/// The internal event is not here: it is for the system's own use.
const EVENTS: &[Set] = &[Set {
    guid: KSEVENTSETID_StreamAllocator,
    items: &[Item {
        id: KSEVENT_STREAMALLOCATOR_FREEFRAME,
        types: KsEventType::ENABLE.union(KsEventType::ONESHOT).bits(),
    }],
}];

impl StreamAllocator {
    /// An allocator with this framing, which is valid.
    pub(super) fn new(framing: KsAllocatorFraming) -> Result<Self, NtStatus> {
        let frames = Frames::new(framing)?;
        let state = State { frames, waiting: VecDeque::new(), events: Events::default(), ended: false };
        Ok(Self(Lock::new(state)))
    }

    /// The status (statement 140).
    pub(super) fn status(&self) -> KsStreamAllocatorStatus {
        let state = lock(&self.0);
        let frames = &state.frames;
        KsStreamAllocatorStatus { framing: frames.framing(), allocated_frames: frames.allocated(), reserved: 0 }
    }

    /// Whether the memory is of the kind that the framing's pool type names.
    pub(super) fn has_memory_as_promised(&self) -> bool {
        lock(&self.0).frames.as_promised()
    }

    /// Takes a frame at once, or fails (statement 144).
    pub(super) fn allocate(&self) -> FrameOutcome {
        let mut state = lock(&self.0);
        state.check()?;
        if !state.waiting.is_empty() {
            return Err(NtStatus::STATUS_INSUFFICIENT_RESOURCES);
        }
        state.frames.take()?.ok_or(NtStatus::STATUS_INSUFFICIENT_RESOURCES)
    }

    /// Takes a frame at once, or a place in the queue (statements 135, 137).
    fn allocate_or_wait(&self) -> Result<FrameOrPlace, NtStatus> {
        let mut state = lock(&self.0);
        state.check()?;
        if state.waiting.is_empty() {
            match state.frames.take() {
                Ok(Some(frame)) => return Ok(FrameOrPlace::Frame(frame)),
                // No memory for more frames, and none that could come home.
                Err(status) if state.frames.allocated() == 0 => return Err(status),
                Ok(None) | Err(_) => {}
            }
        }
        let waiting = Arc::new(Waiting::new()?);
        state.waiting.try_reserve(1).map_err(|_| NtStatus::STATUS_INSUFFICIENT_RESOURCES)?;
        state.waiting.push_back(waiting.clone());
        Ok(FrameOrPlace::Place(waiting))
    }

    /// Takes a frame back, or hands it to the first that waits (statement 136), and tells who enabled the event: also
    /// where it was handed on.
    pub(super) fn free(&self, frame: usize) -> Result<(), NtStatus> {
        let (served, fired) = {
            let mut state = lock(&self.0);
            state.check()?;
            if !state.frames.is_out(frame) {
                return Err(NtStatus::STATUS_INVALID_PARAMETER);
            }
            let served = state.waiting.pop_front();
            match &served {
                Some(waiting) => waiting.end(Ok(frame)),
                None => state.frames.give_back(frame),
            }
            (served, state.events.fire())
        };
        if let Some(waiting) = served {
            waiting.wake();
        }
        fired.iter().for_each(|notification| notification.signal());
        Ok(())
    }

    /// Takes one that waits out of the queue (statement 138). Nothing where it has ended.
    pub(super) fn cancel(&self, waiting: &Arc<Waiting>) {
        {
            let mut state = lock(&self.0);
            let Some(place) = state.waiting.iter().position(|other| Arc::ptr_eq(other, waiting)) else { return };
            state.waiting.remove(place);
            waiting.end(Err(NtStatus::STATUS_CANCELLED));
        }
        waiting.wake();
    }

    /// The last handle is closed: all that wait end, events are disabled, nothing more is given out (statements 139,
    /// 147). Frames that are out stay memory until the object itself is gone.
    pub(super) fn end_requests(&self) {
        let (cancelled, disabled) = {
            let mut state = lock(&self.0);
            state.ended = true;
            let cancelled = std::mem::take(&mut state.waiting);
            cancelled.iter().for_each(|waiting| waiting.end(Err(NtStatus::STATUS_CANCELLED)));
            (cancelled, state.events.disable(None))
        };
        cancelled.iter().for_each(|waiting| waiting.wake());
        drop(disabled);
    }
}

impl State {
    fn check(&self) -> Result<(), NtStatus> {
        if self.ended { Err(NtStatus::STATUS_INVALID_HANDLE) } else { Ok(()) }
    }
}

enum FrameOrPlace {
    Frame(usize),
    Place(Arc<Waiting>),
}

/// The pointer in a method's data.
fn pointer(data: &[u8]) -> Result<usize, DeviceError> {
    match usize::read_from_prefix(data) {
        Ok((pointer, _)) => Ok(pointer),
        Err(_) => Err(DeviceError { returned: size_of::<usize>(), ..NtStatus::STATUS_BUFFER_TOO_SMALL.into() }),
    }
}

impl KsObject for StreamAllocator {
    fn sets(&self, verb: Verb) -> &'static [Set] {
        match verb {
            Verb::Property => PROPERTIES,
            Verb::Method => METHODS,
            Verb::Event => EVENTS,
        }
    }

    fn get_property(&self, _requested: &Requested<'_>, output: &mut [u8]) -> Result<usize, DeviceError> {
        answer(self.status().as_bytes(), output)
    }

    fn start_method(self: Arc<Self>, requested: &Requested<'_>, data: &mut [u8]) -> Result<Started, DeviceError> {
        // Both have a pointer; a buffer without room for it takes no frame.
        let frame = pointer(data)?;
        if requested.id == KSMETHOD_STREAMALLOCATOR_FREE {
            self.free(frame)?;
            return Ok(Started::Done(0));
        }
        match self.allocate_or_wait()? {
            FrameOrPlace::Frame(frame) => answer(frame.as_bytes(), data).map(Started::Done),
            FrameOrPlace::Place(waiting) => Ok(Started::Pending(PendingFrame::new(self, waiting))),
        }
    }

    fn enable_event(&self, requested: &Requested<'_>, key: usize, data: &[u8]) -> Result<(), DeviceError> {
        let notification = Notification::parse(data)?;
        let once = requested.types & KsEventType::ONESHOT.bits() != 0;
        let mut state = lock(&self.0);
        state.check()?;
        Ok(state.events.enable(key, once, notification)?)
    }

    fn disable_event(&self, key: Option<usize>) -> Result<(), DeviceError> {
        let disabled = lock(&self.0).events.disable(key);
        // Nothing to disable is no error where all were meant.
        if disabled.is_empty() && key.is_some() { Err(NtStatus::STATUS_NOT_FOUND.into()) } else { Ok(()) }
    }

    fn end(&self) {
        self.end_requests();
    }
}
