//! The COM interfaces, slot for slot as `ksproxy.h` and `strmif.h` declare them.
//!
//! `this` is the first argument, the calling convention is the platform's (`extern "system"`), and a method's place in
//! its trait is its place in the vtable, after those of the interface it derives from. The methods keep the headers'
//! names. Each interface's documentation tables its slots; the behaviour of this library's own objects is said there
//! by statement number (see `docs/com.md` and `docs/pins.md`).

mod class_factory;
mod filter;
mod ks_allocator;
mod ks_pin;
mod ks_pin_pipe;
mod media_sample;
mod mem_allocator;
mod mem_input_pin;
mod pin;

pub use class_factory::*;
pub use filter::*;
pub use ks_allocator::*;
pub use ks_pin::*;
pub use ks_pin_pipe::*;
pub use media_sample::*;
pub use mem_allocator::*;
pub use mem_input_pin::*;
pub use pin::*;
