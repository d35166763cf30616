//! The process that makes the requests, and what is known of it: what it has joined, the frames it has, what it sent. What the
//! server answers is held against that.

use arbitrary::{Result, Unstructured};
use ks::{
    IOCTL_KS_DISABLE_EVENT, IOCTL_KS_ENABLE_EVENT, IOCTL_KS_METHOD, IOCTL_KS_PROPERTY, KSMETHODSETID_StreamAllocator,
    KsMethod, KsMethodType,
};
use ksobject::{ObjectAccess, OwnedHandle, RemoteObjects, Win32Error};
use kspipe_session::ServerControl;
use kspipe_session::verbs::{
    FrameMessage, KSMETHOD_KSPGRAPH_DESCRIBE, KSMETHOD_KSPGRAPH_STATUS, KSMETHOD_KSPPIN_DESCRIPTORS,
    KSMETHOD_KSPPIN_END, KSMETHOD_KSPPIN_FILE, KSMETHOD_KSPPIN_JOIN, KSMETHOD_KSPPIN_LEAVE, KSMETHOD_KSPPIN_NEXT,
    KSMETHODSETID_KSPGRAPH, KSMETHODSETID_KSPPIN, MOST_WRITTEN, Step, VERSION,
};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::SealFlags;
use std::collections::BTreeSet;
use std::path::PathBuf;
use zerocopy::IntoBytes;

use super::super::raw::{RawPin, file, graph, header};
use super::super::session::{Session, filter};
use super::{Done, FILTERS, PICTURE, factory, is};

/// How many frames `x.in` holds.
const HOLDS: usize = 2;
/// The pins of the process, and which filter each is of.
const PINS: [(&str, usize); 3] = [("x.in", 0), ("x.out", 0), ("w.out", 1)];
const X_IN: usize = 0;
const X_OUT: usize = 1;
const W_OUT: usize = 2;

/// The process, and what is known of it.
pub(super) struct Process {
    path: PathBuf,
    control: ServerControl,
    factories: [u32; 3],
    is_trusted: bool,
    connections: Vec<OwnedHandle>,
    pins: [Option<RawPin>; 3],
    /// By filter.
    joined: [bool; 2],
    /// It closed the pins of a filter without leaving: what it has there comes home after a while.
    hung_up: [bool; 2],
    /// A stream of the filter was ended.
    pub(super) ended: [bool; 2],
    /// Frames that it has, by number.
    held: BTreeSet<u32>,
    takes_nothing_more: bool,
    last: Option<u64>,
    is_filling: bool,
    descriptors: Vec<OwnedFd>,
    /// How often the server was asked to stop.
    pub(super) stops: u32,
    /// The server has ended.
    pub(super) is_over: bool,
    pub(super) done: Done,
}

impl Process {
    pub(super) fn new(session: &Session, is_trusted: bool) -> Self {
        Self {
            path: session.path(),
            control: session.control.clone(),
            factories: PINS.map(|(name, _)| factory(session, name)),
            is_trusted,
            connections: vec![graph(&session.path()), graph(&session.path())],
            pins: [None, None, None],
            joined: [false; 2],
            hung_up: [false; 2],
            ended: [false; 2],
            held: BTreeSet::new(),
            takes_nothing_more: false,
            last: None,
            is_filling: false,
            descriptors: Vec::new(),
            stops: 0,
            is_over: false,
            done: Done::default(),
        }
    }

    /// What a request came to. The server may have ended, which says nothing of the request.
    fn came<T>(&mut self, answer: Result<T, Win32Error>) -> Option<Result<T, Win32Error>> {
        self.is_over = matches!(&answer, Err(Win32Error::DEVICE_REMOVED | Win32Error::OPERATION_ABORTED));
        (!self.is_over).then_some(answer)
    }

    /// One request, or a few that belong together.
    pub(super) fn request(&mut self, bytes: &mut Unstructured<'_>) -> Result<()> {
        match bytes.int_in_range(0..=31)? {
            0..=2 => self.create(bytes)?,
            3 | 4 => self.join(bytes)?,
            5..=7 => self.next(u32::from(bytes.arbitrary::<u8>()?)),
            8 => self.burst(bytes.int_in_range(2..=9)?),
            9..=11 => self.release(bytes)?,
            12 | 13 => self.acquire([W_OUT, W_OUT, X_OUT][bytes.int_in_range(0..=2)?]),
            14 => self.set_file(bytes)?,
            15 | 16 => self.write(bytes)?,
            17 | 18 => self.send(bytes)?,
            19 | 20 => self.write_whole(bytes)?,
            21 | 22 => self.hand_on(bytes)?,
            23 => self.method(bytes)?,
            24 => self.control(bytes)?,
            25 => self.create_anything(bytes)?,
            26 => self.look(),
            27 => self.fetch(bytes)?,
            28 => self.leave(bytes.int_in_range(0..=2)?),
            29 => self.close(bytes)?,
            30 => self.end(bytes.int_in_range(0..=2)?),
            _ => match bytes.int_in_range(0..=15)? {
                0 if self.stops == 0 => {
                    self.stops = 1;
                    self.control.stop();
                }
                1..=7 => self.descriptors.clear(),
                _ => {
                    let place = bytes.int_in_range(0..=1)?;
                    if let Ok(again) = RemoteObjects::open(&self.path) {
                        self.connections[place] = again;
                    }
                }
            },
        }
        Ok(())
    }

