#!/usr/bin/env python3
"""Holds the traces that tracegen writes against an independent reader of the format, and recounts their truth.

tracegen and fltscope were written from the same format tables. Were the tables misread, both would agree
on it; so this script loads the generated traces with dissect.etl (PyPI) and compares

- every record: number, header, time stamp, hook or provider, process and thread, every byte of the payload;
- the fields of kernel events, as far as dissect.etl has them from Windows' own event classes;
- what `tracegen truth` says with a recount from the records dissect.etl gives, by the definitions of
  docs/findings.md: names of files and keys, stacks, callbacks, images and their companies are put together here;
- the counts of `fltscope info --json` with the counts meant.

    pip install dissect.etl
    scripts/check_tracegen_etl.py [--tracegen PATH] [--binary PATH] [CASE ...]

The exit status is 0 when everything agrees. What dissect.etl 3.14 cannot do, and how it is got round here: it
reads no record of a file whose header counts no buffers (a copy with the count is read); it takes the GUID of an
EVENT_HEADER in the wrong byte order, and leaves extended items to the payload; it cannot switch its event classes to
32-bit pointers (done here), and has the start time of minifilter completions as a pointer (so their fields are not
compared in 32-bit traces); its class of stacks does not fit real ones either; it cannot load its classes of the system
configuration, and has none for hard links, for what merge tools add, and for self-describing events (of all these
the bytes are compared).
"""

import bisect
import collections
import functools
import io
import json
import pathlib
import struct
import sys
import tempfile
import uuid
from importlib.metadata import version

from check_tracegen import Check, json_lines, kind, tracegen
from common import add_binary_option, find_fltscope, find_program, plain_help, run
from dissect.etl import manifest
from dissect.etl.etl import ETL, Event
from dissect.etl.exceptions import ManifestNotFoundError

# Name of the case with its options; whether the truth is recounted.
CASES = [
    ("boot-trace", True),
    ("boot-etl", True),
    ("clean-etl", True),
    ("boot32-etl", True),
    ("boot32-etl,compressed,plain-stacks", True),
    ("short-etl,plain-stacks", True),
    ("short-etl,compressed,small-buffers", True),
    ("short-etl,no-init", True),
    ("short-etl,no-completion", True),
    ("short-etl,no-failure", True),
    ("short-etl,no-callbacks,no-background", True),
    ("short-etl,no-stacks", True),
    ("short-etl,fast-callbacks", True),
    ("short-etl,file-v2", True),
    ("boot32-etl,file-v2", True),
    ("short-etl,unfinalised", True),
    ("short-etl,unfinalised,compressed,plain-stacks", True),
    # Durations lose their last digits to these clocks.
    ("short-etl,system-time", True),
    ("short-etl,odd-frequency", False),
    ("short-etl,cycles", False),
]
FILES = {"boot": "boot.etl", "clean": "clean.etl", "boot32": "boot_32.etl", "short": "short.etl"}

# --- Every record, as dissect.etl has it --------------------------------------------------------------

SYSTEM, COMPACT, PERFINFO, FULL, EVENT = (1, 2), (3, 4), (16, 17), (10, 20), (18, 19)
BUFFERS_WRITTEN = 72 + 32 + 0x24


class Record:
    """A record of the file, with what this script needs of it."""

    __slots__ = ("kind", "hook", "provider", "id", "version", "pid", "tid", "ticks", "payload", "bits", "header")

    def __init__(self, event):
        header = event.header
        self.header = header
        self.kind = header.marker >> 16 & 0xFF
        self.bits = 64 if header.is_64bit else 32
        self.ticks = header.time_delta
        self.payload = bytes(header.payload)
        self.hook = self.provider = self.id = self.pid = self.tid = None
        if self.kind in SYSTEM + COMPACT + PERFINFO:
            self.hook = header.hook_id
            self.version = header.version & 0xFF
        else:
            # The library takes the GUID of an EVENT_HEADER in the wrong byte order, and opcode, level and version
            # of a FULL header for one number.
            self.provider = str(uuid.UUID(bytes_le=bytes(header.header.ProviderId)))
            number = header.header.Version
            self.id, self.version = (number & 0xFF, number >> 16) if self.kind in FULL else (header.header.Id, number)
        if self.kind not in PERFINFO:
            self.pid, self.tid = header.process_id, header.thread_id


