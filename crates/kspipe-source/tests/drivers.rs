//! Shapes that real drivers and their clients have, in which reading must neither lose a framing nor make one up.

use kspipe_source::{DriverSource, Input, MemberValue, Options, ProblemKind, SourceFraming, read};

fn read_as(name: &str, text: &str) -> DriverSource {
    read(&[Input::new(name, text)], &Options::default(), |_, _| None)
}

/// The framings that somebody states.
fn stated(source: &DriverSource) -> Vec<&SourceFraming> {
    source.framings.iter().filter(|framing| !framing.is_blank()).collect()
}

fn names(source: &DriverSource) -> Vec<String> {
    stated(source).into_iter().map(SourceFraming::full_name).collect()
}

fn word(framing: &SourceFraming, name: &str) -> Option<u32> {
    let item = framing.members.iter().find(|member| member.name == name)?.item;
    match framing.member(item, name)?.value {
        Ok(MemberValue::Word(word)) => Some(word),
        _ => None,
    }
}

#[test]
fn an_array_without_a_length_has_as_many_framings_as_values() {
    for (count, rows) in [
        (2, "{ 2, NonPagedPool, 3, 100, 0, 0 }, { 2, PagedPool, 4, 200, 0, 0 }"),
        (2, "{ 2, NonPagedPool, 3, 100, 0, 0 }, { 2, PagedPool, 4, 200, 0, 0 }, /* the end */ { 0 }"),
        (2, "2, NonPagedPool, 3, 100, 0, 0, 2, PagedPool, 4, 200"),
        (2, "[1] = { 2, PagedPool, 4, 200, 0, 0 }, [0] = { 2, NonPagedPool, 3, 100, 0, 0 }"),
    ] {
        for length in ["", "PINS_OF_A_HEADER"] {
            let text = format!("static KSALLOCATOR_FRAMING Framings[{length}] = {{ {rows} }};\nvoid *p = Framings;");
            let source = read_as("a.c", &text);
            let expected: Vec<String> = (0..count).map(|index| format!("Framings[{index}]")).collect();
            assert_eq!(names(&source), expected, "{text}");
            let frames: Vec<_> = stated(&source).into_iter().map(|framing| word(framing, "Frames")).collect();
            assert_eq!(frames, [Some(3), Some(4)], "{text}");
            assert!(source.framings.len() <= 3, "{text}: {}", source.framings.len());
            assert_eq!(source.problems, [], "{text}");
        }
    }
}

#[test]
fn zeroed_storage_is_no_framing() {
    for text in [
        "void f() { KSALLOCATOR_FRAMING Fr = { 0 }; Ask(&Fr, sizeof Fr); }",
        "void f() { KSALLOCATOR_FRAMING_EX Fr = {}; Ask(&Fr, sizeof Fr); }",
        "void f(KSALLOCATOR_FRAMING Fr = {}) { }",
        "static KSALLOCATOR_FRAMING_EX Scratch = { 0 };",
        "struct P { KSALLOCATOR_FRAMING Fr; KSALLOCATOR_FRAMING_EX Ex; P() : Fr(), Ex{} {} }; P Global = {};",
        "extern KSALLOCATOR_FRAMING_EX Other; static KSALLOCATOR_FRAMING Nothing;",
    ] {
        let source = read_as("client.cpp", text);
        assert_eq!((names(&source), source.problems.as_slice()), (vec![], [].as_slice()), "{text}");
    }
}

#[test]
fn what_somebody_else_may_have_filled_is_not_known() {
    let text = "void f(HANDLE Pin) {
        KSALLOCATOR_FRAMING Fr = { 0 };
        Ask(Pin, &Fr, sizeof Fr);
        Fr.RequirementsFlags = 2; Fr.FrameSize = 4096; Fr.Frames = 8;
        Use(&Fr);
    }";
    let source = read_as("client.cpp", text);
    let [framing] = source.framings.as_slice() else { panic!("{:?}", names(&source)) };
    assert_eq!((word(framing, "Frames"), word(framing, "FileAlignment")), (Some(8), None));
    // Cleared, not filled: then the rest is 0.
    for clearing in ["RtlZeroMemory(&Fr, sizeof(Fr));", "memset(&Fr, 0, sizeof Fr);", ""] {
        let source = read_as("client.cpp", &text.replace("Ask(Pin, &Fr, sizeof Fr);", clearing));
        assert_eq!(word(&source.framings[0], "FileAlignment"), Some(0), "{clearing}");
    }
}

#[test]
fn blocks_that_do_not_shut_each_other_out_leave_a_member_unknown() {
    let cases = [
        ("if (a) { F->Frames = 2; } else { F->Frames = 3; }", vec![Some(2), Some(3)]),
        ("if (a) F->Frames = 2; else if (b) F->Frames = 3; else F->Frames = 4;", vec![Some(2), Some(3), Some(4)]),
        ("switch (a) { case 1: F->Frames = 2; break; default: F->Frames = 3; }", vec![Some(2), Some(3)]),
        ("if (a) F->Frames = 2; if (b) F->FrameSize = 50;", vec![Some(2), None]),
        ("if (a) F->Frames = 2; if (b) F->FrameSize = 50; F->Frames = 9;", vec![Some(9), Some(9)]),
        ("F->Frames = 9; while (a) { F->Frames = 2; } if (b) { F->FrameSize = 50; }", vec![Some(2), None]),
    ];
    for (branches, expected) in cases {
        let text = format!(
            "void f(PKSALLOCATOR_FRAMING F, int a, int b) {{ RtlZeroMemory(F, sizeof *F); F->OptionsFlags = 2;\n\
             F->PoolType = 0; F->FrameSize = 100; {branches} }}"
        );
        let source = read_as("a.c", &text);
        // In the order of their labels.
        let mut frames: Vec<_> = source.framings.iter().map(|framing| word(framing, "Frames")).collect();
        frames.sort_by_key(|frames| frames.unwrap_or(u32::MAX));
        assert_eq!(frames, expected, "{branches}");
    }
}

