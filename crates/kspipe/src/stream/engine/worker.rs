//! The thread of one filter.

use super::hub::{FilterIndex, Hub, QueueIndex};
use super::outlet::{Outlet, Way, copied, written};
use super::queue::Item;
use super::statistics::{Counters, Times};
use crate::allocator::{AcquireError, FrameFlags, FrameHeader};
use crate::stream::filters::{Converter, FilterError, Modifier, Role, Sink, Source};
use crate::stream::format::MediaFormat;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// When sources end, other than by themselves.
#[derive(Clone, Copy, Debug)]
pub(in crate::stream) struct Limits {
    /// After so many frames.
    pub(in crate::stream) frames: Option<u64>,
    /// At this time, looked at before each frame.
    pub(in crate::stream) deadline: Option<Instant>,
    /// Frames are made at their rate, counted from here.
    pub(in crate::stream) paced_from: Option<Instant>,
}

/// One filter of a running graph.
pub(in crate::stream) struct Worker {
    pub(in crate::stream) hub: Arc<Hub>,
    pub(in crate::stream) filter: FilterIndex,
    pub(in crate::stream) counters: Arc<Counters>,
    /// Before its in pins that are connected, in the order of their names.
    pub(in crate::stream) queues: Vec<QueueIndex>,
    pub(in crate::stream) outlets: Vec<Outlet>,
    /// Bytes of a picture that goes out, where the filter makes one.
    pub(in crate::stream) out_bytes: usize,
    pub(in crate::stream) limits: Limits,
}

/// What is left of a filter that has ended.
pub(in crate::stream) struct Done {
    pub(in crate::stream) latency: Times,
    /// Of sinks.
    pub(in crate::stream) end_to_end: Option<Times>,
    pub(in crate::stream) digest: Option<String>,
    pub(in crate::stream) error: Option<String>,
}

impl Worker {
    /// Runs the filter to its end, whatever that is. Every frame it had has gone on or home by then.
    pub(in crate::stream) fn run(self, role: Role) -> Done {
        let end_to_end = matches!(role, Role::Sink(_)).then(Times::new);
        let mut done = Done { latency: Times::new(), end_to_end, digest: None, error: None };
        // What the filter had is dropped on the way out of a panic, so nothing broken is looked at afterwards.
        let result = catch_unwind(AssertUnwindSafe(|| self.play(role, &mut done)));
        let result = result.unwrap_or_else(|panic| Err(FilterError::Panicked { message: panic_message(&*panic) }));
        match result {
            Ok(()) => {}
            // Somebody decommitted an allocator: that ends the run, and whoever did it knows why.
            Err(FilterError::Stopped | FilterError::ReaderGone { .. })
            | Err(FilterError::Acquire { source: AcquireError::NotCommitted, .. }) => self.hub.stopped_early(),
            Err(error) => {
                let message = error.to_string();
                self.hub.failed(self.filter, &error);
                done.error = Some(message);
            }
        }
        done
    }

    fn play(&self, role: Role, done: &mut Done) -> Result<(), FilterError> {
        let times = &mut done.latency;
        match role {
            Role::Source(source) => self.make(source, times),
            Role::Modifier(modifier) => self.modify(modifier, times),
            Role::Converter(converter) => self.convert(converter, times),
            Role::Relay { keep } => self.relay(keep as usize, times),
            Role::Join => self.join(times),
            Role::Sink(sink) => self.consume(sink, done),
        }
    }

    /// A source: acquires frames, fills them, sends them.
    fn make(&self, mut source: Box<dyn Source>, times: &mut Times) -> Result<(), FilterError> {
        // A source has one out pin (`prepare` sees to it), whose frames are new ones.
        let Some(outlet @ Outlet { way: Way::New { pipe, .. }, .. }) = self.outlets.first() else { return Ok(()) };
        let format = source.format();
        let mut number = 0u64;
        let mut made = 0u64;
        while self.limits.frames.is_none_or(|frames| made < frames) {
            if !self.pace(&format, number)? {
                break;
            }
            let mut frame = match self.hub.acquire(self.filter, (*pipe, outlet.pin), 0, self.limits.deadline) {
                Err(FilterError::Acquire { source: AcquireError::TimedOut, .. }) => break,
                frame => frame?,
            };
            let born = Instant::now();
            if self.hub.is_stopping() {
                return Err(FilterError::Stopped);
            }
            if source.is_live() {
                let missed = self.missed(&format, number, born);
                self.hub.parts.totals.drops.add(missed);
                number = number.saturating_add(missed);
            }
            let pool_pipe = frame.pool().pipe;
            let exclusive = frame.exclusive().ok_or(FilterError::SharedFrame { pipe: pool_pipe })?;
            let (bytes, size) = (self.out_bytes as u64, exclusive.len() as u64);
            let picture = exclusive.get_mut(..self.out_bytes).ok_or(FilterError::FrameTooSmall {
                pipe: pool_pipe,
                bytes,
                size,
            })?;
            if !source.fill(picture, number)? {
                break;
            }
            frame.set_header(header(&format, number, bytes));
            self.hub.parts.totals.source_frames.add(1);
            self.counters.bytes.add(bytes);
            let item = Item { frame, born, arrived: born };
            let taken = outlet.send(&self.hub, self.filter, &self.counters, item, 0)?;
            times.record(born.elapsed());
            if !taken {
                break;
            }
            number = number.saturating_add(1);
            made += 1;
        }
        Ok(())
    }

