//! Writes to the text logs of servicing, as traces show them: they tie lines of a log to the clock of a trace.

use super::Filetime;
use super::path::file_name;

/// A text log of servicing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ServicingLog {
    /// `\Windows\Logs\CBS\CBS.log`: lines have whole seconds.
    Cbs,
    /// `\Windows\INF\setupapi.dev.log`: lines have milliseconds.
    SetupApi,
}

impl ServicingLog {
    /// The log that is written under a path, with or without its volume.
    #[inline]
    pub fn of_path(path: &str) -> Option<Self> {
        const LOGS: [(&str, ServicingLog); 2] = [
            ("\\Logs\\CBS\\CBS.log", ServicingLog::Cbs),
            ("\\INF\\setupapi.dev.log", ServicingLog::SetupApi),
        ];
        let ends = |end: &str| {
            let start = path.len().checked_sub(end.len());
            let tail = start.and_then(|at| path.as_bytes().get(at..));
            tail.is_some_and(|tail| tail.eq_ignore_ascii_case(end.as_bytes()))
        };
        let (_, log) = LOGS.into_iter().find(|(end, _)| ends(end))?;
        Some(log)
    }

    /// Its file name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cbs => "CBS.log",
            Self::SetupApi => "setupapi.dev.log",
        }
    }

    /// As findings write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cbs => "cbs",
            Self::SetupApi => "setupapi",
        }
    }
}

/// A write that succeeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogWrite {
    /// Its start.
    pub time: Filetime,
    /// Index of the record in its file.
    pub event: u64,
    /// Which log.
    pub log: ServicingLog,
    /// Where in the file; `None` where it went to the end, wherever that was.
    pub offset: Option<u64>,
    /// Bytes written.
    pub length: u32,
    /// Position in the trace's list of processes, or [`NO_PROCESS`](super::NO_PROCESS).
    pub process: u32,
}

impl LogWrite {
    /// The place that a traced offset stands for: negative ones mean the end of the file (`FILE_WRITE_TO_END_OF_FILE`)
    /// or where the writer stood (`FILE_USE_FILE_POINTER_POSITION`).
    pub fn place(offset: i64) -> Option<u64> {
        u64::try_from(offset).ok()
    }
}

/// Writes that are kept of a trace: an update makes some ten thousand.
pub const MOST_WRITES: usize = 200_000;

/// Whether a process of this name in this path is the kernel, which writes what others left in the cache.
pub fn is_lazy_writer(pid: u32, image: &str) -> bool {
    pid == 4 || file_name(image).eq_ignore_ascii_case("System")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_by_their_paths() {
        for (path, log) in [
            ("C:\\Windows\\Logs\\CBS\\CBS.log", Some(ServicingLog::Cbs)),
            (
                "\\Device\\HarddiskVolume3\\WINDOWS\\logs\\cbs\\cbs.LOG",
                Some(ServicingLog::Cbs),
            ),
            (
                "C:\\Windows\\INF\\setupapi.dev.log",
                Some(ServicingLog::SetupApi),
            ),
            (
                "C:\\Windows\\Logs\\CBS\\CbsPersist_20190224194543.log",
                None,
            ),
            ("C:\\Windows\\INF\\setupapi.setup.log", None),
            ("CBS.log", None),
            (
                "\u{e4}\u{e4}\\INF\\setupapi.dev.log",
                Some(ServicingLog::SetupApi),
            ),
            ("", None),
        ] {
            assert_eq!(ServicingLog::of_path(path), log, "{path}");
        }
        assert_eq!(LogWrite::place(-1), None);
        assert_eq!(LogWrite::place(7), Some(7));
    }
}
