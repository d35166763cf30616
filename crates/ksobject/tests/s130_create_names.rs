//! Creating allocators and pins on the handles of others, and checking framings (statements 130 to 134, 150, 151).
#![cfg(unix)]

mod common;

use common::{Allocator, framing};
use ks::*;
use ksobject::{InProcessObjects, ObjectAccess, PinFactory, Win32Error};
use proptest::prelude::*;
use zerocopy::IntoBytes;

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

#[test]
fn s130_a_create_name_is_the_class_a_backslash_and_the_framing() {
    let framing = KsAllocatorFraming { flags: OptionsOrRequirements(0x5C), ..framing(0x005C_005C) };
    let name = allocator_create_name(&framing);
    assert_eq!(name.len(), 102);
    assert_eq!(name[..76], utf16("{642F5D00-4791-11D0-A5D6-28DB04C10000}"));
    assert_eq!(name[76..78], utf16("\\"));
    assert_eq!(&name[78..], framing.as_bytes(), "backslashes and zeros too");
}

#[test]
fn s130_both_builders_names_are_read_in_any_case() {
    let framing = framing(2);
    let plain = allocator_create_name(&framing).to_vec();
    let with_backslash = [utf16("\\"), plain.clone(), vec![0xAA, 0xBB]].concat();
    let lower = [utf16(&KSSTRING_Allocator.to_lowercase()), plain[76..].to_vec()].concat();
    let pin = InProcessObjects::create_sink_pin().expect("a pin");
    for name in [plain, with_backslash, lower] {
        assert_eq!(CreateName::parse(&name).and_then(|name| name.allocator_framing()), Ok(framing));
        assert!(InProcessObjects::create(pin.handle(), &name).is_ok());
    }
}

#[test]
fn s131_a_name_with_fewer_than_24_bytes_of_parameters_makes_nothing() {
    let name = allocator_create_name(&framing(2));
    let pin = InProcessObjects::create_sink_pin().expect("a pin");
    for length in 0..name.len() {
        let made = InProcessObjects::create(pin.handle(), &name[..length]);
        let expected = if length < 78 { Win32Error::FILE_NOT_FOUND } else { Win32Error::INVALID_PARAMETER };
        assert_eq!(made.err(), Some(expected), "{length}");
    }
}

#[test]
fn names_of_other_classes_make_nothing() {
    let pin = InProcessObjects::create_sink_pin().expect("a pin");
    let filter = InProcessObjects::create_filter(vec![PinFactory::sink()]).expect("a filter");
    let allocator = allocator_create_name(&framing(2));
    let made_on = |parent: &ksobject::OwnedHandle, name: &[u8]| InProcessObjects::create(parent.handle(), name).err();
    let extended = [utf16(KSSTRING_AllocatorEx), allocator[76..].to_vec()].concat();
    assert_eq!(made_on(&pin, &extended), Some(Win32Error::FILE_NOT_FOUND));
    let of_a_pin = [utf16(KSSTRING_Pin), allocator[76..].to_vec()].concat();
    assert_eq!(made_on(&pin, &of_a_pin), Some(Win32Error::FILE_NOT_FOUND), "a pin on a pin");
    assert_eq!(made_on(&filter, &allocator), Some(Win32Error::FILE_NOT_FOUND), "an allocator on a filter");
    let source = InProcessObjects::create_lone_pin(PinFactory::source()).expect("a pin");
    assert_eq!(made_on(&source, &allocator), Some(Win32Error::FILE_NOT_FOUND), "an allocator on a source pin");
    let made = Allocator::new(2);
    assert_eq!(made_on(&made.object.0, &allocator), Some(Win32Error::FILE_NOT_FOUND), "an allocator on an allocator");
    let nobody = InProcessObjects::create(ksobject::Handle::NULL, &allocator);
    assert_eq!(nobody.err(), Some(Win32Error::INVALID_HANDLE));
}

/// What creating an allocator with this framing fails with.
fn refusal(framing: &KsAllocatorFraming) -> Option<Win32Error> {
    let refused = Allocator::with(framing).err();
    assert_eq!(refused.is_none(), framing.validate_creation().is_ok());
    refused
}

#[test]
fn s132_a_frame_size_of_0_is_refused() {
    assert_eq!(refusal(&KsAllocatorFraming { frame_size: 0, ..framing(2) }), Some(Win32Error::INVALID_PARAMETER));
    assert_eq!(refusal(&KsAllocatorFraming { frame_size: 1, ..framing(2) }), None);
}

#[test]
fn s133_options_that_do_not_exist_are_refused() {
    for (options, refused) in [(0, false), (1, false), (2, false), (3, false), (4, true), (0x10, true), (1 << 31, true)]
    {
        let asked = KsAllocatorFraming { flags: OptionsOrRequirements(options), ..framing(2) };
        assert_eq!(refusal(&asked), refused.then_some(Win32Error::INVALID_PARAMETER), "{options:#x}");
    }
}

#[test]
fn s134_an_alignment_of_more_than_a_page_is_refused() {
    for (mask, refused) in [(0, false), (63, false), (4095, false), (4096, true), (8191, true), (2, true)] {
        let asked = KsAllocatorFraming { file_alignment: AlignmentMask(mask).into(), ..framing(2) };
        assert_eq!(refusal(&asked), refused.then_some(Win32Error::INVALID_PARAMETER), "{mask}");
    }
}

