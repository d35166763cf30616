//! What the pins of random graphs ask.

use super::generate::{DEVICES, UNDECLARED};
use ks::{
    AllocatorFlags, KSMEMORY_TYPE_DEVICE_UNKNOWN, KSMEMORY_TYPE_KERNEL_NONPAGED, KSMEMORY_TYPE_KERNEL_PAGED,
    KSMEMORY_TYPE_SYSTEM, KSMEMORY_TYPE_USER, KSMEMORY_TYPE_WILDCARD, RequirementFlags,
};
use kspipe::graph::{Compression, FrameRange, FramingItem, Mode};
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::select;

/// How much pins ask. The more pins a graph has, the less each must ask of the others for there to be a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Temper {
    Demanding,
    Moderate,
    Modest,
}

#[derive(Clone, Debug)]
pub(crate) struct PinDraft {
    pub(crate) items: Vec<FramingItem>,
    pub(crate) old: bool,
    /// Where the pin is not on its filter's side.
    pub(crate) side: Option<Mode>,
    pub(crate) holds: Option<u32>,
    pub(crate) media_size: Option<u64>,
    pub(crate) compression: Option<Compression>,
}

/// Some number now and then, the same in every kind of graph; a large one seldom.
fn usually<T: Clone + std::fmt::Debug + 'static>(numbers: Vec<T>, seldom: Vec<T>) -> impl Strategy<Value = T> {
    prop_oneof![40 => select(numbers), 1 => select(seldom)]
}

pub(crate) fn pin(temper: Temper) -> impl Strategy<Value = PinDraft> {
    let nothing = match temper {
        Temper::Demanding => 6,
        Temper::Moderate => 20,
        Temper::Modest => 60,
    };
    let items = prop_oneof![
        nothing => Just(0usize),
        8 => Just(1),
        4 => Just(2),
        1 => Just(3),
    ];
    let items = items.prop_flat_map(move |count| prop::collection::vec(item(temper), count));
    let less = if temper == Temper::Demanding { 1.0 } else { 0.3 };
    let holds = usually(vec![0u32, 1, 2, 3], vec![u32::MAX]);
    let bytes = match temper {
        Temper::Modest => usually(vec![1u64, 2, 64, 100, 128], vec![4096]).boxed(),
        _ => usually(vec![1u64, 2, 64, 100, 128, 4096], vec![1 << 32, 1 << 40, i64::MAX as u64, u64::MAX]).boxed(),
    };
    let ratio = || usually(vec![1u32, 2, 3], vec![7, u32::MAX]);
    let compression = (ratio(), ratio(), usually(vec![0u32, 1, 64], vec![u32::MAX]));
    let compression =
        compression.prop_map(|(numerator, denominator, margin)| Compression { numerator, denominator, margin });
    let side = weighted(0.04, select(vec![Mode::User, Mode::Kernel]));
    let rest = (weighted(0.15, holds), weighted(0.12 * less, bytes), weighted(0.15 * less, compression));
    (items, any::<bool>(), side, rest).prop_map(|(items, old, side, (holds, media_size, compression))| PinDraft {
        items,
        old,
        side,
        holds,
        media_size,
        compression,
    })
}

fn item(temper: Temper) -> impl Strategy<Value = FramingItem> {
    let modest = temper == Temper::Modest;
    let picky = if modest { 1 } else { 3 };
    let memory = prop_oneof![
        if modest { 12 } else { 5 } => Just(KSMEMORY_TYPE_WILDCARD),
        if modest { 8 } else { 4 } => Just(KSMEMORY_TYPE_SYSTEM),
        picky => Just(KSMEMORY_TYPE_KERNEL_NONPAGED),
        2 => Just(KSMEMORY_TYPE_KERNEL_PAGED),
        picky => Just(KSMEMORY_TYPE_USER),
        1 => Just(KSMEMORY_TYPE_DEVICE_UNKNOWN),
        picky => Just(DEVICES[0]),
        1 => Just(DEVICES[1]),
        1 => Just(UNDECLARED),
    ];
    let frames = usually(vec![0u32, 0, 1, 2, 3, 5], vec![u32::MAX]);
    let alignment = usually(vec![0u64, 0, 1, 16, 64, 4096], vec![1 << 32, 1 << 63]);
    let flag = if temper == Temper::Demanding { 1.0 } else { 0.3 };
    let requirements = [
        (if modest { 0.7 } else { 0.4 }, RequirementFlags::PREFERENCES_ONLY),
        (0.15 * flag, RequirementFlags::MUST_ALLOCATE),
        (0.15 * flag, RequirementFlags::INPLACE_MODIFIER),
        (0.1 * flag, RequirementFlags::FRAME_INTEGRITY),
    ]
    .map(|(weight, flag)| prop::bool::weighted(weight).prop_map(move |set| if set { flag } else { Default::default() }))
    .prop_map(|flags| flags.into_iter().collect::<RequirementFlags>());
    let flags = [
        (0.3, AllocatorFlags::CAN_ALLOCATE),
        (0.1, AllocatorFlags::ALLOCATOR_EXISTS),
        (0.2, AllocatorFlags::DEVICE_SPECIFIC),
    ]
    .map(|(weight, flag)| prop::bool::weighted(weight).prop_map(move |set| if set { flag } else { Default::default() }))
    .prop_map(|flags| flags.into_iter().collect::<AllocatorFlags>());
    (memory, frames, alignment, physical(temper), capacity(temper), requirements, flags).prop_map(
        |(memory, frames, alignment, mut physical, optimal, requirements, flags)| {
            if !requirements.contains(RequirementFlags::PREFERENCES_ONLY) {
                physical.max = physical.max.max(physical.min);
            }
            FramingItem { memory, frames, alignment, physical, optimal, requirements, flags, ..FramingItem::default() }
        },
    )
}

/// The optimal range: its minimum is the capacity; what it has above that is only noted.
fn capacity(temper: Temper) -> impl Strategy<Value = FrameRange> {
    let seldom = if temper == Temper::Modest { vec![1000] } else { vec![u32::MAX] };
    let min = usually(vec![0u32, 0, 0, 1, 64, 100, 128, 4096], seldom);
    (min, select(vec![u32::MAX, u32::MAX, 128, 0]), select(vec![1u32, 1, 7])).prop_map(|(min, max, step)| FrameRange {
        min,
        max,
        step,
    })
}

fn physical(temper: Temper) -> impl Strategy<Value = FrameRange> {
    let size = || select(vec![0u32, 1, 64, 100, 128, 188, 1000, 4096]);
    let max = prop_oneof![3 => Just(u32::MAX), 3 => size(), 1 => Just(u32::MAX - 1)];
    let step = usually(vec![0u32, 1, 2, 3, 6, 10, 16, 64, 188], vec![4096, 65_537, 4_294_967_291]);
    let open = match temper {
        Temper::Demanding => 5,
        Temper::Moderate => 15,
        Temper::Modest => 60,
    };
    prop_oneof![
        open => Just(FrameRange::OPEN),
        4 => (size(), max, step).prop_map(|(min, max, step)| FrameRange { min, max, step }),
        1 => size().prop_map(FrameRange::exactly),
    ]
}
