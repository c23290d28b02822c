//! The bytes of small traces, field by field, against the format tables.

use std::io::Cursor;
use tracegen::etl::event::{
    Callback, CallbackEvent, Config, Directory, Disk, Event, Field, FileIo, FileIoOp, FileName,
    FileVersion, Image, Information, LogicalDisk, Machine, Merged, Moment, Object, OperationEnd,
    Phase, ProcessRow, Profile, Provided, Provider, Registry, RegistryOp, SessionEvent, Stack,
    SwitchRow, ThreadRow, TraceLogging, Transfer, Value,
};
use tracegen::etl::layout::*;
use tracegen::etl::{ClockType, EtlBuilder, EtlStream, Guid, HeaderKind, Masks, Record, Session};
use tracegen::pml::Bits;

const START: u64 = 134_230_416_670_000_000;
const ORIGIN: u64 = 2_700_000;

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(bytes[at..at + 2].try_into().unwrap())
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap())
}

/// Bytes from words in hex.
fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn wide(text: &str) -> Vec<u8> {
    let units = text.encode_utf16().chain([0]);
    units.flat_map(u16::to_le_bytes).collect()
}

/// The bytes of a record of process 428, thread 1204, 25 µs after the start.
fn bytes_with(
    session: Session,
    change: impl Fn(Record<'_>) -> Record<'_>,
    event: Event<'_>,
) -> Vec<u8> {
    let mut trace = EtlBuilder::new(session);
    let record = Record::new(1, START + 250, event).by(428, 1_204);
    trace.add(&change(record));
    let lines = trace.lines();
    hex(&lines.last().unwrap().record)
}

fn bytes(bits: Bits, event: Event<'_>) -> Vec<u8> {
    bytes_with(Session::new(bits, START), |r| r, event)
}

/// What is behind the header of a record of some kind.
fn payload(bits: Bits, event: Event<'_>) -> Vec<u8> {
    let record = bytes(bits, event);
    let header = match record[2] {
        1 | 2 => 32,
        3 | 4 => 24,
        16 | 17 => 16,
        10 | 20 => 48,
        kind => panic!("type {kind}"),
    };
    record[header..].to_vec()
}

const IRP: u64 = 0xFFFF_E50C_0000_1010;
const OBJECT: u64 = 0xFFFF_E50C_0000_2020;
const KEY: u64 = 0xFFFF_B98F_0000_3030;

fn io(op: FileIoOp<'_>) -> Event<'_> {
    Event::FileIo(FileIo {
        irp: IRP,
        object: OBJECT,
        tid: 1_204,
        op,
    })
}

#[test]
fn headers_of_every_kind() {
    let event = || {
        Event::OperationEnd(OperationEnd {
            irp: IRP,
            information: 1,
            status: 0xC000_0022,
        })
    };
    let with = |bits, kind| {
        bytes_with(
            Session::new(bits, START),
            move |r| r.with_header(kind),
            event(),
        )
    };
    let payload64 = "1010 0000 0CE5 FFFF  0100 0000 0000 0000  2200 00C0";
    let payload32 = "1010 0000  0100 0000  2200 00C0";
    // 2,700,250 ticks.
    let time = "DA33 2900 0000 0000";
    let ids = "B404 0000  AC01 0000";
    for (bits, kind, wanted) in [
        (
            Bits::B64,
            HeaderKind::System,
            format!("0300 02C0 3400 4C04 {ids} {time} B400 0000 1600 0000 {payload64}"),
        ),
        (
            Bits::B32,
            HeaderKind::System,
            format!("0300 01C0 2C00 4C04 {ids} {time} B400 0000 1600 0000 {payload32}"),
        ),
        (
            Bits::B64,
            HeaderKind::Compact,
            format!("0300 04C0 2C00 4C04 {ids} {time} {payload64}"),
        ),
        (
            Bits::B32,
            HeaderKind::Compact,
            format!("0300 03C0 2400 4C04 {ids} {time} {payload32}"),
        ),
        (
            Bits::B64,
            HeaderKind::PerfInfo,
            format!("0300 11C0 2400 4C04 {time} {payload64}"),
        ),
        (
            Bits::B32,
            HeaderKind::PerfInfo,
            format!("0300 10C0 1C00 4C04 {time} {payload32}"),
        ),
        // Size, type, opcode 76, level, version; the class 90cbdc39-4a3e-11d1-84f4-0000f80464e3.
        (
            Bits::B64,
            HeaderKind::Full,
            format!(
                "4400 14C0 4C00 0300 {ids} {time} 39DC CB90 3E4A D111 84F4 0000 F804 64E3 0000 0000 0000 0000 {payload64}"
            ),
        ),
        (
            Bits::B32,
            HeaderKind::Full,
            format!(
                "3C00 0AC0 4C00 0300 {ids} {time} 39DC CB90 3E4A D111 84F4 0000 F804 64E3 0000 0000 0000 0000 {payload32}"
            ),
        ),
    ] {
        assert_eq!(with(bits, kind), hex(&wanted), "{bits:?} {kind:?}");
    }
}

#[test]
fn an_event_header_has_items_in_front_of_its_payload() {
    let guid = Guid::new(
        0x0011_2233,
        0x4455,
        0x6677,
        [0x88, 0x99, 0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF],
    );
    let provider = Provider {
        version: 2,
        channel: 16,
        level: 4,
        opcode: 1,
        task: 3,
        keywords: 0x20,
        ..Provider::new(guid, 12)
    };
    let items: [(u16, &[u8]); 2] = [(6, &[1; 16]), (1, &[2; 9])];
    let event = Event::Provided(Provided {
        provider,
        items: &items,
        payload: b"data",
    });
    let got = bytes(Bits::B64, event);
    assert_eq!(got.len(), 80 + 24 + 24 + 4);
    assert_eq!(
        (u16_at(&got, 0), got[2], got[3], u16_at(&got, 4)),
        (132, 19, 0xC0, 1)
    );
    assert_eq!(
        (u32_at(&got, 8), u32_at(&got, 12), u64_at(&got, 16)),
        (1_204, 428, ORIGIN + 250)
    );
    assert_eq!(
        &got[0x18..0x28],
        &hex("33221100 5544 7766 8899AABBCCDDEEFF")[..]
    );
    assert_eq!(
        &got[0x28..0x38],
        &hex("0C00 02 10 04 01 0300 2000000000000000")[..]
    );
    // Size, type, linkage, data size.
    assert_eq!(&got[80..88], &hex("1800 0600 0100 1000")[..]);
    assert_eq!(&got[104..112], &hex("1800 0100 0000 0900")[..]);
    assert_eq!(&got[128..], b"data");
    // Without items there is no flag either.
    let plain = Event::Provided(Provided {
        provider,
        items: &[],
        payload: b"data",
    });
    let got = bytes(Bits::B32, plain);
    assert_eq!((got.len(), got[2], u16_at(&got, 4)), (84, 18, 0));
}

#[test]
fn a_self_describing_event() {
    let fields = [
        Field {
            name: "Text",
            value: Value::Utf16("ab"),
        },
        Field {
            name: "Code",
            value: Value::HResult(0x8007_03F1),
        },
        Field {
            name: "Utf8",
            value: Value::CountedUtf8("xyz"),
        },
        Field {
            name: "Wide",
            value: Value::CountedUtf16("xy"),
        },
        Field {
            name: "Ok",
            value: Value::Bool(true),
        },
    ];
    let event = TraceLogging {
        provider: Guid([7; 16]),
        provider_name: "Prov",
        name: "Ev",
        level: 4,
        keywords: 1,
        fields: &fields,
    };
    let got = bytes(Bits::B64, Event::TraceLogging(event));
    assert_eq!((u16_at(&got, 4), got[0x2B]), (1, 11));
    let schema = b"\0\0\0Ev\0Text\0\x01Code\0\x87\x0FUtf8\0\x97\x23Wide\0\x16Ok\0\x0D";
    let mut wanted = schema.to_vec();
    wanted[0] = schema.len() as u8;
    assert_eq!(
        (u16_at(&got, 82), u16_at(&got, 86)),
        (11, schema.len() as u16)
    );
    assert_eq!(&got[88..88 + schema.len()], &wanted[..]);
    let second = 80 + usize::from(u16_at(&got, 80));
    assert_eq!(
        (u16_at(&got, second + 2), u16_at(&got, second + 4)),
        (12, 0)
    );
    assert_eq!(&got[second + 8..second + 15], b"\x07\0Prov\0");
    let payload = &got[second + usize::from(u16_at(&got, second))..];
    assert_eq!(
        payload,
        &hex("6100 6200 0000  F103 0780  0300 78797A  0400 7800 7900  01000000")[..]
    );
}

#[test]
fn file_operations_in_both_versions() {
    let path = "\\Device\\a";
    let info = Information {
        key: KEY,
        extra: 5,
        class: 64,
    };
    let transfer = Transfer {
        key: KEY,
        offset: 4_096,
        size: 512,
        flags: 0x6_0900,
    };
    let directory = Directory {
        key: KEY,
        length: 632,
        class: 37,
        index: 0,
        pattern: "*",
    };
    let create = FileIoOp::Create {
        options: 0x0120_0060,
        attributes: 0x80,
        share: 7,
        path,
    };
    let text = wide(path).len();
    // Operation, hook, bytes: V2 32-bit, V2 64-bit, V3 64-bit.
    let table: Vec<(FileIoOp<'_>, u16, [usize; 3])> = vec![
        (create, 0x0440, [24 + text, 36 + text, 32 + text]),
        (FileIoOp::Cleanup { key: KEY }, 0x0441, [16, 32, 28]),
        (FileIoOp::Close { key: KEY }, 0x0442, [16, 32, 28]),
        (FileIoOp::Read(transfer), 0x0443, [32, 48, 48]),
        (FileIoOp::Write(transfer), 0x0444, [32, 48, 48]),
        (FileIoOp::SetInformation(info), 0x0445, [24, 44, 40]),
        (FileIoOp::Delete(info), 0x0446, [24, 44, 40]),
        (FileIoOp::Rename(info), 0x0447, [24, 44, 40]),
        (
            FileIoOp::DirEnum(directory),
            0x0448,
            [28 + 4, 44 + 4, 40 + 4],
        ),
        (FileIoOp::Flush { key: KEY }, 0x0449, [16, 32, 28]),
        (FileIoOp::QueryInformation(info), 0x044A, [24, 44, 40]),
        (FileIoOp::FsControl(info), 0x044B, [24, 44, 40]),
        (
            FileIoOp::DirNotify(directory),
            0x044D,
            [28 + 4, 44 + 4, 40 + 4],
        ),
        (
            FileIoOp::DeletePath(info, path),
            0x044F,
            [24 + text, 44 + text, 40 + text],
        ),
        (
            FileIoOp::RenamePath(info, path),
            0x0450,
            [24 + text, 44 + text, 40 + text],
        ),
        (
            FileIoOp::SetLinkPath(info, path),
            0x0451,
            [24 + text, 44 + text, 40 + text],
        ),
        (FileIoOp::SetLink(info), 0x0452, [24, 44, 40]),
    ];
    for (op, hook, sizes) in table {
        for ((bits, version), size) in [(Bits::B32, 2), (Bits::B64, 2), (Bits::B64, 3)]
            .into_iter()
            .zip(sizes)
        {
            let mut session = Session::new(bits, START);
            session.file_io_version = version;
            let got = bytes_with(session, |r| r, io(op));
            assert_eq!(
                (u16_at(&got, 6), got[0], got.len() - 32),
                (hook, version, size),
                "{hook:#x} {bits:?}"
            );
        }
    }
    let got = payload(Bits::B64, io(create));
    let mut wanted =
        hex("1010 0000 0CE5 FFFF  2020 0000 0CE5 FFFF  B404 0000  6000 2001  8000 0000  0700 0000");
    wanted.extend(wide(path));
    assert_eq!(got, wanted);
    let got = payload(Bits::B64, io(FileIoOp::Read(transfer)));
    let wanted = "0010 0000 0000 0000  1010 0000 0CE5 FFFF  2020 0000 0CE5 FFFF  3030 0000 8FB9 FFFF  B404 0000  0002 0000  0009 0600  0000 0000";
    assert_eq!(got, hex(wanted));
    let mut session = Session::new(Bits::B32, START);
    session.file_io_version = 2;
    let got = bytes_with(session, |r| r, io(FileIoOp::SetInformation(info)));
    assert_eq!(
        &got[32..],
        &hex("1010 0000  B404 0000  2020 0000  3030 0000  0500 0000  4000 0000")[..]
    );
}

#[test]
fn file_names_have_no_thread() {
    for (name, hook) in [
        (FileName::Name(KEY, "x"), 0x0400),
        (FileName::Create(KEY, "x"), 0x0420),
        (FileName::Delete(KEY, "x"), 0x0423),
        (FileName::Rundown(KEY, "x"), 0x0424),
    ] {
        let got = bytes(Bits::B64, Event::FileName(name));
        assert_eq!((got[2], u16_at(&got, 6)), (17, hook));
        assert_eq!(&got[16..], &hex("3030 0000 8FB9 FFFF 7800 0000")[..]);
    }
}

#[test]
fn callbacks_have_six_lengths() {
    let callback = |phase, event| {
        Event::Callback(Callback {
            phase,
            event,
            routine: 0xFFFF_F803_4A20_2000,
            object: OBJECT,
            context: KEY,
            irp: 0x7777,
            data: IRP,
            major: 0xFF,
        })
    };
    let done = CallbackEvent::Completion {
        initial: START + 200,
    };
    let failed = CallbackEvent::Failure {
        status: 0xC000_0022,
    };
    for (phase, event, hook, kinds, sizes) in [
        (Phase::Pre, CallbackEvent::Init, 0x0460, [1, 2], [24, 44]),
        (Phase::Post, CallbackEvent::Init, 0x0461, [1, 2], [24, 44]),
        (Phase::Pre, done, 0x0462, [16, 17], [32, 52]),
        (Phase::Post, done, 0x0463, [16, 17], [32, 52]),
        (Phase::Pre, failed, 0x0464, [1, 2], [28, 48]),
        (Phase::Post, failed, 0x0465, [1, 2], [28, 48]),
    ] {
        for ((bits, kind), size) in [Bits::B32, Bits::B64].into_iter().zip(kinds).zip(sizes) {
            let got = bytes(bits, callback(phase, event));
            let header = if kind > 2 { 16 } else { 32 };
            assert_eq!(
                (u16_at(&got, 6), got[2], got.len() - header),
                (hook, kind, size)
            );
        }
    }
    // The start as a clock value: 20 µs after the origin.
    let wanted = "A833 2900 0000 0000  0020 204A 03F8 FFFF  2020 0000 0CE5 FFFF  3030 0000 8FB9 FFFF  7777 0000 0000 0000  1010 0000 0CE5 FFFF  FF00 0000";
    assert_eq!(payload(Bits::B64, callback(Phase::Pre, done)), hex(wanted));
    let wanted = "0020 204A  2020 0000  3030 0000  7777 0000  1010 0000  FF00 0000  2200 00C0";
    assert_eq!(
        payload(Bits::B32, callback(Phase::Post, failed)),
        hex(wanted)
    );
}

#[test]
fn registry_records() {
    let event = |op, initial, name| {
        Event::Registry(Registry {
            op,
            initial,
            status: 0xC000_0034,
            index: 2,
            kcb: KEY,
            name,
        })
    };
    let got = bytes(
        Bits::B64,
        event(RegistryOp::QueryValue, Some(START + 200), "v"),
    );
    assert_eq!((got[0], got[2], u16_at(&got, 6)), (2, 2, 0x0910));
    assert_eq!(
        &got[32..],
        &hex("A833 2900 0000 0000  3400 00C0  0200 0000  3030 0000 8FB9 FFFF  7600 0000")[..]
    );
    // The name at 24 or 20.
    assert_eq!(
        payload(Bits::B32, event(RegistryOp::Open, None, "v")),
        hex("0000 0000 0000 0000  3400 00C0  0200 0000  3030 0000  7600 0000")
    );
    for (op, number) in [
        (RegistryOp::Create, 10),
        (RegistryOp::Open, 11),
        (RegistryOp::SetValue, 14),
        (RegistryOp::Flush, 21),
        (RegistryOp::KcbCreate, 22),
        (RegistryOp::KcbRundownEnd, 25),
        (RegistryOp::Close, 27),
        (RegistryOp::QuerySecurity, 29),
    ] {
        assert_eq!(
            u16_at(&bytes(Bits::B64, event(op, None, "")), 6),
            0x0900 + number
        );
    }
}

#[test]
fn stacks_in_full_and_by_key() {
    let frames = [0xFFFF_F803_4A20_0001, 0x7FFE_1000_0002];
    let plain = Stack::Plain {
        of: START + 100,
        pid: 428,
        tid: 1_204,
        frames: &frames,
    };
    let wanted =
        "4433 2900 0000 0000  AC01 0000  B404 0000  0100 204A 03F8 FFFF  0200 0010 FE7F 0000";
    assert_eq!(payload(Bits::B64, Event::Stack(plain)), hex(wanted));
    let reference = |user| {
        Event::Stack(Stack::Reference {
            user,
            of: START + 100,
            pid: 428,
            tid: 1_204,
            key: KEY,
        })
    };
    assert_eq!(
        payload(Bits::B64, reference(false)),
        hex("4433 2900 0000 0000  AC01 0000  B404 0000  3030 0000 8FB9 FFFF")
    );
    assert_eq!(
        payload(Bits::B32, Event::Stack(Stack::KeyDelete(KEY, &frames))),
        hex("3030 0000  0100 204A  0200 0010")
    );
    for (event, hook) in [
        (Event::Stack(plain), 0x1820),
        (Event::Stack(Stack::KeyCreate(1, &frames)), 0x1822),
        (Event::Stack(Stack::KeyDelete(1, &frames)), 0x1823),
        (Event::Stack(Stack::KeyRundown(1, &frames)), 0x1824),
        (reference(false), 0x1825),
        (reference(true), 0x1826),
    ] {
        let got = bytes(Bits::B64, event);
        assert_eq!((got[2], u16_at(&got, 6)), (17, hook));
    }
}

#[test]
fn processes_with_and_without_a_sid() {
    let sid = hex("0101 0000 0000 0005 1200 0000");
    let row = |sid| ProcessRow {
        key: OBJECT,
        pid: 428,
        parent: 4,
        session: 1,
        exit_status: 259,
        directory: 0x1A_D000,
        flags: 2,
        sid,
        image: "ü.exe",
        command_line: "c",
        package: "",
        app: "",
    };
    let start = |sid| Event::Process(Moment::Begin, row(sid));
    let head = "2020 0000 0CE5 FFFF  AC01 0000  0400 0000  0100 0000  0301 0000  00D0 1A00 0000 0000  0200 0000";
    let tail = "FC2E 6578 6500  6300 0000  0000  0000";
    let user = "1024 0000 0CE5 FFFF  0000 0000 0000 0000";
    assert_eq!(
        payload(Bits::B64, start(Some(&sid))),
        hex(&format!(
            "{head} {user} 0101 0000 0000 0005 1200 0000 {tail}"
        ))
    );
    assert_eq!(
        payload(Bits::B64, start(None)),
        hex(&format!("{head} 0000 0000 {tail}"))
    );
    // Two pointers of 4 bytes each, then the SID.
    assert_eq!(
        payload(Bits::B32, start(Some(&sid))).len(),
        28 + 8 + 12 + 14
    );
    for (moment, hook, kind) in [
        (Moment::Begin, 0x0301, 2),
        (Moment::End, 0x0302, 2),
        (Moment::RundownBegin, 0x0303, 17),
        (Moment::RundownEnd, 0x0304, 17),
    ] {
        let got = bytes(Bits::B64, Event::Process(moment, row(None)));
        assert_eq!((u16_at(&got, 6), got[2], got[0]), (hook, kind, 4));
    }
    assert_eq!(payload(Bits::B64, Event::Terminate(428)), hex("AC01 0000"));
}

#[test]
fn threads_and_switches() {
    let row = |name| ThreadRow {
        pid: 428,
        tid: 1_204,
        stack: 0xFFFF_F98A_0000_6000,
        user_stack: 0x24_0000_0000,
        affinity: 15,
        start: 0x7FF7_1000_1500,
        teb: 0x24_1000_0000,
        service: 9,
        name,
    };
    let thread = |bits, name| payload(bits, Event::Thread(Moment::Begin, row(name)));
    assert_eq!(
        (
            thread(Bits::B32, None).len(),
            thread(Bits::B64, None).len(),
            thread(Bits::B64, Some("")).len()
        ),
        (44, 72, 74)
    );
    let wanted = "AC01 0000  B404 0000  0060 0000 8AF9 FFFF  0000 0000 8AF9 FFFF  0000 0000 2400 0000  0000 FFFF 2300 0000  0F00 0000 0000 0000  0015 0010 F77F 0000  0000 0010 2400 0000  0900 0000  0805 0200";
    assert_eq!(thread(Bits::B64, None), hex(wanted));
    let switch = SwitchRow {
        new: 1_204,
        old: 0,
        wait_reason: 6,
        old_state: 2,
        waited: 3,
    };
    let got = bytes(Bits::B64, Event::Switch(switch));
    assert_eq!((got[2], u16_at(&got, 6)), (17, 0x0524));
    assert_eq!(
        &got[16..],
        &hex("B404 0000  0000 0000  08 00 01 00 06 00 02 00  0300 0000  0000 0000")[..]
    );
}

#[test]
fn images_of_drivers_and_processes() {
    let image = |pid| Image {
        base: 0xFFFF_F803_4A20_0000,
        size: 0x7_0000,
        pid,
        checksum: 0x1234,
        timestamp: 0x5E2C_91A7,
        default_base: 0x1_8000_0000,
        path: "\\a",
    };
    let wanted = "0000 204A 03F8 FFFF  0000 0700 0000 0000  AC01 0000  3412 0000  A791 2C5E  0C03 0000  0000 0080 0100 0000  0000 0000 0000 0000 0000 0000 0000 0000  5C00 6100 0000";
    assert_eq!(
        payload(Bits::B64, Event::Image(Moment::Begin, image(428))),
        hex(wanted)
    );
    for (moment, pid, hook, kind) in [
        (Moment::Begin, 428, 0x030A, 2),
        (Moment::End, 428, 0x1402, 2),
        (Moment::RundownBegin, 0, 0x1403, 2),
        (Moment::RundownBegin, 428, 0x1403, 17),
        (Moment::RundownEnd, 0, 0x1404, 2),
        (Moment::RundownEnd, 428, 0x1404, 17),
    ] {
        let got = bytes(Bits::B64, Event::Image(moment, image(pid)));
        assert_eq!((u16_at(&got, 6), got[2]), (hook, kind));
    }
    // As a FULL record an image load is of the class of images, opcode 10.
    let full = bytes_with(
        Session::new(Bits::B64, START),
        |r| r.with_header(HeaderKind::Full),
        Event::Image(Moment::Begin, image(1)),
    );
    assert_eq!((full[4], &full[0x18..0x1C]), (10, &hex("1D5D B12C")[..]));
}

#[test]
fn sizes_of_configuration_and_the_rest() {
    let machine = Machine {
        mhz: 2_400,
        cpus: 4,
        memory: 16_256,
        computer: "BANK-PC-0417",
        domain: "bank.example",
        highest_user: 0x7FFF_FFFE_FFFF,
    };
    let got = payload(Bits::B64, Event::Config(Config::Machine(machine)));
    assert_eq!(
        (got.len(), u16_at(&got, 20), u16_at(&got, 532)),
        (828, u16::from(b'B'), u16::from(b'b'))
    );
    assert_eq!(
        (u64_at(&got, 808), u16_at(&got, 816), u32_at(&got, 824)),
        (0x7FFF_FFFE_FFFF, 9, 2_667)
    );
    let disk = LogicalDisk {
        offset: 1 << 20,
        size: 1 << 38,
        disk: 0,
        partition: 4,
        letter: "C:",
        file_system: "NTFS",
    };
    let got = payload(Bits::B32, Event::Config(Config::LogicalDisk(disk)));
    assert_eq!(
        (
            got.len(),
            u16_at(&got, 28),
            u32_at(&got, 40),
            u16_at(&got, 72)
        ),
        (112, u16::from(b'C'), 4, u16::from(b'N'))
    );
    let family = Event::Config(Config::DeviceFamily([10, 0, 19_045, 4_412]));
    assert_eq!(
        payload(Bits::B64, family),
        hex("3C11 654A 0000 0A00  0300 0000  0000 0000")
    );
    for (event, hook, kind, size) in [
        (
            Event::Disk(Disk::Init {
                write: false,
                irp: 1,
                tid: 2,
            }),
            0x010C,
            2,
            12,
        ),
        (
            Event::Disk(Disk::Done {
                write: true,
                flags: 0,
                bytes: 1,
                offset: 2,
                key: 3,
                irp: 4,
                response: 5,
                tid: 6,
            }),
            0x010B,
            17,
            52,
        ),
        (
            Event::Profile(Profile::Sample {
                instruction: 1,
                tid: 2,
                count: 1,
            }),
            0x0F2E,
            17,
            16,
        ),
        (
            Event::Profile(Profile::Interval {
                end: false,
                interval: 10_000,
                source: "Timer",
            }),
            0x0F49,
            2,
            24,
        ),
        (
            Event::Object(Object::CreateHandle {
                object: 1,
                handle: 2,
                kind: 37,
            }),
            0x1120,
            2,
            16,
        ),
        (
            Event::Object(Object::DuplicateHandle {
                object: 1,
                source: 2,
                target: 3,
                target_pid: 4,
                kind: 5,
                source_pid: 6,
            }),
            0x1122,
            2,
            26,
        ),
        (
            Event::Object(Object::TypeRundown {
                end: true,
                kind: 37,
                name: "File",
            }),
            0x1125,
            17,
            14,
        ),
        (
            Event::Object(Object::HandleRundown {
                end: true,
                object: 1,
                pid: 2,
                handle: 3,
                kind: 37,
                name: "",
            }),
            0x1127,
            17,
            20,
        ),
    ] {
        let got = bytes(Bits::B64, event);
        let header = if got[2] == 17 { 16 } else { 32 };
        assert_eq!(
            (u16_at(&got, 6), got[2], got.len() - header),
            (hook, kind, size)
        );
    }
}

#[test]
fn what_a_merge_tool_adds() {
    let id = Merged::ImageId {
        base: OBJECT,
        size: 0x7_0000,
        pid: 4,
        timestamp: 0x5E2C_91A7,
        name: "x",
    };
    let got = bytes(Bits::B64, Event::Merged(id));
    assert_eq!((got[2], got[4], u16_at(&got, 6)), (20, 0, 2));
    assert_eq!(
        &got[0x18..0x28],
        &hex("D775 E6B3 5425 184F 830B 2762 7325 60DE")[..]
    );
    assert_eq!(
        &got[48..],
        &hex("2020 0000 0CE5 FFFF  0000 0700 0000 0000  0400 0000  A791 2C5E  7800 0000")[..]
    );
    let debug = Merged::DebugId {
        base: OBJECT,
        pid: 4,
        guid: Guid([9; 16]),
        age: 1,
        pdb: "x.pdb",
    };
    assert_eq!(
        payload(Bits::B64, Event::Merged(debug)).len(),
        8 + 4 + 16 + 4 + 6
    );
    let version = FileVersion {
        size: 1,
        timestamp: 2,
        name: "n",
        description: "d",
        version: "v",
        product: "p",
        company: "c",
    };
    let got = payload(Bits::B64, Event::Merged(Merged::FileVersion(version)));
    let texts: Vec<u16> = got[8..].chunks(2).map(|c| u16_at(c, 0)).collect();
    let texts = String::from_utf16(&texts).unwrap();
    assert_eq!(
        texts.split('\0').collect::<Vec<_>>(),
        [
            "n",
            "d",
            "v",
            "v",
            "English (United States)",
            "p",
            "c",
            "v",
            "",
            "",
            ""
        ]
    );
    let volume = Event::Merged(Merged::VolumeMapping("\\Device\\HarddiskVolume3\\", "C:\\"));
    let got = bytes(Bits::B64, volume);
    assert_eq!((got[4], &got[0x18..0x1C]), (35, &hex("91EE 799B")[..]));
}

#[test]
fn the_session_says_what_is_recorded() {
    let masks = Masks([1, 2, 3, 4, 5, 6, 7, 8]);
    let after = SessionEvent::MasksAfter {
        masks,
        event_version: 80,
    };
    let got = bytes(Bits::B64, Event::Session(after));
    assert_eq!((got[2], u16_at(&got, 6), got.len()), (17, 0x0005, 16 + 36));
    assert_eq!(
        (u32_at(&got, 16), u32_at(&got, 44), u32_at(&got, 48)),
        (1, 8, 80)
    );
    let before = SessionEvent::MasksBefore {
        masks,
        event_version: 80,
    };
    assert_eq!(u16_at(&bytes(Bits::B64, Event::Session(before)), 6), 0x0020);
    assert_eq!(
        bytes(Bits::B64, Event::Session(SessionEvent::RundownDone)).len(),
        16
    );
}

#[test]
fn the_trace_header_in_both_sizes() {
    for (bits, kind, pointer, shift) in [(Bits::B64, 2, 8, 8), (Bits::B32, 1, 4, 0)] {
        let mut session = Session::new(bits, START);
        session.events_lost = 3;
        session.buffers_lost = 2;
        session.name = "S".into();
        session.file_name = "F".into();
        let (end, boot) = (session.end, session.boot);
        let file = EtlBuilder::new(session).finish();
        let record = &file[BUFFER_HEADER..];
        assert_eq!(
            (u16_at(record, 0), record[2], u16_at(record, 6)),
            (2, kind, 0)
        );
        assert_eq!(u64_at(record, 16), ORIGIN);
        let h = &record[32..];
        assert_eq!((u32_at(h, 0), &h[4..8]), (65_536, &[10, 0, 1, 5][..]));
        assert_eq!(
            (u32_at(h, 0x08), u32_at(h, 0x0C), u64_at(h, 0x10)),
            (19_045, 4, end)
        );
        assert_eq!(
            (u32_at(h, 0x18), u32_at(h, 0x20), u32_at(h, 0x24)),
            (156_250, 0x0200_0001, 1)
        );
        assert_eq!(
            (
                u32_at(h, 0x28),
                u32_at(h, 0x2C),
                u32_at(h, 0x30),
                u32_at(h, 0x34)
            ),
            (1, pointer, 3, 2_400)
        );
        let zone = 0x40 + shift;
        assert_eq!(
            (u32_at(h, zone) as i32, u16_at(h, zone + 4)),
            (-60, u16::from(b'@'))
        );
        let daylight = zone + 4 + 64 + 16 + 4;
        assert_eq!(
            (u16_at(h, daylight), u32_at(h, zone + 168) as i32),
            (u16::from(b'@'), -60)
        );
        assert_eq!(u64_at(h, 0xF0 + shift), boot);
        assert_eq!(
            (u64_at(h, 0xF8 + shift), u64_at(h, 0x100 + shift)),
            (10_000_000, START)
        );
        assert_eq!((u32_at(h, 0x108 + shift), u32_at(h, 0x10C + shift)), (1, 2));
        assert_eq!(
            &h[0x110 + shift..0x118 + shift],
            &hex("5300 0000 4600 0000")[..]
        );
    }
}

#[test]
fn an_unfinalised_file_counts_nothing() {
    let mut session = Session::new(Bits::B64, START);
    session.finalised = false;
    let mut trace = EtlBuilder::new(session);
    trace.add(&Record::new(0, START + 1, Event::Terminate(1)));
    let file = trace.finish();
    let header = &file[BUFFER_HEADER + 32..];
    assert_eq!((u64_at(header, 0x10), u32_at(header, 0x24)), (0, 0));
    assert_eq!(u16_at(&file, 65_536 + B_FLAGS), FLAG_CPU);
}

#[test]
fn other_clocks() {
    for (clock, number, ticks) in [
        (ClockType::SystemTime, 2, START + 250),
        (ClockType::Cycles, 3, ORIGIN + 250 * 240),
    ] {
        let mut session = Session::new(Bits::B64, START);
        session.clock = clock;
        let mut trace = EtlBuilder::new(session);
        trace.add(&Record::new(0, START + 250, Event::Terminate(1)));
        let file = trace.finish();
        assert_eq!(u32_at(&file, BUFFER_HEADER + 32 + 0x110), number);
        assert_eq!(u64_at(&file, 65_536 + BUFFER_HEADER + 16), ticks);
    }
}

/// Buffers of a file: offset and header.
fn buffers(file: &[u8]) -> Vec<(usize, Vec<u8>)> {
    let mut list = Vec::new();
    let mut at = 0;
    while at < file.len() {
        list.push((at, file[at..at + BUFFER_HEADER].to_vec()));
        at += u32_at(file, at + B_SIZE) as usize;
    }
    assert_eq!(at, file.len());
    list
}

/// A trace of four CPUs that take turns.
fn turns(session: Session, records: u64) -> EtlBuilder {
    let mut trace = EtlBuilder::new(session);
    for n in 0..records {
        // One CPU is slower than the others.
        let cpu = if n % 7 == 0 { 3 } else { n as u16 % 3 };
        let event = io(FileIoOp::Close { key: n });
        trace.add(&Record::new(cpu, START + 10 * n, event).by(4, cpu.into()));
    }
    trace
}

#[test]
fn buffers_of_a_cpu_ascend_and_the_file_does_not() {
    let mut session = Session::new(Bits::B64, START);
    session.buffer_size = 4_096;
    let file = turns(session, 3_000).finish();
    let mut last = [0; 4];
    let mut whole = 0;
    let (mut steps_back, mut count, mut sequences) = (0, 0, Vec::new());
    let list = buffers(&file);
    assert_eq!(u32_at(&file, BUFFER_HEADER + 32 + 0x24), list.len() as u32);
    for (n, (start, head)) in list.iter().enumerate() {
        assert_eq!(
            u16_at(head, B_TYPE),
            if n == 0 { TYPE_HEADER } else { TYPE_GENERIC }
        );
        assert_eq!(u32_at(head, B_SIZE), 4_096);
        let filled = u32_at(head, B_FILLED) as usize;
        sequences.push(u64_at(head, B_SEQUENCE));
        let cpu = usize::from(u16_at(head, B_CPU));
        let mut at = BUFFER_HEADER;
        while at < filled {
            let record = &file[start + at..];
            let size = usize::from(u16_at(record, 4));
            let ticks = u64_at(record, 16);
            assert!(ticks >= last[cpu], "CPU {cpu} goes back");
            steps_back += u32::from(ticks < whole);
            (last[cpu], whole) = (ticks, ticks);
            count += 1;
            let next = (at + size).next_multiple_of(ALIGN).min(filled);
            assert!(
                file[start + at + size..start + next]
                    .iter()
                    .all(|b| *b == GAP)
            );
            at += size.next_multiple_of(ALIGN);
        }
        assert!(
            file[start + filled..start + 4_096]
                .iter()
                .all(|b| *b == FILL)
        );
        if n > 0 {
            assert!(u64_at(head, B_TIME) > whole);
        }
    }
    assert_eq!(count, 3_002);
    assert!(steps_back > 10, "{steps_back}");
    // Every buffer has a number of its own, given when it was begun.
    assert!(!sequences.is_sorted());
    sequences.sort_unstable();
    assert!(sequences.iter().copied().eq(0..list.len() as u64));
    let flushed = list
        .iter()
        .filter(|(_, h)| u16_at(h, B_FLAGS) & FLAG_FLUSHED != 0);
    assert_eq!(flushed.count(), 4);
}

#[test]
fn compressed_buffers_follow_each_other_without_a_gap() {
    let mut session = Session::new(Bits::B64, START);
    session.compressed = true;
    session.merged = true;
    let trace = turns(session, 20_000);
    let file = trace.finish();
    let list = buffers(&file);
    assert_eq!(
        &file[BUFFER_HEADER + 32 + 4..BUFFER_HEADER + 32 + 8],
        &[10, 0, 2, 0]
    );
    assert_eq!(u32_at(&file, BUFFER_HEADER + 32 + 0x20), 0x0401_0001);
    assert!(list.len() > 20);
    for (n, (_, head)) in list.iter().enumerate() {
        let (size, filled) = (u32_at(head, B_SIZE), u32_at(head, B_FILLED));
        assert_eq!(u32_at(head, B_SAVED) == filled, n > 0);
        assert_eq!(u16_at(head, B_FLAGS) & FLAG_COMPRESSED != 0, n > 0);
        assert_eq!(u16_at(head, B_LOGGER), 0);
        if n == 0 {
            assert_eq!(size % 512, 0);
            assert!(size < 2_048);
        } else {
            assert!(size < filled / 2 && filled <= 65_536);
        }
    }
}

#[test]
fn noise_is_not_compressed() {
    let mut rng = tracegen::prng::Prng::new(3);
    let mut session = Session::new(Bits::B64, START);
    session.compressed = true;
    let mut trace = EtlBuilder::new(session);
    let noise: Vec<u8> = (0..30_000).map(|_| rng.next_u64() as u8).collect();
    let event = Event::Kernel {
        hook: 0x0F22,
        version: 2,
        header: HeaderKind::PerfInfo,
        payload: &noise,
    };
    trace.add(&Record::new(0, START, event));
    let file = trace.finish();
    let list = buffers(&file);
    let (start, head) = &list[1];
    assert_eq!(u16_at(head, B_FLAGS) & FLAG_COMPRESSED, 0);
    assert_eq!(u32_at(head, B_SIZE), u32_at(head, B_FILLED));
    assert_eq!(&file[start + BUFFER_HEADER + 16..], &noise[..]);
}

#[test]
fn windows_7_has_a_narrow_cpu_field() {
    let mut session = Session::new(Bits::B64, START);
    (session.os, session.build) = ((6, 1), 7_601);
    let mut trace = EtlBuilder::new(session);
    trace.add(&Record::new(3, START, Event::Terminate(1)));
    let file = trace.finish();
    let head = &buffers(&file)[1].1;
    assert_eq!(
        (u16_at(head, B_CPU), u16_at(head, B_FLAGS)),
        (0x0803, FLAG_FLUSHED)
    );
}

#[test]
fn records_of_a_32_bit_program_in_a_64_bit_trace() {
    let got = bytes_with(
        Session::new(Bits::B64, START),
        |r| r.with_bits(Bits::B32),
        io(FileIoOp::Close { key: KEY }),
    );
    assert_eq!((got[2], got.len()), (1, 32 + 12 + 4));
}

#[test]
fn a_stream_writes_what_a_builder_does() {
    for compressed in [false, true] {
        let mut session = Session::new(Bits::B64, START);
        session.buffer_size = 4_096;
        session.compressed = compressed;
        let builder = turns(session.clone(), 2_000);
        let mut stream = EtlStream::new(session, Cursor::new(Vec::new())).unwrap();
        for n in 0..2_000 {
            let cpu = if n % 7 == 0 { 3 } else { n as u16 % 3 };
            let event = io(FileIoOp::Close { key: n });
            stream
                .record(&Record::new(cpu, START + 10 * n, event).by(4, cpu.into()))
                .unwrap();
        }
        assert_eq!(stream.records(), 2_002);
        let (sink, size) = stream.finish().unwrap();
        assert_eq!(size, sink.get_ref().len() as u64);
        assert!(sink.into_inner() == builder.finish());
    }
}

#[test]
fn a_record_larger_than_a_buffer_is_refused() {
    let mut session = Session::new(Bits::B64, START);
    session.buffer_size = 4_096;
    let mut stream = EtlStream::new(session, Cursor::new(Vec::new())).unwrap();
    let event = Event::Kernel {
        hook: 0x0F22,
        version: 2,
        header: HeaderKind::PerfInfo,
        payload: &[1; 5_000],
    };
    assert!(stream.record(&Record::new(0, START, event)).is_err());
}

#[test]
fn lines_are_in_the_order_of_the_file() {
    let mut session = Session::new(Bits::B64, START);
    session.buffer_size = 4_096;
    let trace = turns(session, 500);
    let file = trace.finish();
    let mut found = Vec::new();
    for (start, head) in buffers(&file) {
        let filled = u32_at(&head, B_FILLED) as usize;
        let mut at = BUFFER_HEADER;
        while at < filled {
            let size = usize::from(u16_at(&file, start + at + 4));
            found.push(file[start + at..start + at + size].to_vec());
            at += size.next_multiple_of(ALIGN);
        }
    }
    let lines = trace.lines();
    assert_eq!(lines.len(), found.len());
    for (line, record) in lines.iter().zip(&found).skip(1) {
        assert_eq!(&hex(&line.record), record, "{}", line.index);
    }
}
