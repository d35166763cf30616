//! Processes over one shared pool are killed at every instruction of what they do, and at random, and after each death an
//! auditor looks at what is left: every frame is free or held by somebody living, none was delivered twice, torn, out of
//! order or lost but the one its killed writer was writing, and nobody waits for what will not come.
//!
//! `KSPIPE_KILLS=10000` kills so often at random, and at every instruction without exception (some minutes). By default it is 300, and of
//! instructions that are far from every change of the shared memory and from every system call, every 16th.
//!
//! The steps also show that no role calls the system while its peers are awake.
//!
//! With the feature `wrong-hand-over` the same tests run on two hand-overs that are wrong, and have to find it.
#![cfg_attr(feature = "wrong-hand-over", allow(dead_code, reason = "only hand-overs are tried then"))]

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod audits;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod payload;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod process;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod random;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod roles;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod scenes;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod stage;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod steps;

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
fn main() {
    println!("not run: the torture steps processes as Linux on x86-64 does it");
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn main() {
    if std::env::args().any(|argument| argument == "--list") {
        println!("shared_torture: test");
        return;
    }
    let kills = match std::env::var("KSPIPE_KILLS") {
        Ok(text) => text.parse().expect("KSPIPE_KILLS is a number"),
        Err(_) => 300,
    };
    let every = kills >= 10_000;
    let failed = run(kills, every);
    let (word, passed) = if failed == 0 { ("ok", 1) } else { ("FAILED", 0) };
    println!("\ntest result: {word}. {passed} passed; {} failed; 0 ignored; {failed} violations", 1 - passed);
    if failed != 0 {
        std::process::exit(1);
    }
}

#[cfg(all(target_os = "linux", target_arch = "x86_64", not(feature = "wrong-hand-over")))]
fn run(kills: u32, every: bool) -> usize {
    let mut violations = random::run(kills);
    process::use_one_processor();
    violations.extend(steps::run(&scenes::all(), every));
    violations.iter().for_each(|violation| eprintln!("violation: {violation}"));
    violations.len()
}

/// Each wrong hand-over has to be found.
#[cfg(all(target_os = "linux", target_arch = "x86_64", feature = "wrong-hand-over"))]
fn run(_: u32, every: bool) -> usize {
    use kspipe::allocator::shared::wrong::{Wrong, set};
    process::use_one_processor();
    let mut missed = 0;
    for wrong in [Wrong::Nothing, Wrong::Exchanged, Wrong::NoSecondLook] {
        set(wrong);
        println!("\n{wrong:?}");
        let violations = steps::run(&scenes::hand_overs(), every);
        if let Some(first) = violations.first() {
            println!("found: {} violations, the first: {first}", violations.len());
        }
        missed += usize::from(violations.is_empty() != (wrong == Wrong::Nothing));
    }
    missed
}
