//! Each lint of a framing finds what it is for, and leaves what is sound alone.

use ks::{
    Guid, KSMEMORY_TYPE_DEVICE_UNKNOWN, KSMEMORY_TYPE_KERNEL_NONPAGED, KSMEMORY_TYPE_KERNEL_PAGED, KSMEMORY_TYPE_USER,
};
use kspipe::check::{Circumstances, DeclaredFraming, MediaFrame, Member, Origin, Structure, check_blob, check_framing};
use kspipe::finding::{CODES, Finding, Topic};
use kspipe::graph::{Direction, Mode};
use proptest::prelude::*;

const SYSTEM: u32 = 0x2;
const INPLACE: u32 = 0x1;
const INTEGRITY: u32 = 0x4;
const MUST: u32 = 0x8;
const PREFERS: u32 = 0x8000_0000;
const PITCH: u32 = 0x8000;

/// What `DECLARE_SIMPLE_FRAMING_EX` makes: 4 frames of 153600 bytes in nonpaged memory.
fn simple() -> DeclaredFraming {
    let mut framing = DeclaredFraming::new(Structure::Extended, Origin::Source);
    for (member, value) in [
        (Member::CountItems, 1),
        (Member::PinFlags, 0),
        (Member::RatioNumerator, 1),
        (Member::RatioDenominator, 1),
        (Member::RatioConstantMargin, 0),
        (Member::PinWeight, 0),
    ] {
        framing.set(None, member, value);
    }
    add_item(&mut framing, 0);
    framing
}

fn add_item(framing: &mut DeclaredFraming, item: usize) {
    framing.set_guid(item, Member::MemoryType, KSMEMORY_TYPE_KERNEL_NONPAGED);
    framing.set_guid(item, Member::BusType, Guid::NULL);
    for (member, value) in [
        (Member::MemoryFlags, 0),
        (Member::BusFlags, 0),
        (Member::Flags, SYSTEM),
        (Member::Frames, 4),
        (Member::FileAlignment, 0),
        (Member::MemoryTypeWeight, 0),
        (Member::PhysicalMin, 0),
        (Member::PhysicalMax, u32::MAX),
        (Member::PhysicalStepping, 1),
        (Member::FramingMin, 153_600),
        (Member::FramingMax, 153_600),
        (Member::FramingStepping, 1),
        (Member::InPlaceWeight, 0),
        (Member::NotInPlaceWeight, 0),
    ] {
        framing.set(Some(item), member, value);
    }
}

/// The same with other values in its first item.
fn with<const N: usize>(values: [(Member, u32); N]) -> DeclaredFraming {
    let mut framing = simple();
    for (member, value) in values {
        framing.set(Some(0), member, value);
    }
    framing
}

fn head<const N: usize>(values: [(Member, u32); N]) -> DeclaredFraming {
    let mut framing = simple();
    for (member, value) in values {
        framing.set(None, member, value);
    }
    framing
}

fn memory(memory: Guid, flags: u32) -> DeclaredFraming {
    let mut framing = with([(Member::Flags, flags)]);
    framing.set_guid(0, Member::MemoryType, memory);
    framing
}

fn old<const N: usize>(values: [(Member, u32); N]) -> DeclaredFraming {
    let mut framing = DeclaredFraming::new(Structure::Old, Origin::Source);
    let sound = [
        (Member::RequirementsFlags, SYSTEM),
        (Member::PoolType, 0),
        (Member::Frames, 4),
        (Member::FrameSize, 153_600),
        (Member::FileAlignment, 0),
        (Member::Reserved, 0),
    ];
    for (member, value) in sound.into_iter().chain(values) {
        framing.set(None, member, value);
    }
    framing
}

fn two_items<const N: usize>(second: [(Member, u32); N]) -> DeclaredFraming {
    let mut framing = head([(Member::CountItems, 2)]);
    add_item(&mut framing, 1);
    for (member, value) in second {
        framing.set(Some(1), member, value);
    }
    framing
}

const NOWHERE: Circumstances = Circumstances {
    direction: None,
    mode: None,
    media: None,
    is_codec: None,
    edited: None,
    writes_at_dispatch_level: None,
};

fn out() -> Circumstances {
    Circumstances { direction: Some(Direction::Out), mode: Some(Mode::Kernel), ..NOWHERE }
}

