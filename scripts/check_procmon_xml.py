#!/usr/bin/env python3
"""Checks the XML export with a parser that is not ours: Python's expat.

For every log given it exports once without and once with stacks, reads the document, and compares the events with
the CSV export of the same log: as many, and the same text in every column, but for what XML cannot hold.

    scripts/check_procmon_xml.py [--binary PATH] LOG.pml...
"""

import csv
import os
import sys
import tempfile
import xml.etree.ElementTree as ET

import common

PROCESS = """ProcessIndex ProcessId ParentProcessId ParentProcessIndex AuthenticationId CreateTime FinishTime
IsVirtualized Is64bit Integrity Owner ProcessName ImagePath CommandLine CompanyName Version Description
modulelist""".split()
MODULE = "Timestamp BaseAddress Size Path Version Company Description".split()
FRAME = "depth address path location".split()
SHOWN = ["Time of Day", "Process Name", "PID", "Operation", "Path", "Result", "Detail"]
REPLACEMENT = "\ufffd"


def export(fltscope, log, out, *options):
    common.run([fltscope, "export", log, "--quiet", "-o", out, *options])


def in_xml(text):
    """What is left of a text in XML: characters it cannot hold are replaced."""
    return "".join(REPLACEMENT if c < " " and c not in "\t\n\r" or c in "\ufffe\uffff" else c for c in text)


def check(condition, message):
    if not condition:
        raise SystemExit(f"error: {message}")


def check_processes(root):
    check(root.tag == "procmon", f"the root is {root.tag}")
    check([child.tag for child in root] == ["processlist", "eventlist"], "the two lists")
    numbers = set()
    for process in root.find("processlist"):
        check([child.tag for child in process] == PROCESS, "the elements of a process")
        numbers.add(process.findtext("ProcessIndex"))
        for name in ("ProcessId", "ParentProcessId", "ParentProcessIndex", "CreateTime", "FinishTime"):
            check(process.findtext(name).isdigit(), f"{name} is no number")
        for module in process.find("modulelist"):
            check([child.tag for child in module] == MODULE, "the elements of a module")
            int(module.findtext("BaseAddress"), 16)
            int(module.findtext("Size"))
    check(len(numbers) == len(root.find("processlist")), "process numbers are not unique")
    return numbers


def check_frames(event):
    """Number of frames, and of those whose module is known."""
    frames = list(event.find("stack"))
    resolved = 0
    for depth, frame in enumerate(frames):
        check([child.tag for child in frame] == FRAME, "the elements of a frame")
        check(frame.findtext("depth") == str(depth), "depths do not count up")
        int(frame.findtext("address"), 16)
        if path := frame.findtext("path"):
            name, _, offset = frame.findtext("location").partition(" + ")
            check(path.replace("/", "\\").endswith(name), f"{name} is not the file of {path}")
            int(offset, 16)
            resolved += 1
    return len(frames), resolved


def check_log(fltscope, log, folder):
    table = os.path.join(folder, "events.csv")
    export(fltscope, log, table, "--format", "procmon-csv", "--columns", ",".join(SHOWN))
    with open(table, encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))[1:]
    elements = ["ProcessIndex", *(name.replace(" ", "_") for name in SHOWN)]
    for stacks in (False, True):
        document = os.path.join(folder, "events.xml")
        export(fltscope, log, document, "--format", "procmon-xml", *(["--stacks"] if stacks else []))
        root = ET.parse(document).getroot()
        numbers = check_processes(root)
        events = root.find("eventlist")
        check(len(events) == len(rows), f"{len(events)} events, {len(rows)} rows")
        frames = resolved = 0
        for event, row in zip(events, rows):
            tags = elements + ["stack"] * stacks
            check([child.tag for child in event] == tags, "the elements of an event")
            check(event.findtext("ProcessIndex") in numbers, "an event of no process")
            for name, cell in zip(SHOWN, row):
                text = event.findtext(name.replace(" ", "_"))
                # The CSV has `;` for every LF.
                check(in_xml(cell) == text.replace("\n", ";"), f"{name}: {text!r} is not {cell!r}")
            if stacks:
                found = check_frames(event)
                frames += found[0]
                resolved += found[1]
        told = f", {frames} frames, {resolved} in a module" if stacks else ""
        print(f"{os.path.basename(log)}: {len(numbers)} processes, {len(events)} events{told}")


def main():
    parser = common.plain_help(description=__doc__)
    common.add_binary_option(parser)
    parser.add_argument("logs", nargs="+", metavar="LOG.pml")
    args = parser.parse_args()
    fltscope = common.find_fltscope(args.binary)
    csv.field_size_limit(sys.maxsize)
    with tempfile.TemporaryDirectory() as folder:
        for log in args.logs:
            check_log(fltscope, log, folder)


if __name__ == "__main__":
    main()
