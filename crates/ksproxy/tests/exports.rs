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
fn a_ks_object_of_this_process_keeps_the_library_from_cpp() {
    let output = succeed(program("module", &["pin"]), "the module's life");
    assert!(output.ends_with("\n0 failed\n"), "{output}");
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

/// Builds a program of `tests/cpp` for Windows and runs it in Wine with the DLL that `ci/windows.sh` has built, and more.
fn in_wine(bits: &str, name: &str, arguments: &[&str]) {
    let compiler = match bits {
        "64" => "x86_64-w64-mingw32-g++",
        "32" => "i686-w64-mingw32-g++",
        other => panic!("{other} bits"),
    };
    let build = tempfile::tempdir().expect("a folder");
    let program = build.path().join(format!("{name}.exe"));
    let mut command = Command::new(compiler);
    command.args(["-std=c++17", "-Wall", "-Wextra", "-Werror", "-O1", "-static"]);
    command.arg(folder().join(format!("tests/cpp/{name}.cpp"))).arg("-o").arg(&program).args(["-lole32", "-ladvapi32"]);
    succeed(run(&mut command, compiler), "mingw-w64's compiler");
    let repository = folder().join("../..").canonicalize().expect("the repository");
    let dll = repository.join("target/windows").join(bits).join("ksproxy.dll");
    // Where Wine's programs see Linux's files.
    let dll = format!("Z:{}", dll.display()).replace('/', "\\");
    let mut command = Command::new(repository.join("ci/wine.sh"));
    command.arg(bits).arg(&program).arg(dll).args(arguments);
    let output = succeed(run(&mut command, "wine"), &format!("{name} in {bits}-bit Wine")).replace('\r', "");
    assert!(output.ends_with("\n0 failed\n"), "{output}");
}

#[test]
#[ignore = "ci/windows.sh runs it, after it has built ksproxy.dll"]
fn the_module_is_registered_loaded_and_unloaded_windows_64() {
    in_wine("64", "module", &["register"]);
}

#[test]
#[ignore = "ci/windows.sh runs it, after it has built ksproxy.dll"]
fn the_module_is_registered_loaded_and_unloaded_windows_32() {
    in_wine("32", "module", &["register"]);
}

#[test]
#[ignore = "ci/windows.sh runs it, after it has built ksproxy.dll"]
fn the_functions_of_ksproxy_ax_answer_windows_64() {
    in_wine("64", "proxy_functions", &[]);
}

#[test]
#[ignore = "ci/windows.sh runs it, after it has built ksproxy.dll"]
fn the_functions_of_ksproxy_ax_answer_windows_32() {
    in_wine("32", "proxy_functions", &[]);
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
fn what_is_exported_is_what_the_pages_say() {
    let mut command = Command::new("nm");
    command.args(["--dynamic", "--defined-only", "--format=just-symbols"]).arg(library());
    let exported: BTreeSet<String> = succeed(run(&mut command, "binutils"), "nm").lines().map(str::to_owned).collect();
    let said = ["com.md", "c-client.md"].iter().flat_map(|name| {
        let page = std::fs::read_to_string(folder().join("../../docs").join(name)).expect(name);
        tabled(&page, "\n## Exports\n")
    });
    assert_eq!(exported, said.collect());
}
