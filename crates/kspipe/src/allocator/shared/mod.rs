//! Frames shared by processes: who holds which, how they are handed over, and what becomes of them when a process dies.
//!
//! One memory of atomic words, the [`Control`], is mapped by the server and by every process it trusts. It has for each
//! frame a [state word](word), and for each *holder* what others need to know of it. A holder is an in pin of a process,
//! which gets frames from exactly one sender, or a place where a process acquires frames. Ownership of a frame is the
//! bits of its state word, and **changing it is one compare-and-swap**, so a process that dies at any instruction leaves
//! each frame either free or held by a known holder.
//!
//! # Handing a frame over
//!
//! The sender (1) says that it is handing over ([`Control::section`], odd), (2) writes the frame's header and its place
//! in the order into the receiver's [delivery](delivery), (3) swaps its own bit for the receivers' bits, (4) looks again
//! whether each receiver is still there, takes the bit back where it is not, and (5) pushes the frame's index into the
//! receiver's [ring](Ring). Then the section ends.
//!
//! * *The sender dies before (3)*: it holds the frame, and its bits are swept. *After (3)*: the receiver's bit is set, and
//!   the delivery's place is the ring's next, which only holds of a frame that never arrived; the server pushes it.
//! * *The receiver dies*: the server closes its [gate](gate), then sweeps its bits. Closing, (3), (4) and the sweep's
//!   reads are sequentially consistent: either the sender's second look sees the closed gate, or the sweep sees the bit.
//!   A gate carries an epoch, so that a sender which slept from (3) to (4) through a close and a reopening still sees a
//!   change. One that sleeps between (4) and (5) is found by its odd section, which the sweep's reads make visible: the
//!   number is not given out again before that section has ended.
//! * *Both*: the two recoveries, in either order.
//!
//! # Waiting for a free frame
//!
//! Who finds none free draws a ticket, says so in its [waiter cell](waiting) and in the mask of those who wait, and looks
//! again. Who frees a frame looks at the mask after its compare-and-swap. Both are sequentially consistent, so at least
//! one of the two sees the other. A free frame is *offered* to the oldest ticket: by a compare-and-swap of its word to
//! the waiter's bit and [`Word::OFFERED`], then of the waiter's cell. Who times out and finds a frame in its cell takes it.
//! An offer nobody's cell names is the work of somebody who died, or is being made: anyone may take it back, because who
//! makes it learns by the frame's word that it is gone.

mod control;
mod handover;
#[cfg(all(test, loom))]
mod models;
mod park;
mod recovery;
mod region;
#[cfg(all(test, not(loom)))]
mod tests;
mod waiting;
mod word;

pub(crate) use control::{Control, Dimensions, DimensionsError};
pub(crate) use handover::{Delivered, HandOverError, Receiver, Sender};
pub(crate) use recovery::{Busy, Swept};
pub(crate) use waiting::Acquirer;
pub(crate) use word::Holder;
