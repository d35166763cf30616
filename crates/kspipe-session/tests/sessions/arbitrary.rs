//! A process that sends whatever comes to its mind, beside one that loses nothing by it.

use crate::hostile::{PICTURE, W, X, named, scene};
use crate::raw::{RawPin, file, graph, header};
use crate::session::{Session, alone, filter};
use ksobject::{OwnedHandle, Win32Error};
use kspipe::stream::Outcome;
use kspipe_session::Client;
use kspipe_session::verbs::{
    KSMETHOD_KSPPIN_DESCRIPTORS, KSMETHOD_KSPPIN_END, KSMETHOD_KSPPIN_FILE, KSMETHOD_KSPPIN_LEAVE, MOST_WRITTEN, Step,
};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::SealFlags;
use std::collections::BTreeSet;

/// A source of numbers that look like none.
struct Random(u64);

impl Random {
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }

    /// A number that is at the edge of something, or any.
    fn edge(&mut self) -> u64 {
        let any = self.next(1 << 31) << 33 | self.next(1 << 31);
        [0, 1, 2, 5, 15, 16, 40, PICTURE - 1, PICTURE, PICTURE + 1, 4096, MOST_WRITTEN, u64::MAX, 1 << 63, any]
            [self.next(15) as usize]
    }
}

/// One who has the filters `x` and `w`, and sends whatever comes to its mind. What it gets is what it may get.
struct Fuzzer<'a> {
    graph: &'a OwnedHandle,
    random: Random,
    pins: [Option<RawPin>; 2],
    joined: [bool; 2],
    held: BTreeSet<u32>,
    filling: bool,
    descriptors: Vec<OwnedFd>,
    /// The graph has ended: it has all it is about.
    is_over: bool,
    /// Frames that it got, and that it sent in order.
    got: u32,
    sent: u32,
}

impl Fuzzer<'_> {
    fn step(&mut self) {
        let which = self.random.next(2) as usize;
        let Some(pin) = &self.pins[which] else {
            self.joined[which] = false;
            self.pins[which] = RawPin::create(self.graph, [X, W][which]).ok();
            return;
        };
        match self.random.next(40) {
            0..=11 if which == 0 => {
                if let Ok((step, message)) = pin.next()
                    && step == Step::Frame
                {
                    assert!(self.held.len() < 2, "it holds 2 already");
                    assert!(self.held.insert(message.frame.get()), "it has that one");
                    self.got += 1;
                }
            }
            12..=23 if which == 0 => {
                // One of its own mostly.
                let of_its_own = self.held.iter().next().copied().filter(|_| self.random.next(4) > 0);
                let frame = of_its_own.unwrap_or_else(|| self.random.edge() as u32);
                match pin.release(frame) {
                    Err(Win32Error::DEVICE_REMOVED) => self.is_over = true,
                    released => assert_eq!(released.is_ok(), self.held.remove(&frame), "{frame}"),
                }
            }
            0..=5 => {
                let step = pin.acquire().map(|(step, _)| step);
                assert!(!self.filling || step != Ok(Step::Frame), "one at a time");
                self.filling |= step == Ok(Step::Frame);
            }
            6..=9 => drop(pin.set_file(file(self.random.edge() % (1 << 20), SealFlags::SHRINK))),
            10..=17 => {
                let offset = if self.random.next(2) == 0 { 0 } else { self.random.edge() };
                let _ = pin.write(offset, self.random.edge());
            }
            18..=23 => {
                let mut message = header(self.random.edge(), self.random.edge());
                message.hands_on = u32::from(self.random.next(8) == 0).into();
                message.frame = (self.random.edge() as u32).into();
                let sent = pin.send(message);
                assert!(sent.is_err() || self.filling, "there was nothing to send");
                self.filling &= sent.is_err();
            }
            24..=28 => match pin.join() {
                Ok((join, descriptors)) => {
                    assert!(join.mediated && !std::mem::replace(&mut self.joined[which], true));
                    self.descriptors = descriptors;
                }
                // Its sender is in the middle of a hand-over.
                Err(Win32Error::BUSY) => {}
                Err(Win32Error::DEVICE_REMOVED) => self.is_over = true,
                Err(error) => assert!(self.joined[which], "it may, once: {error}"),
            },
            29 => drop(pin.call(KSMETHOD_KSPPIN_DESCRIPTORS, &mut (self.random.edge() as u32).to_le_bytes())),
            30..=32 => {
                // Anything, of any length.
                let length = self.random.next(80) as usize;
                let mut data: Vec<u8> = (0..length).map(|_| self.random.next(256) as u8).collect();
                // Not what ends it: those have arms of their own.
                let id = KSMETHOD_KSPPIN_FILE + self.random.next(64) as u32;
                if ![KSMETHOD_KSPPIN_END].contains(&id) && !(6..9).contains(&id) {
                    drop(pin.call_with(
                        id,
                        &mut data,
                        &vec![file(9, SealFlags::SHRINK).as_fd(); self.random.next(3) as usize],
                    ));
                }
            }
            33 if self.random.next(8) == 0 && pin.call(KSMETHOD_KSPPIN_LEAVE, &mut []).is_ok() => self.gone(which),
            34 if self.random.next(8) == 0 => {
                // Closed: what it had is given back at a look, and the place is free then.
                self.gone(which);
            }
            35 if which == 0 && self.random.next(8) == 0 => drop(self.descriptors.pop()),
            37..=38 if which == 1 => {
                // As it should be, where it has a frame and nothing was written yet.
                let _ = pin.set_file(file(PICTURE, SealFlags::SHRINK)).and_then(|()| pin.write(0, PICTURE));
                if pin.send(header(PICTURE, self.random.edge())).is_ok() {
                    assert!(std::mem::take(&mut self.filling));
                    self.sent += 1;
                }
            }
            36 if self.random.next(16) == 0 && which == 1 => drop(pin.call(KSMETHOD_KSPPIN_END, &mut [])),
            _ => {}
        }
    }

    fn gone(&mut self, which: usize) {
        self.pins[which] = None;
        self.joined[which] = false;
        if which == 0 { self.held.clear() } else { self.filling = false }
    }
}

