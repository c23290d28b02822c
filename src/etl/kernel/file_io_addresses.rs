//! What tells file operations apart, read at the cost of a few loads.

use super::fields::Fields;
use super::file_io::{FileIo, FileOperation};
use crate::bytes::{u32_at, u64_at};

/// What tells operations apart; see [`FileIo`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OperationAddresses {
    /// Operation.
    pub operation: FileOperation,
    /// IRP.
    pub irp: u64,
    /// FileObject.
    pub file_object: u64,
    /// Key of the file.
    pub file_key: Option<u64>,
    /// Thread.
    pub tid: u32,
}

/// Where [`OperationAddresses`] stand in the payloads of a hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OperationLayout {
    operation: FileOperation,
    irp: u8,
    tid: u8,
    /// Bytes without those of a text, at least.
    least: u8,
}

impl OperationLayout {
    /// Of a hook; `None` where a payload has to be read field by field.
    #[inline]
    pub fn of(hook: u16, version: u16, wide: bool) -> Option<Self> {
        use FileOperation as Op;
        let operation = Op::of_hook(hook)?;
        let (irp, tid, least) = match operation {
            Op::Create | Op::CreateNew => (0, 16, 32),
            Op::Read | Op::Write => (8, 32, 44),
            Op::Cleanup | Op::Close | Op::Flush => (0, 24, 28),
            Op::EnumerateDirectory | Op::NotifyDirectory => (0, 24, 40),
            _ => (0, 32, 40),
        };
        (wide && version >= 3).then_some(Self {
            operation,
            irp,
            tid,
            least,
        })
    }

    /// The text behind the rest, which is a path where the operation has one.
    #[inline]
    pub fn text(self, payload: &[u8]) -> &[u8] {
        payload.get(self.least.into()..).unwrap_or(&[])
    }

    /// Reads a payload; `None` where [`FileIo::parse`] gives none.
    #[inline]
    pub fn read(self, payload: &[u8]) -> Option<OperationAddresses> {
        let (irp, tid) = (usize::from(self.irp), usize::from(self.tid));
        if payload.len() < self.least.into() {
            return None;
        }
        let key = || u64_at(payload, irp + 16);
        Some(OperationAddresses {
            operation: self.operation,
            irp: u64_at(payload, irp)?,
            file_object: u64_at(payload, irp + 8)?,
            file_key: if tid == 16 { None } else { key() },
            tid: u32_at(payload, tid)?,
        })
    }
}

impl OperationAddresses {
    /// Reads the payload of a hook; `None` where [`FileIo::parse`] gives none.
    #[inline]
    pub fn of(hook: u16, version: u16, fields: &mut Fields<'_>) -> Option<Self> {
        match OperationLayout::of(hook, version, fields.wide()) {
            Some(layout) => layout.read(fields.rest()),
            None => FileIo::parse(hook, version, fields)
                .as_ref()
                .map(Self::from),
        }
    }
}

impl From<&FileIo<'_>> for OperationAddresses {
    fn from(io: &FileIo<'_>) -> Self {
        Self {
            operation: io.operation,
            irp: io.irp,
            file_object: io.file_object,
            file_key: io.file_key,
            tid: io.tid,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layout_reads_what_reading_field_by_field_finds() {
        let payload: Vec<u8> = (1..=80).collect();
        let mut read = 0;
        for hook in 0x043F..=0x0453 {
            for (version, wide) in [(2, true), (3, true), (4, true), (3, false)] {
                let Some(layout) = OperationLayout::of(hook, version, wide) else {
                    assert!(version < 3 || !wide || FileOperation::of_hook(hook).is_none());
                    continue;
                };
                for len in 0..=payload.len() {
                    let payload = &payload[..len];
                    let io = FileIo::parse(hook, version, &mut Fields::new(payload, wide));
                    let expected = io.as_ref().map(OperationAddresses::from);
                    assert_eq!(layout.read(payload), expected, "{hook:#x}, {len} bytes");
                    let fields = &mut Fields::new(payload, wide);
                    assert_eq!(OperationAddresses::of(hook, version, fields), expected);
                    read += usize::from(expected.is_some());
                }
            }
        }
        assert!(read > 1_000, "{read}");
    }
}
