//! The functions with which a program in C takes part in a graph: what they do, and what they answer who misuses them.
#![cfg(target_os = "linux")]

mod sessions;

use core::ffi::{CStr, c_void};
use core::ptr::{null, null_mut};
use ksproxy::hresult::*;
use ksproxy::session::*;
use rustix::event::{PollFd, PollFlags, poll};
use sessions::*;
use std::os::fd::BorrowedFd;
use windows_core::HRESULT;

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

fn last_error() -> String {
    // SAFETY: a text, as long as no other function fails.
    unsafe { CStr::from_ptr(KspGetLastErrorText()) }.to_str().expect("UTF-8").to_owned()
}

/// A client of a session, that has a filter.
fn join(session: &Session, filter: &CStr) -> (*mut KspClient, *mut KspFilter) {
    let client = got!(KspConnect(session.c_path().as_ptr()));
    (client, got!(KspJoin(client, filter.as_ptr())))
}

fn header(frame: *mut KspFrame) -> KspFrameHeader {
    let mut header = KspFrameHeader { size: size_of::<KspFrameHeader>() as u32, ..Default::default() };
    assert_eq!(call!(KspGetFrameHeader(frame, &mut header)), S_OK);
    header
}

/// A copy of a frame's data.
fn data(frame: *mut KspFrame) -> Vec<u8> {
    let (mut start, mut size) = (null(), 0);
    assert_eq!(call!(KspGetFrameData(frame, &mut start, &mut size)), S_OK);
    // SAFETY: the frame is not released yet.
    unsafe { core::slice::from_raw_parts(start.cast(), size) }.to_vec()
}

fn fill(frame: *mut KspFrame, byte: u8) {
    let (mut start, mut size) = (null_mut::<c_void>(), 0);
    assert_eq!(call!(KspGetFrameBytes(frame, &mut start, &mut size)), S_OK, "{}", last_error());
    assert!(size >= BYTES);
    // SAFETY: the frame is this test's, and so long.
    unsafe { start.cast::<u8>().write_bytes(byte, size) };
}

fn send(writer: *mut KspWriter, byte: u8) {
    let frame = got!(KspAcquireFrame(writer, KSP_INFINITE));
    fill(frame, byte);
    assert_eq!(call!(KspSendFrame(writer, frame)), S_OK);
}

fn close(client: *mut KspClient, filter: *mut KspFilter) {
    assert_eq!(call!(KspCloseFilter(filter)), S_OK);
    assert_eq!(call!(KspCloseClient(client)), S_OK);
}

#[test]
fn frames_come_with_their_data_and_headers_and_then_the_end() {
    let session = Session::start(&pair(None), &["a", "c"]);
    let (client, source) = join(&session, c"a.out");
    let sink = got!(KspJoin(client, c"c".as_ptr()));
    let writer = got!(KspOpenWriter(source, c"a.out".as_ptr()));
    let frames = got!(KspOpenFrames(sink, c"in".as_ptr()));
    for number in 0..20u8 {
        let frame = got!(KspAcquireFrame(writer, KSP_INFINITE));
        let mut sent = header(frame);
        assert_eq!((sent.sequence, sent.data_used), (number.into(), BYTES as u64));
        sent.options_flags = 0x111;
        sent.presentation_time = i64::from(number) * 333_333;
        sent.duration = 333_333;
        sent.data_used -= u64::from(number);
        fill(frame, number);
        assert_eq!(call!(KspSetFrameHeader(frame, &sent)), S_OK);
        assert_eq!(data(frame).len(), BYTES - usize::from(number));
        assert_eq!(call!(KspSendFrame(writer, frame)), S_OK);

        let came = got!(KspNextFrame(frames, if number % 2 == 0 { KSP_INFINITE } else { 60_000 }));
        assert_eq!((header(came), data(came)), (sent, vec![number; BYTES - usize::from(number)]));
        assert_eq!(call!(KspReleaseFrame(came)), S_OK);
    }
    assert_eq!(call!(KspEndStream(writer)), S_OK);
    for milliseconds in [0, 60_000, KSP_INFINITE, 0] {
        assert_eq!(get!(KspNextFrame(frames, milliseconds)).0, KSP_E_END_OF_STREAM);
    }
    assert_eq!(call!(KspCloseFrames(frames)), S_OK);
    assert_eq!(call!(KspCloseFilter(sink)), S_OK);
    close(client, source);
    session.ends();
}

