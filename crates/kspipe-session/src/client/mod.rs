//! [`Client`]: a process that takes part in a graph that another one serves.

mod attached;
mod frames;
mod mediated;
mod membership;
mod watcher;
mod writer;

pub use attached::{AttachError, AttachedFilter};
pub use frames::{Frame, Frames, StreamError};
pub use writer::{WritableFrame, WriteError, Writer};

use crate::document;
use crate::verbs::{
    Description, JoinedPin, KSMETHOD_KSPGRAPH_DESCRIBE, KSMETHOD_KSPGRAPH_STATUS, KSMETHODSETID_KSPGRAPH,
    PinDescription, VERSION,
};
use ks::{KsMethod, KsMethodType};
use ksobject::{DeviceError, Handle, OwnedHandle, RemoteObjects, Win32Error};
use kspipe::allocator::shared::{Holder, OpenError, RoleError, TrustedPool};
use kspipe::stream::MediaFormat;
use mediated::{MediatedReceiver, MediatedWriter};
use membership::Membership;
use rustix::event::{EventfdFlags, eventfd};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// A graph that another process serves.
///
/// ```no_run
/// use kspipe_session::Client;
///
/// for frame in Client::connect("/run/user/1000/camera")?.pin("recorder.in")?.frames()? {
///     let frame = frame?;
///     println!("{}: {} bytes", frame.header().sequence, frame.data().len());
/// } // Dropped, the frame goes back.
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Client {
    handle: Arc<OwnedHandle>,
    description: Arc<Description>,
}

/// Why a process cannot take part.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody serves a graph at the path.
    #[error("{path}: {}", reason_at_path(*.error))]
    Connect {
        /// The path.
        path: String,
        /// What opening it failed with.
        error: Win32Error,
    },
    /// The server refuses, or is gone.
    #[error("the server: {}", reason(*.0))]
    Refused(Win32Error),
    /// What it says is none of this version's words.
    #[error("the server does not speak version {VERSION} of the protocol of sessions: {0}")]
    Protocol(&'static str),
    /// No pin of a filter outside has the name.
    #[error("no pin `{name}` can be joined; there are: {}", .there.join(", "))]
    NoSuchPin {
        /// The name.
        name: String,
        /// Those there are.
        there: Vec<String>,
    },
    /// Another process has the filter, or has hung up and not given back what it had.
    #[error("another process has the filter `{0}`")]
    Taken(String),
    /// This process has the filter, or something that was made of it: a frame, too.
    #[error("this process has the filter `{0}` already")]
    TakenHere(String),
    /// A process that sends to the filter stays in the middle of a hand-over: it is stopped. It can be tried again.
    #[error("a process that sends frames to the filter `{0}` is stopped in the middle of one")]
    SenderStopped(String),
    /// Frames do not go this way through the pin.
    #[error("frames go {} by `{name}`", if *.is_in { "in" } else { "out" })]
    Direction {
        /// The pin.
        name: String,
        /// Frames come in by it.
        is_in: bool,
    },
    /// A pool cannot be mapped.
    #[error("pipe {pipe}: {source}")]
    Pool {
        /// The pipe's number.
        pipe: u32,
        /// Why not.
        #[source]
        source: OpenError,
    },
    /// The pin is in use in this process.
    #[error("`{pin}`: {source}")]
    Role {
        /// The pin.
        pin: String,
        /// Why not.
        #[source]
        source: RoleError,
    },
    /// This process has no descriptor or thread left.
    #[error("this process: {}{}", .0, remedy(.0))]
    System(#[from] std::io::Error),
}

/// What can be done about a failure of the system's.
fn remedy(error: &std::io::Error) -> &'static str {
    match rustix::io::Errno::from_io_error(error) {
        Some(rustix::io::Errno::MFILE) => "; let it have more (`ulimit -n`)",
        _ => "",
    }
}

impl ClientError {
    /// The server does not let processes of this user do that.
    pub fn is_denied(&self) -> bool {
        matches!(self, Self::Connect { error, .. } | Self::Refused(error) if *error == Win32Error::ACCESS_DENIED)
    }

