//! Records of a trace as seeds: scripts with a record of each hook, definitions of events.

use crate::Corpus;
use fltscope::etl::hooks::{hook_name, hook_of_class};
use fltscope::etl::providers::EVENT_METADATA;
use fltscope::etl::selfdescribing::Chunk;
use fltscope::etl::{EtlFile, Record, Scratch};
use fltscope_fuzz::around::source;
use fltscope_fuzz::script::Command;
use std::collections::HashMap;
use std::io;

/// Records of one hook and version in a script.
const OF_A_KIND: u32 = 2;
/// Bytes of a script.
const LONGEST: usize = 4_000;
/// Definitions taken of a trace.
const DEFINITIONS: usize = 12;

/// Adds what the trace in `bytes` has of each kind of record.
pub fn add(corpus: &Corpus, name: &str, bytes: &[u8]) -> io::Result<()> {
    let Ok(file) = EtlFile::open(source(bytes)) else {
        return Ok(());
    };
    let (mut seen, mut definitions) = (HashMap::new(), 0);
    let (mut script, mut scripts) = (Vec::new(), 0);
    let mut scratch = Scratch::default();
    for buffer in 0..file.buffers().len().min(400) {
        let mut new_buffer = true;
        for record in file.records(buffer, &mut scratch)?.flatten() {
            if definitions < DEFINITIONS && describes(corpus, name, definitions, &record)? {
                definitions += 1;
            }
            let Some((hook, version)) = kind_of(&record) else {
                continue;
            };
            let count = seen
                .entry((hook, version, record.type_byte()))
                .or_insert(0_u32);
            *count += 1;
            if *count > OF_A_KIND {
                continue;
            }
            let command = Command {
                hook,
                version,
                form: record.type_byte(),
                wait: 1,
                who: record.tid().unwrap_or(0) as u8,
                new_buffer,
                payload: record.payload(),
            };
            command.push(&mut script);
            new_buffer = false;
            if script.len() > LONGEST {
                corpus.add("etl_record", &format!("{name}-script-{scripts}"), &script)?;
                script.clear();
                scripts += 1;
            }
        }
    }
    corpus.add("etl_record", &format!("{name}-script-{scripts}"), &script)
}

fn kind_of(record: &Record<'_>) -> Option<(u16, u8)> {
    match (record.hook(), record.classic()) {
        (Some(hook), _) => Some((hook.id, hook.version)),
        (None, Some(event)) => Some((
            hook_of_class(event.class, event.opcode)?,
            event.version as u8,
        )),
        _ => None,
    }
}

/// Adds a record that describes events to the seeds for that; whether it is one.
fn describes(corpus: &Corpus, name: &str, number: usize, record: &Record<'_>) -> io::Result<bool> {
    let classic = record.classic().filter(|c| c.class == EVENT_METADATA);
    let (form, text) = match (classic, Chunk::of(record)) {
        (Some(classic), _) => (if classic.opcode == 33 { 5 } else { 4 }, record.payload()),
        (None, Some(chunk)) if chunk.total == 1 => (2, chunk.text),
        _ => return Ok(false),
    };
    let text = &text[..text.len().min(6_000)];
    let payload = [7; 64];
    let at = 255 * text.len() / (text.len() + payload.len()) + 1;
    let seed = [&[form, at.min(255) as u8], text, &payload[..]].concat();
    corpus.add(
        "tracelogging",
        &format!("{name}-definition-{number}"),
        &seed,
    )?;
    Ok(true)
}

/// Scripts with every hook that has a name, in all its versions, and a payload of numbers and text.
pub fn every_hook(corpus: &Corpus) -> io::Result<()> {
    let text = "\\Device\\HarddiskVolume3\\Windows\\System32\\drivers\\x.sys\0";
    let mut payload: Vec<u8> = (0..96_u8).map(|n| n / 8).collect();
    payload.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
    payload.extend(text.bytes());
    payload.extend([1; 64]);
    for form in [2, 1, 20] {
        for version in 0..6 {
            let (mut script, mut number) = (Vec::new(), 0);
            for hook in (0..=u16::MAX).filter(|hook| hook_name(*hook).is_some()) {
                let command = Command {
                    hook,
                    version,
                    form,
                    wait: 1,
                    who: hook as u8 & 3,
                    new_buffer: script.is_empty(),
                    payload: &payload,
                };
                command.push(&mut script);
                if script.len() > LONGEST {
                    let name = format!("hooks-{form}-{version}-{number}");
                    corpus.add("etl_record", &name, &script)?;
                    script.clear();
                    number += 1;
                }
            }
            corpus.add("etl_record", &format!("hooks-{form}-{version}"), &script)?;
        }
    }
    Ok(())
}
