//! What can be typed after `kspipe`, and its help.

#[cfg(target_os = "linux")]
use crate::session::arguments as session;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use kspipe::graph::Strategy;
use std::path::PathBuf;
use std::time::Duration;

const EXAMPLES: &str = "\
Examples:
  kspipe run examples/preview.toml
  kspipe negotiate --explain examples/bridge.toml
  kspipe check examples/camera.toml pin.bin
  kspipe inspect pin.bin

Exit codes: 0 done; 1 the graph or framing is at fault; 2 bad usage; 3 a system failure, or undecided.";

const RUN_EXAMPLES: &str = "\
Examples:
  kspipe run examples/preview.toml
  kspipe run examples/pattern-4k60.toml --frames 600 --report 4k60.html --report 4k60.json
  ffmpeg -i in.mp4 -f yuv4mpegpipe - | kspipe run examples/pipe.toml | ffplay -

The last graph reads `path = \"-\"`, standard input, and writes it, standard output. Progress, the plan and the summary \
go to standard error. Ctrl-C ends the stream and brings every frame home; a second one kills.";

const NEGOTIATE_EXAMPLES: &str = "\
Examples:
  kspipe negotiate examples/camera.toml
  kspipe negotiate --explain --strategy minimize-frames examples/camera.toml
  kspipe negotiate --format json examples/camera.toml | jq .cost
  kspipe negotiate --format svg -o plan.svg examples/preview.toml";

