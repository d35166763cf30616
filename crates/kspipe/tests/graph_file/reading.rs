//! What is read from good files.

use super::{data, good, parse, text_at};
use ks::{AllocatorFlags, Guid, RequirementFlags};
use kspipe::graph::file::{GraphFile, keys};
use kspipe::graph::{
    Bridges, Compression, DeviceMemory, Direction, FrameRange, Framing, FramingItem, Graph, Mode, PixelFormat, Rate,
    Restart, RouteKind, Run, Strategy,
};
use std::path::{Path, PathBuf};

const EXAMPLE: &str = include_str!("good/camera.toml");

/// The opening example of docs/graph-file.md, built by hand.
fn example() -> Graph {
    let base = data("good");
    let mut graph = Graph::builder();
    let device = Guid::from_u128(0x8CB0FC28_0000_0000_0000_0000C0FFEE00);
    graph.memory(device, DeviceMemory { name: "my-device".to_owned(), host_mappable: true, user_mappable: false });
    graph.filter("recorder").run(Run::Y4mSink { path: base.join("out.y4m") }).pin("in", Direction::In).holds(2);
    let range = FrameRange { min: 1, max: 8_294_400, step: 1 };
    graph.filter("overlay").run(Run::Invert).route("in", "out", RouteKind::InPlace);
    graph.filter("overlay").pin("out", Direction::Out);
    graph.filter("overlay").pin("in", Direction::In).item(FramingItem {
        memory: ks::KSMEMORY_TYPE_SYSTEM,
        frames: 2,
        physical: range,
        optimal: range,
        ..FramingItem::default()
    });
    let picture = Run::Pattern {
        format: PixelFormat::Nv12,
        width: 1920,
        height: 1080,
        rate: Rate { numerator: 30, denominator: 1 },
        frames: None,
    };
    graph.filter("camera").kernel().run(picture).pin("capture", Direction::Out).media_size(3_110_400).item(
        FramingItem {
            memory: ks::KSMEMORY_TYPE_KERNEL_NONPAGED,
            frames: 4,
            alignment: 4096,
            ..FramingItem::exactly(3_110_400)
        },
    );
    graph.connect("overlay.out", "recorder.in").connect("camera.capture", "overlay.in");
    graph.build().expect("it is a graph")
}

#[test]
fn the_example_of_the_documentation_is_the_graph_it_shows() {
    let file = good(EXAMPLE);
    assert_eq!(file.graph, example());
    assert_eq!(file.findings(), []);
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/graph-file.md"));
    assert!(page.expect("the page is part of the project").contains(EXAMPLE.trim()), "the page shows another example");
}

#[test]
fn the_order_of_the_file_does_not_matter() {
    let shuffled = r#"
        memory."8cb0fc28-0000-0000-0000-0000c0ffee00" = { user-mappable = false, host-mappable = true, name = "my-device" }
        [filter.recorder]
        run.path = "out.y4m"
        run.kind = "y4m"
        [filter.recorder.pin.in]
        holds = 0x2
        direction = 'in'
        [filter.overlay.run]
        kind = "invert"
        [filter.overlay]
        routes = ["  in->out   in-place "]
        [filter.overlay.pin]
        out = { direction = "out", framing = [] }
        [[filter.overlay.pin.in.framing]]
        optimal = { max = 8_294_400, min = 1 }
        physical = { step = 1, max = 8_294_400, min = 1 }
        frames = 2
        memory = "{091bb638-603f-11d1-b067-00a0c9062802}"
        [filter.overlay.pin.in]
        direction = "in"
        [filter.camera]
        run = { rate = "30", height = 1080, width = 1920, format = "nv12", kind = "pattern" }
        pin.capture.framing = [{ size = { min = 3110400, max = 3110400 }, alignment = 4096, frames = 4, memory = "kernel-nonpaged" }]
        pin.capture.direction = "out"
        mode = "kernel"
    "#;
    let ahead = "connections = [\"overlay.out->recorder.in\", \" camera.capture  ->  overlay.in \"]\n";
    assert_eq!(good(&format!("{ahead}{shuffled}")).graph, example());
}

