#!/usr/bin/env python3
"""Opens what `fltscope export` writes with the programs people use, and compares all of it.

The log is exported as CSV, Parquet and NDJSON, with stacks. Then
  - DuckDB, polars and pyarrow open the Parquet: the same rows, the same columns, the documented types;
  - pandas and Python's csv module read the CSV: the same rows, the same cells;
  - Python's json module reads the NDJSON;
  - every cell is compared between the three files. Parquet and NDJSON are exact. A CSV keeps a row on one
    line: a control character inside a cell is a blank there, and an absent value is an empty cell.
  - Where Procmon's own CSV lies beside the log (LOG.csv), operation, path, result, PID, TID, process name,
    duration and start of every row are compared with it.

    scripts/check_tables.py LOG.pml

All rows are held in memory: meant for logs of up to some hundred thousand events. The exit status is 0 when
everything agrees, 1 when something differs.
"""

import csv
import datetime
import json
import pathlib
import re
import sys
import tempfile
from decimal import Decimal

import duckdb
import pandas
import polars
import pyarrow.parquet

from common import add_binary_option, find_fltscope, plain_help, run

# Column types of docs/events.md that are not text.
NUMBERS = {"event": polars.UInt64} | dict.fromkeys(
    ("status", "pid", "tid", "parent_pid", "session"), polars.UInt32
)
MICROS = {"duration_us", "filter_duration_us", "relative_us"}
TIMES = {"time", "completion_time"}
BOOLS = {"virtualized"}
# Present in every row of every log.
NEVER_ABSENT = {"event", "time", "source", "class", "operation", "tid", "input", "relative_us", "operation_full"}
DUCKDB_TYPES = {
    polars.UInt64: "UBIGINT",
    polars.UInt32: "UINTEGER",
    polars.Float64: "DOUBLE",
    polars.Boolean: "BOOLEAN",
    polars.String: "VARCHAR",
    polars.Datetime("ns", "UTC"): "TIMESTAMPTZ_NS",
}
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
SHOWN = 10


class Check:
    """Counts what was compared and prints what differs."""

    def __init__(self):
        self.wrong = 0

    def same(self, what, got, meant):
        if got == meant:
            print(f"  ok     {what}")
        else:
            self.wrong += 1
            print(f"  WRONG  {what}: {got!r}, expected {meant!r}")

    def same_rows(self, what, got, meant):
        """Two lists, cell by cell."""
        if len(got) != len(meant):
            return self.same(f"{what}: number of rows", len(got), len(meant))
        different = [row for row, (a, b) in enumerate(zip(got, meant)) if a != b]
        if not different:
            return None
        self.wrong += 1
        print(f"  WRONG  {what}: {len(different):,} of {len(got):,} rows differ")
        for row in different[:SHOWN]:
            print(f"           row {row}: {got[row]!r}, expected {meant[row]!r}")
        return None


def type_of(column):
    """Type of a column in polars."""
    if column in NUMBERS:
        return NUMBERS[column]
    if column in MICROS:
        return polars.Float64
    if column in TIMES:
        return polars.Datetime("ns", "UTC")
    return polars.Boolean if column in BOOLS else polars.String


def nanoseconds(text):
    """Nanoseconds since 1970 of `2020-07-12T01:18:10.7752429Z`."""
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z", text):
        return f"not a time: {text!r}"
    seconds = (datetime.datetime.fromisoformat(text[:19] + "+00:00") - EPOCH) // datetime.timedelta(seconds=1)
    return seconds * 1_000_000_000 + int(text[20:27]) * 100


def from_csv(column, cells):
    """The values that cells of a CSV stand for."""
    if column in NUMBERS:
        return [int(cell) if cell else None for cell in cells]
    if column in MICROS:
        return [float(cell) if cell else None for cell in cells]
    if column in TIMES:
        return [nanoseconds(cell) if cell else None for cell in cells]
    if column in BOOLS:
        return [{"True": True, "False": False}.get(cell, cell or None) for cell in cells]
    return [cell or None for cell in cells]


def one_line(text):
    """A text as the CSV writes it."""
    return text and re.sub(r"[\x00-\x1f]", " ", text)


def exact(series):
    """The values of a column, times as nanoseconds."""
    return (series.dt.timestamp("ns") if isinstance(series.dtype, polars.Datetime) else series).to_list()


def check_parquet(check, path):
    """The values of the Parquet, by column."""
    frame = polars.read_parquet(path)
    for column, dtype in frame.schema.items():
        if dtype != type_of(column):
            check.same(f"polars: type of {column}", dtype, type_of(column))
    check.same("polars: types of all columns", True, all(frame.schema[c] == type_of(c) for c in frame.columns))

    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    table = connection.read_parquet(str(path))
    check.same("DuckDB: columns", table.columns, frame.columns)
    for column, dtype in zip(table.columns, table.types):
        meant = DUCKDB_TYPES[type_of(column)]
        if str(dtype) != meant:
            check.same(f"DuckDB: type of {column}", str(dtype), meant)
    counts = ", ".join(f'count("{column}")' for column in table.columns)
    [(rows, *filled)] = table.aggregate(f"count(*), {counts}").fetchall()
    check.same("DuckDB: rows", rows, frame.height)
    check.same("DuckDB: values that are not null, by column", filled, [frame[c].count() for c in frame.columns])
    for series in polars.from_arrow(table.to_arrow_table()):
        check.same_rows(f"DuckDB: {series.name}", exact(series), exact(frame[series.name]))

    file = pyarrow.parquet.ParquetFile(path)
    check.same("pyarrow: rows", file.metadata.num_rows, frame.height)
    check.same("pyarrow: all pages can be read", file.read().num_rows, frame.height)
    absent = [column for column in frame.columns if column in NEVER_ABSENT and frame[column].null_count()]
    check.same("no nulls where there is always a value", absent, [])
    empty = [series.name for series in frame if series.dtype == polars.String and (series == "").any()]
    check.same("an absent text is null, never empty", empty, [])
    return {series.name: exact(series) for series in frame}