def read(path):
    """The trace header and all records."""
    data = path.read_bytes()
    buffers = struct.unpack_from("<I", data, BUFFERS_WRITTEN)[0]
    if buffers == 0:
        at, count = 0, 0
        while at < len(data):
            at += struct.unpack_from("<I", data, at)[0]
            count += 1
        data = data[:BUFFERS_WRITTEN] + struct.pack("<I", count) + data[BUFFERS_WRITTEN + 4 :]
    etl = ETL(io.BytesIO(data))
    return etl, [Record(event) for event in etl]


def check_records(check, etl, records, lines):
    check.equal("record count", "file", len(records), len(lines))
    for meant, got in zip(lines, records):
        where = f"record {meant['index']}"
        check.equal("header", where, got.kind, meant["kind"])
        check.equal("hook or provider", where, (got.hook, got.provider, got.id), (meant["hook"], meant["provider"], meant["id"]))
        check.equal("version", where, got.version, meant["version"])
        check.equal("clock", where, got.ticks, meant["ticks"])
        # dissect.etl counts in floating-point numbers.
        filetime = etl.get_filetime_for_event(got.ticks)
        check.equal("time", where, abs(filetime - meant["time"]) <= 20, True)
        if got.pid is not None:
            check.equal("process and thread", where, (got.pid, got.tid), (meant["pid"], meant["tid"]))
        if meant["index"] == 0:
            check.skip("payload of the trace header: compared field by field")
            continue
        record = bytes.fromhex(meant["record"])
        # The library leaves extended items to the payload, and takes what follows the last one for more of them.
        size = len(record) - 80 if got.kind in EVENT else meant["payload_bytes"]
        check.equal("payload", where, got.payload, record[len(record) - size :])
        if got.kind in EVENT:
            items = [(int(item.ext_type), item.data_size) for item in got.header.header_extensions[:2]]
            check.equal("extended items", where, [n for n, _ in items], [11, 12])


def check_header(check, etl, path, lines):
    header = etl.logfile_header
    wide = lines[0]["kind"] == 2
    finalised = header.end_time != 0
    check.equal("trace header", "64-bit", header.is_64bit, wide)
    check.equal("trace header", "pointer size", header.pointer_size, 8 if wide else 4)
    check.equal("trace header", "start", header.start_time, lines[0]["time"])
    check.equal("trace header", "build", header.header.ProviderVersion, 19045)
    check.equal("trace header", "processors", header.header.NumberOfProcessors, 4 if wide else 2)
    check.equal("trace header", "bias", header.header.TimeZone.Bias, -60)
    check.equal("trace header", "session", header.logger_name, "Relogger" if finalised else "NT Kernel Logger")
    if finalised:
        check.equal("trace header", "end", header.end_time >= lines[-1]["time"] - 20_000_000, True)
        last = max(line["time"] for line in lines)
        check.equal("trace header", "last record", last <= header.end_time, True)


# --- Fields of kernel events --------------------------------------------------------------------------