#[test]
fn a_loop_of_its_own_is_woken_by_the_descriptor() {
    let session = Session::start(&pair(None), &["a", "c"]);
    let (client, source) = join(&session, c"a");
    let sink = got!(KspJoin(client, c"c.in".as_ptr()));
    let writer = got!(KspOpenWriter(source, c"out".as_ptr()));
    let frames = got!(KspOpenFrames(sink, c"c.in".as_ptr()));
    let mut descriptor = -1;
    assert_eq!(call!(KspGetDescriptor(frames, &mut descriptor)), S_OK);
    // SAFETY: open until the reader is closed.
    let descriptor = unsafe { BorrowedFd::borrow_raw(descriptor) };
    let is_readable = |wait: bool| {
        let none = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
        let mut polled = [PollFd::new(&descriptor, PollFlags::IN)];
        poll(&mut polled, if wait { None } else { Some(&none) }).unwrap() > 0
    };
    for number in 0..10 {
        assert_eq!(get!(KspNextFrame(frames, 0)).0, VFW_E_TIMEOUT);
        assert_eq!(call!(KspArm(frames)), S_OK);
        assert!(!is_readable(false));
        send(writer, number);
        assert!(is_readable(true));
        let frame = got!(KspNextFrame(frames, 0));
        assert_eq!(data(frame)[0], number);
        assert_eq!(call!(KspReleaseFrame(frame)), S_OK);
    }
    // What is there need not be waited for.
    send(writer, 10);
    assert_eq!(call!(KspArm(frames)), S_FALSE);
    let frame = got!(KspNextFrame(frames, 0));
    assert_eq!(call!(KspReleaseFrame(frame)), S_OK);
    // The end wakes, too.
    assert_eq!(call!(KspArm(frames)), S_OK);
    assert_eq!(call!(KspEndStream(writer)), S_OK);
    assert!(is_readable(true));
    assert_eq!(call!(KspArm(frames)), S_FALSE);
    assert_eq!(get!(KspNextFrame(frames, 0)).0, KSP_E_END_OF_STREAM);
    assert_eq!(call!(KspCloseFrames(frames)), S_OK);
    assert_eq!(call!(KspCloseFilter(sink)), S_OK);
    close(client, source);
    session.ends();
}

#[test]
fn a_filter_in_the_middle_changes_frames_in_place_and_hands_them_on() {
    let session = Session::start(&chain(), &["a", "b", "c"]);
    let (client, source) = join(&session, c"a");
    let (middle, sink) = (got!(KspJoin(client, c"b".as_ptr())), got!(KspJoin(client, c"c".as_ptr())));
    let writer = got!(KspOpenWriter(source, c"out".as_ptr()));
    let (comes, goes) = (got!(KspOpenFrames(middle, c"in".as_ptr())), got!(KspOpenWriter(middle, c"out".as_ptr())));
    let frames = got!(KspOpenFrames(sink, c"in".as_ptr()));
    assert_eq!(get!(KspAcquireFrame(goes, KSP_INFINITE)).0, KSP_E_HANDS_ON);
    send(writer, 1);
    let frame = got!(KspNextFrame(comes, KSP_INFINITE));
    fill(frame, 2);
    assert_eq!(call!(KspSendFrame(goes, frame)), S_OK);
    let frame = got!(KspNextFrame(frames, KSP_INFINITE));
    assert_eq!(data(frame), vec![2; BYTES]);
    // Neither writer can send what the sink has; it goes back.
    assert_eq!(call!(KspSendFrame(goes, frame)), KSP_E_FOREIGN);
    assert_eq!(call!(KspReleaseFrame(frame)), E_HANDLE);
    // Nor can the middle send what was acquired for the source's pin.
    let frame = got!(KspAcquireFrame(writer, KSP_INFINITE));
    assert_eq!(call!(KspSendFrame(goes, frame)), KSP_E_FOREIGN);
    assert_eq!(call!(KspEndStream(goes)), S_OK);
    assert_eq!(call!(KspEndStream(writer)), S_OK);
    assert_eq!(get!(KspNextFrame(frames, KSP_INFINITE)).0, KSP_E_END_OF_STREAM);
    for reader in [comes, frames] {
        assert_eq!(call!(KspCloseFrames(reader)), S_OK);
    }
    for filter in [middle, sink] {
        assert_eq!(call!(KspCloseFilter(filter)), S_OK);
    }
    close(client, source);
    session.ends();
}

