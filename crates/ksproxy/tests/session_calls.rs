//! The functions with which a program in C takes part in a graph: what they do.
#![cfg(target_os = "linux")]

#[macro_use]
mod sessions;

use core::ffi::CStr;
use ksproxy::hresult::*;
use ksproxy::session::*;
use rustix::event::{PollFd, PollFlags, poll};
use sessions::calls::*;
use sessions::*;
use std::os::fd::BorrowedFd;
use windows_core::HRESULT;

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
