//! What only ETL files have to tell: the `etl` object of `info --json`.

use super::census::Census;
use super::file::EtlFile;
use super::guid::Guid;
use super::hooks::{group_of, hook_name};
use super::providers::provider_name;
use serde::Serialize;

/// The facts; `docs/findings.md` describes each.
#[derive(Debug, Clone, Serialize)]
pub struct EtlFacts {
    /// Name of the session.
    pub session: Option<String>,
    /// The file as the session named it.
    pub log_file: Option<String>,
    /// Mode bits, as `0x04010001`.
    pub mode: String,
    /// Clock of the time stamps.
    pub clock: &'static str,
    /// What must be added to a time to have it by the session's end time; µs.
    pub clock_drift_us: Option<i64>,
    /// Buffers.
    pub buffers: BufferCounts,
    /// Processors that wrote buffers.
    pub processors: u64,
    /// Kernel flags that were on at some time.
    pub kernel_flags: Vec<&'static str>,
    /// The same as eight words of bits, as `0x0001270f`; empty where the trace notes none.
    pub kernel_flag_words: Vec<String>,
    /// Kernel records.
    pub hooks: Vec<HookCount>,
    /// All other records.
    pub providers: Vec<ProviderCount>,
}

/// Buffers, read and lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct BufferCounts {
    /// In the file.
    pub total: u64,
    /// Compressed.
    pub compressed: u64,
    /// With a damaged header that was put right.
    pub repaired: u64,
    /// With a part that could not be read.
    pub broken: u64,
    /// Counted by the trace header and not in the file.
    pub missing: u64,
}

/// Records of a hook and version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HookCount {
    /// As `0x0301`.
    pub hook: String,
    /// Version of the payload.
    pub version: u8,
    /// Group.
    pub group: Option<&'static str>,
    /// Name in the group.
    pub name: Option<&'static str>,
    /// Records.
    pub count: u64,
}

/// Records of a provider or class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProviderCount {
    /// GUID; zeros for records that name none.
    pub guid: Guid,
    /// Name: by the trace itself, else the one that is known.
    pub name: Option<String>,
    /// Records.
    pub count: u64,
}

impl EtlFacts {
    /// The facts of a file.
    pub fn new(file: &EtlFile, census: &Census) -> Self {
        let header = file.header();
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let words = if census.mask_changes.is_empty() {
            Vec::new()
        } else {
            let words = census.masks.words.iter();
            words.map(|word| format!("{word:#010x}")).collect()
        };
        Self {
            session: text(&header.session),
            log_file: text(&header.log_file),
            mode: format!("{:#010x}", header.mode),
            clock: file.clock().kind().as_str(),
            clock_drift_us: file.end_drift().map(|drift| drift / 10),
            buffers: BufferCounts {
                total: file.buffers().len() as u64,
                compressed: census.compressed,
                repaired: file.damaged_buffers(),
                broken: census.broken,
                missing: file.missing_buffers(),
            },
            processors: census.cpus.len() as u64,
            kernel_flags: census.masks.names().0,
            kernel_flag_words: words,
            hooks: hooks(census),
            providers: providers(census),
        }
    }
}

/// Ascending by hook and version.
fn hooks(census: &Census) -> Vec<HookCount> {
    let counts = census.hooks.iter().map(|(hook, count)| HookCount {
        hook: format!("{:#06x}", hook.id),
        version: hook.version,
        group: group_of(hook.id).map(|group| group.name),
        name: hook_name(hook.id),
        count: *count,
    });
    counts.collect()
}

/// Most records first, then by GUID.
fn providers(census: &Census) -> Vec<ProviderCount> {
    let counts = census.providers.iter().map(|(guid, count)| {
        let own = census.names.get(guid).cloned();
        ProviderCount {
            guid: *guid,
            name: own.or_else(|| provider_name(*guid).map(str::to_owned)),
            count: *count,
        }
    });
    let mut out: Vec<ProviderCount> = counts.collect();
    out.sort_by(|a, b| (b.count, a.guid.digits()).cmp(&(a.count, b.guid.digits())));
    out
}
