//! The fuzz corpus of the YUV4MPEG2 reader, replayed where there is no fuzzer: what `fuzz/fuzz_targets/y4m.rs` asserts.

use kspipe::stream::y4m::Y4mReader;

#[test]
fn every_stream_of_the_corpus_is_read_to_its_end_or_first_error() {
    let corpus = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/y4m");
    let (mut streams, mut whole) = (0, 0);
    for entry in std::fs::read_dir(corpus).unwrap() {
        let stream = std::fs::read(entry.unwrap().path()).unwrap();
        streams += 1;
        let Ok(mut reader) = Y4mReader::new(&stream[..]) else { continue };
        let bytes = reader.format().frame_bytes();
        let mut frame = vec![0; bytes.min(1 << 16)];
        let mut frames = 0;
        while let Ok(true) = reader.read_frame(&mut frame) {
            frames += 1;
            assert!(frames * (bytes + 6) <= stream.len(), "more frames than bytes");
        }
        whole += frames;
    }
    assert!(streams >= 15 && whole >= 5, "{streams} streams, {whole} frames: the corpus is not there");
}
