//! 4K pictures, all bytes written and read, whose receiver sleeps where there is none: as fast as they go, and 60 a second.
//! kspipe's are read in three ways: two that stay defined whatever other processes write meanwhile, and one that trusts them
//! all not to, as iceoryx2 does.

use crate::contenders::{Frames, Iceoryx, IceoryxPublisher, IceoryxSubscriber, Receiving, Sending};
use crate::{median, timed};
use iceoryx2::port::listener::Listener;
use iceoryx2::port::notifier::Notifier;
use iceoryx2::prelude::ipc_threadsafe;
use kspipe::allocator::shared::{Acquirer, FrameView, Receiver, Sender};
use std::hint::black_box;
use std::mem::MaybeUninit;
use std::time::{Duration, Instant};

/// A 4K picture in NV12, bytes.
const PICTURE: usize = 3840 * 2160 * 3 / 2;
const BUFFERS: usize = 4;
const RATE: u32 = 60;
fn sum(bytes: &[u8]) -> u64 {
    let words = bytes.chunks_exact(8).map(|word| u64::from_le_bytes(word.try_into().expect("eight bytes")));
    words.fold(0, u64::wrapping_add)
}

trait Pictures {
    fn ends(&self) -> (Box<dyn Sending>, Box<dyn Receiving>);
}

struct FramesFrom(Acquirer, Sender, u8);
struct FramesTo(Receiver, fn(&FrameView) -> u64);

/// Frames, and how they are read.
struct Read(Frames, fn(&FrameView) -> u64);

impl Pictures for Read {
    fn ends(&self) -> (Box<dyn Sending>, Box<dyn Receiving>) {
        let (acquirer, sender, receiver) = self.0.ends(0);
        (Box::new(FramesFrom(acquirer, sender, 0)), Box::new(FramesTo(receiver, self.1)))
    }
}

/// Nobody is trusted: each block is read once, into registers.
fn sum_blocks(frame: &FrameView) -> u64 {
    frame.blocks(..).fold(0, |all, block| all.wrapping_add(sum(&block)))
}

/// Nobody is trusted: copies of 4 KiB.
fn sum_pieces(frame: &FrameView) -> u64 {
    let (mut reader, mut all) = (frame.reader(..), 0u64);
    while let Some(piece) = reader.next_piece() {
        all = all.wrapping_add(sum(piece));
    }
    all
}

/// All who map the frames to be written are trusted.
fn sum_slice(frame: &FrameView) -> u64 {
    // SAFETY: the one writer is in this program, and writes to no frame that it has handed over.
    sum(unsafe { frame.bytes() })
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
        black_box(self.1(&frame));
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

/// Both sides, which have touched each buffer once: what new memory costs is not in the time.
fn ready(contender: &dyn Pictures) -> (Box<dyn Sending>, Box<dyn Receiving>) {
    let (mut from, mut to) = contender.ends();
    (0..BUFFERS).for_each(|_| from.send());
    (0..BUFFERS).for_each(|_| to.receive());
    (from, to)
}

/// Nanoseconds of a picture.
fn as_fast_as_they_go(contender: &dyn Pictures, pictures: u64) -> f64 {
    let (mut from, mut to) = ready(contender);
    timed(pictures, move || (0..pictures).for_each(|_| from.send()), move || (0..pictures).for_each(|_| to.receive()))
}

/// What both sides take of one processor, in percent.
fn paced(contender: &dyn Pictures, pictures: u32) -> f64 {
    let (mut from, mut to) = ready(contender);
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

/// Prints both, for every way.
pub fn compare(rounds: usize) {
    let frames = |read: fn(&FrameView) -> u64| Box::new(Read(Frames::new(BUFFERS, PICTURE), read));
    let contenders: [(&str, Box<dyn Pictures>); 4] = [
        ("kspipe, nobody trusted, blocks in registers", frames(sum_blocks)),
        ("kspipe, nobody trusted, copies of 4 KiB", frames(sum_pieces)),
        ("kspipe, writers trusted, a slice", frames(sum_slice)),
        ("iceoryx2, writers trusted, a slice", Box::new(Iceoryx::new(BUFFERS, PICTURE))),
    ];
    let (mut times, mut shares) = ([const { Vec::new() }; 4], [const { Vec::new() }; 4]);
    for round in 0..=rounds {
        for (nth, (_, contender)) in contenders.iter().enumerate() {
            let time = as_fast_as_they_go(contender.as_ref(), 200);
            let share = paced(contender.as_ref(), RATE);
            // The first warms up.
            if round != 0 {
                times[nth].push(time);
                shares[nth].push(share);
            }
        }
    }
    println!("4K pictures written and read, and the same {RATE} times a second, of one processor; beside iceoryx2's:");
    let beside =
        |all: &[Vec<f64>], nth: usize| median(all[nth].iter().zip(&all[3]).map(|(own, its)| own / its).collect());
    for (nth, (name, _)) in contenders.iter().enumerate() {
        println!(
            "{name:<44} {:.2} ms, ratio {:.2}; {:>4.1} %, ratio {:.2}",
            median(times[nth].clone()) / 1e6,
            beside(&times, nth),
            median(shares[nth].clone()),
            beside(&shares, nth),
        );
    }
}
