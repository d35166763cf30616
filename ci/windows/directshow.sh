#!/usr/bin/env bash
# Builds the programs that use the system's own DirectShow, and runs them on ksproxy.dll in Wine.
#
#   ci/windows/directshow.sh 64|32       builds and runs those that test
#   ci/windows/directshow.sh bench       builds and runs the benchmark, 64 bits
#
# target/windows/64|32/ksproxy.dll must be there (ci/windows.sh build).
set -euo pipefail
cd "$(dirname "$0")/../.."

build() { # BITS NAME SOURCE...
  local bits=$1 name=$2 compiler=x86_64-w64-mingw32-g++
  shift 2
  [ "$bits" = 64 ] || compiler=i686-w64-mingw32-g++
  ci/packages.sh "$compiler=g++-mingw-w64-$([ "$bits" = 64 ] && echo x86-64 || echo i686)"
  "$compiler" -std=c++17 -O2 -Wall -Wextra -Werror -static -o "target/windows/$bits/$name.exe" "$@" \
    -lstrmiids -lole32 -luuid
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
