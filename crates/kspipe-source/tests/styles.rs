//! The ways in which drivers state framings, one by one: what is read of each.

use kspipe_source::{
    DriverSource, Flow, Form, Input, MemberValue, Options, ProblemKind, SourceFraming, Structure, read,
};

fn read_as(name: &str, text: &str) -> DriverSource {
    read(&[Input::new(name, text)], &Options::default(), |_, _| None)
}

fn only<'d>(source: &'d DriverSource, text: &str) -> &'d SourceFraming {
    match source.framings.as_slice() {
        [framing] => framing,
        framings => panic!("{} framings: {:?}\n{:?}\n{text}", framings.len(), framings, source.problems),
    }
}

/// The values of an extended framing's members, in a short form: frames, alignment, flags, optimal range, memory.
fn short(framing: &SourceFraming, item: usize) -> String {
    let value = |name| match framing.member(Some(item), name).map(|member| &member.value) {
        Some(Ok(MemberValue::Word(word))) => format!("{word}"),
        Some(Ok(MemberValue::Guid(guid))) => match ks::KSMEMORY_TYPES.iter().find(|(_, known)| known == guid) {
            Some((name, _)) => name.trim_start_matches("KSMEMORY_TYPE_").to_owned(),
            None => guid.to_string(),
        },
        Some(Err(_)) => "?".to_owned(),
        None => "-".to_owned(),
    };
    let flags = match framing.member(Some(item), "Flags").map(|member| &member.value) {
        Some(Ok(MemberValue::Word(word))) => format!("{word:x}"),
        _ => "?".to_owned(),
    };
    format!(
        "{} frames={} align={} flags={flags} {}..{} by {}",
        value("MemoryType"),
        value("Frames"),
        value("FileAlignment"),
        value("FramingRange.Range.MinFrameSize"),
        value("FramingRange.Range.MaxFrameSize"),
        value("FramingRange.Range.Stepping")
    )
}

const SAMPLE: &str = "KERNEL_NONPAGED frames=2 align=0 flags=80000002 8192..8192 by 1";