#[test]
fn every_place_is_the_text_of_its_thing() {
    let file = good(EXAMPLE);
    let graph = &file.graph;
    let pin = |name: &str| graph.find_pin(name).expect("it is in the example");
    assert_eq!(text_at(&file, file.pin_span(pin("camera.capture"))), "capture");
    assert_eq!(text_at(&file, file.pin_span(pin("recorder.in"))), "in");
    let item = text_at(&file, file.item_span(pin("camera.capture"), 0));
    assert!(item.starts_with("{ memory = \"kernel-nonpaged\"") && item.ends_with('}'), "{item}");
    assert_eq!(file.item_span(pin("camera.capture"), 1), None);
    assert_eq!(file.item_span(pin("overlay.out"), 0), None);
    let connections: Vec<&str> =
        graph.connections().iter().map(|connection| text_at(&file, file.connection_span(*connection))).collect();
    assert_eq!(connections, ["\"camera.capture -> overlay.in\"", "\"overlay.out -> recorder.in\""]);
    assert_eq!(text_at(&file, file.route_span(graph.routes()[0])), "\"in -> out in-place\"");
    let filter = graph.find_filter("overlay").expect("it is in the example");
    assert_eq!(text_at(&file, file.filter_span(filter)), "overlay");
    assert_eq!(file.position(file.pin_span(pin("overlay.out")).expect("a place")), (13, 5));
}

#[test]
fn a_route_nobody_states_has_no_place() {
    let file = good("[filter.a]\npin.in = { direction = \"in\" }\npin.out = { direction = \"out\" }\n");
    assert_eq!(file.graph.routes()[0].kind, RouteKind::Copy);
    assert_eq!(file.route_span(file.graph.routes()[0]), None);
    let item = "framing = [{}, { requirements = [\"inplace-modifier\"] }]";
    let text = format!("[filter.a]\npin.in = {{ direction = \"in\", {item} }}\npin.out = {{ direction = \"out\" }}\n");
    assert_eq!(good(&text).graph.routes()[0].kind, RouteKind::Either);
}

#[test]
fn the_words_of_the_file_itself_are_read() {
    for (name, strategy) in Strategy::ALL {
        let text = format!("strategy = \"{name}\"\nfilter.a.pin.x = {{ direction = \"in\" }}");
        assert_eq!(good(&text).graph.strategy(), strategy);
    }
    for (name, bridges) in [("allow", Bridges::Allow), ("forbid", Bridges::Forbid)] {
        let text = format!("bridges = \"{name}\"\nfilter.a.pin.x = {{ direction = \"in\" }}");
        assert_eq!(good(&text).graph.bridges(), bridges);
    }
    for (name, mode) in [("user", Mode::User), ("kernel", Mode::Kernel)] {
        let graph = good(&format!("filter.a = {{ mode = \"{name}\", pin.x = {{ direction = \"in\" }} }}")).graph;
        assert_eq!(graph.filters()[0].mode(), mode);
    }
    let graph = good("filter.a.pin.x = { direction = \"in\" }").graph;
    assert_eq!((graph.strategy(), graph.bridges()), (Strategy::MaximizeSpeed, Bridges::Allow));
    assert_eq!(graph.filters()[0].mode(), Mode::User);
    for (name, kind) in keys::ROUTE_KINDS {
        let pins = "pin.i = { direction = \"in\" }\npin.o = { direction = \"out\" }";
        assert_eq!(good(&format!("[filter.a]\n{pins}\nroutes = [\"i -> o {name}\"]")).graph.routes()[0].kind, kind);
    }
}

#[test]
fn a_filter_may_have_a_process_of_its_own() {
    let process = |keys: &str| {
        let graph = good(&format!("filter.a = {{ {keys}pin.x = {{ direction = \"in\" }} }}")).graph;
        graph.filters()[0].process()
    };
    for (keys, expected) in [
        ("", None),
        ("process = false, ", None),
        ("process = true, ", Some(Restart::Never)),
        ("process = true, restart = \"never\", ", Some(Restart::Never)),
        ("restart = \"on-death\", process = true, ", Some(Restart::OnDeath)),
    ] {
        assert_eq!(process(keys), expected, "{keys}");
    }
}

#[test]
fn the_text_can_be_had_as_it_was_written() {
    // A mark that nobody sees is shown as another letter, and is part of the path all the same.
    let text = "filter.a = { pin.x = { direction = \"in\" }, run = { kind = \"raw\", path = \"a\u{200b}b\" } }";
    let file = good(text);
    assert_ne!(file.text(), text);
    assert_eq!(file.text_as_written(), text);
    assert_eq!(
        good("filter.a.pin.x = { direction = \"in\" }").text_as_written(),
        "filter.a.pin.x = { direction = \"in\" }"
    );
}

