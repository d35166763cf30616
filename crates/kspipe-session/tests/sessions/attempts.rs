//! What a process of another user tries with the descriptors it is given, and with the server.

use crate::processes::say;
use crate::raw::{RawPin, file, graph};
use rustix::fd::{AsRawFd, OwnedFd};
use rustix::fs::{Mode, OFlags, SealFlags, fchmod, fcntl_add_seals, ftruncate, open};
use rustix::process::{DumpableBehavior, Pid, PidfdFlags, PidfdGetfdFlags, Uid, pidfd_getfd, pidfd_open};
use std::path::Path;

/// Says what came of an attempt.
fn tried<T, E>(what: &str, came: Result<T, E>) {
    say(&format!("{what}: {}", if came.is_ok() { "done" } else { "refused" }));
}

/// What can be tried with a file of frames.
fn try_file(whose: &str, file: &OwnedFd) {
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    for (name, flags) in [("write", OFlags::WRONLY), ("read and write", OFlags::RDWR)] {
        tried(
            &format!("{whose} opened again to {name}"),
            open(&*path, flags | OFlags::CLOEXEC, Mode::empty()).map(drop),
        );
    }
    tried(&format!("{whose} made everybody's"), fchmod(file, Mode::from_raw_mode(0o666)));
    tried(&format!("{whose} made everybody's by its path"), rustix::fs::chmod(&*path, Mode::from_raw_mode(0o666)));
    // Its own is sealed already, which is not what this is about.
    if whose.starts_with("its own") {
        return;
    }
    tried(&format!("{whose} written"), rustix::io::pwrite(file, &[1], 0).map(drop));
    tried(&format!("{whose} cut"), ftruncate(file, 0));
    tried(&format!("{whose} grown"), ftruncate(file, 1 << 30));
    tried(&format!("{whose} sealed"), fcntl_add_seals(file, SealFlags::WRITE));
    tried(&format!("{whose} punched"), {
        let flags = rustix::fs::FallocateFlags::PUNCH_HOLE | rustix::fs::FallocateFlags::KEEP_SIZE;
        rustix::fs::fallocate(file, flags, 0, 4096)
    });
    // SAFETY: a new mapping, at no place in particular; where there is one, nobody uses it.
    let mapped = unsafe {
        libc::mmap(
            std::ptr::null_mut(),
            4096,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_SHARED,
            file.as_raw_fd(),
            0,
        )
    };
    tried(&format!("{whose} mapped to be written"), if mapped == libc::MAP_FAILED { Err(()) } else { Ok(()) });
}

/// Tries all there is, as another user, to a server of this number.
pub(crate) fn try_everything(path: &str, server: i32) {
    let nobody = Uid::from_raw(65534);
    // Of this thread, the only one yet.
    rustix::thread::set_thread_res_uid(nobody, nobody, nobody).unwrap();
    // It may look at itself, as every program may that was started by its own user.
    rustix::process::set_dumpable_behavior(DumpableBehavior::Dumpable).unwrap();
    // What is tried works where it may.
    try_file("its own file", &file(4096, SealFlags::SHRINK | SealFlags::GROW));

    let pin = RawPin::create(&graph(Path::new(path)), 0).unwrap();
    let (join, descriptors) = pin.join().unwrap();
    // A trusted process has the control memory before the frames, which it may write.
    let frames = usize::from(!join.mediated);
    assert_eq!(join.pools[0].files, 1);
    assert!(!join.pools[0].writable);
    try_file("the frames", &descriptors[frames]);
    if join.mediated {
        assert_eq!(join.descriptors, 4, "no control memory and no event");
    }

    let server = Pid::from_raw(server).unwrap();
    let pidfd = pidfd_open(server, PidfdFlags::empty()).unwrap();
    for number in 0..32 {
        let got = pidfd_getfd(&pidfd, number, PidfdGetfdFlags::empty());
        if !matches!(got, Err(rustix::io::Errno::BADF)) {
            tried(&format!("descriptor {number} of the server taken"), got.map(drop));
        }
    }
    // SAFETY: it reads and writes nothing of this process.
    let attached = unsafe { libc::ptrace(libc::PTRACE_ATTACH, server.as_raw_nonzero().get(), 0, 0) };
    tried("the server traced", if attached == 0 { Ok(()) } else { Err(()) });
    let of_server = format!("/proc/{}", server.as_raw_nonzero());
    for file in ["mem", "maps", "environ"] {
        tried(&format!("the server's {file} opened"), std::fs::File::open(format!("{of_server}/{file}")));
    }
    tried("the server's descriptors listed", std::fs::read_dir(format!("{of_server}/fd")));
    tried("the server killed", rustix::process::kill_process(server, rustix::process::Signal::KILL));
    say("tried");
}
