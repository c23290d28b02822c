//! Types of fields: how a value lies in the payload, and how it is meant to be read.
//!
//! TraceLogging and Windows' definitions (`TRACE_EVENT_INFO`) share the numbers of the first and have
//! numbers of their own for the second; manifests have names for both.

/// How a value lies in a payload (`TDH_INTYPE_*`, `TlgIn*`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InType {
    /// No bytes.
    Null,
    /// UTF-16 with a NUL, or as long as the definition says.
    Wide,
    /// 8-bit text, likewise.
    Narrow,
    /// One byte with a sign.
    I8,
    /// One byte.
    U8,
    /// Two bytes with a sign.
    I16,
    /// Two bytes.
    U16,
    /// Four bytes with a sign.
    I32,
    /// Four bytes.
    U32,
    /// Eight bytes with a sign.
    I64,
    /// Eight bytes.
    U64,
    /// Four bytes, IEEE 754.
    F32,
    /// Eight bytes, IEEE 754.
    F64,
    /// Four bytes: 0 or not.
    Bool,
    /// Bytes, as many as the definition says.
    Binary,
    /// GUID.
    Guid,
    /// Pointer of the record's size, whatever size the definition names.
    Pointer,
    /// FILETIME.
    FileTime,
    /// SYSTEMTIME.
    SystemTime,
    /// SID.
    Sid,
    /// Four bytes, meant as hexadecimal.
    Hex32,
    /// Eight bytes, meant as hexadecimal.
    Hex64,
    /// u16 number of bytes, UTF-16.
    CountedWide,
    /// u16 number of bytes, 8-bit text.
    CountedNarrow,
    /// u16 number of bytes, bytes.
    CountedBinary,
    /// u16 number of bytes, big-endian, UTF-16 (not met).
    ReversedWide,
    /// u16 number of bytes, big-endian, 8-bit text (not met).
    ReversedNarrow,
    /// UTF-16 to the end of the payload (not met).
    RestWide,
    /// 8-bit text to the end of the payload (not met).
    RestNarrow,
    /// One UTF-16 unit (not met).
    WideChar,
    /// One 8-bit character (not met).
    NarrowChar,
    /// u32 number of bytes, bytes (not met).
    HexDump,
    /// u32 0 for none, or two pointers and a SID (not met outside the kernel's own events).
    TokenSid,
}

/// In-types 0 to 25. 24 is no type: TraceLogging's struct.
const IN_TYPES: [Option<InType>; 26] = {
    use InType as T;
    [
        Some(T::Null),
        Some(T::Wide),
        Some(T::Narrow),
        Some(T::I8),
        Some(T::U8),
        Some(T::I16),
        Some(T::U16),
        Some(T::I32),
        Some(T::U32),
        Some(T::I64),
        Some(T::U64),
        Some(T::F32),
        Some(T::F64),
        Some(T::Bool),
        Some(T::Binary),
        Some(T::Guid),
        Some(T::Pointer),
        Some(T::FileTime),
        Some(T::SystemTime),
        Some(T::Sid),
        Some(T::Hex32),
        Some(T::Hex64),
        Some(T::CountedWide),
        Some(T::CountedNarrow),
        None,
        Some(T::CountedBinary),
    ]
};

impl InType {
    /// By its number in a `TRACE_EVENT_INFO`. Numbers from 300 on are those of the old class definitions.
    pub fn of_definition(number: u16) -> Option<Self> {
        Some(match number {
            300 => Self::CountedWide,
            301 => Self::CountedNarrow,
            302 => Self::ReversedWide,
            303 => Self::ReversedNarrow,
            304 => Self::RestWide,
            305 => Self::RestNarrow,
            306 => Self::WideChar,
            307 => Self::NarrowChar,
            308 => Self::Pointer,
            309 => Self::HexDump,
            310 => Self::TokenSid,
            _ => return *IN_TYPES.get(usize::from(number))?,
        })
    }

    /// By its number in a TraceLogging schema, where binary data always has its length in front.
    pub fn of_schema(number: u8) -> Option<Self> {
        match *IN_TYPES.get(usize::from(number))? {
            Some(Self::Binary) => Some(Self::CountedBinary),
            other => other,
        }
    }

