#!/usr/bin/env python3
"""Times `fltscope export` against the two other readers of Procmon logs, side by side in one run.

  CSV      fltscope export to CSV, all its columns but the stack
           procmon-reader (C++ core), all its fields but the stack, written with Python's csv module
           procmon-parser (Python), Procmon's own columns, written with Python's csv module
  Parquet  fltscope export to Parquet, the same columns
           procmon-reader, which only iterates the same fields and writes nothing
  analyze  fltscope analyze, findings only
  read     `cat LOG >/dev/null`: the time to read the file once

The runs take turns (A B C A B C …), so that a slow moment of the machine meets all of them; ratios are those of
one round, and what is shown is their median. For fltscope and cat the whole process is timed, start-up and all;
for the Python readers only the part behind their imports. Outputs go to files in a temporary folder, or into the
null device with --discard. The log is read once before, so that it comes from the page cache for everyone.

    scripts/compare_speed.py LOG.pml
    scripts/compare_speed.py --big 2G --parser-events 20000     on a generated log, removed afterwards

Peak memory is the largest resident set of the process; pages of the log that are mapped at the time count. For
fltscope and cat it comes from a run of its own, under GNU time where that is installed. Elsewhere it is never shown
below some 20 MB: a process inherits the peak of the one that started it, and that is this script.
"""

import csv
import datetime
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

# All of procmon-reader but the stack; it adds the number of the event itself.
READER_FIELDS = [
    "event_class", "operation", "duration", "timestamp", "result", "tid", "process_index", "process_name", "pid",
    "parent_pid", "image_path", "command_line", "user", "company", "version", "description", "integrity", "session",
    "authentication_id", "virtualized", "is_64_bit", "path", "category", "detail",
]  # fmt: skip


# --- The Python readers, each in a process of its own -------------------------------------------------


def reader_events(log):
    from procmon_reader import ProcmonReader

    started = time.perf_counter()
    with ProcmonReader(log, tz=datetime.timezone.utc) as reader:
        reader.apply_filters(None, READER_FIELDS)
        yield started
        yield from reader


def reader_csv(log, out, _limit):
    events = reader_events(log)
    started = next(events)
    count = 0
    with open(out, "w", encoding="utf-8", newline="") as file:
        names = ["event_index", *READER_FIELDS]
        writer = csv.writer(file)
        writer.writerow(names)
        for event in events:
            writer.writerow([event[name] for name in names])
            count += 1
    return {"seconds": time.perf_counter() - started, "events": count, "of": count}


def reader_iterate(log, _out, _limit):
    events = reader_events(log)
    started = next(events)
    count = sum(1 for _ in events)
    return {"seconds": time.perf_counter() - started, "events": count, "of": count}


def parser_csv(log, out, limit):
    from procmon_parser import ProcmonLogsReader

    started = time.perf_counter()
    with open(log, "rb") as source, open(out, "w", encoding="utf-8", newline="") as file:
        reader = ProcmonLogsReader(source, should_get_stacktrace=False)
        opened = time.perf_counter()
        total = len(reader)
        count = min(total, limit or total)
        first = reader[0].date_filetime
        writer = csv.writer(file)
        for number in range(count):
            row = reader[number].get_compatible_csv_info(first)
            if number == 0:
                writer.writerow(row)
            writer.writerow(row.values())
    # Opening covers the whole log; the rest grows with the events.
    events = (time.perf_counter() - opened) * (total / count)
    return {"seconds": opened - started + events, "events": count, "of": total}


WORKERS = {"reader-csv": reader_csv, "reader-iterate": reader_iterate, "parser-csv": parser_csv}


# --- Timing -------------------------------------------------------------------------------------------


