//! Graphs whose filters run in several processes: this program starts itself for each of them, hands it the pools'
//! descriptors over a socket, and every sink must get what it gets where all runs in one process. At the end all frames are
//! home.

#[cfg(target_os = "linux")]
mod descriptors;
#[cfg(target_os = "linux")]
mod graphs;
#[cfg(target_os = "linux")]
mod processes;
#[cfg(target_os = "linux")]
#[path = "../stream_support/mod.rs"]
mod stream_support;

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("not run: processes share frames on Linux only");
}

#[cfg(target_os = "linux")]
fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [part, graph, filter] = arguments.as_slice()
        && part == processes::PART
    {
        processes::run_part(graph, filter);
        return;
    }
    type Test = (String, Box<dyn Fn() + std::panic::UnwindSafe + std::panic::RefUnwindSafe>);
    let mut tests: Vec<Test> = Vec::new();
    for graph in graphs::all() {
        let name = format!("every_sink_gets_what_it_gets_in_one_process::{}", graph.name);
        tests.push((name, Box::new(move || processes::same_as_in_one_process(&graph))));
    }
    tests.push(("a_stopped_graph_ends_in_every_process".into(), Box::new(processes::stopped)));
    tests.push(("a_sink_that_fails_leaves_and_the_others_go_on".into(), Box::new(processes::one_fails)));
    tests.push((
        "a_process_that_is_killed_is_recovered_and_the_others_go_on".into(),
        Box::new(processes::one_is_killed),
    ));
    tests.push(("processes_that_lose_their_server_end_with_an_error".into(), Box::new(processes::server_gone)));
    let list = arguments.iter().any(|argument| argument == "--list");
    let wanted = arguments.iter().find(|argument| !argument.starts_with('-'));
    let (mut passed, mut failed) = (0, 0);
    for (name, test) in tests.iter().filter(|(name, _)| wanted.is_none_or(|wanted| name.contains(wanted))) {
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
