//! What clients ask: packets on handles and on connections, and their answers.

use super::connection::WaitingRequest;
use super::limits::{OBJECT, WAITING};
use super::schedule::NEWCOMERS;
use super::sender::Sender;
use super::spare::{Spare, none_left};
use super::{Server, socket};
use crate::in_process::{Failure, Started, start};
use crate::socket::{Descriptors, Received};
use crate::wire::{Answer, Attach, Control, Create, Header, MAX_PACKET, Message, VERSION, VersionsDiffer, kind};
use ks::{IOCTL_KS_PROPERTY, KsIdentifier, KsPropertyType, NtStatus};
use rustix::event::epoll::EventFlags;
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use std::cell::RefCell;
use zerocopy::FromBytes;

/// What was read of a socket.
enum Read {
    /// A packet, in the buffer.
    Packet(Received),
    /// Nothing, for now.
    Nothing,
    /// The other side is gone, or sent what no packet is.
    End,
}

/// Reads a packet into the buffer. Descriptors are taken only where they may come, and the packet's head says that they
/// do: those that never are this process's need not be closed by it.
fn read(socket: &OwnedFd, buffer: &mut [u8], may_come: bool, spare: &mut Spare) -> Read {
    let mut head = [0; size_of::<Header>()];
    let descriptors = match socket::peek(socket, &mut head) {
        Ok(Some(_)) => Header::read_from_bytes(&head).map_or(0, |head| head.descriptors.get()),
        Err(Errno::AGAIN) => return Read::Nothing,
        Ok(None) | Err(_) => return Read::End,
    };
    let taken = if descriptors > 0 && may_come { Descriptors::Taken } else { Descriptors::Refused };
    if taken == Descriptors::Taken {
        // One of a packet's fits in any case: who sends more of them where none are left is hung up.
        spare.lend();
    }
    match socket::receive(socket, buffer, taken) {
        Ok(Some(received)) => Read::Packet(received),
        Err(Errno::AGAIN) => Read::Nothing,
        Ok(None) | Err(_) => Read::End,
    }
}

impl Server {
    /// A packet on a handle, or the handle's end. Whatever else than an ATTACH comes is passed over: others have the
    /// handle too.
    pub(super) fn handle_is_ready(&mut self, id: u64) {
        let Some(end) = self.handles.get(&id) else { return };
        let received = match read(&end.socket, &mut self.buffer, self.strangers.may_come(), &mut self.spare) {
            Read::Packet(received) => received,
            Read::Nothing => return,
            Read::End => return self.handle_closed(id),
        };
        let Received { length, mut descriptors, descriptors_lost, sender } = received;
        let message = self.buffer.get(..length).map(Message::parse);
        match (message, descriptors.pop()) {
            (Some(Ok((_, Message::Attach(attach)))), Some(end)) if descriptors.is_empty() && !descriptors_lost => {
                self.attach(id, attach, sender, end);
            }
            (_, last) => self.strangers.close(descriptors.into_iter().chain(last)),
        }
        self.spare.restore(&self.stop);
    }

    /// Somebody asks for a connection over this socket.
    fn attach(&mut self, handle: u64, attach: Attach, sender: Option<i32>, end: OwnedFd) {
        // Who made the socket is who has it, and no other, whose name the sender would like to have.
        let is_theirs = || socket::peer(&end).is_ok_and(|peer| Some(peer.process) == sender);
        if !socket::is_packet_socket(&end) || !is_theirs() {
            return self.strangers.close([end]);
        }
        let refuse = |status, data: &[u8]| {
            let answer = Answer { status, returned: data.len() as u32, data, descriptors: 0 };
            // Nobody waits for this; where there is no room, they hear that the connection is closed.
            let _ = socket::send(&end, &answer.to_packet(0), &[]);
        };
        if attach.version != VERSION {
            let differ = VersionsDiffer { asked: attach.version, lowest: VERSION, highest: VERSION };
            return refuse(NtStatus::STATUS_REVISION_MISMATCH, &differ.to_bytes());
        }
        if !self.spare.restore(&self.stop) {
            return refuse(NtStatus::STATUS_TOO_MANY_OPENED_FILES, &[]);
        }
        match self.admit(&end) {
            Ok((process, charge)) => self.connect(handle, process, end, charge),
            Err(status) => refuse(status, &[]),
        }
    }

