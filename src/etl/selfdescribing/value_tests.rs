use super::*;
use crate::etl::guid::Guid;
use crate::etl::selfdescribing::maps::MapKind;

/// The value and what is behind it.
fn take(
    in_type: InType,
    length: Option<usize>,
    bytes: &[u8],
    wide: bool,
) -> Option<(Raw<'_>, usize)> {
    let mut fields = Fields::new(bytes, wide);
    let value = read(in_type, length, &mut fields);
    let Some(value) = value else {
        assert_eq!(
            fields.rest().len(),
            bytes.len(),
            "nothing is read of a value that is cut"
        );
        return None;
    };
    Some((value, fields.rest().len()))
}

fn text_of(raw: Raw<'_>, out: OutType) -> String {
    let mut text = String::new();
    let value = Value {
        raw,
        out,
        map: None,
    };
    value.push_to(&mut text);
    text
}

fn text(in_type: InType, out: OutType, bytes: &[u8]) -> String {
    let value = Value::read(in_type, out, None, &mut Fields::new(bytes, true)).unwrap();
    let mut text = String::new();
    value.push_to(&mut text);
    text
}

const ADMINS: [u8; 16] = [1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0];

/// Each type with the bytes of one value and its text.
fn every_type() -> Vec<(InType, Vec<u8>, &'static str)> {
    let mut token = vec![1; 16];
    token.extend(ADMINS);
    vec![
        (InType::Null, vec![], "null"),
        (InType::Wide, b"h\0i\0\0\0".to_vec(), "hi"),
        (InType::Narrow, b"hi\0".to_vec(), "hi"),
        (InType::I8, vec![0xFF], "-1"),
        (InType::U8, vec![0xFF], "255"),
        (InType::I16, vec![0xFE, 0xFF], "-2"),
        (InType::U16, vec![0xFE, 0xFF], "65534"),
        (InType::I32, vec![0xFD, 0xFF, 0xFF, 0xFF], "-3"),
        (InType::U32, vec![0xFD, 0xFF, 0xFF, 0xFF], "4294967293"),
        (
            InType::I64,
            i64::MIN.to_le_bytes().to_vec(),
            "-9223372036854775808",
        ),
        (
            InType::U64,
            u64::MAX.to_le_bytes().to_vec(),
            "18446744073709551615",
        ),
        (InType::F32, 0.1_f32.to_le_bytes().to_vec(), "0.1"),
        (InType::F64, (-2.5_f64).to_le_bytes().to_vec(), "-2.5"),
        (InType::Bool, vec![0, 1, 0, 0], "True"),
        (
            InType::Guid,
            (0..16).collect(),
            "03020100-0504-0706-0809-0a0b0c0d0e0f",
        ),
        (
            InType::Pointer,
            vec![0x10, 0, 0, 0, 0, 0xF8, 0xFF, 0xFF],
            "0xfffff80000000010",
        ),
        (
            InType::FileTime,
            132_756_731_757_990_000_u64.to_le_bytes().to_vec(),
            "2021-09-09T14:59:35.7990000Z",
        ),
        (
            InType::SystemTime,
            [2021_u16, 9, 4, 9, 14, 59, 35, 799]
                .iter()
                .flat_map(|n| n.to_le_bytes())
                .collect(),
            "2021-09-09T14:59:35.799Z",
        ),
        (InType::Sid, ADMINS.to_vec(), "S-1-5-32-544"),
        (InType::Hex32, vec![0x2A, 0, 0, 0x80], "0x8000002a"),
        (
            InType::Hex64,
            0x1_0000_0000_u64.to_le_bytes().to_vec(),
            "0x100000000",
        ),
        (InType::CountedWide, b"\x04\0h\0i\0".to_vec(), "hi"),
        (InType::CountedNarrow, b"\x02\0hi".to_vec(), "hi"),
        (InType::CountedBinary, vec![2, 0, 0xAB, 0x0C], "AB 0C"),
        (InType::ReversedWide, b"\0\x04h\0i\0".to_vec(), "hi"),
        (InType::ReversedNarrow, b"\0\x02hi".to_vec(), "hi"),
        (InType::WideChar, vec![0xE9, 0], "é"),
        (InType::NarrowChar, vec![b'x'], "x"),
        (InType::HexDump, vec![1, 0, 0, 0, 7], "07"),
        (InType::TokenSid, token, "S-1-5-32-544"),
        (InType::TokenSid, vec![0; 4], ""),
    ]
}

#[test]
fn every_type_takes_its_bytes_and_no_more() {
    for (in_type, bytes, expected) in every_type() {
        let mut more = bytes.clone();
        more.extend([9; 3]);
        let (raw, rest) = take(in_type, None, &more, true).unwrap();
        assert_eq!(rest, 3, "{in_type:?}");
        assert!(raw == raw || matches!(raw, Raw::Float(_)), "{in_type:?}");
        assert_eq!(
            text(in_type, OutType::Default, &bytes),
            expected,
            "{in_type:?}"
        );
    }
}

