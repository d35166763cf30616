//! No text breaks the reader: it says what is wrong, and where, whatever it gets.

use super::{data, graph_files, parse};
use kspipe::graph::file::GraphFile;
use proptest::prelude::*;
use std::sync::LazyLock;

/// Reads a text; what comes back is whole: a graph with a place for everything, or errors with places in the text.
fn read(text: &str) {
    match parse(text) {
        Ok(file) => {
            for pin in file.graph.pin_ids() {
                let span = file.pin_span(pin).expect("every pin has a place");
                assert!(text.is_char_boundary(span.start) && text.is_char_boundary(span.end));
                for item in 0..file.graph.pin(pin).items().len() {
                    assert!(file.item_span(pin, item).is_some(), "every item has a place");
                }
            }
            for connection in file.graph.connections() {
                assert!(file.connection_span(*connection).is_some(), "every connection has a place");
            }
        }
        Err(errors) => {
            assert!(errors.count() >= 1);
            for error in errors.iter() {
                let span = error.span().expect("the text could be read");
                assert!(span.start <= span.end && span.end <= text.len(), "{error}: {span:?}");
                assert!(error.position().is_some());
                // The reader knows every rule the graph's builder has, with its place.
                assert_ne!(error.label(), "somewhere in this file", "{error}");
            }
            let shown = format!("{:?}", miette::Report::new(errors));
            assert!(!shown.is_empty());
        }
    }
}

#[test]
fn deep_nesting_is_an_error() {
    for depth in [10, 79, 80, 81, 1000, 100_000] {
        for text in [
            format!("connections = {}{}", "[".repeat(depth), "]".repeat(depth)),
            format!("filter.a.run = {}{}", "{ a = ".repeat(depth), "}".repeat(depth)),
            format!("filter.a{} = 1", ".a".repeat(depth)),
            format!("[filter.a{}]", ".a".repeat(depth)),
            format!("[[filter.a{}]]\nx = 1", ".a".repeat(depth)),
            "[".repeat(depth),
            "{".repeat(depth),
            format!("a = {}", "\"".repeat(depth)),
        ] {
            assert!(parse(&text).is_err());
            read(&text);
        }
    }
}

#[test]
fn a_long_file_is_read() {
    // A chain of filters, 20,000 pins. A reader that compares every pin with every other takes minutes.
    let filters = 10_000;
    let mut text = String::from("connections = [\n");
    for number in 1..filters {
        text += &format!("\"f{}.out -> f{number}.in\",\n", number - 1);
    }
    text += "]\n";
    for number in 0..filters {
        text += &format!(
            "filter.f{number}.pin.in = {{ direction = \"in\" }}\nfilter.f{number}.pin.out.direction = \"out\"\n"
        );
    }
    assert_eq!(parse(&text).expect("it is good").graph.pins().len(), 2 * filters);
    // All of its connections wrong, so that names are looked for.
    let wrong = text.replace(".in\"", ".im\"");
    assert_eq!(parse(&wrong).expect_err("there is no `im`").count(), filters - 1);
    // Many syntax errors.
    let junk = "= = =\n".repeat(50_000);
    assert!(parse(&junk).expect_err("it is not TOML").count() > 100);
}

#[test]
fn bytes_that_are_no_text_are_an_error() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    for (number, bytes) in [&b"\xFF\xFE"[..], b"\0\0\0\0", b"a = \"\xC3\"", b"\xED\xA0\x80"].iter().enumerate() {
        let path = directory.path().join(format!("{number}.toml"));
        std::fs::write(&path, bytes).expect("it can be written");
        let errors = GraphFile::read(&path).expect_err("it is no graph");
        assert!(errors.io_error().is_none() && errors.iter().all(|error| error.position().is_some()));
    }
}

/// Pieces that graph files are made of, so that what is put together from them gets past the first checks.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("filter"),
        Just("pin"),
        Just("direction"),
        Just("\"in\""),
        Just("\"out\""),
        Just("framing"),
        Just("size"),
        Just("run"),
        Just("kind"),
        Just("\"tee\""),
        Just("\"raw\""),
        Just("connections"),
        Just("routes"),
        Just("memory"),
        Just("\"a.x -> a.y\""),
        Just("\"x -> y pass\""),
        Just("a"),
        Just("x"),
        Just("y"),
        Just("."),
        Just(" = "),
        Just("{ "),
        Just(" }"),
        Just("["),
        Just("]"),
        Just(", "),
        Just("\n"),
        Just("0"),
        Just("-1"),
        Just("4294967295"),
        Just("\""),
        Just("1e400"),
        Just("'"),
        Just("#"),
        Just("min"),
        Just("max"),
        Just("physical"),
        Just("9223372036854775808"),
        Just("compression"),
        Just("holds"),
        Just("\u{301}"),
        Just("true"),
        Just("1979-05-27"),
        Just("\\u0000"),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

/// Good and bad files to be changed.
static FILES: LazyLock<Vec<(String, String)>> =
    LazyLock::new(|| graph_files(&data("good")).into_iter().chain(graph_files(&data("bad"))).collect());

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        read(&text);
    }

    #[test]
    fn any_pieces_of_graph_files_are_read_or_refused(text in pieces()) {
        read(&text);
    }

    #[test]
    fn any_change_of_a_good_or_bad_file_is_read_or_refused(
        file in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0usize..12, pieces()), 1..4),
    ) {
        let mut text: Vec<char> = file.get(&FILES).1.chars().collect();
        for (place, removed, inserted) in changes {
            let start = place.index(text.len() + 1);
            let end = (start + removed).min(text.len());
            text.splice(start..end, inserted.chars().take(12));
        }
        read(&text.into_iter().collect::<String>());
    }

    #[test]
    fn numbers_of_any_size_are_read_or_refused(number in any::<i128>(), key in 0usize..8) {
        let key = ["frames", "alignment", "size", "weight", "pitch", "physical.min", "optimal.max", "physical.step"][key];
        read(&format!("filter.a.pin.x = {{ direction = \"in\", framing = [{{ {key} = {number} }}] }}"));
        read(&format!("filter.a.pin.x = {{ direction = \"in\", framing = [{{ {key} = {:#x} }}] }}", number));
    }
}
