#!/usr/bin/env bash
# Runs a Windows program in Wine, headless, in a prefix of its own under target/windows.
#
#   ci/wine.sh 64|32 PROGRAM [ARGUMENT...]
#
# The program finds the ksproxy.dll that `ci/windows.sh build` has made without being told where it is. PROGRAM may be a
# Linux path; in arguments Windows sees Linux's files under Z:, and as /... while the current drive is Z:. Its exit status
# is the program's. What is missing is installed or made at the first run: Wine, the prefix, and for 32 bits a small
# i386 Debian (ci/wine/i386.sh), of which the program sees this repository and /tmp.
#
# WINE_SECONDS (300) bounds the run; the status of a program that was stopped is 124. WINEDEBUG is Wine's own (-all).
set -euo pipefail
repository=$(cd "$(dirname "$0")/.." && pwd)
windows=$repository/target/windows
bits=${1-}
if [[ $bits != 64 && $bits != 32 ]] || [ $# -lt 2 ]; then
  sed -n 's/^# \{0,1\}//p' "$0" | sed 1d >&2
  exit 2
fi
shift

unset DISPLAY WAYLAND_DISPLAY
if [ "$bits" = 64 ]; then
  wine=(env WINEARCH=win64 WINELOADER=/usr/lib/wine/wine64 WINESERVER=/usr/lib/wine/wineserver64)
  loader=/usr/lib/wine/wine64 server=/usr/lib/wine/wineserver64 compiler=x86_64-w64-mingw32-gcc package=gcc-mingw-w64-x86-64 options=()
else
  wine=("$repository/ci/wine/i386.sh" run env WINEARCH=win32)
  loader=/usr/lib/wine/wine server=/usr/lib/wine/wineserver compiler=i686-w64-mingw32-gcc package=gcc-mingw-w64-i686 options=(-Wl,--kill-at)
fi
prefix=$windows/prefix-$bits
wine+=("WINEPREFIX=$prefix" "WINEPATH=Z:${windows//\//\\}\\$bits" "WINEDEBUG=${WINEDEBUG--all}"
  "WINEDLLOVERRIDES=${WINEDLLOVERRIDES-mscoree,mshtml=}")

make_prefix() {
  if [ "$bits" = 64 ]; then
    "$repository/ci/packages.sh" "$loader=wine64" "$compiler=$package" \
      /usr/lib/x86_64-linux-gnu/gstreamer-1.0/libgstplayback.so=gstreamer1.0-plugins-base \
      /usr/lib/x86_64-linux-gnu/gstreamer-1.0/libgstwavparse.so=gstreamer1.0-plugins-good
  else
    "$repository/ci/packages.sh" "$compiler=$package"
    "$repository/ci/wine/i386.sh" make
  fi
  rm -rf "$prefix"
  timeout -k 10 180 "${wine[@]}" "$loader" wineboot --init >/dev/null 2>&1
  local helper=$prefix/drive_c/windows/system32/bcryptprimitives.dll
  if [ ! -e "$helper" ]; then # Wine 9 and later have their own.
    "$compiler" -shared -O1 "${options[@]}" -o "$helper" "$repository/ci/wine/bcryptprimitives.c" -ladvapi32
  fi
  touch "$prefix/ready"
}

if [ ! -e "$prefix/ready" ]; then
  mkdir -p "$windows"
  # One process makes the prefix and others wait for it; Wine's own processes do not inherit the lock.
  exec {lock}>"$prefix.lock"
  flock "$lock"
  [ -e "$prefix/ready" ] || make_prefix </dev/null >&2 {lock}>&-
  exec {lock}>&-
fi
# The prefix's server stays a minute after its last program: one that comes while the server ends loses its connection.
# Wine's own processes begin here, so that they do not keep what this one's caller reads.
exec {lock}>"$prefix.lock"
flock "$lock"
if timeout -k 10 60 "${wine[@]}" "$server" -p60; then
  timeout -k 10 60 "${wine[@]}" "$loader" wineboot || true
fi </dev/null >/dev/null 2>&1 {lock}>&-
exec {lock}>&-
exec timeout -k 10 "${WINE_SECONDS-300}" "${wine[@]}" "$loader" "$@"
