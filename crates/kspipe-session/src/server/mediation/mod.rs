//! Everything the server does for a process that is not trusted with the control memory: it takes what comes in by the
//! process's pins, keeps it while the process reads it, copies in what the process writes, and sends it.
//!
//! What the process says is a number, a header and the place of a file: there is nothing that it could say to reach a frame that
//! is not its own. Each request ends in bounded time, and nothing here waits for the process.

mod intake;
mod output;

use super::none_left;
use super::signal::Signal;
use crate::verbs::{
    FrameMessage, KSMETHOD_KSPPIN_ACQUIRE, KSMETHOD_KSPPIN_END, KSMETHOD_KSPPIN_FILE, KSMETHOD_KSPPIN_NEXT,
    KSMETHOD_KSPPIN_RELEASE, KSMETHOD_KSPPIN_SEND, KSMETHOD_KSPPIN_WRITE, WriteMessage,
};
use intake::Intake;
use ks::NtStatus;
use ksobject::{ExtensionRequest, Handle};
use kspipe::allocator::shared::{Holder, Participant, RoleError};
use kspipe::negotiate::PipeId;
use output::Output;
use rustix::fd::OwnedFd;
use std::sync::Arc;
use zerocopy::{FromBytes, IntoBytes};

/// How often a frame is looked for that comes just when its notice is asked for.
const LOOKS: u32 = 4;

/// What the server does for a mediated process.
#[derive(Debug, Default)]
pub(super) struct Mediation {
    pins: Vec<Pin>,
    requests: u64,
}

#[derive(Debug)]
struct Pin {
    /// The number of its factory.
    factory: u32,
    pipe: PipeId,
    signal: Signal,
    way: Way,
}

#[derive(Debug)]
enum Way {
    In(Intake),
    Out(Output),
}

/// By which holders a pin takes or sends.
pub(super) enum Holders {
    /// With the file of each frame, where these are isolated.
    In { takes_as: Holder, holds: Option<u32>, files: Vec<OwnedFd> },
    /// With the bytes of a picture, where the graph says what goes out.
    Out { sends_as: Holder, sends_to: Holder, picture: Option<u64> },
}

/// What becomes of a request, besides its answer.
pub(super) enum Done {
    /// Nothing. The file goes with the answer.
    Answered(Vec<u8>, Option<OwnedFd>),
    /// The in pin of this holder takes nothing more.
    Closes(PipeId, Holder),
}

impl Mediation {
    /// Takes the roles of a pin whose holders are admitted. Gives the end of the pin's signal that goes to the process.
    pub(super) fn add(
        &mut self,
        factory: u32,
        pipe: PipeId,
        participant: &Participant,
        holders: Holders,
    ) -> Result<OwnedFd, NtStatus> {
        let failed = |_: RoleError| NtStatus::STATUS_DEVICE_BUSY;
        let way = match holders {
            Holders::In { takes_as, holds, files } => {
                let receiver = participant.receiver(takes_as).map_err(failed)?;
                Way::In(Intake::new(receiver, holds, files).map_err(none_left)?)
            }
            Holders::Out { sends_as, sends_to, picture } => {
                let acquirer = if sends_as.is_in_pin() { None } else { Some(participant.acquirer(sends_as)) };
                let acquirer = acquirer.transpose().map_err(failed)?;
                let sender = participant.sender_to(sends_as, &[sends_to]).map_err(failed)?;
                Way::Out(Output::new(sender, acquirer, picture).map_err(none_left)?)
            }
        };
        let (signal, theirs) = Signal::new().map_err(none_left)?;
        self.pins.push(Pin { factory, pipe, signal, way });
        Ok(theirs)
    }

    /// Frames that the process has.
    pub(super) fn claims(&self) -> u32 {
        let claims = |pin: &Pin| match &pin.way {
            Way::In(intake) => intake.claims(),
            Way::Out(output) => output.claims(),
        };
        self.pins.iter().map(claims).sum()
    }

    /// Frames that were copied in for it.
    pub(super) fn copies(&self) -> u64 {
        let copies = |pin: &Pin| match &pin.way {
            Way::In(_) => 0,
            Way::Out(output) => output.copies(),
        };
        self.pins.iter().map(copies).fold(0, u64::saturating_add)
    }

    /// Requests it made about frames.
    pub(super) fn requests(&self) -> u64 {
        self.requests
    }

