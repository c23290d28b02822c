//! What can be wrong with an ETL file.

use crate::bytes::Truncated;
use crate::lang::Message;
use crate::say;
use std::io;

/// Why a trace could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file could not be read at all.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The file is no trace this decoder reads.
    #[error("{0}")]
    Format(#[from] EtlError),
}

/// A fault of an ETL file. The first two mean that nothing can be read; the others are told as
/// warnings while the rest of the file is read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EtlError {
    /// The file does not start as a trace does.
    #[error(
        "ETL001 at offset {offset:#x}: expected {expected}, found {found}: this is no ETL file"
    )]
    NotEtl {
        /// Where.
        offset: u64,
        /// What a trace has there.
        expected: Message,
        /// What is there.
        found: Message,
    },
    /// The file ends inside the trace header.
    #[error("ETL002 {0}: the file is cut inside its header")]
    Header(#[source] Truncated),
    /// The session that wrote the file did not end it.
    #[error(
        "ETL003 at offset 0x0: expected the end time of the session, found 0: the session was not stopped (a crash, or the file was copied while it ran). Events of its last seconds may be missing, and so are the names that Windows writes at the end"
    )]
    NotClosed,
    /// The header counts more buffers than there are.
    #[error(
        "ETL004 at offset 0x0: expected {expected} buffers, found {found}: the file is cut or damaged"
    )]
    MissingBuffers {
        /// What the header says.
        expected: u64,
        /// What the file holds.
        found: u64,
    },
    /// A buffer header that contradicts the file.
    #[error("ETL005 at offset {offset:#x}: expected {expected}, found {found}; {outcome}")]
    Buffer {
        /// Where the buffer starts.
        offset: u64,
        /// What belongs there.
        expected: Message,
        /// What is there.
        found: Message,
        /// What was done about it.
        outcome: Message,
    },
    /// Bytes between the buffers that are no buffer.
    #[error(
        "ETL006 at offset {offset:#x}: expected a buffer, found {bytes} bytes that are none; skipped"
    )]
    Skipped {
        /// Where they start.
        offset: u64,
        /// How many.
        bytes: u64,
    },
    /// The file ends inside its last buffer.
    #[error(
        "ETL007 at offset {offset:#x}: expected a buffer of {need} bytes, found {have}: the file is cut. The records before the cut are read"
    )]
    Cut {
        /// Where the buffer starts.
        offset: u64,
        /// Bytes of the buffer that hold data.
        need: u64,
        /// Bytes that are there.
        have: u64,
    },
    /// A compressed buffer that does not give what its header says.
    #[error(
        "ETL008 at offset {offset:#x}: expected {expected} bytes of records in a compressed buffer, found {found}: {reason}"
    )]
    Compressed {
        /// Where the buffer starts.
        offset: u64,
        /// What the header says.
        expected: u64,
        /// What came out.
        found: u64,
        /// Why it ended.
        reason: Message,
    },
    /// Something that should be a record and is none: the rest of the buffer cannot be read.
    #[error(
        "ETL009 at byte {within:#x} of the buffer at offset {offset:#x}: expected {expected}, found {found}; the rest of the buffer is dropped"
    )]
    Record {
        /// Where the buffer starts in the file.
        offset: u64,
        /// Where the record starts in the buffer, after decompression.
        within: u64,
        /// What belongs there.
        expected: Message,
        /// What is there.
        found: Message,
    },
    /// Something that should be a record and is none, with records behind it.
    #[error(
        "ETL011 at byte {within:#x} of the buffer at offset {offset:#x}: expected {expected}, found {found}; {bytes} bytes are skipped"
    )]
    Gap {
        /// Where the buffer starts in the file.
        offset: u64,
        /// Where the record should start in the buffer, after decompression.
        within: u64,
        /// What belongs there.
        expected: Message,
        /// What is there.
        found: Message,
        /// Bytes to the next record; none where the size of the record before was wrong and had swallowed it.
        bytes: u64,
    },
    /// A buffer that is in the file twice.
    #[error(
        "ETL012 at offset {offset:#x}: expected another buffer, found the one at offset {first:#x} once more; its records are counted once"
    )]
    Doubled {
        /// Where the copy starts.
        offset: u64,
        /// Where the buffer starts.
        first: u64,
    },
    /// A record whose size holds and whose inside does not.
    #[error(
        "ETL010 at byte {within:#x} of the buffer at offset {offset:#x}: expected {expected}, found {found}; the record is dropped"
    )]
    Inside {
        /// Where the buffer starts in the file.
        offset: u64,
        /// Where the record starts in the buffer, after decompression.
        within: u64,
        /// What belongs there.
        expected: Message,
        /// What is there.
        found: Message,
    },
}

