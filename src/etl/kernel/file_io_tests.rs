use super::*;
use crate::etl::kernel::sample::Sample;

const IRP: u64 = 0x11;
const OBJECT: u64 = 0x22;
const KEY: u64 = 0x33;
const TID: u32 = 0x44;
const EXTRA: u64 = 0x55;

/// A payload up to the request: IRP, FileObject, key, extra and thread in the order of the version.
fn start(
    wide: bool,
    version: u16,
    with_key: bool,
    with_extra: bool,
    offset: Option<u64>,
) -> Sample {
    let mut sample = Sample::new(wide);
    if let Some(offset) = offset {
        sample = sample.u64(offset);
    }
    sample = sample.ptr(IRP);
    if version < 3 {
        sample = sample.ptr(TID.into());
    }
    sample = sample.ptr(OBJECT);
    if with_key {
        sample = sample.ptr(KEY);
    }
    if with_extra {
        sample = sample.ptr(EXTRA);
    }
    if version < 3 { sample } else { sample.u32(TID) }
}

fn check(sample: &Sample, hook: u16, version: u16, expected: FileRequest<'_>) {
    let found = sample.whole(|fields| FileIo::parse(hook, version, fields));
    assert_eq!(
        (found.irp, found.file_object, found.tid),
        (IRP, OBJECT, TID),
        "{hook:#x}"
    );
    let key = (!matches!(hook, 0x0440 | 0x044E)).then_some(KEY);
    assert_eq!(found.file_key, key, "{hook:#x}");
    assert_eq!(found.request, expected, "{hook:#x}");
}

/// Text as a payload holds it, without its NUL.
fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// Length of a payload of hook, pointer size and version, a text not counted.
fn length(hook: u16, wide: bool, version: u16) -> usize {
    match (wide, version) {
        (false, 2) => match hook {
            0x0440 | 0x044E => 24,
            0x0441 | 0x0442 | 0x0449 => 16,
            0x0443 | 0x0444 => 32,
            0x0448 | 0x044D => 28,
            _ => 24,
        },
        (true, 2) => match hook {
            0x0440 | 0x044E => 36,
            0x0441 | 0x0442 | 0x0449 => 32,
            0x0443 | 0x0444 => 48,
            0x0448 | 0x044D => 44,
            _ => 44,
        },
        (true, _) => match hook {
            0x0440 | 0x044E => 32,
            0x0441 | 0x0442 | 0x0449 => 28,
            0x0443 | 0x0444 => 48,
            0x0448 | 0x044D => 40,
            _ => 40,
        },
        // The same fields; one pointer less in front, four bytes of flags more behind reads and writes.
        (false, _) => match hook {
            0x0443 | 0x0444 => 36,
            _ => length(hook, false, 2),
        },
    }
}

#[test]
fn every_operation_version_and_pointer_size() {
    let path = utf16(r"\??\C:\Windows\a");
    let path = WideText(&path);
    for (wide, version) in [(false, 2), (false, 3), (true, 2), (true, 3)] {
        for hook in 0x0440..=0x0452_u16 {
            if hook == OPERATION_END {
                continue;
            }
            let from = |key, extra| start(wide, version, key, extra, None);
            let (sample, text, request) = match hook {
                0x0440 | 0x044E => {
                    let sample = from(false, false).u32(0x0500_0021).u32(0x80).u32(7);
                    let request = FileRequest::Create {
                        disposition: 5,
                        options: 0x21,
                        attributes: 0x80,
                        share: 7,
                        path,
                    };
                    (sample, true, request)
                }
                0x0443 | 0x0444 => {
                    let late = version >= 3;
                    let sample = start(wide, version, true, false, Some(4_096))
                        .u32(512)
                        .u32(0x60900);
                    let request = FileRequest::Transfer {
                        offset: 4_096,
                        size: 512,
                        flags: 0x60900,
                        extra_flags: late.then_some(9),
                    };
                    (if late { sample.u32(9) } else { sample }, false, request)
                }
                0x0441 | 0x0442 | 0x0449 => (from(true, false), false, FileRequest::Plain),
                0x044B => {
                    let request = FileRequest::Control {
                        code: 0x90240,
                        extra: EXTRA,
                    };
                    (from(true, true).u32(0x90240), false, request)
                }
                0x0448 => {
                    let sample = from(true, false).u32(632).u32(37).u32(1);
                    let request = FileRequest::Listing {
                        length: 632,
                        class: 37,
                        index: 1,
                        pattern: path,
                    };
                    (sample, true, request)
                }
                0x044D => {
                    let sample = from(true, false).u32(632).u32(27).u32(1);
                    let request = FileRequest::Notification {
                        length: 632,
                        filter: 27,
                        index: 1,
                        pattern: path,
                    };
                    (sample, true, request)
                }
                0x044F..=0x0451 => {
                    let request = FileRequest::Information {
                        class: 10,
                        extra: EXTRA,
                        path,
                    };
                    (from(true, true).u32(10), true, request)
                }
                _ => {
                    let path = WideText::default();
                    let request = FileRequest::Information {
                        class: 13,
                        extra: EXTRA,
                        path,
                    };
                    (from(true, true).u32(13), false, request)
                }
            };
            assert_eq!(
                sample.len(),
                length(hook, wide, version),
                "{hook:#x} {wide} {version}"
            );
            let parse = |fields: &mut Fields<'_>| FileIo::parse(hook, version, fields).map(|_| ());
            let fixed = sample.len();
            let sample = if text {
                sample.bytes(path.0).u16(0)
            } else {
                sample
            };
            check(&sample, hook, version, request);
            // Some builds end reads and writes before the last flags.
            let optional = if matches!(hook, 0x0443 | 0x0444) && version >= 3 {
                4
            } else {
                0
            };
            assert_eq!(
                sample.shortest(parse),
                fixed - optional,
                "{hook:#x} {wide} {version}"
            );
        }
    }
}

#[test]
fn reads_without_the_last_flags() {
    let sample = start(true, 3, true, false, Some(0)).u32(512).u32(0);
    assert_eq!(sample.len(), 44);
    let found = sample.whole(|fields| FileIo::parse(0x0443, 3, fields));
    let FileRequest::Transfer { extra_flags, .. } = found.request else {
        panic!("{found:?}");
    };
    assert_eq!(extra_flags, None);
}

#[test]
fn ends() {
    for wide in [false, true] {
        let sample = Sample::new(wide).ptr(IRP).ptr(224).u32(0xC000_0022);
        assert_eq!(sample.len(), if wide { 20 } else { 12 });
        let end = sample.whole(OperationEnd::parse);
        assert_eq!(
            (end.irp, end.information, end.status),
            (IRP, 224, 0xC000_0022)
        );
        assert!(!end.succeeded());
        assert_eq!(sample.shortest(OperationEnd::parse), sample.len());
    }
    for hook in [0x0424, 0x043F, OPERATION_END, 0x0453, 0x0460] {
        assert_eq!(
            FileIo::parse(hook, 3, &mut Fields::new(&[0; 99], true)),
            None
        );
    }
}
