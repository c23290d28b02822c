#!/usr/bin/env python3
"""Times fltscope on Windows trace logs: against dissect.etl on one file, against itself and `cat` on generated ones.

  TRACE.etl      all records decoded and written as CSV
                   fltscope export, all its columns but the stack, and with the stack, which no other reader joins
                   dissect.etl (Python), header and payload of every record as far as it decodes them, written with
                   Python's csv module; a payload that it has no class for is written as hex
  --big SIZE     `cat TRACE >/dev/null`, fltscope info and fltscope analyze, its findings alone and with a report, on a
                 generated trace of that size, removed afterwards; may be given several times: what is to see is that
                 peak memory stays where it is
  --case SIZE    fltscope analyze on a generated case, a Procmon log and a trace of that size each with CBS.log and
                 setupapi.dev.log, against fltscope info on both and fltscope analyze on the logs alone, one after the
                 other; removed afterwards

The runs take turns (A B C A B C …), so that a slow moment of the machine meets all of them; ratios are those of one
round, and what is shown is their median. For fltscope and cat the whole process is timed, start-up and all; for
dissect.etl only the part behind its imports. Every file is read once before, so that it comes from the page cache.

    scripts/compare_speed_etl.py TRACE.etl
    scripts/compare_speed_etl.py --big 1G --big 4G --compressed

Peak memory is the largest resident set of the process, see compare_speed.py.
"""

import csv
import json
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version

from common import ROOT, add_binary_option, find_fltscope, find_program, plain_help
from compare_speed import Contestant, peak_memory, processor, timed

# --- dissect.etl, in a process of its own -------------------------------------------------------------


def values_of(record):
    """The payload of a record: its fields, else its bytes."""
    try:
        event = record.event
        # Event.event_values() fails with the dissect.cstruct of today.
        if event._struct is not None:
            return event.symbol(), json.dumps(event._struct.__values__, default=str)
    except Exception:  # What it cannot decode raises all kinds of errors.
        pass
    return "", bytes(record.header.payload).hex()


def dissect_csv(trace, out):
    from dissect.etl.etl import ETL

    started = time.perf_counter()
    count = decoded = 0
    with open(trace, "rb") as source, open(out, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["event", "time", "provider", "header", "symbol", "payload"])
        for buffer in ETL(source).buffers():
            for record in buffer:
                header = record.header
                symbol, payload = values_of(record)
                fields = json.dumps(header.additional_header_fields(), default=str)
                writer.writerow([count, header.timestamp, header.provider_id, fields, symbol, payload])
                count += 1
                decoded += bool(symbol)
    return {"seconds": time.perf_counter() - started, "events": count, "decoded": decoded}


# --- Contests -----------------------------------------------------------------------------------------


def whole(name, *command):
    """A program, timed from start to end."""
    return Contestant(name, lambda: (timed(command)[0], "", 0), lambda: peak_memory(command))


def export(binary, trace, folder, discard, name, *options):
    out = folder / "events.csv"
    to = ["-o", "-", "--format", "csv"] if discard else ["-o", str(out)]
    command = [binary, "export", str(trace), *to, "--quiet", *options]

    def measure():
        seconds = timed(command)[0]
        if discard:
            return seconds, "", 0
        with open(out, "rb") as file:
            note = f"{sum(1 for _ in csv.reader(line.decode() for line in file)) - 1:,} events"
        note += f", {out.stat().st_size / 1e6:,.1f} MB written"
        out.unlink()
        return seconds, note, 0

    def peak():
        memory = peak_memory(command)
        out.unlink(missing_ok=True)
        return memory

    return Contestant(name, measure, peak)


def dissect(trace, folder, discard):
    def measure():
        out = folder / "events-python.csv"
        target = os.devnull if discard else str(out)
        command = [sys.executable, str(pathlib.Path(__file__).resolve()), "--worker", str(trace), target]
        _, output, peak = timed(command, subprocess.PIPE)
        answer = json.loads(output)
        out.unlink(missing_ok=True)
        return answer["seconds"], f"{answer['events']:,} events, {answer['decoded']:,} payloads decoded", peak

    return Contestant("dissect.etl + csv", measure)