    /// A filter was left: what it had is the server's again.
    fn forget(&mut self, filter: usize) {
        self.joined[filter] = false;
        if filter == 0 {
            self.held.clear();
            self.takes_nothing_more = false;
        } else {
            self.is_filling = false;
        }
        for (pin, (_, of)) in self.pins.iter_mut().zip(PINS) {
            if of == filter {
                *pin = None;
            }
        }
    }

    fn create(&mut self, bytes: &mut Unstructured<'_>) -> Result<()> {
        let (which, by): (usize, usize) = (bytes.int_in_range(0..=2)?, bytes.int_in_range(0..=1)?);
        let filter = PINS[which].1;
        let created = RawPin::create(&self.connections[by], self.factories[which]);
        let Some(created) = self.came(created) else { return Ok(()) };
        assert!(created.is_err() || self.pins[which].is_none(), "each pin once");
        match created {
            Ok(pin) => {
                // What it had before came home.
                if std::mem::take(&mut self.hung_up[filter]) {
                    self.forget(filter);
                }
                self.pins[which] = Some(pin);
            }
            // The server may not have heard yet that the one before was closed.
            Err(error) => assert_eq!(error, Win32Error::ALREADY_EXISTS),
        }
        Ok(())
    }

    fn join(&mut self, bytes: &mut Unstructured<'_>) -> Result<()> {
        let which = bytes.int_in_range(0..=2)?;
        let filter = PINS[which].1;
        let Some(pin) = &self.pins[which] else { return Ok(()) };
        if is(bytes, 7) {
            // With any version, and any room for the answer.
            let mut data = vec![0; usize::from(bytes.arbitrary::<u8>()?) * 8];
            let version = [VERSION, 0, u32::MAX][bytes.int_in_range(0..=2)?].to_le_bytes();
            let length = data.len().min(4);
            data[..length].copy_from_slice(&version[..length]);
            let joined = pin.call(KSMETHOD_KSPPIN_JOIN, &mut data);
            if let Some(joined) = self.came(joined) {
                assert!(joined.is_err() || !self.joined[filter], "once");
                self.joined[filter] |= joined.is_ok();
            }
            return Ok(());
        }
        let joined = pin.join();
        match self.came(joined) {
            Some(Ok((join, descriptors))) => {
                assert!(!std::mem::replace(&mut self.joined[filter], true), "once");
                assert_eq!(join.mediated, !self.is_trusted);
                self.descriptors.extend(descriptors);
            }
            // Its sender is in the middle of a hand-over.
            Some(Err(Win32Error::BUSY)) | None => {}
            Some(Err(error)) => assert!(self.joined[filter], "it may, once: {error}"),
        }
        Ok(())
    }

    /// A frame came in, or none.
    fn answered(&mut self, (step, message): (Step, FrameMessage)) {
        assert!(!self.is_trusted && self.joined[0]);
        assert_eq!(step == Step::Shut, self.takes_nothing_more);
        assert_eq!(step == Step::HoldsMost, self.held.len() >= HOLDS && !self.takes_nothing_more);
        if step == Step::Frame {
            assert!(self.held.insert(message.frame.get()), "it has that one");
            assert!(self.last.is_none_or(|last| last < message.sequence.get()), "in order");
            assert_eq!(message.data_used.get(), PICTURE);
            self.last = Some(message.sequence.get());
            self.done.taken += 1;
        }
    }

    /// Asks for the next frame, so often where there is none yet.
    fn next(&mut self, patience: u32) {
        for _ in 0..=patience {
            let Some(pin) = &self.pins[X_IN] else { return };
            let answer = pin.next();
            match self.came(answer) {
                Some(Ok(answer)) => {
                    self.answered(answer);
                    if answer.0 != Step::Nothing {
                        return;
                    }
                    std::thread::yield_now();
                }
                Some(Err(error)) => return assert!(self.is_trusted || !self.joined[0], "{error}"),
                None => return,
            }
        }
    }

