//! Frames shared by processes: who holds which, how they are handed over, and what becomes of them when a process dies.
//!
//! A [`SharedPool`] is what its server has, a [`Participant`] what every process has that takes part, the server too. A
//! process acts as one or more [`Holder`]s: it takes free frames as an [`Acquirer`], hands them on as a [`Sender`], and takes
//! what it is sent as a [`Receiver`]. Frames are a [`WritableFrame`] with who fills them and a [`ReceivedFrame`] with who was
//! sent them; dropping one gives it back.
//!
//! One memory of atomic words, the control memory, is mapped by the server and by every process it trusts: `docs/shared-pool.md`
//! says what each word is. It has for each frame a [state word](word), and for each holder what others need to know of it.
//! Ownership of a frame is the bits of its state word, and **changing it is one compare-and-swap**, so a process that dies
//! at any instruction leaves each frame either free or held by a known holder.
//!
//! # Handing a frame over
//!
//! The sender (1) sees that no in pin has the frame, (2) says for each in pin that is there that it is handing over to it, which
//! frame, as which push and with which header (its *section*, odd), (3) swaps its own bit for the in pins' bits, or adds
//! these to its own where others in its process have the frame, too, (4) looks again whether each in pin is still
//! there, takes the bit back where it is not, and (5) writes the frame's index and header into the next place of the in
//! pin's ring: it pushes. Then the section ends.
//!
//! * *The sender dies before (3)*: it holds the frame, and its bits are swept. *After (3)*: the in pin's bit is set, and
//!   its section names the frame and a push that never arrived. An in pin's bit is clear when its section begins, so the
//!   bit is this hand-over's; the server pushes the frame.
//! * *The receiver dies*: the server closes its *gate*, then sweeps its bits. Closing, (3), (4) and the sweep's
//!   reads are sequentially consistent: either the sender's second look sees the closed gate, or the sweep sees the bit.
//!   A gate carries an epoch, so that a sender which slept from (3) to (4) through a close and a reopening still sees a
//!   change. One that sleeps between (4) and (5) is found by its odd section, which the sweep's reads make visible: the
//!   number is not given out again before that section has ended.
//! * *Both*: the two recoveries, in either order.
//!
//! # Waiting for a frame to arrive
//!
//! See [`bell`]: who stops looking says so first and looks again; who pushes looks at that afterwards.
//!
//! # Waiting for a free frame
//!
//! Who finds none free draws a ticket, says so in its [waiter cell](waiting) and in the mask of those who wait, and looks
//! again. Who frees a frame looks at the mask after its compare-and-swap. Both are sequentially consistent, so at least
//! one of the two sees the other. A free frame is *offered* to the oldest ticket: by a compare-and-swap of its word to
//! the waiter's bit and *offered*, then of the waiter's cell. Who times out and finds a frame in its cell takes it.
//! Who polls instead of sleeping is in the same line: its cell says that its event is to be written, and the frame it is
//! offered waits for it.
//! An offer nobody's cell names is the work of somebody who died, or is being made: anyone may take it back, because who
//! makes it learns by the frame's word that it is gone.

#![allow(rustdoc::private_intra_doc_links, reason = "for who works on this")]

mod bell;
mod control;
#[cfg(not(loom))]
mod files;
#[cfg(not(loom))]
mod frame;
mod handover;
mod layout;
#[cfg(not(loom))]
mod ledger;
#[cfg(all(test, loom))]
mod models;
mod park;
#[cfg(not(loom))]
mod participant;
#[cfg(not(loom))]
mod pool;
#[cfg(not(loom))]
mod properties;
#[cfg(not(loom))]
mod racing;
#[cfg(not(loom))]
mod reader;
mod recovery;
mod region;
#[cfg(not(loom))]
mod roles;
#[cfg(not(loom))]
mod standstill;
#[cfg(all(test, not(loom)))]
mod tests;
#[cfg(not(loom))]
mod trusted;
#[cfg(not(loom))]
mod view;
mod waiting;
mod word;
#[cfg(feature = "wrong-hand-over")]
#[doc(hidden)]
pub mod wrong;

#[cfg(not(loom))]
pub use self::{
    files::DescriptorError,
    frame::{Held, ReceivedFrame, WritableFrame},
    ledger::{HeldEntry, HolderEntry, Ledger},
    participant::{Descriptors, OpenError, Participant, RoleError},
    pool::{AdmitError, CreateError, Recovered, SharedPool},
    properties::{PropertiesError, SharedPoolProperties, WrittenBy},
    reader::{FrameBlocks, FrameReader},
    roles::{Acquirer, Receiver, Sender, Unready, UnsentFrame, UnsentReason},
    standstill::{SleepsFor, Standstill},
    trusted::{TrustedAcquirer, TrustedFrame, TrustedPool, TrustedReceiver, TrustedSender},
    view::{Access, FrameMemory, FrameView, MapError},
};
pub use word::Holder;
