use super::*;
use crate::etl::synth::{CLASS, PROVIDER, event, every_kind, full, message, perfinfo, system};

fn parse(bytes: &[u8]) -> Record<'_> {
    Record::parse(bytes).unwrap_or_else(|fault| panic!("{fault:?}"))
}

fn fault(bytes: &[u8]) -> NoRecord {
    Record::parse(bytes).expect_err("no record")
}

#[test]
fn kernel_records() {
    let bytes = system(2, 0x0301, 4, 99, b"abc");
    let record = parse(&bytes);
    assert_eq!(record.kind(), RecordKind::System);
    let hook = Hook {
        id: 0x0301,
        version: 4,
    };
    assert_eq!((record.hook(), record.wide()), (Some(hook), true));
    assert_eq!((record.tid(), record.pid()), (Some(1_111), Some(2_222)));
    assert_eq!((record.time(), record.payload()), (Some(99), &b"abc"[..]));
    assert_eq!((record.stride(), record.provider()), (40, None));
    let bytes = system(3, 0x0910, 2, -5, b"abc");
    let record = parse(&bytes);
    assert_eq!((record.kind(), record.wide()), (RecordKind::Compact, false));
    assert_eq!((record.time(), record.tid()), (Some(-5), Some(1_111)));
    assert_eq!((record.payload(), record.stride()), (&b"abc"[..], 32));
    let bytes = perfinfo(16, 0x0F2E, 2, 7, b"");
    let record = parse(&bytes);
    assert_eq!(
        (record.kind(), record.wide()),
        (RecordKind::PerfInfo, false)
    );
    assert_eq!((record.time(), record.tid()), (Some(7), None));
    assert_eq!((record.pid(), record.payload()), (None, &b""[..]));
}

#[test]
fn counters_stand_between_header_and_payload() {
    // Flags in the high byte of the version: the PEBS index and two counter values.
    let bytes = perfinfo(17, 0x0F2E, 0x8202, 7, &[5; 26]);
    let record = parse(&bytes);
    assert_eq!(
        (record.payload(), record.hook().unwrap().version),
        (&[5, 5][..], 2)
    );
    let bytes = perfinfo(17, 0x0F2E, 0x8202, 7, &[5; 23]);
    assert_eq!(fault(&bytes).next, Some(40));
}

#[test]
fn events_of_a_class() {
    let bytes = full(10, CLASS, 36, 2, 50, b"xy");
    let record = parse(&bytes);
    let classic = Classic {
        class: Guid(CLASS),
        opcode: 36,
        version: 2,
    };
    assert_eq!((record.kind(), record.wide()), (RecordKind::Full, false));
    assert_eq!(
        (record.classic(), record.provider()),
        (Some(classic), Some(Guid(CLASS)))
    );
    // A thread of FFFFFFFF is none.
    assert_eq!((record.tid(), record.pid()), (None, Some(2_222)));
    assert_eq!((record.time(), record.payload()), (Some(50), &b"xy"[..]));
    let bytes = full(21, CLASS, 1, 0, 51, b"xy");
    let record = parse(&bytes);
    assert_eq!((record.kind(), record.wide()), (RecordKind::Instance, true));
    assert_eq!((record.payload(), record.hook()), (&b"xy"[..], None));
}

#[test]
fn events_of_a_provider() {
    let bytes = event(
        19,
        PROVIDER,
        5,
        60,
        &[(1, &[3; 16]), (12, b"\x06\0abc\0")],
        b"pay",
    );
    let record = parse(&bytes);
    assert_eq!(
        (record.kind(), record.payload()),
        (RecordKind::Event, &b"pay"[..])
    );
    let items: Vec<_> = record.items().map(|item| (item.kind, item.data)).collect();
    assert_eq!(items, [(1, &[3; 16][..]), (12, &b"\x06\0abc\0"[..])]);
    let descriptor = record.descriptor().unwrap();
    assert_eq!(
        (descriptor.id, descriptor.version, descriptor.channel),
        (5, 1, 11)
    );
    assert_eq!(
        (descriptor.level, descriptor.opcode, descriptor.task),
        (5, 2, 7)
    );
    assert_eq!(descriptor.keyword, 0x8000_0000_0000_0001);
    assert_eq!(record.activity(), Some(Guid([0xAA; 16])));
    // Without the flag the bytes behind the header are payload, even where they look like an item.
    let mut bytes = bytes;
    bytes[4] = 0;
    assert_eq!(parse(&bytes).payload().len(), 3 + 24 + 16);
    assert_eq!(parse(&bytes).items().count(), 0);
}

