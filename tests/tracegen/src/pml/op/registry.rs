//! Registry operations (class 2): info of the path, fixed fields, path, then what is left.

use crate::pml::bytes::Out;
use serde::Serialize;

/// A registry value: type and data bytes.
#[derive(Debug, Clone, Serialize)]
pub struct Value {
    /// 1 SZ, 2 EXPAND_SZ, 3 BINARY, 4 DWORD, 7 MULTI_SZ, 11 QWORD.
    pub kind: u32,
    /// The data as stored.
    pub data: Vec<u8>,
}

impl Value {
    /// REG_SZ.
    pub fn sz(text: &str) -> Self {
        Self {
            kind: 1,
            data: utf16z(text),
        }
    }

    /// REG_EXPAND_SZ.
    pub fn expand_sz(text: &str) -> Self {
        Self {
            kind: 2,
            data: utf16z(text),
        }
    }

    /// REG_DWORD.
    pub fn dword(v: u32) -> Self {
        Self {
            kind: 4,
            data: v.to_le_bytes().to_vec(),
        }
    }

    /// REG_QWORD.
    pub fn qword(v: u64) -> Self {
        Self {
            kind: 11,
            data: v.to_le_bytes().to_vec(),
        }
    }

    /// REG_MULTI_SZ.
    pub fn multi_sz(texts: &[&str]) -> Self {
        let mut data: Vec<u8> = texts.iter().flat_map(|t| utf16z(t)).collect();
        data.extend_from_slice(&[0, 0]);
        Self { kind: 7, data }
    }

    /// What the driver copies into the log: 16 bytes of binary data; the length field still tells all of it.
    fn copied(&self) -> &[u8] {
        let limit = if self.kind == 3 { 16 } else { 2_048 };
        &self.data[..self.data.len().min(limit)]
    }

    /// REG_BINARY.
    pub fn binary(data: &[u8]) -> Self {
        Self {
            kind: 3,
            data: data.to_vec(),
        }
    }
}

fn utf16z(text: &str) -> Vec<u8> {
    text.encode_utf16()
        .chain([0])
        .flat_map(u16::to_le_bytes)
        .collect()
}

/// What RegQueryKey or RegEnumKey got.
#[derive(Debug, Clone, Serialize)]
pub enum KeyInfo {
    /// Class 0.
    Basic {
        /// Last write time.
        written: u64,
        /// Name of the key.
        name: String,
    },
    /// Class 1.
    Node {
        /// Last write time.
        written: u64,
        /// Name of the key.
        name: String,
    },
    /// Class 2.
    Full {
        /// Last write time.
        written: u64,
        /// Subkeys.
        subkeys: u32,
        /// Values.
        values: u32,
    },
    /// Class 3: the full name (`\REGISTRY\…`).
    Name(String),
    /// Class 4.
    Cached {
        /// Last write time.
        written: u64,
        /// Subkeys.
        subkeys: u32,
        /// Values.
        values: u32,
    },
    /// Class 7.
    HandleTags(u32),
    /// Any class without an answer: the call failed.
    Failed(u32),
}

impl KeyInfo {
    fn class(&self) -> u32 {
        match self {
            Self::Basic { .. } => 0,
            Self::Node { .. } => 1,
            Self::Full { .. } => 2,
            Self::Name(_) => 3,
            Self::Cached { .. } => 4,
            Self::HandleTags(_) => 7,
            Self::Failed(class) => *class,
        }
    }

    fn write(&self, out: &mut Out) -> bool {
        match self {
            Self::Basic { written, name } => {
                out.u64(*written);
                out.u32(0);
                counted(out, name);
            }
            Self::Node { written, name } => {
                out.u64(*written);
                out.u32(0);
                out.u32(u32::MAX);
                out.u32(0);
                counted(out, name);
            }
            Self::Full {
                written,
                subkeys,
                values,
            } => {
                out.u64(*written);
                for v in [0, u32::MAX, 0, *subkeys, 0x40, 0, *values, 0x30, 0x100] {
                    out.u32(v);
                }
            }
            Self::Name(name) => counted(out, name),
            Self::Cached {
                written,
                subkeys,
                values,
            } => {
                out.u64(*written);
                for v in [0, *subkeys, 0x40, *values, 0x30, 0x100, 0] {
                    out.u32(v);
                }
            }
            Self::HandleTags(tags) => out.u32(*tags),
            Self::Failed(_) => return false,
        }
        true
    }
}

fn counted(out: &mut Out, name: &str) {
    out.u32(2 * name.encode_utf16().count() as u32);
    out.utf16(name);
}

