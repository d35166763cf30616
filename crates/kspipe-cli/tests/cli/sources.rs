//! `kspipe check` of drivers' sources.

use crate::ground::Ground;
use std::fs;

/// The findings as `file:line:column code`.
fn found(ground: &Ground, arguments: &[&str], code: i32) -> Vec<String> {
    let (text, _) = ground.run(&[&["check"], arguments].concat(), code);
    let heads = text.lines().filter(|line| line.contains("[KS") && !line.starts_with(' '));
    heads
        .map(|line| {
            let (place, rest) = line.split_once(": ").expect("a place");
            let code = rest.split(['[', ']']).nth(1).expect("a code");
            format!("{place} {code}")
        })
        .collect()
}

#[test]
fn the_example_has_its_three_mistakes_at_their_lines() {
    let ground = Ground::new();
    let found = found(&ground, &["examples/driver/capture.cpp"], 1);
    let expected = ["20:5 KS040", "42:17 KS044", "54:5 KS081", "55:5 KS081"];
    assert_eq!(found, expected.map(|place| format!("examples/driver/capture.cpp:{place}")));
}

#[test]
fn a_sound_driver_has_no_finding() {
    let ground = Ground::new();
    let source = "
        DECLARE_SIMPLE_FRAMING_EX(Fr, STATICGUIDOF(KSMEMORY_TYPE_KERNEL_NONPAGED),
            KSALLOCATOR_REQUIREMENTF_SYSTEM_MEMORY | KSALLOCATOR_REQUIREMENTF_PREFERENCES_ONLY, 2, 0, 2 * PAGE_SIZE, 2 * PAGE_SIZE);
        NTSTATUS Create(PKSPIN Pin, PIRP Irp) {
            KsEdit(Pin, &Pin->Descriptor->AllocatorFraming, 'tag');
            PKSALLOCATOR_FRAMING_EX Framing = const_cast<PKSALLOCATOR_FRAMING_EX>(Pin->Descriptor->AllocatorFraming);
            Framing->FramingItem[0].Frames = 2;
            Framing->FramingItem[0].FramingRange.Range.MinFrameSize = Size(Pin);
            return 0;
        }
        const KSPIN_DESCRIPTOR_EX Pins[] = { { &D, 0, { 0, 0, 0, 0, 0, 0, KSPIN_DATAFLOW_OUT, KSPIN_COMMUNICATION_BOTH, 0, 0, 0 },
            0, 1, 1, &Fr, 0 } };";
    ground.file("capture.cpp", source);
    assert_eq!(found(&ground, &["--deny", "warnings", "capture.cpp"], 0), [""; 0]);
}

#[test]
fn a_directory_is_read_as_one_driver() {
    let ground = Ground::new();
    fs::create_dir_all(ground.path("src/inc")).expect("a folder can be made");
    ground.file("src/inc/sizes.h", "#define BYTES (640 * 480 * 2)\n#define MASK 100\n");
    ground.file("src/pin.cpp", "#include \"inc/sizes.h\"\nDECLARE_SIMPLE_FRAMING_EX(Fr, KSMEMORY_TYPE_USER, 0, 3,\n  MASK, BYTES, BYTES);\nvoid *p = (void *) &Fr;\n");
    ground.file("src/notes.txt", "DECLARE_SIMPLE_FRAMING_EX(");
    let in_directory = found(&ground, &["src"], 1);
    assert!(in_directory.iter().any(|finding| finding.ends_with("pin.cpp:3:3 KS041")), "{in_directory:?}");
    // Alone the file finds its header beside it; without it the members are not known, and nothing is made up.
    assert_eq!(found(&ground, &["src/pin.cpp"], 1), ["src/pin.cpp:3:3 KS041"]);
    fs::rename(ground.path("src/inc"), ground.path("headers")).expect("it can be moved");
    let unknown = found(&ground, &["src/pin.cpp"], 0);
    assert_eq!(unknown, ["src/pin.cpp:3:3 KS080", "src/pin.cpp:3:9 KS080", "src/pin.cpp:3:16 KS080"]);
    fs::create_dir_all(ground.path("more/inc")).expect("a folder can be made");
    fs::rename(ground.path("headers/sizes.h"), ground.path("more/inc/sizes.h")).expect("it can be moved");
    assert_eq!(found(&ground, &["src/pin.cpp", "--include", "more"], 1), ["src/pin.cpp:3:3 KS041"]);
}

