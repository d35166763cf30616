//! Files and standard streams, with errors that name them, and waits that a stop ends.

use super::FilterError;
use std::fmt;
use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Buffered between a sink and its file: the lines between pictures, and pictures taken apart a few kilobytes at a time.
/// Whole pictures are longer and are written past it.
const BUFFER: usize = 64 * 1024;

/// What a pipe takes without blocking once it says that it takes anything (`PIPE_BUF` on Linux).
#[cfg(unix)]
const PIPE_PART: usize = 4096;

/// `-`: standard input or output.
pub(in crate::stream) fn is_standard_stream(path: &Path) -> bool {
    path == Path::new("-")
}

/// Whether two paths name one file: the same standard stream is for the caller to tell, since it depends on the
/// direction. Devices and pipes are never the same file: what one writes there, another does not spoil.
pub(in crate::stream) fn same_file(a: &Path, b: &Path) -> bool {
    fn place(path: &Path) -> Option<PathBuf> {
        match std::fs::metadata(path) {
            Ok(metadata) if !metadata.is_file() => None,
            Ok(_) => path.canonicalize().ok(),
            // Not there yet: its folder is.
            Err(_) => {
                let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
                let folder = folder.unwrap_or(Path::new(".")).canonicalize().ok()?;
                Some(folder.join(path.file_name()?))
            }
        }
    }
    if is_standard_stream(a) || is_standard_stream(b) {
        return false;
    }
    #[cfg(unix)]
    if let (Ok(a), Ok(b)) = (std::fs::metadata(a), std::fs::metadata(b)) {
        use std::os::unix::fs::MetadataExt;
        return a.is_file() && (a.dev(), a.ino()) == (b.dev(), b.ino());
    }
    matches!((place(a), place(b)), (Some(a), Some(b)) if a == b)
}

/// Ends waits for a pipe or terminal: once raised, it stays so. On Unix every such wait ends; elsewhere a wait that has
/// begun goes on until data comes or goes.
#[derive(Debug, Default)]
pub(in crate::stream) struct Interrupt {
    #[cfg(unix)]
    wake: unix::Wake,
}

/// What the wait that was ended answers.
#[derive(Debug)]
#[cfg_attr(not(unix), allow(dead_code, reason = "waits are not ended there"))]
struct Interrupted;

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("stopped")
    }
}

impl std::error::Error for Interrupted {}

impl Interrupt {
    /// Ends all waits, those to come included.
    pub(in crate::stream) fn raise(&self) {
        #[cfg(unix)]
        self.wake.raise();
    }

    /// Whether this error is the end of a wait.
    pub(super) fn caused(error: &io::Error) -> bool {
        error.get_ref().is_some_and(|inner| inner.is::<Interrupted>())
    }
}

#[cfg(unix)]
mod unix {
    use super::Interrupted;
    use rustix::event::{PollFd, PollFlags, poll};
    use rustix::fs::OFlags;
    use std::fs::{File, OpenOptions};
    use std::io;
    use std::os::fd::{AsRawFd, OwnedFd};
    use std::os::unix::fs::OpenOptionsExt;
    use std::sync::{Mutex, PoisonError};

    /// A pipe whose writing end is closed to wake whoever polls the reading end. Where the system gives no pipe, waits
    /// are not ended; that is no reason not to run.
    #[derive(Debug)]
    pub(super) struct Wake {
        reader: Option<OwnedFd>,
        writer: Mutex<Option<OwnedFd>>,
    }

