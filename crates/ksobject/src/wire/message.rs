//! The payloads, one structure a kind, and what a packet is as a whole.

use super::{Header, MAGIC, MAX_DATA, MAX_DESCRIPTORS, MAX_PACKET, MAX_REQUEST, Malformed, VERSION, kind, packet};
use ks::NtStatus;
use zerocopy::little_endian::{I32, U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ObjectKind {
    /// A filter.
    Filter,
    /// A pin.
    Pin,
    /// An allocator.
    Allocator,
    /// Another kind, by its number: one of a later version.
    Other(u16),
}

impl ObjectKind {
    const fn number(self) -> u16 {
        match self {
            Self::Filter => 1,
            Self::Pin => 2,
            Self::Allocator => 3,
            Self::Other(number) => number,
        }
    }

    const fn from_number(number: u16) -> Self {
        match number {
            1 => Self::Filter,
            2 => Self::Pin,
            3 => Self::Allocator,
            other => Self::Other(other),
        }
    }
}

/// The server's word on a handle: the first packet that can be read there. It stays there for all who have the handle,
/// who look at it and do not take it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hello {
    /// The lowest version that the server speaks.
    pub lowest: u16,
    /// The highest one.
    pub highest: u16,
    /// What the object is.
    pub object: ObjectKind,
    /// How many bytes a pointer has in the structures of requests: the server's.
    pub pointer_bytes: u16,
    /// The longest packet it takes, in bytes.
    pub max_packet: u32,
    /// Bytes of memory that it keeps for a client. Everything a client has there costs some of them.
    pub max_memory: u32,
}

/// A handle's user asks for a connection. One descriptor goes with it: an end of a socket pair that the sender made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attach {
    /// The version it will speak.
    pub version: u16,
}

/// `DeviceIoControl`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Control<'a> {
    /// The control code: one of [`ks::IOCTLS`].
    pub code: u32,
    /// The length of the output buffer, in bytes.
    pub output_length: u32,
    /// What an event is known by: where its `KSEVENTDATA` is in the client. Otherwise 0.
    pub key: u64,
    /// The input buffer: the request.
    pub input: &'a [u8],
    /// What is in the output buffer and goes with the request. Shorter than the buffer, the rest is zero.
    pub data: &'a [u8],
    /// How many descriptors go with it. A `HANDLE` in its structures is the number of one of them, counted from 1.
    pub descriptors: u16,
}

/// An object is created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Create<'a> {
    /// The create name, as [`ks::CreateName`] reads it.
    pub name: &'a [u8],
    /// How many descriptors go with it, as those of a [`Control`].
    pub descriptors: u16,
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer<'a> {
    /// The status.
    pub status: NtStatus,
    /// `lpBytesReturned`: with success as many bytes as `data` has; with `STATUS_BUFFER_OVERFLOW` and
    /// `STATUS_BUFFER_TOO_SMALL` as many as the answer takes.
    pub returned: u32,
    /// What is written to the output buffer.
    pub data: &'a [u8],
    /// How many descriptors go with it: 1 where an object was created, its handle.
    pub descriptors: u16,
}

/// The data of an answer, with `STATUS_REVISION_MISMATCH`, to an [`Attach`] of a version that the server does not speak.
/// Its number is 0, and the connection is closed after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VersionsDiffer {
    /// The version that was asked for.
    pub asked: u16,
    /// The lowest that the server speaks.
    pub lowest: u16,
    /// The highest.
    pub highest: u16,
}

#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct HelloPayload {
    magic: [u8; 8],
    lowest: U16,
    highest: U16,
    object: U16,
    pointer_bytes: U16,
    max_packet: U32,
    max_memory: U32,
}

#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct AttachPayload {
    magic: [u8; 8],
    version: U16,
    reserved: [u8; 6],
}

/// What a [`Control`]'s payload begins with.
#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct ControlHead {
    code: U32,
    input_length: U32,
    output_length: U32,
    data_length: U32,
    key: U64,
}

/// What an [`Answer`]'s payload begins with.
#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct AnswerHead {
    status: I32,
    returned: U32,
}

#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct VersionsPayload {
    asked: U16,
    lowest: U16,
    highest: U16,
    reserved: U16,
}