const CHECK_EXAMPLES: &str = "\
Examples:
  kspipe check examples/camera.toml pin.bin
  kspipe check --deny warnings --allow KS014 graphs/*.toml
  kspipe check --format sarif graph.toml > graph.sarif
  kspipe check examples/driver/capture.cpp
  kspipe check --include inc src/
  kspipe check --explain KS040
  kspipe check --list

A file in .toml is a graph, one in .bin a framing blob, one in .c, .cpp, .h and their kin a driver's source; of others \
the content decides. Of a directory, the sources in it are checked. Exit codes: 0 nothing, or only \
warnings and notes; 1 errors; 2 bad usage; 3 a file that cannot be read.";

const INSPECT_EXAMPLES: &str = "\
Examples:
  kspipe inspect pin.bin
  kspipe inspect --offsets old.bin extended.bin
  xxd -r -p pin.hex | kspipe inspect --format json -

A blob is what a driver's pin answers to KSPROPERTY_CONNECTION_ALLOCATORFRAMING or _EX, as it lies in memory: \
KSALLOCATOR_FRAMING (24 bytes) or KSALLOCATOR_FRAMING_EX (24 + 88 for each item). Live devices cannot be inspected yet: \
that needs Windows.";

const CONVERT_EXAMPLES: &str = "\
Examples:
  kspipe convert capture.cpp
  kspipe convert capture.cpp --name CaptureFraming -o capture.bin
  kspipe convert pin.bin --to c --name PinFraming
  kspipe convert graph.toml --name camera.capture -o capture.bin

Sources (.c, .cpp, .h) are read as `kspipe check` reads them; a TOML file is a graph, or a pin's keys `framing` and \
`compression` alone. Exit codes: 0 done; 1 it cannot be said there, or is not known; 2 bad usage; 3 a system failure.";

/// The whole command line.
#[derive(Debug, Parser)]
#[command(
    name = "kspipe",
    version,
    about = "Frame allocators for media graphs, as Kernel Streaming's IKsAllocatorEx has them",
    long_about = "Frame allocators for media graphs: negotiated for the whole graph at once, created, and streamed \
                  through without copying, with the semantics of Kernel Streaming's IKsAllocatorEx.",
    after_help = EXAMPLES
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Negotiate a graph, create its allocators, stream real frames through it, and report what happened
    #[command(after_help = RUN_EXAMPLES)]
    Run(RunArguments),
    /// Show the plan of a graph: its pipes, who allocates, how many frames, how large, in which memory
    #[command(after_help = NEGOTIATE_EXAMPLES)]
    Negotiate(NegotiateArguments),
    /// Find what is wrong, or odd, in graph files, framing blobs and drivers' sources, before anything runs
    #[command(after_help = CHECK_EXAMPLES)]
    Check(CheckArguments),
    /// Decode framing blobs: what a driver's pin asks of an allocator, with the header's member names
    #[command(after_help = INSPECT_EXAMPLES)]
    Inspect(InspectArguments),
    /// Turn a framing of a driver's source, a blob or TOML into another of these
    #[command(after_help = CONVERT_EXAMPLES)]
    Convert(ConvertArguments),
    /// Host a graph of which other processes run filters, fill pins or take frames
    #[cfg(target_os = "linux")]
    #[command(after_help = session::SERVE_EXAMPLES)]
    Serve(session::ServeArguments),
    /// Run a filter of a graph that another process serves
    #[cfg(target_os = "linux")]
    #[command(after_help = session::ATTACH_EXAMPLES)]
    Attach(session::AttachArguments),
    /// Say who has which frame of a graph that is served, and since when
    #[cfg(target_os = "linux")]
    #[command(after_help = session::STATUS_EXAMPLES)]
    Status(session::StatusArguments),
    /// Watch who has which frame of a graph that is served
    #[cfg(target_os = "linux")]
    #[command(after_help = session::TOP_EXAMPLES)]
    Top(session::TopArguments),
    /// Measure what frames cost on this machine
    #[command(after_help = crate::bench::IPC_EXAMPLES)]
    Bench(crate::bench::BenchArguments),
}

/// What a graph is read from and negotiated for.
#[derive(Debug, Args)]
pub(crate) struct GraphArguments {
    /// The graph file; `-` is standard input
    #[arg(value_name = "GRAPH")]
    pub(crate) graph: PathBuf,
    /// What the plan optimises, instead of what the graph says
    #[arg(long, value_name = "STRATEGY", value_parser = strategy_parser(), hide_possible_values = false)]
    pub(crate) strategy: Option<Strategy>,
}

/// `kspipe run`.
#[derive(Debug, Args)]
pub(crate) struct RunArguments {
    #[command(flatten)]
    pub(crate) graph: GraphArguments,
    /// End each source after this many frames
    #[arg(long, value_name = "N")]
    pub(crate) frames: Option<u64>,
    /// Stop after this many seconds (2.5 is two and a half)
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds)]
    pub(crate) duration: Option<Duration>,
    /// Let sources deliver at the media's rate instead of as fast as they can
    #[arg(long)]
    pub(crate) realtime: bool,
    /// Write a report when the graph has ended; a name in .html or .json, and may be given for each
    #[arg(long, value_name = "FILE", value_parser = parse_report)]
    pub(crate) report: Vec<ReportFile>,
    /// Print nothing but errors
    #[arg(long, short)]
    pub(crate) quiet: bool,
}

/// `kspipe negotiate`.
#[derive(Debug, Args)]
pub(crate) struct NegotiateArguments {
    #[command(flatten)]
    pub(crate) graph: GraphArguments,
    /// Say of each number, bridge and unused allocator which pin and which rule it comes from, and what dropping that
    /// one ask would save (with --format text or json)
    #[arg(long)]
    pub(crate) explain: bool,
    /// How to show the plan
    #[arg(long, value_enum, default_value_t = PlanFormat::Text)]
    pub(crate) format: PlanFormat,
    /// Write to this file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// `kspipe check`.
#[derive(Debug, Args)]
pub(crate) struct CheckArguments {
    /// Graph files, framing blobs, drivers' sources and directories of these; `-` is standard input
    #[arg(value_name = "FILE", required_unless_present_any = ["explain", "list"])]
    pub(crate) files: Vec<PathBuf>,
    /// How to show what was found
    #[arg(long, value_enum, default_value_t = FindingFormat::Text)]
    pub(crate) format: FindingFormat,
    /// Look for what sources include in this directory too, not only beside them
    #[arg(long, short = 'I', value_name = "DIRECTORY")]
    pub(crate) include: Vec<PathBuf>,
    /// Write into graph files what is sure to do away with a finding, and show what is left
    #[arg(long)]
    pub(crate) fix: bool,
    /// Take these as errors: `warnings`, `notes`, or a code
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    pub(crate) deny: Vec<String>,
    /// Leave these codes out
    #[arg(long, value_name = "CODE", value_delimiter = ',')]
    pub(crate) allow: Vec<String>,
    /// Show these codes and no others
    #[arg(long, value_name = "CODE", value_delimiter = ',')]
    pub(crate) only: Vec<String>,
    /// Explain a code, by its number or name, or `all`, instead of checking
    #[arg(long, value_name = "CODE", value_delimiter = ',', conflicts_with = "files")]
    pub(crate) explain: Vec<String>,
    /// List every code in a line, instead of checking
    #[arg(long, conflicts_with_all = ["files", "explain"])]
    pub(crate) list: bool,
}

/// How findings are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FindingFormat {
    /// As compilers print them
    Text,
    /// For programs; see docs/command-line.md
    Json,
    /// SARIF 2.1.0, for code hosts and editors
    Sarif,
}

/// `kspipe inspect`.
#[derive(Debug, Args)]
pub(crate) struct InspectArguments {
    /// Files with a framing blob each; `-` is standard input
    #[arg(value_name = "BLOB", required = true)]
    pub(crate) blobs: Vec<PathBuf>,
    /// How to show the framings
    #[arg(long, value_enum, default_value_t = FramingFormat::Text)]
    pub(crate) format: FramingFormat,
    /// Put each member's offset in the blob, in hexadecimal, before it
    #[arg(long)]
    pub(crate) offsets: bool,
}

/// `kspipe convert`.
#[derive(Debug, Args)]
pub(crate) struct ConvertArguments {
    /// A driver's source, a framing blob, a graph file or a fragment of one; `-` is standard input
    #[arg(value_name = "INPUT")]
    pub(crate) input: PathBuf,
    /// What to write; else the output's name decides, else TOML of sources and blobs, and a blob of TOML
    #[arg(long, value_enum, value_name = "WHAT")]
    pub(crate) to: Option<FramingLanguage>,
    /// Write to this file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Which framing, where there are several: a variable or `filter.pin`; of a blob, what to call it
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// The structure to write of TOML, which does not say
    #[arg(long, value_enum, value_name = "STRUCTURE")]
    pub(crate) structure: Option<StructureName>,
    /// Look for what a source includes in this directory too
    #[arg(long, short = 'I', value_name = "DIRECTORY")]
    pub(crate) include: Vec<PathBuf>,
    /// Leave out what a graph file has no place for
    #[arg(long)]
    pub(crate) lossy: bool,
}

/// What a framing is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FramingLanguage {
    /// The keys of a pin in a graph file
    Toml,
    /// The bytes of the structure
    Blob,
    /// A declaration in C and C++
    C,
}

/// The two framing structures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum StructureName {
    /// KSALLOCATOR_FRAMING
    Old,
    /// KSALLOCATOR_FRAMING_EX
    Extended,
}

/// How a plan is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PlanFormat {
    /// For reading
    Text,
    /// For programs; see docs/command-line.md
    Json,
    /// For Graphviz
    Dot,
    /// A picture
    Svg,
}

/// How framings are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FramingFormat {
    /// For reading
    Text,
    /// For programs; see docs/command-line.md
    Json,
}

/// A report to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReportFile {
    pub(crate) path: PathBuf,
    pub(crate) format: ReportFormat,
}

/// What a report's name ends in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReportFormat {
    Html,
    Json,
}

fn strategy_parser() -> impl TypedValueParser<Value = Strategy> {
    PossibleValuesParser::new(Strategy::ALL.map(|(name, _)| name)).try_map(|chosen| {
        Strategy::ALL
            .into_iter()
            .find(|(name, _)| *name == chosen)
            .map(|(_, strategy)| strategy)
            .ok_or("there is no such strategy")
    })
}

pub(crate) fn parse_seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "expected a number of seconds, such as 10 or 2.5".to_owned())?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        _ => Err("expected more than 0 seconds, and fewer than 2^64".to_owned()),
    }
}

pub(crate) fn parse_report(text: &str) -> Result<ReportFile, String> {
    let path = PathBuf::from(text);
    let format = match path.extension().and_then(|extension| extension.to_str()) {
        Some("html") => ReportFormat::Html,
        Some("json") => ReportFormat::Json,
        _ => return Err("a report's name ends in .html or .json".to_owned()),
    };
    Ok(ReportFile { path, format })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_command_has_an_example_in_its_help() {
        for command in Arguments::command().get_subcommands() {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains(&format!("kspipe {} ", command.get_name())), "{}", command.get_name());
        }
    }

    #[test]
    fn durations_are_positive_numbers_of_seconds() {
        assert_eq!(parse_seconds("2.5"), Ok(Duration::from_millis(2500)));
        for wrong in ["", "0", "-1", "nan", "inf", "1e400", "10s"] {
            assert!(parse_seconds(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_report_is_html_or_json_by_its_name() {
        assert_eq!(parse_report("a.html").map(|report| report.format), Ok(ReportFormat::Html));
        assert_eq!(parse_report("b/c.json").map(|report| report.format), Ok(ReportFormat::Json));
        assert!(parse_report("report").is_err() && parse_report("report.txt").is_err());
    }

    #[test]
    fn every_strategy_can_be_named() {
        for (name, strategy) in Strategy::ALL {
            let arguments = Arguments::try_parse_from(["kspipe", "negotiate", "g.toml", "--strategy", name]);
            let Ok(Arguments { command: Command::Negotiate(negotiate) }) = arguments else { panic!("{name}") };
            assert_eq!(negotiate.graph.strategy, Some(strategy));
        }
    }
}
