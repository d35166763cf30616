//! Programs for Windows that are linked with `ksproxy.dll`, run in Wine. `ci/windows.sh` builds the DLL and runs these.
#![cfg(target_os = "linux")]

#[path = "common/tools.rs"]
#[allow(unreachable_pub)]
mod tools;

use std::path::Path;
use std::process::Command;
use tools::*;

/// Compiles a program, links it with the import library, and runs it.
fn output_of(bits: &str, source: &Path, place: &Path) -> String {
    let compiler = match bits {
        "64" => "x86_64-w64-mingw32-g++",
        "32" => "i686-w64-mingw32-g++",
        other => panic!("{other} bits"),
    };
    let program = place.join("program.exe");
    let mut command = Command::new(compiler);
    command
        .args(["-std=c++17", "-Wall", "-Wextra", "-Werror", "-O1", "-static-libgcc", "-static-libstdc++"])
        .arg(source)
        .arg("-o")
        .arg(&program);
    command.arg("-L").arg(folder().join("../../target/windows").join(bits));
    command.args(["-lksproxy", "-lstrmiids", "-lksguid", "-lole32", "-luuid"]);
    succeed(run(&mut command, compiler), "mingw-w64's compiler");
    let mut command = Command::new(folder().join("../../ci/wine.sh"));
    succeed(run(command.arg(bits).arg(program), "wine"), &format!("the program in {bits}-bit Wine")).replace('\r', "")
}

fn a_program_goes_on_after_stubs(bits: &str) {
    let place = tempfile::tempdir().expect("a folder");
    assert_eq!(output_of(bits, &folder().join("tests/wine/linked.cpp"), place.path()), "0 failed\n");
}

fn the_page_says_what_builds_and_runs(bits: &str) {
    let page = std::fs::read_to_string(folder().join("../../docs/com.md")).expect("docs/com.md");
    let section = page.split("\n## On Windows, and in Wine\n").nth(1).expect("the section");
    let code = section.split("```cpp\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a program in C++");
    let place = tempfile::tempdir().expect("a folder");
    let source = place.path().join("main.cpp");
    std::fs::write(&source, code).expect("the source is written");
    assert_eq!(output_of(bits, &source, place.path()), "4096 bytes\n");
}

/// The page's declarations of what no header of Windows has: the library takes them as they are written.
fn the_page_declares_what_no_header_does(bits: &str) {
    const INCLUDES: &str = "#include <windows.h>\n#include <dshow.h>\n#include <ks.h>\n#define __STREAMS__\n\
                            #include <ksproxy.h>\n#include <cstdio>\n#include <cwchar>\n";
    const MAIN: &str = r#"
        static void STDMETHODCALLTYPE count(void *context, const char *) { ++*static_cast<int *>(context); }

        int main() {
            HANDLE event = CreateEventW(nullptr, TRUE, FALSE, nullptr);
            KSP_PIN_DESCRIPTION in = {sizeof in, PINDIR_INPUT, L"In", L"Screen", nullptr, 0, KSPIN_COMMUNICATION_NONE, event};
            IPin *pin = nullptr;
            HRESULT made = KspCreatePin(&in, IID_IPin, reinterpret_cast<void **>(&pin));
            IKsPinPipe *pipe = nullptr;
            IKsObject *object = nullptr;
            pin->QueryInterface(__uuidof(IKsPinPipe), reinterpret_cast<void **>(&pipe));
            pin->QueryInterface(__uuidof(IKsObject), reinterpret_cast<void **>(&object));
            int sentences = 0;
            HRESULT negotiated =
                KspNegotiatePins(reinterpret_cast<IUnknown **>(&pin), 1, AllocatorStrategy_DontCare, count, &sentences);
            bool named = std::wcscmp(pipe->KsGetPinName(), L"In") == 0 && object->KsGetObjectHandle() == event;
            KspDeleteMediaType(nullptr);
            std::printf("%lx %lx %d %d\n", made, negotiated, sentences, named);
            object->Release();
            pipe->Release();
            pin->Release();
            return CLSID_KspAllocator.Data1 != 0x5FA6F11F;
        }"#;
    let page = std::fs::read_to_string(folder().join("../../docs/com.md")).expect("docs/com.md");
    let part = page.split("\n**What no header of Windows declares**").nth(1).expect("the declarations");
    let code = part.split("```cpp\n").nth(1).and_then(|rest| rest.split("```").next()).expect("C++");
    let place = tempfile::tempdir().expect("a folder");
    let source = place.path().join("main.cpp");
    std::fs::write(&source, format!("{INCLUDES}{code}{MAIN}\n")).expect("the source is written");
    // VFW_E_NOT_CONNECTED, and a sentence that says so.
    assert_eq!(output_of(bits, &source, place.path()), "0 80040209 1 1\n");
}

#[test]
#[ignore = "ci/windows.sh runs it, after it has built ksproxy.dll"]
fn a_program_goes_on_after_stubs_windows_64() {
    a_program_goes_on_after_stubs("64");
}

#[test]
#[ignore = "ci/windows.sh runs it, after it has built ksproxy.dll"]
fn a_program_goes_on_after_stubs_windows_32() {
    a_program_goes_on_after_stubs("32");
}

#[test]
#[ignore = "ci/windows.sh runs it, after it has built ksproxy.dll"]
fn the_page_says_what_builds_and_runs_windows_64() {
    the_page_says_what_builds_and_runs("64");
}

#[test]
#[ignore = "ci/windows.sh runs it, after it has built ksproxy.dll"]
fn the_page_says_what_builds_and_runs_windows_32() {
    the_page_says_what_builds_and_runs("32");
}

#[test]
#[ignore = "ci/windows.sh runs it, after it has built ksproxy.dll"]
fn the_page_declares_what_no_header_does_windows_64() {
    the_page_declares_what_no_header_does("64");
}

#[test]
#[ignore = "ci/windows.sh runs it, after it has built ksproxy.dll"]
fn the_page_declares_what_no_header_does_windows_32() {
    the_page_declares_what_no_header_does("32");
}
