//! KS objects behind handles: a driver's filters, pins and allocators answer properties, methods and events.
//!
//! | part | what it is |
//! | --- | --- |
//! | [`ObjectAccess`] | how objects are reached by their handles; [`objects_of_the_system`] gives the system's |
//! | `DeviceObjects` | on Windows: what the kernel's handles name |
//! | `InProcessObjects` | on Linux: objects of this process |
//! | `RemoteObjects` | on Linux: objects of other processes, through sockets |
//! | `SystemObjects` | on Linux: both; the handle says which |
//! | `Server` | on Linux: gives objects of this process to others |
//! | `FilterExtension` | on Linux: what a layer above adds to a filter and its pins |
//! | [`wire`] | the messages between them, which `docs/protocol.md` describes for other languages |
//! | [`Handle`], [`OwnedHandle`] | what names an object: a `HANDLE`, on Linux the number of a descriptor |
//!
//! There is nothing of COM here; the crate `ksproxy` has the COM face and the functions of `ksproxy.ax` over it. What the
//! objects do is said in `docs/objects.md` by the numbers of statements; `docs/conformance.md` lists the statements.

#![deny(unsafe_op_in_unsafe_fn)]

/// The project's pages on this crate, whose Rust is run.
#[cfg(doctest)]
pub mod pages {
    /// The protocol.
    #[doc = include_str!("../../../docs/protocol.md")]
    pub struct Protocol;
}

mod handle;
#[cfg(unix)]
mod in_process;
mod lock;
mod object_access;
#[cfg(unix)]
#[allow(non_upper_case_globals, reason = "patterns of constants with the header's names")]
mod remote;
#[cfg(unix)]
mod request;
pub mod required_attributes;
#[cfg(unix)]
mod server;
#[cfg(unix)]
mod socket;
#[cfg(unix)]
mod system;
#[cfg(windows)]
mod windows;
pub mod wire;

pub use handle::{Handle, OwnedHandle};
#[cfg(unix)]
pub use in_process::{
    AllocatorFunctions, ClientProcess, ExtensionAnswer, ExtensionRequest, ExtensionSet, FilterExtension,
    InProcessObjects, MemoryFile, PinFactory, PinFraming, PinInstance, SentDescriptors,
};
pub use object_access::{DeviceError, ObjectAccess, Win32Error, objects_of_the_system};
#[cfg(unix)]
pub use remote::RemoteObjects;
#[cfg(unix)]
pub use request::Request;
#[cfg(unix)]
pub use server::{Limits, Server, Stopper};
#[cfg(unix)]
pub use system::SystemObjects;
#[cfg(windows)]
pub use windows::DeviceObjects;