def contest(trace, rounds, contestants, pairs):
    """Lets the contestants take turns, and shows what came out."""
    for one in contestants.values():
        one.warm_up()
    for _ in range(rounds):
        for one in contestants.values():
            one.run()
    size = sum(path.stat().st_size for path in trace.iterdir()) if trace.is_dir() else trace.stat().st_size
    print(f"  {'':<35} {'median s':>9} {'min':>9} {'max':>9} {'MB/s':>8} {'peak MB':>8}")
    for c in contestants.values():
        times = f"{c.median():>9.3f} {min(c.seconds):>9.3f} {max(c.seconds):>9.3f}"
        print(f"  {c.name:<35} {times} {size / c.median() / 1e6:>8,.0f} {c.peak / 1e6:>8,.1f}  {c.note}".rstrip())
    print()
    print(f"  {'how many times as long':<60} {'median':>8} {'min':>8} {'max':>8}")
    for slow, fast in pairs:
        slow, fast = contestants[slow], contestants[fast]
        ratios = [a / b for a, b in zip(slow.seconds, fast.seconds)]
        what = f"{slow.name} / {fast.name}"
        print(f"  {what:<60} {statistics.median(ratios):>8.1f} {min(ratios):>8.1f} {max(ratios):>8.1f}")
    print()


def against_dissect(binary, trace, folder, discard, rounds):
    contestants = {
        "export": export(binary, trace, folder, discard, "fltscope CSV"),
        "stacks": export(binary, trace, folder, discard, "fltscope CSV with stacks", "--stacks"),
        "export-1": export(binary, trace, folder, discard, "fltscope CSV, one thread", "--threads", "1"),
        "dissect": dissect(trace, folder, discard),
    }
    contest(trace, rounds, contestants, [("dissect", "export"), ("dissect", "stacks"), ("dissect", "export-1")])


def against_cat(binary, trace, rounds, folder):
    report = str(folder / "report")
    contestants = {
        "cat": whole("cat TRACE >/dev/null", "cat", str(trace)),
        "info": whole("fltscope info", binary, "info", str(trace), "--quiet"),
        "analyze": whole("fltscope analyze", binary, "analyze", str(trace), "--format", "json", "--quiet"),
        "report": whole(
            "fltscope analyze --out", binary, "analyze", str(trace), "--out", report, "--force", "--format", "json", "--quiet"
        ),
    }
    pairs = [("info", "cat"), ("analyze", "info"), ("analyze", "cat"), ("report", "info")]
    contest(trace, rounds, contestants, pairs)


def in_turn(name, commands):
    """Programs that run one after the other."""
    return Contestant(
        name,
        lambda: (sum(timed(command)[0] for command in commands), "", 0),
        lambda: max(peak_memory(command) for command in commands),
    )


def case_against_info(binary, case, rounds):
    log, trace = case / "boot_log.pml", case / "trace.etl"
    logs = [str(case / name) for name in ["CBS.log", "setupapi.dev.log"]]
    findings = ["--format", "json", "--quiet"]
    info = [[binary, "info", str(path), "--quiet"] for path in [log, trace]]
    alone = [binary, "analyze", *logs, *findings]
    contestants = {
        "log": whole("fltscope info, the log", *info[0]),
        "trace": whole("fltscope info, the trace", *info[1]),
        "logs": whole("fltscope analyze, CBS and setupapi", *alone),
        "parts": in_turn("these three in turn", [*info, alone]),
        "case": whole("fltscope analyze, the case", binary, "analyze", str(case), *findings),
        "window": whole("the same, 10 s of it", binary, "analyze", str(case), "--window", WINDOW, *findings),
    }
    contest(case, rounds, contestants, [("case", "parts"), ("window", "parts")])


