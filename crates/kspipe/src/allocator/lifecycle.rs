//! The life of a pool: properties, commit, decommit, and the frames that come home to a pool that wants to know.
//!
//! Idle → (commit) → live → (decommit) → draining while frames are out → idle. A commit while draining makes it live
//! again, with the frames it has (semantics 4.1).

#![allow(unsafe_code)]

use super::frame::Claim;
use super::memory::{Memory, MemoryKind};
use super::pool::Pool;
use super::properties::{AcquireError, AllocatorProperties, CommitError, Layout, SetPropertiesError};
use super::sync::{MutexGuard, Ordering, lock};
use super::table::Table;
use super::waiting::{Outcome, Waiters};
use std::ptr::NonNull;
use std::sync::Arc;

/// What is called when a frame came home.
pub(super) type Notify = Arc<dyn Fn() + Send + Sync>;

/// Where a pool is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Not committed, no frame out, no memory.
    Idle,
    /// Committed.
    Live,
    /// Decommitted, with frames still out: so many, each of them marked.
    Draining { out: u32 },
}

/// Everything of a pool that only its lock gives.
pub(super) struct State {
    pub(super) kind: MemoryKind,
    pub(super) properties: AllocatorProperties,
    pub(super) phase: Phase,
    /// The frames' memory, while there is any: live or draining.
    pub(super) memory: Option<Memory>,
    /// The pool's reference to itself, as long as there is memory.
    keep: Option<Arc<Pool>>,
    /// The table of the last commit.
    table: Arc<Table>,
    /// The tables before it. See [`Table`].
    retired: Vec<Arc<Table>>,
    pub(super) waiters: Waiters,
    pub(super) notify: Option<Notify>,
}

/// What is to be dropped when the lock is not held any more: the first may take long, the second may free the pool.
#[must_use]
pub(super) struct Leftovers {
    _memory: Option<Memory>,
    _keep: Option<Arc<Pool>>,
}

impl State {
    /// A pool without properties.
    pub(super) fn new(kind: MemoryKind) -> Self {
        Self {
            kind,
            properties: AllocatorProperties::default(),
            phase: Phase::Idle,
            memory: None,
            keep: None,
            table: Arc::new(Table::empty()),
            retired: Vec::new(),
            waiters: Waiters::default(),
            notify: None,
        }
    }

    /// The table of the last commit.
    pub(super) fn table(&self) -> &Arc<Table> {
        &self.table
    }

    /// All the tables.
    pub(super) fn tables(&self) -> impl Iterator<Item = &Table> {
        std::iter::once(&self.table).chain(&self.retired).map(|table| &**table)
    }

    fn finish_decommit(&mut self) -> Leftovers {
        self.phase = Phase::Idle;
        Leftovers { _memory: self.memory.take(), _keep: self.keep.take() }
    }
}

impl Pool {
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    pub(super) fn set_properties(
        &self,
        request: AllocatorProperties,
    ) -> Result<AllocatorProperties, SetPropertiesError> {
        if !request.alignment.is_power_of_two() {
            return Err(SetPropertiesError::BadAlignment { alignment: request.alignment });
        }
        let _life = lock(&self.life);
        let mut state = self.lock();
        match state.phase {
            Phase::Live => Err(SetPropertiesError::AlreadyCommitted),
            Phase::Draining { out } => Err(SetPropertiesError::FramesOutstanding { frames: out }),
            Phase::Idle => {
                state.properties = request.rounded();
                Ok(state.properties)
            }
        }
    }

    pub(super) fn commit(self: &Arc<Self>) -> Result<(), CommitError> {
        let _life = lock(&self.life);
        let mut state = self.lock();
        match state.phase {
            Phase::Live => return Ok(()),
            Phase::Draining { .. } => {
                self.put_in_service(&state);
                state.phase = Phase::Live;
                self.committed.store(true, Ordering::Release);
                return Ok(());
            }
            Phase::Idle => {}
        }
        let (properties, kind) = (state.properties, state.kind);
        // Without the state's lock, because the system may take long. Idle it stays: only who has `life` changes that.
        drop(state);
        let layout = properties.layout()?;
        let memory = Memory::new(kind, layout)?;
        let mut state = self.lock();
        self.lay_out(&mut state, properties.frames, layout, &memory)?;
        state.memory = Some(memory);
        state.keep = Some(self.clone());
        self.reach.store(0, Ordering::Relaxed);
        self.put_in_service(&state);
        state.phase = Phase::Live;
        self.committed.store(true, Ordering::Release);
        Ok(())
    }

