//! The way out of a filter by one out pin.

use super::hub::{FilterIndex, Hub, QueueIndex};
use super::pool::Held;
use super::queue::Item;
use super::statistics::Counters;
use crate::allocator::FrameHeader;
use crate::graph::PinId;
use crate::stream::filters::FilterError;
use std::time::Instant;

/// How frames come to an out pin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::stream) enum Way {
    /// The frame that came in goes out.
    Same,
    /// A new frame of this pipe is written. `counts`: where that changes nothing but the place, it is a copy of a frame
    /// and counted as one.
    New {
        /// The out pin's pipe.
        pipe: usize,
        /// The plan chose to copy.
        counts: bool,
    },
}

/// Where frames go from an out pin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::stream) enum To {
    /// Home: it is not connected.
    Home,
    /// To the filter behind this queue.
    Queue(QueueIndex),
    /// To other processes, by this one of [`HubParts::doors`](super::HubParts::doors): for so many out pins that send on the
    /// same frames, of which this is the one that does it.
    Door {
        /// Which.
        door: usize,
        /// How many.
        pins: u64,
    },
}

/// An out pin.
#[derive(Debug)]
pub(in crate::stream) struct Outlet {
    pub(in crate::stream) pin: PinId,
    pub(in crate::stream) way: Way,
    /// Whose frames go out, by the filter's in pins; 0 at a source.
    pub(in crate::stream) from: usize,
    pub(in crate::stream) to: To,
    /// The pipe of the in pin there, where the connection is a bridge.
    pub(in crate::stream) bridge: Option<usize>,
}

impl Outlet {
    /// Puts a filter's out pins in the order in which a frame is sent to them: those that get a copy; those that get
    /// this very frame and hand it on at once; those at whose bridge a free frame is waited for.
    pub(in crate::stream) fn order(outlets: &mut [Outlet]) {
        outlets.sort_by_key(|outlet| match outlet.way {
            Way::New { .. } => 0,
            Way::Same if outlet.bridge.is_none() => 1,
            Way::Same => 2,
        });
    }

    /// Sends a frame; false where nobody takes frames there any more. Waits only at a bridge, for a frame beyond it;
    /// `keeps`: frames the filter has meanwhile, beside this one.
    pub(super) fn send(
        &self,
        hub: &Hub,
        filter: FilterIndex,
        counters: &Counters,
        mut item: Item,
        keeps: usize,
    ) -> Result<bool, FilterError> {
        counters.frames_out.add(if let To::Door { pins, .. } = self.to { pins } else { 1 });
        if self.to == To::Home {
            return Ok(true);
        }
        if let Some(pipe) = self.bridge {
            let beyond = hub.acquire(filter, (pipe, self.pin), keeps + 1, None)?;
            item.frame = copied(hub, &item.frame, beyond)?;
        }
        item.arrived = Instant::now();
        let (pipe, bytes) = (item.frame.pool().pipe, item.frame.data().len());
        let (taken, times) = match self.to {
            To::Home => (true, 0),
            To::Queue(to) => {
                let taken = hub.parts.queues[to].push(item);
                (taken, u32::from(taken))
            }
            // An in pin that nobody has yet, or any more, is no reason to end, if somebody may come.
            To::Door { door, .. } => {
                let door = &hub.parts.doors[door];
                let times = door.hand_over(pipe, item.frame)?;
                (times > 0 || !door.is_over(), times)
            }
        };
        for _ in 0..times {
            hub.parts.totals.delivered(pipe, bytes, self.bridge.is_some());
        }
        Ok(taken)
    }

    /// Nothing more will be sent.
    pub(super) fn end(&self, hub: &Hub) {
        match self.to {
            To::Home => {}
            To::Queue(to) => hub.parts.queues[to].end(),
            To::Door { door, .. } => hub.parts.doors[door].end(),
        }
    }
}

/// `new` with the data and the header of `frame`; counted as a copy.
pub(super) fn copied(hub: &Hub, frame: &Held, new: Held) -> Result<Held, FilterError> {
    let data = frame.data();
    let new = written(new, data.len(), frame, |target| {
        target.copy_from_slice(data);
        Ok(())
    })?;
    hub.parts.totals.copied(data.len());
    Ok(new)
}

/// `new` with `bytes` bytes that `write` writes, and the header of `from` with as much data used.
pub(super) fn written(
    mut new: Held,
    bytes: usize,
    from: &Held,
    write: impl FnOnce(&mut [u8]) -> Result<(), FilterError>,
) -> Result<Held, FilterError> {
    let pipe = new.pool().pipe;
    let frame = new.exclusive().ok_or(FilterError::SharedFrame { pipe })?;
    let size = frame.len() as u64;
    let target = frame.get_mut(..bytes).ok_or(FilterError::FrameTooSmall { pipe, bytes: bytes as u64, size })?;
    write(target)?;
    new.set_header(FrameHeader { data_used: bytes as u64, ..from.header() });
    Ok(new)
}