def fields_meant(event, clock):
    """Fields in the words of dissect.etl's classes; none for events it has no class for."""
    name, f = kind(event)
    match name:
        case "FileIo":
            op, p = kind(f["op"])
            common = {"IrpPtr": f["irp"], "FileObject": f["object"], "TTID": f["tid"]}
            info, path = (p[0], {"FileName": p[1]}) if isinstance(p, list) else (p, {})
            if op in ("SetLink", "SetLinkPath"):
                return None
            if "class" in info and "pattern" not in info:
                path = {"InfoClass": info["class"], "ExtraInfo": info["extra"], "FileKey": info["key"]} | path
            if op == "Create":
                names = {"CreateOptions": "options", "FileAttributes": "attributes", "ShareAccess": "share", "OpenPath": "path"}
                path = {theirs: p[ours] for theirs, ours in names.items()}
            elif op in ("Read", "Write"):
                path = {"Offset": p["offset"], "IoSize": p["size"], "IoFlags": p["flags"], "FileKey": p["key"]}
            elif op in ("DirEnum", "DirNotify"):
                names = {"Length": "length", "InfoClass": "class", "FileIndex": "index", "FileName": "pattern", "FileKey": "key"}
                path = {theirs: p[ours] for theirs, ours in names.items()}
            elif op in ("Cleanup", "Close", "Flush"):
                path = {"FileKey": p["key"]}
            return common | path
        case "OperationEnd":
            return {"IrpPtr": f["irp"], "ExtraInfo": f["information"], "NtStatus": f["status"]}
        case "FileName":
            _, (key, path) = kind(f)
            return {"FileObject": key, "FileName": path}
        case "Callback":
            what, p = kind(f["event"])
            names = {"RoutineAddr": "routine", "FileObject": "object", "FileContext": "context", "IrpPtr": "irp"}
            names |= {"CallbackDataPtr": "data", "MajorFunction": "major"}
            meant = {theirs: f[ours] for theirs, ours in names.items()}
            if what == "Failure":
                meant["Status"] = p["status"]
            if what == "Completion":
                meant["InitialTime"] = clock(p["initial"])
            return meant
        case "Registry":
            names = {"Status": "status", "Index": "index", "KeyHandle": "kcb", "KeyName": "name"}
            initial = {"InitialTime": 0 if f["initial"] is None else clock(f["initial"])}
            return initial | {theirs: f[ours] for theirs, ours in names.items()}
        case "Switch":
            return {"NewThreadId": f["new"], "OldThreadId": f["old"]}
        case "Thread":
            return {"ProcessId": f[1]["pid"], "TThreadId": f[1]["tid"], "StackBase": f[1]["stack"], "TebBase": f[1]["teb"]}
        case "Image":
            names = {"ImageBase": "base", "ImageSize": "size", "ProcessId": "pid", "TimeDateStamp": "timestamp", "FileName": "path"}
            return {theirs: f[1][ours] for theirs, ours in names.items()}
        case "Object":
            what, p = kind(f)
            if what == "DuplicateHandle":
                return None
            names = {"object": "Object", "handle": "Handle", "kind": "ObjectType", "pid": "ProcessId"}
            names["name"] = "TypeName" if what == "TypeRundown" else "ObjectName"
            return {names[ours]: value for ours, value in p.items() if ours in names}
        case "Stack":
            what, p = kind(f)
            if what == "Plain":
                # Its class wants 32 frames of every stack, of real ones as well.
                return None
            if what == "Reference":
                return {"EventTimeStamp": clock(p["of"]), "StackProcess": p["pid"], "StackThread": p["tid"], "StackKey": p["key"]}
            return {"key": p[0], "StackFrame": p[1][0]}
        case "Profile":
            what, p = kind(f)
            if what == "Sample":
                return {"InstructionPointer": p["instruction"], "ThreadId": p["tid"], "Count": p["count"]}
            return {"NewInterval": p["interval"], "SourceName": p["source"]}
        case "Disk":
            what, p = kind(f)
            if what == "Init":
                return {"Irp": p["irp"], "IssuingThreadId": p["tid"]}
            names = {"IrpFlags": "flags", "TransferSize": "bytes", "ByteOffset": "offset", "FileObject": "key", "Irp": "irp"}
            return {theirs: p[ours] for theirs, ours in (names | {"IssuingThreadId": "tid"}).items()}
        case "Terminate":
            return {"ProcessId": f}
        case "Process":
            names = {"ProcessId": "pid", "ParentId": "parent", "SessionId": "session", "ExitStatus": "exit_status"}
            names |= {"UniqueProcessKey": "key", "CommandLine": "command_line"}
            return {theirs: f[1][ours] for theirs, ours in names.items()}
    return None