    /// By its name in a manifest, without the prefix `win:`.
    pub fn of_manifest(name: &str) -> Option<Self> {
        Some(match name {
            "UnicodeString" => Self::Wide,
            "AnsiString" => Self::Narrow,
            "Int8" => Self::I8,
            "UInt8" => Self::U8,
            "Int16" => Self::I16,
            "UInt16" => Self::U16,
            "Int32" => Self::I32,
            "UInt32" => Self::U32,
            "Int64" => Self::I64,
            "UInt64" => Self::U64,
            "Float" => Self::F32,
            "Double" => Self::F64,
            "Boolean" => Self::Bool,
            "Binary" => Self::Binary,
            "GUID" => Self::Guid,
            "Pointer" => Self::Pointer,
            "FILETIME" => Self::FileTime,
            "SYSTEMTIME" => Self::SystemTime,
            "SID" => Self::Sid,
            "HexInt32" => Self::Hex32,
            "HexInt64" => Self::Hex64,
            "CountedUnicodeString" => Self::CountedWide,
            "CountedAnsiString" => Self::CountedNarrow,
            "CountedBinary" => Self::CountedBinary,
            _ => return None,
        })
    }

    /// Whether it is text.
    pub fn is_text(self) -> bool {
        matches!(
            self,
            Self::Wide
                | Self::Narrow
                | Self::CountedWide
                | Self::CountedNarrow
                | Self::ReversedWide
                | Self::ReversedNarrow
                | Self::RestWide
                | Self::RestNarrow
        )
    }
}

/// How a value is meant to be read (`TDH_OUTTYPE_*`, `TlgOut*`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OutType {
    /// By its in-type.
    #[default]
    Default,
    /// Not meant for people.
    Hidden,
    /// Text; a number is a character.
    Text,
    /// Truth.
    Bool,
    /// Hexadecimal.
    Hex,
    /// Number with a sign.
    Signed,
    /// Number without a sign.
    Unsigned,
    /// Process.
    Pid,
    /// Thread.
    Tid,
    /// Port, in network byte order.
    Port,
    /// IPv4 address.
    Ipv4,
    /// IPv6 address.
    Ipv6,
    /// Socket address (`SOCKADDR`).
    SocketAddress,
    /// XML.
    Xml,
    /// JSON.
    Json,
    /// UTF-8.
    Utf8,
    /// Error code of a family that is not said.
    ErrorCode,
    /// Win32 error.
    Win32,
    /// NTSTATUS.
    NtStatus,
    /// HRESULT.
    HResult,
    /// Date and time.
    Time,
    /// Date and time that is said to be UTC.
    TimeUtc,
    /// Address of code.
    CodePointer,
    /// PKCS #7 with its type behind it.
    Pkcs7,
}

impl OutType {
    /// By its number in a `TRACE_EVENT_INFO`; one that is not known reads by the in-type.
    pub fn of_definition(number: u16) -> Self {
        match number {
            1 | 300 => Self::Text,
            2 | 33 => Self::Time,
            3 | 5 | 7 | 9 => Self::Signed,
            4 | 6 | 8 | 10 => Self::Unsigned,
            13 => Self::Bool,
            15..=19 => Self::Hex,
            20 => Self::Pid,
            21 => Self::Tid,
            22 => Self::Port,
            23 => Self::Ipv4,
            24 => Self::Ipv6,
            25 => Self::SocketAddress,
            28 => Self::Xml,
            29 => Self::ErrorCode,
            30 => Self::Win32,
            31 => Self::NtStatus,
            32 => Self::HResult,
            34 => Self::Json,
            301 => Self::Hidden,
            _ => Self::shared(number),
        }
    }