/// The only item of a file with one pin.
fn item(text: &str) -> FramingItem {
    let file = good(&format!("filter.a.pin.x = {{ direction = \"in\", framing = [{text}] }}"));
    file.graph.pins()[0].items()[0].clone()
}

#[test]
fn each_key_of_an_item_is_read() {
    let none = FramingItem::default();
    let sizes = |physical, optimal| FramingItem { physical, optimal, ..FramingItem::default() };
    let range = |min, max, step| FrameRange { min, max, step };
    let guid = Guid::from_u128(0x09A1F2B3_0000_0000_0000_000000000001);
    let table: [(&str, FramingItem); 20] = [
        ("{}", none.clone()),
        ("{ memory = \"user\" }", FramingItem { memory: ks::KSMEMORY_TYPE_USER, ..none.clone() }),
        (
            "{ memory = \"{8cb0fc28-7893-11d1-b069-00a0c9062802}\" }",
            FramingItem { memory: ks::KSMEMORY_TYPE_USER, ..none.clone() },
        ),
        ("{ bus = \"{09A1F2B3-0000-0000-0000-000000000001}\" }", FramingItem { bus: guid, ..none.clone() }),
        ("{ frames = 4294967295 }", FramingItem { frames: u32::MAX, ..none.clone() }),
        ("{ alignment = 0 }", none.clone()),
        ("{ alignment = 4294967296 }", FramingItem { alignment: 1 << 32, ..none.clone() }),
        (
            "{ pitch = -3840, flags = [\"2d-buffer-required\"] }",
            FramingItem { pitch: Some(-3840), flags: AllocatorFlags::TWO_D_BUFFER_REQUIRED, ..none.clone() },
        ),
        ("{ physical = {} }", none.clone()),
        ("{ physical = { min = 5 } }", sizes(range(5, u32::MAX, 1), FrameRange::OPEN)),
        ("{ physical = { max = 5 } }", sizes(range(0, 5, 1), FrameRange::OPEN)),
        ("{ physical = { min = 8, max = 64, step = 8 } }", sizes(range(8, 64, 8), FrameRange::OPEN)),
        ("{ optimal = { min = 7, step = 0 } }", sizes(FrameRange::OPEN, range(7, u32::MAX, 0))),
        ("{ size = 9 }", sizes(range(9, 9, 1), range(9, 9, 1))),
        ("{ size = { min = 2, max = 9, step = 7 } }", sizes(range(2, 9, 7), range(2, 9, 7))),
        ("{ weight = 3 }", FramingItem { weight: 3, ..none.clone() }),
        ("{ requirements = [] , flags = [] }", none.clone()),
        (
            "{ requirements = [\"must-allocate\", \"preferences-only\"] }",
            FramingItem {
                requirements: RequirementFlags::MUST_ALLOCATE | RequirementFlags::PREFERENCES_ONLY,
                ..none.clone()
            },
        ),
        (
            "{ flags = [\"can-allocate\", \"allocator-exists\"] }",
            FramingItem { flags: AllocatorFlags::CAN_ALLOCATE | AllocatorFlags::ALLOCATOR_EXISTS, ..none.clone() },
        ),
        (
            "{ size = { min = 9, max = 2 }, requirements = [\"preferences-only\"] }",
            FramingItem { requirements: RequirementFlags::PREFERENCES_ONLY, ..sizes(range(9, 2, 1), range(9, 2, 1)) },
        ),
    ];
    for (text, expected) in table {
        assert_eq!(item(text), expected, "{text}");
    }
}

#[test]
fn every_name_of_memory_requirements_and_flags_is_its_constant() {
    for (name, memory) in keys::MEMORY_NAMES {
        assert_eq!(item(&format!("{{ memory = \"{name}\" }}")).memory, memory, "{name}");
    }
    let mut bits = RequirementFlags::empty();
    for (name, requirement) in keys::REQUIREMENTS {
        assert_eq!(item(&format!("{{ requirements = [\"{name}\"] }}")).requirements, requirement, "{name}");
        bits |= requirement;
    }
    assert_eq!(bits.bits(), 0x8000_001F, "ks.h has six");
    let mut bits = AllocatorFlags::empty();
    for (name, flag) in keys::FLAGS {
        assert_eq!(item(&format!("{{ flags = [\"{name}\"] }}")).flags, flag, "{name}");
        bits |= flag;
    }
    assert_eq!(bits.bits(), 0xFFF0, "ks.h has twelve");
}