#[test]
fn waits_end_in_time() {
    let session = Session::start(&pair(None), &["a", "c"]);
    let (client, source) = join(&session, c"a");
    let writer = got!(KspOpenWriter(source, c"out".as_ptr()));
    // The graph has not begun.
    assert_eq!(get!(KspAcquireFrame(writer, 0)).0, VFW_E_TIMEOUT);
    assert_eq!(get!(KspAcquireFrame(writer, 1)).0, VFW_E_TIMEOUT);
    let sink = got!(KspJoin(client, c"c".as_ptr()));
    let frames = got!(KspOpenFrames(sink, c"in".as_ptr()));
    for milliseconds in [0, 1, 20] {
        assert_eq!(get!(KspNextFrame(frames, milliseconds)).0, VFW_E_TIMEOUT);
        assert_eq!(last_error(), "no frame came in time");
    }
    // All frames are taken.
    let mut held = vec![got!(KspAcquireFrame(writer, KSP_INFINITE))];
    let full = loop {
        match get!(KspAcquireFrame(writer, 0)) {
            (S_OK, frame) => held.push(frame),
            (error, _) => break error,
        }
    };
    assert_eq!((full, get!(KspAcquireFrame(writer, 1)).0), (VFW_E_TIMEOUT, VFW_E_TIMEOUT));
    assert_eq!(last_error(), "no frame was free in time");
    for frame in held {
        assert_eq!(call!(KspReleaseFrame(frame)), S_OK);
    }
    assert_eq!(call!(KspCloseWriter(writer)), S_OK);
    assert_eq!(call!(KspCloseFrames(frames)), S_OK);
    assert_eq!(call!(KspCloseFilter(sink)), S_OK);
    close(client, source);
    session.ends();
}

#[test]
fn what_a_server_serves_and_how_it_stands_is_told() {
    let session = Session::start(&pair(None), &["a", "c"]);
    let (client, source) = join(&session, c"a");
    let text = |get: unsafe extern "system" fn(*mut KspClient, *mut *mut core::ffi::c_char) -> HRESULT| {
        let text = got!(get(client));
        // SAFETY: a text of the caller's.
        let read = unsafe { CStr::from_ptr(text) }.to_str().expect("UTF-8").to_owned();
        // SAFETY: from malloc, and used no more.
        unsafe { libc::free(text.cast()) };
        serde_json::from_str::<serde_json::Value>(&read).expect("JSON")
    };
    let description = text(KspGetDescription);
    assert_eq!(description["outside"], serde_json::json!(["a", "c"]));
    assert_eq!(description["pins"][0]["name"], "a.out");
    let status = text(KspGetStatus);
    assert_eq!((&status["version"], &status["filters"][0]["state"]), (&1.into(), &"joined".into()), "{status:#}");

    let size = size_of::<KspFormat>() as u32;
    let mut format = KspFormat { size, ..Default::default() };
    assert_eq!(call!(KspGetFormat(client, c"c.in".as_ptr(), &mut format)), S_OK, "{}", last_error());
    let pixels: Vec<u8> = format.pixels.iter().map(|letter| *letter as u8).collect();
    assert_eq!(&pixels[..5], b"i420\0");
    assert_eq!((format.size, format.width, format.height, format.frame_bytes), (size, WIDTH, HEIGHT, BYTES as u64));
    assert_eq!((format.rate_numerator, format.rate_denominator), (30, 1));
    let before = format;
    assert_eq!(call!(KspGetFormat(client, c"c.out".as_ptr(), &mut format)), KSP_E_NO_FORMAT);
    for wrong in [0, 1, size - 1, size + 1, u32::MAX] {
        format.size = wrong;
        assert_eq!(call!(KspGetFormat(client, c"c.in".as_ptr(), &mut format)), E_INVALIDARG);
    }
    assert_eq!(KspFormat { size, ..format }, before);
    close(client, source);
    session.control.stop();
    session.ends();
}

