//! Writes the seeds of all targets: `seeds CORPUS [REAL]`. CORPUS gets a folder a target; REAL is a folder with real
//! `pml/` and `etl/` files, of which slices are taken. Seeds are small: a mutation should hit what matters.

mod archives;
mod cases;
mod hooks;
mod records;

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use tracegen::etl::compress;
use tracegen::logs::Paper;
use tracegen::pml::{Bits, LogBuilder};
use tracegen::scenario::{
    Case, EtlOptions, boot_case, boot_case_32, boot_story, held_case, short_boot_trace,
};

struct Corpus(PathBuf);

impl Corpus {
    fn add(&self, target: &str, name: &str, bytes: &[u8]) -> io::Result<()> {
        let folder = self.0.join(target);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(name), bytes)
    }
}

/// A log with one event of each operation of a case.
fn small_log(case: &Case, bits: Bits, most: usize) -> LogBuilder {
    let mut seen = std::collections::HashSet::new();
    let mut log = LogBuilder::new(bits);
    log.computer("BANK-PC-0417").system_root("C:\\Windows");
    for (id, process) in case.log.processes() {
        log.process_at(id, process.clone());
    }
    for event in &case.events {
        let failed = event.status >> 30 == 3;
        if seen.insert((event.op.number(), event.op.sub(), failed)) && log.len() < most {
            log.event(event);
        }
    }
    log
}

fn offsets_of(log: &[u8]) -> Vec<usize> {
    let u32 = |at: usize| u32::from_le_bytes(log[at..at + 4].try_into().unwrap()) as usize;
    let index = u32(0x248);
    (0..u32(0x234))
        .map(|n| u32(index + 5 * n))
        .chain([index])
        .collect()
}

fn pml(corpus: &Corpus, name: &str, bytes: &[u8], wide: bool) -> io::Result<()> {
    corpus.add("pml_open", name, bytes)?;
    corpus.add("end_to_end", name, bytes)?;
    let offsets = offsets_of(bytes);
    for (number, place) in offsets.windows(2).enumerate().take(200) {
        let mut record = vec![0xFE | u8::from(!wide)];
        record.extend(&bytes[place[0]..place[1]]);
        corpus.add("pml_event", &format!("{name}-{number}"), &record)?;
    }
    let mut unclosed = bytes[..offsets[offsets.len() - 1]].to_vec();
    unclosed[0x234..0x238].fill(0);
    unclosed[0x240..0x268].fill(0);
    unclosed[0x3A0..0x3A8].fill(0);
    corpus.add("pml_open", &format!("{name}-unclosed"), &unclosed)
}

/// The first buffer, and some of the others.
fn etl(corpus: &Corpus, name: &str, bytes: &[u8]) -> io::Result<()> {
    let mut buffers = Vec::new();
    let mut at = 0;
    while at + 72 <= bytes.len() {
        let size = u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
        if size < 72 || at + size > bytes.len() {
            break;
        }
        buffers.push(&bytes[at..at + size]);
        at += size;
    }
    let Some((first, rest)) = buffers.split_first() else {
        return Ok(());
    };
    records::add(corpus, name, bytes)?;
    let step = (rest.len() / 12).max(1);
    for (number, chosen) in rest.chunks(step).enumerate().take(12) {
        let buffer = chosen[0];
        corpus.add(
            "etl_buffer",
            &format!("{name}-{number}"),
            &[*first, buffer].concat(),
        )?;
        let filled = u32::from_le_bytes(buffer[0x30..0x34].try_into().unwrap()) as usize;
        let is_compressed = buffer[0x34] & 1 != 0;
        let data = &buffer[72..filled.min(buffer.len()).max(72)];
        match is_compressed {
            true => {
                let size = (filled - 72).min(0xFFFF) as u16;
                let packed = [&size.to_le_bytes(), &buffer[72..]].concat();
                corpus.add("lz77", &format!("{name}-{number}"), &packed)?;
            }
            false => corpus.add(
                "etl_record",
                &format!("{name}-{number}"),
                &data[..data.len().min(4_096)],
            )?,
        }
    }
    let some: Vec<&[u8]> = rest.iter().step_by(step).take(6).copied().collect();
    let few = [&[*first], &some[..]].concat().concat();
    if few.len() <= 1 << 20 {
        corpus.add("end_to_end", name, &few)?;
        corpus.add("etl_buffer", &format!("{name}-few"), &few)?;
    }
    Ok(())
}

