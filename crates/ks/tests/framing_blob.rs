//! Framing blobs: read from any bytes, written back the same.

use ks::*;
use proptest::prelude::*;
use zerocopy::IntoBytes;

/// An extended framing of `count` items, each told from the others by its number of frames.
fn extended(count: u32) -> Vec<u8> {
    let head = KsAllocatorFramingExHead {
        pin_flags: 7,
        output_compression: KsCompression { ratio_numerator: 3, ratio_denominator: 2, ratio_constant_margin: 1 },
        pin_weight: 9,
        ..Default::default()
    };
    let items: Vec<_> = (0..count).map(|frames| KsFramingItem { frames, ..Default::default() }).collect();
    let mut bytes = vec![0xAA; 24 + 88 * count as usize];
    let written = write_framing_ex(head, items.into_iter(), &mut bytes);
    assert_eq!(written, Ok(bytes.len()));
    bytes
}

#[test]
fn twenty_four_bytes_are_the_old_structure() {
    let framing = KsAllocatorFraming {
        flags: RequirementFlags::SYSTEM_MEMORY.into(),
        pool_type: PoolType::PAGED_POOL,
        frames: 8,
        frame_size: 58_656,
        file_alignment: AlignmentMask(63).into(),
        reserved: 5,
    };
    assert_eq!(FramingBlob::parse(framing.as_bytes()), Ok(FramingBlob::Old(framing)));
    // Even where a CountItems of 0 would make them an extended framing without items, which there is not.
    assert_eq!(FramingBlob::parse(&[0; 24]), Ok(FramingBlob::Old(KsAllocatorFraming::default())));
    assert_eq!(FramingEx::parse(&[0; 24]), Err(FramingBlobError::NoItems));
}

#[test]
fn an_extended_framing_is_read_with_all_its_items_at_any_alignment() {
    let bytes = extended(3);
    for shift in 0..8 {
        let mut shifted = vec![0; shift];
        shifted.extend_from_slice(&bytes);
        let Ok(FramingBlob::Extended(framing)) = FramingBlob::parse(&shifted[shift..]) else { panic!("not extended") };
        assert_eq!((framing.head().count_items, framing.head().pin_flags, framing.head().pin_weight), (3, 7, 9));
        assert!(framing.items().map(|item| item.frames).eq([0, 1, 2]));
        assert_eq!(framing.items().len(), 3);
        assert_eq!(framing.byte_length(), 288);
    }
}

#[test]
fn errors_name_the_byte_and_the_member() {
    let whole = extended(2);
    let truncated = |length: usize| FramingBlob::parse(&whole[..length]).expect_err("it is cut off").to_string();
    let cases = [
        (
            0,
            "the framing ends at byte 0, in CountItems: expected 24 bytes (KSALLOCATOR_FRAMING) or at least 112 (KSALLOCATOR_FRAMING_EX)",
        ),
        (
            19,
            "the framing ends at byte 19, in OutputCompression.RatioConstantMargin: expected 24 bytes (KSALLOCATOR_FRAMING) or at least 112 (KSALLOCATOR_FRAMING_EX)",
        ),
        (25, "the framing ends at byte 25, in FramingItem[0].MemoryType: expected 200 bytes by its CountItems"),
        (112, "the framing ends at byte 112, in FramingItem[1].MemoryType: expected 200 bytes by its CountItems"),
        (
            199,
            "the framing ends at byte 199, in FramingItem[1].FramingRange.NotInPlaceWeight: expected 200 bytes by its CountItems",
        ),
    ];
    for (length, message) in cases {
        assert_eq!(truncated(length), message);
    }

    let mut longer = whole.clone();
    longer.push(0);
    let error = FramingBlob::parse(&longer).expect_err("it is too long");
    assert_eq!(error, FramingBlobError::TrailingBytes { count_items: 2, offset: 200, length: 201 });
    assert_eq!(error.offset(), 200);
    assert_eq!(error.to_string(), "the framing has 201 bytes, but by its CountItems (2) it ends at byte 200");

    let mut empty = whole.clone();
    empty[..4].fill(0);
    assert_eq!(FramingBlob::parse(&empty), Err(FramingBlobError::NoItems));

    let mut huge = whole;
    huge[..4].fill(0xFF);
    let expected = 24 + 88 * u64::from(u32::MAX);
    let field = FramingField { item: Some(2), name: "MemoryType" };
    assert_eq!(FramingBlob::parse(&huge), Err(FramingBlobError::Truncated { offset: 200, expected, field }));
}

