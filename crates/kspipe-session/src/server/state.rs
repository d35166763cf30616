//! Who has which filter of the graph, and what becomes of its holders.

use super::participants::{HungUp, Joined, Occupant, Place};
use super::{ServerOptions, StreamsOfTheDead};
use crate::verbs::{Description, GraphSource, Join, JoinedPin, JoinedPool, PinDescription, VERSION};
use ks::NtStatus;
use ksobject::wire::MAX_DESCRIPTORS;
use ksobject::{ClientProcess, PinInstance};
use kspipe::allocator::shared::{AdmitError, Holder, Ledger, SharedPool};
use kspipe::graph::{Direction, Filter, FilterId, Graph, PinId};
use kspipe::negotiate::{PipeId, Plan, plan_json};
use kspipe::stream::{Prepared, Process, Sharing, StopHandle};
use rustix::event::{EventfdFlags, eventfd};
use rustix::fd::OwnedFd;
use rustix::process::{Signal, pidfd_send_signal};
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How many of the last events are kept.
const EVENTS: usize = 256;
/// How long a sender's hand-over is waited for before a process is told to come again: nobody else is served meanwhile.
const PATIENCE: Duration = Duration::from_millis(1);

/// A graph that is served.
#[derive(Debug)]
pub(super) struct State {
    pub(super) graph: Graph,
    pub(super) pipe_of: Vec<PipeId>,
    pub(super) sharing: Sharing,
    pub(super) pools: Vec<(PipeId, SharedPool)>,
    pub(super) places: Vec<Place>,
    /// By pin factory: the pin, and the place of its filter.
    pins: Vec<(PinId, usize, PinDescription)>,
    /// As JSON.
    description: String,
    trusted: BTreeSet<u32>,
    streams_of_the_dead: StreamsOfTheDead,
    stop: Option<StopHandle>,
    asked: u32,
    pub(super) started: Instant,
    pub(super) events: VecDeque<Event>,
    pub(super) closed: bool,
}

/// Something that happened to a filter outside.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) at: Instant,
    /// Its place.
    pub(super) place: usize,
    pub(super) what: What,
    pub(super) process: i32,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Joined,
    /// In order. It had kept so many frames, which it should not.
    Left {
        claims: u32,
    },
    Died {
        claims: u32,
        arrived: u32,
    },
    /// It lives, and keeps what it has.
    HungUp,
    Evicted,
}

impl State {
    pub(super) fn new(
        prepared: &Prepared,
        plan: &Plan,
        sharing: Sharing,
        pools: Vec<(PipeId, SharedPool)>,
        outside: &[FilterId],
        options: &ServerOptions,
    ) -> Self {
        let graph = prepared.graph();
        let outside: BTreeSet<FilterId> = outside.iter().copied().collect();
        let places: Vec<Place> = outside.iter().map(|id| Place::new(*id, graph.filter(*id).name())).collect();
        let mut pins = Vec::new();
        for (place, filter) in outside.iter().enumerate() {
            for pin in graph.filter(*filter).pins().filter(|pin| graph.pin(*pin).peer().is_some()) {
                let described = PinDescription {
                    name: graph.pin_name(pin),
                    filter: places[place].name.clone(),
                    is_in: graph.pin(pin).direction() == Direction::In,
                };
                pins.push((pin, place, described));
            }
        }
        let source = options.graph.as_ref().map(|graph| GraphSource {
            name: graph.name.clone(),
            text: graph.text.clone(),
            // Another process has another current folder.
            base: std::path::absolute(&graph.base).unwrap_or_else(|_| graph.base.clone()).display().to_string(),
        });
        let formats = graph.pin_ids().filter_map(|pin| Some((graph.pin_name(pin), (*prepared.format(pin)?).into())));
        let description = Description {
            version: VERSION,
            graph: source,
            plan: plan_json(graph, plan),
            outside: places.iter().map(|place| place.name.clone()).collect(),
            pins: pins.iter().map(|(_, _, described)| described.clone()).collect(),
            formats: formats.collect(),
        };
        Self {
            graph: graph.clone(),
            pipe_of: plan.pipe_of.clone(),
            sharing,
            pools,
            places,
            pins,
            // Strings, numbers and lists of them: there is nothing that JSON cannot say.
            description: serde_json::to_string(&description).unwrap_or_default(),
            trusted: [rustix::process::geteuid().as_raw(), 0].into(),
            streams_of_the_dead: options.streams_of_the_dead,
            stop: None,
            asked: 0,
            started: Instant::now(),
            events: VecDeque::new(),
            closed: false,
        }
    }

