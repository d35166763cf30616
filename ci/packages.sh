#!/usr/bin/env bash
# Installs the Debian packages the tests need, and only those that are missing. Says what it does.
#
#   ci/packages.sh                      what every test needs
#   ci/packages.sh PROGRAM=PACKAGE...   what a step needs: a package for each program (a name, or a file's path) not there
set -euo pipefail

if [ $# -eq 0 ]; then
  set -- g++=g++ x86_64-w64-mingw32-g++=g++-mingw-w64-x86-64 i686-w64-mingw32-g++=g++-mingw-w64-i686 ffmpeg=ffmpeg \
    valgrind=valgrind python3=python3
fi
missing=()
for wanted in "$@"; do
  program=${wanted%%=*}
  if ! command -v "$program" >/dev/null && [ ! -e "$program" ]; then
    missing+=("${wanted#*=}")
  fi
done
if [ ${#missing[@]} -eq 0 ]; then
  exit 0
fi
if ! command -v apt-get >/dev/null; then
  echo "missing: ${missing[*]} (Debian's names); this is not a Debian machine, so install them by hand" >&2
  exit 1
fi
root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "missing: ${missing[*]}; run as root: apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 1
  fi
  root=(sudo)
fi
echo "installing ${missing[*]}"
"${root[@]}" apt-get update -q
"${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"
