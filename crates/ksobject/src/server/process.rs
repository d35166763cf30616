//! A client: a process, and everything it has here.

use super::limits::{FRAME, Limits, WAITING};
use super::peer::Peer;
use crate::in_process::{Account, Charge, FrameMemory};
use ks::NtStatus;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A client.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) peer: Peer,
    /// Bytes of the server's memory.
    pub(super) memory: Arc<Account>,
    /// How many of them it has when it has nothing.
    all: u64,
    /// Bytes of frames of its allocators.
    pub(super) frame_memory: FrameMemory,
    /// Its connections.
    pub(super) connections: BTreeSet<u64>,
    /// How many answers wait until it reads.
    pub(super) unread: usize,
    /// The frames it took, by the allocator and the number it knows them by.
    frames: BTreeMap<(usize, u64), TakenFrame>,
    /// How many frames it took so far.
    taken: u64,
}

#[derive(Debug)]
struct TakenFrame {
    address: usize,
    /// The connection it was asked for on, with which it goes back.
    connection: u64,
    _charge: Option<Charge>,
}

/// Set in every number a frame is known by: so none is an address that a program could have.
const FRAME_NUMBER: u64 = 1 << 63;

impl Process {
    pub(super) fn new(peer: Peer, limits: &Limits) -> Self {
        Self {
            peer,
            memory: Account::new(limits.memory.into()),
            all: limits.memory.into(),
            frame_memory: FrameMemory::limited(limits.frame_memory),
            connections: BTreeSet::new(),
            unread: 0,
            frames: BTreeMap::new(),
            taken: 0,
        }
    }

    /// Whether it has nothing here.
    pub(super) fn has_nothing(&self) -> bool {
        self.connections.is_empty() && self.memory.left() == self.all
    }

    /// Whether it may have one frame more, and wait for it.
    pub(super) fn may_take(&self) -> Result<(), NtStatus> {
        if self.memory.left() >= FRAME + WAITING { Ok(()) } else { Err(NtStatus::STATUS_INSUFFICIENT_RESOURCES) }
    }

    /// It has this frame of an allocator now, asked for on this connection. Gives the number it knows it by: no frame has it again.
    pub(super) fn take(&mut self, connection: u64, object: usize, address: usize) -> u64 {
        self.taken += 1;
        let number = FRAME_NUMBER | self.taken;
        // There was as much when the request came, and what the request itself cost.
        let charge = self.memory.charge(FRAME).ok();
        self.frames.insert((object, number), TakenFrame { address, connection, _charge: charge });
        number
    }

    /// It gives a frame back: the frame's address.
    pub(super) fn give_back(&mut self, object: usize, number: u64) -> Result<usize, NtStatus> {
        let frame = self.frames.remove(&(object, number)).ok_or(NtStatus::STATUS_INVALID_PARAMETER)?;
        Ok(frame.address)
    }

    /// The addresses of all frames that were asked for on a connection, which is one to this allocator. They are its no
    /// more.
    pub(super) fn give_back_all(&mut self, connection: u64, object: usize) -> Vec<usize> {
        let of_object = self.frames.range((object, 0)..=(object, u64::MAX));
        let mine: Vec<_> = of_object.filter(|(_, frame)| frame.connection == connection).map(|(key, _)| *key).collect();
        mine.into_iter().filter_map(|key| self.frames.remove(&key)).map(|frame| frame.address).collect()
    }
}
