//! The file header: machine facts and where the sections lie.

use super::error::PmlError;
use super::layout::{MAGIC, VERSION, header as at};
use super::record::Bits;
use crate::bytes::{need, u8_at, u32_at, u64_at, utf16_field};
use crate::lang::{Message, Words};
use crate::say;
use crate::trace::model::windows_name;
use crate::trace::{Architecture, Machine};

/// What the header of a log says.
#[derive(Debug, Clone)]
pub struct Header {
    /// Pointer size of the traced machine.
    pub bits: Bits,
    /// Computer name.
    pub computer: String,
    /// Windows folder, as `C:\Windows`.
    pub system_root: String,
    /// Number of events the log should hold.
    pub event_count: u32,
    /// Offset of the first event.
    pub events: u64,
    /// Offset of the event index.
    pub index: u64,
    /// Offset of the process table.
    pub processes: u64,
    /// Offset of the string table.
    pub strings: u64,
    /// Offset of the icon table.
    pub icons: u64,
    /// Offset of the host and port tables.
    pub hosts: u64,
    /// Highest user-mode address: a frame above it is a kernel frame.
    pub highest_user: u64,
    /// Windows version: major, minor, build.
    pub os: (u32, u32, u32),
    /// Service pack text, empty on Windows 10 and later.
    pub service_pack: String,
    /// 1 workstation, 2 domain controller, 3 server.
    pub product_type: u8,
    /// Logical processors.
    pub processors: u32,
    /// Bytes of RAM.
    pub ram: u64,
}

impl Header {
    /// Reads the header from the first bytes of a file.
    ///
    /// # Errors
    /// [`PmlError::NotPml`], [`PmlError::Version`] or [`PmlError::Header`].
    pub fn parse(bytes: &[u8]) -> Result<Self, PmlError> {
        if bytes.len() < 4 || &bytes[..4] != MAGIC {
            return Err(PmlError::NotPml {
                found: describe(bytes),
            });
        }
        if let Some(found) = u32_at(bytes, at::VERSION).filter(|version| *version != VERSION) {
            return Err(PmlError::Version {
                found,
                hint: version_hint(found),
            });
        }
        let head = need(bytes, at::SIZE, Words::new("the file header", "文件头"), 0)
            .map_err(PmlError::Header)?;
        let u32 = |at| u32_at(head, at).unwrap_or(0);
        let u64 = |at| u64_at(head, at).unwrap_or(0);
        let bits = if u32(at::IS_64) == 0 {
            Bits::B32
        } else {
            Bits::B64
        };
        Ok(Self {
            bits,
            computer: utf16_field(&head[at::COMPUTER..at::COMPUTER + 32]),
            system_root: utf16_field(&head[at::SYSTEM_ROOT..at::SYSTEM_ROOT + 520]),
            event_count: u32(at::EVENT_COUNT),
            events: u64(at::EVENTS),
            index: u64(at::INDEX),
            processes: u64(at::PROCESSES),
            strings: u64(at::STRINGS),
            icons: u64(at::ICONS),
            hosts: u64(at::HOSTS),
            highest_user: match u64(at::HIGHEST_USER) {
                0 => bits.highest_user(),
                address => address,
            },
            os: (u32(at::OS_MAJOR), u32(at::OS_MINOR), u32(at::OS_BUILD)),
            service_pack: utf16_field(&head[at::SERVICE_PACK..at::SERVICE_PACK + 256]),
            product_type: u8_at(head, at::PRODUCT_TYPE).unwrap_or(0),
            processors: u32(at::PROCESSORS),
            ram: u64(at::RAM),
        })
    }

    /// Takes another pointer size than the header names.
    pub(super) fn set_bits(&mut self, bits: Bits) {
        if (self.highest_user > u64::from(u32::MAX)) != bits.is_64() {
            self.highest_user = bits.highest_user();
        }
        self.bits = bits;
    }

