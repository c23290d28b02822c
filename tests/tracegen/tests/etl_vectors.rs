//! Payloads written from the values of real kernel events are the real payloads, byte for byte.
//!
//! The events are unit-test vectors that other projects published; they are read from the folder of real data.

use serde_json::Value;
use std::path::{Path, PathBuf};
use tracegen::etl::event::{
    Directory, Disk, Event, FileIo, FileIoOp, FileName, Information, OperationEnd, Profile,
    Registry, RegistryOp, Transfer,
};
use tracegen::etl::{ClockType, EtlBuilder, Record, Session};
use tracegen::pml::Bits;

/// The vectors, or `None` where they are not at hand: then the test says so and ends.
fn vectors(test: &str) -> Option<String> {
    let data = std::env::var_os("FLTSCOPE_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    let file = data.join("etl/kernel_payload_vectors.jsonl");
    let text = std::fs::read_to_string(&file).ok();
    if text.is_none() {
        eprintln!(
            "skipped: {test}: no vectors at {} (set FLTSCOPE_DATA to the folder of real data)",
            file.display()
        );
    }
    text
}

/// A vector's values by name.
struct Values<'a>(&'a Value);

impl Values<'_> {
    fn text(&self, name: &str) -> String {
        let rows = self.0["expected"].as_array().unwrap();
        let row = rows.iter().find(|row| row[0] == name);
        row.unwrap_or_else(|| panic!("no {name} in {}", self.0["name"]))[2]
            .as_str()
            .unwrap()
            .to_owned()
    }

    fn number(&self, name: &str) -> u64 {
        let text = self.text(name);
        match text.strip_prefix("0x") {
            Some(hex) => u64::from_str_radix(hex, 16).unwrap(),
            None => text.parse().unwrap(),
        }
    }

    fn small(&self, name: &str) -> u32 {
        self.number(name) as u32
    }
}

fn registry_op(opcode: u64) -> Option<RegistryOp> {
    use RegistryOp::*;
    [
        Create,
        Open,
        Query,
        SetValue,
        QueryValue,
        EnumerateKey,
        EnumerateValue,
        KcbDelete,
        KcbRundownEnd,
        Close,
        SetSecurity,
        QuerySecurity,
    ]
    .into_iter()
    .find(|op| *op as u64 == opcode)
}

