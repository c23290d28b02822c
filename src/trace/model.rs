//! What both decoders say about a machine, its processes, modules and kernel images.

use super::time::Filetime;
use serde::Serialize;
use std::sync::Arc;

/// Pointer size of the traced machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Architecture {
    /// 32-bit Windows.
    #[serde(rename = "32-bit")]
    Bits32,
    /// 64-bit Windows.
    #[serde(rename = "64-bit")]
    Bits64,
}

impl Architecture {
    /// As Procmon writes it: `32-bit` or `64-bit`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bits32 => "32-bit",
            Self::Bits64 => "64-bit",
        }
    }
}

/// The traced machine; what the trace does not say is `None`.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Machine {
    /// Computer name.
    pub name: Option<String>,
    /// Windows version in words.
    pub os: Option<String>,
    /// Build number.
    pub build: Option<u32>,
    /// Pointer size.
    pub architecture: Option<Architecture>,
    /// Offset of the machine's local time from UTC, in minutes east.
    pub utc_offset_minutes: Option<i32>,
    /// Windows folder, as `C:\Windows`.
    pub system_root: Option<String>,
    /// Logical processors.
    pub processors: Option<u32>,
    /// Bytes of RAM.
    pub ram_bytes: Option<u64>,
}

/// Process id of System.
pub const SYSTEM: u32 = 4;

/// One process. Texts the trace does not hold are empty.
#[derive(Debug, Clone)]
pub struct Process {
    /// Process id; ids are used again, so it names a process only at a time.
    pub pid: u32,
    /// Process id of the parent.
    pub parent_pid: Option<u32>,
    /// Authentication id (LUID) of its logon session.
    pub auth_id: Option<u64>,
    /// Terminal session.
    pub session: Option<u32>,
    /// Start time.
    pub start: Option<Filetime>,
    /// End time, `None` while it runs.
    pub end: Option<Filetime>,
    /// UAC file and registry virtualisation.
    pub virtualized: Option<bool>,
    /// Whether it is a 64-bit process.
    pub is_64: Option<bool>,
    /// Integrity level.
    pub integrity: Arc<str>,
    /// Account.
    pub user: Arc<str>,
    /// Image file name.
    pub name: Arc<str>,
    /// Image path.
    pub image_path: Arc<str>,
    /// Command line.
    pub command_line: Arc<str>,
    /// Company in the version resource of the image.
    pub company: Arc<str>,
    /// File version of the image.
    pub version: Arc<str>,
    /// Description in the version resource of the image.
    pub description: Arc<str>,
    /// Images mapped into it.
    pub modules: Vec<Module>,
}

impl Process {
    /// A process of which only the id is known.
    pub fn unknown(pid: u32) -> Self {
        let empty: Arc<str> = Arc::from("");
        Self {
            pid,
            parent_pid: None,
            auth_id: None,
            session: None,
            start: None,
            end: None,
            virtualized: None,
            is_64: None,
            integrity: Arc::clone(&empty),
            user: Arc::clone(&empty),
            name: Arc::clone(&empty),
            image_path: Arc::clone(&empty),
            command_line: Arc::clone(&empty),
            company: Arc::clone(&empty),
            version: Arc::clone(&empty),
            description: empty,
            modules: Vec::new(),
        }
    }
}

/// An image mapped into a process or the kernel. Texts the trace does not hold are empty.
#[derive(Debug, Clone)]
pub struct Module {
    /// First address.
    pub base: u64,
    /// Bytes of address space.
    pub size: u64,
    /// Path.
    pub path: Arc<str>,
    /// File version.
    pub version: Arc<str>,
    /// Company in the version resource.
    pub company: Arc<str>,
    /// Description in the version resource.
    pub description: Arc<str>,
    /// Link time of the PE header, seconds since 1970.
    pub time_stamp: u32,
}

impl Module {
    /// The file name: what follows the last `\`.
    pub fn file_name(&self) -> &str {
        super::path::file_name(&self.path)
    }
}

/// A kernel image and when the trace first saw it loaded.
#[derive(Debug, Clone)]
pub struct KernelImage {
    /// The image.
    pub module: Module,
    /// When it was loaded; `None` where it was there before the trace or the trace does not say.
    pub loaded: Option<Filetime>,
}

/// What people call this version of Windows, with major, minor and build number; `pack` is the service pack.
pub fn windows_name((major, minor, build): (u32, u32, u32), server: bool, pack: &str) -> String {
    let name = match (major, minor, server) {
        (10, _, true) => "Windows Server".to_owned(),
        (10, _, false) if build >= 22_000 => "Windows 11".to_owned(),
        (10, _, false) => "Windows 10".to_owned(),
        (6, 3, false) => "Windows 8.1".to_owned(),
        (6, 3, true) => "Windows Server 2012 R2".to_owned(),
        (6, 2, false) => "Windows 8".to_owned(),
        (6, 2, true) => "Windows Server 2012".to_owned(),
        (6, 1, false) => "Windows 7".to_owned(),
        (6, 1, true) => "Windows Server 2008 R2".to_owned(),
        (6, 0, false) => "Windows Vista".to_owned(),
        (6, 0, true) => "Windows Server 2008".to_owned(),
        _ => "Windows".to_owned(),
    };
    let pack = if pack.is_empty() {
        String::new()
    } else {
        format!(" {pack}")
    };
    format!("{name}{pack} ({major}.{minor}.{build})")
}