    /// Nothing is waited for any more: all have joined, or somebody asked to stop.
    pub(super) fn shall_begin(&self) -> bool {
        let joined = |place: &Place| place.occupant.as_ref().is_some_and(|occupant| occupant.joined.is_some());
        self.asked > 0 || self.places.iter().all(joined)
    }

    /// The server's own filters have started.
    pub(super) fn begun(&mut self, stop: StopHandle) {
        self.stop = Some(stop);
        (1..=self.asked).for_each(|time| self.stop_own(time));
        self.joined().for_each(|joined| say(&joined.begins));
    }

    fn joined(&self) -> impl Iterator<Item = &Joined> {
        self.places.iter().filter_map(|place| place.occupant.as_ref()?.joined.as_ref())
    }

    pub(super) fn trust(&mut self, user: u32) {
        self.trusted.insert(user);
    }

    pub(super) fn pools(&self) -> impl Iterator<Item = (PipeId, &SharedPool)> {
        self.pools.iter().map(|(id, pool)| (*id, pool))
    }

    pub(super) fn sharing(&self) -> &Sharing {
        &self.sharing
    }

    /// The pins that may be joined, by factory.
    pub(super) fn pins(&self) -> impl Iterator<Item = &PinDescription> {
        self.pins.iter().map(|(_, _, described)| described)
    }

    pub(super) fn description(&self) -> &str {
        &self.description
    }

    fn happened(&mut self, place: usize, process: i32, what: What) {
        if self.events.len() == EVENTS {
            self.events.pop_front();
        }
        self.events.push_back(Event { at: Instant::now(), place, what, process });
    }

    // Stopping.

    pub(super) fn ask_to_stop(&mut self) {
        self.asked = self.asked.saturating_add(1);
        self.stop_own(self.asked);
        self.joined().for_each(|joined| say(&joined.stop));
    }

    /// Stops the server's own filters, asked for this time. Where no source is among them the first time is for the others:
    /// their streams end, and what is on its way is delivered.
    fn stop_own(&self, time: u32) {
        let is_source = |filter: &Filter| {
            self.places.iter().all(|place| place.name != filter.name())
                && filter.pins().all(|pin| self.graph.pin(pin).direction() == Direction::Out)
        };
        let has_source = self.graph.filters().iter().any(is_source);
        if let Some(stop) = &self.stop
            && (time > 1 || has_source)
        {
            stop.stop();
            if time == 2 && !has_source {
                // To them the second time, too: who waits for a reader gives up.
                stop.stop();
            }
        }
    }

    pub(super) fn times_asked(&self) -> u32 {
        self.asked
    }

    pub(super) fn nobody_is_there(&self) -> bool {
        self.places.iter().all(|place| place.occupant.is_none())
    }

    /// Every filter outside was joined, and left in order.
    pub(super) fn all_left(&self) -> bool {
        self.places.iter().all(|place| place.has_left)
    }

    /// Everybody that waits for a frame is told that there will be none.
    pub(super) fn close(&mut self) {
        self.closed = true;
        self.pools.iter_mut().for_each(|(_, pool)| pool.close_all());
    }

    // Pins.

    fn place_of(&self, pin: PinInstance) -> Result<usize, NtStatus> {
        let factory = self.pins.get(pin.factory as usize).ok_or(NtStatus::STATUS_INVALID_PARAMETER)?;
        Ok(factory.1)
    }