/// A registry operation.
#[derive(Debug, Clone, Serialize)]
pub enum RegOp {
    /// 0. Granted access is none when it failed.
    OpenKey {
        /// Desired access.
        access: u32,
        /// Granted access.
        granted: Option<u32>,
    },
    /// 1.
    CreateKey {
        /// Desired access.
        access: u32,
        /// Granted access.
        granted: Option<u32>,
        /// 1 created, 2 opened.
        disposition: u32,
    },
    /// 2.
    CloseKey,
    /// 3.
    QueryKey {
        /// Caller's buffer.
        length: u32,
        /// Class and answer.
        info: KeyInfo,
    },
    /// 4.
    SetValue(Value),
    /// 5, class 2 (partial).
    QueryValue {
        /// Caller's buffer.
        length: u32,
        /// What was found.
        value: Option<Value>,
    },
    /// 6, class 1 (full).
    EnumValue {
        /// Caller's buffer.
        length: u32,
        /// Index.
        index: u32,
        /// Name and value found.
        value: Option<(String, Value)>,
    },
    /// 7.
    EnumKey {
        /// Caller's buffer.
        length: u32,
        /// Index.
        index: u32,
        /// Class and answer.
        info: KeyInfo,
    },
    /// 8, with class and data.
    SetInfoKey {
        /// KEY_SET_INFORMATION_CLASS.
        class: u32,
        /// Bytes copied into the log.
        data: Vec<u8>,
    },
    /// 9.
    DeleteKey,
    /// 10.
    DeleteValue,
    /// 11.
    FlushKey,
    /// 12, with the hive's path.
    LoadKey(String),
    /// 13.
    UnloadKey,
    /// 14, with the new name.
    RenameKey(String),
    /// 15.
    QueryMultipleValue,
    /// 16.
    SetKeySecurity,
    /// 17.
    QueryKeySecurity,
}

impl RegOp {
    pub(crate) fn number(&self) -> u16 {
        match self {
            Self::OpenKey { .. } => 0,
            Self::CreateKey { .. } => 1,
            Self::CloseKey => 2,
            Self::QueryKey { .. } => 3,
            Self::SetValue(_) => 4,
            Self::QueryValue { .. } => 5,
            Self::EnumValue { .. } => 6,
            Self::EnumKey { .. } => 7,
            Self::SetInfoKey { .. } => 8,
            Self::DeleteKey => 9,
            Self::DeleteValue => 10,
            Self::FlushKey => 11,
            Self::LoadKey(_) => 12,
            Self::UnloadKey => 13,
            Self::RenameKey(_) => 14,
            Self::QueryMultipleValue => 15,
            Self::SetKeySecurity => 16,
            Self::QueryKeySecurity => 17,
        }
    }

    pub(crate) fn detail(&self, out: &mut Out, path: &str) {
        out.info(path);
        let mut after: &[u8] = &[];
        match self {
            Self::OpenKey { access, .. } | Self::CreateKey { access, .. } => {
                out.junk(2);
                out.u32(*access);
            }
            Self::QueryKey { length, info } => {
                out.junk(2);
                out.u32(*length);
                out.u32(info.class());
            }
            Self::QueryValue { length, .. } => {
                out.junk(2);
                out.u32(*length);
                out.u32(2);
            }
            Self::EnumKey {
                length,
                index,
                info,
            } => {
                out.junk(2);
                out.u32(*length);
                out.u32(*index);
                out.u32(info.class());
            }
            Self::EnumValue { length, index, .. } => {
                out.junk(2);
                out.u32(*length);
                out.u32(*index);
                out.u32(1);
            }
            Self::SetValue(value) => {
                after = value.copied();
                out.junk(2);
                out.u32(value.kind);
                out.u32(value.data.len() as u32);
                out.u16(after.len() as u16);
                out.junk(2);
            }
            Self::SetInfoKey { class, data } => {
                after = data;
                out.junk(2);
                out.u32(*class);
                // What the caller passed; Procmon prints the copied size that follows.
                out.u32(4);
                out.u16(data.len() as u16);
                out.junk(2);
            }
            Self::LoadKey(other) | Self::RenameKey(other) => out.info(other),
            _ => {}
        }
        out.text(path);
        match self {
            Self::LoadKey(other) | Self::RenameKey(other) => out.text(other),
            _ => out.raw(after),
        }
        if matches!(
            self,
            Self::QueryValue { .. } | Self::EnumKey { .. } | Self::EnumValue { .. }
        ) {
            out.junk(2);
        }
    }

    pub(crate) fn extra(&self, out: &mut Out) -> bool {
        match self {
            Self::OpenKey {
                granted: Some(g), ..
            } => {
                out.u32(*g);
                out.u32(0);
            }
            Self::CreateKey {
                granted: Some(g),
                disposition,
                ..
            } => {
                out.u32(*g);
                out.u32(*disposition);
            }
            Self::QueryKey { info, .. } | Self::EnumKey { info, .. } => return info.write(out),
            Self::QueryValue { value: Some(v), .. } => {
                out.u32(0);
                out.u32(v.kind);
                out.u32(v.data.len() as u32);
                out.raw(v.copied());
            }
            Self::EnumValue {
                value: Some((name, v)),
                ..
            } => {
                let name_bytes = 2 * name.encode_utf16().count() as u32;
                let data_at = (20 + name_bytes).next_multiple_of(4);
                out.u32(0);
                out.u32(v.kind);
                out.u32(data_at);
                out.u32(v.data.len() as u32);
                out.u32(name_bytes);
                out.utf16(name);
                out.junk((data_at - 20 - name_bytes) as usize);
                out.raw(v.copied());
            }
            _ => return false,
        }
        true
    }
}