def check_csv(check, path, values):
    """Both readers of the CSV against the Parquet."""
    with open(path, encoding="utf-8", newline="") as file:
        lines = csv.reader(file, strict=True)
        header = next(lines)
        rows = list(lines)
    check.same("csv: columns", header, list(values))
    check.same("csv: rows", len(rows), len(values["event"]))
    check.same("csv: every row on one line", sum(1 for _ in open(path, "rb")), len(rows) + 1)
    check.same("csv: cells in each row", {len(row) for row in rows}, {len(header)} if rows else set())
    # Python's csv module reads cells of any size only when told to, pandas always does.
    frame = pandas.read_csv(path, dtype=str, keep_default_na=False)
    check.same("pandas: shape", frame.shape, (len(rows), len(header)))
    typed = pandas.read_csv(path, low_memory=False)
    for at, column in enumerate(header):
        cells = [row[at] for row in rows]
        check.same_rows(f"pandas: {column}", frame[column].tolist(), cells)
        meant = values[column]
        if type_of(column) == polars.String:
            meant = [one_line(text) for text in meant]
        elif type_of(column).is_numeric() and any(cell for cell in cells):
            check.same(f"pandas: {column} is a number", pandas.api.types.is_numeric_dtype(typed[column]), True)
        check.same_rows(f"CSV against Parquet: {column}", from_csv(column, cells), meant)
    return [dict(zip(header, row)) for row in rows]


def check_ndjson(check, path, values):
    """The NDJSON against the Parquet."""
    # Split at line feeds only: a text may hold other line ends of Unicode.
    rows = [json.loads(line) for line in path.read_bytes().split(b"\n") if line]
    check.same("NDJSON: rows", len(rows), len(values["event"]))
    keys = {tuple(row) for row in rows}
    check.same("NDJSON: keys in each row", keys, {tuple(values)} if rows else set())
    for column, meant in values.items():
        got = [row.get(column) for row in rows]
        if column in TIMES:
            got = [value and nanoseconds(value) for value in got]
        check.same_rows(f"NDJSON against Parquet: {column}", got, meant)


def procmon_duration(row):
    """Our duration in Procmon's form: `0.0000074`."""
    cell = row["duration_us"]
    return f"{Decimal(cell) / 1_000_000:.7f}" if cell else ""


def procmon_time(row):
    """The start in Procmon's form (UTC): `1:18:10.7752429 AM`."""
    hour = int(row["time"][11:13])
    return f"{hour % 12 or 12}{row['time'][13:27]} {'AM' if hour < 12 else 'PM'}"


PROCMON_COLUMNS = {
    "Operation": lambda row: row["operation"],
    "Path": lambda row: row["path"],
    "Result": lambda row: row["result"],
    "PID": lambda row: row["pid"],
    "TID": lambda row: row["tid"],
    "Process Name": lambda row: row["process"],
    "Duration": procmon_duration,
    "Time of Day": procmon_time,
}


def check_procmon(check, path, rows):
    """Procmon's own CSV, row by row. Exported in UTC."""
    with open(path, encoding="utf-8-sig", newline="") as file:
        theirs = list(csv.DictReader(file))
    check.same("Procmon's CSV: rows", len(rows), len(theirs))
    for column, ours in PROCMON_COLUMNS.items():
        if theirs and column not in theirs[0]:
            print(f"  --     Procmon's CSV has no column {column}")
            continue
        # Procmon keeps control characters in a cell; our CSV has blanks for them.
        meant = [one_line(row[column]) for row in theirs]
        before = check.wrong
        check.same_rows(f"Procmon's CSV: {column}", [ours(row) for row in rows], meant)
        if check.wrong == before:
            print(f"  ok     Procmon's CSV: {column}")


def main():
    parser = plain_help(description=__doc__)
    parser.add_argument("log", metavar="LOG.pml", type=pathlib.Path, help="a Procmon log (version 9)")
    add_binary_option(parser)
    args = parser.parse_args()
    binary = find_fltscope(args.binary)
    csv.field_size_limit(2**31 - 1)
    print(args.log)
    check = Check()
    with tempfile.TemporaryDirectory() as folder:
        files = {ending: pathlib.Path(folder) / f"events.{ending}" for ending in ("csv", "parquet", "ndjson")}
        for file in files.values():
            run([binary, "export", str(args.log), "-o", str(file), "--stacks", "--quiet"])
        values = check_parquet(check, files["parquet"])
        rows = check_csv(check, files["csv"], values)
        check_ndjson(check, files["ndjson"], values)
        print(f"  {len(rows):,} rows and {len(values)} columns compared between CSV, Parquet and NDJSON")
    beside = args.log.with_suffix(".csv")
    if beside.is_file():
        check_procmon(check, beside, rows)
    else:
        print("  --     no CSV of Procmon beside the log")
    print("  all agree" if check.wrong == 0 else f"  {check.wrong} DIFFERENCES")
    return 1 if check.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
