use super::*;
use crate::etl::selfdescribing::text::FieldText;
use crate::etl::selfdescribing::walk::{MAX_DEPTH, MAX_VALUES, Nothing};
use std::time::Instant;

/// A schema of the event `E`; `fields` are the bytes behind its name.
pub fn schema(fields: &[u8]) -> Vec<u8> {
    let mut out = vec![0, 0, 0];
    out.extend(b"E\0");
    out.extend(fields);
    let len = (out.len() as u16).to_le_bytes();
    out[..2].copy_from_slice(&len);
    out
}

/// A field with its type bytes and what follows them.
fn field(name: &str, types: &[u8]) -> Vec<u8> {
    let mut out = name.as_bytes().to_vec();
    out.push(0);
    out.extend(types);
    out
}

/// The text of a payload, why its walk stopped and the bytes that are left.
fn decode(fields: &[u8], payload: &[u8]) -> (String, Option<Stop>, usize) {
    let data = schema(fields);
    let schema = Schema::parse(&data).unwrap();
    let mut out = String::new();
    let mut rest = Fields::new(payload, true);
    let stop = schema.walk(&mut rest, &mut FieldText::new(&mut out)).err();
    (out, stop, rest.rest().len())
}

fn whole(fields: &[u8], payload: &[u8]) -> String {
    let (text, stop, rest) = decode(fields, payload);
    assert_eq!((stop, rest), (None, 0), "{text}");
    text
}

#[test]
fn the_event_and_its_tags() {
    let data = schema(&field("a", &[4]));
    let found = Schema::parse(&data).unwrap();
    assert_eq!((found.name.to_string().as_str(), found.tags), ("E", 0));
    assert_eq!(found.fields().count(), 1);
    // Seven bits a byte, the highest first.
    let tagged = Schema::parse(b"\x08\0\x81\x02Ev\0").unwrap();
    assert_eq!(tagged.tags, 1 << 21 | 2 << 14);
    assert_eq!(tagged.name.to_string(), "Ev");
    // More tags than 28 bits hold are passed over.
    let long = Schema::parse(b"\x0a\0\xff\xff\xff\xff\xff\x00E\0").unwrap();
    assert_eq!(
        (long.tags, long.name.to_string().as_str()),
        (0xFFF_FFFF, "E")
    );
    // What is behind the size of the schema is not its own.
    assert_eq!(
        Schema::parse(b"\x05\0\0E\0a\0\x04")
            .unwrap()
            .fields()
            .count(),
        0
    );
    for data in [
        &b""[..],
        b"\x05",
        b"\x05\0",
        b"\x05\0\x80",
        b"\x05\0\0E",
        b"\x02\0\0E\0",
        b"\0\0\0E\0",
    ] {
        assert!(Schema::parse(data).is_none(), "{data:?}");
    }
}

#[test]
fn fields_with_everything() {
    let mut fields = field("plain", &[8]);
    fields.extend(field("out", &[0x88, 14]));
    fields.extend(field("tagged", &[0x88, 0x84, 0x81, 0x01]));
    fields.extend(field("three", &[0x24, 3, 0]));
    fields.extend(field("many", &[0xC6, 2]));
    fields.extend(field("own", &[0x64, 2, 0, 0xAA, 0xBB]));
    fields.extend(field("st", &[0x98, 0x82, 0x05]));
    let data = schema(&fields);
    let found: Vec<_> = Schema::parse(&data).unwrap().fields().collect();
    let counts: Vec<_> = found.iter().map(|field| field.count).collect();
    let custom = Count::Custom(&[0xAA, 0xBB]);
    let one = Count::One;
    assert_eq!(
        counts,
        [one, one, one, Count::Fixed(3), Count::Counted, custom, one]
    );
    let outs: Vec<_> = found.iter().map(|field| field.out_type).collect();
    assert_eq!(outs, [0, 14, 4, 0, 2, 0, 2]);
    assert_eq!(found[2].tags, 1 << 21 | 1 << 14);
    assert_eq!(found[6].tags, 5 << 21);
    assert!(found[6].is_struct() && !found[5].is_struct());
}

