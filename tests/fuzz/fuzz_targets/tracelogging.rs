//! Events that describe themselves: TraceLogging schemas and traits, definitions from the trace, their values.
#![no_main]

use fltscope::etl::Record;
use fltscope::etl::selfdescribing::{Collector, Event};
use fltscope_fuzz::Budget;
use fltscope_fuzz::around::{PROVIDER, classic, event};

const BUDGET: Budget = Budget {
    fixed: 16 << 20,
    per_byte: 1_024,
};
/// Types of extended data items: a TraceLogging schema, provider traits.
const SCHEMA: u16 = 11;
const TRAITS: u16 = 12;
/// The class of the definitions that a merge of traces writes.
const METADATA: [u8; 16] = [
    0xC1, 0xF6, 0xCC, 0xBB, 0xD1, 0x6C, 0xC4, 0x48, 0x80, 0xFF, 0x83, 0x94, 0x82, 0xE3, 0x76, 0x71,
];

/// A manifest in one piece, as EventSource providers write it.
fn manifest(text: &[u8]) -> Vec<u8> {
    let chunk = [&[1, 1, 0, 0x5B, 1, 0, 0, 0], text].concat();
    event(0xFFFE, 254, &[], &chunk)
}

/// A definition, made one of the provider's, and the id of its event.
fn definition(payload: &[u8]) -> (Vec<u8>, u16) {
    let mut out = payload.to_vec();
    if let Some(provider) = out.get_mut(..16) {
        provider.copy_from_slice(&PROVIDER);
    }
    if let Some(version) = out.get_mut(34) {
        *version = 1;
    }
    let id = out
        .get(32..34)
        .map_or(0, |id| u16::from_le_bytes([id[0], id[1]]));
    (classic(METADATA, 32, &out), id)
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| BUDGET.spend(data, |data| {
    let [form, at, rest @ ..] = data else {
        return;
    };
    let (first, second) = rest.split_at(rest.len() * usize::from(*at) / 255);
    let records = match form % 6 {
        0 => vec![event(0, 2, &[(SCHEMA, first)], second)],
        1 => vec![event(0, 2, &[(SCHEMA, first), (TRAITS, second)], second)],
        2 => vec![manifest(first), event((form >> 3).into(), 2, &[], second)],
        3 => vec![event(u16::from(*at), 2, &[], rest)],
        4 => {
            let (definition, id) = definition(first);
            vec![definition, event(id, 2, &[], second)]
        }
        // A map, and a definition that may name it.
        _ => {
            let map = classic(METADATA, 33, &[&PROVIDER, first].concat());
            let (definition, id) = definition(second);
            vec![map, definition, event(id, 2, &[], second)]
        }
    };
    let mut collector = Collector::default();
    for record in &records {
        if let Ok(record) = Record::parse(record) {
            collector.add(&record);
        }
    }
    let definitions = collector.finish();
    let mut text = String::new();
    for record in &records {
        let Ok(record) = Record::parse(record) else {
            continue;
        };
        let Some(event) = Event::new(&record, &definitions) else {
            continue;
        };
        event.push_name(&mut text);
        event.push_detail(&mut text);
        event.push_message(&mut text);
        event.provider_name();
        event.provider_group();
    }
}));
