//! Processes that are stepped and killed: fork, ptrace and signals, as the system has them.

#![allow(unsafe_code)]

use std::time::{Duration, Instant};

/// A child of this process.
pub(crate) struct Child {
    pid: libc::pid_t,
    reaped: bool,
    /// It has slept while it was traced, and who waited for it to go on did what the living do then.
    slept: bool,
}

/// What the living do when a traced child first sleeps: without it, it may sleep for ever.
pub(crate) type WhenAsleep<'a> = Option<&'a mut dyn FnMut()>;

/// What a child did when it was waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Exited(i32),
    Killed(i32),
    Stopped(i32),
}

impl Event {
    fn of(status: i32) -> Self {
        if libc::WIFEXITED(status) {
            Event::Exited(libc::WEXITSTATUS(status))
        } else if libc::WIFSIGNALED(status) {
            Event::Killed(libc::WTERMSIG(status))
        } else {
            Event::Stopped(libc::WSTOPSIG(status))
        }
    }
}

/// What a child exits with where it may not be traced.
pub(crate) const NOT_TRACED: i32 = 97;

impl Child {
    /// A child that runs this and exits with what it returns; a panic in it is 101.
    pub(crate) fn start(run: impl FnOnce() -> i32) -> Child {
        // SAFETY: this process has one thread, so the child has all of it. It never returns from here.
        match unsafe { libc::fork() } {
            -1 => panic!("fork: {}", std::io::Error::last_os_error()),
            0 => {
                // SAFETY: a child does not outlive its parent: asked of the kernel, which touches no memory of ours.
                unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
                let code = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).unwrap_or(101);
                // SAFETY: ends the process, without what the parent left to be done at its exit.
                unsafe { libc::_exit(code) }
            }
            pid => Child { pid, reaped: false, slept: false },
        }
    }

    /// A child that is traced, at the point where it first called [`stop`].
    pub(crate) fn start_traced(run: impl FnOnce() -> i32) -> Child {
        let mut child = Child::start(|| {
            // SAFETY: asks to be traced by the parent; touches no memory.
            if unsafe { libc::ptrace(libc::PTRACE_TRACEME, 0, 0, 0) } == -1 {
                return NOT_TRACED;
            }
            run()
        });
        match child.wait() {
            Event::Stopped(libc::SIGSTOP) => child,
            Event::Exited(NOT_TRACED) => {
                eprintln!("ptrace is not permitted here (seccomp, a container's profile, or no CAP_SYS_PTRACE):");
                eprintln!("the torture steps processes instruction by instruction and cannot run without it.");
                std::process::exit(1);
            }
            event => panic!("a traced child did not reach its start: {event:?}"),
        }
    }

    pub(crate) fn wait(&mut self) -> Event {
        let mut status = 0;
        loop {
            // SAFETY: `status` is ours, and the child is not reaped yet.
            if unsafe { libc::waitpid(self.pid, &mut status, libc::__WALL) } == self.pid {
                break;
            }
            assert_eq!(std::io::Error::last_os_error().raw_os_error(), Some(libc::EINTR), "waitpid");
        }
        let event = Event::of(status);
        self.reaped |= !matches!(event, Event::Stopped(_));
        event
    }

    /// What it did, if it did something.
    fn look(&mut self) -> Option<Event> {
        let mut status = 0;
        // SAFETY: as in `wait`.
        if unsafe { libc::waitpid(self.pid, &mut status, libc::WNOHANG) } != self.pid {
            return None;
        }
        let event = Event::of(status);
        self.reaped |= !matches!(event, Event::Stopped(_));
        Some(event)
    }

    /// What it did; where it sleeps first, the living act.
    fn wait_or_wake(&mut self, when_asleep: WhenAsleep<'_>) -> Event {
        if let Some(act) = when_asleep
            && !self.slept
        {
            loop {
                if let Some(event) = self.look() {
                    return event;
                }
                if self.is_blocked() {
                    self.slept = true;
                    act();
                    break;
                }
                std::thread::yield_now();
            }
        }
        self.wait()
    }

    /// What it did, unless it does nothing for too long: it hangs.
    pub(crate) fn wait_for(&mut self, timeout: Duration) -> Option<Event> {
        let deadline = Instant::now() + timeout;
        loop {
            if let Some(event) = self.look() {
                return Some(event);
            }
            if Instant::now() > deadline {
                return None;
            }
            std::thread::yield_now();
        }
    }

    /// Kills it where it is, and sees its end.
    pub(crate) fn kill(mut self) {
        self.end();
    }

    fn end(&mut self) {
        if !self.reaped {
            // SAFETY: a child of ours that was not reaped, so the number is still its own.
            unsafe { libc::kill(self.pid, libc::SIGKILL) };
            while !self.reaped {
                self.wait();
            }
        }
    }

    /// It sleeps in the kernel.
    pub(crate) fn is_blocked(&self) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid)).unwrap_or_default();
        stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('S'))
    }

    fn ptrace(&self, request: libc::c_uint, address: usize, data: usize) -> i64 {
        // SAFETY: of a child that is stopped under our trace. What is written is the child's memory and registers, and for
        // GETREGS `data` is a structure of ours that is large enough.
        unsafe { libc::ptrace(request, self.pid, address, data) }
    }

    /// One instruction. `None` once it has called [`stop`] again.
    pub(crate) fn step(&mut self, when_asleep: WhenAsleep<'_>) -> Option<()> {
        assert_eq!(self.ptrace(libc::PTRACE_SINGLESTEP, 0, 0), 0, "single step");
        match self.wait_or_wake(when_asleep) {
            Event::Stopped(libc::SIGTRAP) => Some(()),
            Event::Stopped(libc::SIGSTOP) => None,
            event => panic!("stepped into {event:?}"),
        }
    }

    /// On until it calls [`stop`] again.
    pub(crate) fn run_to_stop(&mut self, when_asleep: WhenAsleep<'_>) {
        assert_eq!(self.ptrace(libc::PTRACE_CONT, 0, 0), 0, "continue");
        assert_eq!(self.wait_or_wake(when_asleep), Event::Stopped(libc::SIGSTOP), "runs to its next stop");
    }

    pub(crate) fn registers(&self) -> libc::user_regs_struct {
        // SAFETY: a structure of numbers.
        let mut registers: libc::user_regs_struct = unsafe { std::mem::zeroed() };
        assert_eq!(self.ptrace(libc::PTRACE_GETREGS, 0, (&raw mut registers) as usize), 0, "registers");
        registers
    }

    pub(crate) fn instruction(&self) -> u64 {
        self.registers().rip
    }

    fn peek(&self, address: u64) -> i64 {
        self.ptrace(libc::PTRACE_PEEKTEXT, address as usize, 0)
    }

    /// The next instruction is a system call.
    pub(crate) fn is_at_system_call(&self) -> bool {
        self.peek(self.instruction()) & 0xFFFF == 0x050F
    }

    /// On until it is about to execute the instruction at this address for the `nth` time, from 1. `false` where it called
    /// [`stop`] before.
    pub(crate) fn run_to(&mut self, address: u64, nth: u32, mut when_asleep: WhenAsleep<'_>) -> bool {
        let word = self.peek(address);
        let trap = (word & !0xFF) | 0xCC;
        for hit in 1..=nth {
            assert_eq!(self.ptrace(libc::PTRACE_POKETEXT, address as usize, trap as usize), 0, "breakpoint");
            assert_eq!(self.ptrace(libc::PTRACE_CONT, 0, 0), 0, "continue");
            let act: WhenAsleep<'_> = when_asleep.as_mut().map(|act| &mut **act as &mut dyn FnMut());
            match self.wait_or_wake(act) {
                Event::Stopped(libc::SIGTRAP) => {}
                Event::Stopped(libc::SIGSTOP) => return false,
                event => panic!("on its way to {address:#x}: {event:?}"),
            }
            let mut registers = self.registers();
            assert_eq!(registers.rip, address + 1, "stopped by the breakpoint");
            registers.rip = address;
            assert_eq!(self.ptrace(libc::PTRACE_SETREGS, 0, (&raw mut registers) as usize), 0, "registers");
            assert_eq!(self.ptrace(libc::PTRACE_POKETEXT, address as usize, word as usize), 0, "breakpoint");
            if hit < nth {
                // The instruction may be a call that sleeps.
                let act: WhenAsleep<'_> = when_asleep.as_mut().map(|act| &mut **act as &mut dyn FnMut());
                self.step(act);
            }
        }
        true
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.end();
    }
}

