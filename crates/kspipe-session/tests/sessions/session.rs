//! A server in a thread, and what its status says.

use crate::graphs::{prepared, serve};
use kspipe::stream::{Report, RunOptions};
use kspipe_session::{Begins, ServeError, ServerControl, ServerOptions};
use serde_json::Value;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::thread::JoinHandle;

/// A server in a thread.
pub(crate) struct Session {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) control: ServerControl,
    pub(crate) thread: JoinHandle<Result<Report, ServeError>>,
}

impl Session {
    pub(crate) fn start(text: &str, outside: &[&str]) -> Self {
        Self::start_with(text, outside, ServerOptions::default())
    }

    pub(crate) fn start_with(text: &str, outside: &[&str], options: ServerOptions) -> Self {
        Self::start_for(&[], text, outside, options)
    }

    /// Likewise, and users come in.
    pub(crate) fn start_for(users: &[u32], text: &str, outside: &[&str], options: ServerOptions) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("graph");
        let mut server = serve(&path, text, outside, options).unwrap();
        if !users.is_empty() {
            users.iter().for_each(|user| server.allow_user(*user));
            std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
            std::fs::set_permissions(&path, PermissionsExt::from_mode(0o666)).unwrap();
        }
        let control = server.control();
        Self { folder, control, thread: std::thread::spawn(move || server.run()) }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("graph")
    }

    pub(crate) fn status(&self) -> Value {
        serde_json::from_str(&self.control.status()).unwrap()
    }

    /// Waits, without a clock, until the status is as it should be.
    pub(crate) fn until(&self, is: impl Fn(&Value) -> bool) -> Value {
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
    pub(crate) fn ends(self) -> (Report, Value) {
        let report = self.thread.join().unwrap().unwrap();
        assert!(report.all_frames_home(), "{report:#?}");
        let status: Value = serde_json::from_str(&self.control.status()).unwrap();
        for pipe in status["pipes"].as_array().unwrap() {
            assert_eq!(pipe["free"], pipe["frames"], "{status:#}");
        }
        (report, status)
    }
}

/// Of a graph of which nothing is missed.
pub(crate) fn whole() -> ServerOptions {
    ServerOptions { begins: Begins::WhenAllHaveJoined, ..ServerOptions::default() }
}

/// What a filter outside did.
pub(crate) fn filter<'a>(status: &'a Value, name: &str) -> &'a Value {
    status["filters"].as_array().unwrap().iter().find(|filter| filter["name"] == name).unwrap()
}

/// A holder's entry, by its pin.
pub(crate) fn holder<'a>(status: &'a Value, pin: &str) -> &'a Value {
    let mut holders = status["pipes"].as_array().unwrap().iter().flat_map(|pipe| pipe["holders"].as_array().unwrap());
    holders.find(|holder| holder["pin"] == pin).unwrap()
}

pub(crate) fn events(status: &Value) -> Vec<&str> {
    status["events"].as_array().unwrap().iter().map(|event| event["what"].as_str().unwrap()).collect()
}

/// The digest of a graph's sink where all runs in one process.
pub(crate) fn alone(text: &str, sink: &str) -> String {
    let (prepared, plan, _) = prepared(text, &[]);
    let report = prepared.start(&plan, RunOptions::default()).unwrap().wait();
    report.filter(sink).unwrap().digest.clone().unwrap()
}
