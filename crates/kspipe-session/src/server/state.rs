//! Who has which filter of the graph, and what becomes of its holders.

use super::mediation::Mediation;
use super::participants::{HungUp, Joined, Occupant, Place};
use super::told::Told;
use super::{ServerOptions, StreamsOfTheDead, Trust};
use crate::verbs::{Description, GraphSource, PinDescription, VERSION};
use ks::NtStatus;
use ksobject::{ClientProcess, PinInstance};
use kspipe::allocator::shared::SharedPool;
use kspipe::graph::{Direction, Filter, FilterId, Graph, PinId};
use kspipe::negotiate::{PipeId, Plan, plan_json};
use kspipe::stream::{Prepared, Running, Sharing, StallHandle, StopHandle};
use rustix::fd::OwnedFd;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How many of the last events are kept.
const EVENTS: usize = 256;

/// A graph that is served.
#[derive(Debug)]
pub(super) struct State {
    pub(super) graph: Graph,
    pub(super) pipe_of: Vec<PipeId>,
    pub(super) sharing: Sharing,
    pub(super) pools: Vec<(PipeId, SharedPool)>,
    pub(super) places: Vec<Place>,
    /// By pin factory: the pin, and the place of its filter.
    pub(super) pins: Vec<(PinId, usize, PinDescription)>,
    /// Bytes of the pictures at a pin.
    pub(super) pictures: BTreeMap<PinId, u64>,
    pub(super) told: Told,
    /// The users whose processes may join, and of those the ones that are trusted.
    allowed: BTreeSet<u32>,
    trusted: BTreeSet<u32>,
    trusts_nobody: bool,
    pub(super) streams_of_the_dead: StreamsOfTheDead,
    pub(super) hold_deadline: Option<Duration>,
    pub(super) evict_after: Option<Duration>,
    pub(super) ends_stalls: bool,
    pub(super) stop: Option<StopHandle>,
    pub(super) stall: Option<StallHandle>,
    pub(super) asked: u32,
    pub(super) started: Instant,
    /// When the graph began.
    pub(super) begun: Option<Instant>,
    pub(super) events: VecDeque<Event>,
    /// Nobody can join any more.
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
    /// It keeps a frame for longer than is allowed.
    Overdue,
    /// It was killed; or, where it is mediated, so many frames were taken back.
    Evicted {
        claims: u32,
    },
}