#[test]
fn system_memory_comes_from_a_pool_there_is() {
    let unknown = KsAllocatorFraming { pool_type: PoolType(2), ..framing(2) };
    assert_eq!(refusal(&unknown), Some(Win32Error::INVALID_PARAMETER));
    assert_eq!(refusal(&KsAllocatorFraming { flags: OptionsOrRequirements(0), ..unknown }), None);
}

#[test]
fn frames_no_memory_holds_are_refused_when_the_allocator_is_created() {
    // A private mapping of 4 GiB may be there; frames are aligned all the same.
    let large = KsAllocatorFraming { frame_size: u32::MAX, file_alignment: AlignmentMask(4095).into(), ..framing(1) };
    match Allocator::with(&large) {
        Ok(made) => assert_eq!(made.alloc().expect("a frame") % 4096, 0),
        Err(error) => assert_eq!(error, Win32Error::NO_SYSTEM_RESOURCES),
    }
}

/// A framing of one item as Microsoft's avshws sample has it, before a test changes it.
fn extended() -> KsAllocatorFramingEx {
    let flags = FramingFlags(0x8000_0002);
    KsAllocatorFramingEx::simple(KSMEMORY_TYPE_KERNEL_NONPAGED, flags, 2, AlignmentMask(0), 8192, 8192)
}

fn valid(framing: &KsAllocatorFramingEx) -> Result<(), NtStatus> {
    validate_allocator_framing_ex(framing.as_bytes())
}

#[test]
fn s150_a_step_of_0_or_1_between_equal_sizes_is_right() {
    for stepping in [0, 1] {
        let equal = KsFramingRange { min_frame_size: 8192, max_frame_size: 8192, stepping };
        let mut framing = extended();
        framing.framing_item[0].framing_range.range = equal;
        framing.framing_item[0].physical_range = equal;
        assert_eq!(valid(&framing), Ok(()), "{stepping}");
    }
}

#[test]
fn s151_items_the_buffer_has_no_room_for_are_wrong() {
    let mut framing = extended();
    framing.framing_item[0].framing_range.range.stepping = 0;
    assert_eq!(valid(&framing), Ok(()));
    framing.count_items = 2;
    assert_eq!(valid(&framing), Err(NtStatus::STATUS_INVALID_DEVICE_REQUEST), "112 bytes are one item");
    framing.count_items = u32::MAX;
    assert_eq!(valid(&framing), Err(NtStatus::STATUS_INVALID_DEVICE_REQUEST));
    framing.count_items = 0;
    assert_eq!(valid(&framing), Err(NtStatus::STATUS_INVALID_PARAMETER));
    framing.count_items = 1;
    assert_eq!(validate_allocator_framing_ex(&framing.as_bytes()[..111]), Err(NtStatus::STATUS_INVALID_DEVICE_REQUEST));
    assert_eq!(validate_allocator_framing_ex(&[framing.as_bytes(), &[0; 9]].concat()), Ok(()), "a larger buffer");
}

#[test]
fn a_framing_whose_numbers_make_no_sense_is_wrong() {
    type Change = fn(&mut KsAllocatorFramingEx);
    let wrong: [(&str, Change); 6] = [
        ("denominator 0", |framing| framing.output_compression.ratio_denominator = 0),
        ("upside down", |framing| framing.framing_item[0].framing_range.range.max_frame_size = 1),
        ("physical upside down", |framing| framing.framing_item[0].physical_range.min_frame_size = u32::MAX - 1),
        ("step wider than the range", |framing| framing.framing_item[0].framing_range.range.stepping = 2),
        ("no mask", |framing| framing.framing_item[0].file_alignment = AlignmentMask(6).into()),
        ("no page", |framing| framing.framing_item[0].file_alignment = AlignmentMask(4096).into()),
    ];
    for (what, change) in wrong {
        let mut framing = extended();
        framing.framing_item[0].framing_range.range.stepping = 0;
        framing.framing_item[0].physical_range.max_frame_size = u32::MAX - 2;
        change(&mut framing);
        assert_eq!(valid(&framing), Err(NtStatus::STATUS_INVALID_PARAMETER), "{what}");
    }
}

proptest! {
    #[test]
    fn no_name_breaks_a_parent(head in 0usize..110, tail in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut name = allocator_create_name(&framing(2)).to_vec();
        name.truncate(head);
        name.extend(tail);
        let pin = InProcessObjects::create_sink_pin().expect("a pin");
        if let Ok(made) = InProcessObjects::create(pin.handle(), &name) {
            prop_assert_ne!(made.handle(), pin.handle());
        }
    }

    #[test]
    fn what_is_valid_makes_an_allocator_that_says_so(options in 0u32..6, pool in 0u32..3, frames: u32, size in 0u32..70_000, mask in 0u32..5000) {
        let asked = KsAllocatorFraming {
            flags: OptionsOrRequirements(options),
            pool_type: PoolType(pool),
            frames,
            frame_size: size,
            file_alignment: AlignmentMask(mask).into(),
            reserved: 7,
        };
        let pin = InProcessObjects::create_sink_pin().expect("a pin");
        match InProcessObjects.create_allocator(pin.handle(), &asked) {
            Ok(_) => prop_assert_eq!(asked.validate_creation(), Ok(())),
            Err(error) => {
                prop_assert_eq!(error, Win32Error::INVALID_PARAMETER);
                prop_assert!(asked.validate_creation().is_err());
            }
        }
    }
}