    /// Asks several times at once.
    fn burst(&mut self, times: usize) {
        let Some(pin) = &self.pins[X_IN] else { return };
        let method = KsMethod::method(KSMETHODSETID_KSPPIN, KSMETHOD_KSPPIN_NEXT, KsMethodType::WRITE);
        let begin = || {
            let output = vec![0; size_of::<FrameMessage>()];
            RemoteObjects::begin(pin.handle.handle(), IOCTL_KS_METHOD, method.as_bytes(), output)
        };
        let begun: Vec<_> = (0..times).map(|_| begin()).collect();
        for request in begun {
            let (output, ended) = request.wait();
            let Some(ended) = self.came(ended.map_err(|error| error.error)) else { return };
            if ended.is_ok() {
                let message: FrameMessage = zerocopy::FromBytes::read_from_bytes(&output).expect("it is as long");
                self.answered((Step::of(message.step.get()).expect("a step"), message));
            }
        }
    }

    /// One of its own mostly, or any.
    fn frame(&self, bytes: &mut Unstructured<'_>) -> Result<u32> {
        let any = edge(bytes)? as u32;
        let own = self.held.iter().nth(bytes.int_in_range(0..=1)?).or(self.held.first());
        Ok(own.copied().filter(|_| any != 7).unwrap_or(any))
    }

    fn release(&mut self, bytes: &mut Unstructured<'_>) -> Result<()> {
        let frame = self.frame(bytes)?;
        let Some(pin) = &self.pins[X_IN] else { return Ok(()) };
        let released = pin.release(frame);
        if let Some(released) = self.came(released) {
            assert_eq!(released.is_ok(), self.held.remove(&frame), "{frame}: {released:?}");
        }
        Ok(())
    }

    fn acquire(&mut self, which: usize) {
        let Some(pin) = &self.pins[which] else { return };
        let step = pin.acquire().map(|(step, _)| step);
        let Some(step) = self.came(step) else { return };
        if which == X_OUT {
            return assert_eq!(step, Err(Win32Error::INVALID_FUNCTION), "it hands on");
        }
        assert_eq!(step.is_ok(), self.joined[1] && !self.is_trusted);
        assert_eq!(step == Ok(Step::HoldsMost), self.is_filling, "one at a time");
        self.is_filling |= step == Ok(Step::Frame);
    }

    fn set_file(&mut self, bytes: &mut Unstructured<'_>) -> Result<()> {
        let seals = [SealFlags::SHRINK, SealFlags::empty(), SealFlags::SHRINK | SealFlags::WRITE];
        let seals = seals[bytes.int_in_range(0..=2)?];
        let file = file(edge(bytes)? % (2 << 20), seals);
        let Some(pin) = &self.pins[[W_OUT, W_OUT, X_OUT][bytes.int_in_range(0..=2)?]] else { return Ok(()) };
        let given = pin.set_file(file);
        if let Some(given) = self.came(given) {
            assert!(given.is_err() || seals.contains(SealFlags::SHRINK), "it could shrink");
        }
        Ok(())
    }

    fn write(&mut self, bytes: &mut Unstructured<'_>) -> Result<()> {
        let (offset, length) = (if is(bytes, 1) { 0 } else { edge(bytes)? }, edge(bytes)?);
        let Some(pin) = &self.pins[W_OUT] else { return Ok(()) };
        let written = pin.write(offset, length);
        if let Some(written) = self.came(written) {
            assert!(written.is_err() || self.is_filling, "there is nothing to write to");
        }
        Ok(())
    }

    /// Sends anything by any of its pins.
    fn send(&mut self, bytes: &mut Unstructured<'_>) -> Result<()> {
        let which = bytes.int_in_range(0..=2)?;
        let mut message = header(edge(bytes)?, edge(bytes)?);
        message.hands_on = u32::from(is(bytes, 1)).into();
        message.frame = self.frame(bytes)?.into();
        message.flags = (edge(bytes)? as u32).into();
        message.presentation_time = (edge(bytes)? as i64).into();
        message.duration = (edge(bytes)? as i64).into();
        self.send_by(which, message);
        Ok(())
    }

