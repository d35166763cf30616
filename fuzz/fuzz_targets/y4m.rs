<<<<<<< HEAD
//! Any bytes are read as YUV4MPEG2 without panic, without end, and without memory that grows with what they say.
#![no_main]

use kspipe::stream::y4m::Y4mReader;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|stream: &[u8]| {
    let Ok(mut reader) = Y4mReader::new(stream) else { return };
    let bytes = reader.format().frame_bytes();
    // The header may speak of frames of 2 GiB; who reads a stream of a few bytes needs none of them.
    let mut frame = vec![0; bytes.min(1 << 16)];
    let mut frames = 0;
    while let Ok(true) = reader.read_frame(&mut frame) {
        frames += 1;
        assert!(frames * (bytes + 6) <= stream.len(), "more frames than bytes");
    }
});
=======
//! `cargo +nightly fuzz run y4m`; what is checked stands in `checks/y4m.rs`.
#![no_main]

#[path = "../checks/y4m.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| check::check(bytes));
>>>>>>> file