#[test]
fn conditions_of_what_the_files_define_are_evaluated() {
    let one = "KSALLOCATOR_FRAMING One = { 2, 0, 4, 100, 0, 0 };";
    let other = "KSALLOCATOR_FRAMING Other = { 2, 0, 4, 4096 / SIZE, 0, 0 };";
    let cases = [
        ("#define SIZE 0", "SIZE", "Other"),
        ("#define SIZE 3", "SIZE", "One"),
        ("#define SIZE 3", "SIZE == 2", "Other"),
        ("#define SIZE 3", "(SIZE >= 3) && defined(SIZE)", "One"),
        ("#define SIZE TWICE + 1\n#define TWICE 2", "SIZE == 3 ? 1 : 0", "One"),
        ("#define SIZE 1", "!defined SIZE", "Other"),
        ("#define SIZE 1\n#undef SIZE", "defined(SIZE)", "Other"),
        ("#define SIZE 1", "SIZE || NTDDI_VERSION > 3", "One"),
        ("#define SIZE 0", "SIZE && UNKNOWN(1, (2))", "Other"),
        ("#define SIZE 0xFFFFFFFFFFFFFFFFu", "~SIZE == 0", "One"),
        // What the files do not say: both.
        ("#define SIZE 1", "NTDDI_VERSION > 3", "One Other"),
        ("#define SIZE(x) 1", "SIZE(3)", "One Other"),
        ("#ifdef X\n#define SIZE 1\n#else\n#define SIZE 2\n#endif", "SIZE == 1", "One Other"),
        ("#ifndef SIZE\n#define SIZE 1\n#endif", "SIZE", "One Other"),
        ("#define SIZE SIZE", "SIZE", "One Other"),
        ("#define SIZE 1", "1 / (SIZE - 1)", "One Other"),
        ("#define SIZE 1", "SIZE +", "One Other"),
        ("#define SIZE 1", "", "One Other"),
    ];
    for (before, condition, expected) in cases {
        let text =
            format!("{before}\n#if {condition}\n{one}\n#else\n{other}\n#endif\nvoid *p[] = {{ &One, &Other }};\n");
        let source = read_as("a.c", &text);
        assert_eq!(names(&source).join(" "), expected, "{text}");
    }
    // What a compiler does not see is not wrong.
    let text = "#define RATE 0\n#if RATE\nKSALLOCATOR_FRAMING Fr = { 2, 0, 4, 100 / RATE, 0, 0 };\n#endif";
    assert_eq!(read_as("a.c", text).problems, []);
}

#[test]
fn a_constant_of_a_function_is_one_there_and_nowhere_else() {
    let text = "enum { Count = 7 };
        void a(void) { const ULONG Size = 0; enum { Count = 3, Inner = 5 }; use(Size); }
        void b(PKSALLOCATOR_FRAMING F, ULONG Size) {
            const ULONG Count = 2;
            F->OptionsFlags = 2; F->PoolType = Inner; F->FrameSize = Size; F->Frames = Count;
        }
        KSALLOCATOR_FRAMING Fr = { 2, 0, Count, 100, 0, 0 };";
    let source = read_as("a.cpp", text);
    let words = |name| source.framings.iter().map(|framing| word(framing, name)).collect::<Vec<_>>();
    assert_eq!(names(&source), ["b/F", "Fr"]);
    assert_eq!(words("Frames"), [Some(2), Some(7)]);
    assert_eq!((words("FrameSize")[0], words("PoolType")[0]), (None, None));
    // A parameter hides a constant of the file.
    let text = "enum { Size = 0, Frames = 3 };
        void b(PKSALLOCATOR_FRAMING F, ULONG Size) {
            F->OptionsFlags = 2; F->PoolType = 0; F->FrameSize = Size; F->Frames = Frames;
        }";
    let source = read_as("a.c", text);
    let framing = &source.framings[0];
    assert_eq!((word(framing, "FrameSize"), word(framing, "Frames")), (None, Some(3)));
}

#[test]
fn offsets_and_constants_of_newer_cpp_are_values() {
    let types = "struct Header { GUID Id; ULONG Length; UCHAR Pad[3]; struct { USHORT A, B; } Inner; };
        constexpr ULONG Braced{ 3 }; inline constexpr auto Plain = 4u; const ULONG Round(5);\n";
    for (expression, value) in [
        ("FIELD_OFFSET(Header, Length)", 16),
        ("FIELD_OFFSET(struct Header, Inner.B)", 26),
        ("offsetof(Header, Pad) + 1", 21),
        ("RTL_FIELD_SIZE(Header, Inner)", 4),
        ("FIELD_OFFSET(KSALLOCATOR_FRAMING_EX, FramingItem)", 24),
        ("Braced + Plain + Round", 12),
    ] {
        let source = read_as("a.cpp", &format!("{types}KSALLOCATOR_FRAMING Fr = {{ 2, 0, 4, {expression}, 0, 0 }};"));
        assert_eq!(word(&source.framings[0], "FrameSize"), Some(value), "{expression}: {:?}", source.problems);
    }
    let source = read_as("a.cpp", "KSALLOCATOR_FRAMING Fr = { 2, 0, 4, FIELD_OFFSET(OTHER, Member), 0, 0 };");
    assert_eq!(source.problems.iter().map(|problem| problem.kind).collect::<Vec<_>>(), [ProblemKind::NotEvaluated]);
}
