//! What comes in by a mediated process's pin, and stays the server's until the process asks for it.

use super::super::signal::Signal;
use super::LOOKS;
use crate::verbs::{FrameMessage, Step};
use ks::NtStatus;
use kspipe::allocator::shared::{Holder, ReceivedFrame, Receiver, Unready};
use rustix::fd::OwnedFd;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The most frames that a pool has.
const MOST_FRAMES: u32 = 65_536;

/// An in pin.
#[derive(Debug)]
pub(super) struct Intake {
    receiver: Receiver,
    /// The frames that the process has, by number: the server holds them for it.
    held: BTreeMap<u32, ReceivedFrame>,
    /// The most it may have.
    most: usize,
    /// A duplicate of the in pin's event, which the process never sees.
    event: Arc<OwnedFd>,
    /// The process was told that there is nothing, and waits to hear that there is.
    is_awaited: bool,
    /// The process was told that it has all it may have, and waits to hear that it can have more.
    is_full: bool,
    /// It takes nothing more.
    closed: bool,
    /// By frame, the file that the process gets with it for the first time, where each has its own.
    files: Vec<Option<OwnedFd>>,
}

impl Intake {
    pub(super) fn new(receiver: Receiver, holds: Option<u32>, files: Vec<OwnedFd>) -> std::io::Result<Self> {
        let files = files.into_iter().map(Some).collect();
        let event = Arc::new(receiver.event().try_clone_to_owned()?);
        // Who reads has at least the frame that it reads.
        let most = holds.unwrap_or(1).max(1) as usize;
        Ok(Self {
            receiver,
            held: BTreeMap::new(),
            most,
            event,
            is_awaited: false,
            is_full: false,
            closed: false,
            files,
        })
    }

    pub(super) fn holder(&self) -> Holder {
        self.receiver.holder()
    }

    pub(super) fn claims(&self) -> u32 {
        self.held.len() as u32
    }

    /// The next frame, or why there is none.
    pub(super) fn next(&mut self, signal: &Signal) -> FrameMessage {
        self.is_awaited = false;
        if self.closed {
            return FrameMessage::none(Step::Shut);
        }
        self.is_full = self.held.len() >= self.most;
        if self.is_full {
            return FrameMessage::none(Step::HoldsMost);
        }
        for _ in 0..LOOKS {
            let step = match self.receiver.try_receive() {
                Ok(frame) => {
                    let message = FrameMessage::of(frame.index(), &frame.header());
                    self.held.insert(frame.index(), frame);
                    return message;
                }
                Err(Unready::Empty) if self.receiver.arm() => {
                    self.is_awaited = true;
                    Step::Nothing
                }
                Err(Unready::Empty | Unready::TimedOut) => continue,
                Err(Unready::Ended) => Step::Ended,
                Err(Unready::Nonsense) => Step::Nonsense,
                Err(Unready::Shut | Unready::Interrupted) => Step::Shut,
                Err(Unready::PoolClosed | Unready::ServerGone) => Step::Closed,
            };
            return FrameMessage::none(step);
        }
        // It comes and goes: the process asks again at once, and others are served before it.
        signal.say();
        FrameMessage::none(Step::Nothing)
    }

    /// The file of a frame that the process was given, once.
    pub(super) fn take_file(&mut self, message: &FrameMessage) -> Option<OwnedFd> {
        if message.step.get() != Step::Frame as u32 {
            return None;
        }
        self.files.get_mut(message.frame.get() as usize)?.take()
    }

    /// Takes back a frame that the process has.
    pub(super) fn release(&mut self, frame: u32, signal: &Signal) -> Result<ReceivedFrame, NtStatus> {
        let frame = self.held.remove(&frame).ok_or(NtStatus::STATUS_INVALID_PARAMETER)?;
        if std::mem::take(&mut self.is_full) {
            signal.say();
        }
        Ok(frame)
    }

    /// The process has the frame after all.
    pub(super) fn restore(&mut self, frame: ReceivedFrame) {
        self.held.insert(frame.index(), frame);
    }

    /// Takes nothing more: what had come goes home. The holder was shut before.
    pub(super) fn close(&mut self) {
        self.closed = true;
        self.is_awaited = false;
        // Each goes home by being dropped. There are no more than a pool has frames, whatever a sender pretends.
        for _ in 0..=MOST_FRAMES {
            if !matches!(self.receiver.try_receive(), Ok(_) | Err(Unready::Nonsense)) {
                break;
            }
        }
    }

    /// What is readable when something has come that the process waits for.
    pub(super) fn awaited(&self) -> Option<Arc<OwnedFd>> {
        self.is_awaited.then(|| self.event.clone())
    }

    /// Something has come.
    pub(super) fn has_come(&mut self, signal: &Signal) {
        if std::mem::take(&mut self.is_awaited) {
            signal.say();
        }
    }
}