    /// Waits until the picture is due, where the run is paced; false where the run's time is over before.
    fn pace(&self, format: &MediaFormat, number: u64) -> Result<bool, FilterError> {
        let Limits { deadline, paced_from, .. } = self.limits;
        if let Some(start) = paced_from {
            let due = start.checked_add(units(format.time_of(number))).or(deadline);
            if let Some(then) = due.into_iter().chain(deadline).min() {
                self.hub.wait_until(then);
            }
        }
        if self.hub.is_stopping() {
            return Err(FilterError::Stopped);
        }
        Ok(deadline.is_none_or(|deadline| Instant::now() < deadline))
    }

    /// How many pictures, from `number` on, are over already, where the run is paced.
    fn missed(&self, format: &MediaFormat, number: u64, now: Instant) -> u64 {
        let Some(start) = self.limits.paced_from else { return 0 };
        let elapsed = u64::try_from(now.saturating_duration_since(start).as_nanos() / 100).unwrap_or(u64::MAX);
        format.frame_at(elapsed).saturating_sub(number)
    }

    /// A transform that keeps the size: in place, or into a new frame.
    fn modify(&self, mut modifier: Box<dyn Modifier>, times: &mut Times) -> Result<(), FilterError> {
        // A transform has one out pin (`prepare` sees to it).
        let (Some(outlet), Some(queue)) = (self.outlets.first(), self.queues.first()) else { return Ok(()) };
        while let Some(mut item) = self.next(*queue, 0)? {
            let arrived = item.arrived;
            match outlet.way {
                Way::Same => {
                    let pipe = item.frame.pool().pipe;
                    let used = item.frame.data().len();
                    let frame = item.frame.exclusive().ok_or(FilterError::SharedFrame { pipe })?;
                    modifier.modify(&mut frame[..used]);
                }
                Way::New { pipe, counts } => {
                    let new = self.hub.acquire(self.filter, (pipe, outlet.pin), 1, None)?;
                    let data = item.frame.data();
                    let new = written(new, data.len(), &item.frame, |target| {
                        modifier.modify_into(data, target);
                        Ok(())
                    })?;
                    if counts {
                        self.hub.parts.totals.copied(data.len());
                    }
                    // The old frame goes home before the new one goes on: nobody waits longer than needed.
                    item.frame = new;
                }
            }
            let taken = outlet.send(&self.hub, self.filter, &self.counters, item, 0)?;
            times.record(arrived.elapsed());
            if !taken {
                break;
            }
        }
        Ok(())
    }

    /// A transform that changes the size: always into a new frame.
    fn convert(&self, mut converter: Box<dyn Converter>, times: &mut Times) -> Result<(), FilterError> {
        let Some(outlet @ Outlet { way: Way::New { pipe, .. }, .. }) = self.outlets.first() else { return Ok(()) };
        let Some(queue) = self.queues.first() else { return Ok(()) };
        while let Some(Item { frame, born, arrived }) = self.next(*queue, 0)? {
            let new = self.hub.acquire(self.filter, (*pipe, outlet.pin), 1, None)?;
            let new = written(new, self.out_bytes, &frame, |target| converter.convert(frame.data(), target))?;
            drop(frame);
            let taken = outlet.send(&self.hub, self.filter, &self.counters, Item { frame: new, born, arrived }, 0)?;
            times.record(arrived.elapsed());
            if !taken {
                break;
            }
        }
        Ok(())
    }

    /// A tee, or a filter that keeps frames back.
    fn relay(&self, keep: usize, times: &mut Times) -> Result<(), FilterError> {
        let Some(queue) = self.queues.first() else { return Ok(()) };
        let mut kept = VecDeque::new();
        let mut taken = Vec::with_capacity(1);
        while let Some(item) = self.next(*queue, kept.len())? {
            kept.push_back(item);
            if kept.len() > keep {
                taken.push(kept.pop_front());
                if !self.forward(&mut taken, kept.len(), times)? {
                    return Ok(());
                }
            }
        }
        while let Some(item) = kept.pop_front() {
            taken.push(Some(item));
            if !self.forward(&mut taken, kept.len(), times)? {
                break;
            }
        }
        Ok(())
    }

