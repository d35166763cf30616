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

impl Limits {
    /// These, with room besides for a client that has so many handles of its own, each with a connection, and so many pins
    /// more, each with a connection and a file or an event: for a server whose clients need more than others, by what it
    /// serves. A client can use that for whatever it likes, and has no more.
    #[must_use]
    pub fn with_room_for(self, handles: usize, pins: usize) -> Self {
        let handles = (handles as u64).saturating_mul(OBJECT + CONNECTION);
        let pins = (pins as u64).saturating_mul(OBJECT + NAME + CONNECTION + EVENT);
        let memory = u64::from(self.memory).saturating_add(handles).saturating_add(pins);
        Self { memory: u32::try_from(memory).unwrap_or(u32::MAX), ..self }
    }
}

/// What a connection costs.
pub(super) const CONNECTION: u64 = 1024;
/// What an object costs, besides the bytes of its name.
pub(super) const OBJECT: u64 = 1024;
/// As long as a pin's create name is, with a format that has nothing of its own after it.
const NAME: u64 = 256;
/// What an event costs.
pub(super) const EVENT: u64 = 256;
/// What a request that waits costs.
pub(super) const WAITING: u64 = 256;
/// What a frame costs that a client has.
pub(super) const FRAME: u64 = 128;
