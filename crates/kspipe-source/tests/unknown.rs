//! Values that are not known: what kind of reason there is, and that a value which is wrong in itself is told apart.

use kspipe_source::{Cause, DriverSource, Input, Options, ProblemKind, read};

fn read_size(before: &str, size: &str) -> DriverSource {
    let text = format!("{before}\nKSALLOCATOR_FRAMING Fr = {{ 2, NonPagedPool, 2, {size}, 0, 0 }};\n");
    read(&[Input::new("a.cpp", &text)], &Options::default(), |_, _| None)
}

#[test]
fn each_reason_is_of_its_kind() {
    let nested = format!("{}1{}", "(".repeat(3000), ")".repeat(3000));
    let cases = [
        ("", "SIZE", Cause::Undefined),
        ("", "sizeof(struct PICTURE)", Cause::Undefined),
        ("", "(SAMPLE) 3", Cause::Undefined),
        ("", "ROUND_UP(3, 4)", Cause::Undefined),
        ("", "static_cast<SAMPLE>(3)", Cause::Undefined),
        ("#ifdef A\n#define SIZE 1\n#else\n#define SIZE 2\n#endif", "SIZE", Cause::Ambiguous),
        ("namespace A { enum { SIZE = 1 }; } namespace B { enum { SIZE = 2 }; }", "SIZE", Cause::Ambiguous),
        ("struct A { enum { SIZE = 1 }; }; enum { SIZE = A::SIZE };", "SIZE", Cause::Ambiguous),
        ("", "Header->biSizeImage", Cause::AtRunTime),
        ("", "1.5 * 4", Cause::NotRead),
        ("", "1e3", Cause::NotRead),
        ("", "4_KiB", Cause::NotRead),
        ("", &nested, Cause::NotRead),
        ("int Size(void) { return 1; }", "Size()", Cause::AtRunTime),
        ("", "&Fr", Cause::AtRunTime),
        ("", "1 / 0", Cause::Wrong),
        ("", "4096 % (2 - 2)", Cause::Wrong),
        ("", "1 << 70", Cause::Wrong),
        ("", "1 << -1", Cause::Wrong),
        ("", "1 >> 32", Cause::Wrong),
        ("", "\"8192\"", Cause::Wrong),
        ("", "KSMEMORY_TYPE_USER", Cause::Wrong),
        ("", "99999999999999999999", Cause::Wrong),
        ("", "0x1ffffffffffffffff", Cause::Wrong),
        ("#define SIZE (PAGE_SIZE / NONE)\n#define NONE 0", "SIZE", Cause::Wrong),
        ("const ULONG Size = 5 / 0;", "Size", Cause::Wrong),
        ("enum { SIZE = SIZE + 1 };", "SIZE", Cause::Wrong),
    ];
    for (before, size, cause) in cases {
        let source = read_size(before, size);
        let unknown: Vec<_> = source.framings[0].unknown().map(|(_, unknown)| unknown).collect();
        let [unknown] = unknown.as_slice() else { panic!("{before} {size}: {unknown:?}") };
        assert_eq!(unknown.cause, cause, "{before} {size}: {unknown}");
        let kind = if cause == Cause::Wrong { ProblemKind::NoValue } else { ProblemKind::NotEvaluated };
        assert_eq!(source.problems.iter().map(|problem| problem.kind).collect::<Vec<_>>(), [kind], "{before} {size}");
    }
}

#[test]
fn what_c_does_not_evaluate_is_not_wrong() {
    for size in ["1 ? 8192 : 1 / 0", "0 ? 1 << 70 : 8192", "(0 && 1 / 0) + 8192", "(1 || 1 / 0) * 8192"] {
        let source = read_size("", size);
        assert_eq!(source.problems, [], "{size}");
        assert_eq!(source.framings[0].unknown().count(), 0, "{size}");
    }
}

#[test]
fn an_overflow_in_a_constant_is_told_where_it_is_used() {
    for before in [
        "#define SIZE (65536 * 65536)",
        "const ULONG SIZE = 65536 * 65536;",
        "enum { SIZE = 65536 * 65536 };",
        "const ULONG SIZE = 0x100000000;",
    ] {
        let source = read_size(before, "SIZE");
        let problems: Vec<_> =
            source.problems.iter().map(|problem| (problem.kind, source.position(problem.place))).collect();
        assert_eq!(problems, [(ProblemKind::Overflow, ("a.cpp", 2, 48))], "{before}");
    }
}
