//! What is compared: ways of a frame from one side to the other.

use iceoryx2::port::listener::Listener;
use iceoryx2::port::notifier::Notifier;
use iceoryx2::port::publisher::Publisher;
use iceoryx2::port::subscriber::Subscriber;
use iceoryx2::prelude::*;
use kspipe::allocator::AllocatorProperties;
use kspipe::allocator::shared::{
    Access, Acquirer, Holder, Participant, Receiver, Sender, SharedPool, SharedPoolProperties,
};
use std::hint::{black_box, spin_loop};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Acquires a frame and hands it over; waits until it can.
pub trait Sending: Send {
    fn send(&mut self);
}

/// Takes a frame and releases it; waits until there is one.
pub trait Receiving: Send {
    fn receive(&mut self);
}

pub trait Contender {
    /// One of two ways, each with buffers of its own.
    fn pair(&self, way: usize) -> (Box<dyn Sending>, Box<dyn Receiving>);
}

/// kspipe's shared pool.
pub struct Frames {
    pools: [SharedPool; 2],
}

const SOURCE: Holder = Holder::acquirer(0).unwrap();
const SINK: Holder = Holder::in_pin(0).unwrap();

impl Frames {
    pub fn new(buffers: usize, size: usize) -> Self {
        let pool = || {
            let mut pool = SharedPool::create(SharedPoolProperties {
                frames: AllocatorProperties { frames: buffers as u32, size: size as u64, alignment: 64, prefix: 0 },
                senders: vec![SOURCE],
                acquirers: 1,
                ..SharedPoolProperties::default()
            })
            .expect("a pool");
            pool.admit(SOURCE).expect("admitted");
            pool.admit(SINK).expect("admitted");
            pool
        };
        Frames { pools: [pool(), pool()] }
    }
}

struct FramesFrom(Acquirer, Sender);
struct FramesTo(Receiver);

impl Frames {
    pub fn ends(&self, way: usize) -> (Acquirer, Sender, Receiver) {
        let open =
            |access| Participant::open(self.pools[way].descriptors().expect("descriptors"), access).expect("open");
        let (from, to) = (open(Access::Write), open(Access::Read));
        let acquirer = from.acquirer(SOURCE).expect("a role");
        (acquirer, from.sender(SOURCE).expect("a role"), to.receiver(SINK).expect("a role"))
    }
}

impl Contender for Frames {
    fn pair(&self, way: usize) -> (Box<dyn Sending>, Box<dyn Receiving>) {
        let (acquirer, sender, receiver) = self.ends(way);
        (Box::new(FramesFrom(acquirer, sender)), Box::new(FramesTo(receiver)))
    }
}

impl Sending for FramesFrom {
    fn send(&mut self) {
        loop {
            if let Ok(frame) = self.0.try_acquire() {
                return self.1.hand_over(black_box(frame)).expect("handed over");
            }
            spin_loop();
        }
    }
}

impl Receiving for FramesTo {
    fn receive(&mut self) {
        loop {
            if let Ok(frame) = self.0.try_receive() {
                return drop(black_box(frame));
            }
            spin_loop();
        }
    }
}

/// iceoryx2's publisher and subscriber between processes.
pub struct Iceoryx {
    node: Node<ipc_threadsafe::Service>,
    buffers: usize,
    size: usize,
}

impl Iceoryx {
    pub fn new(buffers: usize, size: usize) -> Self {
        Iceoryx { node: NodeBuilder::new().create::<ipc_threadsafe::Service>().expect("a node"), buffers, size }
    }
}

pub type IceoryxPublisher = Publisher<ipc_threadsafe::Service, [u8], ()>;
pub type IceoryxSubscriber = Subscriber<ipc_threadsafe::Service, [u8], ()>;

struct IceoryxFrom(IceoryxPublisher, usize);
struct IceoryxTo(IceoryxSubscriber);

impl Iceoryx {
    fn name(&self, way: usize) -> ServiceName {
        let name = format!("kspipe/{}/{way}/{}/{}", std::process::id(), self.buffers, self.size);
        name.as_str().try_into().expect("a name")
    }

