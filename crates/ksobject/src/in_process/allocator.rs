//! The allocator object behind a handle (`KsCreateDefaultAllocator`): methods, status and events over its frames.

use super::client::{Client, FrameMemory, Owner};
use super::events::{EventKey, Events, Notification};
use super::failure::Failure;
use super::frames::Frames;
use super::object::{Item, KsObject, Set, Verb};
use super::pending::{FrameOutcome, PendingFrame, Waiting};
use super::request::{Requested, Started, answer};
use crate::lock::{Lock, lock};
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
pub(crate) struct StreamAllocator(Lock<State>);

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
const PROPERTIES: &[Set] = &[Set::of(
    KSPROPSETID_StreamAllocator,
    &[Item { id: KSPROPERTY_STREAMALLOCATOR_STATUS, types: KsPropertyType::GET.bits() }],
)];
const METHODS: &[Set] = &[Set::of(
    KSMETHODSETID_StreamAllocator,
    &[
        Item { id: KSMETHOD_STREAMALLOCATOR_ALLOC, types: KsMethodType::WRITE.bits() },
        Item { id: KSMETHOD_STREAMALLOCATOR_FREE, types: KsMethodType::READ.bits() },
    ],
)];
/// The internal event is not here: it is for the system's own use.
const EVENTS: &[Set] = &[Set::of(
    KSEVENTSETID_StreamAllocator,
    &[Item { id: KSEVENT_STREAMALLOCATOR_FREEFRAME, types: KsEventType::ENABLE.union(KsEventType::ONESHOT).bits() }],
)];

impl StreamAllocator {
    /// An allocator with this framing, which is valid, whose frames take their memory of this.
    pub(crate) fn new(framing: KsAllocatorFraming, memory: FrameMemory) -> Result<Self, NtStatus> {
        let frames = Frames::new(framing, memory)?;
        let state = State { frames, waiting: VecDeque::new(), events: Events::default(), ended: false };
        Ok(Self(Lock::new(state)))
    }

    /// The status (statement 140).
    pub(crate) fn status(&self) -> KsStreamAllocatorStatus {
        let state = lock(&self.0);
        let frames = &state.frames;
        KsStreamAllocatorStatus { framing: frames.framing(), allocated_frames: frames.allocated(), reserved: 0 }
    }

    /// Whether the memory is of the kind that the framing's pool type names.
    pub(crate) fn has_memory_as_promised(&self) -> bool {
        lock(&self.0).frames.as_promised()
    }

    /// Takes a frame at once, or fails (statement 144).
    pub(crate) fn allocate(&self) -> FrameOutcome {
        let mut state = lock(&self.0);
        state.check()?;
        if !state.waiting.is_empty() {
            return Err(NtStatus::STATUS_INSUFFICIENT_RESOURCES);
        }
        state.frames.take()?.ok_or(NtStatus::STATUS_INSUFFICIENT_RESOURCES)
    }

    /// Takes a frame at once, or a place in the queue (statements 135, 137).
    fn allocate_or_wait(&self, client: &dyn Client) -> Result<FrameOrPlace, NtStatus> {
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
        let waiting = Arc::new(Waiting::new(client.wake()?));
        state.waiting.try_reserve(1).map_err(|_| NtStatus::STATUS_INSUFFICIENT_RESOURCES)?;
        state.waiting.push_back(waiting.clone());
        Ok(FrameOrPlace::Place(waiting))
    }

    /// Takes a frame back, or hands it to the first that waits (statement 136), and tells who enabled the event: also
    /// where it was handed on.
    pub(crate) fn free(&self, frame: usize) -> Result<(), NtStatus> {
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
    pub(crate) fn cancel(&self, waiting: &Arc<Waiting>) {
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
    pub(crate) fn end_requests(&self) {
        let (cancelled, disabled) = {
            let mut state = lock(&self.0);
            state.ended = true;
            let cancelled = std::mem::take(&mut state.waiting);
            cancelled.iter().for_each(|waiting| waiting.end(Err(NtStatus::STATUS_CANCELLED)));
            (cancelled, std::mem::take(&mut state.events))
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
fn pointer(data: &[u8]) -> Result<usize, Failure> {
    match usize::read_from_prefix(data) {
        Ok((pointer, _)) => Ok(pointer),
        Err(_) => Err(Failure { returned: size_of::<usize>(), ..NtStatus::STATUS_BUFFER_TOO_SMALL.into() }),
    }
}

impl KsObject for StreamAllocator {
    fn sets(&self, verb: Verb) -> &[Set] {
        match verb {
            Verb::Property => PROPERTIES,
            Verb::Method => METHODS,
            Verb::Event => EVENTS,
        }
    }

    fn get_property(
        &self,
        _requested: &Requested<'_>,
        output: &mut [u8],
        _client: &dyn Client,
    ) -> Result<usize, Failure> {
        answer(self.status().as_bytes(), output)
    }

    fn start_method(
        self: Arc<Self>,
        requested: &Requested<'_>,
        data: &mut [u8],
        client: &dyn Client,
    ) -> Result<Started, Failure> {
        // Both have a pointer; a buffer without room for it takes no frame.
        let pointer = pointer(data)?;
        if requested.id == KSMETHOD_STREAMALLOCATOR_FREE {
            self.free(client.give_back(pointer)?)?;
            return Ok(Started::Done(0));
        }
        client.may_take()?;
        match self.allocate_or_wait(client)? {
            FrameOrPlace::Frame(frame) => answer(client.take(frame).as_bytes(), data).map(Started::Done),
            FrameOrPlace::Place(waiting) => Ok(Started::Pending(PendingFrame::new(self, waiting))),
        }
    }

    fn enable_event(&self, requested: &Requested<'_>, data: &[u8], client: &dyn Client) -> Result<(), Failure> {
        let notification = Notification::parse(data, client)?;
        let key = EventKey { owner: client.owner(), address: client.event_key(data) };
        let once = requested.types & KsEventType::ONESHOT.bits() != 0;
        let mut state = lock(&self.0);
        state.check()?;
        Ok(state.events.enable(key, once, notification)?)
    }

    fn disable_event(&self, owner: Owner, address: Option<usize>) -> Result<usize, Failure> {
        let disabled = lock(&self.0).events.disable(owner, address);
        Ok(disabled.len())
    }

    fn end(&self) {
        self.end_requests();
    }
}
