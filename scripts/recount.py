#!/usr/bin/env python3
"""Counts the touches of every kernel driver a second time and holds `fltscope analyze` against it.

The recount shares nothing with fltscope: procmon-parser (PyPI) decodes the log, and the rules are written down
here once more, from the definition of a touch. Compared are, driver by driver and with Microsoft's included:
file and registry touches, failures, delays, the longest delay, first and last touch, the paths with their counts,
and whether every piece of evidence is a touch of that kind.

What procmon-parser does not decode is taken from the bytes:
  - the highest user address, from the header (offset 0x268);
  - the target of a rename or hard link, from what the library leaves unread of the event's detail block.

    scripts/recount.py LOG.pml [--window START..END] [--all-paths]

The exit status is 0 when everything agrees, 1 when something differs.
"""

import bisect
import collections
import datetime
import json
import pathlib
import re
import struct
import sys
import tempfile

import procmon_parser.stream_logs_detail_format as details
from procmon_parser import ProcmonLogsReader
from procmon_parser.consts import (
    EventClass,
    FilesysemDirectoryControlOperation,
    FilesystemOperation,
    FilesystemSetInformationOperation,
    ProcessOperation,
    RegistryOperation,
    get_error_message,
)

from common import add_binary_option, find_fltscope, plain_help, run

SECOND = 10_000_000  # in 100 ns
EPOCH = datetime.datetime(1601, 1, 1, tzinfo=datetime.timezone.utc)
ALL_PATHS_RULES = "[scope]\nfile = ['**']\nregistry = ['**']\n"

BENIGN = {
    "SUCCESS", "NAME NOT FOUND", "PATH NOT FOUND", "NO SUCH FILE", "NO MORE FILES", "NO MORE ENTRIES",
    "NO MORE MATCHES", "NAME COLLISION", "BUFFER OVERFLOW", "BUFFER TOO SMALL", "END OF FILE", "REPARSE",
    "NOT REPARSE POINT", "FAST IO DISALLOWED", "FILE LOCKED WITH ONLY READERS", "FILE LOCKED WITH WRITERS",
    "INVALID DEVICE REQUEST", "INVALID PARAMETER", "IS DIRECTORY", "OPLOCK HANDLE CLOSED", "CANCELLED",
    "NOTIFY ENUM DIR", "NO EAS ON FILE",
}  # fmt: skip

# Information classes of FileRenameInformation and FileLinkInformation in all their forms (wdm.h).
RENAME_OR_LINK = {0x0A, 0x0B, 0x38, 0x39, 0x41, 0x42, 0x48, 0x49}


# --- What procmon-parser leaves out -------------------------------------------------------------------


class DetailTap:
    """Stands in front of procmon-parser's detail decoders.

    It reads the target of a rename or link from the rest of the detail block, and keeps an event whose details
    the library cannot decode: its path and its stack are all that is needed.
    """

    def __init__(self):
        self.targets = collections.Counter()
        self.undecoded = collections.Counter()
        self.target = ""
        for event_class, decode in list(details.ClassEventDetailsHandler.items()):
            details.ClassEventDetailsHandler[event_class] = self.wrap(decode)

    def wrap(self, decode):
        def tapped(io, metadata, event, extra):
            self.target = ""
            try:
                decode(io, metadata, event, extra)
            except Exception as error:  # noqa: BLE001 the library raises many kinds on what it does not know
                self.undecoded[f"{event.operation.name}: {type(error).__name__}"] += 1
            if event.event_class == EventClass.File_System:
                self.file_target(io, metadata, event)
            elif event.operation is RegistryOperation.RegRenameKey:
                name = event.details.get("New Name", "")
                self.keep(name if "\\" in name else event.path.rpartition("\\")[0] + "\\" + name)

        return tapped

    def file_target(self, io, metadata, event):
        if event.unknown_sub_operation is not None:
            is_set = event.operation is FilesystemOperation.SetInformationFile
            number = event.unknown_sub_operation if is_set else 0
        else:
            number = event.operation.value if isinstance(event.operation, FilesystemSetInformationOperation) else 0
        if number not in RENAME_OR_LINK:
            return
        # FILE_RENAME_INFORMATION: flags, padded to a pointer; root folder; length in bytes; name.
        tail = io.read()
        pointer = metadata.sizeof_pvoid
        if len(tail) < 2 * pointer + 4:
            return
        root = int.from_bytes(tail[pointer : 2 * pointer], "little")
        size = int.from_bytes(tail[2 * pointer : 2 * pointer + 4], "little")
        name = tail[2 * pointer + 4 :][:size].decode("utf-16-le", "replace")
        if name.startswith(":"):
            self.keep(event.path + name)  # a stream of the same file
        elif root == 0 and "\\" not in name:
            self.keep(event.path.rpartition("\\")[0] + "\\" + name)  # the same folder
        else:
            self.keep(name)

    def keep(self, target):
        self.target = target
        self.targets["read" if target else "empty"] += 1


