//! Frames that come in by a pin, and frames that go out by one.
#![allow(non_snake_case, reason = "the names of the header")]

use super::failure::{Failure, answer};
use super::frame::{Held, HeldFrame};
use super::{Handle, KspFilter, KspFrame, KspFrames, KspWriter, border, patience};
use crate::hresult::*;
use crate::lock::Lock;
use core::ffi::{c_char, c_int};
use kspipe_session::{Frames, StreamError, Writer};
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::sync::{MutexGuard, TryLockError};
use windows_core::HRESULT;

/// The frames of a pin, for one thread at a time.
#[derive(Debug)]
pub(super) struct Reader {
    frames: Lock<Frames>,
    /// Open for as long as `frames` is.
    descriptor: RawFd,
}

/// What sends by a pin, for one thread at a time. Empty: the stream was ended.
#[derive(Debug)]
pub(super) struct Sends(Lock<Option<Writer>>);

/// What one thread uses at a time. Another is not let wait, for it may have said how long it will.
fn alone<T>(lock: &Lock<T>) -> Result<MutexGuard<'_, T>, Failure> {
    match lock.try_lock() {
        Ok(guard) => Ok(guard),
        Err(TryLockError::Poisoned(poisoned)) => Ok(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => Err(Failure::BUSY),
    }
}

/// Takes the frames that come in by a pin, named with or without its filter. From here on the process gets every frame that is
/// sent there.
///
/// Answers `S_OK`, `E_POINTER`, `E_INVALIDARG` for a name that is no UTF-8, `E_HANDLE`, `KSP_E_NO_SUCH_PIN`,
/// `VFW_E_INVALID_DIRECTION` for an out pin, `KSP_E_IN_USE`, `KSP_E_PROTOCOL`, `E_OUTOFMEMORY`, `E_UNEXPECTED`. On failure
/// `*frames` is null.
///
/// # Safety
///
/// `pin` is null or a text that ends in a zero, `frames` null or good for writing a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn KspOpenFrames(
    filter: *mut KspFilter,
    pin: *const c_char,
    frames: *mut *mut KspFrames,
) -> HRESULT {
    answer(|| {
        // SAFETY: as the caller promises.
        let (place, pin) = unsafe { (border::result(frames)?, border::name(pin)?) };
        let frames = Handle::object(filter)?.frames(pin)?;
        let descriptor = frames.as_fd().as_raw_fd();
        *place = Handle::open(Reader { frames: Lock::new(frames), descriptor })?;
        Ok(S_OK)
    })
}

/// The next frame, in the order they were sent. Waits for it at most so many milliseconds; with 0 not at all, with
/// `KSP_INFINITE` without an end. Makes no system call where a frame is there.
///
/// Answers `S_OK`, `E_POINTER`, `E_HANDLE`, `VFW_E_TIMEOUT`, `KSP_E_END_OF_STREAM`, `KSP_E_SERVER_GONE`, `KSP_E_SHUT`,
/// `KSP_E_NO_FRAME`, `KSP_E_BUSY`, `E_OUTOFMEMORY`, `E_UNEXPECTED`. On failure `*frame` is null.
///
/// # Safety
///
/// `frame` is null or good for writing a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn KspNextFrame(
    frames: *mut KspFrames,
    milliseconds: u32,
    frame: *mut *mut KspFrame,
) -> HRESULT {
    answer(|| {
        // SAFETY: as the caller promises.
        let frame = unsafe { border::result(frame)? };
        let reader = Handle::object(frames)?;
        let mut frames = alone(&reader.frames)?;
        let next = match patience(milliseconds) {
            Some(timeout) if timeout.is_zero() => frames.try_next()?.ok_or(StreamError::TimedOut)?,
            Some(timeout) => frames.next_within(timeout)?,
            None => frames.next().unwrap_or(Err(StreamError::Ended))?,
        };
        drop(frames);
        *frame = Handle::open(Held::new(HeldFrame::Received(next)))?;
        Ok(S_OK)
    })
}

/// A descriptor for `poll`, `epoll` and the like: readable when something came after [`KspArm`]. It is lent until the reader is
/// closed, and is neither read nor closed.
///
/// Answers `S_OK`, `E_POINTER`, `E_HANDLE`, `E_UNEXPECTED`. On failure `*descriptor` is -1.
///
/// # Safety
///
/// `descriptor` is null or good for writing.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn KspGetDescriptor(frames: *mut KspFrames, descriptor: *mut c_int) -> HRESULT {
    answer(|| {
        if descriptor.is_null() {
            return Err(Failure::NULL);
        }
        let found = Handle::object(frames).map(|reader| reader.descriptor);
        // SAFETY: not null, so good for writing, as the caller promises.
        unsafe { descriptor.write(*found.as_ref().unwrap_or(&-1)) };
        found.map(|_| S_OK)
    })
}

/// Asks for the descriptor to become readable when something comes, once.
///
/// Answers `S_OK`: wait for the descriptor, `S_FALSE`: do not wait, [`KspNextFrame`] has something to say, `E_HANDLE`,
/// `KSP_E_BUSY`, `E_UNEXPECTED`.
///
/// # Safety
///
/// None: a handle is looked up.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn KspArm(frames: *mut KspFrames) -> HRESULT {
    answer(|| {
        let reader = Handle::object(frames)?;
        let waits = alone(&reader.frames)?.arm();
        Ok(if waits { S_OK } else { S_FALSE })
    })
}

