"""Holds report.xlsx against the other files of an analysis, by a reader that shares no code with fltscope.

Runs `fltscope analyze --xlsx` on a case, reads the workbook with openpyxl and compares every cell of the events with
events.csv, of the drivers with drivers.csv, of the evidence, the timeline and the processes with findings.json. It
also looks at what people need: frozen header rows, filters, dates as dates, numbers as numbers, no formula anywhere.
"""

import argparse
import csv
import datetime
import json
import pathlib
import sys
import tempfile

import common
import openpyxl

csv.field_size_limit(1 << 30)
LONGEST = 32_767


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("case", nargs="+", help="case folder or traces, as for fltscope analyze")
    parser.add_argument("--window", default="..", help="as for fltscope analyze (default: all of it)")
    parser.add_argument("--rules", help="as for fltscope analyze, as one that counts every path")
    common.add_binary_option(parser)
    args = parser.parse_args()
    program = common.find_fltscope(args.binary)
    with tempfile.TemporaryDirectory() as folder:
        command = [program, "analyze", *args.case, "--xlsx", "--quiet", "--out", folder, "--window", args.window]
        if args.rules:
            command += ["--rules", args.rules]
        common.run(command)
        check = Check(pathlib.Path(folder))
        check.all()
    print(f"{check.cells} cells in {check.sheets} sheets are as the other files have them")


