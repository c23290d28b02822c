//! What a table shows of process events.

use super::process::{ProcessEvent, ProcessMoment};
use crate::pml::detail::{DetailText, FieldSink, Value};
use crate::pml::text::Text;
use crate::trace::time::Zone;

impl ProcessEvent<'_> {
    /// Name of the operation; Procmon's where it has one.
    pub fn operation_name(&self) -> &'static str {
        match self {
            Self::Row(row) => match row.moment {
                ProcessMoment::Start => "Process Start",
                ProcessMoment::End => "Process Exit",
                ProcessMoment::RundownStart | ProcessMoment::RundownEnd => "Process Defined",
                ProcessMoment::Defunct => "Process Defunct",
            },
            Self::Terminate { .. } => "Process Terminate",
            Self::Counters(_) => "Process Statistics",
        }
    }

    /// Hands the fields of the detail to `sink`.
    pub fn detail<S: FieldSink>(&self, sink: &mut S) {
        let row = match self {
            Self::Row(row) => row,
            Self::Terminate { pid } => {
                sink.field("PID", Value::Decimal((*pid).into()));
                return;
            }
            Self::Counters(counters) => {
                sink.field("PID", Value::Decimal(counters.pid.into()));
                sink.field("Private Bytes", Value::Grouped(counters.private));
                sink.field(
                    "Peak Private Bytes",
                    Value::Grouped(counters.peak_page_file),
                );
                sink.field("Working Set", Value::Grouped(counters.working_set));
                sink.field(
                    "Peak Working Set",
                    Value::Grouped(counters.peak_working_set),
                );
                return;
            }
        };
        let ended = matches!(row.moment, ProcessMoment::End | ProcessMoment::Defunct);
        sink.field("PID", Value::Decimal(row.pid.into()));
        if row.moment == ProcessMoment::Start {
            sink.field("Parent PID", Value::Decimal(row.parent_pid.into()));
        }
        if ended {
            if let Some(status) = row.exit_status {
                sink.field("Exit Status", Value::DecimalSigned(status.into()));
            }
            if let Some(time) = row.exit_time {
                sink.field("Exit Time", Value::Time(time));
            }
        } else {
            sink.field("Command line", Value::Text(Text::Utf16(row.command_line.0)));
        }
    }

    /// Appends the detail, with times in UTC.
    pub fn push_detail(&self, out: &mut String) {
        self.detail(&mut DetailText::new(out, &Zone::UTC));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::etl::kernel::process::hook;
    use crate::etl::kernel::sample::Sample;
    use crate::pml::operations::PROCESS;

    fn texts(hook: u16, version: u16, sample: &Sample) -> (&'static str, String) {
        let event = sample.whole(|fields| ProcessEvent::parse(hook, version, fields));
        let mut detail = String::new();
        event.push_detail(&mut detail);
        (event.operation_name(), detail)
    }

    #[test]
    fn rows_read_like_procmons() {
        let row = |status| {
            let head = Sample::new(true).ptr(7).u32(8).u32(4).u32(1).u32(status);
            head.ptr(0).u32(0).narrow_text("a.exe")
        };
        let alive = row(259).wide_text("a.exe -x");
        let expected = (
            "Process Start",
            "PID: 8, Parent PID: 4, Command line: a.exe -x",
        );
        assert_eq!(
            texts(hook::START, 3, &alive),
            (expected.0, expected.1.to_owned())
        );
        let expected = ("Process Defined", "PID: 8, Command line: a.exe -x");
        assert_eq!(
            texts(hook::RUNDOWN_END, 3, &alive),
            (expected.0, expected.1.to_owned())
        );
        let ended = row(u32::MAX).wide_text("");
        let expected = ("Process Exit", "PID: 8, Exit Status: -1");
        assert_eq!(
            texts(hook::END, 3, &ended),
            (expected.0, expected.1.to_owned())
        );
        for name in [
            "Process Start",
            "Process Exit",
            "Process Defined",
            "Process Statistics",
        ] {
            assert!(PROCESS.contains(&name));
        }
    }
}
