//! The process list of Procmon's XML export, with the modules of each process.

use super::escape::{Escape as _, Xml};
use super::values::push_auth_id;
use crate::pml::PmlTrace;
use crate::pml::processes::Stored;
use crate::trace::{Filetime, Module, Process, Trace as _};
use std::io::{self, Write};

/// Writes `<process>` for every process of a log.
pub(super) fn write_processes(trace: &PmlTrace, out: &mut (dyn Write + Send)) -> io::Result<()> {
    let mut buffer = Vec::new();
    let processes = &trace.file().processes;
    let none = Stored::default();
    for (position, process) in trace.info().processes.iter().enumerate() {
        let number = processes.number(position).unwrap_or(0);
        let stored = processes.stored(number).unwrap_or(&none);
        buffer.clear();
        push_process(number, process, stored, &mut buffer);
        out.write_all(&buffer)?;
    }
    Ok(())
}

fn push_process(number: u32, process: &Process, stored: &Stored, out: &mut Vec<u8>) {
    line("<process>", out);
    push_number("ProcessIndex", number.into(), out);
    push_number("ProcessId", process.pid.into(), out);
    push_number(
        "ParentProcessId",
        process.parent_pid.unwrap_or(0).into(),
        out,
    );
    push_number("ParentProcessIndex", stored.parent.into(), out);
    open("AuthenticationId", out);
    push_auth_id(process.auth_id.unwrap_or(0), out);
    close("AuthenticationId", out);
    push_time("CreateTime", process.start, out);
    push_time("FinishTime", process.end, out);
    push_truth("IsVirtualized", process.virtualized, out);
    push_truth("Is64bit", process.is_64, out);
    push_text("Integrity", &process.integrity, out);
    push_text("Owner", &process.user, out);
    push_text("ProcessName", &process.name, out);
    push_text("ImagePath", &process.image_path, out);
    push_text("CommandLine", &process.command_line, out);
    push_text("CompanyName", &process.company, out);
    push_text("Version", &process.version, out);
    push_text("Description", &process.description, out);
    line("<modulelist>", out);
    for (at, module) in process.modules.iter().enumerate() {
        push_module(module, stored.module_times.get(at).copied(), out);
    }
    line("</modulelist>", out);
    line("</process>", out);
}

fn push_module(module: &Module, seen: Option<Filetime>, out: &mut Vec<u8>) {
    line("<module>", out);
    push_time("Timestamp", seen, out);
    open("BaseAddress", out);
    push_address(module.base, out);
    close("BaseAddress", out);
    push_number("Size", module.size, out);
    push_text("Path", &module.path, out);
    push_text("Version", &module.version, out);
    push_text("Company", &module.company, out);
    push_text("Description", &module.description, out);
    line("</module>", out);
}

/// `0x7ff8a2b40000`.
pub(super) fn push_address(address: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(b"0x");
    let digits = (64 - address.leading_zeros()).div_ceil(4).max(1);
    for digit in (0..digits).rev() {
        out.push(b"0123456789abcdef"[(address >> (digit * 4) & 15) as usize]);
    }
}

/// `<name>text</name>` on a line.
pub(super) fn push_text(name: &str, text: &str, out: &mut Vec<u8>) {
    open(name, out);
    Xml::push(text, out);
    close(name, out);
}

/// `<name>number</name>` on a line.
pub(super) fn push_number(name: &str, number: u64, out: &mut Vec<u8>) {
    open(name, out);
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
    close(name, out);
}

/// FILETIME ticks; 0 for a time that is not known.
fn push_time(name: &str, time: Option<Filetime>, out: &mut Vec<u8>) {
    push_number(name, time.unwrap_or_default().0, out);
}

/// 0 or 1; 0 for what is not known.
fn push_truth(name: &str, truth: Option<bool>, out: &mut Vec<u8>) {
    push_number(name, truth.unwrap_or(false).into(), out);
}

/// `<name>`.
pub(super) fn open(name: &str, out: &mut Vec<u8>) {
    out.push(b'<');
    out.extend_from_slice(name.as_bytes());
    out.push(b'>');
}

/// `</name>` and the end of the line.
pub(super) fn close(name: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b"</");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b">\r\n");
}

/// A line of markup.
pub(super) fn line(markup: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(markup.as_bytes());
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_no_padding() {
        for (address, text) in [
            (0, "0x0"),
            (0x10, "0x10"),
            (0x7FF8_A2B4_0000, "0x7ff8a2b40000"),
            (u64::MAX, "0xffffffffffffffff"),
        ] {
            let mut out = Vec::new();
            push_address(address, &mut out);
            assert_eq!(out, text.as_bytes());
        }
    }

    #[test]
    fn a_process_is_one_element() {
        let mut process = Process::unknown(4);
        process.command_line = "\"a\" & b\0".into();
        let mut out = Vec::new();
        push_process(7, &process, &Stored::default(), &mut out);
        let text = String::from_utf8(out).unwrap();
        assert!(text.starts_with("<process>\r\n<ProcessIndex>7</ProcessIndex>\r\n"));
        assert!(text.contains("<CommandLine>&quot;a&quot; &amp; b\u{FFFD}</CommandLine>\r\n"));
        assert!(text.ends_with("<modulelist>\r\n</modulelist>\r\n</process>\r\n"));
    }
}