    /// Makes the table one of this many frames, which lie in this memory.
    fn lay_out(
        self: &Arc<Self>,
        state: &mut State,
        frames: u32,
        layout: Layout,
        memory: &Memory,
    ) -> Result<(), CommitError> {
        if state.table.capacity() < frames as usize {
            let bytes = frames as usize * size_of::<super::table::Cell>();
            let out_of_memory = CommitError::OutOfMemory { bytes: bytes as u64, errno: None };
            let table = state.table.grown(frames.next_power_of_two()).ok_or(out_of_memory)?;
            state.retired.try_reserve(1).map_err(|_| out_of_memory)?;
            let old = std::mem::replace(&mut state.table, Arc::new(table));
            state.retired.push(old);
        }
        let table = &state.table;
        // SAFETY: an `Arc` points to something.
        let pool = unsafe { NonNull::new_unchecked(Arc::as_ptr(self).cast_mut()) };
        // SAFETY: the pool is idle, so every word of its tables is out of service. It keeps the memory until the last
        // frame is home.
        unsafe { table.lay_out(pool, frames, memory, layout) };
        self.table.store(Arc::as_ptr(table).cast_mut(), Ordering::Release);
        Ok(())
    }

    /// Puts every frame that is home in service.
    fn put_in_service(&self, state: &State) {
        let attention = state.notify.is_some();
        for cell in self.table().cells() {
            // A frame that is out is in service still, and its mark can stay: who brings it home clears it.
            let _ = cell.change(|word| (!word.is_held()).then_some(word.with_service(true).with_attention(attention)));
        }
    }

    pub(super) fn decommit(&self) {
        let mut state = self.lock();
        if state.phase != Phase::Live {
            return;
        }
        self.committed.store(false, Ordering::Release);
        let woken = state.waiters.take_all(Outcome::NotCommitted);
        let mut out = 0;
        for cell in self.table().cells() {
            // Out of service where it is home, marked where it is out. After this nobody can acquire a frame, and each
            // that is out comes home under the lock.
            let was = cell
                .change(|word| Some(if word.is_held() { word.with_attention(true) } else { word.with_service(false) }));
            out += u32::from(was.is_ok_and(|word| word.is_held()));
        }
        state.phase = Phase::Draining { out };
        let leftovers = (out == 0).then(|| state.finish_decommit());
        drop(state);
        woken.wake();
        drop(leftovers);
    }

    /// Takes home a frame whose word is marked; the caller has the only claim on it.
    pub(super) fn come_home(&self, index: u32) {
        let mut state = self.lock();
        let Some(cell) = self.table().cell(index) else {
            // A frame's table is its pool's as long as the frame is out.
            return;
        };
        let notify = state.notify.clone();
        let attention = notify.is_some();
        let mut leftovers = None;
        let woken = match state.phase {
            Phase::Draining { out } => {
                let _ = cell.change(|word| Some(word.freed().with_service(false)));
                // Counted when the drain began, and each comes home once.
                let out = out.saturating_sub(1);
                state.phase = Phase::Draining { out };
                leftovers = (out == 0).then(|| state.finish_decommit());
                None
            }
            Phase::Live | Phase::Idle => {
                let woken = state.waiters.grant(index, || {
                    let _ = cell.change(|word| Some(word.handed_on().with_attention(true)));
                    cell.acquired();
                });
                if woken.is_none() {
                    let _ = cell.change(|word| Some(word.freed().with_attention(attention)));
                }
                woken
            }
        };
        drop(state);
        if let Some(woken) = woken {
            woken.wake();
        }
        if let Some(notify) = notify {
            notify();
        }
        drop(leftovers);
    }

    /// Takes a free frame, or marks them all, so that each that comes home from now on comes to the waiters. Under the
    /// lock: while anybody waits, every frame is held and marked, and none is free.
    pub(super) fn take_or_mark(&self) -> Option<Claim> {
        for (index, cell) in (0..).zip(self.table().cells()) {
            loop {
                if let Some(word) = cell.take() {
                    self.reach.fetch_max(index + 1, Ordering::Relaxed);
                    return Some(Claim::new(cell, word.generation()));
                }
                if cell.change(|word| word.is_held().then_some(word.with_attention(true))).is_ok() {
                    break;
                }
            }
        }
        None
    }

    pub(super) fn set_notify(&self, notify: Option<Notify>) -> Option<Notify> {
        let mut state = self.lock();
        if notify.is_some() && state.phase != Phase::Idle {
            for cell in self.table().cells() {
                let _ = cell.change(|word| Some(word.with_attention(true)));
            }
        }
        // Dropped by the caller, outside the lock: it may own anything.
        std::mem::replace(&mut state.notify, notify)
    }

    /// Why nothing is acquired when nothing is free.
    pub(super) fn refusal(state: &State) -> Option<AcquireError> {
        (state.phase != Phase::Live).then_some(AcquireError::NotCommitted)
    }
}