#[test]
fn a_cut_at_every_byte() {
    for (in_type, bytes, _) in every_type() {
        for len in 0..bytes.len() {
            let cut = take(in_type, None, &bytes[..len], true);
            // Text may lack its NUL at the end of a payload; nothing else may lack anything.
            let ends = matches!(in_type, InType::Wide | InType::Narrow) && len > 0;
            assert_eq!(cut.is_some(), ends, "{in_type:?} cut to {len}");
        }
    }
}

#[test]
fn pointers_have_the_size_of_the_record() {
    let bytes = [1, 0, 0, 0, 2, 0, 0, 0];
    assert_eq!(
        take(InType::Pointer, None, &bytes, false),
        Some((Raw::Pointer(1), 4))
    );
    assert_eq!(
        take(InType::Pointer, None, &bytes, true),
        Some((Raw::Pointer(0x2_0000_0001), 0))
    );
    // Two pointers of four bytes in front of the SID.
    let mut token = vec![1; 8];
    token.extend(ADMINS);
    assert_eq!(
        take(InType::TokenSid, None, &token, false),
        Some((Raw::Sid(&ADMINS), 0))
    );
}

#[test]
fn lengths_of_definitions() {
    let bytes = b"a\0b\0\0\0c\0";
    let (raw, rest) = take(InType::Wide, Some(4), bytes, true).unwrap();
    assert_eq!((text_of(raw, OutType::Default).as_str(), rest), ("ab", 0));
    let (raw, rest) = take(InType::Narrow, Some(1), bytes, true).unwrap();
    assert_eq!((text_of(raw, OutType::Default).as_str(), rest), ("a", 7));
    let (raw, rest) = take(InType::Binary, Some(3), bytes, true).unwrap();
    assert_eq!((raw, rest), (Raw::Bytes(b"a\0b"), 5));
    for length in [5, usize::MAX, usize::MAX / 2 + 1] {
        assert_eq!(take(InType::Wide, Some(length), bytes, true), None);
    }
    assert_eq!(take(InType::Binary, Some(9), bytes, true), None);
    assert_eq!(
        take(InType::Binary, None, bytes, true),
        Some((Raw::Bytes(&[]), 8))
    );
    let (raw, rest) = take(InType::RestWide, None, bytes, true).unwrap();
    assert_eq!(rest, 0);
    assert_eq!(text_of(raw, OutType::Default).chars().count(), 4);
    let (raw, _) = take(InType::RestNarrow, None, b"abc", true).unwrap();
    assert_eq!(text_of(raw, OutType::Default), "abc");
}

#[test]
fn numbers_by_their_out_type() {
    let number = |out, value: u32| text(InType::U32, out, &value.to_le_bytes());
    assert_eq!(number(OutType::Hex, 255), "0xff");
    assert_eq!(number(OutType::CodePointer, 0x1000), "0x1000");
    assert_eq!(number(OutType::Bool, 2), "True");
    assert_eq!(number(OutType::Pid, 4), "4");
    assert_eq!(number(OutType::Tid, 8), "8");
    assert_eq!(number(OutType::Ipv4, 0x0100_A8C0), "192.168.0.1");
    assert_eq!(number(OutType::Win32, 5), "5 (ERROR_ACCESS_DENIED)");
    assert_eq!(number(OutType::Win32, 0x00AB_CDEF), "11259375");
    assert_eq!(
        number(OutType::NtStatus, 0xC000_0022),
        "0xc0000022 (STATUS_ACCESS_DENIED)"
    );
    assert_eq!(number(OutType::NtStatus, 0xC0FF_1234), "0xc0ff1234");
    assert_eq!(
        number(OutType::HResult, 0x8007_03F1),
        "0x800703f1 (ERROR_BADDB)"
    );
    assert_eq!(number(OutType::HResult, 0), "0x00000000 (ERROR_SUCCESS)");
    assert_eq!(
        number(OutType::ErrorCode, 0xD000_0043),
        "0xd0000043 (STATUS_SHARING_VIOLATION)"
    );
    let signed = |out, value: i32| text(InType::I32, out, &value.to_le_bytes());
    assert_eq!(signed(OutType::Hex, -1), "0xffffffff");
    assert_eq!(
        signed(OutType::HResult, -2_147_024_891),
        "0x80070005 (ERROR_ACCESS_DENIED)"
    );
    assert_eq!(signed(OutType::Unsigned, -1), "4294967295");
    assert_eq!(signed(OutType::Signed, -1), "-1");
    assert_eq!(text(InType::I8, OutType::Hex, &[0x80]), "0x80");
    assert_eq!(
        text(InType::I64, OutType::Hex, &[0xFF; 8]),
        "0xffffffffffffffff"
    );
    assert_eq!(text(InType::U16, OutType::Port, &[0x01, 0xBB]), "443");
    assert_eq!(text(InType::U8, OutType::Bool, &[0]), "False");
    assert_eq!(text(InType::U8, OutType::Text, b"A"), "A");
    assert_eq!(text(InType::U8, OutType::Text, &[0]), "0");
    assert_eq!(text(InType::U16, OutType::Text, &[0xAC, 0x20]), "€");
    assert_eq!(text(InType::U16, OutType::Text, &[0, 0xD8]), "55296");
    let time = 132_756_731_757_990_000_u64.to_le_bytes();
    assert_eq!(
        text(InType::U64, OutType::Time, &time),
        "2021-09-09T14:59:35.7990000Z"
    );
    assert_eq!(
        text(
            InType::Pointer,
            OutType::Unsigned,
            &[9, 0, 0, 0, 0, 0, 0, 0]
        ),
        "9"
    );
    assert_eq!(text(InType::Pointer, OutType::Signed, &[0xFF; 8]), "-1");
    // A size that the meaning does not fit.
    assert_eq!(
        text(InType::U64, OutType::NtStatus, &[1, 0, 0, 0, 0, 0, 0, 0]),
        "1"
    );
    assert_eq!(text(InType::U8, OutType::Ipv4, &[1]), "1");
}

