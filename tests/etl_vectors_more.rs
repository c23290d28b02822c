//! Payloads that other projects captured, with the fields they found in them: traces' headers, samples,
//! network, disks, page faults.

use fltscope::etl::guid::Guid;
use fltscope::etl::hooks::hook_of_class;
use fltscope::etl::kernel::Fields;
use fltscope::etl::kernel::disk::DiskEvent;
use fltscope::etl::kernel::fault::FaultEvent;
use fltscope::etl::kernel::network::NetworkEvent;
use fltscope::etl::kernel::profile::ProfileEvent;
use fltscope::etl::masks::GroupMasks;
use fltscope::etl::{Record, TraceHeader};
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

/// Categories that another test covers.
const ELSEWHERE: [&str; 5] = ["Process", "Thread", "Image", "FileIO", "Registry"];

/// Fields of the trace header that are not kept: pointers without meaning, and sizes nobody asks for.
const NOT_KEPT: [&str; 6] = [
    "TimerResolution",
    "MaxFileSize",
    "StartBuffers",
    "LoggerName",
    "LogFileName",
    "Padding",
];

/// Whether the decoders keep a field of a vector.
fn is_kept(vector: &str, field: &str) -> bool {
    let has_pad = vector.starts_with("DiskIO") || vector.contains("ISR");
    if has_pad && field == "Reserved" {
        return false;
    }
    !NOT_KEPT.contains(&field)
}

/// Fields by the names of the vectors.
type Found = BTreeMap<&'static str, String>;

fn found<const N: usize>(fields: [(&'static str, u64); N]) -> Found {
    let fields = fields.into_iter();
    fields
        .map(|(name, value)| (name, value.to_string()))
        .collect()
}

fn hex(text: &str) -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(digit).collect()
}

fn guid(text: &str) -> Guid {
    Guid::new(u128::from_str_radix(&text.replace('-', ""), 16).unwrap())
}

/// A number in the form of [`found`], whether it is written in hexadecimal or not; a text as it is.
fn plain(value: &str) -> String {
    match value.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).unwrap().to_string(),
        None => value.to_owned(),
    }
}

/// A SYSTEM record around a payload.
fn system_record(wide: bool, hook: u16, payload: &[u8]) -> Vec<u8> {
    let mut record = vec![2, 0, 1 + u8::from(wide), 0xC0];
    record.extend((32 + payload.len() as u16).to_le_bytes());
    record.extend(hook.to_le_bytes());
    record.resize(32, 0);
    record.extend(payload);
    record
}

fn header(wide: bool, payload: &[u8]) -> Found {
    let record = system_record(wide, 0, payload);
    let (header, _) = TraceHeader::parse(&Record::parse(&record).unwrap(), 0).unwrap();
    let version = [header.os.0, header.os.1, header.layout.0, header.layout.1];
    let mut out = found([
        ("BufferSize", header.buffer_size.into()),
        ("Version", u32::from_le_bytes(version).into()),
        ("ProviderVersion", header.build.into()),
        ("NumberOfProcessors", header.processors.into()),
        ("EndTime", header.end_time.0),
        ("LogFileMode", header.mode.into()),
        ("BuffersWritten", header.buffers_written.into()),
        ("PointerSize", header.pointer_size.into()),
        ("EventsLost", header.events_lost.into()),
        ("CPUSpeed", header.cpu_mhz.into()),
        ("BootTime", header.boot_time.0),
        ("PerfFreq", header.perf_frequency),
        ("StartTime", header.start_time.0),
        ("ReservedFlags", header.clock_type.into()),
        ("BuffersLost", header.buffers_lost.into()),
    ]);
    // The vectors do not write these two out.
    let names = if wide {
        ("Relogger", "C:\\kernel.etl")
    } else {
        NAMES_32
    };
    assert_eq!((&*header.session, &*header.log_file), names);
    out.insert("SessionNameString", "kSessionName".into());
    out.insert("LogFileNameString", "kLogfileName".into());
    out
}

/// Session and file of the 32-bit header.
const NAMES_32: (&str, &str) = (
    "Make Test Data Session",
    r"c:\src\sawbuck\trunk\src\sawbuck\log_lib\test_data\image_data_32_v0.etl",
);