class Check:
    def __init__(self, folder):
        self.folder = folder
        self.book = openpyxl.load_workbook(folder / "report.xlsx", data_only=False)
        self.findings = json.loads((folder / "findings.json").read_text("utf-8"))
        self.cells = 0
        self.sheets = len(self.book.sheetnames)

    def all(self):
        names = self.book.sheetnames
        expected = ["Findings", "Suspects", "Drivers", "Evidence", "Failing operations", "Conflicts"]
        expected += ["Timeline", "Processes", "Events"]
        assert names[:9] == expected, names
        for sheet in self.book:
            self.looks(sheet)
        events = [row for name in names[8:] for row in self.rows(name)]
        self.same("Events", events, self.csv("events.csv"))
        self.same("Drivers", self.rows("Drivers"), self.csv("drivers.csv"))
        evidence = [
            row | {"driver": driver["name"], "verdict": driver["verdict"], "frames": "; ".join(row["frames"])}
            for driver in self.findings["drivers"]
            for row in driver["evidence"]
        ]
        self.same("Evidence", self.rows("Evidence"), evidence)
        self.same("Timeline", self.rows("Timeline"), self.findings["window"]["evidence"])
        self.same("Processes", self.rows("Processes"), self.findings["processes"], leave={"third_party"})
        self.same("Suspects", self.rows("Suspects"), [suspect(row) for row in self.findings["suspects"]])
        failing = [failing_row(row) for row in self.findings["failing_operations"]]
        self.same("Failing operations", self.rows("Failing operations"), failing)
        held = [row for conflict in self.findings["conflicts"] for row in holders(conflict)]
        self.same("Conflicts", self.rows("Conflicts"), held)
        self.facts()

    def looks(self, sheet):
        assert sheet.freeze_panes == "A2", (sheet.title, sheet.freeze_panes)
        assert sheet.auto_filter.ref == sheet.dimensions.replace("A1:A1", "A1"), (sheet.title, sheet.auto_filter.ref)
        for column in range(1, sheet.max_column + 1):
            letter = openpyxl.utils.get_column_letter(column)
            assert 5 < sheet.column_dimensions[group(sheet, letter)].width < 130, (sheet.title, letter)
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type != "f", (sheet.title, cell.coordinate, cell.value)
                assert cell.hyperlink is None, (sheet.title, cell.coordinate)

    def rows(self, name):
        sheet = self.book[name]
        lines = sheet.iter_rows(values_only=True)
        heads = next(lines)
        out = []
        for line in lines:
            row = {}
            for head, value in zip(heads, line):
                if head.endswith(" (UTC)"):
                    head = head.removesuffix(" (UTC)")
                    assert value is None or isinstance(value, datetime.datetime), (name, head, value)
                row[head] = value
            out.append(row)
        return out

    def csv(self, name):
        with open(self.folder / name, encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def same(self, name, rows, expected, leave=frozenset()):
        assert len(rows) == len(expected), (name, len(rows), len(expected))
        for number, (row, other) in enumerate(zip(rows, expected), 2):
            heads = set(row) - {"time_exact", "first_exact"}
            assert heads == set(other) - leave, (name, heads ^ set(other))
            if "time_exact" in row:
                assert row["time_exact"] == other["time"], (name, number, row["time_exact"], other["time"])
            for head in heads:
                if not equal(row[head], other[head]):
                    sys.exit(f"{name}, row {number}, {head}: {row[head]!r} is not {other[head]!r}")
                self.cells += 1

    def facts(self):
        facts = {}
        for row in self.rows("Findings"):
            facts.setdefault((row["section"], row["item"]), []).append(row["value"])
        assert any("UTC" in text for text in facts["About", "times"])
        for key in ("start", "end", "source"):
            assert equal(facts["Window", key][0], self.findings["window"][key]), key
        for key, value in self.findings["machine"].items():
            assert value is None or equal(facts["Machine", key][0], value), key
        for number, entry in enumerate(self.findings["inputs"], 1):
            for key in ("path", "kind", "bytes", "events", "first", "last"):
                assert equal(facts[f"Input {number}", key][0], entry[key]), (number, key)
        assert facts.get(("Warnings", "warning"), []) == self.findings["warnings"]
        assert facts.get(("Coverage", "notes"), []) == self.findings["coverage"]["notes"]
        flagged = [d for d in self.findings["drivers"] if d["third_party"] and d["role"] == "driver"]
        for driver in flagged:
            if driver["verdict"] != "loaded":
                assert driver["name"] in facts["Flagged", driver["verdict"]], driver["name"]


def failing_row(row):
    before = row["before_failure_us"]
    out = row | {"before_failure_us": None if before is None else f"{before:.1f}"}
    del out["touched_before"]
    return out


def suspect(row):
    events = "; ".join(f"{event['input']}#{event['event']}" for event in row["evidence"])
    return row | {"evidence": events}


def rights(words):
    return None if words is None else "; ".join(words) or "none"


def holders(conflict):
    """The rows of a conflict: one a holder, or one without."""
    victim = conflict["victim"]
    for holder in conflict["holders"] or [None]:
        of = (lambda key: holder[key]) if holder else (lambda key: None)
        yield {
            "first": conflict["first"],
            "path": conflict["path"],
            "result": conflict["result"],
            "status": conflict["status"],
            "refusals": conflict["refusals"],
            "victim": victim["process"],
            "victim_pid": victim["pid"],
            "operation": victim["operation"],
            "victim_rights": rights(victim["rights"]),
            "victim_share": rights(victim["share"]),
            "holder": of("driver") or of("process"),
            "holder_pid": of("pid"),
            "holder_kind": of("kind"),
            "company": of("company"),
            "third_party": of("third_party"),
            "certainty": of("certainty"),
            "holder_rights": rights(of("rights")),
            "holder_share": rights(of("share")),
            "not_shared": rights(of("not_shared")),
            "not_tolerated": rights(of("not_tolerated")),
            "mapped": of("mapped"),
            "since": of("since"),
            "until": of("until"),
            "note": conflict["note"],
            "input": victim["input"],
            "event": victim["event"],
            "holder_input": of("input"),
            "holder_event": of("event"),
        }


def group(sheet, letter):
    """The first column of the run of equal columns that a column belongs to: openpyxl keeps the width there."""
    at = openpyxl.utils.column_index_from_string(letter)
    for name, column in sheet.column_dimensions.items():
        if (column.min or 0) <= at <= (column.max or 0):
            return name
    return letter


def equal(value, other):
    """Whether a cell holds what the other file says; texts of a CSV are compared by their meaning."""
    if other in (None, ""):
        return value is None
    if isinstance(value, datetime.datetime):
        exact = datetime.datetime.fromisoformat(other[:26])
        # A double holds days; openpyxl rounds to milliseconds.
        return other.endswith("Z") and abs(value - exact) <= datetime.timedelta(milliseconds=1)
    if isinstance(value, bool):
        return str(value).lower() == str(other).lower()
    if isinstance(value, (int, float)):
        return abs(float(other) - value) < 1e-6 * max(1.0, abs(value))
    if isinstance(other, str) and isinstance(value, str):
        if value.endswith(" … (cut here)") and len(value.encode("utf-16-le")) // 2 <= LONGEST < len(other):
            value, other = value[:1000], other[:1000]
        # The CSV defuses formulas and has one line a row; openpyxl reads escapes of control characters as they are.
        defused = other[1:] if other[:1] == "'" and other[1:2] in tuple("=+-@\t\r") else other
        return value in (other, defused) or one_line(value) == one_line(defused)
    return value == other


def one_line(text):
    from openpyxl.utils.escape import unescape

    return "".join(" " if c < " " else c for c in unescape(text))


if __name__ == "__main__":
    main()