# Of the generated incident, which both traces of 2 GB hold.
WINDOW = "2026-05-12T06:41:48Z..2026-05-12T06:41:58Z"


def tracegen(given, *arguments):
    """Runs tests/tracegen."""
    program = find_program("tracegen", given)
    if program is not None:
        command = [program]
    elif shutil.which("cargo"):
        command = ["cargo", "run", "--quiet", "--release", "--package", "tracegen", "--"]
    else:
        sys.exit("no tracegen found: name it with --tracegen, or build it: cargo build --release --package tracegen")
    subprocess.run([*command, *arguments], cwd=ROOT, stdout=subprocess.DEVNULL, check=True)


def generate(size, compressed, given, folder):
    """A trace of about that size."""
    trace = folder / "big.etl"
    tracegen(given, "big-etl", size, str(trace), *(["compressed"] if compressed else []))
    return trace


def generate_case(size, compressed, given, folder):
    """A Procmon log and a trace of about that size, and the logs of servicing."""
    case = folder / "case"
    case.mkdir()
    tracegen(given, "logs", "480", str(case))
    tracegen(given, "big", "--bytes", size, str(case / "boot_log.pml"))
    generate(size, compressed, given, case).rename(case / "trace.etl")
    return case


def machine(binary):
    memory = ""
    if hasattr(os, "sysconf"):
        memory = f", {os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 1e9:.0f} GB"
    fltscope = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    print(f"{processor()}, {os.cpu_count()} cores{memory}, {platform.system()} {platform.release()}")
    print(f"{fltscope}, Python {platform.python_version()}, dissect.etl {version('dissect.etl')}")


def arguments():
    parser = plain_help(description=__doc__)
    parser.add_argument("trace", metavar="TRACE.etl", nargs="?", type=pathlib.Path, help="a Windows trace log")
    parser.add_argument(
        "--big", metavar="SIZE", action="append", default=[], help="a generated trace of that size (suffix K, M or G)"
    )
    parser.add_argument("--case", metavar="SIZE", help="a generated case of a log and a trace of that size each")
    parser.add_argument("--compressed", action="store_true", help="compress the generated traces")
    parser.add_argument("--tracegen", metavar="PATH", help="the generator for --big (default: as --binary, else cargo)")
    parser.add_argument("--rounds", metavar="N", type=int, default=7, help="rounds (default: 7)")
    parser.add_argument("--discard", action="store_true", help="write tables into the null device")
    parser.add_argument("--temp", metavar="DIR", help="where to put generated traces and outputs")
    add_binary_option(parser)
    args = parser.parse_args()
    if args.trace is None and not args.big and not args.case:
        parser.error("give a trace, --big or --case")
    return args


def main():
    if sys.argv[1:2] == ["--worker"]:
        print(json.dumps(dissect_csv(*sys.argv[2:])))
        return
    args = arguments()
    binary = find_fltscope(args.binary)
    machine(binary)
    with tempfile.TemporaryDirectory(dir=args.temp) as folder:
        folder = pathlib.Path(folder)
        # A build that replaces the program half-way would be measured as well: keep this one.
        kept = folder / pathlib.Path(binary).name
        shutil.copy2(binary, kept)
        if args.trace is not None:
            print(f"{args.trace.name}, {os.path.getsize(args.trace):,} bytes, {args.rounds} rounds")
            against_dissect(str(kept), args.trace, folder, args.discard, args.rounds)
        for size in args.big:
            trace = generate(size, args.compressed, args.tracegen, folder)
            print(f"generated trace of {size}, {os.path.getsize(trace):,} bytes, {args.rounds} rounds")
            against_cat(str(kept), trace, args.rounds, folder)
            trace.unlink()
        if args.case:
            case = generate_case(args.case, args.compressed, args.tracegen, folder)
            print(f"generated case of {args.case} and {args.case}, {args.rounds} rounds")
            case_against_info(str(kept), case, args.rounds)


if __name__ == "__main__":
    main()
