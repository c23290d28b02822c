use super::super::metadata::tests::{Property, event_info, map_info};
use super::*;
use crate::etl::kernel::Fields;
use crate::etl::selfdescribing::text::FieldText;
use crate::etl::synth;

/// The class of definitions, in the order of files.
const METADATA: [u8; 16] = EVENT_METADATA.0;
/// The provider of the definitions made here.
const PROVIDER: [u8; 16] = [8; 16];

fn defined(task: &str, map: &'static str) -> Vec<u8> {
    let field = Property {
        map,
        ..Property::new("Kind", 8, 8)
    };
    let info = event_info(["P", "", "", "", task, "", ""], 1, &[field]);
    synth::full(20, METADATA, OPCODE_EVENT, 0, 1, &info)
}

fn mapped(name: &str, text: &str) -> Vec<u8> {
    let info = map_info(name, 1, &[(1, text)]);
    synth::full(10, METADATA, OPCODE_MAP, 0, 1, &info)
}

fn manifest(events: &str) -> Vec<u8> {
    let text = format!("<provider name=\"FromManifest\"><events>{events}</events></provider>");
    let mut payload = vec![1, 0, 0, 0x5B, 1, 0, 0, 0];
    payload.extend(text.bytes());
    let mut record = synth::event(19, PROVIDER, 65534, 0, &[], &payload);
    record[0x2D] = 254;
    record
}

fn collect(records: &[Vec<u8>]) -> Collector {
    let mut collector = Collector::default();
    for record in records {
        collector.add(&Record::parse(record).unwrap());
    }
    collector
}

/// The text of the event 7/1 with the number 1.
fn text(definitions: &Definitions) -> String {
    let record = synth::event(19, PROVIDER, 7, 0, &[], &[1, 0, 0, 0]);
    let Some(definition) = definitions.of(&Record::parse(&record).unwrap()) else {
        return "undefined".into();
    };
    let mut out = format!("{} ", definition.name.as_deref().unwrap_or("?"));
    let payload = &mut Fields::new(&[1, 0, 0, 0], true);
    let walk = definition
        .fields
        .walk(payload, &mut FieldText::new(&mut out));
    assert_eq!(walk, Ok(()));
    out
}

#[test]
fn maps_find_their_fields_in_any_order() {
    let records = [mapped("Kinds", "One"), defined("T", "Kinds")];
    assert_eq!(text(&collect(&records).finish()), "T Kind: One");
    let [map, event] = records;
    assert_eq!(
        text(&collect(&[event.clone(), map.clone()]).finish()),
        "T Kind: One"
    );
    // In different parts of a file.
    let mut first = collect(std::slice::from_ref(&event));
    first.merge(collect(&[map]));
    assert_eq!(text(&first.finish()), "T Kind: One");
    // A map that is missing, or another one.
    let other = mapped("Others", "One");
    assert_eq!(text(&collect(&[event, other]).finish()), "T Kind: 1");
    assert_eq!(text(&collect(&[]).finish()), "undefined");
}

#[test]
fn the_first_definition_stays() {
    let records = [defined("First", ""), defined("Second", "")];
    assert_eq!(text(&collect(&records).finish()), "First Kind: 1");
    let mut first = collect(&records[..1]);
    first.merge(collect(&records[1..]));
    let definitions = first.finish();
    assert_eq!(text(&definitions), "First Kind: 1");
    assert_eq!((definitions.len(), definitions.is_empty()), (1, false));
    assert_eq!(definitions.provider_name(Guid(PROVIDER)), Some("P"));
    assert_eq!(definitions.provider_name(Guid::NIL), None);
    let (key, definition) = definitions.iter().next().unwrap();
    assert_eq!(definitions.get(key), Some(definition));
}

#[test]
fn manifests_fill_gaps() {
    let event = "<event value=\"7\" version=\"1\" task=\"Task\" opcode=\"win:Stop\"/>\
                 <event value=\"9\" symbol=\"Other\"/>";
    let definitions = collect(&[manifest(event)]).finish();
    assert_eq!(text(&definitions), "Task/Stop ");
    assert_eq!(definitions.len(), 2);
    assert_eq!(
        definitions.provider_name(Guid(PROVIDER)),
        Some("FromManifest")
    );
    // What the merge wrote goes first; its event has no name, which the manifest has.
    let both = [manifest(event), defined("", "")];
    assert_eq!(text(&collect(&both).finish()), "Task/Stop Kind: 1");
    let named = [manifest(event), defined("T", "")];
    assert_eq!(text(&collect(&named).finish()), "T Kind: 1");
    assert_eq!(
        collect(&named).finish().provider_name(Guid(PROVIDER)),
        Some("P")
    );
}

#[test]
fn classic_events_are_told_apart_by_opcode() {
    let mut info = event_info(["P", "", "", "", "T", "", ""], 0, &[]);
    info[48] = 1;
    let record = synth::full(20, METADATA, OPCODE_EVENT, 0, 1, &info);
    let definitions = collect(&[record]).finish();
    let has = |record: &[u8]| definitions.of(&Record::parse(record).unwrap()).is_some();
    assert!(has(&synth::full(20, [9; 16], 2, 1, 5, &[])));
    assert!(has(&synth::full(11, [9; 16], 2, 1, 5, &[])));
    assert!(!has(&synth::full(20, [9; 16], 3, 1, 5, &[])));
    assert!(!has(&synth::full(20, [9; 16], 2, 2, 5, &[])));
    assert!(!has(&synth::full(20, [8; 16], 2, 1, 5, &[])));
    // As an event of a provider with the flag.
    let mut event = synth::event(19, [9; 16], 7, 0, &[], &[]);
    assert!(!has(&event));
    event[5] = 1;
    assert!(has(&event));
    assert!(!has(&synth::system(2, 0x0301, 4, 0, &[])));
}

#[test]
fn other_records_define_nothing() {
    let mut wrong_class = defined("T", "");
    wrong_class[24] ^= 1;
    let info = event_info(["P", "", "", "", "T", "", ""], 0, &[]);
    let wrong_opcode = synth::full(20, METADATA, 34, 0, 1, &info);
    let cut = synth::full(20, METADATA, OPCODE_EVENT, 0, 1, &info[..100]);
    let records = [
        wrong_class,
        wrong_opcode,
        cut,
        synth::perfinfo(17, 5, 2, 0, &info),
    ];
    assert!(collect(&records).finish().is_empty());
}

#[test]
fn there_is_a_bound() {
    let mut collector = Collector {
        taken: ROOM - 2_000,
        ..Collector::default()
    };
    for n in 0..100_u8 {
        let mut info = event_info(["P", "", "", "", "T", "", ""], 0, &[]);
        info[32] = n;
        let record = synth::full(20, METADATA, OPCODE_EVENT, 0, 1, &info);
        collector.add(&Record::parse(&record).unwrap());
        let map = mapped(&format!("M{n}"), "One");
        collector.add(&Record::parse(&map).unwrap());
    }
    assert!(collector.taken <= ROOM);
    assert!((1..20).contains(&collector.events.len()));
    assert!((1..20).contains(&collector.maps.len()));
}
