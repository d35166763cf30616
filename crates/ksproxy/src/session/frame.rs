//! A frame that this process has: one that came in by a pin, or one to fill.
#![allow(non_snake_case, reason = "the names of the header")]

use super::failure::{Failure, KSP_E_READ_ONLY, answer};
use super::{Handle, KspFrame, border};
use crate::hresult::*;
use crate::lock::{Lock, lock};
use core::ffi::c_void;
use core::ptr::null_mut;
use kspipe::allocator::{FrameFlags, FrameHeader};
use kspipe_session::{Frame, WritableFrame};
use windows_core::HRESULT;

/// A frame.
#[derive(Debug)]
pub(super) enum HeldFrame {
    /// It came in.
    Received(Frame),
    /// It is to be filled.
    Acquired(WritableFrame),
}

/// A frame until it is released or sent. Empty: a call that is under way in another thread finds it gone.
#[derive(Debug)]
pub(super) struct Held(Lock<Option<HeldFrame>>);

impl Held {
    pub(super) fn new(frame: HeldFrame) -> Self {
        Self(Lock::new(Some(frame)))
    }

    /// The frame, to be sent.
    pub(super) fn take(&self) -> Result<HeldFrame, Failure> {
        lock(&self.0).take().ok_or(Failure::HANDLE)
    }

    fn with<T>(&self, use_it: impl FnOnce(&mut HeldFrame) -> T) -> Result<T, Failure> {
        lock(&self.0).as_mut().map(use_it).ok_or(Failure::HANDLE)
    }
}

impl HeldFrame {
    fn header(&self) -> FrameHeader {
        match self {
            Self::Received(frame) => frame.header(),
            Self::Acquired(frame) => frame.header(),
        }
    }

    fn set_header(&mut self, header: FrameHeader) {
        match self {
            Self::Received(frame) => frame.set_header(header),
            Self::Acquired(frame) => frame.set_header(header),
        }
    }

    /// The bytes that carry data.
    fn data(&mut self) -> &[u8] {
        match self {
            Self::Received(frame) => frame.data(),
            Self::Acquired(frame) => {
                let used = usize::try_from(frame.header().data_used).unwrap_or(usize::MAX);
                let bytes = frame.bytes_mut();
                &bytes[..used.min(bytes.len())]
            }
        }
    }

    /// All bytes, to write.
    fn bytes(&mut self) -> Option<&mut [u8]> {
        match self {
            Self::Received(frame) => frame.exclusive(),
            Self::Acquired(frame) => Some(frame.bytes_mut()),
        }
    }
}

/// What travels with a frame: `KSP_FRAME_HEADER`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KspFrameHeader {
    /// `Size`: the bytes of this structure.
    pub size: u32,
    /// `OptionsFlags`: `KSSTREAM_HEADER_OPTIONSF_*`.
    pub options_flags: u32,
    /// `PresentationTime`: in units of 100 ns since the stream's start, with `TIMEVALID`.
    pub presentation_time: i64,
    /// `Duration`: in units of 100 ns, with `DURATIONVALID`.
    pub duration: i64,
    /// `Sequence`: the frame's number in its stream, from 0.
    pub sequence: u64,
    /// `DataUsed`: how many bytes carry data.
    pub data_used: u64,
}

impl From<FrameHeader> for KspFrameHeader {
    fn from(header: FrameHeader) -> Self {
        let FrameHeader { presentation_time, duration, sequence, data_used, flags } = header;
        let size = size_of::<Self>() as u32;
        Self { size, options_flags: flags.bits(), presentation_time, duration, sequence, data_used }
    }
}

impl From<KspFrameHeader> for FrameHeader {
    fn from(header: KspFrameHeader) -> Self {
        let KspFrameHeader { size: _, options_flags, presentation_time, duration, sequence, data_used } = header;
        let flags = FrameFlags::from_bits_retain(options_flags);
        Self { presentation_time, duration, sequence, data_used, flags }
    }
}

const WRONG_SIZE: Failure = Failure::new(E_INVALIDARG, "the structure's Size is another");

