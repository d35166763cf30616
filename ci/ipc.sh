#!/usr/bin/env bash
# Frames between processes beside iceoryx2, two rings of indices and a raw futex: `ci/ipc.sh [ROUNDS]`. The crate is not of the
# workspace, so that its dependencies are nobody else's.
# `ci/ipc.sh ROUNDS pictures`: only 4K pictures written and read.
set -euo pipefail
cd "$(dirname "$0")/.."
printf 'load: %s\n' "$(cut -d' ' -f1-3 /proc/loadavg)"
cargo run --quiet --release --locked --manifest-path ci/ipc/Cargo.toml --target-dir target/ipc -- "${1:-9}" "${@:2}"