/// The names of members follow the structure: each offset of a field is where its name starts.
#[test]
fn members_are_named_by_their_offsets() {
    use std::mem::offset_of;
    let cases = [
        (offset_of!(KsAllocatorFramingEx, pin_weight), "PinWeight"),
        (24 + offset_of!(KsFramingItem, bus_type), "FramingItem[0].BusType"),
        (24 + offset_of!(KsFramingItem, memory_flags), "FramingItem[0].MemoryFlags"),
        (24 + offset_of!(KsFramingItem, bus_flags), "FramingItem[0].BusFlags"),
        (24 + offset_of!(KsFramingItem, flags), "FramingItem[0].Flags"),
        (24 + offset_of!(KsFramingItem, frames), "FramingItem[0].Frames"),
        (24 + offset_of!(KsFramingItem, file_alignment), "FramingItem[0].FileAlignment"),
        (24 + offset_of!(KsFramingItem, memory_type_weight), "FramingItem[0].MemoryTypeWeight"),
        (24 + offset_of!(KsFramingItem, physical_range), "FramingItem[0].PhysicalRange.MinFrameSize"),
        (112 + offset_of!(KsFramingItem, framing_range), "FramingItem[1].FramingRange.Range.MinFrameSize"),
    ];
    for (offset, name) in cases {
        assert_eq!(FramingField::at(offset).to_string(), name);
        assert_ne!(FramingField::at(offset - 1).to_string(), name);
    }
}

#[test]
fn writing_needs_items_and_room_and_writes_nothing_otherwise() {
    let head = KsAllocatorFramingExHead::default();
    let item = KsFramingItem::default();
    let mut bytes = [0xAA; 112];
    assert_eq!(write_framing_ex(head, [].into_iter(), &mut bytes), Err(FramingWriteError::NoItems));
    let small = write_framing_ex(head, [item].into_iter(), &mut bytes[..111]);
    assert_eq!(small, Err(FramingWriteError::BufferTooSmall { needed: 112, length: 111 }));
    let old = FramingBlob::Old(KsAllocatorFraming::default());
    assert_eq!(old.write_to(&mut bytes[..23]), Err(FramingWriteError::BufferTooSmall { needed: 24, length: 23 }));
    assert_eq!(bytes, [0xAA; 112]);
    #[cfg(target_pointer_width = "64")]
    let many = std::iter::repeat_n(item, u32::MAX as usize + 1);
    #[cfg(target_pointer_width = "64")]
    assert_eq!(
        write_framing_ex(head, many, &mut bytes),
        Err(FramingWriteError::TooManyItems { count: u32::MAX as usize + 1 })
    );
    assert_eq!(bytes, [0xAA; 112]);
}

/// Bytes that are often nearly a framing: a small CountItems, and a length near what it says.
fn nearly_a_framing() -> impl Strategy<Value = Vec<u8>> {
    (0u32..6, -2isize..3).prop_flat_map(|(count, off)| {
        let length = (24 + 88 * count as usize).saturating_add_signed(off);
        proptest::collection::vec(any::<u8>(), length).prop_map(move |mut bytes| {
            if let Some(head) = bytes.get_mut(..4) {
                head.copy_from_slice(&count.to_le_bytes());
            }
            bytes
        })
    })
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        match FramingBlob::parse(&bytes) {
            Ok(blob) => prop_assert_eq!(blob.byte_length(), bytes.len()),
            Err(error) => {
                prop_assert!(error.offset() <= bytes.len());
                prop_assert!(!error.to_string().is_empty());
            }
        }
    }

    #[test]
    fn what_is_read_is_written_back_the_same(bytes in nearly_a_framing()) {
        let count = u32::from_le_bytes(bytes.get(..4).map_or([0; 4], |head| head.try_into().expect("four bytes")));
        let whole = bytes.len() == 24 || count > 0 && bytes.len() as u64 == 24 + 88 * u64::from(count);
        let blob = FramingBlob::parse(&bytes);
        prop_assert_eq!(blob.is_ok(), whole);
        if let Ok(blob) = blob {
            let mut written = vec![0; blob.byte_length()];
            prop_assert_eq!(blob.write_to(&mut written), Ok(bytes.len()));
            prop_assert_eq!(written, bytes);
        }
    }
}