    /// A process creates a pin: the filter is its from then on, unless another has it.
    pub(super) fn pin_created(&mut self, pin: PinInstance, by: ClientProcess) -> Result<(), NtStatus> {
        let place = self.place_of(pin)?;
        if self.places[place].occupant.as_ref().is_some_and(Occupant::has_ended) {
            self.recover(place);
        }
        let ClientProcess { process, user, pidfd } = by;
        // Who may not join keeps no filter from others either.
        if !self.trusted.contains(&user) {
            return Err(NtStatus::STATUS_ACCESS_DENIED);
        }
        match &mut self.places[place].occupant {
            // Each pin once. A duplicate of a dead one's handle, which a child of it may have, is nobody's pin.
            Some(occupant)
                if occupant.process == process
                    && occupant.hung_up.is_none()
                    && occupant.pins.iter().all(|other| other.factory != pin.factory) =>
            {
                occupant.pins.insert(pin);
                Ok(())
            }
            Some(_) => Err(NtStatus::STATUS_DEVICE_BUSY),
            vacant => {
                *vacant = Some(Occupant {
                    process,
                    user,
                    pidfd: Arc::new(pidfd),
                    pins: [pin].into(),
                    since: Instant::now(),
                    joined: None,
                    hung_up: None,
                });
                Ok(())
            }
        }
    }

    /// The last handle of a pin is closed. Whoever had joined by it and not left either has died, which its pidfd tells, or
    /// has hung up.
    pub(super) fn pin_ended(&mut self, pin: PinInstance) {
        let Ok(place) = self.place_of(pin) else { return };
        let place = &mut self.places[place];
        let Some(occupant) = &mut place.occupant else { return };
        if !occupant.pins.remove(&pin) || !occupant.pins.is_empty() {
            return;
        }
        if occupant.joined.is_some() {
            occupant.hung_up = Some(HungUp { since: Instant::now(), reported: false, evicted: false });
        } else {
            place.occupant = None;
        }
    }

    /// The occupant of a pin's filter, which is who asks.
    fn occupant(&mut self, pin: PinInstance, from: &ClientProcess) -> Result<(usize, &mut Occupant), NtStatus> {
        let place = self.place_of(pin)?;
        let occupant = self.places[place].occupant.as_mut();
        let theirs = |occupant: &&mut Occupant| occupant.process == from.process && occupant.pins.contains(&pin);
        let occupant = occupant.filter(theirs).ok_or(NtStatus::STATUS_ACCESS_DENIED)?;
        Ok((place, occupant))
    }

    /// The process joins with the filter of a pin: all its holders are admitted. Gives a [`Join`] as text, unless it is
    /// longer than there is room for.
    pub(super) fn join(&mut self, pin: PinInstance, from: &ClientProcess, room: usize) -> Result<Vec<u8>, NtStatus> {
        if self.closed {
            return Err(NtStatus::STATUS_CANCELLED);
        }
        let (place, occupant) = self.occupant(pin, from)?;
        if occupant.joined.is_some() {
            return Err(NtStatus::STATUS_INVALID_DEVICE_REQUEST);
        }
        let filter = self.places[place].filter;
        let (join, descriptors) = self.describe(filter).map_err(|_| NtStatus::STATUS_INSUFFICIENT_RESOURCES)?;
        let text = serde_json::to_vec(&join).map_err(|_| NtStatus::STATUS_UNSUCCESSFUL)?;
        if text.len() > room {
            return Err(NtStatus::STATUS_BUFFER_TOO_SMALL);
        }
        let [.., stop, begins] = descriptors.as_slice() else { return Err(NtStatus::STATUS_UNSUCCESSFUL) };
        let (Ok(stop), Ok(begins)) = (stop.try_clone(), begins.try_clone()) else {
            return Err(NtStatus::STATUS_INSUFFICIENT_RESOURCES);
        };
        self.admit(filter)?;
        if self.asked > 0 {
            say(&stop);
        }
        if self.stop.is_some() {
            say(&begins);
        }
        let stands = &mut self.places[place];
        stands.joins += 1;
        stands.has_left = false;
        if let Some(occupant) = &mut stands.occupant {
            let descriptors = descriptors.into_iter().map(Some).collect();
            occupant.joined = Some(Joined { stop, begins, descriptors });
        }
        self.happened(place, from.process, What::Joined);
        Ok(text)
    }

