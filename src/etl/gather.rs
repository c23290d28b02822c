//! The records of a slice, in time order.

use super::file::{EtlFile, Unit};
use super::hooks::hook_of_class;
use super::record::{Hook, Record};
use super::records::Scratch;
use super::slices::Slice;
use std::io;

/// A record and where it stands.
#[derive(Debug, Clone, Copy)]
pub struct Placed<'a> {
    /// Start of what it tells of, as a key (see [`super::keys::TimeKey`]).
    pub start: i64,
    /// Its time stamp, in ticks.
    pub ticks: i64,
    /// Number of the record in its file.
    pub number: u64,
    /// Its buffer.
    pub buffer: u32,
    /// Processor that wrote it.
    pub cpu: u16,
    /// Hook, also of kernel events that have a class GUID.
    pub hook: Option<Hook>,
    /// The record.
    pub record: Record<'a>,
}

/// The hook of a kernel event, with a header of the kernel logger or with its class GUID.
#[inline]
pub fn hook_of(record: &Record<'_>) -> Option<Hook> {
    record.hook().or_else(|| {
        let classic = record.classic()?;
        Some(Hook {
            id: hook_of_class(classic.class, classic.opcode)?,
            version: u8::try_from(classic.version).unwrap_or(u8::MAX),
        })
    })
}

/// The mapped buffers of a slice.
#[derive(Debug)]
pub struct Loaded<'f> {
    units: Vec<Unit<'f>>,
}

impl<'f> Loaded<'f> {
    /// Maps the buffers of a slice, with those that only hold stacks where `stacks` are wanted.
    ///
    /// # Errors
    /// When the file cannot be mapped.
    pub fn new(file: &'f EtlFile, slice: &Slice, stacks: bool) -> io::Result<Self> {
        let more: &[u32] = if stacks { &slice.stack_buffers } else { &[] };
        let mut buffers: Vec<u32> = slice.buffers.iter().chain(more).copied().collect();
        buffers.sort_unstable();
        let units = buffers
            .chunk_by(|a, b| *b == *a + 1)
            .map(|run| file.run(run[0] as usize..run[run.len() - 1] as usize + 1))
            .collect::<io::Result<_>>()?;
        Ok(Self { units })
    }

    /// Space to decompress each buffer.
    pub fn space(&self) -> Vec<Scratch> {
        let buffers = self.units.iter().flat_map(Unit::buffers);
        buffers.map(|_| Scratch::default()).collect()
    }

    /// Hands every good record to `take`, buffer by buffer in file order, with the number of its buffer and its place
    /// among the good records there. `space` is that of [`Loaded::space`].
    pub fn for_each<'a>(
        &'a self,
        space: &'a mut [Scratch],
        mut take: impl FnMut(usize, u32, Record<'a>),
    ) {
        let buffers = self
            .units
            .iter()
            .flat_map(|unit| unit.buffers().map(move |buffer| (unit, buffer)));
        for ((unit, buffer), scratch) in buffers.zip(space) {
            let good = unit.records(buffer, scratch).flatten();
            for (place, record) in (0..).zip(good) {
                take(buffer, place, record);
            }
        }
    }
}

/// Puts records in order: by start, records of one start as they lie in the file.
pub fn in_order(records: &[Placed<'_>]) -> Vec<u32> {
    let mut order: Vec<(i64, u32)> = records
        .iter()
        .zip(0..)
        .map(|(record, at)| (record.start, at))
        .collect();
    // Buffers are runs that are sorted already, which this sort makes use of.
    order.sort();
    order.into_iter().map(|(_, at)| at).collect()
}