    /// By its number in a TraceLogging schema; one that is not known reads by the in-type.
    pub fn of_schema(number: u8) -> Self {
        match number {
            1 => Self::Hidden,
            2 => Self::Text,
            3 => Self::Bool,
            4 => Self::Hex,
            5 => Self::Pid,
            6 => Self::Tid,
            7 => Self::Port,
            8 => Self::Ipv4,
            9 => Self::Ipv6,
            10 => Self::SocketAddress,
            11 => Self::Xml,
            12 => Self::Json,
            13 => Self::Win32,
            14 => Self::NtStatus,
            15 => Self::HResult,
            16 => Self::Time,
            17 => Self::Signed,
            18 => Self::Unsigned,
            _ => Self::shared(number.into()),
        }
    }

    /// From 35 on both kinds of definitions count alike.
    fn shared(number: u16) -> Self {
        match number {
            35 => Self::Utf8,
            36 => Self::Pkcs7,
            37 => Self::CodePointer,
            38 => Self::TimeUtc,
            _ => Self::Default,
        }
    }

    /// By its name in a manifest, without the prefix `win:` or `xs:`.
    pub fn of_manifest(name: &str) -> Self {
        match name {
            "string" => Self::Text,
            "dateTime" | "DateTimeCultureInsensitive" => Self::Time,
            "byte" | "short" | "int" | "long" => Self::Signed,
            "unsignedByte" | "unsignedShort" | "unsignedInt" | "unsignedLong" => Self::Unsigned,
            "boolean" => Self::Bool,
            "hexBinary" | "HexInt8" | "HexInt16" | "HexInt32" | "HexInt64" => Self::Hex,
            "PID" => Self::Pid,
            "TID" => Self::Tid,
            "Port" => Self::Port,
            "IPv4" => Self::Ipv4,
            "IPv6" => Self::Ipv6,
            "SocketAddress" => Self::SocketAddress,
            "Xml" => Self::Xml,
            "Json" => Self::Json,
            "Utf8" => Self::Utf8,
            "ErrorCode" => Self::ErrorCode,
            "Win32Error" => Self::Win32,
            "NTSTATUS" => Self::NtStatus,
            "HResult" => Self::HResult,
            "DateTimeUtc" => Self::TimeUtc,
            "CodePointer" => Self::CodePointer,
            "Pkcs7WithTypeInfo" => Self::Pkcs7,
            "NoPrint" => Self::Hidden,
            _ => Self::Default,
        }
    }

    /// Whether an array of characters of this type is one text.
    pub fn joins_characters(self) -> bool {
        matches!(self, Self::Text | Self::Utf8 | Self::Xml | Self::Json)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_meaning_by_two_numbers_and_a_name() {
        for (definition, schema, name, out) in [
            (1, 2, "string", OutType::Text),
            (13, 3, "boolean", OutType::Bool),
            (18, 4, "HexInt32", OutType::Hex),
            (20, 5, "PID", OutType::Pid),
            (22, 7, "Port", OutType::Port),
            (25, 10, "SocketAddress", OutType::SocketAddress),
            (30, 13, "Win32Error", OutType::Win32),
            (31, 14, "NTSTATUS", OutType::NtStatus),
            (32, 15, "HResult", OutType::HResult),
            (35, 35, "Utf8", OutType::Utf8),
            (38, 38, "DateTimeUtc", OutType::TimeUtc),
            (301, 1, "NoPrint", OutType::Hidden),
        ] {
            assert_eq!(OutType::of_definition(definition), out);
            assert_eq!(OutType::of_schema(schema), out);
            assert_eq!(OutType::of_manifest(name), out);
        }
        assert_eq!(OutType::of_definition(14), OutType::Default);
        assert_eq!(OutType::of_schema(99), OutType::Default);
    }

    #[test]
    fn in_types() {
        assert_eq!(InType::of_definition(14), Some(InType::Binary));
        assert_eq!(InType::of_schema(14), Some(InType::CountedBinary));
        assert_eq!(InType::of_schema(24), None);
        assert_eq!(InType::of_schema(26), None);
        assert_eq!(InType::of_definition(299), None);
        assert_eq!(InType::of_definition(310), Some(InType::TokenSid));
        assert_eq!(InType::of_manifest("SID"), InType::of_definition(19));
        assert_eq!(InType::of_manifest("UInt128"), None);
    }
}