    /// Something else listens at the path than a server, or hung up before it said that it is one.
    pub fn is_stranger(&self) -> bool {
        let strange = [Win32Error::BAD_DEV_TYPE, Win32Error::INVALID_DATA, Win32Error::DEVICE_REMOVED];
        matches!(self, Self::Connect { error, .. } if strange.contains(error))
    }

    /// The server has as many files open as it may, and no room for this process.
    pub fn is_server_full(&self) -> bool {
        matches!(self, Self::Connect { error, .. } | Self::Refused(error) if *error == Win32Error::TOO_MANY_OPEN_FILES)
    }
}

impl From<DeviceError> for ClientError {
    fn from(error: DeviceError) -> Self {
        Self::Refused(error.error)
    }
}

/// What an error of the objects' protocol says to a person.
fn reason(error: Win32Error) -> String {
    let text = match error {
        Win32Error::FILE_NOT_FOUND => "nobody serves a graph there",
        Win32Error::ACCESS_DENIED => "this user may not",
        Win32Error::DEVICE_REMOVED => "it has ended, or has hung up",
        Win32Error::REVISION_MISMATCH => "it speaks another version",
        Win32Error::TOO_MANY_OPEN_FILES => {
            "it has as many files open as it may; start the server with a higher limit (`ulimit -n`)"
        }
        Win32Error::NO_SYSTEM_RESOURCES => {
            "it has no more memory for this process, or serves as many processes as it can"
        }
        Win32Error::SET_NOT_FOUND | Win32Error::INVALID_FUNCTION => "it serves no graph",
        Win32Error::BAD_DEV_TYPE => "it is a socket of another type than kspipe serves at",
        Win32Error::INVALID_DATA => "what listens there does not speak the protocol of kspipe",
        Win32Error::BUSY => "another process has it",
        Win32Error::OPERATION_ABORTED => "it is ending",
        error => return error.to_string(),
    };
    text.to_owned()
}

/// Likewise, of who listens at a path and has said nothing yet.
fn reason_at_path(error: Win32Error) -> String {
    match error {
        Win32Error::DEVICE_REMOVED => {
            "what listens there hung up without a word: it has just ended, or is no server of kspipe".to_owned()
        }
        error => reason(error),
    }
}

/// Looks whether this process can open so many descriptors more. Those that come and find no room are lost, and the
/// connection with them.
fn look_for_room(count: usize) -> Result<(), ClientError> {
    let opened = || eventfd(0, EventfdFlags::CLOEXEC).map_err(std::io::Error::from);
    let opened: std::io::Result<Vec<OwnedFd>> = (0..count).map(|_| opened()).collect();
    Ok(opened.map(drop)?)
}

/// Asks for a text.
fn text(object: &OwnedHandle, id: u32) -> Result<String, ClientError> {
    // The text, and where it is the first request of this handle, both ends of a connection.
    look_for_room(3)?;
    let method = KsMethod::method(KSMETHODSETID_KSPGRAPH, id, KsMethodType::WRITE);
    let (_, descriptors) = RemoteObjects::call(object.handle(), &method, &mut [0; 8])?;
    let file = descriptors.first().ok_or(ClientError::Protocol("it sends no text"))?;
    document::read(file).ok_or(ClientError::Protocol("what it sends is no text"))
}

impl Client {
    /// Connects to the server at a path. That alone has no part in the graph. Who listens there and says nothing is waited
    /// for: a server may be slow, or stopped, and nothing tells one from what is no server.
    ///
    /// # Errors
    /// Nobody serves a graph there, or not to this user; something else listens there.
    pub fn connect(path: impl AsRef<Path>) -> Result<Self, ClientError> {
        let path = path.as_ref();
        let failed = |error| ClientError::Connect { path: path.display().to_string(), error };
        // The socket, and the handle.
        look_for_room(2)?;
        Self::of(RemoteObjects::open(path).map_err(failed)?).map_err(|error| match error {
            // What came as a handle is none.
            ClientError::Refused(Win32Error::INVALID_HANDLE) => failed(Win32Error::INVALID_DATA),
            error => error,
        })
    }