def timed(command, stdout=subprocess.DEVNULL):
    """Seconds that a command takes, what it prints, and its peak memory as its parent sees it."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=stdout)
    output = b""
    if stdout == subprocess.PIPE:
        output = process.stdout.read()
        process.stdout.close()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: exit status {process.returncode}")
    # Linux counts in KiB, macOS in bytes.
    return seconds, output, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def peak_memory(command):
    """Peak memory of a command, in a run of its own."""
    gnu_time = shutil.which("time")
    if gnu_time is None or sys.platform != "linux":
        return timed(command)[2]
    with tempfile.NamedTemporaryFile("r") as answer:
        timed([gnu_time, "--format", "%M", "--output", answer.name, *command])
        return int(answer.read()) * 1024


class Contestant:
    """A way to do the work, and its measurements. `measure` gives seconds, a note, and the peak memory if it knows."""

    def __init__(self, name, measure, peak=None):
        self.name = name
        self.measure = measure
        self.measure_peak = peak
        self.seconds = []
        self.peak = 0
        self.note = ""

    def warm_up(self):
        if self.measure_peak is not None:
            self.peak = self.measure_peak()

    def run(self):
        seconds, self.note, peak = self.measure()
        self.seconds.append(seconds)
        self.peak = max(self.peak, peak)

    def median(self):
        return statistics.median(self.seconds)


class Contest:
    """Everything that is measured on one log."""

    def __init__(self, binary, log, folder, args):
        self.log = str(log)
        self.folder = folder
        self.discard = args.discard
        self.limit = args.parser_events
        threads = ["--threads", str(args.threads)] if args.threads else []

        def whole(name, *command):
            return Contestant(name, lambda: (timed(command)[0], "", 0), lambda: peak_memory(command))

        def export(name, ending, *options):
            out = folder / f"events.{ending}"
            to = ["-o", "-", "--format", ending] if args.discard else ["-o", str(out)]
            command = [binary, "export", self.log, *to, "--quiet", *threads, *options]

            def peak():
                memory = peak_memory(command)
                out.unlink(missing_ok=True)
                return memory

            return Contestant(name, lambda: self.export(command, out), peak)

        def python(name, worker):
            return Contestant(name, lambda: self.python(worker))

        self.all = {
            "cat": whole("cat LOG >/dev/null", "cat", self.log),
            "csv": export("fltscope CSV", "csv"),
            "reader-csv": python("procmon-reader + csv", "reader-csv"),
            "csv-1": export("fltscope CSV, one thread", "csv", "--threads", "1"),
            "parser-csv": python("procmon-parser + csv", "parser-csv"),
            "parquet": export("fltscope Parquet", "parquet"),
            "reader-iterate": python("procmon-reader, iterate only", "reader-iterate"),
            "ndjson": export("fltscope NDJSON", "ndjson"),
            "analyze": whole(
                "fltscope analyze", binary, "analyze", self.log, "--format", "json", "--quiet", *threads
            ),
        }
        for key in args.skip:
            del self.all[key]
        if args.threads:
            self.all.pop("csv-1", None)

    def export(self, command, out):
        out.unlink(missing_ok=True)
        seconds = timed(command)[0]
        note = "" if self.discard else f"{out.stat().st_size / 1e6:,.1f} MB written"
        out.unlink(missing_ok=True)
        return seconds, note, 0

    def python(self, worker):
        out = self.folder / "events-python.csv"
        target = os.devnull if self.discard else str(out)
        script = str(pathlib.Path(__file__).resolve())
        command = [sys.executable, script, "--worker", worker, self.log, target, str(self.limit)]
        _, output, peak = timed(command, subprocess.PIPE)
        answer = json.loads(output)
        note = f"{answer['events']:,} events"
        if answer["events"] < answer["of"]:
            note = f"extrapolated from {answer['events']:,} of {answer['of']:,} events"
        out.unlink(missing_ok=True)
        return answer["seconds"], note, peak

    def run(self, rounds):
        def say(text):
            if sys.stderr.isatty():
                print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)

        for contestant in self.all.values():
            say(f"warming up: {contestant.name}")
            contestant.warm_up()
        for number in range(rounds):
            for contestant in self.all.values():
                say(f"round {number + 1} of {rounds}: {contestant.name}")
                contestant.run()
        say("")

    def report(self):
        size = os.path.getsize(self.log)
        print(f"  {'':<30} {'median s':>9} {'min':>9} {'max':>9} {'MB/s':>8} {'peak MB':>8}")
        for c in self.all.values():
            times = f"{c.median():>9.3f} {min(c.seconds):>9.3f} {max(c.seconds):>9.3f}"
            rate = size / c.median() / 1e6
            print(f"  {c.name:<30} {times} {rate:>8,.0f} {c.peak / 1e6:>8,.1f}  {c.note}".rstrip())
        print()
        print(f"  {'how many times as long':<60} {'median':>8} {'min':>8} {'max':>8}")
        for slow, fast in [
            ("reader-csv", "csv"),
            ("parser-csv", "csv"),
            ("reader-csv", "csv-1"),
            ("parser-csv", "csv-1"),
            ("reader-iterate", "parquet"),
            ("csv", "cat"),
            ("parquet", "cat"),
            ("analyze", "cat"),
        ]:
            if slow in self.all and fast in self.all:
                self.ratio(self.all[slow], self.all[fast])

    @staticmethod
    def ratio(slow, fast):
        ratios = [a / b for a, b in zip(slow.seconds, fast.seconds)]
        what = f"{slow.name} / {fast.name}"
        print(f"  {what:<60} {statistics.median(ratios):>8.1f} {min(ratios):>8.1f} {max(ratios):>8.1f}")


# --- The machine and the log --------------------------------------------------------------------------


def processor():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            names = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
        return names[0]
    except (OSError, IndexError):
        return platform.processor() or platform.machine()


def machine(binary):
    try:
        memory = f", {os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 1e9:.0f} GB"
    except (OSError, ValueError):
        memory = ""
    fltscope = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    print(f"{processor()}, {os.cpu_count()} cores{memory}, {platform.system()} {platform.release()}")
    peers = ", ".join(f"{name} {version(name)}" for name in ("procmon-reader", "procmon-parser"))
    print(f"{fltscope}, Python {platform.python_version()}, {peers}")


def generate(size, given, folder):
    """A log of about that size from tests/tracegen."""
    program = find_program("tracegen", given)
    if program is not None:
        command = [program]
    elif shutil.which("cargo"):
        command = ["cargo", "run", "--quiet", "--release", "--package", "tracegen", "--"]
    else:
        sys.exit("no tracegen found: name it with --tracegen, or build it: cargo build --release --package tracegen")
    log = folder / "big.pml"
    subprocess.run([*command, "big", "--bytes", size, str(log)], cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
    return log


def arguments():
    parser = plain_help(description=__doc__)
    parser.add_argument("log", metavar="LOG.pml", nargs="?", type=pathlib.Path, help="a Procmon log (version 9)")
    parser.add_argument("--big", metavar="SIZE", help="use a generated log of that size (suffix K, M or G)")
    parser.add_argument("--tracegen", metavar="PATH", help="the generator for --big (default: as --binary, else cargo)")
    parser.add_argument("--rounds", metavar="N", type=int, default=7, help="rounds (default: 7)")
    parser.add_argument("--threads", metavar="N", type=int, help="threads for fltscope (default: one a core)")
    parser.add_argument(
        "--parser-events",
        metavar="N",
        type=int,
        default=0,
        help="let procmon-parser read the first N events only and extrapolate (default: all of them)",
    )
    parser.add_argument(
        "--skip",
        metavar="KEY",
        action="append",
        default=[],
        choices=["csv-1", "reader-csv", "parser-csv", "reader-iterate", "ndjson", "analyze"],
        help="leave one out: csv-1 (one thread), reader-csv, parser-csv, reader-iterate, ndjson, analyze",
    )
    parser.add_argument("--discard", action="store_true", help="write into the null device")
    parser.add_argument("--temp", metavar="DIR", help="where to put generated logs and outputs")
    add_binary_option(parser)
    args = parser.parse_args()
    if (args.log is None) == (args.big is None):
        parser.error("give either a log or --big")
    return args


def main():
    if sys.argv[1:2] == ["--worker"]:
        worker, log, out, limit = sys.argv[2:]
        print(json.dumps(WORKERS[worker](log, out, int(limit))))
        return
    args = arguments()
    binary = find_fltscope(args.binary)
    machine(binary)
    with tempfile.TemporaryDirectory(dir=args.temp) as folder:
        folder = pathlib.Path(folder)
        # A build that replaces the program half-way would be measured as well: keep this one.
        kept = folder / pathlib.Path(binary).name
        shutil.copy2(binary, kept)
        log = generate(args.big, args.tracegen, folder) if args.big else args.log
        name = f"generated log of {args.big}" if args.big else log.name
        outputs = "discarded" if args.discard else "to files"
        print(f"{name}, {os.path.getsize(log):,} bytes, {args.rounds} rounds, outputs {outputs}")
        contest = Contest(str(kept), log, folder, args)
        contest.run(args.rounds)
        contest.report()


if __name__ == "__main__":
    main()
