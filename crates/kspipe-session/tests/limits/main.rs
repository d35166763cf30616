//! Graphs that are served where the system gives no more, and where several processes end at once. This program starts
//! itself for each process.

#[cfg(target_os = "linux")]
mod graphs;
#[cfg(target_os = "linux")]
mod limits;
#[cfg(target_os = "linux")]
mod processes;

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
    for (name, test) in limits::all().into_iter().filter(|(name, _)| wanted.is_none_or(|wanted| name.contains(wanted)))
    {
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
