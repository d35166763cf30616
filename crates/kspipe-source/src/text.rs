//! The text of a source file, and places in it.

/// The largest source file that is read, in bytes.
pub const LARGEST_SOURCE: usize = 8 << 20;

/// The language a file is parsed as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// C: files in `.c`.
    C,
    /// C++: everything else. Headers of C are read as C++ too.
    Cpp,
}

impl Language {
    /// The language of a file with this name.
    pub fn of(name: &str) -> Self {
        let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
        if extension.eq_ignore_ascii_case("c") { Self::C } else { Self::Cpp }
    }
}

/// A file as it was read.
#[derive(Clone, Debug)]
pub struct SourceFile {
    name: String,
    text: String,
    language: Language,
    was_included: bool,
    line_starts: Vec<usize>,
}

impl SourceFile {
    /// Decodes a file: UTF-8, UTF-16 with a byte order mark, or else one byte a character.
    pub(crate) fn new(name: &str, bytes: &[u8], was_included: bool) -> Self {
        let text = decode(bytes);
        let newlines = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let line_starts = std::iter::once(0).chain(newlines.map(|(offset, _)| offset + 1)).collect();
        Self { name: name.to_owned(), text, language: Language::of(name), was_included, line_starts }
    }

    /// The name it was given with.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its text. Places count its bytes; where the file was not UTF-8 these are not the bytes of the file.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The language it was parsed as.
    pub fn language(&self) -> Language {
        self.language
    }

    /// It was not given, but included by a file that was.
    pub fn was_included(&self) -> bool {
        self.was_included
    }

    /// Line and column of a byte, both from 1; columns count characters.
    pub fn position(&self, offset: usize) -> (usize, usize) {
        let line = self.line_starts.partition_point(|start| *start <= offset).max(1);
        let start = self.line_starts.get(line - 1).copied().unwrap_or(0);
        let before = self.text.as_bytes().get(start..offset.min(self.text.len())).unwrap_or(&[]);
        // A character's first byte is not a continuation byte (10xxxxxx).
        (line, before.iter().filter(|byte| **byte & 0xC0 != 0x80).count() + 1)
    }
}

/// A stretch of a file: bytes `start..end` of its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The file, by its place in [`DriverSource::files`](crate::DriverSource::files).
    pub file: usize,
    /// The first byte, from 0.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

impl Place {
    /// From the start of this place to the end of another of the same file; this place where the other is elsewhere.
    pub(crate) fn to(self, last: Place) -> Place {
        if last.file == self.file && last.end >= self.start { Place { end: last.end, ..self } } else { self }
    }

    pub(crate) fn contains(self, other: Place) -> bool {
        self.file == other.file && self.start <= other.start && other.end <= self.end
    }
}

fn decode(bytes: &[u8]) -> String {
    let wide = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let (pairs, _) = bytes.as_chunks::<2>();
        char::decode_utf16(pairs.iter().map(|pair| unit(*pair))).map(|unit| unit.unwrap_or('\u{FFFD}')).collect()
    };
    match bytes {
        [0xFF, 0xFE, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => wide(rest, u16::from_be_bytes),
        [0xEF, 0xBB, 0xBF, rest @ ..] => narrow(rest),
        _ => narrow(bytes),
    }
}

fn narrow(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        // Old sources have Latin-1 or a code page of Windows in their comments.
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_decoded_whatever_they_were_saved_as() {
        let utf16: Vec<u8> = [0xFEFF].into_iter().chain("ä = 2".encode_utf16()).flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = [0xFEFF].into_iter().chain("ä = 2".encode_utf16()).flat_map(u16::to_be_bytes).collect();
        for bytes in ["ä = 2".as_bytes(), "\u{FEFF}ä = 2".as_bytes(), b"\xE4 = 2", &utf16, &big] {
            let file = SourceFile::new("a.c", bytes, false);
            assert_eq!(file.text(), "ä = 2", "{bytes:?}");
            assert_eq!(file.position(3), (1, 3));
        }
    }

    #[test]
    fn a_position_is_a_line_and_a_column_from_one() {
        let file = SourceFile::new("a.cpp", "one\ntwo\r\nthree".as_bytes(), false);
        for (offset, position) in [(0, (1, 1)), (3, (1, 4)), (4, (2, 1)), (9, (3, 1)), (99, (3, 6))] {
            assert_eq!(file.position(offset), position, "{offset}");
        }
    }
}
