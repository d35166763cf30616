//! Kernel Streaming's words: structures, GUIDs, constants and control codes, exactly as the ABI has them, and the
//! reading and writing of framing blobs. No logic, no allocation, no operating system.
//!
//! Constants and GUIDs keep the header's names to the letter, so that they are found by searching for them;
//! structures and their members have the header's names in Rust spelling (`KS_FRAMING_ITEM.FileAlignment` is
//! [`KsFramingItem::file_alignment`]). A set of flags keeps bits it does not know, an enumeration keeps values it does
//! not know, and both print the header's names.
//!
//! Structures with pointers in them exist three times, by [`PointerWidth`]: as this program's own ABI has them
//! ([`AllocatorPropertiesEx`]), and as any program sees them that looks into a 32-bit or 64-bit process
//! (`AllocatorPropertiesExFor<Pointer32>`). A test compares all of it with what a C++ compiler makes of mingw-w64's
//! headers for both.
//!
//! Nothing here is tied to a thread; the structures with raw pointers are not `Send`, because what they point to is
//! their owner's business.
#![no_std]
#![forbid(unsafe_code)]
#![allow(non_upper_case_globals)]

#[macro_use]
mod macros;

mod alignment;
mod allocator_properties;
mod control_code;
mod create_name;
mod data_format;
mod data_range_list;
mod event;
mod flags;
mod framing;
mod framing_blob;
mod framing_validation;
mod guid;
mod identifier;
mod interface;
mod memory_type;
mod pin;
mod pin_factory;
mod pointer_width;
mod property_set;
mod sample;
mod status;
mod stream;
mod stream_allocator;

pub use alignment::*;
pub use allocator_properties::*;
pub use control_code::*;
pub use create_name::*;
pub use data_format::*;
pub use data_range_list::*;
pub use event::*;
pub use flags::*;
pub use framing::*;
pub use framing_blob::*;
pub use framing_validation::*;
pub use guid::*;
pub use identifier::*;
pub use interface::*;
pub use memory_type::*;
pub use pin::*;
pub use pin_factory::*;
pub use pointer_width::*;
pub use property_set::*;
pub use sample::*;
pub use status::*;
pub use stream::*;
pub use stream_allocator::*;