def highest_user_address(log):
    with open(log, "rb") as file:
        file.seek(0x268)
        return struct.unpack("<Q", file.read(8))[0]


# --- Where a path counts ------------------------------------------------------------------------------


def without_volume(path, system_root):
    r"""The path without its volume, in lower case; the Windows folder is written \windows."""
    path = re.sub(r"^\\(\?\?|\\\?)\\", "", path.lower())
    root = re.sub(r"^[a-z]:", "", system_root.lower()).rstrip("\\") or "\\windows"
    path = re.sub(r"^(\\systemroot|%systemroot%)(?=\\|$)", lambda _: root, path)
    path = re.sub(r"^([a-z]:|\\device\\harddiskvolume\d+(?=\\|$))", "", path)
    if path == root or path.startswith(root + "\\"):
        return "\\windows" + path[len(root) :]
    return "\\elsewhere" + path if path.startswith("\\windows") else path


FILE_SCOPE = re.compile(
    r"\\windows\\(system32\\(driverstore|drivers|catroot)|inf)(\\.*)?"
    r"|\\windows\\system32\\config\\drivers(\.log[^\\]*|\{[^\\]*\}\.tm\.blf|(\{[^\\]*)?\.regtrans-ms)?",
    re.DOTALL,
)
KEY_SCOPE = re.compile(r"(hklm|\\registry\\machine)\\(system\\driverdatabase|drivers)(\\.*)?", re.DOTALL)


class Scope:
    """Which operations count."""

    def __init__(self, system_root, everything):
        self.system_root = system_root
        self.everything = everything

    def takes(self, event, target):
        if self.everything:
            return True
        if event.event_class == EventClass.File_System:
            return self.file(event.path) or self.file(target)
        return self.key(event.path) or self.key(target)

    def file(self, path):
        return FILE_SCOPE.fullmatch(without_volume(path, self.system_root)) is not None

    @staticmethod
    def key(path):
        return KEY_SCOPE.fullmatch(path.lower()) is not None


# --- Which driver owns an address ---------------------------------------------------------------------


class Drivers:
    """Kernel images by address and time: System's modules, and images loaded later."""

    def __init__(self, system_root, highest_user):
        self.system_root = system_root
        self.highest_user = highest_user
        self.images = []  # (base, end, loaded, name)
        self.bases = []
        self.widest = 0

    def add(self, base, size, path, loaded=0):
        if base <= self.highest_user or size == 0:
            return
        name = (path.rpartition("\\")[2].lower(), without_volume(path, self.system_root))
        if any(image[0] == base and image[3] == name for image in self.images):
            return  # System's modules are listed when the log is saved: an image loaded meanwhile is among them.
        self.images.append((base, base + size, loaded, name))

    def freeze(self):
        self.images.sort()
        self.bases = [image[0] for image in self.images]
        self.widest = max((image[1] - image[0] for image in self.images), default=0)

    def at(self, address, time):
        """The image at the address that was loaded last before that time, else the first that came there."""
        if address <= self.highest_user:
            return None
        owners = []
        at = bisect.bisect_right(self.bases, address) - 1
        while at >= 0 and self.images[at][0] + self.widest > address:
            base, end, loaded, name = self.images[at]
            if base <= address < end:
                owners.append((loaded, name))
            at -= 1
        before = [owner for owner in owners if owner[0] <= time]
        owner = max(before) if before else min(owners, default=None)
        return owner and owner[1]


# --- The recount --------------------------------------------------------------------------------------


class Tally:
    """Touches of one driver."""

    def __init__(self):
        self.file = self.registry = self.failures = self.delays = self.longest = 0
        self.first = self.last = None
        self.paths = collections.defaultdict(lambda: [0, 0])
        self.events = {}

    def add(self, number, event, failed, slow):
        if event.event_class == EventClass.File_System:
            self.file += 1
            kind = "file_stack"
        else:
            self.registry += 1
            kind = "registry_stack"
        self.failures += failed
        self.delays += slow
        if slow:
            self.longest = max(self.longest, event.duration)
        time = event.date_filetime
        self.first = time if self.first is None else min(self.first, time)
        self.last = time if self.last is None else max(self.last, time)
        self.paths[event.path][0] += 1
        self.paths[event.path][1] += failed
        self.events[number] = (kind, "failure" if failed else "delay" if slow else "touch")


