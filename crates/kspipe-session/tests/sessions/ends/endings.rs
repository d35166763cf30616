//! How graphs end of which somebody went for good.

use crate::graphs::{PAIR, chain, fork};
use crate::processes::Process;
use crate::session::{Session, filter, holder, whole};
use kspipe::stream::Outcome;
use kspipe_session::{Begins, ServerOptions, Trust};

fn taken(session: &Session, pin: &str) -> u64 {
    holder(&session.status(), pin)["taken"].as_u64().unwrap()
}

/// It goes on: so many frames more go by.
fn goes_on(session: &Session, pin: &str) {
    let now = taken(session, pin);
    session.until(|status| holder(status, pin)["taken"].as_u64().unwrap() > now + 50);
}

fn joined(session: &Session, what: &str, rest: &[&str]) -> Process {
    let mut process = session.process(what, rest);
    assert_eq!(process.says(), "joined");
    process
}

/// Ends a process, and waits until the server knows.
fn dies(session: &Session, mut process: Process, name: &str) {
    process.kill();
    session.until(|status| filter(status, name)["state"] == "vacant");
}

pub(super) fn given_up() {
    // A source here, and one in a process of its own, whose frames go to one process alone.
    for outside in [&["c"][..], &["a", "c"]] {
        let session = Session::start(PAIR, outside);
        let mut source = outside.contains(&"a").then(|| joined(&session, "attach", &["a"]));
        for _ in 0..2 {
            let taker = joined(&session, "read", &["c.in"]);
            goes_on(&session, "c.in");
            // Of one who lives nothing is said.
            session.control.give_up("c");
            goes_on(&session, "c.in");
            dies(&session, taker, "c");
            // The place may be taken again.
            goes_on(&session, "a.out");
        }
        session.control.give_up("c");
        if let Some(source) = &mut source {
            assert!(source.says().starts_with("end Finished"), "{outside:?}");
            source.ends();
        }
        let (report, _) = session.ends();
        assert_eq!(report.outcome, Outcome::Finished);
    }
    // Who sends to others, too, goes on until all are given up.
    for outside in [&["x", "y"][..], &["t", "x", "y"]] {
        let session = Session::start(&fork(None), outside);
        let mut tee = outside.contains(&"t").then(|| joined(&session, "attach", &["t"]));
        session.control.give_up("x");
        goes_on(&session, "a.out");
        session.control.give_up("y");
        if let Some(tee) = &mut tee {
            assert!(tee.says().starts_with("end Finished"), "{outside:?}");
            tee.ends();
            goes_on(&session, "a.out");
            session.control.give_up("t");
        }
        let (report, _) = session.ends();
        assert_eq!(report.outcome, Outcome::Finished);
    }
}

/// How a source goes that does not say the end of its stream.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Leaves {
    BeforeOthersCome,
    BeforeTheStop,
    AfterTheStop,
    Dies,
}

pub(super) fn stopped_once() {
    let leave = [Leaves::BeforeOthersCome, Leaves::BeforeTheStop, Leaves::AfterTheStop, Leaves::Dies];
    let others: [&[&str]; 4] = [&[], &["b"], &["c"], &["b", "c"]];
    for outside in [&["a"][..], &["a", "b"], &["a", "c"], &["a", "b", "c"]] {
        for begins in [Begins::WhenAllHaveJoined, Begins::AtOnce] {
            for leaves in leave {
                for come in others.iter().filter(|come| come.iter().all(|name| outside.contains(name))) {
                    for trust in [Trust::OwnUser, Trust::Nobody] {
                        if trust == Trust::Nobody && come.contains(&"b") {
                            continue;
                        }
                        stop_once(outside, ServerOptions { begins, trust, ..whole() }, leaves, come);
                    }
                }
            }
        }
    }
}

fn stop_once(outside: &[&str], options: ServerOptions, leaves: Leaves, come: &[&str]) {
    println!("{outside:?}, {:?}, {:?}, {leaves:?}, others: {come:?}", options.begins, options.trust);
    let session = Session::start_with(&chain(None), outside, options);
    let mut source = session.process("join", &["a.out"]);
    assert_eq!(source.says(), "joined");
    let go = |source: &mut Process| {
        source.go_on();
        assert_eq!(source.says(), "left");
    };
    if leaves == Leaves::BeforeOthersCome {
        go(&mut source);
    }
    let mut others = Vec::new();
    for (name, what, which) in [("b", "attach", "b"), ("c", "read", "c.in")] {
        if come.contains(&name) {
            others.push(joined(&session, what, &[which]));
        }
    }
    match leaves {
        Leaves::BeforeTheStop => go(&mut source),
        Leaves::Dies => source.kill(),
        _ => {}
    }
    session.control.stop();
    if leaves == Leaves::AfterTheStop {
        go(&mut source);
    }
    for process in &mut others {
        while !process.says().is_empty() {}
        process.ends();
    }
    let (report, _) = session.ends();
    assert!(report.errors.is_empty(), "{report:#?}");
}
