//! The process table: processes and the images they have loaded.

use super::Bits;
use super::bytes::Out;
use super::tables::Strings;
use serde::Serialize;

/// A process's index in the process table, which is what events refer to. It is not a pid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct ProcId(pub u32);

/// A loaded image. The kernel's drivers are the modules of the process with pid 4.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Module {
    /// Load address.
    pub base: u64,
    /// Bytes in memory.
    pub size: u32,
    /// Image path.
    pub path: String,
    /// File version.
    pub version: String,
    /// Company name; empty where the file has no version information.
    pub company: String,
    /// File description.
    pub description: String,
    /// PE timestamp.
    pub timestamp: u32,
}

impl Module {
    /// An image without version information.
    pub fn new(base: u64, size: u32, path: impl Into<String>) -> Self {
        Self {
            base,
            size,
            path: path.into(),
            timestamp: 0x5E2C_91A7,
            ..Self::default()
        }
    }

    /// Sets the version information.
    pub fn named(mut self, company: &str, description: &str, version: &str) -> Self {
        self.company = company.into();
        self.description = description.into();
        self.version = version.into();
        self
    }

    /// An address inside the image.
    pub fn at(&self, offset: u64) -> u64 {
        self.base + offset % u64::from(self.size.max(1))
    }
}

/// A process of the log.
#[derive(Debug, Clone, Serialize)]
pub struct Process {
    /// Process id.
    pub pid: u32,
    /// Parent's pid.
    pub parent_pid: u32,
    /// Logon session LUID.
    pub auth_id: u64,
    /// Session number.
    pub session: u32,
    /// Start, FILETIME.
    pub start: u64,
    /// End, FILETIME; 0 while running.
    pub end: u64,
    /// 0 false, 1 true; 0xFFFFFFFF occurs for Idle.
    pub virtualized: u32,
    /// A 64-bit process.
    pub is_64: bool,
    /// Integrity level.
    pub integrity: String,
    /// Account.
    pub user: String,
    /// File name.
    pub name: String,
    /// Image path.
    pub image_path: String,
    /// Command line.
    pub command_line: String,
    /// Company name.
    pub company: String,
    /// File version.
    pub version: String,
    /// File description.
    pub description: String,
    /// Loaded images.
    pub modules: Vec<Module>,
}

impl Process {
    /// A process of the SYSTEM account in session 0 without modules; its name is the last part of the path.
    pub fn new(pid: u32, parent_pid: u32, image_path: &str) -> Self {
        Self {
            pid,
            parent_pid,
            auth_id: 0x3E7,
            session: 0,
            start: 0,
            end: 0,
            virtualized: 0,
            is_64: true,
            integrity: "System".into(),
            user: "NT AUTHORITY\\SYSTEM".into(),
            name: image_path.rsplit('\\').next().unwrap_or_default().into(),
            image_path: image_path.into(),
            command_line: image_path.into(),
            company: String::new(),
            version: String::new(),
            description: String::new(),
            modules: Vec::new(),
        }
    }

    pub(crate) fn write(
        &self,
        out: &mut Out,
        bits: Bits,
        id: ProcId,
        parent: u32,
        strings: &mut Strings,
    ) {
        out.u32(id.0);
        out.u32(self.pid);
        out.u32(self.parent_pid);
        out.u32(parent);
        out.u64(self.auth_id);
        out.u32(self.session);
        out.junk(4);
        out.u64(self.start);
        out.u64(self.end);
        out.u32(self.virtualized);
        out.u32(self.is_64.into());
        for text in [
            &self.integrity,
            &self.user,
            &self.name,
            &self.image_path,
            &self.command_line,
            &self.company,
            &self.version,
            &self.description,
        ] {
            out.u32(strings.number(text));
        }
        out.u32(1);
        out.u32(2);
        // The low byte of this field is 1 in every record seen, the rest is uninitialised.
        out.u8(1);
        out.junk(bits.ptr() - 1);
        out.u32(self.modules.len() as u32);
        for module in &self.modules {
            module.write(out, bits, self.start, strings);
        }
    }
}

impl Module {
    fn write(&self, out: &mut Out, bits: Bits, loaded: u64, strings: &mut Strings) {
        let start = out.len();
        out.ptr(bits, loaded & 0xFFFF_FFFF);
        out.ptr(bits, self.base);
        out.u32(self.size);
        for text in [&self.path, &self.version, &self.company, &self.description] {
            out.u32(strings.number(text));
        }
        out.u32(self.timestamp);
        out.u64(0);
        out.u32(0);
        out.u32(self.size);
        out.u32(0);
        out.u32((loaded >> 32) as u32);
        debug_assert_eq!(out.len() - start, 48 + 2 * bits.ptr());
    }
}
