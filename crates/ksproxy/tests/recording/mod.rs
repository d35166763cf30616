//! Pins that record every call, a graph of them, and a driver behind their handles that records too.
#![allow(dead_code, unreachable_pub, unused_imports, reason = "each test uses some of it")]

mod driver;
#[path = "../common/not_called.rs"]
#[allow(clippy::duplicate_mod, reason = "not every test that uses this has `common`")]
mod not_called;
mod pin;
mod plain;

pub use driver::Driver;
pub use pin::{Name, PinState, RecordingPin};
pub use plain::{PlainFilter, PlainPin};

use ks::{FramingProp, KsPeekOperation};
use kspipe::graph::{Direction, Framing, Graph, Mode, RouteKind, Strategy, write_blob};
use ksproxy::interfaces::*;
use ksproxy::{InProcessObjects, NegotiatePinsError, NegotiatedPins, OwnedHandle, negotiate_pins_with};
use std::mem::ManuallyDrop;
use std::sync::{Arc, Mutex};
use windows_core::{IUnknown, Interface};

/// What was called, in order: `source.out KsSetPipe`.
pub type Log = Arc<Mutex<Vec<String>>>;

/// The methods that change a pin.
pub const WRITES: [&str; 5] =
    ["KsSetPipe", "KsSetPipeAllocatorFlag", "KsReceiveAllocator", "KSPROPERTY_STREAM_ALLOCATOR", "KsCreateAllocator"];

/// A graph of recording pins.
pub struct World {
    pub pins: Vec<IPin>,
    pub states: Vec<Arc<PinState>>,
    pub driver: Arc<Driver>,
    pub log: Log,
    handles: Vec<OwnedHandle>,
}

impl World {
    /// Pins that say what the graph's pins say; a pin in kernel mode has a handle. Routes are internal connections; what
    /// is in place by INPLACE_MODIFIER is the framing's to say.
    pub fn of(graph: &Graph) -> Self {
        let log = Log::default();
        let mut world =
            World { pins: Vec::new(), states: Vec::new(), driver: Driver::new(log.clone()), log, handles: Vec::new() };
        for id in graph.pin_ids() {
            let pin = graph.pin(id);
            let mut state = PinState::new(graph.filter(pin.filter()).name(), pin.name(), pin.direction(), &world.log);
            state.property = match pin.framing() {
                Framing::None => FramingProp::NONE,
                Framing::Old(_) => FramingProp::OLD,
                Framing::Extended(_) => FramingProp::EX,
            };
            if state.property != FramingProp::NONE {
                state.framing = Some(write_blob(pin.framing(), pin.compression()).expect("a blob"));
            }
            if graph.mode(id) == Mode::Kernel {
                let handle = InProcessObjects::create_sink_pin().expect("a handle");
                state.handle = handle.handle();
                world.driver.name(handle.handle(), &graph.pin_name(id));
                world.handles.push(handle);
            }
            let state = Arc::new(state);
            world.pins.push(RecordingPin { state: state.clone() }.into());
            world.states.push(state);
        }
        for connection in graph.connections() {
            world.connect(connection.from.index(), connection.to.index());
        }
        for route in graph.routes() {
            assert!(matches!(route.kind, RouteKind::InPlace | RouteKind::Copy), "what live pins can say");
            world.join(route.from.index(), route.to.index());
        }
        world
    }

    pub fn connect(&self, from: usize, to: usize) {
        *self.states[from].peer.lock().unwrap() = self.pins[to].as_raw().addr();
        *self.states[to].peer.lock().unwrap() = self.pins[from].as_raw().addr();
    }

    pub fn join(&self, from: usize, to: usize) {
        self.states[from].internal.lock().unwrap().push(self.pins[to].as_raw().addr());
        self.states[to].internal.lock().unwrap().push(self.pins[from].as_raw().addr());
    }

    pub fn index(&self, name: &str) -> usize {
        self.states.iter().position(|state| state.full_name() == name).unwrap_or_else(|| panic!("no pin {name}"))
    }

    pub fn state(&self, name: &str) -> &PinState {
        &self.states[self.index(name)]
    }

    pub fn unknown(&self, name: &str) -> IUnknown {
        self.pins[self.index(name)].cast().expect("an object")
    }

    pub fn unknowns(&self) -> Vec<IUnknown> {
        self.pins.iter().map(|pin| pin.cast().expect("an object")).collect()
    }

    pub fn negotiate(&self) -> Result<NegotiatedPins, NegotiatePinsError> {
        self.negotiate_by(&self.unknowns(), Strategy::MaximizeSpeed)
    }

    pub fn negotiate_by(&self, pins: &[IUnknown], strategy: Strategy) -> Result<NegotiatedPins, NegotiatePinsError> {
        self.log.lock().unwrap().clear();
        // SAFETY: the pins are alive, and say the truth about their memory.
        unsafe { negotiate_pins_with(pins, strategy, self.driver.clone()) }
    }

    /// The calls so far that change something, in order.
    pub fn writes(&self) -> Vec<String> {
        let is_write = |call: &&String| WRITES.iter().any(|write| call.split(' ').nth(1) == Some(write));
        self.log.lock().unwrap().iter().filter(is_write).cloned().collect()
    }

    /// What every pin has: pipe, flag, allocator, each with its number of references.
    pub fn everything(&self) -> Vec<(usize, u32, usize)> {
        self.states.iter().map(|state| state.has()).collect()
    }
}

/// The object a pin has as its pipe.
pub fn pipe_of(pin: &IPin) -> Option<IKsAllocatorEx> {
    let pin: IKsPinPipe = pin.cast().expect("IKsPinPipe");
    // SAFETY: no pointers.
    unsafe { pin.KsGetPipe(KsPeekOperation::ADD_REF) }.map(ManuallyDrop::into_inner)
}

/// The allocator a pin has.
pub fn allocator_of(pin: &IPin) -> Option<IMemAllocator> {
    let pin: IKsPin = pin.cast().expect("IKsPin");
    // SAFETY: no pointers.
    unsafe { pin.KsPeekAllocator(KsPeekOperation::ADD_REF) }.map(ManuallyDrop::into_inner)
}

/// Whether two interfaces are of one object.
pub fn same(a: &impl Interface, b: &impl Interface) -> bool {
    a.cast::<IUnknown>().expect("an object") == b.cast::<IUnknown>().expect("an object")
}

/// A graph with these connections, pins as given.
pub fn graph(build: impl FnOnce(&mut kspipe::graph::GraphBuilder)) -> Graph {
    let mut builder = Graph::builder();
    builder.bridges(kspipe::graph::Bridges::Forbid);
    build(&mut builder);
    builder.build().expect("a graph")
}

/// `Direction`, short.
pub const IN: Direction = Direction::In;
pub const OUT: Direction = Direction::Out;
