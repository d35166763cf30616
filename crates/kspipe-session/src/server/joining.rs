//! Joining with a filter, and leaving it.

use super::mediation::{Done, Holders, Mediation};
use super::none_left;
use super::participants::Joined;
use super::signal::Signal;
use super::state::{State, What};
use crate::verbs::{FramesLayout, Join, JoinedPin, JoinedPool, VERSION};
use ks::NtStatus;
use ksobject::wire::MAX_DESCRIPTORS;
use ksobject::{ClientProcess, ExtensionAnswer, ExtensionRequest, PinInstance};
use kspipe::allocator::shared::{AdmitError, Holder};
use kspipe::graph::{Direction, FilterId, PinId};
use kspipe::negotiate::PipeId;
use kspipe::stream::Process;
use rustix::fd::OwnedFd;
use std::time::{Duration, Instant};

/// How long a sender's hand-over is waited for before a process is told to come again: nobody else is served meanwhile.
const PATIENCE: Duration = Duration::from_millis(1);

impl State {
    /// The process joins with the filter of a pin: all its holders are admitted. Gives a [`Join`] as text, unless it is
    /// longer than there is room for.
    pub(super) fn join(&mut self, pin: PinInstance, from: &ClientProcess, room: usize) -> Result<Vec<u8>, NtStatus> {
        if self.closed {
            return Err(NtStatus::STATUS_CANCELLED);
        }
        let (place, occupant) = self.occupant(pin, from)?;
        if occupant.joined.is_some() {
            return Err(NtStatus::STATUS_INVALID_DEVICE_REQUEST);
        }
        let is_mediated = occupant.is_mediated;
        let filter = self.places[place].filter;
        let (mut join, mut descriptors) = self.describe(filter, is_mediated).map_err(none_left)?;
        let sockets = if is_mediated { join.pins.len() } else { 0 };
        // Those to stop and to begin come last.
        join.descriptors = (descriptors.len() + sockets + 2) as u32;
        let text = serde_json::to_vec(&join).map_err(|_| NtStatus::STATUS_UNSUCCESSFUL)?;
        if text.len() > room {
            return Err(NtStatus::STATUS_BUFFER_TOO_SMALL);
        }
        let ((stop, their_stop), (begins, their_begins)) =
            (Signal::new().map_err(none_left)?, Signal::new().map_err(none_left)?);
        self.admit(filter)?;
        let mut mediation = None;
        if is_mediated {
            let (added, sockets) = match self.mediate(&join) {
                Ok(mediated) => mediated,
                Err(error) => {
                    self.end_claims(filter);
                    return Err(error);
                }
            };
            mediation = Some(added);
            descriptors.extend(sockets);
        }
        descriptors.extend([their_stop, their_begins]);
        if self.asked > 0 {
            stop.say();
        }
        if self.stop.is_some() {
            begins.say();
        }
        let stands = &mut self.places[place];
        stands.joins += 1;
        stands.has_left = false;
        if let Some(occupant) = &mut stands.occupant {
            let descriptors = descriptors.into_iter().map(Some).collect();
            occupant.joined = Some(Joined { stop, begins, descriptors, mediation });
        }
        self.happened(place, from.process, What::Joined);
        Ok(text)
    }

    /// What a process gets for a filter, but for the signals.
    fn describe(&self, filter: FilterId, is_mediated: bool) -> std::io::Result<(Join, Vec<OwnedFd>)> {
        let process = Process::Of(filter);
        let mut descriptors = Vec::new();
        let mut pools = Vec::new();
        let sends = self.graph.filter(filter).pins().any(|pin| self.graph.pin(pin).direction() == Direction::Out);
        for (id, pool) in &self.pools {
            let Some(pipe) = self.sharing.pipe_of(*id) else { continue };
            let mut holders = pipe.holders_of(process).peekable();
            if holders.peek().is_none() {
                continue;
            }
            if is_mediated {
                // Frames are there to be read, where any come in; and no word of who has which.
                let reads = holders.any(Holder::is_in_pin);
                let isolated = pool.properties().isolate;
                let files = if reads && !isolated { pool.read_only_frames()? } else { Vec::new() };
                let of = &pool.properties().frames;
                let layout = FramesLayout {
                    frames: of.frames,
                    size: of.size,
                    alignment: of.alignment,
                    prefix: of.prefix,
                    isolated,
                };
                let (pipe, files_there) = (id.0, files.len() as u32);
                pools.push(JoinedPool { pipe, writable: false, files: files_there, events: 0, frames: Some(layout) });
                descriptors.extend(files);
                continue;
            }
            // A filter that sends nothing only reads.
            let given = pool.descriptors()?;
            let frames = if sends { given.frames } else { pool.read_only_frames()? };
            let (files, events) = (frames.len() as u32, given.events.len() as u32);
            pools.push(JoinedPool { pipe: id.0, writable: sends, files, events, frames: None });
            descriptors.push(given.control);
            descriptors.extend(frames.into_iter().chain(given.events));
        }
        let pins = self.graph.filter(filter).pins().filter_map(|pin| self.joined_pin(pin)).collect();
        let filter = self.graph.filter(filter).name().to_owned();
        Ok((Join { version: VERSION, filter, pools, pins, descriptors: 0, mediated: is_mediated }, descriptors))
    }

