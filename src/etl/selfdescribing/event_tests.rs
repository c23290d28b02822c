use super::*;
use crate::etl::providers::EVENT_METADATA;
use crate::etl::selfdescribing::definitions::Collector;
use crate::etl::selfdescribing::metadata::tests::{Property, event_info};
use crate::etl::selfdescribing::tracelogging::tests::schema;
use crate::etl::selfdescribing::walk::Nothing;
use crate::etl::synth;

/// Provider, name, detail and message of a record.
#[derive(Debug, PartialEq)]
struct Text {
    provider: Option<String>,
    name: String,
    detail: String,
    message: Option<String>,
}

fn text(record: &[u8], definitions: &Definitions) -> Text {
    let event = Event::new(&Record::parse(record).unwrap(), definitions).unwrap();
    let written = |write: &dyn Fn(&mut String)| {
        let mut out = String::from("kept ");
        write(&mut out);
        out.strip_prefix("kept ").unwrap().to_owned()
    };
    let mut message = String::from("kept ");
    let has_message = event.push_message(&mut message);
    assert!(has_message || message == "kept ");
    Text {
        provider: event.provider_name().map(|name| name.to_string()),
        name: written(&|out| event.push_name(out)),
        detail: written(&|out| event.push_detail(out)),
        message: has_message.then(|| message[5..].to_owned()),
    }
}

fn plain(record: &[u8]) -> (String, String) {
    let text = text(record, &Definitions::default());
    (text.name, text.detail)
}

#[test]
fn events_with_a_schema() {
    let fields = schema(b"Count\0\x08Who\0\x01");
    let items = [(12, &b"\x08\0Maker\0"[..]), (11, &fields[..])];
    let mut record = synth::event(19, [3; 16], 0, 0, &items, b"\x05\0\0\0m\0e\0\0\0");
    let expected = Text {
        provider: Some("Maker".into()),
        name: "E/Stop".into(),
        detail: "Count: 5, Who: me".into(),
        message: None,
    };
    assert_eq!(text(&record, &Definitions::default()), expected);
    // Other opcodes say nothing of the two ends of an activity.
    record[0x2D] = 0;
    assert_eq!(plain(&record).0, "E");
    let definitions = Definitions::default();
    let event = Event::new(&Record::parse(&record).unwrap(), &definitions).unwrap();
    assert_eq!(event.level_name(), Some("Verbose"));
    assert_eq!(event.provider_group(), None);
    assert!(event.definition().is_none() && event.update_line().is_none());
    assert_eq!(event.schema().unwrap().fields().count(), 2);
    let walked = event.visit(&mut Nothing).unwrap();
    assert!(walked.is_exact());
}

#[test]
fn a_type_that_is_not_known_shows_the_rest_as_bytes() {
    let fields = schema(b"a\0\x04b\0\x1fc\0\x04");
    let record = synth::event(18, [3; 16], 0, 0, &[(11, &fields)], &[7, 0xAB, 0xCD]);
    assert_eq!(plain(&record).1, "a: 7, Undecoded: AB CD");
    let record = synth::event(18, [3; 16], 0, 0, &[(11, &fields)], &[7]);
    assert_eq!(plain(&record).1, "a: 7");
    // So are those of a value that is cut, but not what is behind the last field.
    let fields = schema(b"a\0\x04b\0\x08");
    let record = synth::event(18, [3; 16], 0, 0, &[(11, &fields)], &[7, 1, 2]);
    assert_eq!(plain(&record).1, "a: 7, Undecoded: 01 02");
    let record = synth::event(18, [3; 16], 0, 0, &[(11, &fields)], &[7, 1, 0, 0, 0, 9]);
    assert_eq!(plain(&record).1, "a: 7, b: 1");
    // Pointers have the size of the record.
    let fields = schema(b"p\0\x10q\0\x10");
    let record = synth::event(
        18,
        [3; 16],
        0,
        0,
        &[(11, &fields)],
        &[1, 0, 0, 0, 2, 0, 0, 0],
    );
    assert_eq!(plain(&record).1, "p: 0x1, q: 0x2");
}

#[test]
fn events_of_the_update_client() {
    let fields = b"\x0f\0\0Agent\0Info\0\x01";
    let items = [(12, &b"\x11\0WUTraceLogging\0"[..]), (11, &fields[..])];
    let payload = b"O\0K\0.\0\0\0";
    let mut record = synth::event(19, windows_update::CLIENT.0, 0, 0, &items, payload);
    record[0x2D] = 0;
    let expected = Text {
        provider: Some("WUTraceLogging".into()),
        name: "Agent".into(),
        detail: "OK.".into(),
        message: Some("OK.".into()),
    };
    let definitions = Definitions::default();
    assert_eq!(text(&record, &definitions), expected);
    let event = Event::new(&Record::parse(&record).unwrap(), &definitions).unwrap();
    let mut line = String::new();
    event.update_line().unwrap().push_to(&mut line);
    assert_eq!(line, "Agent           OK.");
    assert!(event.visit(&mut Nothing).unwrap().is_exact());
}