#[test]
fn a_declared_memory_type_is_known_by_name_and_by_guid() {
    let guid = Guid::from_u128(0x8CB0FC28_0000_0000_0000_0000C0FFEE00);
    for memory in ["mine", "{8CB0FC28-0000-0000-0000-0000C0FFEE00}", "8cb0fc28-0000-0000-0000-0000c0ffee00"] {
        let text = format!(
            "filter.a.pin.x = {{ direction = \"in\", framing = [{{ memory = \"{memory}\" }}] }}\n\
             [memory.\"{guid}\"]\nname = \"mine\"\nuser-mappable = true\n"
        );
        let graph = good(&text).graph;
        assert_eq!(graph.pins()[0].items()[0].memory, guid, "{memory}");
        let declared = graph.device_memory(guid).expect("it is declared");
        assert_eq!((declared.host_mappable, declared.user_mappable), (false, true));
    }
}

#[test]
fn each_key_of_a_pin_is_read() {
    let pin = |text: &str| good(&format!("filter.a.pin.x = {{ direction = \"out\", {text} }}")).graph.pins()[0].clone();
    assert_eq!(*pin("framing = []").framing(), Framing::None);
    assert_eq!(pin("framing = [{}, {}]").items().len(), 2);
    assert_eq!(pin("holds = 0").holds(), Some(0));
    assert_eq!(pin("media-size = 9223372036854775807").media_size(), Some(i64::MAX as u64));
    let compression = |numerator, denominator, margin| Compression { numerator, denominator, margin };
    for (text, expected) in [
        ("framing = []", Compression::NONE),
        ("compression = {}", Compression::NONE),
        ("compression = { denominator = 2 }", compression(1, 2, 0)),
        ("compression = { numerator = 3, margin = 100 }", compression(3, 1, 100)),
    ] {
        assert_eq!(pin(text).compression(), expected, "{text}");
    }
}

/// What a filter runs, by its pins and `run`.
fn run(pins: &str, run: &str) -> GraphFile {
    good(&format!("[filter.a]\n{pins}\nrun = {{ {run} }}\n"))
}

#[test]
fn each_kind_of_run_is_read() {
    let source = "pin.out = { direction = \"out\" }";
    let sink = "pin.in = { direction = \"in\" }";
    let both = |route: &str| format!("{source}\n{sink}\nroutes = [\"in -> out {route}\"]");
    let path = |name: &str| data("good").join(name);
    let rate = |numerator, denominator| Rate { numerator, denominator };
    let picture = "format = \"i420\", width = 4, height = 2";
    let table = [
        (
            source.to_owned(),
            format!("kind = \"pattern\", {picture}"),
            Run::Pattern { format: PixelFormat::I420, width: 4, height: 2, rate: rate(30, 1), frames: None },
        ),
        (
            source.to_owned(),
            format!("kind = \"pattern\", {picture}, rate = \"30000/1001\", frames = 7"),
            Run::Pattern { format: PixelFormat::I420, width: 4, height: 2, rate: rate(30_000, 1001), frames: Some(7) },
        ),
        (source.to_owned(), "kind = \"y4m\", path = \"-\"".to_owned(), Run::Y4mSource { path: PathBuf::from("-") }),
        (
            source.to_owned(),
            format!("kind = \"raw\", path = \"a.yuv\", {picture}, rate = \"25\""),
            Run::RawSource { path: path("a.yuv"), format: PixelFormat::I420, width: 4, height: 2, rate: rate(25, 1) },
        ),
        (both("in-place"), "kind = \"invert\"".to_owned(), Run::Invert),
        (both("either"), "kind = \"invert\"".to_owned(), Run::Invert),
        (both("copy"), "kind = \"convert\"".to_owned(), Run::Convert),
        (both("pass"), "kind = \"hold\", frames = 3".to_owned(), Run::Hold { frames: 3 }),
        (both("pass"), "kind = \"tee\"".to_owned(), Run::Tee),
        (
            "pin.a = { direction = \"in\" }\npin.b = { direction = \"in\" }\npin.out = { direction = \"out\" }\nroutes = [\"a -> out pass\"]".to_owned(),
            "kind = \"join\"".to_owned(),
            Run::Join,
        ),
        (
            sink.to_owned(),
            "kind = \"y4m\", path = \"/a.y4m\"".to_owned(),
            Run::Y4mSink { path: PathBuf::from("/a.y4m") },
        ),
        (sink.to_owned(), "kind = \"raw\", path = \"./-\"".to_owned(), Run::RawSink { path: path("./-") }),
        (
            sink.to_owned(),
            "kind = \"png\", path = \"a-{}.png\"".to_owned(),
            Run::Png { path: path("a-{}.png"), every: 1 },
        ),
        (
            sink.to_owned(),
            "kind = \"png\", path = \"a-{:05}.png\", every = 24".to_owned(),
            Run::Png { path: path("a-{:05}.png"), every: 24 },
        ),
        (sink.to_owned(), "kind = \"checksum\"".to_owned(), Run::Checksum { path: None }),
        (
            sink.to_owned(),
            "kind = \"checksum\", path = \"sums\"".to_owned(),
            Run::Checksum { path: Some(path("sums")) },
        ),
        (sink.to_owned(), "kind = \"discard\"".to_owned(), Run::Discard),
    ];
    for kind in &keys::KINDS {
        assert!(table.iter().any(|(.., run)| run.kind() == kind.name), "no case has the kind `{}`", kind.name);
    }
    for (pins, text, expected) in table {
        assert_eq!(run(&pins, &text).graph.filters()[0].run(), Some(&expected), "{text}");
    }
}