    /// What a process gets for a filter.
    fn describe(&self, filter: FilterId) -> std::io::Result<(Join, Vec<OwnedFd>)> {
        let process = Process::Of(filter);
        let mut descriptors = Vec::new();
        let mut join = Join {
            version: VERSION,
            filter: self.graph.filter(filter).name().to_owned(),
            pools: Vec::new(),
            pins: Vec::new(),
            descriptors: 0,
        };
        let sends = self.graph.filter(filter).pins().any(|pin| self.graph.pin(pin).direction() == Direction::Out);
        for (id, pool) in &self.pools {
            let Some(pipe) = self.sharing.pipe_of(*id) else { continue };
            if pipe.holders_of(process).next().is_none() {
                continue;
            }
            // A filter that sends nothing only reads.
            let given = pool.descriptors()?;
            let frames = if sends { given.frames } else { pool.read_only_frames()? };
            join.pools.push(JoinedPool {
                pipe: id.0,
                writable: sends,
                files: frames.len() as u32,
                events: given.events.len() as u32,
            });
            descriptors.push(given.control);
            descriptors.extend(frames.into_iter().chain(given.events));
        }
        for _stop_or_begins in 0..2 {
            descriptors.push(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?);
        }
        join.pins = self.graph.filter(filter).pins().filter_map(|pin| self.joined_pin(pin)).collect();
        join.descriptors = descriptors.len() as u32;
        Ok((join, descriptors))
    }

    /// By which holders a pin takes or sends; `None` where it is connected to nothing.
    fn joined_pin(&self, pin: PinId) -> Option<JoinedPin> {
        let peer = self.graph.pin(pin).peer()?;
        let is_in = self.graph.pin(pin).direction() == Direction::In;
        let in_pin = if is_in { pin } else { peer };
        let id = *self.pipe_of.get(in_pin.index())?;
        let pipe = self.sharing.pipe_of(id)?;
        let takes = pipe.holder(in_pin)?;
        let sends = pipe.properties().sender_of(takes).filter(|_| !is_in);
        Some(JoinedPin {
            name: self.graph.pin(pin).name().to_owned(),
            pipe: id.0,
            takes_as: is_in.then_some(takes.number()),
            sends_as: sends.map(Holder::number),
            sends_to: sends.map(|_| takes.number()),
        })
    }

    /// Admits a filter's holders, all or none.
    fn admit(&mut self, filter: FilterId) -> Result<(), NtStatus> {
        let admitted = self.try_admit(Process::Of(filter));
        if admitted.is_err() {
            self.end_claims(filter);
        }
        admitted.map_err(|_| NtStatus::STATUS_DEVICE_BUSY)
    }

    fn try_admit(&mut self, process: Process) -> Result<(), AdmitError> {
        let start = Instant::now();
        for (id, pool) in &mut self.pools {
            let Some(pipe) = self.sharing.pipe_of(*id) else { continue };
            for holder in pipe.holders_of(process) {
                loop {
                    match pool.admit(holder) {
                        Ok(()) => break,
                        // Mostly it is over at once; it lasts only where a sender is stopped in it.
                        Err(AdmitError::Busy { .. }) if start.elapsed() < PATIENCE => std::thread::yield_now(),
                        Err(error) => return Err(error),
                    }
                }
            }
        }
        Ok(())
    }

    /// Descriptors that a process has not fetched yet, from this one on.
    pub(super) fn descriptors(
        &mut self,
        pin: PinInstance,
        from: &ClientProcess,
        first: u32,
    ) -> Result<Vec<OwnedFd>, NtStatus> {
        let (_, occupant) = self.occupant(pin, from)?;
        let joined = occupant.joined.as_mut().ok_or(NtStatus::STATUS_INVALID_DEVICE_REQUEST)?;
        let rest = joined.descriptors.get_mut(first as usize..).ok_or(NtStatus::STATUS_INVALID_PARAMETER)?;
        Ok(rest.iter_mut().take(MAX_DESCRIPTORS).map_while(Option::take).collect())
    }

