//! A graph and its plan, looked up from either side.

use crate::graph::{Direction, FramingItem, Graph, Mode, PinId, Route, RouteKind};
use crate::negotiate::facts::Facts;
use crate::negotiate::{Bridge, Pipe, PipeId, Plan, RouteChoice};
use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};

/// A graph, its plan, and the indexes that every description needs: built once, linear in the graph.
#[derive(Debug)]
pub(in crate::negotiate) struct View<'a> {
    pub(in crate::negotiate) graph: &'a Graph,
    pub(in crate::negotiate) plan: &'a Plan,
    /// By route, in the graph's order: the plan takes it as a copy.
    copied: Vec<bool>,
    /// By pin: the connection at it is a bridge.
    bridged: Vec<bool>,
    /// The places in the graph's routes of those that lead to an out pin.
    routes_to: HashMap<PinId, Vec<usize>>,
    /// By pipe: its first pin that belongs to a user-mode filter.
    user_pins: Vec<Option<PinId>>,
    /// The graph's own facts; `None` only where the graph has a cycle, and so no plan of its own.
    facts: Option<Facts<'a>>,
    /// By pipe: the routes taken as copies that bring it frames, and those that take frames from it.
    copies_in: HashMap<PipeId, Vec<usize>>,
    copies_out: HashMap<PipeId, Vec<usize>>,
    bridges_in: HashMap<PipeId, Vec<usize>>,
    bridges_out: HashMap<PipeId, Vec<usize>>,
}

impl<'a> View<'a> {
    pub(in crate::negotiate) fn new(graph: &'a Graph, plan: &'a Plan) -> Self {
        let copies: HashSet<(PinId, PinId)> = plan.copies.iter().map(|copy| (copy.route.from, copy.route.to)).collect();
        let copied = graph.routes().iter().map(|route| copies.contains(&(route.from, route.to))).collect();
        let mut bridged = vec![false; graph.pins().len()];
        for bridge in &plan.bridges {
            bridged[bridge.connection.from.index()] = true;
            bridged[bridge.connection.to.index()] = true;
        }
        let mut routes_to: HashMap<PinId, Vec<usize>> = HashMap::new();
        for (place, route) in graph.routes().iter().enumerate() {
            routes_to.entry(route.to).or_default().push(place);
        }
        let ends = |ends: &mut dyn Iterator<Item = PinId>| {
            let mut by_pipe: HashMap<PipeId, Vec<usize>> = HashMap::new();
            for (place, pin) in ends.enumerate() {
                by_pipe.entry(plan.pipe_of[pin.index()]).or_default().push(place);
            }
            by_pipe
        };
        View {
            graph,
            plan,
            copied,
            bridged,
            routes_to,
            user_pins: plan.pipes.iter().map(|pipe| first_user_pin(graph, pipe)).collect(),
            facts: Facts::of(graph).ok(),
            copies_in: ends(&mut plan.copies.iter().map(|copy| copy.route.to)),
            copies_out: ends(&mut plan.copies.iter().map(|copy| copy.route.from)),
            bridges_in: ends(&mut plan.bridges.iter().map(|bridge| bridge.connection.to)),
            bridges_out: ends(&mut plan.bridges.iter().map(|bridge| bridge.connection.from)),
        }
    }

