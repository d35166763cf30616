//! Kernel Streaming's words: structures, GUIDs, constants and control codes, exactly as the ABI has them, and the
//! reading and writing of framing blobs. No logic, no allocation, no operating system.
#![no_std]
#![forbid(unsafe_code)]

mod framing;
mod guid;
mod memory_type;

pub use framing::*;
pub use guid::*;
pub use memory_type::*;
