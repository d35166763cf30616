//! The frames of a pool whose participants all keep to the protocol: bytes as slices, and claims counted within the process.
//!
//! Several threads of a process can have a frame by one holder's claim. How many do is counted here, by frame and holder;
//! the last one out ends the claim, or hands it on. The count is 0 before the holder's bit is cleared, so whoever sets the
//! bit again finds it so.

#![allow(unsafe_code)]

use super::super::header::FrameHeader;
use super::handover::{Arrived, Own, Unsent};
use super::participant::{Participant, RoleError};
use super::roles::{Acquirer, Receiver, Sender, Unready, UnsentFrame, UnsentReason};
use super::view::{Access, FrameView};
use super::word::{Holder, Word};
use std::fmt;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// A pool as a process has it that trusts all who can write to its frames. Clones are the same.
#[derive(Clone)]
pub struct TrustedPool(Arc<Claims>);

struct Claims {
    participant: Participant,
    /// By frame and holder: how many [`TrustedFrame`]s have it.
    counts: Box<[AtomicU32]>,
    holders: usize,
}

impl Claims {
    fn count(&self, frame: u32, holder: Holder) -> &AtomicU32 {
        let properties = self.participant.properties();
        let place = if holder.is_in_pin() { 0 } else { properties.senders.len() } + holder.place() as usize;
        // There: a frame of this pool, and a holder that has a role in it.
        &self.counts[frame as usize * self.holders + place]
    }

    fn word(&self, frame: u32) -> Word {
        // Acquire: what others did to the frame before they gave it back is done.
        Word(self.participant.shared.control.word(frame).load(Ordering::Acquire))
    }

    fn frames(&self) -> u32 {
        self.participant.properties().frames.frames
    }
}

impl fmt::Debug for TrustedPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TrustedPool").field(&self.0.participant).finish()
    }
}

impl TrustedPool {
    /// The pool that this process takes part in, with frames lent as slices.
    ///
    /// # Safety
    /// While it is there, or a frame of it, everyone who maps the frames' memory to be written keeps to the protocol: writes to
    /// a frame only as its one holder, and not after handing it on. The server knows whom it gave descriptors through which
    /// one can write, and is believed. And who is told that a holder has [left](TrustedReceiver::leave) does not recover it
    /// before this process has dropped its frames.
    pub unsafe fn new(participant: Participant) -> Self {
        let holders = participant.properties().holders().count();
        let counts = participant.properties().frames.frames as usize * holders;
        TrustedPool(Arc::new(Claims { participant, counts: (0..counts).map(|_| AtomicU32::new(0)).collect(), holders }))
    }

    /// The process's part in the pool. Its roles and those taken here are the same ones.
    pub fn participant(&self) -> &Participant {
        &self.0.participant
    }

    /// See [`Participant::acquirer`].
    ///
    /// # Errors
    /// See [`RoleError`].
    pub fn acquirer(&self, holder: Holder) -> Result<TrustedAcquirer, RoleError> {
        let acquirer = self.0.participant.acquirer(holder)?;
        Ok(TrustedAcquirer { claims: self.0.clone(), acquirer })
    }

    /// See [`Participant::sender_to`].
    ///
    /// # Errors
    /// See [`RoleError`].
    pub fn sender_to(&self, holder: Holder, in_pins: &[Holder]) -> Result<TrustedSender, RoleError> {
        let sender = self.0.participant.sender_to(holder, in_pins)?;
        Ok(TrustedSender { claims: self.0.clone(), sender })
    }

    /// See [`Participant::receiver`].
    ///
    /// # Errors
    /// See [`RoleError`].
    pub fn receiver(&self, holder: Holder) -> Result<TrustedReceiver, RoleError> {
        let receiver = self.0.participant.receiver(holder)?;
        Ok(TrustedReceiver { claims: self.0.clone(), receiver })
    }

    /// Frames that are out, in whatever process.
    pub fn in_use(&self) -> u32 {
        (0..self.0.frames()).map(|frame| u32::from(!self.0.word(frame).is_free())).sum()
    }

    /// Frames that this process has, those not counted that wait in its rings.
    pub fn held_here(&self) -> u32 {
        let held = |counts: &[AtomicU32]| counts.iter().any(|count| count.load(Ordering::Acquire) > 0);
        self.0.counts.chunks(self.0.holders.max(1)).map(|counts| u32::from(held(counts))).sum()
    }

    /// Frames acquired so far, in whatever process.
    pub fn acquires(&self) -> u64 {
        let control = &self.0.participant.shared.control;
        control.holders().map(|holder| control.acquired(holder).load(Ordering::Relaxed)).fold(0, u64::saturating_add)
    }