    /// Answers one of the methods for mediated processes, asked of a pin.
    pub(super) fn request(&mut self, factory: u32, request: &ExtensionRequest<'_>) -> Result<Done, NtStatus> {
        self.requests = self.requests.saturating_add(1);
        let place = self.pins.iter().position(|pin| pin.factory == factory);
        let place = place.ok_or(NtStatus::STATUS_INVALID_DEVICE_REQUEST)?;
        if request.id == KSMETHOD_KSPPIN_SEND {
            return self.send(place, parse(request.data)?).map(|()| Done::Answered(Vec::new(), None));
        }
        let Pin { pipe, signal, way, .. } = &mut self.pins[place];
        let answer = match (request.id, way) {
            (KSMETHOD_KSPPIN_NEXT, Way::In(intake)) => {
                room(request.data)?;
                let message = intake.next(signal);
                return Ok(Done::Answered(message.as_bytes().to_vec(), intake.take_file(&message)));
            }
            (KSMETHOD_KSPPIN_ACQUIRE, Way::Out(output)) => {
                room(request.data)?;
                output.acquire(signal)?.as_bytes().to_vec()
            }
            (KSMETHOD_KSPPIN_RELEASE, Way::In(intake)) => {
                drop(intake.release(super::extension::number(request.data)?, signal)?);
                Vec::new()
            }
            (KSMETHOD_KSPPIN_RELEASE, Way::Out(output)) => {
                output.give_up()?;
                Vec::new()
            }
            (KSMETHOD_KSPPIN_FILE, Way::Out(output)) => {
                let handle = request.data.first_chunk().ok_or(NtStatus::STATUS_BUFFER_TOO_SMALL)?;
                let handle =
                    isize::try_from(i64::from_le_bytes(*handle)).map_err(|_| NtStatus::STATUS_INVALID_HANDLE)?;
                output.set_file(request.descriptors.memory_file(Handle(handle))?);
                Vec::new()
            }
            (KSMETHOD_KSPPIN_WRITE, Way::Out(output)) => {
                output.write(&parse::<WriteMessage>(request.data)?)?;
                Vec::new()
            }
            (KSMETHOD_KSPPIN_END, Way::Out(output)) => {
                output.end_stream();
                Vec::new()
            }
            (KSMETHOD_KSPPIN_END, Way::In(intake)) => return Ok(Done::Closes(*pipe, intake.holder())),
            _ => return Err(NtStatus::STATUS_INVALID_DEVICE_REQUEST),
        };
        Ok(Done::Answered(answer, None))
    }

    /// Sends a frame by an out pin: the one that was acquired for it, or one that came in by the in pin whose frames go out.
    fn send(&mut self, place: usize, message: FrameMessage) -> Result<(), NtStatus> {
        let Way::Out(output) = &mut self.pins[place].way else { return Err(NtStatus::STATUS_INVALID_DEVICE_REQUEST) };
        if message.hands_on.get() == 0 {
            return output.send(&message);
        }
        let (holder, pipe) = (output.holder(), self.pins[place].pipe);
        let from = self.pins.iter().position(|pin| match &pin.way {
            Way::In(intake) => pin.pipe == pipe && intake.holder() == holder,
            Way::Out(_) => false,
        });
        let Some(from) = from.filter(|from| *from != place) else {
            return Err(NtStatus::STATUS_INVALID_DEVICE_REQUEST);
        };
        let Ok([from, to]) = self.pins.get_disjoint_mut([from, place]) else {
            return Err(NtStatus::STATUS_INVALID_DEVICE_REQUEST);
        };
        let (Way::In(intake), Way::Out(output)) = (&mut from.way, &mut to.way) else {
            return Err(NtStatus::STATUS_INVALID_DEVICE_REQUEST);
        };
        let frame = intake.release(message.frame.get(), &from.signal)?;
        output.hand_on(frame, &message).map_err(|unsent| {
            intake.restore(unsent.frame);
            NtStatus::STATUS_UNSUCCESSFUL
        })
    }

    /// The in pin of this holder takes nothing more; it was shut.
    pub(super) fn close(&mut self, pipe: PipeId, holder: Holder) {
        for pin in self.pins.iter_mut().filter(|pin| pin.pipe == pipe) {
            if let Way::In(intake) = &mut pin.way
                && intake.holder() == holder
            {
                intake.close();
            }
        }
    }

    /// What is readable when something has come that the process waits for.
    pub(super) fn awaited(&self) -> impl Iterator<Item = Arc<OwnedFd>> + '_ {
        self.pins.iter().filter_map(|pin| pin.way.awaited())
    }

    /// Something has come at a pin with this event.
    pub(super) fn has_come(&mut self, event: &Arc<OwnedFd>) {
        let is_it = |pin: &&mut Pin| pin.way.awaited().is_some_and(|awaited| Arc::ptr_eq(&awaited, event));
        for Pin { signal, way, .. } in self.pins.iter_mut().filter(is_it) {
            match way {
                Way::In(intake) => intake.has_come(signal),
                Way::Out(output) => output.has_come(signal),
            }
        }
    }
}

impl Way {
    fn awaited(&self) -> Option<Arc<OwnedFd>> {
        match self {
            Way::In(intake) => intake.awaited(),
            Way::Out(output) => output.awaited(),
        }
    }
}

fn parse<T: FromBytes>(data: &[u8]) -> Result<T, NtStatus> {
    T::read_from_prefix(data).map(|(message, _)| message).map_err(|_| NtStatus::STATUS_BUFFER_TOO_SMALL)
}

/// There is room for the answer, so that none is lost.
fn room(data: &[u8]) -> Result<(), NtStatus> {
    if data.len() < size_of::<FrameMessage>() { Err(NtStatus::STATUS_BUFFER_TOO_SMALL) } else { Ok(()) }
}