    /// Connects by a handle of the graph that this process inherited ([`Server::open`](crate::Server::open)): by the number
    /// of its descriptor, which stays open.
    ///
    /// # Errors
    /// It is no handle of a graph, or the server has ended.
    pub fn inherited(descriptor: i32) -> Result<Self, ClientError> {
        look_for_room(1)?;
        Self::of(RemoteObjects::duplicate(Handle(descriptor as isize)).map_err(ClientError::Refused)?)
    }

    /// Connects by a handle of the graph that somebody gave this process.
    ///
    /// # Errors
    /// It is no handle of a graph, or the server has ended.
    pub fn of(handle: OwnedHandle) -> Result<Self, ClientError> {
        let description = text(&handle, KSMETHOD_KSPGRAPH_DESCRIBE)?;
        let description: Description =
            serde_json::from_str(&description).map_err(|_| ClientError::Protocol("its description is none"))?;
        if description.version != VERSION {
            return Err(ClientError::Protocol("its description is of another version"));
        }
        Ok(Self { handle: Arc::new(handle), description: Arc::new(description) })
    }

    /// What the server serves.
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// The user whose process serves the graph, as the kernel knows: the one that made the socket.
    ///
    /// # Errors
    /// The system does not say.
    pub fn server_user(&self) -> std::io::Result<u32> {
        Ok(rustix::net::sockopt::socket_peercred(&*self.handle)?.uid.as_raw())
    }

    /// Who has which frame since when, as JSON, one line: see `docs/sessions.md`.
    ///
    /// # Errors
    /// The server has ended.
    pub fn status(&self) -> Result<String, ClientError> {
        text(&self.handle, KSMETHOD_KSPGRAPH_STATUS)
    }

    /// Joins with the filter of a pin, `filter.pin`, to read that pin or to fill it.
    ///
    /// # Errors
    /// There is none such, another process has the filter, or the server has ended.
    pub fn pin(&self, name: &str) -> Result<ClientPin, ClientError> {
        let found = self.description.pins.iter().find(|pin| pin.name == name).ok_or_else(|| self.no_such_pin(name))?;
        Ok(ClientPin { joined: self.filter(&found.filter)?, name: name.to_owned() })
    }

    /// Joins with a filter, all its pins: to read and fill them, or to run it.
    ///
    /// # Errors
    /// There is none such outside, another process has it, or the server has ended.
    pub fn filter(&self, name: &str) -> Result<JoinedFilter, ClientError> {
        let pins: Vec<(u32, &PinDescription)> =
            (0..).zip(&self.description.pins).filter(|(_, pin)| pin.filter == name).collect();
        if pins.is_empty() {
            return Err(self.no_such_pin(name));
        }
        let membership =
            Membership::join(&self.handle, name, pins.into_iter().map(|(factory, pin)| (factory, pin.name.clone())))?;
        Ok(JoinedFilter { membership: Arc::new(membership), description: self.description.clone() })
    }

    fn no_such_pin(&self, name: &str) -> ClientError {
        let there = self.description.pins.iter().map(|pin| pin.name.clone()).collect();
        ClientError::NoSuchPin { name: name.to_owned(), there }
    }
}

/// A pin whose filter this process has.
#[derive(Debug)]
pub struct ClientPin {
    joined: JoinedFilter,
    name: String,
}

impl ClientPin {
    /// The frames that come in by it.
    ///
    /// # Errors
    /// None come in by it.
    pub fn frames(self) -> Result<Frames, ClientError> {
        self.joined.frames(&self.name)
    }

    /// What fills the frames that go out by it.
    ///
    /// # Errors
    /// None go out by it.
    pub fn writer(self) -> Result<Writer, ClientError> {
        self.joined.writer(&self.name)
    }
}

/// A filter that this process has. Other processes cannot have it until all that was made of this is dropped, frames too, or
/// this process has ended.
#[derive(Debug)]
pub struct JoinedFilter {
    membership: Arc<Membership>,
    description: Arc<Description>,
}

