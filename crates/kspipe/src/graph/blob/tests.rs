use super::*;
use crate::graph::{FrameRange, FramingItem};
use ks::*;
use proptest::prelude::*;
use serde::Deserialize;

/// The framings that public drivers declare.
const CORPUS: &str = include_str!("../../../../../corpus/framings.toml");

#[derive(Deserialize)]
struct Corpus {
    pin: Vec<Declared>,
}

#[derive(Deserialize)]
struct Declared {
    id: String,
    r#struct: String,
    memory_type: String,
    pool_type: Option<String>,
    #[serde(default)]
    memory_flags: Vec<String>,
    requirements: Vec<String>,
    frames: u32,
    alignment: u32,
    min_frame_size: u32,
    max_frame_size: u32,
    stepping: Option<u32>,
    physical_min: Option<u32>,
    physical_max: Option<u32>,
    physical_stepping: Option<u32>,
    compression: Option<[u32; 3]>,
}

impl Declared {
    fn memory(&self) -> Guid {
        match self.memory_type.as_str() {
            "kernel_paged" => KSMEMORY_TYPE_KERNEL_PAGED,
            "kernel_nonpaged" => KSMEMORY_TYPE_KERNEL_NONPAGED,
            other => panic!("{}: the memory type {other} is not in this test", self.id),
        }
    }

    fn requirements(&self) -> RequirementFlags {
        self.requirements.iter().fold(RequirementFlags::empty(), |all, name| {
            all | RequirementFlags::from_name(name).unwrap_or_else(|| panic!("{}: {name}", self.id))
        })
    }

    /// As the driver's compiler lays it out.
    fn bytes(&self) -> Vec<u8> {
        if self.r#struct == "KSALLOCATOR_FRAMING" {
            let framing = KsAllocatorFraming {
                flags: self.requirements().into(),
                pool_type: match self.pool_type.as_deref() {
                    Some("NonPagedPool") => PoolType::NON_PAGED_POOL,
                    Some("PagedPool") => PoolType::PAGED_POOL,
                    other => panic!("{}: the pool {other:?} is not in this test", self.id),
                },
                frames: self.frames,
                frame_size: self.max_frame_size,
                file_alignment: AlignmentMask(self.alignment).into(),
                reserved: 0,
            };
            return old_bytes(framing);
        }
        assert_eq!(self.r#struct, "KSALLOCATOR_FRAMING_EX", "{}", self.id);
        assert!(self.memory_flags.is_empty(), "{}", self.id);
        let [ratio_numerator, ratio_denominator, ratio_constant_margin] = self.compression.expect("a compression");
        let simple = KsAllocatorFramingEx::simple(
            self.memory(),
            self.requirements().into(),
            self.frames,
            AlignmentMask(self.alignment),
            self.min_frame_size,
            self.max_frame_size,
        );
        let mut item = simple.framing_item[0];
        item.framing_range.range.stepping = self.stepping.expect("a stepping");
        item.physical_range = KsFramingRange {
            min_frame_size: self.physical_min.expect("a minimum"),
            max_frame_size: self.physical_max.expect("a maximum"),
            stepping: self.physical_stepping.expect("a stepping"),
        };
        let output_compression = KsCompression { ratio_numerator, ratio_denominator, ratio_constant_margin };
        extended_bytes(KsAllocatorFramingExHead { output_compression, ..Default::default() }, &[item])
    }
}

fn old_bytes(framing: KsAllocatorFraming) -> Vec<u8> {
    let mut bytes = vec![0; 24];
    FramingBlob::Old(framing).write_to(&mut bytes).expect("24 bytes are enough");
    bytes
}

fn extended_bytes(head: KsAllocatorFramingExHead, items: &[KsFramingItem]) -> Vec<u8> {
    let mut bytes = vec![0; 24 + 88 * items.len()];
    write_framing_ex(head, items.iter().copied(), &mut bytes).expect("there is room");
    bytes
}

