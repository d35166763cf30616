//! `GetBuffer` and `Release` through the vtable, beside a bare pair of compare-and-swaps and a pool behind a lock, in the
//! same run.
//!
//! Nanoseconds of a busy machine say little; the ratio of two things measured a moment apart says much. So each round
//! measures every contender, one after the other, and what is printed last is the median of the rounds' ratios.
//!
//! `cargo bench -p ksproxy --bench samples`; the number of pairs may follow `--` (for a slow machine or a counting tool).

#[path = "../../kspipe/benches/contender/mod.rs"]
mod contender;

use contender::{Contender, median, ratio};
use ks::{AlignmentCount, AllocatorProperties, GetBufferFlags};
use ksproxy::KsAllocator;
use ksproxy::hresult::S_OK;
use ksproxy::interfaces::{IMediaSample, IMemAllocatorCallbackTemp};
use std::hint::black_box;
use std::ptr::null;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
use windows_core::Interface;

const ROUNDS: usize = 9;
const FRAMES: i32 = 16;
/// Pairs of one contender in one round.
const PAIRS: u32 = 1_000_000;

/// The interface, for every thread: `windows_core`'s interfaces are for one by default.
struct Shared(IMemAllocatorCallbackTemp);

// SAFETY: every method of the allocator and its samples is for any thread.
unsafe impl Sync for Shared {}

impl Shared {
    fn committed() -> Self {
        let memory = KsAllocator::new().memory_interface();
        let request =
            AllocatorProperties { c_buffers: FRAMES, cb_buffer: 4096, cb_align: AlignmentCount(4096), cb_prefix: 0 };
        let mut actual = AllocatorProperties::default();
        // SAFETY: both structures are there.
        unsafe {
            assert_eq!(memory.SetProperties(&request, &mut actual), S_OK);
            assert_eq!(memory.Commit(), S_OK);
        }
        Self(memory)
    }

    /// A sample, by the vtable, as a C++ client gets it.
    fn sample(&self, flags: GetBufferFlags) -> IMediaSample {
        let mut sample = None;
        // SAFETY: the pointer to write to is there, and the times may be null.
        let answer = unsafe { black_box(&self.0).GetBuffer(&mut sample, null(), null(), flags) };
        assert_eq!(answer, S_OK);
        sample.expect("a sample")
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // SAFETY: no pointers. A committed allocator refers to itself.
        assert_eq!(unsafe { self.0.Decommit() }, S_OK);
    }
}

/// `Release`, by the vtable.
fn release(sample: IMediaSample) {
    let raw = black_box(sample.into_raw());
    // SAFETY: a sample and its only reference.
    drop(unsafe { IMediaSample::from_raw(raw) });
}

/// A sample as a source filter sends it on: with times, a length and flags.
fn fill_in(sample: &IMediaSample, number: i64) {
    let (start, end) = (number, number + 1);
    // SAFETY: both times are there.
    unsafe {
        assert_eq!(sample.SetTime(&start, &end), S_OK);
        assert_eq!(sample.SetActualDataLength(4096), S_OK);
        assert_eq!(sample.SetSyncPoint(1), S_OK);
    }
}

/// A pool as it is commonly written: one lock, and what is free in a vector.
struct LockedPool(Mutex<Vec<u32>>);

impl LockedPool {
    fn take(&self) -> Option<u32> {
        self.0.lock().expect("nobody panics").pop()
    }
    fn give(&self, index: u32) {
        self.0.lock().expect("nobody panics").push(index);
    }
}

/// A word on cache lines of its own.
#[repr(align(128))]
struct Line(AtomicU64);

