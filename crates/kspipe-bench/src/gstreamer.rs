//! GStreamer's `shmsink` and `shmsrc`, where they are installed: two processes of `gst-launch-1.0`.

use crate::report::{Shm, ShmRow};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::io;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Instant;

const PICTURES: u32 = 300;
/// Two such pipelines can wait for each other for ever. A slow machine needs a few seconds.
const LONGEST: Timespec = Timespec { tv_sec: 30, tv_nsec: 0 };

/// The processes of a pipe, killed when dropped.
struct Running(Vec<Child>);

impl Drop for Running {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn launch(pipeline: &str) -> io::Result<Child> {
    let mut command = Command::new("gst-launch-1.0");
    command.arg("-q").args(pipeline.split(' ')).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()
}

fn is_there(element: &str) -> bool {
    let mut command = Command::new("gst-inspect-1.0");
    let asked = command.args(["--exists", element]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    asked.is_ok_and(|status| status.success())
}

/// Nanoseconds of processors that the children of this process took which have ended, to the hundredth of a second.
fn of_children() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    // cutime and cstime, the 16th and 17th of all, in ticks of which there are 100 a second for every program.
    let ticks: f64 = after_name.split_whitespace().skip(13).take(2).filter_map(|field| field.parse::<f64>().ok()).sum();
    ticks * 1e7
}

pub(crate) fn measure() -> Shm {
    for element in ["shmsink", "shmsrc", "videotestsrc"] {
        if !is_there(element) {
            return Shm::NotRun { why: format!("GStreamer's {element} is not installed") };
        }
    }
    let mut rows = Vec::new();
    for (width, height) in [(1920, 1080), (3840, 2160)] {
        match size(width, height) {
            Ok(row) => rows.push(row),
            Err(error) => return Shm::NotRun { why: format!("GStreamer: {error}") },
        }
    }
    Shm::Rows(rows)
}

fn size(width: u32, height: u32) -> io::Result<ShmRow> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("shm");
    let path =
        path.to_str().filter(|path| !path.contains(' ')).ok_or_else(|| io::Error::other("a path with a blank"))?;
    let caps = format!("video/x-raw,format=NV12,width={width},height={height},framerate=60/1");
    let source = format!("videotestsrc num-buffers={PICTURES} pattern=black ! {caps} !");
    let alone = run(&[format!("{source} fakesink sync=false")], None)?;
    let bytes = u64::from(width) * u64::from(height) * 3 / 2;
    let sink =
        format!("{source} shmsink socket-path={path} wait-for-connection=true sync=false shm-size={}", bytes * 9);
    let reader = format!("shmsrc socket-path={path} num-buffers={PICTURES} ! {caps} ! fakesink sync=false");
    let shm = run(&[sink, reader], Some(path))?;
    let each = |total: f64| total / f64::from(PICTURES);
    Ok(ShmRow {
        width,
        height,
        nanoseconds: each(shm.0),
        processor_nanoseconds: each(shm.1),
        source_alone_nanoseconds: each(alone.0),
        source_alone_processor_nanoseconds: each(alone.1),
    })
}

/// Waits for a process's end.
fn ended(child: &mut Child) -> io::Result<ExitStatus> {
    let process = Pid::from_child(child);
    let end = pidfd_open(process, PidfdFlags::empty())?;
    if poll(&mut [PollFd::new(&end, PollFlags::IN)], Some(&LONGEST))? == 0 {
        return Err(io::Error::other(format!("its pipelines had not ended after {} seconds", LONGEST.tv_sec)));
    }
    child.wait()
}

/// Runs the pipelines together to their ends; the second starts when the socket is there. Time and time on processors, in nanoseconds.
fn run(pipelines: &[String], socket: Option<&str>) -> io::Result<(f64, f64)> {
    let (before, start) = (of_children(), Instant::now());
    let mut running = Running(Vec::new());
    for pipeline in pipelines {
        if !running.0.is_empty() {
            while !socket.is_none_or(|socket| std::path::Path::new(socket).exists()) {
                if running.0[0].try_wait()?.is_some() {
                    return Err(io::Error::other("shmsink ended before it began"));
                }
                std::thread::yield_now();
            }
        }
        running.0.push(launch(pipeline)?);
    }
    // The last one has all pictures when it ends.
    let last = running.0.last_mut().map(ended).transpose()?;
    let time = start.elapsed().as_nanos() as f64;
    if !last.is_some_and(|status| status.success()) {
        return Err(io::Error::other("a pipeline failed"));
    }
    drop(running);
    Ok((time, of_children() - before))
}