fn codec(direction: Direction) -> Circumstances {
    Circumstances { direction: Some(direction), mode: Some(Mode::Kernel), is_codec: Some(true), ..NOWHERE }
}

fn media(bytes: u64, pixels: Option<u64>) -> Circumstances {
    Circumstances { media: Some(MediaFrame { bytes, pixels }), ..out() }
}

type Case = (&'static str, DeclaredFraming, Circumstances);

/// Framings that are at fault, each with the only code that is found in it and the member it is found at.
fn bad() -> Vec<(&'static str, &'static str, DeclaredFraming, Circumstances)> {
    use Member::*;
    let dispatch = Circumstances { writes_at_dispatch_level: Some(true), ..NOWHERE };
    let never_edited = Circumstances { edited: Some(false), ..out() };
    let placeholder = || with([(FramingMin, 8192), (FramingMax, 8192)]);
    let answered = |framing: DeclaredFraming| framing;
    vec![
        ("KS006", "RequirementsFlags", old([(RequirementsFlags, 0)]), NOWHERE),
        ("KS040", "FileAlignment", with([(FileAlignment, 4096)]), NOWHERE),
        ("KS040", "FileAlignment", with([(FileAlignment, 2)]), NOWHERE),
        ("KS040", "FileAlignment", old([(FileAlignment, 64)]), NOWHERE),
        ("KS041", "FileAlignment", with([(FileAlignment, 100)]), NOWHERE),
        ("KS041", "FileAlignment", with([(FileAlignment, 0x6000)]), NOWHERE),
        ("KS042", "FileAlignment", with([(FileAlignment, 1)]), NOWHERE),
        ("KS044", "FramingRange.Range.MinFrameSize", with([(FramingMin, 200), (FramingMax, 100)]), NOWHERE),
        ("KS044", "PhysicalRange.MinFrameSize", with([(PhysicalMin, 200_001), (PhysicalMax, 200_000)]), NOWHERE),
        (
            "KS045",
            "PhysicalRange.Stepping",
            with([(PhysicalMin, 4096), (PhysicalMax, 204_800), (PhysicalStepping, 1 << 20)]),
            NOWHERE,
        ),
        ("KS045", "FramingRange.Range.Stepping", with([(FramingStepping, 2)]), NOWHERE),
        (
            "KS046",
            "PhysicalRange.Stepping",
            with([(PhysicalMin, 1), (PhysicalMax, 188_000), (PhysicalStepping, 188)]),
            NOWHERE,
        ),
        ("KS047", "FramingRange.Range.MinFrameSize", with([]), media(19_200, None)),
        ("KS047", "FrameSize", old([(FrameSize, 47_040)]), media(5880, None)),
        (
            "KS048",
            "FramingRange.Range.MinFrameSize",
            with([(FramingMin, 76_800), (FramingMax, 76_800)]),
            media(153_600, Some(76_800)),
        ),
        ("KS049", "FramingRange.Range.MinFrameSize", with([]), media(230_400, Some(76_800))),
        ("KS049", "PhysicalRange.MaxFrameSize", with([(FramingMin, 0), (PhysicalMax, 1000)]), media(1001, None)),
        ("KS050", "FramingRange.Range.MinFrameSize", placeholder(), NOWHERE),
        ("KS050", "FramingRange.Range.MinFrameSize", placeholder(), never_edited),
        ("KS051", "Flags", with([(Flags, SYSTEM | PREFERS)]), dispatch),
        ("KS051", "RequirementsFlags", old([(RequirementsFlags, SYSTEM | PREFERS)]), dispatch),
        ("KS053", "Flags", with([(Flags, SYSTEM | MUST | PREFERS)]), NOWHERE),
        ("KS053", "Flags", with([(Flags, SYSTEM | PREFERS), (MemoryFlags, MUST)]), NOWHERE),
        ("KS055", "Frames", with([(Frames, 2)]), codec(Direction::In)),
        ("KS055", "Frames", with([(Frames, 1)]), codec(Direction::Out)),
        ("KS056", "Frames", with([(Frames, 64), (FramingMin, 385_024), (FramingMax, 385_024)]), NOWHERE),
        (
            "KS056",
            "FileAlignment",
            with([(Frames, 100), (FileAlignment, 4095), (FramingMin, 192), (FramingMax, 192)]),
            NOWHERE,
        ),
        ("KS056", "FramingRange.Range.MinFrameSize", with([]), media(40_000, None)),
        ("KS057", "PhysicalRange.MinFrameSize", with([(PhysicalMin, 4096)]), codec(Direction::In)),
        ("KS057", "PhysicalRange.MaxFrameSize", with([(PhysicalMax, 1 << 20)]), codec(Direction::In)),
        ("KS058", "Frames", with([(Frames, 0)]), NOWHERE),
        ("KS058", "FramingRange.Range.MinFrameSize", with([(FramingMin, 0), (FramingMax, 0)]), NOWHERE),
        ("KS058", "FrameSize", old([(FrameSize, 0)]), NOWHERE),
        ("KS059", "PhysicalRange.MaxFrameSize", with([(PhysicalMax, 0), (PhysicalStepping, 0)]), NOWHERE),
        ("KS060", "OutputCompression.RatioDenominator", head([(RatioDenominator, 0)]), NOWHERE),
        ("KS060", "OutputCompression.RatioNumerator", head([(RatioNumerator, 0)]), NOWHERE),
        ("KS061", "PinFlags", head([(PinFlags, 1)]), NOWHERE),
        ("KS061", "PinWeight", head([(PinWeight, 1)]), NOWHERE),
        ("KS061", "BusFlags", with([(BusFlags, 1)]), NOWHERE),
        ("KS061", "Reserved", old([(Reserved, 0xCCCC_CCCC)]), NOWHERE),
        ("KS063", "Flags", with([(Flags, SYSTEM | INPLACE)]), out()),
        ("KS064", "Flags", with([(Flags, SYSTEM | INPLACE | INTEGRITY)]), NOWHERE),
        ("KS065", "Frames", with([(Frames, 32), (FramingMin, 1 << 27), (FramingMax, 1 << 27)]), NOWHERE),
        (
            "KS065",
            "FramingRange.Range.MinFrameSize",
            with([(Frames, 1), (FramingMin, u32::MAX), (FramingMax, u32::MAX), (FileAlignment, 4095)]),
            NOWHERE,
        ),
        ("KS066", "Frames", with([(Frames, 16), (FramingMin, 1 << 27), (FramingMax, 1 << 27)]), NOWHERE),
        ("KS066", "FrameSize", old([(Frames, 1), (FrameSize, 0x8000_0000)]), NOWHERE),
        ("KS067", "Flags", with([(Flags, SYSTEM | 0x10_0000)]), NOWHERE),
        ("KS067", "RequirementsFlags", old([(RequirementsFlags, SYSTEM | 0x40)]), NOWHERE),
        ("KS068", "Flags", with([(Flags, SYSTEM | 0x200)]), NOWHERE),
        ("KS072", "Flags", with([(Flags, 0)]), NOWHERE),
        ("KS072", "Flags", memory(KSMEMORY_TYPE_DEVICE_UNKNOWN, SYSTEM), NOWHERE),
        ("KS073", "MemoryTypeWeight", with([(MemoryTypeWeight, 1)]), NOWHERE),
        ("KS073", "FramingRange.InPlaceWeight", with([(InPlaceWeight, 1)]), NOWHERE),
        ("KS073", "FramingRange.NotInPlaceWeight", with([(NotInPlaceWeight, 1)]), NOWHERE),
        ("KS074", "MemoryFlags", with([(MemoryFlags, SYSTEM)]), NOWHERE),
        ("KS075", "PoolType", old([(PoolType, 512)]), NOWHERE),
        ("KS077", "FramingRange.Range.MinFrameSize", with([(PhysicalMax, 8192)]), NOWHERE),
    ]
    .into_iter()
    .map(|(code, member, framing, circumstances)| (code, member, answered(framing), circumstances))
    .collect()
}

/// Framings beside the ones above that nothing is to be said of.
fn good() -> Vec<Case> {
    use Member::*;
    vec![
        ("as the macro makes it", simple(), NOWHERE),
        ("old", old([]), NOWHERE),
        ("old, paged", old([(PoolType, 1)]), NOWHERE),
        ("a page", with([(FileAlignment, 4095)]), NOWHERE),
        ("the largest that wdm.h names", with([(FileAlignment, 0x1FF)]), NOWHERE),
        ("a pitch is no mask", with([(FileAlignment, 100), (Flags, SYSTEM | PITCH)]), NOWHERE),
        (
            "edited: four sizes, steppings 0",
            with([(PhysicalMin, 153_600), (PhysicalMax, 153_600), (PhysicalStepping, 0), (FramingStepping, 0)]),
            NOWHERE,
        ),
        ("an open range of packets", with([(PhysicalMin, 188), (PhysicalStepping, 188)]), NOWHERE),
        ("whole packets", with([(PhysicalMin, 188), (PhysicalMax, 188 * 1000), (PhysicalStepping, 188)]), NOWHERE),
        ("no minimum", with([(FramingMin, 0), (FramingMax, 230_400)]), NOWHERE),
        ("the size of the format", with([]), media(153_600, Some(76_800))),
        (
            "a range with room for the format",
            with([(FramingMin, 1), (FramingMax, 1 << 20)]),
            media(153_600, Some(76_800)),
        ),
        // Found by a random blob: the range was taken for what an alignment adds.
        (
            "a physical minimum over the capacity",
            with([(FramingMin, 1), (FramingMax, 1 << 20), (PhysicalMin, 65_600)]),
            NOWHERE,
        ),
        ("one byte a pixel", with([]), media(153_600, Some(153_600))),
        ("a little more than the format", with([]), media(150_000, None)),
        (
            "a placeholder that is edited",
            with([(FramingMin, 8192), (FramingMax, 8192)]),
            Circumstances { edited: Some(true), ..out() },
        ),
        ("another fixed size", with([(FramingMin, 58_656), (FramingMax, 58_656)]), NOWHERE),
        ("nonpaged is required", with([]), Circumstances { writes_at_dispatch_level: Some(true), ..NOWHERE }),
        (
            "preferred, and written by DMA",
            with([(Flags, SYSTEM | PREFERS)]),
            Circumstances { writes_at_dispatch_level: Some(false), ..NOWHERE },
        ),
        ("must allocate", with([(Flags, SYSTEM | MUST)]), NOWHERE),
        ("must allocate, where Microsoft documents it", with([(MemoryFlags, MUST)]), NOWHERE),
        ("three frames at a codec", with([(Frames, 3)]), codec(Direction::In)),
        ("two frames at a source", with([(Frames, 2)]), Circumstances { is_codec: Some(false), ..out() }),
        ("the range of an out pin", with([(PhysicalMin, 4096)]), codec(Direction::Out)),
        ("many small frames", with([(Frames, 100), (FramingMin, 192), (FramingMax, 192)]), NOWHERE),
        ("few large frames", with([(Frames, 8), (FramingMin, 12_441_600), (FramingMax, 12_441_600)]), NOWHERE),
        (
            "nothing asked at an in pin",
            with([(Frames, 0), (FramingMin, 0), (FramingMax, 0)]),
            Circumstances { direction: Some(Direction::In), ..NOWHERE },
        ),
        (
            "in place at an in pin",
            with([(Flags, SYSTEM | INPLACE)]),
            Circumstances { direction: Some(Direction::In), ..NOWHERE },
        ),
        ("integrity", with([(Flags, SYSTEM | INTEGRITY)]), NOWHERE),
        ("just under 2 GiB", with([(Frames, 15), (FramingMin, 1 << 27), (FramingMax, 1 << 27)]), NOWHERE),
        ("can allocate", with([(Flags, SYSTEM | 0x40)]), NOWHERE),
        ("all flags of pins", with([(Flags, SYSTEM | 0xF0 | 0x800 | 0x4000)]), NOWHERE),
        ("device memory", memory(KSMEMORY_TYPE_DEVICE_UNKNOWN, 0), NOWHERE),
        ("anywhere", memory(Guid::NULL, 0), NOWHERE),
        ("user memory", memory(KSMEMORY_TYPE_USER, 0), NOWHERE),
        ("paged", memory(KSMEMORY_TYPE_KERNEL_PAGED, SYSTEM), NOWHERE),
        ("old, device memory needs no pool", old([(RequirementsFlags, SYSTEM), (PoolType, 0)]), NOWHERE),
    ]
}

fn codes(findings: &[Finding]) -> Vec<(&str, &str)> {
    findings.iter().map(|finding| (finding.code.code, finding.subject.member.unwrap_or(""))).collect()
}

#[test]
fn each_fault_is_found_once_at_its_member() {
    for (code, member, framing, circumstances) in bad() {
        let findings = check_framing("pin", &framing, &circumstances);
        assert_eq!(codes(&findings), [(code, member)], "{framing:?}: {findings:#?}");
        assert!(!findings[0].message.is_empty() && !findings[0].help.is_empty());
        assert_eq!(findings[0].subject.pin.as_deref(), Some("pin"));
    }
}

#[test]
fn what_is_sound_is_left_alone() {
    for (what, framing, circumstances) in good() {
        assert_eq!(codes(&check_framing("pin", &framing, &circumstances)), [], "{what}");
    }
}

#[test]
fn every_code_of_framings_has_a_case() {
    // Those of several items, and of graph files only, have tests of their own below and in check_graphs.rs.
    let elsewhere = ["KS069", "KS070", "KS071", "KS076", "KS100"];
    let cases: Vec<&str> = bad().into_iter().map(|(code, ..)| code).collect();
    for code in CODES.iter().filter(|code| code.topic == Topic::Framing) {
        assert!(cases.contains(&code.code) || elsewhere.contains(&code.code), "no case for {code}");
    }
}

#[test]
fn an_item_again_is_a_duplicate_and_one_that_asks_more_is_never_needed() {
    use Member::*;
    let further = ("KS071", "CountItems");
    let cases: Vec<(DeclaredFraming, Vec<(&str, &str)>)> = vec![
        (two_items([]), vec![further, ("KS069", "MemoryType")]),
        (two_items([(Frames, 8)]), vec![further, ("KS070", "MemoryType")]),
        (two_items([(FileAlignment, 4095), (PhysicalMin, 100)]), vec![further, ("KS070", "MemoryType")]),
        // Each asks more than the other of something.
        (two_items([(Frames, 2), (FileAlignment, 4095)]), vec![further]),
        // It offers to allocate, which the other does not.
        (two_items([(Frames, 8), (Flags, SYSTEM | 0x40)]), vec![further]),
        // A preference is no weaker requirement: it may be chosen where the requirement cannot.
        (two_items([(Frames, 8), (Flags, SYSTEM | PREFERS)]), vec![further]),
    ];
    for (framing, expected) in cases {
        assert_eq!(codes(&check_framing("pin", &framing, &NOWHERE)), expected, "{framing:?}");
    }
    // The first item is at fault where it is the one that asks more.
    let findings = check_framing("pin", &two_items([(Frames, 2)]), &NOWHERE);
    assert_eq!(findings[1].subject.item, Some(0));
}

#[test]
fn what_is_not_known_raises_no_finding() {
    for (code, _, framing, circumstances) in bad() {
        // Every single member that is forgotten leaves the same finding or none, never another.
        for member in Member::ALL {
            for item in [None, Some(0)] {
                let mut partly = framing.clone();
                partly.forget(item, *member);
                let findings = check_framing("pin", &partly, &circumstances);
                assert!(
                    findings.iter().all(|finding| finding.code.code == code),
                    "{code} without {member:?}: {findings:?}"
                );
            }
        }
        let mut nothing = DeclaredFraming::new(framing.structure(), Origin::Source);
        nothing.set_items(framing.items());
        assert_eq!(check_framing("pin", &nothing, &circumstances), []);
    }
}

#[test]
fn the_value_a_fix_offers_does_away_with_the_finding() {
    let mut tried = 0;
    for (code, _, framing, circumstances) in bad() {
        for finding in check_framing("pin", &framing, &circumstances) {
            let Some(fix) = &finding.fix else { continue };
            let value = fix.text.parse().expect("a fix is a number that fits the member");
            let member = finding.subject.member.and_then(Member::named).expect("a fix has a member");
            let mut mended = framing.clone();
            mended.set(finding.subject.item, member, value);
            let after = check_framing("pin", &mended, &circumstances);
            assert!(after.iter().all(|finding| finding.code.code != code), "{code}: {after:?}");
            tried += 1;
        }
    }
    assert!(tried > 15, "only {tried} fixes");
}

#[test]
fn findings_of_a_blob_point_at_the_members_bytes() {
    let mut bytes = vec![0_u8; 112];
    let mut write = |offset: usize, value: u32| bytes[offset..offset + 4].copy_from_slice(&value.to_le_bytes());
    for (offset, value) in [
        (0, 1),
        (8, 1),
        (12, 0),
        (64, SYSTEM),
        (68, 4),
        (72, 4096),
        (84, u32::MAX),
        (88, 1),
        (92, 100),
        (96, 100),
        (100, 1),
    ] {
        write(offset, value);
    }
    let findings = check_blob("pin", &bytes);
    let places: Vec<_> =
        findings.iter().map(|finding| (finding.code.code, finding.span.map(|span| (span.start, span.end)))).collect();
    assert_eq!(places, [("KS060", Some((12, 16))), ("KS040", Some((72, 76)))]);
    // Cut to 24 bytes it is an old framing, which nobody can have meant.
    let mut head = [0; 24];
    for offset in [0, 8, 12] {
        head[offset] = 1;
    }
    let findings = check_blob("pin", &head);
    assert!(findings.iter().any(|finding| finding.code.code == "KS100"), "{findings:?}");
    for length in [0, 23, 25, 111, 113] {
        let mut bytes = bytes.clone();
        bytes.resize(length, 0);
        let findings = check_blob("pin", &bytes);
        assert_eq!(codes(&findings), [("KS079", "")], "{length} bytes");
        let span = findings[0].span.expect("where the bytes are at fault");
        assert!(span.start <= span.end && span.end <= length);
    }
}

/// Numbers at which something changes, and any.
fn number() -> impl Strategy<Value = u32> {
    let edges = [0, 1, 2, 3, 4, 63, 64, 4095, 4096, 8192, 16_384, 153_600, 1 << 27, 1 << 31, u32::MAX - 1, u32::MAX];
    prop_oneof![4 => proptest::sample::select(edges.to_vec()), 1 => any::<u32>()]
}

proptest! {
    #[test]
    fn any_numbers_can_be_checked(
        items in 0_usize..4,
        known in proptest::collection::vec((proptest::option::of(0_usize..4), proptest::sample::select(Member::ALL.to_vec()), number()), 0..60),
        old in any::<bool>(),
        bytes in 0_u64..400_000,
        codec in any::<bool>(),
        out in any::<bool>(),
    ) {
        let structure = if old { Structure::Old } else { Structure::Extended };
        let mut framing = DeclaredFraming::new(structure, Origin::Source);
        framing.set_items(items);
        for (item, member, value) in known {
            framing.set(item.filter(|_| !old), member, value);
        }
        let circumstances = Circumstances {
            direction: Some(if out { Direction::Out } else { Direction::In }),
            mode: Some(Mode::Kernel),
            media: (bytes > 0).then_some(MediaFrame { bytes, pixels: Some(bytes / 2) }),
            is_codec: Some(codec),
            edited: None,
            writes_at_dispatch_level: Some(true),
        };
        let findings = check_framing("pin", &framing, &circumstances);
        for finding in &findings {
            prop_assert!(finding.fix.as_ref().is_none_or(|fix| fix.text.parse::<u32>().is_ok()), "{finding:?}");
            prop_assert!(finding.subject.item.is_none_or(|item| item < framing.items()));
        }
        prop_assert_eq!(findings, check_framing("pin", &framing, &circumstances));
    }

    #[test]
    fn any_members_of_a_blob_can_be_checked(words in proptest::collection::vec(number(), 1..50), items in 1_u32..3) {
        let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        bytes[..4].copy_from_slice(&items.to_le_bytes());
        bytes.resize(24 + 88 * items as usize, 0);
        for finding in check_blob("pin", &bytes) {
            let span = finding.span.expect("a framing's members have places");
            prop_assert!(span.end <= bytes.len());
            let value = u32::from_le_bytes(bytes[span.start..span.start + 4].try_into().expect("four bytes"));
            prop_assert!(finding.subject.member != Some("FileAlignment") || value != 0, "{finding:?}");
        }
    }
}