/// Closes a reader: the pin takes nothing more, and what had come and was not taken goes back. A thread that waits in
/// [`KspNextFrame`] goes on waiting, and that takes place after it. Frames stay good. Null is nothing.
///
/// Answers `S_OK`, `E_HANDLE`, `E_UNEXPECTED`.
///
/// # Safety
///
/// Nobody uses its descriptor any more.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn KspCloseFrames(frames: *mut KspFrames) -> HRESULT {
    answer(|| Handle::end(frames))
}

/// What sends frames by a pin, named with or without its filter: new ones, or those that came in by the pin whose frames go
/// out there.
///
/// Answers `S_OK`, `E_POINTER`, `E_INVALIDARG` for a name that is no UTF-8, `E_HANDLE`, `KSP_E_NO_SUCH_PIN`,
/// `VFW_E_INVALID_DIRECTION` for an in pin, `KSP_E_IN_USE`, `KSP_E_PROTOCOL`, `E_OUTOFMEMORY`, `E_UNEXPECTED`. On failure
/// `*writer` is null.
///
/// # Safety
///
/// `pin` is null or a text that ends in a zero, `writer` null or good for writing a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn KspOpenWriter(
    filter: *mut KspFilter,
    pin: *const c_char,
    writer: *mut *mut KspWriter,
) -> HRESULT {
    answer(|| {
        // SAFETY: as the caller promises.
        let (writer, pin) = unsafe { (border::result(writer)?, border::name(pin)?) };
        *writer = Handle::open(Sends(Lock::new(Some(Handle::object(filter)?.writer(pin)?))))?;
        Ok(S_OK)
    })
}

/// A free frame to fill. Waits until the graph has begun, and for a frame, at most so many milliseconds; with 0 not at all,
/// with `KSP_INFINITE` without an end. Its header has the next number, and as many bytes of data as the graph's format has; its
/// bytes are what the last who had it left there.
///
/// Answers `S_OK`, `E_POINTER`, `E_HANDLE`, `VFW_E_TIMEOUT`, `KSP_E_STOPPING`, `KSP_E_SERVER_GONE`, `KSP_E_SHUT`,
/// `KSP_E_HANDS_ON`, `KSP_E_BUSY`, `E_OUTOFMEMORY`, `E_UNEXPECTED`. On failure `*frame` is null.
///
/// # Safety
///
/// `frame` is null or good for writing a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn KspAcquireFrame(
    writer: *mut KspWriter,
    milliseconds: u32,
    frame: *mut *mut KspFrame,
) -> HRESULT {
    answer(|| {
        // SAFETY: as the caller promises.
        let frame = unsafe { border::result(frame)? };
        let sends = Handle::object(writer)?;
        let acquired = alone(&sends.0)?.as_mut().ok_or(Failure::HANDLE)?.acquire(patience(milliseconds))?;
        *frame = Handle::open(Held::new(HeldFrame::Acquired(acquired)))?;
        Ok(S_OK)
    })
}

/// Sends a frame: one that was acquired from this writer, or one that came in by the pin whose frames go out here. Where nobody
/// is there to take it, it goes back. Whatever the answer, the frame is not the caller's any more; where it is not sent, it
/// goes back. Never waits.
///
/// Answers `S_OK`, `E_HANDLE` for either, `KSP_E_FOREIGN`, `KSP_E_BUSY`, `E_UNEXPECTED`.
///
/// # Safety
///
/// Nobody uses the frame's bytes any more.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn KspSendFrame(writer: *mut KspWriter, frame: *mut KspFrame) -> HRESULT {
    answer(|| {
        let frame = Handle::close(frame)?.take()?;
        let sends = Handle::object(writer)?;
        let mut writer = alone(&sends.0)?;
        let writer = writer.as_mut().ok_or(Failure::HANDLE)?;
        match frame {
            HeldFrame::Acquired(frame) => writer.send(frame)?,
            HeldFrame::Received(frame) => writer.hand_on(frame)?,
        }
        Ok(S_OK)
    })
}

/// Ends the stream, and closes the writer: who takes its frames hears the end after the last.
///
/// Answers `S_OK`, `E_HANDLE`, `KSP_E_BUSY`, and then nothing is ended, `E_UNEXPECTED`.
///
/// # Safety
///
/// None: a handle is looked up.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn KspEndStream(writer: *mut KspWriter) -> HRESULT {
    answer(|| {
        let sends = Handle::object(writer)?;
        alone(&sends.0)?.take().ok_or(Failure::HANDLE)?.end();
        // Somebody may have closed it meanwhile; the stream has ended all the same.
        drop(Handle::close(writer));
        Ok(S_OK)
    })
}

/// Closes a writer. The stream has not ended: another may go on with it. Null is nothing.
///
/// Answers `S_OK`, `E_HANDLE`, `E_UNEXPECTED`.
///
/// # Safety
///
/// None: a handle is looked up.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn KspCloseWriter(writer: *mut KspWriter) -> HRESULT {
    answer(|| Handle::end(writer))
}