def check_fields(check, etl, records, lines):
    header = etl.logfile_header
    start, origin = etl.start_time, lines[0]["ticks"]
    mask = {32: 0xFFFF_FFFF, 64: 0xFFFF_FFFF_FFFF_FFFF}
    clock_type = header.header.ReservedFlags
    frequency = {1: header.perf_freq, 3: header.cpu_speed_in_MHz * 1_000_000}.get(clock_type, 10_000_000)

    def clock(filetime):
        return filetime if clock_type == 2 else origin + (filetime - start) * frequency // 10_000_000

    by_hook = collections.Counter()
    for meant, got in zip(lines, records):
        event = meant.get("meaning")
        if event is None or got.kind in FULL + EVENT:
            continue
        # Thousands of each kind say no more than hundreds.
        by_hook[got.hook] += 1
        if by_hook[got.hook] > 400 and meant["index"] % 16:
            continue
        if got.bits == 32 and got.hook in (0x462, 0x463):
            check.skip("fields of 32-bit completions: dissect.etl has the time as a pointer")
            continue
        wanted = fields_meant(event, clock)
        values = parse(got.header)
        if wanted is None or values is None:
            name = kind(event)[0]
            check.skip(f"fields of {name} {got.hook:#06x}: no class in dissect.etl")
            continue
        check.equal("class fits", f"record {meant['index']}: {kind(event)[0]}", values.get("error"), None)
        for field, value in wanted.items():
            if field not in values:
                check.skip(f"field {field} of {kind(event)[0]}: not in dissect.etl's class")
                continue
            read_value = values[field]
            if isinstance(value, int):
                value, read_value = value & mask[got.bits], int(read_value) & mask[got.bits]
                if field in ("ExitStatus",):
                    value, read_value = value & 0xFFFF_FFFF, read_value & 0xFFFF_FFFF
            else:
                read_value = text(read_value)
            check.equal("field", f"record {meant['index']}: {kind(event)[0]} {field}", read_value, value)


def text(value):
    return value.decode("latin-1") if isinstance(value, bytes) else str(value).rstrip("\0")


@functools.cache
def event_class(provider):
    """The classes of a provider; none where the library has none, or cannot load those it has."""
    try:
        return manifest.lookup(provider)
    except (ManifestNotFoundError, KeyError):
        return None


def parse(header):
    """The fields the library finds in a payload; none where it has no class for it."""
    classes = event_class(header.provider_id)
    if classes is None:
        return None
    pointer, sid = classes.c_parser.EtwPointer, classes.c_parser.UserSID_blob
    if header.is_64bit:
        pointer.as_64bit()
        sid.as_64bit()
    else:
        # Its own method for this is no class method, and cannot be called.
        pointer.size, pointer.type = 4, pointer.cs.uint32
        sid.as_32bit()
    try:
        event = Event(header, classes)
    except EOFError as error:
        return {"error": error}
    return event._struct.__values__ if event._struct is not None else None


# --- The recount --------------------------------------------------------------------------------------

SCOPE_FOLDERS = ["\\windows\\system32\\driverstore", "\\windows\\system32\\drivers", "\\windows\\inf", "\\windows\\system32\\catroot"]
SCOPE_KEYS = ["\\registry\\machine\\system\\driverdatabase", "\\registry\\machine\\drivers"]
HIVE = "\\windows\\system32\\config\\drivers"
BENIGN = {
    0x80000006, 0x8000001A, 0xC0000273, 0xC0000034, 0xC000003A, 0xC000000F, 0xC0000035, 0x80000005, 0xC0000023, 0xC0000011,
    0xC0000275, 0xC01C0004, 0xC0000010, 0xC000000D, 0xC00000BA, 0xC0000120, 0xC0000052,
}  # fmt: skip
SERVICING = {"trustedinstaller.exe", "tiworker.exe", "poqexec.exe", "drvinst.exe", "wusa.exe", "dismhost.exe"}
WAITING_CONTROLS = {0x90000, 0x90004, 0x90008, 0x90014, 0x9005C, 0x90240}
SECOND = 10_000_000


def benign(status):
    return status >> 30 < 2 or status in BENIGN


def below(path, folder):
    return path == folder or path.startswith(folder + "\\")


