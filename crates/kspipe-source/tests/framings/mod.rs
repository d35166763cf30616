//! Framings as bytes: those of real drivers, and arbitrary ones.

// Each test that uses this module uses a part of it.
#![allow(dead_code)]

use ks::{
    AlignmentMask, FramingBlob, Guid, KSMEMORY_TYPE_KERNEL_NONPAGED, KSMEMORY_TYPE_KERNEL_PAGED, KsAllocatorFraming,
    KsAllocatorFramingEx, PoolType, RequirementFlags,
};
use proptest::prelude::*;
use toml::Table;
use zerocopy::IntoBytes;

/// The framings of `corpus/framings.toml`, as the drivers' compilers lay them out.
pub(crate) fn corpus() -> Vec<(String, Vec<u8>)> {
    let file: Table = include_str!("../../../../corpus/framings.toml").parse().expect("the corpus is TOML");
    let pins = file["pin"].as_array().expect("an array of pins");
    let all: Vec<_> = pins.iter().map(|pin| declared(pin.as_table().expect("a table"))).collect();
    assert!(all.len() >= 35, "the corpus has {} pins", all.len());
    all
}

fn declared(pin: &Table) -> (String, Vec<u8>) {
    let text = |key: &str| pin[key].as_str().expect("a text");
    let number = |key: &str| u32::try_from(pin[key].as_integer().expect("a number")).expect("32 bits");
    let flags = pin["requirements"].as_array().expect("a list").iter().fold(RequirementFlags::empty(), |all, name| {
        all | RequirementFlags::from_name(name.as_str().expect("a name")).expect("a requirement")
    });
    let id = text("id").to_owned();
    if text("struct") == "KSALLOCATOR_FRAMING" {
        let framing = KsAllocatorFraming {
            flags: flags.into(),
            pool_type: if text("pool_type") == "PagedPool" { PoolType::PAGED_POOL } else { PoolType::NON_PAGED_POOL },
            frames: number("frames"),
            frame_size: number("max_frame_size"),
            file_alignment: AlignmentMask(number("alignment")).into(),
            reserved: 0,
        };
        let mut bytes = vec![0; 24];
        FramingBlob::Old(framing).write_to(&mut bytes).expect("24 bytes are enough");
        return (id, bytes);
    }
    let memory: Guid = match text("memory_type") {
        "kernel_paged" => KSMEMORY_TYPE_KERNEL_PAGED,
        "kernel_nonpaged" => KSMEMORY_TYPE_KERNEL_NONPAGED,
        other => panic!("{id}: the memory type {other} is not in this test"),
    };
    let mut framing = KsAllocatorFramingEx::simple(
        memory,
        flags.into(),
        number("frames"),
        AlignmentMask(number("alignment")),
        number("min_frame_size"),
        number("max_frame_size"),
    );
    framing.framing_item[0].framing_range.range.stepping = number("stepping");
    (id, framing.as_bytes().to_vec())
}

/// Any framing: 24 bytes, or a head with one to four items.
pub(crate) fn random() -> impl Strategy<Value = Vec<u8>> {
    let word =
        || prop_oneof![3 => prop::sample::select(vec![0, 1, 2, 3, 8, 0x8000_0002, u32::MAX, 4096]), 2 => any::<u32>()];
    let words = move |count: usize| prop::collection::vec(word(), count);
    let old = words(6);
    let known: Vec<Guid> = ks::KSMEMORY_TYPES.iter().map(|(_, guid)| *guid).collect();
    let guid = move || prop_oneof![prop::sample::select(known.clone()), any::<u128>().prop_map(Guid::from_u128)];
    let item = (guid(), guid(), words(14))
        .prop_map(|(memory, bus, words)| [memory.as_bytes(), bus.as_bytes(), words.as_bytes()].concat());
    let extended = (words(5), prop::collection::vec(item, 1..=4)).prop_map(|(head, items)| {
        let count = u32::try_from(items.len()).expect("a few");
        [count.to_le_bytes().to_vec(), head.as_bytes().to_vec(), items.concat()].concat()
    });
    prop_oneof![old.prop_map(|words| words.as_bytes().to_vec()), extended]
}
