use super::*;
use proptest::prelude::*;

fn header(line: &str) -> Result<MediaFormat, Y4mError> {
    Y4mReader::new(line.as_bytes()).map(|reader| reader.format())
}

#[test]
fn headers_that_ffmpeg_writes_come_back_byte_for_byte() {
    for line in [
        "YUV4MPEG2 W320 H180 F25:1 Ip A1:1 C420mpeg2 XYSCSS=420MPEG2 XCOLORRANGE=LIMITED\n",
        "YUV4MPEG2 W1 H1 F30000:1001 It A0:0 C420jpeg XYSCSS=420JPEG\n",
        "YUV4MPEG2 W720 H576 F50:1 Im A16:15 C420paldv XYSCSS=420PALDV XCOLORRANGE=FULL\n",
    ] {
        let mut written = Vec::new();
        write_header(&header(line).unwrap(), &mut written).unwrap();
        assert_eq!(String::from_utf8(written).unwrap(), line);
    }
}

#[test]
fn every_name_of_eight_bit_420_is_read_and_none_else() {
    for name in ["420", "420jpeg", "420mpeg2", "420paldv"] {
        assert_eq!(header(&format!("YUV4MPEG2 W4 H2 C{name}\n")).unwrap().pixels, PixelFormat::I420, "{name}");
    }
    for name in ["422", "444", "444alpha", "411", "mono", "420p10", "420p12", "", "420JPEG"] {
        let error = header(&format!("YUV4MPEG2 W4 H2 C{name}\n")).unwrap_err().to_string();
        assert!(error.contains("byte 16") && error.contains("4:2:0"), "{name}: {error}");
    }
}

#[test]
fn a_header_without_a_rate_means_25_a_second() {
    for line in ["YUV4MPEG2 W4 H2\n", "YUV4MPEG2 W4 H2 F0:0\n"] {
        assert_eq!(header(line).unwrap().rate, DEFAULT_RATE);
    }
}

#[test]
fn wrong_headers_are_errors_that_name_the_byte() {
    let cases = [
        ("", "byte 0: not a YUV4MPEG2 stream"),
        ("RIFF....AVI ", "byte 0: not a YUV4MPEG2 stream"),
        ("YUV4MPEG3 W1 H1\n", "byte 0: not a YUV4MPEG2 stream"),
        ("YUV4MPEG2W1 H1\n", "byte 0: not a YUV4MPEG2 stream"),
        ("YUV4MPEG2 W1 H1", "byte 15: the stream ends inside its header line"),
        ("YUV4MPEG2 W1\n", "byte 12: no height"),
        ("YUV4MPEG2 H1\n", "byte 12: no width"),
        ("YUV4MPEG2 W+1 H1\n", "byte 10: `W+1`"),
        ("YUV4MPEG2 W H1\n", "byte 10: `W`"),
        ("YUV4MPEG2 W99999999999 H1\n", "byte 10: `W99999999999`"),
        ("YUV4MPEG2 W0 H1\n", "no pixels"),
        ("YUV4MPEG2 W4294967295 H4294967295\n", "more than 2147483647 bytes"),
        ("YUV4MPEG2 W1 H1 F25\n", "byte 16: `F25`"),
        ("YUV4MPEG2 W1 H1 F0:1\n", "a rate with a 0"),
        ("YUV4MPEG2 W1 H1 Ix\n", "byte 16: `Ix`"),
        ("YUV4MPEG2 W1 H1 A1\n", "byte 16: `A1`"),
        ("YUV4MPEG2 W1 H1 Q1\n", "byte 16: `Q1`"),
        ("YUV4MPEG2 W1 H1 \u{7}\n", "byte 16: `\\x07`"),
    ];
    for (line, expected) in cases {
        let error = header(line).unwrap_err().to_string();
        assert!(error.contains(expected), "{line:?}: {error}");
    }
}

#[test]
fn a_header_that_never_ends_takes_bounded_memory() {
    #[derive(Debug)]
    struct Endless(u64);
    impl Read for Endless {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            buffer.fill(b'x');
            self.0 += buffer.len() as u64;
            assert!(self.0 < 1 << 20, "reads on and on");
            Ok(buffer.len())
        }
    }
    let input = b"YUV4MPEG2 X".chain(Endless(0));
    let error = Y4mReader::new(io::BufReader::new(input)).unwrap_err().to_string();
    assert!(error.contains("no line end within 4096 bytes"), "{error}");
}

/// Reads to the end or the first error; the frames read, and the error.
fn read_all(stream: &[u8]) -> (Vec<Vec<u8>>, Option<Y4mError>) {
    let mut frames = Vec::new();
    let mut reader = match Y4mReader::new(stream) {
        Ok(reader) => reader,
        Err(error) => return (frames, Some(error)),
    };
    let mut frame = vec![0; reader.format().frame_bytes().min(1 << 20)];
    loop {
        match reader.read_frame(&mut frame) {
            Ok(true) => frames.push(frame.clone()),
            Ok(false) => return (frames, None),
            Err(error) => return (frames, Some(error)),
        }
    }
}

const TINY: &str = "YUV4MPEG2 W2 H2 F1:1\n"; // 21 bytes, pictures of 6

#[test]
fn damaged_streams_give_the_frames_before_and_name_frame_and_byte() {
    let cases: [(&str, usize, &str); 9] = [
        ("", 0, ""),
        ("FRAME\nabcdefFRAME\nghijkl", 2, ""),
        ("FRAME It\nabcdef", 1, ""),
        ("FRAME\nabcdefFRAME\nghi", 1, "frame 1 is cut off at byte 42: 3 bytes of it are missing"),
        ("FRAME\nabcdefFRA", 1, "frame 1 is cut off at byte 36: 9 bytes of it are missing"),
        ("FRAME", 0, "frame 0 is cut off at byte 26: 7 bytes of it are missing"),
        ("FRAME\nabcdefg\n", 1, "frame 1 is malformed at byte 33: `FRAME` expected, found `g`"),
        ("FRAMES\nabcdef", 0, "frame 0 is malformed at byte 21: `FRAME` expected, found `FRAMES`"),
        ("\n", 0, "frame 0 is malformed at byte 21: `FRAME` expected, found ``"),
    ];
    for (body, frames, message) in cases {
        let (read, error) = read_all(format!("{TINY}{body}").as_bytes());
        assert_eq!(read.len(), frames, "{body:?}");
        assert_eq!(error.map(|error| error.to_string()).unwrap_or_default(), message, "{body:?}");
    }
}

#[test]
fn a_frame_too_short_for_the_picture_is_an_error() {
    let mut reader = Y4mReader::new(TINY.as_bytes()).unwrap();
    assert!(matches!(reader.read_frame(&mut [0; 5]), Err(Y4mError::Frame { .. })));
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        read_all(&bytes);
        read_all(&[TINY.as_bytes(), &bytes].concat());
    }

    #[test]
    fn a_stream_cut_anywhere_gives_exactly_the_whole_frames(cut in 0usize..36) {
        let body = b"FRAME\nabcdefFRAME\nghijklFRAME\nmnopqr";
        let stream = [TINY.as_bytes(), &body[..cut]].concat();
        let (frames, error) = read_all(&stream);
        prop_assert_eq!(frames.len(), cut / 12);
        prop_assert_eq!(error.is_none(), cut % 12 == 0);
    }
}
