//! What is said of graph files: each finding at its key, the plan's warnings with it, and nothing of what is sound.

use kspipe::check::{check_graph, check_graph_file, graph_file_findings};
use kspipe::finding::{CODES, Finding, Severity, Topic};
use kspipe::graph::file::GraphFile;
use std::path::Path;

fn check(text: &str) -> Vec<(String, Finding)> {
    let base = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/graph_file/good");
    let findings = match GraphFile::parse("graph.toml", text, &base) {
        Ok(file) => check_graph_file(&file),
        Err(errors) => graph_file_findings(&errors),
    };
    let place = |finding: &Finding| finding.span.map_or("", |span| &text[span.start..span.end]).to_owned();
    findings.into_iter().map(|finding| (place(&finding), finding)).collect()
}

fn codes(text: &str) -> Vec<(&'static str, String)> {
    check(text).into_iter().map(|(place, finding)| (finding.code.code, place)).collect()
}

/// A camera in the kernel and what it is connected to.
fn camera_to(camera: &str, viewer: &str) -> String {
    format!(
        "connections = [\"camera.capture -> viewer.in\"]\n[filter.camera]\nmode = \"kernel\"\npin.capture = {{ direction = \
         \"out\", {camera} }}\n[filter.viewer]\n{viewer}\n"
    )
}

const VIEWER: &str = "mode = \"kernel\"\npin.in = { direction = \"in\" }";

const BLOB: &str = "\"blobs/capture-pin.bin\"";