#[test]
fn floating_point() {
    let double = |value: f64| text(InType::F64, OutType::Default, &value.to_le_bytes());
    assert_eq!(double(0.0), "0");
    assert_eq!(double(1e15), "1000000000000000");
    assert_eq!(double(1e300), "1e300");
    assert_eq!(double(-1.5e-7), "-1.5e-7");
    assert_eq!(double(f64::NAN), "NaN");
    assert_eq!(double(f64::NEG_INFINITY), "-inf");
    assert_eq!(
        text(
            InType::F32,
            OutType::Default,
            &f32::MIN_POSITIVE.to_le_bytes()
        ),
        "1.1754944e-38"
    );
}

#[test]
fn binary_data() {
    let bytes = |out, bytes: &[u8]| text_of(Raw::Bytes(bytes), out);
    assert_eq!(bytes(OutType::Default, &[0, 0x1F, 0xFF]), "00 1F FF");
    assert_eq!(bytes(OutType::Default, &[]), "");
    assert_eq!(bytes(OutType::Ipv4, &[10, 0, 0, 1]), "10.0.0.1");
    assert_eq!(bytes(OutType::Ipv4, &[10, 0, 0]), "0A 00 00");
    let mut loopback = [0; 16];
    loopback[15] = 1;
    assert_eq!(bytes(OutType::Ipv6, &loopback), "::1");
    assert_eq!(
        bytes(OutType::SocketAddress, &[2, 0, 0, 53, 8, 8, 8, 8]),
        "8.8.8.8:53"
    );
    assert_eq!(bytes(OutType::SocketAddress, &[2, 0, 0]), "02 00 00");
    assert_eq!(bytes(OutType::Json, b"{\"a\":1}\0"), "{\"a\":1}");
    assert_eq!(bytes(OutType::Pkcs7, &[0x30]), "30");
    let long = bytes(OutType::Default, &[0xAA; 300]);
    assert!(long.ends_with("AA … (300 bytes)"));
    assert_eq!(long.matches("AA").count(), BYTES_SHOWN);
}

#[test]
fn text_of_any_bytes() {
    assert_eq!(text(InType::Narrow, OutType::Utf8, "ä€".as_bytes()), "ä€");
    assert_eq!(text(InType::Narrow, OutType::Default, &[0xE9, 0]), "é");
    assert_eq!(
        text(InType::Wide, OutType::Xml, &[0, 0xD8, b'x', 0]),
        "\u{FFFD}x"
    );
}

#[test]
fn odd_times_and_sids() {
    assert_eq!(
        text(InType::FileTime, OutType::TimeUtc, &[0; 8]),
        "1601-01-01T00:00:00.0000000Z"
    );
    // The last time that 64 bits hold.
    assert!(text(InType::FileTime, OutType::TimeUtc, &[0xFF; 8]).starts_with("60056-"));
    assert_eq!(
        text(InType::SystemTime, OutType::Time, &[0; 16]),
        "0000-00-00 00:00:00.000"
    );
    assert_eq!(
        text(InType::SystemTime, OutType::Time, &[0xFF; 16]),
        "65535-65535-65535 65535:65535:65535.65535"
    );
    assert_eq!(
        text(InType::Sid, OutType::Default, &[1, 0, 0, 0, 0, 0, 0, 1]),
        "S-1-1"
    );
    assert_eq!(
        text(InType::Sid, OutType::Default, &[1, 0, 1, 0, 0, 0, 0, 0]),
        "S-1-0x10000000000"
    );
    assert_eq!(text_of(Raw::Sid(&[1, 2]), OutType::Default), "01 02");
}

#[test]
fn names_of_numbers_win() {
    let map = ValueMap::new(MapKind::Values, vec![(1, "One".into())]);
    let show = |raw, out| {
        let mut text = String::new();
        let map = Some(&map);
        Value { raw, out, map }.push_to(&mut text);
        text
    };
    assert_eq!(show(Raw::Unsigned(1, 8), OutType::Hex), "One");
    assert_eq!(show(Raw::Unsigned(16, 8), OutType::Hex), "0x10");
    assert_eq!(show(Raw::Signed(1, 32), OutType::Default), "One");
    assert_eq!(show(Raw::Guid(Guid::NIL), OutType::Default).len(), 36);
}