impl EtlError {
    /// Whether the rest of the buffer is lost with it.
    pub fn ends_buffer(&self) -> bool {
        !matches!(self, Self::Inside { .. } | Self::Gap { .. })
    }

    /// The fault for people; in English what [`Display`](std::fmt::Display) says.
    pub fn message(&self) -> Message {
        let en = self.to_string();
        match self {
            Self::NotEtl {
                offset,
                expected,
                found,
            } => {
                let (expected, found) = (expected.zh(), found.zh());
                say!(en: "{en}", zh: "ETL001 偏移量 {offset:#x} 处：应为{expected}，实为：{found}：这不是 ETL 文件")
            }
            Self::Header(cut) => {
                let cut = cut.message();
                let cut = cut.zh();
                say!(en: "{en}", zh: "ETL002 {cut}：文件在文件头处被截断")
            }
            Self::NotClosed => say!(
                en: "{en}",
                zh: "ETL003 偏移量 0x0 处：应为会话的结束时间，实为 0：会话没有停止（系统崩溃，或在运行期间复制了文件）。最后几秒的事件可能缺失，Windows 在结尾写入的名称也可能缺失",
            ),
            Self::MissingBuffers { expected, found } => say!(
                en: "{en}",
                zh: "ETL004 偏移量 0x0 处：应有 {expected} 个缓冲区，实有 {found} 个：文件被截断或已损坏",
            ),
            Self::Buffer {
                offset,
                expected,
                found,
                outcome,
            } => {
                let (expected, found, outcome) = (expected.zh(), found.zh(), outcome.zh());
                say!(en: "{en}", zh: "ETL005 偏移量 {offset:#x} 处：应为{expected}，实为：{found}；{outcome}")
            }
            Self::Skipped { offset, bytes } => say!(
                en: "{en}",
                zh: "ETL006 偏移量 {offset:#x} 处：应为缓冲区，实为 {bytes} 个不属于任何缓冲区的字节；已跳过",
            ),
            Self::Cut { offset, need, have } => say!(
                en: "{en}",
                zh: "ETL007 偏移量 {offset:#x} 处：缓冲区应有 {need} 个字节，实有 {have} 个：文件被截断。截断之前的记录已读取",
            ),
            Self::Compressed {
                offset,
                expected,
                found,
                reason,
            } => {
                let reason = reason.zh();
                say!(en: "{en}", zh: "ETL008 偏移量 {offset:#x} 处：压缩缓冲区应有 {expected} 个字节的记录，实有 {found} 个：{reason}")
            }
            Self::Record {
                offset,
                within,
                expected,
                found,
            } => {
                let (expected, found) = (expected.zh(), found.zh());
                say!(en: "{en}", zh: "ETL009 偏移量 {offset:#x} 处缓冲区的第 {within:#x} 字节：应为{expected}，实为：{found}；丢弃该缓冲区的其余部分")
            }
            Self::Gap {
                offset,
                within,
                expected,
                found,
                bytes,
            } => {
                let (expected, found) = (expected.zh(), found.zh());
                say!(en: "{en}", zh: "ETL011 偏移量 {offset:#x} 处缓冲区的第 {within:#x} 字节：应为{expected}，实为{found}；跳过 {bytes} 个字节")
            }
            Self::Doubled { offset, first } => say!(
                en: "{en}",
                zh: "ETL012 偏移量 {offset:#x} 处：应为另一个缓冲区，实为偏移量 {first:#x} 处的缓冲区再次出现；其记录只计一次",
            ),
            Self::Inside {
                offset,
                within,
                expected,
                found,
            } => {
                let (expected, found) = (expected.zh(), found.zh());
                say!(en: "{en}", zh: "ETL010 偏移量 {offset:#x} 处缓冲区的第 {within:#x} 字节：应为{expected}，实为：{found}；丢弃该记录")
            }
        }
    }
}

impl OpenError {
    /// The reason for people.
    pub fn message(&self) -> Message {
        match self {
            Self::Io(error) => Message::verbatim(error.to_string()),
            Self::Format(error) => error.message(),
        }
    }
}
