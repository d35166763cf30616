//! The protocol, spoken by who has only its page: a client in Python.
#![cfg(unix)]

mod common;

use common::*;
use std::process::Command;

#[test]
fn this_program_is_the_server_if_asked_to() {
    serve_if_asked_to();
}

#[test]
fn a_client_in_another_language_is_served_alike() {
    if let Err(error) = Command::new("python3").arg("--version").output() {
        println!("not run: there is no python3 ({error}); ci/packages.sh installs it");
        return;
    }
    let server = ServerProcess::start();
    let client = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/client.py");
    let output = Command::new("python3").arg(client).arg(server.path()).output().expect("it was there just now");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let expected = "\
object 1 versions 1 1 pointers 8
object 2
object 3
status 0 0
status 1 0
cancelled 0xc0000120
given 0 True
signalled 1
signalled 1
status 0 0
versions 0xc0000059 8 9 1 1 0
unknown kind 0xc0000010
closed 0xc0000120
hung up
";
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
}