fn masks(payload: &[u8]) -> Found {
    let (masks, version) = GroupMasks::parse(payload).unwrap();
    let names = [
        "GroupMask1",
        "GroupMask2",
        "GroupMask3",
        "GroupMask4",
        "GroupMask5",
        "GroupMask6",
        "GroupMask7",
        "GroupMask8",
    ];
    let words = masks.words.iter().map(ToString::to_string);
    let mut out: Found = names.into_iter().zip(words).collect();
    out.insert("KernelEventVersion", version.to_string());
    out
}

fn profile(event: &ProfileEvent<'_>) -> Found {
    match event {
        ProfileEvent::Sample(sample) => found([
            ("InstructionPointer", sample.instruction),
            ("ThreadId", sample.tid.into()),
            ("Count", sample.count.into()),
            (
                "Reserved",
                u16::from_le_bytes([sample.flags, sample.rank]).into(),
            ),
        ]),
        ProfileEvent::Interval(interval) => {
            let mut out = found([
                ("Source", interval.source.into()),
                ("NewInterval", interval.new.into()),
                ("OldInterval", interval.old.into()),
            ]);
            out.insert("SourceName", interval.name.to_string());
            out
        }
        ProfileEvent::SpinLocks(locks) => found([
            ("SpinLockSpinThreshold", locks.spin_threshold.into()),
            ("SpinLockContentionSampleRate", locks.contention_rate.into()),
            ("SpinLockAcquireSampleRate", locks.acquire_rate.into()),
            (
                "SpinLockHoldThreshold",
                locks.hold_threshold.unwrap().into(),
            ),
        ]),
        ProfileEvent::SystemCallEnter(address) => found([("SysCallAddress", *address)]),
        ProfileEvent::SystemCallExit(status) => found([("SysCallNtStatus", (*status).into())]),
        ProfileEvent::Interrupt(interrupt) => {
            let mut out = found([
                ("InitialTime", interrupt.initial_time.cast_unsigned()),
                ("Routine", interrupt.routine),
                ("ReturnValue", interrupt.returned.into()),
                ("Vector", interrupt.vector.unwrap().into()),
            ]);
            if let Some(message) = interrupt.message {
                out.insert("MessageNumber", message.to_string());
            }
            out
        }
        ProfileEvent::Dpc(dpc) => found([
            ("InitialTime", dpc.initial_time.cast_unsigned()),
            ("Routine", dpc.routine),
        ]),
        ProfileEvent::Counter(_) | ProfileEvent::Mark(_) => panic!("{event:?}"),
    }
}

/// Address and port as the numbers their bytes make on a little-endian machine.
fn end(end: SocketAddr) -> (u64, u64) {
    let IpAddr::V4(ip) = end.ip() else {
        panic!("{end}");
    };
    let ip = u32::from_le_bytes(ip.octets());
    (ip.into(), end.port().swap_bytes().into())
}

fn network(event: &NetworkEvent) -> Found {
    let (daddr, dport) = end(event.destination);
    let (saddr, sport) = end(event.source);
    let mut out = found([
        ("PID", event.pid.into()),
        ("size", event.size.into()),
        ("daddr", daddr),
        ("saddr", saddr),
        ("dport", dport),
        ("sport", sport),
        ("seqnum", event.sequence.into()),
        ("connid", event.connection),
    ]);
    if let Some((start, end)) = event.times {
        out.extend(found([("startime", start.into()), ("endtime", end.into())]));
    }
    if let Some(terms) = event.terms {
        out.extend(found([
            ("mss", terms.mss.into()),
            ("sackopt", terms.sack.into()),
            ("tsopt", terms.time_stamps.into()),
            ("wsopt", terms.window_scaling.into()),
            ("rcvwin", terms.receive_window.into()),
        ]));
        out.insert("rcvwinscale", terms.receive_scale.to_string());
        out.insert("sndwinscale", terms.send_scale.to_string());
    }
    out
}

