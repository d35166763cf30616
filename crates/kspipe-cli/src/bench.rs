//! `kspipe bench`: what frames cost on this machine.

use crate::failure::Failure;
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

pub(crate) const IPC_EXAMPLES: &str = "\
Examples:
  kspipe bench ipc
  kspipe bench ipc --format json -o ipc.json

Two processes, each on a processor of its own, in some two minutes: kspipe's shared frames beside a ring of indices, messages \
over a socket, and a copy through a pipe; the wake of a receiver that sleeps beside a raw futex; 4K pictures written and \
read, and paced; GStreamer's shmsink and shmsrc where they are installed. Within each round all take turns, so ratios hold \
on a busy machine, too; times do not. docs/measurements.md has what it gave. Linux only.";

/// `kspipe bench`.
#[derive(Debug, Args)]
pub(crate) struct BenchArguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Frames between two processes
    #[command(after_help = IPC_EXAMPLES)]
    Ipc(IpcArguments),
    /// The other process of a measurement
    #[command(hide = true)]
    Peer {
        /// What it does
        job: Vec<String>,
    },
}

/// `kspipe bench ipc`.
#[derive(Debug, Args)]
struct IpcArguments {
    /// Rounds of which medians are taken
    #[arg(long, value_name = "N", default_value_t = 9, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// A tenth of the work, to see that it runs: the numbers are worth as much
    #[arg(long)]
    quick: bool,
    /// How to show what was measured
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Write to this file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For reading
    Text,
    /// For programs; see docs/measurements.md
    Json,
}

#[cfg(target_os = "linux")]
pub(crate) fn bench(arguments: &BenchArguments) -> Result<(), Failure> {
    use std::time::Duration;
    let ipc = match &arguments.what {
        What::Peer { job } => return kspipe_bench::peer(job).map_err(|error| Failure::system("measure", error)),
        What::Ipc(ipc) => ipc,
    };
    let program = std::env::current_exe().map_err(|error| Failure::system("find this program", error))?;
    let part = |all: u64| if ipc.quick { all / 10 } else { all };
    let options = kspipe_bench::Options {
        program,
        arguments: ["bench", "peer"].map(str::to_owned).to_vec(),
        rounds: ipc.rounds.into(),
        frames: part(200_000),
        wakes: part(10_000),
        pictures: part(60),
        paced: Duration::from_secs(part(10)),
    };
    let report = kspipe_bench::ipc(&options).map_err(|error| Failure::system("measure", error))?;
    let text = match ipc.format {
        Format::Text => report.to_string(),
        Format::Json => {
            serde_json::to_string_pretty(&report).map_err(|error| Failure::system("write it", error))? + "\n"
        }
    };
    crate::output::write(ipc.output.as_deref(), &text)
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn bench(_: &BenchArguments) -> Result<(), Failure> {
    Err(Failure::system("measure", "frames go between processes on Linux only"))
}