#[test]
fn events_with_a_definition() {
    let names = [
        "P",
        "win:Error",
        "",
        "",
        "Job",
        "win:Start",
        "Job %2 of %1.",
    ];
    let info = event_info(
        names,
        2,
        &[Property::new("Of", 1, 1), Property::new("N", 8, 8)],
    );
    let mut collector = Collector::default();
    let record = synth::full(20, EVENT_METADATA.0, 32, 0, 0, &info);
    collector.add(&Record::parse(&record).unwrap());
    let definitions = collector.finish();
    let record = synth::event(19, [8; 16], 7, 0, &[], b"x\0\0\0\x09\0\0\0");
    let expected = Text {
        provider: Some("P".into()),
        name: "Job/Start".into(),
        detail: "Of: x, N: 9".into(),
        message: Some("Job 9 of x.".into()),
    };
    assert_eq!(text(&record, &definitions), expected);
    let event = Event::new(&Record::parse(&record).unwrap(), &definitions).unwrap();
    assert_eq!(event.level_name(), Some("Error"));
    assert_eq!(event.definition().unwrap().task.as_deref(), Some("Job"));
    // The name of its provider is known for events without a definition too.
    let other = synth::event(19, [8; 16], 8, 0, &[], &[]);
    let other = text(&other, &definitions);
    assert_eq!(other.provider.as_deref(), Some("P"));
    assert_eq!(
        (other.name.as_str(), other.detail.as_str()),
        ("Id 8", "Id: 8, Version: 1")
    );
}

#[test]
fn events_that_are_one_text() {
    let mut record = synth::event(19, [3; 16], 4, 0, &[], b"t\0e\0x\0t\0\0\0");
    record[4] = 4;
    let expected = Text {
        provider: None,
        name: "Id 4".into(),
        detail: "text".into(),
        message: Some("text".into()),
    };
    assert_eq!(text(&record, &Definitions::default()), expected);
    let mut empty = synth::event(19, [3; 16], 4, 0, &[], &[]);
    empty[4] = 4;
    assert_eq!(plain(&empty).1, "");
}

#[test]
fn pieces_of_manifests() {
    let mut payload = vec![1, 0, 0, 0x5B, 3, 0, 1, 0];
    payload.extend(b"<x/>");
    let mut record = synth::event(19, [3; 16], 65534, 0, &[], &payload);
    record[0x2D] = 254;
    let (name, detail) = plain(&record);
    assert_eq!(
        (name.as_str(), detail.as_str()),
        ("ManifestData", "Part: 2 of 3, Bytes: 4")
    );
}

#[test]
fn events_that_nothing_describes() {
    let record = synth::event(19, [3; 16], 5, 0, &[], &[0xAB, 0, 0xFF]);
    assert_eq!(plain(&record).1, "Id: 5, Version: 1, Data: AB 00 FF");
    let record = synth::event(19, [3; 16], 5, 0, &[], &[1; 65]);
    assert!(plain(&record).1.ends_with("01 01 … (65 bytes)"));
    let record = synth::full(20, [3; 16], 32, 2, 0, &[7]);
    assert_eq!(
        plain(&record),
        (
            "Opcode 32".into(),
            "Opcode: 32, Version: 2, Data: 07".into()
        )
    );
    let record = synth::message(3, 0, &[1, 2]);
    assert_eq!(
        plain(&record),
        ("Message 3".into(), "Message: 3, Data: 01 02".into())
    );
    // A schema that cannot be read is none.
    let record = synth::event(19, [3; 16], 5, 0, &[(11, b"\x02\0")], &[1]);
    assert_eq!(plain(&record).1, "Id: 5, Version: 1, Data: 01");
    // Records of the kernel logger are not for this.
    let record = synth::system(2, 0x0301, 4, 0, &[1]);
    let record = Record::parse(&record).unwrap();
    assert!(Event::new(&record, &Definitions::default()).is_none());
}

#[test]
fn names_of_providers_that_are_known() {
    let guid = Guid::new(0xe13c0d23_ccbc_4e12_931b_d9cc2eee27e4);
    let record = synth::event(19, guid.0, 5, 0, &[], &[]);
    let provider = text(&record, &Definitions::default()).provider;
    assert_eq!(provider.as_deref(), Some("Microsoft-Windows-DotNETRuntime"));
}
