//! Processes (0x0301 to 0x0304), version 4.

use super::{Identity, Moment, perf_info, system};
use crate::etl::bytes::Out;
use serde::Serialize;

/// A process as the kernel tells it.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct ProcessRow<'a> {
    /// Address of the process object.
    pub key: u64,
    /// Process id.
    pub pid: u32,
    /// Parent's pid.
    pub parent: u32,
    /// Session.
    pub session: u32,
    /// Exit status; 259 while it runs.
    pub exit_status: i32,
    /// Physical address of the page directory.
    pub directory: u64,
    /// 1 app id, 2 WOW64, 4 protected, 8 packaged.
    pub flags: u32,
    /// SID of its account in binary.
    pub sid: Option<&'a [u8]>,
    /// File name.
    pub image: &'a str,
    /// Command line.
    pub command_line: &'a str,
    /// Package name.
    pub package: &'a str,
    /// App id in the package.
    pub app: &'a str,
}

pub(super) fn identity(moment: Moment) -> Identity {
    match moment {
        Moment::Begin => system(0x0301, 4),
        Moment::End => system(0x0302, 4),
        Moment::RundownBegin => perf_info(0x0303, 4),
        Moment::RundownEnd => perf_info(0x0304, 4),
    }
}

impl ProcessRow<'_> {
    pub(super) fn payload(&self, out: &mut Out) {
        out.ptr(self.key);
        out.u32(self.pid);
        out.u32(self.parent);
        out.u32(self.session);
        out.u32(self.exit_status as u32);
        out.ptr(self.directory);
        out.u32(self.flags);
        match self.sid {
            // A TOKEN_USER: a pointer that was good in the kernel, attributes, and only then the SID.
            Some(sid) => {
                out.ptr(self.key + 0x3F0);
                out.ptr(0);
                out.raw(sid);
            }
            None => out.u32(0),
        }
        out.narrow(self.image);
        out.wide(self.command_line);
        out.wide(self.package);
        out.wide(self.app);
    }
}
