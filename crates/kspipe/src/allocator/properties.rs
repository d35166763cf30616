//! What an allocator is asked for, what it makes of it, and why it may refuse.

use super::MemoryKind;

/// What an allocator's frames are: `ALLOCATOR_PROPERTIES` (strmif.h), wider and unsigned. All zero: not set yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct AllocatorProperties {
    /// The number of frames (`cBuffers`). Committing needs 1 to [`MAX_FRAMES`].
    pub frames: u32,
    /// Bytes of a frame, without its prefix (`cbBuffer`). Committing needs at least 1.
    pub size: u64,
    /// What the start of each slot, and so of its prefix where there is one, is a multiple of, in bytes (`cbAlign`):
    /// a power of two.
    pub alignment: u64,
    /// Bytes before each frame (`cbPrefix`).
    pub prefix: u64,
}

/// The most frames a pool has: 2^20. Each takes [`AllocatorStatus::control_bytes`](super::AllocatorStatus) beside its
/// memory.
pub const MAX_FRAMES: u32 = 1 << 20;

impl AllocatorProperties {
    /// What a request becomes: the size raised so that prefix and size together are a multiple of the alignment
    /// (semantics 4.3, SetProperties, step 8). A request whose sum does not fit stays as it is and fails at commit.
    pub(super) fn rounded(self) -> Self {
        let slot = self.prefix.checked_add(self.size).and_then(|sum| sum.checked_next_multiple_of(self.alignment));
        match slot {
            Some(slot) => Self { size: slot - self.prefix, ..self },
            None => self,
        }
    }

    /// Where the frames of these properties lie in one block of memory.
    pub(super) fn layout(self) -> Result<Layout, CommitError> {
        let Self { frames, size, alignment, prefix } = self;
        if frames == 0 || size == 0 || alignment == 0 {
            return Err(CommitError::NotSet { frames, size });
        }
        let slot = u128::from(prefix) + u128::from(size);
        let slot = slot.div_ceil(u128::from(alignment)) * u128::from(alignment);
        // 2^32 frames of 2^65 bytes: no product here reaches 2^128.
        let bytes = slot * u128::from(frames);
        let too_large = CommitError::TooLarge { frames, bytes };
        // Twice the alignment: room to find an aligned address in memory that is aligned to less.
        let fits = frames <= MAX_FRAMES && bytes + 2 * u128::from(alignment) <= isize::MAX as u128;
        match (fits, usize::try_from(bytes), usize::try_from(alignment)) {
            (true, Ok(bytes), Ok(alignment)) => Ok(Layout {
                bytes,
                alignment,
                // Each is no more than `bytes`, which fits.
                slot: slot as usize,
                prefix: prefix as usize,
                size: size as usize,
            }),
            _ => Err(too_large),
        }
    }
}

/// Where frames lie: slot `i` starts at `i * slot`, its frame `prefix` bytes later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// All slots together; at least 1, and with twice the alignment at most `isize::MAX`.
    pub(super) bytes: usize,
    pub(super) alignment: usize,
    pub(super) slot: usize,
    pub(super) prefix: usize,
    pub(super) size: usize,
}

/// Why properties are refused. What was set before stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetPropertiesError {
    /// The alignment is not a power of two (`VFW_E_BADALIGN`).
    #[error("an alignment of {alignment} bytes is not a power of two")]
    BadAlignment {
        /// What was asked, in bytes.
        alignment: u64,
    },
    /// The allocator is committed (`VFW_E_ALREADY_COMMITTED`): decommit it first.
    #[error("the allocator is committed")]
    AlreadyCommitted,
    /// The allocator was decommitted, and frames of it are still out (`VFW_E_BUFFERS_OUTSTANDING`).
    #[error("{frames} frames are still out")]
    FramesOutstanding {
        /// How many.
        frames: u32,
    },
}

