//! Framing blobs: what a driver's pin answers, as the graph understands it, and back.
//!
//! A blob says everything as KS's structures do; the graph says it as a negotiation needs it. What a blob says that the
//! graph has no use for, or that cannot be meant, is a [`BlobFinding`], never lost without a word.

pub(crate) mod oddity;
mod read;
mod write;

#[cfg(test)]
mod tests;

pub use write::{WriteBlobError, write_blob};

use super::{Compression, Framing};
use crate::finding::Code;
use ks::{FramingBlob, FramingBlobError};
use std::fmt;

/// What a framing blob says: the pin's framing, its compression, and what in it is odd.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlobFraming {
    /// What the pin asks.
    pub framing: Framing,
    /// `OutputCompression`; the old structure has none.
    pub compression: Compression,
    /// What was not taken as it stands, in the order of the bytes.
    pub findings: Vec<BlobFinding>,
}

/// Something in a blob that was not taken as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlobFinding {
    /// What kind of thing it is.
    pub code: &'static Code,
    /// The framing item it is in, from 0; `None`: a member outside the items, or the old structure, which has none.
    pub item: Option<usize>,
    /// The header's name of the member.
    pub field: &'static str,
    /// What it holds.
    pub value: u32,
    /// What is wrong with it, and what it counts as.
    pub message: String,
    /// What to write instead.
    pub help: String,
}

impl fmt::Display for BlobFinding {
    /// `FramingItem[0].FileAlignment is 0x1000: ...`, the message behind it, without the help.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { item, field, value, message, .. } = self;
        match item {
            Some(item) => write!(f, "FramingItem[{item}].{field} is {value:#x}: {message}"),
            None => write!(f, "{field} is {value:#x}: {message}"),
        }
    }
}

/// Reads the blob in `bytes`, of either kind.
///
/// # Errors
/// Where the bytes are no framing: too few, too many for their `CountItems`, or without items. The error names the
/// offset and the member. Whatever the members hold is no error; see [`BlobFraming::findings`].
///
/// ```
/// use ks::{FramingBlob, KsAllocatorFraming, RequirementFlags};
/// use kspipe::graph::read_blob;
///
/// let mut bytes = [0; 24];
/// let framing = KsAllocatorFraming {
///     flags: RequirementFlags::SYSTEM_MEMORY.into(),
///     frames: 8,
///     frame_size: 58_656,
///     ..KsAllocatorFraming::default()
/// };
/// FramingBlob::Old(framing).write_to(&mut bytes)?;
///
/// let blob = read_blob(&bytes)?;
/// assert_eq!(blob.framing.items()[0].capacity(), 58_656);
/// assert_eq!(blob.findings, []);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn read_blob(bytes: &[u8]) -> Result<BlobFraming, FramingBlobError> {
    FramingBlob::parse(bytes).map(|blob| BlobFraming::from(&blob))
}
