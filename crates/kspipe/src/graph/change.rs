//! Changing a graph that is built: what its pins ask, what is connected, how its routes go, what its plan is for.

use super::build::{BuildError, check_framing};
use super::{Bridges, Compression, Connection, Direction, FilterId, Framing, Graph, Mode, PinId, RouteKind, Strategy};

/// One change of a [`Graph`]. The filters, their pins and the pairs of pins that have a route stay.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// What a pin asks, whole.
    Framing {
        /// The pin.
        pin: PinId,
        /// What it asks from now on. Routes stay as they are, also one that the filter has by itself.
        framing: Framing,
    },
    /// How the size of frames changes on the way to an out pin.
    Compression {
        /// The pin.
        pin: PinId,
        /// [`Compression::NONE`]: not at all.
        compression: Compression,
    },
    /// How many frames a pin keeps at once.
    Holds {
        /// The pin.
        pin: PinId,
        /// `None`: it does not say.
        frames: Option<u32>,
    },
    /// Bytes of one media frame at a pin.
    MediaSize {
        /// The pin.
        pin: PinId,
        /// 0: unknown.
        bytes: u64,
    },
    /// Connects two pins that are not connected.
    Connect(Connection),
    /// Takes a connection away.
    Disconnect(Connection),
    /// How a route goes.
    Route {
        /// The in pin.
        from: PinId,
        /// The out pin.
        to: PinId,
        /// How it goes from now on.
        kind: RouteKind,
    },
    /// The side a filter runs on. Pins that were given a side of their own keep it.
    Mode {
        /// The filter.
        filter: FilterId,
        /// The side.
        mode: Mode,
    },
    /// What a plan optimises.
    Strategy(Strategy),
    /// Whether connections may copy.
    Bridges(Bridges),
}

/// Why a [`Change`] does not fit a graph. Each names what is at fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// The graph has no such pin.
    #[error("there is no pin number {}", pin.index())]
    NoPin {
        /// The pin asked for.
        pin: PinId,
    },
    /// The graph has no such filter.
    #[error("there is no filter number {}", filter.index())]
    NoFilter {
        /// The filter asked for.
        filter: FilterId,
    },
    /// The pins are not connected to each other.
    #[error("`{from}` is not connected to `{to}`")]
    NotConnected {
        /// The out pin.
        from: String,
        /// The in pin.
        to: String,
    },
    /// There is no route between the pins.
    #[error("there is no route from `{from}` to `{to}`")]
    NoRoute {
        /// The in pin.
        from: String,
        /// The out pin.
        to: String,
    },
    /// No graph can be so.
    #[error(transparent)]
    Invalid(#[from] BuildError),
}

