//! Texts of any length in one descriptor: a `memfd` that nobody can change any more.

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, fcntl_get_seals, fstat, memfd_create};
use rustix::io::{Errno, pread};
use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;

/// What keeps a text as it is.
const SEALS: SealFlags = SealFlags::SHRINK.union(SealFlags::GROW).union(SealFlags::WRITE).union(SealFlags::SEAL);
/// The longest text that is read: 16 MiB.
const MOST: u64 = 16 << 20;

/// A text in a file.
pub(crate) fn write(text: &str) -> std::io::Result<OwnedFd> {
    let mut file = File::from(memfd_create(c"kspipe text", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?);
    file.write_all(text.as_bytes())?;
    fcntl_add_seals(&file, SEALS)?;
    Ok(file.into())
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

    #[test]
    fn a_text_is_read_as_often_as_one_likes() {
        let text = "grün ".repeat(20_000);
        let file = write(&text).unwrap();
        assert_eq!(read(&file).as_deref(), Some(&*text));
        assert_eq!(read(&file).as_deref(), Some(&*text));
        assert_eq!(read(&write("").unwrap()).as_deref(), Some(""));
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