#[test]
fn extended_framings_are_read_in_every_style() {
    let item = "{ { STATIC_KSMEMORY_TYPE_KERNEL_NONPAGED }, { STATIC_KS_TYPE_DONT_CARE }, 0, 0, F, 2, 0, 0, \
                { 0, (ULONG)-1, 1 }, { { 8192, 8192, 1 }, 0, 0 } }";
    let flags = "#define F (KSALLOCATOR_REQUIREMENTF_SYSTEM_MEMORY | KSALLOCATOR_REQUIREMENTF_PREFERENCES_ONLY)\n";
    let cases = [
        ("the macro", "DECLARE_SIMPLE_FRAMING_EX(Fr, STATICGUIDOF(KSMEMORY_TYPE_KERNEL_NONPAGED), F, 2, 0, 2 * PAGE_SIZE, 2 * PAGE_SIZE);".to_owned()),
        ("the macro, over lines, with comments", "DECLARE_SIMPLE_FRAMING_EX (\n Fr, // name\n STATICGUIDOF (KSMEMORY_TYPE_KERNEL_NONPAGED), /* memory */\n F,\n 2,\n 0,\n 2 * PAGE_SIZE,\n 2 * PAGE_SIZE\n );".to_owned()),
        ("the macro, with a GUID by its name", "DECLARE_SIMPLE_FRAMING_EX(Fr, KSMEMORY_TYPE_KERNEL_NONPAGED, F, 2, 0, 8192, 8192)".to_owned()),
        ("the macro, with the numbers of a GUID", "DECLARE_SIMPLE_FRAMING_EX(Fr, STATIC_KSMEMORY_TYPE_KERNEL_NONPAGED, F, 2, 0, 8192, 8192);".to_owned()),
        ("the macro in a namespace", "namespace Camera { DECLARE_SIMPLE_FRAMING_EX(Fr, KSMEMORY_TYPE_KERNEL_NONPAGED, F, 2, 0, 8192, 8192); }".to_owned()),
        ("the macro in a macro", "#define FRAMING(name, frames, size) static DECLARE_SIMPLE_FRAMING_EX(name, STATICGUIDOF(KSMEMORY_TYPE_KERNEL_NONPAGED), F, frames, 0, size, size)\nFRAMING(Fr, 2, 2 * PAGE_SIZE);".to_owned()),
        ("the macro in a macro in a macro", "#define A(n, m, s) DECLARE_SIMPLE_FRAMING_EX(n, STATICGUIDOF(m), F, 2, 0, s, s)\n#define B(n) A(n##r, KSMEMORY_TYPE_KERNEL_NONPAGED, 8192)\nB(F);".to_owned()),
        ("the macro given to a macro", "#define APPLY(m, ...) m(__VA_ARGS__)\nAPPLY(DECLARE_SIMPLE_FRAMING_EX, Fr, STATICGUIDOF(KSMEMORY_TYPE_KERNEL_NONPAGED), F, 2, 0, 8192, 8192);".to_owned()),
        ("an initialiser in a macro's last arguments", format!("#define INIT(first, ...) {{ first, __VA_ARGS__ }}\nconst KSALLOCATOR_FRAMING_EX Fr = INIT(1, 0, {{ 1, 1, 0 }}, 0, {{ {item} }});")),
        ("a macro with or without last arguments", "#define FR(name, ...) DECLARE_SIMPLE_FRAMING_EX(name, KSMEMORY_TYPE_KERNEL_NONPAGED, F, 2, ## __VA_ARGS__)\nFR(Fr, 0, 8192, 8192);".to_owned()),
        ("a name that a macro makes", "#define GLUE_(a, b) a##b\n#define GLUE(a, b) GLUE_(a, b)\nDECLARE_SIMPLE_FRAMING_EX(GLUE(F, r), KSMEMORY_TYPE_KERNEL_NONPAGED, F, 2, 0, 8192, 8192);".to_owned()),
        ("a structure that is defined with its variable", format!("struct PIN {{ ULONG Pin; KSALLOCATOR_FRAMING_EX Fr; }} const Pins[] = {{ {{ 7, {{ 1, 0, {{ 1, 1, 0 }}, 0, {{ {item} }} }} }} }};")),
        ("braces", format!("const KSALLOCATOR_FRAMING_EX Fr = {{ 1, 0, {{ 1, 1, 0 }}, 0, {{ {item} }} }};")),
        ("braces, static, in a class", format!("class Pin {{ static const KSALLOCATOR_FRAMING_EX Fr; }};\nconst KSALLOCATOR_FRAMING_EX Pin::Fr = {{ 1, 0, {{ 1, 1, 0 }}, 0, {{ {item} }} }};")),
        ("braces without =", format!("KSALLOCATOR_FRAMING_EX const Fr {{ 1, 0, {{ 1, 1, 0 }}, 0, {{ {item} }} }};")),
        ("flat", "KSALLOCATOR_FRAMING_EX Fr = { 1, 0, 1, 1, 0, 0, STATIC_KSMEMORY_TYPE_KERNEL_NONPAGED, STATIC_KS_TYPE_DONT_CARE, 0, 0, F, 2, 0, 0, 0, 0xFFFFFFFF, 1, 8192, 8192, 1, 0, 0 };".to_owned()),
        ("flat, with the numbers of GUIDs", "KSALLOCATOR_FRAMING_EX Fr = { 1, 0, 1, 1, 0, 0, 0x4a6d5fc4L, 0x7895, 0x11d1, 0xb0, 0x69, 0x00, 0xa0, 0xc9, 0x06, 0x28, 0x02, 0,0,0,0,0,0,0,0,0,0,0, 0, 0, F, 2, 0, 0, 0, -1, 1, 8192, 8192, 1, 0, 0 };".to_owned()),
        ("designated", "static KSALLOCATOR_FRAMING_EX Fr = { .CountItems = 1, .OutputCompression = { 1, 1 }, .FramingItem[0] = { .MemoryType = { STATIC_KSMEMORY_TYPE_KERNEL_NONPAGED }, .Flags = F, .Frames = 2, .PhysicalRange = { 0, MAXULONG, 1 }, .FramingRange.Range = { .MaxFrameSize = 8192, .MinFrameSize = 8192, .Stepping = 1 } } };".to_owned()),
        ("designated, deep", "static KSALLOCATOR_FRAMING_EX Fr = { .CountItems = 1, .OutputCompression.RatioNumerator = 1, .OutputCompression.RatioDenominator = 1, .FramingItem[0].MemoryType = KSMEMORY_TYPE_KERNEL_NONPAGED, .FramingItem[0].Flags = F, .FramingItem[0].Frames = 2, .FramingItem[0].FramingRange.Range.MinFrameSize = 8192, .FramingItem[0].FramingRange.Range.MaxFrameSize = 8192, .FramingItem[0].FramingRange.Range.Stepping = 1 };".to_owned()),
        ("an initialiser that is a macro", format!("#define INIT(frames) {{ 1, 0, {{ 1, 1, 0 }}, 0, {{ {} }} }}\nconst KSALLOCATOR_FRAMING_EX Fr = INIT(2);", item.replace("F, 2,", "F, frames,"))),
        ("after an attribute", format!("__declspec(align(8)) static const KSALLOCATOR_FRAMING_EX __declspec(selectany) Fr = {{ 1, 0, {{ 1, 1, 0 }}, 0, {{ {item} }} }};")),
        ("in a function", format!("void f(void) {{ static KSALLOCATOR_FRAMING_EX Fr = {{ 1, 0, {{ 1, 1, 0 }}, 0, {{ {item} }} }}; use(&Fr); }}")),
        ("in a structure of the driver's", format!("typedef struct {{ ULONG Pin; KSALLOCATOR_FRAMING_EX Fr; }} PIN; PIN Pins[] = {{ {{ 7, {{ 1, 0, {{ 1, 1, 0 }}, 0, {{ {item} }} }} }} }};").replace("Pins[]", "Pins[1]")),
    ];
    for (what, text) in &cases {
        for file in ["driver.cpp", "driver.c"] {
            let source = read_as(file, &format!("{flags}{text}"));
            let framing = only(&source, text);
            assert_eq!(short(framing, 0), SAMPLE, "{what}: {file}\n{text}\n{:#?}", source.problems);
            assert_eq!(framing.structure, Structure::Extended, "{what}");
            let bytes = framing.bytes().unwrap_or_else(|member| panic!("{what}: {member:?}"));
            assert_eq!(bytes.len(), 112, "{what}");
        }
    }
}

