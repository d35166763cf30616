//! What the functions with which a program in C takes part in a graph answer who misuses them.
#![cfg(target_os = "linux")]

#[macro_use]
mod sessions;

use core::ffi::c_void;
use core::ptr::{null, null_mut};
use ksproxy::hresult::*;
use ksproxy::session::*;
use sessions::calls::*;
use sessions::*;
use windows_core::HRESULT;

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
    assert_eq!(last_error(), "this process has the filter `a` already");

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
fn one_thread_at_a_time_has_a_reader_and_closing_waits_for_none() {
    let session = Session::start(&pair(None), &["a", "c"]);
    let (client, source) = join(&session, c"a");
    let sink = got!(KspJoin(client, c"c".as_ptr()));
    let writer = got!(KspOpenWriter(source, c"out".as_ptr()));
    let frames = got!(KspOpenFrames(sink, c"in".as_ptr())).expose_provenance();
    let reader = || core::ptr::with_exposed_provenance_mut::<KspFrames>(frames);
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| {
            // The other one's looks are short, but may be first.
            let frame = loop {
                match get!(KspNextFrame(reader(), KSP_INFINITE)) {
                    (KSP_E_BUSY, _) => std::thread::yield_now(),
                    (answer, frame) => break (answer == S_OK).then_some(frame).expect("a frame"),
                }
            };
            let first = data(frame)[0];
            assert_eq!(call!(KspReleaseFrame(frame)), S_OK);
            first
        });
        // Until it waits there, there is nothing to be had.
        let busy = loop {
            match get!(KspNextFrame(reader(), 0)).0 {
                VFW_E_TIMEOUT if !waits.is_finished() => std::thread::yield_now(),
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
