//! Numbers of descriptors.

use rustix::fd::{AsRawFd, OwnedFd};
use std::io;

/// The same descriptor under a number that is no standard stream's: what a program writes to a standard stream that it has
/// closed must not land in one of ours.
pub(crate) fn above_standard_streams(descriptor: OwnedFd) -> io::Result<OwnedFd> {
    if descriptor.as_raw_fd() >= 3 { Ok(descriptor) } else { Ok(rustix::io::fcntl_dupfd_cloexec(&descriptor, 3)?) }
}
