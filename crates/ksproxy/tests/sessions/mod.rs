//! Graphs that are served to the tests, in a thread of their process.
#![allow(dead_code, unreachable_pub, reason = "each test uses some of it")]

#[macro_use]
pub mod calls;

use kspipe::graph::file::GraphFile;
use kspipe::negotiate::negotiate;
use kspipe::stream::{Report, prepare_served};
use kspipe_session::{Begins, ServeError, Server, ServerControl, ServerOptions, Trust};
use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

/// Pixels a row and rows of every picture, and its bytes.
pub const WIDTH: u32 = 16;
pub const HEIGHT: u32 = 8;
pub const BYTES: usize = (WIDTH * HEIGHT * 3 / 2) as usize;

/// A source, `a`, of so many frames or without end, to a sink, `c`.
pub fn pair(frames: Option<u32>) -> String {
    let frames = frames.map(|frames| format!(", frames = {frames}")).unwrap_or_default();
    format!(
        r#"
connections = ["a.out -> c.in"]
[filter.a]
pin.out = {{ direction = "out", framing = [{{ memory = "user", frames = 4 }}] }}
run = {{ kind = "pattern", format = "i420", width = {WIDTH}, height = {HEIGHT}, rate = "30/1"{frames} }}
[filter.c]
pin.in = {{ direction = "in", holds = 2 }}
run = {{ kind = "checksum" }}
"#
    )
}

/// A source, `a`, to a filter that changes frames in place, `b`, to a sink, `c`.
pub fn chain() -> String {
    pair(None).replace("a.out -> c.in\"", "a.out -> b.in\", \"b.out -> c.in\"")
        + r#"
[filter.b]
pin.in = { direction = "in" }
pin.out = { direction = "out" }
routes = ["in -> out in-place"]
run = { kind = "invert" }
"#
}

/// A server in a thread.
pub struct Session {
    folder: tempfile::TempDir,
    pub control: ServerControl,
    thread: JoinHandle<Result<Report, ServeError>>,
}

impl Session {
    /// Serves a graph that begins when all have joined.
    pub fn start(text: &str, outside: &[&str]) -> Self {
        Self::start_trusting(Trust::OwnUser, text, outside)
    }

    /// The same, and trusts these processes.
    pub fn start_trusting(trust: Trust, text: &str, outside: &[&str]) -> Self {
        let graph =
            GraphFile::parse("graph.toml", text, Path::new("")).unwrap_or_else(|errors| panic!("{errors}")).graph;
        let outside: Vec<_> = outside.iter().map(|name| graph.find_filter(name).expect("a filter")).collect();
        let prepared = prepare_served(graph, &outside).expect("it can be served");
        let plan = negotiate(prepared.graph()).expect("a plan");
        let options = ServerOptions { begins: Begins::WhenAllHaveJoined, trust, ..ServerOptions::default() };
        let folder = tempfile::tempdir().expect("a folder");
        let server = Server::bind(folder.path().join("graph"), prepared, &plan, &outside, options).expect("a server");
        let control = server.control();
        Self { folder, control, thread: std::thread::spawn(move || server.run()) }
    }

    /// Where it is.
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("graph")
    }

    /// Where it is, for C.
    pub fn c_path(&self) -> CString {
        CString::new(self.path().as_os_str().as_bytes()).expect("no zero")
    }

    /// The folder it is in.
    pub fn folder_path(&self) -> &Path {
        self.folder.path()
    }

    /// Waits for its end, whoever still has frames.
    pub fn ended(self) {
        self.thread.join().expect("no panic").expect("it served");
    }

    /// Waits for its end. All frames are home.
    pub fn ends(self) {
        let report = self.thread.join().expect("no panic").expect("it served");
        assert!(report.all_frames_home(), "{report:#?}");
    }
}