def is_pending(event):
    return get_error_message(event.result) == ""


def is_failure(event):
    # Severity 0 is success, 1 is informational.
    return not is_pending(event) and event.result >> 30 > 1 and get_error_message(event.result) not in BENIGN


def waits_by_nature(event):
    if event.operation is FilesysemDirectoryControlOperation.NotifyChangeDirectory:
        return True
    if event.operation is not FilesystemOperation.FileSystemControl:
        return False
    # An oplock acknowledgement asks for the next lower oplock: it is a request as well.
    control = event.details.get("Control", "")
    return "OPLOCK" in control or "OPBATCH" in control or "FSCTL_PIPE" in control or "0x11" == control[:4]


def is_delay(event):
    return not is_pending(event) and event.duration >= SECOND and not waits_by_nature(event)


def read_events(log, tap):
    """Number, event and target of every event that the library can read; prints how many it cannot."""
    unread = collections.Counter()
    with open(log, "rb") as file:
        reader = ProcmonLogsReader(file)
        for number in range(len(reader)):
            tap.target = ""
            try:
                event = reader[number]
            except Exception as error:  # noqa: BLE001
                unread[type(error).__name__] += 1
                continue
            yield number, event, tap.target
    for error, count in unread.items():
        print(f"  procmon-parser could not read {count} events ({error})")


def recount(log, start, end, everything):
    """Touches by driver, and notes on what the library could not decode."""
    tap = DetailTap()
    with open(log, "rb") as file:
        reader = ProcmonLogsReader(file)
        system_root = reader.system_details()["System Root"]
        system = [process for process in reader.processes() if process.pid == 4]
    drivers = Drivers(system_root, highest_user_address(log))
    for module in (module for process in system for module in process.modules):
        drivers.add(module.base_address, module.size, module.path)

    scope = Scope(system_root, everything)
    kept = []
    for number, event, target in read_events(log, tap):
        if event.operation is ProcessOperation.Load_Image:
            base, size = event.details["Image Base"], event.details["Image Size"]
            drivers.add(base, size, event.path, event.date_filetime)
        if event.event_class not in (EventClass.File_System, EventClass.Registry):
            continue
        if start <= event.date_filetime <= end and scope.takes(event, target):
            kept.append((number, event))
    drivers.freeze()

    tallies = collections.defaultdict(Tally)
    for number, event in kept:
        failed, slow = is_failure(event), is_delay(event)
        names = {drivers.at(address, event.date_filetime) for address in event.stacktrace}
        for name in names - {None}:
            tallies[name].add(number, event, failed, slow)
    print(f"  {len(kept):,} operations counted")
    if tap.targets:
        print(f"  targets of renames and links, read from the raw detail block: {dict(tap.targets)}")
    for what, count in tap.undecoded.items():
        print(f"  details procmon-parser could not decode (path and stack count all the same): {count} x {what}")
    return tallies, system_root


# --- Against fltscope ---------------------------------------------------------------------------------