#[test]
fn what_cannot_be_had_is_said() {
    let session = Session::start(&chain(), &["a", "c"]);
    let nowhere = session.folder_path().join("nowhere");
    let nowhere = std::ffi::CString::new(nowhere.to_str().unwrap()).unwrap();
    assert_eq!(get!(KspConnect(nowhere.as_ptr())).0, KSP_E_NO_SERVER);
    assert!(last_error().ends_with("nowhere: nobody serves a graph there"), "{}", last_error());

    let (client, source) = join(&session, c"a");
    for wrong in [c"", c"x", c"a.in", c"b", c"b.in", c"a.out.x"] {
        assert_eq!(get!(KspJoin(client, wrong.as_ptr())).0, KSP_E_NO_SUCH_PIN, "{wrong:?}");
    }
    assert_eq!(last_error(), "no pin `a.out.x` can be joined; there are: a.out, c.in");
    assert_eq!(get!(KspJoin(client, c"\xFF".as_ptr())).0, E_INVALIDARG);
    assert_eq!(get!(KspJoin(client, c"a".as_ptr())).0, KSP_E_TAKEN);
    assert_eq!(last_error(), "another process has the filter `a`");

    assert_eq!(get!(KspOpenFrames(source, c"out".as_ptr())).0, VFW_E_INVALID_DIRECTION);
    assert_eq!(get!(KspOpenFrames(source, c"in".as_ptr())).0, KSP_E_NO_SUCH_PIN);
    assert_eq!(get!(KspOpenWriter(source, c"c.in".as_ptr())).0, KSP_E_NO_SUCH_PIN);
    let writer = got!(KspOpenWriter(source, c"out".as_ptr()));
    assert_eq!(get!(KspOpenWriter(source, c"out".as_ptr())).0, KSP_E_IN_USE);
    assert_eq!(call!(KspCloseWriter(writer)), S_OK);
    let again = got!(KspOpenWriter(source, c"out".as_ptr()));
    assert_eq!(call!(KspCloseWriter(again)), S_OK);

    // Left, it is another's.
    assert_eq!(call!(KspCloseFilter(source)), S_OK);
    let again = got!(KspJoin(client, c"a.out".as_ptr()));
    close(client, again);
    // At once: the filter in the middle waits for a stream.
    session.control.stop();
    session.control.stop();
    session.ends();
}