/// Graphs that are at fault: the codes found in each, with the text they point at.
fn bad() -> Vec<(String, Vec<(&'static str, &'static str)>)> {
    let camera = |item: &str| camera_to(&format!("framing = [{{ {item} }}]"), VIEWER);
    let codec = |pin: &str, rest: &str| {
        format!(
            "connections = [\"a.out -> b.in\", \"b.out -> c.in\"]\nfilter.a.mode = \"kernel\"\nfilter.a.pin.out = {{ direction = \
         \"out\", framing = [{{ frames = 3, size = 4096 }}] }}\n[filter.b]\nmode = \"kernel\"\npin.in = {{ direction = \"in\", {pin} }}\n\
         pin.out = {{ direction = \"out\" }}\n{rest}\n[filter.c]\nmode = \"kernel\"\npin.in = {{ direction = \"in\" }}\n"
        )
    };
    vec![
        (camera("alignment = 4095"), vec![("KS043", "4095")]),
        (camera("alignment = 100"), vec![("KS079", "100")]),
        (camera("farmes = 4"), vec![("KS079", "farmes")]),
        (camera("size = { min = 2, max = 1 }"), vec![("KS044", "2")]),
        (
            camera("size = { min = 2, max = 1 }, requirements = [\"preferences-only\"]"),
            vec![("KS007", "capture"), ("KS009", "capture"), ("KS044", "min = 2")],
        ),
        (camera("pitch = 1920"), vec![("KS076", "pitch")]),
        (camera("frames = 4, weight = 2"), vec![("KS073", "weight = 2")]),
        (camera("size = { min = 100, max = 199, step = 2 }"), vec![("KS046", "step = 2")]),
        (camera("physical = { min = 4096, max = 8192, step = 65536 }"), vec![("KS045", "step = 65536")]),
        (camera("flags = [\"cycle\"]"), vec![("KS068", "flags = [\"cycle\"]")]),
        (camera("flags = [\"can-allocate\", \"can-allocate\"]"), vec![("KS015", "\"can-allocate\"")]),
        (camera("requirements = [\"must-allocate\", \"preferences-only\"]"), vec![("KS053", "requirements = [\"must-allocate\", \"preferences-only\"]")]),
        (camera("frames = 2 }, { frames = 2"), vec![("KS069", "{ frames = 2 }")]),
        (camera("frames = 2 }, { frames = 3"), vec![("KS070", "{ frames = 3 }")]),
        (
            camera_to("media-size = 153600, framing = [{ frames = 2, size = 8192 }]", VIEWER),
            vec![("KS078", "capture"), ("KS049", "size = 8192")],
        ),
        (
            camera_to("media-size = 5880, framing = [{ optimal = { min = 47040 } }]", VIEWER),
            vec![("KS047", "min = 47040")],
        ),
        (
            // The size of the format comes down the connection.
            camera_to("media-size = 100", "mode = \"kernel\"\npin.in = { direction = \"in\", framing = [{ optimal = { min = 50, max = 50 } }] }"),
            vec![("KS009", "in"), ("KS049", "min = 50")],
        ),
        (
            "filter.a.pin.out = { direction = \"out\", framing = [{ optimal = { min = 16 } }] }\nfilter.a.run = { kind = \"pattern\", \
             format = \"rgb24\", width = 4, height = 4 }\nfilter.b.pin.in = { direction = \"in\" }\nconnections = [\"a.out -> b.in\"]"
                .to_owned(),
            vec![("KS048", "min = 16")],
        ),
        (
            camera_to("framing = [{ frames = 4 }]", "pin.in = { direction = \"in\", holds = 4 }"),
            vec![("KS054", "frames = 4")],
        ),
        (
            camera_to(
                "framing = [{ frames = 4, memory = \"kernel-nonpaged\", flags = [\"can-allocate\"] }]",
                "pin.in = { direction = \"in\" }",
            ),
            vec![("KS014", "capture"), ("KS052", "flags = [\"can-allocate\"]")],
        ),
        (
            camera_to(
                "framing = [{ memory = \"kernel-nonpaged\", requirements = [\"preferences-only\"] }]",
                "mode = \"kernel\"\npin.in = { direction = \"in\", framing = [{ memory = \"kernel-paged\", requirements = [\"must-allocate\"] }] }",
            ),
            vec![],
        ),
        (codec("framing = [{ frames = 2 }]", ""), vec![("KS055", "frames = 2")]),
        (codec("framing = [{ frames = 3, physical = { max = 65536 } }]", ""), vec![("KS057", "max = 65536")]),
        (
            codec("framing = [{ frames = 3, requirements = [\"inplace-modifier\"] }]", "routes = [\"in -> out copy\"]"),
            vec![("KS062", "requirements = [\"inplace-modifier\"]")],
        ),
        (
            format!(
                "{}\nroutes = [\"in -> out in-place\"]\npin.out = {{ direction = \"out\" }}\n",
                camera_to("framing = [{ requirements = [\"frame-integrity\"] }]", VIEWER)
            ),
            vec![("KS064", "requirements = [\"frame-integrity\"]"), ("KS005", "out")],
        ),
        (
            format!("bridges = \"forbid\"\n{}", camera_to(
                "framing = [{ size = 100 }]",
                "mode = \"kernel\"\npin.in = { direction = \"in\", framing = [{ size = 200 }] }",
            )),
            vec![("KS078", "capture")],
        ),
        (
            "filter.a.pin.in = { direction = \"in\" }\nfilter.a.pin.out = { direction = \"out\" }\nfilter.a.routes = [\"in -> out pass\"]\n\
             connections = [\"a.out -> a.in\"]"
                .to_owned(),
            vec![("KS078", "in")],
        ),
        (
            "filter.a.pin.in = { direction = \"in\", compression = { numerator = 2 } }".to_owned(),
            vec![("KS005", "in"), ("KS013", "compression")],
        ),
        ("filter.a.pin.in = { direction = \"in\", framing-blob = \"blobs/capture-pin.bin\" }".to_owned(), vec![("KS005", "in"), ("KS014", "in"), ("KS040", BLOB), ("KS070", BLOB)]),
        ("[filter.lonely]".to_owned(), vec![("KS016", "lonely")]),
        (
            camera_to("framing = [{ memory = \"kernel-nonpaged\", frames = 3 }]", &format!("{VIEWER}\nprocess = true")),
            vec![("KS025", "in")],
        ),
    ]
}

