//! `framing-blob` of a pin: a driver's binary answer, from a file beside the graph file.

use super::draft::{At, PinDraft};
use super::item::{PinName, subject};
use super::reader::{Problem, Reader, Value};
use super::run::resolve;
use super::suggest::excerpt;
use crate::finding::{Span, Subject, codes};
use crate::graph::{FramingItem, read_blob};
use ks::{KsAllocatorFramingExHead, KsFramingItem};
use std::fs;
use std::io::{self, Read};
use std::mem::{offset_of, size_of};
use std::path::Path;

/// The largest blob that is read: 11,915 items, where drivers have one to ten.
const LARGEST_BLOB: u64 = 1 << 20;

/// Reads the blob into the pin: framing, compression and findings.
pub(super) fn read<'d>(
    reader: &mut Reader<'d>,
    base: &Path,
    name: PinName<'d>,
    value: &'d Value<'d>,
    pin: &mut PinDraft,
) {
    let Some(text) = reader.string(value, "`framing-blob`", "the path of a file") else { return };
    let (span, shown) = (text.span, excerpt(text.text));
    if matches!(text.text, "" | "-") {
        reader.report(|| Problem::new(span, "`framing-blob` names no file", "expected the path of a file"));
        return;
    }
    let bytes = match read_file(&resolve(base, text.text)) {
        Ok(bytes) => bytes,
        Err(error) => {
            let message = format!("cannot read the framing blob `{shown}`: {error}");
            reader.report(|| {
                Problem::new(span, message, "expected a file of 24 bytes, or of 24 and 88 for each item")
                    .help("the path is relative to the graph file's directory")
            });
            return;
        }
    };
    let blob = match read_blob(&bytes) {
        Ok(blob) => blob,
        Err(error) => {
            reader.report(|| {
                let message = format!("the framing blob `{shown}` is not a framing: {error}");
                Problem::new(span, message, format!("byte {} of this file", error.offset()))
                    .help("expected KSALLOCATOR_FRAMING (24 bytes) or KSALLOCATOR_FRAMING_EX (24 bytes and 88 an item)")
            });
            return;
        }
    };
    for (index, item) in blob.framing.items().iter().enumerate() {
        let place = format!("FramingItem[{index}] of `{shown}`");
        check_range(reader, item, index, span, &place);
    }
    for finding in blob.findings {
        let subject = Subject { item: finding.item, member: Some(finding.field), ..subject(name) };
        reader.finding(finding.code, subject, span, format!("`{shown}`: {finding}"), finding.help);
    }
    pin.items = vec![span; blob.framing.items().len()];
    pin.framing = blob.framing;
    if blob.compression.is_stated() {
        pin.compression = Some(At { value: blob.compression, span });
    }
}

fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    // A pipe or terminal could be waited for without end.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
    }
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(LARGEST_BLOB + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST_BLOB {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it is larger than {LARGEST_BLOB} bytes")));
    }
    Ok(bytes)
}

/// A required range that holds no size can never be met.
fn check_range(reader: &mut Reader<'_>, item: &FramingItem, index: usize, span: Span, place: &str) {
    let (min, max) = (item.physical.min, item.physical.max);
    if item.is_preference() || min <= max {
        return;
    }
    let offset = size_of::<KsAllocatorFramingExHead>()
        + index * size_of::<KsFramingItem>()
        + offset_of!(KsFramingItem, physical_range);
    reader.report(|| {
        let message = format!("PhysicalRange.MinFrameSize of {place}, {min}, is over its MaxFrameSize, {max}");
        Problem::new(span, message, format!("byte {offset} of this file")).code(&codes::RANGE_UPSIDE_DOWN)
    });
}
