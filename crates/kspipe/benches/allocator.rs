//! Acquire and release, beside a queue of indices and a bare pair of compare-and-swaps, in the same run.
//!
//! Nanoseconds of a busy machine say little; the ratio of two things measured a moment apart says much. So each round
//! measures every contender, one after the other, and what is printed last is the median of the rounds' ratios.
//!
//! `cargo bench -p kspipe --bench allocator`

mod contender;

use contender::{Contender, median, ratio};
use crossbeam_queue::ArrayQueue;
use kspipe::allocator::{Allocator, AllocatorProperties, MemoryKind};
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

const ROUNDS: usize = 9;
const FRAMES: u32 = 16;
/// Pairs of one contender in one round.
const PAIRS: u32 = 2_000_000;

fn compare(threads: usize) {
    let allocator = Allocator::new(MemoryKind::default());
    let properties = AllocatorProperties { frames: FRAMES, size: 4096, alignment: 4096, prefix: 0 };
    allocator.set_properties(properties).expect("properties");
    allocator.commit().expect("commit");

    let queue = ArrayQueue::new(FRAMES as usize);
    for index in 0..FRAMES {
        queue.push(index).expect("room");
    }

    let word = AtomicU64::new(0);

    let pool = |pairs| {
        for _ in 0..pairs {
            drop(black_box(allocator.try_acquire()));
        }
    };
    let pool_blocking = |pairs| {
        for _ in 0..pairs {
            drop(black_box(allocator.acquire(None)));
        }
    };
    let array_queue = |pairs| {
        for _ in 0..pairs {
            if let Some(index) = black_box(queue.pop()) {
                let _ = black_box(queue.push(index));
            }
        }
    };
    let swaps = |pairs| {
        for _ in 0..pairs {
            while word.compare_exchange(0, 1, Ordering::Acquire, Ordering::Relaxed).is_err() {
                std::hint::spin_loop();
            }
            let _ = black_box(word.compare_exchange(1, 0, Ordering::Release, Ordering::Relaxed));
        }
    };

    let mut contenders = [
        Contender { name: "ArrayQueue<u32> pop + push", pair: &array_queue, rounds: Vec::new() },
        Contender { name: "bare compare-and-swap pair", pair: &swaps, rounds: Vec::new() },
        Contender { name: "try_acquire + drop", pair: &pool, rounds: Vec::new() },
        Contender { name: "acquire(None) + drop", pair: &pool_blocking, rounds: Vec::new() },
    ];
    for contender in &mut contenders {
        contender.run(threads, PAIRS);
        contender.rounds.clear();
    }
    for _ in 0..ROUNDS {
        for contender in &mut contenders {
            contender.run(threads, PAIRS);
        }
    }

    let status = allocator.status();
    println!("\n{threads} thread(s), {FRAMES} frames, {ROUNDS} rounds of {PAIRS} pairs a thread:");
    println!("{:<30}{:>12}{:>12}{:>22}{:>22}", "", "ns a pair", "spread", "ratio to ArrayQueue", "ratio to bare pair");
    for contender in &contenders {
        let least = contender.rounds.iter().copied().fold(f64::INFINITY, f64::min);
        let most = contender.rounds.iter().copied().fold(0.0, f64::max);
        println!(
            "{:<30}{:>12.2}{:>12}{:>22.3}{:>22.3}",
            contender.name,
            median(contender.rounds.clone()),
            format!("{least:.1}-{most:.1}"),
            ratio(contender, &contenders[0]),
            ratio(contender, &contenders[1]),
        );
    }
    println!("counters were on: {} acquires, peak {}, waits {}", status.acquires, status.peak, status.waits);
}

/// What an allocator of so many frames takes beside their memory.
fn control_bytes(frames: u32) -> u64 {
    let allocator = Allocator::new(MemoryKind::Heap);
    if frames > 0 {
        let properties = AllocatorProperties { frames, size: 1, alignment: 1, prefix: 0 };
        allocator.set_properties(properties).expect("properties");
        allocator.commit().expect("commit");
    }
    allocator.status().control_bytes
}

fn memory_of_the_engine() {
    println!("\nMemory of the engine, beside the frames':");
    println!("{:<30}{:>12}", "an allocator of no frames", control_bytes(0));
    println!("{:<30}{:>12}", "each frame", (control_bytes(1024) - control_bytes(512)) / 512);
}

/// What the first frames pay, by kind of memory, and what commit pays for them instead.
fn first_touch() {
    const SIZE: u64 = 3840 * 2160 * 3 / 2;
    let kinds = [
        ("heap", MemoryKind::Heap),
        ("anonymous", MemoryKind::Anonymous { huge_pages: false, prefault: false }),
        ("anonymous, prefault", MemoryKind::Anonymous { huge_pages: false, prefault: true }),
        ("anonymous, huge pages", MemoryKind::Anonymous { huge_pages: true, prefault: false }),
        ("anonymous, huge, prefault", MemoryKind::Anonymous { huge_pages: true, prefault: true }),
        ("memfd", MemoryKind::Memfd { prefault: false }),
        ("memfd, prefault", MemoryKind::Memfd { prefault: true }),
    ];
    println!("\nOne frame of 4K NV12 ({SIZE} bytes), milliseconds, medians of {ROUNDS}:");
    println!("{:<30}{:>12}{:>12}{:>12}", "", "commit", "first fill", "second fill");
    let mut times = vec![[const { Vec::new() }; 3]; kinds.len()];
    for _ in 0..ROUNDS {
        for ((_, kind), times) in kinds.iter().zip(&mut times) {
            let allocator = Allocator::new(*kind);
            let properties = AllocatorProperties { frames: 1, size: SIZE, alignment: 4096, prefix: 0 };
            allocator.set_properties(properties).expect("properties");
            let start = Instant::now();
            if allocator.commit().is_err() {
                continue;
            }
            times[0].push(start.elapsed().as_secs_f64() * 1e3);
            let mut frame = allocator.try_acquire().expect("a frame");
            for times in &mut times[1..] {
                let start = Instant::now();
                black_box(&mut *frame).fill(0x80);
                times.push(start.elapsed().as_secs_f64() * 1e3);
            }
        }
    }
    for ((name, _), times) in kinds.iter().zip(times) {
        if times[0].is_empty() {
            println!("{name:<30}{:>12}", "not here");
            continue;
        }
        let [commit, first, second] = times.map(median);
        println!("{name:<30}{commit:>12.3}{first:>12.3}{second:>12.3}");
    }
}

fn main() {
    // `cargo test --all-targets` runs this too, and measures nothing.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    compare(1);
    compare(2);
    memory_of_the_engine();
    first_touch();
}
