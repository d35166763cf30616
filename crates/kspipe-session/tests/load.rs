//! 4K pictures at 60 a second through five processes: a writer, a filter that changes them in place, the server, which runs a
//! tee, and two readers. None is lost, none torn, and no process grows.
//!
//! `KSPIPE_LOAD_SECONDS=3600 cargo test -p kspipe-session --release --test load` runs for so long at that pace. By default
//! 300 pictures go as fast as they can.
//!
//! What shows that no picture is torn: every page of 4096 bytes begins with a word made of the picture's number, the page's, and
//! who wrote it, the writer or the filter. Both write to every page of every picture. So whoever wrote to a picture that
//! is not its own would leave its word where a reader looks; and readers look at all pages twice, when they take a picture
//! and before they give it back. To sum all bytes would cost more than all the rest, and find no more: who writes where it
//! must not writes a whole picture.

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("not run: graphs are served to processes on Linux only");
}

#[cfg(target_os = "linux")]
fn main() {
    linux::main();
}

#[cfg(target_os = "linux")]
mod linux {
    use kspipe::graph::file::GraphFile;
    use kspipe::negotiate::negotiate;
    use kspipe::stream::prepare_served;
    use kspipe_session::{Begins, Client, Server, ServerOptions, WriteError};
    use std::io::{BufRead, BufReader, Write};
    use std::path::Path;
    use std::process::{Child, ChildStdout, Command, Stdio};
    use std::time::{Duration, Instant};

    const GRAPH: &str = r#"
connections = ["a.out -> b.in", "b.out -> t.in", "t.x -> x.in", "t.y -> y.in"]
[filter.a]
pin.out = { direction = "out", framing = [{ memory = "user", frames = 6 }] }
run = { kind = "pattern", format = "nv12", width = 3840, height = 2160, rate = "60/1" }
[filter.b]
pin.in = { direction = "in" }
pin.out = { direction = "out" }
routes = ["in -> out in-place"]
run = { kind = "invert" }
[filter.t]
pin.in = { direction = "in" }
pin.x = { direction = "out" }
pin.y = { direction = "out" }
routes = ["in -> x pass", "in -> y pass"]
run = { kind = "tee" }
[filter.x]
pin.in = { direction = "in", holds = 2 }
[filter.y]
pin.in = { direction = "in" }
"#;

    const PAGE: usize = 4096;
    const RATE: u64 = 60;
    /// How many pictures of the default run.
    const SHORT: u64 = 300;
    /// How often memory is looked at in a run.
    const LOOKS: u64 = 20;
    /// A process may grow by so much between two looks at it, an eighth and the last of the run, in KiB: an allocator's own
    /// keeping. A leak of 32 bytes a picture shows after nine minutes.
    const GROWTH: u64 = 1024;

    /// Who wrote to a picture last.
    #[derive(Clone, Copy)]
    enum By {
        Writer = 1,
        Filter = 2,
    }

    fn word(number: u64, page: usize, by: By) -> u64 {
        (number << 32 | (page as u64) << 2 | by as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }

    fn stamp(bytes: &mut [u8], number: u64, by: By) {
        for (page, bytes) in bytes.chunks_exact_mut(PAGE).enumerate() {
            bytes[..8].copy_from_slice(&word(number, page, by).to_le_bytes());
        }
    }

    fn check(bytes: &[u8], number: u64, by: By) {
        assert_eq!(bytes.len(), 3840 * 2160 * 3 / 2);
        for (page, bytes) in bytes.chunks_exact(PAGE).enumerate() {
            assert_eq!(bytes[..8], word(number, page, by).to_le_bytes(), "picture {number} is torn in page {page}");
        }
    }

    pub(crate) fn main() {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            ["process", "serve", path] => serve(path),
            ["process", "write", path, pictures, paced] => {
                write(path, pictures.parse().expect("a number"), *paced == "paced");
            }
            ["process", "change", path] => change(path),
            ["process", "read", path, pin, every] => read(path, pin, every.parse().expect("a number")),
            rest if rest.contains(&"--list") => println!("load: test"),
            rest => {
                // What is asked for by another name is not this.
                if rest.iter().find(|argument| !argument.starts_with('-')).is_none_or(|name| "load".contains(name)) {
                    run();
                    println!("\ntest result: ok. 1 passed; 0 failed; 0 ignored");
                }
            }
        }
    }

