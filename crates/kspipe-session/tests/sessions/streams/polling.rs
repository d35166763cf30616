//! Writers that poll.

use crate::graphs::PAIR;
use crate::session::{Session, whole};
use kspipe_session::{Client, ServerOptions, Trust, WriteError, Writer};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

fn is_readable(writer: &Writer, seconds: i64) -> bool {
    let timeout = Timespec { tv_sec: seconds, tv_nsec: 0 };
    poll(&mut [PollFd::new(writer, PollFlags::IN)], Some(&timeout)).unwrap() == 1
}

/// Polls until there is a frame, or an error.
fn next(writer: &mut Writer) -> Result<kspipe_session::WritableFrame, WriteError> {
    loop {
        match writer.try_acquire().transpose() {
            Some(outcome) => return outcome,
            None if writer.arm() => assert!(is_readable(writer, 60), "it hangs"),
            None => {}
        }
    }
}

pub(super) fn sends() {
    let ways = [("write", Trust::OwnUser), ("write-polling", Trust::OwnUser), ("write-polling", Trust::Named)];
    let digests = ways.map(|(how, trust)| {
        let session = Session::start_with(PAIR, &["a", "c"], ServerOptions { trust, ..whole() });
        let mut writer = session.process(how, &["a.out", "100"]);
        let mut reader = session.process("read", &["c.in"]);
        assert_eq!(reader.says(), "joined");
        assert_eq!(writer.says(), "end 100");
        assert_eq!(reader.says(), "first");
        let end = reader.says();
        session.ends();
        end
    });
    assert!(digests[0].starts_with("end 100 "));
    assert_eq!(digests[0], digests[1]);
    assert_eq!(digests[0], digests[2]);
}

pub(super) fn hears() {
    let session = Session::start_with(PAIR, &["a", "c"], whole());
    let client = Client::connect(session.path()).unwrap();
    let mut writer = client.pin("a.out").unwrap().writer().unwrap();
    assert!(matches!(writer.try_acquire(), Ok(None)), "it has not begun");
    assert!(writer.arm());
    assert!(!is_readable(&writer, 0));
    let mut frames = client.pin("c.in").unwrap().frames().unwrap();
    assert!(is_readable(&writer, 60), "it begins");
    let first = next(&mut writer).unwrap();
    let mut others = Vec::new();
    while let Ok(Some(frame)) = writer.try_acquire() {
        others.push(frame);
    }
    assert!(!others.is_empty());
    assert!(writer.arm());
    assert!(!is_readable(&writer, 0), "it has them all");
    writer.send(first).unwrap();
    drop(frames.next().unwrap().unwrap());
    assert!(is_readable(&writer, 60), "one came home");
    let last = next(&mut writer).unwrap();
    assert_eq!(last.header().sequence, 1);
    assert!(matches!(writer.try_acquire(), Ok(None)));
    assert!(writer.arm());
    session.control.stop();
    assert!(is_readable(&writer, 60), "the word to stop");
    assert_eq!(next(&mut writer).map(drop), Err(WriteError::Stopping));
    assert!(!writer.arm());
    drop((last, others));
    writer.end();
    drop(frames);
    session.ends();
}

/// A mediated writer has one frame at a time; it hears of the next one that is free.
pub(super) fn hears_mediated() {
    let session = Session::start_with(PAIR, &["a", "c"], ServerOptions { trust: Trust::Named, ..whole() });
    let client = Client::connect(session.path()).unwrap();
    let mut writer = client.pin("a.out").unwrap().writer().unwrap();
    assert!(matches!(writer.try_acquire(), Ok(None)), "it has not begun");
    assert!(writer.arm());
    assert!(!is_readable(&writer, 0));
    let mut frames = client.pin("c.in").unwrap().frames().unwrap();
    assert!(is_readable(&writer, 60), "it begins");
    let mut sent = 0;
    while let Ok(Some(frame)) = writer.try_acquire() {
        writer.send(frame).unwrap();
        sent += 1;
    }
    assert!(sent > 0);
    assert!(writer.arm());
    assert!(!is_readable(&writer, 0), "nobody has taken one");
    drop(frames.next().unwrap().unwrap());
    assert!(is_readable(&writer, 60), "one came home");
    assert_eq!(next(&mut writer).unwrap().header().sequence, sent);
    session.control.stop();
    assert!(is_readable(&writer, 60), "the word to stop");
    while writer.arm() || !writer.is_stopping() {
        let _ = writer.try_acquire();
    }
    assert_eq!(next(&mut writer).map(drop), Err(WriteError::Stopping));
    writer.end();
    drop(frames);
    session.ends();
}

pub(super) fn server_ends() {
    for trust in [Trust::OwnUser, Trust::Named] {
        server_ends_for(trust);
    }
}

fn server_ends_for(trust: Trust) {
    let session = Session::start_with(PAIR, &["a", "c"], ServerOptions { trust, ..whole() });
    let client = Client::connect(session.path()).unwrap();
    let mut early = client.pin("a.out").unwrap().writer().unwrap();
    assert!(early.arm());
    session.control.stop();
    session.control.stop();
    session.thread.join().unwrap().unwrap();
    assert!(is_readable(&early, 60));
    let error = next(&mut early).map(drop).unwrap_err();
    assert!(matches!(error, WriteError::Stopping | WriteError::ServerGone), "{error}");
}