impl Graph {
    /// Makes one change, and returns the change that undoes it.
    ///
    /// # Errors
    /// [`ChangeError`] where the change does not fit the graph, which then stays as it was.
    ///
    /// ```
    /// use kspipe::graph::{Change, Direction, Graph, Strategy};
    ///
    /// let mut graph = Graph::builder();
    /// graph.filter("camera").pin("capture", Direction::Out);
    /// let mut graph = graph.build()?;
    /// let undo = graph.change(Change::Strategy(Strategy::MinimizeFrames))?;
    /// assert_eq!(undo, Change::Strategy(Strategy::MaximizeSpeed));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn change(&mut self, change: Change) -> Result<Change, ChangeError> {
        Ok(match change {
            Change::Framing { pin, framing } => {
                self.check_pin(pin)?;
                check_framing(&framing, || self.pin_name(pin))?;
                let framing = std::mem::replace(&mut self.pins[pin.index()].framing, framing);
                Change::Framing { pin, framing }
            }
            Change::Compression { pin, compression } => {
                self.check_compression(pin, compression)?;
                let compression = std::mem::replace(&mut self.pins[pin.index()].compression, compression);
                Change::Compression { pin, compression }
            }
            Change::Holds { pin, frames } => {
                self.check_pin(pin)?;
                Change::Holds { pin, frames: std::mem::replace(&mut self.pins[pin.index()].holds, frames) }
            }
            Change::MediaSize { pin, bytes } => {
                self.check_pin(pin)?;
                let before = self.pin(pin).media_size().unwrap_or(0);
                self.set_media_size(pin, bytes);
                Change::MediaSize { pin, bytes: before }
            }
            Change::Connect(connection) => {
                self.check_free(connection)?;
                let place = self.connections.partition_point(|other| *other < connection);
                self.connections.insert(place, connection);
                self.pins[connection.from.index()].peer = Some(connection.to);
                self.pins[connection.to.index()].peer = Some(connection.from);
                Change::Disconnect(connection)
            }
            Change::Disconnect(connection) => {
                let Connection { from, to } = connection;
                self.check_pin(from)?;
                self.check_pin(to)?;
                let not_connected = || ChangeError::NotConnected { from: self.pin_name(from), to: self.pin_name(to) };
                let place = self.connections.binary_search(&connection).map_err(|_| not_connected())?;
                self.connections.remove(place);
                self.pins[from.index()].peer = None;
                self.pins[to.index()].peer = None;
                Change::Connect(connection)
            }
            Change::Route { from, to, kind } => {
                let place = self.find_route(from, to)?;
                if kind == RouteKind::Either && self.pin(to).compression.is_stated() {
                    return Err(BuildError::CompressionOnEither { name: self.pin_name(to) }.into());
                }
                Change::Route { from, to, kind: std::mem::replace(&mut self.routes[place].kind, kind) }
            }
            Change::Mode { filter, mode } => {
                let changed = self.filters.get_mut(filter.index()).ok_or(ChangeError::NoFilter { filter })?;
                Change::Mode { filter, mode: std::mem::replace(&mut changed.mode, mode) }
            }
            Change::Strategy(strategy) => Change::Strategy(std::mem::replace(&mut self.strategy, strategy)),
            Change::Bridges(bridges) => Change::Bridges(std::mem::replace(&mut self.bridges, bridges)),
        })
    }

    fn check_pin(&self, pin: PinId) -> Result<(), ChangeError> {
        if pin.index() < self.pins.len() { Ok(()) } else { Err(ChangeError::NoPin { pin }) }
    }

    fn check_compression(&self, pin: PinId, compression: Compression) -> Result<(), ChangeError> {
        self.check_pin(pin)?;
        if compression.numerator == 0 || compression.denominator == 0 {
            return Err(BuildError::CompressionByZero { name: self.pin_name(pin) }.into());
        }
        // All routes to a pin are its filter's.
        let siblings = &self.filters[self.pin(pin).filter().index()].pins;
        let first = self.routes.partition_point(|route| route.from.0 < siblings.start);
        let mut routes = self.routes[first..].iter().take_while(|route| route.from.0 < siblings.end);
        if compression.is_stated() && routes.any(|route| route.to == pin && route.kind == RouteKind::Either) {
            return Err(BuildError::CompressionOnEither { name: self.pin_name(pin) }.into());
        }
        Ok(())
    }

    fn check_free(&self, connection: Connection) -> Result<(), ChangeError> {
        let Connection { from, to } = connection;
        for (pin, needed) in [(from, Direction::Out), (to, Direction::In)] {
            self.check_pin(pin)?;
            let found = self.pin(pin).direction();
            if found != needed {
                return Err(BuildError::WrongDirection { name: self.pin_name(pin), found }.into());
            }
        }
        for (pin, other) in [(from, to), (to, from)] {
            if let Some(peer) = self.pin(pin).peer() {
                let (name, first, second) = (self.pin_name(pin), self.pin_name(peer), self.pin_name(other));
                return Err(BuildError::ConnectedTwice { name, first, second }.into());
            }
        }
        Ok(())
    }

    fn find_route(&self, from: PinId, to: PinId) -> Result<usize, ChangeError> {
        self.check_pin(from)?;
        self.check_pin(to)?;
        let found = self.routes.binary_search_by_key(&(from, to), |route| (route.from, route.to));
        found.map_err(|_| ChangeError::NoRoute { from: self.pin_name(from), to: self.pin_name(to) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{FrameRange, FramingItem};

    fn graph() -> Graph {
        let mut graph = Graph::builder();
        graph.filter("a").pin("out", Direction::Out);
        graph.filter("b").pin("in", Direction::In).item(FramingItem::exactly(64));
        graph.filter("b").pin("out", Direction::Out);
        graph.filter("b").route("in", "out", RouteKind::Either);
        graph.filter("c").pin("in", Direction::In);
        graph.connect("a.out", "b.in").connect("b.out", "c.in");
        graph.build().expect("a valid graph")
    }

    /// The pins in canonical order: a.out, b.in, b.out, c.in.
    const PINS: [PinId; 4] = [PinId(0), PinId(1), PinId(2), PinId(3)];

    #[test]
    fn each_change_is_undone_by_what_it_returns() {
        let [a_out, b_in, b_out, c_in] = PINS;
        let changes = [
            Change::Framing { pin: b_in, framing: Framing::Old(Box::default()) },
            Change::Compression { pin: a_out, compression: Compression { numerator: 2, ..Compression::NONE } },
            Change::Holds { pin: c_in, frames: Some(3) },
            Change::MediaSize { pin: a_out, bytes: 9 },
            Change::Disconnect(Connection { from: a_out, to: b_in }),
            Change::Route { from: b_in, to: b_out, kind: RouteKind::Copy },
            Change::Mode { filter: FilterId(1), mode: Mode::Kernel },
            Change::Strategy(Strategy::MinimizeFrames),
            Change::Bridges(Bridges::Forbid),
        ];
        for change in changes {
            let mut changed = graph();
            let undo = changed.change(change.clone()).expect("a change that fits");
            assert_ne!(changed, graph(), "{change:?}");
            assert_eq!(changed.change(undo), Ok(change));
            assert_eq!(changed, graph());
        }
    }

    #[test]
    fn a_change_that_does_not_fit_says_why_and_changes_nothing() {
        let [a_out, b_in, b_out, c_in] = PINS;
        let empty = FrameRange { min: 2, max: 1, step: 1 };
        let item = |item| Framing::Extended(vec![item]);
        let stated = Compression { numerator: 2, ..Compression::NONE };
        let cases = [
            (Change::Holds { pin: PinId(4), frames: None }, "there is no pin number 4"),
            (Change::Mode { filter: FilterId(3), mode: Mode::User }, "there is no filter number 3"),
            (
                Change::Framing { pin: b_in, framing: item(FramingItem { alignment: 3, ..FramingItem::default() }) },
                "`b.in` asks for an alignment of 3 bytes, which is not a power of two",
            ),
            (
                Change::Framing { pin: b_in, framing: item(FramingItem { physical: empty, ..FramingItem::default() }) },
                "a physical range of `b.in` has its minimum 2 over its maximum 1",
            ),
            (
                Change::Compression { pin: a_out, compression: Compression { denominator: 0, ..Compression::NONE } },
                "the compression of `a.out` has a 0 in its ratio; numerator and denominator are at least 1",
            ),
            (
                Change::Compression { pin: b_out, compression: stated },
                "`b.out` states a compression, but its route is `either`, which keeps the size",
            ),
            (
                Change::Connect(Connection { from: a_out, to: c_in }),
                "`a.out` is connected twice: to `b.in` and to `c.in`; connections are one to one (a tee is a filter)",
            ),
            (Change::Connect(Connection { from: c_in, to: a_out }), "`c.in` is an in pin; an out pin is needed here"),
            (Change::Disconnect(Connection { from: a_out, to: c_in }), "`a.out` is not connected to `c.in`"),
            (Change::Route { from: b_in, to: c_in, kind: RouteKind::Pass }, "there is no route from `b.in` to `c.in`"),
        ];
        for (change, message) in cases {
            let mut changed = graph();
            let error = changed.change(change).expect_err(message);
            assert_eq!(error.to_string(), message);
            assert_eq!(changed, graph());
        }
    }
}
