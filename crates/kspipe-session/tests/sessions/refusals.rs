//! What is refused, of whom, and that it changes nothing.

use crate::graphs::{fork, prepared, serve};
use crate::processes::Process;
use crate::raw::{RawPin, graph};
use crate::session::{Session, filter, holder};
use ksobject::Win32Error;
use kspipe::stream::prepare;
use kspipe_session::verbs::{Join, KSMETHOD_KSPPIN_DESCRIPTORS, KSMETHOD_KSPPIN_JOIN, KSMETHOD_KSPPIN_LEAVE, VERSION};
use kspipe_session::{Client, ClientError, ServerOptions};

pub(crate) fn all() -> Vec<(&'static str, fn())> {
    vec![
        ("what_cannot_be_joined_is_said", refused),
        ("other_users_come_in_look_and_join_as_they_are_allowed", other_users),
        ("requests_out_of_order_are_refused_and_change_nothing", nonsense),
    ]
}

fn refused() {
    let folder = tempfile::tempdir().unwrap();
    let nobody = Client::connect(folder.path().join("nobody")).unwrap_err();
    assert!(nobody.to_string().contains("nobody serves a graph there"), "{nobody}");
    let session = Session::start(&fork(None), &["x"]);
    let client = Client::connect(session.path()).unwrap();
    let unknown = client.pin("y.in").unwrap_err();
    assert!(unknown.to_string().ends_with("there are: x.in"), "{unknown}");
    let joined = client.filter("x").unwrap();
    // This process has it already, by whichever client.
    let another = Client::connect(session.path()).unwrap();
    for again in [client.pin("x.in").map(drop), another.filter("x").map(drop)] {
        let again = again.unwrap_err();
        assert!(matches!(again, ClientError::TakenHere(_)), "{again:?}");
        assert_eq!(again.to_string(), "this process has the filter `x` already");
    }
    assert!(matches!(joined.writer("in"), Err(ClientError::Direction { is_in: true, .. })));
    let frames = joined.frames("x.in").unwrap();
    assert!(matches!(joined.frames("in"), Err(ClientError::Role { .. })));
    drop((frames, joined));
    // It left: now it can be had.
    drop(client.pin("x.in").unwrap());
    assert!(prepare(prepared(&fork(None), &["x"]).0.graph().clone()).is_err(), "`x` says nothing of what it does");
    session.control.stop();
    session.ends();
}

fn other_users() {
    use std::os::unix::fs::PermissionsExt;
    if !rustix::process::geteuid().is_root() {
        // Nobody else can become another user.
        println!("not run: only root can be two users");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let path = folder.path().join("graph");
    let nobody = 65534;
    for (let_in, mode, says) in [
        (0, 0o600, "this user may not"),
        (0, 0o666, "this user may not"),
        (1, 0o666, "got 1083, mediated true"),
        (2, 0o666, "got 1083, mediated false"),
    ] {
        let mut server = serve(&path, &fork(None), &["x"], ServerOptions::default()).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
        match let_in {
            1 => server.allow_user(nobody),
            2 => server.trust_user(nobody),
            _ => {}
        }
        let control = server.control();
        let thread = std::thread::spawn(move || server.run());
        let mut process = Process::start("as-nobody", &path, &["x.in"]);
        let said = process.says();
        assert!(said.ends_with(says), "{said}");
        process.ends();
        control.stop();
        thread.join().unwrap().unwrap();
    }
}

fn nonsense() {
    let session = Session::start(&fork(None), &["x"]);
    let graph = graph(&session.path());
    let pin = RawPin::create(&graph, 0).unwrap();
    assert_eq!(RawPin::create(&graph, 0).err(), Some(Win32Error::ALREADY_EXISTS), "this process has it");
    assert_eq!(filter(&session.status(), "x")["state"], "opened");
    let call = |id, data: &mut [u8]| pin.call_with(id, data, &[]);
    let number = |number: u32| {
        let mut data = vec![0; 4096];
        data[..4].copy_from_slice(&number.to_le_bytes());
        data
    };
    let refused = |id, data: &mut [u8]| call(id, data).map(drop).unwrap_err();
    assert_eq!(refused(KSMETHOD_KSPPIN_LEAVE, &mut []), Win32Error::INVALID_FUNCTION);
    assert_eq!(refused(KSMETHOD_KSPPIN_DESCRIPTORS, &mut number(0)), Win32Error::INVALID_FUNCTION);
    assert_eq!(refused(KSMETHOD_KSPPIN_JOIN, &mut [1]), Win32Error::INSUFFICIENT_BUFFER);
    assert_eq!(refused(KSMETHOD_KSPPIN_JOIN, &mut number(2)), Win32Error::REVISION_MISMATCH);
    assert_eq!(refused(KSMETHOD_KSPPIN_JOIN, &mut VERSION.to_le_bytes()), Win32Error::INSUFFICIENT_BUFFER);
    assert_eq!(refused(10, &mut number(0)), Win32Error::NOT_FOUND);
    let status = session.status();
    assert_eq!(holder(&status, "x.in")["admitted"], false, "{status:#}");
    let mut data = number(VERSION);
    let (length, _) = call(KSMETHOD_KSPPIN_JOIN, &mut data).unwrap();
    let join: Join = serde_json::from_slice(&data[..length]).unwrap();
    assert!(!join.pools[0].writable, "a sink only reads");
    assert_eq!(refused(KSMETHOD_KSPPIN_JOIN, &mut number(VERSION)), Win32Error::INVALID_FUNCTION, "once");
    assert_eq!(refused(KSMETHOD_KSPPIN_DESCRIPTORS, &mut number(u32::MAX)), Win32Error::INVALID_PARAMETER);
    let fetched = call(KSMETHOD_KSPPIN_DESCRIPTORS, &mut number(0)).unwrap().1.len();
    assert_eq!(fetched, join.descriptors as usize);
    assert!(call(KSMETHOD_KSPPIN_DESCRIPTORS, &mut number(0)).unwrap().1.is_empty(), "each once");
    call(KSMETHOD_KSPPIN_LEAVE, &mut []).unwrap();
    assert_eq!(refused(KSMETHOD_KSPPIN_LEAVE, &mut []), Win32Error::ACCESS_DENIED, "the pin is nobody's any more");
    let status = session.status();
    assert_eq!(filter(&status, "x")["state"], "vacant");
    assert_eq!(holder(&status, "x.in")["admitted"], false);
    // The old pin is still there, and another can be had.
    let frames = Client::connect(session.path()).unwrap().pin("x.in").unwrap().frames().unwrap();
    drop(pin);
    session.control.stop();
    assert!(frames.map(Result::unwrap).count() < usize::MAX);
    session.ends();
}
