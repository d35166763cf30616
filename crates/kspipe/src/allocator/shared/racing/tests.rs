//! Every offset, length and alignment of either side, by either way, and bytes that change meanwhile.

use super::{BLOCK, block, by_word, copy_in, copy_out, fill};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

type Copy = unsafe fn(*const u8, *mut u8, usize);
type Fill = unsafe fn(*mut u8, u8, usize);

const COPIES: [Copy; 4] = [by_word::copy_out, by_word::copy_in, copy_out, copy_in];
const FILLS: [Fill; 2] = [fill, by_word::fill];
/// Past two words and a cache line, with both ends anywhere in a word.
const LONGEST: usize = if cfg!(miri) { 20 } else { 80 };
/// One past a word.
const OFFSETS: std::ops::Range<usize> = 0..9;

/// Memory that starts where an address divides by 16.
#[repr(align(16))]
struct Aligned([u8; 128]);

fn counting() -> Aligned {
    Aligned(std::array::from_fn(|at| at as u8 + 1))
}

#[test]
fn copies_are_exactly_the_bytes_asked_for_at_every_alignment_of_both_sides() {
    let mut from = counting();
    // Under Miri the last are the first.
    for copy in &COPIES[..if cfg!(miri) { 2 } else { 4 }] {
        for (start, offset) in OFFSETS.flat_map(|start| OFFSETS.map(move |offset| (start, offset))) {
            for count in 0..=LONGEST {
                let (mut to, mut expected) = (Aligned([0xEE; 128]), [0xEE; 128]);
                expected[offset..offset + count].copy_from_slice(&from.0[start..start + count]);
                // SAFETY: both are 128 bytes, and `start + count` and `offset + count` at most 88.
                unsafe { copy(from.0[start..].as_mut_ptr(), to.0[offset..].as_mut_ptr(), count) };
                assert_eq!(to.0, expected, "{start} {offset} {count}");
            }
        }
    }
}

#[test]
fn what_is_set_is_exactly_the_bytes_asked_for_at_every_alignment() {
    for fill in FILLS {
        for (offset, count) in OFFSETS.flat_map(|offset| (0..=LONGEST).map(move |count| (offset, count))) {
            let (mut to, mut expected) = (Aligned([1; 128]), [1; 128]);
            expected[offset..offset + count].fill(0xEE);
            // SAFETY: 128 bytes, and `offset + count` is at most 88.
            unsafe { fill(to.0[offset..].as_mut_ptr(), 0xEE, count) };
            assert_eq!(to.0, expected, "{offset} {count}");
        }
    }
}

#[test]
fn a_block_is_the_bytes_there_at_every_alignment() {
    let mut from = counting();
    for start in 0..=128 - BLOCK {
        // SAFETY: 128 bytes, and `start + BLOCK` is at most that.
        let blocks = unsafe { [block(from.0[start..].as_mut_ptr()), by_word::block(from.0[start..].as_mut_ptr())] };
        assert!(blocks.iter().all(|block| block[..] == from.0[start..start + BLOCK]), "{start}");
    }
}

#[test]
fn bytes_that_change_meanwhile_are_each_an_old_or_a_new_one() {
    // Miri and the thread sanitizer would find a race here, were these ordinary accesses.
    let word = |byte: u8| usize::from_ne_bytes([byte; size_of::<usize>()]);
    let shared: [AtomicUsize; 64 / size_of::<usize>()] = std::array::from_fn(|_| AtomicUsize::new(word(1)));
    let start = shared.as_ptr().cast::<u8>().cast_mut();
    let is_over = AtomicBool::new(false);
    let writes = |byte: u8| {
        shared.iter().for_each(|place| place.store(word(byte), Ordering::Relaxed));
    };
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                [1, 2].into_iter().for_each(writes);
            }
        });
        for _ in 0..if cfg!(miri) { 20 } else { 2000 } {
            let mut copied = [0; 64];
            for copy in [copy_out, by_word::copy_out] {
                // SAFETY: both are 64 bytes.
                unsafe { copy(start, copied.as_mut_ptr(), 64) };
                assert!(copied.iter().all(|byte| matches!(byte, 1 | 2)), "{copied:?}");
            }
            // SAFETY: 64 bytes.
            let block = unsafe { block(start) };
            assert!(block.iter().all(|byte| matches!(byte, 1 | 2)), "{block:?}");
            // SAFETY: 64 bytes, of atomics.
            unsafe {
                copy_in([2; 64].as_ptr(), start, 64);
                fill(start, 1, 64);
            }
        }
        is_over.store(true, Ordering::Relaxed);
    });
}