    pub fn ends(&self, way: usize) -> (IceoryxPublisher, IceoryxSubscriber) {
        let service = self
            .node
            .service_builder(&self.name(way))
            .publish_subscribe::<[u8]>()
            .max_publishers(1)
            .max_subscribers(1)
            .history_size(0)
            .subscriber_max_buffer_size(self.buffers)
            .subscriber_max_borrowed_samples(1)
            .enable_safe_overflow(false)
            .open_or_create()
            .expect("a service");
        let publisher = service
            .publisher_builder()
            .initial_max_slice_len(self.size)
            .max_loaned_samples(1)
            .create()
            .expect("a publisher");
        (publisher, service.subscriber_builder().create().expect("a subscriber"))
    }

    /// What wakes one who sleeps until something was published.
    pub fn events(&self, way: usize) -> (Notifier<ipc_threadsafe::Service>, Listener<ipc_threadsafe::Service>) {
        let service = self.node.service_builder(&self.name(way)).event().open_or_create().expect("a service");
        let notifier = service.notifier_builder().create().expect("a notifier");
        (notifier, service.listener_builder().create().expect("a listener"))
    }
}

impl Contender for Iceoryx {
    fn pair(&self, way: usize) -> (Box<dyn Sending>, Box<dyn Receiving>) {
        let (publisher, subscriber) = self.ends(way);
        (Box::new(IceoryxFrom(publisher, self.size)), Box::new(IceoryxTo(subscriber)))
    }
}

impl Sending for IceoryxFrom {
    fn send(&mut self) {
        let sample = self.0.loan_slice_uninit(self.1).expect("a sample");
        // SAFETY: the payload is not looked at; the comparison is without writing it.
        let sample = black_box(unsafe { sample.assume_init() });
        sample.send().expect("sent");
    }
}

impl Receiving for IceoryxTo {
    fn receive(&mut self) {
        loop {
            if let Some(sample) = self.0.receive().expect("received") {
                return drop(black_box(sample));
            }
            spin_loop();
        }
    }
}

/// Two rings of indices: frames one way, and free ones back. Nobody knows who holds what.
pub struct Ring {
    buffers: usize,
}

impl Ring {
    pub fn new(buffers: usize) -> Self {
        Ring { buffers }
    }
}

/// A place: which push it is, above the index. A cache line, with room for a header.
#[repr(align(128))]
struct Place(AtomicU64, [AtomicU64; 5]);

struct Way(Vec<Place>);

impl Way {
    fn push(&self, nth: u64, index: u64) {
        let place = &self.0[nth as usize % self.0.len()];
        place.1.iter().for_each(|word| word.store(nth, Ordering::Relaxed));
        place.0.store((nth + 1) << 16 | index, Ordering::Release);
    }

    fn pop(&self, nth: u64) -> u64 {
        let place = &self.0[nth as usize % self.0.len()];
        loop {
            let seen = place.0.load(Ordering::Acquire);
            if seen >> 16 == nth + 1 {
                for word in &place.1 {
                    black_box(word.load(Ordering::Relaxed));
                }
                return seen & 0xFFFF;
            }
            spin_loop();
        }
    }
}

struct RingFrom(Arc<[Way; 2]>, u64);
struct RingTo(Arc<[Way; 2]>, u64);

impl Contender for Ring {
    fn pair(&self, _: usize) -> (Box<dyn Sending>, Box<dyn Receiving>) {
        let place = || Place(AtomicU64::new(0), [const { AtomicU64::new(0) }; 5]);
        let way = || Way((0..self.buffers).map(|_| place()).collect());
        let ways = Arc::new([way(), way()]);
        (0..self.buffers as u64).for_each(|index| ways[1].push(index, index));
        (Box::new(RingFrom(ways.clone(), 0)), Box::new(RingTo(ways, 0)))
    }
}

impl Sending for RingFrom {
    fn send(&mut self) {
        let index = self.0[1].pop(self.1);
        self.0[0].push(self.1, black_box(index));
        self.1 += 1;
    }
}

impl Receiving for RingTo {
    fn receive(&mut self) {
        let index = self.0[0].pop(self.1);
        self.0[1].push(self.1 + self.0[1].0.len() as u64, black_box(index));
        self.1 += 1;
    }
}