    /// A connection can be read, written, or is closed.
    pub(super) fn connection_is_ready(&mut self, id: u64, flags: EventFlags) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let (number, unread) = (connection.process, connection.unread());
        if unread > 0 {
            let flushed = connection.flush();
            let sent = unread - connection.unread();
            if let Some(process) = self.processes.get_mut(&number) {
                process.unread -= sent;
            }
            if flushed.is_err() {
                return self.hang_up(id);
            }
            self.look_at(number);
        }
        let may_read = self.processes.get(&number).is_some_and(|process| process.unread == 0);
        if may_read && flags.contains(EventFlags::IN) {
            self.read_request(id);
        } else if flags.intersects(EventFlags::HUP | EventFlags::ERR) {
            // Nobody is there to read what waits.
            self.hang_up(id);
        }
    }

    /// Reads one request and does it.
    fn read_request(&mut self, id: u64) {
        let Some(connection) = self.connections.get(&id) else { return };
        let received = match read(&connection.socket, &mut self.buffer, self.strangers.may_come(), &mut self.spare) {
            Read::Packet(received) => received,
            Read::Nothing => return,
            Read::End => return self.hang_up(id),
        };
        let Received { length, descriptors, descriptors_lost, .. } = received;
        let buffer = std::mem::take(&mut self.buffer);
        let message = buffer.get(..length.min(MAX_PACKET)).filter(|_| length <= MAX_PACKET).map(Message::parse);
        let goes_on = match message {
            Some(Ok((request, message)))
                if !descriptors_lost && descriptors.len() == usize::from(message.descriptors()) =>
            {
                if descriptors.is_empty() || request == 0 || self.spare.restore(&self.stop) {
                    self.request(id, request, message, descriptors)
                } else {
                    self.strangers.close(descriptors);
                    self.fail(id, request, NtStatus::STATUS_TOO_MANY_OPENED_FILES.into())
                }
            }
            _ => {
                self.strangers.close(descriptors);
                false
            }
        };
        self.buffer = buffer;
        if !goes_on {
            self.hang_up(id);
        }
    }

    /// Cancels the requests that were sent before the handle was closed, and that nobody has read: as many as a client is
    /// likely to have sent.
    pub(super) fn cancel_unread(&mut self, id: u64) {
        for _ in 0..64 {
            let Some(connection) = self.connections.get(&id) else { return };
            let Read::Packet(Received { length, .. }) =
                read(&connection.socket, &mut self.buffer, false, &mut self.spare)
            else {
                return;
            };
            let message = self.buffer.get(..length).map(Message::parse);
            let Some(Ok((request, Message::Control(_) | Message::Create(_)))) = message else { continue };
            if request == 0 || !self.fail(id, request, NtStatus::STATUS_CANCELLED.into()) {
                return;
            }
        }
    }

    /// Does what a request asks. `false` where the connection is to end.
    fn request(&mut self, id: u64, request: u64, message: Message<'_>, descriptors: Vec<OwnedFd>) -> bool {
        match message {
            // Answers with this number are the server's own.
            Message::Control(_) | Message::Create(_) | Message::Unknown { .. } if request == 0 => {
                self.strangers.close(descriptors);
                false
            }
            Message::Control(control) => self.control(id, request, control, descriptors),
            Message::Create(create) => self.create(id, request, create, descriptors),
            Message::Cancel => {
                if let Some(connection) = self.connections.get(&id) {
                    let meant = connection.waiting.values().filter(|waiting| waiting.id == request);
                    meant.for_each(|waiting| waiting.frame.cancel());
                }
                true
            }
            Message::Unknown { kind, .. } if kind < kind::ANSWER => {
                self.strangers.close(descriptors);
                self.fail(id, request, NtStatus::STATUS_INVALID_DEVICE_REQUEST.into())
            }
            Message::Hello(_) | Message::Attach(_) | Message::Answer(_) | Message::Unknown { .. } => {
                self.strangers.close(descriptors);
                false
            }
        }
    }

    /// A property, method or event.
    fn control(&mut self, id: u64, request: u64, control: Control<'_>, descriptors: Vec<OwnedFd>) -> bool {
        let name = self.next();
        let Some(connection) = self.connections.get(&id) else { return false };
        let Some(handle) = self.handles.get(&connection.handle) else { return false };
        let Some(process) = self.processes.get_mut(&connection.process) else { return false };
        let memory = process.memory.clone();
        // As long as the packet says, and no packet says more than it could be answered.
        let mut output = vec![0; control.output_length as usize];
        output[..control.data.len()].copy_from_slice(control.data);
        let sender = Sender {
            process: RefCell::new(process),
            connection: id,
            object: handle.object.identity(),
            handles: &self.objects,
            descriptors: RefCell::new(descriptors.into_iter().map(Some).collect()),
            key: control.key as usize,
            ended: &self.ended,
            name,
        };
        let started = start(&handle.object, control.code, control.input, &mut output, &sender);
        let left = sender.descriptors.into_inner().into_iter().flatten();
        self.strangers.close(left);
        match started {
            Ok(Started::Done(length)) => {
                // What was set is not told again.
                let data = if sets(&control) { &[] } else { output.get(..length).unwrap_or_default() };
                self.succeed(id, request, length, data)
            }
            Ok(Started::Given(length, descriptors)) => {
                let answer = Answer {
                    status: NtStatus::STATUS_SUCCESS,
                    returned: u32::try_from(length).unwrap_or(u32::MAX),
                    data: output.get(..length).unwrap_or_default(),
                    // At most 16, which the extension was held to.
                    descriptors: descriptors.len() as u16,
                };
                self.answer(id, answer.to_packet(request), descriptors)
            }
            Ok(Started::Pending(frame)) => {
                let charge = match memory.charge(WAITING) {
                    Ok(charge) => charge,
                    // The request is cancelled by being dropped.
                    Err(status) => return self.fail(id, request, status.into()),
                };
                self.waiting.insert(name, id);
                if let Some(connection) = self.connections.get_mut(&id) {
                    connection.waiting.insert(name, WaitingRequest { id: request, frame, _charge: charge });
                }
                true
            }
            Err(failure) => self.fail(id, request, failure),
        }
    }

    /// An object is created.
    fn create(&mut self, id: u64, request: u64, create: Create<'_>, descriptors: Vec<OwnedFd>) -> bool {
        let name = self.next();
        let Some(connection) = self.connections.get(&id) else { return false };
        let Some(handle) = self.handles.get(&connection.handle) else { return false };
        let Some(process) = self.processes.get_mut(&connection.process) else { return false };
        let charge = process.memory.charge(OBJECT + create.name.len() as u64);
        let client = self.process_sources.get(&connection.process).copied().unwrap_or(NEWCOMERS);
        let sender = Sender {
            process: RefCell::new(process),
            connection: id,
            object: handle.object.identity(),
            handles: &self.objects,
            descriptors: RefCell::new(descriptors.into_iter().map(Some).collect()),
            key: 0,
            ended: &self.ended,
            name,
        };
        let created = charge.and_then(|charge| Ok((handle.object.create(create.name, &sender)?, charge)));
        let left = sender.descriptors.into_inner().into_iter().flatten();
        self.strangers.close(left);
        let made = created.and_then(|(object, charge)| {
            let made = self.create_handle(client, object.clone(), None, Some(charge));
            // Nobody ever has a handle of it.
            made.inspect_err(|_| object.end()).map_err(none_left)
        });
        match made {
            Ok(handle) => {
                let answer = Answer { status: NtStatus::STATUS_SUCCESS, returned: 0, data: &[], descriptors: 1 };
                self.answer(id, answer.to_packet(request), vec![handle])
            }
            Err(status) => self.fail(id, request, status.into()),
        }
    }

    /// Answers the requests that waited and have ended.
    pub(super) fn answer_ended(&mut self) {
        for name in self.ended.take() {
            // One that was dropped is nobody's.
            let Some(id) = self.waiting.remove(&name) else { continue };
            let Some(connection) = self.connections.get_mut(&id) else { continue };
            let Some(WaitingRequest { id: request, frame, _charge }) = connection.waiting.remove(&name) else {
                continue;
            };
            // Its cost is the frame's from now on.
            drop(_charge);
            let object = self.handles.get(&connection.handle).map(|handle| handle.object.identity());
            let process = self.processes.get_mut(&connection.process);
            let goes_on = match (frame.outcome(), object.zip(process)) {
                (Some(Ok(address)), Some((object, process))) => {
                    let number = process.take(id, object, address);
                    let data = (number as usize).to_le_bytes();
                    self.succeed(id, request, data.len(), &data)
                }
                (Some(Err(status)), _) => self.fail(id, request, status.into()),
                _ => self.fail(id, request, NtStatus::STATUS_CANCELLED.into()),
            };
            if !goes_on {
                self.hang_up(id);
            }
        }
    }

    fn succeed(&mut self, id: u64, request: u64, returned: usize, data: &[u8]) -> bool {
        let returned = u32::try_from(returned).unwrap_or(u32::MAX);
        let answer = Answer { status: NtStatus::STATUS_SUCCESS, returned, data, descriptors: 0 };
        self.answer(id, answer.to_packet(request), Vec::new())
    }

    fn fail(&mut self, id: u64, request: u64, failure: Failure) -> bool {
        let returned = u32::try_from(failure.returned).unwrap_or(u32::MAX);
        let answer = Answer { status: failure.status, returned, data: &[], descriptors: 0 };
        self.answer(id, answer.to_packet(request), Vec::new())
    }

    /// Sends an answer. `false` where nobody is there.
    fn answer(&mut self, id: u64, packet: Vec<u8>, descriptors: Vec<OwnedFd>) -> bool {
        let Some(connection) = self.connections.get_mut(&id) else { return false };
        let before = connection.unread();
        let answered = connection.answer(packet, descriptors);
        let number = connection.process;
        if let Some(process) = self.processes.get_mut(&number) {
            process.unread += connection.unread();
            process.unread -= before;
        }
        self.look_at(number);
        answered.is_ok()
    }
}

/// Whether a request only gives the object something.
fn sets(control: &Control<'_>) -> bool {
    control.code == IOCTL_KS_PROPERTY
        && KsIdentifier::read_from_prefix(control.input)
            .is_ok_and(|(about, _)| KsPropertyType::from_bits_retain(about.flags) == KsPropertyType::SET)
}
