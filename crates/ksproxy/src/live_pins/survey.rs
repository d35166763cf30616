//! The pins that hang together with those given: by connections, and by ways through their filters.

use super::MOST_PINS;
use super::com_pin::{ComPin, InternalConnections, identity};
use super::error::{Fault, NegotiatePinsError};
use crate::hresult::*;
use kspipe::graph::Direction;
use std::collections::HashMap;
use windows_core::{IUnknown, Interface};

/// Pins and how they are joined, by their places in [`Survey::pins`]. Every pin is connected.
pub(super) struct Survey {
    pub(super) pins: Vec<ComPin>,
    /// By pin: the filter it belongs to, from 0, in the order in which they were found.
    pub(super) filter_of: Vec<usize>,
    /// Out pin to in pin.
    pub(super) connections: Vec<(usize, usize)>,
    /// In pin to out pin of the same filter, each once.
    pub(super) routes: Vec<(usize, usize)>,
}

/// Pins found so far, those at the end not yet asked for their neighbours.
#[derive(Default)]
struct Found {
    pins: Vec<ComPin>,
    /// By the address of their identity, which stays theirs while we hold it.
    places: HashMap<usize, usize>,
}

impl Found {
    /// The place of a pin, which is added where it is new.
    fn place(&mut self, object: &IUnknown) -> Result<usize, Fault> {
        let known = self.places.get(&(identity(object)?.as_raw().addr()));
        if let Some(place) = known {
            return Ok(*place);
        }
        let pin = ComPin::new(object)?;
        self.places.insert(pin.identity.as_raw().addr(), self.pins.len());
        self.pins.push(pin);
        Ok(self.pins.len() - 1)
    }
}

impl Survey {
    /// Reads everything that hangs together with the given pins; the same pin may be given several times. Pins without a
    /// connection are left out: no frame passes them.
    pub(super) fn new(given: &[IUnknown]) -> Result<Self, NegotiatePinsError> {
        let mut found = Found::default();
        for (number, object) in given.iter().enumerate() {
            found.place(object).map_err(|fault| fault.of(format!("pin {number} of those given")))?;
        }
        let mut peers = Vec::new();
        let mut joined: Vec<(usize, usize)> = Vec::new();
        while let Some(asked) = (peers.len() < found.pins.len()).then_some(peers.len()) {
            if found.pins.len() > MOST_PINS {
                return Err(NegotiatePinsError::TooManyPins);
            }
            peers.push(
                neighbours(&mut found, asked, &mut joined).map_err(|fault| fault.of(found.pins[asked].full_name()))?,
            );
        }
        check_connections(&found.pins, &peers)?;
        Ok(Self::of_connected(found.pins, &peers, joined))
    }

    /// What is left when unconnected pins are taken out.
    fn of_connected(pins: Vec<ComPin>, peers: &[Option<usize>], mut routes: Vec<(usize, usize)>) -> Self {
        let mut new_places = vec![None; pins.len()];
        let connected = (0..pins.len()).filter(|place| peers[*place].is_some());
        for (new_place, place) in connected.enumerate() {
            new_places[place] = Some(new_place);
        }
        let filters = filters(&pins, &routes);
        let is_connected = |place: &usize| new_places[*place].is_some();
        let filter_of =
            number(filters.into_iter().enumerate().filter(|(place, _)| is_connected(place)).map(|(_, f)| f));
        let moved = |(from, to): (usize, usize)| Some((new_places[from]?, new_places[to]?));
        routes.sort_unstable();
        routes.dedup();
        let is_out = |place: &usize| pins[*place].direction == Direction::Out;
        let connections = peers.iter().enumerate().filter(|(place, _)| is_out(place));
        Self {
            filter_of,
            connections: connections.filter_map(|(from, to)| moved((from, (*to)?))).collect(),
            routes: routes.into_iter().filter_map(moved).collect(),
            pins: pins.into_iter().enumerate().filter(|(place, _)| is_connected(place)).map(|(_, pin)| pin).collect(),
        }
    }
}

/// Asks a pin for its neighbours: its peer is returned, the ways through its filter are added.
fn neighbours(found: &mut Found, asked: usize, joined: &mut Vec<(usize, usize)>) -> Result<Option<usize>, Fault> {
    let peer = match found.pins[asked].connected_pin()? {
        Some(peer) => Some(found.place(&peer.cast().map_err(|error| Fault::failed("QueryInterface", error.code()))?)?),
        None => None,
    };
    let (others, all_are_meant) = match found.pins[asked].internal_connections()? {
        InternalConnections::Listed(pins) => (pins, true),
        InternalConnections::Every(pins) => (pins, false),
    };
    for other in others {
        let other = found.place(&other.into())?;
        match (found.pins[asked].direction, found.pins[other].direction) {
            (Direction::In, Direction::Out) => joined.push((asked, other)),
            (Direction::Out, Direction::In) => joined.push((other, asked)),
            _ if all_are_meant => {
                let name = found.pins[other].full_name();
                let message = format!("QueryInternalConnections gives {name}, a pin of the same direction");
                return Err(Fault::new(E_INVALIDARG, message));
            }
            _ => {}
        }
    }
    Ok(peer)
}

/// Whether both pins of every connection say so, and one is out and the other in.
fn check_connections(pins: &[ComPin], peers: &[Option<usize>]) -> Result<(), NegotiatePinsError> {
    for (place, peer) in peers.iter().enumerate() {
        let Some(peer) = *peer else { continue };
        let wrong = |code, message: &str| {
            let message = format!("it is connected to {}, {message}", pins[peer].full_name());
            Err(Fault::new(code, message).of(pins[place].full_name()))
        };
        if peers[peer] != Some(place) {
            return wrong(VFW_E_NOT_CONNECTED, "which is not connected to it");
        }
        if pins[peer].direction == pins[place].direction {
            return wrong(VFW_E_INVALID_DIRECTION, "which has the same direction");
        }
    }
    Ok(())
}

/// By pin: a number that pins of the same filter share. Pins belong together that a way through the filter joins, or that
/// name the same filter.
fn filters(pins: &[ComPin], routes: &[(usize, usize)]) -> Vec<usize> {
    let mut parent: Vec<usize> = (0..pins.len()).collect();
    let mut join = |a: usize, b: usize| {
        let (a, b) = (root(&mut parent, a), root(&mut parent, b));
        parent[a] = b;
    };
    routes.iter().for_each(|(from, to)| join(*from, *to));
    let named: Vec<Option<IUnknown>> = pins.iter().map(ComPin::filter_identity).collect();
    let mut first: HashMap<usize, usize> = HashMap::new();
    for (place, filter) in named.iter().enumerate() {
        if let Some(filter) = filter {
            join(place, *first.entry(filter.as_raw().addr()).or_insert(place));
        }
    }
    (0..pins.len()).map(|place| root(&mut parent, place)).collect()
}

fn root(parent: &mut [usize], mut at: usize) -> usize {
    while parent[at] != at {
        parent[at] = parent[parent[at]];
        at = parent[at];
    }
    at
}

/// The same numbers, counted from 0 in the order in which they come.
fn number(numbers: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut seen: HashMap<usize, usize> = HashMap::new();
    numbers
        .map(|number| {
            let next = seen.len();
            *seen.entry(number).or_insert(next)
        })
        .collect()
}