def file_in_scope(path):
    path = path.lower()
    if path.startswith("\\device\\harddiskvolume"):
        path = path[len("\\device\\harddiskvolume") :].lstrip("0123456789")
    if path.startswith(HIVE):
        rest = path[len(HIVE) :]
        if not rest or rest.startswith(".log") or rest.startswith("{") and rest.endswith((".tm.blf", ".regtrans-ms")):
            return True
    return any(below(path, folder) for folder in SCOPE_FOLDERS)


def key_in_scope(path):
    return any(below(path.lower(), key) for key in SCOPE_KEYS)


class Fields:
    """Reads a payload from its beginning."""

    def __init__(self, record):
        self.data, self.at, self.wide = record.payload, 0, record.bits == 64

    def take(self, layout):
        size = struct.calcsize("<" + layout)
        values = struct.unpack_from("<" + layout, self.data, self.at)
        self.at += size
        return values[0] if len(values) == 1 else values

    def pointer(self):
        return self.take("Q" if self.wide else "I")

    def pointers(self, count):
        return [self.pointer() for _ in range(count)]

    def wide_text(self):
        end = self.at
        while self.data[end : end + 2] not in (b"\0\0", b""):
            end += 2
        value = self.data[self.at : end].decode("utf-16-le")
        self.at = end + 2
        return value

    def rest(self):
        return [self.pointer() for _ in range((len(self.data) - self.at) // (8 if self.wide else 4))]


class Names:
    """What an address is called: by a record at some time, until another record ends it."""

    def __init__(self):
        self.events = collections.defaultdict(list)

    def add(self, address, time, name, ends=False):
        self.events[address].append((time, name, ends))

    def at(self, address, time):
        """The name that began last before `time` and has not ended; else the next one told if that tells of the past."""
        events = self.events.get(address, [])
        place = bisect.bisect_right(events, time, key=lambda e: e[0])
        if place and not events[place - 1][2]:
            return events[place - 1][1]
        for _, name, ends in events[place:]:
            return name if ends else None
        return None

    def sort(self):
        for events in self.events.values():
            events.sort(key=lambda e: e[0])


class Recount:
    """Puts the records of a trace together and counts touches by the definitions."""

    def __init__(self, etl, records):
        self.etl = etl
        self.by_time = sorted(records, key=lambda r: r.ticks)
        self.operations, self.callbacks = [], []
        self.drivers, self.companies, self.images, self.processes = {}, {}, {}, {}
        self.key_names, self.object_names, self.blocks = Names(), Names(), Names()
        self.stack_keys = collections.defaultdict(list)
        self.last = self.by_time[-1].ticks
        self.dictionaries()
        self.put_together()

    def time(self, ticks):
        return self.etl.start_time + ticks - self.by_time[0].ticks if self.by_time[0].ticks != self.etl.start_time else ticks

    def dictionaries(self):
        for r in self.by_time:
            f = Fields(r)
            if r.provider == "b3e675d7-2554-4f18-830b-2762732560de" and r.id == 64:
                size, stamp = f.take("II")
                texts = [f.wide_text() for _ in range(10)]
                self.companies[size, stamp, texts[0].lower()] = texts[6]
            if r.hook in (0x030A, 0x1403, 0x1404):
                base, size = f.pointer(), f.pointer()
                pid, _, stamp, _ = f.take("IIII")
                f.pointers(1), f.take("IIII")
                path = f.wide_text()
                if stamp or (base, pid) not in self.images:
                    self.images[base, pid] = (size, stamp, path)
            elif r.hook in (0x0301, 0x0303, 0x0304):
                f.pointer()
                pid, _, _, _ = f.take("IIIi")
                f.pointer(), f.take("I")
                if struct.unpack_from("<I", f.data, f.at)[0]:
                    f.pointers(2)
                    f.at += 8 + 4 * f.data[f.at + 1]
                else:
                    f.at += 4
                self.processes[pid] = f.data[f.at : f.data.index(b"\0", f.at)].decode("latin-1")
            elif r.hook in (0x0420, 0x0423, 0x0424):
                self.key_names.add(f.pointer(), r.ticks, f.wide_text(), ends=r.hook != 0x0420)
            elif r.hook in (0x0916, 0x0917, 0x0918, 0x0919):
                f.take("qII")
                self.blocks.add(f.pointer(), r.ticks, f.wide_text(), ends=r.hook in (0x0917, 0x0919))
            elif r.hook in (0x1823, 0x1824):
                self.stack_keys[f.pointer()].append((r.ticks, f.rest()))
        # Later names of an address never reach back over the end of an earlier one.
        self.key_names.sort(), self.blocks.sort()
        self.makers = {}
        for (base, pid), (size, stamp, path) in self.images.items():
            name = path.rsplit("\\", 1)[1]
            company = self.companies.get((size, stamp, name.lower()), "")
            if pid == 0:
                self.drivers[base] = (base, base + size, name, company)
            elif name.encode("latin-1", "replace") == self.processes.get(pid, "").encode("latin-1", "replace"):
                self.makers[pid] = company
        self.bases = sorted(self.drivers)

    def driver(self, address):
        place = bisect.bisect_right(self.bases, address)
        if not place:
            return None
        start, end, name, _ = self.drivers[self.bases[place - 1]]
        return name if start <= address < end else None

    def put_together(self):
        open_requests, open_callbacks, by_place = {}, {}, collections.defaultdict(list)
        stacks = []
        for r in self.by_time:
            if r.hook is None:
                continue
            f = Fields(r)
            if r.hook == 0x044C:
                irp = f.pointer()
                f.pointer()
                operation = open_requests.pop(irp, None)
                if operation is not None:
                    operation["status"], operation["duration"] = f.take("I"), r.ticks - operation["ticks"]
                    if operation["creates"] and operation["status"] >> 30 == 3:
                        self.object_names.add(operation["object"], r.ticks, "", ends=True)
                    by_place[r.ticks, r.tid].append(operation)
            elif 0x0440 <= r.hook <= 0x0452:
                self.file_operation(r, f, open_requests, by_place)
            elif 0x0460 <= r.hook <= 0x0465:
                self.callback(r, f, open_requests, open_callbacks)
            elif r.hook >> 8 == 9 and not 0x0916 <= r.hook <= 0x0919:
                self.registry_operation(r, f, by_place)
            elif r.hook == 0x1820:
                of, _, tid = f.take("qII")
                stacks.append((of, tid, f.rest()))
            elif r.hook == 0x1825:
                of, _, tid = f.take("qII")
                stacks.append((of, tid, self.frames(f.pointer(), r.ticks)))
        highest = 0x7FFF_FFFE_FFFF if self.etl.logfile_header.is_64bit else 0x7FFE_FFFF
        for of, tid, frames in stacks:
            for operation in by_place.get((of, tid), []):
                operation["drivers"] |= {self.driver(a) for a in frames if a > highest} - {None}

    def frames(self, key, time):
        """A key is defined by the first record that ends it after the reference."""
        return next((frames for when, frames in self.stack_keys[key] if when >= time), [])

    def file_operation(self, r, f, open_requests, by_place):
        v2 = r.version == 2
        offset = f.take("Q") if r.hook in (0x0443, 0x0444) else None
        irp = f.pointer()
        tid = f.pointer() if v2 else None
        file_object = f.pointer()
        del offset, tid
        if r.hook in (0x044F, 0x0450, 0x0451):
            f.pointers(2), f.take("I" if v2 else "II")
            if irp in open_requests and r.hook != 0x044F:
                open_requests[irp]["target"] = f.wide_text()
            return
        path, waits = None, r.hook == 0x044D
        if r.hook == 0x0440:
            f.take("III" if v2 else "IIII")
            path = f.wide_text()
            self.object_names.add(file_object, r.ticks, path)
        else:
            key = f.pointer()
            path = self.object_names.at(file_object, r.ticks) or self.key_names.at(key, r.ticks)
            if r.hook == 0x044B:
                f.pointer()
                code = f.take("I") if v2 else f.take("II")[1]
                waits = code in WAITING_CONTROLS or code >> 16 == 0x11
            if r.hook == 0x0442:
                self.object_names.add(file_object, r.ticks, "", ends=True)
        operation = {"ticks": r.ticks, "time": self.time(r.ticks), "pid": r.pid, "path": path, "target": None, "group": "file",
                     "status": None, "duration": None, "waits": waits, "drivers": set(), "object": file_object, "creates": r.hook == 0x0440}  # fmt: skip
        open_requests[irp] = operation
        by_place[r.ticks, r.tid].append(operation)
        self.operations.append(operation)

    def callback(self, r, f, open_requests, open_callbacks):
        initial = f.take("q") if r.hook in (0x0462, 0x0463) else None
        routine, file_object, key, _, data = f.pointers(5)
        f.take("I")
        place = (routine, data)
        known = open_callbacks.get(place)
        request = open_requests.get(data)
        # A completion that began when the initiation was written, or a failure that nothing stands between.
        if r.hook in (0x0460, 0x0461) or known is None or known["failed"] or r.hook in (0x0462, 0x0463) and known["done"]:
            start = r.ticks if initial is None else initial
            path = request["path"] if request and request["object"] == file_object else None
            path = path or self.object_names.at(file_object, r.ticks) or self.key_names.at(key, r.ticks)
            target = request["target"] if request and request["object"] == file_object else None
            known = {"driver": self.driver(routine), "time": self.time(start), "start": start, "path": path, "target": target,
                     "duration": None, "status": None, "done": False, "failed": False}  # fmt: skip
            self.callbacks.append(known)
            open_callbacks[place] = known
        if initial is not None:
            known["done"], known["duration"] = True, r.ticks - initial
        if r.hook in (0x0464, 0x0465):
            known["failed"], known["status"] = True, f.take("I")

    def registry_operation(self, r, f, by_place):
        initial, status, _ = f.take("qII")
        kcb, name = f.pointer(), f.wide_text()
        base = self.blocks.at(kcb, r.ticks) if kcb else ""
        path = None if base is None else "\\".join(part for part in (base, name) if part)
        operation = {"ticks": r.ticks, "time": self.time(initial), "pid": r.pid, "path": path, "target": None, "group": "registry",
                     "status": status, "duration": r.ticks - initial, "waits": False, "drivers": set()}  # fmt: skip
        by_place[r.ticks, r.tid].append(operation)
        self.operations.append(operation)

    def in_scope(self, operation):
        test = key_in_scope if operation.get("group") == "registry" else file_in_scope
        return any(path and test(path) for path in (operation["path"], operation["target"]))

    def servicing(self):
        times = [o["time"] for o in self.operations if self.in_scope(o) and self.processes.get(o["pid"], "").lower() in SERVICING]
        return (min(times), max(times)) if times else None

    def count(self, start, end):
        names = ["minifilter", "file_stack", "registry_stack", "failures", "minifilter_failures", "delays", "minifilter_delays"]
        counts = collections.defaultdict(lambda: dict.fromkeys(names, 0) | {"delay_us_max": 0.0, "delay_us_total": 0.0})
        scope_events, processes = 0, collections.defaultdict(lambda: [0, 0])
        for o in self.operations:
            if not (start <= o["time"] <= end and self.in_scope(o)):
                continue
            scope_events += 1
            maker = self.makers.get(o["pid"], "")
            if maker and "Microsoft" not in maker:
                processes[o["pid"]][0] += 1
                processes[o["pid"]][1] += o["status"] is not None and not benign(o["status"])
            for name in o["drivers"]:
                c = counts[name]
                c["file_stack" if o["group"] == "file" else "registry_stack"] += 1
                c["failures"] += o["status"] is not None and not benign(o["status"])
                if o["duration"] is not None and o["duration"] >= SECOND and not o["waits"]:
                    c["delays"] += 1
                    c["delay_us_max"] = max(c["delay_us_max"], o["duration"] / 10)
        for b in self.callbacks:
            if not (start <= b["time"] <= end and b["driver"] and self.in_scope(b)):
                continue
            c = counts[b["driver"]]
            c["minifilter"] += 1
            if b["status"] is not None and not benign(b["status"]):
                c["failures"] += 1
                c["minifilter_failures"] += 1
            if b["duration"] is not None:
                c["delay_us_max"] = max(c["delay_us_max"], b["duration"] / 10)
                c["delay_us_total"] += b["duration"] / 10
                if b["duration"] >= SECOND:
                    c["delays"] += 1
                    c["minifilter_delays"] += 1
        return counts, scope_events, dict(processes)


def check_truth(check, etl, records, truth):
    recount = Recount(etl, records)
    servicing = truth["servicing"]
    meant = (servicing["start"], servicing["end"]) if servicing else None
    check.equal("servicing span", "truth", recount.servicing(), meant)
    check.equal("records", "truth", len(records), truth["records"])
    spans = [("findings", truth["window"]["start"], truth["window"]["end"]), ("whole", 0, 1 << 64)]
    for name, start, end in spans:
        counts, scope_events, processes = recount.count(start, end)
        wanted = truth[name]
        third_parties = {p["pid"]: [p["touches"], p["failures"]] for p in wanted["processes"]}
        check.equal("processes", name, processes, third_parties)
        check.equal("scope events", name, scope_events, wanted["scope_events"])
        listed = {d["name"]: d for d in wanted["drivers"]}
        for driver in counts.keys() | listed.keys():
            got, want = counts[driver], listed.get(driver)
            if want is None:
                check.equal("driver", f"{name} {driver}", "touches", "nothing")
                continue
            for field, value in got.items():
                if field == "delay_us_total":
                    check.equal(f"touches, {name}", f"{driver} {field}", abs(value - want[field]) < 0.5, True)
                else:
                    check.equal(f"touches, {name}", f"{driver} {field}", value, want[field])
        for driver in wanted["drivers"]:
            known = [company for *_, file, company in recount.drivers.values() if file == driver["name"]]
            check.equal("company", driver["name"], known, [driver["company"]])


# --- fltscope -----------------------------------------------------------------------------------------


def check_info(check, binary, path, lines):
    info = json.loads(run([binary, "info", "--json", str(path)]))
    check.equal("info", "records", info["records"], {"good": len(lines), "bad": 0, "skipped_bytes": 0})
    hooks = collections.Counter((line["hook"], line["version"]) for line in lines if line["hook"] is not None)
    providers = collections.Counter(line["provider"] for line in lines if line["provider"] is not None)
    got = {(int(h["hook"], 16), h["version"]): h["count"] for h in info["etl"]["hooks"]}
    check.equal("info", "hooks", got, dict(hooks))
    check.equal("info", "providers", {p["guid"]: p["count"] for p in info["etl"]["providers"]}, dict(providers))


def main():
    parser = plain_help(description=__doc__)
    parser.add_argument("--tracegen", metavar="PATH", help="the tracegen to check (default: the one of this checkout)")
    add_binary_option(parser)
    parser.add_argument("cases", nargs="*", metavar="CASE", help="names as tracegen takes them (default: a list of all kinds)")
    arguments = parser.parse_args()
    generator = arguments.tracegen and str(pathlib.Path(arguments.tracegen).resolve())
    generator = generator or find_program("tracegen")
    binary = find_fltscope(arguments.binary)
    cases = [(name, True) for name in arguments.cases] or CASES
    good = True
    with tempfile.TemporaryDirectory() as folder:
        for name, counted in cases:
            plain = name.split(",")[0].removesuffix("-etl")
            path = pathlib.Path(folder) / FILES.get(plain, "boot_trace.etl")
            tracegen(generator, "sample", name, folder)
            lines = json_lines(tracegen(generator, "dump", name))
            truth = json.loads(tracegen(generator, "truth", name))
            truth = truth.get("etl", truth)
            check = Check(f"dissect.etl {version('dissect.etl')}: {name}")
            etl, records = read(path)
            check_header(check, etl, path, lines)
            check_records(check, etl, records, lines)
            check_fields(check, etl, records, lines)
            if counted:
                check_truth(check, etl, records, truth)
            check_info(check, binary, path, lines)
            good &= check.report()
    print("all values agree" if good else "DIFFERENCES FOUND")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
