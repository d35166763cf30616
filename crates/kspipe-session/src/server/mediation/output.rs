//! What goes out by a mediated process's pin: the server writes it, and sends it.

use super::super::signal::Signal;
use super::LOOKS;
use crate::verbs::{FrameMessage, MOST_WRITTEN, Step, WriteMessage};
use ks::NtStatus;
use ksobject::MemoryFile;
use kspipe::allocator::shared::{Acquirer, Held, Holder, ReceivedFrame, Sender, Unready, UnsentFrame, WritableFrame};
use rustix::fd::OwnedFd;
use std::sync::Arc;

/// How much is read of a file at once.
const PIECE: usize = 64 << 10;

/// An out pin.
#[derive(Debug)]
pub(super) struct Output {
    sender: Sender,
    /// `None`: what goes out is what came in.
    acquirer: Option<Acquirer>,
    /// A duplicate of the acquirer's event, which the process never sees.
    event: Option<Arc<OwnedFd>>,
    /// The process was told that no frame is free, and waits to hear that one is: in line with all others.
    is_awaited: bool,
    filling: Option<Filling>,
    file: Option<MemoryFile>,
    /// Bytes of a picture, where the graph says what goes out.
    picture: Option<u64>,
    /// Frames that were copied in.
    copies: u64,
}

/// A frame that was acquired.
#[derive(Debug)]
struct Filling {
    frame: WritableFrame,
    /// How many bytes were written, from the first on.
    written: u64,
}

impl Output {
    pub(super) fn new(sender: Sender, acquirer: Option<Acquirer>, picture: Option<u64>) -> std::io::Result<Self> {
        let event = acquirer.as_ref().map(|acquirer| acquirer.event().try_clone_to_owned()).transpose()?.map(Arc::new);
        Ok(Self { sender, acquirer, event, is_awaited: false, filling: None, file: None, picture, copies: 0 })
    }

    /// Whose frames go out.
    pub(super) fn holder(&self) -> Holder {
        self.sender.holder()
    }

    pub(super) fn claims(&self) -> u32 {
        u32::from(self.filling.is_some())
    }

    pub(super) fn copies(&self) -> u64 {
        self.copies
    }

    pub(super) fn set_file(&mut self, file: MemoryFile) {
        self.file = Some(file);
    }

    /// A free frame, one at a time.
    pub(super) fn acquire(&mut self, signal: &Signal) -> Result<FrameMessage, NtStatus> {
        self.is_awaited = false;
        let acquirer = self.acquirer.as_mut().ok_or(NtStatus::STATUS_INVALID_DEVICE_REQUEST)?;
        if self.filling.is_some() {
            return Ok(FrameMessage::none(Step::HoldsMost));
        }
        for _ in 0..LOOKS {
            let step = match acquirer.try_acquire() {
                Ok(frame) => {
                    let message = FrameMessage::of(frame.index(), &frame.header());
                    self.filling = Some(Filling { frame, written: 0 });
                    return Ok(message);
                }
                Err(Unready::Empty) if acquirer.arm() => {
                    self.is_awaited = true;
                    Step::Nothing
                }
                Err(Unready::Empty | Unready::TimedOut | Unready::Ended | Unready::Nonsense) => continue,
                Err(Unready::Shut | Unready::Interrupted) => Step::Shut,
                Err(Unready::PoolClosed | Unready::ServerGone) => Step::Closed,
            };
            return Ok(FrameMessage::none(step));
        }
        // They come and go: the process asks again at once, and others are served before it.
        signal.say();
        Ok(FrameMessage::none(Step::Nothing))
    }

    /// What is readable when a frame is free that the process waits for.
    pub(super) fn awaited(&self) -> Option<Arc<OwnedFd>> {
        self.event.clone().filter(|_| self.is_awaited)
    }

    /// A frame is free.
    pub(super) fn has_come(&mut self, signal: &Signal) {
        if std::mem::take(&mut self.is_awaited) {
            signal.say();
        }
    }

    /// Copies the next bytes of the file into the frame.
    pub(super) fn write(&mut self, message: &WriteMessage) -> Result<(), NtStatus> {
        let (Some(file), Some(filling)) = (&self.file, &mut self.filling) else {
            return Err(NtStatus::STATUS_INVALID_DEVICE_REQUEST);
        };
        let (offset, length) = (message.offset.get(), message.length.get());
        let fits = filling.frame.len() as u64 - filling.written;
        if offset != filling.written || length > MOST_WRITTEN.min(fits) {
            return Err(NtStatus::STATUS_INVALID_PARAMETER);
        }
        let mut piece = [0; PIECE];
        let mut left = length;
        while left > 0 {
            let part = &mut piece[..usize::try_from(left).map_or(PIECE, |left| left.min(PIECE))];
            // It can be shorter than it said only where it never was as long as the frame.
            if !file.read(filling.written, part) {
                return Err(NtStatus::STATUS_INVALID_PARAMETER);
            }
            // In the frame, so in an address space.
            filling.frame.copy_from(filling.written as usize, part);
            filling.written += part.len() as u64;
            left -= part.len() as u64;
        }
        Ok(())
    }

    /// Sends the frame that was acquired. What was in it before is not the process's to send, so all that counts was written;
    /// and filters that take pictures are not given less than one.
    pub(super) fn send(&mut self, message: &FrameMessage) -> Result<(), NtStatus> {
        let mut header = message.header();
        let is_good = |filling: &Filling| {
            header.data_used <= filling.written && self.picture.is_none_or(|picture| header.data_used == picture)
        };
        if !self.filling.as_ref().ok_or(NtStatus::STATUS_INVALID_DEVICE_REQUEST).map(is_good)? {
            return Err(NtStatus::STATUS_INVALID_PARAMETER);
        }
        let Some(Filling { mut frame, .. }) = self.filling.take() else {
            return Err(NtStatus::STATUS_INVALID_DEVICE_REQUEST);
        };
        header.data_used = header.data_used.min(frame.len() as u64);
        frame.set_header(header);
        self.copies = self.copies.saturating_add(1);
        self.hand_over(frame).map_err(|_| NtStatus::STATUS_UNSUCCESSFUL)
    }

    /// Gives back the frame that was acquired.
    pub(super) fn give_up(&mut self) -> Result<(), NtStatus> {
        self.filling.take().map(drop).ok_or(NtStatus::STATUS_INVALID_PARAMETER)
    }

    /// Hands on a frame that came in.
    pub(super) fn hand_on(
        &mut self,
        mut frame: ReceivedFrame,
        message: &FrameMessage,
    ) -> Result<(), UnsentFrame<ReceivedFrame>> {
        let mut header = message.header();
        // Its bytes are another's, and as many as they were.
        header.data_used = frame.header().data_used;
        frame.set_header(header);
        self.hand_over(frame)
    }

    fn hand_over<F: Held + std::fmt::Debug>(&mut self, frame: F) -> Result<(), UnsentFrame<F>> {
        self.sender.hand_over(frame)
    }

    pub(super) fn end_stream(&mut self) {
        self.sender.end_stream();
    }
}
