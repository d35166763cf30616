#!/usr/bin/env bash
# A small i386 Debian with 32-bit Wine, in target/windows/i386. (32-bit Wine beside 64-bit packages is not installable
# whenever the two architectures' security updates are out of step.)
#
#   ci/wine/i386.sh make                     makes it, if it is not there
#   ci/wine/i386.sh run PROGRAM [ARG...]     runs a program in it, in the current folder
#
# The program sees this repository, /tmp, /dev and /proc, mounted in a namespace of its own: nothing has to be unmounted,
# whatever ends the program. Needs root, or sudo.
set -euo pipefail
repository=$(cd "$(dirname "$0")/../.." && pwd)
root=$repository/target/windows/i386

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  else
    command -v sudo >/dev/null || { echo "32-bit Wine needs root or sudo" >&2; exit 1; }
    sudo "$@"
  fi
}

inside() { # ROOT PROGRAM [ARGUMENT...]
  as_root unshare --mount --propagation private sh -euc '
    root=$1 repository=$2 folder=$3
    shift 3
    mkdir -p "$root$repository"
    mount --bind "$repository" "$root$repository"
    mount --bind /tmp "$root/tmp"
    mount --rbind /dev "$root/dev"
    mount -t proc proc "$root/proc"
    exec chroot "$root" env -C "$folder" "$@"
  ' i386 "$1" "$repository" "$PWD" "${@:2}"
}

case ${1-} in
make)
  [ ! -e "$root/usr/lib/wine/wine" ] || exit 0
  "$repository/ci/packages.sh" /usr/sbin/debootstrap=debootstrap
  codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
  # The mirror this machine's own packages come from.
  mirror=$(apt-get indextargets --format '$(REPO_URI)' "Codename: $codename" 'Created-By: Packages' | head -n 1)
  mirror=${mirror:-http://deb.debian.org/debian}
  echo "making an i386 Debian for 32-bit Wine"
  as_root rm -rf "$root.new"
  mkdir -p "$root.new"
  log=$root.log
  # In two steps, because debootstrap itself sets packages up in an order that not all of these bear.
  if ! { as_root timeout 600 debootstrap --arch=i386 --variant=minbase "$codename" "$root.new" "$mirror" &&
    inside "$root.new" /usr/bin/env DEBIAN_FRONTEND=noninteractive timeout 600 \
      apt-get install -q -y --no-install-recommends -o Dpkg::Options::=--force-unsafe-io wine32 gstreamer1.0-plugins-base gstreamer1.0-plugins-good; } \
    >"$log" 2>&1; then
    tail -n 30 "$log" >&2
    exit 1
  fi
  as_root rm -rf "$root.new/var/cache/apt/archives" "$root.new/usr/share/doc" "$root.new/usr/share/locale"
  as_root mv "$root.new" "$root"
  ;;
run)
  inside "$root" "${@:2}"
  ;;
*)
  sed -n 's/^# \{0,1\}//p' "$0" | sed 1d >&2
  exit 2
  ;;
esac