#[test]
fn handles_that_are_null_closed_or_of_another_kind_are_told_apart() {
    let session = Session::start(&pair(None), &["a", "c"]);
    let (client, source) = join(&session, c"a");
    let sink = got!(KspJoin(client, c"c".as_ptr()));
    let writer = got!(KspOpenWriter(source, c"out".as_ptr()));
    let frames = got!(KspOpenFrames(sink, c"in".as_ptr()));
    send(writer, 1);
    let frame = got!(KspNextFrame(frames, KSP_INFINITE));

    let all: [*mut c_void; 5] = [client.cast(), source.cast(), writer.cast(), frames.cast(), frame.cast()];
    // The address of something that is there, and of nothing.
    let mut something = 0u64;
    let others = [null_mut(), (&raw mut something).cast(), core::ptr::without_provenance_mut(usize::MAX)];
    let (mut head, mut format) =
        (header(frame), KspFormat { size: size_of::<KspFormat>() as u32, ..Default::default() });
    let (mut start, mut bytes, mut size, mut descriptor) = (null(), null_mut(), 0, 0);
    for wrong in all.into_iter().chain(others) {
        let closes = |null: HRESULT| if wrong.is_null() { S_OK } else { null };
        if wrong != client.cast() {
            assert_eq!(get!(KspGetStatus(wrong.cast())).0, E_HANDLE);
            assert_eq!(get!(KspGetDescription(wrong.cast())).0, E_HANDLE);
            assert_eq!(get!(KspJoin(wrong.cast(), c"c".as_ptr())).0, E_HANDLE);
            assert_eq!(call!(KspGetFormat(wrong.cast(), c"c.in".as_ptr(), &mut format)), E_HANDLE);
            assert_eq!(call!(KspCloseClient(wrong.cast())), closes(E_HANDLE));
        }
        if wrong != source.cast() {
            assert_eq!(call!(KspIsStopping(wrong.cast())), E_HANDLE);
            assert_eq!(get!(KspOpenFrames(wrong.cast(), c"in".as_ptr())).0, E_HANDLE);
            assert_eq!(get!(KspOpenWriter(wrong.cast(), c"out".as_ptr())).0, E_HANDLE);
            assert_eq!(call!(KspCloseFilter(wrong.cast())), closes(E_HANDLE));
        }
        if wrong != writer.cast() {
            assert_eq!(get!(KspAcquireFrame(wrong.cast(), KSP_INFINITE)).0, E_HANDLE);
            assert_eq!(call!(KspEndStream(wrong.cast())), E_HANDLE);
            assert_eq!(call!(KspCloseWriter(wrong.cast())), closes(E_HANDLE));
        }
        if wrong != frames.cast() {
            assert_eq!(get!(KspNextFrame(wrong.cast(), KSP_INFINITE)).0, E_HANDLE);
            assert_eq!(call!(KspArm(wrong.cast())), E_HANDLE);
            assert_eq!((call!(KspGetDescriptor(wrong.cast(), &mut descriptor)), descriptor), (E_HANDLE, -1));
            assert_eq!(call!(KspCloseFrames(wrong.cast())), closes(E_HANDLE));
        }
        if wrong != frame.cast() {
            assert_eq!(call!(KspGetFrameHeader(wrong.cast(), &mut head)), E_HANDLE);
            assert_eq!(call!(KspSetFrameHeader(wrong.cast(), &head)), E_HANDLE);
            assert_eq!(call!(KspGetFrameData(wrong.cast(), &mut start, &mut size)), E_HANDLE);
            assert_eq!(call!(KspGetFrameBytes(wrong.cast(), &mut bytes, &mut size)), E_HANDLE);
            assert_eq!((start, bytes, size), (null(), null_mut(), 0));
            assert_eq!(call!(KspSendFrame(writer, wrong.cast())), E_HANDLE);
            assert_eq!(call!(KspReleaseFrame(wrong.cast())), closes(E_HANDLE));
        }
    }
    assert_eq!(something, 0);
    // All are still good, each once.
    assert_eq!((call!(KspReleaseFrame(frame)), call!(KspReleaseFrame(frame))), (S_OK, E_HANDLE));
    assert_eq!(call!(KspGetFrameData(frame, &mut start, &mut size)), E_HANDLE);
    assert_eq!((call!(KspCloseFrames(frames)), call!(KspCloseFrames(frames))), (S_OK, E_HANDLE));
    assert_eq!((call!(KspEndStream(writer)), call!(KspEndStream(writer))), (S_OK, E_HANDLE));
    assert_eq!(call!(KspCloseWriter(writer)), E_HANDLE);
    assert_eq!((call!(KspCloseFilter(sink)), call!(KspCloseFilter(sink))), (S_OK, E_HANDLE));
    assert_eq!((call!(KspCloseFilter(source)), call!(KspCloseFilter(source))), (S_OK, E_HANDLE));
    assert_eq!((call!(KspCloseClient(client)), call!(KspCloseClient(client))), (S_OK, E_HANDLE));
    assert_eq!(last_error(), "this is no such handle, or it was closed");
    session.ends();
}

