//! Waking a receiver that sleeps, beside a raw futex: from just before the sender's call to the receiver's return.

use kspipe::allocator::AllocatorProperties;
use kspipe::allocator::shared::{Access, Holder, Participant, SharedPool, SharedPoolProperties};
use std::sync::atomic::{AtomicI32, AtomicU32, AtomicU64, Ordering};
use std::time::Instant;

/// Has the calling thread run on one of the processors this process may use.
pub fn pin(nth: usize) {
    // SAFETY: the sets are ours and as large as is said.
    unsafe {
        static ALLOWED: std::sync::OnceLock<Vec<usize>> = std::sync::OnceLock::new();
        let allowed = ALLOWED.get_or_init(|| {
            let mut set: libc::cpu_set_t = std::mem::zeroed();
            libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), &mut set);
            (0..libc::CPU_SETSIZE as usize).filter(|cpu| libc::CPU_ISSET(*cpu, &set)).collect()
        });
        let mut one: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(allowed[nth % allowed.len()], &mut one);
        libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &one);
    }
}

static EPOCH: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();

fn now() -> u64 {
    EPOCH.get_or_init(Instant::now).elapsed().as_nanos() as u64
}

/// A thread that sleeps, over and over, and says when it woke.
#[derive(Default)]
struct Sleeper {
    thread: AtomicI32,
    turns: AtomicU64,
    woke: AtomicU64,
}

impl Sleeper {
    fn woke_up(&self) {
        self.woke.store(now(), Ordering::Relaxed);
        self.turns.fetch_add(1, Ordering::Release);
    }

    /// Waits until the thread sleeps in the kernel, in its turn `turn`.
    fn until_asleep(&self, turn: u64) {
        while self.turns.load(Ordering::Acquire) != turn || !self.sleeps() {
            std::thread::yield_now();
        }
    }

    fn sleeps(&self) -> bool {
        let path = format!("/proc/self/task/{}/stat", self.thread.load(Ordering::Acquire));
        let stat = std::fs::read_to_string(path).unwrap_or_default();
        stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('S'))
    }

    fn woke_after(&self, turn: u64, since: u64) -> f64 {
        while self.turns.load(Ordering::Acquire) != turn + 1 {
            std::hint::spin_loop();
        }
        self.woke.load(Ordering::Relaxed).saturating_sub(since) as f64
    }

    fn introduce(&self) {
        pin(1);
        // SAFETY: asks for a number.
        self.thread.store(unsafe { libc::gettid() }, Ordering::Release);
    }
}

fn futex(word: &AtomicU32, operation: i32, value: u32) {
    // SAFETY: the word is alive; no timeout.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), operation, value, 0usize, 0usize, 0u32) };
}

/// Medians of so many wakes of each, one after the other, and the interval of their ratio.
pub fn compare(wakes: u64) {
    let (source, sink) = (Holder::acquirer(0).unwrap(), Holder::in_pin(0).unwrap());
    let mut pool = SharedPool::create(SharedPoolProperties {
        frames: AllocatorProperties { frames: 4, size: 64, alignment: 64, prefix: 0 },
        senders: vec![source],
        acquirers: 1,
        ..SharedPoolProperties::default()
    })
    .expect("a pool");
    pool.admit(source).expect("admitted");
    pool.admit(sink).expect("admitted");
    let (from, to) =
        (pool.participant().clone(), Participant::open(pool.descriptors().expect("descriptors"), Access::Read));
    let (mut acquirer, mut sender) = (from.acquirer(source).expect("a role"), from.sender(source).expect("a role"));
    let mut receiver = to.expect("open").receiver(sink).expect("a role");
    let (frames, raw, word) = (Sleeper::default(), Sleeper::default(), AtomicU32::new(0));
    let mut times = [Vec::new(), Vec::new()];
    std::thread::scope(|scope| {
        scope.spawn(|| {
            frames.introduce();
            for _ in 0..wakes {
                let frame = receiver.receive(None).expect("a frame");
                frames.woke_up();
                drop(frame);
            }
        });
        scope.spawn(|| {
            raw.introduce();
            for turn in 0..wakes as u32 {
                while word.load(Ordering::Acquire) == turn {
                    futex(&word, libc::FUTEX_WAIT, turn);
                }
                raw.woke_up();
            }
        });
        pin(0);
        for turn in 0..wakes {
            // The frame is there before: only the hand-over is timed, as only the store and the wake are of the other.
            let frame = acquirer.acquire(None).expect("a frame");
            frames.until_asleep(turn);
            let since = now();
            sender.hand_over(frame).expect("handed over");
            times[0].push(frames.woke_after(turn, since));

            raw.until_asleep(turn);
            let since = now();
            word.store(turn as u32 + 1, Ordering::Release);
            futex(&word, libc::FUTEX_WAKE, 1);
            times[1].push(raw.woke_after(turn, since));
        }
    });
    let (low, high) = interval(&times);
    let [own, other] = times.map(crate::median);
    println!(
        "wake of a sleeping receiver, {wakes} each in turn: kspipe {own:.0} ns, raw futex {other:.0} ns; \
         ratio {:.3}, 95 % {low:.3} to {high:.3}",
        own / other
    );
}

/// The 95 % interval of the ratio of the medians, by drawing the pairs again.
fn interval(times: &[Vec<f64>; 2]) -> (f64, f64) {
    let count = times[0].len();
    let mut state = 0x9E37_79B9_7F4A_7C15u64;
    let mut draw = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as usize % count
    };
    let mut ratios: Vec<f64> = (0..400)
        .map(|_| {
            let places: Vec<usize> = (0..count).map(|_| draw()).collect();
            let of = |times: &[f64]| crate::median(places.iter().map(|place| times[*place]).collect());
            of(&times[0]) / of(&times[1])
        })
        .collect();
    ratios.sort_by(f64::total_cmp);
    (ratios[9], ratios[389])
}
