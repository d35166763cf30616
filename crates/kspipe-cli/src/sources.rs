//! Drivers' sources from the disk: which files they are, and where what they include is looked for.

use kspipe_source::{DriverSource, Input, LARGEST_SOURCE, Options, read};
use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The endings of C and C++.
const ENDINGS: [&str; 11] = ["c", "cc", "cpp", "cxx", "c++", "h", "hh", "hpp", "hxx", "inl", "inc"];

/// Whether a file with this name is C or C++.
pub(crate) fn is_source(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    ending.is_some_and(|ending| ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known)))
}

/// Directories in directories.
const DEEPEST: usize = 32;

/// Every source in a directory and those in it, in the order of their names.
pub(crate) fn in_directory(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = BTreeSet::new();
    collect(directory, 0, &mut found)?;
    Ok(found.into_iter().collect())
}

fn collect(directory: &Path, depth: usize, found: &mut BTreeSet<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let (path, kind) = (entry.path(), entry.file_type()?);
        let hidden = entry.file_name().to_str().is_some_and(|name| name.starts_with('.'));
        // A link could lead in circles.
        if kind.is_dir() && !hidden && depth < DEEPEST {
            collect(&path, depth + 1, found)?;
        } else if kind.is_file() && is_source(&path) {
            found.insert(path);
        }
    }
    Ok(())
}

/// Reads a source's bytes; `-` is standard input.
pub(crate) fn bytes(path: &Path) -> io::Result<Vec<u8>> {
    let limit = LARGEST_SOURCE as u64 + 1;
    let mut bytes = Vec::new();
    if path == Path::new("-") {
        io::stdin().lock().take(limit).read_to_end(&mut bytes)?;
    } else {
        fs::File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    }
    if bytes.len() as u64 >= limit {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it is larger than {LARGEST_SOURCE} bytes")));
    }
    Ok(bytes)
}

/// Reads sources together: what one defines the others use. Included files are looked for beside the file that includes
/// them, then in these directories; what is not found there, as the headers of Windows, is left out.
pub(crate) fn read_all(files: &[(String, Vec<u8>)], directories: &[PathBuf]) -> DriverSource {
    let inputs: Vec<_> = files.iter().map(|(name, bytes)| Input::new(name, bytes)).collect();
    read(&inputs, &Options::default(), |from, path| {
        let path = path.replace('\\', "/");
        let beside = Path::new(from).parent().unwrap_or(Path::new(""));
        let candidates = std::iter::once(beside).chain(directories.iter().map(PathBuf::as_path));
        candidates.map(|directory| directory.join(&path)).find_map(|candidate| {
            if !fs::metadata(&candidate).ok()?.is_file() {
                return None;
            }
            Some((candidate.display().to_string(), bytes(&candidate).ok()?))
        })
    })
}