    /// Acquisitions that had to wait so far, in whatever process.
    pub fn waits(&self) -> u64 {
        let control = &self.0.participant.shared.control;
        control.holders().map(|holder| control.waited(holder).load(Ordering::Relaxed)).fold(0, u64::saturating_add)
    }
}

/// Takes free frames, to be filled.
pub struct TrustedAcquirer {
    claims: Arc<Claims>,
    acquirer: Acquirer,
}

impl TrustedAcquirer {
    /// See [`Acquirer::try_acquire`].
    ///
    /// # Errors
    /// See there.
    pub fn try_acquire(&mut self) -> Result<TrustedFrame, Unready> {
        self.acquirer.try_acquire_index().map(|frame| self.frame(frame))
    }

    /// See [`Acquirer::acquire`].
    ///
    /// # Errors
    /// See there.
    pub fn acquire(&mut self, timeout: Option<Duration>) -> Result<TrustedFrame, Unready> {
        self.acquirer.acquire_index(timeout).map(|frame| self.frame(frame))
    }

    fn frame(&self, frame: u32) -> TrustedFrame {
        TrustedFrame::counted(&self.claims, frame, self.acquirer.holder(), FrameHeader::default())
    }

    /// See [`Acquirer::event`].
    pub fn event(&self) -> BorrowedFd<'_> {
        self.acquirer.event()
    }

    /// See [`Acquirer::arm`].
    pub fn arm(&mut self) -> bool {
        self.acquirer.arm()
    }
}

/// Hands frames on to in pins of other processes.
pub struct TrustedSender {
    claims: Arc<Claims>,
    sender: Sender,
}

impl TrustedSender {
    /// Hands a frame to every in pin that is admitted now. Where others in this process have the frame they keep it, else it
    /// goes home where no in pin was there. Returns how many there were.
    ///
    /// # Errors
    /// The frame, where it is not one of this sender's, or a receiver has it.
    pub fn hand_over(&mut self, mut frame: TrustedFrame) -> Result<u32, UnsentFrame<TrustedFrame>> {
        if !Arc::ptr_eq(&frame.claims, &self.claims) || frame.holder != self.sender.holder() {
            return Err(UnsentFrame { frame, reason: UnsentReason::Foreign });
        }
        let (index, header) = (frame.frame, frame.header);
        // Nobody comes to have it but by this one, so one that is alone stays so.
        let alone = frame.count().load(Ordering::Acquire) == 1;
        let handed = if alone {
            frame.count().store(0, Ordering::Relaxed);
            let handed = self.sender.hand_on(index, &header, Own::Ends);
            frame.passed_on = handed.is_ok();
            if handed.is_err() {
                frame.count().store(1, Ordering::Relaxed);
            }
            handed
        } else {
            self.sender.hand_on(index, &header, Own::Stays)
        };
        let reason = match handed {
            Ok(to) => return Ok(to),
            Err(Unsent::NotHeld) => UnsentReason::NotHeld,
            Err(Unsent::HeldAlready(by)) => UnsentReason::HeldAlready(by),
        };
        Err(UnsentFrame { frame, reason })
    }

    /// See [`Sender::is_given_up`].
    pub fn is_given_up(&self) -> bool {
        self.sender.is_given_up()
    }

    /// See [`Sender::end_stream`].
    pub fn end_stream(&mut self) {
        self.sender.end_stream();
    }
}

/// Takes the frames an in pin is sent, in the order they were sent.
pub struct TrustedReceiver {
    claims: Arc<Claims>,
    receiver: Receiver,
}

impl TrustedReceiver {
    /// See [`Receiver::try_receive`].
    ///
    /// # Errors
    /// See there.
    pub fn try_receive(&mut self) -> Result<TrustedFrame, Unready> {
        self.receiver.try_receive_index().map(|arrived| self.frame(arrived))
    }

    /// See [`Receiver::receive`].
    ///
    /// # Errors
    /// See there.
    pub fn receive(&mut self, timeout: Option<Duration>) -> Result<TrustedFrame, Unready> {
        self.receiver.receive_index(timeout).map(|arrived| self.frame(arrived))
    }

    fn frame(&self, arrived: Arrived) -> TrustedFrame {
        TrustedFrame::counted(&self.claims, arrived.frame, self.receiver.holder(), arrived.header)
    }