/// A packet that is whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message<'a> {
    /// The server's word on a handle.
    Hello(Hello),
    /// A connection is asked for.
    Attach(Attach),
    /// A property, method or event.
    Control(Control<'a>),
    /// An object is created.
    Create(Create<'a>),
    /// A request is cancelled.
    Cancel,
    /// A request has ended.
    Answer(Answer<'a>),
    /// Of a kind that this version does not have. It carries descriptors.
    Unknown {
        /// The kind.
        kind: u16,
        /// How many descriptors it carries.
        descriptors: u16,
    },
}

/// The structure that `bytes` begin with, and the rest.
fn head<T: FromBytes + KnownLayout + Immutable + Unaligned>(bytes: &[u8]) -> Result<(&T, &[u8]), Malformed> {
    T::ref_from_prefix(bytes).map_err(|_| Malformed::Size)
}

/// The structure that `bytes` are.
fn whole<T: FromBytes + KnownLayout + Immutable + Unaligned>(bytes: &[u8]) -> Result<&T, Malformed> {
    T::ref_from_bytes(bytes).map_err(|_| Malformed::Size)
}

impl<'a> Message<'a> {
    /// Reads a packet: the request's number, and what it is. How many descriptors came with it is for the caller to
    /// compare.
    ///
    /// # Errors
    /// [`Malformed`] says what is wrong with it.
    pub fn parse(bytes: &'a [u8]) -> Result<(u64, Self), Malformed> {
        let (header, payload) = head::<Header>(bytes)?;
        if bytes.len() > MAX_PACKET {
            return Err(Malformed::Size);
        }
        if u32::try_from(bytes.len()) != Ok(header.length.get()) {
            return Err(Malformed::Length);
        }
        let descriptors = header.descriptors.get();
        let (least, most) = match header.kind.get() {
            kind::HELLO | kind::CANCEL => (0, 0),
            kind::ATTACH => (1, 1),
            _ => (0, MAX_DESCRIPTORS),
        };
        if !(least..=most).contains(&usize::from(descriptors)) {
            return Err(Malformed::Descriptors);
        }
        let message = match header.kind.get() {
            kind::HELLO => Self::Hello(Hello::parse(payload)?),
            kind::ATTACH => Self::Attach(Attach::parse(payload)?),
            kind::CONTROL => Self::Control(Control::parse(payload, descriptors)?),
            kind::CREATE => Self::Create(Create { name: payload, descriptors }),
            kind::CANCEL if payload.is_empty() => Self::Cancel,
            kind::CANCEL => return Err(Malformed::Size),
            kind::ANSWER => {
                let (head, data) = head::<AnswerHead>(payload)?;
                let (status, returned) = (NtStatus(head.status.get()), head.returned.get());
                Self::Answer(Answer { status, returned, data, descriptors })
            }
            kind => Self::Unknown { kind, descriptors },
        };
        Ok((header.id.get(), message))
    }

    /// How many descriptors it carries.
    pub fn descriptors(&self) -> u16 {
        match self {
            Self::Hello(_) | Self::Cancel => 0,
            Self::Attach(_) => 1,
            Self::Control(Control { descriptors, .. })
            | Self::Create(Create { descriptors, .. })
            | Self::Answer(Answer { descriptors, .. })
            | Self::Unknown { descriptors, .. } => *descriptors,
        }
    }
}

impl Hello {
    /// As a packet.
    pub fn to_packet(&self) -> Vec<u8> {
        let payload = HelloPayload {
            magic: MAGIC,
            lowest: self.lowest.into(),
            highest: self.highest.into(),
            object: self.object.number().into(),
            pointer_bytes: self.pointer_bytes.into(),
            max_packet: self.max_packet.into(),
            max_memory: self.max_memory.into(),
        };
        packet(kind::HELLO, 0, 0, &[payload.as_bytes()])
    }

    fn parse(payload: &[u8]) -> Result<Self, Malformed> {
        // A later version may say more behind it.
        let (payload, _) = head::<HelloPayload>(payload)?;
        if payload.magic != MAGIC {
            return Err(Malformed::Magic);
        }
        Ok(Self {
            lowest: payload.lowest.get(),
            highest: payload.highest.get(),
            object: ObjectKind::from_number(payload.object.get()),
            pointer_bytes: payload.pointer_bytes.get(),
            max_packet: payload.max_packet.get(),
            max_memory: payload.max_memory.get(),
        })
    }

    /// Whether this library and the server have a version in common.
    pub fn speaks_our_version(&self) -> bool {
        (self.lowest..=self.highest).contains(&VERSION)
    }
}

impl Attach {
    /// As a packet, with which one descriptor goes.
    pub fn to_packet(&self) -> Vec<u8> {
        let payload = AttachPayload { magic: MAGIC, version: self.version.into(), reserved: [0; 6] };
        packet(kind::ATTACH, 0, 1, &[payload.as_bytes()])
    }

    fn parse(payload: &[u8]) -> Result<Self, Malformed> {
        let payload = whole::<AttachPayload>(payload)?;
        if payload.magic != MAGIC {
            return Err(Malformed::Magic);
        }
        Ok(Self { version: payload.version.get() })
    }
}

impl<'a> Control<'a> {
    /// As a packet; `None` where the input and the data are together more than [`MAX_REQUEST`] bytes, or the output
    /// buffer longer than [`MAX_DATA`].
    pub fn to_packet(&self, id: u64) -> Option<Vec<u8>> {
        let fits = self.input.len().checked_add(self.data.len())? <= MAX_REQUEST;
        if !fits || self.output_length as usize > MAX_DATA || self.data.len() > self.output_length as usize {
            return None;
        }
        let head = ControlHead {
            code: self.code.into(),
            input_length: u32::try_from(self.input.len()).ok()?.into(),
            output_length: self.output_length.into(),
            data_length: u32::try_from(self.data.len()).ok()?.into(),
            key: self.key.into(),
        };
        Some(packet(kind::CONTROL, id, self.descriptors, &[head.as_bytes(), self.input, self.data]))
    }

    fn parse(payload: &'a [u8], descriptors: u16) -> Result<Self, Malformed> {
        let (head, rest) = head::<ControlHead>(payload)?;
        let length = |length: U32| usize::try_from(length.get()).map_err(|_| Malformed::Lengths);
        let (input_length, data_length) = (length(head.input_length)?, length(head.data_length)?);
        let (input, data) = rest.split_at_checked(input_length).ok_or(Malformed::Lengths)?;
        if data.len() != data_length || data_length > length(head.output_length)? {
            return Err(Malformed::Lengths);
        }
        if length(head.output_length)? > MAX_DATA {
            return Err(Malformed::Lengths);
        }
        let (code, output_length, key) = (head.code.get(), head.output_length.get(), head.key.get());
        Ok(Self { code, output_length, key, input, data, descriptors })
    }
}

impl Create<'_> {
    /// As a packet; `None` where the name is longer than [`MAX_REQUEST`] bytes.
    pub fn to_packet(&self, id: u64) -> Option<Vec<u8>> {
        (self.name.len() <= MAX_REQUEST).then(|| packet(kind::CREATE, id, self.descriptors, &[self.name]))
    }
}

/// A packet that cancels the request of this number.
pub fn cancel_packet(id: u64) -> Vec<u8> {
    packet(kind::CANCEL, id, 0, &[])
}

impl Answer<'_> {
    /// As a packet. Of data longer than [`MAX_DATA`] the end is left out.
    pub fn to_packet(&self, id: u64) -> Vec<u8> {
        let head = AnswerHead { status: self.status.0.into(), returned: self.returned.into() };
        let data = &self.data[..self.data.len().min(MAX_DATA)];
        packet(kind::ANSWER, id, self.descriptors, &[head.as_bytes(), data])
    }
}

impl VersionsDiffer {
    /// As an answer's data.
    pub fn to_bytes(&self) -> [u8; 8] {
        let Self { asked, lowest, highest } = *self;
        let payload =
            VersionsPayload { asked: asked.into(), lowest: lowest.into(), highest: highest.into(), reserved: 0.into() };
        zerocopy::transmute!(payload)
    }

    /// Of an answer's data, if it is that.
    pub fn parse(data: &[u8]) -> Option<Self> {
        let payload = whole::<VersionsPayload>(data).ok()?;
        Some(Self { asked: payload.asked.get(), lowest: payload.lowest.get(), highest: payload.highest.get() })
    }
}
