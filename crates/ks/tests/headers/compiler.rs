//! Asks a C++ compiler for Windows what the headers say: declarations in, the bytes of the data it emits out.

use std::collections::HashMap;
use std::io::Write;
use std::process::{Command, Stdio};

/// The bytes behind every label of an assembly.
pub(crate) type Symbols = HashMap<String, Vec<u8>>;

/// An architecture of Windows that mingw-w64 compiles for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Architecture {
    X86_64,
    I686,
}

impl Architecture {
    pub(crate) const ALL: [Self; 2] = [Self::X86_64, Self::I686];

    fn compiler(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64-w64-mingw32-g++",
            Self::I686 => "i686-w64-mingw32-g++",
        }
    }

    fn package(self) -> &'static str {
        match self {
            Self::X86_64 => "g++-mingw-w64-x86-64",
            Self::I686 => "g++-mingw-w64-i686",
        }
    }

    /// What the compiler puts before the name of a C symbol.
    fn symbol_prefix(self) -> &'static str {
        match self {
            Self::X86_64 => "",
            Self::I686 => "_",
        }
    }

    pub(crate) fn pointer_bytes(self) -> u64 {
        match self {
            Self::X86_64 => 8,
            Self::I686 => 4,
        }
    }
}

/// The headers as a program sees them, or as a driver does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Headers {
    /// windows.h and its companions, as C++.
    User,
    /// ntddk.h, as C: mingw-w64's does not compile as C++.
    Kernel,
}

const USER_PRELUDE: &str = r#"
#define __STREAMS__
#define WIN32_NO_STATUS
#include <windows.h>
#undef WIN32_NO_STATUS
#include <ntstatus.h>
#include <objbase.h>
#include <olectl.h>
#include <strmif.h>
#include <vfwmsgs.h>
#include <ks.h>
#include <ksmedia.h>
#include <ksproxy.h>
#include <cstddef>
#include <type_traits>

typedef decltype(KSEVENTDATA::EventHandle) EVENT_HANDLE_ARM;
typedef decltype(KSEVENTDATA::SemaphoreHandle) SEMAPHORE_HANDLE_ARM;

// The bytes an argument takes on the i686 stack: whole words, and a reference is a pointer.
template <class T> struct StackBytes { static constexpr unsigned value = (sizeof(T) + 3) / 4 * 4; };
template <class T> struct StackBytes<T &> { static constexpr unsigned value = 4; };

// What the callee removes: this, the arguments, and the address of a result that is returned through memory.
template <class R, class C, class... A> constexpr unsigned stack_bytes(R (STDMETHODCALLTYPE C::*)(A...)) {
    return 4 + (0u + ... + StackBytes<A>::value) + (std::is_class<R>::value ? 4 : 0);
}

template <class T, class = void> struct HasFramePitch : std::false_type {};
template <class T> struct HasFramePitch<T, std::void_t<decltype(T::FramePitch)>> : std::true_type {};

#define VALUE extern "C" constexpr unsigned long long
#define CONSTANT extern "C" const
"#;

const KERNEL_PRELUDE: &str = r#"
#include <ntddk.h>
#include <windef.h>
#include <ks.h>
#include <stddef.h>

#define VALUE const unsigned long long
#define CONSTANT const
"#;

/// The bytes of every symbol that these declarations define.
pub(crate) fn data(architecture: Architecture, headers: Headers, declarations: &str) -> Symbols {
    let (prelude, arguments) = match headers {
        Headers::User => (USER_PRELUDE, ["-x", "c++", "-std=c++17"]),
        Headers::Kernel => (KERNEL_PRELUDE, ["-x", "c", "-std=gnu11"]),
    };
    let mut command = Command::new(architecture.compiler());
    command.args(arguments).args(["-w", "-O1", "-S", "-o", "-", "-"]);
    if headers == Headers::Kernel {
        command.arg("-I").arg(driver_headers(architecture));
    }
    let assembly = run(architecture, &mut command, &format!("{prelude}\n{declarations}"));
    parse(&assembly, architecture.symbol_prefix())
}

/// The directory of the headers for drivers: `ddk/` beside windows.h.
fn driver_headers(architecture: Architecture) -> String {
    let mut command = Command::new(architecture.compiler());
    command.args(["-x", "c", "-M", "-"]);
    let dependencies = run(architecture, &mut command, "#include <windows.h>\n");
    let windows = dependencies
        .split_whitespace()
        .find(|path| path.ends_with("/windows.h"))
        .unwrap_or_else(|| panic!("{} does not say where windows.h is", architecture.compiler()));
    format!("{}/ddk", windows.trim_end_matches("/windows.h"))
}

