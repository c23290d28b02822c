#!/usr/bin/env bash
# Fuzzes every layer that reads foreign bytes: fuzz.sh MINUTES [TARGET...]
#
# Builds the targets of tests/fuzz with a stable toolchain (libFuzzer, coverage of fltscope's own code), writes seeds
# with the generator, adds slices of the real files in $FLTSCOPE_DATA where they are at hand, and runs each target for
# MINUTES, one after the other (0.1 is six seconds). What it says at the end of each: executions and coverage. An input that panics, hangs for 10 s
# or uses more memory than the target's budget ends the run with status 1 and lies in tests/fuzz/artifacts/TARGET.
set -euo pipefail
cd "$(dirname "$0")/../tests/fuzz"

if [ $# -lt 1 ] || [[ ! $1 =~ ^[0-9]+([.][0-9]+)?$ ]]; then
    echo "usage: $0 MINUTES [TARGET...]" >&2
    exit 2
fi
seconds=$(awk -v minutes="$1" 'BEGIN { print int(minutes * 60 + 0.5) }')
shift
targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
    targets=(pml_open pml_event etl_buffer etl_record lz77 tracelogging cbs setupapi archive end_to_end)
fi

export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}
RUSTC_WRAPPER=$PWD/rustc.sh cargo build --release --locked --quiet
bin=$CARGO_TARGET_DIR/release
corpus=${FLTSCOPE_CORPUS:-$PWD/corpus}
real=${FLTSCOPE_DATA:-}
"$bin/seeds" "$corpus" ${real:+"$real"}

failed=0
for target in "${targets[@]}"; do
    mkdir -p "artifacts/$target" "$corpus/$target"
    log=artifacts/$target/log
    largest=65536
    case $target in
    pml_event | tracelogging | etl_record) largest=8192 ;;
    lz77) largest=4096 ;;
    end_to_end) largest=262144 ;;
    esac
    if "$bin/$target" "$corpus/$target" -max_total_time="$seconds" -max_len="$largest" -timeout=10 \
        -malloc_limit_mb=1100 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="artifacts/$target/" >"$log" 2>&1; then
        outcome=clean
    else
        outcome="FAILED, see tests/fuzz/$log"
        failed=1
    fi
    executions=$(awk '/stat::number_of_executed_units/ { print $2 }' "$log")
    covered=$(grep -o 'cov: [0-9]* ft: [0-9]*' "$log" | tail -1)
    echo "$target: $outcome; ${executions:-0} executions, ${covered:-no coverage}"
done
exit $failed