#[test]
fn old_framings_are_read_in_every_style() {
    let cases = [
        (
            "braces",
            "KSALLOCATOR_FRAMING Fr = { KSALLOCATOR_REQUIREMENTF_SYSTEM_MEMORY, NonPagedPool, 8, 57600, FILE_LONG_ALIGNMENT, 0 };",
        ),
        (
            "a union in braces",
            "KSALLOCATOR_FRAMING Fr = { { KSALLOCATOR_REQUIREMENTF_SYSTEM_MEMORY }, NonPagedPool, 8, 57600, { FILE_LONG_ALIGNMENT }, 0 };",
        ),
        (
            "designated",
            "KSALLOCATOR_FRAMING Fr = { .RequirementsFlags = KSALLOCATOR_REQUIREMENTF_SYSTEM_MEMORY, .Frames = 8, .FrameSize = 57600, .FileAlignment = 3 };",
        ),
        (
            "assigned through a cast pointer",
            "NTSTATUS f(PIRP Irp, PVOID Data) { PKSALLOCATOR_FRAMING Fr = (PKSALLOCATOR_FRAMING) Data;\n Fr->OptionsFlags = KSALLOCATOR_REQUIREMENTF_SYSTEM_MEMORY; Fr->PoolType = NonPagedPool; Fr->Frames = 8; Fr->FrameSize = 57600; Fr->FileAlignment = FILE_LONG_ALIGNMENT; Fr->Reserved = 0; return 0; }",
        ),
        (
            "assigned to a parameter",
            "NTSTATUS f(IN PIRP Irp, IN OUT PKSALLOCATOR_FRAMING Fr) { Fr->RequirementsFlags = KSALLOCATOR_REQUIREMENTF_SYSTEM_MEMORY; Fr->PoolType = NonPagedPool; Fr->Frames = 8; Fr->FrameSize = 57600; Fr->FileAlignment = 3; Fr->Reserved = 0; return 0; }",
        ),
        (
            "assigned after clearing",
            "void f() { KSALLOCATOR_FRAMING Fr; RtlZeroMemory(&Fr, sizeof(Fr)); Fr.OptionsFlags = 2; Fr.Frames = 8; Fr.FrameSize = 57600; Fr.FileAlignment = 3; use(&Fr); }",
        ),
        (
            "assigned after an empty initialiser",
            "void f() { KSALLOCATOR_FRAMING Fr = { 0 }; Fr.OptionsFlags = 2; Fr.Frames = 8; Fr.FrameSize = 57600; Fr.FileAlignment = 3; use(&Fr); }",
        ),
        (
            "a member of a class",
            "class P { KSALLOCATOR_FRAMING m_AllocatorFraming; void i(); };\nvoid P::i() { m_AllocatorFraming.OptionsFlags = 2; m_AllocatorFraming.PoolType = NonPagedPool; m_AllocatorFraming.Frames = 8; m_AllocatorFraming.FrameSize = 57600; m_AllocatorFraming.FileAlignment = 3; m_AllocatorFraming.Reserved = 0; }",
        ),
    ];
    for (what, text) in cases {
        let source = read_as("driver.cpp", text);
        let framing = only(&source, text);
        let bytes = framing.bytes().unwrap_or_else(|member| panic!("{what}: {member:?}\n{text}"));
        let words: Vec<u32> = bytes.as_chunks::<4>().0.iter().map(|word| u32::from_le_bytes(*word)).collect();
        assert_eq!(words, [2, 0, 8, 57_600, 3, 0], "{what}");
    }
}