fn run(architecture: Architecture, command: &mut Command, source: &str) -> String {
    let compiler = architecture.compiler();
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap_or_else(|error| {
            panic!(
                "cannot run {compiler}: {error}. This test compares this crate with the Windows headers and needs the \
                 Debian packages g++-mingw-w64-x86-64 and g++-mingw-w64-i686 (here: {})",
                architecture.package()
            )
        });
    let mut input = child.stdin.take().expect("the input is piped");
    let source = source.to_owned();
    let writer = std::thread::spawn(move || input.write_all(source.as_bytes()));
    let output = child.wait_with_output().expect("the compiler can be waited for");
    let written = writer.join().expect("the writer does not panic");
    assert!(output.status.success(), "{compiler} failed:\n{}", String::from_utf8_lossy(&output.stderr));
    written.expect("the compiler reads its input");
    String::from_utf8(output.stdout).expect("assembly is text")
}

/// The data directives behind every label.
fn parse(assembly: &str, symbol_prefix: &str) -> Symbols {
    let mut symbols = HashMap::new();
    let mut current = String::new();
    for line in assembly.lines().map(str::trim) {
        if let Some(label) = line.strip_suffix(':') {
            current = label.strip_prefix(symbol_prefix).unwrap_or(label).to_owned();
            symbols.insert(current.clone(), Vec::new());
            continue;
        }
        let (directive, argument) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let Some(bytes) = symbols.get_mut(&current) else { continue };
        match directive {
            ".quad" => bytes.extend_from_slice(&integer(argument).to_le_bytes()[..8]),
            ".long" => bytes.extend_from_slice(&integer(argument).to_le_bytes()[..4]),
            ".word" | ".short" | ".value" => bytes.extend_from_slice(&integer(argument).to_le_bytes()[..2]),
            ".byte" => bytes.extend_from_slice(&integer(argument).to_le_bytes()[..1]),
            ".space" | ".zero" | ".skip" => {
                bytes.resize(bytes.len() + usize::try_from(integer(argument)).expect("a length"), 0);
            }
            ".ascii" => bytes.extend(text(argument)),
            ".asciz" | ".string" => bytes.extend(text(argument).into_iter().chain([0])),
            _ => {}
        }
    }
    symbols
}

/// A number of the assembly; a name (the address of something) counts as 0, because nothing here asks for one.
fn integer(argument: &str) -> i128 {
    argument.trim().parse().unwrap_or(0)
}

/// The bytes of a quoted text of the assembly.
fn text(argument: &str) -> Vec<u8> {
    let quoted = argument.trim().strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let mut source = quoted.unwrap_or_else(|| panic!("not a quoted text: {argument}")).bytes().peekable();
    let mut bytes = Vec::new();
    while let Some(byte) = source.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        match source.next() {
            Some(digit @ b'0'..=b'7') => {
                let mut value = u32::from(digit - b'0');
                for _ in 0..2 {
                    match source.next_if(|next| matches!(next, b'0'..=b'7')) {
                        Some(digit) => value = value * 8 + u32::from(digit - b'0'),
                        None => break,
                    }
                }
                bytes.push(u8::try_from(value).expect("an octal escape is a byte"));
            }
            Some(b'n') => bytes.push(b'\n'),
            Some(b't') => bytes.push(b'\t'),
            Some(b'r') => bytes.push(b'\r'),
            Some(b'b') => bytes.push(8),
            Some(b'f') => bytes.push(12),
            Some(other) => bytes.push(other),
            None => panic!("a text ends in an escape: {argument}"),
        }
    }
    bytes
}

#[test]
fn assembly_is_read_as_an_assembler_reads_it() {
    let assembly = "_a:\n\t.long\t-1\n\t.word\t2\n\t.byte\t7\n_b:\n\t.ascii \"x\\0\\213F\\\\\\\"\\n\"\n\t.space 2\n";
    let symbols = parse(assembly, "_");
    assert_eq!(symbols["a"], [255, 255, 255, 255, 2, 0, 7]);
    assert_eq!(symbols["b"], [b'x', 0, 0o213, b'F', b'\\', b'"', b'\n', 0, 0]);
}
