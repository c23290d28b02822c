//! Processor time by driver and handles by process: tables of `info` for traces that sample and count them.

use crate::drivers::DriverList;
use crate::etl::dictionary::facts::Facts;
use crate::trace::TraceInfo;
use serde::Serialize;

/// Processor time in kernel mode, by driver; from the sampled profile.
#[derive(Debug, Clone, Serialize)]
pub struct CpuReport {
    /// All samples but those of idle processors.
    pub samples: u64,
    /// Samples in kernel mode.
    pub kernel: u64,
    /// Samples in user mode.
    pub user: u64,
    /// Samples of idle processors.
    pub idle: u64,
    /// Kernel samples in no known image.
    pub unknown: u64,
    /// Time between two samples, µs.
    pub interval_us: f64,
    /// Drivers, most samples first.
    pub drivers: Vec<DriverCpu>,
}

/// Processor time inside a driver.
#[derive(Debug, Clone, Serialize)]
pub struct DriverCpu {
    /// File name.
    pub name: String,
    /// Company.
    pub company: Option<String>,
    /// Whether it is anyone's but Microsoft's.
    pub third_party: bool,
    /// Samples whose instruction lies in the driver; what it calls is not among them.
    pub samples: u64,
    /// Share of all samples of busy processors, 0 to 1.
    pub share: f64,
    /// Samples times interval, µs.
    pub cpu_us: f64,
}

/// Handles of a process, of one type.
#[derive(Debug, Clone, Serialize)]
pub struct HandleRow {
    /// Image file name.
    pub process: Option<String>,
    /// Process id.
    pub pid: u32,
    /// Type of the objects, as `File`; its number where the trace does not name it.
    #[serde(rename = "type")]
    pub kind: String,
    /// Opened.
    pub created: u64,
    /// Closed.
    pub closed: u64,
    /// Duplicated into the process.
    pub duplicated: u64,
    /// Open at the start or the end of the session.
    pub open: u64,
}

/// Rows of the table of handles.
const MOST_ROWS: usize = 10_000;

/// The table of processor time; `None` where the trace has no samples.
pub fn cpu(facts: &Facts, drivers: &DriverList) -> Option<CpuReport> {
    let samples = &facts.samples;
    let kernel = samples.kernel();
    let busy = kernel + samples.user;
    if busy + samples.idle == 0 {
        return None;
    }
    let interval_us = f64::from(facts.sample_interval()) / 10.0;
    let (by_image, unknown) = samples.by_image(&drivers.map);
    let mut rows: Vec<DriverCpu> = by_image
        .into_iter()
        .filter_map(|(image, samples)| {
            let driver = drivers.list.get(image as usize)?;
            Some(DriverCpu {
                name: driver.name.clone(),
                company: (!driver.company.is_empty()).then(|| driver.company.to_string()),
                third_party: driver.third_party,
                samples,
                share: samples as f64 / busy.max(1) as f64,
                cpu_us: samples as f64 * interval_us,
            })
        })
        .collect();
    rows.sort_by(|a, b| (b.samples, &a.name).cmp(&(a.samples, &b.name)));
    Some(CpuReport {
        samples: busy,
        kernel,
        user: samples.user,
        idle: samples.idle,
        unknown,
        interval_us,
        drivers: rows,
    })
}

/// The table of handles; `None` where the trace records none.
pub fn handles(facts: &Facts, info: &TraceInfo) -> Option<Vec<HandleRow>> {
    let rows: Vec<HandleRow> = facts
        .handles
        .in_order()
        .into_iter()
        .take(MOST_ROWS)
        .map(|(pid, kind, count)| {
            // Ids are used again: the last process that had one names the row.
            let process = info
                .processes
                .iter()
                .rev()
                .find(|process| process.pid == pid);
            let name = process.map(|process| process.name.to_string());
            HandleRow {
                process: name.filter(|name| !name.is_empty()),
                pid,
                kind: facts
                    .handles
                    .type_name(kind)
                    .map_or_else(|| format!("type {kind}"), str::to_owned),
                created: count.created,
                closed: count.closed,
                duplicated: count.duplicated,
                open: count.open,
            }
        })
        .collect();
    (!rows.is_empty()).then_some(rows)
}
