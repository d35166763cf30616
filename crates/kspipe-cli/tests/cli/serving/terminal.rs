//! `kspipe top`, on a terminal.

use super::serve_endless;
use crate::ground::Ground;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcgetattr, tcsetwinsize};
use std::fs::File;
use std::io::{Read, Write};
use std::process::{Command, Stdio};

/// Where a program thinks it draws: our end, and the program's.
pub(super) fn terminal(columns: u16, rows: u16) -> (File, File) {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("the system has terminals");
    grantpt(&ours).and_then(|()| unlockpt(&ours)).expect("it can be used");
    let name = ptsname(&ours, Vec::new()).expect("it has a name");
    let theirs = File::options().read(true).write(true).open(name.to_str().expect("a path")).expect("it can be opened");
    tcsetwinsize(&theirs, Winsize { ws_col: columns, ws_row: rows, ws_xpixel: 0, ws_ypixel: 0 })
        .expect("it has a size");
    (ours.into(), theirs)
}

#[test]
fn top_draws_until_q_and_leaves_the_terminal_as_it_was() {
    let ground = Ground::new();
    let mut server = serve_endless(&ground, &[]);
    let (mut ours, theirs) = terminal(80, 24);
    let before = tcgetattr(&theirs).expect("it has modes");
    let end = || Stdio::from(theirs.try_clone().expect("it can be duplicated"));
    let mut top = Command::new(env!("CARGO_BIN_EXE_kspipe"))
        .args(["top", "socket", "--interval", "0.05"])
        .current_dir(ground.path(""))
        .env("TERM", "xterm-256color")
        .stdin(end())
        .stdout(end())
        .stderr(end())
        .spawn()
        .expect("the command can be run");
    let mut drawn = Vec::new();
    let mut read = |until: &str, ours: &mut File| {
        while !String::from_utf8_lossy(&drawn).contains(until) {
            let mut bytes = [0; 4096];
            let count = ours.read(&mut bytes).expect("it draws");
            drawn.extend_from_slice(&bytes[..count]);
        }
    };
    read("camera.out", &mut ours);
    let raw = tcgetattr(&theirs).expect("it has modes");
    assert_ne!(raw.local_modes, before.local_modes, "keys come as they are pressed");
    ours.write_all(b"q").expect("keys can be pressed");
    // The last thing is to leave the other screen.
    read("\x1b[?1049l", &mut ours);
    assert_eq!(top.wait().expect("it ends").code(), Some(0));
    let after = tcgetattr(&theirs).expect("it has modes");
    assert_eq!((after.local_modes, after.input_modes), (before.local_modes, before.input_modes));
    server.interrupt();
    server.end(0);
}
