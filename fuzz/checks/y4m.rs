//! Any bytes as a YUV4MPEG2 stream: pictures, then its end, or an error that names a byte of it.

use kspipe::stream::y4m::{Y4mError, Y4mReader};

/// Pictures larger than this are not read: they would only take time.
const LARGEST_PICTURE: usize = 1 << 20;

/// Panics where that does not hold.
pub fn check(bytes: &[u8]) {
    let mut reader = match Y4mReader::new(bytes) {
        Ok(reader) => reader,
        Err(error) => return check_error(&error, bytes),
    };
    let size = reader.format().frame_bytes();
    if size > LARGEST_PICTURE {
        return;
    }
    let mut frame = vec![0; size];
    let mut pictures = 0;
    loop {
        match reader.read_frame(&mut frame) {
            Ok(true) => pictures += 1,
            Ok(false) => break,
            Err(error) => return check_error(&error, bytes),
        }
        assert!(pictures * size <= bytes.len(), "more pictures than bytes");
    }
}

/// An error lies in the bytes or at their end, and can be shown.
fn check_error(error: &Y4mError, bytes: &[u8]) {
    let (Y4mError::Io { offset, .. }
    | Y4mError::Header { offset, .. }
    | Y4mError::Truncated { offset, .. }
    | Y4mError::Frame { offset, .. }) = error;
    assert!(*offset <= bytes.len() as u64, "{error}");
    assert!(!error.to_string().is_empty());
}
