//! A graph that processes run together: one serves it, others fill its pins, read them, or run whole filters of it. Frames
//! are not copied: what goes from process to process is the right to a frame of a [shared
//! pool](kspipe::allocator::shared), without a system call.
//!
//! | part | what it is |
//! | --- | --- |
//! | [`Server`] | serves a graph at a path: makes the pools, runs the filters that are its own, lets processes in, and cleans up after them |
//! | [`Client`] | a process that takes part: [`Frames`] of an in pin, a [`Writer`] for an out pin, or a whole filter |
//! | [`verbs`] | what they say to each other: methods of KS objects, for other languages |
//!
//! Processes that are let in are *trusted*: they map the pools' control words; or *mediated*: the server does everything for
//! them. What each promises is in `docs/security.md`.
//!
//! There is nothing here but on Linux.

#![cfg(target_os = "linux")]
#![deny(unsafe_code)]

/// The project's page on this crate, whose Rust is run.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/sessions.md")]
pub struct Sessions;

mod client;
mod descriptor;
mod document;
mod lock;
mod server;
pub mod verbs;

pub use client::{
    AttachError, AttachedFilter, Client, ClientError, ClientPin, Frame, Frames, JoinedFilter, StreamError,
    WritableFrame, WriteError, Writer,
};
/// A handle of an object, here of a graph: on Linux a descriptor.
pub use ksobject::OwnedHandle;
pub use server::{Begins, GraphText, ServeError, Server, ServerControl, ServerOptions, StreamsOfTheDead, Trust};
