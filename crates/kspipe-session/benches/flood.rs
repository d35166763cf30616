//! What a process that is well behaved loses to others that flood the server: `cargo bench -p kspipe-session --bench flood
//! [-- ROUNDS]`.
//!
//! The victim is a mediated writer of small pictures, three requests each. Beside it are 0, 1, 3 and 10 processes that ask
//! without end, each with 32 requests on their way where these can be: for the status, for a property, for a connection, for
//! pins that others have, or for frames of their own. Once everybody runs where the system likes; and once **apart**: the
//! server alone on one processor, the victim on the other one with the flooders, which run where it waits (nice 19). So what
//! is lost there is lost at the server, and not to the system's scheduler. As root the flooders are of another user, too.

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
    use ks::{
        IOCTL_KS_METHOD, IOCTL_KS_PROPERTY, KSPROPERTY_PIN_CTYPES, KSPROPSETID_Pin, KsMethod, KsMethodType, KsProperty,
        KsPropertyType,
    };
    use ksobject::{OwnedHandle, RemoteObjects, Request};
    use kspipe::graph::file::GraphFile;
    use kspipe::negotiate::negotiate;
    use kspipe::stream::prepare_served;
    use kspipe_session::verbs::{KSMETHOD_KSPGRAPH_STATUS, KSMETHODSETID_KSPGRAPH};
    use kspipe_session::{Client, ClientError, Server, ServerOptions, Trust};
    use rustix::process::{Pid, setpriority_process};
    use rustix::thread::{CpuSet, Uid, sched_setaffinity, set_thread_res_uid};
    use std::collections::VecDeque;
    use std::fmt::Write as _;
    use std::io::{BufRead, BufReader, Write};
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;
    use std::process::{Child, ChildStdout, Command, Stdio};
    use std::time::{Duration, Instant};
    use zerocopy::IntoBytes;

    const KINDS: [&str; 5] = ["status", "property", "connect", "create", "frames"];
    const MOST: usize = 10;
    /// For how long the victim is measured, each time.
    const TIME: Duration = Duration::from_millis(300);
    /// Requests on their way.
    const DEPTH: usize = 32;
    /// A user that is not the server's.
    const OTHER: u32 = 65534;

    pub(crate) fn main() {
        // What begins with a dash is cargo's.
        let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
        match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            ["serve", path, place] => serve(path, place),
            ["work", path, place] => work(path, place),
            ["flood", path, place, user, kind, number] => flood(path, place, user, kind, number),
            [] => measure(5),
            [rounds] => measure(rounds.parse().expect("a number of rounds")),
            _ => panic!("flood [ROUNDS]"),
        }
    }

    /// The victim's filter and those of flooders, each a source to a sink of the server's.
    fn graph() -> String {
        let names: Vec<String> = std::iter::once("v".to_owned()).chain((0..MOST).map(|n| format!("x{n}"))).collect();
        let connections: Vec<String> = names.iter().map(|name| format!("\"{name}.out -> s{name}.in\"")).collect();
        let mut text = format!("connections = [{}]\n", connections.join(", "));
        for name in names {
            // Writing to a String cannot fail.
            let _ = write!(
                text,
                r#"
[filter.{name}]
pin.out = {{ direction = "out", framing = [{{ memory = "user", frames = 4 }}] }}
run = {{ kind = "pattern", format = "i420", width = 64, height = 48, rate = "30/1" }}
[filter.s{name}]
pin.in = {{ direction = "in" }}
run = {{ kind = "discard" }}
"#
            );
        }
        text
    }

    /// Where this process runs: on processor 0 or 1, or anywhere.
    fn run_at(place: &str) {
        if let Ok(processor) = place.parse() {
            let mut set = CpuSet::new();
            set.set(processor);
            sched_setaffinity(None, &set).expect("it is there");
        }
    }

    fn serve(path: &str, place: &str) {
        run_at(place);
        let graph = GraphFile::parse("flood.toml", &graph(), Path::new("")).expect("a graph").graph;
        let outside: Vec<_> = graph.filters().iter().filter(|filter| !filter.name().starts_with('s')).collect();
        let outside: Vec<_> =
            outside.iter().map(|filter| graph.find_filter(filter.name()).expect("a filter")).collect();
        let prepared = prepare_served(graph, &outside).expect("prepared");
        let plan = negotiate(prepared.graph()).expect("a plan");
        let options = ServerOptions { trust: Trust::Nobody, ..ServerOptions::default() };
        let mut server = Server::bind(path, prepared, &plan, &outside, options).expect("a server");
        server.allow_user(OTHER);
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o666)).expect("it is its own");
        say("serving");
        server.run().expect("it serves");
    }

    /// The victim: says how many pictures it sent in each time it is asked, and the median and the 99 % of what each took.
    fn work(path: &str, place: &str) {
        run_at(place);
        let mut writer = Client::connect(path).expect("a server").pin("v.out").expect("the pin").writer().expect("out");
        loop {
            let mut line = String::new();
            if std::io::stdin().read_line(&mut line).expect("a pipe") == 0 {
                return;
            }
            let (mut took, start) = (Vec::new(), Instant::now());
            while start.elapsed() < TIME {
                let begin = Instant::now();
                let mut frame = writer.acquire(None).expect("a frame");
                frame.bytes_mut()[0] = 1;
                writer.send(frame).expect("sent");
                took.push(begin.elapsed().as_nanos());
            }
            let rate = took.len() as f64 / start.elapsed().as_secs_f64();
            took.sort_unstable();
            say(&format!("{rate} {} {}", took[took.len() / 2], took[took.len() * 99 / 100]));
        }
    }

    fn flood(path: &str, place: &str, user: &str, kind: &str, number: &str) {
        run_at(place);
        if place != "anywhere" {
            setpriority_process(None::<Pid>, 19).expect("it may be nice");
        }
        if user == "other" {
            let other = Uid::from_raw(OTHER);
            set_thread_res_uid(other, other, other).expect("it is root");
        }
        let graph = RemoteObjects::open(path).expect("a server");
        let client = Client::connect(path).expect("a server");
        let status = KsMethod::method(KSMETHODSETID_KSPGRAPH, KSMETHOD_KSPGRAPH_STATUS, KsMethodType::WRITE);
        let property = KsProperty::property(KSPROPSETID_Pin, KSPROPERTY_PIN_CTYPES, KsPropertyType::GET);
        let mut writer = (kind == "frames")
            .then(|| client.pin(&format!("x{number}.out")).and_then(|pin| pin.writer()).expect("the pin is free"));
        say("flooding");
        let mut sent = VecDeque::new();
        loop {
            match kind {
                "status" => ask(&mut sent, &graph, IOCTL_KS_METHOD, status.as_bytes()),
                "property" => ask(&mut sent, &graph, IOCTL_KS_PROPERTY, property.as_bytes()),
                "connect" => drop(Client::connect(path).expect("a server")),
                "create" => assert!(matches!(client.pin("v.out"), Err(ClientError::Taken(_)))),
                _ => {
                    let writer = writer.as_mut().expect("it was made");
                    drop(writer.acquire(None).expect("a frame"));
                }
            }
        }
    }

    /// Sends one request more, and waits for the first of them where as many as may be are on their way.
    fn ask(sent: &mut VecDeque<Request>, graph: &OwnedHandle, code: u32, request: &[u8]) {
        sent.push_back(RemoteObjects::begin(graph.handle(), code, request, vec![0; 8]));
        if sent.len() >= DEPTH
            && let Some(first) = sent.pop_front()
        {
            assert!(first.wait().1.is_ok(), "it is answered");
        }
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

        fn says(&mut self) -> String {
            let mut line = String::new();
            self.lines.read_line(&mut line).expect("it is piped");
            line.trim_end().to_owned()
        }
    }

    impl Drop for Process {
        fn drop(&mut self) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }

    /// What the victim did in one time: pictures a second, the median and the 99 % of one, in ns.
    type Done = [f64; 3];

    fn worked(victim: &mut Process) -> Done {
        victim.child.stdin.as_mut().expect("it is piped").write_all(b"\n").expect("it waits for it");
        let said = victim.says();
        let numbers: Vec<f64> = said.split(' ').map(|number| number.parse().expect("a number")).collect();
        numbers.try_into().expect("three numbers")
    }

    fn median(mut values: Vec<f64>) -> f64 {
        values.sort_unstable_by(f64::total_cmp);
        values[values.len() / 2]
    }

    fn measure(rounds: usize) {
        let users = if rustix::process::geteuid().is_root() { &["own", "other"][..] } else { &["own"] };
        println!("{:<46}{:>10}{:>8}{:>12}{:>12}", "", "a second", "of 0", "median, us", "99 %, us");
        for (place, server, others) in [("anywhere", "anywhere", "anywhere"), ("apart", "0", "1")] {
            for user in users {
                for kind in KINDS {
                    let mut all: Vec<(usize, Vec<Done>)> = [0, 1, 3, MOST].map(|count| (count, Vec::new())).into();
                    for _ in 0..rounds {
                        for (count, done) in &mut all {
                            done.push(once(server, others, user, kind, *count));
                        }
                    }
                    let of = |done: &[Done], which: usize| median(done.iter().map(|done| done[which]).collect());
                    let alone = of(&all[0].1, 0);
                    for (count, done) in &all {
                        let name = format!("{place}, {count} of its {user} user ask: {kind}");
                        let (rate, middle, most) = (of(done, 0), of(done, 1) / 1e3, of(done, 2) / 1e3);
                        println!("{name:<46}{rate:>10.0}{:>8.2}{middle:>12.1}{most:>12.1}", rate / alone);
                    }
                }
            }
        }
    }

    /// A server, the victim, and so many that flood.
    fn once(server: &str, others: &str, user: &str, kind: &str, count: usize) -> Done {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).expect("it is this user's");
        let path = folder.path().join("graph");
        let path = path.to_str().expect("a path that is text");
        let mut server = Process::start(&["serve", path, server]);
        assert_eq!(server.says(), "serving");
        let mut victim = Process::start(&["work", path, others]);
        worked(&mut victim);
        let numbers: Vec<String> = (0..count).map(|number| number.to_string()).collect();
        let mut flooders: Vec<Process> =
            numbers.iter().map(|number| Process::start(&["flood", path, others, user, kind, number])).collect();
        flooders.iter_mut().for_each(|flooder| assert_eq!(flooder.says(), "flooding"));
        worked(&mut victim)
    }
}
