//! Golden vectors, and packets that are none.

use super::message::cancel_packet;
use super::*;
use ks::NtStatus;

/// Hexadecimal digits, with blanks between them.
fn bytes(digits: &str) -> Vec<u8> {
    let digits: Vec<u8> = digits.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).expect("digits"), 16).expect("digits");
    digits.chunks_exact(2).map(byte).collect()
}

/// A table of `name: digits` lines; lines that begin with blanks go on, and `#` begins a comment.
fn golden() -> std::collections::BTreeMap<String, Vec<u8>> {
    let mut table = std::collections::BTreeMap::<String, String>::new();
    let mut name = String::new();
    for line in include_str!("../../tests/data/messages.txt").lines() {
        let line = line.split('#').next().unwrap_or_default();
        let digits = match line.split_once(':') {
            Some((before, digits)) => {
                name = before.to_owned();
                digits
            }
            None => line,
        };
        table.entry(name.clone()).or_default().push_str(digits);
    }
    table.into_iter().filter(|(name, _)| !name.is_empty()).map(|(name, digits)| (name, bytes(&digits))).collect()
}

const HELLO: Hello = Hello {
    lowest: 1,
    highest: 1,
    object: ObjectKind::Allocator,
    pointer_bytes: 8,
    max_packet: 65536,
    max_memory: 65536,
};

/// Every message of the table, as it is written and read.
fn messages() -> Vec<(&'static str, u64, Vec<u8>, Message<'static>)> {
    let alloc = Control {
        code: ks::IOCTL_KS_METHOD,
        output_length: 8,
        key: 0,
        input: &[0xAA; 24],
        data: &[0; 8],
        descriptors: 0,
    };
    let event = Control {
        code: ks::IOCTL_KS_ENABLE_EVENT,
        output_length: 32,
        key: 0x7FFF_1234_5678,
        input: &[0xBB; 24],
        data: &[1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0],
        descriptors: 1,
    };
    let create = Create { name: b"name", descriptors: 0 };
    let done = Answer { status: NtStatus::STATUS_SUCCESS, returned: 4, data: &[1, 2, 3, 4], descriptors: 0 };
    let made = Answer { status: NtStatus::STATUS_SUCCESS, returned: 0, data: &[], descriptors: 1 };
    let small = Answer { status: NtStatus::STATUS_BUFFER_TOO_SMALL, returned: 32, data: &[], descriptors: 0 };
    let differ = Answer {
        status: NtStatus::STATUS_REVISION_MISMATCH,
        returned: 8,
        data: &[9, 0, 1, 0, 1, 0, 0, 0],
        descriptors: 0,
    };
    vec![
        ("hello", 0, HELLO.to_packet(), Message::Hello(HELLO)),
        ("attach", 0, Attach { version: 1 }.to_packet(), Message::Attach(Attach { version: 1 })),
        ("control", 1, alloc.to_packet(1).expect("it fits"), Message::Control(alloc)),
        ("control-event", 0x0102_0304_0506_0708, event.to_packet(0x0102_0304_0506_0708).expect("it fits"), {
            Message::Control(event)
        }),
        ("create", 2, create.to_packet(2).expect("it fits"), Message::Create(create)),
        ("cancel", 1, cancel_packet(1), Message::Cancel),
        ("answer", 1, done.to_packet(1), Message::Answer(done)),
        ("answer-created", 2, made.to_packet(2), Message::Answer(made)),
        ("answer-too-small", 3, small.to_packet(3), Message::Answer(small)),
        ("answer-versions", 0, differ.to_packet(0), Message::Answer(differ)),
    ]
}

#[test]
fn every_message_is_the_bytes_that_are_written_down() {
    let mut golden = golden();
    for (name, id, packet, message) in messages() {
        let expected = golden.remove(name).unwrap_or_else(|| panic!("{name} is not in the table: {packet:02x?}"));
        assert_eq!(packet, expected, "{name}");
        assert_eq!(Message::parse(&expected), Ok((id, message)), "{name}");
    }
    assert!(golden.is_empty(), "not tried: {:?}", golden.keys());
}

