//! Bytes that other processes may change, or look at, at the same time: copied out, copied in, set.
//!
//! A `&[u8]`, or an ordinary copy, promises the compiler that nobody writes there meanwhile. Nobody can promise that of memory
//! that a process maps which need not keep to the rules. So it is accessed as atomics are: what is read may be a mixture of old
//! and new, and nothing is undefined. On `x86_64` by instructions, which are as fast as any copy; else word by word.

#![allow(unsafe_code)]

#[cfg(all(target_arch = "x86_64", not(miri)))]
pub(super) use by_instruction::{block, copy_in, copy_out, fill};
#[cfg(not(all(target_arch = "x86_64", not(miri))))]
pub(super) use by_word::{block, copy_in, copy_out, fill};

/// Bytes of a block: as many as a line of the cache has.
pub(super) const BLOCK: usize = 64;

#[cfg(all(target_arch = "x86_64", not(miri)))]
mod by_instruction {
    use super::BLOCK;
    use std::arch::asm;
    use std::arch::x86_64::__m128i;

    /// The instruction that goes with the code around it: a mixture of both kinds costs some processors time.
    #[cfg(target_feature = "avx")]
    macro_rules! load {
        () => {
            "vmovdqu"
        };
    }
    #[cfg(not(target_feature = "avx"))]
    macro_rules! load {
        () => {
            "movdqu"
        };
    }

    /// Reads a block of shared memory, into registers.
    ///
    /// # Safety
    /// `from` is mapped, this long, and not had of a slice.
    #[inline(always)]
    pub(in super::super) unsafe fn block(from: *const u8) -> [u8; BLOCK] {
        let (a, b, c, d): (__m128i, __m128i, __m128i, __m128i);
        // SAFETY: as in `copy_out`. They only read, at any alignment. Not `pure`: the bytes may be others the next time, and
        // what was computed of them must not be computed of two readings.
        unsafe {
            asm!(
                concat!(load!(), " {a}, [{from}]"),
                concat!(load!(), " {b}, [{from} + 16]"),
                concat!(load!(), " {c}, [{from} + 32]"),
                concat!(load!(), " {d}, [{from} + 48]"),
                from = in(reg) from, a = out(xmm_reg) a, b = out(xmm_reg) b, c = out(xmm_reg) c, d = out(xmm_reg) d,
                options(nostack, preserves_flags, readonly),
            );
        }
        // SAFETY: plain bytes, as many.
        unsafe { std::mem::transmute([a, b, c, d]) }
    }

    /// Copies bytes out of shared memory.
    ///
    /// # Safety
    /// `from` is mapped and not had of a slice, `to` is the caller's own to write, both are this long, and they do not overlap.
    #[inline]
    pub(in super::super) unsafe fn copy_out(from: *const u8, to: *mut u8, count: usize) {
        // SAFETY: the caller's promise. To the compiler an instruction is what some Rust code could do to the same memory, here
        // relaxed atomic loads and stores of each byte, for which it does not matter who else writes. It counts up: Rust
        // promises a clear direction flag. Intel and AMD order such stores before any that comes after, such as a hand-over.
        unsafe {
            asm!("rep movsb", inout("rcx") count => _, inout("rsi") from => _, inout("rdi") to => _,
                options(nostack, preserves_flags));
        }
    }

    /// Copies bytes into shared memory.
    ///
    /// # Safety
    /// `from` can be read and nobody writes there, `to` is mapped to be written and nobody has a slice of it, both are this long,
    /// and they do not overlap.
    #[inline]
    pub(in super::super) unsafe fn copy_in(from: *const u8, to: *mut u8, count: usize) {
        // SAFETY: it is the same instruction, and asks for no more.
        unsafe { copy_out(from, to, count) }
    }

    /// Sets bytes of shared memory.
    ///
    /// # Safety
    /// `to` is mapped to be written, this long, and nobody has a slice of it.
    #[inline]
    pub(in super::super) unsafe fn fill(to: *mut u8, byte: u8, count: usize) {
        // SAFETY: as in `copy_out`.
        unsafe {
            asm!("rep stosb", inout("rcx") count => _, inout("rdi") to => _, in("al") byte,
                options(nostack, preserves_flags));
        }
    }
}