    /// A filter that waits for a frame of each in pin. Ends where one of them has no more.
    fn join(&self, times: &mut Times) -> Result<(), FilterError> {
        let mut taken = Vec::with_capacity(self.queues.len());
        loop {
            for queue in &self.queues {
                let Some(item) = self.next(*queue, taken.len())? else { return Ok(()) };
                taken.push(Some(item));
            }
            if taken.is_empty() || !self.forward(&mut taken, 0, times)? {
                return Ok(());
            }
        }
    }

    /// Sends what was taken, a frame of each in pin, to every out pin, and gives back what goes nowhere once all is sent;
    /// false where nobody takes frames any more. `keeps`: frames kept back meanwhile, beside these.
    fn forward(&self, taken: &mut Vec<Option<Item>>, keeps: usize, times: &mut Times) -> Result<bool, FilterError> {
        let arrived = taken.iter().flatten().map(|item| item.arrived).min();
        let mut anybody = false;
        // The copies first (`Outlet::order`): then, where only one out pin gets this very frame, nobody else has it, and
        // filters behind that pin may write into it.
        for (index, outlet) in self.outlets.iter().enumerate() {
            let others = keeps + taken.iter().flatten().count();
            let Some(place) = taken.get_mut(outlet.from) else { continue };
            let is_last = !self.outlets[index + 1..].iter().any(|later| later.from == outlet.from);
            let (item, others) = match (outlet.way, is_last) {
                (Way::Same, true) => (place.take(), others.saturating_sub(1)),
                (Way::Same, false) => {
                    let another = |item: &mut Item| Item { frame: item.frame.another(), ..*item };
                    (place.as_mut().map(another), others)
                }
                (Way::New { pipe, .. }, _) => match place {
                    Some(item) => {
                        let new = self.hub.acquire(self.filter, (pipe, outlet.pin), others, None)?;
                        let frame = copied(&self.hub, &item.frame, new)?;
                        (Some(Item { frame, ..*item }), others)
                    }
                    None => (None, others),
                },
            };
            if let Some(item) = item {
                anybody |= outlet.send(&self.hub, self.filter, &self.counters, item, others)?;
            }
        }
        taken.clear();
        if let Some(arrived) = arrived {
            times.record(arrived.elapsed());
        }
        Ok(anybody)
    }

    /// A sink.
    fn consume(&self, mut sink: Box<dyn Sink>, done: &mut Done) -> Result<(), FilterError> {
        let Some(queue) = self.queues.first() else { return Ok(()) };
        let mut taken = Ok(());
        loop {
            let Item { frame, born, arrived } = match self.next(*queue, 0) {
                Ok(Some(item)) => item,
                Ok(None) => break,
                Err(error) => {
                    taken = Err(error);
                    break;
                }
            };
            taken = sink.take(frame.data(), &frame.header());
            if taken.is_err() {
                break;
            }
            drop(frame);
            done.latency.record(arrived.elapsed());
            if let Some(times) = &mut done.end_to_end {
                times.record(born.elapsed());
            }
        }
        // Also after a failure: what was taken before it is written. The first failure is the one to tell.
        let finished = sink.finish();
        taken?;
        done.digest = finished?;
        Ok(())
    }

    /// The next frame of a queue, counted; this filter has so many others.
    fn next(&self, queue: QueueIndex, keeps: usize) -> Result<Option<Item>, FilterError> {
        let Some(item) = self.hub.next(self.filter, queue, keeps)? else { return Ok(None) };
        self.counters.frames_in.add(1);
        self.counters.bytes.add(item.frame.data().len() as u64);
        Ok(Some(item))
    }
}

/// The filter ends, however it came to that: by running, or by never getting a thread.
impl Drop for Worker {
    fn drop(&mut self) {
        for queue in &self.queues {
            self.hub.parts.queues[*queue].abandon();
        }
        for outlet in &self.outlets {
            outlet.end(&self.hub);
        }
        self.hub.left(self.filter);
    }
}

/// What travels with frame `number`.
pub(in crate::stream) fn header(format: &MediaFormat, number: u64, data_used: u64) -> FrameHeader {
    let signed = |units: u64| i64::try_from(units).unwrap_or(i64::MAX);
    FrameHeader {
        presentation_time: signed(format.time_of(number)),
        duration: signed(format.duration_of(number)),
        sequence: number,
        data_used,
        // Pictures that are not compressed: each can be shown without the others.
        flags: FrameFlags::TIMEVALID | FrameFlags::DURATIONVALID | FrameFlags::SPLICEPOINT,
    }
}

/// So many units of 100 ns.
fn units(units: u64) -> Duration {
    Duration::from_micros(units / 10).saturating_add(Duration::from_nanos(units % 10 * 100))
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a filter panicked".to_owned())
}
