//! Texts of any length in one descriptor: a `memfd` that nobody can change any more.

use rustix::fs::{MemfdFlags, Mode, OFlags, SealFlags, fcntl_add_seals, fcntl_get_seals, fstat, memfd_create, open};
use rustix::io::{Errno, pread};
use std::fs::File;
use std::io::Write;
use std::os::fd::{AsRawFd, OwnedFd};

/// What keeps a text as it is.
const SEALS: SealFlags = SealFlags::SHRINK.union(SealFlags::GROW).union(SealFlags::WRITE).union(SealFlags::SEAL);
/// The longest text that is read: 16 MiB.
const MOST: u64 = 16 << 20;

/// A text in a file, for many.
#[derive(Debug)]
pub(crate) struct Document {
    file: OwnedFd,
    length: u64,
}

impl Document {
    pub(crate) fn new(text: &str) -> std::io::Result<Self> {
        let mut file = File::from(memfd_create(c"kspipe text", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?);
        file.write_all(text.as_bytes())?;
        fcntl_add_seals(&file, SEALS)?;
        Ok(Self { file: file.into(), length: text.len() as u64 })
    }

    /// Its bytes.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// The file, opened for one of them: with a position of its own, at its beginning.
    pub(crate) fn open(&self) -> std::io::Result<OwnedFd> {
        let path = format!("/proc/self/fd/{}", self.file.as_raw_fd());
        Ok(open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?)
    }
}

impl From<Document> for OwnedFd {
    fn from(document: Document) -> Self {
        document.file
    }
}

/// The text in a file that somebody sent. `None` where it is no sealed file of UTF-8, or too long.
pub(crate) fn read(file: &OwnedFd) -> Option<String> {
    if !fcntl_get_seals(file).ok()?.contains(SEALS) {
        return None;
    }
    let length = u64::try_from(fstat(file).ok()?.st_size).ok().filter(|length| *length <= MOST)?;
    let mut bytes = vec![0; usize::try_from(length).ok()?];
    let mut read = 0;
    // Not by the file's own position, which others have too.
    while read < bytes.len() {
        match pread(file, &mut bytes[read..], read as u64) {
            Ok(0) => return None,
            Ok(count) => read += count,
            Err(Errno::INTR) => {}
            Err(_) => return None,
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn a_text_is_read_as_often_as_one_likes() {
        let text = "grün ".repeat(20_000);
        let document = Document::new(&text).unwrap();
        assert_eq!(document.length(), text.len() as u64);
        for _ in 0..2 {
            let file = document.open().unwrap();
            assert_eq!(read(&file).as_deref(), Some(&*text));
            // Somebody else who has it open goes where he likes.
            let mut own = String::new();
            File::from(file).read_to_string(&mut own).unwrap();
            assert_eq!(own, text);
        }
        assert_eq!(read(&OwnedFd::from(Document::new("").unwrap())).as_deref(), Some(""));
    }

    #[test]
    fn what_could_change_or_is_no_text_is_not_read() {
        let unsealed = memfd_create(c"text", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING).unwrap();
        assert_eq!(read(&unsealed), None);
        let (pipe, _writer) = rustix::pipe::pipe().unwrap();
        assert_eq!(read(&pipe), None);
        let mut file = File::from(unsealed);
        file.write_all(&[0xFF]).unwrap();
        fcntl_add_seals(&file, SEALS).unwrap();
        assert_eq!(read(&file.into()), None);
    }
}
