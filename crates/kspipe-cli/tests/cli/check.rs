//! `kspipe check`: what it says of graphs and framings, in which form, and how it ends.

use crate::ground::{Ground, root};
use ks::{AlignmentMask, FramingFlags, KSMEMORY_TYPE_KERNEL_NONPAGED, KsAllocatorFramingEx};
use serde_json::Value;
use zerocopy::IntoBytes;

/// Two warnings and a note: frames for nobody to hold, a size under its format, locked user memory.
const ODD: &str = "\
connections = [\"camera.capture -> viewer.in\"]
[filter.camera]
mode = \"kernel\"
pin.capture = { direction = \"out\", framing = [{ frames = 4, memory = \"kernel-nonpaged\" }] }
[filter.viewer]
pin.in = { direction = \"in\", media-size = 153600, holds = 4, framing = [{ size = 8192, requirements = [\"preferences-only\"] }] }
";

const WRONG: &str = "filter.a.pin.out = { direction = \"out\", framing = [{ alignment = 4095 }] }\n";

/// Pages of alignment, written as a count.
fn blob() -> Vec<u8> {
    let flags = FramingFlags(0x8000_0002);
    KsAllocatorFramingEx::simple(KSMEMORY_TYPE_KERNEL_NONPAGED, flags, 2, AlignmentMask(4096), 153_600, 153_600)
        .as_bytes()
        .to_vec()
}

fn ground() -> Ground {
    let ground = Ground::new();
    ground.file("odd.toml", ODD);
    ground.file("wrong.toml", WRONG);
    ground.file("pin.bin", blob());
    ground
}

fn json(ground: &Ground, arguments: &[&str], code: i32) -> Value {
    let (text, _) = ground.run(arguments, code);
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn findings_are_printed_as_compilers_do() {
    let ground = ground();
    let (text, _) = ground.run(&["check", "odd.toml", "wrong.toml", "pin.bin"], 1);
    insta::assert_snapshot!(text);
}

#[test]
fn the_exit_code_says_whether_there_are_errors() {
    let ground = ground();
    let table: [(&[&str], i32); 14] = [
        (&["check", "examples/preview.toml"], 0),
        (&["check", "odd.toml"], 0),
        (&["check", "--deny", "warnings", "odd.toml"], 1),
        (&["check", "--deny", "warnings", "--allow", "KS049,frames-under-holds", "odd.toml"], 0),
        (&["check", "--deny", "notes", "--allow", "KS049,KS054", "odd.toml"], 1),
        (&["check", "--deny", "KS014", "odd.toml"], 1),
        (&["check", "--only", "KS014", "--deny", "warnings", "odd.toml"], 0),
        (&["check", "wrong.toml"], 1),
        (&["check", "--allow", "KS043", "wrong.toml"], 0),
        (&["check", "pin.bin", "odd.toml"], 1),
        (&["check", "examples/infeasible.toml"], 1),
        (&["check", "nowhere.toml", "odd.toml"], 3),
        (&["check", "--allow", "KS999", "odd.toml"], 2),
        (&["check"], 2),
    ];
    for (arguments, code) in table {
        ground.run(arguments, code);
    }
    ground.run(&["check", "-", "-"], 2);
    ground.run(&["check", "--list", "odd.toml"], 2);
}

#[test]
fn a_file_that_cannot_be_read_does_not_hide_what_is_found_in_others() {
    let ground = ground();
    let (text, error) = ground.run(&["check", "nowhere.toml", "odd.toml"], 3);
    assert!(error.contains("nowhere.toml") && text.contains("odd.toml:6:"), "{error}{text}");
}

#[test]
fn fixes_are_written_into_graph_files_and_change_nothing_else() {
    let ground = ground();
    let text = ODD.replace("[filter.camera]", "# grün\r\n[filter.camera] # it holds nothing\r");
    ground.file("odd.toml", &text);
    ground.run(&["check", "--fix", "--allow", "KS054", "odd.toml"], 0);
    assert_eq!(ground.text("odd.toml"), text, "what is left out is not fixed");
    let (left, said) = ground.run(&["check", "--fix", "odd.toml", "pin.bin"], 1);
    assert_eq!(ground.text("odd.toml"), text.replace("frames = 4", "frames = 5"));
    assert_eq!(said, "odd.toml: 1 value written\n");
    assert!(!left.contains("KS054") && left.contains("KS014"), "{left}");
    assert_eq!(ground.read("pin.bin"), blob());
    let (_, said) = ground.run(&["check", "--fix", "odd.toml"], 0);
    assert_eq!(said, "");
    ground.run(&["check", "--fix", "-"], 2);
    // An error of the file itself, and what is found once that is gone.
    let (left, _) = ground.run(&["check", "--fix", "wrong.toml"], 0);
    assert_eq!(ground.text("wrong.toml"), WRONG.replace("4095", "4096"));
    assert!(!left.contains("KS043"), "{left}");
}

#[test]
fn what_could_not_be_read_is_counted_and_its_reason_said_once() {
    let ground = ground();
    std::fs::create_dir(ground.path("empty")).expect("a folder can be made");
    let table: [(&[&str], &str, &str); 4] = [
        (&["nowhere.toml"], "no file checked, 1 could not be read\n", "cannot read nowhere.toml: "),
        (&["nowhere.c", "gone.bin"], "no file checked, 2 could not be read\n", "cannot read nowhere.c: "),
        (
            &["examples/tee.toml", "nowhere.c"],
            "1 file checked, 1 could not be read: nothing found\n",
            "cannot read nowhere.c: ",
        ),
        (&["empty"], "no file checked, 1 could not be read\n", "cannot check the directory empty: "),
    ];
    for (files, sum, reason) in table {
        let (text, error) = ground.run(&[&["check"], files].concat(), 3);
        assert_eq!(text, sum, "{files:?}");
        let why = error.split_once(reason).map(|(_, why)| why.lines().next().unwrap_or_default()).unwrap_or_default();
        assert!(!why.is_empty(), "{error}");
        assert_eq!(error.matches(why).count(), error.matches("cannot").count(), "{error}");
        let report = json(&ground, &[&["check", "--format", "json"], files].concat(), 3);
        assert!(report["unread"][0].as_str().is_some_and(|message| message.contains(why)), "{report}");
        let log = json(&ground, &[&["check", "--format", "sarif"], files].concat(), 3);
        let invocation = &log["runs"][0]["invocations"][0];
        assert_eq!(invocation["executionSuccessful"], false);
        let message = invocation["toolExecutionNotifications"][0]["message"]["text"].as_str();
        assert!(message.is_some_and(|message| message.contains(why)), "{log}");
    }
}

#[test]
fn standard_input_is_a_graph_or_a_framing_by_its_content() {
    let ground = ground();
    for (input, kind, code) in [(WRONG.as_bytes().to_vec(), "graph", "KS043"), (blob(), "framing", "KS040")] {
        let output = ground.kspipe(&["check", "--format", "json", "-"]).write_stdin(input).output().expect("it runs");
        assert_eq!(output.status.code(), Some(1));
        let report: Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
        assert_eq!(report["files"][0]["kind"], kind);
        assert_eq!(report["files"][0]["findings"][0]["code"], code);
    }
}

#[test]
fn json_has_the_members_of_its_schema() {
    let ground = ground();
    let schema = std::fs::read(root().join("docs/check.schema.json")).expect("the schema is part of the project");
    let schema: Value = serde_json::from_slice(&schema).expect("it is JSON");
    let validator = jsonschema::validator_for(&schema).expect("it is a schema");
    let files = ["odd.toml", "wrong.toml", "pin.bin", "examples/infeasible.toml", "examples/preview.toml"];
    let report = json(&ground, &[["check", "--format", "json"].as_slice(), &files].concat(), 1);
    let errors: Vec<String> = validator.iter_errors(&report).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    assert_eq!(report["files"].as_array().map(Vec::len), Some(files.len()));
    // Places are those of the text.
    for (file, text) in [("odd.toml", ODD), ("wrong.toml", WRONG)] {
        let checked = report["files"].as_array().and_then(|files| files.iter().find(|checked| checked["file"] == file));
        for finding in checked.expect("it was checked")["findings"].as_array().expect("a list") {
            let place = &finding["place"];
            let number = |name: &str| place[name].as_u64().expect("a number") as usize;
            let line = text.lines().nth(number("line") - 1).expect("the line is there");
            let start = &text[number("start")..];
            assert!(line[number("column") - 1..].starts_with(start.lines().next().expect("a line")), "{finding}");
        }
    }
    let summary = &report["summary"];
    let found = report["files"].as_array().expect("a list").iter();
    let count: usize = found.map(|file| file["findings"].as_array().map_or(0, Vec::len)).sum();
    let total =
        ["errors", "warnings", "notes"].iter().map(|name| summary[name].as_u64().expect("a number")).sum::<u64>();
    assert_eq!(total as usize, count);
}

/// What SARIF 2.1.0 asks of the members that are used (its sections 3.13 to 3.49).
#[test]
fn sarif_has_what_its_readers_need() {
    let ground = ground();
    let log = json(
        &ground,
        &["check", "--format", "sarif", "odd.toml", "wrong.toml", "pin.bin", "examples/infeasible.toml"],
        1,
    );
    assert_eq!(log["version"], "2.1.0");
    assert!(log["$schema"].as_str().is_some_and(|schema| schema.ends_with("sarif-schema-2.1.0.json")));
    let runs = log["runs"].as_array().expect("runs");
    let [run] = runs.as_slice() else { panic!("one run: {runs:?}") };
    assert_eq!(run["tool"]["driver"]["name"], "kspipe");
    let rules = run["tool"]["driver"]["rules"].as_array().expect("rules");
    for rule in rules {
        assert!(rule["id"].as_str().is_some_and(|id| id.starts_with("KS")));
        for text in ["shortDescription", "fullDescription", "help"] {
            assert!(rule[text]["text"].as_str().is_some_and(|text| !text.is_empty()), "{rule}");
        }
        assert!(rule["helpUri"].as_str().is_some_and(|uri| uri.starts_with("https://")));
        let level = rule["defaultConfiguration"]["level"].as_str().expect("a level");
        assert!(["error", "warning", "note"].contains(&level));
    }
    let files: Vec<&Value> =
        run["artifacts"].as_array().expect("artifacts").iter().map(|file| &file["location"]["uri"]).collect();
    let results = run["results"].as_array().expect("results");
    let codes: Vec<&str> = results.iter().filter_map(|result| result["ruleId"].as_str()).collect();
    for code in ["KS014", "KS040", "KS043", "KS049", "KS054", "KS078"] {
        assert!(codes.contains(&code), "{code} of {codes:?}");
    }
    for result in results {
        let index = result["ruleIndex"].as_u64().expect("an index") as usize;
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert!(result["message"]["text"].as_str().is_some_and(|text| !text.is_empty()));
        let location = &result["locations"][0]["physicalLocation"];
        assert!(files.contains(&&location["artifactLocation"]["uri"]));
        let region = &location["region"];
        let number = |name: &str| region[name].as_u64();
        let text = number("startLine").zip(number("startColumn")).zip(number("endLine").zip(number("endColumn")));
        let bytes = number("byteOffset").zip(number("byteLength"));
        assert!(
            bytes.is_some() || text.is_some_and(|(start, end)| start.0 >= 1 && start.1 >= 1 && start <= end),
            "{result}"
        );
    }
    let fix = results.iter().find(|result| result["ruleId"] == "KS054").map(|result| &result["fixes"][0]);
    let replacement = &fix.expect("it has one")["artifactChanges"][0]["replacements"][0];
    assert_eq!(replacement["insertedContent"]["text"], "5");
    assert_eq!(replacement["deletedRegion"]["startLine"], 4);
}

#[test]
fn a_code_is_explained_in_the_terminal() {
    let ground = Ground::new();
    let (text, _) = ground.run(&["check", "--explain", "KS040"], 0);
    insta::assert_snapshot!(text);
    let (all, _) = ground.run(&["check", "--explain", "all"], 0);
    assert!(all.contains(&text));
    let (list, _) = ground.run(&["check", "--list"], 0);
    assert!(list.lines().any(|line| line.starts_with("KS040  error") && line.contains("alignment-as-count")));
    let (_, error) = ground.run(&["check", "--explain", "KS999"], 2);
    assert!(error.contains("--list"), "{error}");
}
