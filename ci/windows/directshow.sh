#!/usr/bin/env bash
# Builds the programs that use the system's own DirectShow, and runs them on ksproxy.dll in Wine.
#
#   ci/windows/directshow.sh 64|32       builds and runs those that test
#   ci/windows/directshow.sh bench       builds and runs the benchmark, 64 bits
#
# target/windows/64|32/ksproxy.dll must be there (ci/windows.sh build).
set -euo pipefail
cd "$(dirname "$0")/../.."

build() { # BITS NAME SOURCE_OR_OPTION...
  local bits=$1 name=$2 compiler=x86_64-w64-mingw32-g++
  shift 2
  [ "$bits" = 64 ] || compiler=i686-w64-mingw32-g++
  ci/packages.sh "$compiler=g++-mingw-w64-$([ "$bits" = 64 ] && echo x86-64 || echo i686)"
  "$compiler" -std=c++17 -O2 -Wall -Wextra -Werror -static -o "target/windows/$bits/$name.exe" "$@" \
    -lstrmiids -lole32 -luuid
}

# The program of the page: it says what it should.
page() { # BITS
  local results=target/windows/$1 programs=crates/ksproxy/tests/directshow said
  awk '/^## /{here = $0 == "## In a DirectShow filter"} here && /^```$/{exit} here && code; here && /^```cpp$/{code = 1}' \
    docs/com.md >"$results/page.cpp"
  build "$1" page "$results/page.cpp" "$programs"/{graph,media_file,renderer}.cpp "-I$programs" \
    "$results/libksproxy.dll.a"
  said=$(ci/wine.sh "$1" "$results/page.exe" 2>"$results/page.log" | tr -d '\r') || true
  if [ "$said" = "our allocator, 352800 bytes" ]; then
    printf 'test page ... ok\n\ntest result: ok. 1 passed; 0 failed; 0 ignored\n'
  else
    printf 'test page ... FAILED\n  it says "%s"\n\ntest result: FAILED. 0 passed; 1 failed; 0 ignored\n' "$said"
    cat "$results/page.log" >&2
    return 1
  fi
}

case ${1-} in
64 | 32)
  status=0
  for name in directshow differential; do
    build "$1" "$name" "crates/ksproxy/tests/$name"/*.cpp
    # ALSA and the like say on stderr what a machine without them lacks.
    ci/wine.sh "$1" "target/windows/$1/$name.exe" ksproxy.dll 2>"target/windows/$1/$name.log" || {
      status=1
      cat "target/windows/$1/$name.log" >&2
    }
  done
  page "$1" || status=1
  exit $status
  ;;
bench)
  build 64 allocator crates/ksproxy/benches/wine/*.cpp
  exec ci/wine.sh 64 target/windows/64/allocator.exe ksproxy.dll
  ;;
*)
  sed -n 's/^# \{0,1\}//p' "$0" | sed 1d >&2
  exit 2
  ;;
esac
