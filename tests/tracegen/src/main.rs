//! `tracegen`: writes the sample cases, large logs for timing, and what must be found in them.

#![forbid(unsafe_code)]

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tracegen::logs::{Encoding, Paper, Zone, cbs, setupapi};
use tracegen::scenario::{
    Case, EtlCase, EtlOptions, EtlTruth, Truth, before_case, before_story, boot_case, boot_case_32,
    boot_story, boot_trace, boot_trace_32, clean_case, clean_trace, held_case, held_trace,
    hostile_case, short_boot_case, short_boot_trace,
};

const USAGE: &str = "usage:
  tracegen sample CASE DIR                  write the case's files into DIR
  tracegen truth CASE                       print what an analysis must find (JSON)
  tracegen dump CASE                        print every event or record meant (JSON lines)
  tracegen processes LOG                    print every process meant (JSON lines)
  tracegen operations TRACE                 print every operation meant, with its callbacks (JSON lines)
  tracegen logs MINUTES DIR                 write CBS.log and setupapi.dev.log of the boot case, in a zone
                                            MINUTES ahead of UTC, into DIR
  tracegen before DIR                       write a case whose attempt failed before the traced boot into DIR
  tracegen big --bytes SIZE OUT.pml         write a log of about SIZE (suffix K, M or G) bytes
  tracegen big --bytes SIZE OUT.log         the same as CBS.log
  tracegen big-etl SIZE OUT.etl [compressed]  write a trace of about SIZE bytes