#[test]
fn null_pointers_and_wrong_sizes_change_nothing() {
    let session = Session::start(&pair(None), &["a", "c"]);
    let (client, source) = join(&session, c"a");
    let sink = got!(KspJoin(client, c"c".as_ptr()));
    let writer = got!(KspOpenWriter(source, c"out".as_ptr()));
    let frames = got!(KspOpenFrames(sink, c"in".as_ptr()));
    send(writer, 1);
    let path = session.c_path();
    let answers = [
        get!(KspConnect(null())).0,
        call!(KspConnect(path.as_ptr(), null_mut())),
        call!(KspGetDescription(client, null_mut())),
        call!(KspGetStatus(client, null_mut())),
        call!(KspGetFormat(client, null(), null_mut())),
        call!(KspGetFormat(client, c"c.in".as_ptr(), null_mut())),
        get!(KspJoin(client, null())).0,
        call!(KspJoin(client, c"c".as_ptr(), null_mut())),
        get!(KspOpenFrames(sink, null())).0,
        call!(KspOpenFrames(sink, c"in".as_ptr(), null_mut())),
        call!(KspNextFrame(frames, 0, null_mut())),
        call!(KspGetDescriptor(frames, null_mut())),
        get!(KspOpenWriter(source, null())).0,
        call!(KspOpenWriter(source, c"out".as_ptr(), null_mut())),
        call!(KspAcquireFrame(writer, 0, null_mut())),
    ];
    assert_eq!(answers, [E_POINTER; 15]);
    assert_eq!(last_error(), "a pointer is null");
    // The frame was not taken by the call that could not have given it.
    let frame = got!(KspNextFrame(frames, 0));
    assert_eq!(header(frame).sequence, 0);
    let (mut start, mut bytes, mut size) = (null(), null_mut(), 0);
    let answers = [
        call!(KspGetFrameHeader(frame, null_mut())),
        call!(KspSetFrameHeader(frame, null())),
        call!(KspGetFrameData(frame, null_mut(), &mut size)),
        call!(KspGetFrameData(frame, &mut start, null_mut())),
        call!(KspGetFrameBytes(frame, null_mut(), &mut size)),
        call!(KspGetFrameBytes(frame, &mut bytes, null_mut())),
    ];
    assert_eq!(answers, [E_POINTER; 6]);
    let before = header(frame);
    for wrong in [0, before.size - 1, before.size + 1, u32::MAX] {
        let mut header = KspFrameHeader { size: wrong, sequence: 9, ..before };
        assert_eq!(call!(KspSetFrameHeader(frame, &header)), E_INVALIDARG);
        assert_eq!((call!(KspGetFrameHeader(frame, &mut header)), header.sequence), (E_INVALIDARG, 9));
    }
    assert_eq!(header(frame), before);
    assert_eq!(call!(KspReleaseFrame(frame)), S_OK);
    assert_eq!(call!(KspCloseFrames(frames)), S_OK);
    assert_eq!(call!(KspCloseWriter(writer)), S_OK);
    assert_eq!(call!(KspCloseFilter(sink)), S_OK);
    close(client, source);
    session.ends();
}

#[test]
fn what_the_server_asks_and_its_end_are_told_and_kept_frames_stay_readable() {
    let session = Session::start(&pair(None), &["a", "c"]);
    let (client, source) = join(&session, c"a");
    let sink = got!(KspJoin(client, c"c".as_ptr()));
    let writer = got!(KspOpenWriter(source, c"out".as_ptr()));
    let frames = got!(KspOpenFrames(sink, c"in".as_ptr()));
    send(writer, 7);
    let frame = got!(KspNextFrame(frames, KSP_INFINITE));
    let unsent = got!(KspAcquireFrame(writer, KSP_INFINITE));
    assert_eq!((call!(KspIsStopping(source)), call!(KspIsStopping(sink))), (S_FALSE, S_FALSE));
    session.control.stop();
    while call!(KspIsStopping(source)) == S_FALSE {
        std::thread::yield_now();
    }
    assert_eq!(get!(KspAcquireFrame(writer, KSP_INFINITE)).0, KSP_E_STOPPING);

    // A second time: at once.
    session.control.stop();
    assert_eq!(get!(KspNextFrame(frames, KSP_INFINITE)).0, KSP_E_SERVER_GONE);
    assert_eq!(last_error(), "the server has ended");
    session.ended();
    assert_eq!(get!(KspGetStatus(client)).0, KSP_E_SERVER_GONE);
    assert_eq!(get!(KspJoin(client, c"c".as_ptr())).0, KSP_E_SERVER_GONE);
    assert_eq!(data(frame), vec![7; BYTES]);
    fill(unsent, 8);
    // Nobody is there to take it.
    assert_eq!(call!(KspSendFrame(writer, unsent)), S_OK);
    assert_eq!(call!(KspReleaseFrame(frame)), S_OK);
    assert_eq!(call!(KspEndStream(writer)), S_OK);
    assert_eq!(call!(KspCloseFrames(frames)), S_OK);
    assert_eq!(call!(KspCloseFilter(sink)), S_OK);
    close(client, source);
}

