//! A reader beside a slice of the same bytes: all ranges, and all ways of reading.

use super::{BLOCK, FrameReader, PIECE};
use crate::allocator::shared::FrameView;
use proptest::prelude::*;
use std::io::{BufRead, Read};
use std::ops::Bound;

/// Bytes that differ from their neighbours, a page on too.
fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at % 251) as u8).collect()
}

fn reading(length: usize, look: impl FnOnce(&FrameView)) {
    let mut memory = bytes(length);
    look(&FrameView::of(&mut memory));
}

fn pieces(mut reader: FrameReader<'_>) -> Vec<u8> {
    let mut all = Vec::new();
    while let Some(piece) = reader.next_piece() {
        assert!(!piece.is_empty() && piece.len() <= PIECE);
        all.extend_from_slice(piece);
    }
    assert_eq!((reader.remaining(), reader.next_piece()), (0, None));
    all
}

#[test]
fn a_range_is_read_as_far_as_the_frame_goes() {
    reading(100, |frame| {
        let all = bytes(100);
        assert_eq!(pieces(frame.reader(..)), all);
        assert_eq!(pieces(frame.reader(98..)), all[98..]);
        assert_eq!(pieces(frame.reader(7..=9)), all[7..=9]);
        assert_eq!(pieces(frame.reader((Bound::Excluded(97), Bound::Unbounded))), all[98..]);
        assert_eq!(pieces(frame.reader(90..1000)), all[90..]);
        assert_eq!(pieces(frame.reader(90..=usize::MAX)), all[90..]);
        let nothing = [(100, 200), (5, 5), (9, 3), (usize::MAX, usize::MAX), (1000, 0)];
        assert!(nothing.into_iter().all(|(from, to)| pieces(frame.reader(from..to)).is_empty()));
        assert!(pieces(frame.reader((Bound::Excluded(usize::MAX), Bound::Unbounded))).is_empty());
    });
}

#[test]
fn pieces_cover_frames_of_every_length_about_theirs() {
    let lengths = if cfg!(miri) { vec![1, PIECE + 1] } else { vec![1, 63, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE] };
    for length in lengths {
        reading(length, |frame| assert_eq!(pieces(frame.reader(..)), bytes(length)));
    }
}

#[test]
fn it_is_read_as_everything_that_reads_is() {
    reading(2 * PIECE + 10, |frame| {
        let (all, mut copied) = (bytes(2 * PIECE + 10), Vec::new());
        assert_eq!(std::io::copy(&mut frame.reader(..), &mut copied).unwrap(), all.len() as u64);
        assert_eq!(copied, all);
        let mut reader = frame.reader(..);
        reader.consume(5); // Nothing was looked at: nothing is consumed.
        assert_eq!(reader.fill_buf().unwrap(), &all[..PIECE]);
        reader.consume(usize::MAX);
        assert_eq!(reader.remaining(), PIECE + 10);
        let text = format!("{reader:?}");
        assert!(text.contains("remaining: 4106"), "{text}");
    });
}

#[test]
fn blocks_are_whole_ones() {
    reading(200, |frame| {
        let all = bytes(200);
        assert!(frame.blocks(..).flatten().eq(all[..192].iter().copied()));
        assert!(frame.blocks(3..150).flatten().eq(all[3..131].iter().copied()));
        let nothing = [(0, 63), (137, 300), (200, 300), (usize::MAX, 0)];
        assert!(nothing.into_iter().all(|(from, to)| frame.blocks(from..to).next().is_none()));
        assert!(format!("{:?}", frame.blocks(..)).contains("len: 3"));
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 4 } else { 256 }, failure_persistence: None, ..Default::default() })]

    /// Whatever the range and however it is read in turns, it is the slice's bytes in order.
    #[test]
    fn a_reader_gives_what_a_slice_has(
        length in 1..3 * PIECE,
        range in (0..3 * PIECE, 0..3 * PIECE),
        turns in prop::collection::vec((0..4, 0..2 * PIECE), 1..20),
    ) {
        let all = bytes(length);
        let mut memory = all.clone();
        let frame = FrameView::of(&mut memory);
        let expected = all.get(range.0.min(length)..range.1.min(length)).unwrap_or_default();
        let (mut reader, mut read) = (frame.reader(range.0..range.1), Vec::new());
        for (way, count) in turns {
            prop_assert_eq!(reader.remaining(), expected.len() - read.len());
            match way {
                0 => read.extend_from_slice(reader.next_piece().unwrap_or_default()),
                1 => {
                    let mut to = vec![0; count];
                    let count = reader.read(&mut to).unwrap();
                    read.extend_from_slice(&to[..count]);
                }
                2 => {
                    let there = reader.fill_buf().unwrap();
                    let taken = there.len().min(count);
                    read.extend_from_slice(&there[..taken]);
                    reader.consume(taken);
                }
                _ => {
                    reader.by_ref().take(count as u64).read_to_end(&mut read).unwrap();
                }
            }
        }
        reader.read_to_end(&mut read).unwrap();
        prop_assert_eq!(read, expected);
        let blocks = frame.blocks(range.0..range.1);
        prop_assert_eq!(blocks.len(), expected.len() / BLOCK);
        prop_assert!(blocks.eq(expected.as_chunks::<BLOCK>().0.iter().copied()));
    }
}
