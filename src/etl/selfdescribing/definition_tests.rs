use super::*;
use crate::etl::selfdescribing::text::FieldText;

fn value(name: &str, in_type: InType) -> FieldDefinition {
    sized(name, in_type, Amount::None, Amount::None)
}

fn sized(name: &str, in_type: InType, length: Amount, count: Amount) -> FieldDefinition {
    let shape = Shape::Value {
        in_type: Some(in_type),
        out: OutType::Default,
        length,
        map: None,
    };
    FieldDefinition::new(name.into(), shape, count)
}

fn group(name: &str, first: u16, members: u16, count: Amount) -> FieldDefinition {
    FieldDefinition::new(name.into(), Shape::Struct { first, members }, count)
}

fn decode(list: &FieldList, payload: &[u8]) -> (String, Option<Stop>, usize) {
    let mut out = String::new();
    let mut rest = Fields::new(payload, true);
    let stop = list.walk(&mut rest, &mut FieldText::new(&mut out)).err();
    (out, stop, rest.rest().len())
}

#[test]
fn lengths_and_counts_of_other_fields() {
    let list = FieldList::new(
        vec![
            value("len", InType::U32),
            sized("data", InType::Binary, Amount::Of(0), Amount::None),
            value("n", InType::U16),
            sized("list", InType::U8, Amount::None, Amount::Of(2)),
            sized("name", InType::Wide, Amount::Of(2), Amount::None),
            sized("fixed", InType::Narrow, Amount::Fixed(3), Amount::Fixed(2)),
        ],
        6,
    );
    let payload = b"\x02\0\0\0\xAA\xBB\x03\0\x01\x02\x03a\0b\0\0\0xyzuv\0";
    let (text, stop, rest) = decode(&list, payload);
    assert_eq!(
        text,
        "len: 2, data: AA BB, n: 3, list: [1, 2, 3], name: ab, fixed: [xyz, uv]"
    );
    assert_eq!((stop, rest), (None, 0));
    for len in 0..payload.len() {
        let (_, stop, rest) = decode(&list, &payload[..len]);
        assert_eq!(stop, Some(Stop::Cut), "{len}");
        assert!(rest <= len);
    }
    // Lengths that no payload has.
    let (text, stop, _) = decode(&list, &[0xFF; 40]);
    assert_eq!((text.as_str(), stop), ("len: 4294967295", Some(Stop::Cut)));
}

#[test]
fn structures_count_inside_themselves() {
    // n, [{ m, [u8; m] }; n], last
    let list = FieldList::new(
        vec![
            value("n", InType::U8),
            group("s", 3, 2, Amount::Of(0)),
            value("last", InType::U8),
            value("m", InType::U8),
            sized("b", InType::U8, Amount::None, Amount::Of(3)),
        ],
        3,
    );
    let (text, stop, rest) = decode(&list, &[3, 1, 7, 0, 2, 8, 9, 5]);
    assert_eq!(
        text,
        "n: 3, s: [{m: 1, b: [7]}, {m: 0, b: []}, {m: 2, b: [8, 9]}], last: 5"
    );
    assert_eq!((stop, rest), (None, 0));
    assert_eq!(list.top().len(), 3);
    assert_eq!(list.all().len(), 5);
}

#[test]
fn fields_in_any_order() {
    let list = FieldList::new(
        vec![
            value("len", InType::U8),
            sized("data", InType::Narrow, Amount::Of(0), Amount::None),
            value("last", InType::I16),
        ],
        3,
    );
    let payload = [2, b'h', b'i', 0xFF, 0xFF];
    let show = |payload: &[u8], at| {
        let starts = list.starts(Fields::new(payload, true));
        let mut out = String::new();
        let there = starts.visit(at, &mut FieldText::unnamed(&mut out));
        (out, there)
    };
    assert_eq!(show(&payload, 2), ("-1".into(), true));
    assert_eq!(show(&payload, 1), ("hi".into(), true));
    assert_eq!(show(&payload, 0), ("2".into(), true));
    assert_eq!(show(&payload, 3), (String::new(), false));
    assert_eq!(show(&payload, usize::MAX), (String::new(), false));
    assert_eq!(show(&payload[..2], 1), (String::new(), false));
    assert_eq!(show(&payload[..2], 0), ("2".into(), true));
}

#[test]
fn definitions_that_cannot_be_followed() {
    let unknown = FieldDefinition::new(
        "x".into(),
        Shape::Value {
            in_type: None,
            out: OutType::Default,
            length: Amount::None,
            map: None,
        },
        Amount::None,
    );
    let list = FieldList::new(vec![value("a", InType::U8), unknown], 2);
    assert_eq!(
        decode(&list, &[1, 2]),
        ("a: 1".into(), Some(Stop::Unknown), 1)
    );
    // A count in a field that is not there.
    let list = FieldList::new(vec![sized("a", InType::U8, Amount::None, Amount::Of(9))], 1);
    assert_eq!(decode(&list, &[1]).1, Some(Stop::Unknown));
    // Members that are not there, and more outermost fields than fields.
    let list = FieldList::new(vec![group("s", u16::MAX, u16::MAX, Amount::None)], 7);
    assert_eq!(
        decode(&list, &[1]),
        ("s: {}".into(), Some(Stop::Unknown), 1)
    );
    // A structure that holds itself, and many of nothing.
    let list = FieldList::new(vec![group("s", 0, 1, Amount::Fixed(u16::MAX))], 1);
    assert_eq!(decode(&list, &[]).1, Some(Stop::Bound));
    let list = FieldList::new(
        vec![
            sized("n", InType::U64, Amount::None, Amount::None),
            sized("z", InType::Null, Amount::None, Amount::Of(0)),
        ],
        2,
    );
    let (text, stop, _) = decode(&list, &[0xFF; 8]);
    assert_eq!(stop, Some(Stop::Bound));
    assert!(text.len() < 100_000);
}

#[test]
fn more_counted_fields_than_slots() {
    let mut fields = Vec::new();
    for at in 0..40 {
        fields.push(value("n", InType::U8));
        fields.push(sized("a", InType::U8, Amount::None, Amount::Of(at * 2)));
    }
    let list = FieldList::new(fields, 80);
    let (text, stop, _) = decode(&list, &[0; 80]);
    assert_eq!(stop, Some(Stop::Unknown));
    assert_eq!(text.matches("[]").count(), SLOTS);
}

#[test]
fn names_of_events() {
    let name = |task, opcode| event_name(task, opcode).map(String::from);
    assert_eq!(name(Some("GC"), Some("Start")).unwrap(), "GC/Start");
    assert_eq!(name(Some("Create"), Some("Info")).unwrap(), "Create");
    assert_eq!(name(None, Some("Stop")).unwrap(), "Stop");
    assert_eq!(name(Some("GC"), None).unwrap(), "GC");
    assert_eq!(name(None, Some("Info")), None);
    assert_eq!(name(None, None), None);
}