#[test]
fn a_file_that_is_given_twice_is_checked_once() {
    let ground = Ground::new();
    fs::create_dir_all(ground.path("src")).expect("a folder can be made");
    ground.file("src/pin.c", "KSALLOCATOR_FRAMING Fr = { 2, NonPagedPool, 2, 100, 4096, 0 };");
    ground.file("graph.toml", "filter.a.pin.out = { direction = \"out\", framing = [{ alignment = 4095 }] }\n");
    let names = ["src/pin.c", "src", "src/../src/pin.c", "./src", "graph.toml", "./graph.toml", "graph.toml"];
    assert_eq!(found(&ground, &names, 1), ["graph.toml:1:66 KS043", "src/pin.c:1:53 KS040"]);
}

#[test]
fn a_source_is_known_by_its_content_too() {
    let ground = Ground::new();
    let source = "/* a driver */\nKSALLOCATOR_FRAMING Fr = { 2, NonPagedPool, 2, 100, 4096, 0 };";
    ground.file("pin.txt", source);
    assert_eq!(found(&ground, &["pin.txt"], 1), ["pin.txt:2:53 KS040"]);
    let output = ground.kspipe(&["check", "-"]).write_stdin(source).output().expect("the command can be run");
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("-:2:53: error[KS040]"), "{output:?}");
}

#[test]
fn every_code_of_sources_is_found() {
    let cases = [
        ("KS080", "KSALLOCATOR_FRAMING Fr = { 2, NonPagedPool, FRAMES, 100, 0, 0 };", 0),
        ("KS081", "KSALLOCATOR_FRAMING Fr = { 2, NonPagedPool, 2, 65536 * 65537, 0, 0 };", 1),
        ("KS082", "DECLARE_SIMPLE_FRAMING_EX(Fr, KSMEMORY_TYPE_USER, 0, 2, 0);", 0),
        ("KS083", "static KSALLOCATOR_FRAMING Fr = { 2, NonPagedPool, 2, 100, 0, 0 };", 0),
        ("KS084", "KSALLOCATOR_FRAMING Fr = { 2, NonPagedPool,\n#ifdef A\n2,\n#else\n3,\n#endif\n100, 0, 0 };", 0),
        ("KS086", "KSALLOCATOR_FRAMING Fr = { 2, NonPagedPool, 2, 100 / 0, 0, 0 };", 1),
        (
            "KS085",
            "KSALLOCATOR_FRAMING_EX Fr = { 2, 0, 1, 1, 0, 0, { { KSMEMORY_TYPE_USER, KS_TYPE_DONT_CARE, 0, 0, 0, 2 } } };",
            1,
        ),
    ];
    for (code, source, exit) in cases {
        let ground = Ground::new();
        ground.file("driver.c", source);
        let found = found(&ground, &["--only", code, "driver.c"], exit);
        assert_eq!(found.len(), 1, "{code}: {found:?}");
        let sound = source
            .replace("FRAMES", "4")
            .replace("65537", "655")
            .replace("/ 0", "/ 1")
            .replace("0, 2, 0)", "0, 2, 0, 64, 64)")
            .replace("static ", "")
            .replace("{ 2, 0, 1", "{ 1, 0, 1");
        let sound: String =
            sound.lines().filter(|line| !line.starts_with('#') && *line != "3,").collect::<Vec<_>>().join("\n");
        ground.file("driver.c", sound);
        assert_eq!(self::found(&ground, &["--only", code, "driver.c"], 0), [""; 0], "{code}");
    }
}

