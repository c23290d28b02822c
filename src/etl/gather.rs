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

/// Buffers this near to each other are mapped together with what lies between.
const NEAR: u32 = 64;

/// The mapped buffers of a slice.
#[derive(Debug)]
pub struct Loaded<'f> {
    units: Vec<Unit<'f>>,
    buffers: Vec<u32>,
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
            .chunk_by(|a, b| *b - *a <= NEAR)
            .map(|run| file.run(run[0] as usize..run[run.len() - 1] as usize + 1))
            .collect::<io::Result<_>>()?;
        Ok(Self { units, buffers })
    }

    /// Space to decompress each buffer.
    pub fn space(&self) -> Vec<Scratch> {
        self.buffers.iter().map(|_| Scratch::default()).collect()
    }

    /// Hands every good record to `take`, buffer by buffer in file order, with where it is. `space` is that of
    /// [`Loaded::space`].
    pub fn gather<'a>(
        &'a self,
        first_numbers: &[u64],
        space: &'a mut [Scratch],
        mut take: impl FnMut(&mut Entries, Place, Record<'a>),
    ) -> Gathered<'a> {
        let mut out = Gathered::default();
        for (buffer, scratch) in self.buffers.iter().zip(space) {
            let number = *buffer as usize;
            let unit = self
                .units
                .iter()
                .find(|unit| unit.buffers().contains(&number));
            let Some(unit) = unit else { continue };
            let mut records = unit.records(number, scratch);
            let data = records.data();
            let slot = out.slots.len() as u32;
            let mut place = Place {
                buffer: number,
                slot,
                at: 0,
                place: 0,
            };
            let entries = &mut out.entries;
            records.each(
                |record| {
                    place.at = (record.bytes().as_ptr() as usize - data.as_ptr() as usize) as u32;
                    take(entries, place, record);
                    place.place += 1;
                },
                |_| (),
            );
            out.slots.push(Slot {
                buffer: *buffer,
                cpu: unit.file().buffers().get(number).map_or(0, |b| b.cpu),
                first: first_numbers.get(number).copied().unwrap_or(0),
                data,
            });
        }
        // Buffers are runs that are sorted already, which this sort makes use of.
        out.entries.0.sort();
        out
    }
}

/// Where a record is.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// Its buffer.
    pub buffer: usize,
    slot: u32,
    at: u32,
    place: u32,
}

impl Place {
    /// Which of the good records of its buffer it is.
    pub fn index(&self) -> u64 {
        u64::from(self.place)
    }
}

/// Which records were taken, by start; those of one start as they lie in the file.
#[derive(Debug, Default)]
pub struct Entries(Vec<Entry>);

/// A record that was taken. Small, for a slice has some ten thousand, and they are sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    start: i64,
    slot: u32,
    at: u32,
    place: u32,
}

impl Entries {
    /// Takes the record at `place`, which starts at `start` (a key).
    #[inline]
    pub fn take(&mut self, start: i64, place: Place) {
        self.0.push(Entry {
            start,
            slot: place.slot,
            at: place.at,
            place: place.place,
        });
    }
}

/// A buffer of a slice.
#[derive(Debug, Clone, Copy)]
struct Slot<'a> {
    buffer: u32,
    cpu: u16,
    first: u64,
    data: &'a [u8],
}

/// Records of a slice, in time order.
#[derive(Debug, Default)]
pub struct Gathered<'a> {
    slots: Vec<Slot<'a>>,
    entries: Entries,
}

impl<'a> Gathered<'a> {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.0.is_empty()
    }

    /// Record `at`. `no_time` gives the ticks of one without a time stamp, by its buffer.
    #[inline]
    pub fn get(&self, at: usize, no_time: impl FnOnce(usize) -> i64) -> Option<Placed<'a>> {
        let entry = self.entries.0.get(at)?;
        let slot = self.slots.get(entry.slot as usize)?;
        let record = Record::parse(slot.data.get(entry.at as usize..)?).ok()?;
        Some(Placed {
            start: entry.start,
            ticks: record
                .time()
                .unwrap_or_else(|| no_time(slot.buffer as usize)),
            number: slot.first + u64::from(entry.place),
            buffer: slot.buffer,
            cpu: slot.cpu,
            hook: hook_of(&record),
            record,
        })
    }
}
