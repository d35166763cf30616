//! The messages between a client and a server of KS objects. `docs/protocol.md` describes them for other languages.
//!
//! Every message is one packet: a [`Header`] and its payload, little endian, at most [`MAX_PACKET`] bytes, with at most
//! [`MAX_DESCRIPTORS`] descriptors. Packets are bytes nobody vouches for: what is read here is read within its bounds,
//! or is [`Malformed`].

mod message;

pub use message::{Answer, Attach, Control, Create, Hello, Message, ObjectKind, VersionsDiffer, cancel_packet};

use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// What [`Hello`] and [`Attach`] begin with.
pub const MAGIC: [u8; 8] = *b"KSOBJECT";
/// The version of the protocol that this library speaks, and the only one there is.
pub const VERSION: u16 = 1;
/// The longest packet, in bytes, header and all.
pub const MAX_PACKET: usize = 64 << 10;
/// The most descriptors that a packet carries.
pub const MAX_DESCRIPTORS: usize = 16;
/// The most bytes of an object's answer: what a packet has room for beside its header and the answer's own.
pub const MAX_DATA: usize = MAX_PACKET - size_of::<Header>() - size_of::<message::AnswerHead>();
/// The most bytes that go with a request: its input, and what of the output buffer is sent.
pub const MAX_REQUEST: usize = MAX_PACKET - size_of::<Header>() - size_of::<message::ControlHead>();

/// What a packet begins with: 16 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct Header {
    /// What the packet is: one of [`kind`]'s.
    pub kind: U16,
    /// How many descriptors it carries.
    pub descriptors: U16,
    /// Its length in bytes, this header too.
    pub length: U32,
    /// The request's number: its answer has the same. 0 where there is none.
    pub id: U64,
}

/// The kinds of packets. Those from 0x0100 to 0x7FFF are not of this layer: layers above may define them, and a server
/// that does not know one answers `STATUS_INVALID_DEVICE_REQUEST`.
pub mod kind {
    /// From the server, the first packet on every handle: what is behind it.
    pub const HELLO: u16 = 1;
    /// On a handle: the sender asks for a connection of its own.
    pub const ATTACH: u16 = 2;
    /// A request: a property, method or event.
    pub const CONTROL: u16 = 3;
    /// A request: an object is created by a name.
    pub const CREATE: u16 = 4;
    /// A request with this number is cancelled. It is answered as ever; this is not.
    pub const CANCEL: u16 = 5;
    /// The answer to a request.
    pub const ANSWER: u16 = 0x8000;
}

/// Why a packet is none. Who sent it does not speak the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// It is shorter than its kind, or longer than any packet.
    Size,
    /// Its length is not what its header says.
    Length,
    /// It carries other descriptors than its header and its kind say.
    Descriptors,
    /// It is of a kind that the other side never sends.
    Kind,
    /// It begins with something else than [`MAGIC`].
    Magic,
    /// The lengths it names do not add up to its own.
    Lengths,
}

impl std::fmt::Display for Malformed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Size => "it is too short or too long",
            Self::Length => "its length is not what it says",
            Self::Descriptors => "it carries other descriptors than it says",
            Self::Kind => "its kind is not one that the other side sends",
            Self::Magic => "it does not begin as it should",
            Self::Lengths => "the lengths in it contradict its own",
        })
    }
}

impl std::error::Error for Malformed {}

/// A packet of a kind, with this number, payload and count of descriptors.
///
/// The parts together are at most [`MAX_PACKET`] bytes, as those who call see to.
fn packet(kind: u16, id: u64, descriptors: u16, parts: &[&[u8]]) -> Vec<u8> {
    let length = size_of::<Header>() + parts.iter().map(|part| part.len()).sum::<usize>();
    debug_assert!(length <= MAX_PACKET);
    let header =
        Header { kind: kind.into(), descriptors: descriptors.into(), length: (length as u32).into(), id: id.into() };
    let mut bytes = Vec::with_capacity(length);
    bytes.extend_from_slice(header.as_bytes());
    parts.iter().for_each(|part| bytes.extend_from_slice(part));
    bytes
}

#[cfg(test)]
mod tests;
