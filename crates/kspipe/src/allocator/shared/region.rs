//! A run of atomic words that processes share.

use super::super::sync::AtomicU64;

#[cfg(not(loom))]
mod mapped {
    #![allow(unsafe_code)]

    use super::AtomicU64;
    use crate::allocator::memory::Memory;
    use rustix::thread::futex::{self, Flags};
    use std::os::fd::OwnedFd;
    use std::sync::Arc;
    use std::sync::atomic::AtomicU32;
    use std::time::Duration;

    /// See the module.
    pub(in super::super) struct Region {
        memory: Memory,
        words: usize,
    }

    // SAFETY: what is shared are atomic words, and nobody gets at the memory in another way.
    unsafe impl Sync for Region {}

    impl Region {
        /// The words of a memory that is mapped to be written, and large enough. Of a mapping of pages, so it is aligned.
        pub(in super::super) fn over(memory: Memory) -> Self {
            let words = memory.bytes() / size_of::<u64>();
            assert!(memory.base().cast::<AtomicU64>().is_aligned(), "aligned to a page");
            Region { memory, words }
        }

        /// One of the words. Panics past the end, as a slice does.
        #[inline(always)]
        pub(in super::super) fn at(&self, place: usize) -> &AtomicU64 {
            assert!(place < self.words, "within the region");
            // SAFETY: the memory is aligned to a page, at least `words` long and lives as long as `self`; its file is sealed
            // against shrinking, so it stays backed. Every access of every process to it is atomic, so a reference to an
            // atomic word is all it ever is.
            unsafe { self.memory.base().cast::<AtomicU64>().add(place).as_ref() }
        }

        /// Sleeps while the low half of one of the words is that of `expected`, at most for the time given; may wake for
        /// no reason.
        pub(in super::super) fn sleep(&self, word: &AtomicU64, expected: u64, timeout: Option<Duration>) {
            let timeout = timeout.and_then(|timeout| timeout.try_into().ok());
            // Every outcome is a reason to look again.
            let _ = futex::wait(low_half(word), Flags::empty(), expected as u32, timeout.as_ref());
        }

        /// Wakes all who sleep on one of the words, in whatever process.
        pub(in super::super) fn wake(&self, word: &AtomicU64) {
            let _ = futex::wake(low_half(word), Flags::empty(), i32::MAX as u32);
        }
    }

    /// The events of the holders, by their place among all: each is an eventfd.
    #[derive(Debug, Clone)]
    pub(in super::super) struct Events(pub(in super::super) Arc<[OwnedFd]>);

    impl Events {
        pub(in super::super) fn signal(&self, place: usize) {
            if let Some(event) = self.0.get(place) {
                // It does not block. Where its count is full it is readable already.
                let _ = rustix::io::write(event, &1u64.to_ne_bytes());
            }
        }
    }

    /// The half of a word that counts up first, which is what a futex watches.
    fn low_half(word: &AtomicU64) -> &AtomicU32 {
        let halves = word.as_ptr().cast::<AtomicU32>();
        let place = if cfg!(target_endian = "little") { 0 } else { 1 };
        // SAFETY: within the word, aligned, and alive as long as it. Both halves are only ever accessed atomically: by
        // this process as a whole word, by the kernel as a half. The kernel only reads here, and this reference is
        // passed to it and not read through.
        unsafe { &*halves.add(place) }
    }
}

#[cfg(loom)]
mod mapped {
    use super::AtomicU64;
    use std::sync::atomic::Ordering;
    use std::time::Duration;

    /// The words of a model.
    pub(in super::super) struct Region {
        words: Vec<AtomicU64>,
        sleepers: (loom::sync::Mutex<()>, loom::sync::Condvar),
    }

    impl Region {
        pub(in super::super) fn new(words: usize) -> Self {
            let words = (0..words).map(|_| AtomicU64::new(0)).collect();
            Region { words, sleepers: Default::default() }
        }

        pub(in super::super) fn at(&self, place: usize) -> &AtomicU64 {
            &self.words[place]
        }

        /// What a futex does.
        pub(in super::super) fn sleep(&self, word: &AtomicU64, expected: u64, _: Option<Duration>) {
            let guard = self.sleepers.0.lock().unwrap();
            if word.load(Ordering::SeqCst) as u32 == expected as u32 {
                drop(self.sleepers.1.wait(guard).unwrap());
            }
        }

        pub(in super::super) fn wake(&self, _: &AtomicU64) {
            drop(self.sleepers.0.lock().unwrap());
            self.sleepers.1.notify_all();
        }
    }

    /// What eventfds do: a bit for each that is readable.
    #[derive(Default)]
    pub(in super::super) struct Events {
        readable: loom::sync::Mutex<u64>,
        changed: loom::sync::Condvar,
    }

    impl Events {
        pub(in super::super) fn signal(&self, place: usize) {
            *self.readable.lock().unwrap() |= 1 << place;
            self.changed.notify_all();
        }

        /// Waits until one is readable, and makes it unreadable.
        pub(in super::super) fn wait(&self, place: usize) {
            let mut readable = self.readable.lock().unwrap();
            while *readable & 1 << place == 0 {
                readable = self.changed.wait(readable).unwrap();
            }
            *readable &= !(1 << place);
        }
    }
}

/// Has the processor fetch a word's cache line to write it. A hint: nothing depends on it.
#[inline(always)]
#[allow(unsafe_code)]
pub(super) fn will_change(word: &AtomicU64) {
    #[cfg(all(target_arch = "x86_64", not(miri), not(loom)))]
    // SAFETY: a hint. It reads nothing, writes nothing and faults nowhere; processors that do not know it do nothing.
    unsafe {
        std::arch::asm!("prefetchw [{}]", in(reg) word.as_ptr(), options(readonly, nostack, preserves_flags));
    }
    #[cfg(all(target_arch = "aarch64", not(miri), not(loom)))]
    // SAFETY: a hint. It reads nothing, writes nothing and faults nowhere; processors that do not know it do nothing.
    unsafe {
        std::arch::asm!("prfm pstl1keep, [{}]", in(reg) word.as_ptr(), options(readonly, nostack, preserves_flags));
    }
    let _ = word;
}

pub(super) use mapped::{Events, Region};

/// Between a write and a read of two different words, where another thread writes the second and reads the first: one of
/// the two sees the other's write. The accesses themselves are sequentially consistent, which is enough; loom takes such
/// accesses for less and knows fences only.
#[inline(always)]
pub(super) fn write_then_read() {
    #[cfg(loom)]
    loom::sync::atomic::fence(super::super::sync::Ordering::SeqCst);
}