    /// A process has dropped all it had, and leaves.
    pub(super) fn leave(&mut self, pin: PinInstance, from: &ClientProcess) -> Result<(), NtStatus> {
        let (place, occupant) = self.occupant(pin, from)?;
        if occupant.joined.is_none() {
            return Err(NtStatus::STATUS_INVALID_DEVICE_REQUEST);
        }
        let filter = self.places[place].filter;
        let (claims, _) = self.end_claims(filter);
        let stands = &mut self.places[place];
        stands.occupant = None;
        stands.leaves += 1;
        stands.has_left = true;
        self.happened(place, from.process, What::Left { claims });
        Ok(())
    }

    // Ends.

    /// Ends all claims of a filter's holders: how many there were, and how many frames arrived that were on their way.
    fn end_claims(&mut self, filter: FilterId) -> (u32, u32) {
        let (mut claims, mut arrived) = (0, 0);
        for (id, pool) in &mut self.pools {
            let Some(pipe) = self.sharing.pipe_of(*id) else { continue };
            let holders: Vec<Holder> = pipe.holders_of(Process::Of(filter)).collect();
            if !holders.is_empty() {
                let recovered = pool.recover(&holders);
                claims += recovered.claims;
                arrived += recovered.arrived;
            }
        }
        (claims, arrived)
    }

    /// The process that had a filter has ended.
    fn recover(&mut self, place: usize) {
        let Some(occupant) = self.places[place].occupant.take() else { return };
        if occupant.joined.is_none() {
            return;
        }
        let filter = self.places[place].filter;
        let (claims, arrived) = self.end_claims(filter);
        if self.streams_of_the_dead == StreamsOfTheDead::End {
            self.end_streams(filter);
            self.places[place].has_left = true;
        }
        self.places[place].deaths += 1;
        self.happened(place, occupant.process, What::Died { claims, arrived });
    }

    /// Says the end of the streams that a filter sent, in its place.
    fn end_streams(&mut self, filter: FilterId) {
        for (id, pool) in &mut self.pools {
            let Some(pipe) = self.sharing.pipe_of(*id) else { continue };
            let senders: Vec<Holder> = pipe.holders_of(Process::Of(filter)).collect();
            let fed: Vec<Holder> = senders.iter().flat_map(|sender| pipe.properties().receivers_of(*sender)).collect();
            fed.into_iter().for_each(|in_pin| pool.end_stream(in_pin));
        }
    }

    /// Those whose ends are waited for.
    pub(super) fn pidfds(&self) -> Vec<Arc<OwnedFd>> {
        self.places.iter().filter_map(|place| Some(place.occupant.as_ref()?.pidfd.clone())).collect()
    }

    pub(super) fn recover_the_dead(&mut self) {
        for place in 0..self.places.len() {
            if self.places[place].occupant.as_ref().is_some_and(Occupant::has_ended) {
                self.recover(place);
            }
        }
    }

    /// What is done from time to time: who has which frame, and who has hung up and lives.
    pub(super) fn look(&mut self, now: Instant, evict_after: Option<Duration>) {
        self.ledgers(now);
        for place in 0..self.places.len() {
            let Some(occupant) = &mut self.places[place].occupant else { continue };
            let (process, pidfd) = (occupant.process, occupant.pidfd.clone());
            let Some(hung_up) = &mut occupant.hung_up else { continue };
            let (newly, since) = (!std::mem::replace(&mut hung_up.reported, true), hung_up.since);
            let evict =
                !hung_up.evicted && evict_after.is_some_and(|after| now.saturating_duration_since(since) >= after);
            hung_up.evicted |= evict;
            if newly {
                self.happened(place, process, What::HungUp);
            }
            if evict {
                // One that has ended meanwhile is none the worse for it.
                let _ = pidfd_send_signal(&pidfd, Signal::KILL);
                self.happened(place, process, What::Evicted);
            }
        }
    }

    pub(super) fn ledgers(&mut self, now: Instant) -> Vec<(PipeId, Ledger)> {
        self.pools.iter_mut().map(|(id, pool)| (*id, pool.ledger(now))).collect()
    }
}

/// Says to who polls an eventfd that sources shall end. It stays readable.
fn say(stop: &OwnedFd) {
    let _ = rustix::io::write(stop, &1u64.to_ne_bytes());
}
