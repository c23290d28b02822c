//! What can be wrong with a PML file.

use crate::bytes::Truncated;
use crate::lang::Message;
use crate::say;

/// The tables behind the events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    /// Event index.
    Index,
    /// Process table.
    Processes,
    /// String table.
    Strings,
    /// Host and port names.
    Hosts,
}

impl Table {
    fn zh(self) -> &'static str {
        match self {
            Self::Index => "事件索引",
            Self::Processes => "进程表",
            Self::Strings => "字符串表",
            Self::Hosts => "主机和端口表",
        }
    }
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Index => "event index",
            Self::Processes => "process table",
            Self::Strings => "string table",
            Self::Hosts => "host and port table",
        })
    }
}

/// A fault of a PML file. The first three mean that nothing can be read; the others are told as
/// warnings while the rest of the file is read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PmlError {
    /// The file does not start as a Procmon log does.
    #[error("PML001 at offset 0x0: expected the Procmon signature 'PML_', found {found}")]
    NotPml {
        /// The first bytes.
        found: Message,
    },
    /// A version other than 9.
    #[error("PML002 at offset 0x4: expected PML version 9, found version {found}. {hint}")]
    Version {
        /// The version the file names.
        found: u32,
        /// What the user can do.
        hint: Message,
    },
    /// The file ends inside the header.
    #[error("PML003 {0}: the file is cut inside its header")]
    Header(#[source] Truncated),
    /// The header has no offsets: Procmon did not finish the file.
    #[error(
        "PML004 at offset 0x240: expected the offsets of events and tables, found zeros: the log was not closed. Events are read one by one; open the log in Procmon once and save it to get process names"
    )]
    NotClosed,
    /// A table lies outside the file or does not hold what it says.
    #[error("PML005 at offset {offset:#x}: {table}: expected {expected}, found {found}")]
    Table {
        /// Which table.
        table: Table,
        /// Where it starts or should start.
        offset: u64,
        /// What belongs there.
        expected: Message,
        /// What is there.
        found: Message,
    },
    /// An event record that does not fit its place.
    #[error("PML006 {0}")]
    Event(#[source] Truncated),
    /// A place in the index that holds no event.
    #[error("PML008 at offset {offset:#x}: expected an event record, found class {class}")]
    NoEvent {
        /// Where it should start.
        offset: u64,
        /// The class that stands there.
        class: u16,
    },
    /// The index does not lead to the records.
    #[error(
        "PML009 at offset {offset:#x}: event index: expected the places of {expected} records, found those of {found}; the events are read one by one instead"
    )]
    IndexLies {
        /// Where the index starts.
        offset: u64,
        /// Events that the header counts.
        expected: u64,
        /// Entries that lead from one record to the next.
        found: u64,
    },
    /// A header that names the wrong pointer size.
    #[error(
        "PML011 at offset 0x8: expected the pointer size of the events, found {found} bits; they are read with {used} bits"
    )]
    PointerSize {
        /// Bits by the header.
        found: usize,
        /// Bits by the events.
        used: usize,
    },
    /// A table that is not where the header says.
    #[error(
        "PML010 at offset {offset:#x}: {table}: expected where the header says, found at {place:#x} instead, where tables follow each other"
    )]
    Moved {
        /// Which table.
        table: Table,
        /// Where it should start.
        offset: u64,
        /// Where it starts.
        place: u64,
    },
    /// Bytes between events that are no event.
    #[error(
        "PML007 at offset {offset:#x}: expected an event record, found {bytes} bytes that are none; skipped"
    )]
    Skipped {
        /// Where they start.
        offset: u64,
        /// How many.
        bytes: u64,
    },
}

impl PmlError {
    /// The fault for people; in English what [`Display`](std::fmt::Display) says.
    pub fn message(&self) -> Message {
        let en = self.to_string();
        match self {
            Self::NotPml { found } => {
                let found = found.zh();
                say!(en: "{en}", zh: "PML001 偏移量 0x0 处：应为 Procmon 签名“PML_”，实为：{found}")
            }
            Self::Version { found, hint } => {
                let hint = hint.zh();
                say!(en: "{en}", zh: "PML002 偏移量 0x4 处：应为 PML 版本 9，实为版本 {found}。{hint}")
            }
            Self::Header(cut) => {
                let cut = cut.message();
                let cut = cut.zh();
                say!(en: "{en}", zh: "PML003 {cut}：文件在文件头处被截断")
            }
            Self::NotClosed => say!(
                en: "{en}",
                zh: "PML004 偏移量 0x240 处：应为事件和各表的偏移量，实为零：日志没有正常关闭。事件已逐个读取；在 Procmon 中打开该日志并保存一次，即可得到进程名称",
            ),
            Self::Table {
                table,
                offset,
                expected,
                found,
            } => {
                let (table, expected, found) = (table.zh(), expected.zh(), found.zh());
                say!(en: "{en}", zh: "PML005 偏移量 {offset:#x} 处：{table}：应为{expected}，实为：{found}")
            }
            Self::Event(cut) => {
                let cut = cut.message();
                let cut = cut.zh();
                say!(en: "{en}", zh: "PML006 {cut}")
            }
            Self::Skipped { offset, bytes } => say!(
                en: "{en}",
                zh: "PML007 偏移量 {offset:#x} 处：应为事件记录，实为 {bytes} 个不属于任何事件的字节；已跳过",
            ),
            Self::PointerSize { found, used } => say!(
                en: "{en}",
                zh: "PML011 偏移量 0x8 处：应为事件的指针大小，实为 {found} 位；事件按 {used} 位读取",
            ),
            Self::Moved {
                table,
                offset,
                place,
            } => {
                let table = table.zh();
                say!(en: "{en}", zh: "PML010 偏移量 {offset:#x} 处：{table}：应位于文件头所述位置，实际位于 {place:#x}（各表前后相接之处）")
            }
            Self::NoEvent { offset, class } => say!(
                en: "{en}",
                zh: "PML008 偏移量 {offset:#x} 处：应为事件记录，实为类别 {class}",
            ),
            Self::IndexLies {
                offset,
                expected,
                found,
            } => say!(
                en: "{en}",
                zh: "PML009 偏移量 {offset:#x} 处：事件索引：应指向 {expected} 条记录，实际指向 {found} 条；事件改为逐个读取",
            ),
        }
    }
}
