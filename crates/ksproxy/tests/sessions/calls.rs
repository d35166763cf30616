//! Calls of the functions for C, as the tests make them.
#![allow(dead_code, unreachable_pub, unused_macros, reason = "each test uses some of it")]

use super::{BYTES, Session};
use core::ffi::{CStr, c_void};
use core::ptr::{null, null_mut};
use ksproxy::hresult::S_OK;
use ksproxy::session::*;

/// Calls an exported function.
macro_rules! call {
    ($function:ident($($argument:expr),* $(,)?)) => {
        // SAFETY: in every call of these tests the pointers are null or good for what the function wants, and handles are not
        // followed.
        unsafe { $function($($argument),*) }
    };
}

/// Calls one that gives a pointer, and returns its answer and that. It begins with one that must be overwritten.
macro_rules! get {
    ($function:ident($($argument:expr),* $(,)?)) => {{
        let mut result = core::ptr::without_provenance_mut(0xDEAD);
        let answer = call!($function($($argument,)* &mut result));
        assert_eq!(answer == S_OK, !result.is_null(), "{answer}");
        (answer, result)
    }};
}

/// Calls one that gives a pointer, and succeeds.
macro_rules! got {
    ($($call:tt)*) => {{
        let (answer, result) = get!($($call)*);
        assert_eq!(answer, S_OK, "{}", last_error());
        result
    }};
}

pub fn last_error() -> String {
    // SAFETY: a text, as long as no other function fails.
    unsafe { CStr::from_ptr(KspGetLastErrorText()) }.to_str().expect("UTF-8").to_owned()
}

/// A client of a session, that has a filter.
pub fn join(session: &Session, filter: &CStr) -> (*mut KspClient, *mut KspFilter) {
    let client = got!(KspConnect(session.c_path().as_ptr()));
    (client, got!(KspJoin(client, filter.as_ptr())))
}

pub fn header(frame: *mut KspFrame) -> KspFrameHeader {
    let mut header = KspFrameHeader { size: size_of::<KspFrameHeader>() as u32, ..Default::default() };
    assert_eq!(call!(KspGetFrameHeader(frame, &mut header)), S_OK);
    header
}

/// A copy of a frame's data.
pub fn data(frame: *mut KspFrame) -> Vec<u8> {
    let (mut start, mut size) = (null(), 0);
    assert_eq!(call!(KspGetFrameData(frame, &mut start, &mut size)), S_OK);
    // SAFETY: the frame is not released yet.
    unsafe { core::slice::from_raw_parts(start.cast(), size) }.to_vec()
}

pub fn fill(frame: *mut KspFrame, byte: u8) {
    let (mut start, mut size) = (null_mut::<c_void>(), 0);
    assert_eq!(call!(KspGetFrameBytes(frame, &mut start, &mut size)), S_OK, "{}", last_error());
    assert!(size >= BYTES);
    // SAFETY: the frame is this test's, and so long.
    unsafe { start.cast::<u8>().write_bytes(byte, size) };
}

pub fn send(writer: *mut KspWriter, byte: u8) {
    let frame = got!(KspAcquireFrame(writer, KSP_INFINITE));
    fill(frame, byte);
    assert_eq!(call!(KspSendFrame(writer, frame)), S_OK);
}

pub fn close(client: *mut KspClient, filter: *mut KspFilter) {
    assert_eq!(call!(KspCloseFilter(filter)), S_OK);
    assert_eq!(call!(KspCloseClient(client)), S_OK);
}
