//! Bytes by chance: no panic, no text without end, no walk that reads what is not there.

use super::definition::FieldList;
use super::metadata::{self, tests::Property, tests::event_info};
use super::text::TEXT_LIMIT;
use super::tracelogging::tests::schema;
use super::*;
use crate::etl::kernel::NarrowText;
use crate::etl::providers::EVENT_METADATA;
use crate::etl::record::Record;
use crate::etl::synth;
use proptest::collection::vec;
use proptest::prelude::*;

/// The text limit, one value of a whole payload with two bytes a byte, names, and what is around them.
const LONGEST: usize = TEXT_LIMIT + 4 * 65_536 + 1_024;

/// Writes all that can be written of a record.
fn check(record: &[u8], definitions: &Definitions) {
    let record = Record::parse(record).unwrap();
    let Some(event) = Event::new(&record, definitions) else {
        return;
    };
    let mut out = String::new();
    event.push_detail(&mut out);
    assert!(out.len() <= LONGEST, "{}", out.len());
    out.clear();
    event.push_message(&mut out);
    assert!(out.len() <= LONGEST, "{}", out.len());
    out.clear();
    event.push_name(&mut out);
    event.provider_name();
    event.provider_group();
    event.level_name();
    if let Some(walked) = event.visit(&mut Balance::default()) {
        assert!(walked.rest.len() <= record.payload().len());
    }
}

/// Counts groups: each is closed, and values lie as deep as groups are open.
#[derive(Default)]
struct Balance(Vec<Group>);

impl<'a> Visitor<'a> for Balance {
    fn value(&mut self, depth: u8, _: NarrowText<'a>, _: Value<'a>) {
        assert_eq!(usize::from(depth), self.0.len());
    }
    fn open(&mut self, depth: u8, _: NarrowText<'a>, group: Group) {
        assert_eq!(usize::from(depth), self.0.len());
        self.0.push(group);
    }
    fn close(&mut self, depth: u8, group: Group) {
        assert_eq!(self.0.pop(), Some(group));
        assert_eq!(usize::from(depth), self.0.len());
    }
}

/// Bytes of a schema that often make sense: fields of any type and count.
fn fields() -> impl Strategy<Value = Vec<u8>> {
    let field = (
        "[a-c]{0,3}",
        any::<u8>(),
        any::<u8>(),
        vec(any::<u8>(), 0..3),
        any::<bool>(),
    );
    vec(field, 0..12).prop_map(|fields| {
        let mut out = Vec::new();
        for (name, in_type, out_type, more, is_struct) in fields {
            out.extend(name.bytes());
            out.push(0);
            if is_struct {
                out.extend([(in_type & 0x40) | 0x98, out_type & 3]);
            } else {
                out.push(in_type);
                if in_type & 0x80 != 0 {
                    out.push(out_type);
                }
                out.extend(more);
            }
        }
        out
    })
}

fn property() -> impl Strategy<Value = Property> {
    let numbers = (0..8_u32, 0..40_u16, 0..40_u16, 0..5_u16, 0..5_u16);
    numbers.prop_map(|(flags, in_type, out_type, count, length)| {
        let in_type = if in_type > 30 { in_type + 270 } else { in_type };
        Property {
            flags,
            count,
            length,
            ..Property::new("n", in_type, out_type)
        }
    })
}

proptest! {
    #[test]
    fn schemas(fields in fields(), payload in vec(any::<u8>(), 0..200), wide in any::<bool>()) {
        let data = schema(&fields);
        let kind = if wide { 19 } else { 18 };
        let record = synth::event(kind, [3; 16], 0, 0, &[(11, &data)], &payload);
        check(&record, &Definitions::default());
        let record = synth::event(kind, windows_update::CLIENT.0, 0, 0, &[(11, &data)], &payload);
        check(&record, &Definitions::default());
    }

    #[test]
    fn any_items(
        items in vec((prop_oneof![Just(11_u16), Just(12), any::<u16>()], vec(any::<u8>(), 0..60)), 0..4),
        payload in vec(any::<u8>(), 0..60),
        flags in any::<u8>(),
    ) {
        let items: Vec<(u16, &[u8])> = items.iter().map(|(kind, data)| (*kind, &data[..])).collect();
        let mut record = synth::event(19, [3; 16], 0, 0, &items, &payload);
        record[4] |= flags & !1;
        check(&record, &Definitions::default());
    }

    #[test]
    fn definitions(
        properties in vec(property(), 0..8),
        top in 0..8_u32,
        flips in vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        template in "[a%0-9n!sx ]{0,20}",
        payload in vec(prop_oneof![0..4_u8, any::<u8>()], 0..120),
    ) {
        let names = ["P", "L", "C", "K", "T", "O", template.as_str()];
        let mut info = event_info(names, top.min(properties.len() as u32), &properties);
        for (at, value) in flips {
            let at = 48 + at.index(info.len() - 48);
            info[at] = value;
        }
        let mut collector = Collector::default();
        let record = synth::full(20, EVENT_METADATA.0, 32, 0, 0, &info);
        collector.add(&Record::parse(&record).unwrap());
        let record = synth::full(20, EVENT_METADATA.0, 33, 0, 0, &info);
        collector.add(&Record::parse(&record).unwrap());
        let definitions = collector.finish();
        let record = synth::event(19, [8; 16], 7, 0, &[], &payload);
        check(&record, &definitions);
        let record = synth::full(10, [9; 16], 2, 1, 0, &payload);
        check(&record, &definitions);
    }

    #[test]
    fn any_bytes_as_definitions(payload in vec(any::<u8>(), 0..400)) {
        metadata::event(&payload);
        metadata::key(&payload);
        metadata::map(&payload);
    }

    #[test]
    fn manifests(
        parts in vec(prop_oneof![
            Just("<template tid='t'>"), Just("</template>"), Just("<struct name='s' count='n'>"), Just("</struct>"),
            Just("<data name='n' inType='win:UInt8'/>"), Just("<data name='x' inType='win:Binary' length='n'/>"),
            Just("<data name='n' inType='win:UnicodeString' count='x'/>"), Just("<event value='7' version='1' template='t'"),
            Just("message='$(string.a)'"), Just("/>"), Just("<string id='a' value='%1 %2!x!'/>"), Just("<valueMap name='m'>"),
            Just("<map value='1' message='$(string.a)'/>"), Just("<data name='y' inType='win:UInt16' map='m'/>"), Just("&"), Just("<"),
        ], 0..30),
        payload in vec(0..5_u8, 0..40),
    ) {
        let mut text = vec![1, 0, 0, 0x5B, 1, 0, 0, 0];
        text.extend(parts.concat().bytes());
        let mut chunk = synth::event(19, [8; 16], 65534, 0, &[], &text);
        chunk[0x2D] = 254;
        let mut collector = Collector::default();
        collector.add(&Record::parse(&chunk).unwrap());
        let definitions = collector.finish();
        check(&chunk, &definitions);
        check(&synth::event(19, [8; 16], 7, 0, &[], &payload), &definitions);
    }

    #[test]
    fn any_bytes_as_a_manifest(text in vec(any::<u8>(), 0..300)) {
        manifest::read(&text, |_, _, definition| {
            let fields: &FieldList = &definition.fields;
            assert!(fields.top().len() <= fields.all().len());
        });
    }
}