    /// Whether it was sent.
    fn send_by(&mut self, which: usize, message: FrameMessage) -> bool {
        let Some(pin) = &self.pins[which] else { return false };
        let sent = pin.send(message);
        let Some(sent) = self.came(sent) else { return false };
        let has_it = match (which, message.hands_on.get()) {
            (W_OUT, 0) => self.is_filling && message.data_used.get() == PICTURE,
            (X_OUT, 1) => self.held.contains(&message.frame.get()),
            _ => false,
        };
        assert!(sent.is_err() || has_it, "it had nothing to send");
        if sent.is_ok() && which == W_OUT {
            self.is_filling = false;
            self.done.written += 1;
        } else if sent.is_ok() {
            self.held.remove(&message.frame.get());
            self.done.handed_on += 1;
        }
        sent.is_ok()
    }

    /// Writes a frame as it should be. One that it began to write before stays as it is.
    fn write_whole(&mut self, bytes: &mut Unstructured<'_>) -> Result<()> {
        let sequence = edge(bytes)?;
        let is_new = !self.is_filling;
        self.acquire(W_OUT);
        let Some(pin) = self.pins[W_OUT].as_ref().filter(|_| self.is_filling && is_new) else { return Ok(()) };
        let written = pin.set_file(file(PICTURE, SealFlags::SHRINK)).and_then(|()| pin.write(0, PICTURE));
        let Some(written) = self.came(written) else { return Ok(()) };
        assert_eq!(written, Ok(()));
        let sent = self.send_by(W_OUT, header(PICTURE, sequence));
        assert!(sent || self.ended[1] || self.stops > 0 || self.is_over, "it is as it should be");
        Ok(())
    }

    /// Hands on a frame as it should, with a header that is its own.
    fn hand_on(&mut self, bytes: &mut Unstructured<'_>) -> Result<()> {
        let sequence = edge(bytes)?;
        let Some(frame) = self.held.first().copied() else { return Ok(()) };
        let message = FrameMessage { hands_on: 1.into(), frame: frame.into(), ..header(PICTURE, sequence) };
        if self.pins[X_OUT].is_some() {
            let sent = self.send_by(X_OUT, message);
            assert!(sent || self.ended[0] || self.stops > 0 || self.is_over, "it is as it should be");
        }
        Ok(())
    }

    /// A handle of any of its objects.
    fn object(&self, bytes: &mut Unstructured<'_>) -> Result<&OwnedHandle> {
        let pins = self.pins.iter().flatten().map(|pin| &pin.handle);
        let all: Vec<&OwnedHandle> = self.connections.iter().chain(pins).collect();
        bytes.choose(&all).copied()
    }

    /// Any method with any data; but not what has an arm of its own, or what is known would be wrong.
    fn method(&mut self, bytes: &mut Unstructured<'_>) -> Result<()> {
        let sets = [KSMETHODSETID_KSPPIN, KSMETHODSETID_KSPGRAPH, KSMETHODSETID_StreamAllocator];
        let set = sets[bytes.int_in_range(0..=2)?];
        let id = if is(bytes, 1) { edge(bytes)? as u32 } else { bytes.int_in_range(0..=11)? };
        let types = KsMethodType::from_bits_retain(bytes.arbitrary::<u32>()? % 32);
        let length = usize::from(bytes.arbitrary::<u8>()?);
        let mut data = bytes.bytes(length.min(bytes.len()))?.to_vec();
        let memory = file(9, SealFlags::SHRINK);
        let files = vec![memory.as_fd(); bytes.int_in_range(0..=3)?];
        if set == KSMETHODSETID_KSPPIN && id < 10 && ![KSMETHOD_KSPPIN_DESCRIPTORS, KSMETHOD_KSPPIN_FILE].contains(&id)
        {
            return Ok(());
        }
        let object = self.object(bytes)?;
        let answer = RemoteObjects::call_with(object.handle(), &KsMethod::method(set, id, types), &mut data, &files);
        self.came(answer.map_err(|error| error.error));
        Ok(())
    }

    /// Any property or event, or what is no request at all.
    fn control(&mut self, bytes: &mut Unstructured<'_>) -> Result<()> {
        let codes = [IOCTL_KS_PROPERTY, IOCTL_KS_ENABLE_EVENT, IOCTL_KS_DISABLE_EVENT, 0];
        let code = codes[bytes.int_in_range(0..=3)?];
        let length: usize = bytes.int_in_range(0..=48)?;
        let input = bytes.bytes(length.min(bytes.len()))?;
        let mut output = vec![0; bytes.int_in_range(0..=64)?];
        let object = self.object(bytes)?;
        let answer = RemoteObjects.device_io_control(object.handle(), code, input, &mut output);
        self.came(answer.map_err(|error| error.error));
        Ok(())
    }

