//! `kspipe convert`: framings from source, blob and TOML into each other, and what it says where that cannot be.

use crate::ground::Ground;
use ks::{AlignmentMask, FramingFlags, Guid, KSMEMORY_TYPE_USER, KsAllocatorFramingEx};
use zerocopy::IntoBytes;

fn extended(mask: u32) -> Vec<u8> {
    let flags = FramingFlags(0x8000_0042);
    KsAllocatorFramingEx::simple(KSMEMORY_TYPE_USER, flags, 3, AlignmentMask(mask), 4096, 8192).as_bytes().to_vec()
}

fn words(words: [u32; 6]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// Several items, every key of an item, a compression.
fn rich() -> Vec<u8> {
    let mut bytes = extended(63);
    bytes[..4].copy_from_slice(&2u32.to_le_bytes());
    bytes[8..20].copy_from_slice([3u32, 2, 512].as_bytes());
    let mut second = bytes[24..112].to_vec();
    second[..16].copy_from_slice(Guid::from_u128(0x11223344_5566_7788_99AA_BBCCDDEEFF00).as_bytes());
    second[16..32].copy_from_slice(Guid::from_u128(5).as_bytes());
    second[32..36].copy_from_slice(&8u32.to_le_bytes());
    second[40..56].copy_from_slice([0x8000 | 0x40 | 8, 7u32, 1920u32.wrapping_neg(), 9].as_bytes());
    second[56..80].copy_from_slice([1u32, 100, 3, 10, 90, 0].as_bytes());
    bytes.extend(second);
    bytes
}

#[test]
fn blobs_come_back_from_toml_and_from_c_byte_for_byte() {
    let cases = [
        ("extended", extended(0)),
        ("aligned", extended(4095)),
        ("rich", rich()),
        ("old", words([0x8000_0002, 1, 8, 57_600, 3, 0])),
        ("old without a size", words([2, 0, 0, 0, 0, 0])),
        ("old of a device", words([8, 0, 2, 100, 0, 0])),
    ];
    for (what, blob) in cases {
        let ground = Ground::new();
        ground.file("pin.bin", &blob);
        let structure = if blob.len() == 24 { "old" } else { "extended" };
        ground.run(&["convert", "pin.bin", "-o", "pin.toml"], 0);
        ground.run(&["convert", "pin.toml", "--structure", structure, "-o", "back.bin"], 0);
        assert_eq!(ground.read("back.bin"), blob, "{what}\n{}", ground.text("pin.toml"));
        ground.run(&["convert", "pin.bin", "-o", "pin.c", "--name", "Pin"], 0);
        ground.run(&["convert", "pin.c", "-o", "again.bin"], 0);
        assert_eq!(ground.read("again.bin"), blob, "{what}\n{}", ground.text("pin.c"));
        // From C to TOML without a blob between them.
        let (from_c, _) = ground.run(&["convert", "pin.c", "--to", "toml"], 0);
        let keys = |text: &str| text.lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(keys(&from_c), keys(&ground.text("pin.toml")), "{what}");
    }
}

#[test]
fn a_framing_in_toml_can_be_put_into_a_graph() {
    let ground = Ground::new();
    ground.file("pin.bin", rich());
    let (fragment, _) = ground.run(&["convert", "pin.bin"], 0);
    let graph = format!(
        "connections = [\"a.out -> b.in\"]\nfilter.b.pin.in = {{ direction = \"in\" }}\nfilter.a.pin.in = {{ direction = \"in\" }}\n\
         [filter.a.pin.out]\ndirection = \"out\"\n{fragment}"
    );
    ground.file("graph.toml", graph);
    ground.run(&["convert", "graph.toml", "-o", "back.bin"], 0);
    assert_eq!(ground.read("back.bin"), rich());
}

#[test]
fn standard_input_and_output_can_be_used() {
    let ground = Ground::new();
    let output = ground
        .kspipe(&["convert", "-", "--to", "blob"])
        .write_stdin("framing = [{ frames = 3, size = 64 }]\n")
        .output();
    let output = output.expect("the command can be run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.stdout.len(), 112);
    let output = ground.kspipe(&["convert", "-", "--to", "toml"]).write_stdin(output.stdout).output();
    let text = String::from_utf8(output.expect("the command can be run").stdout).expect("TOML is text");
    assert!(text.contains("frames = 3, physical = { min = 64, max = 64 }, optimal = { min = 64, max = 64 }"), "{text}");
}

#[test]
fn what_cannot_be_converted_is_said() {
    let ground = Ground::new();
    let mut weighted = extended(0);
    weighted[104..108].copy_from_slice(&7u32.to_le_bytes());
    ground.file("weight.bin", weighted);
    ground.file("mask.bin", extended(4096));
    ground.file("cut.bin", &extended(0)[..60]);
    ground.file("reserved.bin", words([2, 0, 8, 100, 0, 5]));
    ground.file("upside-down.toml", "framing = [\n  { physical = { min = 5, max = 4 } }]\n");
    ground.file("two.toml", "framing = [{ frames = 1 }, { frames = 2 }]\n");
    ground.file("range.toml", "framing = [{ memory = \"kernel-paged\", requirements = [\"system-memory\"], optimal = { min = 1, max = 2 } }]\n");
    ground.file("unknown.c", "KSALLOCATOR_FRAMING Fr = { 2, NonPagedPool,\n  FRAMES, 100, 0, 0 };\n");
    ground.file("none.c", "int main(void) { return 0; }\n");
    let cases: &[(&[&str], i32, &str)] = &[
        (&["weight.bin"], 1, "FramingItem[0].FramingRange.InPlaceWeight is 0x7, and would come back as 0x0"),
        (&["mask.bin"], 1, "FramingItem[0].FileAlignment is 0x1000, and would come back as 0x1fff"),
        (&["reserved.bin"], 1, "Reserved is 0x5"),
        (&["cut.bin"], 1, "is not a framing"),
        (&["upside-down.toml"], 1, "upside-down.toml:2:24"),
        (&["two.toml", "--structure", "old"], 1, "room for one item"),
        (&["range.toml", "--structure", "old"], 1, "one optimal size, not a range"),
        (&["unknown.c"], 1, "unknown.c:2:3: Frames: `FRAMES` is no constant in these files"),
        (&["none.c"], 1, "there is no framing in none.c"),
        (&["examples/driver/capture.cpp"], 2, "CaptureFraming, StillFraming, MosaicFraming"),
        (&["examples/driver/capture.cpp", "--name", "Nothing"], 2, "`Nothing` is not one framing"),
        (&["two.toml", "-o", "./two.toml", "--to", "c"], 2, "would be written over the input"),
        (&["missing.bin"], 3, "cannot read missing.bin"),
    ];
    for (arguments, code, message) in cases {
        let (_, error) = ground.run(&[&["convert"], *arguments].concat(), *code);
        let error = error.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ");
        assert!(error.contains(message), "{arguments:?}: {error}");
    }
    // What is lost may be lost where that is said.
    ground.run(&["convert", "weight.bin", "--lossy"], 0);
}