fn compare(threads: usize, pairs: u32) {
    let memory = Shared::committed();
    let engine = kspipe::allocator::Allocator::new(kspipe::allocator::MemoryKind::default());
    let properties = kspipe::allocator::AllocatorProperties { frames: 16, size: 4096, alignment: 4096, prefix: 0 };
    engine.set_properties(properties).expect("properties");
    engine.commit().expect("a commit");
    let locked = LockedPool(Mutex::new((0..16).collect()));
    let word = Line(AtomicU64::new(0));

    let swaps = |pairs: u32| {
        for _ in 0..pairs {
            while word.0.compare_exchange(0, 1, Ordering::Acquire, Ordering::Relaxed).is_err() {
                std::hint::spin_loop();
            }
            let _ = black_box(word.0.compare_exchange(1, 0, Ordering::Release, Ordering::Relaxed));
        }
    };
    let pool = |pairs: u32| {
        for _ in 0..pairs {
            drop(black_box(engine.try_acquire()));
        }
    };
    let samples = |pairs: u32| (0..pairs).for_each(|_| release(memory.sample(GetBufferFlags::empty())));
    let no_wait = |pairs: u32| (0..pairs).for_each(|_| release(memory.sample(GetBufferFlags::NOWAIT)));
    let filled_in = |pairs: u32| {
        for number in 0..pairs {
            let sample = memory.sample(GetBufferFlags::empty());
            fill_in(&sample, i64::from(number));
            release(sample);
        }
    };
    let locked_pool = |pairs: u32| {
        for _ in 0..pairs {
            if let Some(index) = black_box(locked.take()) {
                locked.give(black_box(index));
            }
        }
    };

    fn contender<'a>(name: &'static str, pair: &'a (dyn Fn(u32) + Sync)) -> Contender<'a> {
        Contender { name, pair, rounds: Vec::new() }
    }
    let mut contenders = [
        contender("bare compare-and-swap pair", &swaps),
        contender("Mutex<Vec<u32>> pop + push", &locked_pool),
        contender("the engine: try_acquire + drop", &pool),
        contender("GetBuffer(0) + Release", &samples),
        contender("GetBuffer(NOWAIT) + Release", &no_wait),
        contender("... with times, length and flag set", &filled_in),
    ];
    for contender in &mut contenders {
        contender.run(threads, pairs);
        contender.rounds.clear();
    }
    for _ in 0..ROUNDS {
        for contender in &mut contenders {
            contender.run(threads, pairs);
        }
    }

    println!("\n{threads} thread(s), {FRAMES} frames, {ROUNDS} rounds of {pairs} pairs a thread:");
    println!("{:<38}{:>12}{:>14}{:>20}{:>20}", "", "ns a pair", "spread", "ratio to bare pair", "ratio to Mutex<Vec>");
    for contender in &contenders {
        let least = contender.rounds.iter().copied().fold(f64::INFINITY, f64::min);
        let most = contender.rounds.iter().copied().fold(0.0, f64::max);
        println!(
            "{:<38}{:>12.2}{:>14}{:>20.3}{:>20.3}",
            contender.name,
            median(contender.rounds.clone()),
            format!("{least:.1}-{most:.1}"),
            ratio(contender, &contenders[0]),
            ratio(contender, &contenders[1]),
        );
    }
}

/// Commit and Decommit of all frames, nobody having one.
fn commit_and_decommit() {
    let memory = Shared::committed();
    let mut times = Vec::new();
    for _ in 0..1000 {
        let start = Instant::now();
        // SAFETY: no pointers.
        unsafe {
            assert_eq!(memory.0.Decommit(), S_OK);
            assert_eq!(memory.0.Commit(), S_OK);
        }
        times.push(start.elapsed().as_nanos() as f64 / 1e3);
    }
    println!("\nDecommit + Commit of {FRAMES} frames of 4096 bytes: {:.1} us, median of 1000", median(times));
}

fn main() {
    // `cargo test --all-targets` runs this too, and measures nothing.
    let arguments: Vec<_> = std::env::args().collect();
    if !arguments.iter().any(|argument| argument == "--bench") {
        return;
    }
    let pairs = arguments.iter().find_map(|argument| argument.parse().ok()).unwrap_or(PAIRS);
    compare(1, pairs);
    compare(2, pairs);
    commit_and_decommit();
}
