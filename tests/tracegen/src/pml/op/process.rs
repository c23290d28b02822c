//! Process (class 1) and profiling (class 4) events.

use crate::pml::bytes::Out;
use crate::pml::{Bits, ProcId};
use serde::Serialize;

/// What Process Create and Process Defined say of the new process.
#[derive(Debug, Clone, Serialize)]
pub struct CreateRecord {
    /// The new process's index in the process table.
    pub index: ProcId,
    /// Its pid.
    pub pid: u32,
    /// Parent's process index.
    pub parent_index: u32,
    /// Parent's pid.
    pub parent_pid: u32,
    /// Session.
    pub session: u32,
    /// 64-bit process.
    pub is_64: bool,
    /// Creation time.
    pub created: u64,
    /// Logon session LUID.
    pub auth_id: u64,
    /// User SID in binary.
    pub user_sid: Vec<u8>,
    /// Integrity SID in binary.
    pub integrity_sid: Vec<u8>,
    /// Image path.
    pub path: String,
    /// Command line.
    pub command_line: String,
}

/// Counters of Process Exit and Process Statistics.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct ExitRecord {
    /// Exit status.
    pub status: i32,
    /// Kernel time in 100 ns.
    pub kernel: u64,
    /// User time in 100 ns.
    pub user: u64,
    /// Working set.
    pub working_set: u64,
    /// Peak working set.
    pub peak_working_set: u64,
    /// Private bytes.
    pub private: u64,
    /// Peak private bytes.
    pub peak_private: u64,
}

/// A process event.
#[derive(Debug, Clone, Serialize)]
pub enum ProcessOp {
    /// 0: a process that ran before the log began.
    Defined(CreateRecord),
    /// 1.
    Create(CreateRecord),
    /// 2.
    Exit(ExitRecord),
    /// 3, with the new thread's id.
    ThreadCreate(u32),
    /// 4.
    ThreadExit {
        /// Exit status.
        status: i32,
        /// Kernel time in 100 ns.
        kernel: u64,
        /// User time in 100 ns.
        user: u64,
    },
    /// 5.
    LoadImage {
        /// Load address.
        base: u64,
        /// Bytes in memory.
        size: u32,
        /// Image path.
        path: String,
    },
    /// 7.
    Start {
        /// Parent's pid.
        parent_pid: u32,
        /// Command line.
        command_line: String,
        /// Current directory.
        directory: String,
        /// `NAME=value` each.
        environment: Vec<String>,
    },
    /// 8.
    Statistics(ExitRecord),
}

impl ProcessOp {
    pub(crate) fn number(&self) -> u16 {
        match self {
            Self::Defined(_) => 0,
            Self::Create(_) => 1,
            Self::Exit(_) => 2,
            Self::ThreadCreate(_) => 3,
            Self::ThreadExit { .. } => 4,
            Self::LoadImage { .. } => 5,
            Self::Start { .. } => 7,
            Self::Statistics(_) => 8,
        }
    }

    pub(crate) fn path(&self) -> Option<&str> {
        match self {
            Self::Defined(c) | Self::Create(c) => Some(&c.path),
            Self::LoadImage { path, .. } => Some(path),
            _ => None,
        }
    }

    pub(crate) fn detail(&self, out: &mut Out, bits: Bits) {
        match self {
            Self::Defined(c) | Self::Create(c) => c.write(out),
            Self::Exit(e) | Self::Statistics(e) => e.write(out),
            Self::ThreadCreate(tid) => out.u32(*tid),
            Self::ThreadExit {
                status,
                kernel,
                user,
            } => {
                out.u32(*status as u32);
                out.u64(*kernel);
                out.u64(*user);
            }
            Self::LoadImage { base, size, path } => {
                out.ptr(bits, *base);
                out.u32(*size);
                out.info(path);
                out.junk(2);
                out.text(path);
            }
            Self::Start {
                parent_pid,
                command_line,
                directory,
                environment,
            } => {
                let chars: usize = environment
                    .iter()
                    .map(|e| e.encode_utf16().count() + 1)
                    .sum();
                out.u32(*parent_pid);
                out.info(command_line);
                out.info(directory);
                out.u32(chars as u32 + 1);
                out.text(command_line);
                out.text(directory);
                for variable in environment {
                    out.utf16(variable);
                    out.u16(0);
                }
                out.u16(0);
            }
        }
    }
}

impl CreateRecord {
    fn write(&self, out: &mut Out) {
        out.u32(self.index.0);
        out.u32(self.pid);
        out.u32(self.parent_index);
        out.u32(self.parent_pid);
        out.u32(self.session);
        out.u32(self.is_64.into());
        out.u64(self.created);
        out.u64(self.auth_id);
        out.u32(0);
        out.u8(self.user_sid.len() as u8);
        out.u8(self.integrity_sid.len() as u8);
        out.info(&self.path);
        out.info(&self.command_line);
        out.junk(2);
        out.raw(&self.user_sid);
        out.raw(&self.integrity_sid);
        out.text(&self.path);
        out.text(&self.command_line);
    }
}

impl ExitRecord {
    fn write(&self, out: &mut Out) {
        out.u32(self.status as u32);
        for v in [
            self.kernel,
            self.user,
            self.working_set,
            self.peak_working_set,
            self.private,
            self.peak_private,
        ] {
            out.u64(v);
        }
    }
}

/// A profiling event.
#[derive(Debug, Clone, Serialize)]
pub enum Profiling {
    /// 0.
    Thread {
        /// User time in 100 ns.
        user: u32,
        /// Kernel time in 100 ns.
        kernel: u32,
        /// Context switches.
        switches: u32,
    },
    /// 1.
    Process {
        /// User time in 100 ns.
        user: u64,
        /// Kernel time in 100 ns.
        kernel: u64,
        /// Working set.
        working_set: u64,
        /// Private bytes.
        private: u64,
    },
}

impl Profiling {
    pub(crate) fn number(&self) -> u16 {
        match self {
            Self::Thread { .. } => 0,
            Self::Process { .. } => 1,
        }
    }

    pub(crate) fn detail(&self, out: &mut Out) {
        match self {
            Self::Thread {
                user,
                kernel,
                switches,
            } => {
                out.u32(*user);
                out.u32(*kernel);
                out.u32(*switches);
            }
            Self::Process {
                user,
                kernel,
                working_set,
                private,
            } => {
                for v in [user, kernel, working_set, private] {
                    out.u64(*v);
                }
            }
        }
    }
}