CASE is a LOG (boot, clean, boot32, held, hostile), a TRACE (boot-etl, clean-etl, boot32-etl, short-etl, held-etl), or boot-trace,
which has both. Behind a TRACE stand options, as in boot-etl,compressed,no-init:";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match run(&args) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!("{USAGE}");
            eprintln!("  {}", EtlOptions::WORDS.join(" "));
            ExitCode::from(2)
        }
        Err(error) => {
            eprintln!("tracegen: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What a name on the command line stands for.
enum Named {
    Log(Case, &'static str),
    Trace(Box<EtlCase>, &'static str),
    Both(Case, Box<EtlCase>),
}

/// What must be found in a case of both kinds. Their servicing spans are the same, and so are the windows.
#[derive(serde::Serialize)]
struct BothTruths<'a> {
    pml: &'a Truth,
    etl: &'a EtlTruth,
}

/// False when the arguments make no sense.
fn run(args: &[&str]) -> io::Result<bool> {
    let mut out = BufWriter::new(io::stdout().lock());
    match args {
        ["logs", minutes, dir] => {
            let Ok(minutes) = minutes.parse() else {
                return Ok(false);
            };
            let mut paper = Paper {
                zone: Zone { minutes },
                ..Paper::default()
            };
            let story = boot_story();
            let dir = Path::new(dir);
            std::fs::create_dir_all(dir)?;
            std::fs::write(dir.join("CBS.log"), cbs(&story, &paper).bytes)?;
            paper.encoding = Encoding::Gbk;
            std::fs::write(dir.join("setupapi.dev.log"), setupapi(&story, &paper).bytes)?;
        }
        ["before", dir] => {
            let mut paper = Paper {
                zone: Zone::hours(2),
                // Two hours ahead of UTC, and fast.
                skew_ms: 3_700,
                filler: 20,
                ..Paper::default()
            };
            let story = before_story();
            let cbs = cbs(&story, &paper);
            paper.encoding = Encoding::Utf8;
            let setup = setupapi(&story, &paper);
            let dir = Path::new(dir);
            std::fs::create_dir_all(dir)?;
            std::fs::write(dir.join("CBS.log"), &cbs.bytes)?;
            std::fs::write(dir.join("setupapi.dev.log"), &setup.bytes)?;
            before_case(&cbs, &setup)
                .log
                .write_to(dir.join("boot_after.pml"))?;
        }
        ["big", "--bytes", size, path] if path.ends_with(".log") => {
            let Some(bytes) = parse_size(size) else {
                return Ok(false);
            };
            let path = PathBuf::from(path);
            let bytes = tracegen::logs::big::cbs_to(bytes, Encoding::Utf8Mark, &path)?;
            writeln!(out, "{bytes} bytes")?;
        }
        ["big", "--bytes", size, path] => {
            let Some(bytes) = parse_size(size) else {
                return Ok(false);
            };
            let report = tracegen::big::write(bytes, Path::new(path))?;
            writeln!(
                out,
                "{} bytes, {} events, {} processes",
                report.bytes, report.events, report.processes
            )?;
        }
        ["big-etl", size, path, how @ ..] => {
            let (Some(bytes), [] | ["compressed"]) = (parse_size(size), how) else {
                return Ok(false);
            };
            let report = tracegen::big_etl::write(bytes, Path::new(path), !how.is_empty())?;
            writeln!(out, "{} bytes, {} records", report.bytes, report.records)?;
        }
        [verb, name, rest @ ..] => {
            let Some(case) = case(name, *verb == "dump") else {
                return Ok(false);
            };
            if !of_case(verb, &case, rest, &mut out)? {
                return Ok(false);
            }
        }
        _ => return Ok(false),
    }
    out.flush()?;
    Ok(true)
}

fn of_case(verb: &str, case: &Named, rest: &[&str], out: &mut impl Write) -> io::Result<bool> {
    match (verb, case, rest) {
        ("sample", case, [dir]) => {
            let dir = Path::new(dir);
            std::fs::create_dir_all(dir)?;
            match case {
                Named::Log(log, file) => log.log.write_to(dir.join(file))?,
                Named::Trace(trace, file) => trace.trace.write_to(dir.join(file))?,
                Named::Both(log, trace) => {
                    log.log.write_to(dir.join("boot_trace.pml"))?;
                    trace.trace.write_to(dir.join("boot_trace.etl"))?;
                }
            }
        }
        ("truth", case, []) => {
            match case {
                Named::Log(log, _) => serde_json::to_writer_pretty(&mut *out, &log.truth)?,
                Named::Trace(trace, _) => serde_json::to_writer_pretty(&mut *out, &trace.truth)?,
                Named::Both(log, trace) => {
                    let truths = BothTruths {
                        pml: &log.truth,
                        etl: &trace.truth,
                    };
                    serde_json::to_writer_pretty(&mut *out, &truths)?;
                }
            }
            out.write_all(b"\n")?;
        }
        ("dump", Named::Log(log, _), []) => log.dump(out)?,
        ("dump", Named::Trace(trace, _) | Named::Both(_, trace), []) => trace.dump(out)?,
        ("processes", Named::Log(log, _) | Named::Both(log, _), []) => log.dump_processes(out)?,
        ("operations", Named::Trace(trace, _) | Named::Both(_, trace), []) => {
            trace.dump_operations(out)?;
        }
        _ => return Ok(false),
    }
    Ok(true)
}

/// The case of a name; `meaning` keeps the events of a trace in words.
fn case(name: &str, meaning: bool) -> Option<Named> {
    let (name, words) = name.split_once(',').unwrap_or((name, ""));
    let mut options = EtlOptions {
        meaning,
        ..EtlOptions::default()
    };
    let words = words.split(',').filter(|word| !word.is_empty());
    let mut given = 0;
    for word in words {
        given += 1;
        if !options.set(word) {
            return None;
        }
    }
    let log = |case, file| (given == 0).then_some(Named::Log(case, file));
    let trace = |case, file| Some(Named::Trace(Box::new(case), file));
    match name {
        "boot" => log(boot_case(), "boot_log.pml"),
        "clean" => log(clean_case(), "clean.pml"),
        "boot32" => log(boot_case_32(), "boot_log_32.pml"),
        "hostile" => log(hostile_case(), "hostile.pml"),
        "held" => log(held_case().0, "held.pml"),
        "held-etl" => trace(held_trace(options).0, "held.etl"),
        "boot-etl" => trace(boot_trace(options), "boot.etl"),
        "clean-etl" => trace(clean_trace(options), "clean.etl"),
        "boot32-etl" => trace(boot_trace_32(options), "boot_32.etl"),
        "short-etl" => trace(short_boot_trace(options), "short.etl"),
        "boot-trace" => {
            options.compressed = true;
            let trace = short_boot_trace(options);
            (given == 0).then(|| Named::Both(short_boot_case(), Box::new(trace)))
        }
        _ => None,
    }
}

fn parse_size(text: &str) -> Option<u64> {
    let (digits, shift) = match text.as_bytes().last()? {
        b'K' | b'k' => (&text[..text.len() - 1], 10),
        b'M' | b'm' => (&text[..text.len() - 1], 20),
        b'G' | b'g' => (&text[..text.len() - 1], 30),
        _ => (text, 0),
    };
    digits.parse::<u64>().ok()?.checked_mul(1 << shift)
}