#[test]
fn each_case_of_a_property_handler_is_a_framing_of_its_own() {
    let text = "
        void Get(PHW_STREAM_REQUEST_BLOCK Srb, int Stream) {
            PKSALLOCATOR_FRAMING Framing = (PKSALLOCATOR_FRAMING) Srb->CommandData.PropertyInfo->PropertyInfo;
            Framing->RequirementsFlags = KSALLOCATOR_REQUIREMENTF_SYSTEM_MEMORY | KSALLOCATOR_REQUIREMENTF_PREFERENCES_ONLY;
            Framing->PoolType = PagedPool;
            Framing->Frames = 3;
            Framing->FileAlignment = 0;
            Framing->Reserved = 0;
            switch (Stream) {
            case STREAM_Vbi:
                Framing->FrameSize = 768 * 2 * (21 - 10 + 1);
                break;
            case STREAM_Video:
                Framing->Frames = 2;
                Framing->FrameSize = Srb->Format->biSizeImage;
                break;
            default:
                Framing->FrameSize = 1;
            }
        }";
    let source = read_as("video.c", text);
    let read: Vec<_> = source
        .framings
        .iter()
        .map(|framing| {
            let word = |name| match framing.member(None, name).map(|member| &member.value) {
                Some(Ok(MemberValue::Word(word))) => word.to_string(),
                Some(Err(unknown)) => unknown.because.clone(),
                _ => String::new(),
            };
            (framing.variant.clone().unwrap_or_default(), word("Frames"), word("FrameSize"))
        })
        .collect();
    let expected = [
        ("case STREAM_Vbi", "3", "18432"),
        ("case STREAM_Video", "2", "this is known only when the driver runs"),
        ("default", "3", "1"),
    ];
    let expected = expected.map(|(case, frames, size)| (case.to_owned(), frames.to_owned(), size.to_owned()));
    assert_eq!(read, expected);
    assert!(source.framings.iter().all(|framing| framing.form == Form::Assignments && framing.name == "Get/Framing"));
}