#[test]
fn a_format_gives_its_pin_the_size_of_a_picture_unless_the_pin_says_more() {
    let picture = "kind = \"pattern\", format = \"nv12\", width = 1920, height = 1080";
    let file = run("pin.out = { direction = \"out\" }", picture);
    assert_eq!(file.graph.pins()[0].media_size(), Some(3_110_400));
    let file = run("pin.out = { direction = \"out\", media-size = 4194304 }", picture);
    assert_eq!(file.graph.pins()[0].media_size(), Some(4_194_304));
    let file = run("pin.out = { direction = \"out\" }", "kind = \"y4m\", path = \"a.y4m\"");
    assert_eq!(file.graph.pins()[0].media_size(), None, "only the file knows");
}

#[test]
fn a_filter_that_holds_frames_says_so_at_its_in_pin() {
    let pins = |holds: &str| {
        format!(
            "pin.in = {{ direction = \"in\"{holds} }}\npin.out = {{ direction = \"out\" }}\nroutes = [\"in -> out pass\"]"
        )
    };
    let holds = |file: &GraphFile| file.graph.pin(file.graph.find_pin("a.in").expect("it is there")).holds();
    assert_eq!(holds(&run(&pins(""), "kind = \"hold\", frames = 3")), Some(3));
    assert_eq!(holds(&run(&pins(", holds = 5"), "kind = \"hold\", frames = 3")), Some(5));
}

#[test]
fn a_file_is_read_from_its_path_and_its_paths_are_relative_to_it() {
    let file = GraphFile::read(&data("good").join("camera.toml")).expect("it is good");
    assert_eq!(file.graph, example());
    assert_eq!(file.base(), data("good"));
    assert!(file.name().ends_with("camera.toml"));
}

