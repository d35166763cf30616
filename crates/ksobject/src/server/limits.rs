//! What a client may have of a server.

/// The bounds of a server. A client is a process; what it has is counted for all its connections together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the server's own memory that a client may use: 64 KiB. A connection costs 1024, an object it creates 1024
    /// and its name, a handle it opens 1024, an event 256, a request that waits 256, a frame it has 128. Besides, one
    /// answer of at most 64 KiB is kept while a client does not read; until it has read that, none of its requests is.
    pub memory: u32,
    /// Bytes of frames of the allocators that a client creates: 256 MiB.
    pub frame_memory: u64,
    /// How many clients there may be at once: 256.
    pub clients: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { memory: 64 << 10, frame_memory: 256 << 20, clients: 256 }
    }
}

/// What a connection costs.
pub(super) const CONNECTION: u64 = 1024;
/// What an object costs, besides the bytes of its name.
pub(super) const OBJECT: u64 = 1024;
/// What an event costs.
pub(super) const EVENT: u64 = 256;
/// What a request that waits costs.
pub(super) const WAITING: u64 = 256;
/// What a frame costs that a client has.
pub(super) const FRAME: u64 = 128;