    /// Whether Procmon finished the file: an open one has no section offsets yet.
    pub fn is_closed(&self) -> bool {
        self.sections().iter().any(|offset| *offset != 0)
    }

    /// Offsets of the sections behind the events.
    pub fn sections(&self) -> [u64; 5] {
        [
            self.index,
            self.processes,
            self.strings,
            self.icons,
            self.hosts,
        ]
    }

    /// The traced machine, as both decoders report it.
    pub fn machine(&self) -> Machine {
        let server = self.product_type > 1;
        Machine {
            name: (!self.computer.is_empty()).then(|| self.computer.clone()),
            os: Some(windows_name(self.os, server, &self.service_pack)),
            build: Some(self.os.2),
            architecture: Some(match self.bits {
                Bits::B64 => Architecture::Bits64,
                Bits::B32 => Architecture::Bits32,
            }),
            utc_offset_minutes: None,
            system_root: (!self.system_root.is_empty()).then(|| self.system_root.clone()),
            processors: Some(self.processors),
            ram_bytes: Some(self.ram),
        }
    }
}

fn version_hint(version: u32) -> Message {
    match version {
        0..9 => say!(
            en: "It comes from an older Procmon: open it in a current Procmon (3.x or 4.x) and save it as PML, which writes version 9",
            zh: "它来自较旧的 Procmon：用当前的 Procmon（3.x 或 4.x）打开并另存为 PML，即写成版本 9",
        ),
        _ => say!(
            en: "It comes from a newer Procmon than this program knows: save it with Procmon 4.x, or look for a newer fltscope",
            zh: "它来自本程序尚不支持的较新的 Procmon：请用 Procmon 4.x 保存，或使用较新的 fltscope",
        ),
    }
}

/// The first bytes of a file in words, for the message that it is no PML.
fn describe(bytes: &[u8]) -> Message {
    match bytes {
        [] => say!(en: "an empty file", zh: "空文件"),
        [b'P', b'K', ..] => say!(en: "a zip archive ('PK')", zh: "zip 压缩文件（“PK”）"),
        [0x1f, 0x8b, ..] => say!(en: "a gzip file (1f 8b)", zh: "gzip 文件（1f 8b）"),
        [b'E', b'l', b'f', b'F', b'i', b'l', b'e', ..] => say!(
            en: "an event log (.evtx), which is not read",
            zh: "事件日志（.evtx），不读取此类文件",
        ),
        _ if is_procmon_export(bytes) => say!(
            en: "what Procmon exported, which has no drivers: save the log itself as .pml in Procmon, with all events",
            zh: "Procmon 导出的文件，其中没有驱动程序：请在 Procmon 中将日志本身另存为 .pml，并保存所有事件",
        ),
        _ if is_text(bytes) => say!(
            en: "text that is no line of CBS.log or setupapi.dev.log",
            zh: "既不是 CBS.log 也不是 setupapi.dev.log 的文本",
        ),
        _ => {
            let hex: Vec<String> = bytes.iter().take(4).map(|b| format!("{b:02x}")).collect();
            say!(en: "bytes {hex}", zh: "字节 {hex}", hex = hex.join(" "))
        }
    }
}

/// Whether these are the first bytes of Procmon's CSV or XML.
fn is_procmon_export(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let start = bytes.get(..200.min(bytes.len())).unwrap_or(bytes);
    start.starts_with(b"\"Time of Day\"")
        || start.starts_with(b"\"Process Name\"")
        || start.starts_with(b"<?xml") && start.windows(8).any(|at| at == b"<procmon")
}

/// Whether the first bytes are printable.
fn is_text(bytes: &[u8]) -> bool {
    let start = bytes.get(..64.min(bytes.len())).unwrap_or(bytes);
    let printable = |byte: &u8| matches!(byte, b'\t' | b'\r' | b'\n' | 0x20..=0x7E);
    start.iter().all(printable)
}