#[cfg(any(test, not(all(target_arch = "x86_64", not(miri)))))]
mod by_word {
    use super::BLOCK;
    use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering::Relaxed};

    /// Bytes of what is accessed at once. Rust does not say what becomes of atomics that race with ones of another size;
    /// processors do, and byte by byte a picture would take ten times as long.
    const WORD: usize = size_of::<usize>();

    /// Says of which byte on there is a byte, and an aligned word, of shared memory, so that all of it is covered once.
    fn cover(shared: *const u8, count: usize, mut byte: impl FnMut(usize), word: impl FnMut(usize)) {
        let first = shared.align_offset(WORD).min(count);
        let last = count - (count - first) % WORD;
        (0..first).for_each(&mut byte);
        (first..last).step_by(WORD).for_each(word);
        (last..count).for_each(byte);
    }

    /// Copies bytes out of shared memory.
    ///
    /// # Safety
    /// `from` is mapped and not had of a slice, `to` is the caller's own to write, both are this long, and they do not overlap.
    pub(in super::super) unsafe fn copy_out(from: *const u8, to: *mut u8, count: usize) {
        let shared = from.cast_mut();
        // SAFETY: within both, by `cover`, and words of `shared` are aligned. Memory that may be mapped to be read only is
        // accessed by relaxed loads no longer than a word, which the standard library allows there.
        let byte = |at| unsafe { to.add(at).write(AtomicU8::from_ptr(shared.add(at)).load(Relaxed)) };
        let word = |at| {
            // SAFETY: as above.
            let word = unsafe { AtomicUsize::from_ptr(shared.add(at).cast()).load(Relaxed) };
            // SAFETY: as above.
            unsafe { to.add(at).cast::<usize>().write_unaligned(word) }
        };
        cover(from, count, byte, word);
    }

    /// Reads a block of shared memory.
    ///
    /// # Safety
    /// `from` is mapped, this long, and not had of a slice.
    #[inline]
    pub(in super::super) unsafe fn block(from: *const u8) -> [u8; BLOCK] {
        let mut block = [0; BLOCK];
        // SAFETY: the caller's promise, and ours to write.
        unsafe { copy_out(from, block.as_mut_ptr(), BLOCK) };
        block
    }

    /// Copies bytes into shared memory.
    ///
    /// # Safety
    /// `from` can be read and nobody writes there, `to` is mapped to be written and nobody has a slice of it, both are this long,
    /// and they do not overlap.
    pub(in super::super) unsafe fn copy_in(from: *const u8, to: *mut u8, count: usize) {
        // SAFETY: within both, by `cover`.
        let byte = |at| unsafe { AtomicU8::from_ptr(to.add(at)).store(from.add(at).read(), Relaxed) };
        let word = |at| {
            // SAFETY: within `from`, by `cover`.
            let word = unsafe { from.add(at).cast::<usize>().read_unaligned() };
            // SAFETY: within `to`, by `cover`, and aligned.
            unsafe { AtomicUsize::from_ptr(to.add(at).cast()).store(word, Relaxed) }
        };
        cover(to, count, byte, word);
    }

    /// Sets bytes of shared memory.
    ///
    /// # Safety
    /// `to` is mapped to be written, this long, and nobody has a slice of it.
    pub(in super::super) unsafe fn fill(to: *mut u8, byte: u8, count: usize) {
        let all = usize::from_ne_bytes([byte; WORD]);
        // SAFETY: within the memory, by `cover`.
        let one = |at| unsafe { AtomicU8::from_ptr(to.add(at)).store(byte, Relaxed) };
        // SAFETY: within the memory, by `cover`, and aligned.
        let word = |at| unsafe { AtomicUsize::from_ptr(to.add(at).cast()).store(all, Relaxed) };
        cover(to, count, one, word);
    }
}

#[cfg(test)]
mod tests;
