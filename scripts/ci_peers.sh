#!/usr/bin/env bash
# Every check by an independent reader, on the sample cases (and on real logs where they are at hand).
#
#   scripts/ci_peers.sh PYTHON [FOLDER of the release binaries]
set -euo pipefail
cd "$(dirname "$0")/.."
python=${1:?usage: scripts/ci_peers.sh PYTHON [FOLDER of the release binaries]}
folder=${2:-target/release}

cargo build --release --locked --quiet --workspace
"$python" scripts/check_tracegen.py "$folder/tracegen"
"$python" scripts/check_tracegen_etl.py --tracegen "$folder/tracegen" --binary "$folder/fltscope"
for log in traces/*/*.pml; do
    "$python" scripts/recount.py --binary "$folder/fltscope" "$log"
    "$python" scripts/recount.py --binary "$folder/fltscope" --all-paths "$log"
    "$python" scripts/check_tables.py --binary "$folder/fltscope" "$log"
    "$python" scripts/check_procmon_xml.py --binary "$folder/fltscope" "$log"
    "$python" scripts/check_xlsx.py --binary "$folder/fltscope" "$log"
done

# Cases of more than one file.
"$python" scripts/check_xlsx.py --binary "$folder/fltscope" --window auto traces/boot-trace
if [ -n "${CHROMIUM:-}" ] || command -v chromium google-chrome >/dev/null; then
    "$python" scripts/check_report.py --binary "$folder/fltscope" traces/*/
else
    echo "skipped: no Chromium to open the report with (set CHROMIUM to one)"
fi

data=${FLTSCOPE_DATA:-../shared/data}/pml
if [ ! -d "$data" ]; then
    echo "skipped: no real logs at $data (set FLTSCOPE_DATA to their folder)"
    exit 0
fi
for log in "$data"/*.pml; do
    "$python" scripts/recount.py --binary "$folder/fltscope" "$log"
done
