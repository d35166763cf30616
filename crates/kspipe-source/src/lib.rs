//! Allocator framings out of the C and C++ sources of drivers.
//!
//! A driver's author has sources, not blobs. This crate reads them as they are: [`read`] finds the framings they declare
//! (`DECLARE_SIMPLE_FRAMING_EX`, initialisers of `KSALLOCATOR_FRAMING` and `KSALLOCATOR_FRAMING_EX`, members assigned in
//! a function), evaluates the constant expressions in them as a compiler for Windows does, and gives each member with
//! its place. What it cannot evaluate it says, with the name that is to blame; it never takes 0 for it.
//!
//! Syntax trees (tree-sitter) say where functions, types, constants and assignments are; values and declarations are
//! read from tokens in which macros are replaced, because a macro can hold half of a declaration. What is read and what
//! is not stands in `docs/driver-sources.md`. [`write_c`] goes the other way.
//!
//! ```
//! use kspipe_source::{Input, Options, read};
//!
//! let source = "
//!     #define FRAMES 2
//!     DECLARE_SIMPLE_FRAMING_EX(Framing, STATICGUIDOF(KSMEMORY_TYPE_KERNEL_NONPAGED),
//!         KSALLOCATOR_REQUIREMENTF_SYSTEM_MEMORY, FRAMES, 0, 2 * PAGE_SIZE, ImageSize);
//! ";
//! let read = read(&[Input::new("capture.cpp", source)], &Options::default(), |_, _| None);
//! let framing = &read.framings[0];
//! assert_eq!(framing.member(Some(0), "Frames").unwrap().value, Ok(kspipe_source::MemberValue::Word(2)));
//! let (member, unknown) = framing.unknown().next().unwrap();
//! assert_eq!(member.path(), "FramingItem[0].FramingRange.Range.MaxFrameSize");
//! assert_eq!(unknown.because, "`ImageSize` is no constant in these files");
//! assert_eq!(read.position(unknown.place), ("capture.cpp", 4, 75));
//! ```
#![forbid(unsafe_code)]

mod assigned;
mod condition;
mod declared_types;
mod evaluate;
mod expression;
mod extent;
mod facts;
mod fields;
mod find;
mod framing;
mod initializer;
mod integer;
mod known;
mod lexer;
mod macros;
mod pins;
mod preprocess;
mod problem;
mod read;
mod slots;
mod text;
mod types;
mod unknown;
mod walk;
mod write;

pub use framing::{Flow, Form, Member, MemberValue, PinUse, SourceFraming, Structure};
pub use problem::{Problem, ProblemKind};
pub use read::{DriverSource, Input, Options, read};
pub use text::{LARGEST_SOURCE, Language, Place, SourceFile};
pub use unknown::{Cause, Unknown};
pub use write::write_c;
