//! The tests.

use crate::graphs::{apart_and_together, copies, fork, into_file, serve};
use crate::processes::Process;
use kspipe::stream::{Outcome, Report};
use kspipe_session::{Begins, ServeError, ServerControl, ServerOptions, StreamsOfTheDead};
use serde_json::Value;
use std::path::PathBuf;
use std::thread::JoinHandle;

pub(crate) fn all() -> Vec<(&'static str, fn())> {
    vec![
        ("a_process_without_descriptors_hears_so_and_keeps_no_place", no_descriptors_there),
        ("a_server_without_descriptors_goes_on_with_those_there_are", no_descriptors_here),
        ("sixty_pipes_are_shared", sixty_pipes),
        ("one_process_takes_all_filters_of_a_graph", all_filters),
        ("who_opens_a_graph_again_and_again_meets_a_bound_and_others_come_in", opens_many),
        ("as_many_pins_of_a_filter_as_can_share_a_pipe_run_elsewhere", many_pins),
        ("a_server_that_is_stopped_twice_ends_where_nobody_reads_what_its_sink_writes", stopped_twice),
        ("several_that_die_at_once_are_recovered_and_replaced", killed_together),
        ("several_that_die_at_once_end_their_streams_where_that_is_asked", killed_for_good),
    ]
}

/// A server in a thread.
struct Session {
    folder: tempfile::TempDir,
    control: ServerControl,
    thread: JoinHandle<Result<Report, ServeError>>,
}

impl Session {
    fn start(text: &str, outside: &[&str], options: ServerOptions) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = serve(&folder.path().join("graph"), text, outside, options).unwrap();
        let control = server.control();
        Self { folder, control, thread: std::thread::spawn(move || server.run()) }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("graph")
    }

    fn process(&self, what: &str, rest: &[&str]) -> Process {
        Process::start(what, &self.path(), rest)
    }

    fn status(&self) -> Value {
        serde_json::from_str(&self.control.status()).unwrap()
    }

    /// Waits, without a clock, until the status is as it should be.
    fn until(&self, is: impl Fn(&Value) -> bool) -> Value {
        loop {
            let status = self.status();
            if is(&status) {
                return status;
            }
            assert!(!self.thread.is_finished(), "the server has ended: {status:#}");
            std::thread::yield_now();
        }
    }

    /// Waits for the server's end. All frames are home.
    fn ends(self) -> (Report, Value) {
        let report = self.thread.join().unwrap().unwrap();
        assert!(report.all_frames_home(), "{report:#?}");
        let status: Value = serde_json::from_str(&self.control.status()).unwrap();
        for pipe in status["pipes"].as_array().unwrap() {
            assert_eq!(pipe["free"], pipe["frames"], "{status:#}");
        }
        (report, status)
    }
}

fn filter<'a>(status: &'a Value, name: &str) -> &'a Value {
    status["filters"].as_array().unwrap().iter().find(|filter| filter["name"] == name).unwrap()
}

/// How many frames a holder has taken or acquired.
fn taken(status: &Value, pin: &str) -> u64 {
    let pipes = status["pipes"].as_array().unwrap().iter();
    let mut holders = pipes.flat_map(|pipe| pipe["holders"].as_array().unwrap());
    holders.find(|holder| holder["pin"] == pin).unwrap()["taken"].as_u64().unwrap()
}

fn no_descriptors_there() {
    let session = Session::start(&fork(), &["x"], ServerOptions::default());
    let (mut refused, mut got) = (0, 0);
    for spare in 1..40 {
        let mut reader = session.process("read-with", &["x.in", &spare.to_string()]);
        let says = reader.says();
        match says.strip_prefix("error ") {
            Some(error) => {
                // It lives on, and keeps the place from nobody, and no frame.
                assert!(error.contains("descriptor") || error.contains("open files"), "{spare}: {error}");
                let status = session.until(|status| filter(status, "x")["state"] != "opened");
                assert_eq!(filter(&status, "x")["state"], "vacant", "{spare}: {error}: {status:#}");
                let now = taken(&status, "a.out");
                session.until(|status| taken(status, "a.out") > now + 20);
                refused += 1;
            }
            None => {
                assert!(says.starts_with("got "), "{spare}: {says}");
                got += 1;
            }
        }
        reader.go_on();
        reader.ends();
    }
    assert!(refused > 3 && got > 3, "{refused} were refused, {got} got a frame");
    session.control.stop();
    session.ends();
}

