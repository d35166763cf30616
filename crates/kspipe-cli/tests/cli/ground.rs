//! What the tests share: a folder with the examples in it, and readers of what they write.

use assert_cmd::Command;
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};

/// The project's root.
pub(crate) fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// A folder of the test's own, with `examples/*.toml`, the driver's source and the film as they lie in the project; commands run there.
pub(crate) struct Ground(tempfile::TempDir);

impl Ground {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let examples = folder.path().join("examples");
        fs::create_dir_all(examples.join("media")).expect("it can have folders");
        fs::create_dir_all(examples.join("driver")).expect("it can have folders");
        let driver = "examples/driver/capture.cpp";
        fs::copy(root().join(driver), folder.path().join(driver)).expect("the source can be copied");
        for entry in fs::read_dir(root().join("examples")).expect("the project has examples") {
            let path = entry.expect("they can be listed").path();
            if path.extension().is_some_and(|extension| extension == "toml") {
                fs::copy(&path, examples.join(path.file_name().expect("a file has a name"))).expect("it can be copied");
            }
        }
        fs::copy(root().join(FILM), folder.path().join(FILM)).expect("the film can be copied");
        Ground(folder)
    }

    /// A file of the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file, and gives its name back.
    pub(crate) fn file<'a>(&self, name: &'a str, content: impl AsRef<[u8]>) -> &'a str {
        fs::write(self.path(name), content).expect("the file can be written");
        name
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub(crate) fn text(&self, name: &str) -> String {
        String::from_utf8(self.read(name)).expect("it is text")
    }

    pub(crate) fn json(&self, name: &str) -> serde_json::Value {
        serde_json::from_slice(&self.read(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// The command, to be run in the folder, with plain output.
    pub(crate) fn kspipe(&self, arguments: &[&str]) -> Command {
        let mut command = command_under_test();
        command.current_dir(self.0.path()).env("NO_COLOR", "1").env("LC_ALL", "C.UTF-8").env("COLUMNS", "120");
        command.args(arguments).timeout(std::time::Duration::from_secs(300));
        command
    }

    /// The command as a program of the system's, to be run in the folder with streams of one's own.
    #[cfg(unix)]
    pub(crate) fn command(&self, arguments: &[&str]) -> std::process::Command {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_kspipe"));
        command.args(arguments).current_dir(self.0.path()).env("NO_COLOR", "1");
        command
    }

    /// Runs the command and gives standard output and standard error, where it ends with this exit code.
    pub(crate) fn run(&self, arguments: &[&str], code: i32) -> (String, String) {
        let output = self.kspipe(arguments).output().expect("the command can be run");
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "kspipe {}\n{error}", arguments.join(" "));
        (String::from_utf8_lossy(&output.stdout).into_owned(), error)
    }
}

/// The command as cargo built it, or what the variable says, words between spaces: how a build for another system is
/// tested.
fn command_under_test() -> Command {
    let Ok(words) = std::env::var("KSPIPE_COMMAND") else { return Command::new(env!("CARGO_BIN_EXE_kspipe")) };
    let mut words = words.split(' ');
    let mut command = Command::new(words.next().expect("a program"));
    command.args(words);
    command
}

/// How many frames a list of checksums tells of.
#[cfg(target_os = "linux")]
pub(crate) fn checksums(list: &str) -> usize {
    list.lines().filter(|line| !line.starts_with('#')).count()
}

/// The film, from the root.
pub(crate) const FILM: &str = "examples/media/bigbuckbunny-320x180-24.y4m";
/// Bytes of one of its frames: 320 x 180, I420.
pub(crate) const FRAME: usize = 320 * 180 * 3 / 2;
/// Its frames.
pub(crate) const FRAMES: usize = 24;

/// The digests of the film's frames as ffmpeg computed them: `original` or `inverted`.
pub(crate) fn expected(name: &str) -> Vec<String> {
    let path = root().join(format!("crates/kspipe-cli/tests/expected/{name}.framehash"));
    let text = fs::read_to_string(path).expect("the expected digests are in the project");
    let digests: Vec<String> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.rsplit(',').next())
        .map(|digest| digest.trim().to_owned())
        .collect();
    assert_eq!(digests.len(), FRAMES);
    digests
}

/// A frame of the film in RGB as ffmpeg converted it, averaged over blocks of 20 x 20 pixels: 16 a row, 9 rows. Every
/// fourth frame is there.
pub(crate) fn thumbnail(name: &str, frame: usize) -> Vec<[u8; 3]> {
    let path = root().join(format!("crates/kspipe-cli/tests/expected/{name}.thumbnails"));
    let text = fs::read_to_string(path).expect("the expected pictures are in the project");
    let rows = text.lines().filter(|line| !line.starts_with('#'));
    let blocks = rows.skip(frame / 4 * 9).take(9).flat_map(|row| row.split(' '));
    let byte = |block: &str, at: usize| u8::from_str_radix(&block[at..at + 2], 16).expect("hexadecimal");
    blocks.map(|block| [byte(block, 0), byte(block, 2), byte(block, 4)]).collect()
}

/// The frames of a Y4M stream, without its headers.
pub(crate) fn y4m_frames(stream: &[u8]) -> Vec<&[u8]> {
    let line = |bytes: &[u8]| bytes.iter().position(|byte| *byte == b'\n').expect("a header ends in a line feed") + 1;
    assert!(stream.starts_with(b"YUV4MPEG2 W320 H180 F25:1"), "{}", String::from_utf8_lossy(&stream[..60]));
    let mut rest = &stream[line(stream)..];
    let mut frames = Vec::new();
    while !rest.is_empty() {
        assert!(rest.starts_with(b"FRAME"));
        let (frame, after) = rest[line(rest)..].split_at(FRAME);
        frames.push(frame);
        rest = after;
    }
    frames
}

/// The frames of a raw stream.
pub(crate) fn raw_frames(stream: &[u8]) -> Vec<&[u8]> {
    assert_eq!(stream.len() % FRAME, 0);
    stream.chunks(FRAME).collect()
}

/// The SHA-256 of each frame.
pub(crate) fn digests(frames: &[&[u8]]) -> Vec<String> {
    frames
        .iter()
        .map(|frame| Sha256::digest(frame).iter().map(|byte| format!("{byte:02x}")).collect::<String>())
        .collect()
}
