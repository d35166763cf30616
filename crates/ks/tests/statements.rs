//! The numbered statements about layout and constants, with the numbers written out; `headers` holds everything,
//! these included, against a compiler's view of the headers.

use ks::*;
use std::mem::{align_of, offset_of, size_of};

type Properties64 = AllocatorPropertiesExFor<Pointer64>;
type Properties32 = AllocatorPropertiesExFor<Pointer32>;

#[test]
fn statement_1_allocator_properties_ex_on_x86_64() {
    assert_eq!(size_of::<Properties64>(), 264);
    assert_eq!(offset_of!(Properties64, prev_segment), 232);
    assert_eq!(offset_of!(Properties64, count_next_segments), 240);
    assert_eq!(offset_of!(Properties64, next_segments), 248);
    assert_eq!(offset_of!(Properties64, inside_factors), 256);
    assert_eq!(offset_of!(Properties64, number_pins), 260);
}

#[test]
fn statement_2_allocator_properties_ex_on_i686() {
    assert_eq!((size_of::<Properties32>(), align_of::<Properties32>()), (252, 4));
    assert_eq!(offset_of!(Properties32, count_next_segments), 236);
    assert_eq!(offset_of!(Properties32, next_segments), 240);
    assert_eq!(offset_of!(Properties32, inside_factors), 244);
    assert_eq!(offset_of!(Properties32, number_pins), 248);
}

#[test]
fn statement_3_allocator_properties_ex_before_its_pointers_is_the_same_on_both() {
    macro_rules! offsets {
        ($type:ty) => {
            [
                offset_of!($type, input),
                offset_of!($type, output),
                offset_of!($type, strategy),
                offset_of!($type, dimensions),
                offset_of!($type, physical_range),
            ]
        };
    }
    assert_eq!(offsets!(Properties64), [52, 108, 164, 184, 220]);
    assert_eq!(offsets!(Properties32), [52, 108, 164, 184, 220]);
    assert_eq!(offsets!(AllocatorPropertiesEx), [52, 108, 164, 184, 220]);
}

#[test]
fn statement_4_sizes_of_the_structures_without_pointers() {
    assert_eq!(size_of::<PipeTermination>(), 56);
    assert_eq!(size_of::<PipeDimensions>(), 36);
    assert_eq!(size_of::<KsFramingItem>(), 88);
    assert_eq!(size_of::<KsAllocatorFraming>(), 24);
    assert_eq!(size_of::<KsAllocatorFramingEx>(), 112);
    assert_eq!(size_of::<KsStreamAllocatorStatus>(), 32);
    assert_eq!(size_of::<KsStreamAllocatorStatusEx>(), 120);
}

#[test]
fn statement_5_members_of_a_union_share_their_word() {
    let mut framing = KsAllocatorFraming { flags: OptionFlags::SYSTEM_MEMORY.into(), ..Default::default() };
    assert_eq!(framing.flags.requirements(), RequirementFlags::SYSTEM_MEMORY);
    assert_eq!(offset_of!(KsAllocatorFraming, flags), 0);

    framing.file_alignment = AlignmentOrPitch::from_pitch(-640);
    assert_eq!(framing.file_alignment.file_alignment(), AlignmentMask(0xFFFF_FD80));
    framing.file_alignment = AlignmentMask(63).into();
    assert_eq!(framing.file_alignment.frame_pitch(), 63);
    assert_eq!(offset_of!(KsAllocatorFraming, file_alignment), 16);
}

#[test]
fn statement_6_structures_of_a_stream_on_x86_64() {
    type Sample = AmSample2PropertiesFor<Pointer64>;
    type Header = KsStreamHeaderFor<Pointer64>;
    type Event = KsEventDataFor<Pointer64>;
    assert_eq!((size_of::<Sample>(), offset_of!(Sample, pb_buffer)), (64, 48));
    assert_eq!(size_of::<Header>(), 56);
    assert_eq!((offset_of!(Header, data), offset_of!(Header, options_flags)), (40, 48));
    assert_eq!((size_of::<Event>(), offset_of!(Event, handle)), (32, 8));
}

#[test]
fn statement_7_structures_of_a_stream_on_i686() {
    type Sample = AmSample2PropertiesFor<Pointer32>;
    type Header = KsStreamHeaderFor<Pointer32>;
    type Event = KsEventDataFor<Pointer32>;
    assert_eq!((size_of::<Sample>(), offset_of!(Sample, pb_buffer)), (48, 40));
    assert_eq!((size_of::<Header>(), offset_of!(Header, options_flags)), (48, 44));
    assert_eq!((size_of::<Event>(), offset_of!(Event, handle)), (16, 4));
}

/// The values that are not in mingw-w64's headers, and those that the headers compute.
#[test]
fn statement_12_constants_the_headers_lack_or_compute() {
    assert_eq!(AllocatorFlags::ENABLE_CACHED_MDL.bits(), 0x4000);
    assert_eq!(AllocatorFlags::TWO_D_BUFFER_REQUIRED.bits(), 0x8000);
    assert_eq!(RequirementFlags::SYSTEM_MEMORY_CUSTOM_ALLOCATION.bits(), 0x10);
    let codes = [0x2F0003, 0x2F0007, 0x2F000B, 0x2F000F, 0x2F8013, 0x2F4017, 0x2F001B];
    assert!(IOCTLS.iter().map(|(_, code)| *code).eq(codes));
    assert_eq!(KSSTRING_Allocator.encode_utf16().count(), 38);
    assert_eq!(KSSTRING_Allocator.parse(), Ok(KSNAME_Allocator));
    // The neighbours differ in one digit: a memory type, another, the interface, a name.
    let neighbours = [KSMEMORY_TYPE_SYSTEM, KSMEMORY_TYPE_DEVICE_UNKNOWN, IID_IKsAllocatorEx];
    assert_eq!(neighbours.map(|guid| guid.data1), [0x091BB638, 0x091BB639, 0x091BB63A]);
    assert_eq!(KSSTRING_AllocatorEx.parse::<Guid>().map(|guid| guid.data1), Ok(0x091BB63B));
}

#[test]
fn statement_13_a_simple_framing() {
    let flags = FramingFlags(0x8000_0002);
    let framing = KsAllocatorFramingEx::simple(KSMEMORY_TYPE_USER, flags, 2, AlignmentMask(7), 100, 200);
    assert_eq!(framing.count_items, 1);
    assert_eq!(framing.output_compression, KsCompression::NONE);
    assert_eq!((framing.pin_flags, framing.pin_weight), (0, 0));
    let [item] = framing.framing_item;
    assert_eq!((item.memory_type, item.bus_type), (KSMEMORY_TYPE_USER, Guid::NULL));
    assert_eq!((item.flags, item.memory_flags, item.bus_flags), (flags, FramingFlags(0), 0));
    assert_eq!((item.frames, item.file_alignment.file_alignment()), (2, AlignmentMask(7)));
    assert_eq!(item.physical_range, KsFramingRange { min_frame_size: 0, max_frame_size: 0xFFFF_FFFF, stepping: 1 });
    assert_eq!(item.framing_range.range, KsFramingRange { min_frame_size: 100, max_frame_size: 200, stepping: 1 });
    assert_eq!(item.memory_type_weight, 0);
    assert_eq!((item.framing_range.in_place_weight, item.framing_range.not_in_place_weight), (0, 0));
}