/// What travels with a frame.
///
/// Answers `S_OK`, `E_POINTER`, `E_INVALIDARG` for another size, `E_HANDLE`, `E_UNEXPECTED`. On failure `*header` is as it was.
///
/// # Safety
///
/// `header` is null, or good for reading its size, and where that is that of a [`KspFrameHeader`], for writing one.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn KspGetFrameHeader(frame: *mut KspFrame, header: *mut KspFrameHeader) -> HRESULT {
    answer(|| {
        if header.is_null() {
            return Err(Failure::NULL);
        }
        // SAFETY: not null, so good for reading its size.
        if !unsafe { border::has_size(header) } {
            return Err(WRONG_SIZE);
        }
        let found = Handle::object(frame)?.with(|frame| frame.header())?;
        // SAFETY: as long as a header, so good for writing one.
        unsafe { header.write(found.into()) };
        Ok(S_OK)
    })
}

/// Sets what travels with a frame that is sent. More bytes of data than the frame has count as all it has.
///
/// Answers `S_OK`, `E_POINTER`, `E_INVALIDARG` for another size, `E_HANDLE`, `E_UNEXPECTED`.
///
/// # Safety
///
/// `header` is null, or good for reading its size, and where that is that of a [`KspFrameHeader`], for reading one.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn KspSetFrameHeader(frame: *mut KspFrame, header: *const KspFrameHeader) -> HRESULT {
    answer(|| {
        if header.is_null() {
            return Err(Failure::NULL);
        }
        // SAFETY: not null, so good for reading its size.
        if !unsafe { border::has_size(header) } {
            return Err(WRONG_SIZE);
        }
        // SAFETY: as long as a header, so good for reading one.
        let header = unsafe { header.read() };
        Handle::object(frame)?.with(|frame| frame.set_header(header.into()))?;
        Ok(S_OK)
    })
}

/// The bytes of a frame that carry data, to read. They stay where they are until the frame is released or sent, also after
/// the server's end.
///
/// Answers `S_OK`, `E_POINTER`, `E_HANDLE`, `E_UNEXPECTED`. On failure `*data` is null and `*size` 0.
///
/// # Safety
///
/// `data` and `size` are null or good for writing.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn KspGetFrameData(
    frame: *mut KspFrame,
    data: *mut *const c_void,
    size: *mut usize,
) -> HRESULT {
    answer(|| {
        // SAFETY: as the caller promises.
        unsafe {
            give(data.cast(), size, || {
                let frame = Handle::object(frame)?;
                frame.with(|frame| (frame.data().as_ptr().cast_mut(), frame.data().len()))
            })
        }
    })
}

/// All bytes of a frame, to write. Nobody else reads or writes them until the frame is released or sent.
///
/// Answers `S_OK`, `E_POINTER`, `E_HANDLE`, `KSP_E_READ_ONLY` where others have the frame too, or the filter only reads,
/// `E_UNEXPECTED`. On failure `*bytes` is null and `*size` 0.
///
/// # Safety
///
/// `bytes` and `size` are null or good for writing.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn KspGetFrameBytes(
    frame: *mut KspFrame,
    bytes: *mut *mut c_void,
    size: *mut usize,
) -> HRESULT {
    answer(|| {
        // SAFETY: as the caller promises.
        unsafe {
            give(bytes, size, || {
                let bytes = Handle::object(frame)?
                    .with(|frame| frame.bytes().map(|bytes| (bytes.as_mut_ptr(), bytes.len())))?;
                bytes.ok_or(Failure::new(KSP_E_READ_ONLY, "the frame may only be read"))
            })
        }
    })
}

/// Gives bytes to the caller: where they are, and how many.
///
/// # Safety
///
/// `place` and `size` are null or good for writing.
unsafe fn give(
    place: *mut *mut c_void,
    size: *mut usize,
    find: impl FnOnce() -> Result<(*mut u8, usize), Failure>,
) -> Result<HRESULT, Failure> {
    let found = if place.is_null() || size.is_null() { Err(Failure::NULL) } else { find() };
    let (start, length) = found.as_ref().map_or((null_mut(), 0), |found| *found);
    if !place.is_null() {
        // SAFETY: not null, so good for writing, as the caller promises.
        unsafe { place.write(start.cast()) };
    }
    if !size.is_null() {
        // SAFETY: likewise.
        unsafe { size.write(length) };
    }
    found.map(|_| S_OK)
}

/// Gives a frame back; one to fill goes back unsent. Null is nothing.
///
/// Answers `S_OK`, `E_HANDLE`, `E_UNEXPECTED`.
///
/// # Safety
///
/// Nobody uses the frame's bytes any more.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn KspReleaseFrame(frame: *mut KspFrame) -> HRESULT {
    answer(|| Handle::end(frame))
}