#[test]
fn what_overflowed_or_has_no_value_raises_nothing_else() {
    let ground = Ground::new();
    let table = [
        ("0x100000000", "KS081"),
        ("65536 * 65536", "KS081"),
        ("NOUGHT", "KS081"),
        ("4096 / 0", "KS086"),
        ("1 << 70", "KS086"),
    ];
    for (size, code) in table {
        let source = format!(
            "const ULONG NOUGHT = 65536 * 65536;\n\
             KSALLOCATOR_FRAMING Old = {{ 2, NonPagedPool, 2,\n{size}, 0, 0 }};\n\
             DECLARE_SIMPLE_FRAMING_EX(New, KSMEMORY_TYPE_KERNEL_NONPAGED, KSALLOCATOR_REQUIREMENTF_SYSTEM_MEMORY, 2, 0, 4096,\n{size});\n\
             void *used[] = {{ &Old, &New }};\n"
        );
        ground.file("size.c", source);
        let expected = [format!("size.c:3:1 {code}"), format!("size.c:5:1 {code}")];
        assert_eq!(found(&ground, &["size.c"], 1), expected, "{size}");
    }
}

#[test]
fn json_and_sarif_have_the_lines_of_sources() {
    let ground = Ground::new();
    let (json, _) = ground.run(&["check", "--format", "json", "examples/driver/capture.cpp"], 1);
    let json: serde_json::Value = serde_json::from_str(&json).expect("it is JSON");
    assert_eq!(json["files"][0]["kind"], "source");
    assert_eq!(json["files"][0]["findings"].as_array().map(Vec::len), Some(4));
    let (sarif, _) = ground.run(&["check", "--format", "sarif", "examples/driver/capture.cpp"], 1);
    let sarif: serde_json::Value = serde_json::from_str(&sarif).expect("it is JSON");
    let result = &sarif["runs"][0]["results"][0];
    assert_eq!(result["ruleId"], "KS040");
    assert_eq!(result["locations"][0]["physicalLocation"]["region"]["startLine"], 20);
}

#[path = "../../../kspipe-source/tests/framings/mod.rs"]
mod framings;

/// What is found in a file, without places and names: code, item, member, message.
fn said(ground: &Ground, file: &str) -> Vec<[serde_json::Value; 4]> {
    // Nothing uses a framing that is alone in its file.
    let arguments = ["check", "--format", "json", "--allow", "KS083", file];
    let output = ground.kspipe(&arguments).output().expect("the command can be run");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
    let findings = report["files"][0]["findings"].as_array().expect("a list").iter();
    let mut said: Vec<_> = findings
        .map(|finding| {
            let subject = &finding["subject"];
            [&finding["code"], &subject["item"], &subject["member"], &finding["message"]].map(Clone::clone)
        })
        .collect();
    said.sort_by_key(|finding| format!("{finding:?}"));
    said
}

#[test]
fn what_is_found_in_a_blob_is_found_in_its_c_too() {
    let ground = Ground::new();
    let wrong = ["CountForMask 4096 8000 8000", "Range 0 8000 4000", "Nothing 0 0 0"].map(|words| {
        let words: Vec<&str> = words.split(' ').collect();
        let number = |place: usize| words[place].parse().expect("a number");
        let framing = ks::KsAllocatorFramingEx::simple(
            ks::KSMEMORY_TYPE_KERNEL_NONPAGED,
            ks::FramingFlags(0x4001_0008),
            0,
            ks::AlignmentMask(number(1)),
            number(2),
            number(3),
        );
        (words[0].to_owned(), zerocopy::IntoBytes::as_bytes(&framing).to_vec())
    });
    let mut found = 0;
    for (name, bytes) in framings::corpus().into_iter().chain(wrong) {
        ground.file("pin.bin", &bytes);
        ground.run(&["convert", "pin.bin", "-o", "pin.c", "--name", "Framing"], 0);
        let in_blob = said(&ground, "pin.bin");
        assert_eq!(said(&ground, "pin.c"), in_blob, "{name}\n{}", ground.text("pin.c"));
        found += in_blob.len();
    }
    assert!(found >= 15, "{found}");
}