fn no_descriptors_here() {
    // What a client takes, and more.
    const ENOUGH: u64 = 200;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("graph");
    let mut reached = 0;
    for (spare, trust) in (0..30).chain([ENOUGH]).flat_map(|spare| [(spare, "trusts"), (spare, "trusts-nobody")]) {
        let mut server = Process::start("serve-with", &path, &[trust, &spare.to_string()]);
        assert_eq!(server.says(), "serving");
        let mut bystander = Process::start("read-on", &path, &["z.in"]);
        assert_eq!(bystander.says(), "first");
        server.go_on();
        assert_eq!(server.says(), "limited");
        // Each hears at once whether there is room, and why not, and leaves none the less for the next.
        for _ in 0..3 {
            let mut reader = Process::start("read-with", &path, &["x.in", "100"]);
            let says = reader.says();
            let refused = says.starts_with("error ") && says.contains("ulimit -n") && says.contains("server");
            assert!(refused || says.starts_with("got "), "{spare}, {trust}: {says}");
            assert!(spare < ENOUGH || !refused, "{spare}, {trust}: {says}");
            reached += u32::from(!refused);
            reader.go_on();
            reader.ends();
        }
        // Who was there before goes on.
        bystander.go_on();
        assert_eq!(bystander.says(), "more", "{spare}, {trust}");
        bystander.ends();
        server.kill();
    }
    assert!(reached > 10, "{reached}");
}

/// Copies after each other, named as [`copies`] does.
fn names(filters: usize) -> Vec<String> {
    (0..filters).map(|place| format!("f{place:03}")).collect()
}

fn all_filters() {
    const FILTERS: usize = 60;
    let names = names(FILTERS);
    let outside: Vec<&str> = names.iter().map(String::as_str).collect();
    for by in ["one", "each"] {
        let options = ServerOptions { begins: Begins::WhenAllHaveJoined, ..ServerOptions::default() };
        let session = Session::start(&copies(50, FILTERS), &outside, options);
        let mut process = session.process("attach-all", &[&[by], &outside[..]].concat());
        assert_eq!(process.says(), format!("joined {FILTERS}"), "{by}");
        assert_eq!(process.says(), "end", "{by}");
        process.ends();
        let (report, _) = session.ends();
        assert_eq!(report.filter("s").unwrap().frames_in, 50);
    }
}

fn opens_many() {
    const FILTERS: usize = 20;
    let names = names(FILTERS);
    let outside: Vec<&str> = names.iter().map(String::as_str).collect();
    let options = ServerOptions { begins: Begins::WhenAllHaveJoined, ..ServerOptions::default() };
    let session = Session::start(&copies(50, FILTERS), &outside, options);
    let mut greedy: Vec<Process> = (0..2).map(|_| session.process("open-many", &[])).collect();
    for process in &mut greedy {
        let says = process.says();
        let (count, why) = says.split_once(' ').unwrap();
        // 64 KiB, and what a client for each filter and its two pins take, at 2 KiB for each opening.
        let most = (64 + FILTERS * 2 + FILTERS * 2 * 3) / 2;
        let count: usize = count.parse().unwrap();
        assert!((32 + FILTERS..=most).contains(&count), "{says}");
        assert!(why.contains("no more memory for this process"), "{says}");
    }
    let mut process = session.process("attach-all", &[&["each"], &outside[..]].concat());
    assert_eq!(process.says(), format!("joined {FILTERS}"));
    assert_eq!(process.says(), "end");
    process.ends();
    drop(greedy);
    session.ends();
}

fn sixty_pipes() {
    const FILTERS: usize = 59;
    let text = copies(50, FILTERS);
    let names: Vec<String> = (0..FILTERS).step_by(2).map(|place| format!("f{place:03}")).collect();
    let outside: Vec<&str> = names.iter().map(String::as_str).collect();
    let options = ServerOptions { begins: Begins::WhenAllHaveJoined, ..ServerOptions::default() };
    let session = Session::start(&text, &outside, options);
    let mut processes: Vec<_> = outside.iter().map(|filter| session.process("attach", &[filter])).collect();
    for process in &mut processes {
        assert_eq!(process.says(), "joined");
    }
    for process in &mut processes {
        assert_eq!(process.says(), "end Finished []");
        process.ends();
    }
    let (report, status) = session.ends();
    assert_eq!(status["pipes"].as_array().unwrap().len(), 60);
    assert_eq!(report.filter("s").unwrap().frames_in, 50);
}

fn many_pins() {
    // The in pins of a pipe that other processes send to: the tee's, the sink's, and one for each branch.
    const BRANCHES: usize = 30;
    let options = ServerOptions { begins: Begins::WhenAllHaveJoined, ..ServerOptions::default() };
    for outside in [&["t"][..], &["j"], &["t", "j"]] {
        let session = Session::start(&apart_and_together(50, BRANCHES), outside, options.clone());
        let mut processes: Vec<_> = outside.iter().map(|filter| session.process("attach", &[filter])).collect();
        for process in &mut processes {
            assert_eq!(process.says(), "joined");
        }
        for process in &mut processes {
            assert_eq!(process.says(), "end Finished []");
            process.ends();
        }
        assert_eq!(session.ends().0.filter("s").unwrap().frames_in, 50);
    }
}