/// Why an allocator cannot be committed. It stays as it was and can be given other properties.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// The number of frames or their size was never set, or is 0 (`VFW_E_SIZENOTSET`).
    #[error("{frames} frames of {size} bytes: set the allocator's properties first")]
    NotSet {
        /// The number of frames set.
        frames: u32,
        /// The size set, in bytes.
        size: u64,
    },
    /// More frames than [`MAX_FRAMES`], or more bytes than this machine can address (`E_OUTOFMEMORY`). Nothing was
    /// allocated.
    #[error("{frames} frames take {bytes} bytes: too large for one allocator")]
    TooLarge {
        /// The number of frames set.
        frames: u32,
        /// What they take, in bytes.
        bytes: u128,
    },
    /// The system gives no memory (`E_OUTOFMEMORY`).
    #[error("no memory for {bytes} bytes of frames{}", Reason(*errno))]
    OutOfMemory {
        /// What was asked of the system, in bytes.
        bytes: u64,
        /// Its error number, where it told one.
        errno: Option<i32>,
    },
    /// This system does not have this kind of memory.
    #[error("{kind} is not to be had on this system")]
    Unsupported {
        /// The kind asked for.
        kind: MemoryKind,
    },
}

/// An error number in words, after a colon.
struct Reason(Option<i32>);

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(errno) => write!(f, ": {}", std::io::Error::from_raw_os_error(errno)),
            None => Ok(()),
        }
    }
}

/// Why no frame was acquired.
// As wide as a register, so that a `Result` of a frame is moved in whole registers and never byte by byte, which would
// cost more than acquiring does.
#[repr(usize)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum AcquireError {
    /// No frame is free, or others were waiting first (`VFW_E_TIMEOUT` with `AM_GBF_NOWAIT`).
    #[error("no frame is free")]
    Empty,
    /// No frame came home in time (`VFW_E_TIMEOUT`).
    #[error("no frame came home in time")]
    TimedOut,
    /// The allocator is not committed, or was decommitted while the caller waited (`VFW_E_NOT_COMMITTED`).
    #[error("the allocator is not committed")]
    NotCommitted,
}

/// Why a [`RawFrame`](super::RawFrame) does not become a frame again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum ReclaimError {
    /// It is a frame of another allocator.
    #[error("a frame of another allocator")]
    Foreign,
    /// It was reclaimed before.
    #[error("the frame was reclaimed before")]
    Stale,
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn properties(frames: u32, size: u64, alignment: u64, prefix: u64) -> AllocatorProperties {
        AllocatorProperties { frames, size, alignment, prefix }
    }

    #[test]
    fn sizes_round_up_with_their_prefix_statements_32_33_34_70() {
        for (request, size) in [
            ((1, 1, 1, 0), 1),
            ((1, 1, 16, 1), 15),
            ((1, 17, 16, 0), 32),
            ((1, 16, 16, 16), 16),
            ((2, 100, 64, 10), 118),
            ((0, 0, 1, 0), 0),
            ((1, u64::MAX, 1, 0), u64::MAX),
            ((1, u64::MAX, 2, 0), u64::MAX),
            ((1, u64::MAX, 4096, 1), u64::MAX),
            ((1, 1, 1 << 63, 0), 1 << 63),
        ] {
            let (frames, asked, alignment, prefix) = request;
            let actual = properties(frames, asked, alignment, prefix).rounded();
            assert_eq!(actual, properties(frames, size, alignment, prefix), "{request:?}");
        }
    }

    #[test]
    fn slots_keep_every_prefix_aligned_statement_70() {
        let layout = properties(2, 100, 64, 10).rounded().layout().unwrap();
        assert_eq!(layout, Layout { bytes: 256, alignment: 64, slot: 128, prefix: 10, size: 118 });
    }

    #[test]
    fn a_size_or_count_of_zero_is_not_set_statements_42_43_44() {
        for (frames, size, alignment) in [(0, 0, 0), (1, 0, 1), (0, 16, 1)] {
            let error = properties(frames, size, alignment, 0).layout().unwrap_err();
            assert_eq!(error, CommitError::NotSet { frames, size });
        }
    }

    #[test]
    fn what_does_not_fit_is_too_large_and_never_wraps_statement_47() {
        for (frames, size, alignment, prefix) in [
            (u32::MAX, u64::MAX, 1, 0),
            (u32::MAX, u64::MAX, 1 << 63, u64::MAX),
            (u32::MAX, 1 << 32, 1, 0),
            (1, u64::MAX, 1, 1),
            (1, i64::MAX as u64, 1, 0),
            (1, 1, 1 << 63, 0),
            (MAX_FRAMES + 1, 1, 1, 0),
            (2, 1 << 62, 1, 0),
        ] {
            let error = properties(frames, size, alignment, prefix).rounded().layout().unwrap_err();
            assert!(matches!(error, CommitError::TooLarge { .. }), "{frames} {size} {alignment} {prefix}: {error}");
        }
    }
}