#[test]
fn objects_are_closed_in_any_order() {
    for turn in 0..24 {
        let session = Session::start(&pair(None), &["a", "c"]);
        let (client, source) = join(&session, c"a");
        let sink = got!(KspJoin(client, c"c".as_ptr()));
        let writer = got!(KspOpenWriter(source, c"out".as_ptr()));
        let frames = got!(KspOpenFrames(sink, c"in".as_ptr()));
        send(writer, 5);
        let frame = got!(KspNextFrame(frames, KSP_INFINITE));
        let mut closings: Vec<Box<dyn FnOnce() -> HRESULT>> = vec![
            Box::new(|| call!(KspCloseClient(client))),
            Box::new(|| call!(KspCloseFilter(source))),
            Box::new(|| call!(KspCloseFilter(sink))),
            Box::new(|| call!(KspCloseFrames(frames))),
        ];
        // One of each order of the four.
        let mut rest = turn;
        for left in (1..=4).rev() {
            let closing = closings.remove(rest % left);
            rest /= left;
            assert_eq!(closing(), S_OK);
        }
        assert_eq!(data(frame), vec![5; BYTES]);
        assert_eq!(call!(KspReleaseFrame(frame)), S_OK);
        assert_eq!(call!(KspCloseWriter(writer)), S_OK);
        session.ends();
    }
}

#[test]
fn one_thread_at_a_time_has_a_reader_and_closing_waits_for_none() {
    let session = Session::start(&pair(None), &["a", "c"]);
    let (client, source) = join(&session, c"a");
    let sink = got!(KspJoin(client, c"c".as_ptr()));
    let writer = got!(KspOpenWriter(source, c"out".as_ptr()));
    let frames = got!(KspOpenFrames(sink, c"in".as_ptr())).expose_provenance();
    let reader = || core::ptr::with_exposed_provenance_mut::<KspFrames>(frames);
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| {
            let frame = got!(KspNextFrame(reader(), KSP_INFINITE));
            let first = data(frame)[0];
            assert_eq!(call!(KspReleaseFrame(frame)), S_OK);
            first
        });
        // Until it waits there, there is nothing to be had.
        let busy = loop {
            match get!(KspNextFrame(reader(), 0)).0 {
                VFW_E_TIMEOUT => std::thread::yield_now(),
                other => break other,
            }
        };
        assert_eq!((busy, last_error().as_str()), (KSP_E_BUSY, "another thread is in a call with it"));
        assert_eq!(call!(KspArm(reader())), KSP_E_BUSY);
        let mut descriptor = -1;
        assert_eq!(call!(KspGetDescriptor(reader(), &mut descriptor)), S_OK);
        assert_eq!(call!(KspCloseFrames(reader())), S_OK);
        assert_eq!(call!(KspCloseFrames(reader())), E_HANDLE);
        send(writer, 3);
        assert_eq!(waits.join().unwrap(), 3);
    });
    assert_eq!(call!(KspCloseWriter(writer)), S_OK);
    assert_eq!(call!(KspCloseFilter(sink)), S_OK);
    close(client, source);
    session.ends();
}

#[test]
fn a_thread_has_its_own_last_error() {
    assert_eq!(call!(KspIsStopping(null_mut())), E_HANDLE);
    std::thread::spawn(|| {
        assert_eq!(last_error(), "");
        assert_eq!(get!(KspConnect(null())).0, E_POINTER);
        assert_eq!(last_error(), "a pointer is null");
    })
    .join()
    .unwrap();
    assert_eq!(last_error(), "this is no such handle, or it was closed");
    assert_eq!(call!(KspCloseClient(null_mut())), S_OK);
    assert_eq!(last_error(), "this is no such handle, or it was closed", "success says nothing");
}