def rfc3339(filetime):
    if filetime is None:
        return None
    moment = EPOCH + datetime.timedelta(seconds=filetime // SECOND)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{filetime % SECOND:07d}Z"


def filetime_of(text):
    """100 ns since 1601 of an RFC 3339 time."""
    found = re.fullmatch(r"(.{19})(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)", text.strip())
    if not found:
        sys.exit(f"{text!r} is no RFC 3339 time")
    moment = datetime.datetime.fromisoformat(found[1] + found[3].replace("Z", "+00:00"))
    fraction = int((found[2] or "").ljust(7, "0")[:7])
    return (moment - EPOCH) // datetime.timedelta(seconds=1) * SECOND + fraction


def window_of(text):
    """First and last FILETIME of START..END; either may be missing."""
    start, dots, end = text.partition("..")
    if not dots:
        sys.exit("--window takes START..END")
    return filetime_of(start) if start else 0, filetime_of(end) if end else 2**64 - 1


def findings(binary, log, window, everything):
    command = [binary, "analyze", str(log), "--window", window, "--format", "json", "--quiet"]
    with tempfile.TemporaryDirectory() as folder:
        if everything:
            rules = pathlib.Path(folder) / "every-path.toml"
            rules.write_text(ALL_PATHS_RULES, encoding="utf-8")
            command += ["--rules", str(rules)]
        return json.loads(run(command))


class Comparison:
    """Collects differences."""

    def __init__(self):
        self.differences = []

    def same(self, who, what, ours, theirs):
        """Whether the value of fltscope is that of the recount."""
        if ours != theirs:
            self.differences.append(f"{who}: {what}: fltscope {ours!r}, recount {theirs!r}")
        return ours == theirs

    def driver(self, driver, tally):
        name, touches = driver["name"], driver["touches"]
        self.same(name, "minifilter touches", touches["minifilter"], 0)
        self.same(name, "file touches", touches["file_stack"], tally.file)
        self.same(name, "registry touches", touches["registry_stack"], tally.registry)
        self.same(name, "failures", driver["failures"], tally.failures)
        self.same(name, "delays", driver["delays"], tally.delays)
        self.same(name, "longest delay", driver["delay_us_max"], tally.longest / 10)
        self.same(name, "first touch", driver["first"], rfc3339(tally.first))
        self.same(name, "last touch", driver["last"], rfc3339(tally.last))
        for row in driver["paths"]:
            counts = (row["touches"], row["failures"])
            self.same(name, f"counts of {row['path']!r}", counts, tuple(tally.paths.get(row["path"], (0, 0))))
        listed = len(driver["paths"]) + driver.get("paths_more", 0)
        self.same(name, "number of paths", listed, len(tally.paths))
        for row in driver["evidence"]:
            meant = tally.events.get(row["event"])
            self.same(name, f"evidence, event {row['event']}", (row["kind"], row["reason"]), meant)

    def observer(self, driver):
        """Procmon's own driver stands on every stack and is never flagged."""
        if driver["name"].lower().startswith("procmon"):
            self.same(driver["name"], "role and verdict", (driver["role"], driver["verdict"]), ("observer", "loaded"))


def compare(found, tallies, system_root):
    """Prints the table; the differences."""
    result = Comparison()
    by_name = {}
    for driver in found["drivers"]:
        key = (driver["name"].lower(), without_volume(driver["path"], system_root))
        result.same(driver["name"], "listed more than once", key in by_name, False)
        by_name[key] = driver
    columns = "file", "registry", "failures", "delays"
    print(f"  {'driver':<24} {'role':<10} " + " ".join(f"{name:>19}" for name in columns))
    print(f"  {'':<24} {'':<10} " + " ".join(f"{'fltscope / recount':>19}" for _ in columns))
    touching = [key for key, driver in by_name.items() if any(driver["touches"].values())]
    for key in sorted({*touching, *tallies}, key=lambda key: (-(tallies[key].file + tallies[key].registry), key)):
        driver, tally = by_name.get(key), tallies[key]
        theirs = tally.file, tally.registry, tally.failures, tally.delays
        if driver is None:
            result.differences.append(f"{key[0]} ({key[1]}): not in the findings, recount {theirs}")
            ours, role = ("-",) * 4, "missing"
        else:
            touches = driver["touches"]
            ours = touches["file_stack"], touches["registry_stack"], driver["failures"], driver["delays"]
            role = driver["verdict"] if driver["third_party"] else "Microsoft"
            role = "observer" if driver["role"] == "observer" else role
        cells = " ".join(f"{f'{our} / {their}':>19}" for our, their in zip(ours, theirs))
        print(f"  {key[0]:<24} {role:<10} {cells}")
    if not touching and not tallies:
        print("  (no driver touches)")
    for key, driver in by_name.items():
        result.driver(driver, tallies[key])
        result.observer(driver)
    return result.differences


def main():
    parser = plain_help(description=__doc__)
    parser.add_argument("log", metavar="LOG.pml", type=pathlib.Path, help="a Procmon log (version 9)")
    parser.add_argument("--window", metavar="START..END", default="..", help="RFC 3339 times; default: the whole log")
    parser.add_argument(
        "--all-paths",
        action="store_true",
        help="count on every path, not on driver-store paths alone (fltscope gets a rules file that says so)",
    )
    add_binary_option(parser)
    args = parser.parse_args()
    binary = find_fltscope(args.binary)
    scope = "every path" if args.all_paths else "driver-store paths"
    print(f"{args.log}, {scope}, window {args.window}")
    tallies, system_root = recount(args.log, *window_of(args.window), args.all_paths)
    differences = compare(findings(binary, args.log, args.window, args.all_paths), tallies, system_root)
    for line in differences[:40]:
        print(f"  DIFFERS {line}")
    if len(differences) > 40:
        print(f"  and {len(differences) - 40} more differences")
    print("  all agree" if not differences else f"  {len(differences)} DIFFERENCES")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