#[test]
fn items_that_do_not_fit_drop_the_record_only() {
    let whole = event(19, PROVIDER, 5, 60, &[(1, &[3; 16])], b"");
    for (at, value) in [(0x50, 0), (0x50, 32), (0x54, 1), (0x56, 17)] {
        let mut bytes = whole.clone();
        bytes[at] = value;
        assert_eq!(fault(&bytes).next, Some(104), "{at:#x} {value}");
    }
}

#[test]
fn messages() {
    // Sequence, source, time stamp, thread and process; then the arguments.
    let mut fields = vec![1, 0, 0, 0];
    fields.extend([4; 16]);
    fields.extend(77_i64.to_le_bytes());
    fields.extend([5, 0, 0, 0, 6, 0, 0, 0]);
    fields.extend(b"args");
    let bytes = message(10, 0x2B, &fields);
    let record = parse(&bytes);
    assert_eq!(
        (record.kind(), record.type_byte()),
        (RecordKind::Message, 15)
    );
    assert_eq!((record.time(), record.payload()), (Some(77), &b"args"[..]));
    assert_eq!((record.tid(), record.pid()), (Some(5), Some(6)));
    assert_eq!(record.provider(), Some(Guid([4; 16])));
    assert_eq!(record.message().unwrap().number, 10);
    // A component takes the place of the source; without its flag there is no time.
    let bytes = message(10, 0x46, &[3, 0, 0, 0, b'a']);
    let record = parse(&bytes);
    assert_eq!(record.message().unwrap().component, Some(3));
    assert_eq!((record.time(), record.payload()), (None, &b"a"[..]));
    assert_eq!((record.provider(), record.wide()), (Some(Guid::NIL), false));
    assert_eq!(fault(&message(10, 0x08, &[0; 7])).next, Some(16));
}

#[test]
fn kinds_without_description_count_by_their_size() {
    let bytes = [12, 0, 13, 0xC0, 1, 2, 3, 4, 5, 6, 7, 8];
    let record = parse(&bytes);
    assert_eq!(
        (record.kind(), record.type_byte()),
        (RecordKind::Opaque, 13)
    );
    assert_eq!((record.time(), record.provider()), (None, Some(Guid::NIL)));
    assert_eq!((record.payload().len(), record.stride()), (4, 16));
}

#[test]
fn no_record() {
    for bytes in every_kind(0) {
        // Every cut of a record is told as such, whatever is missing.
        for len in 0..bytes.len() {
            assert_eq!(
                fault(&bytes[..len]).expected.en(),
                "a whole record",
                "{len}"
            );
        }
        let mut odd = bytes.clone();
        odd[3] = 0x40;
        assert_eq!(fault(&odd).expected.en(), "the marker of a record");
        let mut odd = bytes.clone();
        let size = if bytes[3] == 0xC0 && [1, 2, 3, 4, 16, 17].contains(&bytes[2]) {
            4
        } else {
            0
        };
        odd[size..size + 2].copy_from_slice(&7_u16.to_le_bytes());
        assert_eq!(fault(&odd).expected.en(), "a size that holds the header");
    }
    for kind in [0, 5, 9, 22, 255] {
        let bytes = [9, 0, kind, 0xC0, 9, 0, 0, 0, 0];
        assert_eq!(fault(&bytes).expected.en(), "the marker of a record");
    }
}
