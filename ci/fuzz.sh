#!/usr/bin/env bash
# Runs each fuzz target a fixed number of times (the first argument; 20000 without one) on a copy of its corpus, where a
# nightly toolchain is present; those that negotiate a graph a run, or serve one, for two minutes at most. A run of a minute is a
# hang. The flags are those of `cargo fuzz run`, so that cargo-fuzz need not be installed.
set -euo pipefail
cd "$(dirname "$0")/.."
runs=${1:-20000}

if ! cargo +nightly --version >/dev/null 2>&1; then
  echo "not run: needs a nightly toolchain (rustup toolchain install nightly); the corpora are replayed by cargo test"
  exit 0
fi
target=$(rustc +nightly -vV | sed -n 's/^host: //p')
export RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares -Zsanitizer=address -Ccodegen-units=1 -Cdebug-assertions -Coverflow-checks"
cargo +nightly build --quiet --release --manifest-path fuzz/Cargo.toml --target "$target" --target-dir target/fuzz --bins
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
for source in fuzz/fuzz_targets/*.rs; do
  name=$(basename "$source" .rs)
  cp -r "fuzz/corpus/$name" "$scratch/$name"
  echo "fuzzing $name, $runs runs"
  "target/fuzz/$target/release/$name" -seed=1 -runs="$runs" -max_len=4096 -timeout=60 -max_total_time=120 \
    -artifact_prefix="$scratch/" "$scratch/$name" \
    >"$scratch/$name.log" 2>&1 || { tail -n 40 "$scratch/$name.log"; exit 1; }
  tail -n 1 "$scratch/$name.log"
done
