//! `KspNegotiatePins`: [`negotiate_pins`](super::negotiate_pins) for C and C++.
#![allow(non_snake_case, reason = "the names of the header")]

use super::{NegotiatePinsError, negotiate_pins};
use crate::guard;
use crate::hresult::*;
use core::ffi::{c_char, c_void};
use ks::AllocatorStrategy;
use kspipe::graph::Strategy;
use std::ffi::CString;
use windows_core::{HRESULT, IUnknown};

/// What [`KspNegotiatePins`] tells its caller in words: one sentence a call, in UTF-8, good until it returns.
pub type KspExplain = unsafe extern "system" fn(context: *mut c_void, text: *const c_char);

/// Negotiates the pins that hang together with the given ones and tells them the result: see
/// [`negotiate_pins_with`](super::negotiate_pins_with) for what is read and written, and in which order.
///
/// `pins` are `count` pins, by `IUnknown` or any interface of theirs; no reference is taken. `strategy` is one of
/// `AllocatorStrategy_*`; `AllocatorStrategy_DontCare` is `AllocatorStrategy_MaximizeSpeed`. `explain` may be null; it is
/// called on this thread once all is done, with what went wrong (which pins, and why) and what would help, or with the
/// warnings of what was negotiated.
///
/// Answers `S_OK`; `E_POINTER` for a null pointer where a pin should be; `E_INVALIDARG` for another strategy, and for pins
/// that contradict themselves; `VFW_E_NO_ALLOCATOR` where the pins cannot agree, or no kernel allocator could be created;
/// `VFW_E_NOT_CONNECTED` where none of them is connected, or one to a pin that is not connected to it;
/// `VFW_E_INVALID_DIRECTION`; `VFW_E_CIRCULAR_GRAPH`; `E_NOINTERFACE` for an object that is no pin; `E_OUTOFMEMORY` where a
/// number does not fit; `E_FAIL` where the limit of work was reached; what a pin that refused, or could not be read,
/// answered; `E_UNEXPECTED`. After a failure every pin is as it was.
///
/// # Safety
///
/// `pins` is null or good for reading `count` pointers, each null or a COM object's, and these are as
/// [`negotiate_pins_with`](super::negotiate_pins_with) asks. `explain` may be called with `context` and does not unwind.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn KspNegotiatePins(
    pins: *const *mut c_void,
    count: u32,
    strategy: u32,
    explain: Option<KspExplain>,
    context: *mut c_void,
) -> HRESULT {
    guard::hresult(|| {
        // SAFETY: as the caller promises.
        let result = unsafe { negotiate_raw(pins, count, strategy) };
        let (code, texts) = match result {
            Ok(warnings) => (S_OK, warnings),
            Err(Refusal::Argument(code)) => (code, Vec::new()),
            Err(Refusal::Negotiation(error)) => (error.hresult(), explanation(&error)),
        };
        for text in texts {
            // No name has a zero in it.
            if let (Some(explain), Ok(text)) = (explain, CString::new(text)) {
                // SAFETY: as the caller promises; no lock is held.
                unsafe { explain(context, text.as_ptr()) };
            }
        }
        code
    })
}

enum Refusal {
    Argument(HRESULT),
    Negotiation(NegotiatePinsError),
}

/// Negotiates, and gives the warnings.
///
/// # Safety
///
/// As [`KspNegotiatePins`].
unsafe fn negotiate_raw(pins: *const *mut c_void, count: u32, strategy: u32) -> Result<Vec<String>, Refusal> {
    if pins.is_null() && count > 0 {
        return Err(Refusal::Argument(E_POINTER));
    }
    let strategy = strategy_of(strategy).ok_or(Refusal::Argument(E_INVALIDARG))?;
    let mut given: Vec<IUnknown> = Vec::new();
    for number in 0..count as usize {
        // SAFETY: one of as many as the caller promises.
        let pin = unsafe { pins.add(number).read() };
        // SAFETY: a null pointer is told apart, and any other is an object's.
        let pin = unsafe { windows_core::Interface::from_raw_borrowed(&pin) };
        given.push(Option::<&IUnknown>::cloned(pin).ok_or(Refusal::Argument(E_POINTER))?);
    }
    // SAFETY: as the caller promises.
    let negotiated = unsafe { negotiate_pins(&given, strategy) }.map_err(Refusal::Negotiation)?;
    Ok(negotiated.warnings())
}

fn strategy_of(strategy: u32) -> Option<Strategy> {
    let strategies = [
        (ks::AllocatorStrategy_DontCare, Strategy::MaximizeSpeed),
        (AllocatorStrategy::MAXIMIZE_SPEED, Strategy::MaximizeSpeed),
        (AllocatorStrategy::MINIMIZE_NUMBER_OF_ALLOCATORS, Strategy::MinimizeAllocators),
        (AllocatorStrategy::MINIMIZE_FRAME_SIZE, Strategy::MinimizeFrameSize),
        (AllocatorStrategy::MINIMIZE_NUMBER_OF_FRAMES, Strategy::MinimizeFrames),
    ];
    strategies.iter().find(|(bits, _)| bits.bits() == strategy).map(|(_, strategy)| *strategy)
}

/// The error, and what would help, in sentences.
fn explanation(error: &NegotiatePinsError) -> Vec<String> {
    let mut texts = vec![error.to_string()];
    if let NegotiatePinsError::Conflict { help, .. } = error
        && !help.is_empty()
    {
        texts.push(format!("help: {help}"));
    }
    texts
}