    /// Any create name on any object. Nothing comes of it: its pins have an arm of their own.
    fn create_anything(&mut self, bytes: &mut Unstructured<'_>) -> Result<()> {
        let length: usize = bytes.int_in_range(0..=160)?;
        let name = bytes.bytes(length.min(bytes.len()))?;
        let object = self.object(bytes)?;
        let created = RemoteObjects::create(object.handle(), name).map(drop);
        self.came(created);
        Ok(())
    }

    /// The description and the status.
    fn look(&mut self) {
        for id in [KSMETHOD_KSPGRAPH_DESCRIBE, KSMETHOD_KSPGRAPH_STATUS] {
            let method = KsMethod::method(KSMETHODSETID_KSPGRAPH, id, KsMethodType::WRITE);
            let text = RemoteObjects::call(self.connections[0].handle(), &method, &mut [0; 8]);
            if let Some(text) = self.came(text.map_err(|error| error.error)) {
                assert_eq!(text.map(|(_, files)| files.len()), Ok(1));
            }
        }
    }

    /// Descriptors that it was promised.
    fn fetch(&mut self, bytes: &mut Unstructured<'_>) -> Result<()> {
        let (which, first) = (bytes.int_in_range(0..=2)?, edge(bytes)? as u32);
        let Some(pin) = &self.pins[which] else { return Ok(()) };
        let fetched = pin.call_with(KSMETHOD_KSPPIN_DESCRIPTORS, &mut first.to_le_bytes(), &[]);
        if let Some(Ok((_, descriptors))) = self.came(fetched) {
            assert!(self.joined[PINS[which].1]);
            self.descriptors.extend(descriptors);
        }
        Ok(())
    }

    fn leave(&mut self, which: usize) {
        let filter = PINS[which].1;
        let Some(pin) = &self.pins[which] else { return };
        let left = pin.call(KSMETHOD_KSPPIN_LEAVE, &mut []);
        if let Some(left) = self.came(left) {
            assert_eq!(left.is_ok(), self.joined[filter], "{left:?}");
            // While the server stops, its streams end.
            self.ended[filter] |= left.is_ok() && self.stops > 0;
            if left.is_ok() {
                self.forget(filter);
            }
        }
    }

    pub(super) fn leave_all(&mut self) {
        for (which, (_, filter)) in PINS.into_iter().enumerate() {
            if self.joined[filter] {
                self.leave(which);
            }
        }
    }

    /// Closes a pin. The last one of a filter that it has not left only seldom: what comes of that takes a second.
    fn close(&mut self, bytes: &mut Unstructured<'_>) -> Result<()> {
        let which = bytes.int_in_range(0..=2)?;
        let filter = PINS[which].1;
        if self.pins[which].is_none() {
            return Ok(());
        }
        let is_last = self.pins.iter().zip(PINS).filter(|(pin, (_, of))| *of == filter && pin.is_some()).count() == 1;
        if is_last && self.joined[filter] {
            if self.is_trusted || bytes.arbitrary::<u8>()? != 0xFF {
                self.leave(which);
                return Ok(());
            }
            self.hung_up[filter] = true;
            self.ended[filter] = true;
        }
        self.pins[which] = None;
        // Until the server has heard of it, the filter would be this process's.
        while is_last && !self.is_over && ["opened", "joined"].contains(&&*self.state(filter)) {
            self.look();
        }
        Ok(())
    }

    /// How a filter stands.
    fn state(&self, place: usize) -> String {
        let status: serde_json::Value = serde_json::from_str(&self.control.status()).expect("it is JSON");
        filter(&status, FILTERS[place])["state"].as_str().unwrap_or_default().to_owned()
    }

    /// The stream that goes out by a pin ends, or the pin takes nothing more.
    fn end(&mut self, which: usize) {
        let filter = PINS[which].1;
        let Some(pin) = &self.pins[which] else { return };
        let ended = pin.call(KSMETHOD_KSPPIN_END, &mut []);
        if let Some(ended) = self.came(ended) {
            assert_eq!(ended.is_ok(), self.joined[filter] && !self.is_trusted, "{ended:?}");
            match which {
                X_IN => self.takes_nothing_more |= ended.is_ok(),
                _ => self.ended[filter] |= ended.is_ok(),
            }
        }
    }
}

/// A number that is at the edge of something, or any.
fn edge(bytes: &mut Unstructured<'_>) -> Result<u64> {
    const EDGES: [u64; 14] =
        [0, 1, 2, 5, 7, 15, 16, PICTURE - 1, PICTURE, PICTURE + 1, 4096, MOST_WRITTEN, 1 << 63, u64::MAX];
    let number = usize::from(bytes.arbitrary::<u8>()?);
    EDGES.get(number).copied().map_or_else(|| bytes.arbitrary(), Ok)
}
