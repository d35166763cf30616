//! The pool: finding a free frame, taking it, giving it home.
//!
//! # Who may touch the pool when
//!
//! A frame counts no references: that would cost as much as acquiring it does. What keeps a pool alive is
//!
//! 1. its allocator's handles, each an `Arc` of it, and
//! 2. from commit until the last frame is home after a decommit, one `Arc` of itself ([`State::keep`]): the self
//!    reference of `IMemAllocator` (semantics 4.1).
//!
//! The second is dropped by whoever brings home the last frame of a draining pool. That this is safe for every frame
//! rests on the state words alone:
//!
//! * A draining pool has marked the word of every frame still out, under its lock, and taken every free one out of
//!   service. A word that is marked is given back under the lock only, because the holder's own compare-and-swap
//!   expects it unmarked. So the lock counts the frames that are out to zero, exactly.
//! * A holder whose own compare-and-swap succeeded was not counted: the pool saw the word free. It touches nothing of
//!   the pool afterwards ([`Cell::give_back`]), so it does not matter that the pool may be gone.
//! * A holder whose compare-and-swap failed still has its claim, which keeps the pool draining. It makes an `Arc` of its
//!   own before it takes the lock, and drops it after it has left it.
//!
//! The last handle's drop decommits the pool. So a pool is freed when nobody can reach it: no handle, no frame.

#![allow(unsafe_code)]

use super::frame::{Claim, Frame};
use super::lifecycle::State;
use super::properties::AcquireError;
use super::sync::{AtomicBool, AtomicPtr, Mutex, Ordering};
use super::table::{Cell, Place, Table};
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64 as Counter};

/// How many hints there are. Threads share them, by turns, where there are more threads.
const HINTS: usize = 16;

/// Where a thread's next search starts. On cache lines of its own: plain stores, and no other thread's.
#[repr(align(128))]
struct Hint(AtomicU32);

/// An allocator's frames and their owner.
pub(super) struct Pool {
    /// The table that commits are laid out in. Owned by the [`State`].
    pub(super) table: AtomicPtr<Table>,
    /// Whether frames may be acquired; why, where none is found. Written under the lock.
    pub(super) committed: AtomicBool,
    /// The frames before this one have been out since the last commit. A search goes beyond only when it finds all of
    /// them taken, so this is the most frames that were out at once: the peak, for free. It is exact but for frames that
    /// came home behind a search while it went on. And a pool touches no more of its memory than it needs.
    pub(super) reach: AtomicU32,
    /// The pool's number, of which there is no other in this process: what a raw frame is checked by.
    pub(super) id: u64,
    hints: [Hint; HINTS],
    /// Held to commit or to set properties, which may take long. Taken before `state`.
    pub(super) life: Mutex<()>,
    /// Everything that is not on the way of a frame.
    pub(super) state: Mutex<State>,
}

impl Pool {
    pub(super) fn new(state: State) -> Self {
        static NEXT: Counter = Counter::new(1);
        Self {
            table: AtomicPtr::new(Arc::as_ptr(state.table()).cast_mut()),
            committed: AtomicBool::new(false),
            reach: AtomicU32::new(0),
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            hints: std::array::from_fn(|_| Hint(AtomicU32::new(0))),
            life: Mutex::new(()),
            state: Mutex::new(state),
        }
    }

    /// The table of the last commit.
    #[inline(always)]
    pub(super) fn table(&self) -> &Table {
        // SAFETY: tables live as long as their pool (see `Table`), and nobody has one exclusively.
        unsafe { &*self.table.load(Ordering::Acquire) }
    }

    /// This thread's hint; `None` before the thread's first search.
    #[inline(always)]
    fn hint(&self) -> Option<&Hint> {
        self.hints.get(stripe())
    }

    /// Takes a frame, without waiting.
    #[inline]
    pub(super) fn try_acquire(&self) -> Result<Frame, AcquireError> {
        match self.acquire_hinted() {
            Some(frame) => Ok(frame),
            None => self.search(),
        }
    }

    /// Takes the frame that is this thread's next, if that is free. Calls nothing: whoever inlines it keeps what it has
    /// in registers.
    #[inline(always)]
    pub(super) fn acquire_hinted(&self) -> Option<Frame> {
        let hint = &self.hint()?.0;
        let index = hint.load(Ordering::Relaxed);
        let reach = self.reach.load(Ordering::Relaxed);
        // A hint from before a commit may point beyond what has been out since.
        if index >= reach {
            return None;
        }
        let cell = self.table().cell(index)?;
        let word = cell.take()?;
        look_next(hint, index, reach);
        Some(Frame::new(Claim::new(cell, word.generation())))
    }

