#!/usr/bin/env bash
# Builds ksproxy.dll and kspipe.exe for Windows, on Linux, and tests them in Wine.
#
#   ci/windows.sh [64|32...]         builds and tests, both widths where none is said
#   ci/windows.sh build [64|32...]   only builds
#
# The results are in target/windows/64 and target/windows/32: ksproxy.dll, its import library libksproxy.dll.a, and
# kspipe.exe. `ci/wine.sh 64|32 PROGRAM` runs a program with them.
#
# Rust for Windows is rustup's where it can be had, else Debian's compiler with the standard library built from its
# source. RUST_FOR_WINDOWS=rustup or =debian says which.
set -euo pipefail
cd "$(dirname "$0")/.."

task=test
if [ "${1-}" = build ]; then
  task=build
  shift
fi
[ $# -gt 0 ] || set -- 64 32
for bits in "$@"; do
  if [[ $bits != 64 && $bits != 32 ]]; then
    sed -n 's/^# \{0,1\}//p' "$0" | sed 1d >&2
    exit 2
  fi
done

target() { # BITS
  [ "$1" = 64 ] && echo x86_64-pc-windows-gnu || echo i686-pc-windows-gnu
}

mingw() { # BITS
  [ "$1" = 64 ] && echo x86_64-w64-mingw32 || echo i686-w64-mingw32
}

# Whether the default toolchain of rustup has, or can get, the targets.
rustup_has_targets() { # TARGET...
  command -v rustup >/dev/null || return 1
  local installed wanted
  installed=$(rustup target list --installed) || return 1
  for wanted in "$@"; do
    grep -qx "$wanted" <<<"$installed" || timeout 120 rustup target add "$wanted" >/dev/null 2>&1 || return 1
  done
}

targets=()
for bits in "$@"; do
  ci/packages.sh "$(mingw "$bits")-g++=g++-mingw-w64-$(mingw "$bits" | sed 's/-.*//; s/_/-/')"
  targets+=("$(target "$bits")")
done
case ${RUST_FOR_WINDOWS-} in
rustup | debian) toolchain=$RUST_FOR_WINDOWS ;;
*) if rustup_has_targets "${targets[@]}"; then toolchain=rustup; else toolchain=debian; fi ;;
esac

export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER=x86_64-w64-mingw32-gcc
export CARGO_TARGET_I686_PC_WINDOWS_GNU_LINKER=i686-w64-mingw32-gcc
# What is measured and shipped is the release build, without what only a debugger reads: it links faster.
export CARGO_PROFILE_RELEASE_DEBUG=0
build=(--release --locked)
if [ "$toolchain" = rustup ]; then
  cargo=(cargo)
  folder=target/windows/rustup
else
  ci/packages.sh /usr/share/cargo/bin/cargo=cargo-web /usr/bin/rustc=rustc-web /usr/lib/rustlib/src/rust=rust-web-src
  cargo=(env RUSTC_BOOTSTRAP=1 RUSTC=/usr/bin/rustc RUSTDOC=/usr/bin/rustdoc /usr/bin/cargo)
  build+=(-Z build-std=std,panic_unwind)
  folder=target/windows/debian
  # Debian's compiler lacks the two objects a 32-bit image starts and ends with: they register its unwind data.
  objects=$PWD/$folder/rtstartup
  mkdir -p "$objects"
  for name in rsbegin rsend; do
    [ -e "$objects/$name.o" ] || RUSTC_BOOTSTRAP=1 /usr/bin/rustc --target i686-pc-windows-gnu --emit=obj \
      -o "$objects/$name.o" "/usr/lib/rustlib/src/rust/library/rtstartup/$name.rs"
  done
  export CARGO_TARGET_I686_PC_WINDOWS_GNU_RUSTFLAGS="-L native=$objects"
fi
build+=(--target-dir "$folder")

# The import library of rustc names 32-bit functions as the DLL does (F); a C program asks for them as __stdcall (_F@8).
import_library() { # FOLDER
  i686-w64-mingw32-objdump -p "$1/ksproxy.dll" | sed -n 's/^\t\[ *[0-9]*\] \([A-Za-z]\)/\1/p' >"$1/exports"
  i686-w64-mingw32-nm --defined-only "$1/ksproxy.dll" | sed -n 's/.* T _\([A-Za-z]*@[0-9]*\)$/\1/p' >"$1/functions"
  { echo EXPORTS; grep -w -f "$1/exports" "$1/functions"; } >"$1/ksproxy.def"
  i686-w64-mingw32-dlltool --kill-at -D ksproxy.dll -d "$1/ksproxy.def" -l "$1/libksproxy.dll.a"
  rm "$1/exports" "$1/functions"
}

for bits in "$@"; do
  "${cargo[@]}" build --quiet "${build[@]}" --target "$(target "$bits")" -p ksproxy -p kspipe-cli
  results=target/windows/$bits
  mkdir -p "$results"
  for file in ksproxy.dll libksproxy.dll.a kspipe.exe; do
    cp "$folder/$(target "$bits")/release/$file" "$results/$file"
  done
  [ "$bits" = 64 ] || import_library "$results"
done
[ "$task" = test ] || exit 0

status=0
if [ "$toolchain" = rustup ]; then # Debian's has no clippy
  cargo clippy --quiet --locked --target "$(target "$1")" --target-dir "$folder" -p ksobject -p ksproxy --lib -- -D warnings || status=1
fi
export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER="$PWD/ci/wine.sh 64"
export CARGO_TARGET_I686_PC_WINDOWS_GNU_RUNNER="$PWD/ci/wine.sh 32"
for bits in "$@"; do
  echo "== the unit tests of ksobject and ksproxy, $bits bits"
  timeout 1200 "${cargo[@]}" test --quiet "${build[@]}" --target "$(target "$bits")" -p ksobject -p ksproxy --lib || status=1
  echo "== programs in C++, $bits bits"
  timeout 1200 cargo test --quiet --locked -p ksproxy --tests -- --ignored "windows_$bits" || status=1
  echo "== DirectShow, $bits bits"
  ci/windows/directshow.sh "$bits" || status=1
  echo "== kspipe.exe, $bits bits"
  KSPIPE_COMMAND="$PWD/ci/wine.sh $bits $PWD/target/windows/$bits/kspipe.exe" \
    timeout 1200 cargo test --quiet --locked -p kspipe-cli --test cli -- examples:: inspect:: command_line:: check:: convert:: sources:: \
    --skip what_is_found_in_a_blob || status=1
done
exit $status