#[test]
fn each_finding_points_at_its_key() {
    let mut wrong = Vec::new();
    for (text, expected) in bad() {
        let expected: Vec<_> = expected.into_iter().map(|(code, place)| (code, place.to_owned())).collect();
        let found = codes(&text);
        if found != expected {
            wrong.push(format!("{text}\n  found {found:?}\n  not   {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn every_code_of_graphs_and_files_has_a_case() {
    // A graph hard enough to be undecided takes long; that finding has one line in the code. The `run` ones are below.
    let elsewhere = ["KS017", "KS018", "KS019"];
    let found: Vec<&str> = bad().iter().flat_map(|(text, _)| codes(text)).map(|(code, _)| code).collect();
    let topics = [Topic::Graph, Topic::File];
    for code in CODES.iter().filter(|code| topics.contains(&code.topic)) {
        assert!(found.contains(&code.code) || elsewhere.contains(&code.code), "no case for {code}");
    }
}

#[test]
fn memory_that_processes_cannot_share_is_found_where_it_would_be_shared_and_nowhere_else() {
    // A chain of three, with what the first pin asks for, and the filters that have processes of their own.
    let chain = |memory: &str, processes: [bool; 3]| {
        let process = |place: usize| if processes[place] { "process = true" } else { "" };
        format!(
            "connections = [\"a.out -> b.in\", \"b.out -> c.in\"]\n[memory.\"{{8CB0FC28-0000-0000-0000-0000C0FFEE00}}\"]\n\
             name = \"of-the-card\"\nhost-mappable = true\n[filter.a]\nmode = \"kernel\"\npin.out = {{ direction = \"out\", framing = \
             [{{ memory = \"{memory}\", frames = 3 }}] }}\n{}\n[filter.b]\nmode = \"kernel\"\npin.in = {{ direction = \"in\" }}\n\
             pin.out = {{ direction = \"out\" }}\nroutes = [\"in -> out pass\"]\n{}\n[filter.c]\nmode = \"kernel\"\n\
             pin.in = {{ direction = \"in\" }}\n{}\n",
            process(0),
            process(1),
            process(2)
        )
    };
    let found = |text: &str| -> Vec<String> {
        // Of errors there is no other.
        let findings = check(text).into_iter().map(|(_, finding)| finding);
        let errors: Vec<_> = findings.filter(|finding| finding.severity() == Severity::Error).collect();
        assert!(errors.iter().all(|error| error.code.code == "KS025"), "{errors:#?}");
        errors.into_iter().map(|error| error.message).collect()
    };
    for memory in ["kernel-paged", "kernel-nonpaged", "of-the-card"] {
        assert_eq!(found(&chain(memory, [false; 3])), [""; 0], "in one process all is well");
    }
    assert_eq!(found(&chain("kernel-paged", [true; 3])), [""; 0], "each can map it");
    for memory in ["kernel-nonpaged", "of-the-card"] {
        let message = |filter: &str, pin: &str| {
            format!(
                "`{filter}` has a process of its own, and the frames of {filter}.{pin} are in {memory} memory (pipe 0), which \
                 processes cannot share"
            )
        };
        assert_eq!(found(&chain(memory, [true, false, false])), [message("a", "out")]);
        assert_eq!(found(&chain(memory, [false, true, false])), [message("b", "in"), message("b", "out")]);
        assert_eq!(found(&chain(memory, [false, true, true])), [message("b", "in"), message("c", "in")]);
    }
    // A pin that nobody is connected to shares nothing.
    let alone = "[filter.a]\nmode = \"kernel\"\nprocess = true\npin.out = { direction = \"out\", framing = [{ memory = \
                 \"kernel-nonpaged\" }] }\n";
    assert_eq!(found(alone), [""; 0]);
}

#[test]
fn what_a_hold_filter_keeps_is_compared_with_what_its_pins_say() {
    let hold = |pin: &str, route: &str| {
        format!(
            "filter.h.pin.in = {{ direction = \"in\"{pin} }}\nfilter.h.pin.out = {{ direction = \"out\" }}\nfilter.h.routes = \
             [\"in -> out {route}\"]\nfilter.h.run = {{ kind = \"hold\", frames = 3 }}\nfilter.a.pin.out = {{ direction = \"out\" }}\n\
             filter.b.pin.in = {{ direction = \"in\" }}\nconnections = [\"a.out -> h.in\", \"h.out -> b.in\"]"
        )
    };
    assert_eq!(codes(&hold("", "pass")), []);
    assert_eq!(codes(&hold("", "copy")), [("KS017", "\"in -> out copy\"".to_owned())]);
    // With a frame for each it says it holds, and no more, the filter waits for ever.
    assert_eq!(codes(&hold(", holds = 1", "pass")), [("KS018", "1".to_owned()), ("KS030", "out".to_owned())]);
}

#[test]
fn a_number_that_can_be_written_instead_has_its_place() {
    let cases = [
        (
            camera_to("media-size = 153600, framing = [{ frames = 2, physical = { max = 8192 } }]", VIEWER),
            "KS049",
            "8192",
            "153600",
        ),
        (camera_to("framing = [{ frames = 4 }]", "pin.in = { direction = \"in\", holds = 4 }"), "KS054", "4", "5"),
        (camera_to("framing = [{ weight = 3 }]", VIEWER), "KS073", "3", "0"),
    ];
    for (text, code, instead_of, number) in cases {
        let findings = check(&text);
        let (_, finding) = findings.iter().find(|(_, finding)| finding.code.code == code).expect(code);
        let fix = finding.fix.as_ref().expect("a fix");
        let span = fix.span.expect("the number is in the text");
        assert_eq!((&text[span.start..span.end], fix.text.as_str()), (instead_of, number), "{code}");
        let mut mended = text.clone();
        mended.replace_range(span.start..span.end, &fix.text);
        assert!(codes(&mended).iter().all(|(found, _)| *found != code), "{mended}");
    }
}

#[test]
fn a_graph_without_a_plan_names_every_pin_that_cannot_agree() {
    let text = format!(
        "bridges = \"forbid\"\n{}",
        camera_to(
            "framing = [{ size = 100 }]",
            "mode = \"kernel\"\npin.in = { direction = \"in\", framing = [{ size = 200 }] }"
        )
    );
    let findings = check(&text);
    let finding = &findings[0].1;
    assert_eq!(finding.severity(), Severity::Error);
    let places: Vec<&str> = finding.related.iter().map(|related| &text[related.span.start..related.span.end]).collect();
    assert_eq!(places, ["capture", "in"]);
    assert!(!finding.help.is_empty());
}

#[test]
fn a_graph_that_was_built_is_checked_like_one_that_was_read() {
    for (text, _) in bad() {
        let Ok(file) = GraphFile::parse("graph.toml", &text, Path::new("")) else { continue };
        let mut read: Vec<_> = check_graph_file(&file).into_iter().map(|finding| finding.code.code).collect();
        let mut built: Vec<_> = check_graph(&file.graph).into_iter().map(|finding| finding.code.code).collect();
        // What only a text can have: words twice, a pitch without its flag, a filter without pins.
        let of_the_text = ["KS013", "KS015", "KS016", "KS044", "KS076"];
        read.retain(|code| !of_the_text.contains(code));
        built.retain(|code| !of_the_text.contains(code));
        read.sort_unstable();
        read.dedup();
        built.sort_unstable();
        built.dedup();
        assert_eq!(read, built, "{text}");
    }
}

#[test]
fn the_examples_have_no_errors_but_the_one_that_shows_them() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let mut checked = 0;
    for entry in std::fs::read_dir(&folder).expect("the examples are there") {
        let path = entry.expect("it can be listed").path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let file = GraphFile::read(&path).unwrap_or_else(|errors| panic!("{}: {errors}", path.display()));
        let errors = check_graph_file(&file).into_iter().filter(|finding| finding.severity() == Severity::Error);
        let codes: Vec<&str> = errors.map(|finding| finding.code.code).collect();
        let expected: &[&str] = if path.ends_with("infeasible.toml") { &["KS078"] } else { &[] };
        assert_eq!(codes, expected, "{}", path.display());
        checked += 1;
    }
    assert!(checked >= 8);
}
