//! What the library exports: the programs in C++ that call it, and the names themselves.
#![cfg(target_os = "linux")]

#[path = "common/tools.rs"]
#[allow(unreachable_pub)]
mod tools;

use std::collections::BTreeSet;
use std::process::Command;
use tools::*;

/// Builds a program of `tests/cpp` and runs it with the library and more.
fn program(name: &str, arguments: &[&str]) -> std::process::Output {
    let build = tempfile::tempdir().expect("a folder");
    let program = build.path().join(name);
    compile("g++", "-std=c++17", &folder().join(format!("tests/cpp/{name}.cpp")), &program);
    run(Command::new(&program).arg(library()).args(arguments), "g++")
}

#[test]
fn the_module_is_loaded_used_and_unloaded_from_cpp() {
    let output = succeed(program("module", &["register"]), "the module's life");
    assert!(
        output.ends_with(
            "
0 failed
"
        ),
        "{output}"
    );
}

#[test]
fn the_functions_of_ksproxy_ax_answer_and_cannot_be_broken_from_cpp() {
    let output = succeed(program("proxy_functions", &[]), "the functions");
    assert!(
        output.ends_with(
            "
0 failed
"
        ),
        "{output}"
    );
}

/// The names in a text that stand in the first column of a table under `heading`.
fn tabled(page: &str, heading: &str) -> BTreeSet<String> {
    let section = page.split(heading).nth(1).unwrap_or_else(|| panic!("no {heading:?} in the page"));
    let section = section.split("\n## ").next().expect("a section");
    let names = section.lines().filter_map(|line| line.strip_prefix("| `")?.split(['`', '(']).next());
    // `HRESULT KspCreateAllocator(...`: the name is the last word.
    names.map(|name| name.split([' ', '*']).next_back().expect("a name").to_owned()).collect()
}

#[test]
fn what_is_exported_is_what_the_page_says() {
    let mut command = Command::new("nm");
    command.args(["--dynamic", "--defined-only", "--format=just-symbols"]).arg(library());
    let exported: BTreeSet<String> = succeed(run(&mut command, "binutils"), "nm").lines().map(str::to_owned).collect();
    let page = std::fs::read_to_string(folder().join("../../docs/com.md")).expect("docs/com.md");
    assert_eq!(exported, tabled(&page, "\n## Exports\n"));
}