fn disk(event: &DiskEvent) -> Found {
    let mut out = match event {
        DiskEvent::Transfer(transfer) => found([
            ("DiskNumber", transfer.disk.into()),
            ("IrpFlags", transfer.irp_flags.into()),
            ("TransferSize", transfer.bytes.into()),
            ("ByteOffset", transfer.offset),
            ("FileObject", transfer.file_key),
            ("Irp", transfer.irp.unwrap()),
        ]),
        DiskEvent::Flush(flush) => found([
            ("DiskNumber", flush.disk.into()),
            ("IrpFlags", flush.irp_flags.into()),
            ("Irp", flush.irp),
        ]),
        DiskEvent::Init(init) => found([("Irp", init.irp)]),
        DiskEvent::Redirected(_) => panic!("{event:?}"),
    };
    if let Some(response) = event.response() {
        out.insert("HighResResponseTime", response.to_string());
    }
    if let Some(tid) = event.tid() {
        out.insert("IssuingThreadId", tid.to_string());
    }
    out
}

fn fault(event: &FaultEvent) -> Found {
    match event {
        FaultEvent::Page(fault) => found([
            ("VirtualAddress", fault.address),
            ("ProgramCounter", fault.program_counter),
        ]),
        FaultEvent::Virtual(range) => found([
            ("BaseAddress", range.base),
            ("RegionSize", range.size),
            ("ProcessId", range.pid.into()),
            ("Flags", range.flags.into()),
        ]),
        FaultEvent::Hard(_) => panic!("{event:?}"),
    }
}

/// Decodes a payload of a hook, which it must use up.
fn decode(hook: u16, version: u16, fields: &mut Fields<'_>) -> Found {
    let mut detail = String::new();
    let out = match hook >> 8 {
        0x01 => {
            let event = DiskEvent::parse(hook, version, fields).unwrap();
            event.push_detail(&mut detail);
            disk(&event)
        }
        0x02 => {
            let event = FaultEvent::parse(hook, version, fields).unwrap();
            event.push_detail(&mut detail);
            fault(&event)
        }
        0x06 | 0x08 => {
            let event = NetworkEvent::parse(hook, version, fields).unwrap();
            event.push_detail(&mut detail);
            network(&event)
        }
        0x0F => {
            let event = ProfileEvent::parse(hook, version, fields).unwrap();
            event.push_detail(&mut detail);
            profile(&event)
        }
        _ => panic!("{hook:#06x}"),
    };
    assert!(fields.rest().is_empty(), "{hook:#06x}: {:?}", fields.rest());
    assert!(detail.contains(": "), "{hook:#06x}");
    out
}

#[test]
fn every_field_of_every_vector() {
    let Some(folder) = crate::common::real_traces("every_field_of_every_vector") else {
        return;
    };
    let text = std::fs::read_to_string(folder.join("kernel_payload_vectors.jsonl")).unwrap();
    let mut covered: BTreeMap<String, u32> = BTreeMap::new();
    let (mut compared, mut not_kept) = (0, 0);
    for line in text.lines() {
        let vector: Value = serde_json::from_str(line).unwrap();
        let field = |name: &str| vector[name].as_str().unwrap();
        let number = |name: &str| vector[name].as_u64().unwrap();
        let (name, category) = (field("name"), field("category"));
        if ELSEWHERE.contains(&category) {
            continue;
        }
        *covered.entry(category.to_owned()).or_default() += 1;
        let payload = hex(field("payload_hex"));
        let wide = number("pointer_size") == 8;
        let opcode = number("opcode") as u8;
        let hook = hook_of_class(guid(field("provider")), opcode).unwrap();
        let found = match hook {
            0x0000 => header(wide, &payload),
            0x0005 => masks(&payload),
            _ => {
                let version = number("version") as u16;
                decode(hook, version, &mut Fields::new(&payload, wide))
            }
        };
        let expected = vector["expected"].as_array().unwrap();
        for entry in expected {
            let [field, value] = [0, 2].map(|n| entry[n].as_str().unwrap());
            if !is_kept(name, field) {
                not_kept += 1;
                continue;
            }
            assert_eq!(found.get(field), Some(&plain(value)), "{name}: {field}");
            compared += 1;
        }
    }
    let expected = [
        ("DiskIO", 8),
        ("EventTraceEvent", 3),
        ("PageFault", 4),
        ("PerfInfo", 14),
        ("Tcplp", 7),
    ];
    let expected = expected.map(|(name, count)| (name.to_owned(), count));
    assert_eq!(covered, expected.into());
    assert_eq!((compared, not_kept), (198, 17));
}
