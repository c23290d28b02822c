#!/bin/sh
# Cargo's RUSTC_WRAPPER for the fuzz targets: coverage for fltscope's own code and the targets, none for the crates
# they use, which then need not be built again. The flags are those that cargo-fuzz passes.
rustc="$1"
shift
name=
previous=
for argument in "$@"; do
    if [ "$previous" = --crate-name ]; then name="$argument"; fi
    previous="$argument"
done
case "$name" in
fltscope | fltscope_fuzz)
    exec "$rustc" "$@" -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
        -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
        -Cllvm-args=-sanitizer-coverage-trace-compares
    ;;
*) exec "$rustc" "$@" ;;
esac