#[test]
fn a_packet_that_is_cut_or_longer_than_it_says_is_none() {
    for (name, _, packet, _) in messages() {
        for end in 0..packet.len() {
            assert!(Message::parse(&packet[..end]).is_err(), "{name}, {end} bytes");
        }
        let longer = [&packet[..], &[0]].concat();
        assert_eq!(Message::parse(&longer), Err(Malformed::Length), "{name}");
    }
}

#[test]
fn lengths_and_descriptors_that_lie_are_found() {
    let control = &messages()[2].2;
    let with = |place: usize, value: u32| {
        let mut bytes = control.clone();
        bytes[place..place + 4].copy_from_slice(&value.to_le_bytes());
        Message::parse(&bytes).map(|_| ())
    };
    for (place, value, expected) in [
        (4, 0, Malformed::Length),
        (4, u32::MAX, Malformed::Length),
        // The lengths of the input, of the output buffer and of the data.
        (20, 25, Malformed::Lengths),
        (20, 23, Malformed::Lengths),
        (20, u32::MAX, Malformed::Lengths),
        (24, 7, Malformed::Lengths),
        (24, MAX_DATA as u32 + 1, Malformed::Lengths),
        (24, u32::MAX, Malformed::Lengths),
        (28, 9, Malformed::Lengths),
        (28, u32::MAX, Malformed::Lengths),
        // The kind's word, and that of the descriptors.
        (0, 3 | 17 << 16, Malformed::Descriptors),
        (0, 2, Malformed::Descriptors),
        (0, 2 | 1 << 16, Malformed::Size),
        (0, 5, Malformed::Size),
        (0, 1, Malformed::Magic),
    ] {
        assert_eq!(with(place, value), Err(expected), "{value:#x} at {place}");
    }
    assert_eq!(with(24, MAX_DATA as u32), Ok(()));
    assert_eq!(with(0, 0x0100 | 16 << 16), Ok(()), "a kind of another layer");
}

#[test]
fn what_does_not_fit_a_packet_is_not_made_one() {
    let long = vec![0; MAX_REQUEST + 1];
    let control =
        Control { code: 0, output_length: MAX_DATA as u32, key: 0, input: &long[1..], data: &[], descriptors: 0 };
    let packet = control.to_packet(1).expect("it just fits");
    assert_eq!((packet.len(), Message::parse(&packet)), (MAX_PACKET, Ok((1, Message::Control(control)))));
    assert_eq!(Control { data: &[0], ..control }.to_packet(1), None);
    assert_eq!(Control { input: &long, ..control }.to_packet(1), None);
    assert_eq!(Control { output_length: MAX_DATA as u32 + 1, input: &[], ..control }.to_packet(1), None);
    assert_eq!(Create { name: &long, descriptors: 0 }.to_packet(1), None);
    let data = vec![1; MAX_DATA];
    let answer = Answer { status: NtStatus::STATUS_SUCCESS, returned: MAX_DATA as u32, data: &data, descriptors: 0 };
    assert_eq!(answer.to_packet(1).len(), MAX_PACKET);
}

#[test]
fn versions_that_differ_are_both_named() {
    let differ = VersionsDiffer { asked: 9, lowest: 1, highest: 3 };
    assert_eq!(VersionsDiffer::parse(&differ.to_bytes()), Some(differ));
    assert_eq!(VersionsDiffer::parse(&[0; 7]), None);
    for (lowest, highest, speaks) in [(1, 1, true), (1, 9, true), (2, 9, false), (0, 0, false)] {
        assert_eq!(Hello { lowest, highest, ..HELLO }.speaks_our_version(), speaks, "{lowest} to {highest}");
    }
}
