//! 4K pictures, all bytes written and read, whose receiver sleeps where there is none: as fast as they go, and 60 a second.

use crate::contenders::{Frames, Iceoryx, IceoryxPublisher, IceoryxSubscriber, Receiving, Sending};
use crate::{median, timed};
use iceoryx2::port::listener::Listener;
use iceoryx2::port::notifier::Notifier;
use iceoryx2::prelude::ipc_threadsafe;
use kspipe::allocator::shared::{Acquirer, Receiver, Sender};
use std::hint::black_box;
use std::mem::MaybeUninit;
use std::time::{Duration, Instant};

/// A 4K picture in NV12, bytes.
const PICTURE: usize = 3840 * 2160 * 3 / 2;
const BUFFERS: usize = 4;
const RATE: u32 = 60;
/// Bytes that are looked at in one go.
const PIECE: usize = 32 << 10;

fn sum(bytes: &[u8]) -> u64 {
    let words = bytes.chunks_exact(8).map(|word| u64::from_le_bytes(word.try_into().expect("eight bytes")));
    words.fold(0, u64::wrapping_add)
}

trait Pictures {
    fn ends(&self) -> (Box<dyn Sending>, Box<dyn Receiving>);
}

struct FramesFrom(Acquirer, Sender, u8);
struct FramesTo(Receiver, Vec<u8>);

impl Pictures for Frames {
    fn ends(&self) -> (Box<dyn Sending>, Box<dyn Receiving>) {
        let (acquirer, sender, receiver) = self.ends(0);
        (Box::new(FramesFrom(acquirer, sender, 0)), Box::new(FramesTo(receiver, vec![0; PIECE])))
    }
}

impl Sending for FramesFrom {
    fn send(&mut self) {
        let mut frame = self.0.acquire(None).expect("a frame");
        self.2 = self.2.wrapping_add(1);
        frame.fill(self.2);
        self.1.hand_over(black_box(frame)).expect("handed over");
    }
}

impl Receiving for FramesTo {
    fn receive(&mut self) {
        let frame = self.0.receive(None).expect("a frame");
        for place in (0..frame.len()).step_by(PIECE) {
            let copied = frame.copy_to(place, &mut self.1);
            black_box(sum(&self.1[..copied]));
        }
    }
}

struct IceoryxFrom(IceoryxPublisher, Notifier<ipc_threadsafe::Service>, u8);
struct IceoryxTo(IceoryxSubscriber, Listener<ipc_threadsafe::Service>);

impl Pictures for Iceoryx {
    fn ends(&self) -> (Box<dyn Sending>, Box<dyn Receiving>) {
        let ((publisher, subscriber), (notifier, listener)) = (self.ends(0), self.events(0));
        (Box::new(IceoryxFrom(publisher, notifier, 0)), Box::new(IceoryxTo(subscriber, listener)))
    }
}

impl Sending for IceoryxFrom {
    fn send(&mut self) {
        let mut sample = self.0.loan_slice_uninit(PICTURE).expect("a sample");
        self.2 = self.2.wrapping_add(1);
        sample.payload_mut().fill(MaybeUninit::new(self.2));
        // SAFETY: all of it was written.
        let sample = black_box(unsafe { sample.assume_init() });
        sample.send().expect("sent");
        self.1.notify().expect("notified");
    }
}

impl Receiving for IceoryxTo {
    fn receive(&mut self) {
        loop {
            if let Some(sample) = self.0.receive().expect("received") {
                black_box(sum(sample.payload()));
                return;
            }
            self.1.blocking_wait(|_| ()).expect("woken");
        }
    }
}

/// What this thread has had of the processors, nanoseconds.
fn processor_time() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the time is written where it is ours.
    let got = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    assert_eq!(got, 0, "a thread has a clock");
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Nanoseconds of a picture.
fn as_fast_as_they_go(contender: &dyn Pictures, pictures: u64) -> f64 {
    let (mut from, mut to) = contender.ends();
    timed(pictures, move || (0..pictures).for_each(|_| from.send()), move || (0..pictures).for_each(|_| to.receive()))
}

/// What both sides take of one processor, in percent.
fn paced(contender: &dyn Pictures, pictures: u32) -> f64 {
    let (mut from, mut to) = contender.ends();
    let (times, took) = std::sync::mpsc::channel();
    let of_the_sender = times.clone();
    let there = move || {
        let (begin, before) = (Instant::now(), processor_time());
        for picture in 0..pictures {
            let due = begin + Duration::from_secs(picture.into()) / RATE;
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            from.send();
        }
        of_the_sender.send(processor_time() - before).expect("somebody adds them up");
    };
    let here = move || {
        let before = processor_time();
        (0..pictures).for_each(|_| to.receive());
        times.send(processor_time() - before).expect("somebody adds them up");
    };
    timed(u64::from(pictures), there, here);
    let nanoseconds: u64 = took.iter().sum();
    nanoseconds as f64 / f64::from(pictures) * f64::from(RATE) / 1e9 * 100.0
}

/// Prints both.
pub fn compare(rounds: usize) {
    let contenders: [Box<dyn Pictures>; 2] =
        [Box::new(Frames::new(BUFFERS, PICTURE)), Box::new(Iceoryx::new(BUFFERS, PICTURE))];
    let mut times = [const { Vec::new() }; 2];
    for round in 0..=rounds {
        for (times, contender) in times.iter_mut().zip(&contenders) {
            let time = as_fast_as_they_go(contender.as_ref(), 200);
            // The first warms up.
            if round != 0 {
                times.push(time);
            }
        }
    }
    let ratio = median(times[0].iter().zip(&times[1]).map(|(own, other)| own / other).collect());
    let [own, other] = times.map(|times| median(times) / 1e6);
    println!("4K pictures written and read: kspipe {own:.2} ms, iceoryx2 {other:.2} ms; ratio {ratio:.2}");
    let [own, other] = contenders.each_ref().map(|contender| paced(contender.as_ref(), 10 * RATE));
    println!("the same {RATE} times a second, of one processor: kspipe {own:.1} %, iceoryx2 {other:.1} %");
}