/// Writes the event of a vector and gives its payload in hex; none for events the writer has not.
fn written(vector: &Value) -> Option<String> {
    let v = Values(vector);
    let bits = if vector["pointer_size"] == 8 {
        Bits::B64
    } else {
        Bits::B32
    };
    let (version, opcode) = (
        vector["version"].as_u64().unwrap(),
        vector["opcode"].as_u64().unwrap(),
    );
    let name;
    let event = match (vector["category"].as_str().unwrap(), opcode) {
        ("FileIO", 76) => Event::OperationEnd(OperationEnd {
            irp: v.number("IrpPtr"),
            information: v.number("ExtraInfo"),
            status: v.small("NtStatus"),
        }),
        ("FileIO", 32 | 35 | 36) => {
            name = v.text("FileName");
            let key = v.number("FileObject");
            Event::FileName(match opcode {
                32 => FileName::Create(key, &name),
                35 => FileName::Delete(key, &name),
                _ => FileName::Rundown(key, &name),
            })
        }
        ("FileIO", _) => {
            let key = || v.number("FileKey");
            let info = || Information {
                key: key(),
                extra: v.number("ExtraInfo"),
                class: v.small("InfoClass"),
            };
            let transfer = || Transfer {
                key: key(),
                offset: v.number("Offset"),
                size: v.small("IoSize"),
                flags: v.small("IoFlags"),
            };
            name = match opcode {
                64 => v.text("OpenPath"),
                72 | 77 | 79 | 80 => v.text("FileName"),
                _ => String::new(),
            };
            let op = match opcode {
                64 => FileIoOp::Create {
                    options: v.small("CreateOptions"),
                    attributes: v.small("FileAttributes"),
                    share: v.small("ShareAccess"),
                    path: &name,
                },
                65 => FileIoOp::Cleanup { key: key() },
                67 => FileIoOp::Read(transfer()),
                68 => FileIoOp::Write(transfer()),
                69 => FileIoOp::SetInformation(info()),
                70 => FileIoOp::Delete(info()),
                71 => FileIoOp::Rename(info()),
                72 | 77 => {
                    let directory = Directory {
                        key: key(),
                        length: v.small("Length"),
                        class: v.small("InfoClass"),
                        index: v.small("FileIndex"),
                        pattern: &name,
                    };
                    if opcode == 72 {
                        FileIoOp::DirEnum(directory)
                    } else {
                        FileIoOp::DirNotify(directory)
                    }
                }
                73 => FileIoOp::Flush { key: key() },
                74 => FileIoOp::QueryInformation(info()),
                75 => FileIoOp::FsControl(info()),
                79 => FileIoOp::DeletePath(info(), &name),
                80 => FileIoOp::RenamePath(info(), &name),
                other => panic!("file operation {other}"),
            };
            Event::FileIo(FileIo {
                irp: v.number("IrpPtr"),
                object: v.number("FileObject"),
                tid: v.small("TTID"),
                op,
            })
        }
        ("Registry", _) => {
            name = v.text_or_empty("KeyName");
            let initial = v.number_or_zero("InitialTime");
            Event::Registry(Registry {
                op: registry_op(opcode)?,
                initial: (initial > 0).then_some(initial),
                status: v.small("Status"),
                index: v.small("Index"),
                kcb: v.number("KeyHandle"),
                name: &name,
            })
        }
        ("DiskIO", 10 | 11) if version == 3 && v.number("DiskNumber") == 0 => {
            Event::Disk(Disk::Done {
                write: opcode == 11,
                flags: v.small("IrpFlags"),
                bytes: v.small("TransferSize"),
                offset: v.number("ByteOffset"),
                key: v.number("FileObject"),
                irp: v.number("Irp"),
                response: v.number("HighResResponseTime"),
                tid: v.small("IssuingThreadId"),
            })
        }
        ("DiskIO", 12) if version == 3 => Event::Disk(Disk::Init {
            write: false,
            irp: v.number("Irp"),
            tid: v.small("IssuingThreadId"),
        }),
        ("PerfInfo", 73) => Event::Profile(Profile::Interval {
            end: false,
            interval: v.small("NewInterval"),
            source: "Timer",
        }),
        _ => return None,
    };
    // A clock that takes times as they are.
    let mut session = Session::new(bits, 1_000);
    session.clock = ClockType::SystemTime;
    session.file_io_version = version.max(2) as u8;
    let mut trace = EtlBuilder::new(session);
    trace.add(&Record::new(0, 2_000, event).by(4, 8));
    let lines = trace.lines();
    let line = lines.last().unwrap();
    Some(line.record[line.record.len() - 2 * line.payload_bytes..].to_owned())
}

impl Values<'_> {
    fn has(&self, name: &str) -> bool {
        let rows = self.0["expected"].as_array().unwrap();
        rows.iter().any(|row| row[0] == name)
    }

    fn text_or_empty(&self, name: &str) -> String {
        if self.has(name) {
            self.text(name)
        } else {
            String::new()
        }
    }

    fn number_or_zero(&self, name: &str) -> u64 {
        if self.has(name) { self.number(name) } else { 0 }
    }
}

#[test]
fn real_payloads_come_out_of_their_values() {
    let Some(text) = vectors("real_payloads_come_out_of_their_values") else {
        return;
    };
    let mut compared = 0;
    for line in text.lines() {
        let vector: Value = serde_json::from_str(line).unwrap();
        if let Some(payload) = written(&vector) {
            let name = vector["name"].as_str().unwrap();
            assert_eq!(payload, vector["payload_hex"].as_str().unwrap(), "{name}");
            compared += 1;
        }
    }
    eprintln!("{compared} payloads compared");
    assert!(compared >= 45, "{compared}");
}