fn stopped_twice() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    rustix::fs::mknodat(rustix::fs::CWD, &out, rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU, 0).unwrap();
    // Somebody has it open, and never reads.
    let _reader = std::fs::OpenOptions::new().read(true).write(true).open(&out).unwrap();
    let session = Session::start(&into_file(&out), &["a"], ServerOptions::default());
    let mut source = session.process("attach", &["a"]);
    assert_eq!(source.says(), "joined");
    // All frames are out, and stay so: the sink is stuck.
    session.until(|status| status["pipes"][0]["free"] == 0 && taken(status, "a.out") > 60);
    session.control.stop();
    session.control.stop();
    let report = session.thread.join().unwrap().unwrap();
    assert_ne!(report.outcome, Outcome::Finished);
    assert!(source.says().starts_with("end "));
    source.ends();
}

/// Numbers that look random.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }
}

const KILLED: [&str; 4] = ["a", "t", "x", "z"];

/// Runs filters of the graph with three branches in processes of their own.
fn with_processes(streams_of_the_dead: StreamsOfTheDead) -> (Session, Vec<Process>) {
    let begins = Begins::WhenAllHaveJoined;
    let session =
        Session::start(&fork(), &KILLED, ServerOptions { streams_of_the_dead, begins, ..ServerOptions::default() });
    let mut processes: Vec<_> = KILLED.iter().map(|name| session.process("attach", &[name])).collect();
    processes.iter_mut().for_each(|process| assert_eq!(process.says(), "joined"));
    (session, processes)
}

/// Kills some of them at once, after so many frames more. Gives which.
fn kill(session: &Session, processes: &mut [Process], numbers: &mut Numbers) -> Vec<usize> {
    let (now, more) = (taken(&session.status(), "y.in"), numbers.below(40));
    session.until(|status| taken(status, "y.in") >= now + more);
    let which: Vec<usize> = (0..KILLED.len()).filter(|_| numbers.below(2) == 0).collect();
    which.iter().for_each(|place| processes[*place].kill());
    which.iter().for_each(|place| processes[*place].is_dead());
    which
}

fn deaths(status: &Value) -> u64 {
    status["filters"].as_array().unwrap().iter().map(|filter| filter["deaths"].as_u64().unwrap()).sum()
}

fn killed_together() {
    let (session, mut processes) = with_processes(StreamsOfTheDead::GoOn);
    let mut numbers = Numbers(7);
    let mut kills = 0;
    for round in 0..50 {
        let which = kill(&session, &mut processes, &mut numbers);
        kills += which.len() as u64;
        // Before the server has heard of it, often.
        which.iter().for_each(|place| processes[*place] = session.process("attach", &[KILLED[*place]]));
        which.iter().for_each(|place| assert_eq!(processes[*place].says(), "joined", "round {round}"));
    }
    let now = taken(&session.status(), "y.in");
    session.until(|status| taken(status, "y.in") > now + 50);
    session.control.stop();
    for process in &mut processes {
        let says = process.says();
        assert!(says.starts_with("end ") && says.ends_with("[]"), "{says}");
        process.ends();
    }
    let (_, status) = session.ends();
    assert!(kills > 50, "{kills}");
    assert_eq!(deaths(&status), kills);
}

fn killed_for_good() {
    let mut numbers = Numbers(11);
    for _ in 0..15 {
        let (session, mut processes) = with_processes(StreamsOfTheDead::End);
        // With the source or the tee the streams end, and so does everybody.
        let which = loop {
            let which = kill(&session, &mut processes, &mut numbers);
            if !which.is_empty() {
                break which;
            }
        };
        if !which.contains(&0) {
            // Who sends to processes that are gone goes on until it is asked to end.
            session.control.stop();
        }
        for (place, process) in processes.iter_mut().enumerate().filter(|(place, _)| !which.contains(place)) {
            let says = process.says();
            assert!(says.starts_with("end ") && says.ends_with("[]"), "{}: {says}", KILLED[place]);
            process.ends();
        }
        let (report, status) = session.ends();
        assert_eq!(report.outcome, Outcome::Finished, "{report:#?}");
        // Some of them may have come to their end in order, while the first were dead and they were not yet.
        assert!((1..=which.len() as u64).contains(&deaths(&status)), "{which:?}: {status:#}");
    }
}
