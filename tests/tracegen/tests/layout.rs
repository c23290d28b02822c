//! The bytes of small logs, field by field.

use std::io::Cursor;
use tracegen::pml::layout::*;
use tracegen::pml::op::{Create, FileOp, KeyInfo, RegOp};
use tracegen::pml::{Bits, Event, LogBuilder, Module, Op, ProcId, Process, SaturatedExtra};

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(bytes[at..at + 2].try_into().unwrap())
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap())
}

/// Offsets of the records, from the event index.
fn offsets(bytes: &[u8]) -> Vec<u64> {
    let index = u64_at(bytes, H_INDEX) as usize;
    let count = u32_at(bytes, H_EVENT_COUNT) as usize;
    (0..count)
        .map(|n| {
            let mut wide = [0; 8];
            wide[..5].copy_from_slice(&bytes[index + 5 * n..index + 5 * n + 5]);
            u64::from_le_bytes(wide)
        })
        .collect()
}

fn event(process: ProcId, n: u64, op: Op) -> Event {
    Event {
        process,
        tid: 8,
        time: 1_000 + n,
        duration: 5,
        status: 0,
        stack: vec![0x7000_1000, 0x7000_2000, n],
        op,
    }
}

fn log(bits: Bits) -> LogBuilder {
    let mut log = LogBuilder::new(bits);
    log.computer("BANK-PC-0417")
        .os(6, 1, 7601)
        .hardware(3, 1 << 32);
    let mut system = Process::new(4, 0, "System");
    system.modules = vec![
        Module::new(0x8000_0000, 0x1000, "C:\\a.sys"),
        Module::new(0x8000_2000, 0x1000, "C:\\b.sys"),
    ];
    let id = log.process(system);
    log.event(&event(
        id,
        0,
        Op::file("C:\\x", FileOp::CreateFile(Create::default())),
    ));
    log.event(&event(id, 1, Op::file("C:\\ü", FileOp::CloseFile)));
    log.event(&event(
        id,
        2,
        Op::reg(
            "HKLM\\A",
            RegOp::QueryKey {
                length: 9,
                info: KeyInfo::HandleTags(7),
            },
        ),
    ));
    log
}

#[test]
fn header_fields_stand_where_the_format_has_them() {
    for (bits, highest) in [(Bits::B64, 0x7FFF_FFFE_FFFF), (Bits::B32, 0x7FFE_FFFF)] {
        let bytes = log(bits).finish();
        assert_eq!(&bytes[..4], b"PML_");
        assert_eq!(u32_at(&bytes, H_VERSION), 9);
        assert_eq!(u32_at(&bytes, H_IS_64), u32::from(bits == Bits::B64));
        assert_eq!(u16_at(&bytes, H_COMPUTER), u16::from(b'B'));
        assert_eq!(u16_at(&bytes, H_SYSTEM_ROOT + 4), u16::from(b'\\'));
        assert_eq!(u32_at(&bytes, H_EVENT_COUNT), 3);
        assert_eq!(u64_at(&bytes, H_EVENTS), 0x3A8);
        assert_eq!(u64_at(&bytes, H_HIGHEST_USER), highest);
        assert_eq!(u32_at(&bytes, H_OSVERSION_SIZE), 0x11C);
        assert_eq!(u32_at(&bytes, H_OS_MAJOR + 8), 7601);
        assert_eq!(
            (u32_at(&bytes, H_CPUS), u64_at(&bytes, H_RAM)),
            (3, 1 << 32)
        );
        assert_eq!(u64_at(&bytes, H_HEADER_SIZE), HEADER_SIZE);
    }
}

#[test]
fn sections_follow_each_other_to_the_end_of_the_file() {
    let bytes = log(Bits::B64).finish();
    let order =
        [H_EVENTS, H_INDEX, H_PROCESSES, H_STRINGS, H_ICONS, H_HOSTS].map(|at| u64_at(&bytes, at));
    assert!(order.is_sorted());
    assert_eq!(order[1] % 4, 0);
    assert_eq!(order[2] - order[1], 3 * INDEX_ENTRY);
    // No hosts and no ports: two counts.
    assert_eq!(bytes.len() as u64 - order[5], 8);
}

#[test]
fn index_points_at_records_that_are_back_to_back() {
    for bits in [Bits::B64, Bits::B32] {
        let bytes = log(bits).finish();
        let mut next = HEADER_SIZE;
        for (n, offset) in offsets(&bytes).into_iter().enumerate() {
            assert_eq!(offset, next);
            let at = offset as usize;
            assert_eq!(u64_at(&bytes, at + R_TIME), 1_000 + n as u64);
            assert_eq!(u16_at(&bytes, at + R_DEPTH), 3);
            let stack = 3 * bits.ptr();
            let mut size = RECORD_SIZE + stack + u32_at(&bytes, at + R_DETAIL_SIZE) as usize;
            let extra = u32_at(&bytes, at + R_EXTRA) as usize;
            if extra > 0 {
                assert_eq!(extra, size);
                size += 2 + usize::from(u16_at(&bytes, at + extra));
            }
            next = offset + size as u64;
        }
        assert!(u64_at(&bytes, H_INDEX) - next < 4);
    }
}