    /// See [`Receiver::event`].
    pub fn event(&self) -> BorrowedFd<'_> {
        self.receiver.event()
    }

    /// See [`Receiver::arm`].
    pub fn arm(&mut self) -> bool {
        self.receiver.arm()
    }

    /// Takes nothing more: what is sent from now on does not come here, and what had come goes home. Frames that this
    /// process has by this in pin stay its own until they are dropped; only then may the server let another one in.
    ///
    /// A frame that is being sent by one who was stopped in the middle of it comes home when the server recovers this in pin.
    pub fn leave(mut self) {
        self.receiver.leave();
    }
}

macro_rules! debug {
    ($($role:ident: $field:ident),*) => {$(
        impl fmt::Debug for $role {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($role)).field(&self.$field).finish()
            }
        }
    )*};
}

debug!(TrustedAcquirer: acquirer, TrustedSender: sender, TrustedReceiver: receiver);

/// A frame that somebody in this process has, alone or with others. Dropping it lets it go, from any thread.
pub struct TrustedFrame {
    claims: Arc<Claims>,
    frame: u32,
    holder: Holder,
    header: FrameHeader,
    passed_on: bool,
}

impl TrustedFrame {
    /// A claim that the holder just came to have: it is counted from here on.
    fn counted(claims: &Arc<Claims>, frame: u32, holder: Holder, header: FrameHeader) -> Self {
        claims.count(frame, holder).fetch_add(1, Ordering::Relaxed);
        TrustedFrame { claims: claims.clone(), frame, holder, header, passed_on: false }
    }

    fn count(&self) -> &AtomicU32 {
        self.claims.count(self.frame, self.holder)
    }

    fn view(&self) -> &FrameView {
        // There: it is a frame of this pool, and they are all mapped.
        self.claims.participant.shared.memory.frame(self.frame).expect("a frame of this pool")
    }

    /// The frame's place in its pool, from 0.
    pub fn index(&self) -> u32 {
        self.frame
    }

    /// By which holder of this process it is had.
    pub fn holder(&self) -> Holder {
        self.holder
    }

    /// What travels with the frame.
    pub fn header(&self) -> FrameHeader {
        self.header
    }

    /// Sets what travels on with the frame. Others in this process that have it keep theirs.
    pub fn set_header(&mut self, header: FrameHeader) {
        self.header = header;
    }

    /// The bytes that carry data, by the header, and never more than there are.
    pub fn data(&self) -> &[u8] {
        // SAFETY: who made the pool a trusted one promised that all who can write keep to the protocol: nobody writes to a
        // frame that another holder has. This holder has it until `self` is dropped; and within this process `exclusive`
        // lends it to be written only while `self` is the one that has it, and borrowed exclusively.
        let bytes = unsafe { self.view().bytes() };
        &bytes[..usize::try_from(self.header.data_used).map_or(bytes.len(), |used| used.min(bytes.len()))]
    }

    /// All bytes of the frame, to write; `None` where others have it too, or it is mapped to be read only. Nobody can come to
    /// have it meanwhile.
    pub fn exclusive(&mut self) -> Option<&mut [u8]> {
        let memory = &self.claims.participant.shared.memory;
        // Acquire, both: what others read of the frame before they let it go, they have read.
        let alone = self.count().load(Ordering::Acquire) == 1
            && self.claims.word(self.frame).holders() == self.holder.bit()
            && memory.access() == Access::Write;
        if !alone {
            return None;
        }
        let (start, length) = (self.view().start(), self.view().len());
        // SAFETY: mapped to be written for as long as the pool is held, this long, and initialised. This is the frame's one
        // holder and the one that has it here, borrowed exclusively; by the promise of who made the pool a trusted one no other
        // process reads or writes a frame it does not hold, and holders only come by a hand-over, which takes this by value.
        Some(unsafe { std::slice::from_raw_parts_mut(start.as_ptr(), length) })
    }

    /// The same frame once more, for another reader in this process.
    #[must_use]
    pub fn another(&self) -> TrustedFrame {
        self.count().fetch_add(1, Ordering::Relaxed);
        let TrustedFrame { frame, holder, header, .. } = *self;
        TrustedFrame { claims: self.claims.clone(), frame, holder, header, passed_on: false }
    }
}

impl Drop for TrustedFrame {
    fn drop(&mut self) {
        // Release: what was read of the frame was read before; acquire: by the others, too, before it goes home.
        if !self.passed_on && self.count().fetch_sub(1, Ordering::AcqRel) == 1 {
            self.claims.participant.shared.control.give_back(self.frame, self.holder);
        }
    }
}

impl fmt::Debug for TrustedFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrustedFrame")
            .field("index", &self.frame)
            .field("holder", &self.holder)
            .field("header", &self.header)
            .finish_non_exhaustive()
    }
}

#[cfg(all(test, not(miri)))] // Miri maps no memory.
mod tests;