impl JoinedFilter {
    /// A pin, by its own name or `filter.pin`.
    fn pin(&self, name: &str, is_in: bool) -> Result<&JoinedPin, ClientError> {
        let join = self.membership.what();
        let full = |pin: &JoinedPin| format!("{}.{}", join.filter, pin.name);
        let Some(pin) = join.pins.iter().find(|pin| pin.name == name || full(pin) == name) else {
            let there = join.pins.iter().map(full).collect();
            return Err(ClientError::NoSuchPin { name: name.to_owned(), there });
        };
        if pin.takes_as.is_some() != is_in {
            return Err(ClientError::Direction { name: full(pin), is_in: !is_in });
        }
        Ok(pin)
    }

    /// The pool that a pin's frames are of.
    fn pool(&self, pin: &JoinedPin) -> Result<&TrustedPool, ClientError> {
        self.membership.pool(pin.pipe).ok_or(ClientError::Protocol("a pool is missing"))
    }

    /// The server does not trust this process with the control memory: it does everything for it, each frame that is sent is
    /// copied by it, and each that is read by this process.
    pub fn is_mediated(&self) -> bool {
        self.membership.what().mediated
    }

    /// What the frames at a pin hold.
    fn format(&self, pin: &str) -> Option<MediaFormat> {
        self.description.formats.get(&format!("{}.{pin}", self.membership.what().filter))?.to_format()
    }

    /// The frames that come in by a pin, named with or without its filter.
    ///
    /// # Errors
    /// There is no such in pin, or its frames are being taken already.
    pub fn frames(&self, pin: &str) -> Result<Frames, ClientError> {
        let pin = self.pin(pin, true)?;
        let taken = holder(pin.takes_as)?;
        if let Some(mediated) = self.membership.mediated(&pin.name) {
            let receiver = MediatedReceiver::new(mediated);
            let receiver = receiver.ok_or_else(|| role(&pin.name, RoleError::InUse(taken)))?;
            return Ok(Frames::mediated(receiver, self.membership.clone()));
        }
        let receiver = self.pool(pin)?.receiver(taken).map_err(|source| role(&pin.name, source))?;
        Ok(Frames::new(receiver, self.membership.clone()))
    }

    /// What fills the frames that go out by a pin, or hands on those that came in and keep their frames.
    ///
    /// # Errors
    /// There is no such out pin, or it is in use already.
    pub fn writer(&self, pin: &str) -> Result<Writer, ClientError> {
        let pin = self.pin(pin, false)?;
        let (from, to) = (holder(pin.sends_as)?, holder(pin.sends_to)?);
        let failed = |source| role(&pin.name, source);
        let bytes = self.format(&pin.name).map(|format| format.frame_bytes() as u64);
        if let Some(mediated) = self.membership.mediated(&pin.name) {
            let writer = MediatedWriter::new(mediated)?.ok_or_else(|| failed(RoleError::InUse(from)))?;
            return Ok(Writer::mediated(writer, bytes, self.membership.clone())?);
        }
        let pool = self.pool(pin)?;
        // What came in by an in pin is handed on; nothing new is acquired for it.
        let acquirer = if from.is_in_pin() { None } else { Some(pool.acquirer(from).map_err(failed)?) };
        let sender = pool.sender_to(from, &[to]).map_err(failed)?;
        Ok(Writer::new(acquirer, sender, bytes, self.membership.clone())?)
    }

    /// Sources are asked to end: the server stops.
    pub fn is_stopping(&self) -> bool {
        self.membership.is_stopping()
    }

    /// Waits until the graph has begun, or the server has ended, at most so long. `false`: not yet.
    pub fn wait_for_begin(&self, timeout: Option<Duration>) -> bool {
        self.membership.wait_for_begin(timeout)
    }
}

fn holder(number: Option<u32>) -> Result<Holder, ClientError> {
    number.and_then(Holder::new).ok_or(ClientError::Protocol("a holder is none"))
}

fn role(pin: &str, source: RoleError) -> ClientError {
    ClientError::Role { pin: pin.to_owned(), source }
}
