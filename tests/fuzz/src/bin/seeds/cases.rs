//! Cases of several files, small enough to be mutated as one input.

use crate::{Corpus, logs, small_log};
use fltscope_fuzz::case::MARK;
use std::collections::HashSet;
use std::io;
use tracegen::pml::Bits;
use tracegen::scenario::{Case, EtlOptions, boot_case, held_case, short_boot_case, trace_of};

/// A case with one event of each operation and result.
fn thin(mut case: Case) -> Case {
    let mut seen = HashSet::new();
    case.events.retain(|event| {
        let failed = event.status >> 30 == 3;
        seen.insert((event.op.number(), event.op.sub(), failed))
    });
    case
}

/// Adds cases of traces and logs.
pub fn add(corpus: &Corpus) -> io::Result<()> {
    let logs: Vec<Vec<u8>> = logs()?
        .into_iter()
        .map(|(_, bytes)| bytes[bytes.len().saturating_sub(10 << 10)..].to_vec())
        .collect();
    let options = EtlOptions {
        buffer_size: 4_096,
        ..EtlOptions::default()
    };
    let boot = small_log(&boot_case(), Bits::B64, 30).finish();
    let held = small_log(&held_case().0, Bits::B64, 40).finish();
    let trace = trace_of(&thin(short_boot_case()), options).bytes();
    let held_trace = trace_of(&thin(held_case().0), options).bytes();
    for (name, files) in [
        ("log-and-logs", vec![&boot, &logs[0], &logs[1]]),
        ("held-and-logs", vec![&held, &logs[0], &logs[1]]),
        ("trace-and-logs", vec![&trace, &logs[0], &logs[1]]),
        ("held-trace-and-logs", vec![&held_trace, &logs[0], &logs[1]]),
        ("parts", vec![&boot, &held]),
        ("both-kinds", vec![&held, &held_trace]),
        ("logs", vec![&logs[0], &logs[1]]),
    ] {
        let files: Vec<&[u8]> = files.into_iter().map(Vec::as_slice).collect();
        corpus.add("end_to_end", name, &files.join(MARK))?;
    }
    Ok(())
}