#[test]
fn every_in_type() {
    let system_time: Vec<u8> = [2024_u16, 2, 4, 29, 23, 59, 59, 1]
        .iter()
        .flat_map(|n| n.to_le_bytes())
        .collect();
    let cases: Vec<(u8, &[u8], &str)> = vec![
        (0, b"", "null"),
        (1, b"h\0i\0\0\0", "hi"),
        (2, b"hi\0", "hi"),
        (3, &[0xFF], "-1"),
        (4, &[0xFF], "255"),
        (5, &[0xFF; 2], "-1"),
        (6, &[0xFF; 2], "65535"),
        (7, &[0xFF; 4], "-1"),
        (8, &[0xFF; 4], "4294967295"),
        (9, &[0xFF; 8], "-1"),
        (10, &[0xFF; 8], "18446744073709551615"),
        (11, &[0, 0, 0x80, 0x3F], "1"),
        (12, &[0, 0, 0, 0, 0, 0, 0, 0x40], "2"),
        (13, &[1, 0, 0, 0], "True"),
        (14, &[2, 0, 0xAB, 0xCD], "AB CD"),
        (15, &[0; 16], "00000000-0000-0000-0000-000000000000"),
        (16, &[0xFF; 8], "0xffffffffffffffff"),
        (17, &[0; 8], "1601-01-01T00:00:00.0000000Z"),
        (18, &system_time, "2024-02-29T23:59:59.001Z"),
        (19, &[1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0], "S-1-5-18"),
        (20, &[0x10, 0, 0, 0], "0x10"),
        (21, &[0x10, 0, 0, 0, 0, 0, 0, 0], "0x10"),
        (22, b"\x04\0h\0i\0", "hi"),
        (23, b"\x02\0hi", "hi"),
        (25, &[1, 0, 7], "07"),
    ];
    for (in_type, bytes, text) in cases {
        let scalar = field("n", &[in_type]);
        assert_eq!(whole(&scalar, bytes), format!("n: {text}"), "{in_type}");
        let fixed = field("n", &[in_type | 0x20, 2, 0]);
        assert_eq!(
            whole(&fixed, &[bytes, bytes].concat()),
            format!("n: [{text}, {text}]")
        );
        let counted = field("n", &[in_type | 0x40]);
        let payload = [&[3, 0][..], bytes, bytes, bytes].concat();
        assert_eq!(
            whole(&counted, &payload),
            format!("n: [{text}, {text}, {text}]")
        );
        assert_eq!(whole(&counted, &[0, 0]), "n: []");
        // A cut at every byte: never more than is there, and the reason is said.
        for len in 0..payload.len() {
            let (_, stop, rest) = decode(&counted, &payload[..len]);
            let unended = matches!(in_type, 1 | 2) && stop.is_none();
            assert!(unended || stop == Some(Stop::Cut), "{in_type} cut to {len}");
            assert!(rest <= len);
        }
    }
    for in_type in 26..32 {
        let mut fields = field("a", &[4]);
        fields.extend(field("n", &[in_type]));
        let (text, stop, rest) = decode(&fields, &[1, 2, 3]);
        assert_eq!(
            (text.as_str(), stop, rest),
            ("a: 1", Some(Stop::Unknown), 2)
        );
    }
}

#[test]
fn structures() {
    // { x: u8, y: { z: wz } } and a field behind it.
    let mut fields = field("p", &[0x98, 2]);
    fields.extend(field("x", &[4]));
    fields.extend(field("y", &[0x98, 1]));
    fields.extend(field("z", &[1]));
    fields.extend(field("last", &[4]));
    let payload = b"\x05a\0\0\0\x09";
    assert_eq!(whole(&fields, payload), "p: {x: 5, y: {z: a}}, last: 9");
    let (text, stop, _) = decode(&fields, &payload[..1]);
    assert_eq!((text.as_str(), stop), ("p: {x: 5, y: {}}", Some(Stop::Cut)));
    // A structure without members.
    assert_eq!(whole(&field("e", &[0x98, 0]), b""), "e: {}");
    assert_eq!(whole(&field("e", &[24]), b""), "e: {}");
    // Members that the schema does not have.
    let (text, stop, _) = decode(&field("e", &[0x98, 2]), b"");
    assert_eq!((text.as_str(), stop), ("e: {}", Some(Stop::Unknown)));
}

#[test]
fn arrays_of_structures() {
    let mut members = field("a", &[4]);
    members.extend(field("in", &[0xD8, 1]));
    members.extend(field("b", &[2]));
    let mut counted = field("l", &[0xD8, 2]);
    counted.extend(&members);
    counted.extend(field("last", &[4]));
    let payload = [&[2, 0][..], &[1, 1, 0], b"x\0", &[2, 2, 0], b"y\0z\0", &[9]].concat();
    assert_eq!(
        whole(&counted, &payload),
        "l: [{a: 1, in: [{b: x}]}, {a: 2, in: [{b: y}, {b: z}]}], last: 9"
    );
    // None at all: the members are passed over, those inside them too.
    assert_eq!(whole(&counted, &[0, 0, 9]), "l: [], last: 9");
    assert_eq!(
        whole(&counted, &[1, 0, 1, 0, 0, 9]),
        "l: [{a: 1, in: []}], last: 9"
    );
    let mut fixed = field("l", &[0xB8, 1, 2, 0]);
    fixed.extend(field("a", &[4]));
    assert_eq!(whole(&fixed, &[1, 2]), "l: [{a: 1}, {a: 2}]");
    for len in 0..payload.len() {
        let (text, stop, _) = decode(&counted, &payload[..len]);
        assert_eq!(stop, Some(Stop::Cut), "{len}: {text}");
        let opened = text.matches(['[', '{']).count();
        assert_eq!(opened, text.matches([']', '}']).count(), "{text}");
    }
}