#[test]
fn what_a_pin_edits_is_no_framing_and_says_that_declared_ones_are_edited() {
    let declared = "DECLARE_SIMPLE_FRAMING_EX(Fr, KSMEMORY_TYPE_KERNEL_NONPAGED, 0, 2, 0, 8192, 8192);\n";
    let edit = "NTSTATUS Create(PKSPIN Pin, PIRP Irp) {
        NTSTATUS Status = KsEdit(Pin, &Pin->Descriptor, 'PmaC');
        Status = KsEdit(Pin, &(Pin->Descriptor->AllocatorFraming), 'PmaC');
        PKSALLOCATOR_FRAMING_EX Framing = const_cast <PKSALLOCATOR_FRAMING_EX> (Pin->Descriptor->AllocatorFraming);
        Framing->FramingItem[0].Frames = 2;
        Framing->FramingItem[0].PhysicalRange.MinFrameSize = Framing->FramingItem[0].PhysicalRange.MaxFrameSize =
            Framing->FramingItem[0].FramingRange.Range.MinFrameSize = Header->bmiHeader.biSizeImage;
        return Status;
    }\n";
    let source = read_as("capture.cpp", declared);
    assert_eq!(only(&source, declared).edited, None);
    let text = format!("{declared}{edit}");
    let source = read_as("capture.cpp", &text);
    let edited = only(&source, &text).edited.expect("it is edited");
    assert_eq!(source.position(edited), ("capture.cpp", 4, 18));
}

