//! The allocator against a model of it: random lives, one operation at a time, everything observable compared.
#![cfg(not(loom))]

use kspipe::allocator::{
    AcquireError, Allocator, AllocatorProperties, CommitError, Frame, MemoryKind, RawFrame, SetPropertiesError,
    SharedFrame,
};
use proptest::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// One thing done to an allocator. Numbers choose among what is there, modulo how much that is.
#[derive(Clone, Debug)]
enum Operation {
    Set { frames: u32, size: u64, alignment: u64, prefix: u64 },
    Commit,
    Decommit,
    TryAcquire,
    AcquireAtOnce,
    Release(usize),
    Share(usize),
    CloneShared(usize),
    MakeExclusive(usize),
    MakeRaw(usize),
    Reclaim(usize),
    Notify(bool),
}

fn operation() -> impl Strategy<Value = Operation> {
    use Operation::*;
    let set = (0..6u32, 0..70u64, prop::sample::select(vec![1, 2, 16, 64, 4096, 0, 3]), 0..20u64)
        .prop_map(|(frames, size, alignment, prefix)| Set { frames, size, alignment, prefix });
    prop_oneof![
        2 => set,
        3 => Just(Commit),
        2 => Just(Decommit),
        8 => Just(TryAcquire),
        2 => Just(AcquireAtOnce),
        6 => any::<usize>().prop_map(Release),
        2 => any::<usize>().prop_map(Share),
        2 => any::<usize>().prop_map(CloneShared),
        2 => any::<usize>().prop_map(MakeExclusive),
        2 => any::<usize>().prop_map(MakeRaw),
        2 => any::<usize>().prop_map(Reclaim),
        1 => any::<bool>().prop_map(Notify),
    ]
}

/// A claim, and what was written into its frame.
enum Claim {
    Alone(Frame),
    Shared(SharedFrame),
    Raw(RawFrame),
}

impl Claim {
    fn index(&self) -> u32 {
        match self {
            Claim::Alone(frame) => frame.index(),
            Claim::Shared(frame) => frame.index(),
            Claim::Raw(frame) => frame.index(),
        }
    }