    /// Takes the roles of a filter's pins, for a process that is not trusted with them. Gives what each pin's signal is heard by.
    fn mediate(&self, join: &Join) -> Result<(Mediation, Vec<OwnedFd>), NtStatus> {
        let mut mediation = Mediation::default();
        let mut sockets = Vec::new();
        for joined in &join.pins {
            let name = format!("{}.{}", join.filter, joined.name);
            let found = self.pins.iter().zip(0..).find(|((_, _, described), _)| described.name == name);
            let ((pin, _, _), factory) = found.ok_or(NtStatus::STATUS_UNSUCCESSFUL)?;
            let holder = |number: Option<u32>| number.and_then(Holder::new);
            let pipe = PipeId(joined.pipe);
            let pool = self.pools().find(|(id, _)| *id == pipe).ok_or(NtStatus::STATUS_UNSUCCESSFUL)?.1;
            let holders = match (holder(joined.takes_as), holder(joined.sends_as), holder(joined.sends_to)) {
                (Some(takes_as), ..) => {
                    let files = if pool.properties().isolate { pool.read_only_frames() } else { Ok(Vec::new()) };
                    let files = files.map_err(none_left)?;
                    Holders::In { takes_as, holds: self.graph.pin(*pin).holds(), files }
                }
                (None, Some(sends_as), Some(sends_to)) => {
                    Holders::Out { sends_as, sends_to, picture: self.pictures.get(pin).copied() }
                }
                _ => return Err(NtStatus::STATUS_UNSUCCESSFUL),
            };
            sockets.push(mediation.add(factory, pipe, pool.participant(), holders)?);
        }
        Ok((mediation, sockets))
    }

    /// Answers a method about frames, of a process that is mediated.
    pub(super) fn mediated(
        &mut self,
        pin: PinInstance,
        from: &ClientProcess,
        request: &ExtensionRequest<'_>,
    ) -> Result<ExtensionAnswer, NtStatus> {
        let (place, occupant) = self.occupant(pin, from)?;
        let joined = occupant.joined.as_mut().ok_or(NtStatus::STATUS_INVALID_DEVICE_REQUEST)?;
        let mediation = joined.mediation.as_mut().ok_or(NtStatus::STATUS_INVALID_DEVICE_REQUEST)?;
        match mediation.request(pin.factory, request)? {
            Done::Answered(data, file) => Ok(ExtensionAnswer { data, descriptors: file.into_iter().collect() }),
            Done::Closes(pipe, holder) => {
                if let Some((_, pool)) = self.pools.iter_mut().find(|(id, _)| *id == pipe) {
                    pool.shut(holder);
                }
                if let Some(mediation) = self.places[place].mediation() {
                    mediation.close(pipe, holder);
                }
                Ok(ExtensionAnswer::default())
            }
        }
    }

    /// By which holders a pin takes or sends; `None` where it is connected to nothing.
    fn joined_pin(&self, pin: PinId) -> Option<JoinedPin> {
        let peer = self.graph.pin(pin).peer()?;
        let is_in = self.graph.pin(pin).direction() == Direction::In;
        let in_pin = if is_in { pin } else { peer };
        let id = *self.pipe_of.get(in_pin.index())?;
        let pipe = self.sharing.pipe_of(id)?;
        let takes = pipe.holder(in_pin)?;
        let sends = pipe.properties().sender_of(takes).filter(|_| !is_in);
        Some(JoinedPin {
            name: self.graph.pin(pin).name().to_owned(),
            pipe: id.0,
            takes_as: is_in.then_some(takes.number()),
            sends_as: sends.map(Holder::number),
            sends_to: sends.map(|_| takes.number()),
        })
    }

    /// Admits a filter's holders, all or none.
    fn admit(&mut self, filter: FilterId) -> Result<(), NtStatus> {
        let admitted = self.try_admit(Process::Of(filter));
        if admitted.is_err() {
            self.end_claims(filter);
        }
        admitted.map_err(|_| NtStatus::STATUS_DEVICE_BUSY)
    }

    fn try_admit(&mut self, process: Process) -> Result<(), AdmitError> {
        let start = Instant::now();
        for (id, pool) in &mut self.pools {
            let Some(pipe) = self.sharing.pipe_of(*id) else { continue };
            for holder in pipe.holders_of(process) {
                loop {
                    match pool.admit(holder) {
                        Ok(()) => break,
                        // Mostly it is over at once; it lasts only where a sender is stopped in it.
                        Err(AdmitError::Busy { .. }) if start.elapsed() < PATIENCE => std::thread::yield_now(),
                        Err(error) => return Err(error),
                    }
                }
            }
        }
        Ok(())
    }

    /// Descriptors that a process has not fetched yet, from this one on.
    pub(super) fn descriptors(
        &mut self,
        pin: PinInstance,
        from: &ClientProcess,
        first: u32,
    ) -> Result<Vec<OwnedFd>, NtStatus> {
        let (_, occupant) = self.occupant(pin, from)?;
        let joined = occupant.joined.as_mut().ok_or(NtStatus::STATUS_INVALID_DEVICE_REQUEST)?;
        let rest = joined.descriptors.get_mut(first as usize..).ok_or(NtStatus::STATUS_INVALID_PARAMETER)?;
        Ok(rest.iter_mut().take(MAX_DESCRIPTORS).map_while(Option::take).collect())
    }

    /// A process has dropped all it had, and leaves.
    pub(super) fn leave(&mut self, pin: PinInstance, from: &ClientProcess) -> Result<(), NtStatus> {
        let (place, occupant) = self.occupant(pin, from)?;
        if occupant.joined.is_none() {
            return Err(NtStatus::STATUS_INVALID_DEVICE_REQUEST);
        }
        let filter = self.places[place].filter;
        let claims = self.take_back(place) + self.end_claims(filter).0;
        let stands = &mut self.places[place];
        stands.occupant = None;
        stands.leaves += 1;
        stands.has_left = true;
        self.happened(place, from.process, What::Left { claims });
        self.end_streams_where_nobody_comes(place);
        Ok(())
    }
}