    pub(in crate::negotiate) fn name(&self, pin: PinId) -> String {
        self.graph.pin_name(pin)
    }
    pub(in crate::negotiate) fn pipe(&self, id: PipeId) -> &'a Pipe {
        &self.plan.pipes[id.index()]
    }
    pub(in crate::negotiate) fn pipe_of(&self, pin: PinId) -> PipeId {
        self.plan.pipe_of[pin.index()]
    }
    /// The place of the item the plan uses at a pin.
    pub(in crate::negotiate) fn item_place(&self, pin: PinId) -> Option<u32> {
        self.plan.items[pin.index()]
    }
    /// The item the plan uses at a pin.
    pub(in crate::negotiate) fn item(&self, pin: PinId) -> Option<&'a FramingItem> {
        self.graph.pin(pin).items().get(self.item_place(pin)? as usize)
    }
    /// The item the plan uses at a pin, where what it asks is required.
    pub(in crate::negotiate) fn required(&self, pin: PinId) -> Option<&'a FramingItem> {
        self.item(pin).filter(|item| !item.is_preference())
    }
    /// The bytes of one frame at a pin, where they are known.
    pub(in crate::negotiate) fn data(&self, pin: PinId) -> Option<u64> {
        self.facts.as_ref().map(|facts| facts.data[pin.index()]).filter(|bytes| *bytes > 0)
    }
    /// The size a pin requires whatever item it uses: for its media, and for what a stated compression yields.
    pub(in crate::negotiate) fn required_size(&self, pin: PinId) -> u64 {
        self.facts.as_ref().map_or(0, |facts| facts.required[pin.index()])
    }
    /// All routes that start at an in pin.
    pub(in crate::negotiate) fn all_routes_from(&self, pin: PinId) -> &'a [Route] {
        &self.graph.routes()[self.routes_from(pin)]
    }
    /// Every pin, upstream before downstream.
    pub(in crate::negotiate) fn downstream(&self) -> &[PinId] {
        self.facts.as_ref().map_or(&[], |facts| facts.order())
    }
    /// The pin of a pipe farthest downstream in it; of several, the first by full name in byte order (rule 6).
    pub(in crate::negotiate) fn last_pin(&self, id: PipeId) -> Option<PinId> {
        let mut distances: HashMap<PinId, u32> = HashMap::new();
        let mut last: Option<(u32, PinId)> = None;
        for pin in &self.pipe(id).pins {
            let peer = self.graph.pin(*pin).peer().filter(|_| !self.is_bridged(*pin));
            let before = self.joined_to(*pin).map(|route| route.from).chain(peer);
            // A peer downstream has no distance yet.
            let distance = before.filter_map(|from| distances.get(&from)).max().map_or(0, |before| before + 1);
            distances.insert(*pin, distance);
            let is_later = last.is_none_or(|(farthest, other)| match distance.cmp(&farthest) {
                Ordering::Equal => self.name(*pin) < self.name(other),
                order => order == Ordering::Greater,
            });
            if is_later {
                last = Some((distance, *pin));
            }
        }
        last.map(|(_, pin)| pin)
    }
    /// The pipe's pins, each with the item the plan uses there.
    pub(in crate::negotiate) fn items(&self, id: PipeId) -> impl Iterator<Item = (PinId, &'a FramingItem)> + '_ {
        self.pipe(id).pins.iter().filter_map(|pin| Some((*pin, self.item(*pin)?)))
    }
    /// The first pin of a pipe that belongs to a user-mode filter.
    pub(in crate::negotiate) fn first_user_pin(&self, id: PipeId) -> Option<PinId> {
        self.user_pins[id.index()]
    }

    /// The places of the routes that start at an in pin.
    fn routes_from(&self, pin: PinId) -> std::ops::Range<usize> {
        let routes = self.graph.routes();
        let first = routes.partition_point(|route| route.from < pin);
        let count = routes[first..].partition_point(|route| route.from == pin);
        first..first + count
    }
    /// The routes from an in pin on which the frame itself goes on: its branches.
    pub(in crate::negotiate) fn branches(&self, pin: PinId) -> impl Iterator<Item = Route> + '_ {
        self.routes_from(pin).filter(|place| !self.copied[*place]).map(|place| self.graph.routes()[place])
    }
    /// The routes that lead to an out pin, each with whether it is taken as a copy.
    pub(in crate::negotiate) fn routes_to(&self, pin: PinId) -> impl Iterator<Item = (Route, bool)> + '_ {
        let places = self.routes_to.get(&pin).map_or(&[] as &[usize], Vec::as_slice);
        places.iter().map(|place| (self.graph.routes()[*place], self.copied[*place]))
    }
    /// The routes on which a frame itself comes to an out pin.
    pub(in crate::negotiate) fn joined_to(&self, pin: PinId) -> impl Iterator<Item = Route> + '_ {
        self.routes_to(pin).filter(|(_, copied)| !copied).map(|(route, _)| route)
    }
    /// Whether any route leads to an out pin, or starts at an in pin.
    pub(in crate::negotiate) fn has_route(&self, pin: PinId) -> bool {
        self.routes_to.contains_key(&pin) || !self.routes_from(pin).is_empty()
    }
    /// Whether the connection at a pin is a bridge.
    pub(in crate::negotiate) fn is_bridged(&self, pin: PinId) -> bool {
        self.bridged[pin.index()]
    }
    /// Whether the filter writes into the frames of this in pin and passes them on (rule 7).
    pub(in crate::negotiate) fn writes(&self, pin: PinId) -> bool {
        self.declares_writing(pin)
            || self.branches(pin).any(|route| matches!(route.kind, RouteKind::InPlace | RouteKind::Either))
    }
    /// Whether the framing of this in pin says that it writes into frames.
    pub(in crate::negotiate) fn declares_writing(&self, pin: PinId) -> bool {
        self.graph.pin(pin).direction() == Direction::In && self.item(pin).is_some_and(FramingItem::modifies_in_place)
    }

    /// The routes taken as copies that bring frames to a pipe.
    pub(in crate::negotiate) fn copies_in(&self, id: PipeId) -> impl Iterator<Item = &'a RouteChoice> + '_ {
        self.copies_in.get(&id).into_iter().flatten().map(|place| &self.plan.copies[*place])
    }
    /// The routes taken as copies that take frames from a pipe.
    pub(in crate::negotiate) fn copies_out(&self, id: PipeId) -> impl Iterator<Item = &'a RouteChoice> + '_ {
        self.copies_out.get(&id).into_iter().flatten().map(|place| &self.plan.copies[*place])
    }
    /// The bridges that bring frames to a pipe.
    pub(in crate::negotiate) fn bridges_in(&self, id: PipeId) -> impl Iterator<Item = &'a Bridge> + '_ {
        self.bridges_in.get(&id).into_iter().flatten().map(|place| &self.plan.bridges[*place])
    }
    /// The bridges that take frames from a pipe.
    pub(in crate::negotiate) fn bridges_out(&self, id: PipeId) -> impl Iterator<Item = &'a Bridge> + '_ {
        self.bridges_out.get(&id).into_iter().flatten().map(|place| &self.plan.bridges[*place])
    }
}

fn first_user_pin(graph: &Graph, pipe: &Pipe) -> Option<PinId> {
    pipe.pins.iter().copied().find(|pin| graph.mode(*pin) == Mode::User)
}