#[test]
fn arrays_of_characters_are_text() {
    let wide = field("s", &[0xC6, 2]);
    assert_eq!(whole(&wide, b"\x03\0a\0b\0\0\0"), "s: ab");
    let narrow = field("s", &[0xA4, 2, 4, 0]);
    assert_eq!(whole(&narrow, b"ab\0\0"), "s: ab");
    let json = field("s", &[0xC4, 12]);
    assert_eq!(whole(&json, b"\x02\0{}"), "s: {}");
    // Numbers stay numbers.
    let plain = field("s", &[0x46]);
    assert_eq!(whole(&plain, b"\x01\0a\0"), "s: [97]");
    let (text, stop, _) = decode(&wide, b"\x03\0a\0b\0");
    assert_eq!((text.as_str(), stop), ("", Some(Stop::Cut)));
}

#[test]
fn data_in_a_form_of_its_own() {
    let mut fields = field("own", &[0x64, 3, 0, 1, 2, 3]);
    fields.extend(field("last", &[4]));
    assert_eq!(
        whole(&fields, &[2, 0, 0xAA, 0xBB, 7]),
        "own: AA BB, last: 7"
    );
    let (_, stop, rest) = decode(&field("own", &[0x64, 9, 0, 1]), &[2, 0]);
    assert_eq!((stop, rest), (Some(Stop::Unknown), 2));
}

#[test]
fn fields_not_meant_for_people_are_left_out() {
    let mut fields = field("secret", &[0x88, 1]);
    fields.extend(field("shown", &[4]));
    assert_eq!(whole(&fields, &[1, 0, 0, 0, 2]), "shown: 2");
}

#[test]
fn a_schema_cut_at_every_byte() {
    let mut fields = field("p", &[0xD8, 2]);
    fields.extend(field("x", &[0x84, 0x83, 0x01]));
    fields.extend(field("y", &[0x21, 2, 0]));
    let payload = [1, 0, 1, 0, 0, 0, 0];
    for len in 0..fields.len() {
        let (_, stop, _) = decode(&fields[..len], &payload);
        assert_eq!(stop, (len > 0).then_some(Stop::Unknown), "{len}");
    }
    assert_eq!(whole(&fields, &payload), "p: [{x: True, y: [, ]}]");
}

#[test]
fn hostile_schemas_end() {
    // Arrays of nothing inside arrays: 65,535 to the power of seven values.
    let mut fields = Vec::new();
    for _ in 0..7 {
        fields.extend(field("", &[0xB8, 1, 0xFF, 0xFF]));
    }
    fields.extend(field("", &[0x20, 0xFF, 0xFF]));
    let start = Instant::now();
    let (text, stop, _) = decode(&fields, &[]);
    assert_eq!(stop, Some(Stop::Bound));
    assert!(text.len() < 100_000, "{}", text.len());
    // Structures inside each other, deeper than the bound.
    let mut fields = Vec::new();
    for _ in 0..200 {
        fields.extend(field("", &[0x98, 1]));
    }
    let (_, stop, _) = decode(&fields, &[]);
    assert_eq!(stop, Some(Stop::Bound));
    // As many fields as a schema holds, passed over for each element.
    let mut fields = field("", &[0xB8, 1, 0xFF, 0xFF]);
    fields.extend(field("", &[0xD8, 127]));
    for _ in 0..14_873 {
        fields.extend(field("", &[0x98, 1]));
    }
    for _ in 0..127 {
        fields.extend(field("", &[4]));
    }
    let (_, stop, _) = decode(&fields, &[0; 60_000]);
    assert_eq!(stop, Some(Stop::Bound));
    assert!(start.elapsed().as_secs() < 20);
    const { assert!(MAX_DEPTH < 100 && MAX_VALUES > 1 << 16) };
}

#[test]
fn a_walk_without_text_ends_at_the_same_place() {
    let data = schema(&field("n", &[0x44]));
    let found = Schema::parse(&data).unwrap();
    let mut payload = Fields::new(&[2, 0, 1, 2, 3], true);
    assert_eq!(found.walk(&mut payload, &mut Nothing), Ok(()));
    assert_eq!(payload.rest(), [3]);
}

#[test]
fn traits() {
    let mut data = b"\0\0Name\0".to_vec();
    data.extend([5, 0, 9, 0xAA, 0xBB]);
    data.extend([19, 0, 1]);
    data.extend(0..16);
    data[0] = data.len() as u8;
    let found = Traits::parse(&data).unwrap();
    assert_eq!(found.name.to_string(), "Name");
    assert_eq!(found.group(), Guid::at(&data, data.len() - 16));
    let none = Traits::parse(b"\x07\0Name\0").unwrap();
    assert_eq!(none.group(), None);
    // A trait of no size.
    let broken = Traits::parse(b"\x0a\0Name\0\0\0\x09").unwrap();
    assert_eq!(broken.group(), None);
    for len in 0..data.len() {
        let mut cut = data[..len].to_vec();
        if len > 1 {
            cut[0] = len as u8;
        }
        assert!(Traits::parse(&cut).is_none_or(|traits| traits.group().is_none()));
    }
}
