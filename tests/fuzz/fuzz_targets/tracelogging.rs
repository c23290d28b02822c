//! Events that describe themselves: TraceLogging schemas and traits, definitions from the trace, their values.
#![no_main]

use fltscope::etl::Record;
use fltscope::etl::selfdescribing::{Collector, Event};
use fltscope_fuzz::Budget;
use fltscope_fuzz::around::event;

const BUDGET: Budget = Budget {
    fixed: 16 << 20,
    per_byte: 1_024,
};
/// Types of extended data items: a TraceLogging schema, provider traits.
const SCHEMA: u16 = 11;
const TRAITS: u16 = 12;

libfuzzer_sys::fuzz_target!(|data: &[u8]| BUDGET.spend(data, |data| {
    let [form, at, rest @ ..] = data else {
        return;
    };
    let (schema, payload) = rest.split_at(rest.len() * usize::from(*at) / 255);
    let bytes = match form % 4 {
        0 => event(0, &[(SCHEMA, schema)], payload),
        1 => event(0, &[(SCHEMA, schema), (TRAITS, payload)], payload),
        // A chunk of a manifest.
        2 => event(0xFFFE, &[], rest),
        _ => event(u16::from(*at), &[], rest),
    };
    let Ok(record) = Record::parse(&bytes) else {
        return;
    };
    let mut collector = Collector::default();
    collector.add(&record);
    let definitions = collector.finish();
    let Some(event) = Event::new(&record, &definitions) else {
        return;
    };
    let mut text = String::new();
    event.push_name(&mut text);
    event.push_detail(&mut text);
    event.push_message(&mut text);
    event.provider_name();
    event.provider_group();
}));
