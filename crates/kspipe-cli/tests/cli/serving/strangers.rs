//! Sockets at which something else listens than a server of kspipe.

use super::Program;
use super::terminal::terminal;
use crate::ground::Ground;
use rustix::fd::OwnedFd;
use rustix::net::{
    AddressFamily, SendFlags, SocketAddrUnix, SocketType, accept, bind, listen, recv, send, shutdown, socket,
};
use std::io::Read;
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread::JoinHandle;

/// Somebody who listens for packets, as a server does, and does this with who comes.
struct Stranger {
    listener: OwnedFd,
    thread: Option<JoinHandle<()>>,
}

impl Stranger {
    fn at(path: PathBuf, does: impl Fn(&OwnedFd) + Send + 'static) -> Self {
        let listener = socket(AddressFamily::UNIX, SocketType::SEQPACKET, None).expect("a socket");
        bind(&listener, &SocketAddrUnix::new(path).expect("an address")).expect("nothing lies there");
        listen(&listener, 8).expect("it can listen");
        let theirs = listener.try_clone().expect("a duplicate");
        let come = move || {
            while let Ok(socket) = accept(&theirs) {
                does(&socket);
            }
        };
        Self { listener, thread: Some(std::thread::spawn(come)) }
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        shutdown(&self.listener, rustix::net::Shutdown::Both).expect("it listens");
        let ended = self.thread.take().expect("it was started").join();
        assert!(ended.is_ok() || std::thread::panicking());
    }
}

#[test]
fn what_listens_there_and_is_no_server_is_said_with_its_path() {
    let ground = Ground::new();
    let _closes = Stranger::at(ground.path("closes"), |_| {});
    let _speaks = Stranger::at(ground.path("speaks"), |socket| {
        send(socket, b"220 ready", SendFlags::empty()).expect("somebody came");
    });
    // What an answer begins with, and no more.
    let _nearly = Stranger::at(ground.path("nearly"), |socket| {
        send(socket, &[0, 0x80, 0, 0, 16, 0, 0, 0], SendFlags::empty()).expect("somebody came");
    });
    let _stream = UnixListener::bind(ground.path("stream")).expect("a socket");
    let _datagrams = UnixDatagram::bind(ground.path("datagrams")).expect("a socket");
    let other_type = "is a socket of another type than kspipe serves at";
    for (path, needed) in [
        ("closes", "what listens there hung up without a word"),
        ("speaks", "what listens there does not speak the protocol of kspipe"),
        ("nearly", "what listens there does not speak the protocol of kspipe"),
        ("stream", other_type),
        ("datagrams", other_type),
    ] {
        for arguments in [&["attach", path, "viewer"][..], &["status", path]] {
            let (output, said) = ground.run(arguments, 3);
            assert!(said.contains(needed) && said.contains(path), "{arguments:?}\n{said}");
            assert!(said.contains("give the path that `kspipe serve` was given"), "{arguments:?}\n{said}");
            assert_eq!(output, "", "{arguments:?}");
        }
    }
    let (mut ours, theirs) = terminal(120, 24);
    let end = || Stdio::from(theirs.try_clone().expect("it can be duplicated"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_kspipe"));
    command.args(["top", "stream"]).current_dir(ground.path("")).stdin(end()).stdout(end()).stderr(end());
    let mut top = command.spawn().expect("the command can be run");
    let mut shown = String::new();
    while !shown.contains(other_type) {
        let mut bytes = [0; 4096];
        let count = ours.read(&mut bytes).expect("it says so");
        shown += &String::from_utf8_lossy(&bytes[..count]);
    }
    assert_eq!(top.wait().expect("it ends").code(), Some(3));
}

#[test]
fn who_waits_for_an_answer_is_told_so_and_can_end_it() {
    let ground = Ground::new();
    let _silent = Stranger::at(ground.path("silent"), |socket| {
        // Until who came has gone.
        let _ = recv(socket, &mut [0; 1][..], rustix::net::RecvFlags::empty());
    });
    for arguments in [&["status", "silent"][..], &["attach", "silent", "viewer"]] {
        let mut waits = Program::start(&ground, arguments);
        let line = waits.wait_for("what listens at silent has not answered");
        assert!(line.contains("Ctrl-C ends this"), "{line}");
        waits.interrupt();
        waits.end_by_signal();
    }
}
