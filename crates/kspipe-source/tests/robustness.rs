//! Whatever the bytes are, reading them ends, and what it says is inside the text.

#[path = "../../../fuzz/checks/driver_source.rs"]
mod driver_source;

use driver_source::check;
use kspipe_source::{Input, Options, read};
use proptest::prelude::*;
use std::path::Path;

fn seeds() -> Vec<(String, Vec<u8>)> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/driver_source");
    let entries = std::fs::read_dir(&corpus).expect("the corpus is part of the project");
    let mut seeds: Vec<_> = entries
        .map(|entry| {
            let path = entry.expect("it can be listed").path();
            (path.display().to_string(), std::fs::read(&path).expect("it can be read"))
        })
        .collect();
    seeds.sort();
    assert!(seeds.len() >= 7, "{} has {} seeds", corpus.display(), seeds.len());
    seeds
}

#[test]
fn the_fuzzers_corpus_and_every_beginning_of_it_is_read() {
    for (name, bytes) in seeds() {
        // A panic below is of this file.
        eprintln!("{name}");
        for end in (0..bytes.len()).step_by(bytes.len() / 64 + 1).chain([bytes.len()]) {
            check(&bytes[..end]);
        }
    }
}

#[test]
fn what_would_take_for_ever_is_given_up() {
    let many = 6_000;
    let declare = |size: &str| format!("DECLARE_SIMPLE_FRAMING_EX(Fr, KSMEMORY_TYPE_USER, 0, 1, 0, {size}, 1);\n");
    let doubling: String = (1..40).map(|n| format!("#define M{n} M{} + M{}\n", n - 1, n - 1)).collect();
    let calling: String = (1..40).map(|n| format!("#define F{n}(x) F{}(F{}(x))\n", n - 1, n - 1)).collect();
    let growing: String = (1..40).map(|n| format!("struct S{n} {{ struct S{} a[9], b[9]; }};\n", n - 1)).collect();
    let chain: String = (1..many).map(|n| format!("const int C{n} = C{} + 1;\n", n - 1)).collect();
    let parenthesised: String =
        (1..200).map(|n| format!("const int C{n} = {}C{}{};\n", "(".repeat(40), n - 1, ")".repeat(40))).collect();
    let enumerators: String = (0..many).map(|n| format!("E{n}, ")).collect();
    let cases = [
        ("parentheses", declare(&format!("{}1{}", "(".repeat(many), ")".repeat(many)))),
        ("open parentheses", declare(&"(".repeat(many))),
        ("casts", declare(&format!("{}1", "(ULONG)".repeat(many)))),
        ("signs", declare(&format!("{}1", "- ".repeat(many)))),
        ("conditions", declare(&format!("{}1", "1 ? 2 : ".repeat(many)))),
        ("sums", declare(&format!("{}1", "1 + ".repeat(many)))),
        ("doubling macros", format!("#define M0 1\n{doubling}{}", declare("M39"))),
        ("macros in their arguments", format!("#define F0(x) x + x\n{calling}{}", declare("F39(1)"))),
        ("a macro of itself", format!("#define A A A\n#define B(x) B(B(x))\n{}", declare("A + B(B(1))"))),
        ("structures in structures", format!("struct S0 {{ int a; }};\n{growing}{}", declare("sizeof(struct S39)"))),
        (
            "a structure in itself",
            format!("struct A {{ struct B b; }}; struct B {{ struct A a; }};\n{}", declare("sizeof(A)")),
        ),
        ("constants of constants", format!("const int C0 = 1;\n{chain}{}", declare("C5999"))),
        ("constants of constants in parentheses", format!("const int C0 = 1;\n{}{}", parenthesised, declare("C199"))),
        ("a constant of itself", format!("const int A = B; const int B = A;\n{}", declare("A"))),
        ("enumerators", format!("enum {{ {enumerators} }};\n{}", declare("E5999"))),
        ("braces", format!("KSALLOCATOR_FRAMING_EX Fr = {};", "{".repeat(many))),
        ("closed braces", format!("KSALLOCATOR_FRAMING_EX Fr = {}{};", "{".repeat(many), "}".repeat(many))),
        ("values", format!("KSALLOCATOR_FRAMING_EX Fr = {{ {} }};", "1, ".repeat(many))),
        ("elements", "KSALLOCATOR_FRAMING Fr[999999999] = { { 1 } };".to_owned()),
        (
            "an array without end",
            "typedef struct { struct {} a[4000000000]; KSALLOCATOR_FRAMING f; } T; T t = { 1, 2 };".to_owned(),
        ),
        ("conditionals", format!("{}{}", "#if A\n".repeat(many), declare("1"))),
        (
            "conditionals in a declaration",
            format!("KSALLOCATOR_FRAMING Fr = {{ {} 1 }};", "\n#if A\n1,\n#endif\n".repeat(2000)),
        ),
        ("blocks", format!("void f() {}{}", "{".repeat(many), "}".repeat(many))),
        (
            "assignments in blocks",
            format!(
                "void f(PKSALLOCATOR_FRAMING F) {{ {} }}",
                "if (a) { F->Frames = 1; F->FrameSize = 2; F->PoolType = 0; }\n".repeat(500)
            ),
        ),
        ("declarations", declare("2").replace("Fr", "F").repeat(2000)),
        ("words", "KSALLOCATOR_FRAMING ".repeat(many)),
        ("a text that does not end", format!("\"{}", "KSALLOCATOR_FRAMING ".repeat(many))),
        ("templates", format!("{}1", "a<".repeat(many))),
    ];
    for (what, text) in cases {
        for name in ["a.c", "a.cpp"] {
            eprintln!("{what} {name}");
            let source = read(&[Input::new(name, &text)], &Options::default(), |_, _| None);
            assert!(source.framings.len() <= 5000, "{what}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn arbitrary_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        check(&bytes);
    }

    #[test]
    fn sources_with_pieces_exchanged_are_read(
        seed in 0usize..7,
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0usize..40, any::<u8>()), 1..12),
    ) {
        let mut bytes = seeds().swap_remove(seed).1;
        for (from, to, length, byte) in edits {
            let (from, to) = (from.index(bytes.len()), to.index(bytes.len()));
            let piece = bytes[from..(from + length).min(bytes.len())].to_vec();
            match byte % 4 {
                0 => { bytes.splice(to..(to + length).min(bytes.len()), piece); }
                1 => { bytes.splice(to..to, piece); }
                2 => bytes[to] = byte,
                _ => { bytes.drain(to..(to + length).min(bytes.len() - 1).max(to)); }
            }
            if bytes.is_empty() { bytes.push(b';'); }
        }
        check(&bytes);
    }
}
