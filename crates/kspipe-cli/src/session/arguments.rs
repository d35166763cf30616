//! What can be typed after `kspipe serve`, `attach`, `status` and `top`, and its help.

use super::user::{Trusted, User};
use crate::arguments::{GraphArguments, ReportFile, parse_report, parse_seconds};
use clap::{Args, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;

pub(crate) const SERVE_EXAMPLES: &str = "\
Examples:
  kspipe serve examples/processes.toml --socket camera --trust --wait-for-all
  kspipe serve examples/preview.toml --socket /run/user/1000/film --outside recorder --trust --realtime
  kspipe serve examples/preview.toml --socket film --outside recorder --trust=alice --allow-user bob --evict-after 5

Outside are the filters without a `run`, those with `process = true`, and those named by --outside. Others fill their pins \
and take their frames: `kspipe attach`, and programs of their own (docs/sessions.md). The graph ends when the filters here \
have ended and nobody has part in it. Ctrl-C ends the sources, in every process, and all that is on its way is delivered; a \
second one ends at once.";

pub(crate) const ATTACH_EXAMPLES: &str = "\
Examples:
  kspipe attach camera recorder
  kspipe attach camera viewer.in --run checksum
  kspipe attach camera recorder --run y4m=out.y4m --report recorder.json
  kspipe attach camera camera \\
      --run '{ kind = \"raw\", path = \"clip.yuv\", format = \"nv12\", width = 1920, height = 1080 }'

Without --run the filter does what the graph file says. --run takes what a graph file's `run` takes, in braces, or short: \
y4m=FILE, raw=FILE, png=FILE, checksum or checksum=FILE, discard, hold=N. Its paths are relative to the current folder.";

pub(crate) const STATUS_EXAMPLES: &str = "\
Examples:
  kspipe status /run/user/1000/camera
  kspipe status camera --format json | jq '.warnings[].message'";

pub(crate) const TOP_EXAMPLES: &str = "\
Examples:
  kspipe top /run/user/1000/camera
  kspipe top camera --interval 0.1

Keys: q ends, p pauses, the up and down arrows and the page keys go through the pipes, left and right through the events. \
A frame is a letter: its holder's, a number where several have it, and a dot where it is free.";

/// `kspipe serve`.
#[derive(Debug, Args)]
pub(crate) struct ServeArguments {
    #[command(flatten)]
    pub(crate) graph: GraphArguments,
    /// Where others find the graph: the path of a Unix socket, made here and gone at the end
    #[arg(long, value_name = "PATH")]
    pub(crate) socket: PathBuf,
    /// A filter that runs in another process
    #[arg(long, value_name = "FILTER")]
    pub(crate) outside: Vec<String>,
    /// Begin when all filters outside were joined, so that nothing is missed; else at once
    #[arg(long)]
    pub(crate) wait_for_all: bool,
    /// Warn of a process that keeps a frame for longer
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds)]
    pub(crate) hold_deadline: Option<Duration>,
    /// End the part of a process that keeps a frame so long past the deadline, or has hung up so long; one that is trusted is
    /// killed for it
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds)]
    pub(crate) evict_after: Option<Duration>,
    /// End the streams of a process that died; else they go on when another takes its place
    #[arg(long)]
    pub(crate) end_streams_of_the_dead: bool,
    /// Let this user's processes come, too, besides those of your own and root: a name or a number
    #[arg(long, value_name = "USER")]
    pub(crate) allow_user: Vec<User>,
    /// Trust this user's processes, or, without a name, your own and root's: they take frames without asking and without a copy,
    /// and could damage everybody's
    #[arg(long, value_name = "USER", num_args = 0..=1, require_equals = true, default_missing_value = "own user")]
    pub(crate) trust: Vec<Trusted>,
    /// End each source of this process after this many frames
    #[arg(long, value_name = "N")]
    pub(crate) frames: Option<u64>,
    /// Stop so many seconds after the graph began (2.5 is two and a half)
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds)]
    pub(crate) duration: Option<Duration>,
    /// Let the sources of this process deliver at the media's rate instead of as fast as they can
    #[arg(long)]
    pub(crate) realtime: bool,
    /// Write a report when the graph has ended; a name in .html or .json, and may be given for each
    #[arg(long, value_name = "FILE", value_parser = parse_report)]
    pub(crate) report: Vec<ReportFile>,
    /// Print nothing but errors
    #[arg(long, short)]
    pub(crate) quiet: bool,
}

/// `kspipe attach`.
#[derive(Debug, Args)]
pub(crate) struct AttachArguments {
    /// The path at which the graph is served
    #[arg(value_name = "SOCKET")]
    pub(crate) socket: PathBuf,
    /// The filter that runs here, or a pin of it, as filter.pin
    #[arg(value_name = "FILTER-OR-PIN")]
    pub(crate) filter: String,
    /// What it does here, instead of what the graph file says
    #[arg(long, value_name = "KIND")]
    pub(crate) run: Option<String>,
    /// End a source after this many frames
    #[arg(long, value_name = "N")]
    pub(crate) frames: Option<u64>,
    /// Leave after so many seconds (2.5 is two and a half)
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds)]
    pub(crate) duration: Option<Duration>,
    /// Let a source deliver at the media's rate instead of as fast as it can
    #[arg(long)]
    pub(crate) realtime: bool,
    /// Write a report of this filter when it has ended; a name in .html or .json, and may be given for each
    #[arg(long, value_name = "FILE", value_parser = parse_report)]
    pub(crate) report: Vec<ReportFile>,
    /// Print nothing but errors
    #[arg(long, short)]
    pub(crate) quiet: bool,
    /// Started by `kspipe run`: end with the process that has this number
    #[arg(long, value_name = "PROCESS", hide = true)]
    pub(crate) supervised_by: Option<u32>,
    /// Started by `kspipe run`: the inherited handle of the graph, instead of a socket's path
    #[arg(long, value_name = "DESCRIPTOR", hide = true, requires = "supervised_by")]
    pub(crate) handle: Option<i32>,
    /// Started by `kspipe run`: the inherited file for the report
    #[arg(long, value_name = "DESCRIPTOR", hide = true, requires = "supervised_by")]
    pub(crate) report_to: Option<i32>,
}

/// `kspipe status`.
#[derive(Debug, Args)]
pub(crate) struct StatusArguments {
    /// The path at which the graph is served
    #[arg(value_name = "SOCKET")]
    pub(crate) socket: PathBuf,
    /// How to show it
    #[arg(long, value_enum, default_value_t = StatusFormat::Text)]
    pub(crate) format: StatusFormat,
}

/// How a status is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum StatusFormat {
    /// For reading
    Text,
    /// For programs; see docs/sessions.md
    Json,
}

/// `kspipe top`.
#[derive(Debug, Args)]
pub(crate) struct TopArguments {
    /// The path at which the graph is served
    #[arg(value_name = "SOCKET")]
    pub(crate) socket: PathBuf,
    /// How often to look, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "0.5", value_parser = parse_seconds)]
    pub(crate) interval: Duration,
}
