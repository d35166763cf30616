//! Graphs that are served to processes. This program starts itself for each of them: it is the server, a reader, a writer, or
//! runs a filter; and it is killed.

#[cfg(target_os = "linux")]
mod arbitrary;
#[cfg(target_os = "linux")]
mod attempts;
#[cfg(target_os = "linux")]
mod ends;
#[cfg(target_os = "linux")]
mod graphs;
#[cfg(target_os = "linux")]
mod hostile;
#[cfg(target_os = "linux")]
mod mediated;
#[cfg(target_os = "linux")]
mod processes;
#[cfg(target_os = "linux")]
mod raw;
#[cfg(target_os = "linux")]
mod refusals;
#[cfg(target_os = "linux")]
mod session;
#[cfg(target_os = "linux")]
#[path = "../../../../fuzz/checks/session.rs"]
mod session_check;
#[cfg(target_os = "linux")]
mod stalls;
#[cfg(target_os = "linux")]
mod streams;

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("not run: graphs are served to processes on Linux only");
}

#[cfg(target_os = "linux")]
fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if processes::run(&arguments) {
        return;
    }
    let list = arguments.iter().any(|argument| argument == "--list");
    let wanted = arguments.iter().find(|argument| !argument.starts_with('-'));
    let (mut passed, mut failed) = (0, 0);
    let all = [streams::all(), ends::all(), refusals::all(), mediated::all(), hostile::all(), stalls::all()].concat();
    for (name, test) in all.into_iter().filter(|(name, _)| wanted.is_none_or(|wanted| name.contains(wanted))) {
        if list {
            println!("{name}: test");
            continue;
        }
        let good = std::panic::catch_unwind(test).is_ok();
        println!("test {name} ... {}", if good { "ok" } else { "FAILED" });
        *(if good { &mut passed } else { &mut failed }) += 1;
    }
    if !list {
        let word = if failed == 0 { "ok" } else { "FAILED" };
        println!("\ntest result: {word}. {passed} passed; {failed} failed; 0 ignored");
    }
    if failed != 0 {
        std::process::exit(1);
    }
}
