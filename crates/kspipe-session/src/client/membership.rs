//! What a process has by joining: the pools, mapped, and the word of when to stop. Dropped, the process leaves; whatever
//! has claims on frames keeps it.

use super::mediated::{FrameFiles, MediatedPin};
use super::watcher::{Stopped, Watcher};
use super::{ClientError, look_for_room};
use crate::verbs::{
    Join, JoinedPool, KSMETHOD_KSPPIN_DESCRIPTORS, KSMETHOD_KSPPIN_JOIN, KSMETHOD_KSPPIN_LEAVE, KSMETHODSETID_KSPPIN,
    VERSION,
};
use ks::{
    CreateClass, KSINTERFACE_STANDARD_STREAMING, KSINTERFACESETID_Standard, KSMEDIUM_TYPE_ANYINSTANCE,
    KSMEDIUMSETID_Standard, KsDataFormat, KsIdentifier, KsMethod, KsMethodType, KsPinConnect,
};
use ksobject::{OwnedHandle, RemoteObjects, Win32Error};
use kspipe::allocator::AllocatorProperties;
use kspipe::allocator::shared::{
    Access, Descriptors, FrameMemory, MapError, Participant, SharedPoolProperties, TrustedPool,
};
use kspipe::negotiate::PipeId;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::collections::BTreeMap;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};
use zerocopy::IntoBytes;

/// The longest answer to JOIN: far more than 32 pins take.
const LONGEST_JOIN: usize = 60 << 10;
/// How long a sender is waited for that is in the middle of a hand-over.
const PATIENCE: Duration = Duration::from_secs(5);
/// More descriptors than any filter's pools have.
const MOST_DESCRIPTORS: u32 = 1 << 16;

/// A filter that this process has.
#[derive(Debug)]
pub(super) struct Membership {
    join: Join,
    pools: Vec<(PipeId, TrustedPool)>,
    /// The pins, where the process is mediated.
    mediated: Vec<Arc<MediatedPin>>,
    watcher: Option<Watcher>,
    /// Readable once the graph has begun.
    begins: Option<OwnedFd>,
    /// At least one.
    pins: Vec<OwnedHandle>,
    /// What each is called, with its filter.
    names: Vec<String>,
}

impl Membership {
    /// Creates a filter's pins, and joins.
    pub(super) fn join(
        graph: &OwnedHandle,
        filter: &str,
        factories: impl Iterator<Item = (u32, String)>,
    ) -> Result<Self, ClientError> {
        let taken = |error: Win32Error| match error {
            Win32Error::BUSY => ClientError::Taken(filter.to_owned()),
            Win32Error::ALREADY_EXISTS => ClientError::TakenHere(filter.to_owned()),
            error => ClientError::Refused(error),
        };
        let (mut pins, mut names) = (Vec::new(), Vec::new());
        for (factory, name) in factories {
            // The pin, and the ends of two connections.
            look_for_room(5)?;
            pins.push(create_pin(graph, factory).map_err(taken)?);
            names.push(name);
        }
        let pin = pins.first().ok_or(ClientError::Protocol("a filter has no pins"))?;
        let mut data = vec![0; LONGEST_JOIN];
        data[..4].copy_from_slice(&VERSION.to_le_bytes());
        let start = Instant::now();
        let length = loop {
            match call(pin, KSMETHOD_KSPPIN_JOIN, &mut data) {
                Ok((length, _)) => break length,
                // Who sends to the filter is in the middle of a hand-over: scheduled away, mostly.
                Err(Win32Error::BUSY) if start.elapsed() < PATIENCE => std::thread::sleep(Duration::from_millis(1)),
                Err(Win32Error::BUSY) => return Err(ClientError::SenderStopped(filter.to_owned())),
                Err(error) => return Err(ClientError::Refused(error)),
            }
        };
        let join: Result<Join, _> = serde_json::from_slice(data.get(..length).unwrap_or_default());
        let join = join.map_err(|_| ClientError::Protocol("its answer to JOIN is none"))?;
        if join.version != VERSION || join.descriptors > MOST_DESCRIPTORS {
            return Err(ClientError::Protocol("its answer to JOIN is none"));
        }
        // From here on the process has joined, and leaves by dropping this.
        let (pools, mediated) = (Vec::new(), Vec::new());
        let mut membership = Self { join, pools, mediated, watcher: None, begins: None, pins, names };
        membership.fetch()?;
        Ok(membership)
    }