#[test]
fn a_pin_descriptor_says_which_pin_has_a_framing() {
    let text = "
        static DECLARE_SIMPLE_FRAMING_EX(InFraming, KSMEMORY_TYPE_KERNEL_NONPAGED, 0, 2, 0, 8192, 8192);
        static DECLARE_SIMPLE_FRAMING_EX(OutFraming, KSMEMORY_TYPE_KERNEL_NONPAGED, 0, 2, 0, 8192, 8192);
        static DECLARE_SIMPLE_FRAMING_EX(Forgotten, KSMEMORY_TYPE_KERNEL_NONPAGED, 0, 2, 0, 8192, 8192);
        const KSPIN_DESCRIPTOR_EX Pins[] = {
            { &Dispatch, NULL, { 0, NULL, 0, NULL, 0, NULL, KSPIN_DATAFLOW_IN, KSPIN_COMMUNICATION_BOTH, NULL, NULL, 0 },
              KSPIN_FLAG_DISPATCH_LEVEL_PROCESSING, 1, 1, &InFraming, Intersect },
            { &Dispatch, NULL, { 0, NULL, 0, NULL, 0, NULL, KSPIN_DATAFLOW_OUT, KSPIN_COMMUNICATION_BOTH, NULL, NULL, 0 },
              0, 1, 1, &OutFraming, Intersect }
        };";
    let source = read_as("filter.cpp", text);
    let pins: Vec<_> = source
        .framings
        .iter()
        .map(|framing| {
            framing
                .pins
                .iter()
                .map(|pin| (pin.table.as_str(), pin.pin, pin.flow, pin.dispatch_level))
                .collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(pins, [vec![("Pins", 0, Some(Flow::In), true)], vec![("Pins", 1, Some(Flow::Out), false)], vec![]]);
    let never: Vec<_> = source.problems.iter().filter(|problem| problem.kind == ProblemKind::NeverUsed).collect();
    assert_eq!(never.len(), 1);
    assert_eq!(source.position(never[0].place), ("filter.cpp", 4, 42));
}

#[test]
fn both_branches_of_a_conditional_are_read() {
    let text = "
        #if 0
        DECLARE_SIMPLE_FRAMING_EX(Dead, KSMEMORY_TYPE_USER, 0, 1, 0, 1, 1);
        #endif
        const KSALLOCATOR_FRAMING Fr = {
            2, NonPagedPool,
        #ifdef _WIN64
            8,
        #else
            4,
        #endif
            8192, 0, 0
        };";
    let source = read_as("a.c", text);
    let frames: Vec<_> =
        source.framings.iter().map(|framing| framing.member(None, "Frames").unwrap().value.clone()).collect();
    assert_eq!(frames, [Ok(MemberValue::Word(8)), Ok(MemberValue::Word(4))]);
    assert_eq!(source.problems.iter().filter(|problem| problem.kind == ProblemKind::Conditional).count(), 1);
}

#[test]
fn included_files_are_read_as_they_are_found() {
    let sizes = "#ifndef SIZES\n#define SIZES\n#include \"deep.h\"\n#define IMAGE (WIDTH * 480 * 2)\n#endif\n";
    let source = read(
        &[Input::new(
            "a.cpp",
            "#include <ks.h>\n#include \"sizes.h\"\nDECLARE_SIMPLE_FRAMING_EX(Fr, KSMEMORY_TYPE_USER, 0, 1, 0, IMAGE, IMAGE);",
        )],
        &Options::default(),
        |from, path| match (from, path) {
            ("a.cpp", "sizes.h") => Some(("dir/sizes.h".to_owned(), sizes.into())),
            ("dir/sizes.h", "deep.h") => {
                Some(("dir/deep.h".to_owned(), b"#include \"sizes.h\"\nenum { WIDTH = 640 };".to_vec()))
            }
            _ => None,
        },
    );
    assert_eq!(short(only(&source, ""), 0), "USER frames=1 align=0 flags=0 614400..614400 by 1");
    assert_eq!(source.files.len(), 3);
}

#[test]
fn what_is_broken_is_said_and_the_rest_is_read() {
    let good = "DECLARE_SIMPLE_FRAMING_EX(Good, KSMEMORY_TYPE_USER, 0, 1, 0, 64, 64);\n";
    for broken in [
        "DECLARE_SIMPLE_FRAMING_EX(Bad, KSMEMORY_TYPE_USER, 0, 1);",
        "KSALLOCATOR_FRAMING Bad = { 1, 2, 3",
        "KSALLOCATOR_FRAMING Bad = { 1 2, 3 };",
        "KSALLOCATOR_FRAMING Bad = { .Nothing = 3 };",
        "KSALLOCATOR_FRAMING Bad = { 1, 2, 3, 4, 5, 6, 7 };",
        "DECLARE_SIMPLE_FRAMING_EX(Bad, KSMEMORY_TYPE_USER, 0, 1, 0, 64, 64",
        "#define A B\n#define B A\nKSALLOCATOR_FRAMING Bad = { A };",
    ] {
        let source = read_as("a.cpp", &format!("{good}{broken}"));
        assert!(source.framings.iter().any(|framing| framing.name == "Good" && framing.bytes().is_ok()), "{broken}");
        assert!(!source.problems.is_empty(), "{broken}: {:?}", source.framings);
    }
}

#[test]
fn a_framing_inside_a_structure_is_used_where_the_structure_is() {
    let text = "typedef struct { ULONG a; KSALLOCATOR_FRAMING framing; } X;
        static X Defaults[1] = { { 1, { 2, NonPagedPool, 4, 64, 0, 0 } } };";
    let never = |text: &str| {
        let source = read_as("a.c", text);
        assert_eq!(only(&source, text).name, "Defaults[0].framing");
        source.problems.iter().filter(|problem| problem.kind == ProblemKind::NeverUsed).count()
    };
    assert_eq!(never(text), 1);
    assert_eq!(never(&format!("{text}\nX *get(void) {{ return Defaults; }}")), 0);
}

#[test]
fn a_framing_initialised_by_the_headers_macro_is_read() {
    let text = "void f(struct P *p) { PKSALLOCATOR_FRAMING_EX Fr = &p->framing;
        INITIALIZE_SIMPLE_FRAMING_EX(Fr, KSMEMORY_TYPE_KERNEL_NONPAGED, 0x80000002, 2, 0, 8192, 8192); }";
    let source = read_as("a.c", text);
    let framing = only(&source, text);
    assert_eq!(short(framing, 0), SAMPLE);
    assert_eq!(framing.bytes().map(|bytes| bytes.len()), Ok(112));
}