    impl Default for Wake {
        fn default() -> Self {
            let ends = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).ok();
            let (reader, writer) = ends.map_or((None, None), |(reader, writer)| (Some(reader), Some(writer)));
            Wake { reader, writer: Mutex::new(writer) }
        }
    }

    /// The same pipe, terminal or device once more, for writes that do not block. Opened anew, because the flag belongs
    /// to what was opened, and that other programs share with us. `None` where the system has no way to.
    pub(super) fn unblocked(file: &File) -> Option<File> {
        let flags = i32::try_from(OFlags::NONBLOCK.bits()).ok()?;
        let path = format!("/proc/self/fd/{}", file.as_raw_fd());
        OpenOptions::new().write(true).custom_flags(flags).open(path).ok()
    }

    impl Wake {
        pub(super) fn raise(&self) {
            self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        }

        /// Waits until the file can be read or written. What is ready goes first: a raised interrupt ends only a wait.
        pub(super) fn wait(&self, file: &File, flags: PollFlags) -> io::Result<()> {
            let Some(reader) = &self.reader else { return Ok(()) };
            loop {
                let mut polled = [PollFd::new(file, flags), PollFd::new(reader, PollFlags::IN)];
                match poll(&mut polled, None) {
                    Err(rustix::io::Errno::INTR) => continue,
                    Err(error) => return Err(error.into()),
                    Ok(_) if !polled[0].revents().is_empty() => return Ok(()),
                    Ok(_) => return Err(io::Error::other(Interrupted)),
                }
            }
        }
    }
}

/// A file, or a standard stream as one, so that nothing of the standard library's buffers lies between.
#[derive(Debug)]
struct Stream {
    file: File,
    /// Reads and writes may wait for somebody else: it is a pipe, a socket or a terminal.
    #[cfg_attr(not(unix), allow(dead_code, reason = "waits are not ended there"))]
    waits: bool,
    /// Writes say so instead of waiting.
    #[cfg(unix)]
    unblocked: bool,
    #[cfg_attr(not(unix), allow(dead_code, reason = "waits are not ended there"))]
    interrupt: Arc<Interrupt>,
}

impl Stream {
    fn new(file: File, interrupt: &Arc<Interrupt>) -> Self {
        let waits = !file.metadata().is_ok_and(|metadata| metadata.is_file());
        Stream {
            file,
            waits,
            #[cfg(unix)]
            unblocked: false,
            interrupt: Arc::clone(interrupt),
        }
    }

    /// For writing.
    fn for_writing(file: File, interrupt: &Arc<Interrupt>) -> Self {
        let stream = Stream::new(file, interrupt);
        #[cfg(unix)]
        if stream.waits
            && let Some(file) = unix::unblocked(&stream.file)
        {
            return Stream { file, unblocked: true, ..stream };
        }
        stream
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        #[cfg(unix)]
        if self.waits {
            self.interrupt.wake.wait(&self.file, rustix::event::PollFlags::IN)?;
        }
        self.file.read(buffer)
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        #[cfg(unix)]
        if self.waits {
            if self.unblocked {
                match self.file.write(bytes) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    result => return result,
                }
            }
            self.interrupt.wake.wait(&self.file, rustix::event::PollFlags::OUT)?;
            return self.file.write(&bytes[..bytes.len().min(PIPE_PART)]);
        }
        self.file.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(unix)]
fn duplicate(stream: &impl std::os::fd::AsFd) -> io::Result<File> {
    Ok(File::from(stream.as_fd().try_clone_to_owned()?))
}

#[cfg(windows)]
fn duplicate(stream: &impl std::os::windows::io::AsHandle) -> io::Result<File> {
    Ok(File::from(stream.as_handle().try_clone_to_owned()?))
}

/// What a source reads. Not buffered.
#[derive(Debug)]
pub(super) struct Input {
    stream: Stream,
    name: String,
}

impl Input {
    /// Opens a file, or standard input for `-`.
    pub(super) fn open(path: &Path, interrupt: &Arc<Interrupt>) -> Result<Self, FilterError> {
        let (name, file) = if is_standard_stream(path) {
            ("standard input".to_owned(), duplicate(&io::stdin()))
        } else {
            (path.display().to_string(), File::open(path))
        };
        match file {
            Ok(file) => Ok(Input { stream: Stream::new(file, interrupt), name }),
            Err(source) => Err(FilterError::File { path: name, source }),
        }
    }

    /// Its name in messages.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Its length, where it is a file and so has one.
    pub(super) fn bytes(&self) -> Option<u64> {
        self.stream.file.metadata().ok().filter(|metadata| metadata.is_file()).map(|metadata| metadata.len())
    }