    /// Fetches the descriptors, maps the pools, and watches the server.
    fn fetch(&mut self) -> Result<(), ClientError> {
        let missing = ClientError::Protocol("it sends other descriptors than it says");
        let Some(pin) = self.pins.first() else { return Err(missing) };
        look_for_room(self.join.descriptors as usize)?;
        let mut descriptors = Vec::new();
        while descriptors.len() < self.join.descriptors as usize {
            let mut first = (descriptors.len() as u32).to_le_bytes();
            let (_, fetched) = call(pin, KSMETHOD_KSPPIN_DESCRIPTORS, &mut first).map_err(ClientError::Refused)?;
            if fetched.is_empty() {
                return Err(missing);
            }
            descriptors.extend(fetched);
        }
        let mut descriptors = descriptors.into_iter();
        if self.join.mediated {
            self.mediated = self.open_mediated(&mut descriptors)?;
        }
        for pool in self.join.pools.iter().filter(|_| !self.join.mediated) {
            let Some(given) = take(pool, &mut descriptors) else { return Err(missing) };
            let access = if pool.writable { Access::Write } else { Access::Read };
            let opened = Participant::open(given, access);
            let participant = opened.map_err(|source| ClientError::Pool { pipe: pool.pipe, source })?;
            self.pools.push((PipeId(pool.pipe), trusted(participant)));
        }
        let (Some(stop), Some(begins), None) = (descriptors.next(), descriptors.next(), descriptors.next()) else {
            return Err(missing);
        };
        self.begins = Some(begins);
        let participants = self.pools.iter().map(|(_, pool)| pool.participant().clone()).collect();
        self.watcher = Some(Watcher::start(pin.try_clone()?, stop, participants)?);
        Ok(())
    }

    /// Maps the frames that come in, and takes the pins' sockets.
    fn open_mediated(
        &self,
        descriptors: &mut impl Iterator<Item = OwnedFd>,
    ) -> Result<Vec<Arc<MediatedPin>>, ClientError> {
        let missing = ClientError::Protocol("it sends other descriptors than it says");
        let mut memories = Vec::new();
        for pool in &self.join.pools {
            let Some(layout) = pool.frames else { return Err(ClientError::Protocol("it does not say how frames lie")) };
            let files: Vec<OwnedFd> = descriptors.take(pool.files as usize).collect();
            let frames = AllocatorProperties {
                frames: layout.frames,
                size: layout.size,
                alignment: layout.alignment,
                prefix: layout.prefix,
            };
            let properties =
                SharedPoolProperties { frames, isolate: files.len() > 1, ..SharedPoolProperties::default() };
            let failed = |source: MapError| ClientError::Pool { pipe: pool.pipe, source: source.into() };
            let memory = match files.is_empty() {
                true if layout.isolated => Some(FrameFiles::Isolated(BTreeMap::new())),
                // Of a pool that is only sent to, nothing is seen.
                true => None,
                false => {
                    let memory = FrameMemory::open(files, &properties, Access::Read).map_err(failed)?;
                    Some(FrameFiles::Together(Arc::new(memory)))
                }
            };
            memories.push((pool.pipe, layout, memory));
        }
        let mut pins = Vec::new();
        for joined in &self.join.pins {
            let name = format!("{}.{}", self.join.filter, joined.name);
            let handle = self.names.iter().position(|known| *known == name).and_then(|place| self.pins.get(place));
            let memory = memories.iter().find(|(pipe, ..)| *pipe == joined.pipe);
            let (Some(handle), Some((_, layout, memory)), Some(socket)) = (handle, memory, descriptors.next()) else {
                return Err(missing);
            };
            let memory = memory.clone().filter(|_| joined.takes_as.is_some());
            pins.push(Arc::new(MediatedPin::new(joined.clone(), handle.try_clone()?, socket, *layout, memory)));
        }
        Ok(pins)
    }

    /// A pin by its own name, where the process is mediated.
    pub(super) fn mediated(&self, name: &str) -> Option<&Arc<MediatedPin>> {
        self.mediated.iter().find(|pin| pin.name() == name)
    }

    pub(super) fn what(&self) -> &Join {
        &self.join
    }