#[test]
fn sizes_depend_on_the_pointer() {
    let create = |bits| {
        let bytes = log(bits).finish();
        let at = offsets(&bytes)[0] as usize;
        let detail = u32_at(&bytes, at + R_DETAIL_SIZE) as usize;
        let extra = u16_at(&bytes, at + u32_at(&bytes, at + R_EXTRA) as usize);
        let start = at + RECORD_SIZE + 3 * bits.ptr();
        (detail, extra, bytes[start..start + detail].to_vec())
    };
    // Path info at 0x40 or 0x2C, path of 4 bytes, then access, SID size and 2 bytes of junk.
    let (detail, extra, block) = create(Bits::B64);
    assert_eq!(
        (detail, extra, u16_at(&block, 0x40)),
        (0x44 + 4 + 8 + 2, 8, 0x8004)
    );
    let (detail, extra, block) = create(Bits::B32);
    assert_eq!(
        (detail, extra, u16_at(&block, 0x2C)),
        (0x30 + 4 + 8 + 2, 4, 0x8004)
    );

    let process_record = |bits| {
        let bytes = log(bits).finish();
        let table = u64_at(&bytes, H_PROCESSES) as usize;
        let record = table + u32_at(&bytes, table + 8) as usize;
        (u64_at(&bytes, H_STRINGS) as usize) - record
    };
    assert_eq!(process_record(Bits::B64), 0x60 + 8 + 4 + 2 * 64);
    assert_eq!(process_record(Bits::B32), 0x60 + 4 + 4 + 2 * 56);
}

#[test]
fn a_path_is_ascii_where_it_can_be() {
    let bytes = log(Bits::B64).finish();
    let info = |n: usize| {
        u16_at(
            &bytes,
            offsets(&bytes)[n] as usize + RECORD_SIZE + 24 + 0x40,
        )
    };
    assert_eq!(info(0), 0x8004);
    assert_eq!(info(1), 0x0004);
}

#[test]
fn holes_are_never_zero() {
    let bytes = log(Bits::B64).finish();
    for offset in offsets(&bytes) {
        let at = offset as usize;
        assert!(bytes[at + 0x0E] != 0 && bytes[at + 0x0F] != 0 && bytes[at + 0x2A] != 0);
    }
}

#[test]
fn a_stream_writes_what_a_builder_does() {
    let last = event(ProcId(1), 3, Op::file("C:\\y", FileOp::CloseFile));
    let mut stream = log(Bits::B64).stream(Cursor::new(Vec::new())).unwrap();
    stream.event(&last).unwrap();
    let (sink, size) = stream.finish().unwrap();
    let mut whole = log(Bits::B64);
    whole.event(&last);
    assert_eq!(size, sink.get_ref().len() as u64);
    assert!(sink.into_inner() == whole.finish());
}

#[test]
fn an_offset_beyond_4_gib_has_40_bits() {
    let mut stream = LogBuilder::new(Bits::B64).stream(Far::default()).unwrap();
    stream.gap(5 << 32).unwrap();
    stream
        .event(&event(ProcId(1), 3, Op::file("C:\\y", FileOp::CloseFile)))
        .unwrap();
    let (sink, _) = stream.finish().unwrap();
    let wanted = (HEADER_SIZE + (5 << 32)).to_le_bytes();
    assert!(sink.after_gap.windows(5).any(|w| w == &wanted[..5]));
}

/// A sink that keeps only what is written beyond 4 GiB.
#[derive(Debug, Default)]
struct Far {
    position: u64,
    after_gap: Vec<u8>,
}

impl std::io::Write for Far {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.position > 1 << 32 {
            self.after_gap.extend_from_slice(bytes);
        }
        self.position += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl std::io::Seek for Far {
    fn seek(&mut self, to: std::io::SeekFrom) -> std::io::Result<u64> {
        if let std::io::SeekFrom::Start(at) = to {
            self.position = at;
        }
        Ok(self.position)
    }
}

#[test]
fn an_extra_block_of_64_kib_saturates() {
    for (how, bytes_written) in [
        (SaturatedExtra::Cut, 0xFFFF),
        (SaturatedExtra::Whole, 0x1_0000),
    ] {
        let mut log = LogBuilder::new(Bits::B64);
        log.saturated_extra(how);
        let raw = Op::Raw {
            class: 3,
            operation: 32,
            detail: vec![1; 80],
            extra: Some(vec![7; 0x1_0000]),
        };
        log.event(&event(ProcId(1), 0, raw.clone()))
            .event(&event(ProcId(1), 1, raw));
        let bytes = log.finish();
        let at = offsets(&bytes);
        let extra = u32_at(&bytes, at[0] as usize + R_EXTRA) as u64;
        assert_eq!(u16_at(&bytes, (at[0] + extra) as usize), 0xFFFF);
        assert_eq!(at[1] - at[0] - extra - 2, bytes_written);
    }
}

#[test]
fn an_unclosed_log_has_no_offsets() {
    let mut log = log(Bits::B64);
    let bytes = log.unclosed(true).version(8).finish();
    assert!(H_OFFSETS.iter().all(|at| u64_at(&bytes, *at) == 0));
    assert_eq!(u32_at(&bytes, H_VERSION), 8);
}
