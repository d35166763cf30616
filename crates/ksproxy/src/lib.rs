//! The COM face: `IKsAllocatorEx` and the interfaces it lives among, over [`kspipe`]'s allocator.
//!
//! | part | what it is | the project's page |
//! | --- | --- | --- |
//! | [`KsAllocator`] | the allocator, made by Rust; [`interfaces`] has every interface of the crate | `docs/com.md` |
//! | [`KsPin`] | a pin that is ready to use, for hosts that have none of their own, and for tests | `docs/pins.md` |
//! | [`negotiate_pins`] | reads COM pins that are connected, negotiates them as one graph and tells them the result | `docs/pins.md` |
//! | [`ObjectAccess`] | what the allocator asks of objects behind handles: devices on Windows (`DeviceObjects`), on Linux objects of this process (`InProcessObjects`) and of others (`RemoteObjects`, `Server`); all of it is `ksobject`'s | `docs/objects.md` |
//! | [`KsSynchronousDeviceControl`] and five more | the functions of `ksproxy.ax` | `docs/objects.md` |
//! | `session` | Linux: the functions with which a program in C takes part in a graph that another process serves | `docs/c-client.md` |
//! | [`KspCreateAllocator`], [`KspCreatePin`], [`KspNegotiatePins`], [`DllGetClassObject`] and others | what the shared library (`libksproxy.so`, `ksproxy.dll`) exports to programs in C, C++ and any language with COM | `docs/com.md` |
//!
//! Programs in C and C++ include the SDK's own `ksproxy.h` on Windows, and `include/kspipe.h` elsewhere. What the
//! objects do is said in those pages by the number of a statement; `docs/conformance.md` lists the statements.
//!
//! ```
//! use ksproxy::KsAllocator;
//! use ksproxy::interfaces::{IKsAllocatorEx, IMemAllocator};
//! use windows_core::Interface;
//!
//! let allocator: IKsAllocatorEx = KsAllocator::new().into();
//! // SAFETY: the interface is the object's own, and the pointer it gives is read while the object is alive.
//! let properties = unsafe { *allocator.KsGetProperties() };
//! assert_eq!(properties.c_buffers, 0);
//! let memory: IMemAllocator = allocator.cast()?;
//! # Ok::<(), windows_core::Error>(())
//! ```

#![deny(unsafe_op_in_unsafe_fn)]

/// The project's pages on this crate, whose Rust is run.
#[cfg(doctest)]
pub mod pages {
    /// The allocator.
    #[doc = include_str!("../../../docs/com.md")]
    pub struct Allocator;
    /// Ready pins and live ones.
    #[doc = include_str!("../../../docs/pins.md")]
    pub struct Pins;
    /// KS objects, and the functions that ask them.
    #[doc = include_str!("../../../docs/objects.md")]
    pub struct Objects;
}

mod allocator;
#[allow(non_upper_case_globals, reason = "the class has a header's name")]
mod class;
mod default_device;
mod exports;
mod face;
mod guard;
pub mod hresult;
#[allow(non_snake_case, reason = "the methods have the headers' names")]
pub mod interfaces;
mod live_pins;
mod lock;
mod module;
#[cfg(test)]
mod panics;
mod pin;
mod pin_factory_query;
mod proxy_functions;
mod registration;
mod sample;
mod server;
#[cfg(all(target_os = "linux", not(loom)))]
pub mod session;
mod sync;
mod task_bytes;
mod task_memory;

pub use class::CLSID_KspAllocator;
#[cfg(unix)]
pub use exports::KspCreateSinkPin;
pub use exports::{KspCreateAllocator, KspDeleteMediaType};
pub use face::KsAllocator;
#[cfg(windows)]
pub use ksobject::DeviceObjects;
#[cfg(unix)]
pub use ksobject::{
    AllocatorFunctions, InProcessObjects, Limits, PinFactory, PinFraming, RemoteObjects, Request, Server, Stopper,
    SystemObjects,
};
pub use ksobject::{DeviceError, Handle, ObjectAccess, OwnedHandle, Win32Error};
pub use live_pins::{
    KspExplain, KspNegotiatePins, NegotiatePinsError, NegotiatedPins, negotiate_pins, negotiate_pins_with,
};
pub use pin::{KsPin, KsPinBuilder, KspCreatePin, KspPinDescription, PinEvents, Segment};
pub use proxy_functions::{
    KsGetMediaType, KsGetMediaTypeCount, KsGetMultiplePinFactoryItems, KsOpenDefaultDevice,
    KsResolveRequiredAttributes, KsSynchronousDeviceControl,
};
pub use server::{DllCanUnloadNow, DllGetClassObject, DllRegisterServer, DllUnregisterServer};
