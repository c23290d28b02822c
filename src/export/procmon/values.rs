//! The values of Procmon's columns: the one place that renders them as Procmon does.

use super::clock::{Clock, push_seconds, push_span};
use super::columns::ProcmonColumn;
use super::escape::Escape;
use crate::codes::procmon::{result_text, write_result};
use crate::pml::detail::{self, DetailText, Dialect, Mode, finish_detail};
use crate::pml::operations::{class_name, operation_name};
use crate::pml::{PmlTrace, Record};
use crate::trace::{Filetime, Process, Trace as _, Zone};

/// Renders values, one after the other, and keeps its buffers for the next one.
pub(super) struct Values<'a> {
    trace: &'a PmlTrace,
    mode: Mode,
    zone: &'a Zone,
    clock: Clock<'a>,
    first: Filetime,
    text: String,
    number: itoa::Buffer,
}

impl<'a> Values<'a> {
    /// For the events of `trace`, as a machine in `zone` exports them with the build `dialect`.
    pub fn new(trace: &'a PmlTrace, dialect: Dialect, zone: &'a Zone) -> Self {
        Self {
            trace,
            mode: Mode::Procmon(dialect),
            zone,
            clock: Clock::new(zone),
            first: trace.info().first.unwrap_or_default(),
            text: String::new(),
            number: itoa::Buffer::new(),
        }
    }

    /// The value of a column that depends on the event.
    #[inline]
    pub fn push<E: Escape>(
        &mut self,
        column: ProcmonColumn,
        record: &Record<'_>,
        out: &mut Vec<u8>,
    ) {
        let time = Filetime(record.time());
        match column {
            ProcmonColumn::TimeOfDay => self.clock.push_time_of_day(time, out),
            ProcmonColumn::DateTime => self.clock.push_date_and_time(time, out),
            ProcmonColumn::RelativeTime => push_span(time.0.saturating_sub(self.first.0), out),
            ProcmonColumn::Duration => {
                if let Some(duration) = record.duration() {
                    push_seconds(duration, out);
                }
            }
            ProcmonColumn::CompletionTime => {
                if let Some(duration) = record.duration() {
                    self.clock.push_time_of_day(time.plus(duration), out);
                }
            }
            // The names of the tables may hold `<` and `&`.
            ProcmonColumn::Operation => E::push(operation_name(record), out),
            ProcmonColumn::EventClass => E::push(class_name(record.class()), out),
            ProcmonColumn::Category => E::push(detail::category(record), out),
            ProcmonColumn::Tid => {
                out.extend_from_slice(self.number.format(record.tid()).as_bytes());
            }
            ProcmonColumn::Result => match result_text(record.status()) {
                Some(name) => E::push(name, out),
                None => {
                    self.text.clear();
                    write_result(record.status(), &mut self.text);
                    E::push(&self.text, out);
                }
            },
            ProcmonColumn::Path => {
                self.text.clear();
                detail::push_path(record, &self.trace.file().hosts, &mut self.text);
                E::push(&self.text, out);
            }
            ProcmonColumn::Detail => {
                self.text.clear();
                let mut sink = DetailText::new(&mut self.text, self.zone);
                detail::detail(record, self.trace.accounts(), self.mode, &mut sink);
                finish_detail(&mut self.text);
                E::push(&self.text, out);
            }
            // The others are the process's: `push_of_process`.
            _ => {}
        }
    }
}

/// The value of a column that depends on the process; nothing for an event whose process the log does not know.
pub(super) fn push_of_process<E: Escape>(
    column: ProcmonColumn,
    process: Option<&Process>,
    out: &mut Vec<u8>,
) {
    // Procmon shows its own sequence numbers on the screen only.
    if column == ProcmonColumn::Sequence {
        out.extend_from_slice(b"n/a");
        return;
    }
    let Some(process) = process else {
        return;
    };
    match column {
        ProcmonColumn::ProcessName => E::push(&process.name, out),
        ProcmonColumn::Pid => push_number(process.pid, out),
        ProcmonColumn::ImagePath => E::push(&process.image_path, out),
        ProcmonColumn::Company => E::push(&process.company, out),
        ProcmonColumn::Description => E::push(&process.description, out),
        ProcmonColumn::Version => E::push(&process.version, out),
        ProcmonColumn::User => E::push(&process.user, out),
        ProcmonColumn::AuthenticationId => {
            if let Some(id) = process.auth_id {
                push_auth_id(id, out);
            }
        }
        ProcmonColumn::Session => push_known(process.session, out),
        ProcmonColumn::CommandLine => E::push(&process.command_line, out),
        ProcmonColumn::Virtualized => out.extend_from_slice(match process.virtualized {
            Some(false) => b"False",
            Some(true) => b"True",
            None => b"n/a",
        }),
        ProcmonColumn::Integrity => E::push(&process.integrity, out),
        ProcmonColumn::ParentPid => push_known(process.parent_pid, out),
        ProcmonColumn::Architecture => out.extend_from_slice(match process.is_64 {
            Some(true) => b"64-bit",
            Some(false) => b"32-bit",
            None => b"",
        }),
        _ => {}
    }
}

/// `00000000:000003e7`.
pub(super) fn push_auth_id(id: u64, out: &mut Vec<u8>) {
    for shift in (0..16).rev() {
        if shift == 7 {
            out.push(b':');
        }
        out.push(b"0123456789abcdef"[(id >> (shift * 4) & 15) as usize]);
    }
}

fn push_known(number: Option<u32>, out: &mut Vec<u8>) {
    if let Some(number) = number {
        push_number(number, out);
    }
}

fn push_number(number: u32, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::super::escape::Csv;
    use super::*;

    #[test]
    fn logon_sessions_have_two_halves() {
        let mut out = Vec::new();
        push_auth_id(0x12_0001_E0AC, &mut out);
        assert_eq!(out, b"00000012:0001e0ac");
    }

    #[test]
    fn an_unknown_process_leaves_its_fields_empty() {
        for column in ProcmonColumn::ALL {
            let mut out = Vec::new();
            push_of_process::<Csv>(*column, None, &mut out);
            assert_eq!(out.is_empty(), *column != ProcmonColumn::Sequence);
        }
        let mut out = Vec::new();
        push_of_process::<Csv>(ProcmonColumn::Session, Some(&Process::unknown(8)), &mut out);
        push_of_process::<Csv>(
            ProcmonColumn::Virtualized,
            Some(&Process::unknown(8)),
            &mut out,
        );
        push_of_process::<Csv>(ProcmonColumn::Pid, Some(&Process::unknown(8)), &mut out);
        assert_eq!(out, b"n/a8");
    }
}
