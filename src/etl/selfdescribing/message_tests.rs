use super::*;
use crate::etl::kernel::Fields;
use crate::etl::selfdescribing::definition::{Amount, FieldDefinition, FieldList, Shape};
use crate::etl::selfdescribing::types::{InType, OutType};
use std::time::Instant;

fn list() -> FieldList {
    let field = |in_type, count| {
        let shape = Shape::Value {
            in_type: Some(in_type),
            out: OutType::Default,
            length: Amount::None,
            map: None,
        };
        FieldDefinition::new("name".into(), shape, count)
    };
    let mut fields = vec![
        field(InType::Wide, Amount::None),
        field(InType::U32, Amount::None),
        field(InType::I32, Amount::None),
        field(InType::U8, Amount::Fixed(2)),
        field(InType::Pointer, Amount::None),
    ];
    fields.extend((6..=12).map(|_| field(InType::U8, Amount::None)));
    FieldList::new(fields, 12)
}

/// Text `ab`, 255, -1, [1, 2], 0xfffff80000000010, then 6 to 12.
fn payload() -> Vec<u8> {
    let mut out = b"a\0b\0\0\0\xFF\0\0\0\xFF\xFF\xFF\xFF\x01\x02".to_vec();
    out.extend(0xFFFF_F800_0000_0010_u64.to_le_bytes());
    out.extend(6..=12);
    out
}

fn fill_from(template: &str, payload: &[u8]) -> String {
    let list = list();
    let mut out = String::from("> ");
    push_message(template, &list.starts(Fields::new(payload, true)), &mut out);
    out.split_off(2)
}

fn fill(template: &str) -> String {
    fill_from(template, &payload())
}

#[test]
fn inserts() {
    assert_eq!(fill("no fields"), "no fields");
    assert_eq!(fill("%1 is %2, %1"), "ab is 255, ab");
    assert_eq!(fill("%4"), "[1, 2]");
    assert_eq!(fill("(%11%12)"), "(1112)");
    // Two digits at most.
    assert_eq!(fill("%1x%123"), "abx123");
    assert_eq!(fill("%13 %99"), "%13 %99");
    assert_eq!(fill("ä%1ö"), "äabö");
}

#[test]
fn escapes() {
    assert_eq!(fill("100%% %n%t%r%b%.%!% %z"), "100% \n\t\r .! z");
    assert_eq!(fill("end%0 of it"), "end");
    assert_eq!(fill("lone %"), "lone %");
    assert_eq!(fill("%ä"), "ä");
}

#[test]
fn formats() {
    assert_eq!(fill("%1!s! %1!S! %2!d! %2!u! %2!lu!"), "ab ab 255 255 255");
    assert_eq!(
        fill("0x%2!x! 0x%2!X! 0x%2!08x! %2!#x! %2!#X!"),
        "0xff 0xFF 0x000000ff 0xff 0xFF"
    );
    assert_eq!(fill("%3!d! %3!u! %3!x!"), "-1 4294967295 ffffffff");
    assert_eq!(
        fill("%5!p! %5!I64x! %5!016I64x!"),
        "fffff80000000010 fffff80000000010 fffff80000000010"
    );
    assert_eq!(
        fill("[%1!6s!] [%1!-6s!] [%2!6d!] [%2!-6d!] [%2!.3d!]"),
        "[    ab] [ab    ] [   255] [255   ] [255]"
    );
    // A format of no meaning here stays text, and so does one without an end.
    assert_eq!(fill("%1!q! %1!s %2!"), "ab!q! ab!s 255!");
    assert_eq!(fill("%1!! %1"), "ab ab");
    assert_eq!(fill("%13!s!"), "%13");
    assert_eq!(fill("%4!x!"), "[1, 2]");
    assert_eq!(
        fill("%1!999999999999999999999s!"),
        "ab!999999999999999999999s!"
    );
    assert_eq!(fill("%1!999s!").len(), WIDEST);
}

#[test]
fn payloads_that_end_early() {
    let payload = payload();
    for len in 0..payload.len() {
        fill_from("%1 %2 %3!x! %4 %5 %12", &payload[..len]);
    }
    assert_eq!(fill_from("%1 %2 %3", &payload[..10]), "ab 255 %3");
    assert_eq!(fill_from("%1", &[]), "%1");
}

#[test]
fn output_is_bounded() {
    let list = FieldList::new(
        vec![FieldDefinition::new(
            "t".into(),
            Shape::Value {
                in_type: Some(InType::RestNarrow),
                out: OutType::Default,
                length: Amount::None,
                map: None,
            },
            Amount::None,
        )],
        1,
    );
    let payload = vec![0xE9; 65_000];
    let template = "%1".repeat(4_000);
    let start = Instant::now();
    let mut out = String::new();
    push_message(
        &template,
        &list.starts(Fields::new(&payload, true)),
        &mut out,
    );
    assert!(out.len() < 512 << 10 && out.ends_with('…'), "{}", out.len());
    assert!(start.elapsed().as_secs() < 5);
}
