//! The framings of real drivers under the linter: each is clean, or its finding is argued here.

use ks::FramingBlob;
use kspipe::check::{Circumstances, DeclaredFraming, Member, Structure, check_framing, check_graph};
use kspipe::finding::Severity;
use kspipe::graph::{Compression, Direction, FrameRange, Framing, FramingItem, Graph, Mode, write_blob};
use std::collections::BTreeMap;
use toml::Table;

mod corpus;

/// What is found, and why that is right. A name stands for the framing as declared and for each its driver makes of it.
const ARGUED: &[(&str, &str, &str)] = &[
    ("ddk3790-1394dcam-capture", "KS063", "the camera's bus fills frames; the flag came with the stream-class sample"),
    ("ddk3790-atibt829-capture-vbi", "KS063", "the decoder chip fills frames; nothing upstream gives any"),
    ("ddk3790-atibt829-capture-video", "KS063", "the decoder chip fills frames; nothing upstream gives any"),
    ("ddk3790-atibt829-videoport", "KS063", "its data never passes through memory, so nothing is modified in it"),
    ("ddk3790-testcap-capture", "KS063", "it synthesises its pictures; there is no frame it got"),
    ("ddk3790-testcap-cc", "KS063", "it synthesises its captions"),
    ("ddk3790-testcap-preview", "KS063", "it synthesises its pictures"),
    ("ddk3790-testcap-vbi", "KS063", "it synthesises its lines"),
    ("ddk7600-1394dcam-capture", "KS063", "the camera's bus fills frames"),
    ("driverworks-cam-capture", "KS063", "the corpus notes it: an in-place flag on a source pin"),
    ("driverworks-vcap-capture", "KS063", "the corpus notes it: an in-place flag on a source pin"),
    (
        "ksaudio-capture",
        "KS050",
        "declares 8192 bytes and says in a comment that it adjusts them, which no edit in its source does",
    ),
    (
        "ms-avshws-capture",
        "KS051",
        "its simulated DMA runs at DISPATCH_LEVEL, and nonpaged memory is a wish: the reported crash of a driver made from it",
    ),
    (
        "sar-audio-endpoint",
        "KS050",
        "copied from the avssamp declaration without its edit; a commit later the author took it out as unneeded",
    ),
    ("virtual-audio-cpin", "KS050", "the avssamp values kept, with no edit"),
];

fn entries() -> BTreeMap<String, Table> {
    let file: Table = include_str!("../../../corpus/framings.toml").parse().expect("the corpus is TOML");
    let pins = file["pin"].as_array().expect("an array of pins");
    let named = pins.iter().map(|pin| {
        let pin = pin.as_table().expect("a table").clone();
        (pin["id"].as_str().expect("an id").to_owned(), pin)
    });
    named.collect()
}

fn is_set(entry: &Table, key: &str) -> bool {
    entry.get(key).and_then(toml::Value::as_bool).unwrap_or(false)
}

/// What the corpus knows of the pin. Where it says nothing of an edit, there is none.
fn circumstances(entry: &Table) -> Circumstances {
    let at_dispatch_level =
        entry.get("note").and_then(toml::Value::as_str).is_some_and(|note| note.contains("DISPATCH_LEVEL"));
    Circumstances {
        direction: Some(if entry["direction"].as_str() == Some("in") { Direction::In } else { Direction::Out }),
        mode: Some(Mode::Kernel),
        media: None,
        is_codec: None,
        edited: Some(is_set(entry, "edited")),
        writes_at_dispatch_level: at_dispatch_level.then_some(true),
    }
}

#[test]
fn every_framing_of_the_corpus_is_clean_or_its_finding_is_argued() {
    let entries = entries();
    let mut found = Vec::new();
    for pin in corpus::framings() {
        let id = pin.id.split('/').next().expect("a name");
        let entry = &entries[id];
        let asked = match &pin.framing {
            // The old structure has one size and no stepping.
            Framing::Old(item) => {
                let optimal = match item.capacity() {
                    0 => FrameRange::OPEN,
                    size => FrameRange::exactly(size),
                };
                Framing::Old(Box::new(FramingItem { optimal, ..(**item).clone() }))
            }
            other => other.clone(),
        };
        let bytes = write_blob(&asked, Compression::NONE).expect("every driver's framing has a blob");
        let mut framing = DeclaredFraming::of_blob(&FramingBlob::parse(&bytes).expect("what was written can be read"));
        if is_set(entry, "size_unknown") {
            // 0 stands for what the source computes.
            let item = (framing.structure() == Structure::Extended).then_some(0);
            for member in [Member::FrameSize, Member::FramingMin, Member::FramingMax] {
                framing.forget(item, member);
            }
        }
        for finding in check_framing(id, &framing, &circumstances(entry)) {
            assert_ne!(finding.severity(), Severity::Error, "{}: {finding}", pin.id);
            found.push((id.to_owned(), finding.code.code));
        }
    }
    found.sort_unstable();
    found.dedup();
    let mut argued: Vec<(String, &str)> = ARGUED.iter().map(|(id, code, _)| ((*id).to_owned(), *code)).collect();
    argued.sort_unstable();
    assert_eq!(found, argued);
}

/// What may be said of a real pin in a graph, beside what its framing raises by itself: facts about the plan.
const OF_THE_PLAN: &[(&str, &str)] = &[("KS014", "a user-mode neighbour makes kernel memory locked user memory")];

#[test]
fn a_real_pin_in_a_graph_raises_nothing_that_is_not_so() {
    let entries = entries();
    for pin in corpus::framings() {
        let id = pin.id.split('/').next().expect("a name");
        if is_set(&entries[id], "size_unknown") {
            continue;
        }
        for mode in [Mode::Kernel, Mode::User] {
            let mut graph = Graph::builder();
            let is_in = entries[id]["direction"].as_str() == Some("in");
            let (own, other) = if is_in { (Direction::In, Direction::Out) } else { (Direction::Out, Direction::In) };
            graph.filter("driver").kernel().pin("pin", own).framing(pin.framing.clone());
            graph.filter("other").mode(mode).pin("pin", other);
            if is_in {
                graph.connect("other.pin", "driver.pin")
            } else {
                graph.connect("driver.pin", "other.pin")
            };
            let graph = graph.build().expect("a graph");
            let by_itself: Vec<&str> =
                ARGUED.iter().filter(|(argued, ..)| *argued == id).map(|(_, code, _)| *code).collect();
            for finding in check_graph(&graph) {
                let code = finding.code.code;
                let argued = by_itself.contains(&code) || OF_THE_PLAN.iter().any(|(plan, _)| *plan == code);
                assert!(argued, "{} ({mode}): {finding}", pin.id);
            }
        }
    }
}
