//! What a command writes must be none of the files it reads, nor one it writes already.

use crate::failure::Failure;
use kspipe::graph::{Graph, Run};
use std::path::{Path, PathBuf};

/// Refuses to write `target`, named by `option`, over the graph file or the files of the graph's filters.
pub(crate) fn refuse(option: &str, target: &Path, graph_file: &Path, graph: &Graph) -> Result<(), Failure> {
    let taken = graph.filters().iter().filter_map(|filter| Some((filter.name(), path_of(filter.run()?)?)));
    let taken = taken.map(|(name, path)| (format!("the file of `{name}`"), path));
    let all = [("the graph file".to_owned(), graph_file)].into_iter().chain(taken);
    match all.into_iter().find(|(_, path)| is_same(path, target)) {
        None => Ok(()),
        Some((what, _)) => Err(Failure::usage(
            format!("{option} {} would be written over {what}", target.display()),
            "give it a name of its own",
        )),
    }
}

/// Refuses to write `target`, named by `option`, over a file that is written, too.
#[cfg(target_os = "linux")]
pub(crate) fn refuse_file(option: &str, target: &Path, written: &Path) -> Result<(), Failure> {
    if !is_same(target, written) {
        return Ok(());
    }
    let message = format!("{option} {} would be written over the file of the filter", target.display());
    Err(Failure::usage(message, "give it a name of its own"))
}

/// Refuses to write `target` over the file it is made from.
pub(crate) fn refuse_input(target: &Path, input: &Path) -> Result<(), Failure> {
    if !is_same(target, input) {
        return Ok(());
    }
    let message = format!("--output {} would be written over the input", target.display());
    Err(Failure::usage(message, "give it a name of its own"))
}

/// The sink, if there is one, that would be written over the graph file.
pub(crate) fn sink_over_graph<'g>(graph_file: &Path, graph: &'g Graph) -> Option<&'g str> {
    let sinks = graph.filters().iter().filter(|filter| filter.run().is_some_and(writes));
    let mut over = sinks.filter(|filter| filter.run().and_then(path_of).is_some_and(|path| is_same(path, graph_file)));
    over.next().map(|filter| filter.name())
}

/// The file a filter writes, if it is one and no stream.
pub(crate) fn written(run: &Run) -> Option<&Path> {
    path_of(run).filter(|path| writes(run) && *path != Path::new("-"))
}

fn writes(run: &Run) -> bool {
    matches!(run, Run::Y4mSink { .. } | Run::RawSink { .. } | Run::Png { .. } | Run::Checksum { .. })
}

pub(crate) fn path_of(run: &Run) -> Option<&Path> {
    match run {
        Run::Y4mSource { path } | Run::RawSource { path, .. } => Some(path),
        Run::Y4mSink { path } | Run::RawSink { path } | Run::Png { path, .. } => Some(path),
        Run::Checksum { path } => path.as_deref(),
        _ => None,
    }
}

/// Whether two names are of one regular file, or would be. Streams and devices may be written by many.
fn is_same(one: &Path, other: &Path) -> bool {
    let stream = |path: &Path| path == Path::new("-") || path.metadata().is_ok_and(|data| !data.is_file());
    !stream(one) && !stream(other) && whole(one) == whole(other)
}

/// The file's one name: its folder followed to its end, and itself too where it is there.
fn whole(path: &Path) -> PathBuf {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let beside = || folder.canonicalize().ok().zip(path.file_name()).map(|(folder, name)| folder.join(name));
    path.canonicalize().ok().or_else(beside).unwrap_or_else(|| path.to_owned())
}