    fn check(&self, stamp: u8) {
        match self {
            Claim::Alone(frame) => assert!(frame.iter().all(|byte| *byte == stamp)),
            Claim::Shared(frame) => assert!(frame.iter().all(|byte| *byte == stamp)),
            Claim::Raw(_) => {}
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Phase {
    Idle,
    Live,
    Draining,
}

/// The allocator, what it should be, and the claims on its frames.
struct Run {
    allocator: Allocator,
    properties: AllocatorProperties,
    phase: Phase,
    peak: u32,
    acquires: u64,
    notify: bool,
    homes: u32,
    calls: Arc<AtomicU32>,
    claims: Vec<(Claim, u8)>,
    stale: Vec<RawFrame>,
    stamp: u8,
}

impl Run {
    fn new() -> Self {
        Self {
            allocator: Allocator::new(if cfg!(miri) { MemoryKind::Heap } else { MemoryKind::default() }),
            properties: AllocatorProperties::default(),
            phase: Phase::Idle,
            peak: 0,
            acquires: 0,
            notify: false,
            homes: 0,
            calls: Arc::default(),
            claims: Vec::new(),
            stale: Vec::new(),
            stamp: 0,
        }
    }

    fn in_use(&self) -> u32 {
        let mut indices: Vec<_> = self.claims.iter().map(|(claim, _)| claim.index()).collect();
        indices.sort_unstable();
        indices.dedup();
        indices.len() as u32
    }

    /// Takes out the claim chosen, of those that are `wanted`.
    fn choose(&mut self, choice: usize, wanted: impl Fn(&Claim) -> bool) -> Option<(Claim, u8)> {
        let places: Vec<_> = (0..self.claims.len()).filter(|place| wanted(&self.claims[*place].0)).collect();
        (!places.is_empty()).then(|| self.claims.swap_remove(places[choice % places.len()]))
    }

    fn came_home(&mut self) {
        if self.notify {
            self.homes += 1;
        }
        if self.phase == Phase::Draining && self.claims.is_empty() {
            self.phase = Phase::Idle;
        }
    }

    fn acquired(&mut self, result: Result<Frame, AcquireError>, when_empty: AcquireError) {
        let in_use = self.in_use();
        match result {
            Ok(mut frame) => {
                assert_eq!(self.phase, Phase::Live);
                assert!(in_use < self.properties.frames);
                assert!(self.claims.iter().all(|(claim, _)| claim.index() != frame.index()));
                assert_eq!(frame.len() as u64, self.properties.size);
                self.stamp = self.stamp.wrapping_add(1);
                frame.fill(self.stamp);
                frame.prefix_mut().fill(!self.stamp);
                self.claims.push((Claim::Alone(frame), self.stamp));
                self.acquires += 1;
                self.peak = self.peak.max(in_use + 1);
            }
            Err(AcquireError::NotCommitted) => assert_ne!(self.phase, Phase::Live),
            Err(error) => {
                assert_eq!(error, when_empty);
                assert_eq!((self.phase, in_use), (Phase::Live, self.properties.frames));
            }
        }
    }

    fn apply(&mut self, operation: Operation) {
        match operation {
            Operation::Set { frames, size, alignment, prefix } => {
                let request = AllocatorProperties { frames, size, alignment, prefix };
                match self.allocator.set_properties(request) {
                    Ok(actual) => {
                        assert_eq!(self.phase, Phase::Idle);
                        assert!(alignment.is_power_of_two());
                        assert_eq!((prefix + actual.size) % alignment, 0);
                        assert!((size..size + alignment).contains(&actual.size));
                        assert_eq!(AllocatorProperties { size, ..actual }, request);
                        self.properties = actual;
                    }
                    Err(SetPropertiesError::BadAlignment { .. }) => assert!(!alignment.is_power_of_two()),
                    Err(SetPropertiesError::AlreadyCommitted) => assert_eq!(self.phase, Phase::Live),
                    Err(SetPropertiesError::FramesOutstanding { frames }) => {
                        assert_eq!((self.phase, frames), (Phase::Draining, self.in_use()));
                    }
                }
            }
            Operation::Commit => match self.allocator.commit() {
                Ok(()) => {
                    if self.phase == Phase::Idle {
                        assert!(self.properties.frames > 0 && self.properties.size > 0);
                        self.peak = 0;
                    }
                    self.phase = Phase::Live;
                }
                Err(CommitError::NotSet { .. }) => {
                    assert_eq!(self.phase, Phase::Idle);
                    assert!(self.properties.frames == 0 || self.properties.size == 0);
                }
                Err(error) => panic!("{error}"),
            },
            Operation::Decommit => {
                self.allocator.decommit();
                if self.phase == Phase::Live {
                    self.phase = if self.claims.is_empty() { Phase::Idle } else { Phase::Draining };
                }
            }
            Operation::TryAcquire => self.acquired(self.allocator.try_acquire(), AcquireError::Empty),
            Operation::AcquireAtOnce => {
                self.acquired(self.allocator.acquire(Some(Duration::ZERO)), AcquireError::TimedOut);
            }
            Operation::Release(choice) => {
                if let Some((claim, _)) = self.choose(choice, |claim| !matches!(claim, Claim::Raw(_))) {
                    let index = claim.index();
                    drop(claim);
                    if self.claims.iter().all(|(claim, _)| claim.index() != index) {
                        self.came_home();
                    }
                }
            }
            Operation::Share(choice) => {
                if let Some((Claim::Alone(frame), stamp)) =
                    self.choose(choice, |claim| matches!(claim, Claim::Alone(_)))
                {
                    self.claims.push((Claim::Shared(frame.share()), stamp));
                }
            }
            Operation::CloneShared(choice) => {
                if let Some((Claim::Shared(frame), stamp)) =
                    self.choose(choice, |claim| matches!(claim, Claim::Shared(_)))
                {
                    self.claims.push((Claim::Shared(frame.clone()), stamp));
                    self.claims.push((Claim::Shared(frame), stamp));
                }
            }
            Operation::MakeExclusive(choice) => {
                if let Some((Claim::Shared(frame), stamp)) =
                    self.choose(choice, |claim| matches!(claim, Claim::Shared(_)))
                {
                    let alone = self.claims.iter().all(|(claim, _)| claim.index() != frame.index());
                    let claim = match frame.try_into_exclusive() {
                        Ok(frame) => {
                            assert!(alone);
                            Claim::Alone(frame)
                        }
                        Err(frame) => {
                            assert!(!alone);
                            Claim::Shared(frame)
                        }
                    };
                    self.claims.push((claim, stamp));
                }
            }
            Operation::MakeRaw(choice) => {
                if let Some((Claim::Alone(frame), stamp)) =
                    self.choose(choice, |claim| matches!(claim, Claim::Alone(_)))
                {
                    let raw = frame.into_raw();
                    // Raw twice in one use: the same raw frame again.
                    self.stale.retain(|stale| *stale != raw);
                    self.claims.push((Claim::Raw(raw), stamp));
                }
            }
            Operation::Reclaim(choice) => {
                for raw in &self.stale {
                    assert!(self.allocator.reclaim(*raw).is_err());
                }
                if let Some((Claim::Raw(raw), stamp)) = self.choose(choice, |claim| matches!(claim, Claim::Raw(_))) {
                    let frame = self.allocator.reclaim(raw).unwrap();
                    assert_eq!(frame.as_ptr() as usize, raw.address());
                    self.stale.push(raw);
                    self.claims.push((Claim::Alone(frame), stamp));
                }
            }
            Operation::Notify(on) => {
                let calls = self.calls.clone();
                self.allocator.set_notify(on.then(|| {
                    Arc::new(move || {
                        calls.fetch_add(1, Ordering::Relaxed);
                    }) as Arc<dyn Fn() + Send + Sync>
                }));
                self.notify = on;
            }
        }
    }

    fn compare(&self) {
        let status = self.allocator.status();
        assert_eq!(self.allocator.properties(), self.properties);
        assert_eq!(status.frames, self.properties.frames);
        assert_eq!(status.in_use, self.in_use());
        assert_eq!(status.peak, self.peak);
        assert_eq!(status.acquires, self.acquires);
        assert_eq!((status.waits, status.waiters), (0, 0));
        assert_eq!(status.committed, self.phase == Phase::Live);
        assert_eq!(status.draining, self.phase == Phase::Draining);
        let slot = self.properties.prefix + self.properties.size;
        let bytes = if self.phase == Phase::Idle { 0 } else { u64::from(self.properties.frames) * slot };
        assert_eq!(status.bytes, bytes);
        assert_eq!(self.calls.load(Ordering::Relaxed), self.homes);
        for (claim, stamp) in &self.claims {
            claim.check(*stamp);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if cfg!(miri) { 4 } else { 512 },
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_allocator_does_what_its_model_does(operations in prop::collection::vec(operation(), 1..120)) {
        let mut run = Run::new();
        for operation in operations {
            run.apply(operation);
            run.compare();
        }
        // And all frames find home after their allocator is gone, but for raw ones, which need it for that.
        for (claim, _) in std::mem::take(&mut run.claims) {
            if let Claim::Raw(raw) = claim {
                drop(run.allocator.reclaim(raw).unwrap());
            }
        }
        prop_assert_eq!(run.allocator.status().in_use, 0);
    }

    #[test]
    fn frames_outlive_the_allocator_in_any_order(order in prop::collection::vec(any::<usize>(), 5)) {
        let allocator = Allocator::new(if cfg!(miri) { MemoryKind::Heap } else { MemoryKind::default() });
        let request = AllocatorProperties { frames: 5, size: 100, alignment: 8, prefix: 4 };
        allocator.set_properties(request).unwrap();
        allocator.commit().unwrap();
        let mut frames: Vec<_> = (0..5).map(|_| Some(allocator.try_acquire().unwrap())).collect();
        let mut allocator = Some(allocator);
        for (turn, place) in order.into_iter().enumerate() {
            if place % 5 == turn {
                allocator = None;
            }
            if let Some(frame) = &mut frames[place % 5] {
                frame.fill(turn as u8);
            }
            frames[place % 5] = None;
        }
        drop(allocator);
        for frame in frames.iter_mut().flatten() {
            frame.fill(0xEE);
        }
    }
}
