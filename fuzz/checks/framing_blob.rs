//! Any bytes as a framing blob: read, or refused with an offset in them. What is read is written back byte for byte,
//! and the graph's reading of it survives being written and read again.

use ks::FramingBlob;
use kspipe::graph::{read_blob, write_blob};

/// Panics where that does not hold.
pub fn check(bytes: &[u8]) {
    let blob = match FramingBlob::parse(bytes) {
        Ok(blob) => blob,
        Err(error) => {
            assert!(error.offset() <= bytes.len());
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    let mut written = vec![0; blob.byte_length()];
    blob.write_to(&mut written).expect("it has the length it says");
    assert_eq!(written, bytes);

    let read = read_blob(bytes).expect("what parses is read");
    // Not every framing of the graph has a blob: an alignment of 4 GiB and up has no mask.
    if let Ok(again) = write_blob(&read.framing, read.compression) {
        let reread = read_blob(&again).expect("what is written can be read");
        assert_eq!(reread.framing, read.framing);
        assert_eq!(reread.compression, read.compression);
    }
}