fn generated(corpus: &Corpus) -> io::Result<()> {
    pml(
        corpus,
        "boot64",
        &small_log(&boot_case(), Bits::B64, 60).finish(),
        true,
    )?;
    pml(
        corpus,
        "boot32",
        &small_log(&boot_case_32(), Bits::B32, 60).finish(),
        false,
    )?;
    pml(
        corpus,
        "held",
        &small_log(&held_case().0, Bits::B64, 40).finish(),
        true,
    )?;
    let small = EtlOptions {
        buffer_size: 4_096,
        ..EtlOptions::default()
    };
    let traces = [
        ("plain", small),
        (
            "packed",
            EtlOptions {
                compressed: true,
                ..small
            },
        ),
        (
            "unfinalised",
            EtlOptions {
                finalised: false,
                ..small
            },
        ),
    ];
    for (name, options) in traces {
        etl(corpus, name, &short_boot_trace(options).bytes())?;
    }
    for (name, text) in [(
        "text",
        &b"abcabcabcabcabcabcabc\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"[..],
    )] {
        let size = (text.len() as u16).to_le_bytes();
        corpus.add("lz77", name, &[&size[..], &compress(text)].concat())?;
    }
    schemas(corpus)?;
    for (name, bytes) in logs()? {
        let cut = &bytes[..bytes.len().min(8 << 10)];
        let end = &bytes[bytes.len().saturating_sub(8 << 10)..];
        let target = if name.starts_with("CBS") {
            "cbs"
        } else {
            "setupapi"
        };
        corpus.add(target, "start", cut)?;
        corpus.add(target, "end", end)?;
        let wide: Vec<u8> = cut.iter().take(2_000).flat_map(|b| [*b, 0]).collect();
        corpus.add(target, "utf16", &[&[0xFF, 0xFE], &wide[..]].concat())?;
        archives::add(corpus, name, cut)?;
    }
    records::every_hook(corpus)?;
    cases::add(corpus)
}

/// The logs of the boot case, in UTC.
fn logs() -> io::Result<Vec<(&'static str, Vec<u8>)>> {
    let (story, paper) = (boot_story(), Paper::default());
    Ok(vec![
        ("CBS.log", tracegen::logs::cbs(&story, &paper).bytes),
        (
            "setupapi.dev.log",
            tracegen::logs::setupapi(&story, &paper).bytes,
        ),
    ])
}

/// A TraceLogging schema: size, tags, name, fields; split off by the second byte of the input.
fn schemas(corpus: &Corpus) -> io::Result<()> {
    let mut fields = vec![0, 0, 0];
    fields.extend(b"Event\0");
    for (name, kind) in [
        ("a", 1_u8),
        ("b", 2),
        ("c", 8),
        ("d", 15),
        ("e", 17),
        ("f", 19),
    ] {
        fields.extend(name.as_bytes());
        fields.extend([0, kind]);
    }
    fields.extend(b"list\0\x48");
    fields.extend(b"group\0\x98\x02x\0\x08y\0\x01");
    let len = fields.len() as u16;
    fields[..2].copy_from_slice(&len.to_le_bytes());
    let payload = b"w\0i\0d\0e\0\0\0narrow\0\x01\0\0\0\x01\0\0\0\0\0\0\0\x01\x02\x03\x04\x05\x06\x07\x08\x02\0\x01\0\0\0\x02\0\0\0";
    for form in 0..4 {
        let at = 255 * fields.len() / (fields.len() + payload.len()) + 1;
        let seed = [&[form, at as u8], &fields[..], payload].concat();
        corpus.add("tracelogging", &format!("form-{form}"), &seed)?;
    }
    Ok(())
}

/// Slices of real files: the head of each log with its first events, the first buffers of each trace.
fn real(corpus: &Corpus, folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder.join("pml"))?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.ends_with(".pml") {
            continue;
        }
        let bytes = fs::read(entry.path())?;
        corpus.add("pml_open", &name, &bytes[..bytes.len().min(24 << 10)])?;
        let offsets = offsets_of(&bytes);
        let wide = bytes[8] == 1;
        for (number, place) in offsets
            .windows(2)
            .enumerate()
            .step_by(offsets.len() / 120 + 1)
        {
            let mut record = vec![0xFE | u8::from(!wide)];
            record.extend(&bytes[place[0]..place[1]]);
            corpus.add("pml_event", &format!("{name}-{number}"), &record)?;
        }
    }
    for entry in fs::read_dir(folder.join("etl"))?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".etl") && entry.metadata()?.len() < 64 << 20 {
            etl(corpus, &name, &fs::read(entry.path())?)?;
        }
    }
    Ok(())
}

fn main() -> io::Result<()> {
    let mut args = std::env::args_os().skip(1);
    let Some(folder) = args.next() else {
        writeln!(io::stderr(), "usage: seeds CORPUS [REAL]")?;
        std::process::exit(2);
    };
    let corpus = Corpus(folder.into());
    generated(&corpus)?;
    args.next()
        .map_or(Ok(()), |folder| real(&corpus, Path::new(&folder)))
}
