//! The conformance program: building it, running it, and what it says.

use crate::tools::{folder, run, succeed};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// What was found of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Ok,
    /// And why.
    Failed(String),
    NotApplicable,
}

/// A run of the program.
pub struct Run {
    pub verdicts: BTreeMap<u32, Verdict>,
    pub status: Option<i32>,
    /// Everything it wrote, to be shown when a test fails.
    pub text: String,
}

impl Run {
    /// Reads what the program wrote. A line that is none of its own fails the test: nothing may be overlooked.
    pub fn of(output: &Output) -> Self {
        let text = String::from_utf8_lossy(&output.stdout).replace('\r', "");
        let mut verdicts = BTreeMap::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (verdict, rest): (fn(String) -> Verdict, _) = if let Some(rest) = line.strip_prefix("ok ") {
                (|_| Verdict::Ok, rest)
            } else if let Some(rest) = line.strip_prefix("FAIL ") {
                (Verdict::Failed, rest)
            } else if let Some(rest) = line.strip_prefix("not applicable ") {
                (|_| Verdict::NotApplicable, rest)
            } else {
                panic!("a line that is no verdict: {line:?} in\n{text}");
            };
            let (number, what) = rest.split_once(' ').expect("a number and words");
            let number: u32 = number.parse().expect("a statement's number");
            assert!(verdicts.insert(number, verdict(what.to_owned())).is_none(), "{number} twice in\n{text}");
        }
        let errors = String::from_utf8_lossy(&output.stderr);
        Self { verdicts, status: output.status.code(), text: format!("{text}{errors}") }
    }

    /// The statements that failed.
    pub fn failed(&self) -> Vec<u32> {
        self.verdicts.iter().filter(|(_, verdict)| matches!(verdict, Verdict::Failed(_))).map(|(n, _)| *n).collect()
    }

    /// A run in which nothing failed, else the test fails.
    pub fn expect_success(self, where_: &str) -> Self {
        assert_eq!((self.failed(), self.status), (vec![], Some(0)), "{where_}:\n{}", self.text);
        self
    }
}

/// For what the program is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Platform {
    Linux,
    Windows64,
    Windows32,
}

impl Platform {
    fn compiler(self) -> &'static str {
        match self {
            Platform::Linux => "g++",
            Platform::Windows64 => "x86_64-w64-mingw32-g++",
            Platform::Windows32 => "i686-w64-mingw32-g++",
        }
    }

    /// The Debian package with the compiler.
    fn package(self) -> &'static str {
        match self {
            Platform::Linux => "g++",
            Platform::Windows64 => "g++-mingw-w64-x86-64",
            Platform::Windows32 => "g++-mingw-w64-i686",
        }
    }
}

/// The folder with the program's source and its tables.
pub fn sources() -> PathBuf {
    folder().join("tests/conformance")
}

fn is_of_mutants(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("mutants"))
}

/// Builds the library of mistakes.
pub fn build_mutants(place: &Path) -> PathBuf {
    let library = place.join("libmutants.so");
    let mut command = Command::new("g++");
    command.args(["-std=c++17", "-Wall", "-Wextra", "-Werror", "-O1", "-fPIC", "-shared", "-pthread", "-I"]);
    command.arg(folder().join("include")).args(cpp_files().filter(|path| is_of_mutants(path)));
    command.arg("-o").arg(&library).arg("-ldl");
    succeed(run(&mut command, "g++"), "the mutants");
    library
}

fn cpp_files() -> impl Iterator<Item = PathBuf> {
    std::fs::read_dir(sources())
        .expect("the program's source")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "cpp"))
}

/// Builds the program in a folder, every warning an error.
pub fn build(platform: Platform, place: &Path) -> PathBuf {
    let (others, compiling, linking): (_, &[&str], &[&str]) = match platform {
        Platform::Linux => ("platform_windows", &["-pthread"], &["-pthread", "-rdynamic", "-ldl"]),
        // -static: no libraries of the compiler's beside the program.
        _ => ("platform_posix", &[], &["-static", "-lksguid", "-lstrmiids", "-lole32", "-luuid"]),
    };
    let mut files: Vec<PathBuf> = cpp_files()
        .filter(|path| path.file_stem().is_some_and(|name| name != others))
        .filter(|path| !is_of_mutants(path))
        .collect();
    files.sort();
    let compiler = |command: &mut Command| run(command, platform.package());
    let object = |source: &Path| place.join(source.file_name().expect("a name")).with_extension("o");
    std::thread::scope(|scope| {
        for source in &files {
            scope.spawn(move || {
                let mut command = Command::new(platform.compiler());
                command.args(["-std=c++17", "-Wall", "-Wextra", "-Werror", "-O1", "-c"]).args(compiling).arg("-I");
                command.arg(folder().join("include")).arg(source).arg("-o").arg(object(source));
                succeed(compiler(&mut command), &format!("{} {}", platform.compiler(), source.display()));
            });
        }
    });
    let program = place.join("conformance.exe");
    let mut command = Command::new(platform.compiler());
    command.args(files.iter().map(|source| object(source))).arg("-o").arg(&program).args(linking);
    succeed(compiler(&mut command), "linking the program");
    if platform != Platform::Linux {
        let mut command = Command::new(platform.compiler().replace("g++", "gcc"));
        command.args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-O1", "-shared", "-Wl,--kill-at"]);
        command.arg(sources().join("ksuser.c")).arg("-o").arg(place.join("ksuser.dll"));
        succeed(compiler(&mut command), "ksuser.dll");
    }
    program
}
