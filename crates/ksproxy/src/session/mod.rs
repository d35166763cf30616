//! Taking part in a graph that another process serves, from C: the border of `kspipe-session`'s client. The functions are
//! those of `include/kspipe.h`; `docs/c-client.md` is their page.
//!
//! A program has handles of objects. Each object keeps what it needs of the others, so they are closed in any order. Every
//! function may be called from any thread; where two are in calls with one reader or writer, the later one is told so. What a
//! call does with objects is safe code; here pointers become objects, places and texts.

mod border;
mod client;
mod failure;
mod format;
mod frame;
mod handles;
mod stream;

pub use client::{
    KspCloseClient, KspCloseFilter, KspConnect, KspGetDescription, KspGetFormat, KspGetLastErrorText, KspGetStatus,
    KspIsStopping, KspJoin,
};
pub use failure::{
    E_ACCESSDENIED, KSP_E_BUSY, KSP_E_END_OF_STREAM, KSP_E_FOREIGN, KSP_E_HANDS_ON, KSP_E_HOLDS_MOST, KSP_E_IN_USE,
    KSP_E_NO_FORMAT, KSP_E_NO_FRAME, KSP_E_NO_SERVER, KSP_E_NO_SUCH_PIN, KSP_E_NOT_WHOLE, KSP_E_PROTOCOL,
    KSP_E_READ_ONLY, KSP_E_SENDER_STOPPED, KSP_E_SERVER_GONE, KSP_E_SHUT, KSP_E_STOPPING, KSP_E_TAKEN, NUMBERS,
};
pub use format::KspFormat;
pub use frame::{
    KspFrameHeader, KspGetFrameBytes, KspGetFrameData, KspGetFrameHeader, KspReleaseFrame, KspSetFrameHeader,
};
pub use stream::{
    KspAcquireFrame, KspArm, KspCloseFrames, KspCloseWriter, KspEndStream, KspGetDescriptor, KspNextFrame,
    KspOpenFrames, KspOpenWriter, KspSendFrame,
};

use core::time::Duration;
use failure::Failure;
use handles::Handles;
use std::sync::Arc;

/// Waits without an end: `KSP_INFINITE`.
pub const KSP_INFINITE: u32 = u32::MAX;

/// How long a call waits.
fn patience(milliseconds: u32) -> Option<Duration> {
    (milliseconds != KSP_INFINITE).then(|| Duration::from_millis(milliseconds.into()))
}

/// Types that handles point to in C, and the objects they are handles of.
macro_rules! handles {
    ($($(#[$doc:meta])* $handle:ident = $kind:literal, $table:ident: $object:ty;)*) => {$(
        $(#[$doc])*
        /// A handle in the guise of a pointer, which is never followed.
        #[repr(C)]
        #[derive(Debug)]
        pub struct $handle {
            opaque: [u8; 0],
        }

        static $table: Handles<$object> = Handles::new($kind);

        impl Handle for $handle {
            type Object = $object;

            fn table() -> &'static Handles<$object> {
                &$table
            }
        }
    )*};
}

handles! {
    /// A connection to a server: `KSP_CLIENT`.
    KspClient = 1, CLIENTS: kspipe_session::Client;
    /// A filter that this process has: `KSP_FILTER`.
    KspFilter = 2, FILTERS: kspipe_session::JoinedFilter;
    /// The frames that come in by a pin: `KSP_FRAMES`.
    KspFrames = 3, FRAMES: stream::Reader;
    /// What sends frames by a pin: `KSP_WRITER`.
    KspWriter = 4, WRITERS: stream::Sends;
    /// A frame that this process has: `KSP_FRAME`.
    KspFrame = 5, HELD: frame::Held;
}

/// A type of handles.
trait Handle: Sized {
    type Object: 'static;

    fn table() -> &'static Handles<Self::Object>;

    fn open(object: Self::Object) -> Result<*mut Self, Failure> {
        Self::table().open(object).map(core::ptr::without_provenance_mut).ok_or(Failure::MEMORY)
    }

    fn object(handle: *mut Self) -> Result<Arc<Self::Object>, Failure> {
        Self::table().get(handle.addr()).ok_or(Failure::HANDLE)
    }

    fn close(handle: *mut Self) -> Result<Arc<Self::Object>, Failure> {
        Self::table().close(handle.addr()).ok_or(Failure::HANDLE)
    }

    /// What the functions that close do: null is nothing.
    fn end(handle: *mut Self) -> Result<windows_core::HRESULT, Failure> {
        if !handle.is_null() {
            drop(Self::close(handle)?);
        }
        Ok(crate::hresult::S_OK)
    }
}
