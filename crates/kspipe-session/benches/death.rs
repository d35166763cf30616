//! How long the frames of a killed process are away: `cargo bench -p kspipe-session --bench death [-- KILLS]`.
//!
//! Three processes: a server of a graph of two filters that are both outside; this program, which writes; and a reader that
//! keeps one frame or three and is killed with SIGKILL, over and over, a new one each time. The writer has all other frames,
//! and sleeps until it is given those of the dead: what is timed ends when it holds the last of them. It begins with the
//! kernel's notice, when a thread that polls the reader's pidfd returns from that; or, as the upper bound, before the call
//! that kills, and then the time is in it that the kernel takes to end a process.

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
    use kspipe_session::{Client, Server, ServerOptions, WritableFrame, Writer};
    use rustix::event::{PollFd, PollFlags, poll};
    use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
    use std::io::{BufRead, BufReader, Write};
    use std::path::Path;
    use std::process::{Child, ChildStdout, Command, Stdio};
    use std::time::{Duration, Instant};

    const FRAMES: usize = 6;
    /// 4K pictures: 12,441,600 bytes each.
    const GRAPH: &str = r#"
connections = ["writer.out -> reader.in"]
[filter.writer]
pin.out = { direction = "out", framing = [{ memory = "user", frames = 6 }] }
run = { kind = "pattern", format = "nv12", width = 3840, height = 2160, rate = "60/1" }
[filter.reader]
pin.in = { direction = "in", holds = 4 }
"#;

    pub(crate) fn main() {
        // What begins with a dash is cargo's.
        let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
        match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            ["serve", path] => serve(path),
            ["read", path, frames] => read(path, frames.parse().expect("a number of frames")),
            [] => measure(200),
            [kills] => measure(kills.parse().expect("a number of kills")),
            _ => panic!("death [KILLS]"),
        }
    }

    fn serve(path: &str) {
        let graph = GraphFile::parse("death.toml", GRAPH, Path::new("")).expect("a graph").graph;
        let outside = ["writer", "reader"].map(|name| graph.find_filter(name).expect("a filter"));
        let prepared = prepare_served(graph, &outside).expect("prepared");
        let plan = negotiate(prepared.graph()).expect("a plan");
        let server = Server::bind(path, prepared, &plan, &outside, ServerOptions::default()).expect("a server");
        say("serving");
        server.run().expect("it serves");
    }

    /// Takes so many frames, and keeps them until it is killed.
    fn read(path: &str, frames: usize) {
        let mut arriving =
            Client::connect(path).expect("a server").pin("reader.in").expect("the pin").frames().expect("in");
        say("joined");
        let kept: Vec<_> = arriving.by_ref().take(frames).map(|frame| frame.expect("a frame")).collect();
        say("kept");
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).expect("killed before");
        drop(kept);
    }

    fn say(line: &str) {
        println!("{line}");
        std::io::stdout().flush().expect("somebody listens");
    }

    /// A process of this program. It is killed when dropped.
    struct Process {
        child: Child,
        lines: BufReader<ChildStdout>,
    }

    impl Process {
        fn start(arguments: &[&str]) -> Self {
            let mut command = Command::new(std::env::current_exe().expect("this program"));
            let mut child =
                command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a process");
            let lines = BufReader::new(child.stdout.take().expect("it is piped"));
            Self { child, lines }
        }

        fn says(&mut self, what: &str) {
            let mut line = String::new();
            self.lines.read_line(&mut line).expect("it is piped");
            assert_eq!(line.trim_end(), what);
        }
    }

    impl Drop for Process {
        fn drop(&mut self) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }

    /// Since the kernel's notice, and since before the call that killed.
    struct Away {
        notice: Duration,
        kill: Duration,
    }

    fn measure(kills: usize) {
        assert!(kills > 0, "at least one");
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("graph");
        let path = path.to_str().expect("a path that is text");
        let mut server = Process::start(&["serve", path]);
        server.says("serving");
        let writer = Client::connect(path).expect("a server").pin("writer.out").expect("the pin").writer();
        let mut writer = writer.expect("out");
        println!("{kills} kills each; microseconds until the last frame is with who waits for it");
        println!("{:<10}{:<22}{:>10}{:>10}{:>10}{:>10}", "frames", "since", "least", "median", "99 %", "most");
        for held in [1, 3] {
            let aways: Vec<Away> = (0..kills).map(|_| kill_one(path, &mut writer, held)).collect();
            print(held, "the kernel's notice", aways.iter().map(|away| away.notice).collect());
            print(held, "before the kill", aways.iter().map(|away| away.kill).collect());
        }
    }

    fn print(held: usize, since: &str, mut times: Vec<Duration>) {
        times.sort_unstable();
        let of = |share: f64| times[((times.len() - 1) as f64 * share).ceil() as usize].as_secs_f64() * 1e6;
        println!("{held:<10}{since:<22}{:>10.0}{:>10.0}{:>10.0}{:>10.0}", of(0.0), of(0.5), of(0.99), of(1.0));
    }

    fn kill_one(path: &str, writer: &mut Writer, held: usize) -> Away {
        let mut reader = Process::start(&["read", path, &held.to_string()]);
        reader.says("joined");
        for number in 0..held {
            let mut frame = writer.acquire(None).expect("a frame");
            frame.bytes_mut().fill(number as u8);
            writer.send(frame).expect("sent");
        }
        reader.says("kept");
        let mut frames: Vec<WritableFrame> =
            (held..FRAMES).map(|_| writer.acquire(None).expect("it is free")).collect();
        let pid = Pid::from_child(&reader.child);
        let pidfd = pidfd_open(pid, PidfdFlags::empty()).expect("it is not reaped");
        let (said, thread) = std::sync::mpsc::channel();
        std::thread::scope(|scope| {
            let noticed = scope.spawn(|| {
                said.send(rustix::thread::gettid()).expect("who waits for it");
                while poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], None).is_err() {}
                Instant::now()
            });
            let thread = thread.recv().expect("the thread's number");
            while !sleeps(thread) {
                std::thread::yield_now();
            }
            let killed = Instant::now();
            pidfd_send_signal(&pidfd, Signal::KILL).expect("it is not reaped");
            frames.extend((0..held).map(|_| writer.acquire(None).expect("it comes home")));
            let home = Instant::now();
            let noticed = noticed.join().expect("no panic");
            Away { notice: home.saturating_duration_since(noticed), kill: home.duration_since(killed) }
        })
    }

    /// A thread of this process sleeps in the kernel.
    fn sleeps(thread: Pid) -> bool {
        let path = format!("/proc/self/task/{}/stat", thread.as_raw_nonzero());
        let stat = std::fs::read_to_string(path).expect("the thread is there");
        stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('S'))
    }
}
