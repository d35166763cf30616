//! Framings written as C are read back as they were.

mod framings;

use framings::{corpus, random};
use ks::FramingBlob;
use kspipe_source::{Input, Options, read, write_c};
use proptest::prelude::*;

fn read_back(bytes: &[u8], file: &str) -> Vec<u8> {
    let text = write_c(&FramingBlob::parse(bytes).expect("a framing"), "Framing");
    let source = read(&[Input::new(file, &text)], &Options::default(), |_, _| None);
    let [framing] = source.framings.as_slice() else { panic!("{:?}\n{text}", source.framings) };
    assert_eq!(framing.name, "Framing");
    let troubles: Vec<_> =
        source.problems.iter().filter(|problem| problem.kind != kspipe_source::ProblemKind::NeverUsed).collect();
    assert!(troubles.is_empty(), "{troubles:?}\n{text}");
    framing.bytes().unwrap_or_else(|member| panic!("{member:?}\n{text}"))
}

#[test]
fn what_drivers_declare_is_written_and_read_back() {
    for (id, bytes) in corpus() {
        for file in ["a.c", "a.cpp"] {
            assert_eq!(read_back(&bytes, file), bytes, "{id} {file}");
        }
    }
}

proptest! {
    #[test]
    fn any_framing_is_written_and_read_back(bytes in random(), is_c in any::<bool>()) {
        prop_assert_eq!(read_back(&bytes, if is_c { "a.c" } else { "a.cpp" }), bytes);
    }
}