impl State {
    pub(super) fn new(
        prepared: &Prepared,
        plan: &Plan,
        sharing: Sharing,
        pools: Vec<(PipeId, SharedPool)>,
        outside: &[FilterId],
        source: Option<GraphSource>,
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
            pictures: graph
                .pin_ids()
                .filter_map(|pin| Some((pin, prepared.format(pin)?.frame_bytes() as u64)))
                .collect(),
            // Strings, numbers and lists of them: there is nothing that JSON cannot say.
            told: Told::new(serde_json::to_string(&description).unwrap_or_default()),
            allowed: [rustix::process::geteuid().as_raw(), 0].into(),
            trusted: match options.trust {
                Trust::OwnUser => [rustix::process::geteuid().as_raw(), 0].into(),
                Trust::Named | Trust::Nobody => BTreeSet::new(),
            },
            trusts_nobody: options.trust == Trust::Nobody,
            streams_of_the_dead: options.streams_of_the_dead,
            hold_deadline: options.hold_deadline,
            evict_after: options.evict_after,
            ends_stalls: options.ends_stalls,
            stop: None,
            stall: None,
            asked: 0,
            started: Instant::now(),
            begun: None,
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
    pub(super) fn begun(&mut self, running: &Running) {
        self.told.is_old();
        self.stop = Some(running.stop_handle());
        self.stall = Some(running.stall_handle());
        self.begun = Some(Instant::now());
        (1..=self.asked).for_each(|time| self.stop_own(time));
        self.joined().for_each(|joined| joined.begins.say());
    }

    fn joined(&self) -> impl Iterator<Item = &Joined> {
        self.places.iter().filter_map(|place| place.occupant.as_ref()?.joined.as_ref())
    }

    pub(super) fn allow(&mut self, user: u32) {
        self.allowed.insert(user);
    }

    pub(super) fn trust(&mut self, user: u32) {
        self.allow(user);
        if !self.trusts_nobody {
            self.trusted.insert(user);
        }
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

    pub(super) fn happened(&mut self, place: usize, process: i32, what: What) {
        self.told.is_old();
        if self.events.len() == EVENTS {
            self.events.pop_front();
        }
        self.events.push_back(Event { at: Instant::now(), place, what, process });
    }

    // Stopping.

    pub(super) fn ask_to_stop(&mut self) {
        self.told.is_old();
        self.asked = self.asked.saturating_add(1);
        self.stop_own(self.asked);
        self.joined().for_each(|joined| joined.stop.say());
        (0..self.places.len()).for_each(|place| self.end_streams_where_nobody_comes(place));
    }

    /// Stops the server's own filters, asked for this time. Where no source is among them the first time is for the others:
    /// their streams end, and what is on its way is delivered.
    fn stop_own(&self, time: u32) {
        let is_source = |filter: &Filter| {
            self.places.iter().all(|place| place.name != filter.name())
                && filter.pins().all(|pin| self.graph.pin(pin).direction() == Direction::Out)
        };
        let Some(stop) = &self.stop else { return };
        // How often the run is asked now: all in all as often as the server, but for the first time.
        let times = match (time, self.graph.filters().iter().any(is_source)) {
            (1, false) => 0,
            (2, false) => 2,
            _ => 1,
        };
        (0..times).for_each(|_| stop.stop());
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

    // Mediated processes.

    /// What is readable when something has come that a mediated process waits for.
    pub(super) fn awaited(&self) -> Vec<Arc<OwnedFd>> {
        self.joined().filter_map(|joined| joined.mediation.as_ref()).flat_map(Mediation::awaited).collect()
    }

    /// Something has come by the in pin with this event.
    pub(super) fn has_come(&mut self, event: &Arc<OwnedFd>) {
        self.places.iter_mut().filter_map(Place::mediation).for_each(|mediation| mediation.has_come(event));
    }

    // Pins.

    fn place_of(&self, pin: PinInstance) -> Result<usize, NtStatus> {
        let factory = self.pins.get(pin.factory as usize).ok_or(NtStatus::STATUS_INVALID_PARAMETER)?;
        Ok(factory.1)
    }

    /// A process creates a pin: the filter is its from then on, unless another has it, or it has the pin.
    pub(super) fn pin_created(&mut self, pin: PinInstance, by: ClientProcess) -> Result<(), NtStatus> {
        let place = self.place_of(pin)?;
        if self.places[place].occupant.as_ref().is_some_and(Occupant::has_ended) {
            self.recover(place);
        }
        let ClientProcess { process, user, pidfd } = by;
        // A handle can be sent to anybody. Who may not join keeps no filter from others either.
        if !self.allowed.contains(&user) {
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
            Some(occupant) if occupant.process == process => Err(NtStatus::STATUS_OBJECT_NAME_COLLISION),
            Some(_) => Err(NtStatus::STATUS_DEVICE_BUSY),
            vacant => {
                self.told.is_old();
                *vacant = Some(Occupant {
                    process,
                    user,
                    pidfd,
                    pins: [pin].into(),
                    since: Instant::now(),
                    is_mediated: !self.trusted.contains(&user),
                    overdue: None,
                    evicted: false,
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
        self.told.is_old();
        if occupant.joined.is_some() {
            occupant.hung_up = Some(HungUp { since: Instant::now(), reported: false });
        } else {
            place.occupant = None;
        }
    }

    /// The occupant of a pin's filter, which is who asks.
    pub(super) fn occupant(
        &mut self,
        pin: PinInstance,
        from: &ClientProcess,
    ) -> Result<(usize, &mut Occupant), NtStatus> {
        let place = self.place_of(pin)?;
        let occupant = self.places[place].occupant.as_mut();
        let theirs = |occupant: &&mut Occupant| occupant.process == from.process && occupant.pins.contains(&pin);
        let occupant = occupant.filter(theirs).ok_or(NtStatus::STATUS_ACCESS_DENIED)?;
        Ok((place, occupant))
    }
}
