//! `tracegen`: writes the sample cases, large logs for timing, and what must be found in them.

#![forbid(unsafe_code)]

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tracegen::scenario::{Case, boot_case, boot_case_32, clean_case};

const USAGE: &str = "usage:
  tracegen sample boot|clean|boot32 DIR     write the case's files into DIR
  tracegen truth boot|clean|boot32          print what an analysis must find (JSON)
  tracegen dump boot|clean|boot32           print every event meant (JSON lines)
  tracegen processes boot|clean|boot32      print every process meant (JSON lines)
  tracegen big --bytes SIZE OUT.pml         write a log of about SIZE (suffix K, M or G) bytes";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match run(&args) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!("{USAGE}");
            ExitCode::from(2)
        }
        Err(error) => {
            eprintln!("tracegen: {error}");
            ExitCode::FAILURE
        }
    }
}

/// False when the arguments make no sense.
fn run(args: &[&str]) -> io::Result<bool> {
    let mut out = BufWriter::new(io::stdout().lock());
    match args {
        ["sample", name, dir] => {
            let Some((case, file)) = case(name) else {
                return Ok(false);
            };
            std::fs::create_dir_all(dir)?;
            case.log.write_to(Path::new(dir).join(file))?;
        }
        ["truth", name] => {
            let Some((case, _)) = case(name) else {
                return Ok(false);
            };
            serde_json::to_writer_pretty(&mut out, &case.truth)?;
            out.write_all(b"\n")?;
        }
        ["dump", name] => {
            let Some((case, _)) = case(name) else {
                return Ok(false);
            };
            case.dump(&mut out)?;
        }
        ["processes", name] => {
            let Some((case, _)) = case(name) else {
                return Ok(false);
            };
            case.dump_processes(&mut out)?;
        }
        ["big", "--bytes", size, path] => {
            let Some(bytes) = parse_size(size) else {
                return Ok(false);
            };
            let report = tracegen::big::write(bytes, &PathBuf::from(path))?;
            writeln!(
                out,
                "{} bytes, {} events, {} processes",
                report.bytes, report.events, report.processes
            )?;
        }
        _ => return Ok(false),
    }
    out.flush()?;
    Ok(true)
}

fn case(name: &str) -> Option<(Case, &'static str)> {
    Some(match name {
        "boot" => (boot_case(), "boot_log.pml"),
        "clean" => (clean_case(), "clean.pml"),
        "boot32" => (boot_case_32(), "boot_log_32.pml"),
        _ => return None,
    })
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