pub(crate) fn arbitrary() {
    let text = scene(Some(300));
    let expected = alone(
        &text
            .replace(r#", "w.out -> s.in""#, "")
            .split("[filter.w]")
            .next()
            .unwrap()
            .replace(
                "pin.in = { direction = \"in\", holds = 2 }",
                "pin.in = { direction = \"in\", holds = 2 }\nrun = { kind = \"discard\" }",
            )
            .replace(
                "pin.in = { direction = \"in\", holds = 1 }",
                "pin.in = { direction = \"in\", holds = 1 }\nrun = { kind = \"discard\" }",
            ),
        "y",
    );
    let (mut got, mut sent) = (0, 0);
    for seed in 0..6 {
        let session = Session::start_with(&text, &["x", "v", "w"], named());
        let mut victim = session.process("read", &["v.in"]);
        assert_eq!(victim.says(), "joined");
        let graph = graph(&session.path());
        let (pins, joined) = ([None, None], [false; 2]);
        let (held, filling, descriptors) = (BTreeSet::new(), false, Vec::new());
        let mut fuzzer = Fuzzer {
            graph: &graph,
            random: Random(seed),
            pins,
            joined,
            held,
            filling,
            descriptors,
            is_over: false,
            got: 0,
            sent: 0,
        };
        for _ in 0..4000 {
            if !fuzzer.is_over {
                fuzzer.step();
            }
        }
        (got, sent) = (got + fuzzer.got, sent + fuzzer.sent);
        drop(fuzzer);
        let is_vacant = |name: &str| filter(&session.status(), name)["state"] == "vacant";
        while !session.thread.is_finished() && !["x", "w"].into_iter().all(is_vacant) {
            std::thread::yield_now();
        }
        // Where it has not begun, it begins now; the last who has a stream to `s` ends it. Unless all has ended.
        if let Ok(client) = Client::connect(session.path()) {
            let frames = client.pin("x.in").and_then(|pin| pin.frames());
            let writer = client.pin("w.out").and_then(|pin| pin.writer());
            assert!(frames.into_iter().flatten().filter(Result::is_ok).count() <= 300);
            writer.into_iter().for_each(kspipe_session::Writer::end);
        }
        assert_eq!(victim.says(), "first");
        let said = victim.says();
        assert!(said.starts_with("end 300 "), "seed {seed}: {said}");
        victim.ends();
        let (report, _) = session.ends();
        assert_eq!(report.outcome, Outcome::Finished, "seed {seed}: {report:#?}");
        assert_eq!(report.filter("y").unwrap().digest.as_ref(), Some(&expected), "seed {seed}");
    }
    assert!(got > 0 && sent > 0, "not noise alone: {got} {sent}");
}