    /// What a failed read means.
    pub(super) fn failed(&self, source: io::Error) -> FilterError {
        if Interrupt::caused(&source) {
            return FilterError::Stopped;
        }
        FilterError::File { path: self.name.clone(), source }
    }
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.read(buffer)
    }
}

/// What a sink writes.
#[derive(Debug)]
pub(super) struct Output {
    writer: BufWriter<Stream>,
    name: String,
}

impl Output {
    /// Creates a file, or empties the one that is there; standard output for `-`.
    pub(super) fn create(path: &Path, interrupt: &Arc<Interrupt>) -> Result<Self, FilterError> {
        let (name, file) = if is_standard_stream(path) {
            ("standard output".to_owned(), duplicate(&io::stdout()))
        } else {
            (path.display().to_string(), File::create(path))
        };
        match file {
            Ok(file) => {
                Ok(Output { writer: BufWriter::with_capacity(BUFFER, Stream::for_writing(file, interrupt)), name })
            }
            Err(source) => Err(FilterError::File { path: name, source }),
        }
    }

    /// Writes all of it, sooner or later.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), FilterError> {
        self.writer.write_all(bytes).map_err(|error| self.failed(error))
    }

    /// Writes what is still buffered.
    pub(super) fn finish(&mut self) -> Result<(), FilterError> {
        self.writer.flush().map_err(|error| self.failed(error))
    }

    /// What a failed write means.
    pub(super) fn failed(&self, source: io::Error) -> FilterError {
        if Interrupt::caused(&source) {
            return FilterError::Stopped;
        }
        let path = self.name.clone();
        match source.kind() {
            io::ErrorKind::BrokenPipe => FilterError::ReaderGone { path },
            _ => FilterError::File { path, source },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_file_by_two_names_is_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let [a, b, missing] = ["a", "b", "missing"].map(|name| folder.path().join(name));
        std::fs::write(&a, "").unwrap();
        std::fs::hard_link(&a, &b).unwrap();
        assert!(same_file(&a, &folder.path().join("./a")));
        assert_eq!(same_file(&a, &b), cfg!(unix), "hard links are told by their numbers");
        assert!(same_file(&missing, &folder.path().join(".").join("missing")));
        assert!(!same_file(&a, &missing));
        assert!(!same_file(Path::new("-"), Path::new("-")));
        #[cfg(unix)]
        assert!(!same_file(Path::new("/dev/null"), Path::new("/dev/null")));
    }

    #[cfg(unix)]
    #[test]
    fn a_raised_interrupt_ends_a_wait_but_leaves_what_is_ready() {
        let (reader, writer) = rustix::pipe::pipe().unwrap();
        let interrupt = Arc::new(Interrupt::default());
        let mut input = Input { stream: Stream::new(File::from(reader), &interrupt), name: String::new() };
        File::from(writer.try_clone().unwrap()).write_all(b"ab").unwrap();
        interrupt.raise();
        let mut buffer = [0; 8];
        assert_eq!(input.read(&mut buffer).unwrap(), 2);
        let error = input.read(&mut buffer).unwrap_err();
        assert!(matches!(input.failed(error), FilterError::Stopped));
        drop(writer);
        assert_eq!(input.read(&mut buffer).unwrap(), 0, "the end of the stream is ready, too");
    }

    #[cfg(unix)]
    #[test]
    fn a_raised_interrupt_ends_a_wait_for_a_reader_who_does_not_read() {
        let (reader, writer) = rustix::pipe::pipe().unwrap();
        let interrupt = Arc::new(Interrupt::default());
        let stream = Stream::for_writing(File::from(writer), &interrupt);
        let mut output = Output { writer: BufWriter::with_capacity(BUFFER, stream), name: String::new() };
        let waiting = std::thread::spawn(move || output.write(&[0; 1 << 22]).unwrap_err());
        interrupt.raise();
        assert!(matches!(waiting.join().unwrap(), FilterError::Stopped));
        drop(reader);
    }
}