    /// Looks at every frame, from this one on. Says there is none only when there was a moment at which none was free:
    /// when two looks in a row found all taken, and the same generation of each (a generation only grows).
    #[cold]
    #[inline(never)]
    fn search(&self) -> Result<Frame, AcquireError> {
        let hint = &self.hints[assigned_stripe()].0;
        let start = hint.load(Ordering::Relaxed);
        let mut last_look = None;
        loop {
            let table = self.table();
            let look = match self.look(table, hint, start) {
                Ok(claim) => return Ok(Frame::new(claim)),
                Err(look) => look,
            };
            if !self.committed.load(Ordering::Acquire) {
                return Err(AcquireError::NotCommitted);
            }
            // A frame that nobody holds: it came home since it was tried, or this table is from before the commit.
            if look.all_held && last_look == Some((std::ptr::from_ref(table), look.generations)) {
                return Err(AcquireError::Empty);
            }
            last_look = Some((std::ptr::from_ref(table), look.generations));
        }
    }

    /// Takes the first free frame: of those that have been out before, from `start` on and around; then of the others.
    fn look(&self, table: &Table, hint: &AtomicU32, start: u32) -> Result<Claim, Look> {
        let cells = table.cells();
        let reach = (self.reach.load(Ordering::Relaxed) as usize).min(cells.len());
        let start = (start as usize).min(reach);
        let mut look = Look { generations: 0, all_held: !cells.is_empty() };
        for index in (start..reach).chain(0..start).chain(reach..cells.len()) {
            let cell = &cells[index];
            if let Some(word) = cell.take() {
                // Fits: a table has at most MAX_FRAMES cells.
                let index = index as u32;
                let reach = self.reach.fetch_max(index + 1, Ordering::Relaxed).max(index + 1);
                look_next(hint, index, reach);
                return Ok(Claim::new(cell, word.generation()));
            }
            let word = cell.word();
            look.generations += u64::from(word.generation());
            look.all_held &= word.is_held();
        }
        Err(look)
    }

    /// Gives a frame home. The caller has the only claim on it, and has none after.
    ///
    /// # Safety
    /// `pool` was alive when the claim was made, and the claim is the caller's to give.
    #[inline]
    pub(super) unsafe fn release(claim: &Claim) {
        let Place { pool, index, .. } = claim.place();
        // Before the frame is given, for afterwards the pool may be gone. This thread gets the same frame next, whose
        // memory its cache knows.
        // SAFETY: a claim keeps its pool alive (see the module's page), and this one ends below at the earliest.
        if let Some(hint) = unsafe { pool.as_ref() }.hint() {
            hint.0.store(index, Ordering::Relaxed);
        }
        // SAFETY: the claim is the caller's to give.
        if !unsafe { Cell::give_back(claim.cell, claim.generation) } {
            // SAFETY: the claim was not given.
            unsafe { Self::release_attended(pool, index) }
        }
    }

    /// Gives home a frame somebody asked attention for: a waiter, a drain, or a callback.
    ///
    /// # Safety
    /// As for [`Pool::release`].
    #[cold]
    #[inline(never)]
    unsafe fn release_attended(pool: NonNull<Pool>, index: u32) {
        // SAFETY: made from an `Arc` of the pool (`Pool::lay_out`), which the claim keeps alive.
        let pool = unsafe {
            Arc::increment_strong_count(pool.as_ptr());
            Arc::from_raw(pool.as_ptr())
        };
        pool.come_home(index);
    }
}

/// The next search starts behind this frame, because the one behind is the one that was taken the longest ago: where
/// frames come home in the order they went, the first look finds a free one.
#[inline(always)]
fn look_next(hint: &AtomicU32, index: u32, reach: u32) {
    let next = index + 1;
    hint.store(if next < reach { next } else { 0 }, Ordering::Relaxed);
}

/// What a look at all frames found, none of them free.
struct Look {
    /// The sum of their generations. 2^20 of 2^29: far from wrapping.
    generations: u64,
    /// Each was held when it was looked at, after it could not be taken.
    all_held: bool,
}

thread_local! {
    /// This thread's number among those that search: plain data, nothing to be torn down.
    static STRIPE: std::cell::Cell<usize> = const { std::cell::Cell::new(usize::MAX) };
}

/// This thread's hint, by number; beyond all there are before it has one.
#[inline(always)]
fn stripe() -> usize {
    // A model has few threads, and the same each time.
    if cfg!(loom) { 0 } else { STRIPE.get() }
}

/// The same, given out at the first search.
fn assigned_stripe() -> usize {
    use std::sync::atomic::AtomicUsize;
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    if stripe() >= HINTS {
        STRIPE.set(NEXT.fetch_add(1, Ordering::Relaxed) % HINTS);
    }
    stripe()
}