    fn say(line: &str) {
        println!("{line}");
        std::io::stdout().flush().expect("somebody listens");
    }

    fn wait() {
        std::io::stdin().read_line(&mut String::new()).expect("a line");
    }

    fn serve(path: &str) {
        let graph = GraphFile::parse("load.toml", GRAPH, Path::new("")).expect("a graph").graph;
        let outside = ["a", "b", "x", "y"].map(|name| graph.find_filter(name).expect("a filter"));
        let prepared = prepare_served(graph, &outside).expect("prepared");
        let plan = negotiate(prepared.graph()).expect("a plan");
        let options = ServerOptions { begins: Begins::WhenAllHaveJoined, ..ServerOptions::default() };
        let server = Server::bind(path, prepared, &plan, &outside, options).expect("a server");
        let control = server.control();
        say("serving");
        let report = server.run().expect("it serves");
        assert!(report.all_frames_home(), "{report:#?}");
        assert!(control.status().contains("\"peak\""), "{}", control.status());
        say("end");
        wait();
    }

    fn write(path: &str, pictures: u64, paced: bool) {
        let mut writer = Client::connect(path).expect("a server").pin("a.out").expect("a pin").writer().expect("out");
        let (mut start, mut late) = (None, 0);
        for number in 0..pictures {
            let mut frame = match writer.acquire(None) {
                Err(WriteError::Stopping) => panic!("nobody asked to end"),
                frame => frame.expect("a frame"),
            };
            // The first is when the graph begins.
            let start = *start.get_or_insert_with(Instant::now);
            if paced {
                let due = start + Duration::from_nanos(number * (1_000_000_000 / RATE));
                match due.checked_duration_since(Instant::now()) {
                    Some(left) => std::thread::sleep(left),
                    None => late += 1,
                }
            }
            stamp(frame.bytes_mut(), number, By::Writer);
            writer.send(frame).expect("sent");
        }
        writer.end();
        let seconds = start.map_or(0.0, |start| start.elapsed().as_secs_f64());
        say(&format!("end {:.2} {late}", pictures as f64 / seconds.max(1e-9)));
        wait();
    }

    /// Changes every picture in place, and hands it on.
    fn change(path: &str) {
        let joined = Client::connect(path).expect("a server").filter("b").expect("the filter");
        let (frames, mut writer) = (joined.frames("in").expect("in"), joined.writer("out").expect("out"));
        // It has left when both have gone.
        drop(joined);
        for (number, frame) in (0..).zip(frames) {
            let mut frame = frame.expect("a frame");
            assert_eq!(frame.header().sequence, number);
            check(frame.data(), number, By::Writer);
            stamp(frame.exclusive().expect("it is this process's alone"), number, By::Filter);
            writer.hand_on(frame).expect("handed on");
        }
        writer.end();
        say("end");
        wait();
    }

    fn read(path: &str, pin: &str, every: u64) {
        let frames = Client::connect(path).expect("a server").pin(pin).expect("a pin").frames().expect("in");
        let mut taken = 0;
        for (number, frame) in (0..).zip(frames) {
            let frame = frame.expect("a frame");
            assert_eq!(frame.header().sequence, number, "none is lost");
            check(frame.data(), number, By::Filter);
            taken = number + 1;
            if every != 0 && taken % every == 0 {
                say(&format!("took {taken}"));
            }
            check(frame.data(), number, By::Filter);
        }
        say(&format!("end {taken}"));
        wait();
    }

    /// A process of this program. It is killed when dropped.
    struct Process {
        name: &'static str,
        child: Child,
        lines: BufReader<ChildStdout>,
    }

    impl Process {
        fn start(name: &'static str, arguments: &[&str]) -> Self {
            let mut command = Command::new(std::env::current_exe().expect("this program"));
            command.arg("process").args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
            let mut child = command.spawn().expect("a process");
            let lines = BufReader::new(child.stdout.take().expect("it is piped"));
            Self { name, child, lines }
        }

