#!/bin/sh
# Regenerates the sample cases in traces/. The same sources give the same bytes: a diff after this script
# means that the generator changed.
#
#   scripts/make_samples.sh [path of the tracegen binary]
set -eu
cd "$(dirname "$0")/.."

tracegen() {
    if [ -n "${binary:-}" ]; then
        "$binary" "$@"
    else
        cargo run --quiet --release --package tracegen -- "$@"
    fi
}

binary="${1:-}"
tracegen sample boot traces/boot-log
tracegen sample clean traces/clean
tracegen sample boot-trace traces/boot-trace
tracegen logs 120 traces/boot-trace
tracegen before traces/attempt-before-boot