/// The head every driver writes.
fn plain_head() -> KsAllocatorFramingExHead {
    KsAllocatorFramingExHead { output_compression: KsCompression::NONE, ..Default::default() }
}

/// One item, and what is found in it.
fn read_item(item: KsFramingItem) -> (FramingItem, Vec<BlobFinding>) {
    let blob = read_blob(&extended_bytes(plain_head(), &[item])).expect("it is a framing");
    let [item] = blob.framing.items() else { panic!("not one item: {blob:?}") };
    (item.clone(), blob.findings)
}

#[test]
fn what_drivers_declare_is_read_as_declared_and_written_back_byte_for_byte() {
    let corpus: Corpus = toml::from_str(CORPUS).expect("the corpus is TOML");
    assert!(corpus.pin.len() >= 35, "the corpus has {} pins", corpus.pin.len());
    for pin in corpus.pin {
        let id = &pin.id;
        let bytes = pin.bytes();
        let blob = read_blob(&bytes).unwrap_or_else(|error| panic!("{id}: {error}"));
        assert_eq!(blob.findings, [], "{id}");
        let [item] = blob.framing.items() else { panic!("{id}: not one item") };
        assert_eq!(item.memory, pin.memory(), "{id}");
        assert_eq!(item.requirements, pin.requirements(), "{id}");
        assert_eq!(item.flags, AllocatorFlags::empty(), "{id}");
        assert_eq!(item.frames, pin.frames, "{id}");
        assert_eq!(item.alignment, u64::from(pin.alignment) + 1, "{id}");
        assert_eq!(item.capacity(), pin.min_frame_size, "{id}");
        assert_eq!(item.physical, FrameRange::OPEN, "{id}");
        assert!(!blob.compression.is_stated(), "{id}");
        match &blob.framing {
            Framing::Old(_) => assert_eq!(pin.r#struct, "KSALLOCATOR_FRAMING", "{id}"),
            Framing::Extended(_) => {
                assert_eq!(pin.r#struct, "KSALLOCATOR_FRAMING_EX", "{id}");
                let stepping = pin.stepping.expect("a stepping");
                let optimal = FrameRange { min: pin.min_frame_size, max: pin.max_frame_size, step: stepping };
                assert_eq!(item.optimal, optimal, "{id}");
            }
            Framing::None => panic!("{id}: no framing"),
        }
        assert_eq!(write_blob(&blob.framing, blob.compression).as_ref(), Ok(&bytes), "{id}");
    }
}

#[test]
fn a_mask_is_the_alignment_minus_1_and_any_other_counts_as_the_next_power_of_two() {
    let cases: [(u32, u64, Option<&str>); 8] = [
        (0, 1, None),
        (63, 64, None),
        (4095, 4096, None),
        (u32::MAX, 1 << 32, None),
        // A byte count where a mask belongs.
        (4096, 8192, Some("write 0xfff for an alignment of 4096 bytes: the member is a mask, not a count")),
        (2, 4, Some("write 0x1 for an alignment of 2 bytes: the member is a mask, not a count")),
        (5, 8, Some("write 0x7 for an alignment of 8 bytes")),
        (u32::MAX - 1, 1 << 32, Some("write 0xffffffff for an alignment of 4294967296 bytes")),
    ];
    for (mask, alignment, help) in cases {
        let item = KsFramingItem { file_alignment: AlignmentMask(mask).into(), ..Default::default() };
        let old = KsAllocatorFraming {
            file_alignment: AlignmentMask(mask).into(),
            flags: RequirementFlags::SYSTEM_MEMORY.into(),
            ..Default::default()
        };
        for (bytes, index) in [(extended_bytes(plain_head(), &[item]), Some(0)), (old_bytes(old), None)] {
            let blob = read_blob(&bytes).expect("it is a framing");
            assert_eq!(blob.framing.items()[0].alignment, alignment, "{mask:#x}");
            match (help, blob.findings.as_slice()) {
                (None, []) => {}
                (Some(help), [finding]) => {
                    assert_eq!((finding.item, finding.field, finding.value), (index, "FileAlignment", mask));
                    assert_eq!(finding.help, help);
                }
                (_, findings) => panic!("{mask:#x}: {findings:?}"),
            }
        }
    }
}

#[test]
fn must_allocate_counts_in_memory_flags_and_in_flags() {
    for (memory_flags, flags) in [(8, 0), (0, 8), (8, 8)] {
        let item = KsFramingItem {
            memory_flags: FramingFlags(memory_flags),
            flags: FramingFlags(flags),
            ..Default::default()
        };
        let (read, findings) = read_item(item);
        assert!(read.must_allocate(), "{memory_flags} {flags}");
        assert_eq!(findings, []);
    }
    let (read, findings) = read_item(KsFramingItem { memory_flags: FramingFlags(0x8000_0008), ..Default::default() });
    assert_eq!(read.requirements, RequirementFlags::MUST_ALLOCATE);
    let [finding] = findings.as_slice() else { panic!("{findings:?}") };
    assert_eq!((finding.field, finding.value), ("MemoryFlags", 0x8000_0008));
    assert_eq!(
        finding.to_string(),
        "FramingItem[0].MemoryFlags is 0x80000008: only MUST_ALLOCATE counts here; 0x80000000 has no effect"
    );
}

#[test]
fn the_flags_word_is_split_into_requirements_and_allocator_flags() {
    let (read, findings) = read_item(KsFramingItem { flags: FramingFlags(0x8001_0053), ..Default::default() });
    let requirements =
        RequirementFlags::INPLACE_MODIFIER | RequirementFlags::SYSTEM_MEMORY | RequirementFlags::PREFERENCES_ONLY;
    assert_eq!(read.requirements, requirements);
    let known = AllocatorFlags::PARTIAL_READ_SUPPORT | AllocatorFlags::CAN_ALLOCATE;
    assert_eq!(read.flags, known | AllocatorFlags::from_bits_retain(0x1_0000));
    assert_eq!(findings, []);
}

#[test]
fn a_2d_buffer_has_a_pitch_where_others_have_an_alignment() {
    let item = KsFramingItem {
        flags: AllocatorFlags::TWO_D_BUFFER_REQUIRED.into(),
        file_alignment: AlignmentOrPitch::from_pitch(-7680),
        ..Default::default()
    };
    let (read, findings) = read_item(item);
    assert_eq!((read.pitch, read.alignment), (Some(-7680), 1));
    assert_eq!(findings, []);
}

#[test]
fn a_ratio_with_a_0_in_it_states_no_compression() {
    let cases: [(u32, u32, &[&str]); 3] = [
        (1, 0, &["OutputCompression.RatioDenominator"]),
        (0, 4, &["OutputCompression.RatioNumerator"]),
        (0, 0, &["OutputCompression.RatioNumerator", "OutputCompression.RatioDenominator"]),
    ];
    for (ratio_numerator, ratio_denominator, fields) in cases {
        let output_compression = KsCompression { ratio_numerator, ratio_denominator, ratio_constant_margin: 9 };
        let head = KsAllocatorFramingExHead { output_compression, ..Default::default() };
        let blob = read_blob(&extended_bytes(head, &[KsFramingItem::default()])).expect("it is a framing");
        assert_eq!(blob.compression, Compression::NONE);
        assert!(blob.findings.iter().map(|finding| finding.field).eq(fields.iter().copied()), "{:?}", blob.findings);
    }
    let output_compression = KsCompression { ratio_numerator: 3, ratio_denominator: 2, ratio_constant_margin: 512 };
    let head = KsAllocatorFramingExHead { output_compression, ..Default::default() };
    let blob = read_blob(&extended_bytes(head, &[KsFramingItem::default()])).expect("it is a framing");
    assert_eq!(blob.compression, Compression { numerator: 3, denominator: 2, margin: 512 });
    assert_eq!(blob.findings, []);
}

#[test]
fn the_old_structure_names_a_pool_or_the_sinks_device() {
    let cases = [
        (2, 0, KSMEMORY_TYPE_KERNEL_NONPAGED, None),
        (2, 1, KSMEMORY_TYPE_KERNEL_PAGED, None),
        (0, 0, KSMEMORY_TYPE_DEVICE_UNKNOWN, Some("RequirementsFlags")),
        (0, 1, KSMEMORY_TYPE_DEVICE_UNKNOWN, Some("RequirementsFlags")),
        // NonPagedPoolNx and PagedPoolCacheAligned of wdm.h.
        (2, 512, KSMEMORY_TYPE_KERNEL_NONPAGED, Some("PoolType")),
        (2, 5, KSMEMORY_TYPE_KERNEL_PAGED, Some("PoolType")),
    ];
    for (flags, pool_type, memory, field) in cases {
        let framing = KsAllocatorFraming {
            flags: OptionsOrRequirements(flags),
            pool_type: PoolType(pool_type),
            ..Default::default()
        };
        let blob = read_blob(&old_bytes(framing)).expect("it is a framing");
        let Framing::Old(item) = &blob.framing else { panic!("not the old structure") };
        assert_eq!(item.memory, memory, "{flags} {pool_type}");
        assert!(blob.findings.iter().map(|finding| finding.field).eq(field), "{:?}", blob.findings);
    }
}

#[test]
fn the_old_structures_size_is_a_capacity_and_0_asks_nothing() {
    for (frame_size, optimal) in [(0, FrameRange::OPEN), (58_656, FrameRange::exactly(58_656))] {
        let framing = KsAllocatorFraming { frame_size, frames: 8, ..Default::default() };
        let blob = read_blob(&old_bytes(framing)).expect("it is a framing");
        let item = &blob.framing.items()[0];
        assert_eq!((item.optimal, item.physical), (optimal, FrameRange::OPEN));
        assert_eq!((item.capacity(), item.frames), (frame_size, 8));
    }
}

#[test]
fn what_nothing_reads_is_found_wherever_it_is() {
    let head = KsAllocatorFramingExHead { pin_flags: 1, pin_weight: 2, ..plain_head() };
    let odd = KsFramingItem {
        bus_flags: 3,
        framing_range: KsFramingRangeWeighted { in_place_weight: 4, not_in_place_weight: 5, ..Default::default() },
        ..Default::default()
    };
    let blob = read_blob(&extended_bytes(head, &[KsFramingItem::default(), odd])).expect("it is a framing");
    let found: Vec<_> = blob.findings.iter().map(|finding| (finding.item, finding.field, finding.value)).collect();
    assert_eq!(
        found,
        [
            (None, "PinFlags", 1),
            (None, "PinWeight", 2),
            (Some(1), "BusFlags", 3),
            (Some(1), "FramingRange.InPlaceWeight", 4),
            (Some(1), "FramingRange.NotInPlaceWeight", 5),
        ]
    );
    let old = KsAllocatorFraming {
        reserved: 6,
        flags: RequirementFlags::SYSTEM_MEMORY.into(),
        ..KsAllocatorFraming::default()
    };
    let blob = read_blob(&old_bytes(old)).expect("it is a framing");
    assert_eq!(blob.findings.len(), 1);
    assert_eq!(blob.findings[0].to_string(), "Reserved is 0x6: it has no effect");
}

#[test]
fn bytes_that_are_no_framing_are_an_error() {
    let mut none = extended_bytes(plain_head(), &[KsFramingItem::default()]);
    none[..4].fill(0);
    assert_eq!(read_blob(&none), Err(FramingBlobError::NoItems));
    assert!(matches!(read_blob(&[0; 23]), Err(FramingBlobError::Truncated { offset: 23, .. })));
    assert!(matches!(read_blob(&[1; 113]), Err(FramingBlobError::Truncated { offset: 113, .. })));
}

#[test]
fn what_a_structure_cannot_say_is_refused_by_the_members_name() {
    let old = FramingItem {
        memory: KSMEMORY_TYPE_KERNEL_PAGED,
        requirements: RequirementFlags::SYSTEM_MEMORY,
        ..FramingItem::default()
    };
    let refused = |framing: Framing| match write_blob(&framing, Compression::NONE) {
        Err(WriteBlobError::NotExpressible { field, .. }) => field,
        other => panic!("{framing:?}: {other:?}"),
    };
    assert!(write_blob(&Framing::Old(Box::new(old.clone())), Compression::NONE).is_ok());
    let one_flag = AllocatorFlags::CAN_ALLOCATE;
    for (item, field) in [
        (FramingItem { memory: KSMEMORY_TYPE_USER, ..old.clone() }, "PoolType"),
        (FramingItem { memory: KSMEMORY_TYPE_DEVICE_UNKNOWN, ..old.clone() }, "RequirementsFlags"),
        (FramingItem { optimal: FrameRange { min: 1, max: 2, step: 1 }, ..old.clone() }, "FrameSize"),
        (FramingItem { optimal: FrameRange::exactly(0), ..old.clone() }, "FrameSize"),
        (FramingItem { physical: FrameRange::exactly(9), ..old.clone() }, "KSALLOCATOR_FRAMING"),
        (FramingItem { flags: one_flag, ..old.clone() }, "KSALLOCATOR_FRAMING"),
        (FramingItem { bus: KSMEMORY_TYPE_USER, ..old.clone() }, "KSALLOCATOR_FRAMING"),
        (FramingItem { weight: 1, ..old.clone() }, "KSALLOCATOR_FRAMING"),
        (FramingItem { pitch: Some(1), ..old.clone() }, "KSALLOCATOR_FRAMING"),
        (FramingItem { alignment: 3, ..old.clone() }, "FileAlignment"),
    ] {
        assert_eq!(refused(Framing::Old(Box::new(item))), field);
    }

    let two_d = AllocatorFlags::TWO_D_BUFFER_REQUIRED;
    for (item, field) in [
        (FramingItem { alignment: 1 << 33, ..FramingItem::default() }, "FileAlignment"),
        (FramingItem { pitch: Some(1), ..FramingItem::default() }, "FramePitch"),
        (FramingItem { flags: two_d, ..FramingItem::default() }, "FramePitch"),
        (FramingItem { flags: two_d, pitch: Some(1), alignment: 2, ..FramingItem::default() }, "FramePitch"),
        (
            FramingItem { requirements: RequirementFlags::SYSTEM_MEMORY_CUSTOM_ALLOCATION, ..FramingItem::default() },
            "Flags",
        ),
        (FramingItem { flags: AllocatorFlags::from_bits_retain(1), ..FramingItem::default() }, "Flags"),
    ] {
        assert_eq!(refused(Framing::Extended(vec![item])), field);
    }

    assert_eq!(write_blob(&Framing::None, Compression::NONE), Err(WriteBlobError::NoFraming));
    let empty = write_blob(&Framing::Extended(Vec::new()), Compression::NONE);
    assert_eq!(empty, Err(WriteBlobError::Items(FramingWriteError::NoItems)));
    let stated = Compression { numerator: 2, ..Compression::NONE };
    assert!(matches!(write_blob(&Framing::Old(Box::new(old)), stated), Err(WriteBlobError::Compression { .. })));
    for zero in [Compression { numerator: 0, ..stated }, Compression { denominator: 0, ..stated }] {
        let framing = Framing::Extended(vec![FramingItem::default()]);
        assert!(matches!(write_blob(&framing, zero), Err(WriteBlobError::Compression { .. })));
    }
}

fn any_range() -> impl Strategy<Value = FrameRange> {
    prop_oneof![
        Just(FrameRange::OPEN),
        any::<u32>().prop_map(FrameRange::exactly),
        any::<(u32, u32, u32)>().prop_map(|(min, max, step)| FrameRange { min, max, step }),
    ]
}

fn any_memory() -> impl Strategy<Value = Guid> {
    prop_oneof![
        Just(KSMEMORY_TYPE_KERNEL_PAGED),
        Just(KSMEMORY_TYPE_KERNEL_NONPAGED),
        Just(KSMEMORY_TYPE_DEVICE_UNKNOWN),
        any::<u128>().prop_map(Guid::from_u128),
    ]
}

prop_compose! {
    fn any_item()(
        memory in any_memory(), bus in prop_oneof![Just(0), any::<u128>()], frames: u32,
        alignment in prop_oneof![Just(0), (0..34u32).prop_map(|power| 1u64 << power)],
        pitch: Option<i32>, physical in any_range(), optimal in any_range(),
        weight in prop_oneof![Just(0), any::<u32>()],
        requirements in prop_oneof![Just(0), Just(2), any::<u32>()],
        flags in prop_oneof![Just(0), any::<u32>()],
    ) -> FramingItem {
        let requirements = RequirementFlags::from_bits_retain(requirements & 0x8000_000F);
        let flags = AllocatorFlags::from_bits_retain(flags & !0x8000_000F);
        let bus = Guid::from_u128(bus);
        // Half of them with a pitch only where there can be one, so that many are written.
        let pitch = pitch.filter(|_| flags.contains(AllocatorFlags::TWO_D_BUFFER_REQUIRED) || frames % 2 == 0);
        FramingItem { memory, bus, frames, alignment, pitch, physical, optimal, weight, requirements, flags }
    }
}

proptest! {
    /// What is written reads back the same, without a finding; the rest is refused.
    #[test]
    fn what_is_written_is_read_back_the_same(
        items in proptest::collection::vec(any_item(), 1..4), old: bool,
        (numerator, denominator, margin) in prop_oneof![Just((1, 1, 0)), any::<(u32, u32, u32)>()],
    ) {
        let compression = Compression { numerator, denominator, margin };
        let framing = match (old, items.as_slice()) {
            (true, [first, ..]) => Framing::Old(Box::new(first.clone())),
            _ => Framing::Extended(items),
        };
        if let Ok(bytes) = write_blob(&framing, compression) {
            let blob = read_blob(&bytes).expect("what is written is a framing");
            // The one finding a framing of ours can have: it asks for the sink's own memory.
            prop_assert!(blob.findings.iter().all(|finding| finding.field == "RequirementsFlags"));
            let with_alignment = |items: &[FramingItem]| -> Vec<FramingItem> {
                items.iter().map(|item| FramingItem { alignment: item.alignment.max(1), ..item.clone() }).collect()
            };
            prop_assert_eq!(with_alignment(framing.items()), blob.framing.items());
            prop_assert_eq!(std::mem::discriminant(&framing), std::mem::discriminant(&blob.framing));
            prop_assert_eq!(compression, blob.compression);
            prop_assert_eq!(write_blob(&blob.framing, blob.compression), Ok(bytes));
        }
    }

    /// Whatever a driver answers is read or refused, and what is read can be written unless it was odd.
    #[test]
    fn any_blob_is_read_without_a_panic(words in proptest::collection::vec(any::<u32>(), 28..=28), one: bool) {
        let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        if one {
            bytes[..4].copy_from_slice(&1u32.to_le_bytes());
        }
        if let Ok(blob) = read_blob(&bytes) {
            prop_assert_eq!(blob.framing.items().len(), 1);
            prop_assert!(blob.framing.items().iter().all(|item| item.alignment.is_power_of_two()));
            for finding in &blob.findings {
                prop_assert!(!finding.to_string().is_empty());
            }
            prop_assert!(write_blob(&blob.framing, blob.compression).is_ok());
        } else {
            prop_assert!(!one);
        }
    }
}
