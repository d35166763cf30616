//! `kspipe inspect`: what it says of blobs that are framings, and of bytes that are not.

use crate::ground::Ground;
use ks::{AlignmentMask, FramingFlags, KSMEMORY_TYPE_KERNEL_NONPAGED, KsAllocatorFramingEx};
use zerocopy::IntoBytes;

/// What Microsoft's avshws sample declares, with pages of alignment.
fn extended() -> Vec<u8> {
    let flags = FramingFlags(0x8000_0002);
    KsAllocatorFramingEx::simple(KSMEMORY_TYPE_KERNEL_NONPAGED, flags, 2, AlignmentMask(4095), 8192, 8192)
        .as_bytes()
        .to_vec()
}

/// The old structure: system memory, paged pool, 8 frames of 57600 bytes, longword alignment.
fn old() -> Vec<u8> {
    [2u32, 1, 8, 57_600, 3, 0].iter().flat_map(|word| word.to_le_bytes()).collect()
}

#[test]
fn an_extended_framing_is_shown_with_the_headers_names() {
    let ground = Ground::new();
    ground.file("pin.bin", extended());
    let (text, _) = ground.run(&["inspect", "pin.bin"], 0);
    insta::assert_snapshot!(text);
}

#[test]
fn an_old_framing_is_shown_with_offsets_where_asked() {
    let ground = Ground::new();
    ground.file("old.bin", old());
    let (text, _) = ground.run(&["inspect", "--offsets", "old.bin"], 0);
    insta::assert_snapshot!(text);
}

#[test]
fn json_has_the_members_nested_as_the_header_has_them() {
    let ground = Ground::new();
    ground.file("pin.bin", extended());
    ground.file("old.bin", old());
    let (text, _) = ground.run(&["inspect", "--format", "json", "--offsets", "pin.bin", "old.bin"], 0);
    let document: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
    let [extended, old] = document["blobs"].as_array().expect("a list").as_slice() else { panic!("{text}") };
    assert_eq!(extended["structure"], "KSALLOCATOR_FRAMING_EX");
    let item = &extended["framing"]["FramingItem"][0];
    assert_eq!(item["MemoryType"], "{4A6D5FC4-7895-11D1-B069-00A0C9062802}");
    assert_eq!(item["FileAlignment"], 4095);
    assert_eq!(item["FramingRange"]["Range"]["MaxFrameSize"], 8192);
    assert_eq!(extended["names"]["FramingItem[0].MemoryType"][0], "KSMEMORY_TYPE_KERNEL_NONPAGED");
    assert_eq!(extended["offsets"]["FramingItem[0].FramingRange.Range.MaxFrameSize"], "0x0060");
    assert_eq!(old["structure"], "KSALLOCATOR_FRAMING");
    assert_eq!(old["framing"]["FrameSize"], 57_600);
    assert_eq!(old["names"]["PoolType"][0], "PagedPool");
}

#[test]
fn a_blob_on_standard_input_is_read() {
    let ground = Ground::new();
    let output = ground.kspipe(&["inspect", "-"]).write_stdin(old()).output().expect("the command can be run");
    assert!(output.status.success());
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("-: KSALLOCATOR_FRAMING, 24 bytes\n"));
}

#[test]
fn bytes_that_are_no_framing_end_with_1_and_say_where_and_the_others_are_shown() {
    let ground = Ground::new();
    ground.file("cut.bin", &extended()[..60]);
    ground.file("long.bin", [extended(), vec![0; 4]].concat());
    ground.file("empty.bin", "");
    ground.file("old.bin", old());
    let (text, error) = ground.run(&["inspect", "cut.bin", "long.bin", "empty.bin", "old.bin"], 1);
    assert!(text.starts_with("old.bin: KSALLOCATOR_FRAMING, 24 bytes\n"), "{text}");
    for needed in ["cut.bin", "byte 60", "long.bin", "116 bytes", "empty.bin"] {
        assert!(error.contains(needed), "{needed}\n{error}");
    }
    let (text, _) = ground.run(&["inspect", "--format", "json", "cut.bin"], 1);
    let document: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
    assert_eq!(document["blobs"][0]["error"]["offset"], 60);
}

#[test]
fn a_blob_that_cannot_be_read_ends_with_3_and_the_systems_error() {
    let ground = Ground::new();
    let (_, error) = ground.run(&["inspect", "nothing.bin"], 3);
    assert!(error.contains("nothing.bin") && error.contains("os error 2"), "{error}");
}

#[test]
fn a_device_is_said_to_need_windows() {
    let ground = Ground::new();
    let (help, _) = ground.run(&["inspect", "--help"], 0);
    assert!(help.contains("Live devices cannot be inspected yet"), "{help}");
}

#[test]
fn what_is_odd_in_a_framing_is_a_finding() {
    let ground = Ground::new();
    let mut blob = extended();
    // FileAlignment, at 24 + 48: a count where a mask belongs.
    blob[72..76].copy_from_slice(&4096u32.to_le_bytes());
    ground.file("odd.bin", blob);
    let (text, _) = ground.run(&["inspect", "odd.bin"], 0);
    assert!(text.contains("finding: FramingItem[0].FileAlignment is 0x1000: "), "{text}");
    let (json, _) = ground.run(&["inspect", "--format", "json", "odd.bin"], 0);
    let document: serde_json::Value = serde_json::from_str(&json).expect("it is JSON");
    let finding = &document["blobs"][0]["findings"][0];
    assert_eq!(
        (&finding["item"], &finding["member"], &finding["value"]),
        (&0.into(), &"FileAlignment".into(), &4096.into())
    );
}