#[test]
fn what_is_odd_but_not_wrong_is_a_finding_with_its_place() {
    let table = [
        ("pin.x = { direction = \"in\", compression = { margin = 8 } }", "compression", "no effect"),
        ("pin.x = { direction = \"in\", framing = [{ pitch = 8 }] }", "pitch", "2d-buffer-required"),
        ("pin.x = { direction = \"in\", framing = [{ flags = [\"cycle\", \"cycle\"] }] }", "\"cycle\"", "twice"),
        ("pin.x = { direction = \"in\", framing = [{ optimal = { min = 7, max = 6 } }] }", "7", "over its maximum"),
        (
            "pin.x = { direction = \"in\", framing = [{ physical = { max = 6 }, optimal = { min = 7 } }] }",
            "optimal",
            "over the physical maximum",
        ),
        (
            "pin.x = { direction = \"in\", framing = [{ size = { min = 7, max = 6 }, requirements = [\"preferences-only\"] }] }",
            "7",
            "over its maximum",
        ),
    ];
    for (pin, place, message) in table {
        let file = good(&format!("[filter.a]\n{pin}\n"));
        let [finding] = file.findings() else { panic!("{pin}: {:?}", file.findings()) };
        assert!(finding.message.contains(message), "{pin}: {}", finding.message);
        assert_eq!(text_at(&file, finding.span), place, "{pin}");
        assert_eq!(finding.subject.pin.as_deref(), Some("a.x"), "{pin}");
        assert!(!finding.help.is_empty());
    }
    let file = good("[filter.lonely]\n");
    assert_eq!(file.findings().len(), 1);
    assert_eq!(file.findings()[0].subject.pin, None);
}

#[test]
fn windows_line_ends_and_a_byte_order_mark_change_nothing() {
    let text = format!("\u{FEFF}{}", EXAMPLE.replace('\n', "\r\n"));
    let file = good(&text);
    assert_eq!(file.graph, example());
    let pin = file.graph.find_pin("overlay.out").expect("it is in the example");
    assert_eq!(text_at(&file, file.pin_span(pin)), "out");
    assert_eq!(file.position(file.pin_span(pin).expect("a place")), (13, 5));
    assert!(parse("\u{FEFF}\u{FEFF}").is_err());
}

#[test]
fn a_blob_is_the_framing_of_its_pin() {
    let text = r#"[filter.a]
pin.new = { direction = "out", framing-blob = "blobs/capture-pin.bin" }
pin.old = { direction = "in", framing-blob = "blobs/old-pin.bin" }
pin.shrinks = { direction = "out", framing-blob = 'blobs/compressing-pin.bin' }
pin.stated = { direction = "out", framing-blob = "blobs/capture-pin.bin", compression = { denominator = 2 } }
"#;
    let file = good(text);
    let graph = &file.graph;
    let id = |name: &str| graph.find_pin(name).expect("it is in the file");
    let item = FramingItem {
        memory: ks::KSMEMORY_TYPE_KERNEL_NONPAGED,
        frames: 4,
        alignment: 4096,
        optimal: FrameRange::exactly(3_110_400),
        ..FramingItem::default()
    };
    let second = FramingItem { frames: 8, alignment: 8192, ..item.clone() };
    assert_eq!(*graph.pin(id("a.new")).framing(), Framing::Extended(vec![item, second]));
    assert!(matches!(graph.pin(id("a.old")).framing(), Framing::Old(item) if item.capacity() == 58_656));
    let shrinks = Compression { numerator: 1, denominator: 10, margin: 512 };
    assert_eq!(graph.pin(id("a.shrinks")).compression(), shrinks);
    assert_eq!(graph.pin(id("a.stated")).compression(), Compression { denominator: 2, ..Compression::NONE });
    assert_eq!(text_at(&file, file.item_span(id("a.new"), 1)), "\"blobs/capture-pin.bin\"");
    // 4096 is an alignment where a mask should be: told once for each pin that has it, at the blob's name.
    let findings: Vec<_> =
        file.findings().iter().map(|finding| (finding.subject.pin.as_deref(), finding.message.as_str())).collect();
    assert_eq!(findings.len(), 2, "{findings:?}");
    for (finding, pin) in findings.iter().zip(["a.new", "a.stated"]) {
        assert_eq!(finding.0, Some(pin));
        assert!(finding.1.contains("blobs/capture-pin.bin") && finding.1.contains("FramingItem[1].FileAlignment"));
    }
}

#[test]
fn every_example_of_the_documentation_is_read() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/graph-file.md");
    let page = std::fs::read_to_string(page).expect("the page is part of the project");
    let blocks: Vec<&str> =
        page.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap_or_default()).collect();
    assert!(blocks.len() >= 9, "{} examples", blocks.len());
    for block in blocks {
        // Where an example shows a part, the rest of the file stands around it.
        let around = if block.starts_with("pin.") { "[filter.around]\n" } else { "" };
        let filter = if block.contains("filter.") || !around.is_empty() { "" } else { "[filter.around]\n" };
        good(&format!("{around}{block}{filter}"));
    }
}