    pub(super) fn pools(&self) -> &[(PipeId, TrustedPool)] {
        &self.pools
    }

    pub(super) fn pool(&self, pipe: u32) -> Option<&TrustedPool> {
        self.pools.iter().find(|(id, _)| id.0 == pipe).map(|(_, pool)| pool)
    }

    /// Waits until the graph has begun, or the server has ended, at most so long. `false`: not yet.
    pub(super) fn wait_for_begin(&self, timeout: Option<Duration>) -> bool {
        let (Some(begins), Some(pin)) = (&self.begins, self.pins.first()) else { return true };
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        loop {
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            let left = left.and_then(|left| Timespec::try_from(left).ok());
            // The server's first word always waits at the pin to be read: only a hang-up is news.
            let mut polled = [PollFd::new(begins, PollFlags::IN), PollFd::new(pin, PollFlags::empty())];
            match poll(&mut polled, left.as_ref()) {
                Ok(ready) => return ready > 0,
                Err(rustix::io::Errno::INTR) => {}
                Err(_) => return true,
            }
        }
    }

    /// Readable once the graph has begun.
    pub(super) fn begins(&self) -> Option<BorrowedFd<'_>> {
        self.begins.as_ref().map(AsFd::as_fd)
    }

    /// Readable once sources shall end; and one that hangs up when the server ends.
    pub(super) fn ends(&self) -> Option<(BorrowedFd<'_>, BorrowedFd<'_>)> {
        self.watcher.as_ref().map(Watcher::ends)
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.watcher.as_ref().is_some_and(|watcher| watcher.is_stopping())
    }

    /// Has somebody told when sources shall end, at once where that is so already.
    pub(super) fn when_stopping(&self, stopped: Stopped) {
        if let Some(watcher) = &self.watcher {
            watcher.when_stopping(stopped);
        }
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        // They have duplicates of the pins' handles.
        self.watcher = None;
        self.mediated.clear();
        if let Some(pin) = self.pins.first() {
            // A server that is gone needs no word.
            let _ = call(pin, KSMETHOD_KSPPIN_LEAVE, &mut []);
        }
    }
}

fn create_pin(graph: &OwnedHandle, factory: u32) -> Result<OwnedHandle, Win32Error> {
    let standard = |set, id| KsIdentifier { set, id, flags: 0 };
    let connect = KsPinConnect {
        interface: standard(KSINTERFACESETID_Standard, KSINTERFACE_STANDARD_STREAMING),
        medium: standard(KSMEDIUMSETID_Standard, KSMEDIUM_TYPE_ANYINSTANCE),
        pin_id: factory,
        ..KsPinConnect::default()
    };
    // What the frames hold is the graph's to say.
    let format = KsDataFormat { format_size: size_of::<KsDataFormat>() as u32, ..KsDataFormat::default() };
    let mut name = CreateClass::Pin.head().to_vec();
    name.extend_from_slice(&connect.to_bytes());
    name.extend_from_slice(format.as_bytes());
    RemoteObjects::create(graph.handle(), &name)
}

fn call(pin: &OwnedHandle, id: u32, data: &mut [u8]) -> Result<(usize, Vec<OwnedFd>), Win32Error> {
    let method = KsMethod::method(KSMETHODSETID_KSPPIN, id, KsMethodType::WRITE);
    RemoteObjects::call(pin.handle(), &method, data).map_err(|error| error.error)
}

/// A pool's descriptors, the next of all.
fn take(pool: &JoinedPool, descriptors: &mut impl Iterator<Item = OwnedFd>) -> Option<Descriptors> {
    let mut several = |count: u32| (0..count).map(|_| descriptors.next()).collect::<Option<Vec<_>>>();
    let control = several(1)?.pop()?;
    Some(Descriptors { control, frames: several(pool.files)?, events: several(pool.events)? })
}

#[allow(unsafe_code)]
fn trusted(participant: Participant) -> TrustedPool {
    // SAFETY: the server gives descriptors through which frames can be written to processes it trusts alone, and who connects
    // to a server believes it that. It recovers this process's holders when this process has ended, or has left, which it
    // does when the last frame is dropped.
    unsafe { TrustedPool::new(participant) }
}

/// Told when sources shall end.
pub(super) fn stops(handle: kspipe::stream::StopHandle) -> Stopped {
    Arc::new(move || handle.stop())
}