        fn says(&mut self) -> String {
            let mut line = String::new();
            self.lines.read_line(&mut line).expect("it is piped");
            line.trim_end().to_owned()
        }

        fn ends(&mut self) {
            self.child.stdin.as_mut().expect("it is piped").write_all(b"\n").expect("it waits for it");
            assert!(self.child.wait().expect("its end").success(), "{}", self.name);
        }

        fn size(&self) -> Size {
            let pid = self.child.id();
            let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it lives");
            let of = |name: &str| {
                let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("Linux says it");
                line.trim().trim_end_matches(" kB").parse().expect("a number of kB")
            };
            let descriptors = std::fs::read_dir(format!("/proc/{pid}/fd")).expect("it lives").count();
            Size { own: of("RssAnon:"), shared: of("RssShmem:"), descriptors }
        }
    }

    impl Drop for Process {
        fn drop(&mut self) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }

    /// What a process has.
    #[derive(Clone, Copy, Debug)]
    struct Size {
        /// Memory of its own, in KiB.
        own: u64,
        /// Of the pools, in KiB.
        shared: u64,
        descriptors: usize,
    }

    fn run() {
        let seconds: Option<u64> = std::env::var("KSPIPE_LOAD_SECONDS")
            .ok()
            .map(|text| text.parse().expect("KSPIPE_LOAD_SECONDS is a number of seconds"));
        let pictures = seconds.map_or(SHORT, |seconds| (seconds * RATE).max(LOOKS));
        let every = (pictures / LOOKS).to_string();
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("graph");
        let path = path.to_str().expect("a path that is text");
        let start = Instant::now();
        let mut server = Process::start("server", &["serve", path]);
        assert_eq!(server.says(), "serving");
        let paced = if seconds.is_some() { "paced" } else { "unpaced" };
        let mut processes = [
            server,
            Process::start("writer", &["write", path, &pictures.to_string(), paced]),
            Process::start("filter", &["change", path]),
            Process::start("reader y", &["read", path, "y.in", "0"]),
            Process::start("reader x", &["read", path, "x.in", &every]),
        ];
        let mut sizes: Vec<Vec<Size>> = Vec::new();
        let ended = loop {
            let line = processes[4].says();
            match line.strip_prefix("took ") {
                Some(_) => sizes.push(processes.iter().map(Process::size).collect()),
                None => break line,
            }
        };
        assert_eq!(ended, format!("end {pictures}"), "none is lost");
        assert_eq!(processes[3].says(), format!("end {pictures}"), "none is lost");
        assert_eq!(processes[2].says(), "end");
        let written = processes[1].says();
        let (rate, late) = written.strip_prefix("end ").and_then(|rest| rest.split_once(' ')).expect("it wrote");
        assert_eq!(processes[0].says(), "end");
        println!(
            "{pictures} pictures of 12,441,600 bytes in {:.1} s, {rate} a second ({paced}), {late} begun late; 0 lost, 0 torn",
            start.elapsed().as_secs_f64()
        );
        // Every frame of the pool was touched by the first looks.
        let (first, last) = (&sizes[sizes.len() / 8], &sizes[sizes.len() - 1]);
        println!("{:<10}{:>24}{:>24}{:>20}", "", "own memory, KiB", "the pool's, KiB", "descriptors");
        for (process, (first, last)) in processes.iter().zip(first.iter().zip(last)) {
            let arrow = |first: u64, last: u64| format!("{first} -> {last}");
            let descriptors = arrow(first.descriptors as u64, last.descriptors as u64);
            let (own, shared) = (arrow(first.own, last.own), arrow(first.shared, last.shared));
            println!("{:<10}{own:>24}{shared:>24}{descriptors:>20}", process.name);
            assert!(last.own <= first.own + GROWTH, "the {} grows: {sizes:?}", process.name);
            assert!(last.shared <= first.shared + GROWTH, "the {} maps more: {sizes:?}", process.name);
            // Others may have left by the last look, and the server keeps nothing of them.
            assert!(last.descriptors <= first.descriptors, "the {} has more descriptors: {sizes:?}", process.name);
        }
        processes.iter_mut().for_each(Process::ends);
    }
}
