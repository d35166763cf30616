//! The data of the pins, followed downstream from where something changed until it stops changing.

use super::walk::Walk;
use crate::graph::{Direction, Graph, PinId};
use crate::negotiate::facts::{Arrows, FactTables, data_at, through};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Where data comes from and goes to.
#[derive(Clone, Debug)]
pub(super) struct Flow {
    arrows: Arrows,
    /// The routes to an out pin, as places in the graph's: `routes_to[first_to[pin]..first_to[pin + 1]]`.
    routes_to: Vec<u32>,
    first_to: Vec<u32>,
    largest: Largest,
    /// The number of pins whose data is unknown.
    unknown: usize,
}

/// What came out otherwise.
#[derive(Clone, Debug, Default)]
pub(super) struct Flowed {
    /// Pins that carry other data.
    pub(super) data: Vec<PinId>,
    /// Pins that require another size by it.
    pub(super) required: Vec<PinId>,
    /// Some data is unknown, and what it counts as is another number.
    pub(super) unknown: bool,
}

impl Flow {
    pub(super) fn of(graph: &Graph, tables: &FactTables) -> Self {
        let mut first_to = vec![0u32; graph.pins().len() + 2];
        for route in graph.routes() {
            first_to[route.to.index() + 2] += 1;
        }
        for index in 2..first_to.len() {
            first_to[index] += first_to[index - 1];
        }
        let mut routes_to = vec![0; graph.routes().len()];
        for (place, route) in graph.routes().iter().enumerate() {
            let next = &mut first_to[route.to.index() + 1];
            routes_to[*next as usize] = place as u32;
            *next += 1;
        }
        let largest = Largest::of(&tables.data);
        let unknown = tables.data.iter().filter(|data| **data == 0).count();
        Flow { arrows: Arrows::of(graph), routes_to, first_to, largest, unknown }
    }

    /// Takes over what an out pin is connected to.
    pub(super) fn connect(&mut self, graph: &Graph, pin: PinId) {
        self.arrows.connect(graph, pin);
    }

    /// Follows the data from pins that may carry other data than before.
    pub(super) fn follow(&mut self, graph: &Graph, tables: &mut FactTables, walk: &Walk, from: &[PinId]) -> Flowed {
        let mut flowed = Flowed::default();
        let waits = |pin: PinId| Reverse(walk.rank(pin));
        let mut waiting: BinaryHeap<_> = from.iter().map(|pin| waits(*pin)).collect();
        let mut last = None;
        while let Some(Reverse((_, pin))) = waiting.pop() {
            if last.replace(pin) == Some(pin) {
                continue;
            }
            let (data, required) = data_at(graph.pin(pin), self.incoming(graph, tables, pin));
            if std::mem::replace(&mut tables.required[pin.index()], required) != required {
                flowed.required.push(pin);
            }
            let before = std::mem::replace(&mut tables.data[pin.index()], data);
            if before != data {
                self.unknown = self.unknown + usize::from(data == 0) - usize::from(before == 0);
                self.largest.set(pin.index(), data);
                flowed.data.push(pin);
                waiting.extend(self.arrows.from(graph, pin).map(waits));
            }
        }
        let unknown = self.largest.all().max(1);
        let is_other = std::mem::replace(&mut tables.unknown_data, unknown) != unknown;
        flowed.unknown = is_other && self.unknown > 0;
        flowed
    }

    fn incoming(&self, graph: &Graph, tables: &FactTables, pin: PinId) -> u64 {
        let asking = graph.pin(pin);
        match asking.direction() {
            Direction::In => asking.peer().map_or(0, |peer| tables.data[peer.index()]),
            Direction::Out => {
                let routes = self.first_to[pin.index()] as usize..self.first_to[pin.index() + 1] as usize;
                let routes = self.routes_to[routes].iter().map(|place| graph.routes()[*place as usize]);
                routes.map(|route| through(graph, &route, tables.data[route.from.index()])).max().unwrap_or(0)
            }
        }
    }
}

/// Numbers of which the largest is known: each pair's larger one above it, up to the one above all, which is at place 1.
#[derive(Clone, Debug)]
struct Largest(Vec<u64>);

impl Largest {
    fn of(numbers: &[u64]) -> Self {
        let count = numbers.len().max(1);
        let mut all = vec![0; count];
        all.extend(numbers);
        all.resize(2 * count, 0);
        for place in (1..count).rev() {
            all[place] = all[2 * place].max(all[2 * place + 1]);
        }
        Largest(all)
    }

    fn set(&mut self, place: usize, number: u64) {
        let mut at = place + self.0.len() / 2;
        self.0[at] = number;
        while at > 1 {
            at /= 2;
            self.0[at] = self.0[2 * at].max(self.0[2 * at + 1]);
        }
    }

    fn all(&self) -> u64 {
        self.0[1]
    }
}