/// Stops this process, for its tracer.
#[inline(never)]
pub(crate) fn stop() {
    // SAFETY: sends a signal to this process's only thread.
    unsafe { libc::raise(libc::SIGSTOP) };
}

/// Has this process and its children run on one processor, so that nothing spins and runs are the same every time.
pub(crate) fn use_one_processor() {
    // SAFETY: the sets are ours and as large as is said; touches no other memory.
    unsafe {
        let mut allowed: libc::cpu_set_t = std::mem::zeroed();
        assert_eq!(libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), &mut allowed), 0);
        let first = (0..libc::CPU_SETSIZE as usize).find(|cpu| libc::CPU_ISSET(*cpu, &allowed)).expect("a processor");
        let mut one: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(first, &mut one);
        assert_eq!(libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &one), 0);
    }
}

/// Words that this process shares with the children it forks.
pub(crate) fn shared_words(count: usize) -> &'static [std::sync::atomic::AtomicU64] {
    let bytes = count * 8;
    let (access, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED | libc::MAP_ANONYMOUS);
    // SAFETY: a new mapping, zeroed and never unmapped, only ever used as atomic words.
    unsafe {
        let start = libc::mmap(std::ptr::null_mut(), bytes, access, flags, -1, 0);
        assert_ne!(start, libc::MAP_FAILED, "{}", std::io::Error::last_os_error());
        std::slice::from_raw_parts(start.cast(), count)
    }
}

/// Descriptors this process has open.
pub(crate) fn open_descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count)
}
