//! How calls fail: a number that stays the same from version to version, and a sentence for a person.
#![forbid(unsafe_code)]

use crate::guard;
use crate::hresult::*;
use core::ffi::c_char;
use ksobject::Win32Error;
use kspipe_session::{ClientError, StreamError, WriteError};
use std::borrow::Cow;
use std::cell::RefCell;
use std::ffi::CString;
use windows_core::HRESULT;

macro_rules! numbers {
    ($($(#[$doc:meta])* $name:ident = $value:literal;)*) => {
        $($(#[$doc])* pub const $name: HRESULT = HRESULT(u32::cast_signed($value));)*

        /// The header's name of each number that only the functions of sessions answer.
        pub const NUMBERS: &[(&str, HRESULT)] = &[$((stringify!($name), $name)),*];
    };
}

numbers! {
    /// The server does not let this user in, or not take part.
    E_ACCESSDENIED = 0x8007_0005;
    /// Nobody serves a graph at the path.
    KSP_E_NO_SERVER = 0x8004_4B01;
    /// The server has ended, or has closed the graph.
    KSP_E_SERVER_GONE = 0x8004_4B02;
    /// What is there serves no graph, or speaks another version.
    KSP_E_PROTOCOL = 0x8004_4B03;
    /// No filter or pin outside has the name.
    KSP_E_NO_SUCH_PIN = 0x8004_4B04;
    /// Another process has the filter, or this one.
    KSP_E_TAKEN = 0x8004_4B05;
    /// The pin is in use in this process.
    KSP_E_IN_USE = 0x8004_4B06;
    /// A process that sends to the filter is stopped in the middle of a frame; to be tried again.
    KSP_E_SENDER_STOPPED = 0x8004_4B07;
    /// The stream has ended, and all of it was taken.
    KSP_E_END_OF_STREAM = 0x8004_4B08;
    /// The server has taken the pin away.
    KSP_E_SHUT = 0x8004_4B09;
    /// What was sent is no frame. The next may be one.
    KSP_E_NO_FRAME = 0x8004_4B0A;
    /// The server asks sources to end.
    KSP_E_STOPPING = 0x8004_4B0B;
    /// What goes out by the pin came in by another: there are no new frames.
    KSP_E_HANDS_ON = 0x8004_4B0C;
    /// The frame cannot go out by the pin.
    KSP_E_FOREIGN = 0x8004_4B0D;
    /// The frame may only be read.
    KSP_E_READ_ONLY = 0x8004_4B0E;
    /// Another thread is in a call with the object.
    KSP_E_BUSY = 0x8004_4B0F;
    /// The graph does not say what the pin's frames hold.
    KSP_E_NO_FORMAT = 0x8004_4B10;
    /// This process is not trusted, and has as many frames as it may: the next comes after a release.
    KSP_E_HOLDS_MOST = 0x8004_4B11;
    /// This process is not trusted, and what it sends is no whole picture.
    KSP_E_NOT_WHOLE = 0x8004_4B12;
}

/// Why a call failed.
#[derive(Debug)]
pub(super) struct Failure {
    number: HRESULT,
    text: Cow<'static, str>,
}

impl Failure {
    pub(super) const NULL: Self = Self::new(E_POINTER, "a pointer is null");
    pub(super) const HANDLE: Self = Self::new(E_HANDLE, "this is no such handle, or it was closed");
    pub(super) const BUSY: Self = Self::new(KSP_E_BUSY, "another thread is in a call with it");
    pub(super) const MEMORY: Self = Self::new(E_OUTOFMEMORY, "no memory is left");

    pub(super) const fn new(number: HRESULT, text: &'static str) -> Self {
        Self { number, text: Cow::Borrowed(text) }
    }

    pub(super) fn told(number: HRESULT, text: String) -> Self {
        Self { number, text: Cow::Owned(text) }
    }
}

fn of_server(error: Win32Error) -> HRESULT {
    match error {
        Win32Error::FILE_NOT_FOUND => KSP_E_NO_SERVER,
        Win32Error::ACCESS_DENIED => E_ACCESSDENIED,
        Win32Error::DEVICE_REMOVED | Win32Error::OPERATION_ABORTED => KSP_E_SERVER_GONE,
        Win32Error::REVISION_MISMATCH | Win32Error::SET_NOT_FOUND | Win32Error::INVALID_FUNCTION => KSP_E_PROTOCOL,
        Win32Error::BAD_DEV_TYPE | Win32Error::INVALID_DATA => KSP_E_PROTOCOL,
        Win32Error::NO_SYSTEM_RESOURCES | Win32Error::TOO_MANY_OPEN_FILES => E_OUTOFMEMORY,
        error => error.to_hresult(),
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let number = match &error {
            ClientError::Connect { error, .. } | ClientError::Refused(error) => of_server(*error),
            ClientError::Protocol(_) => KSP_E_PROTOCOL,
            ClientError::NoSuchPin { .. } => KSP_E_NO_SUCH_PIN,
            ClientError::Taken(_) | ClientError::TakenHere(_) => KSP_E_TAKEN,
            ClientError::SenderStopped(_) => KSP_E_SENDER_STOPPED,
            ClientError::Direction { .. } => VFW_E_INVALID_DIRECTION,
            ClientError::Pool { .. } => E_FAIL,
            ClientError::Role { .. } => KSP_E_IN_USE,
            ClientError::System(_) => E_OUTOFMEMORY,
        };
        Self::told(number, error.to_string())
    }
}

impl From<StreamError> for Failure {
    fn from(error: StreamError) -> Self {
        match error {
            StreamError::Ended => Self::new(KSP_E_END_OF_STREAM, "the stream has ended"),
            StreamError::TimedOut => Self::new(VFW_E_TIMEOUT, "no frame came in time"),
            StreamError::ServerGone => Self::new(KSP_E_SERVER_GONE, "the server has ended"),
            StreamError::Shut => Self::new(KSP_E_SHUT, "the server has taken the pin away"),
            StreamError::Nonsense => Self::new(KSP_E_NO_FRAME, "what was sent is no frame"),
            StreamError::HoldsMost => {
                Self::new(KSP_E_HOLDS_MOST, "this process has as many frames of the pin as the server allows")
            }
        }
    }
}

impl From<WriteError> for Failure {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Stopping => Self::new(KSP_E_STOPPING, "the server asks to end"),
            WriteError::TimedOut => Self::new(VFW_E_TIMEOUT, "no frame was free in time"),
            WriteError::ServerGone => Self::new(KSP_E_SERVER_GONE, "the server has ended"),
            WriteError::Shut => Self::new(KSP_E_SHUT, "the server has taken the pin away"),
            WriteError::HandsOn => {
                Self::new(KSP_E_HANDS_ON, "frames that go out by this pin came in by another; there are no new ones")
            }
            WriteError::Foreign => Self::new(KSP_E_FOREIGN, "the frame cannot go out by this pin"),
            WriteError::NotWhole => Self::new(KSP_E_NOT_WHOLE, "the frame is no whole picture"),
            WriteError::HoldsMost => {
                Self::new(KSP_E_HOLDS_MOST, "one frame is being filled, and the server allows no more")
            }
        }
    }
}

thread_local! {
    /// What the last call of this thread that failed failed with.
    static LAST: RefCell<CString> = RefCell::default();
}

/// Runs an exported function. Where it fails, why is remembered for the thread; a panic is `E_UNEXPECTED`.
pub(super) fn answer(body: impl FnOnce() -> Result<HRESULT, Failure>) -> HRESULT {
    const DEFECT: Failure = Failure::new(E_UNEXPECTED, "a defect of kspipe");
    let answer = guard::value(Err(DEFECT), body);
    answer.unwrap_or_else(|failure| {
        let number = failure.number;
        // That this fails is no reason to tell another number.
        guard::value((), || remember(failure.text));
        number
    })
}

fn remember(text: Cow<'static, str>) {
    // A zero would end it, and no text has one.
    let text = CString::new(text.into_owned()).unwrap_or_default();
    // While the thread ends there is nobody to tell.
    let _ = LAST.try_with(|last| last.replace(text));
}

/// Where the thread's last failure stands, until its next one.
pub(super) fn last() -> *const c_char {
    const NOTHING: *const c_char = c"".as_ptr();
    LAST.try_with(|last| last.borrow().as_ptr()).unwrap_or(NOTHING)
}
