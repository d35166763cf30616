//! The COM face: `IKsAllocatorEx` and the interfaces it lives among, over [`kspipe`]'s allocator.
//!
//! [`KsAllocator`] makes the object; its interfaces are in [`interfaces`]. The library (`libksproxy.so`) exports
//! `KspCreateAllocator` for programs in C and C++, whose header is `include/kspipe.h`. What the objects do is said by
//! statement number in the project's `docs/com.md`.
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

/// The project's page on this crate, whose Rust is run.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/com.md")]
pub struct Page;

mod allocator;
#[allow(non_upper_case_globals, reason = "the class has a header's name")]
mod class;
mod default_device;
mod exports;
mod face;
mod guard;
mod handle;
pub mod hresult;
#[cfg(unix)]
mod in_process;
#[allow(non_snake_case, reason = "the methods have the headers' names")]
pub mod interfaces;
mod lock;
mod module;
mod object_access;
#[cfg(test)]
mod panics;
mod pin_factory_query;
mod proxy_functions;
mod registration;
mod required_attributes;
mod sample;
mod server;
mod task_bytes;
mod task_memory;
#[cfg(windows)]
mod windows;

pub use class::CLSID_KspAllocator;
#[cfg(unix)]
pub use exports::KspCreateSinkPin;
pub use exports::{KspCreateAllocator, KspDeleteMediaType};
pub use face::KsAllocator;
pub use handle::{Handle, OwnedHandle};
#[cfg(unix)]
pub use in_process::{AllocatorFunctions, InProcessObjects, PinFactory, PinFraming, Request};
pub use object_access::{DeviceError, ObjectAccess, Win32Error};
pub use proxy_functions::{
    KsGetMediaType, KsGetMediaTypeCount, KsGetMultiplePinFactoryItems, KsOpenDefaultDevice,
    KsResolveRequiredAttributes, KsSynchronousDeviceControl,
};
pub use server::{DllCanUnloadNow, DllGetClassObject, DllRegisterServer, DllUnregisterServer};
#[cfg(windows)]
pub use windows::DeviceObjects;
