#!/usr/bin/env bash
# Negotiation beside GStreamer's: `ci/gstreamer.sh [ROUNDS]`. Each round measures both, one after the other, at 10, 100
# and 1,000 filters; printed are medians and least values in microseconds. Needs gcc, pkg-config and, on Debian,
# libgstreamer1.0-dev (fakesrc, identity, capsfilter and fakesink are in its libgstreamer1.0-0).
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=${1:-9}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# shellcheck disable=SC2046  # the flags are words
gcc -O2 -Wall -Wextra -Werror ci/gstreamer/negotiation.c -o "$work/gstreamer" $(pkg-config --cflags --libs gstreamer-1.0)
cargo build --release --locked -p kspipe --example negotiation_time
built=$(cargo metadata --format-version 1 --no-deps | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')

"$work/gstreamer" 10 >"$work/warm"
for _ in $(seq "$rounds"); do
  "$work/gstreamer" 10 100 1000 >>"$work/gstreamer.txt"
  "$built/release/examples/negotiation_time" 10 100 1000 >>"$work/kspipe.txt"
done

summary() { # the medians and least values of each column, by the first
  for count in 10 100 1000; do
    printf '%s\t%s' "$1" "$count"
    for column in $(seq 2 "$2"); do
      awk -v count="$count" -v column="$column" '$1 == count { print $column }' "$3" | sort -n |
        awk '{ values[NR] = $1 } END { printf "\t%s (%s)", values[int((NR + 1) / 2)], values[1] }'
    done
    printf '\n'
  done
}
printf 'load: %s; %s rounds, medians (least) in microseconds\n' "$(cut -d' ' -f1-3 /proc/loadavg)" "$rounds"
printf '\tfilters\tbuild\tto READY\tto PAUSED\tone ALLOCATION query\n'
summary GStreamer 5 "$work/gstreamer.txt"
printf '\tfilters\tbuild\tnegotiate\ttext\n'
summary kspipe 4 "$work/kspipe.txt"
